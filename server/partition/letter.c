/* SPDX-License-Identifier: MIT */
#include "partition/letter.h"

#include "model/number.h"
#include "partition/change.h"

#include <stdio.h>

enum { FORMAT = 1, HEAD_BYTES = 1 + 4 + 8 + 2, ID_AT = 3, SEQUENCE_AT = 7, LIST_DEFAULT = 100 };

/* ---- as stored -------------------------------------------------------------------------------------- */

static struct pl_bytes make_key(uint8_t key[PL_LETTER_KEY_BYTES], uint16_t partition, uint32_t trigger_id,
                                uint64_t sequence)
{
    pl_put_be16(key, partition);
    key[2] = PL_KIND_TRIGGER;
    pl_put_be32(key + ID_AT, trigger_id);
    pl_put_be64(key + SEQUENCE_AT, sequence);
    return pl_bytes(key, PL_LETTER_KEY_BYTES);
}

void pl_letter_put(struct pl_buf *change, uint32_t trigger_id, const struct pl_letter *letter,
                   struct pl_buf *scratch)
{
    uint8_t key[PL_LETTER_KEY_BYTES], head[HEAD_BYTES] = { FORMAT };
    size_t error_len = letter->error.len < PL_LETTER_ERROR_MAX ? letter->error.len : PL_LETTER_ERROR_MAX;

    while (error_len < letter->error.len && error_len > 0 &&
           (letter->error.data[error_len] & 0xC0) == 0x80) /* never half a character */
        error_len--;
    pl_put_le32(head + 1, letter->attempts);
    pl_put_le64(head + 5, (uint64_t)letter->failed_ms);
    pl_put_le16(head + 13, (uint16_t)error_len);
    pl_buf_clear(scratch);
    pl_buf_append(scratch, head, sizeof head);
    pl_buf_append(scratch, letter->error.data, error_len);
    pl_buf_append_bytes(scratch, letter->record);
    pl_change_put(change, make_key(key, letter->partition, trigger_id, letter->sequence),
                  pl_buf_view(scratch));
}

void pl_letter_delete(struct pl_buf *change, uint32_t trigger_id, uint16_t partition, uint64_t sequence)
{
    uint8_t key[PL_LETTER_KEY_BYTES];

    pl_change_delete(change, make_key(key, partition, trigger_id, sequence));
}

int pl_letter_read(struct pl_bytes key, struct pl_bytes value, struct pl_letter *out)
{
    size_t error_len;

    if (key.len != PL_LETTER_KEY_BYTES || value.len < HEAD_BYTES || value.data[0] != FORMAT)
        return PL_ECORRUPT;
    error_len = (uint8_t)value.data[13] | (size_t)(uint8_t)value.data[14] << 8;
    if (value.len - HEAD_BYTES < error_len)
        return PL_ECORRUPT;
    *out = (struct pl_letter){ .partition = pl_get_be16(key.data),
                               .sequence = pl_get_be64(key.data + SEQUENCE_AT),
                               .attempts = pl_get_le32(value.data + 1),
                               .failed_ms = (int64_t)pl_get_le64(value.data + 5),
                               .error = pl_bytes(value.data + HEAD_BYTES, error_len),
                               .record = pl_bytes(value.data + HEAD_BYTES + error_len,
                                                  value.len - HEAD_BYTES - error_len) };
    return 0;
}

int pl_letter_record(const struct pl_letter *letter, uint32_t stream_id, struct pl_stream_record *out)
{
    uint8_t key[PL_STREAM_KEY_BYTES];

    return pl_stream_record_read(pl_stream_key(key, letter->partition, stream_id, letter->sequence),
                                 letter->record, out);
}

/* ---- names ------------------------------------------------------------------------------------------ */

void pl_letter_name(const struct pl_letter *letter, char name[PL_LETTER_NAME_BYTES])
{
    snprintf(name, PL_LETTER_NAME_BYTES, "%u-%llu", (unsigned)letter->partition,
             (unsigned long long)letter->sequence);
}

/* Digits only, as they are written: no sign, no zero in front. */
static bool take_digits(struct pl_bytes *in, uint64_t most, uint64_t *out)
{
    uint64_t value = 0;
    size_t i = 0;

    for (; i < in->len && in->data[i] >= '0' && in->data[i] <= '9'; i++) {
        uint64_t digit = (uint64_t)(in->data[i] - '0');

        if (value > (most - digit) / 10 || (i > 0 && in->data[0] == '0'))
            return false;
        value = value * 10 + digit;
    }
    if (i == 0)
        return false;
    *in = pl_bytes(in->data + i, in->len - i);
    *out = value;
    return true;
}

bool pl_letter_parse_name(struct pl_bytes name, uint16_t *partition, uint64_t *sequence)
{
    uint64_t first, second;

    if (!take_digits(&name, UINT16_MAX, &first) || name.len == 0 || name.data[0] != '-')
        return false;
    name = pl_bytes(name.data + 1, name.len - 1);
    if (!take_digits(&name, UINT64_MAX, &second) || name.len > 0 || second == 0)
        return false;
    *partition = (uint16_t)first;
    *sequence = second;
    return true;
}

/* ---- walking ---------------------------------------------------------------------------------------- */

/* Behind the progress records, which have the sequence number 0. */
static int find_in(struct pl_snapshot *snapshot, uint32_t trigger_id, uint16_t partition, uint64_t sequence,
                   struct pl_letter *out)
{
    uint8_t first[PL_LETTER_KEY_BYTES];
    struct pl_bytes key, value;
    int rc;

    make_key(first, partition, trigger_id, sequence == 0 ? 1 : sequence);
    rc = pl_snapshot_seek(snapshot, pl_bytes(first, sizeof first), &key, &value);
    if (rc != 0)
        return rc;
    if (key.len < SEQUENCE_AT || memcmp(key.data, first, SEQUENCE_AT) != 0)
        return PL_ENOTFOUND;
    return pl_letter_read(key, value, out);
}

int pl_letter_find(struct pl_snapshot *snapshot, uint32_t partition_count, uint32_t trigger_id,
                   uint16_t partition, uint64_t sequence, struct pl_letter *out)
{
    for (uint32_t p = partition; p < partition_count; p++) {
        int rc = find_in(snapshot, trigger_id, (uint16_t)p, p == partition ? sequence : 1, out);

        if (rc != PL_ENOTFOUND)
            return rc;
    }
    return PL_ENOTFOUND;
}

int pl_letters_find_trigger(struct pl_operation *op, const struct pl_tables *tables,
                            const struct pl_table **table, const struct pl_trigger **trigger)
{
    *table = pl_tables_find(tables, op->table_name);
    if (*table == NULL)
        return pl_reason_set(&op->reply.why, PL_ENOTABLE,
                             "Requested resource not found: Table: %.*s not found", (int)op->table_name.len,
                             op->table_name.data);
    for (uint32_t i = 0; i < (*table)->trigger_count; i++)
        if (pl_bytes_equal((*table)->triggers[i].name, op->index_name)) {
            *trigger = &(*table)->triggers[i];
            return 0;
        }
    return pl_reason_set(&op->reply.why, PL_ENOTFOUND, "the table %.*s has no trigger %.*s",
                         (int)op->table_name.len, op->table_name.data, (int)op->index_name.len,
                         op->index_name.data);
}

/* ---- as rows ---------------------------------------------------------------------------------------- */

static void add_string(struct pl_builder *b, const char *name, struct pl_bytes text)
{
    pl_builder_name(b, pl_str(name));
    pl_builder_string(b, text);
}

static void add_number(struct pl_builder *b, const char *name, const char *digits)
{
    struct pl_number number;

    pl_builder_name(b, pl_str(name));
    if (pl_number_parse(pl_str(digits), &number, NULL) == 0)
        pl_builder_number(b, &number);
}

/* Seconds, as TAIL tells them. */
static void add_time(struct pl_builder *b, const char *name, int64_t ms)
{
    char digits[40];

    snprintf(digits, sizeof digits, "%lld.%03d", (long long)(ms / 1000), (int)(ms % 1000));
    add_number(b, name, digits);
}

static void add_item(struct pl_builder *b, const char *name, struct pl_item item)
{
    struct pl_bytes rest = item.bytes, attribute;
    struct pl_value value;

    pl_builder_name(b, pl_str(name));
    pl_builder_begin_map(b);
    while (pl_entry_take(&rest, &attribute, &value)) {
        pl_builder_name(b, attribute);
        pl_builder_value(b, value);
    }
    pl_builder_end(b);
}

/* An image that nests 32 deep does not fit into another item: then the keys must do. */
static int build_row(struct pl_read_place *place, const struct pl_table *table,
                     const struct pl_letter *letter, bool images, struct pl_item *out)
{
    struct pl_stream_record record;
    struct pl_buf keys_bytes = { 0 };
    struct pl_item keys;
    struct pl_builder b;
    char name[PL_LETTER_NAME_BYTES], digits[24];
    int rc = pl_letter_record(letter, table->stream_id, &record);

    if (rc == 0)
        rc = pl_stream_record_keys(&record, &table->keys, &keys_bytes, &keys);
    if (rc != 0) {
        pl_buf_deinit(&keys_bytes);
        return rc;
    }
    pl_letter_name(letter, name);
    snprintf(digits, sizeof digits, "%llu", (unsigned long long)letter->sequence);
    pl_arena_reset(&place->scratch);
    pl_buf_clear(&place->row_bytes);
    pl_builder_init(&b, &place->row_bytes, &place->scratch);
    pl_builder_begin_item(&b);
    add_string(&b, "id", pl_str(name));
    add_string(&b, "event", pl_str(pl_stream_event_name(record.event)));
    add_string(&b, "sequence", pl_str(digits));
    add_time(&b, "at", record.at_ms);
    add_string(&b, "by", pl_str(pl_actor_name(record.actor)));
    add_item(&b, "keys", keys);
    if (images && record.has_new)
        add_item(&b, "new", record.new);
    if (images && record.has_old)
        add_item(&b, "old", record.old);
    add_string(&b, "error", letter->error);
    snprintf(digits, sizeof digits, "%u", letter->attempts);
    add_number(&b, "attempts", digits);
    add_time(&b, "failed_at", letter->failed_ms);
    pl_builder_end(&b);
    rc = pl_builder_finish_item(&b, out, NULL);
    pl_buf_deinit(&keys_bytes);
    return rc;
}

static int give_row(struct pl_read_place *place, struct pl_operation *op, const struct pl_table *table,
                    const struct pl_letter *letter)
{
    struct pl_item item;
    int rc = build_row(place, table, letter, true, &item);

    if (rc == PL_EINVALID)
        rc = build_row(place, table, letter, false, &item);
    if (rc != 0)
        return rc;
    op->reply.count++;
    op->reply.scanned++;
    return op->row == NULL ? 0 : op->row(op, item);
}

/* {"id":"12-4711"} */
static int name_last(struct pl_operation *op, const struct pl_letter *letter)
{
    struct pl_builder b;
    char name[PL_LETTER_NAME_BYTES];
    int rc;

    pl_letter_name(letter, name);
    pl_builder_init(&b, &op->bytes, &op->arena);
    pl_builder_begin_item(&b);
    add_string(&b, "id", pl_str(name));
    pl_builder_end(&b);
    rc = pl_builder_finish_item(&b, &op->reply.last_key, NULL);
    op->reply.has_last_key = rc == 0;
    return rc;
}

/* FROM an id, or AFTER the id that an earlier page ended with. */
static int take_start(struct pl_operation *op, uint16_t *partition, uint64_t *sequence)
{
    struct pl_bytes name = op->letter;
    struct pl_value id;

    if (op->has_start_key) {
        if (!pl_item_find(op->start_key, pl_str("id"), &id) || id.type != PL_TYPE_S)
            return pl_reason_set(&op->reply.why, PL_EINVALID, "AFTER: expected {\"id\":\"12-4711\"}");
        name = id.payload;
    }
    if (name.len > 0 && !pl_letter_parse_name(name, partition, sequence))
        return pl_reason_set(&op->reply.why, PL_EINVALID, "%s: expected a dead letter's id, as in 12-4711",
                             op->has_start_key ? "AFTER" : "FROM");
    *sequence += op->has_start_key;
    return 0;
}

int pl_letters_list(struct pl_read_place *place, struct pl_operation *op, const struct pl_tables *tables)
{
    uint32_t limit = op->limit == 0 ? LIST_DEFAULT : op->limit;
    const struct pl_table *table;
    const struct pl_trigger *trigger;
    struct pl_letter letter, last = { 0 };
    uint16_t partition = 0;
    uint64_t sequence = 1, page_bytes = 0;
    int rc = pl_letters_find_trigger(op, tables, &table, &trigger);

    if (rc == 0)
        rc = take_start(op, &partition, &sequence);
    while (rc == 0) {
        rc = pl_letter_find(place->snapshot, place->partition_count, trigger->id, partition, sequence,
                            &letter);
        if (rc == PL_ENOTFOUND)
            return 0;
        if (rc == 0 && (op->reply.count == limit || page_bytes >= PL_PAGE_BYTES_MAX))
            return name_last(op, &last);
        if (rc == 0)
            rc = give_row(place, op, table, &letter);
        page_bytes += letter.record.len;
        last = letter;
        partition = letter.partition;
        sequence = letter.sequence + 1;
    }
    return rc;
}
