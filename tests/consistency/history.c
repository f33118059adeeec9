/* SPDX-License-Identifier: MIT */
#include "history.h"

#include <inttypes.h>
#include <stdlib.h>

bool action_changes(const struct action *action)
{
    return action->kind == ACTION_PUT || action->kind == ACTION_ADD || action->kind == ACTION_DELETE;
}

static int32_t result_of(const struct action *action, int32_t item)
{
    switch (action->kind) {
    case ACTION_PUT:
        return action->value;
    case ACTION_ADD:
        return item + action->value;
    case ACTION_DELETE:
        return 0;
    default:
        return item;
    }
}

static bool action_fits(const struct action *action, enum outcome outcome, int32_t item)
{
    bool holds = !action->guarded || action->guard == item;

    if (outcome == CALL_UNKNOWN)
        return holds;
    if (action->saw_known && action->saw != item)
        return false;
    if (outcome == CALL_REFUSED)
        return holds != action->refused;
    return holds && (!action->made_known || action->made == result_of(action, item));
}

/* One cut off fits where it would have been done: where it would have been refused, it may as well be left out. */
bool call_fits(const struct call *call, struct items *items)
{
    for (size_t i = 0; i < call->action_count; i++)
        if (!action_fits(&call->actions[i], call->outcome, items->values[call->actions[i].key]))
            return false;
    if (call->outcome == CALL_REFUSED)
        return true;
    for (size_t i = 0; i < call->action_count; i++) {
        const struct action *action = &call->actions[i];

        items->values[action->key] = result_of(action, items->values[action->key]);
    }
    return true;
}

bool call_precedes(const struct call *earlier, const struct call *later)
{
    return earlier->ended < later->begun;
}

static int by_begin(const void *a, const void *b)
{
    const struct call *left = a, *right = b;

    if (left->begun != right->begun)
        return left->begun < right->begun ? -1 : 1;
    return left->client - right->client;
}

void history_sort(struct history *history)
{
    qsort(history->calls, history->count, sizeof history->calls[0], by_begin);
}

void history_of_key(const struct history *history, uint8_t key, struct history *out)
{
    out->count = 0;
    out->key_count = history->key_count;
    for (size_t i = 0; i < history->count; i++)
        if (history->calls[i].actions[0].key == key)
            out->calls[out->count++] = history->calls[i];
}

bool history_has_transactions(const struct history *history)
{
    for (size_t i = 0; i < history->count; i++)
        if (history->calls[i].action_count > 1)
            return true;
    return false;
}

/* ---- for people ------------------------------------------------------------------------------------- */

static void print_action(const struct action *action, FILE *out)
{
    static const char *const words[] = { "get", "put", "add", "delete", "check" };

    fprintf(out, "  %s %c", words[action->kind], 'a' + action->key);
    if (action->kind == ACTION_PUT || action->kind == ACTION_ADD)
        fprintf(out, " %" PRId32, action->value);
    if (action->guarded)
        fprintf(out, " if %" PRId32, action->guard);
    if (action->refused)
        fprintf(out, " (no)");
    if (action->saw_known)
        fprintf(out, " saw %" PRId32, action->saw);
    if (action->made_known)
        fprintf(out, " made %" PRId32, action->made);
}

void history_print(const struct history *history, FILE *out)
{
    static const char *const words[] = { "done", "refused", "unknown" };
    uint64_t first = history->count > 0 ? history->calls[0].begun : 0;

    for (size_t i = 0; i < history->count; i++) {
        const struct call *call = &history->calls[i];

        fprintf(out, "%3zu client %d %9" PRIu64 " .. %9" PRIu64 " %-7s", i, call->client, call->begun - first,
                call->ended - first, words[call->outcome]);
        for (size_t j = 0; j < call->action_count; j++)
            print_action(&call->actions[j], out);
        fputc('\n', out);
    }
}
