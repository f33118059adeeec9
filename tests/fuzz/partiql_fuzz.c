/* SPDX-License-Identifier: MIT */
#include "model/json.h"
#include "model/partiql.h"

#include <stdint.h>
#include <stdlib.h>

/*
 * Input: a statement up to the first zero byte, an item as plain JSON, whose attributes' values are the parameters and
 * which the statement is then put to: as a filter, as a target, as an update. Whatever is refused has a sentence;
 * what an update makes is a sound item.
 */
enum { PARAMETERS_MAX = 8 };

struct trial {
    struct pl_arena arena;
    struct pl_buf bytes, out;
    struct pl_item item;
    struct pl_value parameters[PARAMETERS_MAX];
    uint32_t parameter_count;
    struct pl_partiql statement;
    struct pl_reason why;
};

static void check(bool truth)
{
    if (!truth)
        abort();
}

static bool accepted(const struct trial *t, int rc)
{
    if (rc == 0)
        return true;
    check(rc == PL_EINVALID && t->why.text[0] != '\0');
    return false;
}

static void take_parameters(struct trial *t)
{
    struct pl_bytes rest = t->item.bytes, name;

    while (t->parameter_count < PARAMETERS_MAX &&
           pl_entry_take(&rest, &name, &t->parameters[t->parameter_count]))
        t->parameter_count++;
}

static void put_to(struct trial *t, const struct pl_key_schema *keys)
{
    struct pl_partiql_target target;
    struct pl_condition *condition;
    struct pl_partiql_walk walk;
    struct pl_item out, checked;

    if (accepted(t, pl_partiql_walk(&t->statement, keys, &t->arena, &walk, &t->why)) && walk.filter != NULL)
        (void)pl_condition_test(walk.filter, &t->item);
    if (accepted(t, pl_partiql_target(&t->statement, keys, &t->arena, &target, &t->why)) &&
        pl_partiql_condition(PL_PARTIQL_NO_ITEM_OR_REST, pl_str("a"), target.rest, &t->arena, &condition) ==
            0 &&
        condition != NULL)
        (void)pl_condition_test(condition, &t->item);
    if (t->statement.update != NULL &&
        pl_update_apply(t->statement.update, t->item, false, &t->arena, &t->out, &out, &t->why) == 0)
        check(pl_item_check(out.bytes, &checked) == 0 && checked.size_bytes == out.size_bytes);
    if (t->statement.projection != NULL) {
        pl_buf_clear(&t->out);
        check(pl_projection_apply(t->statement.projection, t->item, &t->arena, &t->out, &out) == 0);
        check(pl_item_check(out.bytes, &checked) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct pl_key_schema keys = { .partition = { { .name = { "a", 1 }, .type = PL_TYPE_S } },
                                               .sort = { { .name = { "b", 1 }, .type = PL_TYPE_N } },
                                               .partition_count = 1,
                                               .sort_count = 1 };
    const uint8_t *end = size > 0 ? memchr(data, 0, size) : NULL;
    size_t len = end == NULL ? size : (size_t)(end - data);
    struct trial t = { .parameter_count = 0 };

    if (end != NULL && pl_json_read_item(pl_bytes(end + 1, size - len - 1), PL_JSON_PLAIN, &t.arena, &t.bytes,
                                         &t.item, &t.why) == 0)
        take_parameters(&t);
    if (len <= PL_PARTIQL_TEXT_MAX &&
        accepted(&t, pl_partiql_parse(pl_bytes(data, len), t.parameters, t.parameter_count, &t.arena,
                                      &t.statement, &t.why)))
        put_to(&t, &keys);
    pl_arena_deinit(&t.arena);
    pl_buf_deinit(&t.bytes);
    pl_buf_deinit(&t.out);
    return 0;
}
