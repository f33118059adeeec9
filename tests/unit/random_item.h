/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_UNIT_RANDOM_ITEM_H
#define PL_TESTS_UNIT_RANDOM_ITEM_H

#include "model/item.h"

#include "test.h"

/** Random items of every type, and the same items built again in another order. */

/** Text of up to `most` bytes: mostly letters, sometimes zero bytes and characters of 2 to 4 bytes. */
static inline struct pl_bytes random_string(uint64_t *seed, char *room, size_t most)
{
    static const char *const parts[] = { "a",
                                         "b",
                                         "Z",
                                         "0",
                                         " ",
                                         "\"",
                                         "\\",
                                         "\n",
                                         "\x01",
                                         "\x7f",
                                         "\xc3\xbc",
                                         "\xe2\x82\xac",
                                         "\xf0\x9f\x8c\x99" };
    size_t aim = test_random(seed) % (most + 1), len = 0;

    for (;;) {
        size_t pick = test_random(seed) % (sizeof parts / sizeof parts[0] + 1);
        const char *part = pick == 0 ? "" : parts[pick - 1];
        size_t part_len = pick == 0 ? 1 : strlen(part); /* "" stands for a zero byte */

        if (len + part_len > aim)
            return pl_bytes(room, len);
        memcpy(room + len, part, part_len);
        len += part_len;
    }
}

static inline void random_number(uint64_t *seed, struct pl_number *number)
{
    char text[64];
    int digits = 1 + (int)(test_random(seed) % 38), len = 0;

    if (test_random(seed) % 2 == 0)
        text[len++] = '-';
    for (int i = 0; i < digits; i++)
        text[len++] = (char)('0' + test_random(seed) % 10);
    if (test_random(seed) % 2 == 0)
        snprintf(text + len, sizeof text - (size_t)len, "e%d", (int)(test_random(seed) % 170) - 90);
    else
        text[len] = '\0';
    if (pl_number_parse(pl_str(text), number, NULL) != 0)
        abort();
}

/* Elements are numbered, so that no two are equal. */
static inline void random_set(uint64_t *seed, struct pl_builder *b)
{
    enum pl_type type = PL_TYPE_SS + (enum pl_type)(test_random(seed) % 3);
    int count = 1 + (int)(test_random(seed) % 6);

    pl_builder_begin_set(b, type);
    for (int i = 0; i < count; i++) {
        char room[64];
        struct pl_bytes text = random_string(seed, room, 20);
        struct pl_number number;

        room[text.len] = (char)('0' + i);
        text.len++;
        pl_number_from_int64((int64_t)(test_random(seed) % 100000) * 10 + i - 500000, &number);
        if (type == PL_TYPE_SS)
            pl_builder_set_string(b, text);
        else if (type == PL_TYPE_NS)
            pl_builder_set_number(b, &number);
        else
            pl_builder_set_binary(b, text);
    }
    pl_builder_end(b);
}

static inline void random_entries(uint64_t *seed, struct pl_builder *b, int levels);

/** One value, with at most `levels` of lists and maps under it. */
static inline void random_value(uint64_t *seed, struct pl_builder *b, int levels)
{
    char room[512];
    struct pl_number number;

    switch (test_random(seed) % (levels > 0 ? 8 : 6)) {
    case 0:
        pl_builder_string(b, random_string(seed, room, test_random(seed) % 4 == 0 ? 500 : 20));
        return;
    case 1:
        random_number(seed, &number);
        pl_builder_number(b, &number);
        return;
    case 2:
        for (size_t i = 0; i < 40; i++)
            room[i] = (char)test_random(seed);
        pl_builder_binary(b, pl_bytes(room, test_random(seed) % 41));
        return;
    case 3:
        pl_builder_bool(b, test_random(seed) % 2 == 0);
        return;
    case 4:
        pl_builder_null(b);
        return;
    case 5:
        random_set(seed, b);
        return;
    case 6:
        pl_builder_begin_list(b);
        for (int i = (int)(test_random(seed) % 5); i > 0; i--)
            random_value(seed, b, levels - 1);
        pl_builder_end(b);
        return;
    default:
        pl_builder_begin_map(b);
        random_entries(seed, b, levels - 1);
        pl_builder_end(b);
        return;
    }
}

static inline void random_entries(uint64_t *seed, struct pl_builder *b, int levels)
{
    int count = (int)(test_random(seed) % 7);

    for (int i = 0; i < count; i++) {
        char room[64];
        struct pl_bytes name = random_string(seed, room, 12);

        room[name.len] = (char)('0' + i);
        name.len++;
        pl_builder_name(b, name);
        random_value(seed, b, levels);
    }
}

static inline int random_item(uint64_t *seed, struct pl_buf *out, struct pl_arena *arena,
                              struct pl_item *item)
{
    struct pl_builder b;

    pl_builder_init(&b, out, arena);
    pl_builder_begin_item(&b);
    random_entries(seed, &b, 4);
    pl_builder_end(&b);
    return pl_builder_finish_item(&b, item, NULL);
}

enum { REBUILD_PARTS_MAX = 64 };

static inline void rebuild_entries(uint64_t *seed, struct pl_builder *b, struct pl_bytes payload);

/** Build `value` again, part by part, with the entries of maps and the elements of sets shuffled. */
static inline void rebuild_value(uint64_t *seed, struct pl_builder *b, struct pl_value value)
{
    struct pl_bytes rest = value.payload, elements[REBUILD_PARTS_MAX];
    struct pl_number number;
    struct pl_value inner;
    size_t count = 0;

    switch (value.type) {
    case PL_TYPE_S:
        pl_builder_string(b, value.payload);
        return;
    case PL_TYPE_B:
        pl_builder_binary(b, value.payload);
        return;
    case PL_TYPE_N:
        pl_value_number(value, &number);
        pl_builder_number(b, &number);
        return;
    case PL_TYPE_BOOL:
        pl_builder_bool(b, pl_value_bool(value));
        return;
    case PL_TYPE_NULL:
        pl_builder_null(b);
        return;
    case PL_TYPE_L:
        pl_builder_begin_list(b);
        while (pl_value_take(&rest, &inner))
            rebuild_value(seed, b, inner);
        break;
    case PL_TYPE_M:
        pl_builder_begin_map(b);
        rebuild_entries(seed, b, value.payload);
        break;
    default:
        pl_builder_begin_set(b, value.type);
        while (count < REBUILD_PARTS_MAX && pl_element_take(&rest, &elements[count]))
            count++;
        for (; count > 0; count--) {
            size_t pick = test_random(seed) % count;

            if (value.type == PL_TYPE_SS)
                pl_builder_set_string(b, elements[pick]);
            else if (value.type == PL_TYPE_BS)
                pl_builder_set_binary(b, elements[pick]);
            else if (pl_number_decode(elements[pick], &number) == 0)
                pl_builder_set_number(b, &number);
            elements[pick] = elements[count - 1];
        }
    }
    pl_builder_end(b);
}

static inline void rebuild_entries(uint64_t *seed, struct pl_builder *b, struct pl_bytes payload)
{
    struct pl_bytes names[REBUILD_PARTS_MAX];
    struct pl_value values[REBUILD_PARTS_MAX];
    size_t count = 0;

    while (count < REBUILD_PARTS_MAX && pl_entry_take(&payload, &names[count], &values[count]))
        count++;
    for (; count > 0; count--) {
        size_t pick = test_random(seed) % count;

        pl_builder_name(b, names[pick]);
        rebuild_value(seed, b, values[pick]);
        names[pick] = names[count - 1];
        values[pick] = values[count - 1];
    }
}

#endif
