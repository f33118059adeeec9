/* SPDX-License-Identifier: MIT */
#include "partition/verify.h"

#include "model/json.h"
#include "model/record.h"
#include "partition/change.h"
#include "partition/expiry.h"
#include "partition/letter.h"
#include "partition/progress.h"
#include "partition/token.h"

#include "scratch_dir.h"
#include "test.h"

/* A table with an index that has a function and with items that expire, kept without a shard, so that single records can be spoilt. */
static const char *const module =
    "return { table = 'Things', partition_key = 'P:S', ttl = 'T', stream = 'keys_only',"
    " triggers = { t = { run = function() end } }, indexes = { ByA = { partition_key = 'A:S',"
    " sort_key = 'B:S', project = function(item) return { A = item.A, B = item.B, C = 'made' } end } } }";

enum { PARTITIONS = 4, LONG = 1000 };

struct fixture {
    struct scratch_dir dir;
    struct pl_store *store;
    struct pl_state *state;
    struct pl_snapshot *snapshot;
    struct pl_counters *counters;
    struct pl_inflight *nothing;
    struct pl_script *script;
    struct pl_table *table;
    struct pl_arena arena;
    struct pl_buf change, scratch;
    struct pl_capacity capacity;
    struct pl_view view;
    struct pl_index_work work;
    struct pl_reason why;
    char sentences[4096];
};

static void start(struct fixture *f)
{
    struct pl_store_options options = { .create = true,
                                        .map_bytes_max = UINT64_C(1) << 30,
                                        .readers_max = 8 };
    struct pl_script_limits limits = { .time_ms = 1000 };
    struct pl_script_file file = { .name = pl_str("things.lua"), .text = pl_str(module) };
    char path[128];

    *f = (struct fixture){ .dir = scratch_dir_make() };
    snprintf(path, sizeof path, "%s/store", f->dir.path);
    CHECK(pl_store_open(path, &options, &f->store, NULL) == 0);
    CHECK(pl_state_new(f->store, 0, 7, &f->state) == 0);
    CHECK(pl_snapshot_open(f->state, &f->snapshot) == 0);
    CHECK(pl_snapshot_renew(f->snapshot) == 0);
    CHECK(pl_counters_new(&f->counters) == 0);
    CHECK(pl_inflight_new(7, &f->nothing) == 0);
    CHECK_MSG(pl_script_load(&limits, pl_clock_system(), &file, 1, &f->script, &f->why) == 0, "%s",
              f->why.text);
    CHECK(pl_table_copy(pl_script_definition(f->script, 0), &f->table) == 0);
    f->table->id = 1;
    f->table->indexes[0].id = 2;
    f->table->expiry_id = 3;
    f->table->triggers[0].id = 4;
    f->view = (struct pl_view){ .snapshot = f->snapshot, .inflight = f->nothing };
    f->work = (struct pl_index_work){ .view = &f->view,
                                      .partition_count = PARTITIONS,
                                      .table = f->table,
                                      .script = pl_script_table(f->script, pl_str("Things")),
                                      .arena = &f->arena,
                                      .scratch = &f->scratch,
                                      .change = &f->change,
                                      .capacity = &f->capacity };
}

static void end(struct fixture *f)
{
    pl_buf_deinit(&f->change);
    pl_buf_deinit(&f->scratch);
    pl_arena_deinit(&f->arena);
    pl_table_unref(f->table);
    pl_script_free(f->script);
    pl_inflight_free(f->nothing);
    pl_counters_free(f->counters);
    pl_snapshot_close(f->snapshot);
    pl_state_free(f->state);
    pl_store_close(f->store);
    scratch_dir_remove(&f->dir);
}

/* What was gathered is done, counts included. */
static void apply(struct fixture *f)
{
    struct pl_bytes rest = pl_buf_view(&f->change);
    struct pl_effect effect;

    while (pl_change_take(&rest, &effect) == 1)
        if (effect.kind == PL_EFFECT_COUNT)
            CHECK(pl_counters_add(f->counters, effect.partition, effect.id, effect.items,
                                  effect.size_bytes) == 0);
        else
            CHECK(pl_state_set(f->state, effect.key, effect.value, effect.kind == PL_EFFECT_DELETE) == 0);
    pl_buf_clear(&f->change);
}

static struct pl_item item_of(struct fixture *f, const char *p, const char *a, const char *b)
{
    struct pl_buf bytes = { 0 };
    struct pl_item item = { 0 };
    char json[4096];

    snprintf(json, sizeof json, "{\"P\":\"%s\",\"A\":\"%s\",\"B\":\"%s\"}", p, a, b);
    CHECK(pl_json_read_item(pl_str(json), PL_JSON_PLAIN, &f->arena, &bytes, &item, &f->why) == 0);
    item.bytes = pl_arena_copy(&f->arena, item.bytes);
    pl_buf_deinit(&bytes);
    return item;
}

/* Where `item` stands in the keyspace of `kind`: by its own key, or by the index's and its own. */
static struct pl_place place_of(struct fixture *f, enum pl_key_kind kind, struct pl_item item)
{
    struct pl_keyspace space = { kind, kind == PL_KIND_ITEM ? 1 : 2, PARTITIONS };
    const struct pl_key_schema *own = &f->table->keys, *keys = &f->table->indexes[0].keys;
    struct pl_buf pk = { 0 }, tail = { 0 }, base = { 0 };
    struct pl_place place;

    if (kind == PL_KIND_GLOBAL_INDEX) {
        CHECK(pl_key_schema_encode(keys, item, &pk, &tail, NULL) == PL_KEY_WHOLE);
        CHECK(pl_key_schema_encode(own, item, &tail, &base, NULL) == PL_KEY_WHOLE);
        pl_buf_append_bytes(&tail, pl_buf_view(&base));
    } else {
        CHECK(pl_key_schema_encode(own, item, &pk, &tail, NULL) == PL_KEY_WHOLE);
    }
    CHECK(pl_place_make(&place, &space, pl_buf_view(&pk), pl_buf_view(&tail), &f->arena) == 0);
    pl_buf_deinit(&pk);
    pl_buf_deinit(&tail);
    pl_buf_deinit(&base);
    return place;
}

/* One record alone, as no write would leave it. NULL: it is gone. */
static void plant(struct fixture *f, enum pl_key_kind kind, struct pl_item at, const struct pl_item *item)
{
    struct pl_place place = place_of(f, kind, at);

    CHECK(pl_place_set(&place, &f->view, item, &f->scratch, &f->change) == 0);
    apply(f);
}

static void put(struct fixture *f, struct pl_item item)
{
    struct pl_place place = place_of(f, PL_KIND_ITEM, item);
    struct pl_index_local_bytes local;

    pl_change_count(&f->change, pl_get_be16(place.key.bytes), 1, 1, (int64_t)item.size_bytes);
    CHECK(pl_place_set(&place, &f->view, &item, &f->scratch, &f->change) == 0);
    CHECK_MSG(pl_index_update(&f->work, NULL, &item, &local, &f->why) == 0, "%s", f->why.text);
    CHECK(pl_expiry_update(&f->work, NULL, &item) == 0);
    apply(f);
}

/* The number of faults; their sentences are in `f` then. */
static uint64_t faults(struct fixture *f)
{
    struct pl_buf sentences = { 0 };
    struct pl_tables tables = { .tables = &f->table, .count = 1 };
    struct pl_verify verify = { .snapshot = f->snapshot,
                                .tables = &tables,
                                .counters = f->counters,
                                .partition_count = PARTITIONS,
                                .sentences = &sentences };

    CHECK(pl_verify(&verify) == 0);
    snprintf(f->sentences, sizeof f->sentences, "%.*s", (int)sentences.len,
             sentences.data == NULL ? "" : sentences.data);
    pl_buf_deinit(&sentences);
    return verify.faults;
}

static bool says(const struct fixture *f, const char *sentence)
{
    return strstr(f->sentences, sentence) != NULL;
}

/* Bytes that no other long text shares to the end. */
static const char *long_text(char space[LONG + 8], const char *ending)
{
    memset(space, 'x', LONG);
    snprintf(space + LONG, 8, "%s", ending);
    return space;
}

static void what_writes_leave_is_well(void)
{
    struct fixture f;
    char p[LONG + 8], b[LONG + 8];

    start(&f);
    put(&f, item_of(&f, "1", "a", "b"));
    put(&f, item_of(&f, long_text(p, "1"), "a", long_text(b, "1")));
    put(&f, item_of(&f, long_text(p, "2"), "a", long_text(b, "1")));
    CHECK_MSG(faults(&f) == 0, "%s", f.sentences);
    end(&f);
}

static void a_wrong_place_is_found(void)
{
    struct fixture f;
    struct pl_item item, elsewhere;

    start(&f);
    item = item_of(&f, "1", "a", "b");
    elsewhere = item_of(&f, "1", "elsewhere", "b");
    put(&f, item);
    plant(&f, PL_KIND_INDEX_PLACE, item, &elsewhere);
    CHECK(faults(&f) == 2);
    CHECK(says(&f, "Things/ByA: an item's entry is not where it was put"));
    CHECK(says(&f, "Things/ByA: an entry that its item does not know"));
    end(&f);
}

static void a_forgotten_place_is_found(void)
{
    struct fixture f;
    struct pl_item item;

    start(&f);
    item = item_of(&f, "1", "a", "b");
    put(&f, item);
    plant(&f, PL_KIND_INDEX_PLACE, item, NULL);
    CHECK(faults(&f) == 1 && says(&f, "Things/ByA: an entry that its item does not know"));
    end(&f);
}

static void an_orphaned_entry_is_found(void)
{
    struct fixture f;
    struct pl_item other;

    start(&f);
    put(&f, item_of(&f, "1", "a", "b"));
    other = item_of(&f, "1", "z", "b");
    plant(&f, PL_KIND_GLOBAL_INDEX, other, &other);
    CHECK(faults(&f) == 2);
    CHECK(says(&f, "Things/ByA: an entry that its item does not know"));
    CHECK(says(&f, "counted 1 items"));
    end(&f);
}

/* Two entries of one item whose keys begin alike stand in one record. */
static void an_orphaned_entry_beside_the_right_one_is_found(void)
{
    struct fixture f;
    struct pl_item other;
    char b[LONG + 8];

    start(&f);
    put(&f, item_of(&f, "1", "a", long_text(b, "1")));
    other = item_of(&f, "1", "a", long_text(b, "2"));
    plant(&f, PL_KIND_GLOBAL_INDEX, other, &other);
    CHECK_MSG(faults(&f) == 2, "%s", f.sentences);
    CHECK(says(&f, "Things/ByA: an entry that its item does not know"));
    end(&f);
}

/* Once there is such an item again, its next write would look for an entry that never was. */
static void a_place_without_an_item_is_found(void)
{
    struct fixture f;
    struct pl_item item;
    char p[LONG + 8];

    start(&f);
    put(&f, item_of(&f, long_text(p, "1"), "a", "b"));
    item = item_of(&f, long_text(p, "2"), "a", "b");
    plant(&f, PL_KIND_INDEX_PLACE, item, &item);
    CHECK_MSG(faults(&f) == 1, "%s", f.sentences);
    CHECK(says(&f, "Things/ByA: an entry's place is remembered for an item that is not there"));
    end(&f);
}

/* ---- tokens ----------------------------------------------------------------------------------------- */

enum { TOKEN_TIME_MS = 1700000 };

static uint16_t token_partition(const char *token)
{
    return pl_key_partition(pl_key_hash(pl_str(token)), PARTITIONS);
}

static void use_token(struct fixture *f, const char *token)
{
    struct pl_digest digest = { .high = 1, .low = 2 };
    struct pl_token unknown = { 0 };

    pl_token_set(pl_str(token), token_partition(token), &unknown, &digest, TOKEN_TIME_MS, &f->change);
    apply(f);
}

/* What a kind's record of `token` is made into. */
static void spoil_token(struct fixture *f, const char *token, enum pl_key_kind kind, struct pl_bytes value,
                        bool gone)
{
    char key[64];
    size_t len = strlen(token);

    pl_put_be16(key, token_partition(token));
    key[2] = (char)kind;
    pl_put_be32(key + 3, 0);
    pl_put_be64(key + 7, kind == PL_KIND_TOKEN ? pl_key_hash(pl_str(token)) : TOKEN_TIME_MS);
    memcpy(key + 15, token, len);
    CHECK(pl_state_set(f->state, pl_bytes(key, 15 + len), value, gone) == 0);
}

static void tokens_are_well(void)
{
    struct fixture f;

    start(&f);
    use_token(&f, "one");
    use_token(&f, "two");
    use_token(&f, "three");
    CHECK_MSG(faults(&f) == 0, "%s", f.sentences);
    end(&f);
}

static void a_token_without_its_age_is_found(void)
{
    struct fixture f;

    start(&f);
    use_token(&f, "one");
    spoil_token(&f, "one", PL_KIND_TOKEN_AGE, pl_bytes(NULL, 0), true);
    CHECK(faults(&f) == 1 && says(&f, "a transaction's token and its age do not agree"));
    end(&f);
}

static void an_age_without_its_token_is_found(void)
{
    struct fixture f;

    start(&f);
    use_token(&f, "one");
    spoil_token(&f, "one", PL_KIND_TOKEN, pl_bytes(NULL, 0), true);
    CHECK(faults(&f) == 1 && says(&f, "a transaction's token and its age do not agree"));
    end(&f);
}

static void a_token_of_another_time_is_found(void)
{
    struct fixture f;
    char value[25] = { 1, 77 };

    start(&f);
    use_token(&f, "one");
    spoil_token(&f, "one", PL_KIND_TOKEN, pl_bytes(value, sizeof value), false);
    CHECK(faults(&f) == 2 && says(&f, "a transaction's token and its age do not agree"));
    end(&f);
}

static void a_malformed_token_is_found(void)
{
    struct fixture f;

    start(&f);
    use_token(&f, "one");
    spoil_token(&f, "one", PL_KIND_TOKEN, pl_str("x"), false);
    CHECK(faults(&f) == 2 && says(&f, "a transaction's token is malformed"));
    use_token(&f, "one");
    spoil_token(&f, "one", PL_KIND_TOKEN_AGE, pl_str("xy"), false);
    CHECK(faults(&f) == 1 && says(&f, "a transaction's token is malformed"));
    end(&f);
}

/* As item_of(), with a time. */
static struct pl_item passing_item(struct fixture *f, const char *p, unsigned t)
{
    struct pl_buf bytes = { 0 };
    struct pl_item item = { 0 };
    char json[4096];

    snprintf(json, sizeof json, "{\"P\":\"%s\",\"T\":%u}", p, t);
    CHECK(pl_json_read_item(pl_str(json), PL_JSON_PLAIN, &f->arena, &bytes, &item, &f->why) == 0);
    item.bytes = pl_arena_copy(&f->arena, item.bytes);
    pl_buf_deinit(&bytes);
    return item;
}

/* The expiry of `item` alone comes, or goes. */
static void plant_expiry(struct fixture *f, struct pl_item item, bool comes)
{
    CHECK(pl_expiry_update(&f->work, comes ? NULL : &item, comes ? &item : NULL) == 0);
    apply(f);
}

static void expiries_and_items_that_agree_are_well(void)
{
    struct fixture f;
    char p[LONG + 8];

    start(&f);
    put(&f, passing_item(&f, "1", 100));
    put(&f, passing_item(&f, "2", 100));
    put(&f, passing_item(&f, long_text(p, "1"), 100));
    put(&f, passing_item(&f, long_text(p, "2"), 100));
    put(&f, item_of(&f, "3", "a", "b"));
    CHECK_MSG(faults(&f) == 0, "%s", f.sentences);
    end(&f);
}

static void a_missing_expiry_is_found(void)
{
    struct fixture f;
    struct pl_item item;

    start(&f);
    item = passing_item(&f, "1", 100);
    put(&f, item);
    plant_expiry(&f, item, false);
    CHECK(faults(&f) == 1 && says(&f, "Things: an item that expires has no expiry"));
    f.table->expiry_filling = true; /* then it may yet come */
    CHECK_MSG(faults(&f) == 0, "%s", f.sentences);
    end(&f);
}

static void an_expiry_of_another_time_is_found(void)
{
    struct fixture f;

    start(&f);
    put(&f, passing_item(&f, "1", 100));
    plant_expiry(&f, passing_item(&f, "1", 99), true);
    CHECK(faults(&f) == 1 && says(&f, "Things: an expiry whose item does not expire then"));
    end(&f);
}

static void an_expiry_without_an_item_is_found(void)
{
    struct fixture f;
    char p[LONG + 8];

    start(&f);
    put(&f, passing_item(&f, long_text(p, "1"), 100));
    plant_expiry(&f, passing_item(&f, long_text(p, "2"), 100),
                 true); /* in another record, for its hash is another */
    CHECK(faults(&f) == 1 && says(&f, "Things: an expiry whose item does not expire then"));
    end(&f);
}

/* ---- what triggers keep ------------------------------------------------------------------------------ */

/* A letter of a record that `f`'s stream might have had, and where the trigger stands. */
static void bury(struct fixture *f)
{
    struct pl_item item = item_of(f, "1", "a", "b");
    struct pl_stream_write write = { .table = f->table, .partition = 1, .sequence = 5, .new = &item };
    struct pl_progress progress = { .sequence = 5, .parallel = 1 };
    struct pl_letter letter = { .partition = 1, .sequence = 5, .error = pl_str("no") };
    struct pl_buf record = { 0 };
    struct pl_bytes rest;
    struct pl_effect effect;

    f->table->stream_id = 9;
    pl_stream_append(&write, &f->scratch, &record);
    f->table->stream_id = 0;
    rest = pl_buf_view(&record);
    CHECK(pl_change_take(&rest, &effect) == 1);
    letter.record = effect.value;
    pl_letter_put(&f->change, 4, &letter, &f->scratch);
    pl_change_count(&f->change, 1, 4, 1, (int64_t)letter.record.len);
    pl_progress_put(&f->change, 1, 4, 0, &progress);
    apply(f);
    pl_buf_deinit(&record);
}

static void letters_and_places_are_well(void)
{
    struct fixture f;

    start(&f);
    bury(&f);
    CHECK_MSG(faults(&f) == 0, "%s", f.sentences);
    end(&f);
}

static void a_letter_that_is_not_counted_is_found(void)
{
    struct fixture f;

    start(&f);
    bury(&f);
    CHECK(pl_counters_add(f.counters, 1, 4, -1, 0) == 0);
    CHECK(faults(&f) == 1 && says(&f, "Things/t: counted 0 dead letters"));
    end(&f);
}

static void a_malformed_letter_and_a_malformed_place_are_found(void)
{
    uint8_t key[PL_PROGRESS_KEY_BYTES];
    struct fixture f;

    start(&f);
    CHECK(pl_state_set(f.state, pl_progress_key(key, 2, 4, 0), pl_str("nothing"), false) == 0);
    pl_change_put(&f.change, pl_stream_key(key, 1, 4, 7), pl_str("nothing"));
    f.change.data[1 + 2 + 4 + 2] = PL_KIND_TRIGGER;
    apply(&f);
    CHECK_MSG(faults(&f) == 2 && says(&f, "Things/t: partition 2: a record of the trigger is malformed"),
              "%s", f.sentences);
    end(&f);
}

int main(void)
{
    RUN(what_writes_leave_is_well);
    RUN(a_wrong_place_is_found);
    RUN(a_forgotten_place_is_found);
    RUN(an_orphaned_entry_is_found);
    RUN(an_orphaned_entry_beside_the_right_one_is_found);
    RUN(a_place_without_an_item_is_found);
    RUN(tokens_are_well);
    RUN(a_token_without_its_age_is_found);
    RUN(an_age_without_its_token_is_found);
    RUN(a_token_of_another_time_is_found);
    RUN(a_malformed_token_is_found);
    RUN(expiries_and_items_that_agree_are_well);
    RUN(a_missing_expiry_is_found);
    RUN(an_expiry_of_another_time_is_found);
    RUN(an_expiry_without_an_item_is_found);
    RUN(letters_and_places_are_well);
    RUN(a_letter_that_is_not_counted_is_found);
    RUN(a_malformed_letter_and_a_malformed_place_are_found);
    return test_summary();
}
