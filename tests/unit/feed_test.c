/* SPDX-License-Identifier: MIT */
#include "stream/feed.h"

#include "follower.h"
#include "model/json.h"

#include "failing_allocation.h"
#include "scratch_tree.h"
#include "test.h"

/* A node without threads, by a clock that the test sets, and what a reader of a stream was given. */
enum { PARTITIONS = 4, RETENTION_MS = 60000, GIVEN_MAX = 4096 };

struct rig {
    char path[PATH_MAX];
    uint64_t now_ms;
    struct pl_node *node;
    struct pl_attachment *attachment;
    struct pl_feed_source source;
    struct pl_reason why;
    uint64_t seed;

    struct given {
        uint16_t shard;
        uint64_t sequence;
        enum pl_stream_event event;
        uint64_t n; /* the item's, after an insert or modify; before a remove */
    } given[GIVEN_MAX];
    size_t given_count;
    size_t give_most; /* then the reader wants no more */
};

static uint64_t rig_now(void *state)
{
    return ((struct rig *)state)->now_ms * 1000000;
}

static int64_t rig_wall(void *state)
{
    return (int64_t)((struct rig *)state)->now_ms;
}

static void open_rig(struct rig *r)
{
    struct pl_node_options options = { .data_path = r->path,
                                       .partition_count = PARTITIONS,
                                       .sync_mode = PL_SYNC_NEVER,
                                       .stream_retention_ms = RETENTION_MS,
                                       .clock = { rig_now, rig_wall, r },
                                       .random = pl_random_system() };

    CHECK_MSG(pl_node_open(&options, &r->node, &r->why) == 0, "%s", r->why.text);
    CHECK(pl_node_attach(r->node, NULL, NULL, &r->attachment) == 0);
    CHECK(pl_attachment_feed_source(r->attachment, &r->source) == 0);
}

static void close_rig(struct rig *r)
{
    pl_node_detach(r->attachment);
    pl_node_close(r->node);
}

static void done(struct pl_operation *op)
{
    (void)op;
}

static int run(struct rig *r, enum pl_operation_name name, const char *table, const char *json)
{
    struct pl_operation op;
    int rc;

    pl_operation_init(&op, name);
    op.table_name = pl_str(table);
    op.params.literals = true;
    op.done = done;
    if (pl_operation_kind(name) == PL_OPERATION_SCHEMA)
        op.definition = pl_str(json);
    else
        CHECK(pl_json_read_item(pl_str(json), PL_JSON_PLAIN, &op.arena, &op.bytes, &op.item, &r->why) == 0);
    if (!pl_router_run(pl_attachment_router(r->attachment), &op))
        pl_attachment_flush(r->attachment);
    rc = op.reply.rc;
    r->why = op.reply.why;
    pl_operation_deinit(&op);
    pl_router_rest(pl_attachment_router(r->attachment));
    return rc;
}

static void put(struct rig *r, const char *table, int key, uint64_t n)
{
    char json[96];

    snprintf(json, sizeof json, "{\"key\":\"k%d\",\"n\":%llu}", key, (unsigned long long)n);
    CHECK_MSG(run(r, PL_OP_PUT, table, json) == 0, "%s", r->why.text);
}

static void erase(struct rig *r, const char *table, int key)
{
    char json[96];

    snprintf(json, sizeof json, "{\"key\":\"k%d\"}", key);
    CHECK_MSG(run(r, PL_OP_DELETE, table, json) == 0, "%s", r->why.text);
}

static const char *const with_stream =
    "{\"table\":\"Tab\",\"partition_key\":\"key:S\",\"stream\":\"new_and_old_images\"}";

static void start(struct rig *r)
{
    static unsigned number;
    char name[16];

    snprintf(name, sizeof name, "%u", number++);
    *r = (struct rig){ .now_ms = 1000000, .seed = test_seed(), .give_most = GIVEN_MAX };
    snprintf(r->path, sizeof r->path, "%s", scratch_path(scratch(), name));
    open_rig(r);
    CHECK(run(r, PL_OP_CREATE, "", with_stream) == 0);
    CHECK(run(r, PL_OP_CREATE, "",
              "{\"table\":\"Other\",\"partition_key\":\"key:S\",\"stream\":\"keys_only\"}") == 0);
}

static void end(struct rig *r)
{
    close_rig(r);
    scratch_remove(r->path);
}

static uint32_t stream_id(struct rig *r, const char *table)
{
    struct pl_tables *tables = pl_node_tables(r->node);
    uint32_t id = pl_tables_find(tables, pl_str(table))->stream_id;

    pl_tables_unref(tables);
    return id;
}

static uint64_t number_of(struct pl_item item)
{
    struct pl_value value;
    char text[64];
    struct pl_buf buf = { 0 };

    CHECK(pl_item_find(item, pl_str("n"), &value));
    pl_json_write_value(&buf, PL_JSON_PLAIN, value);
    snprintf(text, sizeof text, "%.*s", (int)buf.len, buf.data);
    pl_buf_deinit(&buf);
    return strtoull(text, NULL, 10);
}

static int take(void *state, const struct pl_stream_record *record)
{
    struct rig *r = state;

    if (r->give_most == 0)
        return PL_EOVERLOAD;
    CHECK(r->given_count < GIVEN_MAX);
    r->give_most--;
    r->given[r->given_count++] =
        (struct given){ .shard = record->partition,
                        .sequence = record->sequence,
                        .event = record->event,
                        .n = number_of(record->has_new ? record->new : record->old) };
    return 0;
}

static struct pl_feed *open_feed(struct rig *r, const char *from)
{
    struct pl_feed *feed;

    CHECK_MSG(pl_feed_open(&r->source, stream_id(r, "Tab"), pl_str(from), &feed, &r->why) == 0, "%s",
              r->why.text);
    return feed;
}

/* All there is. Returns how many records that were. */
static size_t read_all(struct rig *r, struct pl_feed *feed)
{
    size_t before = r->given_count;
    bool more = true;

    while (more)
        CHECK(pl_feed_read(feed, 1 << 20, take, r, &more) == 0);
    return r->given_count - before;
}

static const char *position_of(const struct pl_feed *feed, char text[512])
{
    struct pl_buf buf = { 0 };

    pl_feed_position(feed, &buf);
    CHECK(pl_buf_status(&buf) == 0 && buf.len < 512);
    snprintf(text, 512, "%.*s", (int)buf.len, buf.data);
    pl_buf_deinit(&buf);
    return text;
}

static size_t read_from(struct rig *r, const char *from)
{
    struct pl_feed *feed = open_feed(r, from);
    size_t count = read_all(r, feed);

    pl_feed_close(feed);
    return count;
}

/* Sequences of a shard grow, and every n from `first` to `last` was given exactly once. */
static void check_given(struct rig *r, uint64_t first, uint64_t last)
{
    uint64_t newest[PARTITIONS] = { 0 };
    bool seen[GIVEN_MAX] = { false };

    CHECK_MSG(r->given_count == last - first + 1, "%zu records", r->given_count);
    for (size_t i = 0; i < r->given_count; i++) {
        const struct given *given = &r->given[i];

        CHECK(given->shard < PARTITIONS && given->sequence > newest[given->shard]);
        newest[given->shard] = given->sequence;
        CHECK(given->n >= first && given->n <= last && !seen[given->n]);
        seen[given->n] = true;
    }
}

static void put_some(struct rig *r, uint64_t first, uint64_t last)
{
    for (uint64_t n = first; n <= last; n++)
        put(r, "Tab", (int)(test_random(&r->seed) % 40), n);
}

/* ---- reading ------------------------------------------------------------------------------------------ */

static void a_feed_gives_every_record_of_every_shard_once_and_in_order(void)
{
    struct rig r;
    struct pl_feed *feed;

    start(&r);
    put_some(&r, 1, 1000);
    feed = open_feed(&r, "oldest");
    CHECK(read_all(&r, feed) == 1000);
    check_given(&r, 1, 1000);
    CHECK(read_all(&r, feed) == 0);
    for (uint64_t n = 1001; n <= 1100; n++) {
        put(&r, "Tab", (int)(n % 7), n);
        put(&r, "Other", (int)n, n); /* draws numbers from the same row */
        if (n % 9 == 0)
            read_all(&r, feed);
    }
    read_all(&r, feed);
    check_given(&r, 1, 1100);
    erase(&r, "Tab", 1);
    CHECK(read_all(&r, feed) == 1 && r.given[1100].event == PL_STREAM_REMOVE);
    pl_feed_close(feed);
    end(&r);
}

static void latest_begins_with_what_comes(void)
{
    struct rig r;
    struct pl_feed *feed;

    start(&r);
    put_some(&r, 1, 50);
    feed = open_feed(&r, "latest");
    CHECK(read_all(&r, feed) == 0);
    put_some(&r, 51, 60);
    CHECK(read_all(&r, feed) == 10);
    check_given(&r, 51, 60);
    pl_feed_close(feed);
    end(&r);
}

/* ---- positions ---------------------------------------------------------------------------------------- */

static void who_goes_on_from_a_position_misses_nothing_and_gets_nothing_twice(void)
{
    struct rig r;
    uint64_t written = 0;
    char position[512] = "oldest";

    start(&r);
    for (int round = 0; round < 200; round++) {
        uint64_t more = test_random(&r.seed) % 12;
        struct pl_feed *feed;
        bool rest;
        int rc;

        put_some(&r, written + 1, written + more);
        written += more;
        if (round % 20 == 19) {
            close_rig(&r);
            open_rig(&r);
        }
        feed = open_feed(&r, position);
        r.give_most = test_random(&r.seed) % 15;
        rc = pl_feed_read(feed, 1 << 20, take, &r, &rest);
        CHECK(rc == 0 || (rc == PL_EOVERLOAD && r.give_most == 0));
        position_of(feed, position);
        pl_feed_close(feed);
    }
    r.give_most = GIVEN_MAX;
    read_from(&r, position);
    check_given(&r, 1, written);
    end(&r);
}

static void a_position_moves_on_over_what_others_wrote(void)
{
    struct rig r;
    struct pl_feed *feed;
    char before[512], after[512];

    start(&r);
    put_some(&r, 1, 10);
    feed = open_feed(&r, "oldest");
    read_all(&r, feed);
    position_of(feed, before);
    for (int i = 0; i < 20; i++)
        put(&r, "Other", i, 1);
    CHECK(read_all(&r, feed) == 0);
    CHECK(strcmp(position_of(feed, after), before) != 0);
    pl_feed_close(feed);
    put_some(&r, 11, 12);
    CHECK(read_from(&r, before) == 2 && read_from(&r, after) == 2);
    end(&r);
}

static void a_damaged_position_is_refused(void)
{
    static const char *const wrong[] = { "", "old", "LATEST", "AQI=", "====", "AQIAAAAAQABABVkYGw" };
    struct rig r;
    struct pl_feed *feed;
    char position[512], bad[512];

    start(&r);
    put_some(&r, 1, 100);
    feed = open_feed(&r, "latest");
    position_of(feed, position);
    pl_feed_close(feed);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CHECK(pl_feed_open(&r.source, stream_id(&r, "Tab"), pl_str(wrong[i]), &feed, &r.why) == PL_EINVALID);
    CHECK(strcmp(r.why.text,
                 "expected oldest, latest or a position that TAIL gave, found 'AQIAAAAAQABABVkYGw'") == 0);
    for (size_t i = 0; i < strlen(position); i++) {
        strcpy(bad, position);
        bad[i] = bad[i] == 'A' ? 'B' : 'A';
        CHECK_MSG(pl_feed_open(&r.source, stream_id(&r, "Tab"), pl_str(bad), &feed, &r.why) == PL_EINVALID,
                  "%s", bad);
        bad[i] = '\0';
        CHECK(pl_feed_open(&r.source, stream_id(&r, "Tab"), pl_str(bad), &feed, &r.why) == PL_EINVALID);
    }
    CHECK(pl_feed_open(&r.source, stream_id(&r, "Other"), pl_str(position), &feed, &r.why) == PL_EINVALID);
    CHECK(strstr(r.why.text, "another stream") != NULL);
    end(&r);
}

static void a_position_ahead_of_the_stream_is_refused(void)
{
    struct rig r;
    struct pl_feed *feed;
    char position[512];

    start(&r);
    put_some(&r, 1, 100);
    feed = open_feed(&r, "latest");
    position_of(feed, position);
    pl_feed_close(feed);
    end(&r);
    start(&r); /* as if the disk had lost the writes */
    CHECK(pl_feed_open(&r.source, stream_id(&r, "Tab"), pl_str(position), &feed, &r.why) == PL_EINVALID);
    CHECK_MSG(strstr(r.why.text, "ahead of the stream") != NULL, "%s", r.why.text);
    end(&r);
}

/* ---- trimming ----------------------------------------------------------------------------------------- */

/* Time passes, and the shard does what time brings: another table's write drives it. */
static void pass_ms(struct rig *r, uint64_t ms)
{
    r->now_ms += ms;
    put(r, "Other", 0, r->now_ms);
}

static void records_go_when_they_have_been_kept_long_enough_and_no_sooner(void)
{
    struct rig r;

    start(&r);
    put_some(&r, 1, 300);
    r.now_ms += 10;
    put_some(&r, 301, 400);
    pass_ms(&r, RETENTION_MS - 10); /* the first are exactly as old as that: kept */
    CHECK(read_from(&r, "oldest") == 400);
    pass_ms(&r, 7000);
    r.given_count = 0;
    CHECK(read_from(&r, "oldest") == 0);
    put_some(&r, 1, 300);
    pass_ms(&r, 10);
    put_some(&r, 301, 400);
    pass_ms(&r, RETENTION_MS - 9);
    r.given_count = 0;
    CHECK(read_from(&r, "oldest") == 100);
    check_given(&r, 301, 400);
    end(&r);
}

static void who_stands_before_what_was_trimmed_is_told(void)
{
    struct rig r;
    struct pl_feed *feed, *slow;
    char first[512], last[512];
    bool more;

    start(&r);
    put_some(&r, 1, 100);
    feed = open_feed(&r, "oldest");
    slow = open_feed(&r, "oldest");
    r.give_most = 40;
    CHECK(pl_feed_read(feed, 1 << 20, take, &r, &more) == PL_EOVERLOAD);
    position_of(feed, first);
    r.give_most = GIVEN_MAX;
    CHECK(read_all(&r, feed) == 60);
    position_of(feed, last);
    pl_feed_close(feed);
    pass_ms(&r, RETENTION_MS + 10);
    put_some(&r, 101, 110);
    CHECK(pl_feed_open(&r.source, stream_id(&r, "Tab"), pl_str(first), &feed, &r.why) == PL_ETRIMMED);
    CHECK_MSG(strcmp(r.why.text, "records after that position are kept no longer: start from oldest") == 0,
              "%s", r.why.text);
    CHECK(pl_feed_read(slow, 1 << 20, take, &r, &more) == PL_ETRIMMED);
    pl_feed_close(slow);
    r.given_count = 0;
    CHECK(read_from(&r, last) == 10); /* it has missed nothing */
    check_given(&r, 101, 110);
    r.given_count = 0;
    CHECK(read_from(&r, "oldest") == 10);
    end(&r);
}

static void numbers_go_on_after_everything_was_trimmed(void)
{
    struct rig r;
    uint64_t highest[PARTITIONS] = { 0 };

    start(&r);
    put_some(&r, 1, 200);
    read_from(&r, "oldest");
    for (size_t i = 0; i < r.given_count; i++)
        highest[r.given[i].shard] = r.given[i].sequence;
    pass_ms(&r, RETENTION_MS + 10);
    close_rig(&r);
    open_rig(&r);
    put_some(&r, 201, 300);
    r.given_count = 0;
    CHECK(read_from(&r, "oldest") == 100);
    for (size_t i = 0; i < r.given_count; i++)
        CHECK(r.given[i].sequence > highest[r.given[i].shard]);
    end(&r);
}

/* ---- streams that end --------------------------------------------------------------------------------- */

static int count_record(void *state, const struct pl_stream_record *record, struct pl_item keys)
{
    size_t *count = state;
    struct pl_value value;

    CHECK(record->sequence > 0 && pl_item_find(keys, pl_str("key"), &value));
    ++*count;
    return 0;
}

static int follow(struct rig *r, const char *from, struct pl_follower **out)
{
    struct pl_follower_options options = { .table_name = pl_str("Tab"), .from = pl_str(from) };

    return pl_follower_open(r->attachment, &options, out, &r->why);
}

/* Keys of this stream, in all partitions. */
static size_t keys_left(struct rig *r, uint32_t id)
{
    uint8_t first[PL_STREAM_KEY_BYTES];
    struct pl_bytes key, value;
    size_t count = 0;

    CHECK(pl_snapshot_renew(r->source.snapshot) == 0);
    for (uint32_t p = 0; p < PARTITIONS; p++) {
        struct pl_bytes from = pl_stream_key(first, (uint16_t)p, id, 0);
        int rc = pl_snapshot_seek(r->source.snapshot, from, &key, &value);

        for (; rc == 0 && key.len > 7 && memcmp(key.data, first, 7) == 0; count++)
            rc = pl_snapshot_next(r->source.snapshot, &key, &value);
    }
    pl_snapshot_reset(r->source.snapshot);
    return count;
}

static void check_closed(struct rig *r, uint32_t id, uint32_t count, int64_t closed_ms)
{
    struct pl_tables *tables = pl_node_tables(r->node);
    const struct pl_closed_stream *closed = pl_tables_find_closed(tables, id);

    CHECK(tables->closed_stream_count == count && (closed != NULL) == (count > 0));
    if (closed != NULL)
        CHECK(pl_bytes_equal(closed->table->name, pl_str("Tab")) && closed->closed_ms == closed_ms &&
              closed->table->stream == PL_STREAM_NEW_AND_OLD_IMAGES &&
              closed->table->stream_created_ms == 1000000);
    pl_tables_unref(tables);
}

static void a_stream_that_ends_is_read_to_its_end_and_kept_for_the_retention(void)
{
    for (int dropped = 0; dropped <= 1; dropped++) {
        struct pl_follower_progress progress;
        struct pl_follower *follower;
        struct pl_buf position = { 0 };
        char text[512];
        size_t count = 0;
        uint32_t id;
        struct rig r;

        start(&r);
        id = stream_id(&r, "Tab");
        put_some(&r, 1, 50);
        CHECK(follow(&r, "oldest", &follower) == 0);
        CHECK(pl_follower_read(follower, count_record, &count, &progress) == 0);
        CHECK(count == 50 && !progress.more && !progress.ended);
        pl_follower_position(follower, &position);
        snprintf(text, sizeof text, "%.*s", (int)position.len, position.data);
        put_some(&r, 51, 60);
        r.now_ms += 5;
        CHECK(run(&r, dropped ? PL_OP_DROP : PL_OP_ALTER, "Tab", "{\"stream\":false}") == 0);
        CHECK(pl_follower_read(follower, count_record, &count, &progress) == 0);
        CHECK(count == 60 && progress.ended);
        pl_follower_close(follower);
        CHECK(follow(&r, "oldest", &follower) == (dropped ? PL_ENOTABLE : PL_EINVALID));
        close_rig(&r);
        open_rig(&r);
        check_closed(&r, id, 1, 1000005);
        CHECK_MSG(follow(&r, text, &follower) == 0, "%s", r.why.text);
        count = 0;
        CHECK(pl_follower_read(follower, count_record, &count, &progress) == 0);
        CHECK(count == 10 && progress.ended);
        pl_follower_close(follower);
        pass_ms(&r, RETENTION_MS - 4); /* the records are gone, the stream is not quite */
        check_closed(&r, id, 1, 1000005);
        pass_ms(&r, 7000);
        pass_ms(&r, 1);
        check_closed(&r, id, 0, 0);
        CHECK(keys_left(&r, id) == 0);
        CHECK(follow(&r, text, &follower) == (dropped ? PL_ENOTABLE : PL_EINVALID));
        close_rig(&r);
        open_rig(&r);
        check_closed(&r, id, 0, 0);
        pl_buf_deinit(&position);
        end(&r);
    }
}

static void a_stream_that_is_switched_on_again_is_another(void)
{
    struct rig r;
    struct pl_feed *feed;
    char position[512];
    uint32_t id;

    start(&r);
    id = stream_id(&r, "Tab");
    put_some(&r, 1, 5);
    feed = open_feed(&r, "latest");
    position_of(feed, position);
    pl_feed_close(feed);
    CHECK(run(&r, PL_OP_ALTER, "Tab", "{\"stream\":false}") == 0);
    put_some(&r, 6, 7); /* nobody's */
    CHECK(run(&r, PL_OP_ALTER, "Tab", "{\"stream\":\"new_image\"}") == 0);
    put_some(&r, 8, 9);
    CHECK(stream_id(&r, "Tab") != id);
    CHECK(read_from(&r, "oldest") == 2);
    check_given(&r, 8, 9);
    CHECK(pl_feed_open(&r.source, stream_id(&r, "Tab"), pl_str(position), &feed, &r.why) == PL_EINVALID);
    end(&r);
}

/* ---- without memory ----------------------------------------------------------------------------------- */

static int count_json(void *state, struct pl_bytes json)
{
    size_t *count = state;

    CHECK(json.len > 0 && json.data[0] == '{' && json.data[json.len - 1] == '}');
    ++*count;
    return 0;
}

/* Goes on by itself after each failure: what was given stays given, and nothing is given twice. */
static void without_memory_a_follower_fails_cleanly_and_goes_on(void)
{
    struct rig r;
    char from[512];
    struct pl_feed *feed;

    start(&r);
    put_some(&r, 1, 20);
    feed = open_feed(&r, "oldest");
    position_of(feed, from);
    pl_feed_close(feed);
    for (int for_good = 0; for_good <= 1; for_good++) {
        for (long n = 0; allocation_failing(n, for_good != 0); n++) {
            struct pl_follower_progress progress = { .more = true };
            struct pl_follower *follower = NULL;
            struct pl_buf position = { 0 };
            size_t count = 0;
            int rc = follow(&r, from, &follower);

            if (rc == 0)
                rc = pl_follower_read_json(follower, count_json, &count, &progress);
            if (rc == 0)
                pl_follower_position(follower, &position);
            CHECK_MSG(rc == 0 || (rc == PL_ENOMEM && allocation_has_failed), "n %ld: %d", n, rc);
            allocation_failed();
            CHECK(rc != 0 || pl_buf_status(&position) != 0 || count == 20);
            if (follower != NULL) {
                progress.more = true;
                while (progress.more)
                    CHECK(pl_follower_read_json(follower, count_json, &count, &progress) == 0);
                CHECK_MSG(count == 20, "n %ld: %zu records", n, count);
                pl_follower_close(follower);
            }
            pl_buf_deinit(&position);
        }
    }
    end(&r);
}

static void another_view_goes_on_in_the_same_stream(void)
{
    struct rig r;

    start(&r);
    put_some(&r, 1, 5);
    CHECK(run(&r, PL_OP_ALTER, "Tab", "{\"stream\":\"old_image\"}") == 0);
    CHECK(read_from(&r, "oldest") == 5);
    CHECK(run(&r, PL_OP_ALTER, "Tab", "{\"stream\":\"new_image\"}") == 0);
    put_some(&r, 6, 9);
    CHECK(read_from(&r, "oldest") == 9);
    end(&r);
}

int main(void)
{
    RUN(a_feed_gives_every_record_of_every_shard_once_and_in_order);
    RUN(latest_begins_with_what_comes);
    RUN(who_goes_on_from_a_position_misses_nothing_and_gets_nothing_twice);
    RUN(a_position_moves_on_over_what_others_wrote);
    RUN(a_damaged_position_is_refused);
    RUN(a_position_ahead_of_the_stream_is_refused);
    RUN(records_go_when_they_have_been_kept_long_enough_and_no_sooner);
    RUN(who_stands_before_what_was_trimmed_is_told);
    RUN(numbers_go_on_after_everything_was_trimmed);
    RUN(a_stream_that_ends_is_read_to_its_end_and_kept_for_the_retention);
    RUN(a_stream_that_is_switched_on_again_is_another);
    RUN(another_view_goes_on_in_the_same_stream);
    RUN(without_memory_a_follower_fails_cleanly_and_goes_on);
    return test_summary();
}
