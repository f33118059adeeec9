/* SPDX-License-Identifier: MIT */
#ifndef PL_CODEC_VERBS_H
#define PL_CODEC_VERBS_H

#include "model/operation.h"

/**
 * The line protocol's verbs and clauses, as data. Parsing, HELP and the shell's
 * completion all read these tables, so a verb cannot be explained one way and
 * understood another.
 */
enum pl_verb_name {
    PL_VERB_PUT,
    PL_VERB_GET,
    PL_VERB_UPDATE,
    PL_VERB_DEL,
    PL_VERB_QUERY,
    PL_VERB_SCAN,
    PL_VERB_COUNT,
    PL_VERB_BATCH,
    PL_VERB_TRANSACT,
    PL_VERB_TABLES,
    PL_VERB_DESCRIBE,
    PL_VERB_CREATE,
    PL_VERB_ALTER,
    PL_VERB_DROP,
    PL_VERB_TAIL,
    PL_VERB_DEADLETTERS,
    PL_VERB_RING,
    PL_VERB_NODES,
    PL_VERB_STATS,
    PL_VERB_RELOAD,
    PL_VERB_CHECK,
    PL_VERB_PING,
    PL_VERB_HELLO,
    PL_VERB_AUTH,
    PL_VERB_HELP,
    PL_VERB_QUIT,
    PL_VERB_TOTAL
};

/** What stands between a verb and its clauses, in order. */
enum pl_argument {
    PL_ARGUMENT_NONE,
    PL_ARGUMENT_TABLE,       /* a table's name */
    PL_ARGUMENT_SOURCE,      /* table or table/index */
    PL_ARGUMENT_ITEM,        /* a JSON object: the item to store */
    PL_ARGUMENT_KEY,         /* a JSON object: exactly the key */
    PL_ARGUMENT_DEFINITION,  /* [table] and a JSON object in the form of model/table.h */
    PL_ARGUMENT_CHANGES,     /* a JSON object: the members of the definition to replace */
    PL_ARGUMENT_BATCH,       /* GET or WRITE, and a JSON object with a member for each table */
    PL_ARGUMENT_TRANSACTION, /* [TOKEN "token"] and a JSON array with an object for each item */
    PL_ARGUMENT_WORD,        /* a word that may be left out */
    PL_ARGUMENT_FROM,        /* FROM and a word; may be left out */
    PL_ARGUMENT_LETTERS,     /* FROM id, REPLAY id or PURGE id; may be left out */
    PL_ARGUMENT_REST,        /* whatever follows; not looked at */
};

enum { PL_VERB_ARGUMENTS_MAX = 2 };

/**
 * Clauses follow the arguments in any order, each at most once.
 *
 * X(name, word, what it takes, grammar)
 */
#define PL_CLAUSE_MAP(X)                                                                                     \
    X(IF, "IF", CONDITION, "IF condition | IF @name [args]")                                                 \
    X(ELSE, "ELSE", ELSE, "ELSE ALL_OLD")                                                                    \
    X(SET, "SET", UPDATE, "SET path = value, ...")                                                           \
    X(REMOVE, "REMOVE", UPDATE, "REMOVE path, ...")                                                          \
    X(ADD, "ADD", UPDATE, "ADD path value, ...")                                                             \
    X(DELETE, "DELETE", UPDATE, "DELETE path set, ...")                                                      \
    X(RETURN, "RETURN", RETURNS, "RETURN ALL_OLD|ALL_NEW|UPDATED_OLD|UPDATED_NEW|NONE")                      \
    X(WHERE, "WHERE", KEY_CONDITION, "WHERE key condition")                                                  \
    X(FILTER, "FILTER", FILTER, "FILTER condition")                                                          \
    X(SELECT, "SELECT", PROJECTION, "SELECT path, ... | *")                                                  \
    X(COUNT, "COUNT", NOTHING, "COUNT")                                                                      \
    X(LIMIT, "LIMIT", LIMIT, "LIMIT n")                                                                      \
    X(ASC, "ASC", NOTHING, "ASC")                                                                            \
    X(DESC, "DESC", NOTHING, "DESC")                                                                         \
    X(AFTER, "AFTER", START_KEY, "AFTER {key}")                                                              \
    X(CONSISTENT, "CONSISTENT", NOTHING, "CONSISTENT")                                                       \
    X(SEGMENT, "SEGMENT", SEGMENT, "SEGMENT i OF n")                                                         \
    X(NAMES, "NAMES", NAMES, "NAMES {\"#name\":\"attribute\"}")                                              \
    X(VALUES, "VALUES", VALUES, "VALUES {\":name\":value}")                                                  \
    X(CAPACITY, "CAPACITY", CAPACITY, "CAPACITY TOTAL|INDEXES")

enum pl_clause_name {
#define PL_CLAUSE_NAME(name, word, takes, grammar) PL_CLAUSE_##name,
    PL_CLAUSE_MAP(PL_CLAUSE_NAME)
#undef PL_CLAUSE_NAME
        PL_CLAUSE_TOTAL
};

enum pl_clause_takes {
    PL_TAKES_NOTHING,
    PL_TAKES_CONDITION,
    PL_TAKES_ELSE,
    PL_TAKES_UPDATE, /* the word itself belongs to the expression */
    PL_TAKES_RETURNS,
    PL_TAKES_KEY_CONDITION,
    PL_TAKES_FILTER,
    PL_TAKES_PROJECTION,
    PL_TAKES_LIMIT,
    PL_TAKES_START_KEY,
    PL_TAKES_SEGMENT,
    PL_TAKES_NAMES,
    PL_TAKES_VALUES,
    PL_TAKES_CAPACITY,
};

struct pl_clause {
    const char *word;
    enum pl_clause_takes takes;
    const char *grammar;
};

enum pl_verb_kind {
    PL_VERB_OPERATION, /* goes to the router as `operation` */
    PL_VERB_ADMIN,     /* about the node; may take a while */
    PL_VERB_CONTROL,   /* about the connection; answered at once */
    PL_VERB_LASTING,   /* goes on until the client's next line */
};

struct pl_verb {
    const char *word;
    enum pl_verb_kind kind;
    enum pl_operation_name operation; /* BATCH, TRANSACT: decided by what is in it */
    enum pl_argument arguments[PL_VERB_ARGUMENTS_MAX];
    uint32_t clauses; /* bit n: clause n may follow */
    const char *grammar;
    const char *summary;
    const char *example;
};

extern const struct pl_verb pl_verbs[PL_VERB_TOTAL];
extern const struct pl_clause pl_clauses[PL_CLAUSE_TOTAL];

/** NULL when there is no such verb. Upper case only. */
const struct pl_verb *pl_verb_find(struct pl_bytes word);

/** The verb that somebody who wrote `word` may have meant (case, one slip of the hand), or NULL. */
const struct pl_verb *pl_verb_guess(struct pl_bytes word);

/** The clause that `word` begins, or PL_CLAUSE_TOTAL. */
enum pl_clause_name pl_clause_find(struct pl_bytes word);

#endif
