/* SPDX-License-Identifier: MIT */
#include "falsify.h"

#include "test.h"

const char *falsehood_sentence(enum falsehood falsehood)
{
    static const char *const sentences[] = {
#define FALSEHOOD_ENTRY(name, sentence) [FALSEHOOD_##name] = sentence,
        FALSEHOOD_MAP(FALSEHOOD_ENTRY)
#undef FALSEHOOD_ENTRY
    };

    return sentences[falsehood];
}

/* ---- walking ---------------------------------------------------------------------------------------- */

/* One action in its call. */
struct spot {
    struct call *call;
    struct action *action; /* NULL: there is none */
};

/* Every action of a history once, beginning at a random call. */
struct walk {
    struct history *history;
    size_t start, passed;
    uint8_t next;
};

static struct walk walk_from(struct history *history, uint64_t *random)
{
    return (struct walk){ .history = history, .start = test_random(random) % history->count };
}

static bool walk_on(struct walk *walk, struct spot *spot)
{
    while (walk->passed < walk->history->count) {
        struct call *call = &walk->history->calls[(walk->start + walk->passed) % walk->history->count];

        if (walk->next < call->action_count) {
            *spot = (struct spot){ .call = call, .action = &call->actions[walk->next++] };
            return true;
        }
        walk->next = 0;
        walk->passed++;
    }
    return false;
}

/* ---- what is at a spot ------------------------------------------------------------------------------ */

static bool is_done_change(struct spot spot)
{
    return spot.call->outcome == CALL_DONE && action_changes(spot.action);
}

static bool is_put(struct spot spot)
{
    return spot.action->kind == ACTION_PUT;
}

static bool same_key(struct spot a, struct spot b)
{
    return a.action->key == b.action->key;
}

static bool before(struct spot a, struct spot b)
{
    return call_precedes(a.call, b.call);
}

/* Sees an item, and could be told that it is `value`, which would be news. */
static bool could_see(struct spot spot, int32_t value)
{
    return spot.action->saw_known && spot.action->saw != value;
}

/* A lie should stand alone: what follows from it by itself is told likewise. */
static void tell(struct spot spot, int32_t value)
{
    spot.action->saw = value;
    if (spot.action->kind == ACTION_ADD && spot.action->made_known)
        spot.action->made = value + spot.action->value;
}

/* The number in `spot` is put, and all over, before `later` begins. */
static bool find_put_before(struct history *history, struct spot later, int32_t not_value, uint64_t *random,
                            struct spot *put)
{
    struct walk walk = walk_from(history, random);

    while (walk_on(&walk, put))
        if (is_put(*put) && put->call->outcome != CALL_REFUSED && same_key(*put, later) &&
            before(*put, later) && put->action->value != not_value)
            return true;
    return false;
}

/* ---- the falsehoods --------------------------------------------------------------------------------- */

/*
 * put(a) ─▸ change ─▸ read sees a. From the change on the item is no longer a, and nobody puts it again.
 */
static bool stale_read(struct history *history, uint64_t *random)
{
    struct walk reads = walk_from(history, random), changes;
    struct spot read, change, put;

    while (walk_on(&reads, &read)) {
        changes = walk_from(history, random);
        while (read.action->saw_known && walk_on(&changes, &change)) {
            if (!is_done_change(change) || !same_key(change, read) || !before(change, read) ||
                !find_put_before(history, change, read.action->saw, random, &put))
                continue;
            tell(read, put.action->value);
            return true;
        }
    }
    return false;
}

/* What shows that the change of `spot`, of unknown outcome, was done before `read` began. */
static bool was_seen(struct history *history, struct spot change, struct spot read, uint64_t *random)
{
    struct walk walk = walk_from(history, random);
    struct spot seen;

    while (walk_on(&walk, &seen))
        if (seen.action->saw_known && same_key(seen, change) && seen.action->saw == change.action->value &&
            before(seen, read))
            return true;
    return false;
}

/* put(a) ─▸ put(b), cut off; somebody sees b ─▸ read sees a. */
static bool seen_and_gone(struct history *history, uint64_t *random)
{
    struct walk reads = walk_from(history, random), changes;
    struct spot read, change, put;

    while (walk_on(&reads, &read)) {
        changes = walk_from(history, random);
        while (read.action->saw_known && walk_on(&changes, &change)) {
            if (change.call->outcome != CALL_UNKNOWN || !is_put(change) || !same_key(change, read) ||
                !was_seen(history, change, read, random) ||
                !find_put_before(history, change, read.action->saw, random, &put))
                continue;
            tell(read, put.action->value);
            return true;
        }
    }
    return false;
}

/* read sees a ─▸ put(a). */
static bool early_read(struct history *history, uint64_t *random)
{
    struct walk reads = walk_from(history, random), puts;
    struct spot read, put;

    while (walk_on(&reads, &read)) {
        puts = walk_from(history, random);
        while (walk_on(&puts, &put)) {
            if (!is_put(put) || !same_key(put, read) || !before(read, put) ||
                !could_see(read, put.action->value))
                continue;
            tell(read, put.action->value);
            return true;
        }
    }
    return false;
}

/* Nobody put it. */
static bool dirty_read(struct history *history, uint64_t *random)
{
    struct walk puts = walk_from(history, random), reads;
    struct spot read, put;

    while (walk_on(&puts, &put)) {
        reads = walk_from(history, random);
        while (is_put(put) && put.call->outcome == CALL_REFUSED && walk_on(&reads, &read)) {
            if (!same_key(read, put) || !could_see(read, put.action->value))
                continue;
            tell(read, put.action->value);
            return true;
        }
    }
    return false;
}

static bool is_told_addition(struct spot spot)
{
    return spot.call->outcome == CALL_DONE && spot.action->kind == ACTION_ADD && spot.action->made_known &&
           spot.action->made >= HISTORY_SPACING;
}

/* Between two puts an item only grows, so one number is made once. */
static bool lost_update(struct history *history, uint64_t *random)
{
    struct walk firsts = walk_from(history, random), seconds;
    struct spot first, second;

    while (walk_on(&firsts, &first)) {
        seconds = walk_from(history, random);
        while (is_told_addition(first) && walk_on(&seconds, &second)) {
            if (second.call == first.call || !is_told_addition(second) || !same_key(first, second))
                continue;
            second.action->made = first.action->made;
            second.action->saw = second.action->made - second.action->value;
            return true;
        }
    }
    return false;
}

static bool is_won(struct spot spot)
{
    return is_done_change(spot) && spot.action->guarded && spot.action->guard >= HISTORY_SPACING;
}

/* The first to change an item from a takes a away for ever. */
static bool two_winners(struct history *history, uint64_t *random)
{
    struct walk firsts = walk_from(history, random), seconds;
    struct spot first, second;

    while (walk_on(&firsts, &first)) {
        seconds = walk_from(history, random);
        while (is_won(first) && walk_on(&seconds, &second)) {
            if (second.call == first.call || !is_won(second) || !same_key(first, second))
                continue;
            second.action->guard = first.action->guard;
            tell(second, first.action->guard);
            return true;
        }
    }
    return false;
}

/* It says itself that the condition held. */
static bool false_refusal(struct history *history, uint64_t *random)
{
    struct walk walk = walk_from(history, random);
    struct spot spot;

    while (walk_on(&walk, &spot)) {
        if (!spot.action->refused || !spot.action->saw_known)
            continue;
        spot.action->guard = spot.action->saw;
        return true;
    }
    return false;
}

/* The transaction's other action, whose key `read` sees, at the same moment as `seen` or after it. */
static bool tear(struct history *history, struct spot first, struct spot seen, uint64_t *random)
{
    for (uint8_t i = 0; i < first.call->action_count; i++) {
        struct spot second = { .call = first.call, .action = &first.call->actions[i] }, read, put;
        struct walk reads = walk_from(history, random);

        if (second.action == first.action || !action_changes(second.action))
            continue;
        while (walk_on(&reads, &read)) {
            if (!read.action->saw_known || !same_key(read, second) ||
                (read.call != seen.call && !before(seen, read)) ||
                !find_put_before(history, second, read.action->saw, random, &put))
                continue;
            tell(read, put.action->value);
            return true;
        }
    }
    return false;
}

/*
 * put(y := b) ─▸ transaction(x := a, change of y); somebody sees x = a, then or later y = b: the
 * transaction has happened, so y is no longer b.
 */
static bool torn_transaction(struct history *history, uint64_t *random)
{
    struct walk firsts = walk_from(history, random), seens;
    struct spot first, seen;

    while (walk_on(&firsts, &first)) {
        seens = walk_from(history, random);
        while (first.call->action_count > 1 && first.call->outcome != CALL_REFUSED && is_put(first) &&
               walk_on(&seens, &seen))
            if (seen.call != first.call && seen.action->saw_known && same_key(seen, first) &&
                seen.action->saw == first.action->value && tear(history, first, seen, random))
                return true;
    }
    return false;
}

bool falsify(struct history *history, enum falsehood falsehood, uint64_t *random)
{
    static bool (*const ways[])(struct history *, uint64_t *) = {
        [FALSEHOOD_STALE_READ] = stale_read,       [FALSEHOOD_SEEN_AND_GONE] = seen_and_gone,
        [FALSEHOOD_EARLY_READ] = early_read,       [FALSEHOOD_DIRTY_READ] = dirty_read,
        [FALSEHOOD_LOST_UPDATE] = lost_update,     [FALSEHOOD_TWO_WINNERS] = two_winners,
        [FALSEHOOD_FALSE_REFUSAL] = false_refusal, [FALSEHOOD_TORN_TRANSACTION] = torn_transaction,
    };

    return history->count > 0 && ways[falsehood](history, random);
}
