/* SPDX-License-Identifier: MIT */
#ifndef PL_BASE_LOGGER_H
#define PL_BASE_LOGGER_H

#include <stdbool.h>
#include <stdio.h>

/** What operators read: one line an event, on stderr. Safe to call from any thread. */

enum pl_log_level { PL_LOG_DEBUG, PL_LOG_INFO, PL_LOG_WARN, PL_LOG_ERROR };
enum pl_log_format { PL_LOG_TEXT, PL_LOG_JSON };

struct pl_logger {
    FILE *out; /* NULL: say nothing */
    enum pl_log_level least;
    enum pl_log_format format;
};

/**
 * Write one event: `what` is a short lower-case sentence, `format` its details
 * (may be ""). Line breaks and control characters in the details are escaped.
 * `logger` may be NULL.
 */
void pl_log(const struct pl_logger *logger, enum pl_log_level level, const char *what, const char *format,
            ...) __attribute__((format(printf, 4, 5)));

#endif
