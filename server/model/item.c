/* SPDX-License-Identifier: MIT */
#include "model/item.h"

static const struct {
    const char *name, *long_name;
} types[] = {
    [PL_TYPE_S] = { "S", "STRING" },       [PL_TYPE_N] = { "N", "NUMBER" },
    [PL_TYPE_B] = { "B", "BINARY" },       [PL_TYPE_BOOL] = { "BOOL", "BOOLEAN" },
    [PL_TYPE_NULL] = { "NULL", "NULL" },   [PL_TYPE_L] = { "L", "LIST" },
    [PL_TYPE_M] = { "M", "MAP" },          [PL_TYPE_SS] = { "SS", "STRING_SET" },
    [PL_TYPE_NS] = { "NS", "NUMBER_SET" }, [PL_TYPE_BS] = { "BS", "BINARY_SET" },
};

const char *pl_type_name(enum pl_type type)
{
    return types[type].name;
}

const char *pl_type_long_name(enum pl_type type)
{
    return types[type].long_name;
}

enum pl_type pl_type_from_name(struct pl_bytes name)
{
    for (enum pl_type type = PL_TYPE_S; type <= PL_TYPE_BS; type++)
        if (pl_bytes_equal(name, pl_str(types[type].name)))
            return type;
    return 0;
}

/* ---- walking bytes that are known to be sound ---- */

/* Nearly every length is below 128 and takes one byte. */
static inline bool take_length(struct pl_bytes *in, uint32_t *len)
{
    if (in->len > 0 && (uint8_t)in->data[0] < 0x80) {
        *len = (uint8_t)in->data[0];
        in->data++;
        in->len--;
        return true;
    }
    return pl_bytes_take_varint(in, len);
}

/* Lists, maps and sets have a length of fixed width, which a builder can fill in at their end. */
static inline bool has_wide_length(enum pl_type type)
{
    return type >= PL_TYPE_L;
}

/* Step over one value. False when the bytes are cut short or begin with no tag. */
static inline bool step_value(struct pl_bytes *in, struct pl_value *out)
{
    struct pl_bytes rest = *in;
    uint32_t len;

    if (rest.len == 0)
        return false;
    out->type = (enum pl_type)(uint8_t)*rest.data++;
    rest.len--;
    if (out->type < PL_TYPE_S || out->type > PL_TYPE_BS)
        return false;
    if (has_wide_length(out->type)) {
        if (rest.len < sizeof len)
            return false;
        len = pl_get_le32(rest.data);
        rest.data += sizeof len;
        rest.len -= sizeof len;
    } else if (!take_length(&rest, &len)) {
        return false;
    }
    if (len > rest.len)
        return false;
    out->payload = pl_bytes(rest.data, len);
    out->whole = pl_bytes(in->data, (size_t)(rest.data - in->data) + len);
    *in = pl_bytes(rest.data + len, rest.len - len);
    return true;
}

static inline bool step_element(struct pl_bytes *in, struct pl_bytes *out)
{
    struct pl_bytes rest = *in;
    uint32_t len;

    if (!take_length(&rest, &len) || len > rest.len)
        return false;
    *out = pl_bytes(rest.data, len);
    *in = pl_bytes(rest.data + len, rest.len - len);
    return true;
}

bool pl_value_take(struct pl_bytes *in, struct pl_value *out)
{
    if (in->len == 0)
        return false;
    PL_ASSERT(step_value(in, out));
    return true;
}

bool pl_element_take(struct pl_bytes *in, struct pl_bytes *out)
{
    if (in->len == 0)
        return false;
    PL_ASSERT(step_element(in, out));
    return true;
}

bool pl_entry_take(struct pl_bytes *in, struct pl_bytes *name, struct pl_value *out)
{
    if (in->len == 0)
        return false;
    PL_ASSERT(step_element(in, name));
    PL_ASSERT(step_value(in, out));
    return true;
}

/* Names are sorted, so the first one past `name` ends the search. First letters settle most comparisons. */
bool pl_map_find(struct pl_bytes payload, struct pl_bytes name, struct pl_value *out)
{
    struct pl_bytes at;
    struct pl_value value;

    if (name.len == 0)
        return false;
    while (pl_entry_take(&payload, &at, &value)) {
        int order = (uint8_t)at.data[0] - (uint8_t)name.data[0];

        if (order == 0)
            order = pl_bytes_compare(at, name);
        if (order < 0)
            continue;
        if (order == 0)
            *out = value;
        return order == 0;
    }
    return false;
}

bool pl_item_find(struct pl_item item, struct pl_bytes name, struct pl_value *out)
{
    return pl_map_find(item.bytes, name, out);
}

bool pl_list_at(struct pl_bytes payload, uint32_t index, struct pl_value *out)
{
    struct pl_value value;

    while (pl_value_take(&payload, &value)) {
        if (index-- > 0)
            continue;
        *out = value;
        return true;
    }
    return false;
}

bool pl_set_contains(struct pl_bytes payload, struct pl_bytes element)
{
    struct pl_bytes at;

    while (pl_element_take(&payload, &at)) {
        int order = pl_bytes_compare(at, element);

        if (order >= 0)
            return order == 0;
    }
    return false;
}

uint32_t pl_value_count(struct pl_value value)
{
    struct pl_bytes rest = value.payload, part;
    struct pl_value inner;
    uint32_t count = 0;

    switch (value.type) {
    case PL_TYPE_L:
        while (pl_value_take(&rest, &inner))
            count++;
        return count;
    case PL_TYPE_M:
        while (pl_entry_take(&rest, &part, &inner))
            count++;
        return count;
    case PL_TYPE_SS:
    case PL_TYPE_NS:
    case PL_TYPE_BS:
        while (pl_element_take(&rest, &part))
            count++;
        return count;
    default:
        return 0;
    }
}

bool pl_value_equal(struct pl_value a, struct pl_value b)
{
    return pl_bytes_equal(a.whole, b.whole);
}

int pl_value_compare(struct pl_value a, struct pl_value b)
{
    PL_ASSERT(a.type == b.type && a.type <= PL_TYPE_B);
    return pl_bytes_compare(a.payload, b.payload);
}

void pl_value_number(struct pl_value value, struct pl_number *out)
{
    PL_ASSERT(value.type == PL_TYPE_N);
    PL_ASSERT(pl_number_decode(value.payload, out) == 0);
}

/* The beginning of a text; a NUL would end the sentence with it. */
static struct pl_bytes shortened(struct pl_bytes text)
{
    enum { SHOWN_MAX = 256 };

    text.len = text.len > 0 ? strnlen(text.data, text.len) : 0;
    return pl_bytes_shortened(text, SHOWN_MAX);
}

void pl_value_show(struct pl_buf *out, struct pl_value value)
{
    char number_text[PL_NUMBER_TEXT_MAX];
    struct pl_number number;

    pl_buf_append_format(out, "AttributeValue: {%s:", pl_type_name(value.type));
    if (value.type == PL_TYPE_N) {
        pl_value_number(value, &number);
        pl_buf_append(out, number_text, pl_number_format(&number, number_text));
    } else if (value.type == PL_TYPE_S) {
        pl_buf_append_bytes(out, shortened(value.payload));
    } else {
        pl_buf_append_format(out, "java.nio.HeapByteBuffer[pos=0 lim=%zu cap=%zu]", value.payload.len,
                             value.payload.len);
    }
    pl_buf_append_byte(out, '}');
}

bool pl_value_bool(struct pl_value value)
{
    PL_ASSERT(value.type == PL_TYPE_BOOL && value.payload.len == 1);
    return value.payload.data[0] != 0;
}

/* ---- size ---- */

enum { CONTAINER_BYTES = 3, CONTAINED_BYTES = 1 };

static uint32_t set_size_bytes(struct pl_value set)
{
    struct pl_bytes rest = set.payload, element;
    uint32_t sum = 0;

    while (pl_element_take(&rest, &element))
        sum += set.type == PL_TYPE_NS ? pl_number_encoded_size_bytes(element) : (uint32_t)element.len;
    return sum;
}

/* Goes no deeper than PL_NESTING_MAX: the bytes are sound. */
uint32_t pl_value_size_bytes(struct pl_value value)
{
    struct pl_bytes rest = value.payload, name;
    struct pl_value inner;
    uint32_t sum = CONTAINER_BYTES;

    switch (value.type) {
    case PL_TYPE_S:
    case PL_TYPE_B:
        return (uint32_t)value.payload.len;
    case PL_TYPE_N:
        return pl_number_encoded_size_bytes(value.payload);
    case PL_TYPE_BOOL:
    case PL_TYPE_NULL:
        return 1;
    case PL_TYPE_L:
        while (pl_value_take(&rest, &inner))
            sum += CONTAINED_BYTES + pl_value_size_bytes(inner);
        return sum;
    case PL_TYPE_M:
        while (pl_entry_take(&rest, &name, &inner))
            sum += CONTAINED_BYTES + (uint32_t)name.len + pl_value_size_bytes(inner);
        return sum;
    default:
        return set_size_bytes(value);
    }
}

/* ---- checking bytes that may be anything ---- */

static bool is_number(struct pl_bytes bytes)
{
    struct pl_number number;

    return pl_number_decode(bytes, &number) == 0;
}

static bool is_sound_element(enum pl_type set_type, struct pl_bytes element)
{
    if (set_type == PL_TYPE_NS)
        return is_number(element);
    return set_type == PL_TYPE_BS || pl_bytes_is_utf8(element);
}

static bool is_sound_set(struct pl_value set)
{
    struct pl_bytes rest = set.payload, element, last = { 0 };

    if (rest.len == 0)
        return false;
    for (bool first = true; rest.len > 0; first = false) {
        if (!step_element(&rest, &element) || !is_sound_element(set.type, element))
            return false;
        if (!first && pl_bytes_compare(last, element) >= 0)
            return false;
        last = element;
    }
    return true;
}

static bool is_sound_value(struct pl_value value, uint32_t level);

static bool is_sound_map(struct pl_bytes rest, uint32_t level)
{
    struct pl_bytes name, last = { 0 }; /* sorts before every name, as no name is empty */
    struct pl_value inner;

    while (rest.len > 0) {
        if (!step_element(&rest, &name) || name.len == 0 || name.len > PL_ATTRIBUTE_NAME_MAX)
            return false;
        if (pl_bytes_compare(last, name) >= 0 || !pl_bytes_is_utf8(name))
            return false;
        if (!step_value(&rest, &inner) || !is_sound_value(inner, level))
            return false;
        last = name;
    }
    return true;
}

static bool is_sound_list(struct pl_bytes rest, uint32_t level)
{
    struct pl_value inner;

    while (rest.len > 0)
        if (!step_value(&rest, &inner) || !is_sound_value(inner, level))
            return false;
    return true;
}

/* `level` is the value's own; going deeper than PL_NESTING_MAX is refused, so the stack is bounded. */
static bool is_sound_value(struct pl_value value, uint32_t level)
{
    struct pl_bytes payload = value.payload;

    if (level > PL_NESTING_MAX)
        return false;
    switch (value.type) {
    case PL_TYPE_S:
        return pl_bytes_is_utf8(payload);
    case PL_TYPE_N:
        return is_number(payload);
    case PL_TYPE_B:
        return true;
    case PL_TYPE_BOOL:
        return payload.len == 1 && (uint8_t)payload.data[0] <= 1;
    case PL_TYPE_NULL:
        return payload.len == 0;
    case PL_TYPE_L:
        return is_sound_list(payload, level + 1);
    case PL_TYPE_M:
        return is_sound_map(payload, level + 1);
    default:
        return is_sound_set(value);
    }
}

int pl_item_check(struct pl_bytes bytes, struct pl_item *out)
{
    struct pl_bytes rest = bytes, name;
    struct pl_value value;
    uint32_t size = 0;

    /* No value counts for more bytes than it is stored in, so the size cannot overflow. */
    if (bytes.len > UINT32_MAX || !is_sound_map(bytes, 1))
        return PL_ECORRUPT;
    while (pl_entry_take(&rest, &name, &value))
        size += (uint32_t)name.len + pl_value_size_bytes(value);
    *out = (struct pl_item){ .bytes = bytes, .size_bytes = size };
    return 0;
}
