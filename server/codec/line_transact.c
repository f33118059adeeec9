/* SPDX-License-Identifier: MIT */
#include "codec/line_parser.h"

#include "model/transaction.h"

#include <stdio.h>

/*
 * TRANSACT: a JSON array with an object for each item, which says in one member what is done in which table.
 *
 *     {"put":"Users","item":{..},"if":"attribute_not_exists(Id)"}
 *     {"update":"Users","key":{..},"set":"SET a = a + 1"}
 *     {"delete":"Users","key":{..},"if":"@owner","args":{..},"else":"ALL_OLD"}
 *     {"check":"Users","key":{..},"if":"a > :v","values":{":v":1}}
 *     {"get":"Users","key":{..},"project":"a, b"}
 *
 * X(NAME, name in JSON)
 */
#define MEMBER_MAP(X)                                                                                        \
    X(PUT, "put")                                                                                            \
    X(UPDATE, "update")                                                                                      \
    X(DELETE, "delete")                                                                                      \
    X(CHECK, "check")                                                                                        \
    X(GET, "get")                                                                                            \
    X(ITEM, "item")                                                                                          \
    X(KEY, "key")                                                                                            \
    X(SET, "set")                                                                                            \
    X(IF, "if")                                                                                              \
    X(ARGS, "args")                                                                                          \
    X(ELSE, "else")                                                                                          \
    X(PROJECT, "project")                                                                                    \
    X(NAMES, "names")                                                                                        \
    X(VALUES, "values")

enum member {
#define MEMBER_NAME(name, word) MEMBER_##name,
    MEMBER_MAP(MEMBER_NAME)
#undef MEMBER_NAME
        MEMBER_COUNT
};

#define BIT(name) (UINT32_C(1) << MEMBER_##name)
#define ACTIONS   (BIT(PUT) | BIT(UPDATE) | BIT(DELETE) | BIT(CHECK) | BIT(GET))
#define GUARDED   (BIT(IF) | BIT(ARGS) | BIT(ELSE) | BIT(NAMES) | BIT(VALUES))

static const char *const words[] = {
#define MEMBER_WORD(name, word) word,
    MEMBER_MAP(MEMBER_WORD)
#undef MEMBER_WORD
};

/* What each action is, what it needs, and what it may have besides. */
static const struct action {
    enum pl_operation_name name;
    uint32_t needs, takes;
} actions[] = {
    [MEMBER_PUT] = { PL_OP_PUT, BIT(ITEM), GUARDED },
    [MEMBER_UPDATE] = { PL_OP_UPDATE, BIT(KEY), BIT(SET) | GUARDED },
    [MEMBER_DELETE] = { PL_OP_DELETE, BIT(KEY), GUARDED },
    [MEMBER_CHECK] = { PL_OP_CONDITION_CHECK, BIT(KEY) | BIT(IF), GUARDED },
    [MEMBER_GET] = { PL_OP_GET, BIT(KEY), BIT(PROJECT) | BIT(NAMES) },
};

/* One object of the array under way. */
struct entry {
    struct pl_line_parser *p; /* of the line; its `op` is the transaction */
    struct pl_operation *child;
    struct pl_json_reader r;
    uint32_t number; /* from 1, for sentences */
    uint32_t seen;
};

/* ---- one member ------------------------------------------------------------------------------------- */

static enum member find_member(struct pl_bytes name)
{
    int i = 0;

    while (i < MEMBER_COUNT && !pl_bytes_equal(name, pl_str(words[i])))
        i++;
    return (enum member)i;
}

static int take_text(struct entry *e, enum member member, struct pl_bytes *out)
{
    if (pl_json_peek(&e->r) != PL_JSON_STRING) {
        char what[64];

        snprintf(what, sizeof what, "\"%s\" as a string", words[member]);
        e->p->at = e->r.at;
        return pl_line_expected(e->p, what);
    }
    return pl_line_in_argument(e->p, words[member], pl_json_take_string(&e->r, out, e->p->why));
}

static int take_condition(struct entry *e)
{
    struct pl_bytes text;
    int rc = take_text(e, MEMBER_IF, &text);

    if (rc != 0)
        return rc;
    if (text.len > 1 && text.data[0] == '@')
        e->child->condition_name = pl_bytes(text.data + 1, text.len - 1);
    else
        e->child->condition_text = text;
    return 0;
}

static int take_else(struct entry *e)
{
    struct pl_bytes text;
    int rc = take_text(e, MEMBER_ELSE, &text);

    if (rc != 0)
        return rc;
    if (!pl_bytes_equal(text, pl_str("ALL_OLD")))
        return pl_reason_set(e->p->why, PL_EINVALID,
                             "TRANSACT expected \"ALL_OLD\" as \"else\", found \"%.*s\"",
                             pl_line_quotable(text, 40), text.data);
    e->child->return_old_on_failure = true;
    return 0;
}

/* What the line's parser reads into an operation, it reads into the child. */
static int take_into_child(struct entry *e, enum member member)
{
    struct pl_line_parser p = *e->p;
    struct pl_expr_params *params = &e->child->params;
    int rc;

    p.op = e->child;
    pl_json_peek(&e->r);
    p.at = e->r.at;
    switch (member) {
    case MEMBER_NAMES:
        rc = pl_line_take_placeholders(&p, "names", '#', &params->names, &params->name_count);
        break;
    case MEMBER_VALUES:
        rc = pl_line_take_placeholders(&p, "values", ':', &params->values, &params->value_count);
        break;
    default:
        rc = pl_line_take_object(&p, words[member], &e->child->item);
    }
    e->r.at = p.at;
    return rc;
}

static int take_args(struct entry *e)
{
    struct pl_line_parser p = *e->p;

    p.op = e->child;
    e->child->has_condition_args = true;
    return pl_line_take_value(&p, &e->r, "args", &e->child->condition_args);
}

static int take_member(struct entry *e, enum member member)
{
    switch (member) {
    case MEMBER_ITEM:
    case MEMBER_KEY:
    case MEMBER_NAMES:
    case MEMBER_VALUES:
        return take_into_child(e, member);
    case MEMBER_SET:
        return take_text(e, member, &e->child->update_text);
    case MEMBER_PROJECT:
        return take_text(e, member, &e->child->projection_text);
    case MEMBER_IF:
        return take_condition(e);
    case MEMBER_ARGS:
        return take_args(e);
    case MEMBER_ELSE:
        return take_else(e);
    default: /* an action */
        e->child->name = actions[member].name;
        return take_text(e, member, &e->child->table_name);
    }
}

/* ---- one object ------------------------------------------------------------------------------------- */

static int fail_entry(const struct entry *e, const char *what, const char *word)
{
    return pl_reason_set(e->p->why, PL_ESYNTAX,
                         "TRANSACT, item %u: %s \"%s\" (HELP TRANSACT shows the grammar)", e->number, what,
                         word);
}

static const char *first_word(uint32_t bits)
{
    return words[__builtin_ctz(bits)];
}

static int check_entry(struct entry *e)
{
    uint32_t acts = e->seen & ACTIONS, rest = e->seen & ~ACTIONS;
    const struct action *action;

    if (acts == 0)
        return pl_reason_set(
            e->p->why, PL_ESYNTAX,
            "TRANSACT, item %u: expected one of \"put\", \"update\", \"delete\", \"check\" or "
            "\"get\" and a table's name",
            e->number);
    if ((acts & (acts - 1)) != 0)
        return pl_reason_set(e->p->why, PL_EINVALID,
                             "TransactItems can only contain one of Check, Put, Update or Delete");
    action = &actions[__builtin_ctz(acts)];
    if ((rest & ~(action->needs | action->takes)) != 0)
        return fail_entry(e, "there can be no", first_word(rest & ~(action->needs | action->takes)));
    if ((action->needs & ~rest) != 0)
        return fail_entry(e, "expected", first_word(action->needs & ~rest));
    if ((rest & BIT(ELSE)) != 0 && (rest & BIT(IF)) == 0)
        return fail_entry(e, "without a condition there can be no", "else");
    if ((rest & BIT(ARGS)) != 0 && e->child->condition_name.len == 0)
        return fail_entry(e, "without a condition \"@name\" there can be no", "args");
    return 0;
}

static int take_one_member(struct entry *e)
{
    struct pl_bytes name;
    enum member member;
    int rc = pl_line_in_argument(e->p, "transaction", pl_json_take_name(&e->r, &name, e->p->why));

    if (rc != 0)
        return rc;
    member = find_member(name);
    if (member == MEMBER_COUNT)
        return pl_reason_set(
            e->p->why, PL_ESYNTAX,
            "TRANSACT, item %u: there is no member \"%.*s\" (HELP TRANSACT shows the grammar)", e->number,
            pl_line_quotable(name, 40), name.data);
    if ((e->seen >> member & 1) != 0)
        return fail_entry(e, "twice there is", words[member]);
    e->seen |= UINT32_C(1) << member;
    return take_member(e, member);
}

static int take_entry(struct pl_line_parser *p, struct pl_json_reader *r, struct pl_operation *child,
                      uint32_t number)
{
    struct entry e = { .p = p, .child = child, .r = *r, .number = number };
    bool more;
    int rc;

    e.r.arena = &child->arena;
    rc = pl_line_in_argument(p, "transaction", pl_json_enter_object(&e.r, &more, p->why));
    while (rc == 0 && more) {
        rc = take_one_member(&e);
        if (rc == 0)
            rc = pl_line_in_argument(p, "transaction", pl_json_next(&e.r, '}', &more, p->why));
    }
    if (rc == 0)
        rc = check_entry(&e);
    child->params.arena = &child->arena;
    /* Whoever gives placeholders gets DynamoDB's rules to the letter. */
    child->params.literals = (e.seen & (BIT(NAMES) | BIT(VALUES))) == 0;
    r->at = e.r.at;
    return rc;
}

/* ---- the array -------------------------------------------------------------------------------------- */

static int count_entries(struct pl_line_parser *p, uint32_t *out)
{
    struct pl_json_reader r;
    uint32_t count = 0;
    bool more;
    int rc;

    pl_line_reader_at(p, &r);
    rc = pl_json_enter_array(&r, &more, p->why);
    while (rc == 0 && more) {
        rc = pl_json_skip(&r, p->why);
        if (rc == 0)
            rc = pl_json_next(&r, ']', &more, p->why);
        count++;
    }
    if (rc != 0)
        return pl_line_in_argument(p, "transaction", rc);
    *out = count;
    return pl_transaction_check_count(count, p->why);
}

static int take_entries(struct pl_line_parser *p, uint32_t count)
{
    struct pl_operation *op = p->op;
    struct pl_json_reader r;
    bool more;
    int rc;

    pl_line_reader_at(p, &r);
    rc = pl_json_enter_array(&r, &more, p->why);
    for (uint32_t i = 0; i < count && rc == 0; i++) {
        pl_operation_init(&op->children[i], PL_OP_GET);
        op->child_count = i + 1;
        op->children[i].parent = op;
        rc = take_entry(p, &r, &op->children[i], i + 1);
        if (rc == 0)
            rc = pl_json_next(&r, ']', &more, p->why);
    }
    p->at = r.at;
    return rc;
}

/* Reading or writing, as its first item is. */
static int choose_name(struct pl_line_parser *p)
{
    struct pl_operation *op = p->op;
    bool reads = op->children[0].name == PL_OP_GET;

    op->name = reads ? PL_OP_TRANSACT_GET : PL_OP_TRANSACT_WRITE;
    for (uint32_t i = 1; i < op->child_count; i++)
        if ((op->children[i].name == PL_OP_GET) != reads)
            return pl_reason_set(p->why, PL_EINVALID, "TRANSACT reads or writes: \"get\" stands alone");
    if (reads && op->token.data != NULL)
        return pl_reason_set(p->why, PL_EINVALID,
                             "TRANSACT with \"get\" takes no TOKEN: it may be asked again");
    return 0;
}

static int take_token(struct pl_line_parser *p)
{
    struct pl_bytes word = pl_line_word_at(p->at, p->end);
    struct pl_json_reader r;
    int rc;

    if (!pl_bytes_equal(word, pl_str("TOKEN")))
        return 0;
    p->at = pl_line_skip_space(p->at + word.len, p->end);
    pl_line_reader_at(p, &r);
    if (pl_json_peek(&r) != PL_JSON_STRING)
        return pl_line_expected(p, "a JSON string after TOKEN");
    rc = pl_line_in_argument(p, "token", pl_json_take_string(&r, &p->op->token, p->why));
    p->at = pl_line_skip_space(r.at, p->end);
    return rc != 0 ? rc : pl_transaction_check_token(p->op->token, p->why);
}

/* Twice through the text: a child is large, so they are counted before there is memory for them. */
int pl_line_take_transaction(struct pl_line_parser *p)
{
    uint32_t count = 0;
    int rc = take_token(p);

    if (rc != 0)
        return rc;
    if (p->at == p->end || *p->at != '[')
        return pl_line_expected(p, "a JSON array [{..}, ..] with an object for each item");
    rc = count_entries(p, &count);
    if (rc != 0)
        return rc;
    p->op->children = pl_arena_zalloc(&p->op->arena, count, sizeof *p->op->children);
    if (p->op->children == NULL)
        return PL_ENOMEM;
    rc = take_entries(p, count);
    return rc != 0 ? rc : choose_name(p);
}
