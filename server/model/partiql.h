/* SPDX-License-Identifier: MIT */
#ifndef PL_MODEL_PARTIQL_H
#define PL_MODEL_PARTIQL_H

#include "model/expr.h"
#include "model/legacy.h"

/**
 * The part of PartiQL that DynamoDB speaks: a statement's text becomes the same trees that expressions become, and
 * from there on nobody knows how they were written.
 *
 *     text ─▸ lexer ─▸ parser ─▸ statement ─▸ (the table's keys) ─▸ plan: a key, ranges of it, and what remains
 *
 *     SELECT * | path, ... FROM "Table"[."Index"] [WHERE condition] [ORDER BY key [ASC|DESC]]
 *     INSERT INTO "Table" VALUE {'name': value, ...}
 *     UPDATE "Table" (SET path = expression | REMOVE path) ... WHERE condition [RETURNING (ALL|MODIFIED) (OLD|NEW) *]
 *     DELETE FROM "Table" WHERE condition [RETURNING ALL OLD *]
 *     EXISTS (SELECT ...)
 *
 * All of it lives in the arena it was given, and may point into the text and the parameters.
 */
enum pl_partiql_verb {
    PL_PARTIQL_SELECT,
    PL_PARTIQL_INSERT,
    PL_PARTIQL_UPDATE,
    PL_PARTIQL_DELETE,
    PL_PARTIQL_EXISTS,
};

enum pl_partiql_returning {
    PL_PARTIQL_RETURNING_NONE,
    PL_PARTIQL_RETURNING_ALL_OLD,
    PL_PARTIQL_RETURNING_ALL_NEW,
    PL_PARTIQL_RETURNING_MODIFIED_OLD,
    PL_PARTIQL_RETURNING_MODIFIED_NEW,
};

enum { PL_PARTIQL_TEXT_MAX = 8192, PL_PARTIQL_PARTITIONS_MAX = 50 };

struct pl_node;

struct pl_partiql {
    enum pl_partiql_verb verb;
    struct pl_bytes table;
    struct pl_bytes index;            /* empty: none */
    struct pl_projection *projection; /* SELECT; NULL: all of it */
    struct pl_item item;              /* INSERT */
    struct pl_update *update;         /* UPDATE */
    struct pl_node *where;            /* NULL: none */
    struct pl_bytes order_by;         /* empty: no order asked for */
    bool descending;
    enum pl_partiql_returning returning;
};

/**
 * Read one statement. `parameters` stand for its question marks, in their order, and there are as many. PL_EINVALID
 * with a sentence; PL_ENOMEM.
 */
int pl_partiql_parse(struct pl_bytes text, const struct pl_value *parameters, uint32_t parameter_count,
                     struct pl_arena *arena, struct pl_partiql *out, struct pl_reason *why);

/**
 * What a SELECT's WHERE comes to on a table or index: for each of `partitions` a query with `conditions` (of which the
 * first one's value is the partition's), or with none a scan; and what is left to be judged item by item.
 */
struct pl_partiql_walk {
    struct pl_legacy_condition *conditions; /* NULL: a scan. Equal to the partition key, and on sort keys */
    uint32_t condition_count;
    struct pl_value *partitions; /* the values of the first condition, one query for each */
    uint32_t partition_count;
    struct pl_condition *filter; /* NULL: all are wanted */
    bool whole_key;              /* one item at most: every key attribute is given */
};
int pl_partiql_walk(const struct pl_partiql *statement, const struct pl_key_schema *keys,
                    struct pl_arena *arena, struct pl_partiql_walk *out, struct pl_reason *why);

/** Whether its ORDER BY, if it has one, may stand there. `fixed`: its WHERE gives the partition key. PL_EINVALID: no. */
int pl_partiql_check_order(const struct pl_partiql *statement, const struct pl_key_schema *keys, bool fixed,
                           struct pl_reason *why);

/**
 * The one item that a WHERE speaks of, and what else it says. PL_EINVALID when it does not give every
 * key attribute of the table by equality.
 */
struct pl_partiql_target {
    struct pl_item key;
    struct pl_node *rest; /* NULL: nothing else */
};
int pl_partiql_target(const struct pl_partiql *statement, const struct pl_key_schema *keys,
                      struct pl_arena *arena, struct pl_partiql_target *out, struct pl_reason *why);

/** When the write may happen. `rest` may be NULL. */
enum pl_partiql_rule {
    PL_PARTIQL_REST,           /* SELECT */
    PL_PARTIQL_NO_SUCH_ITEM,   /* INSERT */
    PL_PARTIQL_ITEM_AND_REST,  /* UPDATE, EXISTS */
    PL_PARTIQL_NO_ITEM_OR_REST /* DELETE: of what is not there too */
};
/** `out` is NULL when it always may. `key` names an attribute that every item has. */
int pl_partiql_condition(enum pl_partiql_rule rule, struct pl_bytes key, struct pl_node *rest,
                         struct pl_arena *arena, struct pl_condition **out);

#endif
