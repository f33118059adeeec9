/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_CRASH_WITNESS_H
#define PL_TESTS_CRASH_WITNESS_H

#include "engine.h"
#include "powerloss.h"
#include "shadow.h"

/** Knows from the notes what must be in a recovered directory and what may be, and looks whether it is so. */

enum { WITNESS_TEXT_MAX = 512 };

/* An item as it must be, or may be instead. */
struct witness_item {
    struct story_row sure, maybe;
    bool seen;
    bool seen_maybe;
};

struct witness_expectation {
    struct witness_item rows[STORY_CLIENTS_MAX + 1][STORY_SLOTS];
    struct story_schema sure, maybe, seen;
    struct {
        bool sure, maybe, seen;
    } extra[STORY_EXTRA_ROWS];
    bool triggers;
    bool transaction[STORY_CLIENTS_MAX]; /* what a client had under way: all of its `maybe`, or none */
};

struct witness {
    struct engine *engine;
    struct witness_expectation *e;
    struct pl_buf found, wanted;
    uint64_t rows, entries; /* in all tables */
    struct shadow shadow;   /* of Main */
    bool finished;          /* no index is being filled any more */
    char fault[WITNESS_TEXT_MAX];
};

/** From an image's notes; `outer` is another image when this one is of a crash inside that one's recovery. */
void witness_expect(struct witness_expectation *e, const struct story_telling *telling,
                    const struct powerloss_image *outer, const struct powerloss_image *image);

/** The stranger's items must be there now. */
void witness_expect_stranger(struct witness_expectation *e);

/** 0: all is as expected; from then on what was seen is what is expected. Otherwise `witness->fault` says what is not. */
int witness_look(struct witness *witness);

/** Note the first fault. Returns 1. */
int witness_blame(struct witness *witness, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
