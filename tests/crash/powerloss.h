/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_CRASH_POWERLOSS_H
#define PL_TESTS_CRASH_POWERLOSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Replays what the recorder wrote down, stops at many moments, builds in a directory what a disk could hold
 * had the
 * power gone there, and asks a check about each. README.md tells what "could" means.
 */

struct powerloss_note {
    const char *data;
    size_t len;
};

/** What the check gets. The directory is its to change or spoil; all is good during the call. */
struct powerloss_image {
    const char *dir;                    /* holds what PL_RECORD_DIR held */
    const struct powerloss_note *notes; /* all that had been noted before the power went, in order */
    size_t note_count;
    const char *name; /* moment, variant and salt: what --only takes to build this image again */
};

/** 0: as it should be. Anything else is a failure, about which the check has printed what it found. */
typedef int (*powerloss_check_fn)(void *arg, const struct powerloss_image *image);

struct powerloss_options {
    const char *trace;     /* the recorder's file */
    const char *root;      /* PL_RECORD_DIR, as it was then */
    const char *initial;   /* a copy of what was in it before the recording; NULL: nothing */
    const char *image_dir; /* made if need be; emptied for every image */
    uint64_t seed;
    uint64_t images;       /* about so many */
    uint64_t failures_max; /* stop after so many; 0: one */
    const char *only;      /* not NULL: this image alone, and it stays */
};

struct powerloss_report {
    uint64_t events;
    uint64_t moments;
    uint64_t images;
    uint64_t failures;
    char first_failure[64]; /* its name */
};

/** Ends the program when the trace cannot be read: such a run proves nothing. */
void powerloss_replay(const struct powerloss_options *options, powerloss_check_fn check, void *arg,
                      struct powerloss_report *report);

/** Run a program under the recorder and wait for it. Returns what waitpid() says of it, or -1. */
int powerloss_record(const char *recorder, const char *dir, const char *trace, char *const argv[]);

/** Everything under a directory, and itself. Not being there is fine. */
void powerloss_remove_tree(const char *dir);

/** For a crash inside recovery: keep an image, to be recovered under the recorder and replayed from. */
void powerloss_copy_tree(const char *from, const char *to);

#endif
