/* SPDX-License-Identifier: MIT */
#ifndef PL_SHELL_FOLLOW_H
#define PL_SHELL_FOLLOW_H

#include "shell/client.h"

/**
 * Show the reply to a TAIL that was sent, each record as it comes, until it ends or somebody presses Ctrl-C. A
 * person is shown what happened when, and at the end how to go on; a program gets every row as it is. Returns 0,
 * or what went wrong; `why` has a sentence when the server has not said one.
 */
int pl_follow(struct pl_client *client, bool person, struct pl_reason *why);

#endif
