/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_CRASH_STORY_H
#define PL_TESTS_CRASH_STORY_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

/**
 * What the clients of a workload do, and what must be found afterwards. Everything follows from a client's
 * number and the number of its step, so that the check, which knows only how many steps were acknowledged,
 * knows every byte that must be there, and every byte that may be.
 *
 *     client 0      makes the table Main, then adds and drops indexes, and makes, fills and drops a second table
 *     the trigger   (in a story that has it) counts in Tally what the clients do to Main: tally.h
 *     clients 1..   put, update and delete items of their own in Main, singly, in batches and in transactions
 *     the stranger  writes after recovery
 */
enum {
    STORY_SLOTS = 10, /* items that a client may have */
    STORY_CLIENTS_MAX = 8,
    STORY_STRANGER = STORY_CLIENTS_MAX,
    STORY_STRANGER_ROWS = 3,
    STORY_CHANGES_MAX = 5,
    STORY_EXTRA_GROUPS = 6,
    STORY_EXTRA_GROUP =
        60, /* items, written by one batch; all are more than a step of filling or sweeping takes */
    STORY_EXTRA_ROWS = STORY_EXTRA_GROUPS * STORY_EXTRA_GROUP,
    STORY_SCHEMA_STEPS = 27,
};

/* One item as it should be. */
struct story_row {
    uint32_t version;      /* 0: there is none */
    uint32_t user;         /* 0: the attribute is missing, and so the entry of the index by user */
    uint32_t likes;        /* 0: likewise */
    uint32_t body_bytes;   /* 0: likewise */
    uint32_t body_version; /* an update leaves the body as it was */
};

/* How a workload is told. */
struct story_telling {
    const char *name;
    bool threads;
    bool triggers;    /* the tables are those of tables/, Main among them */
    unsigned clients; /* beside client 0 */
    uint64_t steps;   /* of each */
    uint64_t schema_steps;
    unsigned restarts;
    uint64_t checkpoint_bytes;
    uint64_t segment_bytes;
    uint64_t transaction_bytes;
    uint64_t images; /* in a run of all */
};

/** How a step's changes are asked for. A transaction's come to be together or not at all; a batch's stand for themselves. */
enum story_way { STORY_ALONE, STORY_BATCH, STORY_TRANSACTION };

enum story_verb { STORY_PUT, STORY_UPDATE, STORY_DELETE };

struct story_change {
    enum story_verb verb;
    unsigned slot;
};

/** What a client's step changes, and how. Steps count from 1. Returns how many. */
unsigned story_step(unsigned client, uint64_t step, struct story_change changes[STORY_CHANGES_MAX],
                    enum story_way *way);

void story_apply(unsigned client, uint64_t step, const struct story_change *change, struct story_row *row);

/** The item as plain JSON, with the names in order; `whole` false: its key alone. `out` is cleared first. */
void story_write_item(unsigned client, unsigned slot, const struct story_row *row, bool whole,
                      struct pl_buf *out);

/** The update expression that does what story_apply() does to an update's row. */
void story_write_update(unsigned client, unsigned slot, uint64_t step, struct pl_buf *out);

/** What the stranger writes. */
struct story_row story_stranger_row(unsigned slot);

/* ---- the schema ---- */

enum story_schema_verb { STORY_CREATE, STORY_ALTER, STORY_DROP, STORY_FILL };

struct story_schema_step {
    enum story_schema_verb verb;
    const char *table;
    const char *definition; /* CREATE, ALTER */
    unsigned group;         /* FILL: which of the second table's */
};

/** What client 0 does, from step 1 to STORY_SCHEMA_STEPS. */
struct story_schema_step story_schema_step(uint64_t step);

/** What there is after so many of them. */
struct story_schema {
    bool main;
    bool by_version; /* an index of Main that comes and goes */
    bool extra;
    bool by_grade;         /* one of Extra */
    unsigned extra_groups; /* the first so many */
};
struct story_schema story_schema_after(uint64_t steps);

/** An item of the second table. */
void story_write_extra(unsigned row, struct pl_buf *out);

#endif
