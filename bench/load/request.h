/* SPDX-License-Identifier: MIT */
#ifndef LOAD_REQUEST_H
#define LOAD_REQUEST_H

#include <stddef.h>
#include <stdint.h>

enum protocol { PROTOCOL_LINE, PROTOCOL_RESP };
enum operation {
    OPERATION_PUT,
    OPERATION_GET,
    OPERATION_QUERY,
    OPERATION_EXPIRE,
    OPERATION_TRANSACT_2,
    OPERATION_TRANSACT_10,
    OPERATION_PUT_STREAM,
    OPERATION_PUT_TRIGGER,
    OPERATION_PUT_TRIGGER_KEYS,
    OPERATION_FILL_RANGES
};

enum {
    KEY_DIGITS = 7,
    KEYS_MAX = 9999999,
    RANGE_ITEMS = 100, /* items under one partition key of BenchRange, and the limit of a query */
    RANGE_FIRST = 100, /* their sort keys: 100 to 199, so that all have three digits */
    VALUE_BYTES_MIN = 16,
    TRANSACTION_ITEMS_MAX = 10,
};

/** What in a request differs from one to the next. */
enum slot_kind { SLOT_KEY, SLOT_SORT, SLOT_SEQUENCE };

struct slot {
    enum slot_kind kind;
    uint32_t offset;
    uint32_t digits;
};

/**
 * A request made once, with slots of fixed width for what changes: making the next one
 * is a copy and a few digits. All operations use the same bytes in both protocols:
 *
 *     put     PUT Bench {"K":"k0000042","V":"..."}           SET k0000042 ...
 *     get     GET Bench {"K":"k0000042"}                     GET k0000042
 *     query   QUERY BenchRange WHERE P = "p0000007" LIMIT 100    ZRANGE p0000007 0 99
 *     fill    PUT BenchRange {"P":"p0000007","S":142,"V":"..."}  ZADD p0000007 142 ...
 *     transact-2  TRANSACT [{"put":"Bench","item":{"K":"k0000042-0","V":"..."}},{..}]    line protocol only
 */
struct request {
    char *bytes;
    uint32_t len;
    struct slot slots[2 * TRANSACTION_ITEMS_MAX];
    uint32_t slot_count;
};

/** 0, or -1 when there is no memory. */
int request_init(struct request *r, enum protocol protocol, enum operation operation, uint32_t value_bytes);
void request_deinit(struct request *r);

/** Write request number `sequence` for `key` and `sort` to `out`, which has room for `r->len` bytes. */
void request_write(const struct request *r, uint64_t key, uint64_t sort, uint64_t sequence, char *out);

#endif
