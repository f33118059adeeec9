/* SPDX-License-Identifier: MIT */
#ifndef PL_MODEL_TABLE_H
#define PL_MODEL_TABLE_H

#include "model/allowance.h"
#include "model/item.h"
#include "model/key.h"

#include <stdatomic.h>

struct cJSON;

/**
 * What a table is: its keys, its indexes, its settings. A definition never changes
 * once it is built: an altered table is a new `struct pl_table` with the same id,
 * and a request keeps the one it started with.
 */
struct pl_key_attribute {
    struct pl_bytes name; /* owned by the table */
    enum pl_type type;    /* S, N or B */
};

/** The key attributes of a table or an index. Tables and local indexes have 1 + (0 or 1). */
struct pl_key_schema {
    struct pl_key_attribute partition[PL_KEY_COMPONENTS_MAX];
    struct pl_key_attribute sort[PL_KEY_COMPONENTS_MAX];
    uint8_t partition_count;
    uint8_t sort_count;
};

enum pl_projection_kind {
    PL_PROJECT_ALL,
    PL_PROJECT_KEYS_ONLY,
    PL_PROJECT_NAMES,    /* key attributes and `names` */
    PL_PROJECT_FUNCTION, /* what the table's Lua function returns, and the key attributes */
};

enum pl_index_state {
    PL_INDEX_ACTIVE,
    PL_INDEX_BACKFILLING, /* written by every write, not yet readable */
};

struct pl_throughput {
    bool provisioned; /* false: on demand, the units are 0 */
    uint64_t read_units;
    uint64_t write_units;
};

struct pl_index {
    struct pl_bytes name;
    uint32_t id; /* of the keyspace; never reused */
    bool global;
    enum pl_index_state state;
    struct pl_key_schema keys;
    enum pl_projection_kind projection;
    struct pl_bytes *names; /* for PL_PROJECT_NAMES, sorted */
    uint32_t name_count;
    struct pl_throughput throughput;  /* global only */
    struct pl_allowances *allowances; /* as a table's; NULL for a local one */
};

enum pl_stream_view {
    PL_STREAM_OFF,
    PL_STREAM_KEYS_ONLY,
    PL_STREAM_NEW_IMAGE,
    PL_STREAM_OLD_IMAGE,
    PL_STREAM_NEW_AND_OLD_IMAGES,
};

/** "keys_only", "new_image", ..., as definitions write them; "off" for none. */
const char *pl_stream_view_name(enum pl_stream_view view);

/** A trigger as declared; run from the stream by other parts. */
struct pl_trigger {
    struct pl_bytes name;
    uint32_t id;        /* of its keyspace; never reused */
    int64_t created_ms; /* it is owed the records from here on */
    bool on_insert, on_modify, on_remove;
    uint32_t batch;           /* default 100, at most 10000 */
    uint32_t batch_window_ms; /* default 0, at most 300000 */
    int64_t retries;          /* -1: until the record is too old */
    int64_t max_age_s;        /* -1: as long as the stream keeps it */
    uint32_t parallel;        /* default 1, at most 10 */
    bool has_filter;
};

struct pl_table {
    atomic_uint references;
    struct pl_arena arena; /* owns every name below */

    struct pl_bytes name;
    uint32_t id;      /* of the keyspace; never reused */
    uint64_t version; /* grows with every alteration */
    int64_t created_ms;
    int64_t changed_ms; /* of the definition in force: the same, or when it was last altered */
    struct pl_key_schema keys;
    struct pl_bytes ttl_attribute; /* empty: no expiry */
    uint32_t expiry_id;            /* of the keyspace of expiries; 0: none. Another attribute, another id */
    bool expiry_filling;           /* items from before it are still being entered there */
    enum pl_stream_view stream;
    uint32_t stream_id;        /* of the keyspace of records; 0: none. Off and on again, another id */
    int64_t stream_created_ms; /* its label */
    struct pl_throughput throughput;
    struct pl_allowances
        *allowances; /* a reference, the same for all versions; NULL: on demand. See pl_table_share() */
    uint32_t collection_id; /* of the keyspace of collections' sizes; 0: no local index, no collections */
    bool deletion_protection;

    struct pl_index *indexes; /* sorted by name */
    uint32_t index_count;
    struct pl_trigger *triggers;
    uint32_t trigger_count;
    struct pl_bytes *conditions; /* names of the conditions a client may name */
    uint32_t condition_count;
    bool has_before_write;
    struct pl_bytes module;   /* file name of the Lua module that defines it; empty: made by CREATE */
    struct pl_bytes dynamodb; /* JSON, as it was given: see pl_table_from_json(); empty: none */
};

enum {
    PL_TABLE_NAME_MIN = 3,
    PL_TABLE_NAME_MAX = 255,
    PL_LOCAL_INDEXES_MAX = 5,
    PL_GLOBAL_INDEXES_MAX = 20,
    PL_NON_KEY_ATTRIBUTES_MAX = 100, /* summed over all indexes */
    PL_TABLE_DYNAMODB_MAX = 65536,   /* bytes of `dynamodb` */
};

/**
 * Read a definition in the form that Lua modules, CREATE and DESCRIBE share:
 *
 *     { "table": "Messages", "partition_key": "ChatID:S", "sort_key": "MsgID:S",
 *       "ttl": "ExpiresAt", "stream": "new_and_old_images",
 *       "throughput": { "read": 5, "write": 5 },            (absent: on demand)
 *       "deletion_protection": false,
 *       "indexes": { "ByUser": { "partition_key": "UserID:S", "sort_key": "ChatID:S",
 *                                "project": "all" | "keys_only" | ["a","b"] | {"$function":true},
 *                                "throughput": {...} } },
 *       "before_write": {"$function":true},
 *       "conditions": { "author": {"$function":true} },
 *       "dynamodb": {...},
 *       "triggers": { "welcome": { "on": ["insert"], "batch": 100, "run": {"$function":true} } } }
 *
 * A trigger also takes "batch_window_ms", "retries", "max_age_s", "parallel" and
 * "filter": {"$function":true}; "on" is all three when absent. "stream": false is no stream.
 * In "Name:T" the type is what follows the last colon.
 *
 * "dynamodb" is kept and given back as it is: what DynamoDB's API stores with a table and nothing here acts
 * upon (tags, table class, ...). A module that does not mention it leaves it as it was.
 *
 * An index without partition_key is local. Several key attributes are a list:
 * "partition_key": ["Country:S","City:S"] (global indexes only, up to 4 + 4).
 *
 * Computed keys need no form of their own: an index still names its key attributes
 * and their types, and when its `project` is a function, a key attribute that the
 * function returns stands for the item's attribute of that name. What the function
 * leaves out comes from the item; what neither has keeps the item out of the index.
 *
 * Functions are allowed only with `functions` (they come from a module). Ids, version
 * and time are 0, the module empty and states ACTIVE in the result, which has one
 * reference. PL_EINVALID: the reason begins with the field's path
 * ("indexes.ByUser.sort_key: ...") and says what was expected. The definition is read as
 * cJSON gives it; pl_table_from_text() is as strict about its JSON as about its sense.
 */
int pl_table_from_json(const struct cJSON *definition, bool functions, struct pl_table **out,
                       struct pl_reason *why);

/** 0 when `text`, a definition or a patch of one, is JSON (else PL_ESYNTAX) without zero characters (PL_EINVALID). */
int pl_table_check_text(struct pl_bytes text, struct pl_reason *why);

/** The same from JSON text, which pl_table_check_text() has to find good. */
int pl_table_from_text(struct pl_bytes text, bool functions, struct pl_table **out, struct pl_reason *why);

/** The same form back, for DESCRIBE. The caller deletes it. NULL: no memory. */
struct cJSON *pl_table_to_json(const struct pl_table *table);

/** All of it, ids and states too, for the catalog. Appends to `out`; memory trouble shows in pl_buf_status(). */
void pl_table_encode(const struct pl_table *table, struct pl_buf *out);
/** PL_ECORRUPT when the bytes are none. The result has one reference. */
int pl_table_decode(struct pl_bytes bytes, struct pl_table **out);

/** A copy to be changed before anybody else sees it (a later version of the same table). */
int pl_table_copy(const struct pl_table *table, struct pl_table **out);

struct pl_table *pl_table_ref(struct pl_table *table);
void pl_table_unref(struct pl_table *table); /* NULL is allowed */

/**
 * Before anybody sees it: `table` shares the allowances of `before`, its last version (NULL: it is new), and has
 * new ones for what is provisioned only now. PL_ENOMEM.
 */
int pl_table_share(struct pl_table *table, const struct pl_table *before);

/** What `table` and its indexes may use is from now on as it says. */
void pl_table_provide(const struct pl_table *table, uint64_t now_ns);

/** NULL when there is none. */
const struct pl_index *pl_table_index(const struct pl_table *table, struct pl_bytes name);

/** True for 3..255 of [a-zA-Z0-9_.-]. */
bool pl_table_name_is_valid(struct pl_bytes name);

/** The encoded partition key and the encoded sort key components of a schema's attributes in an item. */
enum pl_key_found {
    PL_KEY_WHOLE,   /* every attribute is there, of its type, not empty, not too long */
    PL_KEY_MISSING, /* at least one is absent: for an index, no entry */
    PL_KEY_WRONG_TYPE,
    PL_KEY_EMPTY,
    PL_KEY_TOO_LONG,
};
/**
 * Append the encoded components to `pk` and `sk`. When the answer is not PL_KEY_WHOLE, nothing
 * was appended, and `bad` (may be NULL) names the first attribute at fault. One that is there and
 * wrong comes before one that is missing, because it refuses a write where the other does not.
 * Memory trouble shows in pl_buf_status().
 */
enum pl_key_found pl_key_schema_encode(const struct pl_key_schema *keys, struct pl_item item,
                                       struct pl_buf *pk, struct pl_buf *sk,
                                       const struct pl_key_attribute **bad);

/** True when `name` is one of the schema's attributes. */
bool pl_key_schema_has(const struct pl_key_schema *keys, struct pl_bytes name);

#endif
