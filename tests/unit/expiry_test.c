/* SPDX-License-Identifier: MIT */
#include "partition/expiry.h"

#include "model/json.h"
#include "model/record.h"
#include "partition/change.h"

#include "scratch_dir.h"
#include "test.h"

/* A table whose items expire, kept without a shard. */
enum { PARTITIONS = 4, NOW_S = 2000000000, LONG = 1000 };

struct fixture {
    struct scratch_dir dir;
    struct pl_store *store;
    struct pl_state *state;
    struct pl_snapshot *snapshot;
    struct pl_inflight *nothing;
    struct pl_table *table;
    struct pl_arena arena;
    struct pl_buf change, scratch;
    struct pl_view view;
    struct pl_index_work work;
    struct pl_reason why;
};

static void start_with(struct fixture *f, const char *definition)
{
    struct pl_store_options options = { .create = true,
                                        .map_bytes_max = UINT64_C(1) << 30,
                                        .readers_max = 8 };
    char path[128];

    *f = (struct fixture){ .dir = scratch_dir_make() };
    snprintf(path, sizeof path, "%s/store", f->dir.path);
    CHECK(pl_store_open(path, &options, &f->store, NULL) == 0);
    CHECK(pl_state_new(f->store, 0, 7, &f->state) == 0);
    CHECK(pl_snapshot_open(f->state, &f->snapshot) == 0);
    CHECK(pl_snapshot_renew(f->snapshot) == 0);
    CHECK(pl_inflight_new(7, &f->nothing) == 0);
    CHECK_MSG(pl_table_from_text(pl_str(definition), false, &f->table, &f->why) == 0, "%s", f->why.text);
    f->table->id = 1;
    f->table->expiry_id = 2;
    f->view = (struct pl_view){ .snapshot = f->snapshot, .inflight = f->nothing };
    f->work = (struct pl_index_work){ .view = &f->view,
                                      .partition_count = PARTITIONS,
                                      .table = f->table,
                                      .arena = &f->arena,
                                      .scratch = &f->scratch,
                                      .change = &f->change };
}

static void start(struct fixture *f)
{
    start_with(f, "{\"table\":\"Things\",\"partition_key\":\"P:S\",\"sort_key\":\"S:S\",\"ttl\":\"T\"}");
}

static void end(struct fixture *f)
{
    pl_buf_deinit(&f->change);
    pl_buf_deinit(&f->scratch);
    pl_arena_deinit(&f->arena);
    pl_table_unref(f->table);
    pl_inflight_free(f->nothing);
    pl_snapshot_close(f->snapshot);
    pl_state_free(f->state);
    pl_store_close(f->store);
    scratch_dir_remove(&f->dir);
}

static struct pl_item item_of(struct fixture *f, const char *json)
{
    struct pl_buf bytes = { 0 };
    struct pl_item item = { 0 };

    CHECK_MSG(pl_json_read_item(pl_str(json), PL_JSON_PLAIN, &f->arena, &bytes, &item, &f->why) == 0, "%s",
              f->why.text);
    item.bytes = pl_arena_copy(&f->arena, item.bytes);
    pl_buf_deinit(&bytes);
    return item;
}

/* An item with the attribute `t`, which is written as JSON; NULL: without one. */
static struct pl_item thing(struct fixture *f, const char *p, const char *s, const char *t)
{
    char json[4096];

    snprintf(json, sizeof json, "{\"P\":\"%s\",\"S\":\"%s\"%s%s}", p, s,
             t == NULL ? "" : ",\"T\":", t == NULL ? "" : t);
    return item_of(f, json);
}

static void apply(struct fixture *f)
{
    struct pl_bytes rest = pl_buf_view(&f->change);
    struct pl_effect effect;

    while (pl_change_take(&rest, &effect) == 1)
        CHECK(pl_state_set(f->state, effect.key, effect.value, effect.kind == PL_EFFECT_DELETE) == 0);
    pl_buf_clear(&f->change);
}

static void update(struct fixture *f, const struct pl_item *before, const struct pl_item *after)
{
    CHECK(pl_expiry_update(&f->work, before, after) == 0);
    apply(f);
}

static void put(struct fixture *f, struct pl_item item)
{
    update(f, NULL, &item);
}

/* All entries there are. */
static uint32_t entries(struct fixture *f)
{
    struct pl_keyspace space = { PL_KIND_EXPIRY, 2, PARTITIONS };
    uint32_t count = 0;

    for (uint16_t p = 0; p < PARTITIONS; p++) {
        struct pl_bytes key, record;
        struct pl_key from;
        int rc;

        pl_key_partition_start(&from, &space, p, 0);
        rc = pl_snapshot_seek(f->snapshot, pl_key_view(&from), &key, &record);
        while (rc == 0 && pl_key_in_partition(key, &space, p)) {
            struct pl_record_cursor cursor;
            struct pl_record_entry entry;

            CHECK(pl_record_open(record, &cursor) == 0);
            while (pl_record_next(&cursor, &entry))
                count++;
            rc = pl_snapshot_next(f->snapshot, &key, &record);
        }
        CHECK(rc == 0 || rc == PL_ENOTFOUND);
    }
    return count;
}

/* True when the item's entry is there, under its second, and holds its key and nothing else. */
static bool has_entry(struct fixture *f, struct pl_item item)
{
    struct pl_place place;
    struct pl_item there;
    struct pl_value p, there_p, s, there_s;
    uint64_t second;
    int rc = pl_expiry_place(&f->work, &item, &place);

    if (rc == 0)
        rc = pl_place_get(&place, &f->view, &there);
    if (rc != 0)
        return false;
    CHECK(pl_expiry_second(f->table, item, &second));
    CHECK(pl_expiry_key_second(pl_key_view(&place.key)) == second);
    CHECK(pl_item_find(item, pl_str("P"), &p) && pl_item_find(there, pl_str("P"), &there_p));
    CHECK(pl_item_find(item, pl_str("S"), &s) && pl_item_find(there, pl_str("S"), &there_s));
    CHECK(!pl_item_find(there, pl_str("T"), &p));
    return pl_value_equal(s, there_s);
}

/* ---- time ------------------------------------------------------------------------------------------- */

static bool expires(struct fixture *f, const char *t, uint64_t second)
{
    uint64_t found;

    return pl_expiry_second(f->table, thing(f, "p", "s", t), &found) && found == second;
}

static bool never_expires(struct fixture *f, const char *t)
{
    uint64_t found;

    return !pl_expiry_second(f->table, thing(f, "p", "s", t), &found) &&
           !pl_expiry_is_due(f->table, thing(f, "p", "s", t), INT64_C(1000) * NOW_S);
}

static bool is_due(struct fixture *f, const char *t, int64_t now_ms)
{
    return pl_expiry_is_due(f->table, thing(f, "p", "s", t), now_ms);
}

static void a_number_is_taken_by_its_whole_seconds(void)
{
    struct fixture f;

    start(&f);
    CHECK(expires(&f, "0", 0));
    CHECK(expires(&f, "2000000000", NOW_S));
    CHECK(expires(&f, "2000000000.999999", NOW_S));
    CHECK(expires(&f, "2e9", NOW_S));
    CHECK(expires(&f, "20000000005E-1", NOW_S));
    CHECK(expires(&f, "1E-130", 0));
    CHECK(expires(&f, "0.99999999999999999999999999999999999999", 0));
    CHECK(expires(&f, "9223372036854775807", INT64_MAX));
    CHECK(expires(&f, "9223372036854775807.5", INT64_MAX));
    end(&f);
}

static void what_is_no_time_never_expires(void)
{
    struct fixture f;

    start(&f);
    CHECK(never_expires(&f, NULL));
    CHECK(never_expires(&f, "\"1999999999\""));
    CHECK(never_expires(&f, "true"));
    CHECK(never_expires(&f, "null"));
    CHECK(never_expires(&f, "[1999999999]"));
    CHECK(never_expires(&f, "{\"T\":1999999999}"));
    CHECK(never_expires(&f, "{\"$set\":[1999999999]}"));
    CHECK(never_expires(&f, "-1"));
    CHECK(never_expires(&f, "-0.1"));
    CHECK(never_expires(&f, "9223372036854775808"));
    CHECK(never_expires(&f, "9E125"));
    end(&f);
}

static void due_is_less_than_now(void)
{
    struct fixture f;
    int64_t now_ms = INT64_C(1000) * NOW_S;

    start(&f);
    CHECK(!is_due(&f, "2000000000", now_ms));
    CHECK(is_due(&f, "2000000000", now_ms + 1));
    CHECK(is_due(&f, "1999999999", now_ms));
    CHECK(!is_due(&f, "2000000001", now_ms));
    end(&f);
}

static void fractions_count(void)
{
    struct fixture f;
    int64_t now_ms = INT64_C(1000) * NOW_S;

    start(&f);
    CHECK(!is_due(&f, "2000000000.5", now_ms + 500));
    CHECK(is_due(&f, "2000000000.5", now_ms + 501));
    CHECK(is_due(&f, "2000000000.4999999999", now_ms + 500));
    CHECK(is_due(&f, "1999999999.9999999999", now_ms));
    CHECK(is_due(&f, "0", 1));
    CHECK(!is_due(&f, "0", 0));
    CHECK(is_due(&f, "1E-130", 1));
    end(&f);
}

static void what_expired_more_than_five_years_ago_stays(void)
{
    struct fixture f;
    int64_t now_ms = INT64_C(1000) * NOW_S;

    start(&f);
    CHECK(PL_EXPIRY_AGE_MAX_S == 157680000);
    CHECK(is_due(&f, "1842320000", now_ms));
    CHECK(!is_due(&f, "1842320000", now_ms + 1));
    CHECK(!is_due(&f, "1842319999.9999999999", now_ms));
    CHECK(!is_due(&f, "1842319999", now_ms));
    CHECK(!is_due(&f, "0", now_ms));
    end(&f);
}

static void a_table_without_the_attribute_has_no_expiries(void)
{
    struct fixture f;
    struct pl_item item;
    uint64_t second;

    start_with(&f, "{\"table\":\"Things\",\"partition_key\":\"P:S\",\"sort_key\":\"S:S\"}");
    f.table->expiry_id = 0;
    item = thing(&f, "p", "s", "1");
    CHECK(!pl_expiry_second(f.table, item, &second) && !pl_expiry_is_due(f.table, item, 2000));
    end(&f);
}

/* ---- entries ---------------------------------------------------------------------------------------- */

static void an_entry_follows_its_item(void)
{
    struct fixture f;
    struct pl_item first, later, never;

    start(&f);
    first = thing(&f, "p", "s", "100");
    later = thing(&f, "p", "s", "200.5");
    never = thing(&f, "p", "s", NULL);
    put(&f, first);
    CHECK(has_entry(&f, first) && entries(&f) == 1);
    update(&f, &first, &later);
    CHECK(has_entry(&f, later) && entries(&f) == 1);
    update(&f, &later, &never);
    CHECK(entries(&f) == 0);
    update(&f, &never, &first);
    CHECK(has_entry(&f, first) && entries(&f) == 1);
    update(&f, &first, NULL);
    CHECK(entries(&f) == 0);
    end(&f);
}

static void a_write_that_keeps_the_second_changes_no_entry(void)
{
    struct fixture f;
    struct pl_item first, again, never;

    start(&f);
    first = thing(&f, "p", "s", "100.1");
    again = thing(&f, "p", "s", "100.9");
    never = thing(&f, "p", "s", "\"no number\"");
    put(&f, first);
    CHECK(pl_expiry_update(&f.work, &first, &again) == 0 && f.change.len == 0);
    CHECK(pl_expiry_update(&f.work, NULL, &never) == 0 && f.change.len == 0);
    CHECK(pl_expiry_update(&f.work, &never, NULL) == 0 && f.change.len == 0);
    CHECK(has_entry(&f, again) && entries(&f) == 1);
    end(&f);
}

static void entries_stand_in_the_items_partition_in_the_order_of_time(void)
{
    struct fixture f;
    struct pl_keyspace items = { PL_KIND_ITEM, 1, PARTITIONS };
    struct pl_item early, late;
    struct pl_buf pk = { 0 }, tail = { 0 };
    struct pl_place a, b;
    struct pl_key own;

    start(&f);
    early = thing(&f, "p", "z", "255");
    late = thing(&f, "p", "a", "256");
    CHECK(pl_expiry_place(&f.work, &early, &a) == 0 && pl_expiry_place(&f.work, &late, &b) == 0);
    CHECK(pl_bytes_compare(pl_key_view(&a.key), pl_key_view(&b.key)) < 0);
    CHECK(pl_key_schema_encode(&f.table->keys, early, &pk, &tail, NULL) == PL_KEY_WHOLE);
    pl_key_build(&own, &items, pl_buf_view(&pk), pl_buf_view(&tail));
    CHECK(pl_get_be16(a.key.bytes) == pl_get_be16(own.bytes));
    CHECK(!a.key.shortened && a.key.len == own.len + 8);
    CHECK(memcmp(a.key.bytes + 15, own.bytes + 7, own.len - 7u) == 0);
    pl_buf_deinit(&pk);
    pl_buf_deinit(&tail);
    end(&f);
}

/* Sort keys that differ only at their ends: as items they stand apart or share a record, by their length. */
static void keys_too_long_for_a_store_key_are_told_apart(void)
{
    struct fixture f;
    char text[LONG + 8];

    start(&f);
    for (int length = 470; length <= 500; length++) {
        struct pl_item a, b;

        memset(text, 'x', sizeof text);
        snprintf(text + length, 8, "a");
        a = thing(&f, "p", text, "100");
        snprintf(text + length, 8, "b");
        b = thing(&f, "p", text, "100");
        put(&f, a);
        CHECK_MSG(entries(&f) == 1 && !has_entry(&f, b), "%d", length);
        put(&f, b);
        CHECK_MSG(entries(&f) == 2 && has_entry(&f, a) && has_entry(&f, b), "%d", length);
        update(&f, &a, NULL);
        CHECK_MSG(entries(&f) == 1 && !has_entry(&f, a) && has_entry(&f, b), "%d", length);
        update(&f, &b, NULL);
        CHECK_MSG(entries(&f) == 0, "%d", length);
    }
    end(&f);
}

/* A tail that fills the key to its last byte must not be taken for one that was cut there. */
static void a_key_that_just_fits_is_not_taken_for_one_that_was_cut(void)
{
    struct fixture f;
    char text[LONG + 8];
    struct pl_item items[40];

    start(&f);
    for (int i = 0; i < 40; i++) {
        memset(text, 'x', sizeof text);
        text[465 + i] = '\0';
        items[i] = thing(&f, "p", text, "100");
        put(&f, items[i]);
    }
    CHECK(entries(&f) == 40);
    for (int i = 0; i < 40; i++) {
        CHECK(has_entry(&f, items[i]));
        update(&f, &items[i], NULL);
        CHECK(entries(&f) == 39u - (unsigned)i);
    }
    end(&f);
}

static void a_long_partition_key_keeps_the_second_in_full(void)
{
    struct fixture f;
    char text[LONG + 8];
    struct pl_item a, b, later;

    start(&f);
    memset(text, 'x', sizeof text);
    snprintf(text + LONG, 8, "a");
    a = thing(&f, text, "s", "100");
    later = thing(&f, text, "s", "72057594037927936");
    snprintf(text + LONG, 8, "b");
    b = thing(&f, text, "s", "100");
    put(&f, a);
    put(&f, b);
    CHECK(entries(&f) == 2 && has_entry(&f, a) && has_entry(&f, b));
    update(&f, &a, &later);
    CHECK(entries(&f) == 2 && has_entry(&f, later) && has_entry(&f, b));
    end(&f);
}

static void a_key_attribute_may_say_when(void)
{
    struct fixture f;
    struct pl_item item;
    uint64_t second;

    start_with(&f, "{\"table\":\"Things\",\"partition_key\":\"P:S\",\"sort_key\":\"T:N\",\"ttl\":\"T\"}");
    item = item_of(&f, "{\"P\":\"p\",\"T\":1999999999}");
    CHECK(pl_expiry_second(f.table, item, &second) && second == 1999999999);
    CHECK(pl_expiry_is_due(f.table, item, INT64_C(1000) * NOW_S));
    put(&f, item);
    CHECK(entries(&f) == 1);
    update(&f, &item, NULL);
    CHECK(entries(&f) == 0);
    end(&f);
}

static void filling_enters_what_is_missing_and_nothing_twice(void)
{
    struct fixture f;
    struct pl_item item, never;

    start(&f);
    item = thing(&f, "p", "s", "100");
    never = thing(&f, "p", "t", NULL);
    CHECK(pl_expiry_fill(&f.work, &item) == 0 && f.change.len > 0);
    apply(&f);
    CHECK(has_entry(&f, item));
    CHECK(pl_expiry_fill(&f.work, &item) == 0 && f.change.len == 0);
    CHECK(pl_expiry_fill(&f.work, &never) == 0 && f.change.len == 0);
    end(&f);
}

int main(void)
{
    RUN(a_number_is_taken_by_its_whole_seconds);
    RUN(what_is_no_time_never_expires);
    RUN(due_is_less_than_now);
    RUN(fractions_count);
    RUN(what_expired_more_than_five_years_ago_stays);
    RUN(a_table_without_the_attribute_has_no_expiries);
    RUN(an_entry_follows_its_item);
    RUN(a_write_that_keeps_the_second_changes_no_entry);
    RUN(entries_stand_in_the_items_partition_in_the_order_of_time);
    RUN(keys_too_long_for_a_store_key_are_told_apart);
    RUN(a_key_that_just_fits_is_not_taken_for_one_that_was_cut);
    RUN(a_long_partition_key_keeps_the_second_in_full);
    RUN(a_key_attribute_may_say_when);
    RUN(filling_enters_what_is_missing_and_nothing_twice);
    return test_summary();
}
