/* SPDX-License-Identifier: MIT */
#include "partition/expiry_marks.h"

#include "partition/expiry.h"

#include <stdlib.h>

static void free_shelf(const struct pl_expiry_marks *marks, struct pl_expiry_shelf *shelf)
{
    for (uint32_t p = 0; p < marks->partition_count; p++)
        pl_buf_deinit(&shelf->at[p].position);
    free(shelf->at);
}

void pl_expiry_marks_reset(struct pl_expiry_marks *marks)
{
    for (uint32_t i = 0; i < marks->count; i++)
        free_shelf(marks, &marks->shelves[i]);
    marks->count = 0;
}

void pl_expiry_marks_deinit(struct pl_expiry_marks *marks)
{
    pl_expiry_marks_reset(marks);
    free(marks->shelves);
    *marks = (struct pl_expiry_marks){ 0 };
}

static struct pl_expiry_shelf *find(const struct pl_expiry_marks *marks, uint32_t id)
{
    for (uint32_t i = 0; i < marks->count; i++)
        if (marks->shelves[i].id == id)
            return &marks->shelves[i];
    return NULL;
}

struct pl_expiry_mark *pl_expiry_marks_of(struct pl_expiry_marks *marks, uint32_t id)
{
    struct pl_expiry_shelf *shelf = find(marks, id);
    struct pl_expiry_shelf *grown;

    if (shelf != NULL)
        return shelf->at;
    grown = realloc(marks->shelves, (marks->count + 1) * sizeof *grown);
    if (grown == NULL)
        return NULL;
    marks->shelves = grown;
    shelf = &grown[marks->count];
    shelf->id = id;
    shelf->at = calloc(marks->partition_count, sizeof *shelf->at);
    if (shelf->at == NULL)
        return NULL;
    marks->count++;
    return shelf->at;
}

void pl_expiry_marks_note(struct pl_expiry_marks *marks, struct pl_bytes key)
{
    struct pl_expiry_shelf *shelf = find(marks, pl_get_be32(key.data + 3));
    uint64_t second = pl_expiry_key_second(key);
    struct pl_expiry_mark *mark;

    if (shelf == NULL)
        return;
    mark = &shelf->at[pl_get_be16(key.data)];
    if (second < mark->next)
        mark->next = second;
}

static bool is_kept(uint32_t id, const struct pl_tables *tables)
{
    for (uint32_t i = 0; i < tables->count; i++)
        if (tables->tables[i]->expiry_id == id)
            return true;
    return false;
}

void pl_expiry_marks_tidy(struct pl_expiry_marks *marks, const struct pl_tables *tables)
{
    uint32_t i = 0;

    while (i < marks->count) {
        if (is_kept(marks->shelves[i].id, tables)) {
            i++;
            continue;
        }
        free_shelf(marks, &marks->shelves[i]);
        marks->shelves[i] = marks->shelves[--marks->count];
    }
}
