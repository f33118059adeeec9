/* SPDX-License-Identifier: MIT */
#include "codec/verbs.h"

#include <strings.h>

#define BIT(clause) (UINT32_C(1) << PL_CLAUSE_##clause)

#define PLACEHOLDERS (BIT(NAMES) | BIT(VALUES) | BIT(CAPACITY))
#define GUARDED      (BIT(IF) | BIT(ELSE) | BIT(RETURN) | PLACEHOLDERS)
#define PAGED        (BIT(FILTER) | BIT(LIMIT) | BIT(AFTER) | BIT(CONSISTENT) | PLACEHOLDERS)

const struct pl_clause pl_clauses[PL_CLAUSE_TOTAL] = {
#define PL_CLAUSE_ENTRY(name, word, takes, grammar) [PL_CLAUSE_##name] = { word, PL_TAKES_##takes, grammar },
    PL_CLAUSE_MAP(PL_CLAUSE_ENTRY)
#undef PL_CLAUSE_ENTRY
};

const struct pl_verb pl_verbs[PL_VERB_TOTAL] = {
    [PL_VERB_PUT] = {
        .word = "PUT", .kind = PL_VERB_OPERATION, .operation = PL_OP_PUT,
        .arguments = { PL_ARGUMENT_TABLE, PL_ARGUMENT_ITEM }, .clauses = GUARDED,
        .grammar = "PUT table {item} [IF condition | IF @name [args]] [ELSE ALL_OLD] [RETURN ALL_OLD] "
                   "[NAMES {..}] [VALUES {..}] [CAPACITY TOTAL|INDEXES]",
        .summary = "store an item, replacing the one with its key",
        .example = "PUT Messages {\"ChatID\":\"chat#123\",\"MsgID\":\"001\",\"Text\":\"Hello!\"} "
                   "IF attribute_not_exists(MsgID)",
    },
    [PL_VERB_GET] = {
        .word = "GET", .kind = PL_VERB_OPERATION, .operation = PL_OP_GET,
        .arguments = { PL_ARGUMENT_TABLE, PL_ARGUMENT_KEY },
        .clauses = BIT(SELECT) | BIT(CONSISTENT) | BIT(NAMES) | BIT(CAPACITY),
        .grammar = "GET table {key} [SELECT path, ...] [CONSISTENT] [NAMES {..}] [CAPACITY TOTAL|INDEXES]",
        .summary = "read the item under a key; OK alone means there is none",
        .example = "GET Messages {\"ChatID\":\"chat#123\",\"MsgID\":\"001\"} SELECT Text",
    },
    [PL_VERB_UPDATE] = {
        .word = "UPDATE", .kind = PL_VERB_OPERATION, .operation = PL_OP_UPDATE,
        .arguments = { PL_ARGUMENT_TABLE, PL_ARGUMENT_KEY },
        .clauses = BIT(SET) | BIT(REMOVE) | BIT(ADD) | BIT(DELETE) | GUARDED,
        .grammar = "UPDATE table {key} [SET path = value, ...] [REMOVE path, ...] [ADD path value, ...] "
                   "[DELETE path set, ...] [IF condition | IF @name [args]] [ELSE ALL_OLD] "
                   "[RETURN ALL_OLD|ALL_NEW|UPDATED_OLD|UPDATED_NEW] [NAMES {..}] [VALUES {..}] "
                   "[CAPACITY TOTAL|INDEXES]",
        .summary = "change attributes of an item, making it when there is none",
        .example = "UPDATE Messages {\"ChatID\":\"chat#123\",\"MsgID\":\"001\"} "
                   "SET Likes = if_not_exists(Likes, 0) + 1 RETURN ALL_NEW",
    },
    [PL_VERB_DEL] = {
        .word = "DEL", .kind = PL_VERB_OPERATION, .operation = PL_OP_DELETE,
        .arguments = { PL_ARGUMENT_TABLE, PL_ARGUMENT_KEY }, .clauses = GUARDED,
        .grammar = "DEL table {key} [IF condition | IF @name [args]] [ELSE ALL_OLD] [RETURN ALL_OLD] "
                   "[NAMES {..}] [VALUES {..}] [CAPACITY TOTAL|INDEXES]",
        .summary = "remove the item under a key",
        .example = "DEL Messages {\"ChatID\":\"chat#123\",\"MsgID\":\"001\"} IF @author {\"user\":\"u_a\"}",
    },
    [PL_VERB_QUERY] = {
        .word = "QUERY", .kind = PL_VERB_OPERATION, .operation = PL_OP_QUERY,
        .arguments = { PL_ARGUMENT_SOURCE },
        .clauses = BIT(WHERE) | BIT(SELECT) | BIT(COUNT) | BIT(ASC) | BIT(DESC) | PAGED,
        .grammar = "QUERY table[/index] WHERE key condition [FILTER condition] [SELECT path, ... | COUNT] "
                   "[LIMIT n] [ASC|DESC] [AFTER {key}] [CONSISTENT] [NAMES {..}] [VALUES {..}] "
                   "[CAPACITY TOTAL|INDEXES]",
        .summary = "read the items of one partition key in order, a page at a time",
        .example = "QUERY Messages WHERE ChatID = \"chat#123\" AND MsgID BETWEEN \"001\" AND \"010\" LIMIT 10 DESC",
    },
    [PL_VERB_SCAN] = {
        .word = "SCAN", .kind = PL_VERB_OPERATION, .operation = PL_OP_SCAN,
        .arguments = { PL_ARGUMENT_SOURCE },
        .clauses = BIT(SELECT) | BIT(COUNT) | BIT(SEGMENT) | PAGED,
        .grammar = "SCAN table[/index] [FILTER condition] [SELECT path, ... | COUNT] [LIMIT n] [SEGMENT i OF n] "
                   "[AFTER {key}] [CONSISTENT] [NAMES {..}] [VALUES {..}] [CAPACITY TOTAL|INDEXES]",
        .summary = "read everything, a page at a time",
        .example = "SCAN Messages FILTER contains(Text, \"Hello\") LIMIT 100",
    },
    [PL_VERB_COUNT] = {
        .word = "COUNT", .kind = PL_VERB_OPERATION, .operation = PL_OP_SCAN,
        .arguments = { PL_ARGUMENT_SOURCE },
        .clauses = BIT(WHERE) | BIT(FILTER) | BIT(CONSISTENT) | BIT(NAMES) | BIT(VALUES) | BIT(CAPACITY),
        .grammar = "COUNT table[/index] [WHERE key condition] [FILTER condition] [CONSISTENT] [NAMES {..}] "
                   "[VALUES {..}] [CAPACITY TOTAL|INDEXES]",
        .summary = "count items, all pages of them",
        .example = "COUNT Messages WHERE ChatID = \"chat#123\"",
    },
    [PL_VERB_BATCH] = {
        .word = "BATCH", .kind = PL_VERB_OPERATION, .operation = PL_OP_BATCH_GET,
        .arguments = { PL_ARGUMENT_BATCH },
        .clauses = BIT(SELECT) | BIT(CONSISTENT) | BIT(NAMES) | BIT(CAPACITY),
        .grammar = "BATCH GET {\"table\":[{key}, ...]} [SELECT path, ...] [CONSISTENT] [NAMES {..}] [CAPACITY TOTAL] | "
                   "BATCH WRITE {\"table\":{\"put\":[{item}, ...],\"delete\":[{key}, ...]}} [CAPACITY TOTAL|INDEXES]",
        .summary = "up to 100 reads, or up to 25 writes, in one request; each stands for itself; what was left out "
                   "for want of throughput comes back as \"unprocessed\", to be sent again",
        .example = "BATCH WRITE {\"Users\":{\"put\":[{\"UserID\":\"u_a\",\"Name\":\"Ada\"}],"
                   "\"delete\":[{\"UserID\":\"u_b\"}]}}",
    },
    [PL_VERB_TRANSACT] = {
        .word = "TRANSACT", .kind = PL_VERB_OPERATION, .operation = PL_OP_TRANSACT_WRITE,
        .arguments = { PL_ARGUMENT_TRANSACTION }, .clauses = BIT(CAPACITY),
        .grammar = "TRANSACT [TOKEN \"token\"] [{\"put\":\"table\",\"item\":{item}} | "
                   "{\"update\":\"table\",\"key\":{key},\"set\":\"SET path = value, ...\"} | "
                   "{\"delete\":\"table\",\"key\":{key}} | {\"check\":\"table\",\"key\":{key}}, ...] "
                   "[CAPACITY TOTAL|INDEXES], each with \"if\":\"condition\" (or \"@name\" and \"args\"), "
                   "\"else\":\"ALL_OLD\", \"names\":{..}, \"values\":{..} as it needs | "
                   "TRANSACT [{\"get\":\"table\",\"key\":{key},\"project\":\"path, ...\",\"names\":{..}}, ...] "
                   "[CAPACITY TOTAL|INDEXES]",
        .summary = "write up to 100 items, all or none, or read them as of one moment",
        .example = "TRANSACT [{\"update\":\"Accounts\",\"key\":{\"Id\":\"a\"},\"set\":\"SET Euros = Euros - 5\","
                   "\"if\":\"Euros >= 5\"},{\"update\":\"Accounts\",\"key\":{\"Id\":\"b\"},"
                   "\"set\":\"SET Euros = Euros + 5\"}]",
    },
    [PL_VERB_TABLES] = {
        .word = "TABLES", .kind = PL_VERB_CONTROL,
        .grammar = "TABLES",
        .summary = "every table with its keys and indexes",
        .example = "TABLES",
    },
    [PL_VERB_DESCRIBE] = {
        .word = "DESCRIBE", .kind = PL_VERB_OPERATION, .operation = PL_OP_DESCRIBE, .arguments = { PL_ARGUMENT_TABLE },
        .grammar = "DESCRIBE table",
        .summary = "a table's definition, its size, and the state of its indexes and its expiry",
        .example = "DESCRIBE Messages",
    },
    [PL_VERB_CREATE] = {
        .word = "CREATE", .kind = PL_VERB_OPERATION, .operation = PL_OP_CREATE,
        .arguments = { PL_ARGUMENT_DEFINITION },
        .grammar = "CREATE table {definition}",
        .summary = "make a table",
        .example = "CREATE Carts {\"partition_key\":\"UserID:S\",\"sort_key\":\"Product:S\","
                   "\"indexes\":{\"ByPrice\":{\"sort_key\":\"Price:N\",\"project\":\"all\"}}}",
    },
    [PL_VERB_ALTER] = {
        .word = "ALTER", .kind = PL_VERB_OPERATION, .operation = PL_OP_ALTER,
        .arguments = { PL_ARGUMENT_TABLE, PL_ARGUMENT_CHANGES },
        .grammar = "ALTER table {changes}",
        .summary = "replace members of a table's definition",
        .example = "ALTER Carts {\"ttl\":\"ExpiresAt\"}",
    },
    [PL_VERB_DROP] = {
        .word = "DROP", .kind = PL_VERB_OPERATION, .operation = PL_OP_DROP, .arguments = { PL_ARGUMENT_TABLE },
        .grammar = "DROP table",
        .summary = "remove a table and everything in it",
        .example = "DROP Carts",
    },
    [PL_VERB_TAIL] = {
        .word = "TAIL", .kind = PL_VERB_LASTING, .arguments = { PL_ARGUMENT_TABLE, PL_ARGUMENT_FROM },
        .grammar = "TAIL table [FROM oldest|latest|position]",
        .summary = "follow a table's stream: what was written, as it happens, until another line (which may be empty) "
                   "ends it. Rows with a position tell where to go on",
        .example = "TAIL Messages FROM oldest",
    },
    [PL_VERB_DEADLETTERS] = {
        /* REPLAY and PURGE write, and outlive the line; to list does neither, and is told by its arguments. */
        .word = "DEADLETTERS", .kind = PL_VERB_OPERATION, .operation = PL_OP_REPLAY_LETTERS,
        .arguments = { PL_ARGUMENT_SOURCE, PL_ARGUMENT_LETTERS }, .clauses = BIT(LIMIT) | BIT(AFTER),
        .grammar = "DEADLETTERS table/trigger [FROM id] [AFTER {id}] [LIMIT n] | REPLAY id|ALL | PURGE id|ALL",
        .summary = "the records that a trigger could not handle, and why; run them again, or forget them",
        .example = "DEADLETTERS Messages/welcome LIMIT 10",
    },
    [PL_VERB_RING] = {
        .word = "RING", .kind = PL_VERB_CONTROL,
        .grammar = "RING",
        .summary = "which node owns which partitions",
        .example = "RING",
    },
    [PL_VERB_NODES] = {
        .word = "NODES", .kind = PL_VERB_CONTROL,
        .grammar = "NODES",
        .summary = "the nodes of the cluster",
        .example = "NODES",
    },
    [PL_VERB_STATS] = {
        .word = "STATS", .kind = PL_VERB_CONTROL, .arguments = { PL_ARGUMENT_WORD },
        .grammar = "STATS [table]",
        .summary = "figures about the node, or about one table",
        .example = "STATS Messages",
    },
    [PL_VERB_RELOAD] = {
        .word = "RELOAD", .kind = PL_VERB_ADMIN,
        .grammar = "RELOAD",
        .summary = "load the Lua modules anew; the old ones stay when the new ones are wrong",
        .example = "RELOAD",
    },
    [PL_VERB_CHECK] = {
        .word = "CHECK", .kind = PL_VERB_ADMIN,
        .grammar = "CHECK",
        .summary = "verify checksums, indexes and counters of everything stored",
        .example = "CHECK",
    },
    [PL_VERB_PING] = {
        .word = "PING", .kind = PL_VERB_CONTROL,
        .grammar = "PING",
        .summary = "OK when the server is there",
        .example = "PING",
    },
    [PL_VERB_HELLO] = {
        .word = "HELLO", .kind = PL_VERB_CONTROL, .arguments = { PL_ARGUMENT_WORD },
        .grammar = "HELLO [protocol]",
        .summary = "who the server is, and which protocol it speaks",
        .example = "HELLO 1",
    },
    [PL_VERB_AUTH] = {
        .word = "AUTH", .kind = PL_VERB_CONTROL, .arguments = { PL_ARGUMENT_REST },
        .grammar = "AUTH user password",
        .summary = "say who you are, on a server that has users",
        .example = "AUTH ada secret",
    },
    [PL_VERB_HELP] = {
        .word = "HELP", .kind = PL_VERB_CONTROL, .arguments = { PL_ARGUMENT_WORD },
        .grammar = "HELP [verb]",
        .summary = "all verbs, or the grammar of one with an example",
        .example = "HELP PUT",
    },
    [PL_VERB_QUIT] = {
        .word = "QUIT", .kind = PL_VERB_CONTROL,
        .grammar = "QUIT",
        .summary = "finish what was asked, then close the connection",
        .example = "QUIT",
    },
};

const struct pl_verb *pl_verb_find(struct pl_bytes word)
{
    for (int i = 0; i < PL_VERB_TOTAL; i++)
        if (pl_bytes_equal(word, pl_str(pl_verbs[i].word)))
            return &pl_verbs[i];
    return NULL;
}

/* True when `a` becomes `b` by one letter changed, left out, added, or swapped with its neighbour. */
static bool one_slip_apart(struct pl_bytes a, struct pl_bytes b)
{
    size_t front = 0, back = 0;
    size_t longer = a.len > b.len ? a.len : b.len, shorter = a.len > b.len ? b.len : a.len;

    if (longer - shorter > 1)
        return false;
    while (front < shorter && strncasecmp(&a.data[front], &b.data[front], 1) == 0)
        front++;
    while (back < shorter - front &&
           strncasecmp(&a.data[a.len - 1 - back], &b.data[b.len - 1 - back], 1) == 0)
        back++;
    if (front + back + 1 >= longer)
        return true;
    return a.len == b.len && front + back + 2 == a.len &&
           strncasecmp(&a.data[front], &b.data[front + 1], 1) == 0 &&
           strncasecmp(&a.data[front + 1], &b.data[front], 1) == 0;
}

/* What people write who come from elsewhere. */
static const struct {
    const char *word;
    enum pl_verb_name verb;
} synonyms[] = {
    { "DELETE", PL_VERB_DEL },  { "SET", PL_VERB_PUT },       { "INSERT", PL_VERB_PUT },
    { "SHOW", PL_VERB_TABLES }, { "LIST", PL_VERB_TABLES },   { "EXIT", PL_VERB_QUIT },
    { "INFO", PL_VERB_STATS },  { "DESC", PL_VERB_DESCRIBE },
};

const struct pl_verb *pl_verb_guess(struct pl_bytes word)
{
    if (word.len == 0)
        return NULL;
    for (size_t i = 0; i < sizeof synonyms / sizeof synonyms[0]; i++)
        if (word.len == strlen(synonyms[i].word) && strncasecmp(word.data, synonyms[i].word, word.len) == 0)
            return &pl_verbs[synonyms[i].verb];
    for (int i = 0; i < PL_VERB_TOTAL; i++)
        if (word.len == strlen(pl_verbs[i].word) && strncasecmp(word.data, pl_verbs[i].word, word.len) == 0)
            return &pl_verbs[i];
    for (int i = 0; i < PL_VERB_TOTAL; i++)
        if (word.len > 2 && one_slip_apart(word, pl_str(pl_verbs[i].word)))
            return &pl_verbs[i];
    return NULL;
}

enum pl_clause_name pl_clause_find(struct pl_bytes word)
{
    for (int i = 0; i < PL_CLAUSE_TOTAL; i++)
        if (pl_bytes_equal(word, pl_str(pl_clauses[i].word)))
            return (enum pl_clause_name)i;
    return PL_CLAUSE_TOTAL;
}
