/* SPDX-License-Identifier: MIT */
#include "model/json.h"
#include "model/record.h"
#include "partition/prepare.h"
#include "partition/shard.h"
#include "partition/verify.h"

#include "scratch_tree.h"
#include "test.h"

/*
 * A shard under random writes while its indexes come, change and go, and its items expire while that is wanted, against
 * a model that remembers what was acknowledged; then everything stored is compared with everything else stored. Keys and index keys are often
 * long, so that items share buckets and their entries move within one and between two.
 */
enum { KEYS = 60, PARTITIONS = 4, STEPS = 4000, WAITING_MAX = 64 };

struct rig {
    char path[PATH_MAX];
    struct pl_disk disk;
    struct pl_datadir *dir;
    struct pl_shard_options options;
    struct pl_shard *shard;
    struct pl_tables *tables;
    uint64_t now_ns, seed, last_version;
    uint64_t versions[KEYS]; /* 0: none */
    int64_t expires[KEYS];   /* the second in T; 0: no number is there */
    uint64_t expired;        /* before the last start */
    uint32_t waiting;
    bool by_modules; /* the table is defined by Lua modules, which come, change and go */
    struct pl_reason why;
};

struct asked {
    struct pl_operation op;
    uint32_t key;
    uint64_t version;
    int64_t expires;
};

static uint64_t rig_now(void *state)
{
    return ((struct rig *)state)->now_ns;
}

static int64_t rig_wall(void *state)
{
    return INT64_C(2000000000000) + (int64_t)(((struct rig *)state)->now_ns / 1000000);
}

static uint32_t draw(struct rig *r, uint32_t below)
{
    return (uint32_t)(test_random(&r->seed) >> 33) % below;
}

/* ---- the shard -------------------------------------------------------------------------------------- */

static void take_tables(struct rig *r)
{
    struct pl_tables *tables = pl_shard_take_tables(r->shard);

    if (tables == NULL)
        return;
    pl_tables_unref(r->tables);
    r->tables = tables;
}

static void open_rig(struct rig *r)
{
    struct pl_datadir_options dir = { .partition_count = PARTITIONS, .random = pl_random_system() };

    CHECK_MSG(pl_datadir_open(&r->disk, r->path, &dir, &r->dir, &r->why) == 0, "%s", r->why.text);
    r->options.dir = r->dir;
    CHECK_MSG(pl_shard_open(&r->options, &r->shard, &r->why) == 0, "%s", r->why.text);
    take_tables(r);
}

static void close_rig(struct rig *r, bool clean)
{
    CHECK_MSG(pl_shard_close(r->shard, clean, &r->why) == 0, "%s", r->why.text);
    pl_datadir_close(r->dir);
    pl_tables_unref(r->tables);
    r->tables = NULL;
}

static void learn(struct rig *r)
{
    struct pl_operation *op = pl_shard_take(r->shard);

    while (op != NULL) {
        struct asked *asked = pl_container_of(op, struct asked, op);
        struct pl_operation *next = op->next;
        bool write = pl_operation_kind(op->name) == PL_OPERATION_WRITE;

        /* A wrong type of index key is refused while there is such an index; a condition or a function may fail. */
        CHECK_MSG(op->reply.rc == 0 || op->reply.rc == PL_EINVALID || op->reply.rc == PL_ECONDITION ||
                      (r->by_modules && op->reply.rc == PL_ESCRIPT),
                  "%d %s", op->reply.rc, op->reply.why.text);
        if (write && op->reply.rc == 0) {
            r->versions[asked->key] = asked->version;
            r->expires[asked->key] = asked->expires;
        }
        pl_operation_deinit(op);
        free(asked);
        r->waiting--;
        op = next;
    }
}

static void sync_all(struct rig *r)
{
    while (pl_shard_syncs(r->shard))
        pl_shard_end_sync(r->shard, pl_shard_run_sync(r->shard, &r->why), &r->why);
}

static void settle(struct rig *r)
{
    bool more;

    do {
        more = pl_shard_turn(r->shard);
        sync_all(r);
        more = more || pl_shard_applies(r->shard);
        pl_shard_apply(r->shard);
        take_tables(r);
    } while (more);
    learn(r);
    CHECK(r->waiting == 0);
}

/* And all that is due is gone: a second has passed since it was last looked for. */
static void rest(struct rig *r)
{
    settle(r);
    r->now_ns += 1000000000;
    settle(r);
}

static void checkpoint(struct rig *r)
{
    if (pl_shard_checkpoints(r->shard))
        pl_shard_end_checkpoint(r->shard, pl_shard_run_checkpoint(r->shard, &r->why), &r->why);
}

/* ---- what is asked of it ---------------------------------------------------------------------------- */

static void append_long(struct pl_buf *out, char fill, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        pl_buf_append_byte(out, fill);
}

/* One in three keys is so long that several share a record. */
static void append_key(struct pl_buf *out, uint32_t key)
{
    pl_buf_append_format(out, "\"P\":\"%u", key % 5);
    if (key % 5 == 4)
        append_long(out, 'p', 300);
    pl_buf_append_bytes(out, pl_str("\",\"K\":\""));
    if (key % 3 == 0)
        append_long(out, 'k', 600);
    pl_buf_append_format(out, "%u\"", key);
}

static void append_attributes(struct rig *r, struct pl_buf *out)
{
    switch (draw(r, 8)) {
    case 0:
        break; /* sparse */
    case 1:
        pl_buf_append_format(out, ",\"A\":%u", draw(r, 3)); /* of the wrong type */
        break;
    case 2:
    case 3:
        pl_buf_append_bytes(out, pl_str(",\"A\":\""));
        append_long(out, 'a', 590);
        pl_buf_append_format(out, "%u\"", draw(r, 4));
        break;
    default:
        pl_buf_append_format(out, ",\"A\":\"%u\"", draw(r, 4));
    }
    if (draw(r, 3) > 0)
        pl_buf_append_format(out, ",\"L\":%u", draw(r, 5));
}

/* T as JSON: a second that is near, something else, or nothing (an empty text). */
static int64_t draw_expiry(struct rig *r, char text[32])
{
    int64_t second = rig_wall(r) / 1000 - 5 + draw(r, 60);

    text[0] = '\0';
    switch (draw(r, 4)) {
    case 0:
        return 0;
    case 1:
        snprintf(text, 32, "\"%lld\"", (long long)second);
        return 0;
    default:
        snprintf(text, 32, "%lld", (long long)second);
        return second;
    }
}

static struct asked *ask(struct rig *r, enum pl_operation_name name)
{
    struct asked *asked = calloc(1, sizeof *asked);

    CHECK(asked != NULL);
    pl_operation_init(&asked->op, name);
    asked->op.table_name = pl_str("Things");
    asked->op.params.literals = true;
    r->waiting++;
    return asked;
}

static void submit(struct rig *r, struct asked *asked)
{
    pl_shard_submit(r->shard, &asked->op);
}

static void ask_write(struct rig *r)
{
    enum pl_operation_name names[] = { PL_OP_PUT, PL_OP_PUT, PL_OP_UPDATE, PL_OP_DELETE };
    struct asked *asked = ask(r, names[draw(r, 4)]);
    struct pl_operation *op = &asked->op;
    struct pl_buf json = { 0 }, text = { 0 };
    char expiry[32];

    asked->key = draw(r, KEYS);
    asked->version = op->name == PL_OP_DELETE ? 0 : ++r->last_version;
    if (op->name != PL_OP_DELETE)
        asked->expires = draw_expiry(r, expiry);
    pl_buf_append_byte(&json, '{');
    append_key(&json, asked->key);
    if (op->name == PL_OP_PUT) {
        if (expiry[0] != '\0')
            pl_buf_append_format(&json, ",\"T\":%s", expiry);
        pl_buf_append_format(&json, ",\"V\":%llu", (unsigned long long)asked->version);
        append_attributes(r, &json);
    }
    pl_buf_append_byte(&json, '}');
    if (op->name == PL_OP_UPDATE) {
        pl_buf_append_format(&text, "SET V = %llu", (unsigned long long)asked->version);
        if (draw(r, 2) == 0)
            pl_buf_append_format(&text, ", A = \"%u\"", draw(r, 4));
        if (expiry[0] != '\0')
            pl_buf_append_format(&text, ", T = %s", expiry);
        pl_buf_append_bytes(&text, pl_str(expiry[0] == '\0' ? " REMOVE T"
                                          : draw(r, 3) == 0 ? " REMOVE L"
                                                            : ""));
        op->update_text = pl_arena_copy(&op->arena, pl_buf_view(&text));
    }
    CHECK(pl_json_read_item(pl_buf_view(&json), PL_JSON_PLAIN, &op->arena, &op->bytes, &op->item, &r->why) ==
          0);
    pl_buf_deinit(&json);
    pl_buf_deinit(&text);
    if (pl_prepare(op, r->tables, PARTITIONS) == 0) {
        submit(r, asked);
        return;
    }
    CHECK_MSG(op->reply.rc == PL_EINVALID, "%s", op->reply.why.text);
    pl_operation_deinit(op);
    free(asked);
    r->waiting--;
}

static void ask_alter(struct rig *r)
{
    static const char *const patches[] = {
        "{\"indexes\":{\"ByA\":{\"partition_key\":\"A:S\",\"sort_key\":\"K:S\",\"project\":\"all\"}}}",
        "{\"indexes\":{\"ByA\":{\"partition_key\":\"A:S\",\"sort_key\":\"L:N\",\"project\":\"keys_only\"}}}",
        "{\"indexes\":{\"ByA\":null}}",
        "{\"indexes\":{\"ByL\":{\"partition_key\":\"L:N\",\"project\":[\"V\"]}}}",
        "{\"indexes\":{\"ByL\":null}}",
        "{\"indexes\":{\"Local\":{\"sort_key\":\"A:S\",\"project\":\"all\"}}}",
        "{\"indexes\":{\"Local\":{\"sort_key\":\"A:S\",\"project\":[\"V\"]}}}",
        "{\"indexes\":{\"Local\":null}}",
        "{\"ttl\":\"T\"}",
        "{\"ttl\":\"T\"}",
        "{\"ttl\":null}",
        "{\"ttl\":\"V\"}", /* the version: a number of seconds more than five years ago */
    };
    struct asked *asked = ask(r, PL_OP_ALTER);

    asked->op.definition = pl_str(patches[draw(r, sizeof patches / sizeof patches[0])]);
    submit(r, asked);
}

/*
 * Functions whose answers change from one module to the next, that leave items out, or fail; an index that turns from
 * a function's to an ordinary one; none at all; and a definition that is refused.
 */
static const char *const modules[] = {
    "ByA = { partition_key = 'A:S', sort_key = 'K:S', project = function(item)"
    " if type(item.A) == 'string' then return { A = item.A, V = item.V } end end }",
    "ByA = { partition_key = 'A:S', sort_key = 'K:S', project = function(item)"
    " return { A = 'computed' .. tostring(item.L) } end },"
    "Local = { sort_key = 'A:S', project = function(item)"
    " return { A = tostring(item.A) .. string.rep('z', 400) } end }",
    "ByA = { partition_key = 'A:S', sort_key = 'K:S', project = function(item)"
    " if tostring(item.L):sub(1, 1) == '3' then error('not three') end return { A = 'one' } end },"
    "ByL = { partition_key = 'B:S', sort_key = 'A:S', project = function(item)"
    " return { B = 'all', A = string.rep('b', 500) .. tostring(item.A) } end }",
    "ByA = { partition_key = 'A:S', project = 'keys_only' }",
    "",
    NULL, /* the module is gone, and the table and its indexes are not */
    "",   /* under another key: refused */
};

enum { REFUSED = sizeof modules / sizeof modules[0] - 1 };

static void load_module(struct rig *r, uint32_t which)
{
    struct pl_script_limits limits = { .time_ms = 10000 };
    char text[2048];
    struct pl_script_file file = { .name = pl_str("things.lua") };
    struct asked *asked = ask(r, PL_OP_ALTER);
    uint64_t hash = which + 1;
    struct pl_script *script;
    int rc;

    snprintf(text, sizeof text,
             "return { table = 'Things', partition_key = '%s:S', sort_key = 'K:S', %s indexes = { %s } }",
             which == REFUSED ? "Q" : "P", which % 2 == 0 ? "ttl = 'T'," : "",
             modules[which] == NULL ? "" : modules[which]);
    file.text = pl_str(text);
    rc = pl_script_load(&limits, pl_clock_system(), &file, modules[which] == NULL ? 0 : 1, &script, &r->why);
    if (rc == 0) {
        rc = pl_shard_load(r->shard, script, &hash, &asked->op);
        if (rc == 0)
            return;
        pl_script_free(script);
    }
    CHECK_MSG(rc == PL_EINVALID && which == REFUSED, "%d %s %s", rc, r->why.text, asked->op.reply.why.text);
    pl_operation_deinit(&asked->op);
    free(asked);
    r->waiting--;
}

static void load_some_module(struct rig *r)
{
    load_module(r, draw(r, sizeof modules / sizeof modules[0]));
}

static void create(struct rig *r)
{
    struct asked *asked = ask(r, PL_OP_CREATE);

    asked->op.definition = pl_str("{\"table\":\"Things\",\"partition_key\":\"P:S\",\"sort_key\":\"K:S\"}");
    submit(r, asked);
    settle(r);
}

/* ---- what it holds ---------------------------------------------------------------------------------- */

/* True when nothing but its time can have taken the item away. */
static bool may_have_expired(const struct rig *r, uint32_t key)
{
    return r->expires[key] != 0 && r->expires[key] * 1000 < rig_wall((void *)r);
}

static bool must_have_expired(const struct rig *r, uint32_t key)
{
    const struct pl_table *table = r->tables->tables[0];

    return may_have_expired(r, key) && !table->expiry_filling &&
           pl_bytes_equal(table->ttl_attribute, pl_str("T"));
}

static void check_versions(struct rig *r, struct pl_snapshot *snapshot)
{
    struct pl_keyspace space = { PL_KIND_ITEM, r->tables->tables[0]->id, PARTITIONS };

    for (uint32_t i = 0; i < KEYS; i++) {
        struct pl_buf json = { 0 }, bytes = { 0 }, pk = { 0 }, tail = { 0 }, full = { 0 };
        struct pl_arena arena = { 0 };
        struct pl_item item;
        struct pl_value value;
        struct pl_bytes record;
        struct pl_key key;
        char expected[24] = "", found[24] = "";

        pl_buf_append_byte(&json, '{');
        append_key(&json, i);
        pl_buf_append_byte(&json, '}');
        CHECK(pl_json_read_item(pl_buf_view(&json), PL_JSON_PLAIN, &arena, &bytes, &item, &r->why) == 0);
        CHECK(pl_key_schema_encode(&r->tables->tables[0]->keys, item, &pk, &tail, NULL) == PL_KEY_WHOLE);
        pl_key_build(&key, &space, pl_buf_view(&pk), pl_buf_view(&tail));
        pl_buf_append_bytes(&full, pl_buf_view(&pk));
        pl_buf_append_bytes(&full, pl_buf_view(&tail));
        if (r->versions[i] != 0)
            snprintf(expected, sizeof expected, "%llu", (unsigned long long)r->versions[i]);
        if (pl_snapshot_get(snapshot, pl_key_view(&key), &record) == 0 &&
            pl_record_find(record, key.shortened ? pl_buf_view(&full) : pl_bytes(NULL, 0), &item)) {
            CHECK(pl_item_find(item, pl_str("V"), &value));
            pl_buf_clear(&json);
            pl_json_write_value(&json, PL_JSON_PLAIN, value);
            snprintf(found, sizeof found, "%.*s", (int)json.len, json.data);
        }
        if (found[0] == '\0' && may_have_expired(r, i))
            r->versions[i] = 0;
        else if (r->versions[i] != 0)
            CHECK_MSG(!must_have_expired(r, i), "seed %llu: key %u has not expired",
                      (unsigned long long)test_seed(), i);
        if (r->versions[i] == 0)
            expected[0] = '\0';
        CHECK_MSG(strcmp(expected, found) == 0, "key %u: expected [%s], found [%s]", i, expected, found);
        pl_buf_deinit(&json);
        pl_buf_deinit(&bytes);
        pl_buf_deinit(&pk);
        pl_buf_deinit(&tail);
        pl_buf_deinit(&full);
        pl_arena_deinit(&arena);
    }
}

static bool is_in_use(const struct rig *r, uint32_t id)
{
    const struct pl_table *table = r->tables->tables[0];
    bool found =
        table->id == id || (table->expiry_id == id && id != 0) || (table->collection_id == id && id != 0);

    for (uint32_t i = 0; i < table->index_count; i++)
        found = found || table->indexes[i].id == id;
    return found;
}

/* Once the chores are done, nothing stands in the keyspace of an index that is gone. */
static void check_swept(struct rig *r, struct pl_snapshot *snapshot)
{
    struct pl_bytes key, value;
    int rc;

    for (rc = pl_snapshot_seek(snapshot, pl_bytes("", 0), &key, &value); rc == 0;
         rc = pl_snapshot_next(snapshot, &key, &value)) {
        const uint8_t *bytes = (const uint8_t *)key.data;

        if (bytes[2] >= PL_KIND_ITEM)
            CHECK_MSG(is_in_use(r, pl_get_be32(bytes + 3)), "kind %u, id %u", bytes[2],
                      pl_get_be32(bytes + 3));
    }
    CHECK(rc == PL_ENOTFOUND);
}

static void check_all(struct rig *r)
{
    struct pl_buf sentences = { 0 };
    struct pl_verify verify = { .tables = r->tables,
                                .counters = pl_shard_counters(r->shard),
                                .partition_count = PARTITIONS,
                                .sentences = &sentences };

    CHECK(pl_snapshot_open(pl_shard_state(r->shard), &verify.snapshot) == 0);
    CHECK(pl_snapshot_renew(verify.snapshot) == 0);
    CHECK(pl_verify(&verify) == 0);
    CHECK_MSG(verify.faults == 0, "seed %llu: %.*s", (unsigned long long)test_seed(), (int)sentences.len,
              sentences.data);
    check_versions(r, verify.snapshot);
    if (pl_shard_stats(r->shard).chore == PL_CHORE_IDLE && !pl_shard_has_chores(r->shard))
        check_swept(r, verify.snapshot);
    pl_snapshot_close(verify.snapshot);
    pl_buf_deinit(&sentences);
}

static void reopen(struct rig *r, bool clean)
{
    settle(r);
    r->expired += pl_shard_stats(r->shard).expired;
    close_rig(r, clean);
    open_rig(r);
}

static void step(struct rig *r)
{
    uint32_t choice = draw(r, 100);

    if (choice < 55 && r->waiting < WAITING_MAX)
        ask_write(r);
    else if (choice < 58 && r->by_modules)
        load_some_module(r);
    else if (choice < 58)
        ask_alter(r);
    else if (choice < 72)
        pl_shard_turn(r->shard);
    else if (choice < 82 && pl_shard_syncs(r->shard))
        pl_shard_end_sync(r->shard, pl_shard_run_sync(r->shard, &r->why), &r->why);
    else if (choice < 94)
        pl_shard_apply(r->shard);
    else if (choice < 97)
        checkpoint(r);
    r->now_ns += 200000000;
    if (choice % 7 == 0)
        pl_shard_tick(r->shard);
    take_tables(r);
    learn(r);
    if (draw(r, 400) == 0) {
        pl_shard_put_off_chores(r->shard);
        reopen(r, draw(r, 2) == 0);
    }
    if (draw(r, 200) == 0) {
        rest(r);
        check_all(r);
    }
}

static void live(bool by_modules)
{
    struct rig r = {
        .disk = pl_disk_system(), .now_ns = 1000000000, .seed = test_seed(), .by_modules = by_modules
    };

    snprintf(r.path, sizeof r.path, "%s", scratch_path(scratch(), by_modules ? "modules" : "model"));
    r.options =
        (struct pl_shard_options){ .disk = &r.disk,
                                   .clock = { .monotonic_ns = rig_now, .wall_ms = rig_wall, .state = &r } };
    r.options.recovery.journal.random = pl_random_system();
    r.options.recovery.journal.first_segment_bytes = 256 << 10;
    r.options.recovery.journal.segment_bytes = 1 << 20;
    open_rig(&r);
    if (by_modules) {
        load_module(&r, 0);
        settle(&r);
    } else {
        create(&r);
    }
    for (int i = 0; i < STEPS; i++)
        step(&r);
    rest(&r);
    check_all(&r);
    r.expired += pl_shard_stats(r.shard).expired;
    CHECK(r.expired > 0);
    reopen(&r, false);
    check_all(&r);
    close_rig(&r, true);
}

static void nothing_is_lost_or_left_behind_while_indexes_come_and_go(void)
{
    live(false);
}

static void nor_while_modules_with_functions_do(void)
{
    live(true);
}

int main(void)
{
    RUN(nothing_is_lost_or_left_behind_while_indexes_come_and_go);
    RUN(nor_while_modules_with_functions_do);
    return test_summary();
}
