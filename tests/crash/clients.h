/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_CRASH_CLIENTS_H
#define PL_TESTS_CRASH_CLIENTS_H

#include "story.h"

/**
 * The workload: a node at `path` and its clients, each with one request under way, restarts in between. What is
 * acknowledged is noted. Ends the program with 3 when anything goes wrong: nothing has been proved then.
 */
int clients_work(const char *path, const struct story_telling *telling);

/** Tell the recorder that so many of a client's steps are acknowledged. */
void clients_note(unsigned client, uint64_t step);

#endif
