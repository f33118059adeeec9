/* SPDX-License-Identifier: MIT */
#include "stream/replay.h"

#include "model/json.h"

enum { PURGE_LETTERS_MAX = 500, PURGE_BYTES_MAX = 256 << 10 };

/* A walk over the letters, or one of them alone. */
struct work {
    struct pl_trigger_hands *hands;
    const struct pl_trigger_source *source;
    struct pl_operation *op;
    bool alone;
    uint16_t partition; /* the next one, or one after it */
    uint64_t sequence;
    struct pl_letter letter;
    struct pl_buf bytes; /* of the letter: no snapshot is held while it is run */
    uint64_t done, failed;
    struct pl_reason why; /* the first failure's */
};

static int begin(struct work *work)
{
    struct pl_bytes name = work->op->letter;

    work->sequence = 1;
    work->alone = name.len > 0;
    if (work->alone && !pl_letter_parse_name(name, &work->partition, &work->sequence))
        return pl_reason_set(&work->op->reply.why, PL_EINVALID,
                             "expected a dead letter's id, as in 12-4711, or ALL");
    return 0;
}

static int copy(struct work *work)
{
    struct pl_letter *letter = &work->letter;

    pl_buf_clear(&work->bytes);
    pl_buf_append_bytes(&work->bytes, letter->record);
    if (pl_buf_status(&work->bytes) != 0)
        return PL_ENOMEM;
    letter->record = pl_buf_view(&work->bytes);
    letter->error = pl_bytes(NULL, 0);
    return 0;
}

/* PL_ENOTFOUND: there are no more. */
static int find(struct work *work)
{
    struct pl_trigger_hands *hands = work->hands;
    uint64_t asked = work->sequence;
    int rc = pl_snapshot_renew(hands->snapshot);

    if (rc == 0)
        rc = pl_letter_find(hands->snapshot, hands->partition_count, work->source->trigger.id,
                            work->partition, work->sequence, &work->letter);
    if (rc == 0 && work->alone &&
        (work->letter.partition != work->partition || work->letter.sequence != asked))
        rc = PL_ENOTFOUND;
    if (rc == 0)
        rc = copy(work);
    pl_snapshot_reset(hands->snapshot);
    if (rc == 0) {
        work->partition = work->letter.partition;
        work->sequence = work->letter.sequence + 1;
    }
    return rc;
}

/* ---- replaying -------------------------------------------------------------------------------------- */

/* What the record or the function is to blame for is counted; the rest ends the walk. */
static int replay_one(struct work *work)
{
    struct pl_reason why = { .text = "" };
    int rc = pl_trigger_replay(work->hands, work->source, &work->letter, &why);

    if (rc == 0) {
        work->done++;
        return 0;
    }
    if (pl_trigger_is_trouble(rc))
        return pl_reason_set(&work->op->reply.why, rc, "%s", pl_reason_text(&why, rc));
    if (work->failed++ == 0)
        pl_reason_set(&work->why, rc, "%s", pl_reason_text(&why, rc));
    return 0;
}

static int replay(struct work *work)
{
    int rc;

    while ((rc = find(work)) == 0) {
        rc = replay_one(work);
        if (rc != 0 || work->alone)
            return rc;
        if (work->hands->is_ending(work->hands->state))
            return pl_reason_set(&work->op->reply.why, PL_ECLOSED,
                                 "the server ends: %llu were replayed, the others are kept",
                                 (unsigned long long)work->done);
    }
    return rc;
}

/* ---- purging ---------------------------------------------------------------------------------------- */

static int commit(struct work *work, uint16_t partition, uint64_t count)
{
    int rc = count == 0 ? 0 : pl_trigger_change(work->hands, work->source, partition);

    if (rc == 0)
        work->done += count;
    pl_buf_clear(&work->hands->effects);
    return rc;
}

static int purge(struct work *work)
{
    struct pl_buf *effects = &work->hands->effects;
    uint16_t partition = 0;
    uint64_t count = 0;
    int rc = 0, found;

    pl_buf_clear(effects);
    while ((found = find(work)) == 0 && rc == 0) {
        if (work->letter.partition != partition || count == PURGE_LETTERS_MAX ||
            effects->len > PURGE_BYTES_MAX) {
            rc = commit(work, partition, count);
            partition = work->letter.partition;
            count = 0;
        }
        pl_trigger_drop_letter(effects, work->source, &work->letter);
        count++;
        if (work->alone)
            break;
    }
    if (rc == 0)
        rc = commit(work, partition, count);
    return rc != 0 ? rc : found;
}

/* ---- the reply -------------------------------------------------------------------------------------- */

static int answer(struct work *work)
{
    struct pl_operation *op = work->op;
    struct pl_buf *out = &op->bytes;

    pl_buf_clear(out);
    pl_buf_append_format(out, op->name == PL_OP_PURGE_LETTERS ? "{\"purged\":%llu" : "{\"replayed\":%llu",
                         (unsigned long long)work->done);
    if (op->name == PL_OP_REPLAY_LETTERS)
        pl_buf_append_format(out, ",\"failed\":%llu", (unsigned long long)work->failed);
    if (work->failed > 0) {
        pl_buf_append_bytes(out, pl_str(",\"error\":"));
        pl_json_write_string(out, pl_str(work->why.text));
    }
    pl_buf_append_byte(out, '}');
    op->reply.text = pl_buf_view(out);
    return pl_buf_status(out);
}

void pl_letters_carry_out(struct pl_trigger_hands *hands, const struct pl_trigger_source *source,
                          struct pl_operation *op)
{
    struct work work = { .hands = hands, .source = source, .op = op };
    int rc = begin(&work);

    if (rc == 0)
        rc = op->name == PL_OP_PURGE_LETTERS ? purge(&work) : replay(&work);
    if (rc == PL_ENOTFOUND && work.alone && work.done + work.failed == 0)
        pl_reason_set(&op->reply.why, rc, "there is no dead letter %.*s", (int)op->letter.len,
                      op->letter.data);
    else if (rc == PL_ENOTFOUND)
        rc = 0;
    op->reply.rc = rc == 0 ? answer(&work) : rc;
    pl_buf_deinit(&work.bytes);
}
