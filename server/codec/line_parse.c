/* SPDX-License-Identifier: MIT */
#include "codec/line_parser.h"

#include <stdio.h>
#include <stdlib.h>

/*
 * A request's way through this file:
 *
 *   pl_line_read   tag, verb
 *   pl_line_parse  arguments of the verb, as pl_verbs lists them
 *                  clauses, in any order, each at most once
 *                  what only the whole line can tell (finish)
 *
 * Items are encoded into op->bytes as they are met. That buffer may move while it
 * grows, so whoever appends to it calls moved() afterwards.
 */
bool pl_line_is_blank(struct pl_bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!pl_line_is_space(text.data[i]))
            return false;
    return true;
}

enum { FOUND_MAX = 48 };

/* What stands at `at`, for an error: a word in quotes, cut when long, or the end of the line. */
static const char *found(const char *at, const char *end, char text[FOUND_MAX])
{
    struct pl_bytes word = pl_line_word_at(at, end);
    int len = pl_line_quotable(word, 24);

    if (len == 0)
        return "the end of the line";
    snprintf(text, FOUND_MAX, "'%.*s%s'", len, word.data, (size_t)len < word.len ? "..." : "");
    return text;
}

int pl_line_expected(struct pl_line_parser *p, const char *what)
{
    char text[FOUND_MAX];

    return pl_reason_set(p->why, PL_ESYNTAX, "%s expected %s, found %s. The grammar is: %s", p->verb->word,
                         what, found(p->at, p->end, text), p->verb->grammar);
}

/* --- tag and verb --- */

static int read_tag(struct pl_bytes *rest, struct pl_bytes *tag, struct pl_reason *why)
{
    struct pl_bytes word = pl_line_word_at(rest->data, rest->data + rest->len);

    if (word.len == 1)
        return pl_reason_set(why, PL_ESYNTAX, "expected a tag right after '#', such as #7");
    if (word.len > PL_LINE_TAG_MAX + 1)
        return pl_reason_set(why, PL_ESYNTAX, "a tag has at most %d bytes, found %zu", PL_LINE_TAG_MAX,
                             word.len - 1);
    *tag = word;
    rest->data += word.len;
    rest->len -= word.len;
    return 0;
}

static int unknown_verb(struct pl_bytes word, struct pl_reason *why)
{
    const struct pl_verb *guess = pl_verb_guess(word);
    char text[FOUND_MAX];
    const char *name = found(word.data, word.data + word.len, text);

    if (word.len == 0)
        return pl_reason_set(why, PL_ESYNTAX, "expected a verb after the tag, found the end of the line");
    if (guess != NULL)
        return pl_reason_set(why, PL_EUNKNOWN, "there is no verb %s: did you mean %s?", name, guess->word);
    return pl_reason_set(why, PL_EUNKNOWN, "there is no verb %s: HELP lists them all", name);
}

int pl_line_read(struct pl_bytes text, struct pl_line *out, struct pl_reason *why)
{
    const char *end = text.data + text.len, *at = pl_line_skip_space(text.data, end);
    struct pl_bytes rest = pl_bytes(at, (size_t)(end - at)), word;
    int rc;

    *out = (struct pl_line){ .text = text };
    if (!pl_bytes_is_utf8(text))
        return pl_reason_set(why, PL_ESYNTAX, "the line is not well-formed UTF-8");
    if (rest.len > 0 && rest.data[0] == '#') {
        rc = read_tag(&rest, &out->tag, why);
        if (rc != 0)
            return rc;
        at = pl_line_skip_space(rest.data, end);
    }
    word = pl_line_word_at(at, end);
    out->verb = pl_verb_find(word);
    if (out->verb == NULL)
        return unknown_verb(word, why);
    at += word.len;
    out->rest = pl_bytes(at, (size_t)(end - at));
    return 0;
}

/* --- JSON on the line --- */

static void shift_item(struct pl_item *item, intptr_t by)
{
    if (item->bytes.data != NULL)
        item->bytes.data += by;
}

static void shift_value(struct pl_value *value, intptr_t by)
{
    if (value->whole.data == NULL)
        return;
    value->whole.data += by;
    value->payload.data += by;
}

/* op->bytes was at `before` and may have moved: so do the views into it. */
static void moved(struct pl_operation *op, uintptr_t before)
{
    intptr_t by = (intptr_t)((uintptr_t)op->bytes.data - before);

    if (by == 0 || before == 0)
        return;
    shift_item(&op->item, by);
    shift_item(&op->start_key, by);
    shift_value(&op->condition_args, by);
    for (uint32_t i = 0; i < op->params.value_count; i++)
        shift_value(&op->params.values[i].value, by);
}

/* Offsets in the sentences of the JSON reader count from the beginning of the line. */
void pl_line_reader_at(struct pl_line_parser *p, struct pl_json_reader *r)
{
    pl_json_reader_init(r, p->line->text, &p->op->arena);
    r->at = p->at;
}

/* Say which argument it was. Sentences about values (PL_EINVALID) are DynamoDB's, and stay whole. */
int pl_line_in_argument(struct pl_line_parser *p, const char *argument, int rc)
{
    struct pl_reason said;

    if (rc != PL_ESYNTAX || p->why == NULL)
        return rc;
    said = *p->why;
    return pl_reason_set(p->why, rc, "%s, in the %s: %s", p->verb->word, argument, said.text);
}

int pl_line_take_object(struct pl_line_parser *p, const char *argument, struct pl_item *out)
{
    uintptr_t before = (uintptr_t)p->op->bytes.data;
    struct pl_json_reader r;
    struct pl_item item;
    char what[64];
    int rc;

    if (p->at == p->end || *p->at != '{') {
        snprintf(what, sizeof what, "the %s as a JSON object {..}", argument);
        return pl_line_expected(p, what);
    }
    pl_line_reader_at(p, &r);
    rc = pl_json_take_item(&r, PL_JSON_PLAIN, &p->op->bytes, &item, p->why);
    if (rc != 0)
        return pl_line_in_argument(p, argument, rc);
    moved(p->op, before);
    *out = item;
    p->at = r.at;
    return 0;
}

int pl_line_take_value(struct pl_line_parser *p, struct pl_json_reader *r, const char *argument,
                       struct pl_value *out)
{
    uintptr_t before = (uintptr_t)p->op->bytes.data;
    struct pl_builder b;
    struct pl_value value;
    int rc;

    pl_builder_init(&b, &p->op->bytes, &p->op->arena);
    rc = pl_json_take_value(r, PL_JSON_PLAIN, &b, p->why);
    if (rc == 0)
        rc = pl_builder_finish_value(&b, &value, p->why);
    if (rc != 0)
        return pl_line_in_argument(p, argument, rc);
    moved(p->op, before);
    *out = value;
    return 0;
}

/* The text of an object, checked but not read: others make sense of it. */
static int take_object_text(struct pl_line_parser *p, const char *argument, struct pl_bytes *out)
{
    struct pl_json_reader r;
    int rc;

    if (p->at == p->end || *p->at != '{')
        return pl_line_expected(p, "a JSON object {..}");
    pl_line_reader_at(p, &r);
    rc = pl_json_skip(&r, p->why);
    if (rc != 0)
        return pl_line_in_argument(p, argument, rc);
    *out = pl_bytes(p->at, (size_t)(r.at - p->at));
    p->at = r.at;
    return 0;
}

/* --- arguments --- */

static int take_table(struct pl_line_parser *p, struct pl_bytes *out)
{
    struct pl_bytes word = pl_line_word_at(p->at, p->end);

    if (word.len == 0 || word.data[0] == '{')
        return pl_line_expected(p, "a table's name");
    *out = word;
    p->at += word.len;
    return 0;
}

static int take_source(struct pl_line_parser *p)
{
    struct pl_bytes word = { 0 };
    const char *slash;
    int rc;

    rc = take_table(p, &word);
    if (rc != 0)
        return rc;
    p->op->table_name = word;
    slash = memchr(word.data, '/', word.len);
    if (slash == NULL)
        return 0;
    p->op->table_name.len = (size_t)(slash - word.data);
    p->op->index_name = pl_bytes(slash + 1, word.len - p->op->table_name.len - 1);
    if (p->op->table_name.len > 0 && p->op->index_name.len > 0)
        return 0;
    p->at = word.data;
    return pl_line_expected(p, "table/index");
}

/* True when the definition has a member "table". */
static int names_itself(struct pl_line_parser *p, struct pl_bytes text, bool *out)
{
    struct pl_json_reader r;
    struct pl_bytes name;
    bool more, found_name = false;
    int rc;

    pl_json_reader_init(&r, text, &p->op->arena);
    rc = pl_json_enter_object(&r, &more, p->why);
    while (rc == 0 && more) {
        rc = pl_json_take_name(&r, &name, p->why);
        if (rc == 0) {
            found_name |= pl_bytes_equal(name, pl_str("table"));
            rc = pl_json_skip(&r, p->why);
        }
        if (rc == 0)
            rc = pl_json_next(&r, '}', &more, p->why);
    }
    if (rc == 0)
        *out = found_name;
    return rc;
}

/* `CREATE Carts {..}` is short for `CREATE {"table":"Carts",..}`. */
static int put_name_into_definition(struct pl_line_parser *p, struct pl_bytes name, struct pl_bytes text)
{
    static const char head[] = "{\"table\":\"";
    struct pl_bytes members = pl_bytes(text.data + 1, text.len - 1);
    bool empty = *pl_line_skip_space(members.data, members.data + members.len) == '}';
    size_t len = sizeof head - 1 + name.len + 2 + members.len;
    char *to = pl_arena_alloc(&p->op->arena, len);

    if (to == NULL)
        return PL_ENOMEM;
    p->op->definition = pl_bytes(to, len - (empty ? 1 : 0));
    memcpy(to, head, sizeof head - 1);
    to += sizeof head - 1;
    memcpy(to, name.data, name.len);
    to += name.len;
    *to++ = '"';
    if (!empty)
        *to++ = ',';
    memcpy(to, members.data, members.len);
    return 0;
}

static int take_definition(struct pl_line_parser *p)
{
    struct pl_bytes name = { 0 }, text = { 0 };
    bool named = false;
    int rc = 0;

    if (p->at < p->end && *p->at != '{') {
        rc = take_table(p, &name);
        /* The name becomes part of a JSON text, so it must need no escaping. */
        if (rc == 0 && !pl_table_name_is_valid(name))
            return pl_reason_set(
                p->why, PL_EINVALID,
                "a table's name has 3 to 255 of the characters a-z A-Z 0-9 _ . -, found '%.*s'",
                pl_line_quotable(name, 300), name.data);
        p->at = pl_line_skip_space(p->at, p->end);
    }
    if (rc == 0)
        rc = take_object_text(p, "definition", &text);
    if (rc == 0)
        rc = names_itself(p, text, &named);
    if (rc != 0)
        return rc;
    if (name.len > 0 && named)
        return pl_reason_set(p->why, PL_ESYNTAX,
                             "the table is named twice: before the definition, and by \"table\" in it");
    p->op->table_name = name;
    p->op->definition = text;
    return name.len > 0 ? put_name_into_definition(p, name, text) : 0;
}

/* What was said once for the batch holds for each of its reads and writes. A transaction's say it themselves. */
static void tell_children(struct pl_operation *op)
{
    if (op->name != PL_OP_BATCH_GET && op->name != PL_OP_BATCH_WRITE)
        return;
    for (uint32_t i = 0; i < op->child_count; i++) {
        struct pl_operation *child = &op->children[i];

        child->consistent = op->consistent;
        child->projection_text = op->projection_text;
        child->params = op->params;
        child->params.arena = &child->arena;
        child->report = op->report;
    }
}

static int take_word(struct pl_line_parser *p)
{
    p->line->word = pl_line_word_at(p->at, p->end);
    p->at += p->line->word.len;
    return 0;
}

static int take_from(struct pl_line_parser *p)
{
    struct pl_bytes word = pl_line_word_at(p->at, p->end);

    if (word.len == 0)
        return 0;
    if (!pl_bytes_equal(word, pl_str("FROM")))
        return pl_line_expected(p, "FROM or the end of the line");
    p->at = pl_line_skip_space(p->at + word.len, p->end);
    take_word(p);
    return p->line->word.len > 0 ? 0 : pl_line_expected(p, "oldest, latest or a position after FROM");
}

static bool take_this(struct pl_line_parser *p, const char *what)
{
    struct pl_bytes word = pl_line_word_at(p->at, p->end);

    if (!pl_bytes_equal(word, pl_str(what)))
        return false;
    p->at = pl_line_skip_space(p->at + word.len, p->end);
    return true;
}

/* Which dead letters, and what is to become of them. */
static int take_letters(struct pl_line_parser *p)
{
    struct pl_operation *op = p->op;
    bool from = false;

    if (op->index_name.len == 0) {
        p->at = op->table_name.data;
        return pl_line_expected(p, "table/trigger");
    }
    if (take_this(p, "REPLAY")) {
        op->name = PL_OP_REPLAY_LETTERS;
    } else if (take_this(p, "PURGE")) {
        op->name = PL_OP_PURGE_LETTERS;
    } else {
        op->name = PL_OP_LETTERS;
        from = take_this(p, "FROM");
        if (!from)
            return 0;
    }
    if (!from && take_this(p, "ALL"))
        return p->at == p->end ? 0 : pl_line_expected(p, "the end of the line");
    op->letter = pl_line_word_at(p->at, p->end);
    if (op->letter.len == 0)
        return pl_line_expected(p, from ? "a dead letter's id" : "a dead letter's id, or ALL");
    p->at += op->letter.len;
    return 0;
}

static int take_argument(struct pl_line_parser *p, enum pl_argument argument)
{
    p->at = pl_line_skip_space(p->at, p->end);
    switch (argument) {
    case PL_ARGUMENT_TABLE:
        return take_table(p, &p->op->table_name);
    case PL_ARGUMENT_SOURCE:
        return take_source(p);
    case PL_ARGUMENT_ITEM:
        return pl_line_take_object(p, "item", &p->op->item);
    case PL_ARGUMENT_KEY:
        return pl_line_take_object(p, "key", &p->op->item);
    case PL_ARGUMENT_DEFINITION:
        return take_definition(p);
    case PL_ARGUMENT_CHANGES:
        return take_object_text(p, "changes", &p->op->definition);
    case PL_ARGUMENT_BATCH:
        return pl_line_take_batch(p);
    case PL_ARGUMENT_TRANSACTION:
        return pl_line_take_transaction(p);
    case PL_ARGUMENT_WORD:
        return take_word(p);
    case PL_ARGUMENT_FROM:
        return take_from(p);
    case PL_ARGUMENT_LETTERS:
        return take_letters(p);
    case PL_ARGUMENT_REST:
        p->at = p->end;
        return 0;
    case PL_ARGUMENT_NONE:
        break;
    }
    return 0;
}

/* --- clauses --- */

/* Any clause ends an expression, whichever verb it is: a wrong one is then named, not swallowed. */
static const char *const stops[] = {
#define PL_CLAUSE_STOP(name, word, takes, grammar) word,
    PL_CLAUSE_MAP(PL_CLAUSE_STOP)
#undef PL_CLAUSE_STOP
        NULL
};

/* An update's own words do not end it. */
static const char *const update_stops[] = { "IF",      "ELSE",  "RETURN", "WHERE",    "FILTER", "SELECT",
                                            "COUNT",   "LIMIT", "ASC",    "DESC",     "AFTER",  "CONSISTENT",
                                            "SEGMENT", "NAMES", "VALUES", "CAPACITY", NULL };

static int take_expression(struct pl_line_parser *p, const char *what, const char *const *until,
                           struct pl_bytes *out)
{
    struct pl_bytes text = pl_expr_extent(pl_bytes(p->at, (size_t)(p->end - p->at)), until);

    while (text.len > 0 && pl_line_is_space(text.data[text.len - 1]))
        text.len--;
    if (text.len == 0)
        return pl_line_expected(p, what);
    *out = text;
    p->at = text.data + text.len;
    return 0;
}

static bool begins_clause(struct pl_bytes word)
{
    return pl_clause_find(word) != PL_CLAUSE_TOTAL;
}

static int take_named_condition(struct pl_line_parser *p)
{
    struct pl_bytes word = pl_line_word_at(p->at, p->end), next;
    struct pl_json_reader r;
    int rc;

    if (word.len == 1)
        return pl_line_expected(p, "the name of a condition right after '@'");
    p->op->condition_name = pl_bytes(word.data + 1, word.len - 1);
    p->at = pl_line_skip_space(p->at + word.len, p->end);
    next = pl_line_word_at(p->at, p->end);
    if (next.len == 0 || begins_clause(next))
        return 0;
    pl_line_reader_at(p, &r);
    rc = pl_line_take_value(p, &r, "condition's arguments", &p->op->condition_args);
    if (rc != 0)
        return rc;
    p->op->has_condition_args = true;
    p->at = r.at;
    return 0;
}

static int take_condition(struct pl_line_parser *p)
{
    if (p->at < p->end && *p->at == '@')
        return take_named_condition(p);
    return take_expression(p, "a condition or @name after IF", stops, &p->op->condition_text);
}

/* One of `words`; the answer is its place among them. */
static int take_choice(struct pl_line_parser *p, const char *what, const char *const *words, uint32_t *out)
{
    struct pl_bytes word = pl_line_word_at(p->at, p->end);

    for (uint32_t i = 0; words[i] != NULL; i++) {
        if (pl_bytes_equal(word, pl_str(words[i]))) {
            *out = i;
            p->at += word.len;
            return 0;
        }
    }
    return pl_line_expected(p, what);
}

static int take_returns(struct pl_line_parser *p)
{
    static const char *const words[] = { "NONE", "ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW", NULL };
    uint32_t choice;
    int rc;

    rc = take_choice(p, "ALL_OLD, ALL_NEW, UPDATED_OLD, UPDATED_NEW or NONE after RETURN", words, &choice);
    if (rc == 0)
        p->op->returns = PL_RETURN_NONE + choice;
    return rc;
}

static int take_else(struct pl_line_parser *p)
{
    static const char *const words[] = { "ALL_OLD", NULL };
    uint32_t choice;
    int rc;

    rc = take_choice(p, "ALL_OLD after ELSE", words, &choice);
    if (rc == 0)
        p->op->return_old_on_failure = true;
    return rc;
}

static int take_capacity(struct pl_line_parser *p)
{
    static const char *const words[] = { "NONE", "TOTAL", "INDEXES", NULL };
    uint32_t choice;
    int rc;

    rc = take_choice(p, "TOTAL or INDEXES after CAPACITY", words, &choice);
    if (rc == 0)
        p->op->report = PL_CAPACITY_NONE + choice;
    return rc;
}

static int take_count(struct pl_line_parser *p, const char *what, uint32_t least, uint32_t most,
                      uint32_t *out)
{
    struct pl_bytes word = pl_line_word_at(p->at, p->end);
    uint64_t number = 0;

    for (size_t i = 0; i < word.len; i++) {
        if (word.data[i] < '0' || word.data[i] > '9')
            return pl_line_expected(p, what);
        if (number <= UINT32_MAX)
            number = number * 10 + (uint64_t)(word.data[i] - '0');
    }
    if (word.len == 0)
        return pl_line_expected(p, what);
    if (number < least || number > most)
        return pl_reason_set(p->why, PL_EINVALID, "%s expected %s between %u and %u, found %.*s",
                             p->verb->word, what, least, most, pl_line_quotable(word, 24), word.data);
    *out = (uint32_t)number;
    p->at += word.len;
    return 0;
}

static int take_segment(struct pl_line_parser *p)
{
    static const char *const of[] = { "OF", NULL };
    uint32_t unused;
    int rc;

    rc = take_count(p, "a segment's number", 0, 999999, &p->op->segment);
    p->at = pl_line_skip_space(p->at, p->end);
    if (rc == 0)
        rc = take_choice(p, "OF and the number of segments", of, &unused);
    p->at = pl_line_skip_space(p->at, p->end);
    if (rc == 0)
        rc = take_count(p, "a number of segments", 1, 1000000, &p->op->segment_count);
    if (rc == 0 && p->op->segment >= p->op->segment_count)
        return pl_reason_set(p->why, PL_EINVALID,
                             "segments are counted from 0: SEGMENT %u OF %u would be past the last",
                             p->op->segment, p->op->segment_count);
    p->op->has_segment = rc == 0;
    return rc;
}

static int take_projection(struct pl_line_parser *p)
{
    if (pl_bytes_equal(pl_line_word_at(p->at, p->end), pl_str("*"))) {
        p->op->select = PL_SELECT_ALL;
        p->at++;
        return 0;
    }
    return take_expression(p, "paths or * after SELECT", stops, &p->op->projection_text);
}

/* --- placeholders --- */

static int count_members(struct pl_line_parser *p, const char *argument, uint32_t *out)
{
    struct pl_json_reader r;
    struct pl_bytes name;
    uint32_t count = 0;
    bool more;
    int rc;

    pl_line_reader_at(p, &r);
    rc = pl_json_enter_object(&r, &more, p->why);
    while (rc == 0 && more) {
        rc = pl_json_take_name(&r, &name, p->why);
        if (rc == 0)
            rc = pl_json_skip(&r, p->why);
        if (rc == 0)
            rc = pl_json_next(&r, '}', &more, p->why);
        count++;
    }
    if (rc == 0)
        *out = count;
    return pl_line_in_argument(p, argument, rc);
}

static bool is_named(const struct pl_expr_placeholder *list, uint32_t count, struct pl_bytes name)
{
    for (uint32_t i = 0; i < count; i++)
        if (pl_bytes_equal(list[i].name, name))
            return true;
    return false;
}

/* DynamoDB counts placeholders by the bytes they hold; far below this, so a line of names cannot cost quadratic time. */
enum { PLACEHOLDERS_MAX = 4096 };

/* A value that cannot be is refused in DynamoDB's words; text that is no JSON, in ours. */
static int take_placeholder_value(struct pl_line_parser *p, struct pl_json_reader *r, const char *argument,
                                  struct pl_expr_placeholder *out)
{
    int rc = pl_line_take_value(p, r, argument, &out->value);
    struct pl_reason said;

    if (rc != PL_EINVALID || p->why == NULL)
        return rc;
    said = *p->why;
    return pl_reason_set(p->why, rc, "ExpressionAttributeValues contains invalid value: %s for key %.*s",
                         said.text, pl_line_quotable(out->name, 255), out->name.data);
}

/*
 * An object of placeholders, which all begin with `sign`. The list grows in place and
 * `*count` with it, so that moved() finds the values already there.
 */
int pl_line_take_placeholders(struct pl_line_parser *p, const char *argument, char sign,
                              struct pl_expr_placeholder **list, uint32_t *count)
{
    struct pl_json_reader r;
    uint32_t total = 0;
    bool more;
    int rc;

    if (p->at == p->end || *p->at != '{')
        return pl_line_expected(p, sign == '#' ? "a JSON object such as {\"#n\":\"name\"} after NAMES"
                                               : "a JSON object such as {\":v\":1} after VALUES");
    rc = count_members(p, argument, &total);
    if (rc != 0)
        return rc;
    if (total == 0)
        return pl_reason_set(p->why, PL_EINVALID, "%s must not be empty",
                             sign == '#' ? "ExpressionAttributeNames" : "ExpressionAttributeValues");
    if (total > PLACEHOLDERS_MAX)
        return pl_reason_set(p->why, PL_EINVALID, "%s holds at most %d placeholders, found %u", argument,
                             PLACEHOLDERS_MAX, total);
    *list = pl_arena_zalloc(&p->op->arena, total, sizeof **list);
    if (*list == NULL)
        return PL_ENOMEM;
    pl_line_reader_at(p, &r);
    rc = pl_json_enter_object(&r, &more, p->why);
    while (rc == 0 && more) {
        struct pl_expr_placeholder placeholder = { 0 };

        rc = pl_json_take_name(&r, &placeholder.name, p->why);
        if (rc != 0)
            break;
        if (is_named(*list, *count, placeholder.name))
            return pl_reason_set(p->why, PL_EINVALID, "%s: expected distinct names, found \"%.*s\" twice",
                                 argument, pl_line_quotable(placeholder.name, 64), placeholder.name.data);
        if (sign == '#')
            rc = pl_json_peek(&r) == PL_JSON_STRING
                     ? pl_json_take_string(&r, &placeholder.attribute, p->why)
                     : pl_reason_set(p->why, PL_ESYNTAX, "an attribute's name must be a string");
        else
            rc = take_placeholder_value(p, &r, argument, &placeholder);
        if (rc != 0)
            break;
        (*list)[(*count)++] = placeholder;
        rc = pl_json_next(&r, '}', &more, p->why);
    }
    p->at = r.at;
    return pl_line_in_argument(p, argument, rc);
}

/* SET, REMOVE, ADD and DELETE are one expression, whichever comes first. */
static int take_update(struct pl_line_parser *p, const char *start)
{
    if (p->op->update_text.len > 0)
        return pl_reason_set(
            p->why, PL_ESYNTAX,
            "SET, REMOVE, ADD and DELETE must follow one another, with no other clause in between");
    p->at = start;
    return take_expression(p, "an update", update_stops, &p->op->update_text);
}

static int take_clause_body(struct pl_line_parser *p, enum pl_clause_name clause, const char *start)
{
    struct pl_expr_params *params = &p->op->params;

    switch (pl_clauses[clause].takes) {
    case PL_TAKES_NOTHING:
        return 0;
    case PL_TAKES_CONDITION:
        return take_condition(p);
    case PL_TAKES_ELSE:
        return take_else(p);
    case PL_TAKES_UPDATE:
        return take_update(p, start);
    case PL_TAKES_RETURNS:
        return take_returns(p);
    case PL_TAKES_KEY_CONDITION:
        return take_expression(p, "a key condition after WHERE", stops, &p->op->key_condition_text);
    case PL_TAKES_FILTER:
        return take_expression(p, "a condition after FILTER", stops, &p->op->filter_text);
    case PL_TAKES_PROJECTION:
        return take_projection(p);
    case PL_TAKES_LIMIT:
        return take_count(p, "a page's limit", 1, INT32_MAX, &p->op->limit);
    case PL_TAKES_START_KEY:
        p->op->has_start_key = true;
        return pl_line_take_object(p, "key after AFTER", &p->op->start_key);
    case PL_TAKES_SEGMENT:
        return take_segment(p);
    case PL_TAKES_NAMES:
        return pl_line_take_placeholders(p, "NAMES", '#', &params->names, &params->name_count);
    case PL_TAKES_VALUES:
        return pl_line_take_placeholders(p, "VALUES", ':', &params->values, &params->value_count);
    case PL_TAKES_CAPACITY:
        return take_capacity(p);
    }
    return 0;
}

/* What may follow, for a person who wrote something else. */
static int unexpected_clause(struct pl_line_parser *p, bool known)
{
    char allowed[256] = "", text[FOUND_MAX];
    size_t len = 0;

    for (int i = 0; i < PL_CLAUSE_TOTAL; i++)
        if ((p->verb->clauses >> i & 1) != 0)
            len += (size_t)snprintf(allowed + len, sizeof allowed - len, "%s%s", len > 0 ? " " : "",
                                    pl_clauses[i].word);
    if (len == 0)
        return pl_line_expected(p, "nothing more");
    if (known)
        return pl_reason_set(p->why, PL_ESYNTAX, "%s does not take %s. It takes: %s", p->verb->word,
                             found(p->at, p->end, text), allowed);
    return pl_reason_set(p->why, PL_ESYNTAX, "%s expected one of %s, or the end of the line, found %s",
                         p->verb->word, allowed, found(p->at, p->end, text));
}

static struct pl_bytes clause_word_at(const char *at, const char *end)
{
    const char *to = at;

    while (to < end && *to >= 'A' && *to <= 'Z')
        to++;
    return pl_bytes(at, (size_t)(to - at));
}

static int take_clause(struct pl_line_parser *p)
{
    struct pl_bytes word = clause_word_at(p->at, p->end);
    enum pl_clause_name clause = pl_clause_find(word);
    const char *start = p->at;

    if (clause == PL_CLAUSE_TOTAL || (p->verb->clauses >> clause & 1) == 0)
        return unexpected_clause(p, clause != PL_CLAUSE_TOTAL);
    if ((p->seen >> clause & 1) != 0)
        return pl_reason_set(p->why, PL_ESYNTAX, "%s stands twice on the line", pl_clauses[clause].word);
    p->seen |= UINT32_C(1) << clause;
    p->at = pl_line_skip_space(p->at + word.len, p->end);
    return take_clause_body(p, clause, start);
}

/* --- what only the whole line can tell --- */

static bool has(const struct pl_line_parser *p, enum pl_clause_name clause)
{
    return (p->seen >> clause & 1) != 0;
}

static int check_pair(struct pl_line_parser *p, enum pl_clause_name a, enum pl_clause_name b)
{
    if (!has(p, a) || !has(p, b))
        return 0;
    return pl_reason_set(p->why, PL_ESYNTAX, "%s takes %s or %s, not both", p->verb->word, pl_clauses[a].word,
                         pl_clauses[b].word);
}

static int finish(struct pl_line_parser *p)
{
    struct pl_operation *op = p->op;
    int rc;

    rc = check_pair(p, PL_CLAUSE_ASC, PL_CLAUSE_DESC);
    if (rc == 0)
        rc = check_pair(p, PL_CLAUSE_SELECT, PL_CLAUSE_COUNT);
    if (rc != 0)
        return rc;
    if (p->batch_write && (p->seen & ~(UINT32_C(1) << PL_CLAUSE_CAPACITY)) != 0)
        return pl_reason_set(p->why, PL_ESYNTAX, "BATCH WRITE takes no clause but CAPACITY");
    if (has(p, PL_CLAUSE_ELSE) && !has(p, PL_CLAUSE_IF))
        return pl_reason_set(p->why, PL_ESYNTAX,
                             "ELSE ALL_OLD needs an IF: it shows the item that a condition refused");
    if (op->name == PL_OP_QUERY && !has(p, PL_CLAUSE_WHERE))
        return pl_line_expected(p, "WHERE and a key condition");
    op->descending = has(p, PL_CLAUSE_DESC);
    op->consistent = has(p, PL_CLAUSE_CONSISTENT);
    if (has(p, PL_CLAUSE_COUNT) || p->verb == &pl_verbs[PL_VERB_COUNT])
        op->select = PL_SELECT_COUNT;
    else if (op->projection_text.len > 0)
        op->select = PL_SELECT_SPECIFIC;
    op->params.arena = &op->arena;
    /* Whoever gives placeholders gets DynamoDB's rules to the letter. */
    op->params.literals = !has(p, PL_CLAUSE_NAMES) && !has(p, PL_CLAUSE_VALUES);
    tell_children(op);
    return 0;
}

static void choose_count(struct pl_line_parser *p)
{
    if (p->verb == &pl_verbs[PL_VERB_COUNT])
        p->op->name = has(p, PL_CLAUSE_WHERE) ? PL_OP_QUERY : PL_OP_SCAN;
}

int pl_line_parse(struct pl_line *line, struct pl_operation *op, struct pl_reason *why)
{
    struct pl_line_parser p = {
        .at = line->rest.data,
        .end = line->rest.data + line->rest.len,
        .verb = line->verb,
        .line = line,
        .op = op,
        .why = why,
    };
    int rc;

    op->name = line->verb->operation;
    for (int i = 0; i < PL_VERB_ARGUMENTS_MAX && p.verb->arguments[i] != PL_ARGUMENT_NONE; i++) {
        rc = take_argument(&p, p.verb->arguments[i]);
        if (rc != 0)
            return rc;
    }
    p.at = pl_line_skip_space(p.at, p.end);
    while (p.at < p.end) {
        rc = take_clause(&p);
        if (rc != 0)
            return rc;
        p.at = pl_line_skip_space(p.at, p.end);
    }
    choose_count(&p);
    return finish(&p);
}
