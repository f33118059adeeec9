/* SPDX-License-Identifier: MIT */
#include "load/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * A pattern is written as text in which a letter of the set below stands for a slot, and the
 * request is what remains when the slots are widened and the value is put in:
 *
 *     \1  the key's digits    \2  the sort key's digits    \3  the value    \4  the value, sort key first
 *     \5  an hour ago, in seconds
 */
static const char *single_pattern(enum protocol protocol, enum operation operation)
{
    static const char *const line[] = {
        [OPERATION_PUT] = "PUT Bench {\"K\":\"k\1\",\"V\":\"\3\"}\n",
        [OPERATION_GET] = "GET Bench {\"K\":\"k\1\"}\n",
        [OPERATION_QUERY] = "QUERY BenchRange WHERE P = \"p\1\" LIMIT 100\n",
        [OPERATION_EXPIRE] = "PUT BenchExpiry {\"K\":\"k\1\",\"T\":\5,\"V\":\"\3\"}\n",
        [OPERATION_PUT_STREAM] = "PUT BenchStream {\"K\":\"k\1\",\"V\":\"\3\"}\n",
        [OPERATION_PUT_TRIGGER] = "PUT BenchTrigger {\"K\":\"k\1\",\"V\":\"\3\"}\n",
        [OPERATION_PUT_TRIGGER_KEYS] = "PUT BenchTriggerKeys {\"K\":\"k\1\",\"V\":\"\3\"}\n",
        [OPERATION_FILL_RANGES] = "PUT BenchRange {\"P\":\"p\1\",\"S\":\2,\"V\":\"\4\"}\n",
    };
    static const char *const resp[] = {
        [OPERATION_PUT] = "*3\r\n$3\r\nSET\r\n$8\r\nk\1\r\n$%u\r\n\3\r\n",
        [OPERATION_GET] = "*2\r\n$3\r\nGET\r\n$8\r\nk\1\r\n",
        [OPERATION_QUERY] = "*4\r\n$6\r\nZRANGE\r\n$8\r\np\1\r\n$1\r\n0\r\n$2\r\n99\r\n",
        [OPERATION_FILL_RANGES] = "*4\r\n$4\r\nZADD\r\n$8\r\np\1\r\n$3\r\n\2\r\n$%u\r\n\4\r\n",
    };

    return protocol == PROTOCOL_LINE ? line[operation] : resp[operation];
}

/* Items that differ from one another by what is behind the key's digits. */
static void write_transaction_pattern(char *pattern, size_t size, int items)
{
    size_t len = (size_t)snprintf(pattern, size, "TRANSACT [");

    for (int i = 0; i < items; i++)
        len += (size_t)snprintf(pattern + len, size - len,
                                "%s{\"put\":\"Bench\",\"item\":{\"K\":\"k\1-%d\",\"V\":\"\3\"}}",
                                i > 0 ? "," : "", i);
    snprintf(pattern + len, size - len, "]\n");
}

/* How many values are in it. */
static uint32_t write_pattern(char *pattern, size_t size, enum protocol protocol, enum operation operation,
                              uint32_t value_bytes)
{
    int items = operation == OPERATION_TRANSACT_2    ? 2
                : operation == OPERATION_TRANSACT_10 ? TRANSACTION_ITEMS_MAX
                                                     : 0;

    if (items > 0)
        write_transaction_pattern(pattern, size, items);
    else
        snprintf(pattern, size, single_pattern(protocol, operation), value_bytes);
    return items > 0 ? (uint32_t)items : 1;
}

static void add_slot(struct request *r, enum slot_kind kind, uint32_t digits)
{
    r->slots[r->slot_count++] = (struct slot){ .kind = kind, .offset = r->len, .digits = digits };
    memset(r->bytes + r->len, '0', digits);
    r->len += digits;
}

/* Letters that no compressor would like, and that need no escape in JSON. */
static void add_letters(struct request *r, uint32_t count)
{
    uint64_t x = UINT64_C(88172645463325252);

    for (uint32_t i = 0; i < count; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        r->bytes[r->len++] = (char)('a' + x % 26);
    }
}

int request_init(struct request *r, enum protocol protocol, enum operation operation, uint32_t value_bytes)
{
    enum { SORT_DIGITS = 3, SEQUENCE_DIGITS = 10, PATTERN_BYTES = 1024 };
    char pattern[PATTERN_BYTES];
    uint32_t values = write_pattern(pattern, sizeof pattern, protocol, operation, value_bytes);

    *r = (struct request){ .bytes = malloc(sizeof pattern + values * (value_bytes + KEY_DIGITS) + 64) };
    if (r->bytes == NULL)
        return -1;
    for (const char *p = pattern; *p != '\0'; p++) {
        switch (*p) {
        case '\1':
            add_slot(r, SLOT_KEY, KEY_DIGITS);
            break;
        case '\2':
            add_slot(r, SLOT_SORT, SORT_DIGITS);
            break;
        case '\3':
            add_slot(r, SLOT_SEQUENCE, SEQUENCE_DIGITS);
            add_letters(r, value_bytes - SEQUENCE_DIGITS);
            break;
        case '\4':
            add_slot(r, SLOT_SORT, SORT_DIGITS);
            add_letters(r, value_bytes - SORT_DIGITS);
            break;
        case '\5':
            r->len += (uint32_t)sprintf(r->bytes + r->len, "%lld", (long long)time(NULL) - 3600);
            break;
        default:
            r->bytes[r->len++] = *p;
        }
    }
    return 0;
}

void request_deinit(struct request *r)
{
    free(r->bytes);
    *r = (struct request){ 0 };
}

static void write_digits(char *out, uint32_t digits, uint64_t number)
{
    while (digits > 0) {
        out[--digits] = (char)('0' + number % 10);
        number /= 10;
    }
}

void request_write(const struct request *r, uint64_t key, uint64_t sort, uint64_t sequence, char *out)
{
    const uint64_t numbers[] = { [SLOT_KEY] = key, [SLOT_SORT] = sort, [SLOT_SEQUENCE] = sequence };

    memcpy(out, r->bytes, r->len);
    for (uint32_t i = 0; i < r->slot_count; i++)
        write_digits(out + r->slots[i].offset, r->slots[i].digits, numbers[r->slots[i].kind]);
}
