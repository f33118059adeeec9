/* SPDX-License-Identifier: MIT */
#ifndef PL_MODEL_OPERATION_H
#define PL_MODEL_OPERATION_H

#include "model/capacity.h"
#include "model/expr.h"
#include "model/item.h"
#include "model/key.h"
#include "model/legacy.h"
#include "model/table.h"

/**
 * Everything that can be asked of the data, whichever way in it came. One list:
 * the codecs, HELP and the statistics follow it.
 *
 * X(name, verb of the line protocol, kind)
 */
#define PL_OPERATION_MAP(X)                                                                                  \
    X(PUT, "PUT", WRITE)                                                                                     \
    X(GET, "GET", READ)                                                                                      \
    X(UPDATE, "UPDATE", WRITE)                                                                               \
    X(DELETE, "DEL", WRITE)                                                                                  \
    X(QUERY, "QUERY", READ)                                                                                  \
    X(SCAN, "SCAN", READ)                                                                                    \
    X(BATCH_GET, "BATCH", READ)                                                                              \
    X(BATCH_WRITE, "BATCH", WRITE)                                                                           \
    X(TRANSACT_GET, "TRANSACT", READ)                                                                        \
    X(TRANSACT_WRITE, "TRANSACT", WRITE)                                                                     \
    X(CONDITION_CHECK, "TRANSACT", WRITE) /* of a TRANSACT_WRITE: changes nothing */                         \
    X(ADVANCE, "DEADLETTERS", WRITE)      /* by the server itself: see partition/progress.h */               \
    X(LETTERS, "DEADLETTERS", READ)                                                                          \
    X(REPLAY_LETTERS, "DEADLETTERS", WRITE)                                                                  \
    X(PURGE_LETTERS, "DEADLETTERS", WRITE)                                                                   \
    X(RECORDS, "TAIL", READ) /* of one shard of a table's stream */                                          \
    X(TABLES, "TABLES", READ)                                                                                \
    X(DESCRIBE, "DESCRIBE", READ)                                                                            \
    X(CREATE, "CREATE", SCHEMA)                                                                              \
    X(ALTER, "ALTER", SCHEMA)                                                                                \
    X(DROP, "DROP", SCHEMA)

enum pl_operation_name {
#define PL_OPERATION_NAME(name, verb, kind) PL_OP_##name,
    PL_OPERATION_MAP(PL_OPERATION_NAME)
#undef PL_OPERATION_NAME
        PL_OP_COUNT
};

enum pl_operation_kind { PL_OPERATION_READ, PL_OPERATION_WRITE, PL_OPERATION_SCHEMA };

enum pl_operation_kind pl_operation_kind(enum pl_operation_name name);

enum pl_return_values {
    PL_RETURN_NONE,
    PL_RETURN_ALL_OLD,
    PL_RETURN_UPDATED_OLD,
    PL_RETURN_ALL_NEW,
    PL_RETURN_UPDATED_NEW,
};

/** On whose behalf. It stands in the stream: a deletion by the service is marked as its own. */
enum pl_actor { PL_ACTOR_CLIENT, PL_ACTOR_TRIGGER, PL_ACTOR_EXPIRY };

/** "client", "trigger", "expiry". */
const char *pl_actor_name(enum pl_actor actor);

enum pl_select {
    PL_SELECT_DEFAULT,
    PL_SELECT_ALL,
    PL_SELECT_ALL_PROJECTED,
    PL_SELECT_SPECIFIC,
    PL_SELECT_COUNT
};

struct pl_operation;

/** What a keyspace holds. */
struct pl_extent {
    int64_t items;
    int64_t size_bytes;
};

/** A record of a stream, as it is given: partition/stream.h has what is stored. Views as good as a row's. */
struct pl_record {
    const char *event; /* "insert", "modify", "remove" */
    enum pl_stream_view view;
    bool by_service; /* an expiry's */
    int64_t at_ms;
    uint64_t sequence;
    uint32_t size_bytes;
    struct pl_item keys;
    bool has_new, has_old;
    struct pl_item new, old;
};

/**
 * Where RECORDS begins. The others than AFTER give no record: they only say which position that is. LAST is the shard's
 * last record, there still or trimmed, and 0 when it never had one; NEWEST is past the records of all streams.
 */
enum pl_records_from { PL_RECORDS_OLDEST, PL_RECORDS_LAST, PL_RECORDS_NEWEST, PL_RECORDS_AFTER };

/** 128 bits that tell requests apart. */
struct pl_digest {
    uint64_t high, low;
};

/**
 * What an operation came to. The codec turns it into bytes. A read's `item` may be a view
 * into the database's page or memory: write it out before the router rests. All else is good until the
 * operation is reset.
 */
struct pl_reply {
    int rc; /* 0 or the failure; then `why` may hold its sentence */
    struct pl_reason why;
    bool has_item; /* GET found one; a write returns attributes; a failed condition shows the old item */
    struct pl_item item;
    uint64_t count;   /* QUERY, SCAN: rows given, or that would have been (COUNT) */
    uint64_t scanned; /* evaluated, before the filter */
    bool has_last_key;
    struct pl_item last_key; /* where the next page starts */
    uint32_t unprocessed; /* BATCH_*: children that were left out, with rc PL_ETHROUGHPUT: to be sent again */
    struct pl_bytes text; /* TABLES, DESCRIBE, CREATE, ALTER, DROP: a JSON object, ready to be sent */
    uint64_t position;    /* RECORDS: of the last record given, or the one that was asked for */
    struct pl_extent
        *extents; /* DESCRIBE: of the operation's table and then of its indexes, in their order */
    struct pl_capacity capacity;
    bool has_collection; /* a write to a table with local indexes: what shares the item's partition key */
    uint64_t collection_bytes;
};

/** One row of a QUERY, SCAN or BATCH_GET, handed over while `item`'s bytes are good: copy or write it out now. */
typedef int (*pl_row_fn)(struct pl_operation *op, struct pl_item item);
/** One record of RECORDS, in the same way. */
typedef int (*pl_record_fn)(struct pl_operation *op, const struct pl_record *record);
/** The operation has its reply. Called exactly once, on the thread that submitted it. */
typedef void (*pl_done_fn)(struct pl_operation *op);

/**
 * One request, from its bytes to its reply. The codec fills in what was asked;
 * `partition/prepare.c` checks it against the table and parses the expressions;
 * a read runs where it is, a write travels to its shard and back.
 *
 * All views point into the request's text or into `arena`, both of which live until
 * the operation is done and its reply written. Zeroed memory plus pl_operation_init()
 * is an empty operation; pl_operation_deinit() gives back the table and the arena.
 */
struct pl_operation {
    enum pl_operation_name name;
    struct pl_arena arena; /* ours; scratch of the request */
    struct pl_buf bytes;   /* ours; encoded items of the request and of the reply */

    /* Asked. */
    struct pl_bytes table_name;
    struct pl_bytes index_name; /* QUERY, SCAN; empty: the table itself. *LETTERS: the trigger's name */
    struct pl_item item;        /* PUT: the item; GET, UPDATE, DELETE, CONDITION_CHECK: the key, exactly */
    struct pl_expr_params params;
    struct pl_bytes condition_text;
    struct pl_bytes update_text;
    struct pl_bytes filter_text;
    struct pl_bytes key_condition_text;
    struct pl_bytes projection_text;
    /* In the form that came before expressions, `condition`, `filter`, `update` and `projection` below are made
     * by whoever asks; key conditions are only gathered, because they need the schema. */
    bool filters_keys; /* QUERY: the filter may speak of keys, as PartiQL's WHERE does */
    bool legacy;       /* sentences name QueryFilter, AttributesToGet, ... */
    const struct pl_legacy_condition *key_conditions;
    uint32_t key_condition_count;
    struct pl_bytes condition_name; /* a Lua condition of the table (IF @name args); empty: none */
    bool has_condition_args;
    struct pl_value condition_args;
    enum pl_return_values returns;
    bool return_old_on_failure; /* ReturnValuesOnConditionCheckFailure: ALL_OLD */
    bool consistent;
    bool
        patient; /* a GET may wait for others like it, up to the end of the caller's turn: see pl_router_run() */
    bool descending;
    enum pl_select select;
    uint32_t limit; /* 0: none */
    bool has_start_key;
    struct pl_item start_key;
    bool has_segment;
    uint32_t segment, segment_count;
    enum pl_capacity_report report;
    struct pl_bytes definition; /* CREATE, ALTER: JSON text, in the form of table.h; ALTER: a patch of it */
    struct pl_bytes letter;     /* LETTERS: where to begin; REPLAY_, PURGE_LETTERS: which one; empty: all */
    struct pl_advance *advance; /* ADVANCE */
    enum pl_actor actor;
    uint8_t cascade_depth; /* PL_ACTOR_TRIGGER: one more than that of the record it handles */
    /* BATCH_*: PUT, DELETE or GET operations. TRANSACT_WRITE: PUT, UPDATE, DELETE, CONDITION_CHECK;
     * TRANSACT_GET: GET. Each is complete in itself, and has a reply of its own. */
    struct pl_operation *children;
    uint32_t child_count;
    struct { /* RECORDS: of the stream `id` of table `table_name`, its shard `partition` */
        uint32_t id;
        enum pl_records_from from;
        uint64_t after; /* AFTER: a position */
    } records;
    struct pl_bytes token; /* TRANSACT_WRITE: ClientRequestToken; data NULL: none */

    /* Prepared. */
    struct pl_table *table; /* a reference of ours */
    const struct pl_index *index;
    struct pl_condition *condition;
    struct pl_condition *filter;
    struct pl_update *update;
    struct pl_projection *projection;
    struct pl_key_parts *key_parts; /* of `key_condition_text` */
    struct pl_key_condition key_condition;
    struct pl_buf pk_bytes, tail_bytes; /* ours; what `pk` and `tail` view */
    struct pl_bytes pk, tail; /* encoded: the primary key of PUT, GET, UPDATE, DELETE; QUERY: pk only */
    struct pl_key key;        /* where the item stands */
    uint16_t partition;
    struct pl_bytes low, high;            /* QUERY: tails from `low` on and before `high` (empty: no end) */
    struct pl_bytes start_pk, start_tail; /* QUERY, SCAN: of `start_key` */
    bool fetches_item; /* QUERY, SCAN of a local index that does not hold all that is asked for */
    struct pl_bytes
        statements; /* TRANSACT_WRITE from PartiQL: what its children were read from, for the digest */
    struct pl_digest request_digest; /* TRANSACT_WRITE with a token: of what is asked (transaction.h) */

    /* Answered. */
    struct pl_reply reply;
    pl_row_fn row; /* may be NULL for operations without rows */
    pl_record_fn record;
    pl_done_fn done; /* may be NULL when the caller runs the operation inline */
    void *owner;     /* whoever submitted it: a connection's request, a Lua call */
    void *origin;    /* the way back: set and read by whoever carries it to its shard */

    /* While it travels. */
    struct pl_operation *next;
    struct pl_operation *parent; /* of a batch's or transaction's child */
    uint32_t pending;            /* of a batch: children not yet done */
};

void pl_operation_init(struct pl_operation *op, enum pl_operation_name name);

/** Forget the request but keep the memory for the next one. */
void pl_operation_reset(struct pl_operation *op, enum pl_operation_name name);

void pl_operation_deinit(struct pl_operation *op);

/** Set the reply to a failure. Returns `rc`. `why` may be NULL or the reply's own. */
int pl_operation_fail(struct pl_operation *op, int rc, const struct pl_reason *why);

#endif
