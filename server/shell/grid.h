/* SPDX-License-Identifier: MIT */
#ifndef PL_SHELL_GRID_H
#define PL_SHELL_GRID_H

#include "base/arena.h"
#include "base/error.h"

#include <stdio.h>

/**
 * Rows of JSON objects, shown to a person: a column for each name, key columns
 * first, aligned as wide as the characters are on a terminal. Strings stand without quotes,
 * everything else as it was written, digit for digit. Zeroed memory is an empty grid.
 */
struct pl_grid {
    struct pl_arena arena;
    struct pl_bytes *columns;
    size_t column_count, column_capacity;
    struct pl_grid_row *rows, **last;
    size_t row_count;
};

/** Name a column that comes first, if any row has it. */
int pl_grid_add_column(struct pl_grid *grid, struct pl_bytes name);

/** Copy a row; null is a blank one. PL_ESYNTAX when `json` is neither that nor an object. */
int pl_grid_add_row(struct pl_grid *grid, struct pl_bytes json, struct pl_reason *why);

/** A line for each row. */
void pl_grid_print(const struct pl_grid *grid, FILE *out);

/** A line for each name of the only row: for one object. */
void pl_grid_print_upright(const struct pl_grid *grid, FILE *out);

void pl_grid_deinit(struct pl_grid *grid);

#endif
