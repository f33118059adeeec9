/* SPDX-License-Identifier: MIT */
#include "model/json.h"

#include <stdint.h>
#include <stdlib.h>

/*
 * Items from JSON in both dialects. What is accepted must be written and read back to
 * the same bytes, in either dialect, must pass the check of stored items, and must be
 * something that stepping over accepts too.
 */

static void check(bool truth)
{
    if (!truth)
        abort();
}

/* The item written in `dialect` and read back is the same item. */
static void check_round_trip(struct pl_item item, enum pl_json_dialect dialect, struct pl_arena *arena)
{
    struct pl_buf text = { 0 }, bytes = { 0 };
    struct pl_item back;

    pl_json_write_item(&text, dialect, item);
    check(pl_buf_status(&text) == 0);
    check(pl_json_read_item(pl_buf_view(&text), dialect, arena, &bytes, &back, NULL) == 0);
    check(pl_bytes_equal(item.bytes, back.bytes) && item.size_bytes == back.size_bytes);
    check(memchr(text.data, '\n', text.len) == NULL); /* the line protocol counts on it */
    pl_buf_deinit(&text);
    pl_buf_deinit(&bytes);
}

static void check_accepted(struct pl_bytes text, struct pl_item item, struct pl_arena *arena)
{
    struct pl_json_reader r;
    struct pl_item checked;

    check(pl_item_check(item.bytes, &checked) == 0 && checked.size_bytes == item.size_bytes);
    pl_json_reader_init(&r, text, arena);
    check(pl_json_skip(&r, NULL) == 0 && pl_json_take_end(&r, NULL) == 0);
    check_round_trip(item, PL_JSON_PLAIN, arena);
    check_round_trip(item, PL_JSON_TYPED, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pl_bytes text = pl_bytes(data, size);
    struct pl_arena arena = { 0 };
    struct pl_buf bytes = { 0 };

    for (enum pl_json_dialect dialect = PL_JSON_PLAIN; dialect <= PL_JSON_TYPED; dialect++) {
        struct pl_reason why = { "" };
        struct pl_item item;
        int rc;

        pl_buf_clear(&bytes);
        rc = pl_json_read_item(text, dialect, &arena, &bytes, &item, &why);
        if (rc == 0) {
            check_accepted(text, item, &arena);
        } else {
            check(rc == PL_ESYNTAX || rc == PL_EINVALID);
            check(why.text[0] != '\0' && pl_bytes_is_utf8(pl_str(why.text)));
        }
    }
    pl_buf_deinit(&bytes);
    pl_arena_deinit(&arena);
    return 0;
}
