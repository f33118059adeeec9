/* SPDX-License-Identifier: MIT */
#include "partition/stream.h"

#include "model/json.h"
#include "partition/change.h"
#include "partition/verify.h"

#include "scratch_dir.h"
#include "test.h"

enum { PARTITIONS = 4, STREAM = 7 };

/* A table with a stream and a state to put its records into. */
struct fixture {
    struct scratch_dir dir;
    struct pl_store *store;
    struct pl_state *state;
    struct pl_snapshot *snapshot;
    struct pl_table *table;
    struct pl_arena arena;
    struct pl_buf scratch, change;
};

static void start(struct fixture *f)
{
    struct pl_store_options options = { .create = true,
                                        .map_bytes_max = UINT64_C(1) << 30,
                                        .readers_max = 8 };
    struct pl_reason why;
    char path[128];

    *f = (struct fixture){ .dir = scratch_dir_make() };
    snprintf(path, sizeof path, "%s/store", f->dir.path);
    CHECK(pl_store_open(path, &options, &f->store, NULL) == 0);
    CHECK(pl_state_new(f->store, 0, 7, &f->state) == 0);
    CHECK(pl_snapshot_open(f->state, &f->snapshot) == 0);
    CHECK(pl_table_from_text(pl_str("{\"table\":\"Tab\",\"partition_key\":\"p:S\",\"sort_key\":\"s:N\","
                                    "\"stream\":\"keys_only\"}"),
                             false, &f->table, &why) == 0);
    f->table->id = STREAM + 1;
    f->table->stream_id = STREAM;
}

static void end(struct fixture *f)
{
    pl_buf_deinit(&f->change);
    pl_buf_deinit(&f->scratch);
    pl_arena_deinit(&f->arena);
    pl_table_unref(f->table);
    pl_snapshot_close(f->snapshot);
    pl_state_free(f->state);
    pl_store_close(f->store);
    scratch_dir_remove(&f->dir);
}

/* {"a":..,"p":"key<key>","s":1,"z":<n>} with the arena's bytes. */
static struct pl_item item_of(struct fixture *f, int key, int n)
{
    struct pl_buf bytes = { 0 };
    struct pl_item item = { 0 };
    char json[96];

    snprintf(json, sizeof json, "{\"a\":\"some text\",\"p\":\"key%d\",\"s\":1,\"z\":%d}", key, n);
    CHECK(pl_json_read_item(pl_str(json), PL_JSON_PLAIN, &f->arena, &bytes, &item, NULL) == 0);
    item.bytes = pl_arena_copy(&f->arena, item.bytes);
    pl_buf_deinit(&bytes);
    return item;
}

static uint16_t partition_of(struct fixture *f, struct pl_item item)
{
    struct pl_buf pk = { 0 }, sk = { 0 };
    uint16_t partition;

    CHECK(pl_key_schema_encode(&f->table->keys, item, &pk, &sk, NULL) == PL_KEY_WHOLE);
    partition = pl_key_partition(pl_key_hash(pl_buf_view(&pk)), PARTITIONS);
    pl_buf_deinit(&pk);
    pl_buf_deinit(&sk);
    return partition;
}

/* The only effect of the change that tells of such a write. */
static struct pl_effect written(struct fixture *f, const struct pl_stream_write *write)
{
    struct pl_effect effect;
    struct pl_bytes rest;

    pl_buf_clear(&f->change);
    pl_stream_append(write, &f->scratch, &f->change);
    CHECK(pl_buf_status(&f->change) == 0 && pl_buf_status(&f->scratch) == 0);
    rest = pl_buf_view(&f->change);
    CHECK(pl_change_take(&rest, &effect) == 1 && effect.kind == PL_EFFECT_PUT && rest.len == 0);
    return effect;
}

static void store(struct fixture *f, const struct pl_stream_write *write)
{
    struct pl_effect effect = written(f, write);

    CHECK(pl_state_set(f->state, effect.key, effect.value, false) == 0);
}

/* ---- a record ----------------------------------------------------------------------------------------- */

static bool same_item(struct pl_item a, const struct pl_item *b)
{
    return pl_bytes_equal(a.bytes, b->bytes) && a.size_bytes == b->size_bytes;
}

static void check_record(struct fixture *f, const struct pl_stream_record *record,
                         const struct pl_stream_write *write)
{
    enum pl_stream_view view = write->table->stream;
    bool new_shown =
        write->new != NULL && (view == PL_STREAM_NEW_IMAGE || view == PL_STREAM_NEW_AND_OLD_IMAGES);
    bool old_shown =
        write->old != NULL && (view == PL_STREAM_OLD_IMAGE || view == PL_STREAM_NEW_AND_OLD_IMAGES);
    struct pl_value value;
    struct pl_buf buf = { 0 };
    struct pl_item keys;
    uint32_t size_bytes = 1 + 4 + 1 + 2;

    CHECK(record->partition == write->partition && record->sequence == write->sequence);
    CHECK(record->event == (write->old == NULL   ? PL_STREAM_INSERT
                            : write->new == NULL ? PL_STREAM_REMOVE
                                                 : PL_STREAM_MODIFY));
    CHECK(record->view == view && record->actor == write->actor && record->at_ms == write->at_ms);
    CHECK(record->cascade_depth == write->cascade_depth);
    CHECK(record->has_new == new_shown && record->has_old == old_shown);
    CHECK(record->has_keys == (!new_shown && !old_shown));
    CHECK(!new_shown || same_item(record->new, write->new));
    CHECK(!old_shown || same_item(record->old, write->old));
    CHECK(pl_stream_record_keys(record, &f->table->keys, &buf, &keys) == 0);
    CHECK(pl_item_find(keys, pl_str("p"), &value) && pl_item_find(keys, pl_str("s"), &value));
    CHECK(!pl_item_find(keys, pl_str("a"), &value) && !pl_item_find(keys, pl_str("z"), &value));
    CHECK(keys.size_bytes == size_bytes);
    size_bytes += (new_shown ? write->new->size_bytes : 0) + (old_shown ? write->old->size_bytes : 0);
    CHECK(pl_stream_record_size_bytes(record, &f->table->keys) == size_bytes);
    pl_buf_deinit(&buf);
}

/* Each view, and each of insert, modify and remove, in turn. */
static struct pl_stream_write write_of(struct fixture *f, unsigned kind, const struct pl_item *old,
                                       const struct pl_item *new)
{
    f->table->stream = PL_STREAM_KEYS_ONLY + kind % 4;
    return (struct pl_stream_write){ .table = f->table,
                                     .partition = (uint16_t)(kind % PARTITIONS),
                                     .sequence = UINT64_C(1) << kind,
                                     .old = kind / 4 % 3 == 0 ? NULL : old,
                                     .new = kind / 4 % 3 == 2 ? NULL : new,
                                     .actor = kind % 3,
                                     .cascade_depth = (uint8_t)kind,
                                     .at_ms = 1700000000123 + (int64_t)kind };
}

enum { KINDS = 4 * 3 * 3 };

static void a_record_reads_back_as_it_was_written(void)
{
    struct fixture f;

    start(&f);
    for (unsigned kind = 0; kind < KINDS; kind++) {
        struct pl_item old = item_of(&f, 1, 10), new = item_of(&f, 1, 11);
        struct pl_stream_write write = write_of(&f, kind, &old, &new);
        struct pl_effect effect = written(&f, &write);
        struct pl_stream_record record;

        CHECK(pl_stream_record_read(effect.key, effect.value, &record) == 0);
        check_record(&f, &record, &write);
    }
    end(&f);
}

static bool lies_in(struct pl_bytes part, struct pl_bytes whole)
{
    return part.len == 0 || (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

/* The store's checksums see damage first. What gets past them is refused, or has nothing outside its bytes. */
static void a_damaged_record_is_refused_or_stays_within_its_bytes(void)
{
    struct fixture f;
    unsigned refused = 0, total = 0;

    start(&f);
    for (unsigned kind = 0; kind < KINDS; kind++) {
        struct pl_item old = item_of(&f, 1, 10), new = item_of(&f, 1, 11), checked;
        struct pl_stream_write write = write_of(&f, kind, &old, &new);
        struct pl_effect effect = written(&f, &write);
        struct pl_stream_record record;
        char *bytes = malloc(effect.value.len);

        CHECK(bytes != NULL);
        for (size_t len = 0; len < effect.value.len; len++) {
            char *cut = malloc(len + 1);

            CHECK(cut != NULL);
            memcpy(cut, effect.value.data, len);
            CHECK(pl_stream_record_read(effect.key, pl_bytes(cut, len), &record) == PL_ECORRUPT);
            CHECK(pl_stream_record_read(pl_bytes(effect.key.data, len % effect.key.len), effect.value,
                                        &record) == PL_ECORRUPT);
            free(cut);
        }
        for (size_t i = 0; i < effect.value.len * 8; i++, total++) {
            struct pl_bytes whole = pl_bytes(bytes, effect.value.len);

            memcpy(bytes, effect.value.data, effect.value.len);
            bytes[i / 8] = (char)(bytes[i / 8] ^ (1 << i % 8));
            record = (struct pl_stream_record){ 0 };
            if (pl_stream_record_read(effect.key, whole, &record) != 0) {
                refused++;
                continue;
            }
            CHECK(lies_in(record.keys.bytes, whole) && lies_in(record.new.bytes, whole) &&
                  lies_in(record.old.bytes, whole));
            (void)pl_item_check(record.new.bytes, &checked);
            (void)pl_item_check(record.old.bytes, &checked);
            (void)pl_item_check(record.keys.bytes, &checked);
        }
        free(bytes);
    }
    CHECK(refused > total / 20);
    end(&f);
}

/* ---- walks -------------------------------------------------------------------------------------------- */

static void flush(struct fixture *f)
{
    CHECK(pl_state_freeze(f->state) == 0 && pl_state_flush(f->state) == 0);
    pl_state_settle(f->state);
}

static void store_plain(struct fixture *f, uint16_t partition, uint32_t stream_id, uint64_t sequence)
{
    struct pl_item item = item_of(f, 1, (int)sequence);
    struct pl_stream_write write = {
        .table = f->table, .partition = partition, .sequence = sequence, .new = &item
    };

    f->table->stream_id = stream_id;
    store(f, &write);
    f->table->stream_id = STREAM;
}

/* `expected` ends with 0. */
static void check_walk(struct fixture *f, uint16_t partition, uint64_t from, const uint64_t *expected)
{
    struct pl_stream_walk walk = { f->snapshot, STREAM, partition };
    struct pl_stream_record record;
    int rc;

    CHECK(pl_snapshot_renew(f->snapshot) == 0);
    rc = pl_stream_seek(&walk, from, &record);
    for (; *expected != 0; expected++) {
        CHECK(rc == 0 && record.sequence == *expected && record.partition == partition);
        rc = pl_stream_next(&walk, &record);
    }
    CHECK(rc == PL_ENOTFOUND);
    pl_snapshot_reset(f->snapshot);
}

static void a_walk_sees_its_own_shard_only_wherever_the_records_are(void)
{
    static const uint64_t all[] = { 1, 2, 200, 300, 0x100000000, 0 }, some[] = { 300, 0x100000000, 0 },
                          none[] = { 0 };
    struct fixture f;

    start(&f);
    for (uint16_t p = 0; p < PARTITIONS; p++) {
        store_plain(&f, p, STREAM - 1, 5);
        store_plain(&f, p, STREAM + 1, 5);
    }
    store_plain(&f, 1, STREAM, 2);
    store_plain(&f, 1, STREAM, 300);
    flush(&f); /* in the store */
    store_plain(&f, 1, STREAM, 1);
    store_plain(&f, 1, STREAM, 200);
    CHECK(pl_state_freeze(f.state) == 0); /* on the way there */
    store_plain(&f, 1, STREAM, 0x100000000);
    check_walk(&f, 1, 0, all);
    check_walk(&f, 1, 1, all);
    check_walk(&f, 1, 201, some);
    check_walk(&f, 1, 0x100000001, none);
    check_walk(&f, 0, 0, none);
    check_walk(&f, 2, 0, none);
    CHECK(pl_state_flush(f.state) == 0);
    pl_state_settle(f.state);
    check_walk(&f, 1, 0, all);
    end(&f);
}

static void apply(struct fixture *f)
{
    struct pl_bytes rest = pl_buf_view(&f->change);
    struct pl_effect effect;

    while (pl_change_take(&rest, &effect) == 1)
        CHECK(pl_state_set(f->state, effect.key, effect.value, effect.kind == PL_EFFECT_DELETE) == 0);
}

static void how_far_a_shard_is_trimmed_is_told_and_is_no_record(void)
{
    static const uint64_t left[] = { 8, 9, 0 };
    struct pl_stream_walk walk = { .stream_id = STREAM, .partition = 2 };
    struct fixture f;
    uint64_t trimmed, last;

    start(&f);
    walk.snapshot = f.snapshot;
    CHECK(pl_snapshot_renew(f.snapshot) == 0);
    CHECK(pl_stream_trimmed(&walk, &trimmed) == 0 && trimmed == 0);
    CHECK(pl_stream_last(&walk, &last) == 0 && last == 0);
    pl_snapshot_reset(f.snapshot);
    store_plain(&f, 2, STREAM, 8);
    store_plain(&f, 2, STREAM, 9);
    pl_buf_clear(&f.change);
    pl_stream_append_trim(&f.change, 2, STREAM, 7);
    apply(&f);
    check_walk(&f, 2, 0, left);
    CHECK(pl_snapshot_renew(f.snapshot) == 0);
    CHECK(pl_stream_trimmed(&walk, &trimmed) == 0 && trimmed == 7);
    CHECK(pl_stream_last(&walk, &last) == 0 && last == 9);
    walk.partition = 1;
    CHECK(pl_stream_trimmed(&walk, &trimmed) == 0 && trimmed == 0);
    CHECK(pl_stream_last(&walk, &last) == 0 && last == 0);
    pl_snapshot_reset(f.snapshot);
    pl_buf_clear(&f.change);
    pl_stream_append_trim(&f.change, 1, STREAM, 7);
    apply(&f);
    CHECK(pl_snapshot_renew(f.snapshot) == 0);
    CHECK(pl_stream_last(&walk, &last) == 0 && last == 7);
    pl_snapshot_reset(f.snapshot);
    end(&f);
}

/* ---- what the check says ------------------------------------------------------------------------------ */

static void check_says(struct fixture *f, uint64_t records, const char *sentences)
{
    struct pl_tables *none = pl_tables_new(), *tables = pl_tables_with(none, 0, f->table);
    struct pl_buf said = { 0 };
    struct pl_verify verify = {
        .snapshot = f->snapshot, .tables = tables, .partition_count = PARTITIONS, .sentences = &said
    };

    CHECK(pl_snapshot_renew(f->snapshot) == 0);
    CHECK(pl_verify_streams(&verify) == 0);
    CHECK_MSG(pl_bytes_equal(pl_buf_view(&said), pl_str(sentences)), "%.*s", (int)said.len, said.data);
    CHECK_MSG(verify.stream_records == records, "%llu records", (unsigned long long)verify.stream_records);
    CHECK((verify.faults == 0) == (sentences[0] == '\0'));
    pl_snapshot_reset(f->snapshot);
    pl_buf_deinit(&said);
    pl_tables_unref(tables);
    pl_tables_unref(none);
}

static void the_check_finds_what_no_write_leaves(void)
{
    char sentence[160];
    struct fixture f;
    struct pl_item item;
    struct pl_stream_write write;
    struct pl_effect effect;
    uint8_t key[PL_STREAM_KEY_BYTES];
    uint16_t home;

    start(&f);
    item = item_of(&f, 3, 1);
    home = partition_of(&f, item);
    f.table->stream = PL_STREAM_NEW_AND_OLD_IMAGES;
    write = (struct pl_stream_write){ .table = f.table, .partition = home, .sequence = 5, .new = &item };
    check_says(&f, 0, "");
    store(&f, &write);
    check_says(&f, 1, "");

    pl_buf_clear(&f.change);
    pl_stream_append_trim(&f.change, home, STREAM, 5);
    apply(&f);
    snprintf(sentence, sizeof sentence, "Tab: stream record %u:5 is there, and 5 was trimmed\n", home);
    check_says(&f, 1, sentence);
    CHECK(pl_state_set(f.state, pl_stream_key(key, home, STREAM, 0), pl_str("x"), false) == 0);
    snprintf(sentence, sizeof sentence, "Tab: partition %u: its stream cannot be read\n", home);
    check_says(&f, 0, sentence);
    CHECK(pl_state_set(f.state, pl_stream_key(key, home, STREAM, 0), pl_str(""), true) == 0);
    check_says(&f, 1, "");

    write.partition = (uint16_t)((home + 1) % PARTITIONS);
    store(&f, &write);
    snprintf(sentence, sizeof sentence, "Tab: stream record %u:5 is of an item of another partition\n",
             write.partition);
    check_says(&f, 2, sentence);
    CHECK(pl_state_set(f.state, pl_stream_key(key, write.partition, STREAM, 5), pl_str(""), true) == 0);

    write.partition = home;
    effect = written(&f, &write);
    ((char *)effect.value.data)[1] = PL_STREAM_REMOVE; /* with a new image */
    CHECK(pl_state_set(f.state, effect.key, effect.value, false) == 0);
    snprintf(sentence, sizeof sentence, "Tab: stream record %u:5 is malformed\n", home);
    check_says(&f, 1, sentence);
    CHECK(pl_state_set(f.state, effect.key, pl_bytes(effect.value.data, effect.value.len - 1), false) == 0);
    snprintf(sentence, sizeof sentence, "Tab: partition %u: its stream cannot be read\n", home);
    check_says(&f, 0, sentence);
    end(&f);
}

int main(void)
{
    RUN(a_record_reads_back_as_it_was_written);
    RUN(a_damaged_record_is_refused_or_stays_within_its_bytes);
    RUN(a_walk_sees_its_own_shard_only_wherever_the_records_are);
    RUN(how_far_a_shard_is_trimmed_is_told_and_is_no_record);
    RUN(the_check_finds_what_no_write_leaves);
    return test_summary();
}
