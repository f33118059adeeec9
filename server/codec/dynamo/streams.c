/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/call.h"
#include "codec/dynamo/description.h"
#include "codec/dynamo/params.h"
#include "codec/dynamo/stream_names.h"
#include "model/json.h"

#include <inttypes.h>
#include <stdlib.h>

#define NAME(bytes) (int)(bytes).len, (bytes).data

/* The streams API: ListStreams, DescribeStream, GetShardIterator, GetRecords. A partition is a shard, for good. */

enum { PAGE_MAX = 100, RECORDS_MAX = 1000, ITERATOR_LIFE_MS = 15 * 60 * 1000 };

/* ---- members ---------------------------------------------------------------------------------------- */

static const struct pl_dynamo_shape page_limit = {
    .kind = PL_DYNAMO_INTEGER, .has_min = true, .min = 1, .max = PAGE_MAX
};
static const struct pl_dynamo_shape stream_arn = {
    .kind = PL_DYNAMO_STRING, .has_min = true, .min = 37, .max = 1024
};
static const struct pl_dynamo_shape shard_id = {
    .kind = PL_DYNAMO_STRING, .has_min = true, .min = 28, .max = 65
};
static const struct pl_dynamo_shape sequence_number = {
    .kind = PL_DYNAMO_STRING, .has_min = true, .min = 21, .max = 40
};

static const struct pl_dynamo_member list_members[] = {
    { "TableName", &pl_dynamo_table_name, false },
    { "Limit", &page_limit, false },
    { "ExclusiveStartStreamArn", &stream_arn, false },
};
static const struct pl_dynamo_shape list_input = PL_DYNAMO_STRUCTURE_OF("ListStreamsInput", list_members);

static const char *const filter_types[] = { "CHILD_SHARDS", NULL };
static const struct pl_dynamo_shape filter_type = { .kind = PL_DYNAMO_STRING, .words = filter_types };
static const struct pl_dynamo_member filter_members[] = {
    { "Type", &filter_type, false },
    { "ShardId", &shard_id, false },
};
static const struct pl_dynamo_shape filter = PL_DYNAMO_STRUCTURE_OF("ShardFilter", filter_members);
static const struct pl_dynamo_member describe_members[] = {
    { "StreamArn", &stream_arn, true },
    { "Limit", &page_limit, false },
    { "ExclusiveStartShardId", &shard_id, false },
    { "ShardFilter", &filter, false },
};
static const struct pl_dynamo_shape describe_input =
    PL_DYNAMO_STRUCTURE_OF("DescribeStreamInput", describe_members);

static const char *const iterator_types[] = { "AFTER_SEQUENCE_NUMBER", "LATEST", "AT_SEQUENCE_NUMBER",
                                              "TRIM_HORIZON", NULL };
static const struct pl_dynamo_shape iterator_type = { .kind = PL_DYNAMO_STRING, .words = iterator_types };
static const struct pl_dynamo_member iterator_members[] = {
    { "StreamArn", &stream_arn, true },
    { "ShardId", &shard_id, true },
    { "ShardIteratorType", &iterator_type, true },
    { "SequenceNumber", &sequence_number, false },
};
static const struct pl_dynamo_shape iterator_input =
    PL_DYNAMO_STRUCTURE_OF("GetShardIteratorInput", iterator_members);

static const struct pl_dynamo_shape iterator = {
    .kind = PL_DYNAMO_STRING, .has_min = true, .min = 1, .max = 2048
};
static const struct pl_dynamo_shape records_limit = {
    .kind = PL_DYNAMO_INTEGER, .has_min = true, .min = 1, .max = RECORDS_MAX
};
static const struct pl_dynamo_member records_members[] = {
    { "ShardIterator", &iterator, true },
    { "Limit", &records_limit, false },
};
static const struct pl_dynamo_shape records_input =
    PL_DYNAMO_STRUCTURE_OF("GetRecordsInput", records_members);

/* ---- streams ---------------------------------------------------------------------------------------- */

static int no_stream(struct pl_dynamo_request *request, struct pl_bytes arn)
{
    return pl_dynamo_error(request, "ResourceNotFoundException",
                           "Requested resource not found: Stream: %.*s not found", NAME(arn));
}

/* The table whose stream has this ARN: now, or as it was when its stream was closed. */
static const struct pl_table *table_of(const struct pl_tables *tables, struct pl_bytes name,
                                       struct pl_bytes label)
{
    const struct pl_table *table = pl_tables_find(tables, name);

    if (table != NULL && table->stream != PL_STREAM_OFF &&
        pl_dynamo_stream_label_is(label, table->stream_created_ms))
        return table;
    for (uint32_t i = 0; i < tables->closed_stream_count; i++) {
        table = tables->closed_streams[i].table;
        if (pl_bytes_equal(table->name, name) && pl_dynamo_stream_label_is(label, table->stream_created_ms))
            return table;
    }
    return NULL;
}

static int trimmed(struct pl_dynamo_request *request)
{
    return pl_dynamo_error(request, "TrimmedDataAccessException",
                           "The operation attempted to read past the oldest stream record in a shard");
}

static int find_stream(struct pl_dynamo_request *request, struct pl_bytes arn, const struct pl_table **out)
{
    struct pl_bytes name, label;

    if (!pl_dynamo_stream_arn_split(arn, &name, &label))
        return pl_dynamo_invalid(request, "Invalid StreamArn: Invalid ResourceArn provided as input %.*s",
                                 NAME(arn));
    *out = table_of(request->context->tables, name, label);
    return *out != NULL ? 0 : no_stream(request, arn);
}

/* It takes no more records: switched off, or its table is gone. */
static bool is_closed(const struct pl_dynamo_request *request, uint32_t stream_id)
{
    return pl_tables_find_closed(request->context->tables, stream_id) != NULL;
}

static void write_label(struct pl_buf *out, const struct pl_table *table)
{
    pl_buf_append_bytes(out, pl_str("\"StreamLabel\":\""));
    pl_dynamo_label_write(out, table->stream_created_ms);
    pl_buf_append_byte(out, '"');
}

static void write_arn(struct pl_dynamo_request *request, const char *before, const struct pl_table *table)
{
    pl_buf_append_bytes(&request->body, pl_str(before));
    pl_buf_append_byte(&request->body, '"');
    pl_dynamo_stream_arn_write(&request->body, request->context, table);
    pl_buf_append_byte(&request->body, '"');
}

static uint32_t limit_of(struct pl_dynamo_request *request, uint32_t otherwise)
{
    const struct pl_dynamo_node *limit = pl_dynamo_get(request->input, "Limit");

    return limit != NULL ? (uint32_t)limit->number : otherwise;
}

static void write_stream(struct pl_dynamo_request *request, const struct pl_table *table, bool first)
{
    write_arn(request, first ? "{\"StreamArn\":" : ",{\"StreamArn\":", table);
    pl_buf_append_bytes(&request->body, pl_str(",\"TableName\":"));
    pl_json_write_string(&request->body, table->name);
    pl_buf_append_byte(&request->body, ',');
    write_label(&request->body, table);
    pl_buf_append_byte(&request->body, '}');
}

/* By table, and by age: a table may have had several. */
static int compare_streams(const void *a, const void *b)
{
    const struct pl_table *left = *(const struct pl_table *const *)a;
    const struct pl_table *right = *(const struct pl_table *const *)b;
    int order = pl_bytes_compare(left->name, right->name);

    if (order != 0)
        return order;
    return left->stream_created_ms < right->stream_created_ms   ? -1
           : left->stream_created_ms > right->stream_created_ms ? 1
                                                                : 0;
}

/* All streams that can be read, of one table when `only` is given. NULL: no memory. */
static const struct pl_table **gather_streams(struct pl_dynamo_request *request, struct pl_bytes only,
                                              uint32_t *count)
{
    const struct pl_tables *tables = request->context->tables;
    const struct pl_table **streams = pl_arena_zalloc(
        &request->arena, (size_t)tables->count + tables->closed_stream_count + 1, sizeof *streams);

    *count = 0;
    if (streams == NULL)
        return NULL;
    for (uint32_t i = 0; i < tables->count; i++)
        if (tables->tables[i]->stream != PL_STREAM_OFF)
            streams[(*count)++] = tables->tables[i];
    for (uint32_t i = 0; i < tables->closed_stream_count; i++)
        streams[(*count)++] = tables->closed_streams[i].table;
    for (uint32_t i = 0; only.data != NULL && i < *count;)
        if (pl_bytes_equal(streams[i]->name, only))
            i++;
        else
            streams[i] = streams[--*count];
    qsort(streams, *count, sizeof *streams, compare_streams);
    return streams;
}

/* The first after the stream of this name and label. */
static uint32_t first_after(const struct pl_table *const *streams, uint32_t count, struct pl_bytes name,
                            struct pl_bytes label)
{
    bool passed = false;
    uint32_t i = 0;

    for (; i < count; i++) {
        int order = pl_bytes_compare(streams[i]->name, name);

        if (order > 0 || passed)
            break;
        passed = order == 0 && pl_dynamo_stream_label_is(label, streams[i]->stream_created_ms);
    }
    return i;
}

static int begin_list(struct pl_dynamo_request *request)
{
    struct pl_bytes start = pl_dynamo_get_text(request->input, "ExclusiveStartStreamArn");
    struct pl_bytes only, after, label;
    uint32_t limit = limit_of(request, PAGE_MAX), count, first = 0, end;
    const struct pl_table **streams;
    int rc = pl_dynamo_take_table(request, pl_dynamo_get_text(request->input, "TableName"), &only);

    if (rc != 0)
        return rc;
    streams = gather_streams(request, only, &count);
    if (streams == NULL)
        return PL_ENOMEM;
    if (start.data != NULL && !pl_dynamo_stream_arn_split(start, &after, &label))
        return pl_dynamo_invalid(request, "Invalid StreamArn: Invalid ResourceArn provided as input %.*s",
                                 NAME(start));
    if (start.data != NULL)
        first = first_after(streams, count, after, label);
    end = count - first > limit ? first + limit : count;
    pl_buf_append_bytes(&request->body, pl_str("{\"Streams\":["));
    for (uint32_t i = first; i < end; i++)
        write_stream(request, streams[i], i == first);
    pl_buf_append_byte(&request->body, ']');
    if (end < count)
        write_arn(request, ",\"LastEvaluatedStreamArn\":", streams[end - 1]);
    pl_buf_append_byte(&request->body, '}');
    return 0;
}

/* ---- shards ----------------------------------------------------------------------------------------- */

static int begin_records(struct pl_dynamo_request *request, const struct pl_table *table, uint16_t partition,
                         enum pl_records_from from, uint64_t after)
{
    pl_dynamo_operation(request, PL_OP_RECORDS);
    request->op.table_name = pl_arena_copy(&request->arena, table->name);
    request->op.records.id = table->stream_id;
    request->op.records.from = from;
    request->op.records.after = after;
    request->op.partition = partition;
    return request->op.table_name.data != NULL ? PL_DYNAMO_GO_ON : PL_ENOMEM;
}

/* A page of a stream's shards. */
struct shards {
    uint32_t first, end;   /* partitions */
    uint32_t closed_count; /* how many of them are known by `last` */
    uint64_t *last; /* sequences, 0: the shard never had a record; NULL: the stream takes records still */
};

static struct shards *choose_shards(struct pl_dynamo_request *request, const struct pl_table *table)
{
    struct shards *shards = pl_arena_zalloc(&request->arena, 1, sizeof *shards);
    struct pl_bytes start = pl_dynamo_get_text(request->input, "ExclusiveStartShardId");
    uint32_t count = request->context->partition_count, limit = limit_of(request, PAGE_MAX);
    uint16_t partition;

    if (shards == NULL)
        return NULL;
    if (start.data != NULL)
        shards->first = pl_dynamo_shard_id_read(start, table->stream_id, &partition) && partition < count
                            ? partition + 1U
                            : count;
    shards->end = count - shards->first > limit ? shards->first + limit : count;
    if (pl_dynamo_get(request->input, "ShardFilter") != NULL)
        shards->end = shards->first; /* only children: shards are never split, and have none */
    return shards;
}

/* A closed shard that never had a record ends where it began. */
static void write_shard(struct pl_dynamo_request *request, const struct pl_table *table, uint32_t partition,
                        const uint64_t *last)
{
    struct pl_buf *out = &request->body;

    pl_buf_append_bytes(out, pl_str("{\"ShardId\":\""));
    pl_dynamo_shard_id_write(out, table->stream_id, (uint16_t)partition);
    pl_buf_append_bytes(out, pl_str("\",\"SequenceNumberRange\":{\"StartingSequenceNumber\":\""));
    pl_dynamo_sequence_write(out, 1);
    if (last != NULL) {
        pl_buf_append_bytes(out, pl_str("\",\"EndingSequenceNumber\":\""));
        pl_dynamo_sequence_write(out, *last > 0 ? *last : 1);
    }
    pl_buf_append_bytes(out, pl_str("\"}}"));
}

static void write_shards(struct pl_dynamo_request *request, const struct pl_table *table,
                         const struct shards *shards)
{
    struct pl_buf *out = &request->body;

    pl_buf_append_bytes(out, pl_str(",\"Shards\":["));
    for (uint32_t p = shards->first; p < shards->end; p++) {
        pl_buf_append(out, ",", p > shards->first);
        write_shard(request, table, p, shards->last != NULL ? &shards->last[p - shards->first] : NULL);
    }
    pl_buf_append_byte(out, ']');
    if (shards->end > shards->first && shards->end < request->context->partition_count) {
        pl_buf_append_bytes(out, pl_str(",\"LastEvaluatedShardId\":\""));
        pl_dynamo_shard_id_write(out, table->stream_id, (uint16_t)(shards->end - 1));
        pl_buf_append_byte(out, '"');
    }
}

static int write_description(struct pl_dynamo_request *request, const struct pl_table *table)
{
    struct pl_buf *out = &request->body;

    write_arn(request, "{\"StreamDescription\":{\"StreamArn\":", table);
    pl_buf_append_byte(out, ',');
    write_label(out, table);
    pl_buf_append_format(
        out, ",\"StreamStatus\":\"%s\",\"StreamViewType\":\"%s\",\"CreationRequestDateTime\":",
        is_closed(request, table->stream_id) ? "DISABLED" : "ENABLED", pl_dynamo_view_type(table->stream));
    pl_dynamo_time_write(out, table->stream_created_ms);
    pl_buf_append_bytes(out, pl_str(",\"TableName\":"));
    pl_json_write_string(out, table->name);
    pl_buf_append_byte(out, ',');
    pl_dynamo_key_schema_write(out, &table->keys);
    write_shards(request, table, request->state);
    pl_buf_append_bytes(out, pl_str("}}"));
    return 0;
}

/* Ask the next shard of a closed stream for its end, or write the description when all is known. */
static int go_on_describing(struct pl_dynamo_request *request, const struct pl_table *table)
{
    struct shards *shards = request->state;
    uint32_t next = shards->first + shards->closed_count;

    if (shards->last == NULL || next == shards->end)
        return write_description(request, table);
    return begin_records(request, table, (uint16_t)next, PL_RECORDS_LAST, 0);
}

static int begin_describe(struct pl_dynamo_request *request)
{
    const struct pl_table *table;
    struct shards *shards;
    int rc = find_stream(request, pl_dynamo_get_text(request->input, "StreamArn"), &table);

    if (rc != 0)
        return rc;
    request->state = shards = choose_shards(request, table);
    if (shards == NULL)
        return PL_ENOMEM;
    if (is_closed(request, table->stream_id)) {
        shards->last =
            pl_arena_zalloc(&request->arena, shards->end - shards->first + 1, sizeof *shards->last);
        if (shards->last == NULL)
            return PL_ENOMEM;
    }
    return go_on_describing(request, table);
}

/* The stream is looked for anew: a closed one may go between two of its shards. */
static int finish_describe(struct pl_dynamo_request *request)
{
    struct shards *shards = request->state;
    const struct pl_table *table;
    int rc = find_stream(request, pl_dynamo_get_text(request->input, "StreamArn"), &table);

    if (rc != 0)
        return rc;
    shards->last[shards->closed_count++] = request->op.reply.position;
    return go_on_describing(request, table);
}

/* ---- iterators -------------------------------------------------------------------------------------- */

static int take_sequence(struct pl_dynamo_request *request, bool wanted, uint64_t *out)
{
    struct pl_bytes text = pl_dynamo_get_text(request->input, "SequenceNumber");

    if (wanted && text.data == NULL)
        return pl_dynamo_invalid(request, "Sequence number is required for this iterator type");
    if (!wanted && text.data != NULL)
        return pl_dynamo_invalid(request, "Sequence number must not be specified for this iterator type");
    if (wanted && !pl_dynamo_sequence_read(text, out))
        return pl_dynamo_invalid(request, "Invalid SequenceNumber: %.*s", NAME(text));
    return 0;
}

struct iterator_request {
    bool by_number; /* of a record, and not by TRIM_HORIZON or LATEST */
    uint64_t position;
};

/* Where the shard begins is asked in either case: no iterator begins before it. */
static int begin_iterator(struct pl_dynamo_request *request)
{
    struct pl_bytes id = pl_dynamo_get_text(request->input, "ShardId");
    struct pl_bytes arn = pl_dynamo_get_text(request->input, "StreamArn");
    struct pl_bytes type = pl_dynamo_get_text(request->input, "ShardIteratorType");
    bool at = pl_bytes_equal(type, pl_str("AT_SEQUENCE_NUMBER"));
    struct iterator_request *asked = pl_arena_zalloc(&request->arena, 1, sizeof *asked);
    const struct pl_table *table;
    uint64_t sequence = 1;
    uint16_t partition;
    int rc;

    if (asked == NULL)
        return PL_ENOMEM;
    request->state = asked;
    asked->by_number = at || pl_bytes_equal(type, pl_str("AFTER_SEQUENCE_NUMBER"));
    rc = take_sequence(request, asked->by_number, &sequence);
    asked->position = at ? sequence - 1 : sequence;

    if (rc == 0)
        rc = find_stream(request, arn, &table);
    if (rc != 0)
        return rc;
    if (!pl_dynamo_shard_id_read(id, table->stream_id, &partition) ||
        partition >= request->context->partition_count)
        return pl_dynamo_error(request, "ResourceNotFoundException",
                               "Requested resource not found: Shard does not exist: %.*s", NAME(id));
    return begin_records(request, table, partition,
                         pl_bytes_equal(type, pl_str("LATEST")) ? PL_RECORDS_NEWEST : PL_RECORDS_OLDEST, 0);
}

/* A position that was asked for is none when records behind it are gone. */
static int finish_iterator(struct pl_dynamo_request *request)
{
    const struct iterator_request *asked = request->state;
    uint64_t position = request->op.reply.position;

    if (asked->by_number && asked->position < position)
        return trimmed(request);
    if (asked->by_number)
        position = asked->position;
    pl_buf_append_bytes(&request->body, pl_str("{\"ShardIterator\":\""));
    pl_dynamo_iterator_write(&request->body, request->context, request->op.table, request->op.partition,
                             position);
    pl_buf_append_bytes(&request->body, pl_str("\"}"));
    return 0;
}

/* ---- records ---------------------------------------------------------------------------------------- */

static void write_image(struct pl_buf *out, const char *name, struct pl_item item)
{
    pl_buf_append_format(out, ",\"%s\":", name);
    pl_json_write_item(out, PL_JSON_TYPED, item);
}

static void write_data(struct pl_buf *out, const struct pl_record *record)
{
    pl_buf_append_format(out, "\"dynamodb\":{\"ApproximateCreationDateTime\":%" PRId64, record->at_ms / 1000);
    write_image(out, "Keys", record->keys);
    if (record->has_new)
        write_image(out, "NewImage", record->new);
    if (record->has_old)
        write_image(out, "OldImage", record->old);
    pl_buf_append_bytes(out, pl_str(",\"SequenceNumber\":\""));
    pl_dynamo_sequence_write(out, record->sequence);
    pl_buf_append_format(out, "\",\"SizeBytes\":%u,\"StreamViewType\":\"%s\"}", record->size_bytes,
                         pl_dynamo_view_type(record->view));
}

static int write_record(struct pl_operation *op, const struct pl_record *record)
{
    struct pl_dynamo_request *request = pl_dynamo_request_of(op);
    struct pl_buf *out = &request->body;
    const char *event = record->event[0] == 'i' ? "INSERT" : record->event[0] == 'm' ? "MODIFY" : "REMOVE";

    pl_buf_append(out, ",", request->row_count++ > 0);
    pl_buf_append_format(out,
                         "{\"eventID\":\"%08" PRIx32 "%08" PRIx32 "%016" PRIx64 "\",\"eventName\":\"%s\","
                         "\"eventVersion\":\"1.1\",\"eventSource\":\"aws:dynamodb\",\"awsRegion\":\"",
                         op->records.id, (uint32_t)op->partition, record->sequence, event);
    pl_buf_append_bytes(out, request->region);
    pl_buf_append_bytes(out, pl_str("\","));
    write_data(out, record);
    if (record->by_service)
        pl_buf_append_bytes(
            out,
            pl_str(",\"userIdentity\":{\"Type\":\"Service\",\"PrincipalId\":\"dynamodb.amazonaws.com\"}"));
    pl_buf_append_byte(out, '}');
    return pl_buf_status(out);
}

static int begin_get(struct pl_dynamo_request *request)
{
    struct pl_dynamo_iterator from;
    const struct pl_table *table;
    int rc;

    if (!pl_dynamo_iterator_read(pl_dynamo_get_text(request->input, "ShardIterator"), &from))
        return pl_dynamo_invalid(request, "Invalid ShardIterator");
    if (request->context->now_ms - from.made_ms > ITERATOR_LIFE_MS)
        return pl_dynamo_error(request, "ExpiredIteratorException",
                               "Iterator expired. The iterator was created at time %" PRId64
                               " while right now it is %" PRId64 " which is further in the future than the "
                               "tolerated delay of %d milliseconds.",
                               from.made_ms, request->context->now_ms, ITERATOR_LIFE_MS);
    rc = find_stream(request, from.stream_arn, &table);
    if (rc != 0)
        return rc;
    request->region = pl_arena_copy(&request->arena, request->context->region);
    rc = begin_records(request, table, from.partition, PL_RECORDS_AFTER, from.position);
    if (rc != PL_DYNAMO_GO_ON || request->region.data == NULL)
        return PL_ENOMEM;
    request->op.limit = limit_of(request, RECORDS_MAX);
    request->op.record = write_record;
    pl_buf_append_bytes(&request->body, pl_str("{\"Records\":["));
    return rc;
}

/* A closed stream whose records have all been given has no next page: its reader is done. */
static int finish_get(struct pl_dynamo_request *request)
{
    if (request->op.reply.count == 0 && is_closed(request, request->op.records.id)) {
        pl_buf_append_bytes(&request->body, pl_str("]}"));
        return 0;
    }
    pl_buf_append_bytes(&request->body, pl_str("],\"NextShardIterator\":\""));
    pl_dynamo_iterator_write(&request->body, request->context, request->op.table, request->op.partition,
                             request->op.reply.position);
    pl_buf_append_bytes(&request->body, pl_str("\"}"));
    return 0;
}

/* The stream may have gone since it was found. */
static int records_failed(struct pl_dynamo_request *request)
{
    int rc = request->op.reply.rc;

    if (rc == PL_ETRIMMED)
        return trimmed(request);
    if (rc == PL_ENOTFOUND || rc == PL_ENOTABLE)
        return pl_dynamo_error(request, "ResourceNotFoundException", "Requested resource not found");
    return rc;
}

const struct pl_dynamo_call pl_dynamo_list_streams = {
    .name = "ListStreams", .input = &list_input, .begin = begin_list, .streams = true
};
const struct pl_dynamo_call pl_dynamo_describe_stream = { .name = "DescribeStream",
                                                          .input = &describe_input,
                                                          .begin = begin_describe,
                                                          .finish = finish_describe,
                                                          .failed = records_failed,
                                                          .streams = true };
const struct pl_dynamo_call pl_dynamo_get_shard_iterator = { .name = "GetShardIterator",
                                                             .input = &iterator_input,
                                                             .begin = begin_iterator,
                                                             .finish = finish_iterator,
                                                             .failed = records_failed,
                                                             .streams = true };
const struct pl_dynamo_call pl_dynamo_get_records = { .name = "GetRecords",
                                                      .input = &records_input,
                                                      .begin = begin_get,
                                                      .finish = finish_get,
                                                      .failed = records_failed,
                                                      .streams = true };
