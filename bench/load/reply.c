/* SPDX-License-Identifier: MIT */
#include "load/reply.h"

#include <stdlib.h>
#include <string.h>

static void note_error(struct reply_reader *r, struct reply_totals *totals)
{
    if (totals->errors++ == 0) {
        memcpy(totals->first_error, r->head, r->head_len);
        totals->first_error[r->head_len] = '\0';
    }
}

static void add_to_head(struct reply_reader *r, const char *data, size_t len)
{
    size_t room = sizeof r->head - 1 - r->head_len;

    r->line_len += len;
    if (len > room)
        len = room;
    memcpy(r->head + r->head_len, data, len);
    r->head_len += (uint32_t)len;
}

static void begin_line(struct reply_reader *r)
{
    r->head_len = 0;
    r->line_len = 0;
}

static bool head_is(const struct reply_reader *r, const char *word)
{
    size_t len = strlen(word);

    return r->head_len >= len && memcmp(r->head, word, len) == 0;
}

/* ROW lines belong to the reply that END closes; everything else is a whole reply. */
static int64_t count_line_replies(struct reply_reader *r, const char *data, size_t len,
                                  struct reply_totals *totals)
{
    int64_t replies = 0;

    while (len > 0) {
        const char *end = memchr(data, '\n', len);
        size_t piece = end != NULL ? (size_t)(end - data) : len;

        add_to_head(r, data, piece);
        if (end == NULL)
            return replies;
        data += piece + 1;
        len -= piece + 1;
        if (head_is(r, "ROW ")) {
            totals->rows++;
        } else if (head_is(r, "OK") || head_is(r, "END")) {
            totals->empty += r->line_len < 8;
            replies++;
        } else if (head_is(r, "ERR ")) {
            note_error(r, totals);
            replies++;
        } else {
            return -1;
        }
        begin_line(r);
    }
    return replies;
}

static bool element_is_last(struct reply_reader *r)
{
    return --r->elements == 0;
}

/* A whole RESP header stands in `head`. Returns 1 when it ends a reply, 0 when not, -1 when it is none. */
static int take_header(struct reply_reader *r, struct reply_totals *totals)
{
    long number;

    if (r->elements == 0)
        r->elements = 1;
    r->head[r->head_len] = '\0';
    number = strtol(r->head + 1, NULL, 10);
    switch (r->head[0]) {
    case '-':
        note_error(r, totals);
        return element_is_last(r);
    case '+':
    case ':':
        return element_is_last(r);
    case '$':
        if (number < 0) {
            totals->empty++;
            return element_is_last(r);
        }
        r->skip = (uint64_t)number + 2;
        return 0;
    case '*':
        if (number <= 0) {
            totals->empty++;
            return element_is_last(r);
        }
        totals->rows += (uint64_t)number;
        r->elements += (uint64_t)number - 1;
        return 0;
    default:
        return -1;
    }
}

static int64_t count_resp_replies(struct reply_reader *r, const char *data, size_t len,
                                  struct reply_totals *totals)
{
    int64_t replies = 0;

    while (len > 0) {
        size_t piece;

        if (r->skip > 0) {
            piece = r->skip < len ? r->skip : len;
            r->skip -= piece;
            if (r->skip == 0)
                replies += element_is_last(r);
        } else {
            const char *end = memchr(data, '\n', len);
            int rc;

            piece = end != NULL ? (size_t)(end - data) + 1 : len;
            add_to_head(r, data, piece);
            if (end == NULL)
                return replies;
            rc = take_header(r, totals);
            if (rc < 0)
                return -1;
            replies += rc;
            begin_line(r);
        }
        data += piece;
        len -= piece;
    }
    return replies;
}

int64_t reply_count(struct reply_reader *r, const char *data, size_t len, struct reply_totals *totals)
{
    return r->protocol == PROTOCOL_LINE ? count_line_replies(r, data, len, totals)
                                        : count_resp_replies(r, data, len, totals);
}
