/* SPDX-License-Identifier: MIT */
#include "expr_request.h"
#include "failing_arena.h"

static struct pl_item stored;

static int work_projection(struct pl_expr_params *params, struct pl_bytes text, struct pl_reason *why)
{
    struct pl_projection *projection;
    struct pl_buf buf = { 0 };
    struct pl_item item;
    int rc = pl_projection_parse(params, text, &projection, why);

    if (rc == 0)
        rc = pl_projection_apply(projection, stored, params->arena, &buf, &item);
    pl_buf_deinit(&buf);
    return rc;
}

static int work_update(struct pl_expr_params *params, struct pl_bytes text, struct pl_reason *why)
{
    struct pl_buf buf = { 0 };
    struct pl_update *update;
    struct pl_item item;
    int rc = pl_update_parse(params, text, &update, why);

    if (rc == 0)
        rc = pl_update_apply(update, stored, false, params->arena, &buf, &item, why);
    if (rc == 0)
        rc = pl_update_returned(update, stored, params->arena, &buf, &item);
    pl_buf_deinit(&buf);
    return rc;
}

static int work_key_condition(struct pl_expr_params *params, struct pl_bytes text, struct pl_reason *why)
{
    static const struct pl_key_schema keys = { .partition = { { .name = { "pk", 2 }, .type = PL_TYPE_S } },
                                               .partition_count = 1 };
    struct pl_key_condition key_condition;
    struct pl_key_parts *parts;
    int rc = pl_key_condition_parse(params, text, &parts, why);

    return rc != 0 ? rc : pl_key_condition_fit(parts, &keys, &key_condition, why);
}

static int work(enum pl_expr_kind kind, struct pl_expr_params *params, struct pl_bytes text,
                struct pl_reason *why)
{
    struct pl_condition *condition;

    switch (kind) {
    case PL_EXPR_KEY_CONDITION:
        return work_key_condition(params, text, why);
    case PL_EXPR_PROJECTION:
        return work_projection(params, text, why);
    case PL_EXPR_UPDATE:
        return work_update(params, text, why);
    default:
        return pl_condition_parse(params, kind, text, &condition, why);
    }
}

static const struct {
    enum pl_expr_kind kind;
    const char *text;
    int rc;
} texts[] = {
    { PL_EXPR_CONDITION, "a = 1 AND NOT (b IN (1,2,3,4,5,\"x\") OR size(m.x) BETWEEN 1 AND 2)", 0 },
    { PL_EXPR_CONDITION, "a = a", PL_EINVALID },
    { PL_EXPR_CONDITION, "a BETWEEN \"x\" AND 1", PL_EINVALID },
    { PL_EXPR_KEY_CONDITION, "pk = \"x\"", 0 },
    { PL_EXPR_PROJECTION, "a, l[0], m.x, l[2], z, y", 0 },
    { PL_EXPR_PROJECTION, "a, m.x, m.x.y", PL_EINVALID },
    { PL_EXPR_PROJECTION, "m.x, m[1]", PL_EINVALID },
    { PL_EXPR_UPDATE,
      "SET a = a + 1, z = if_not_exists(z, 5), y = list_append(l, l), m.x = 1 REMOVE l[0] ADD s "
      "{\"$set\":[9]} DELETE "
      "t {\"$set\":[1]}",
      0 },
    { PL_EXPR_UPDATE, "SET z = gone", PL_EINVALID },
};

static void check_each_failure(size_t i, bool for_good)
{
    long rounds = 0;

    for (long n = 0; allocation_failing(n, for_good); n++, rounds++) {
        struct pl_arena arena = { 0 };
        struct pl_expr_params params = { .arena = &arena, .literals = true };
        struct pl_reason why = { "" };
        int rc = work(texts[i].kind, &params, pl_str(texts[i].text), &why);
        int expected = allocation_failed() ? PL_ENOMEM : texts[i].rc;

        pl_arena_deinit(&arena);
        CHECK_MSG(rc == expected, "%s, allocation %ld: %d", texts[i].text, n, rc);
    }
    CHECK(rounds > 8);
}

static void no_failed_allocation_goes_unnoticed(void)
{
    struct request r;

    request_init(&r, NULL, NULL);
    stored = request_item(
        &r, "{\"a\":1,\"l\":[1,2,3],\"m\":{\"x\":[1]},\"s\":{\"$set\":[1]},\"t\":{\"$set\":[1,2]}}");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        check_each_failure(i, false);
        check_each_failure(i, true);
    }
    request_deinit(&r);
}

/* Only the sorted table is lost then, and the search is slower. */
static void placeholders_are_found_without_memory_to_sort_them(void)
{
    struct pl_condition *condition;
    struct request r;
    bool failed = false;

    request_init(
        &r, "{}",
        "{\":a\":1,\":b\":1,\":c\":1,\":d\":1,\":e\":1,\":f\":1,\":g\":1,\":h\":1,\":i\":1,\":j\":1}");
    for (long n = 0; allocation_failing(n, false); n++) {
        int rc;

        r.params.values_sorted = NULL;
        rc = pl_condition_parse(&r.params, PL_EXPR_FILTER, pl_str("x = :j"), &condition, &r.why);
        if (allocation_failed() && rc == 0)
            failed = true;
        CHECK(rc == 0 || rc == PL_ENOMEM);
    }
    CHECK(failed);
    request_deinit(&r);
}

static void the_list_of_unused_names_needs_memory(void)
{
    struct request r;

    request_init(&r, "{\"#a\":\"x\"}", "{}");
    CHECK(allocation_failing(0, false));
    CHECK(pl_expr_check_used(&r.params, &r.why) == PL_ENOMEM);
    CHECK(allocation_failed());
    CHECK(pl_expr_check_used(&r.params, &r.why) == PL_EINVALID);
    request_deinit(&r);
}

int main(void)
{
    RUN(no_failed_allocation_goes_unnoticed);
    RUN(placeholders_are_found_without_memory_to_sort_them);
    RUN(the_list_of_unused_names_needs_memory);
    return test_summary();
}
