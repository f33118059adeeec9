/* SPDX-License-Identifier: MIT */
#include "model/json.h"
#include "node.h"

#include "scratch_tree.h"
#include "test.h"

/*
 * Queries and scans against a list that is sorted and searched without any cleverness. Many keys are so long that
 * they share a record, differ only near their end, are prefixes of each other, or hold zeros.
 */
enum { ITEMS = 90, KEY_MAX = 700, ROUNDS = 700 };

struct thing {
    char key[KEY_MAX + 1];
    size_t len;
    uint32_t number;
};

struct rig {
    struct pl_node *node;
    struct pl_attachment *attachment;
    struct pl_operation op;
    struct thing things[ITEMS]; /* sorted */
    uint64_t seed;
    uint32_t found[ITEMS * 2];
    uint32_t count;
};

static uint32_t draw(struct rig *r, uint32_t below)
{
    return (uint32_t)(test_random(&r->seed) >> 33) % below;
}

static void ignore(struct pl_operation *op)
{
    (void)op;
}

static int note_number(struct pl_operation *op, struct pl_item item)
{
    struct rig *r = op->owner;
    struct pl_buf text = { 0 };
    struct pl_value value;

    if (!pl_item_find(item, pl_str("N"), &value) || r->count == ITEMS * 2)
        return PL_ECORRUPT;
    pl_json_write_value(&text, PL_JSON_PLAIN, value);
    pl_buf_append_byte(&text, '\0');
    r->found[r->count++] = (uint32_t)atoi(text.data);
    pl_buf_deinit(&text);
    return 0;
}

static int run(struct rig *r)
{
    r->op.done = ignore;
    r->op.row = note_number;
    r->op.owner = r;
    if (!pl_router_run(pl_attachment_router(r->attachment), &r->op))
        pl_attachment_flush(r->attachment);
    return r->op.reply.rc;
}

static void begin(struct rig *r, enum pl_operation_name name)
{
    pl_operation_reset(&r->op, name);
    r->op.table_name = pl_str("Things");
    r->op.params.literals = true;
}

/* ---- keys ------------------------------------------------------------------------------------------- */

static int compare_bytes(const char *a, size_t a_len, const char *b, size_t b_len)
{
    int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

    return order != 0 ? order : a_len < b_len ? -1 : a_len > b_len;
}

static int compare_things(const void *a, const void *b)
{
    const struct thing *left = a, *right = b;

    return compare_bytes(left->key, left->len, right->key, right->len);
}

static void draw_key(struct rig *r, struct thing *thing)
{
    static const uint32_t lengths[] = { 0, 0, 0, 1, 2, 5, 400, 460, 480, 500, 600 };
    static const char alphabet[] = { 'a', 'b', '\0', 'a', '\x7f' };
    uint32_t same = lengths[draw(r, sizeof lengths / sizeof lengths[0])], rest = 1 + draw(r, 4);

    memset(thing->key, 'k', same);
    thing->len = same;
    for (uint32_t i = 0; i < rest; i++)
        thing->key[thing->len++] = alphabet[draw(r, sizeof alphabet)];
}

static void append_string(struct pl_buf *out, const char *key, size_t len)
{
    pl_json_write_string(out, pl_bytes(key, len));
}

static void give_key(struct rig *r, struct pl_item *to, const struct thing *thing, bool whole)
{
    struct pl_buf json = { 0 };
    struct pl_reason why;

    pl_buf_append_bytes(&json, pl_str("{\"P\":\"p\",\"K\":"));
    append_string(&json, thing->key, thing->len);
    if (whole)
        pl_buf_append_format(&json, ",\"N\":%u", thing->number);
    pl_buf_append_byte(&json, '}');
    CHECK(pl_json_read_item(pl_buf_view(&json), PL_JSON_PLAIN, &r->op.arena, &r->op.bytes, to, &why) == 0);
    pl_buf_deinit(&json);
}

static void start(struct rig *r)
{
    struct pl_reason why = { 0 };
    struct pl_node_options options = { .clock = pl_clock_system(), .random = pl_random_system() };

    *r = (struct rig){ .seed = test_seed() };
    options.data_path = scratch_path(scratch(), "read");
    CHECK_MSG(pl_node_open(&options, &r->node, &why) == 0, "%s", why.text);
    CHECK(pl_node_attach(r->node, NULL, NULL, &r->attachment) == 0);
    begin(r, PL_OP_CREATE);
    r->op.definition = pl_str("{\"table\":\"Things\",\"partition_key\":\"P:S\",\"sort_key\":\"K:S\"}");
    CHECK_MSG(run(r) == 0, "%s", r->op.reply.why.text);
    for (uint32_t i = 0; i < ITEMS;) {
        bool known = false;

        draw_key(r, &r->things[i]);
        for (uint32_t j = 0; j < i; j++)
            known = known || compare_things(&r->things[i], &r->things[j]) == 0;
        i += !known;
    }
    qsort(r->things, ITEMS, sizeof r->things[0], compare_things);
    for (uint32_t i = 0; i < ITEMS; i++) {
        uint32_t at = (i * 37) % ITEMS; /* not in order */

        r->things[at].number = at;
        begin(r, PL_OP_PUT);
        give_key(r, &r->op.item, &r->things[at], true);
        CHECK_MSG(run(r) == 0, "%s", r->op.reply.why.text);
    }
}

static void end(struct rig *r)
{
    pl_operation_deinit(&r->op);
    pl_node_detach(r->attachment);
    pl_node_close(r->node);
    scratch_remove(scratch_path(scratch(), "read"));
}

/* ---- queries ---------------------------------------------------------------------------------------- */

struct range {
    enum pl_range_kind kind;
    struct thing low, high;
};

static bool is_within(const struct range *range, const struct thing *thing)
{
    int low = compare_things(thing, &range->low);

    switch (range->kind) {
    case PL_RANGE_EQ:
        return low == 0;
    case PL_RANGE_LT:
        return low < 0;
    case PL_RANGE_LE:
        return low <= 0;
    case PL_RANGE_GT:
        return low > 0;
    case PL_RANGE_GE:
        return low >= 0;
    case PL_RANGE_BETWEEN:
        return low >= 0 && compare_things(thing, &range->high) <= 0;
    case PL_RANGE_BEGINS_WITH:
        return thing->len >= range->low.len && memcmp(thing->key, range->low.key, range->low.len) == 0;
    default:
        return true;
    }
}

static void draw_bound(struct rig *r, struct thing *bound)
{
    if (draw(r, 3) == 0)
        draw_key(r, bound);
    else
        *bound = r->things[draw(r, ITEMS)];
}

static void draw_range(struct rig *r, struct range *range)
{
    range->kind = (enum pl_range_kind)draw(r, PL_RANGE_BEGINS_WITH + 1);
    draw_bound(r, &range->low);
    draw_bound(r, &range->high);
    if (range->kind == PL_RANGE_BEGINS_WITH && range->low.len > 1)
        range->low.len -= draw(r, 2);
    if (compare_things(&range->low, &range->high) > 0 && range->kind == PL_RANGE_BETWEEN) {
        struct thing low = range->low;

        range->low = range->high;
        range->high = low;
    }
}

static void write_range(struct pl_buf *out, const struct range *range)
{
    static const char *const words[] = { [PL_RANGE_EQ] = " = ",
                                         [PL_RANGE_LT] = " < ",
                                         [PL_RANGE_LE] = " <= ",
                                         [PL_RANGE_GT] = " > ",
                                         [PL_RANGE_GE] = " >= " };

    pl_buf_append_bytes(out, pl_str("P = \"p\""));
    if (range->kind == PL_RANGE_NONE)
        return;
    pl_buf_append_bytes(out, pl_str(range->kind == PL_RANGE_BEGINS_WITH ? " AND begins_with(K, " : " AND K"));
    if (range->kind == PL_RANGE_BETWEEN)
        pl_buf_append_bytes(out, pl_str(" BETWEEN "));
    else if (range->kind != PL_RANGE_BEGINS_WITH)
        pl_buf_append_bytes(out, pl_str(words[range->kind]));
    append_string(out, range->low.key, range->low.len);
    if (range->kind == PL_RANGE_BETWEEN) {
        pl_buf_append_bytes(out, pl_str(" AND "));
        append_string(out, range->high.key, range->high.len);
    }
    if (range->kind == PL_RANGE_BEGINS_WITH)
        pl_buf_append_byte(out, ')');
}

/* Page after page, from `from` on (NULL: from the beginning). */
static void query(struct rig *r, const struct range *range, const struct thing *from, bool descending,
                  uint32_t limit)
{
    struct pl_buf text = { 0 }, last = { 0 };
    bool more = false;

    write_range(&text, range);
    r->count = 0;
    do {
        begin(r, PL_OP_QUERY);
        r->op.key_condition_text = pl_buf_view(&text);
        r->op.descending = descending;
        r->op.limit = limit;
        r->op.has_start_key = more || from != NULL;
        if (more)
            r->op.start_key.bytes = pl_buf_view(&last);
        else if (from != NULL)
            give_key(r, &r->op.start_key, from, false);
        CHECK_MSG(run(r) == 0, "%s", r->op.reply.why.text);
        CHECK(limit == 0 || r->op.reply.count <= limit);
        more = r->op.reply.has_last_key;
        pl_buf_clear(&last);
        if (more)
            pl_buf_append_bytes(&last, r->op.reply.last_key.bytes);
    } while (more);
    pl_buf_deinit(&text);
    pl_buf_deinit(&last);
}

static void check_found(struct rig *r, const struct range *range, const struct thing *from, bool descending,
                        int round)
{
    uint32_t expected = 0;

    for (uint32_t i = 0; i < ITEMS; i++) {
        const struct thing *thing = &r->things[descending ? ITEMS - 1 - i : i];
        int order = from == NULL ? 0 : compare_things(thing, from);

        if (!is_within(range, thing) || (from != NULL && (descending ? order >= 0 : order <= 0)))
            continue;
        CHECK_MSG(expected < r->count && r->found[expected] == thing->number,
                  "seed %llu round %d: range %d, place %u of %u: expected %u",
                  (unsigned long long)test_seed(), round, range->kind, expected, r->count, thing->number);
        expected++;
    }
    CHECK_MSG(expected == r->count, "seed %llu round %d: range %d: %u too many",
              (unsigned long long)test_seed(), round, range->kind, r->count - expected);
}

static void every_range_in_pages_of_any_size_both_ways_is_what_a_sorted_list_gives(void)
{
    struct rig *r = calloc(1, sizeof *r);

    CHECK(r != NULL);
    start(r);
    for (int round = 0; round < ROUNDS; round++) {
        bool descending = draw(r, 2) == 0;
        struct range range;
        struct thing from;
        bool starts;

        draw_range(r, &range);
        draw_bound(r, &from); /* it need not exist */
        starts = draw(r, 2) == 0 && is_within(&range, &from);
        query(r, &range, starts ? &from : NULL, descending, draw(r, 3) == 0 ? 0 : 1 + draw(r, 12));
        check_found(r, &range, starts ? &from : NULL, descending, round);
    }
    end(r);
    free(r);
}

/* ---- scans ------------------------------------------------------------------------------------------ */

static void scan(struct rig *r, uint32_t segment, uint32_t segments, uint32_t limit)
{
    struct pl_buf last = { 0 };
    bool more = false;

    do {
        begin(r, PL_OP_SCAN);
        r->op.has_segment = segments > 0;
        r->op.segment = segment;
        r->op.segment_count = segments;
        r->op.limit = limit;
        r->op.has_start_key = more;
        if (more)
            r->op.start_key.bytes = pl_buf_view(&last);
        CHECK_MSG(run(r) == 0, "%s", r->op.reply.why.text);
        more = r->op.reply.has_last_key;
        pl_buf_clear(&last);
        if (more)
            pl_buf_append_bytes(&last, r->op.reply.last_key.bytes);
    } while (more);
    pl_buf_deinit(&last);
}

static void segments_together_give_each_item_once(void)
{
    static const uint32_t counts[] = { 0, 1, 2, 3, 7, 64, 1000 };
    struct rig *r = calloc(1, sizeof *r);

    CHECK(r != NULL);
    start(r);
    for (int i = 0; i < 60; i++) { /* other partition keys, some long */
        struct pl_buf json = { 0 };
        struct pl_reason why;

        begin(r, PL_OP_DELETE);
        give_key(r, &r->op.item, &r->things[i], false);
        CHECK(run(r) == 0);
        begin(r, PL_OP_PUT);
        pl_buf_append_format(&json, "{\"P\":\"%0*d\",\"K\":", i % 3 == 0 ? 500 : 1, i);
        append_string(&json, r->things[i].key, r->things[i].len);
        pl_buf_append_format(&json, ",\"N\":%d}", i);
        CHECK(pl_json_read_item(pl_buf_view(&json), PL_JSON_PLAIN, &r->op.arena, &r->op.bytes, &r->op.item,
                                &why) == 0);
        pl_buf_deinit(&json);
        CHECK_MSG(run(r) == 0, "%s", r->op.reply.why.text);
    }
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        bool seen[ITEMS] = { false };

        r->count = 0;
        for (uint32_t s = 0; s < (counts[c] == 0 ? 1 : counts[c]); s++)
            scan(r, s, counts[c], 1 + draw(r, 9));
        CHECK_MSG(r->count == ITEMS, "%u segments: %u", counts[c], r->count);
        for (uint32_t i = 0; i < r->count; i++) {
            CHECK_MSG(!seen[r->found[i]], "%u segments: item %u twice", counts[c], r->found[i]);
            seen[r->found[i]] = true;
        }
    }
    end(r);
    free(r);
}

int main(void)
{
    RUN(every_range_in_pages_of_any_size_both_ways_is_what_a_sorted_list_gives);
    RUN(segments_together_give_each_item_once);
    return test_summary();
}
