/* SPDX-License-Identifier: MIT */
#include "model/json.h"
#include "model/json_run.h"

/*
 * JSON straight from stored bytes. Recursion is bounded: nothing is stored that nests
 * deeper than PL_NESTING_MAX.
 */

/* What stands for a character between quotes: 0 itself, 'u' \u00XX, else a backslash and that letter. */
static const char escapes[256] = {
    [0x00 ... 0x07] = 'u', ['\b'] = 'b', ['\t'] = 't',          ['\n'] = 'n', [0x0B] = 'u',
    ['\f'] = 'f',          ['\r'] = 'r', [0x0E ... 0x1F] = 'u', ['"'] = '"',  ['\\'] = '\\',
};

enum { ESCAPE_MAX = 6 };

static size_t put_escape(char *to, unsigned char c)
{
    static const char digits[] = "0123456789ABCDEF";

    to[0] = '\\';
    to[1] = escapes[c];
    if (escapes[c] != 'u')
        return 2;
    to[2] = '0';
    to[3] = '0';
    to[4] = digits[c >> 4];
    to[5] = digits[c & 15];
    return ESCAPE_MAX;
}

/* What stands from `p` to `end`; `stop` is the first character that needs an escape. */
static void write_escaped(struct pl_buf *out, const char *p, const char *stop, const char *end)
{
    uint64_t high = 0;
    char *to;

    for (;;) {
        pl_buf_append(out, p, (size_t)(stop - p));
        if (stop == end)
            return;
        to = pl_buf_reserve(out, ESCAPE_MAX);
        if (to == NULL)
            return;
        out->len += put_escape(to, (unsigned char)*stop);
        p = stop + 1;
        stop = pl_json_run(p, end, &high);
    }
}

void pl_json_write_string(struct pl_buf *out, struct pl_bytes text)
{
    const char *start = text.len > 0 ? text.data : "", *end = start + text.len;
    char *to = pl_buf_reserve(out, text.len + 2);
    uint64_t high = 0;
    const char *stop;

    if (to == NULL)
        return;
    stop = pl_json_run(start, end, &high);
    *to = '"';
    if (stop == end) { /* nearly always: nothing to escape */
        memcpy(to + 1, start, text.len);
        to[text.len + 1] = '"';
        out->len += text.len + 2;
        return;
    }
    out->len++;
    write_escaped(out, start, stop, end);
    pl_buf_append_byte(out, '"');
}

static void write_text(struct pl_buf *out, const char *text)
{
    pl_buf_append(out, text, strlen(text));
}

/* Text in DynamoDB's dialect, where no client may take it for a double. */
static void write_number(struct pl_buf *out, enum pl_json_dialect dialect, const struct pl_number *number)
{
    char *to = pl_buf_reserve(out, PL_NUMBER_TEXT_MAX + 2);
    bool quoted = dialect == PL_JSON_TYPED;
    size_t len;

    if (to == NULL)
        return;
    len = pl_number_format(number, to + quoted);
    if (quoted)
        to[0] = to[len + 1] = '"';
    out->len += len + 2 * (size_t)quoted;
}

static void write_base64(struct pl_buf *out, struct pl_bytes bytes)
{
    pl_buf_append_byte(out, '"');
    pl_base64_write(out, bytes);
    pl_buf_append_byte(out, '"');
}

static void write_entries(struct pl_buf *out, enum pl_json_dialect dialect, struct pl_bytes entries)
{
    struct pl_bytes name;
    struct pl_value value;
    char before = '{';

    if (entries.len == 0)
        pl_buf_append_byte(out, '{');
    while (pl_entry_take(&entries, &name, &value)) {
        pl_buf_append_byte(out, (uint8_t)before);
        pl_json_write_string(out, name);
        pl_buf_append_byte(out, ':');
        pl_json_write_value(out, dialect, value);
        before = ',';
    }
    pl_buf_append_byte(out, '}');
}

static void write_list(struct pl_buf *out, enum pl_json_dialect dialect, struct pl_bytes elements)
{
    struct pl_value value;
    char before = '[';

    if (elements.len == 0)
        pl_buf_append_byte(out, '[');
    while (pl_value_take(&elements, &value)) {
        pl_buf_append_byte(out, (uint8_t)before);
        pl_json_write_value(out, dialect, value);
        before = ',';
    }
    pl_buf_append_byte(out, ']');
}

static void write_element(struct pl_buf *out, enum pl_json_dialect dialect, enum pl_type set,
                          struct pl_bytes element)
{
    struct pl_number number;

    if (set == PL_TYPE_SS) {
        pl_json_write_string(out, element);
    } else if (set == PL_TYPE_NS) {
        PL_ASSERT(pl_number_decode(element, &number) == 0);
        write_number(out, dialect, &number);
    } else if (dialect == PL_JSON_TYPED) {
        write_base64(out, element);
    } else {
        write_text(out, "{\"$binary\":");
        write_base64(out, element);
        pl_buf_append_byte(out, '}');
    }
}

static void write_set(struct pl_buf *out, enum pl_json_dialect dialect, struct pl_value set)
{
    struct pl_bytes elements = set.payload, element;
    char before = '[';

    while (pl_element_take(&elements, &element)) {
        pl_buf_append_byte(out, (uint8_t)before);
        write_element(out, dialect, set.type, element);
        before = ',';
    }
    pl_buf_append_byte(out, ']');
}

/* Would the plain reader take the map for a marker? */
static bool looks_like_marker(struct pl_bytes entries)
{
    struct pl_bytes name;
    struct pl_value value;

    return pl_entry_take(&entries, &name, &value) && name.len > 0 && name.data[0] == '$' && entries.len == 0;
}

/* What a value is wrapped in, as in {"N":...} or {"$set":...}; NULL: it stands as it is. */
static const char *wrapper_of(enum pl_json_dialect dialect, struct pl_value value)
{
    if (dialect == PL_JSON_TYPED)
        return pl_type_name(value.type);
    switch (value.type) {
    case PL_TYPE_B:
        return "$binary";
    case PL_TYPE_M:
        return looks_like_marker(value.payload) ? "$map" : NULL;
    case PL_TYPE_SS:
    case PL_TYPE_NS:
    case PL_TYPE_BS:
        return "$set";
    default:
        return NULL;
    }
}

static void write_inside(struct pl_buf *out, enum pl_json_dialect dialect, struct pl_value value)
{
    struct pl_number number;

    switch (value.type) {
    case PL_TYPE_S:
        pl_json_write_string(out, value.payload);
        break;
    case PL_TYPE_N:
        pl_value_number(value, &number);
        write_number(out, dialect, &number);
        break;
    case PL_TYPE_B:
        write_base64(out, value.payload);
        break;
    case PL_TYPE_BOOL:
        write_text(out, pl_value_bool(value) ? "true" : "false");
        break;
    case PL_TYPE_NULL:
        write_text(out, dialect == PL_JSON_TYPED ? "true" : "null");
        break;
    case PL_TYPE_L:
        write_list(out, dialect, value.payload);
        break;
    case PL_TYPE_M:
        write_entries(out, dialect, value.payload);
        break;
    case PL_TYPE_SS:
    case PL_TYPE_NS:
    case PL_TYPE_BS:
        write_set(out, dialect, value);
        break;
    }
}

void pl_json_write_value(struct pl_buf *out, enum pl_json_dialect dialect, struct pl_value value)
{
    const char *wrapper = wrapper_of(dialect, value);

    if (wrapper == NULL) {
        write_inside(out, dialect, value);
        return;
    }
    write_text(out, "{\"");
    write_text(out, wrapper);
    write_text(out, "\":");
    write_inside(out, dialect, value);
    pl_buf_append_byte(out, '}');
}

void pl_json_write_item(struct pl_buf *out, enum pl_json_dialect dialect, struct pl_item item)
{
    write_entries(out, dialect, item.bytes);
}
