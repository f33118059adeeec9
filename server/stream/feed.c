/* SPDX-License-Identifier: MIT */
#include "stream/feed.h"

#include "model/base64.h"
#include "model/key.h"

#include <stdlib.h>

enum {
    POSITION_FORMAT = 1,
    POSITION_HEAD_BYTES = 1 + 4 + 2,
    CHECK_BYTES = 4,
    POSITION_TEXT_MAX = 64 << 10, /* far above what 4096 partitions take */
    READ_RECORDS = 256,
    WALK_RECORDS = 64,
};

struct pl_feed {
    struct pl_feed_source source;
    uint32_t stream_id;
    uint32_t next; /* the partition where the next read begins: each has its turn */
    struct pl_feed_place {
        uint64_t seen;    /* all records up to here have been given */
        uint64_t applied; /* when this read began */
    } places[];
};

/* ---- positions -------------------------------------------------------------------------------------- */

static void append_number(struct pl_buf *out, uint64_t number)
{
    while (number >= 0x80) {
        pl_buf_append_byte(out, (uint8_t)(number | 0x80));
        number >>= 7;
    }
    pl_buf_append_byte(out, (uint8_t)number);
}

static bool take_number(struct pl_bytes *in, uint64_t *out)
{
    uint64_t number = 0;

    for (unsigned shift = 0; shift < 64 && in->len > 0; shift += 7) {
        uint8_t byte = (uint8_t)in->data[0];

        in->data++;
        in->len--;
        number |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            *out = number;
            return true;
        }
    }
    return false;
}

static uint32_t check_of(struct pl_bytes bytes)
{
    return (uint32_t)pl_key_hash(bytes);
}

static void append_places(const struct pl_feed *feed, struct pl_buf *out)
{
    uint32_t count = feed->source.partition_count, zeros;

    for (uint32_t p = 0; p<count; p += zeros> 0 ? zeros : 1) {
        for (zeros = 0; p + zeros < count && feed->places[p + zeros].seen == 0;)
            zeros++;
        append_number(out, zeros > 0 ? 0 : feed->places[p].seen);
        if (zeros > 0)
            append_number(out, zeros);
    }
}

void pl_feed_position(const struct pl_feed *feed, struct pl_buf *out)
{
    struct pl_buf bytes = { 0 };
    uint8_t head[POSITION_HEAD_BYTES] = { POSITION_FORMAT }, check[CHECK_BYTES];

    pl_put_le32(head + 1, feed->stream_id);
    pl_put_be16(head + 5, (uint16_t)feed->source.partition_count);
    pl_buf_append(&bytes, head, sizeof head);
    append_places(feed, &bytes);
    if (pl_buf_status(&bytes) == 0) {
        pl_put_le32(check, check_of(pl_buf_view(&bytes)));
        pl_buf_append(&bytes, check, sizeof check);
    }
    if (pl_buf_status(&bytes) == 0)
        pl_base64_write(out, pl_buf_view(&bytes));
    else
        out->failed = true;
    pl_buf_deinit(&bytes);
}

/* What stands in a position before the sequences, and the bytes of these. */
struct position {
    uint32_t stream_id;
    uint32_t partition_count;
    struct pl_bytes places; /* views into `bytes` */
    struct pl_buf bytes;
};

/* PL_EINVALID: it is none. `out` is to be given back in every case. */
static int read_position(struct pl_bytes text, struct position *out)
{
    struct pl_bytes all;
    size_t end;

    *out = (struct position){ 0 };
    if (text.len == 0 || text.len > POSITION_TEXT_MAX)
        return PL_EINVALID;
    if (!pl_base64_read(text, &out->bytes))
        return pl_buf_status(&out->bytes) != 0 ? PL_ENOMEM : PL_EINVALID;
    all = pl_buf_view(&out->bytes);
    if (all.len < POSITION_HEAD_BYTES + CHECK_BYTES || all.data[0] != POSITION_FORMAT)
        return PL_EINVALID;
    end = all.len - CHECK_BYTES;
    if (pl_get_le32(all.data + end) != check_of(pl_bytes(all.data, end)))
        return PL_EINVALID;
    out->stream_id = pl_get_le32(all.data + 1);
    out->partition_count = pl_get_be16(all.data + 5);
    out->places = pl_bytes(all.data + POSITION_HEAD_BYTES, end - POSITION_HEAD_BYTES);
    return 0;
}

bool pl_feed_position_stream(struct pl_bytes text, uint32_t *stream_id)
{
    struct position position;
    int rc = read_position(text, &position);

    if (rc == 0)
        *stream_id = position.stream_id;
    pl_buf_deinit(&position.bytes);
    return rc == 0;
}

static bool take_places(struct pl_feed *feed, struct pl_bytes in)
{
    uint32_t p = 0, count = feed->source.partition_count;

    while (p < count) {
        uint64_t number, zeros;

        if (!take_number(&in, &number))
            return false;
        if (number != 0) {
            feed->places[p++].seen = number;
            continue;
        }
        if (!take_number(&in, &zeros) || zeros == 0 || zeros > count - p)
            return false;
        p += (uint32_t)zeros;
    }
    return in.len == 0;
}

/* ---- opening ---------------------------------------------------------------------------------------- */

static struct pl_stream_walk walk_of(const struct pl_feed *feed, uint32_t p)
{
    return (struct pl_stream_walk){ .snapshot = feed->source.snapshot,
                                    .stream_id = feed->stream_id,
                                    .partition = (uint16_t)p };
}

static int begin_latest(struct pl_feed *feed)
{
    for (uint32_t p = 0; p < feed->source.partition_count; p++)
        feed->places[p].seen = pl_sequences_applied(feed->source.sequences, (uint16_t)p);
    return 0;
}

static int begin_oldest(struct pl_feed *feed)
{
    int rc = pl_snapshot_renew(feed->source.snapshot);

    for (uint32_t p = 0; p < feed->source.partition_count && rc == 0; p++) {
        struct pl_stream_walk walk = walk_of(feed, p);

        rc = pl_stream_trimmed(&walk, &feed->places[p].seen);
    }
    pl_snapshot_reset(feed->source.snapshot);
    return rc;
}

static int trimmed(struct pl_reason *why)
{
    return pl_reason_set(why, PL_ETRIMMED,
                         "records after that position are kept no longer: start from oldest");
}

/* What was applied before it grows only: a position past it comes from elsewhere, or from a disk that forgot. */
static int check_places(struct pl_feed *feed, struct pl_reason *why)
{
    int rc = pl_snapshot_renew(feed->source.snapshot);

    for (uint32_t p = 0; p < feed->source.partition_count && rc == 0; p++) {
        struct pl_stream_walk walk = walk_of(feed, p);
        uint64_t gone;

        rc = pl_stream_trimmed(&walk, &gone);
        if (rc == 0 && gone > feed->places[p].seen)
            rc = trimmed(why);
        else if (rc == 0 && feed->places[p].seen > pl_sequences_applied(feed->source.sequences, (uint16_t)p))
            rc = pl_reason_set(
                why, PL_EINVALID,
                "the position is ahead of the stream: it comes from another data directory, or from "
                "writes that were lost; start from oldest");
    }
    pl_snapshot_reset(feed->source.snapshot);
    return rc;
}

static int begin_after(struct pl_feed *feed, struct pl_bytes text, struct pl_reason *why)
{
    struct position position;
    int rc = read_position(text, &position);

    if (rc == 0 &&
        (position.stream_id != feed->stream_id || position.partition_count != feed->source.partition_count))
        rc = pl_reason_set(
            why, PL_EINVALID,
            "the position is of another stream, as when the stream was switched off and on again, or "
            "the table was made anew: start from oldest");
    else if (rc == 0 && !take_places(feed, position.places))
        rc = PL_EINVALID;
    else if (rc == 0)
        rc = check_places(feed, why);
    if (rc == PL_EINVALID && why != NULL && why->text[0] == '\0')
        pl_reason_set(why, rc, "expected oldest, latest or a position that TAIL gave, found '%.*s'",
                      (int)pl_bytes_shortened(text, 64).len, text.data);
    pl_buf_deinit(&position.bytes);
    return rc;
}

int pl_feed_open(const struct pl_feed_source *source, uint32_t stream_id, struct pl_bytes from,
                 struct pl_feed **out, struct pl_reason *why)
{
    struct pl_feed *feed = calloc(1, sizeof *feed + source->partition_count * sizeof feed->places[0]);
    int rc;

    if (feed == NULL)
        return PL_ENOMEM;
    feed->source = *source;
    feed->stream_id = stream_id;
    if (why != NULL)
        why->text[0] = '\0';
    if (pl_bytes_equal(from, pl_str("latest")))
        rc = begin_latest(feed);
    else if (pl_bytes_equal(from, pl_str("oldest")))
        rc = begin_oldest(feed);
    else
        rc = begin_after(feed, from, why);
    if (rc != 0) {
        free(feed);
        return rc;
    }
    *out = feed;
    return 0;
}

void pl_feed_close(struct pl_feed *feed)
{
    free(feed);
}

/* ---- reading ---------------------------------------------------------------------------------------- */

/* One call of pl_feed_read(). */
struct reading {
    struct pl_feed *feed;
    size_t records_left, bytes_left;
    pl_feed_give_fn give;
    void *state;
};

static bool is_over(const struct reading *reading)
{
    return reading->records_left == 0 || reading->bytes_left == 0;
}

static size_t bytes_of(const struct pl_stream_record *record)
{
    return record->keys.bytes.len + record->new.bytes.len + record->old.bytes.len;
}

static int give_one(struct reading *reading, struct pl_feed_place *place,
                    const struct pl_stream_record *record)
{
    size_t len = bytes_of(record);
    int rc = reading->give(reading->state, record);

    if (rc != 0)
        return rc;
    place->seen = record->sequence;
    reading->records_left--;
    reading->bytes_left -= len < reading->bytes_left ? len : reading->bytes_left;
    return 0;
}

/*
 * The next records of a shard, as views. PL_ENOTFOUND: it ends after these. What is being applied just now
 * waits for the next time: no position is ever past what is known to be applied.
 */
static int gather(const struct pl_stream_walk *walk, const struct pl_feed_place *place,
                  struct pl_stream_record *records, size_t *count)
{
    int rc = pl_stream_seek(walk, place->seen + 1, &records[0]);

    *count = 0;
    while (rc == 0 && records[*count].sequence <= place->applied) {
        if (++*count == WALK_RECORDS)
            return 0;
        rc = pl_stream_next(walk, &records[*count]);
    }
    return rc != 0 ? rc : PL_ENOTFOUND;
}

/*
 * Records are deleted while we walk, from the oldest on, and how far is said before: so who asks for that
 * afterwards knows whether the walk has a hole. Only then are they given.
 */
static int read_some(struct reading *reading, uint32_t p, bool *ended)
{
    struct pl_stream_record records[WALK_RECORDS];
    struct pl_feed_place *place = &reading->feed->places[p];
    struct pl_stream_walk walk = walk_of(reading->feed, p);
    uint64_t gone;
    size_t count, given = 0;
    int found = gather(&walk, place, records, &count), rc;

    if (found != 0 && found != PL_ENOTFOUND && count == 0)
        return found;
    rc = pl_stream_trimmed(&walk, &gone);
    if (rc == 0 && gone > place->seen)
        rc = PL_ETRIMMED;
    while (rc == 0 && given < count && !is_over(reading))
        rc = give_one(reading, place, &records[given++]);
    *ended = rc == 0 && given == count && found == PL_ENOTFOUND;
    return rc != 0 || given < count || found == PL_ENOTFOUND ? rc : found;
}

static int read_partition(struct reading *reading, uint32_t p)
{
    struct pl_feed_place *place = &reading->feed->places[p];
    bool ended = false;
    int rc = 0;

    while (rc == 0 && !ended && !is_over(reading))
        rc = read_some(reading, p, &ended);
    /* The other numbers up to there are gaps, or other streams'. */
    if (ended && place->applied > place->seen)
        place->seen = place->applied;
    return rc;
}

/* Asked before the snapshot is renewed: the snapshot has all of it. */
static bool note_applied(struct pl_feed *feed)
{
    bool behind = false;

    for (uint32_t p = 0; p < feed->source.partition_count; p++) {
        feed->places[p].applied = pl_sequences_applied(feed->source.sequences, (uint16_t)p);
        behind = behind || feed->places[p].applied > feed->places[p].seen;
    }
    return behind;
}

static bool is_behind(const struct pl_feed *feed)
{
    for (uint32_t p = 0; p < feed->source.partition_count; p++)
        if (feed->places[p].applied > feed->places[p].seen)
            return true;
    return false;
}

int pl_feed_read(struct pl_feed *feed, size_t bytes_max, pl_feed_give_fn give, void *state, bool *more)
{
    struct reading reading = { feed, READ_RECORDS, bytes_max, give, state };
    uint32_t count = feed->source.partition_count;
    int rc;

    *more = false;
    if (!note_applied(feed))
        return 0;
    rc = pl_snapshot_renew(feed->source.snapshot);
    for (uint32_t i = 0; i < count && rc == 0 && !is_over(&reading); i++) {
        uint32_t p = feed->next;

        feed->next = (p + 1) % count;
        if (feed->places[p].applied > feed->places[p].seen)
            rc = read_partition(&reading, p);
    }
    pl_snapshot_reset(feed->source.snapshot);
    *more = rc == 0 && is_behind(feed);
    return rc;
}

void pl_feed_give_back(struct pl_feed *feed, uint16_t partition, uint64_t sequence)
{
    if (feed->places[partition].seen >= sequence)
        feed->places[partition].seen = sequence - 1;
}
