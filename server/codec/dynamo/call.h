/* SPDX-License-Identifier: MIT */
#ifndef PL_CODEC_DYNAMO_CALL_H
#define PL_CODEC_DYNAMO_CALL_H

#include "codec/dynamo/dynamo.h"
#include "codec/dynamo/input.h"

/**
 * One call of the API: the shape of its input, and two steps.
 *
 *     begin   the input is sound in itself (types, constraints): make the operation, or write the answer
 *     finish  the operation succeeded: write the answer, or make another operation
 *
 * Both return 0 (the body is complete), PL_DYNAMO_GO_ON (run request->op), or a failure: PL_EINVALID and
 * others with the sentence in request->op.reply.why, as pl_dynamo_invalid() and pl_dynamo_error() leave it.
 * `failed`, where there is one, is asked instead of the general answer when the operation failed.
 */
enum { PL_DYNAMO_GO_ON = 1 };

struct pl_dynamo_call {
    const char *name;
    const struct pl_dynamo_shape *input;
    int (*begin)(struct pl_dynamo_request *request);
    int (*finish)(struct pl_dynamo_request *request);
    int (*failed)(struct pl_dynamo_request *request);
    bool streams; /* of the streams API, which has a target prefix of its own */
};

/** NULL: there is none. `target` is the header's value, prefix and all. */
const struct pl_dynamo_call *pl_dynamo_call_find(struct pl_bytes target);

/** All of them. Each is defined where a newcomer would look for it, as pl_dynamo_<name>. */
#define PL_DYNAMO_CALLS(X)                                                                                   \
    X(batch_execute_statement)                                                                               \
    X(batch_get_item)                                                                                        \
    X(batch_write_item)                                                                                      \
    X(create_table)                                                                                          \
    X(delete_backup)                                                                                         \
    X(delete_item)                                                                                           \
    X(delete_table)                                                                                          \
    X(describe_backup)                                                                                       \
    X(describe_continuous_backups)                                                                           \
    X(describe_contributor_insights)                                                                         \
    X(describe_endpoints)                                                                                    \
    X(describe_kinesis_streaming_destination)                                                                \
    X(describe_limits)                                                                                       \
    X(describe_table)                                                                                        \
    X(describe_time_to_live)                                                                                 \
    X(execute_statement)                                                                                     \
    X(execute_transaction)                                                                                   \
    X(describe_stream)                                                                                       \
    X(get_records)                                                                                           \
    X(get_shard_iterator)                                                                                    \
    X(list_streams)                                                                                          \
    X(get_item)                                                                                              \
    X(get_resource_policy)                                                                                   \
    X(list_backups)                                                                                          \
    X(list_contributor_insights)                                                                             \
    X(list_exports)                                                                                          \
    X(list_global_tables)                                                                                    \
    X(list_imports)                                                                                          \
    X(list_tables)                                                                                           \
    X(list_tags_of_resource)                                                                                 \
    X(put_item)                                                                                              \
    X(query)                                                                                                 \
    X(scan)                                                                                                  \
    X(tag_resource)                                                                                          \
    X(transact_get_items)                                                                                    \
    X(transact_write_items)                                                                                  \
    X(untag_resource)                                                                                        \
    X(update_continuous_backups)                                                                             \
    X(update_item)                                                                                           \
    X(update_table)                                                                                          \
    X(update_time_to_live)

#define PL_DYNAMO_DECLARE(call) extern const struct pl_dynamo_call pl_dynamo_##call;
PL_DYNAMO_CALLS(PL_DYNAMO_DECLARE)
#undef PL_DYNAMO_DECLARE

/** A ValidationException. Returns PL_EINVALID. */
int pl_dynamo_invalid(struct pl_dynamo_request *request, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** An error that base/error.h does not have: `type` is a literal. Returns PL_EINVALID. */
int pl_dynamo_error(struct pl_dynamo_request *request, const char *type, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** request->op is a fresh operation `name`; what the caller of the codec set in it stays. */
void pl_dynamo_operation(struct pl_dynamo_request *request, enum pl_operation_name name);

/** The request that `op`, or its parent, belongs to. */
struct pl_dynamo_request *pl_dynamo_request_of(struct pl_operation *op);

#endif
