/* SPDX-License-Identifier: MIT */
#include "route/records.h"

enum { PAGE_BYTES_MAX = 1 << 20 };

static int give(struct pl_operation *op, const struct pl_stream_record *stored, uint64_t *page_bytes)
{
    struct pl_record record = { .event = pl_stream_event_name(stored->event),
                                .view = stored->view,
                                .by_service = stored->actor == PL_ACTOR_EXPIRY,
                                .at_ms = stored->at_ms,
                                .sequence = stored->sequence,
                                .has_new = stored->has_new,
                                .has_old = stored->has_old,
                                .new = stored->new,
                                .old = stored->old };
    int rc;

    pl_buf_clear(&op->bytes);
    rc = pl_stream_record_keys(stored, &op->table->keys, &op->bytes, &record.keys);
    if (rc != 0)
        return rc;
    record.size_bytes = pl_stream_record_size_bytes(stored, &op->table->keys);
    *page_bytes += record.size_bytes;
    op->reply.count++;
    op->reply.position = stored->sequence;
    return op->record != NULL ? op->record(op, &record) : 0;
}

static int read_page(const struct pl_stream_walk *walk, struct pl_operation *op)
{
    struct pl_stream_record stored;
    uint64_t page_bytes = 0, gone;
    int rc;

    op->reply.position = op->records.after;
    rc = pl_stream_seek(walk, op->records.after + 1, &stored);
    while (rc == 0) {
        rc = give(op, &stored, &page_bytes);
        if (rc != 0)
            return rc;
        if (op->reply.count == op->limit || page_bytes >= PAGE_BYTES_MAX)
            break;
        rc = pl_stream_next(walk, &stored);
    }
    if (rc != 0 && rc != PL_ENOTFOUND)
        return rc;
    rc = pl_stream_trimmed(walk, &gone);
    return rc == 0 && gone > op->records.after ? PL_ETRIMMED : rc;
}

int pl_records_read(struct pl_snapshot *snapshot, const struct pl_sequences *sequences,
                    struct pl_operation *op)
{
    struct pl_stream_walk walk = { .snapshot = snapshot,
                                   .stream_id = op->records.id,
                                   .partition = op->partition };

    if (op->table->stream_id != op->records.id || op->partition >= sequences->partition_count)
        return PL_ENOTFOUND;
    switch (op->records.from) {
    case PL_RECORDS_NEWEST:
        op->reply.position = pl_sequences_applied(sequences, op->partition);
        return 0;
    case PL_RECORDS_LAST:
        return pl_stream_last(&walk, &op->reply.position);
    case PL_RECORDS_OLDEST:
        return pl_stream_trimmed(&walk, &op->reply.position);
    case PL_RECORDS_AFTER:
        break;
    }
    return read_page(&walk, op);
}
