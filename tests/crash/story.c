/* SPDX-License-Identifier: MIT */
#include "story.h"

#include <string.h>

enum { LONG_PK_BYTES = 1500, LONG_SK_BYTES = 900 };

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t x = (a ^ b * UINT64_C(0x9E3779B97F4A7C15)) * UINT64_C(0xBF58476D1CE4E5B9);

    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

static enum story_verb draw_verb(uint64_t random)
{
    return random % 10 < 6 ? STORY_PUT : random % 10 < 8 ? STORY_DELETE : STORY_UPDATE;
}

/* Several are neighbours, so that no slot comes twice. Updates cannot be in a batch. */
static unsigned draw_several(uint64_t random, bool updates, struct story_change changes[STORY_CHANGES_MAX])
{
    unsigned count = 3 + (unsigned)(random >> 20) % (STORY_CHANGES_MAX - 2),
             first = (unsigned)(random >> 8) % STORY_SLOTS;

    for (unsigned i = 0; i < count; i++) {
        enum story_verb other = updates && i % 2 == 0 ? STORY_UPDATE : STORY_PUT;

        changes[i] = (struct story_change){ .verb = (random >> (32 + i)) % 3 == 0 ? STORY_DELETE : other,
                                            .slot = (first + i) % STORY_SLOTS };
    }
    return count;
}

unsigned story_step(unsigned client, uint64_t step, struct story_change changes[STORY_CHANGES_MAX],
                    enum story_way *way)
{
    uint64_t random = mix(client, step);

    *way = random % 5 == 0 ? STORY_BATCH : random % 5 == 1 ? STORY_TRANSACTION : STORY_ALONE;
    if (*way != STORY_ALONE)
        return draw_several(random, *way == STORY_TRANSACTION, changes);
    changes[0] = (struct story_change){ .verb = draw_verb(random >> 32),
                                        .slot = (unsigned)(random >> 8) % STORY_SLOTS };
    return 1;
}

static uint32_t draw_likes(unsigned slot, uint64_t step)
{
    return (uint32_t)(mix(slot, step) >> 7) % 50 + 1;
}

static void put(unsigned client, unsigned slot, uint64_t step, struct story_row *row)
{
    uint64_t random = mix(mix(client, slot), step);

    *row = (struct story_row){ .version = (uint32_t)step,
                               .user = random % 4,
                               .likes = random % 3 == 0 ? 0 : draw_likes(slot, step),
                               .body_bytes = (uint32_t)(random >> 24) % 300 + 1,
                               .body_version = (uint32_t)step };
    if (random % 13 == 0)
        row->body_bytes = 3000 + (uint32_t)(random >> 24) % 6000; /* pages of its own */
}

void story_apply(unsigned client, uint64_t step, const struct story_change *change, struct story_row *row)
{
    switch (change->verb) {
    case STORY_PUT:
        put(client, change->slot, step, row);
        break;
    case STORY_UPDATE:
        row->version = (uint32_t)step;
        row->likes = draw_likes(change->slot, step);
        row->user = 0;
        break;
    case STORY_DELETE:
        *row = (struct story_row){ 0 };
        break;
    }
}

static void fill(struct pl_buf *out, char letter, size_t count)
{
    char *space = pl_buf_reserve(out, count);

    if (space == NULL)
        return; /* the buffer remembers */
    memset(space, letter, count);
    out->len += count;
}

/* Rooms are shared by all clients. One has a name too long for a key of the store. */
static void write_chat(struct pl_buf *out, unsigned slot)
{
    pl_buf_append_format(out, "\"Chat\":\"room %u", slot % 3);
    if (slot % 3 == 1)
        fill(out, 'p', LONG_PK_BYTES);
    pl_buf_append_format(out, "\"");
}

/* Half of the messages differ only behind what fits into a key: in each room they share one bucket. */
static void write_message(struct pl_buf *out, unsigned client, unsigned slot)
{
    pl_buf_append_format(out, "\"Message\":\"");
    if (slot % 2 == 1)
        fill(out, 's', LONG_SK_BYTES);
    pl_buf_append_format(out, "%u-%u\"", client, slot);
}

void story_write_item(unsigned client, unsigned slot, const struct story_row *row, bool whole,
                      struct pl_buf *out)
{
    pl_buf_clear(out);
    pl_buf_append_format(out, "{");
    if (whole && row->body_bytes > 0) {
        pl_buf_append_format(out, "\"Body\":\"");
        fill(out, (char)('a' + row->body_version % 26), row->body_bytes);
        pl_buf_append_format(out, "\",");
    }
    write_chat(out, slot);
    if (whole && row->likes > 0)
        pl_buf_append_format(out, ",\"Likes\":%u", row->likes);
    pl_buf_append_format(out, ",");
    write_message(out, client, slot);
    if (whole && row->user > 0)
        pl_buf_append_format(out, ",\"User\":\"user %u\"", row->user);
    if (whole)
        pl_buf_append_format(out, ",\"Version\":%u,\"Who\":\"%u:%u\"", row->version, client, slot);
    pl_buf_append_format(out, "}");
}

void story_write_update(unsigned client, unsigned slot, uint64_t step, struct pl_buf *out)
{
    pl_buf_clear(out);
    pl_buf_append_format(out, "SET Version = %llu, Likes = %u, Who = \"%u:%u\" REMOVE User",
                         (unsigned long long)step, draw_likes(slot, step), client, slot);
}

struct story_row story_stranger_row(unsigned slot)
{
    return (struct story_row){
        .version = slot + 1, .user = slot, .likes = slot + 7, .body_bytes = 100, .body_version = slot
    };
}

/* ---- the schema ------------------------------------------------------------------------------------- */

/* As times, likes and versions are from long ago: their expiries come, change and go, and no item does. */
static const char *const main_definition =
    "{\"table\":\"Main\",\"partition_key\":\"Chat:S\",\"sort_key\":\"Message:S\",\"ttl\":\"Likes\","
    "\"stream\":\"new_and_old_images\",\"indexes\":{"
    "\"ByUser\":{\"partition_key\":\"User:S\",\"sort_key\":\"Version:N\",\"project\":\"all\"},"
    "\"ByLikes\":{\"sort_key\":\"Likes:N\",\"project\":\"keys_only\"}}}";
static const char *const extra_definition =
    "{\"table\":\"Extra\",\"partition_key\":\"Id:N\",\"stream\":\"keys_only\"}";
static const char *const add_by_version =
    "{\"indexes\":{\"ByVersion\":{\"partition_key\":\"Who:S\",\"sort_"
    "key\":\"Version:N\",\"project\":[\"Likes\"]}},\"ttl\":\"Version\"}";
static const char *const drop_by_version = "{\"indexes\":{\"ByVersion\":null},\"ttl\":\"Likes\"}";
static const char *const add_by_grade =
    "{\"indexes\":{\"ByGrade\":{\"partition_key\":\"Grade:S\",\"project\":\"keys_only\"}}}";

/* After Main: the same steps, twice. */
enum { ROUND = (STORY_SCHEMA_STEPS - 1) / 2 };

struct story_schema_step story_schema_step(uint64_t step)
{
    uint64_t at = (step - 2) % ROUND;

    if (step == 1)
        return (
            struct story_schema_step){ .verb = STORY_CREATE, .table = "Main", .definition = main_definition };
    switch (at) {
    case 0:
        return (struct story_schema_step){ .verb = STORY_CREATE,
                                           .table = "Extra",
                                           .definition = extra_definition };
    case 4:
        return (
            struct story_schema_step){ .verb = STORY_ALTER, .table = "Main", .definition = add_by_version };
    case 8:
        return (
            struct story_schema_step){ .verb = STORY_ALTER, .table = "Extra", .definition = add_by_grade };
    case 9:
        return (
            struct story_schema_step){ .verb = STORY_ALTER, .table = "Main", .definition = drop_by_version };
    case 12:
        return (struct story_schema_step){ .verb = STORY_DROP, .table = "Extra" };
    default:
        return (struct story_schema_step){ .verb = STORY_FILL,
                                           .table = "Extra",
                                           .group = (unsigned)(at < 4   ? at - 1
                                                               : at < 8 ? at - 2
                                                                        : at - 5) %
                                                    STORY_EXTRA_GROUPS };
    }
}

struct story_schema story_schema_after(uint64_t steps)
{
    struct story_schema schema = { 0 };

    for (uint64_t i = 1; i <= steps; i++) {
        struct story_schema_step step = story_schema_step(i);

        if (step.verb == STORY_FILL && step.group >= schema.extra_groups)
            schema.extra_groups = step.group + 1;
        if (step.definition == main_definition)
            schema.main = true;
        if (step.definition == extra_definition)
            schema.extra = true;
        if (step.definition == add_by_version)
            schema.by_version = true;
        if (step.definition == drop_by_version)
            schema.by_version = false;
        if (step.definition == add_by_grade)
            schema.by_grade = true;
        if (step.verb == STORY_DROP) {
            schema.extra = schema.by_grade = false;
            schema.extra_groups = 0;
        }
    }
    return schema;
}

void story_write_extra(unsigned row, struct pl_buf *out)
{
    pl_buf_clear(out);
    pl_buf_append_format(out, "{\"Grade\":\"grade %u\",\"Id\":%u,\"Text\":\"", row % 7, row);
    fill(out, (char)('A' + row % 26), 10 + row % 50);
    pl_buf_append_format(out, "\"}");
}
