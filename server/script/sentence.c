/* SPDX-License-Identifier: MIT */
#include "script/sentence.h"

int pl_sentence_set(struct pl_reason *why, int rc, struct pl_bytes text)
{
    bool utf8 = pl_bytes_is_utf8(text);
    char line[PL_REASON_MAX];
    size_t len = text.len < sizeof line ? text.len : sizeof line - 1;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text.data[i];

        line[i] = c < 0x20 || c == 0x7F ? ' ' : c >= 0x80 && !utf8 ? '?' : (char)c;
    }
    while (utf8 && !pl_bytes_is_utf8(pl_bytes(line, len)))
        len--; /* cut inside a character */
    return pl_reason_set(why, rc, "%.*s", (int)len, line);
}

void pl_sentence_name_file(struct pl_reason *why, const char *file)
{
    struct pl_reason named = { 0 };
    size_t len = strlen(file);

    if (why == NULL || (strncmp(why->text, file, len) == 0 && why->text[len] == ':'))
        return;
    /* The sentence is cut where that makes it too long. */
    pl_reason_set(&named, 0, "%s: %s", file, why->text);
    *why = named;
}
