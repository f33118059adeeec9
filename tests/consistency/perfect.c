/* SPDX-License-Identifier: MIT */
#include "perfect.h"

#include "test.h"

enum { CALL_TIME = 100, PAUSE_TIME = 40, STALE_KEPT = 4 };

/* A call before anybody knows what it asks for. */
struct slot {
    uint64_t begun, moment, ended;
    uint8_t client;
    bool cut_off;
};

struct store {
    struct items items, stale; /* stale: as they were a while ago */
    int32_t put;
};

static uint64_t some(uint64_t *random, uint64_t most)
{
    return test_random(random) % (most + 1);
}

/* The slot's end, unless the store is cut off before. */
static void cut(const struct perfect *perfect, struct slot *slot)
{
    uint64_t every = perfect->cut_off_every, at;

    if (every == 0)
        return;
    at = (slot->begun / every + 1) * every;
    slot->cut_off = at <= slot->ended;
    if (slot->cut_off)
        slot->ended = at;
}

static size_t make_slots(const struct perfect *perfect, uint64_t *random, struct slot *slots)
{
    size_t count = 0;

    for (uint8_t client = 0; client < perfect->clients; client++) {
        uint64_t now = some(random, PAUSE_TIME);

        for (uint8_t i = 0; i < perfect->calls; i++) {
            struct slot *slot = &slots[count++];

            *slot = (struct slot){ .begun = now, .client = client };
            slot->moment = slot->begun + some(random, CALL_TIME);
            slot->ended = slot->moment + some(random, CALL_TIME);
            cut(perfect, slot);
            now = slot->ended + 1 + some(random, PAUSE_TIME);
        }
    }
    return count;
}

static int by_moment(const void *a, const void *b)
{
    const struct slot *left = a, *right = b;

    if (left->moment != right->moment)
        return left->moment < right->moment ? -1 : 1;
    return left->client - right->client;
}

static bool is_refused(const struct call *call, const struct items *items)
{
    for (uint8_t i = 0; i < call->action_count; i++)
        if (call->actions[i].guarded && call->actions[i].guard != items->values[call->actions[i].key])
            return true;
    return false;
}

static int32_t made_of(const struct action *action, int32_t item)
{
    if (action->kind == ACTION_PUT)
        return action->value;
    if (action->kind == ACTION_ADD)
        return item + action->value;
    return action->kind == ACTION_DELETE ? 0 : item;
}

static void answer(struct call *call, struct items *items)
{
    call->outcome = is_refused(call, items) ? CALL_REFUSED : CALL_DONE;
    for (uint8_t i = 0; i < call->action_count; i++) {
        struct action *action = &call->actions[i];
        int32_t *item = &items->values[action->key];

        action->saw = *item;
        action->refused = action->guarded && action->guard != *item;
        if (call->action_count > 1 && action->kind != ACTION_GET)
            action->saw_known = action->saw_known && action->refused;
        if (call->outcome == CALL_REFUSED) {
            action->made_known = false;
            continue;
        }
        action->made = *item = made_of(action, *item);
    }
}

/* What happened, nobody was told. */
static void forget_answer(struct call *call)
{
    call->outcome = CALL_UNKNOWN;
    for (uint8_t i = 0; i < call->action_count; i++)
        call->actions[i].saw_known = call->actions[i].made_known = call->actions[i].refused = false;
}

static bool changes(const struct call *call)
{
    for (uint8_t i = 0; i < call->action_count; i++)
        if (action_changes(&call->actions[i]))
            return true;
    return false;
}

static void happen(const struct perfect *perfect, struct store *store, const struct slot *slot,
                   uint64_t *random, struct history *out)
{
    struct call *call = &out->calls[out->count];
    struct items kept = store->items;

    *call = (struct call){ .begun = slot->begun, .ended = slot->ended, .client = slot->client };
    if (some(random, STALE_KEPT) == 0)
        store->stale = store->items;
    plan_call(&perfect->plan, some(random, 2) > 0 ? &store->items : &store->stale, &store->put, random, call);
    answer(call, &store->items);
    if (slot->cut_off) {
        forget_answer(call);
        if (slot->moment > slot->ended)
            store->items = kept;
        if (!changes(call))
            return;
    }
    out->count++;
}

void perfect_history(const struct perfect *perfect, uint64_t *random, struct history *out)
{
    struct slot slots[HISTORY_CALLS_MAX];
    struct store store = { 0 };
    size_t count = make_slots(perfect, random, slots);

    qsort(slots, count, sizeof slots[0], by_moment);
    out->count = 0;
    out->key_count = perfect->plan.key_count;
    for (size_t i = 0; i < count; i++)
        happen(perfect, &store, &slots[i], random, out);
    history_sort(out);
}
