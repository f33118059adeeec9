/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_FAULT_STOCK_H
#define PL_TESTS_FAULT_STOCK_H

#include "rig.h"

/**
 * Tables that have a bit of everything: global and local indexes with each kind of projection, items with and
 * without entries, keys so long that several items share one place, a stream, expiries (from so long ago that no
 * item goes by itself), and transactions' tokens.
 */
static const char *const stock_messages =
    "CREATE Messages {\"partition_key\":\"ChatID:S\",\"sort_key\":\"MsgID:S\",\"ttl\":\"Likes\",\"indexes\":{"
    "\"ByUser\":{\"partition_key\":\"UserID:S\",\"sort_key\":\"ChatID:S\",\"project\":\"all\"},"
    "\"ByLikes\":{\"sort_key\":\"Likes:N\",\"project\":\"keys_only\"},"
    "\"ByTag\":{\"partition_key\":[\"Tag:S\",\"UserID:S\"],\"project\":[\"Text\"]}}}";
static const char *const stock_long =
    "CREATE Long {\"partition_key\":\"P:S\",\"sort_key\":\"S:S\",\"ttl\":\"T\",\"indexes\":{"
    "\"ByName\":{\"partition_key\":\"Name:S\",\"sort_key\":\"S:S\",\"project\":\"keys_only\"}}}";

/* A request whose `%s` stands for a key of 1,000 bytes that many share. */
static inline const char *stock_stretch(const char *format, char *line, size_t size)
{
    char prefix[1001];

    memset(prefix, 'k', 1000);
    prefix[1000] = '\0';
    snprintf(line, size, format, prefix);
    return line;
}

enum { STOCK_TOKENS = 3 };

/* Asked again within ten minutes, it changes nothing. */
static inline const char *stock_transaction(int i, char *line, size_t size)
{
    snprintf(line, size,
             "TRANSACT TOKEN \"stock %d\" [{\"put\":\"Scratch\",\"item\":{\"Id\":\"s%d\",\"N\":%d}},"
             "{\"update\":\"Scratch\",\"key\":{\"Id\":\"sum\"},\"set\":\"ADD N :n\",\"values\":{\":n\":%d}}]",
             i, i, i, i + 1);
    return line;
}

static inline void stock_fill(struct rig *rig)
{
    char line[4096];

    rig_must(rig, stock_messages);
    rig_must(rig, stock_long);
    rig_must(rig, "CREATE Scratch {\"partition_key\":\"Id:S\"}");
    for (int i = 0; i < 12; i++) {
        snprintf(line, sizeof line,
                 "PUT Messages {\"ChatID\":\"c%d\",\"MsgID\":\"%03d\",\"UserID\":\"u%d\",\"Text\":\"text "
                 "%d\"%s%s}",
                 i % 3, i, i % 4, i, i % 2 == 0 ? ",\"Likes\":7" : "", i % 3 == 0 ? ",\"Tag\":\"t\"" : "");
        rig_must(rig, line);
    }
    for (int i = 0; i < 5; i++) {
        char format[128];

        snprintf(format, sizeof format, "PUT Long {\"P\":\"p\",\"S\":\"%%s%d\",\"Name\":\"n%d\",\"T\":%d}", i,
                 i % 2, i / 3);
        rig_must(rig, stock_stretch(format, line, sizeof line));
    }
    for (int i = 0; i < STOCK_TOKENS; i++)
        rig_must(rig, stock_transaction(i, line, sizeof line));
}

#endif
