/* SPDX-License-Identifier: MIT */
#include "partition/prepare.h"

#include "partition/index.h"

#include <stdlib.h>

#define P                "One or more parameter values were invalid: "
#define NAME(bytes)      (int)(bytes).len, (bytes).data
#define SCHEMA_MISMATCH  "The provided key element does not match the schema"
#define BAD_STARTING_KEY "The provided starting key is invalid"

static int refuse(struct pl_operation *op, const char *sentence)
{
    return pl_reason_set(&op->reply.why, PL_EINVALID, "%s", sentence);
}

/* ---- keys ------------------------------------------------------------------------------------------- */

static int length_failure(bool is_sort, struct pl_reason *why)
{
    /* The missing blank before 2048 is the service's own. */
    return pl_reason_set(why, PL_EINVALID, "%s",
                         is_sort ? P
                             "Aggregated size of all range keys has exceeded the size limit of 1024 bytes"
                                 : P "Size of hashkey has exceeded the maximum size limit of2048 bytes");
}

/* The sentence for a key attribute at fault in an item or a key. */
static int key_failure(enum pl_key_found found, const struct pl_key_attribute *bad, struct pl_item item,
                       bool is_sort, struct pl_reason *why)
{
    struct pl_value value;

    switch (found) {
    case PL_KEY_MISSING:
        return pl_reason_set(why, PL_EINVALID, P "Missing the key %.*s in the item", NAME(bad->name));
    case PL_KEY_WRONG_TYPE:
        PL_ASSERT(pl_item_find(item, bad->name, &value));
        return pl_reason_set(why, PL_EINVALID, P "Type mismatch for key %.*s expected: %s actual: %s",
                             NAME(bad->name), pl_type_name(bad->type), pl_type_name(value.type));
    case PL_KEY_EMPTY:
        return pl_reason_set(
            why, PL_EINVALID,
            "One or more parameter values are not valid. The AttributeValue for a key attribute "
            "cannot contain an empty %s value. Key: %.*s",
            bad->type == PL_TYPE_B ? "binary" : "string", NAME(bad->name));
    default:
        return length_failure(is_sort, why);
    }
}

int pl_prepare_index_key_failure(enum pl_key_found found, const struct pl_index *index,
                                 const struct pl_key_attribute *bad, struct pl_item item,
                                 struct pl_reason *why)
{
    struct pl_value value;

    switch (found) {
    case PL_KEY_WRONG_TYPE:
        PL_ASSERT(pl_item_find(item, bad->name, &value));
        return pl_reason_set(
            why, PL_EINVALID, P "Type mismatch for Index Key %.*s Expected: %s Actual: %s IndexName: %.*s",
            NAME(bad->name), pl_type_name(bad->type), pl_type_name(value.type), NAME(index->name));
    case PL_KEY_EMPTY:
        return pl_reason_set(
            why, PL_EINVALID,
            "One or more parameter values are not valid. A value specified for a secondary index "
            "key is not supported. The AttributeValue for a key attribute cannot contain an empty "
            "%s value. IndexName: %.*s, IndexKey: %.*s",
            bad->type == PL_TYPE_B ? "binary" : "string", NAME(index->name), NAME(bad->name));
    default:
        for (uint32_t i = 0; i < index->keys.sort_count; i++)
            if (&index->keys.sort[i] == bad)
                return length_failure(true, why);
        return length_failure(false, why);
    }
}

static bool is_sort_attribute(const struct pl_key_schema *keys, const struct pl_key_attribute *attribute)
{
    return attribute >= keys->sort && attribute < keys->sort + keys->sort_count;
}

/* The sentence for a key by which something is looked up: it says of no attribute that it does not fit. */
static int lookup_failure(enum pl_key_found found, const struct pl_key_schema *keys,
                          const struct pl_key_attribute *bad, struct pl_item item, struct pl_reason *why)
{
    if (found == PL_KEY_MISSING || found == PL_KEY_WRONG_TYPE)
        return pl_reason_set(why, PL_EINVALID, SCHEMA_MISMATCH);
    return key_failure(found, bad, item, is_sort_attribute(keys, bad), why);
}

/* The sentence for a key that stands in an item. The partition key is told of first, even when it is only missing. */
static int item_key_failure(enum pl_key_found found, const struct pl_key_schema *keys,
                            const struct pl_key_attribute *bad, struct pl_item item, struct pl_reason *why)
{
    struct pl_value value;

    if (is_sort_attribute(keys, bad) && !pl_item_find(item, keys->partition[0].name, &value))
        return key_failure(PL_KEY_MISSING, &keys->partition[0], item, false, why);
    return key_failure(found, bad, item, is_sort_attribute(keys, bad), why);
}

/* Encode the primary key that stands in `op->item`, and find its place. */
static int encode_primary_key(struct pl_operation *op)
{
    const struct pl_key_attribute *bad = NULL;
    const struct pl_key_schema *keys = &op->table->keys;
    enum pl_key_found found = pl_key_schema_encode(keys, op->item, &op->pk_bytes, &op->tail_bytes, &bad);

    if (found != PL_KEY_WHOLE)
        return op->name == PL_OP_PUT ? item_key_failure(found, keys, bad, op->item, &op->reply.why)
                                     : lookup_failure(found, keys, bad, op->item, &op->reply.why);
    if (pl_buf_status(&op->pk_bytes) != 0 || pl_buf_status(&op->tail_bytes) != 0)
        return PL_ENOMEM;
    op->pk = pl_buf_view(&op->pk_bytes);
    op->tail = pl_buf_view(&op->tail_bytes);
    return 0;
}

/* How many attributes an item has at its top. */
static uint32_t attribute_count(struct pl_item item)
{
    struct pl_bytes in = item.bytes, name;
    struct pl_value value;
    uint32_t count = 0;

    while (pl_entry_take(&in, &name, &value))
        count++;
    return count;
}

static int check_exact_key(struct pl_operation *op)
{
    const struct pl_key_schema *keys = &op->table->keys;

    if (attribute_count(op->item) != (uint32_t)keys->partition_count + keys->sort_count)
        return refuse(op, SCHEMA_MISMATCH);
    return encode_primary_key(op);
}

/* ---- writes ----------------------------------------------------------------------------------------- */

/* An item's index keys are judged before the write is even queued: it would fail on any state. */
static int check_index_keys(struct pl_operation *op)
{
    struct pl_buf pk = { 0 }, sk = { 0 };
    int rc = 0;

    for (uint32_t i = 0; i < op->table->index_count && rc == 0; i++) {
        const struct pl_index *index = &op->table->indexes[i];
        const struct pl_key_attribute *bad = NULL;
        enum pl_key_found found;

        if (index->projection == PL_PROJECT_FUNCTION)
            continue;
        pl_buf_clear(&pk);
        pl_buf_clear(&sk);
        found = pl_key_schema_encode(&index->keys, op->item, &pk, &sk, &bad);
        if (found != PL_KEY_WHOLE && found != PL_KEY_MISSING)
            rc = pl_prepare_index_key_failure(found, index, bad, op->item, &op->reply.why);
    }
    pl_buf_deinit(&pk);
    pl_buf_deinit(&sk);
    return rc;
}

static int prepare_put(struct pl_operation *op)
{
    int rc = encode_primary_key(op);

    /* A before_write may still mend the item: then the shard judges what it made. */
    if (rc != 0 || op->table->index_count == 0 || op->table->has_before_write)
        return rc;
    rc = check_index_keys(op);
    if (rc == 0 && op->item.size_bytes + pl_index_local_bytes_of(op->table, op->item) > PL_ITEM_SIZE_MAX)
        rc = refuse(op, "Item size has exceeded the maximum allowed size");
    return rc;
}

static bool is_index_key(const struct pl_table *table, struct pl_bytes name)
{
    for (uint32_t i = 0; i < table->index_count; i++)
        if (table->indexes[i].projection != PL_PROJECT_FUNCTION &&
            pl_key_schema_has(&table->indexes[i].keys, name))
            return true;
    return false;
}

static const struct pl_key_attribute *find_key(const struct pl_key_schema *keys, struct pl_bytes name)
{
    for (uint8_t i = 0; i < keys->partition_count; i++)
        if (pl_bytes_equal(keys->partition[i].name, name))
            return &keys->partition[i];
    for (uint8_t i = 0; i < keys->sort_count; i++)
        if (pl_bytes_equal(keys->sort[i].name, name))
            return &keys->sort[i];
    return NULL;
}

/* An index's key attribute is set to what can be no key of it, on any state. A before_write may still mend it. */
static int check_constant(struct pl_operation *op, struct pl_bytes name, const struct pl_value *value)
{
    for (uint32_t i = 0; value != NULL && !op->table->has_before_write && i < op->table->index_count; i++) {
        const struct pl_index *index = &op->table->indexes[i];
        const struct pl_key_attribute *key = find_key(&index->keys, name);

        if (index->projection != PL_PROJECT_FUNCTION && key != NULL && key->type != value->type)
            return pl_reason_set(&op->reply.why, PL_EINVALID,
                                 P "Type mismatch for Index Key %.*s Expected: %s Actual: %s IndexName: %.*s",
                                 NAME(name), pl_type_name(key->type), pl_type_name(value->type),
                                 NAME(index->name));
    }
    return 0;
}

/* No path leads into a key: it has nothing in it. */
static int check_key_path(struct pl_operation *op, const struct pl_path *path)
{
    struct pl_bytes name = path->steps[0].name;
    bool is_key = pl_key_schema_has(&op->table->keys, name);

    if (path->step_count == 1 || (!is_key && !is_index_key(op->table, name)))
        return 0;
    return pl_reason_set(&op->reply.why, PL_EINVALID,
                         "Key attributes must be scalars; list random access '[]' and map lookup '.' are "
                         "not allowed: %s: %.*s",
                         is_key ? "Key" : "IndexKey", NAME(name));
}

static int check_key_paths(struct pl_operation *op, struct pl_path_list paths)
{
    int rc = 0;

    for (uint32_t i = 0; i < paths.count && rc == 0; i++)
        rc = check_key_path(op, paths.paths[i]);
    return rc;
}

static int check_update_targets(struct pl_operation *op)
{
    struct pl_path_list targets = pl_update_targets(op->update);

    for (uint32_t i = 0; i < targets.count; i++) {
        const struct pl_path *path = targets.paths[i];
        struct pl_bytes name = path->steps[0].name;
        int rc = check_key_path(op, path);

        if (rc != 0)
            return rc;
        if (pl_key_schema_has(&op->table->keys, name))
            return pl_reason_set(&op->reply.why, PL_EINVALID,
                                 P "Cannot update attribute %.*s. This attribute is part of the key",
                                 NAME(name));
        if (path->step_count == 1 && check_constant(op, name, pl_update_constant(op->update, i)) != 0)
            return PL_EINVALID;
    }
    return 0;
}

static int prepare_update(struct pl_operation *op)
{
    int rc = check_exact_key(op);

    return rc != 0 || op->update == NULL ? rc : check_update_targets(op);
}

static int prepare_get(struct pl_operation *op)
{
    int rc = check_exact_key(op);

    return rc != 0 || op->projection == NULL ? rc : check_key_paths(op, pl_projection_paths(op->projection));
}

static int check_condition_name(struct pl_operation *op)
{
    if (op->condition_name.len == 0)
        return 0;
    for (uint32_t i = 0; i < op->table->condition_count; i++)
        if (pl_bytes_equal(op->table->conditions[i], op->condition_name))
            return 0;
    return pl_reason_set(&op->reply.why, PL_EINVALID, "the table %.*s has no condition named @%.*s",
                         NAME(op->table->name), NAME(op->condition_name));
}

/* ---- queries and scans ------------------------------------------------------------------------------ */

static int find_index(struct pl_operation *op)
{
    if (op->index_name.len == 0)
        return 0;
    op->index = pl_table_index(op->table, op->index_name);
    if (op->index == NULL)
        return pl_reason_set(&op->reply.why, PL_EINVALID, "The table does not have the specified index: %.*s",
                             NAME(op->index_name));
    if (op->index->state == PL_INDEX_BACKFILLING)
        return pl_reason_set(&op->reply.why, PL_EINVALID,
                             "Cannot read from backfilling %s secondary index: %.*s",
                             op->index->global ? "global" : "local", NAME(op->index_name));
    if (op->consistent && op->index->global)
        return refuse(op, "Consistent reads are not supported on global secondary indexes");
    return 0;
}

static const struct pl_key_schema *schema_read(const struct pl_operation *op)
{
    return op->index != NULL ? &op->index->keys : &op->table->keys;
}

static bool index_holds(const struct pl_operation *op, struct pl_bytes name)
{
    const struct pl_index *index = op->index;

    if (index->projection == PL_PROJECT_ALL || index->projection == PL_PROJECT_FUNCTION)
        return true;
    if (pl_key_schema_has(&index->keys, name) || pl_key_schema_has(&op->table->keys, name))
        return true;
    for (uint32_t i = 0; i < index->name_count; i++)
        if (pl_bytes_equal(index->names[i], name))
            return true;
    return false;
}

/* A global index cannot give what it does not hold; a local one fetches it from the table. */
static int check_index_projection(struct pl_operation *op)
{
    struct pl_path_list paths = pl_projection_paths(op->projection);

    for (uint32_t i = 0; i < paths.count; i++) {
        struct pl_bytes name = paths.paths[i]->steps[0].name;

        if (index_holds(op, name))
            continue;
        if (op->index->global)
            return pl_reason_set(&op->reply.why, PL_EINVALID,
                                 P "Global secondary index %.*s does not project [%.*s]",
                                 NAME(op->index->name), NAME(name));
        op->fetches_item = true;
    }
    return 0;
}

static int check_select(struct pl_operation *op)
{
    if (op->index == NULL)
        return 0;
    if (op->select == PL_SELECT_ALL && op->index->projection != PL_PROJECT_ALL) {
        if (op->index->global)
            return pl_reason_set(
                &op->reply.why, PL_EINVALID,
                P "Select type ALL_ATTRIBUTES is not supported for global secondary index %.*s "
                  "because its projection type is not ALL",
                NAME(op->index->name));
        op->fetches_item = true;
    }
    return op->projection != NULL ? check_index_projection(op) : 0;
}

/* A filter sees what was read; keys belong into the key condition. */
static int check_filter(struct pl_operation *op)
{
    struct pl_path_list paths = pl_condition_paths(op->filter);

    for (uint32_t i = 0; i < paths.count; i++) {
        struct pl_bytes name = paths.paths[i]->steps[0].name;

        if (pl_key_schema_has(schema_read(op), name))
            return pl_reason_set(
                &op->reply.why, PL_EINVALID,
                "%s can only contain non-primary key attributes: Primary key attribute: %.*s",
                op->legacy ? "QueryFilter" : "Filter Expression", NAME(name));
    }
    return 0;
}

static bool named_before(const struct pl_path_list *paths, uint32_t at)
{
    for (uint32_t i = 0; i < at; i++)
        if (pl_bytes_equal(paths->paths[i]->steps[0].name, paths->paths[at]->steps[0].name))
            return true;
    return false;
}

/* A query's filter sees the index's entries alone: even of a local index, no item is fetched for it. */
static int check_filter_projected(struct pl_operation *op)
{
    struct pl_path_list paths = pl_condition_paths(op->filter);
    struct pl_buf missing = { 0 };
    int rc = 0;

    for (uint32_t i = 0; op->index != NULL && i < paths.count; i++) {
        struct pl_bytes name = paths.paths[i]->steps[0].name;

        if (index_holds(op, name) || named_before(&paths, i))
            continue;
        pl_buf_append(&missing, ", ", missing.len > 0 ? 2 : 0);
        pl_buf_append_bytes(&missing, name);
    }
    if (pl_buf_status(&missing) != 0)
        rc = PL_ENOMEM;
    else if (missing.len > 0)
        rc = pl_reason_set(&op->reply.why, PL_EINVALID,
                           P "Secondary index %.*s does not project one or more filter attributes: [%.*s]",
                           NAME(op->index->name), NAME(pl_buf_view(&missing)));
    pl_buf_deinit(&missing);
    return rc;
}

/* Bytes built up in the arena by way of a growing buffer. */
static int keep(struct pl_operation *op, struct pl_buf *buf, struct pl_bytes *out)
{
    int rc = pl_buf_status(buf);

    if (rc == 0) {
        *out = pl_arena_copy(&op->arena, pl_buf_view(buf));
        if (out->data == NULL)
            rc = PL_ENOMEM;
    }
    pl_buf_deinit(buf);
    return rc;
}

/* `prefix` and then `value`, or with `open`, only the beginning that all longer values share. */
static void append_bound(struct pl_buf *out, struct pl_bytes prefix, struct pl_value value, bool open)
{
    pl_buf_append_bytes(out, prefix);
    pl_key_append_component(out, value);
    if (open && pl_buf_status(out) == 0)
        out->len -= 2; /* the 00 01 that ends a string (key.h) */
}

static void make_successor(struct pl_buf *bound)
{
    struct pl_buf next = { 0 };

    if (pl_buf_status(bound) != 0)
        return;
    if (!pl_key_successor(pl_buf_view(bound), &next))
        pl_buf_clear(bound); /* nothing is greater: an empty bound is none */
    else {
        pl_buf_deinit(bound);
        *bound = next;
        return;
    }
    pl_buf_deinit(&next);
}

/*
 * A key condition is a range of tails, [low, high), because a component's byte order
 * is its value order and every component ends itself:
 *
 *     a = v            [ v          , v+1 )      v+1: the next byte string that does not begin with v
 *     a < v            [            , v   )
 *     a > v            [ v+1        ,     )
 *     begins_with(a,v) [ v unended  , (v unended)+1 )
 */
static int make_range(struct pl_operation *op)
{
    const struct pl_key_condition *where = &op->key_condition;
    struct pl_buf equals = { 0 }, low = { 0 }, high = { 0 };
    struct pl_bytes prefix;
    int rc;

    for (uint32_t i = 0; i < where->equal_count; i++)
        pl_key_append_component(&equals, where->equals[i]);
    prefix = pl_buf_view(&equals);

    switch (where->range) {
    case PL_RANGE_NONE:
    case PL_RANGE_EQ:
        pl_buf_append_bytes(&low, prefix);
        pl_buf_append_bytes(&high, prefix);
        make_successor(&high);
        break;
    case PL_RANGE_LT:
    case PL_RANGE_LE:
        pl_buf_append_bytes(&low, prefix);
        append_bound(&high, prefix, where->low, false);
        if (where->range == PL_RANGE_LE)
            make_successor(&high);
        break;
    case PL_RANGE_GT:
    case PL_RANGE_GE:
        append_bound(&low, prefix, where->low, false);
        if (where->range == PL_RANGE_GT)
            make_successor(&low);
        pl_buf_append_bytes(&high, prefix);
        make_successor(&high);
        break;
    case PL_RANGE_BETWEEN:
        append_bound(&low, prefix, where->low, false);
        append_bound(&high, prefix, where->high, false);
        make_successor(&high);
        break;
    case PL_RANGE_BEGINS_WITH:
        append_bound(&low, prefix, where->low, true);
        append_bound(&high, prefix, where->low, true);
        make_successor(&high);
        break;
    }
    rc = pl_buf_status(&equals);
    pl_buf_deinit(&equals);
    if (rc == 0)
        rc = keep(op, &low, &op->low);
    else
        pl_buf_deinit(&low);
    if (rc == 0)
        rc = keep(op, &high, &op->high);
    else
        pl_buf_deinit(&high);
    return rc;
}

static int take_key_condition(struct pl_operation *op)
{
    const struct pl_key_schema *keys = schema_read(op);
    int rc;

    if (op->key_conditions != NULL)
        rc = pl_legacy_key_condition_make(op->key_conditions, op->key_condition_count, keys,
                                          &op->key_condition, &op->reply.why);
    else
        rc = pl_key_condition_fit(op->key_parts, keys, &op->key_condition, &op->reply.why);
    if (rc != 0)
        return rc;
    for (uint32_t i = 0; i < keys->partition_count; i++)
        pl_key_append_component(&op->pk_bytes, op->key_condition.partition[i]);
    rc = pl_buf_status(&op->pk_bytes);
    if (rc != 0)
        return rc;
    op->pk = pl_buf_view(&op->pk_bytes);
    return make_range(op);
}

/* The attributes of a page's start: the index's keys and the table's, each once. */
static uint32_t start_attribute_count(const struct pl_operation *op)
{
    const struct pl_key_schema *table = &op->table->keys;
    uint32_t count = (uint32_t)table->partition_count + table->sort_count;

    if (op->index == NULL)
        return count;
    for (uint32_t i = 0; i < op->index->keys.partition_count; i++)
        count += !pl_key_schema_has(table, op->index->keys.partition[i].name);
    for (uint32_t i = 0; i < op->index->keys.sort_count; i++)
        count += !pl_key_schema_has(table, op->index->keys.sort[i].name);
    return count;
}

static bool scans_table(const struct pl_operation *op)
{
    return op->name == PL_OP_SCAN && op->index == NULL;
}

/* The part of a page's start by which it goes on: of an index, the index's key. */
static int start_failure(struct pl_operation *op, enum pl_key_found found, const struct pl_key_attribute *bad)
{
    if (found == PL_KEY_MISSING)
        return refuse(op, BAD_STARTING_KEY);
    return lookup_failure(found, schema_read(op), bad, op->start_key, &op->reply.why);
}

/* The table's key in a page's start, where it is not what a query goes by. */
static int start_item_failure(struct pl_operation *op, enum pl_key_found found,
                              const struct pl_key_attribute *bad)
{
    struct pl_reason detail = { 0 };

    lookup_failure(found, &op->table->keys, bad, op->start_key, &detail);
    return pl_reason_set(&op->reply.why, PL_EINVALID, BAD_STARTING_KEY ": %s", detail.text);
}

/* An index entry's tail ends with the item's own key: its identity (key.h). */
static int encode_start(struct pl_operation *op, struct pl_buf *pk, struct pl_buf *tail)
{
    const struct pl_key_attribute *bad = NULL;
    struct pl_buf base = { 0 };
    enum pl_key_found found;
    int rc = 0;

    found = pl_key_schema_encode(schema_read(op), op->start_key, pk, tail, &bad);
    if (found != PL_KEY_WHOLE)
        return scans_table(op) ? start_item_failure(op, found, bad) : start_failure(op, found, bad);
    if (op->index == NULL)
        return 0;
    found = pl_key_schema_encode(&op->table->keys, op->start_key, tail, &base, &bad);
    if (found != PL_KEY_WHOLE)
        rc = start_item_failure(op, found, bad);
    pl_buf_append_bytes(tail, pl_buf_view(&base));
    pl_buf_deinit(&base);
    return rc;
}

static bool has_sort_condition(const struct pl_operation *op)
{
    return op->key_condition.equal_count > 0 || op->key_condition.range != PL_RANGE_NONE;
}

/* Where a partition is one item, no page begins in another: the start itself is named. */
static int item_start_failure(struct pl_operation *op)
{
    struct pl_bytes name = op->table->keys.partition[0].name;
    struct pl_buf shown = { 0 };
    struct pl_value value;
    int rc;

    PL_ASSERT(pl_item_find(op->start_key, name, &value));
    pl_value_show(&shown, value);
    rc = pl_buf_status(&shown);
    if (rc == 0)
        rc = pl_reason_set(&op->reply.why, PL_EINVALID,
                           "The provided exclusive start key is invalid: ExclusiveStartKey: {%.*s=%.*s}",
                           NAME(name), NAME(shown));
    pl_buf_deinit(&shown);
    return rc;
}

/* The sentence about one row is what DynamoDB says of indexes, however many rows there are. */
static int check_start_in_range(struct pl_operation *op)
{
    bool in_range = pl_bytes_compare(op->start_tail, op->low) >= 0 &&
                    (op->high.len == 0 || pl_bytes_compare(op->start_tail, op->high) < 0);

    if (!pl_bytes_equal(op->start_pk, op->pk) && op->index == NULL && op->table->keys.sort_count == 0)
        return item_start_failure(op);
    if (!pl_bytes_equal(op->start_pk, op->pk))
        return refuse(
            op, op->index != NULL && has_sort_condition(op) && in_range
                    ? "The query can return at most one row and cannot be restarted"
                    : "The provided starting key is outside query boundaries based on provided conditions");
    if (!in_range)
        return refuse(op, "The provided starting key does not match the range key predicate");
    return 0;
}

static int check_start_segment(struct pl_operation *op)
{
    unsigned __int128 hash = pl_key_hash(op->start_pk);

    if (!op->has_segment || (uint32_t)(hash * op->segment_count >> 64) == op->segment)
        return 0;
    return pl_reason_set(&op->reply.why, PL_EINVALID,
                         BAD_STARTING_KEY
                         ": Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct "
                         "Segment. TotalSegments: %u Segment: %u",
                         op->segment_count, op->segment);
}

static int prepare_start(struct pl_operation *op)
{
    struct pl_buf pk = { 0 }, tail = { 0 };
    int rc;

    if (!op->has_start_key)
        return 0;
    if (attribute_count(op->start_key) != start_attribute_count(op))
        return refuse(op, scans_table(op) ? BAD_STARTING_KEY ": " SCHEMA_MISMATCH : BAD_STARTING_KEY);
    rc = encode_start(op, &pk, &tail);
    if (rc != 0) {
        pl_buf_deinit(&pk);
        pl_buf_deinit(&tail);
        return rc;
    }
    rc = keep(op, &pk, &op->start_pk);
    if (rc == 0)
        rc = keep(op, &tail, &op->start_tail);
    else
        pl_buf_deinit(&tail);
    if (rc != 0)
        return rc;
    return op->name == PL_OP_QUERY ? check_start_in_range(op) : check_start_segment(op);
}

static int prepare_walk(struct pl_operation *op)
{
    int rc = find_index(op);

    if (rc == 0)
        rc = check_select(op);
    if (rc == 0 && op->name == PL_OP_QUERY)
        rc = take_key_condition(op);
    if (rc == 0 && op->projection != NULL)
        rc = check_key_paths(op, pl_projection_paths(op->projection));
    if (rc == 0 && op->name == PL_OP_QUERY && op->filter != NULL && !op->filters_keys)
        rc = check_filter(op);
    if (rc == 0 && op->filter != NULL)
        rc = check_key_paths(op, pl_condition_paths(op->filter));
    if (rc == 0 && op->name == PL_OP_QUERY && op->filter != NULL)
        rc = check_filter_projected(op);
    return rc != 0 ? rc : prepare_start(op);
}

/* ---- expressions ------------------------------------------------------------------------------------ */

static int parse_expressions(struct pl_operation *op)
{
    struct pl_reason *why = &op->reply.why;
    int rc = 0;

    op->params.arena = &op->arena;
    if (op->update_text.data != NULL)
        rc = pl_update_parse(&op->params, op->update_text, &op->update, why);
    if (rc == 0 && op->condition_text.data != NULL)
        rc = pl_condition_parse(&op->params, PL_EXPR_CONDITION, op->condition_text, &op->condition, why);
    if (rc == 0 && op->key_condition_text.data != NULL)
        rc = pl_key_condition_parse(&op->params, op->key_condition_text, &op->key_parts, why);
    if (rc == 0 && op->filter_text.data != NULL)
        rc = pl_condition_parse(&op->params, PL_EXPR_FILTER, op->filter_text, &op->filter, why);
    if (rc == 0 && op->projection_text.data != NULL)
        rc = pl_projection_parse(&op->params, op->projection_text, &op->projection, why);
    return rc;
}

/* ---- what needs no table ---------------------------------------------------------------------------- */

static int check_returns(struct pl_operation *op)
{
    if ((op->name == PL_OP_PUT || op->name == PL_OP_DELETE) && op->returns != PL_RETURN_NONE &&
        op->returns != PL_RETURN_ALL_OLD)
        return refuse(op, "ReturnValues can only be ALL_OLD or NONE");
    return 0;
}

static int check_has_condition(struct pl_operation *op)
{
    if (op->name == PL_OP_CONDITION_CHECK && op->condition_text.data == NULL && op->condition == NULL &&
        op->condition_name.len == 0)
        return refuse(
            op, "1 validation error detected: Value null at 'conditionCheck.conditionExpression' failed "
                "to satisfy constraint: Member must not be null");
    return 0;
}

static int check_put_size(struct pl_operation *op)
{
    if (op->name == PL_OP_PUT && op->item.size_bytes > PL_ITEM_SIZE_MAX)
        return refuse(op, "Item size has exceeded the maximum allowed size");
    return 0;
}

static int check_select_words(struct pl_operation *op)
{
    bool projects = op->projection_text.data != NULL || op->projection != NULL;

    if (projects && op->select != PL_SELECT_DEFAULT && op->select != PL_SELECT_SPECIFIC)
        return refuse(op, op->projection != NULL
                              ? "Cannot specify the AttributesToGet when choosing to get anything other than "
                                "SPECIFIC_ATTRIBUTES"
                              : "Cannot specify the ProjectionExpression when choosing to get anything other "
                                "than SPECIFIC_ATTRIBUTES");
    if (op->select == PL_SELECT_SPECIFIC && !projects)
        return refuse(op, "Must specify the ProjectionExpression or AttributesToGet when choosing to get "
                          "SPECIFIC_ATTRIBUTES");
    if (op->select == PL_SELECT_ALL_PROJECTED && op->index_name.len == 0)
        return refuse(op, "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName");
    return 0;
}

static int check_segment(struct pl_operation *op)
{
    if (!op->has_segment || op->segment < op->segment_count)
        return 0;
    return pl_reason_set(&op->reply.why, PL_EINVALID,
                         "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
                         "Segment: %u is not less than TotalSegments: %u",
                         op->segment, op->segment_count);
}

static int check_key_condition_given(struct pl_operation *op)
{
    if (op->name == PL_OP_QUERY && op->key_condition_text.data == NULL && op->key_conditions == NULL)
        return refuse(op, "Either the KeyConditions or KeyConditionExpression parameter must be specified in "
                          "the request.");
    return 0;
}

/* Expressions in which a value may stand; all but the projection. */
static bool takes_values(const struct pl_operation *op)
{
    return op->condition_text.data != NULL || op->update_text.data != NULL || op->filter_text.data != NULL ||
           op->key_condition_text.data != NULL;
}

static const char *missing_for_values(const struct pl_operation *op)
{
    switch (op->name) {
    case PL_OP_UPDATE:
        return "UpdateExpression and ConditionExpression are null";
    case PL_OP_QUERY:
        return "FilterExpression and KeyConditionExpression are null";
    case PL_OP_SCAN:
        return "FilterExpression is null";
    default:
        return "ConditionExpression is null";
    }
}

static int check_placeholders(struct pl_operation *op)
{
    const struct pl_expr_params *params = &op->params;
    int rc = 0;

    if (params->name_count > 0 && !takes_values(op) && op->projection_text.data == NULL)
        return refuse(op, "ExpressionAttributeNames can only be specified when using expressions");
    if (params->name_count > 0)
        rc = pl_expr_check_names(params, &op->reply.why);
    if (rc != 0 || params->value_count == 0)
        return rc;
    if (!takes_values(op))
        return pl_reason_set(&op->reply.why, PL_EINVALID,
                             "ExpressionAttributeValues can only be specified when using expressions: %s",
                             missing_for_values(op));
    return pl_expr_check_values(params, &op->reply.why);
}

/* What is wrong in itself is said before anybody asks whether there is such a table. */
int pl_prepare_request(struct pl_operation *op)
{
    int rc = check_placeholders(op);

    if (rc == 0)
        rc = check_returns(op);
    if (rc == 0)
        rc = check_select_words(op);
    if (rc == 0)
        rc = check_segment(op);
    if (rc == 0)
        rc = check_key_condition_given(op);
    if (rc == 0)
        rc = check_has_condition(op);
    if (rc == 0)
        rc = check_put_size(op);
    if (rc == 0)
        rc = parse_expressions(op);
    if (rc == 0)
        rc = pl_expr_check_used(&op->params, &op->reply.why);
    return rc;
}

/* ---- all together ----------------------------------------------------------------------------------- */

static int find_table(struct pl_operation *op, const struct pl_tables *tables)
{
    struct pl_table *table = pl_tables_find(tables, op->table_name);

    if (table == NULL)
        return PL_ENOTABLE;
    op->table = pl_table_ref(table);
    return 0;
}

static int prepare_by_name(struct pl_operation *op)
{
    switch (op->name) {
    case PL_OP_PUT:
        return prepare_put(op);
    case PL_OP_UPDATE:
        return prepare_update(op);
    case PL_OP_GET:
        return prepare_get(op);
    case PL_OP_DELETE:
    case PL_OP_CONDITION_CHECK:
        return check_exact_key(op);
    default:
        return prepare_walk(op);
    }
}

/* Where the item of PUT, GET, UPDATE, DELETE and CONDITION_CHECK stands. A query finds its place as it starts to walk. */
static void find_place(struct pl_operation *op, uint32_t partition_count)
{
    struct pl_keyspace space = { .kind = PL_KIND_ITEM,
                                 .id = op->table->id,
                                 .partition_count = partition_count };

    pl_key_build(&op->key, &space, op->pk, op->tail);
    op->partition = pl_get_be16(op->key.bytes);
}

int pl_prepare_table(struct pl_operation *op, const struct pl_tables *tables)
{
    int rc = find_table(op, tables);

    return rc != 0 ? rc : check_condition_name(op);
}

int pl_prepare_keys(struct pl_operation *op, uint32_t partition_count)
{
    int rc = prepare_by_name(op);

    if (rc == 0 && op->name != PL_OP_QUERY && op->name != PL_OP_SCAN)
        find_place(op, partition_count);
    return rc;
}

int pl_prepare(struct pl_operation *op, const struct pl_tables *tables, uint32_t partition_count)
{
    int rc = pl_prepare_request(op);

    if (rc == 0)
        rc = pl_prepare_table(op, tables);
    if (rc == 0)
        rc = pl_prepare_keys(op, partition_count);
    op->reply.rc = rc;
    return rc;
}

/* ---- several side by side --------------------------------------------------------------------------- */

int pl_prepare_adopt(struct pl_operation *op, struct pl_operation *child, int rc)
{
    op->reply.why = child->reply.why;
    child->reply.why.text[0] = '\0';
    return rc;
}

int pl_prepare_children(struct pl_operation *op, const struct pl_tables *tables)
{
    for (uint32_t i = 0; i < op->child_count; i++) {
        int rc = pl_prepare_request(&op->children[i]);

        if (rc != 0)
            return pl_prepare_adopt(op, &op->children[i], rc);
    }
    for (uint32_t i = 0; i < op->child_count; i++) {
        int rc = pl_prepare_table(&op->children[i], tables);

        if (rc != 0)
            return pl_prepare_adopt(op, &op->children[i], rc);
    }
    return 0;
}

static int compare_keys(const void *left, const void *right)
{
    const struct pl_operation *a = *(const struct pl_operation *const *)left;
    const struct pl_operation *b = *(const struct pl_operation *const *)right;
    int order = a->table->id < b->table->id ? -1 : a->table->id > b->table->id;

    if (order == 0)
        order = pl_bytes_compare(a->pk, b->pk);
    return order != 0 ? order : pl_bytes_compare(a->tail, b->tail);
}

int pl_prepare_distinct(struct pl_operation *op, const char *sentence)
{
    struct pl_operation **sorted;

    if (op->child_count == 0)
        return 0;
    sorted = pl_arena_alloc(&op->arena, op->child_count * sizeof *sorted);
    if (sorted == NULL)
        return PL_ENOMEM;
    for (uint32_t i = 0; i < op->child_count; i++)
        sorted[i] = &op->children[i];
    qsort(sorted, op->child_count, sizeof *sorted, compare_keys);
    for (uint32_t i = 1; i < op->child_count; i++)
        if (compare_keys(&sorted[i - 1], &sorted[i]) == 0)
            return refuse(op, sentence);
    return 0;
}
