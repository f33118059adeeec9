/* SPDX-License-Identifier: MIT */
#include "base/logger.h"

#include "base/bytes.h"

#include <stdarg.h>
#include <time.h>

enum { LINE_MAX_BYTES = 2048 };

static const char *const level_names[] = { "debug", "info", "warn", "error" };

static void append_time(struct pl_buf *line)
{
    struct timespec now;
    struct tm parts;
    char text[32];

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    pl_buf_append_format(line, "%s.%03ldZ", text, now.tv_nsec / 1000000);
}

/* An event is one line whatever its details hold, and a JSON line stays JSON. */
static void append_escaped(struct pl_buf *line, const char *text, bool json)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (c < 0x20 || c == 0x7F)
            pl_buf_append_format(line, "\\u%04x", c);
        else if (json && (c == '"' || c == '\\'))
            pl_buf_append_format(line, "\\%c", c);
        else
            pl_buf_append_byte(line, c);
    }
}

void pl_log(const struct pl_logger *logger, enum pl_log_level level, const char *what, const char *format,
            ...)
{
    char details[LINE_MAX_BYTES];
    struct pl_buf line = { 0 };
    bool json;
    va_list args;

    if (logger == NULL || logger->out == NULL || level < logger->least)
        return;
    va_start(args, format);
    vsnprintf(details, sizeof details, format, args);
    va_end(args);

    json = logger->format == PL_LOG_JSON;
    pl_buf_append_format(&line, json ? "{\"time\":\"" : "");
    append_time(&line);
    pl_buf_append_format(&line, json ? "\",\"level\":\"%s\",\"event\":\"" : " %-5s ", level_names[level]);
    append_escaped(&line, what, json);
    pl_buf_append_format(&line, json ? "\",\"details\":\"" : details[0] == '\0' ? "" : ": ");
    append_escaped(&line, details, json);
    pl_buf_append_format(&line, json ? "\"}\n" : "\n");
    /* One call a line: stdio locks the stream, so lines of two threads never mix. */
    if (pl_buf_status(&line) == 0)
        fwrite(line.data, 1, line.len, logger->out);
    pl_buf_deinit(&line);
}
