/* SPDX-License-Identifier: MIT */
#include "expr_request.h"

#include <stdarg.h>

/*
 * Random expressions over random items, judged twice: by the engine, and here by a
 * model that knows trees of small values and nothing of texts, bytes or sorted paths. Both must
 * agree. What the parser refuses for its own reasons (a first operand that is not
 * distinct, say) proves nothing and is left out; most must get through.
 */
enum kind { S, N, BOOL, NIL, L, M, SS, NS };

enum { KIDS_MAX = 32, POOL = 20000 };

struct value {
    enum kind kind;
    int n;       /* N, BOOL */
    char s[4];   /* S */
    bool dead;   /* removed, but still counted by indexes */
    bool wanted; /* a projection asked for it */
    struct value *kids[KIDS_MAX];
    char names[KIDS_MAX]; /* of an M's kids, sorted; of an L's late kids, their index */
    int count;
    struct value *late[KIDS_MAX]; /* set beyond the end of an L */
    int late_at[KIDS_MAX];
    int late_count;
};

static struct value pool[POOL];
static int used;
static uint64_t seed;

static int below(int limit)
{
    return (int)(test_random(&seed) >> 33) % limit;
}

static struct value *make(enum kind kind)
{
    struct value *v = &pool[used++];

    CHECK(used < POOL);
    memset(v, 0, sizeof *v);
    v->kind = kind;
    return v;
}

static struct value *number(int n)
{
    struct value *v = make(N);

    v->n = n;
    return v;
}

static struct value *copy(const struct value *v)
{
    struct value *c = make(v->kind);

    *c = *v;
    for (int i = 0; i < v->count; i++)
        c->kids[i] = copy(v->kids[i]);
    return c;
}

/* Keeps names sorted; replaces. */
static void put(struct value *map, char name, struct value *kid)
{
    int i = 0;

    while (i < map->count && map->names[i] < name)
        i++;
    if (i == map->count || map->names[i] != name) {
        CHECK(map->count < KIDS_MAX);
        for (int j = map->count++; j > i; j--) {
            map->names[j] = map->names[j - 1];
            map->kids[j] = map->kids[j - 1];
        }
    }
    map->names[i] = name;
    map->kids[i] = kid;
}

static int order(const struct value *a, const struct value *b)
{
    return a->kind == N ? (a->n > b->n) - (a->n < b->n) : strcmp(a->s, b->s);
}

static bool holds(const struct value *set, const struct value *element)
{
    for (int i = 0; i < set->count; i++) {
        if (order(set->kids[i], element) == 0)
            return true;
    }
    return false;
}

static void join(struct value *set, struct value *element)
{
    int i = 0;

    if (holds(set, element))
        return;
    while (i < set->count && order(set->kids[i], element) < 0)
        i++;
    for (int j = set->count++; j > i; j--)
        set->kids[j] = set->kids[j - 1];
    set->kids[i] = element;
}

static struct value *random_scalar(enum kind kind)
{
    static const char *const texts[] = { "", "a", "b", "ab", "ba", "aba" };
    struct value *v = make(kind);

    if (kind == S)
        strcpy(v->s, texts[below(6)]);
    else if (kind == N)
        v->n = below(7) - 3;
    else
        v->n = kind == BOOL && below(2);
    return v;
}

static struct value *random_value(int depth)
{
    enum kind kind = (enum kind)(depth == 0 ? below(4) : below(8));
    struct value *v;

    if (kind < L)
        return random_scalar(kind);
    v = make(kind);
    for (int i = below(4); i > 0 || ((kind == SS || kind == NS) && v->count == 0); i--) {
        if (kind == L)
            v->kids[v->count++] = random_value(depth - 1);
        else if (kind == M)
            put(v, (char)('a' + below(4)), random_value(depth - 1));
        else
            join(v, random_scalar(kind == SS ? S : N));
    }
    return v;
}

static struct value *random_item(void)
{
    struct value *item = make(M);

    for (int i = below(8); i > 0; i--)
        put(item, (char)('a' + below(4)), random_value(3));
    return item;
}

/* ---- text ---- */

struct text {
    char at[8192];
    size_t len;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    t->len += (size_t)vsnprintf(t->at + t->len, sizeof t->at - t->len, format, args);
    va_end(args);
    CHECK(t->len < sizeof t->at);
}

static void write(struct text *t, const struct value *v)
{
    static const char *const open[] = { [L] = "[", [M] = "{", [SS] = "{\"$set\":[", [NS] = "{\"$set\":[" };
    static const char *const close[] = { [L] = "]", [M] = "}", [SS] = "]}", [NS] = "]}" };

    if (v->kind == S)
        add(t, "\"%s\"", v->s);
    else if (v->kind == N)
        add(t, "%d", v->n);
    else if (v->kind == BOOL)
        add(t, v->n ? "true" : "false");
    else if (v->kind == NIL)
        add(t, "null");
    else {
        add(t, "%s", open[v->kind]);
        for (int i = 0; i < v->count; i++) {
            add(t, i > 0 ? "," : "");
            if (v->kind == M)
                add(t, "\"%c\":", v->names[i]);
            write(t, v->kids[i]);
        }
        add(t, "%s", close[v->kind]);
    }
}

/* ---- operands ---- */

struct path {
    int steps[3]; /* a name, or an index below 10 */
    int count;
};

struct operand {
    enum { PATH, CONSTANT, SIZE } kind;
    struct path path;
    struct value *constant;
};

static struct value *step(struct value *v, int step)
{
    if (step < 10)
        return v->kind == L && step < v->count ? v->kids[step] : NULL;
    for (int i = 0; v->kind == M && i < v->count; i++) {
        if (v->names[i] == step)
            return v->kids[i];
    }
    return NULL;
}

static struct value *find(struct value *item, const struct path *p, int count)
{
    for (int i = 0; i < count && item != NULL; i++)
        item = step(item, p->steps[i]);
    return item;
}

/* Most paths follow the item of the round, or leave it at their last step. */
static struct value *guide;

static struct path random_path(void)
{
    struct path p = { .steps = { 'a' + below(4) }, .count = 1 + below(3) };
    struct value *v = below(4) > 0 ? guide : NULL;

    for (int i = 0; i < p.count; i++) {
        bool known = v != NULL && v->count > 0 && (v->kind == M || v->kind == L);

        if (i > 0)
            p.steps[i] = below(2) ? 'a' + below(4) : below(4);
        if (known)
            p.steps[i] = v->kind == M ? v->names[below(v->count)] : below(v->count + 3);
        v = known && below(5) > 0 ? find(v, &(struct path){ .steps = { p.steps[i] } }, 1) : NULL;
        if (v == NULL && i > 0 && below(2))
            p.count = i + 1;
    }
    return p;
}

static void write_path(struct text *t, const struct path *p)
{
    add(t, "%c", p->steps[0]);
    for (int i = 1; i < p->count; i++) {
        if (p->steps[i] < 10)
            add(t, "[%d]", p->steps[i]);
        else
            add(t, ".%c", p->steps[i]);
    }
}

static struct operand random_operand(void)
{
    struct operand o = { .kind = below(8) == 0 ? SIZE : below(3) == 0 ? CONSTANT : PATH };

    if (o.kind == CONSTANT)
        o.constant = random_value(1);
    else
        o.path = random_path();
    return o;
}

static void write_operand(struct text *t, const struct operand *o)
{
    add(t, o->kind == SIZE ? "size(" : "");
    if (o->kind == CONSTANT)
        write(t, o->constant);
    else
        write_path(t, &o->path);
    add(t, o->kind == SIZE ? ")" : "");
}

static struct value *value_of(const struct operand *o, struct value *item)
{
    struct value *v = o->kind == CONSTANT ? o->constant : find(item, &o->path, o->path.count);

    if (o->kind != SIZE || v == NULL)
        return v;
    if (v->kind == N || v->kind == BOOL || v->kind == NIL)
        return NULL;
    return number(v->kind == S ? (int)strlen(v->s) : v->count);
}

/* ---- conditions ---- */

struct condition {
    enum {
        OR,
        AND,
        NOT,
        EQ,
        NE,
        LT,
        LE,
        GT,
        GE,
        BETWEEN,
        IN,
        EXISTS,
        NOT_EXISTS,
        TYPE,
        BEGINS,
        CONTAINS
    } kind;
    struct condition *left, *right;
    struct operand operands[3];
    enum kind type;
};

static const char *const type_names[] = { "S", "N", "BOOL", "NULL", "L", "M", "SS", "NS" };

static struct condition conditions[64];
static int condition_count;

static struct condition *random_condition(int depth)
{
    struct condition *c = &conditions[condition_count++];

    *c = (struct condition){ .kind = depth > 0 && below(3) > 0 ? below(3) : EQ + below(13) };
    if (c->kind <= NOT) {
        c->left = random_condition(depth - 1);
        c->right = c->kind != NOT ? random_condition(depth - 1) : NULL;
        return c;
    }
    for (int i = 0; i < 3; i++)
        c->operands[i] = random_operand();
    if (c->kind == EXISTS || c->kind == NOT_EXISTS)
        c->operands[0] = (struct operand){ .kind = PATH, .path = random_path() };
    c->type = (enum kind)below(8);
    return c;
}

static void write_condition(struct text *t, const struct condition *c);

static void write_inner(struct text *t, const struct condition *c)
{
    bool brackets = c->kind <= NOT;

    add(t, brackets ? "(" : "");
    write_condition(t, c);
    add(t, brackets ? ")" : "");
}

static void write_call(struct text *t, const char *function, const struct condition *c)
{
    add(t, "%s(", function);
    write_operand(t, &c->operands[0]);
    if (c->kind == TYPE) {
        add(t, ", \"%s\"", type_names[c->type]);
    } else if (c->kind == BEGINS || c->kind == CONTAINS) {
        add(t, ", ");
        write_operand(t, &c->operands[1]);
    }
    add(t, ")");
}

static void write_condition(struct text *t, const struct condition *c)
{
    static const char *const words[] = { "OR",
                                         "AND",
                                         "NOT",
                                         "=",
                                         "<>",
                                         "<",
                                         "<=",
                                         ">",
                                         ">=",
                                         "BETWEEN",
                                         "IN",
                                         "attribute_exists",
                                         "attribute_not_exists",
                                         "attribute_type",
                                         "begins_with",
                                         "contains" };

    if (c->kind == NOT) {
        add(t, "NOT ");
        write_inner(t, c->left);
    } else if (c->kind <= AND) {
        write_inner(t, c->left);
        add(t, " %s ", words[c->kind]);
        write_inner(t, c->right);
    } else if (c->kind >= EXISTS) {
        write_call(t, words[c->kind], c);
    } else {
        write_operand(t, &c->operands[0]);
        add(t, " %s %s", words[c->kind], c->kind == IN ? "(" : "");
        write_operand(t, &c->operands[1]);
        if (c->kind == BETWEEN || c->kind == IN) {
            add(t, c->kind == IN ? ", " : " AND ");
            write_operand(t, &c->operands[2]);
        }
        add(t, c->kind == IN ? ")" : "");
    }
}

static bool same(const struct value *a, const struct value *b)
{
    if (a->kind != b->kind || a->n != b->n || strcmp(a->s, b->s) != 0 || a->count != b->count)
        return false;
    for (int i = 0; i < a->count; i++) {
        if ((a->kind == M && a->names[i] != b->names[i]) || !same(a->kids[i], b->kids[i]))
            return false;
    }
    return true;
}

static bool ordered(const struct value *a, const struct value *b)
{
    return a != NULL && b != NULL && a->kind == b->kind && (a->kind == S || a->kind == N);
}

static bool model_contains(const struct value *a, const struct value *b)
{
    if (a->kind == S)
        return b->kind == S && strstr(a->s, b->s) != NULL;
    if ((a->kind == SS && b->kind == S) || (a->kind == NS && b->kind == N))
        return holds(a, b);
    for (int i = 0; a->kind == L && i < a->count; i++) {
        if (same(a->kids[i], b))
            return true;
    }
    return false;
}

static bool judge(const struct condition *c, struct value *item)
{
    struct value *a, *b, *z;

    if (c->kind == NOT)
        return !judge(c->left, item);
    if (c->kind == OR)
        return judge(c->left, item) || judge(c->right, item);
    if (c->kind == AND)
        return judge(c->left, item) && judge(c->right, item);
    a = value_of(&c->operands[0], item);
    b = value_of(&c->operands[1], item);
    z = value_of(&c->operands[2], item);
    switch (c->kind) {
    case EQ:
        return a != NULL && b != NULL && same(a, b);
    case NE:
        return a == NULL || b == NULL || !same(a, b);
    case LT:
        return ordered(a, b) && order(a, b) < 0;
    case LE:
        return ordered(a, b) && order(a, b) <= 0;
    case GT:
        return ordered(a, b) && order(a, b) > 0;
    case GE:
        return ordered(a, b) && order(a, b) >= 0;
    case BETWEEN:
        return ordered(a, b) && ordered(a, z) && order(a, b) >= 0 && order(a, z) <= 0;
    case IN:
        return a != NULL && ((b != NULL && same(a, b)) || (z != NULL && same(a, z)));
    case EXISTS:
        return a != NULL;
    case NOT_EXISTS:
        return a == NULL;
    case TYPE:
        return a != NULL && a->kind == c->type;
    case BEGINS:
        return a != NULL && b != NULL && a->kind == S && b->kind == S &&
               strncmp(a->s, b->s, strlen(b->s)) == 0;
    default:
        return a != NULL && b != NULL && model_contains(a, b);
    }
}

/* ---- updates ---- */

enum action_kind { SET, REMOVE, ADD, DELETE };
enum form { PLAIN, PLUS, MINUS, DEFAULT, APPEND, APPEND_DEFAULT };

struct action {
    enum action_kind kind;
    struct path path;
    enum form form;
    struct operand x, y;
    struct value *result;
};

static struct operand random_update_operand(void)
{
    struct operand o = random_operand();

    if (o.kind == SIZE)
        o.kind = PATH;
    return o;
}

static struct operand constant(enum kind kind)
{
    struct operand o = { .kind = CONSTANT };

    do
        o.constant = random_value(1);
    while (o.constant->kind != kind);
    return o;
}

static struct action random_action(void)
{
    struct action a = { .kind = (enum action_kind)below(4), .path = random_path() };

    if (below(4) == 0 && a.path.count > 1 && a.path.steps[a.path.count - 1] < 10)
        a.path.steps[a.path.count - 1] = below(10);
    if (a.kind == SET) {
        a.form = (enum form)(below(2) ? PLAIN : below(6));
        a.x = random_update_operand();
        a.y = random_update_operand();
        if (a.form != PLAIN && below(4) > 0)
            a.y = constant(a.form <= MINUS ? N : a.form == DEFAULT ? S : L);
        if (a.form == PLAIN && below(2))
            a.x = constant((enum kind)below(8));
    } else if (a.kind != REMOVE) {
        enum kind kinds[] = { N, SS, NS };
        enum kind kind = a.kind == ADD ? kinds[below(3)] : kinds[1 + below(2)];

        a.x = constant(kind);
    }
    return a;
}

static void write_action(struct text *t, const struct action *a)
{
    static const char *const before[] = {
        "", "", "", "if_not_exists(", "list_append(", "list_append(if_not_exists("
    };
    static const char *const between[] = { "", " + ", " - ", ", ", ", ", ", []), " };
    static const char *const after[] = { "", "", "", ")", ")", ")" };

    write_path(t, &a->path);
    if (a->kind == REMOVE)
        return;
    add(t, a->kind == SET ? " = %s" : " ", before[a->form]);
    write_operand(t, &a->x);
    add(t, "%s", between[a->form]);
    if (a->form != PLAIN)
        write_operand(t, &a->y);
    add(t, "%s", after[a->form]);
}

static void write_update(struct text *t, const struct action *actions, int count)
{
    static const char *const words[] = { "SET", "REMOVE", "ADD", "DELETE" };

    for (int kind = SET; kind <= DELETE; kind++) {
        bool first = true;

        for (int i = 0; i < count; i++) {
            if ((int)actions[i].kind != kind)
                continue;
            add(t, "%s ", first ? words[kind] : ",");
            write_action(t, &actions[i]);
            add(t, " ");
            first = false;
        }
    }
}

static struct value *append(const struct value *a, const struct value *b)
{
    struct value *both;

    if (a == NULL || b == NULL || a->kind != L || b->kind != L)
        return NULL;
    both = copy(a);
    for (int i = 0; i < b->count; i++)
        both->kids[both->count++] = copy(b->kids[i]);
    return both;
}

/* NULL: the update must fail. */
static struct value *compute(const struct action *a, struct value *old)
{
    struct value *x = value_of(&a->x, old), *y = value_of(&a->y, old);

    switch (a->form) {
    case PLAIN:
        return x;
    case PLUS:
    case MINUS:
        if (x == NULL || y == NULL || x->kind != N || y->kind != N)
            return NULL;
        return number(a->form == PLUS ? x->n + y->n : x->n - y->n);
    case DEFAULT:
        return x != NULL ? x : y;
    case APPEND:
        return append(x, y);
    default:
        return append(x != NULL ? x : make(L), y);
    }
}

static void assign(struct value *parent, int step, struct value *v)
{
    if (step >= 10) {
        put(parent, (char)step, v);
    } else if (step < parent->count) {
        parent->kids[step] = v;
    } else {
        parent->late_at[parent->late_count] = step;
        parent->late[parent->late_count++] = v;
    }
}

static struct value *rest_of(const struct value *set, const struct value *without)
{
    struct value *rest = make(set->kind);

    for (int i = 0; i < set->count; i++) {
        if (!holds(without, set->kids[i]))
            rest->kids[rest->count++] = set->kids[i];
    }
    rest->dead = rest->count == 0;
    return rest;
}

static bool act(const struct action *a, struct value *item, bool missing)
{
    struct value *parent = find(item, &a->path, a->path.count - 1);
    int last = a->path.steps[a->path.count - 1];
    struct value *there;

    if (parent == NULL && missing && (a->kind == REMOVE || a->kind == DELETE))
        return true;
    if (parent == NULL || parent->kind != (last < 10 ? L : M))
        return false;
    there = step(parent, last);
    if (a->kind == REMOVE) {
        if (there != NULL)
            there->dead = true;
    } else if (a->kind == SET || (there == NULL && a->kind == ADD)) {
        assign(parent, last, copy(a->result));
    } else if (there != NULL) {
        if (there->kind != a->result->kind)
            return false;
        if (a->kind == DELETE)
            assign(parent, last, rest_of(there, a->result));
        else if (there->kind == N)
            assign(parent, last, number(there->n + a->result->n));
        else
            for (int i = 0; i < a->result->count; i++)
                join(there, a->result->kids[i]);
    }
    return true;
}

static void settle(struct value *v)
{
    int kept = 0;

    for (int i = 0; i < v->count; i++) {
        if (v->kids[i]->dead)
            continue;
        settle(v->kids[i]);
        v->names[kept] = v->names[i];
        v->kids[kept++] = v->kids[i];
    }
    v->count = kept;
    for (int at = 0; at < 10; at++) {
        for (int i = 0; i < v->late_count; i++) {
            if (v->late_at[i] == at)
                v->kids[v->count++] = v->late[i];
        }
    }
    v->late_count = 0;
}

/* NULL: it must fail. */
static struct value *apply(struct action *actions, int count, struct value *old, bool missing)
{
    struct value *item = copy(old);

    for (int i = 0; i < count; i++) {
        actions[i].result = actions[i].kind != REMOVE ? compute(&actions[i], old) : NULL;
        if (actions[i].kind != REMOVE && actions[i].result == NULL)
            return NULL;
    }
    for (int i = 0; i < count; i++) {
        if (!act(&actions[i], item, missing))
            return NULL;
    }
    settle(item);
    return item;
}

/* What of `v` is wanted, NULL when nothing is. */
static struct value *project(struct value *v)
{
    struct value *some;

    if (v->wanted)
        return v;
    if (v->kind != L && v->kind != M)
        return NULL;
    some = make(v->kind);
    for (int i = 0; i < v->count; i++) {
        struct value *kid = project(v->kids[i]);

        if (kid == NULL)
            continue;
        some->names[some->count] = v->names[i];
        some->kids[some->count++] = kid;
    }
    return some->count > 0 ? some : NULL;
}

static const char *projected(const struct action *actions, int count, const struct value *item)
{
    static struct text t;
    struct value *marked = copy(item), *some;

    for (int i = 0; i < count; i++) {
        struct value *v = find(marked, &actions[i].path, actions[i].path.count);

        if (v != NULL)
            v->wanted = true;
    }
    some = project(marked);
    t.len = 0;
    write(&t, some != NULL ? some : make(M));
    return t.at;
}

/* ---- the two side by side ---- */

static struct pl_item stored_item(struct request *r, const struct value *item)
{
    static struct text t;

    t.len = 0;
    write(&t, item);
    return request_item(r, t.at);
}

static void conditions_agree_with_the_model(void)
{
    enum { ROUNDS = 6000 };
    int judged = 0, held = 0;

    for (int round = 0; round < ROUNDS; round++) {
        static struct text text;
        struct pl_condition *parsed;
        struct condition *condition;
        struct value *item;
        struct request r;

        used = condition_count = 0;
        text.len = 0;
        item = guide = random_item();
        condition = random_condition(3);
        write_condition(&text, condition);
        request_init(&r, NULL, NULL);
        if (pl_condition_parse(&r.params, PL_EXPR_FILTER, pl_str(text.at), &parsed, &r.why) == 0) {
            struct pl_item stored = stored_item(&r, item);
            bool expected = judge(condition, item);

            CHECK_MSG(pl_condition_test(parsed, &stored) == expected, "seed %llu round %d: %s\n%s",
                      (unsigned long long)test_seed(), round, text.at, request_json(stored));
            CHECK_MSG(pl_condition_test(parsed, NULL) == judge(condition, make(M)), "no item: %s", text.at);
            judged++;
            held += expected;
        }
        request_deinit(&r);
    }
    CHECK(judged > ROUNDS / 3 && held > judged / 10 && held < judged - judged / 10);
}

static void check_returned(const struct pl_update *update, const struct action *actions, int count,
                           const struct value *item, struct pl_item stored, struct request *r,
                           const char *text)
{
    struct pl_buf buf = { 0 };
    struct pl_item returned;
    const char *expected = projected(actions, count, item);

    CHECK(pl_update_returned(update, stored, &r->arena, &buf, &returned) == 0);
    CHECK_MSG(strcmp(request_json(returned), expected) == 0, "%s\nreturned %s\nexpected %s", text,
              request_json(returned), expected);
    request_check_sound(returned);
    pl_buf_deinit(&buf);
}

/* True when the update fitted the item. */
static bool check_applied(const struct pl_update *update, struct action *actions, int count,
                          struct value *old, struct request *r, const char *text)
{
    static struct text expected;
    bool missing = old->count == 0;
    struct pl_item stored = stored_item(r, old), updated;
    struct value *item = apply(actions, count, old, missing);
    struct pl_buf buf = { 0 };
    int rc = pl_update_apply(update, stored, missing, &r->arena, &buf, &updated, &r->why);

    CHECK_MSG((rc == 0) == (item != NULL), "%s\non %s: %s", text, request_json(stored), r->why.text);
    if (rc == 0) {
        expected.len = 0;
        write(&expected, item);
        CHECK_MSG(strcmp(request_json(updated), expected.at) == 0, "%s\non %s\ngives %s", text, expected.at,
                  request_json(updated));
        request_check_sound(updated);
        check_returned(update, actions, count, old, stored, r, text);
        check_returned(update, actions, count, item, updated, r, text);
    }
    pl_buf_deinit(&buf);
    return rc == 0;
}

static void updates_agree_with_the_model(void)
{
    enum { ROUNDS = 20000 };
    int applied = 0;

    for (int round = 0; round < ROUNDS; round++) {
        static struct text text;
        struct action actions[4];
        struct pl_update *update;
        struct request r;
        int count;

        used = 0;
        text.len = 0;
        guide = random_item();
        count = 1 + below(4);
        for (int i = 0; i < count; i++)
            actions[i] = random_action();
        write_update(&text, actions, count);
        request_init(&r, NULL, NULL);
        if (pl_update_parse(&r.params, pl_str(text.at), &update, &r.why) == 0) {
            applied += check_applied(update, actions, count, guide, &r, text.at);
        }
        request_deinit(&r);
    }
    CHECK_MSG(applied > ROUNDS / 20, "%d", applied);
}

int main(void)
{
    seed = test_seed();
    RUN(conditions_agree_with_the_model);
    RUN(updates_agree_with_the_model);
    return test_summary();
}
