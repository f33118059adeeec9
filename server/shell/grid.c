/* SPDX-License-Identifier: MIT */
#include "shell/grid.h"

#include "model/json.h"

#include <stdlib.h>
#include <wchar.h>

struct cell {
    struct cell *next;
    size_t column;
    struct pl_bytes text;
};

struct pl_grid_row {
    struct pl_grid_row *next;
    struct cell *cells;
};

enum { CELL_WIDTH_MAX = 60 };

/* --- gathering --- */

static int find_column(struct pl_grid *grid, struct pl_bytes name, size_t *out)
{
    struct pl_bytes copy;

    for (size_t i = 0; i < grid->column_count; i++) {
        if (pl_bytes_equal(grid->columns[i], name)) {
            *out = i;
            return 0;
        }
    }
    if (grid->column_count == grid->column_capacity) {
        size_t capacity = grid->column_capacity == 0 ? 16 : grid->column_capacity * 2;
        struct pl_bytes *grown = realloc(grid->columns, capacity * sizeof *grown);

        if (grown == NULL)
            return PL_ENOMEM;
        grid->columns = grown;
        grid->column_capacity = capacity;
    }
    copy = pl_arena_copy(&grid->arena, name);
    if (copy.data == NULL)
        return PL_ENOMEM;
    grid->columns[grid->column_count] = copy;
    *out = grid->column_count++;
    return 0;
}

int pl_grid_add_column(struct pl_grid *grid, struct pl_bytes name)
{
    size_t column;

    return find_column(grid, name, &column);
}

/* What a cell shows: a string's characters, or the JSON as it stands. */
static int take_cell_text(struct pl_json_reader *r, struct pl_bytes *out, struct pl_reason *why)
{
    const char *start;
    int rc;

    if (pl_json_peek(r) == PL_JSON_STRING)
        return pl_json_take_string(r, out, why);
    start = r->at;
    rc = pl_json_skip(r, why);
    if (rc == 0)
        *out = pl_bytes(start, (size_t)(r->at - start));
    return rc;
}

static int add_cell(struct pl_grid *grid, struct pl_grid_row *row, struct pl_json_reader *r,
                    struct pl_reason *why)
{
    struct cell *cell = pl_arena_zalloc(&grid->arena, 1, sizeof *cell);
    struct pl_bytes name, text;
    int rc;

    if (cell == NULL)
        return PL_ENOMEM;
    rc = pl_json_take_name(r, &name, why);
    if (rc == 0)
        rc = find_column(grid, name, &cell->column);
    if (rc == 0)
        rc = take_cell_text(r, &text, why);
    if (rc != 0)
        return rc;
    cell->text = pl_arena_copy(&grid->arena, text);
    if (cell->text.data == NULL)
        return PL_ENOMEM;
    cell->next = row->cells;
    row->cells = cell;
    return 0;
}

int pl_grid_add_row(struct pl_grid *grid, struct pl_bytes json, struct pl_reason *why)
{
    struct pl_grid_row *row = pl_arena_zalloc(&grid->arena, 1, sizeof *row);
    struct pl_json_reader r;
    bool more;
    int rc;

    if (row == NULL)
        return PL_ENOMEM;
    pl_json_reader_init(&r, json, &grid->arena);
    /* Of a transaction that reads: there is no such item, and its row is blank. */
    if (pl_json_peek(&r) == PL_JSON_NULL) {
        more = false;
        rc = pl_json_take_literal(&r, why);
    } else {
        rc = pl_json_enter_object(&r, &more, why);
    }
    while (rc == 0 && more) {
        rc = add_cell(grid, row, &r, why);
        if (rc == 0)
            rc = pl_json_next(&r, '}', &more, why);
    }
    if (rc != 0)
        return rc;
    if (grid->last == NULL)
        grid->last = &grid->rows;
    *grid->last = row;
    grid->last = &row->next;
    grid->row_count++;
    return 0;
}

/* --- showing --- */

/* One character: its bytes, and its columns on a terminal. Control characters become a dot. */
static size_t next_character(struct pl_bytes text, size_t at, int *width, bool *control)
{
    mbstate_t state = { 0 };
    wchar_t c;
    size_t len = mbrtowc(&c, text.data + at, text.len - at, &state);

    *control = false;
    *width = 1;
    if (len == (size_t)-1 || len == (size_t)-2 || len == 0) {
        *control = (uint8_t)text.data[at] < ' ';
        return 1;
    }
    *width = wcwidth(c);
    *control = *width < 0;
    if (*control)
        *width = 1;
    return len;
}

static int text_width(struct pl_bytes text)
{
    int sum = 0, width;
    bool control;

    for (size_t at = 0; at < text.len && sum <= CELL_WIDTH_MAX;) {
        at += next_character(text, at, &width, &control);
        sum += width;
    }
    return sum > CELL_WIDTH_MAX ? CELL_WIDTH_MAX : sum;
}

/* `most` columns of `text`, an ellipsis where it was cut; returns the columns used. */
static int print_text(struct pl_bytes text, int most, FILE *out)
{
    int sum = 0, width;
    bool control;

    for (size_t at = 0; at < text.len;) {
        size_t len = next_character(text, at, &width, &control);

        if (sum + width > most - (at + len < text.len)) {
            fputs("…", out);
            return sum + 1;
        }
        if (control)
            fputc('.', out);
        else
            fwrite(text.data + at, 1, len, out);
        sum += width;
        at += len;
    }
    return sum;
}

static void print_padded(struct pl_bytes text, int width, bool last, FILE *out)
{
    int used = print_text(text, width, out);

    if (!last)
        fprintf(out, "%*s", width - used + 2, "");
}

static const struct cell *cell_of(const struct pl_grid_row *row, size_t column)
{
    const struct cell *cell = row->cells;

    while (cell != NULL && cell->column != column)
        cell = cell->next;
    return cell;
}

static bool is_used(const struct pl_grid *grid, size_t column)
{
    for (const struct pl_grid_row *row = grid->rows; row != NULL; row = row->next)
        if (cell_of(row, column) != NULL)
            return true;
    return false;
}

static int column_width(const struct pl_grid *grid, size_t column)
{
    int widest = text_width(grid->columns[column]);

    for (const struct pl_grid_row *row = grid->rows; row != NULL; row = row->next) {
        const struct cell *cell = cell_of(row, column);
        int width = cell == NULL ? 0 : text_width(cell->text);

        if (width > widest)
            widest = width;
    }
    return widest;
}

static void print_row(const struct pl_grid *grid, const struct pl_grid_row *row, const int *widths, FILE *out)
{
    for (size_t i = 0; i < grid->column_count; i++) {
        const struct cell *cell = row == NULL ? NULL : cell_of(row, i);
        struct pl_bytes text = row == NULL ? grid->columns[i] : cell != NULL ? cell->text : pl_str("");

        if (widths[i] > 0)
            print_padded(text, widths[i], i + 1 == grid->column_count, out);
    }
    fputc('\n', out);
}

static void print_rule(const struct pl_grid *grid, const int *widths, FILE *out)
{
    for (size_t i = 0; i < grid->column_count; i++) {
        for (int j = 0; j < widths[i]; j++)
            fputs("─", out);
        if (widths[i] > 0 && i + 1 < grid->column_count)
            fputs("  ", out);
    }
    fputc('\n', out);
}

void pl_grid_print(const struct pl_grid *grid, FILE *out)
{
    int *widths = calloc(grid->column_count + 1, sizeof *widths);

    if (widths == NULL) {
        fprintf(out, "out of memory\n");
        return;
    }
    for (size_t i = 0; i < grid->column_count; i++)
        widths[i] = is_used(grid, i) ? column_width(grid, i) : 0;
    print_row(grid, NULL, widths, out);
    print_rule(grid, widths, out);
    for (const struct pl_grid_row *row = grid->rows; row != NULL; row = row->next)
        print_row(grid, row, widths, out);
    free(widths);
}

void pl_grid_print_upright(const struct pl_grid *grid, FILE *out)
{
    int widest = 0;

    for (size_t i = 0; i < grid->column_count; i++)
        if (cell_of(grid->rows, i) != NULL && text_width(grid->columns[i]) > widest)
            widest = text_width(grid->columns[i]);
    for (size_t i = 0; i < grid->column_count; i++) {
        const struct cell *cell = cell_of(grid->rows, i);

        if (cell == NULL)
            continue;
        print_padded(grid->columns[i], widest, false, out);
        print_text(cell->text, INT32_MAX, out);
        fputc('\n', out);
    }
}

void pl_grid_deinit(struct pl_grid *grid)
{
    pl_arena_deinit(&grid->arena);
    free(grid->columns);
    *grid = (struct pl_grid){ 0 };
}
