/* SPDX-License-Identifier: MIT */
#include "model/base64.h"
#include "model/item.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * Everything is appended once, in the order it is given. A map or set remembers its
 * last name or element and whether the order has held so far; when it has not, its
 * parts are put in order at its end, through a copy in the arena. A duplicate shows
 * as two neighbours that are equal, at once or after sorting.
 */
struct pl_builder_frame {
    struct pl_builder_frame *outer; /* or the next spare one */
    bool item;                      /* else `type` */
    enum pl_type type;
    bool named; /* a name was given, its value not yet */
    bool unsorted;
    bool doubled;
    size_t start; /* of the payload in `out` */
    size_t count; /* entries or elements, of a map or set */
    size_t last;  /* the last name or element in `out`, behind its length */
    size_t last_len;
    size_t twice; /* one that came twice, when `doubled` */
    size_t twice_len;
};

enum { WIDE_LENGTH_BYTES = 4, CONTAINER_BYTES = 3, CONTAINED_BYTES = 1, FEW_PARTS = 16 };

/* One entry of a map or element of a set, while they are sorted. */
struct part {
    struct pl_bytes order; /* the name, or the element */
    struct pl_bytes whole;
};

#define INVALID "One or more parameter values were invalid: "

void pl_builder_init(struct pl_builder *b, struct pl_buf *out, struct pl_arena *arena)
{
    b->out = out;
    b->arena = arena;
    b->top = NULL;
    b->spare = NULL;
    b->start = out->len;
    b->size_bytes = 0;
    b->level = 1;
    b->rc = 0;
    b->why.text[0] = '\0';
}

static void fail_plainly(struct pl_builder *b, int rc)
{
    if (b->rc == 0)
        b->rc = rc;
}

void pl_builder_fail(struct pl_builder *b, int rc, const char *format, ...)
{
    va_list args;

    if (b->rc != 0)
        return;
    va_start(args, format);
    b->rc = pl_reason_vset(&b->why, rc, format, args);
    va_end(args);
}

/* What was appended before memory ran out may be cut anywhere: nothing is read back from it. */
static bool failed(struct pl_builder *b)
{
    if (b->out->failed)
        fail_plainly(b, PL_ENOMEM);
    return b->rc != 0;
}

static struct pl_bytes written_since(const struct pl_builder *b, size_t start)
{
    return b->out->len > start ? pl_bytes(b->out->data + start, b->out->len - start) : (struct pl_bytes){ 0 };
}

/* ---- values ---- */

/* What every value begins with. False when it must not be written. */
static bool begin_value(struct pl_builder *b)
{
    struct pl_builder_frame *frame = b->top;

    if (failed(b))
        return false;
    if (b->level > PL_NESTING_MAX) {
        pl_builder_fail(b, PL_EINVALID, "Nesting Levels have exceeded supported limits");
        return false;
    }
    if (frame == NULL) {
        PL_ASSERT(b->out->len == b->start);
        return true;
    }
    if (frame->item || frame->type == PL_TYPE_M) {
        PL_ASSERT(frame->named);
        frame->named = false;
    } else {
        PL_ASSERT(frame->type == PL_TYPE_L);
    }
    if (!frame->item)
        b->size_bytes += CONTAINED_BYTES;
    return true;
}

static bool fits_length(struct pl_builder *b, size_t len)
{
    if (len > UINT32_MAX)
        pl_builder_fail(b, PL_EINVALID, "Item size has exceeded the maximum allowed size");
    return b->rc == 0;
}

static bool fits_utf8(struct pl_builder *b, struct pl_bytes text)
{
    if (!pl_bytes_is_utf8(text))
        pl_builder_fail(b, PL_EINVALID, INVALID "A string is not well-formed UTF-8");
    return b->rc == 0;
}

/* A length as a varint, and the bytes behind it. Returns where they end. */
static char *write_with_length(char *to, struct pl_bytes bytes)
{
    uint32_t len = (uint32_t)bytes.len;

    for (; len >= 0x80; len >>= 7)
        *to++ = (char)(len | 0x80);
    *to++ = (char)len;
    if (bytes.len > 0)
        memcpy(to, bytes.data, bytes.len);
    return to + bytes.len;
}

/* Each value and name looks at the buffer's room once: this runs for every one of every write. */
static void append_scalar(struct pl_builder *b, enum pl_type type, struct pl_bytes payload,
                          uint32_t size_bytes)
{
    char *to = pl_buf_reserve(b->out, 1 + PL_VARINT_MAX + payload.len), *end;

    if (to == NULL)
        return;
    *to = (char)type;
    end = write_with_length(to + 1, payload);
    b->out->len += (size_t)(end - to);
    b->size_bytes += size_bytes;
}

void pl_builder_string(struct pl_builder *b, struct pl_bytes text)
{
    if (begin_value(b) && fits_length(b, text.len) && fits_utf8(b, text))
        append_scalar(b, PL_TYPE_S, text, (uint32_t)text.len);
}

void pl_builder_binary(struct pl_builder *b, struct pl_bytes bytes)
{
    if (begin_value(b) && fits_length(b, bytes.len))
        append_scalar(b, PL_TYPE_B, bytes, (uint32_t)bytes.len);
}

void pl_builder_number(struct pl_builder *b, const struct pl_number *number)
{
    uint8_t encoded[PL_NUMBER_ENCODED_MAX];

    if (begin_value(b))
        append_scalar(b, PL_TYPE_N, pl_bytes(encoded, pl_number_encode(number, encoded)),
                      pl_number_size_bytes(number));
}

void pl_builder_bool(struct pl_builder *b, bool value)
{
    uint8_t byte = value;

    if (begin_value(b))
        append_scalar(b, PL_TYPE_BOOL, pl_bytes(&byte, 1), 1);
}

void pl_builder_null(struct pl_builder *b)
{
    if (begin_value(b))
        append_scalar(b, PL_TYPE_NULL, (struct pl_bytes){ 0 }, 1);
}

/* How many levels `value` takes, itself included; no more than `most` + 1 are looked at. */
static uint32_t levels(struct pl_value value, uint32_t most)
{
    struct pl_bytes rest = value.payload, name;
    struct pl_value inner;
    uint32_t deepest = 0;

    if (most == 0 || (value.type != PL_TYPE_L && value.type != PL_TYPE_M))
        return 1;
    while (value.type == PL_TYPE_L ? pl_value_take(&rest, &inner) : pl_entry_take(&rest, &name, &inner)) {
        uint32_t below = levels(inner, most - 1);

        if (below > deepest)
            deepest = below;
    }
    return 1 + deepest;
}

void pl_builder_value(struct pl_builder *b, struct pl_value value)
{
    uint32_t room;

    if (!begin_value(b))
        return;
    /* At the top a value has all the room it had when it was built. */
    room = PL_NESTING_MAX + 1 - b->level;
    if (b->level > 1 && levels(value, room) > room) {
        pl_builder_fail(b, PL_EINVALID, "Nesting Levels have exceeded supported limits");
        return;
    }
    pl_buf_append_bytes(b->out, value.whole);
    b->size_bytes += pl_value_size_bytes(value);
}

/* ---- maps, lists and sets ---- */

static void push(struct pl_builder *b, bool item, enum pl_type type)
{
    struct pl_builder_frame *frame = b->spare;

    if (frame != NULL)
        b->spare = frame->outer;
    else
        frame = pl_arena_alloc(b->arena, sizeof *frame);
    if (frame == NULL) {
        fail_plainly(b, PL_ENOMEM);
        return;
    }
    *frame = (struct pl_builder_frame){ .outer = b->top, .item = item, .type = type, .start = b->out->len };
    b->top = frame;
}

static void begin_container(struct pl_builder *b, enum pl_type type)
{
    char *to;

    if (!begin_value(b))
        return;
    to = pl_buf_reserve(b->out, 1 + WIDE_LENGTH_BYTES);
    if (to == NULL) {
        fail_plainly(b, PL_ENOMEM);
        return;
    }
    to[0] = (char)type;
    b->out->len += 1 + WIDE_LENGTH_BYTES; /* the length is filled in at the end */
    push(b, false, type);
    b->level++;
}

void pl_builder_begin_item(struct pl_builder *b)
{
    if (failed(b))
        return;
    PL_ASSERT(b->top == NULL && b->out->len == b->start);
    push(b, true, 0);
}

void pl_builder_begin_map(struct pl_builder *b)
{
    begin_container(b, PL_TYPE_M);
    b->size_bytes += CONTAINER_BYTES;
}

void pl_builder_begin_list(struct pl_builder *b)
{
    begin_container(b, PL_TYPE_L);
    b->size_bytes += CONTAINER_BYTES;
}

void pl_builder_begin_set(struct pl_builder *b, enum pl_type type)
{
    PL_ASSERT(type >= PL_TYPE_SS && type <= PL_TYPE_BS);
    begin_container(b, type);
}

static void mark_doubled(struct pl_builder_frame *frame, size_t at, size_t len)
{
    frame->doubled = true;
    frame->twice = at;
    frame->twice_len = len;
}

/* Append what the parts of this frame are sorted by, and notice whether it comes in order. */
static void append_ordered(struct pl_builder *b, struct pl_bytes bytes)
{
    struct pl_builder_frame *frame = b->top;
    char *to = pl_buf_reserve(b->out, PL_VARINT_MAX + bytes.len), *end;

    if (to == NULL)
        return;
    if (frame->count++ > 0 && !frame->unsorted) {
        int order = pl_bytes_compare(pl_bytes(b->out->data + frame->last, frame->last_len), bytes);

        frame->unsorted = order > 0;
        if (order == 0)
            mark_doubled(frame, frame->last, frame->last_len);
    }
    end = write_with_length(to, bytes);
    b->out->len += (size_t)(end - to);
    frame->last_len = bytes.len;
    frame->last = b->out->len - bytes.len;
}

void pl_builder_name(struct pl_builder *b, struct pl_bytes name)
{
    if (failed(b))
        return;
    PL_ASSERT(b->top != NULL && (b->top->item || b->top->type == PL_TYPE_M) && !b->top->named);
    b->top->named = true;
    if (name.len == 0)
        pl_builder_fail(b, PL_EINVALID, INVALID "Empty attribute name");
    else if (name.len > PL_ATTRIBUTE_NAME_MAX)
        pl_builder_fail(b, PL_EINVALID, INVALID "Attribute name is too large, must be at most %d bytes",
                        PL_ATTRIBUTE_NAME_MAX);
    else if (!pl_bytes_is_utf8(name))
        pl_builder_fail(b, PL_EINVALID, INVALID "An attribute name is not well-formed UTF-8");
    else
        append_ordered(b, name);
    b->size_bytes += name.len;
}

static bool begin_element(struct pl_builder *b, enum pl_type type)
{
    if (failed(b))
        return false;
    PL_ASSERT(b->top != NULL && !b->top->item && b->top->type == type);
    return true;
}

void pl_builder_set_string(struct pl_builder *b, struct pl_bytes text)
{
    if (!begin_element(b, PL_TYPE_SS) || !fits_length(b, text.len) || !fits_utf8(b, text))
        return;
    append_ordered(b, text);
    b->size_bytes += text.len;
}

void pl_builder_set_binary(struct pl_builder *b, struct pl_bytes bytes)
{
    if (!begin_element(b, PL_TYPE_BS) || !fits_length(b, bytes.len))
        return;
    append_ordered(b, bytes);
    b->size_bytes += bytes.len;
}

void pl_builder_set_number(struct pl_builder *b, const struct pl_number *number)
{
    uint8_t encoded[PL_NUMBER_ENCODED_MAX];

    if (!begin_element(b, PL_TYPE_NS))
        return;
    append_ordered(b, pl_bytes(encoded, pl_number_encode(number, encoded)));
    b->size_bytes += pl_number_size_bytes(number);
}

/* ---- the end of a map, list or set ---- */

/* Step over the next entry or element of a frame's payload. */
static bool take_part(const struct pl_builder_frame *frame, struct pl_bytes *rest, struct part *out)
{
    const char *from = rest->data;
    struct pl_value value;
    bool taken;

    if (frame->item || frame->type == PL_TYPE_M)
        taken = pl_entry_take(rest, &out->order, &value);
    else
        taken = pl_element_take(rest, &out->order);
    if (taken)
        out->whole = pl_bytes(from, (size_t)(rest->data - from));
    return taken;
}

static int compare_parts(const void *a, const void *b)
{
    return pl_bytes_compare(((const struct part *)a)->order, ((const struct part *)b)->order);
}

/* Most items have few attributes, and for few parts this beats qsort() by far. */
static void sort_few(struct part *parts, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct part moving = parts[i];
        size_t at = i;

        for (; at > 0 && pl_bytes_compare(parts[at - 1].order, moving.order) > 0; at--)
            parts[at] = parts[at - 1];
        parts[at] = moving;
    }
}

/* Put the parts in order, unless two of them are equal: then the payload stays, for the error's text. */
static void sort(struct pl_builder *b, struct pl_builder_frame *frame)
{
    struct pl_bytes payload = written_since(b, frame->start), rest;
    struct part few[FEW_PARTS], *parts = few;
    size_t count = frame->count;
    char *copy = pl_arena_alloc(b->arena, payload.len);

    if (count > FEW_PARTS)
        parts = pl_arena_alloc(b->arena, count * sizeof *parts);
    if (parts == NULL || copy == NULL) {
        fail_plainly(b, PL_ENOMEM);
        return;
    }
    memcpy(copy, payload.data, payload.len);
    rest = pl_bytes(copy, payload.len);
    for (size_t i = 0; i < count; i++)
        take_part(frame, &rest, &parts[i]);
    if (count > FEW_PARTS)
        qsort(parts, count, sizeof *parts, compare_parts);
    else
        sort_few(parts, count);
    for (size_t i = 1; i < count; i++)
        if (pl_bytes_equal(parts[i - 1].order, parts[i].order)) {
            mark_doubled(frame, frame->start + (size_t)(parts[i].order.data - copy), parts[i].order.len);
            return;
        }
    b->out->len = frame->start;
    for (size_t i = 0; i < count; i++)
        pl_buf_append_bytes(b->out, parts[i].whole);
}

/* "[a, b, a]", as long as a sentence may be. */
static void list_elements(const struct pl_builder_frame *frame, struct pl_bytes payload, struct pl_buf *text)
{
    struct part part;
    bool first = true;

    pl_buf_append_byte(text, '[');
    while (text->len < PL_REASON_MAX && take_part(frame, &payload, &part)) {
        size_t len = part.order.len < PL_REASON_MAX ? part.order.len : PL_REASON_MAX;

        if (!first)
            pl_buf_append(text, ", ", 2);
        first = false;
        if (frame->type == PL_TYPE_BS)
            pl_base64_write(text, pl_bytes(part.order.data, len));
        else
            pl_buf_append(text, part.order.data, len);
    }
    pl_buf_append_byte(text, ']');
}

static void refuse_doubled(struct pl_builder *b, const struct pl_builder_frame *frame)
{
    struct pl_buf text = { 0 };

    if (frame->item || frame->type == PL_TYPE_M) {
        pl_builder_fail(b, PL_EINVALID, INVALID "An attribute name is given twice: %.*s",
                        (int)frame->twice_len, b->out->data + frame->twice);
        return;
    }
    if (frame->type == PL_TYPE_NS) {
        pl_builder_fail(b, PL_EINVALID, "Input collection contains duplicates");
        return;
    }
    list_elements(frame, written_since(b, frame->start), &text);
    if (pl_buf_status(&text) != 0)
        fail_plainly(b, PL_ENOMEM);
    else
        pl_builder_fail(b, PL_EINVALID, INVALID "Input collection %.*s%s contains duplicates.", (int)text.len,
                        text.data, frame->type == PL_TYPE_BS ? "of type BS" : "");
    pl_buf_deinit(&text);
}

static void refuse_empty_set(struct pl_builder *b, enum pl_type type)
{
    if (type == PL_TYPE_BS)
        pl_builder_fail(b, PL_EINVALID, INVALID "Binary sets should not be empty");
    else
        pl_builder_fail(b, PL_EINVALID, INVALID "An %s set  may not be empty",
                        type == PL_TYPE_SS ? "string" : "number");
}

void pl_builder_end(struct pl_builder *b)
{
    struct pl_builder_frame *frame = b->top;

    if (failed(b))
        return;
    PL_ASSERT(frame != NULL && !frame->named);
    if (frame->unsorted)
        sort(b, frame);
    if (frame->doubled)
        refuse_doubled(b, frame);
    if (!frame->item && frame->type >= PL_TYPE_SS && b->out->len == frame->start)
        refuse_empty_set(b, frame->type);
    if (!fits_length(b, b->out->len - frame->start))
        return;
    if (!frame->item) {
        pl_put_le32(b->out->data + frame->start - WIDE_LENGTH_BYTES, (uint32_t)(b->out->len - frame->start));
        b->level--;
    }
    b->top = frame->outer;
    frame->outer = b->spare;
    b->spare = frame;
}

static int finish(struct pl_builder *b, struct pl_reason *why)
{
    if (!failed(b)) {
        PL_ASSERT(b->top == NULL);
        return 0;
    }
    if (why != NULL)
        *why = b->why;
    return b->rc;
}

int pl_builder_finish_item(struct pl_builder *b, struct pl_item *out, struct pl_reason *why)
{
    int rc = finish(b, why);

    if (rc != 0)
        return rc;
    out->bytes = written_since(b, b->start);
    out->size_bytes = (uint32_t)b->size_bytes;
    return 0;
}

int pl_builder_finish_value(struct pl_builder *b, struct pl_value *out, struct pl_reason *why)
{
    struct pl_bytes built;
    int rc = finish(b, why);

    if (rc != 0)
        return rc;
    built = written_since(b, b->start);
    PL_ASSERT(pl_value_take(&built, out) && built.len == 0);
    return 0;
}
