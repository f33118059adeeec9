/* SPDX-License-Identifier: MIT */
#include "codec/http.h"

#include <stdio.h>
#include <time.h>

static const char *phrase(unsigned status)
{
    switch (status) {
    case 100:
        return "Continue";
    case 200:
        return "OK";
    case 400:
        return "Bad Request";
    case 404:
        return "Not Found";
    case 408:
        return "Request Timeout";
    case 413:
        return "Payload Too Large";
    case 415:
        return "Unsupported Media Type";
    case 417:
        return "Expectation Failed";
    case 500:
        return "Internal Server Error";
    case 501:
        return "Not Implemented";
    case 503:
        return "Service Unavailable";
    case 505:
        return "HTTP Version Not Supported";
    default:
        return "Unknown";
    }
}

static void append(struct pl_buf *out, const char *text)
{
    pl_buf_append(out, text, strlen(text));
}

static void append_number(struct pl_buf *out, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;

    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    pl_buf_append(out, digits + at, sizeof digits - at);
}

static void append_field(struct pl_buf *out, const char *name, struct pl_bytes value)
{
    if (value.len == 0)
        return;
    append(out, name);
    pl_buf_append_bytes(out, value);
    append(out, "\r\n");
}

void pl_http_write_head(struct pl_buf *out, const struct pl_http_reply *reply)
{
    append(out, "HTTP/1.1 ");
    append_number(out, reply->status);
    append(out, " ");
    append(out, phrase(reply->status));
    append(out, "\r\nServer: Perilune\r\n");
    append_field(out, "Date: ", reply->date);
    append_field(out, "Content-Type: ", reply->content_type);
    append_field(out, "Content-Encoding: ", reply->content_encoding);
    append(out, "Content-Length: ");
    append_number(out, reply->body_len);
    append(out, reply->keep_alive ? "\r\nConnection: keep-alive\r\n" : "\r\nConnection: close\r\n");
    append_field(out, "x-amzn-RequestId: ", reply->request_id);
    if (reply->has_crc32) {
        append(out, "x-amz-crc32: ");
        append_number(out, reply->crc32);
        append(out, "\r\n");
    }
    pl_buf_append_bytes(out, reply->more);
    append(out, "\r\n");
}

void pl_http_date(int64_t seconds, char date[PL_HTTP_DATE_LEN])
{
    static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t when = (time_t)seconds;
    struct tm at;
    char text[64];

    /* strftime() would write the month in the language of the machine. */
    gmtime_r(&when, &at);
    snprintf(text, sizeof text, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + 3 * at.tm_wday, at.tm_mday,
             months + 3 * at.tm_mon, at.tm_year + 1900, at.tm_hour, at.tm_min, at.tm_sec);
    memcpy(date, text, PL_HTTP_DATE_LEN);
}
