/* SPDX-License-Identifier: MIT */
#ifndef PL_SHELL_SHELL_H
#define PL_SHELL_SHELL_H

/**
 * `perilune shell [--connect HOST:PORT] [-c COMMAND]... [--file FILE]`
 *
 * Commands come from -c, from a file, from a pipe, or from a person at a terminal. Where a
 * person looks, rows are drawn as a table; into a pipe or a file they go as one JSON object
 * a line, and errors to stderr. Returns the exit code: 1 when a command
 * failed that no person watched, 2 for wrong arguments.
 */
int pl_shell_main(int arg_count, char **args);

#endif
