/* SPDX-License-Identifier: MIT */
#include "follower.h"

#include "stream/record_json.h"

#include <stdlib.h>

/* Of images, in one reading: others on the same thread wait for no more. */
enum { READ_BYTES = 256 << 10 };

struct pl_follower {
    struct pl_watch watch;
    struct pl_attachment *attachment;
    struct pl_feed *feed;
    struct pl_table *table; /* a reference: as it was when we began. Its keys never change */
    struct pl_buf keys, json;
    void (*ready)(void *state);
    void *state;
};

static void stirred(struct pl_watch *watch)
{
    struct pl_follower *follower = pl_container_of(watch, struct pl_follower, watch);

    follower->ready(follower->state);
}

/* Whose stream was closed since it gave the position: what is left of it can still be read. */
static struct pl_table *find_closed(const struct pl_tables *tables, struct pl_bytes name,
                                    struct pl_bytes position)
{
    const struct pl_closed_stream *closed = NULL;
    uint32_t stream_id;

    if (pl_feed_position_stream(position, &stream_id))
        closed = pl_tables_find_closed(tables, stream_id);
    return closed != NULL && pl_bytes_equal(closed->table->name, name) ? closed->table : NULL;
}

static int find_table(struct pl_node *node, const struct pl_follower_options *options, struct pl_table **out,
                      struct pl_reason *why)
{
    struct pl_bytes name = options->table_name;
    struct pl_tables *tables = pl_node_tables(node);
    struct pl_table *table = pl_tables_find(tables, name);
    struct pl_table *closed = find_closed(tables, name, options->from);
    int rc = 0;

    if (closed != NULL)
        *out = pl_table_ref(closed);
    else if (table == NULL)
        rc = pl_reason_set(why, PL_ENOTABLE, "Requested resource not found: Table: %.*s not found",
                           (int)name.len, name.data);
    else if (table->stream_id == 0)
        rc = pl_reason_set(
            why, PL_EINVALID,
            "the table %.*s has no stream: give it one with \"stream\":\"new_and_old_images\" in its "
            "definition (or keys_only, new_image, old_image)",
            (int)name.len, name.data);
    else
        *out = pl_table_ref(table);
    pl_tables_unref(tables);
    return rc;
}

int pl_follower_open(struct pl_attachment *attachment, const struct pl_follower_options *options,
                     struct pl_follower **out, struct pl_reason *why)
{
    struct pl_follower *follower = calloc(1, sizeof *follower);
    struct pl_feed_source source;
    int rc;

    if (follower == NULL)
        return PL_ENOMEM;
    follower->attachment = attachment;
    follower->ready = options->ready;
    follower->state = options->state;
    follower->watch.stirred = stirred;
    rc = find_table(pl_attachment_node(attachment), options, &follower->table, why);
    if (rc == 0)
        rc = pl_attachment_feed_source(attachment, &source);
    if (rc == 0)
        rc = pl_feed_open(&source, follower->table->stream_id, options->from, &follower->feed, why);
    if (rc != 0) {
        pl_table_unref(follower->table);
        free(follower);
        return rc;
    }
    if (follower->ready != NULL)
        pl_attachment_watch(attachment, &follower->watch);
    *out = follower;
    return 0;
}

void pl_follower_close(struct pl_follower *follower)
{
    if (follower->ready != NULL)
        pl_attachment_unwatch(follower->attachment, &follower->watch);
    pl_feed_close(follower->feed);
    pl_table_unref(follower->table);
    pl_buf_deinit(&follower->keys);
    pl_buf_deinit(&follower->json);
    free(follower);
}

/* Once the tables say so, every record of it is applied: they are published after what was written before. */
static bool has_ended(struct pl_follower *follower)
{
    struct pl_tables *tables = pl_node_tables(pl_attachment_node(follower->attachment));
    const struct pl_table *table = pl_tables_find_id(tables, follower->table->id);
    bool ended = table == NULL || table->stream_id != follower->table->stream_id;

    pl_tables_unref(tables);
    return ended;
}

struct giving {
    struct pl_follower *follower;
    pl_follower_give_fn give;
    int (*give_json)(void *state, struct pl_bytes json);
    void *state;
};

static int give_record(void *arg, const struct pl_stream_record *record)
{
    struct giving *giving = arg;
    struct pl_follower *follower = giving->follower;
    struct pl_item keys;
    int rc;

    pl_buf_clear(&follower->keys);
    rc = pl_stream_record_keys(record, &follower->table->keys, &follower->keys, &keys);
    return rc != 0 ? rc : giving->give(giving->state, record, keys);
}

static int give_as_json(void *arg, const struct pl_stream_record *record)
{
    struct giving *giving = arg;
    struct pl_follower *follower = giving->follower;

    pl_buf_clear(&follower->json);
    pl_record_write_json(&follower->json, record, &follower->table->keys, &follower->keys);
    if (pl_buf_status(&follower->json) != 0 || pl_buf_status(&follower->keys) != 0)
        return PL_ENOMEM;
    return giving->give_json(giving->state, pl_buf_view(&follower->json));
}

static int read_on(struct giving *giving, pl_feed_give_fn give, struct pl_follower_progress *progress)
{
    bool ended = has_ended(giving->follower), more;
    int rc = pl_feed_read(giving->follower->feed, READ_BYTES, give, giving, &more);

    progress->more = more;
    progress->ended = rc == 0 && ended && !more;
    return rc;
}

int pl_follower_read(struct pl_follower *follower, pl_follower_give_fn give, void *state,
                     struct pl_follower_progress *progress)
{
    struct giving giving = { .follower = follower, .give = give, .state = state };

    return read_on(&giving, give_record, progress);
}

int pl_follower_read_json(struct pl_follower *follower, int (*give)(void *state, struct pl_bytes json),
                          void *state, struct pl_follower_progress *progress)
{
    struct giving giving = { .follower = follower, .give_json = give, .state = state };

    return read_on(&giving, give_as_json, progress);
}

void pl_follower_give_back(struct pl_follower *follower, uint16_t partition, uint64_t sequence)
{
    pl_feed_give_back(follower->feed, partition, sequence);
}

void pl_follower_position(const struct pl_follower *follower, struct pl_buf *out)
{
    pl_feed_position(follower->feed, out);
}
