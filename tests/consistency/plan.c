/* SPDX-License-Identifier: MIT */
#include "plan.h"

#include "test.h"

enum { ADD_MAX = 3 };

static bool one_in(uint64_t *random, unsigned count)
{
    return test_random(random) % count == 0;
}

static enum action_kind pick_kind(uint64_t *random)
{
    static const enum action_kind kinds[] = { ACTION_GET, ACTION_GET, ACTION_GET, ACTION_PUT, ACTION_PUT,
                                              ACTION_PUT, ACTION_ADD, ACTION_ADD, ACTION_ADD, ACTION_DELETE };

    return kinds[test_random(random) % (sizeof kinds / sizeof kinds[0])];
}

static void guard(struct action *action, const struct items *seen, uint64_t *random)
{
    action->guarded = true;
    action->guard = one_in(random, 8) ? 0 : seen->values[action->key];
}

static void fill_change(struct action *action, int32_t *put, uint64_t *random)
{
    if (action->kind == ACTION_PUT)
        action->value = *put += HISTORY_SPACING;
    else if (action->kind == ACTION_ADD)
        action->value = 1 + (int32_t)(test_random(random) % ADD_MAX);
}

static void plan_single(const struct plan *plan, const struct items *seen, int32_t *put, uint64_t *random,
                        struct call *call)
{
    struct action *action = &call->actions[0];

    call->action_count = 1;
    *action =
        (struct action){ .kind = pick_kind(random), .key = (uint8_t)(test_random(random) % plan->key_count) };
    fill_change(action, put, random);
    if (action->kind == ACTION_GET) {
        action->saw_known = true;
        return;
    }
    if (one_in(random, 2))
        guard(action, seen, random);
    if (action->kind == ACTION_ADD && one_in(random, 2))
        action->made_known = true;
    else
        action->saw_known = !one_in(random, 3);
}

/* Several keys, in any order, each once. */
static void pick_keys(const struct plan *plan, uint64_t *random, struct call *call)
{
    uint8_t keys[HISTORY_KEYS_MAX];

    call->action_count = (uint8_t)(2 + test_random(random) % (unsigned)(plan->key_count - 1));
    for (uint8_t i = 0; i < plan->key_count; i++)
        keys[i] = i;
    for (uint8_t i = 0; i < call->action_count; i++) {
        uint8_t other = (uint8_t)(i + test_random(random) % (unsigned)(plan->key_count - i)), key = keys[i];

        keys[i] = keys[other];
        keys[other] = key;
        call->actions[i] = (struct action){ .key = keys[i] };
    }
}

static void plan_transaction(const struct plan *plan, const struct items *seen, int32_t *put,
                             uint64_t *random, struct call *call)
{
    static const enum action_kind kinds[] = { ACTION_PUT, ACTION_PUT,    ACTION_ADD,
                                              ACTION_ADD, ACTION_DELETE, ACTION_CHECK };
    bool looks = one_in(random, 2);

    pick_keys(plan, random, call);
    for (uint8_t i = 0; i < call->action_count; i++) {
        struct action *action = &call->actions[i];

        action->kind = looks ? ACTION_GET : kinds[test_random(random) % (sizeof kinds / sizeof kinds[0])];
        action->saw_known = looks;
        fill_change(action, put, random);
        if (action->kind == ACTION_CHECK || (!looks && one_in(random, 4)))
            guard(action, seen, random);
        if (action->guarded)
            action->saw_known = one_in(random, 2);
    }
}

void plan_call(const struct plan *plan, const struct items *seen, int32_t *put, uint64_t *random,
               struct call *call)
{
    if (plan->transactions && plan->key_count > 1 && one_in(random, 2))
        plan_transaction(plan, seen, put, random, call);
    else
        plan_single(plan, seen, put, random, call);
}
