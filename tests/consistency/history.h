/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_CONSISTENCY_HISTORY_H
#define PL_TESTS_CONSISTENCY_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/**
 * A history: what some clients asked of a few items, when, and what they were told. An item is a
 * number; 0 is the item that is not there, and all are so at first. Every call falls on one moment, if the
 * store is worth its name, and that moment lies between its begin and its end.
 *
 *     client 0   |--PUT a=1000--|        |---GET a: 1000---|
 *     client 1        |----ADD a+1: 1001----|
 */
enum {
    HISTORY_KEYS_MAX = 4,
    HISTORY_CALLS_MAX = 256,
    HISTORY_CLIENTS_MAX = 8,
    /* Whatever is put is a multiple of this, no two alike; what is added in one history stays below it. */
    HISTORY_SPACING = 1000,
};

enum action_kind { ACTION_GET, ACTION_PUT, ACTION_ADD, ACTION_DELETE, ACTION_CHECK };

/* One item's part in a call. */
struct action {
    enum action_kind kind;
    uint8_t key;
    int32_t value; /* PUT: the item to be; ADD: how much */
    bool guarded;
    int32_t guard; /* the call is done only if the item is this */
    bool saw_known, made_known;
    int32_t saw;  /* the item before */
    int32_t made; /* the item after, when the call was done */
    bool refused; /* of a refused call: this guard did not hold */
};

enum outcome {
    CALL_DONE,
    CALL_REFUSED, /* a guard did not hold, and nothing was changed */
    CALL_UNKNOWN, /* cut off: done between begin and end, or never */
};

struct call {
    uint64_t begun, ended; /* any unit; equal times are in no order */
    enum outcome outcome;
    uint32_t token; /* not 0: a transaction that is asked again under this token until there is an answer */
    uint8_t client;
    /* Several: a transaction, which falls on one moment too; each action has a key of its own. */
    uint8_t action_count;
    struct action actions[HISTORY_KEYS_MAX];
};

struct history {
    size_t count;
    uint8_t key_count;
    struct call calls[HISTORY_CALLS_MAX];
};

/* All items at one moment. */
struct items {
    int32_t values[HISTORY_KEYS_MAX];
};

bool action_changes(const struct action *action);

/** Could all that the client was told of this call be so at this moment? If it could, `items` is as it left them. */
bool call_fits(const struct call *call, struct items *items);

/** Does `earlier` lie before `later` with all its time? */
bool call_precedes(const struct call *earlier, const struct call *later);

/** Put the calls in the order of their begin. */
void history_sort(struct history *history);

/** The calls to one key alone, in `out`. */
void history_of_key(const struct history *history, uint8_t key, struct history *out);

bool history_has_transactions(const struct history *history);

/** A line for each call. */
void history_print(const struct history *history, FILE *out);

#endif
