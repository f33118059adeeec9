/* SPDX-License-Identifier: MIT */
#ifndef PL_SERVER_H
#define PL_SERVER_H

#include "config.h"

enum { PL_EXIT_OK = 0, PL_EXIT_FAILURE = 1, PL_EXIT_USAGE = 2, PL_EXIT_CONFIG = 78 };

/**
 * Serve until SIGTERM or SIGINT, or until the node has failed. Says on `out` where it
 * listens, once it does. Returns the process's exit code.
 */
int pl_server_run(const struct pl_config *config, FILE *out);

#endif
