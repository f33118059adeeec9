/* SPDX-License-Identifier: MIT */
#include "model/table.h"

#include <stdlib.h>

struct pl_table *pl_table_ref(struct pl_table *table)
{
    atomic_fetch_add_explicit(&table->references, 1, memory_order_relaxed);
    return table;
}

void pl_table_unref(struct pl_table *table)
{
    struct pl_arena arena;

    if (table == NULL || atomic_fetch_sub_explicit(&table->references, 1, memory_order_acq_rel) != 1)
        return;
    pl_allowances_unref(table->allowances);
    for (uint32_t i = 0; i < table->index_count; i++)
        pl_allowances_unref(table->indexes[i].allowances);
    arena = table->arena;
    free(table);
    pl_arena_deinit(&arena);
}

int pl_table_copy(const struct pl_table *table, struct pl_table **out)
{
    struct pl_buf bytes = { 0 };
    int rc;

    pl_table_encode(table, &bytes);
    rc = pl_buf_status(&bytes);
    if (rc == 0)
        rc = pl_table_decode(pl_buf_view(&bytes), out);
    pl_buf_deinit(&bytes);
    return rc;
}

/* ---- allowances ------------------------------------------------------------------------------------- */

static int share(struct pl_allowances **to, const struct pl_throughput *throughput,
                 struct pl_allowances *before)
{
    if (!throughput->provisioned || *to != NULL)
        return 0;
    *to = before != NULL ? pl_allowances_ref(before) : pl_allowances_new();
    return *to == NULL ? PL_ENOMEM : 0;
}

static struct pl_allowances *allowances_by_id(const struct pl_table *table, uint32_t index_id)
{
    for (uint32_t i = 0; table != NULL && i < table->index_count; i++)
        if (table->indexes[i].id == index_id)
            return table->indexes[i].allowances;
    return NULL;
}

int pl_table_share(struct pl_table *table, const struct pl_table *before)
{
    int rc = share(&table->allowances, &table->throughput, before == NULL ? NULL : before->allowances);

    for (uint32_t i = 0; i < table->index_count && rc == 0; i++) {
        struct pl_index *index = &table->indexes[i];

        rc = share(&index->allowances, &index->throughput, allowances_by_id(before, index->id));
    }
    return rc;
}

static void provide(struct pl_allowances *allowances, const struct pl_throughput *throughput, uint64_t now_ns)
{
    if (allowances == NULL)
        return;
    pl_allowance_provide(&allowances->read, throughput->read_units, now_ns);
    pl_allowance_provide(&allowances->write, throughput->write_units, now_ns);
}

void pl_table_provide(const struct pl_table *table, uint64_t now_ns)
{
    provide(table->allowances, &table->throughput, now_ns);
    for (uint32_t i = 0; i < table->index_count; i++)
        provide(table->indexes[i].allowances, &table->indexes[i].throughput, now_ns);
}

const struct pl_index *pl_table_index(const struct pl_table *table, struct pl_bytes name)
{
    for (uint32_t i = 0; i < table->index_count; i++)
        if (pl_bytes_equal(table->indexes[i].name, name))
            return &table->indexes[i];
    return NULL;
}

static bool is_name_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
}

bool pl_table_name_is_valid(struct pl_bytes name)
{
    if (name.len < PL_TABLE_NAME_MIN || name.len > PL_TABLE_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!is_name_character(name.data[i]))
            return false;
    return true;
}

const char *pl_stream_view_name(enum pl_stream_view view)
{
    static const char *const names[] = {
        [PL_STREAM_OFF] = "off",
        [PL_STREAM_KEYS_ONLY] = "keys_only",
        [PL_STREAM_NEW_IMAGE] = "new_image",
        [PL_STREAM_OLD_IMAGE] = "old_image",
        [PL_STREAM_NEW_AND_OLD_IMAGES] = "new_and_old_images",
    };

    return names[view];
}

/* --- key schemas --- */

static bool attributes_have(const struct pl_key_attribute *attributes, uint8_t count, struct pl_bytes name)
{
    for (uint8_t i = 0; i < count; i++)
        if (pl_bytes_equal(attributes[i].name, name))
            return true;
    return false;
}

bool pl_key_schema_has(const struct pl_key_schema *keys, struct pl_bytes name)
{
    return attributes_have(keys->partition, keys->partition_count, name) ||
           attributes_have(keys->sort, keys->sort_count, name);
}

static enum pl_key_found encode_attribute(const struct pl_key_attribute *attribute, size_t len_max,
                                          struct pl_item item, struct pl_buf *out)
{
    struct pl_value value;

    if (!pl_item_find(item, attribute->name, &value))
        return PL_KEY_MISSING;
    if (value.type != attribute->type)
        return PL_KEY_WRONG_TYPE;
    if (value.type != PL_TYPE_N) {
        if (value.payload.len == 0)
            return PL_KEY_EMPTY;
        if (value.payload.len > len_max)
            return PL_KEY_TOO_LONG;
    }
    pl_key_append_component(out, value);
    return PL_KEY_WHOLE;
}

static enum pl_key_found encode_attributes(const struct pl_key_attribute *attributes, uint8_t count,
                                           size_t len_max, struct pl_item item, struct pl_buf *out,
                                           const struct pl_key_attribute **bad)
{
    enum pl_key_found worst = PL_KEY_WHOLE;

    for (uint8_t i = 0; i < count; i++) {
        enum pl_key_found found = encode_attribute(&attributes[i], len_max, item, out);

        if (found == PL_KEY_WHOLE || (found == PL_KEY_MISSING && worst == PL_KEY_MISSING))
            continue;
        worst = found;
        *bad = &attributes[i];
        if (found != PL_KEY_MISSING)
            break;
    }
    return worst;
}

enum pl_key_found pl_key_schema_encode(const struct pl_key_schema *keys, struct pl_item item,
                                       struct pl_buf *pk, struct pl_buf *sk,
                                       const struct pl_key_attribute **bad)
{
    const struct pl_key_attribute *bad_partition = NULL, *bad_sort = NULL;
    size_t pk_len = pk->len, sk_len = sk->len;
    enum pl_key_found found, sort_found;

    found = encode_attributes(keys->partition, keys->partition_count, PL_PARTITION_KEY_MAX, item, pk,
                              &bad_partition);
    if (found == PL_KEY_WHOLE || found == PL_KEY_MISSING) {
        sort_found = encode_attributes(keys->sort, keys->sort_count, PL_SORT_KEY_MAX, item, sk, &bad_sort);
        if (found == PL_KEY_WHOLE || (sort_found != PL_KEY_WHOLE && sort_found != PL_KEY_MISSING)) {
            found = sort_found;
            bad_partition = bad_sort;
        }
    }
    if (found == PL_KEY_WHOLE)
        return found;
    pk->len = pk_len;
    sk->len = sk_len;
    if (bad != NULL)
        *bad = bad_partition;
    return found;
}
