/* SPDX-License-Identifier: MIT */
#include "search.h"

#include <stdlib.h>
#include <string.h>

/*
 *     placed ──▸ the calls that could come next ──▸ those that fit the items ──▸ one of them is placed ...
 *
 * A call could come next when no unplaced call ended before it began; one cut off may be left out, and holds nobody up.
 */
enum {
    WORD_BITS = 64,
    PLACED_WORDS = HISTORY_CALLS_MAX / WORD_BITS,
    SEEN_SLOTS_FIRST = 1 << 12,
    SEEN_MAX = 1 << 22,
};

/* How far a search has come; all else follows from it. Compared and hashed as bytes, so it has no padding. */
struct place {
    uint64_t placed[PLACED_WORDS];
    struct items items;
};

struct seen {
    struct place *slots;
    bool *taken;
    size_t slot_count, count;
};

struct search {
    const struct history *history;
    struct seen seen;
    bool gave_up;
};

static bool is_placed(const struct place *place, size_t call)
{
    return (place->placed[call / WORD_BITS] >> (call % WORD_BITS) & 1) != 0;
}

static void set_placed(struct place *place, size_t call)
{
    place->placed[call / WORD_BITS] |= UINT64_C(1) << (call % WORD_BITS);
}

/* ---- where we have been ----------------------------------------------------------------------------- */

static uint64_t hash_place(const struct place *place)
{
    uint64_t words[sizeof *place / sizeof(uint64_t)], hash = 0;

    memcpy(words, place, sizeof words);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        hash = (hash ^ words[i]) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 29;
    }
    return hash;
}

static size_t find_slot(const struct seen *seen, const struct place *place)
{
    size_t slot = hash_place(place) & (seen->slot_count - 1);

    while (seen->taken[slot] && memcmp(&seen->slots[slot], place, sizeof *place) != 0)
        slot = (slot + 1) & (seen->slot_count - 1);
    return slot;
}

static bool init_seen(struct seen *seen, size_t slot_count)
{
    seen->slots = calloc(slot_count, sizeof *seen->slots);
    seen->taken = calloc(slot_count, sizeof *seen->taken);
    seen->slot_count = slot_count;
    seen->count = 0;
    return seen->slots != NULL && seen->taken != NULL;
}

static void deinit_seen(struct seen *seen)
{
    free(seen->slots);
    free(seen->taken);
}

static void put_seen(struct seen *seen, const struct place *place)
{
    size_t slot = find_slot(seen, place);

    seen->slots[slot] = *place;
    seen->taken[slot] = true;
    seen->count++;
}

static bool double_seen(struct seen *seen)
{
    struct seen larger;

    if (!init_seen(&larger, seen->slot_count * 2)) {
        deinit_seen(&larger);
        return false;
    }
    for (size_t i = 0; i < seen->slot_count; i++)
        if (seen->taken[i])
            put_seen(&larger, &seen->slots[i]);
    deinit_seen(seen);
    *seen = larger;
    return true;
}

/* True the first time. */
static bool is_new(struct search *search, const struct place *place)
{
    struct seen *seen = &search->seen;

    if (seen->taken[find_slot(seen, place)])
        return false;
    if (seen->count == SEEN_MAX || (seen->count * 2 >= seen->slot_count && !double_seen(seen))) {
        search->gave_up = true;
        return false;
    }
    put_seen(seen, place);
    return true;
}

/* ---- what could come next --------------------------------------------------------------------------- */

/* The calls to choose from: at most one for each client, and those cut off that may still come. */
struct choice {
    size_t calls[HISTORY_CALLS_MAX];
    size_t count;
    size_t known;      /* the first so many have an answer */
    uint64_t deadline; /* of those cut off: the earliest of their ends */
};

/* No call that began after the end of one cut off may be placed before it. */
static uint64_t latest_begin(const struct history *history, const struct place *place)
{
    for (size_t i = PLACED_WORDS; i-- > 0;)
        if (place->placed[i] != 0)
            return history->calls[i * WORD_BITS + WORD_BITS - 1 - (size_t)__builtin_clzll(place->placed[i])]
                .begun;
    return 0;
}

static size_t first_unplaced(const struct place *place)
{
    size_t word = 0;

    while (word < PLACED_WORDS && place->placed[word] == UINT64_MAX)
        word++;
    return word == PLACED_WORDS ? HISTORY_CALLS_MAX
                                : word * WORD_BITS + (size_t)__builtin_ctzll(~place->placed[word]);
}

/* False when every call with an answer is placed. */
static bool find_choice(const struct history *history, const struct place *place, struct choice *choice)
{
    uint64_t latest = latest_begin(history, place), end = UINT64_MAX;
    size_t cut_off[HISTORY_CALLS_MAX], cut_off_count = 0;

    choice->known = 0;
    choice->deadline = UINT64_MAX;
    for (size_t i = first_unplaced(place); i < history->count && history->calls[i].begun <= end; i++) {
        const struct call *call = &history->calls[i];

        if (is_placed(place, i))
            continue;
        if (call->outcome != CALL_UNKNOWN) {
            choice->calls[choice->known++] = i;
            end = call->ended < end ? call->ended : end;
        } else if (call->ended >= latest) {
            cut_off[cut_off_count++] = i;
            choice->deadline = call->ended < choice->deadline ? call->ended : choice->deadline;
        }
    }
    memcpy(choice->calls + choice->known, cut_off, cut_off_count * sizeof cut_off[0]);
    choice->count = choice->known + cut_off_count;
    return choice->known > 0;
}

/* ---- the search ------------------------------------------------------------------------------------- */

static bool only_looks(const struct call *call)
{
    if (call->outcome == CALL_REFUSED)
        return true;
    for (size_t i = 0; i < call->action_count; i++)
        if (action_changes(&call->actions[i]))
            return false;
    return true;
}

static bool place_call(const struct history *history, const struct place *place, size_t call,
                       struct place *next)
{
    *next = *place;
    if (!call_fits(&history->calls[call], &next->items))
        return false;
    set_placed(next, call);
    return true;
}

/*
 * A call that only looks, and fits now, may be placed now without a thought for other ways: whoever explains the history with it
 * later explains it with it here too. Unless it began after the end of one cut off, which could then come no more.
 */
static bool place_looks(const struct history *history, struct place *place, const struct choice *choice)
{
    struct place next;

    for (size_t i = 0; i < choice->known; i++) {
        const struct call *call = &history->calls[choice->calls[i]];

        if (only_looks(call) && call->begun <= choice->deadline &&
            place_call(history, place, choice->calls[i], &next)) {
            *place = next;
            return true;
        }
    }
    return false;
}

static bool explain(struct search *search, struct place place)
{
    const struct history *history = search->history;
    struct choice choice;
    struct place next;

    do {
        if (!find_choice(history, &place, &choice))
            return true;
    } while (place_looks(history, &place, &choice));
    if (!is_new(search, &place))
        return false;
    for (size_t i = 0; i < choice.count && !search->gave_up; i++)
        if (place_call(history, &place, choice.calls[i], &next) && explain(search, next))
            return true;
    return false;
}

static enum verdict search_at_once(const struct history *history)
{
    struct search search = { .history = history };
    struct place start = { 0 };
    bool explained;

    if (!init_seen(&search.seen, SEEN_SLOTS_FIRST)) {
        deinit_seen(&search.seen);
        return VERDICT_GAVE_UP;
    }
    explained = explain(&search, start);
    deinit_seen(&search.seen);
    if (explained)
        return VERDICT_EXPLAINED;
    return search.gave_up ? VERDICT_GAVE_UP : VERDICT_REFUSED;
}

static enum verdict search_each_key(const struct history *history)
{
    struct history *one = malloc(sizeof *one);
    enum verdict verdict = one == NULL ? VERDICT_GAVE_UP : VERDICT_EXPLAINED;

    for (uint8_t key = 0; key < history->key_count && verdict == VERDICT_EXPLAINED; key++) {
        history_of_key(history, key, one);
        verdict = search_at_once(one);
    }
    free(one);
    return verdict;
}

enum verdict search_order(const struct history *history)
{
    return history_has_transactions(history) ? search_at_once(history) : search_each_key(history);
}
