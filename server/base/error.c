/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct entry {
    int number;
    const char *name;
    const char *code;
    const char *sentence;
};

static const struct entry *find(int rc)
{
    static const struct entry entries[] = {
#define PL_ERROR_ENTRY(name, number, code, sentence) { number, #name, code, sentence },
        PL_ERROR_MAP(PL_ERROR_ENTRY)
#undef PL_ERROR_ENTRY
    };
    static const struct entry unknown = { 0, "EUNLISTED", "InternalServerError", "an unlisted failure" };

    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++)
        if (entries[i].number == rc)
            return &entries[i];
    return &unknown;
}

const char *pl_error_code(int rc)
{
    return find(rc)->code;
}

const char *pl_error_sentence(int rc)
{
    return find(rc)->sentence;
}

const char *pl_error_name(int rc)
{
    return find(rc)->name;
}

int pl_error_from_errno(int number)
{
    switch (number) {
    case 0:
        return 0;
    case ENOMEM:
        return PL_ENOMEM;
    case ENOSPC:
    case EDQUOT:
        return PL_EFULL;
    case ENOENT:
        return PL_ENOTFOUND;
    default:
        return PL_EIO;
    }
}

/* A sentence that was cut must not end inside a character: the reply would not be UTF-8. */
static void drop_cut_character(char *text, size_t len)
{
    while (len > 0 && !pl_bytes_is_utf8(pl_bytes(text, len)) && len > PL_REASON_MAX - 5)
        len--;
    text[len] = '\0';
}

int pl_reason_set(struct pl_reason *why, int rc, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    pl_reason_vset(why, rc, format, args);
    va_end(args);
    return rc;
}

int pl_reason_vset(struct pl_reason *why, int rc, const char *format, va_list args)
{
    int written;

    if (why == NULL)
        return rc;
    written = vsnprintf(why->text, sizeof why->text, format, args);
    if (written < 0)
        why->text[0] = '\0';
    else if ((size_t)written >= sizeof why->text)
        drop_cut_character(why->text, sizeof why->text - 1);
    return rc;
}

const char *pl_reason_text(const struct pl_reason *why, int rc)
{
    return why != NULL && why->text[0] != '\0' ? why->text : pl_error_sentence(rc);
}

void pl_assert_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "perilune: assertion failed: %s (%s:%d)\n", condition, file, line);
    abort();
}
