/* SPDX-License-Identifier: MIT */
#include "model/table.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

/*
 * The bytes once as a stored table and once as a definition's text. A table that was
 * accepted must survive its stored form and its JSON form unchanged.
 */

static void check(bool truth)
{
    if (!truth)
        abort();
}

static void check_encodes_to(const struct pl_table *table, struct pl_bytes wanted)
{
    struct pl_buf bytes = { 0 };

    pl_table_encode(table, &bytes);
    check(pl_buf_status(&bytes) == 0 && pl_bytes_equal(pl_buf_view(&bytes), wanted));
    pl_buf_deinit(&bytes);
}

static void stored(struct pl_bytes bytes)
{
    struct pl_table *table;
    int rc = pl_table_decode(bytes, &table);

    check(rc == 0 || rc == PL_ECORRUPT);
    if (rc == 0) {
        check_encodes_to(table, bytes);
        pl_table_unref(table);
    }
}

static void check_survives(const struct pl_table *table)
{
    cJSON *json = pl_table_to_json(table);
    struct pl_buf bytes = { 0 };
    struct pl_table *again;

    pl_table_encode(table, &bytes);
    check(pl_table_from_json(json, true, &again, NULL) == 0);
    check_encodes_to(again, pl_buf_view(&bytes));
    pl_table_unref(again);
    check(pl_table_copy(table, &again) == 0);
    check_encodes_to(again, pl_buf_view(&bytes));
    pl_table_unref(again);
    pl_buf_deinit(&bytes);
    cJSON_Delete(json);
}

static void text(struct pl_bytes definition)
{
    struct pl_reason why = { "" };
    struct pl_table *table;
    int rc = pl_table_from_text(definition, true, &table, &why);

    if (rc == 0) {
        check_survives(table);
        pl_table_unref(table);
    } else {
        check(rc == PL_ESYNTAX || rc == PL_EINVALID);
        check(why.text[0] != '\0' && pl_bytes_is_utf8(pl_str(why.text)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    stored(pl_bytes(data, size));
    text(pl_bytes(data, size));
    return 0;
}
