/* SPDX-License-Identifier: MIT */
#include "model/table.h"

#include <stdlib.h>

/*
 * A table as the catalog keeps it. Texts are a varint length and bytes, integers are
 * little-endian, counts are varints:
 *
 *     format u8 (4) ▸ name ▸ id u32 ▸ version u64 ▸ created_ms u64 ▸ changed_ms u64 ▸ keys ▸ ttl ▸ expiry_id u32 ▸
 *     expiry_filling u8 ▸ stream u8 ▸ stream_id u32 ▸ stream_created_ms u64 ▸ throughput ▸ collection_id u32 ▸ deletion_protection u8 ▸ before_write u8 ▸ module ▸ count ▸ indexes ▸ count ▸ triggers ▸
 *     count ▸ names of conditions ▸ dynamodb
 *
 *     keys        partition count u8 ▸ sort count u8 ▸ for each: type u8 ▸ name
 *     throughput  provisioned u8 ▸ read u64 ▸ write u64
 *     index       name ▸ id u32 ▸ global u8 ▸ state u8 ▸ keys ▸ projection u8 ▸ count ▸ names ▸ throughput
 *     trigger     name ▸ id u32 ▸ created_ms u64 ▸ flags u8 ▸ batch u32 ▸ batch_window_ms u32 ▸ retries u64 ▸ max_age_s u64 ▸ parallel u32
 *
 * Every table has one spelling: what is decoded encodes to the same bytes again.
 */
enum { FORMAT = 4 };

enum { ON_INSERT = 1, ON_MODIFY = 2, ON_REMOVE = 4, HAS_FILTER = 8, ALL_FLAGS = 15 };

/* --- encoding --- */

static void put_text(struct pl_buf *out, struct pl_bytes text)
{
    pl_buf_append_varint(out, (uint32_t)text.len);
    pl_buf_append_bytes(out, text);
}

static void put_texts(struct pl_buf *out, const struct pl_bytes *texts, uint32_t count)
{
    pl_buf_append_varint(out, count);
    for (uint32_t i = 0; i < count; i++)
        put_text(out, texts[i]);
}

static void put_u32(struct pl_buf *out, uint32_t v)
{
    char bytes[4];

    pl_put_le32(bytes, v);
    pl_buf_append(out, bytes, sizeof bytes);
}

static void put_u64(struct pl_buf *out, uint64_t v)
{
    char bytes[8];

    pl_put_le64(bytes, v);
    pl_buf_append(out, bytes, sizeof bytes);
}

static void put_attributes(struct pl_buf *out, const struct pl_key_attribute *attributes, uint8_t count)
{
    for (uint8_t i = 0; i < count; i++) {
        pl_buf_append_byte(out, (uint8_t)attributes[i].type);
        put_text(out, attributes[i].name);
    }
}

static void put_keys(struct pl_buf *out, const struct pl_key_schema *keys)
{
    pl_buf_append_byte(out, keys->partition_count);
    pl_buf_append_byte(out, keys->sort_count);
    put_attributes(out, keys->partition, keys->partition_count);
    put_attributes(out, keys->sort, keys->sort_count);
}

static void put_throughput(struct pl_buf *out, struct pl_throughput throughput)
{
    pl_buf_append_byte(out, throughput.provisioned);
    put_u64(out, throughput.read_units);
    put_u64(out, throughput.write_units);
}

static void put_index(struct pl_buf *out, const struct pl_index *index)
{
    put_text(out, index->name);
    put_u32(out, index->id);
    pl_buf_append_byte(out, index->global);
    pl_buf_append_byte(out, (uint8_t)index->state);
    put_keys(out, &index->keys);
    pl_buf_append_byte(out, (uint8_t)index->projection);
    put_texts(out, index->names, index->name_count);
    put_throughput(out, index->throughput);
}

static void put_trigger(struct pl_buf *out, const struct pl_trigger *trigger)
{
    uint8_t flags = 0;

    if (trigger->on_insert)
        flags |= ON_INSERT;
    if (trigger->on_modify)
        flags |= ON_MODIFY;
    if (trigger->on_remove)
        flags |= ON_REMOVE;
    if (trigger->has_filter)
        flags |= HAS_FILTER;
    put_text(out, trigger->name);
    put_u32(out, trigger->id);
    put_u64(out, (uint64_t)trigger->created_ms);
    pl_buf_append_byte(out, flags);
    put_u32(out, trigger->batch);
    put_u32(out, trigger->batch_window_ms);
    put_u64(out, (uint64_t)trigger->retries);
    put_u64(out, (uint64_t)trigger->max_age_s);
    put_u32(out, trigger->parallel);
}

void pl_table_encode(const struct pl_table *table, struct pl_buf *out)
{
    pl_buf_append_byte(out, FORMAT);
    put_text(out, table->name);
    put_u32(out, table->id);
    put_u64(out, table->version);
    put_u64(out, (uint64_t)table->created_ms);
    put_u64(out, (uint64_t)table->changed_ms);
    put_keys(out, &table->keys);
    put_text(out, table->ttl_attribute);
    put_u32(out, table->expiry_id);
    pl_buf_append_byte(out, table->expiry_filling);
    pl_buf_append_byte(out, (uint8_t)table->stream);
    put_u32(out, table->stream_id);
    put_u64(out, (uint64_t)table->stream_created_ms);
    put_throughput(out, table->throughput);
    put_u32(out, table->collection_id);
    pl_buf_append_byte(out, table->deletion_protection);
    pl_buf_append_byte(out, table->has_before_write);
    put_text(out, table->module);
    pl_buf_append_varint(out, table->index_count);
    for (uint32_t i = 0; i < table->index_count; i++)
        put_index(out, &table->indexes[i]);
    pl_buf_append_varint(out, table->trigger_count);
    for (uint32_t i = 0; i < table->trigger_count; i++)
        put_trigger(out, &table->triggers[i]);
    put_texts(out, table->conditions, table->condition_count);
    put_text(out, table->dynamodb);
}

/* --- decoding: the first failure sticks, and every take after it gives zeros --- */

struct decoder {
    struct pl_bytes in;
    struct pl_arena *arena;
    int rc;
};

static void fail(struct decoder *d, int rc)
{
    if (d->rc == 0)
        d->rc = rc;
    d->in.len = 0;
}

static const char *take(struct decoder *d, size_t len)
{
    const char *at = d->in.data;

    if (d->in.len < len) {
        fail(d, PL_ECORRUPT);
        return NULL;
    }
    d->in.data += len;
    d->in.len -= len;
    return at;
}

static uint8_t take_u8(struct decoder *d, uint8_t max)
{
    const char *at = take(d, 1);
    uint8_t v = at != NULL ? (uint8_t)*at : 0;

    if (v <= max)
        return v;
    fail(d, PL_ECORRUPT);
    return 0;
}

static uint32_t take_u32(struct decoder *d)
{
    const char *at = take(d, 4);

    return at != NULL ? pl_get_le32(at) : 0;
}

static uint64_t take_u64(struct decoder *d)
{
    const char *at = take(d, 8);

    return at != NULL ? pl_get_le64(at) : 0;
}

/* A number of things, or the length of a text: never more than there are bytes left. */
static uint32_t take_count(struct decoder *d)
{
    uint32_t count;

    if (pl_bytes_take_varint(&d->in, &count) && count <= d->in.len)
        return count;
    fail(d, PL_ECORRUPT);
    return 0;
}

static struct pl_bytes take_text(struct decoder *d)
{
    uint32_t len = take_count(d);
    struct pl_bytes text;

    if (len == 0)
        return (struct pl_bytes){ 0 };
    text = pl_bytes(take(d, len), len);
    if (!pl_bytes_is_utf8(text) || memchr(text.data, 0, len) != NULL) {
        fail(d, PL_ECORRUPT);
        return (struct pl_bytes){ 0 };
    }
    text = pl_arena_copy(d->arena, text);
    if (text.data == NULL)
        fail(d, PL_ENOMEM);
    return text;
}

static struct pl_bytes take_name(struct decoder *d)
{
    struct pl_bytes name = take_text(d);

    if (name.len == 0)
        fail(d, PL_ECORRUPT);
    return name;
}

/* Room for `count` things; NULL when there are none or no memory. */
static void *take_room(struct decoder *d, uint32_t count, size_t size)
{
    void *room;

    if (count == 0)
        return NULL;
    room = pl_arena_zalloc(d->arena, count, size);
    if (room == NULL)
        fail(d, PL_ENOMEM);
    return room;
}

/* Names in order, none twice. */
static void check_order(struct decoder *d, struct pl_bytes before, struct pl_bytes name)
{
    if (d->rc == 0 && pl_bytes_compare(before, name) >= 0)
        fail(d, PL_ECORRUPT);
}

static struct pl_bytes *take_texts(struct decoder *d, uint32_t *count)
{
    uint32_t claimed = take_count(d);
    struct pl_bytes *texts = take_room(d, claimed, sizeof *texts);

    for (uint32_t i = 0; d->rc == 0 && i < claimed; i++) {
        texts[i] = take_name(d);
        if (i > 0)
            check_order(d, texts[i - 1], texts[i]);
    }
    *count = claimed;
    return texts;
}

static void take_attributes(struct decoder *d, struct pl_key_attribute *attributes, uint8_t count)
{
    for (uint8_t i = 0; i < count; i++) {
        attributes[i].type = take_u8(d, PL_TYPE_B);
        attributes[i].name = take_name(d);
        if (attributes[i].type < PL_TYPE_S)
            fail(d, PL_ECORRUPT);
    }
}

static void take_keys(struct decoder *d, struct pl_key_schema *keys)
{
    keys->partition_count = take_u8(d, PL_KEY_COMPONENTS_MAX);
    keys->sort_count = take_u8(d, PL_KEY_COMPONENTS_MAX);
    if (keys->partition_count == 0)
        fail(d, PL_ECORRUPT);
    take_attributes(d, keys->partition, keys->partition_count);
    take_attributes(d, keys->sort, keys->sort_count);
}

static struct pl_throughput take_throughput(struct decoder *d)
{
    struct pl_throughput throughput;

    throughput.provisioned = take_u8(d, 1);
    throughput.read_units = take_u64(d);
    throughput.write_units = take_u64(d);
    return throughput;
}

static void take_index(struct decoder *d, struct pl_index *index)
{
    index->name = take_name(d);
    index->id = take_u32(d);
    index->global = take_u8(d, 1);
    index->state = take_u8(d, PL_INDEX_BACKFILLING);
    take_keys(d, &index->keys);
    index->projection = take_u8(d, PL_PROJECT_FUNCTION);
    index->names = take_texts(d, &index->name_count);
    index->throughput = take_throughput(d);
}

static void take_trigger(struct decoder *d, struct pl_trigger *trigger)
{
    uint8_t flags;

    trigger->name = take_name(d);
    trigger->id = take_u32(d);
    trigger->created_ms = (int64_t)take_u64(d);
    flags = take_u8(d, ALL_FLAGS);
    trigger->on_insert = (flags & ON_INSERT) != 0;
    trigger->on_modify = (flags & ON_MODIFY) != 0;
    trigger->on_remove = (flags & ON_REMOVE) != 0;
    trigger->has_filter = (flags & HAS_FILTER) != 0;
    trigger->batch = take_u32(d);
    trigger->batch_window_ms = take_u32(d);
    trigger->retries = (int64_t)take_u64(d);
    trigger->max_age_s = (int64_t)take_u64(d);
    trigger->parallel = take_u32(d);
}

static void take_indexes(struct decoder *d, struct pl_table *table)
{
    uint32_t count = take_count(d);

    table->indexes = take_room(d, count, sizeof *table->indexes);
    for (uint32_t i = 0; d->rc == 0 && i < count; i++) {
        take_index(d, &table->indexes[i]);
        if (i > 0)
            check_order(d, table->indexes[i - 1].name, table->indexes[i].name);
    }
    table->index_count = count;
}

static void take_triggers(struct decoder *d, struct pl_table *table)
{
    uint32_t count = take_count(d);

    table->triggers = take_room(d, count, sizeof *table->triggers);
    for (uint32_t i = 0; d->rc == 0 && i < count; i++) {
        take_trigger(d, &table->triggers[i]);
        if (i > 0)
            check_order(d, table->triggers[i - 1].name, table->triggers[i].name);
    }
    table->trigger_count = count;
}

static void take_table(struct decoder *d, struct pl_table *table)
{
    if (take_u8(d, FORMAT) != FORMAT)
        fail(d, PL_ECORRUPT);
    table->name = take_text(d);
    table->id = take_u32(d);
    table->version = take_u64(d);
    table->created_ms = (int64_t)take_u64(d);
    table->changed_ms = (int64_t)take_u64(d);
    take_keys(d, &table->keys);
    table->ttl_attribute = take_text(d);
    table->expiry_id = take_u32(d);
    table->expiry_filling = take_u8(d, 1);
    table->stream = take_u8(d, PL_STREAM_NEW_AND_OLD_IMAGES);
    table->stream_id = take_u32(d);
    table->stream_created_ms = (int64_t)take_u64(d);
    table->throughput = take_throughput(d);
    table->collection_id = take_u32(d);
    table->deletion_protection = take_u8(d, 1);
    table->has_before_write = take_u8(d, 1);
    table->module = take_text(d);
    take_indexes(d, table);
    take_triggers(d, table);
    table->conditions = take_texts(d, &table->condition_count);
    table->dynamodb = take_text(d);
    if (d->in.len > 0 || !pl_table_name_is_valid(table->name))
        fail(d, PL_ECORRUPT);
}

int pl_table_decode(struct pl_bytes bytes, struct pl_table **out)
{
    struct pl_table *table = calloc(1, sizeof *table);
    struct decoder d = { .in = bytes };

    if (table == NULL)
        return PL_ENOMEM;
    atomic_init(&table->references, 1);
    d.arena = &table->arena;
    take_table(&d, table);
    if (d.rc != 0) {
        pl_table_unref(table);
        return d.rc;
    }
    *out = table;
    return 0;
}
