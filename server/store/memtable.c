/* SPDX-License-Identifier: MIT */
#include "store/memtable.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

/* With a quarter of the nodes reaching each next level, 12 levels serve 16 million keys. */
enum { LEVELS_MAX = 12, CHUNK_BYTES = 256 * 1024, FIRST_CHUNK_BYTES = 8 * 1024, FIRST_SLOTS = 256 };

struct value {
    struct value *older; /* what it replaced; NULL: nothing */
    uint64_t moment;
    uint32_t len;
    bool tombstone;
    char bytes[];
};

struct pl_memtable_node {
    _Atomic(struct value *) value;
    uint64_t hash;
    uint64_t order[2]; /* the key's first 16 bytes as numbers: most comparisons end here */
    uint16_t key_len;
    uint16_t level_count;
    _Atomic(struct pl_memtable_node *) next[]; /* level_count of them; the key's bytes come behind */
};

/* Memory is taken by the writer alone and given back all at once. */
struct chunk {
    struct chunk *older;
    size_t size_bytes;
    alignas(max_align_t) char data[];
};

/*
 * Open addressing, at most half full. A larger table is filled before it is published; the
 * smaller ones stay until the end, for readers that still look into them, and are
 * together no larger than the last.
 */
struct slots {
    struct slots *older;
    size_t mask;
    _Atomic(struct pl_memtable_node *) at[];
};

struct pl_memtable {
    atomic_uint references;
    _Atomic(struct slots *) slots;
    size_t count;
    struct chunk *chunks;
    size_t used_bytes; /* of the newest chunk */
    atomic_size_t size_bytes;
    uint64_t moment; /* of what is set now */
    uint64_t random;
    uint64_t seed;                 /* of the hashes */
    struct pl_memtable_node *head; /* LEVELS_MAX levels and no key */
};

static const char *key_bytes(const struct pl_memtable_node *node)
{
    return (const char *)(node->next + node->level_count);
}

static struct pl_bytes key_of(const struct pl_memtable_node *node)
{
    return pl_bytes(key_bytes(node), node->key_len);
}

/* Zeros stand in for what a short key lacks, so equal numbers still leave the bytes to be compared. */
static void find_order(struct pl_bytes key, uint64_t order[2])
{
    uint8_t bytes[16] = { 0 };

    if (key.len > 0)
        memcpy(bytes, key.data, key.len < sizeof bytes ? key.len : sizeof bytes);
    order[0] = pl_get_be64(bytes);
    order[1] = pl_get_be64(bytes + 8);
}

static bool is_before(const struct pl_memtable_node *node, struct pl_bytes key, const uint64_t order[2])
{
    if (node->order[0] != order[0])
        return node->order[0] < order[0];
    if (node->order[1] != order[1])
        return node->order[1] < order[1];
    return pl_bytes_compare(key_of(node), key) < 0;
}

static struct pl_memtable_node *next_at(const struct pl_memtable_node *node, int level)
{
    return atomic_load_explicit(&((struct pl_memtable_node *)node)->next[level], memory_order_acquire);
}

/* ---- memory ----------------------------------------------------------------------------------------- */

static struct chunk *grow(struct pl_memtable *table, size_t len)
{
    size_t size = table->chunks == NULL ? FIRST_CHUNK_BYTES : CHUNK_BYTES;
    struct chunk *chunk;

    if (size < len)
        size = len;
    chunk = malloc(sizeof *chunk + size);
    if (chunk == NULL)
        return NULL;
    chunk->older = table->chunks;
    chunk->size_bytes = size;
    table->chunks = chunk;
    table->used_bytes = 0;
    atomic_fetch_add_explicit(&table->size_bytes, size, memory_order_relaxed);
    return chunk;
}

static void *take(struct pl_memtable *table, size_t len)
{
    size_t rounded = (len + 7) & ~(size_t)7;
    struct chunk *chunk = table->chunks;
    void *at;

    if (chunk == NULL || chunk->size_bytes - table->used_bytes < rounded) {
        chunk = grow(table, rounded);
        if (chunk == NULL)
            return NULL;
    }
    at = chunk->data + table->used_bytes;
    table->used_bytes += rounded;
    return at;
}

static struct pl_memtable_node *new_node(struct pl_memtable *table, struct pl_bytes key, uint64_t hash,
                                         int level_count)
{
    size_t head = sizeof(struct pl_memtable_node) + (size_t)level_count * sizeof(struct pl_memtable_node *);
    struct pl_memtable_node *node = take(table, head + key.len);

    if (node == NULL)
        return NULL;
    node->hash = hash;
    find_order(key, node->order);
    node->key_len = (uint16_t)key.len;
    node->level_count = (uint16_t)level_count;
    atomic_init(&node->value, NULL);
    for (int i = 0; i < level_count; i++)
        atomic_init(&node->next[i], NULL);
    if (key.len > 0)
        memcpy((char *)node + head, key.data, key.len);
    return node;
}

static void free_slots(struct slots *slots)
{
    while (slots != NULL) {
        struct slots *older = slots->older;

        free(slots);
        slots = older;
    }
}

/* Where a node of `hash` would be found or put: the first empty slot from its home on. */
static void place(struct slots *slots, struct pl_memtable_node *node)
{
    size_t i = node->hash & slots->mask;

    while (atomic_load_explicit(&slots->at[i], memory_order_relaxed) != NULL)
        i = (i + 1) & slots->mask;
    atomic_store_explicit(&slots->at[i], node, memory_order_release);
}

/* `count` slots, with every node that is there. */
static int make_slots(struct pl_memtable *table, size_t count)
{
    struct slots *old = atomic_load_explicit(&table->slots, memory_order_relaxed);
    struct slots *slots = calloc(1, sizeof *slots + count * sizeof slots->at[0]);

    if (slots == NULL)
        return PL_ENOMEM;
    slots->older = old;
    slots->mask = count - 1;
    for (struct pl_memtable_node *node = next_at(table->head, 0); node != NULL; node = next_at(node, 0))
        place(slots, node);
    atomic_fetch_add_explicit(&table->size_bytes, count * sizeof slots->at[0], memory_order_relaxed);
    atomic_store_explicit(&table->slots, slots, memory_order_release);
    return 0;
}

static int grow_slots(struct pl_memtable *table)
{
    return make_slots(table, (atomic_load_explicit(&table->slots, memory_order_relaxed)->mask + 1) * 2);
}

static struct pl_memtable *new_table(uint64_t seed, size_t slot_count)
{
    struct pl_memtable *table = calloc(1, sizeof *table);

    if (table == NULL)
        return NULL;
    atomic_init(&table->references, 1);
    table->seed = seed;
    table->random = UINT64_C(0x9E3779B97F4A7C15);
    table->head = new_node(table, pl_bytes("", 0), 0, LEVELS_MAX);
    if (table->head == NULL || make_slots(table, slot_count) != 0) {
        pl_memtable_unref(table);
        return NULL;
    }
    return table;
}

struct pl_memtable *pl_memtable_new(uint64_t seed)
{
    return new_table(seed, FIRST_SLOTS);
}

struct pl_memtable *pl_memtable_new_after(const struct pl_memtable *before)
{
    size_t slot_count = FIRST_SLOTS;

    while (slot_count < 2 * before->count)
        slot_count *= 2;
    return new_table(before->seed, slot_count);
}

struct pl_memtable *pl_memtable_ref(struct pl_memtable *table)
{
    atomic_fetch_add_explicit(&table->references, 1, memory_order_relaxed);
    return table;
}

void pl_memtable_unref(struct pl_memtable *table)
{
    if (table == NULL || atomic_fetch_sub_explicit(&table->references, 1, memory_order_acq_rel) != 1)
        return;
    free_slots(atomic_load_explicit(&table->slots, memory_order_relaxed));
    while (table->chunks != NULL) {
        struct chunk *chunk = table->chunks;

        table->chunks = chunk->older;
        free(chunk);
    }
    free(table);
}

size_t pl_memtable_size_bytes(const struct pl_memtable *table)
{
    return atomic_load_explicit(&((struct pl_memtable *)table)->size_bytes, memory_order_relaxed);
}

/* ---- finding ---------------------------------------------------------------------------------------- */

/*
 * The last node before `key`, and the one after it, as one look found them: asked once more for what comes next, a
 * list that grows meanwhile could answer with a node that is still before `key`.
 */
static struct pl_memtable_node *find(const struct pl_memtable *table, struct pl_bytes key,
                                     struct pl_memtable_node **after)
{
    struct pl_memtable_node *at = table->head, *next = NULL;
    uint64_t order[2];

    find_order(key, order);
    for (int level = LEVELS_MAX - 1; level >= 0; level--) {
        next = next_at(at, level);
        while (next != NULL && is_before(next, key, order)) {
            at = next;
            next = next_at(at, level);
        }
    }
    *after = next;
    return at;
}

const struct pl_memtable_node *pl_memtable_seek(const struct pl_memtable *table, struct pl_bytes at_least)
{
    struct pl_memtable_node *after;

    (void)find(table, at_least, &after);
    return after;
}

const struct pl_memtable_node *pl_memtable_seek_before(const struct pl_memtable *table, struct pl_bytes below)
{
    struct pl_memtable_node *after, *node = find(table, below, &after);

    return node == table->head ? NULL : node;
}

const struct pl_memtable_node *pl_memtable_first(const struct pl_memtable *table)
{
    return next_at(table->head, 0);
}

const struct pl_memtable_node *pl_memtable_next(const struct pl_memtable_node *node)
{
    return next_at(node, 0);
}

struct pl_bytes pl_memtable_key(const struct pl_memtable_node *node)
{
    return key_of(node);
}

bool pl_memtable_read_at(const struct pl_memtable_node *node, uint64_t moment, struct pl_memtable_entry *out)
{
    const struct value *value =
        atomic_load_explicit(&((struct pl_memtable_node *)node)->value, memory_order_acquire);

    while (value != NULL && value->moment > moment)
        value = value->older;
    if (value == NULL)
        return false;
    out->key = key_of(node);
    out->value = pl_bytes(value->bytes, value->len);
    out->tombstone = value->tombstone;
    return true;
}

void pl_memtable_read(const struct pl_memtable_node *node, struct pl_memtable_entry *out)
{
    (void)pl_memtable_read_at(node, UINT64_MAX, out); /* a node has a value */
}

static struct pl_memtable_node *look_up(const struct pl_memtable *table, struct pl_bytes key, uint64_t hash)
{
    struct slots *slots = atomic_load_explicit(&((struct pl_memtable *)table)->slots, memory_order_acquire);
    size_t i = hash & slots->mask;

    for (;;) {
        struct pl_memtable_node *node = atomic_load_explicit(&slots->at[i], memory_order_acquire);

        if (node == NULL || (node->hash == hash && pl_bytes_equal(key_of(node), key)))
            return node;
        i = (i + 1) & slots->mask;
    }
}

uint64_t pl_memtable_hash(const struct pl_memtable *table, struct pl_bytes key)
{
    return XXH3_64bits_withSeed(key.data, key.len, table->seed);
}

bool pl_memtable_get_at(const struct pl_memtable *table, struct pl_bytes key, uint64_t hash, uint64_t moment,
                        struct pl_memtable_entry *out)
{
    const struct pl_memtable_node *node = look_up(table, key, hash);

    return node != NULL && pl_memtable_read_at(node, moment, out);
}

bool pl_memtable_get(const struct pl_memtable *table, struct pl_bytes key, uint64_t hash,
                     struct pl_memtable_entry *out)
{
    return pl_memtable_get_at(table, key, hash, UINT64_MAX, out);
}

/* ---- setting ---------------------------------------------------------------------------------------- */

void pl_memtable_set_moment(struct pl_memtable *table, uint64_t moment)
{
    PL_ASSERT(moment >= table->moment);
    table->moment = moment;
}

static int draw_level_count(struct pl_memtable *table)
{
    int count = 1;

    table->random ^= table->random << 13;
    table->random ^= table->random >> 7;
    table->random ^= table->random << 17;
    for (uint64_t bits = table->random; count < LEVELS_MAX && (bits & 3) == 0; bits >>= 2)
        count++;
    return count;
}

static struct value *new_value(struct pl_memtable *table, struct pl_bytes bytes, bool tombstone)
{
    struct value *value = take(table, sizeof *value + bytes.len);

    if (value == NULL)
        return NULL;
    value->older = NULL;
    value->moment = table->moment;
    value->len = (uint32_t)bytes.len;
    value->tombstone = tombstone;
    if (bytes.len > 0)
        memcpy(value->bytes, bytes.data, bytes.len);
    return value;
}

/* A key on its way into the list. */
struct entrance {
    struct pl_bytes key;
    uint64_t hash;
    uint64_t order[2];
    struct value *value;
    struct pl_memtable_node *before[LEVELS_MAX]; /* found: the last node before it, on every level */
    struct pl_memtable_node *at;                 /* on the way */
    int level;
};

static void enter(struct pl_memtable *table, struct entrance *e)
{
    find_order(e->key, e->order);
    e->at = table->head;
    e->level = LEVELS_MAX - 1;
}

/* One step on, or one level down; and a word to the processor about what the next will need. False: it is there. */
static bool step(struct entrance *e)
{
    struct pl_memtable_node *next = next_at(e->at, e->level);

    if (next != NULL && is_before(next, e->key, e->order)) {
        e->at = next;
    } else {
        e->before[e->level] = e->at;
        if (e->level-- == 0)
            return false;
    }
    __builtin_prefetch(next_at(e->at, e->level));
    return true;
}

/* All of them, in turns, so that while one waits for memory the others do too. */
static void walk_down(struct pl_memtable *table, struct entrance *entrances, size_t count)
{
    struct entrance *walking[PL_MEMTABLE_GROUP_MAX];
    size_t left = count;

    for (size_t i = 0; i < count; i++) {
        enter(table, &entrances[i]);
        walking[i] = &entrances[i];
    }
    while (left > 0)
        for (size_t i = 0; i < left;)
            if (step(walking[i]))
                i++;
            else
                walking[i] = walking[--left];
}

/* Nodes that went in since the way was found may have come between. */
static struct pl_memtable_node *catch_up(const struct entrance *e, int level)
{
    struct pl_memtable_node *at = e->before[level], *next = next_at(at, level);

    while (next != NULL && is_before(next, e->key, e->order)) {
        at = next;
        next = next_at(at, level);
    }
    return at;
}

static int link_in(struct pl_memtable *table, const struct entrance *e)
{
    struct pl_memtable_node *before[LEVELS_MAX], *node;

    if ((table->count + 1) * 2 > atomic_load_explicit(&table->slots, memory_order_relaxed)->mask &&
        grow_slots(table) != 0)
        return PL_ENOMEM;
    node = new_node(table, e->key, e->hash, draw_level_count(table));
    if (node == NULL)
        return PL_ENOMEM;
    atomic_store_explicit(&node->value, e->value, memory_order_relaxed);
    for (int i = 0; i < node->level_count; i++) {
        before[i] = catch_up(e, i);
        atomic_store_explicit(&node->next[i], next_at(before[i], i), memory_order_relaxed);
    }
    /* From the bottom up: a reader that finds the node on any level finds it on all below. */
    for (int i = 0; i < node->level_count; i++)
        atomic_store_explicit(&before[i]->next[i], node, memory_order_release);
    place(atomic_load_explicit(&table->slots, memory_order_relaxed), node);
    table->count++;
    return 0;
}

static void put_value(struct pl_memtable_node *node, struct value *value)
{
    value->older = atomic_load_explicit(&node->value, memory_order_relaxed);
    atomic_store_explicit(&node->value, value, memory_order_release);
}

/* True when the key is there already: then only its value is new. */
static bool replace(struct pl_memtable *table, const struct entrance *e)
{
    struct pl_memtable_node *node = look_up(table, e->key, e->hash);

    if (node != NULL)
        put_value(node, e->value);
    return node != NULL;
}

/* Who sets all again because there was no memory for all takes none for what was set. */
static bool is_set(const struct pl_memtable *table, const struct pl_memtable_node *node,
                   const struct pl_memtable_entry *entry)
{
    const struct value *value =
        atomic_load_explicit(&((struct pl_memtable_node *)node)->value, memory_order_relaxed);

    return value->moment == table->moment && value->tombstone == entry->tombstone &&
           (entry->tombstone || pl_bytes_equal(pl_bytes(value->bytes, value->len), entry->value));
}

static void prefetch_slot(const struct pl_memtable *table, uint64_t hash)
{
    const struct slots *slots =
        atomic_load_explicit(&((struct pl_memtable *)table)->slots, memory_order_relaxed);

    __builtin_prefetch(&slots->at[hash & slots->mask]);
}

void pl_memtable_prefetch(const struct pl_memtable *table, const uint64_t *hashes, size_t count)
{
    struct slots *slots = atomic_load_explicit(&((struct pl_memtable *)table)->slots, memory_order_acquire);
    struct pl_memtable_node *nodes[PL_MEMTABLE_GROUP_MAX];

    PL_ASSERT(count <= PL_MEMTABLE_GROUP_MAX);
    for (size_t i = 0; i < count; i++)
        __builtin_prefetch(&slots->at[hashes[i] & slots->mask]);
    for (size_t i = 0; i < count; i++) {
        nodes[i] = atomic_load_explicit(&slots->at[hashes[i] & slots->mask], memory_order_acquire);
        __builtin_prefetch(nodes[i]);
    }
    for (size_t i = 0; i < count; i++)
        if (nodes[i] != NULL && nodes[i]->hash == hashes[i])
            __builtin_prefetch(atomic_load_explicit(&nodes[i]->value, memory_order_relaxed));
}

int pl_memtable_set_group(struct pl_memtable *table, const struct pl_memtable_entry *entries, size_t count)
{
    struct entrance entrances[PL_MEMTABLE_GROUP_MAX];
    size_t new_count = 0;
    int rc = 0;

    PL_ASSERT(count <= PL_MEMTABLE_GROUP_MAX);
    for (size_t i = 0; i < count; i++) {
        entrances[i].hash = pl_memtable_hash(table, entries[i].key);
        prefetch_slot(table, entrances[i].hash);
    }
    for (size_t i = 0; i < count; i++) {
        struct pl_memtable_node *node = look_up(table, entries[i].key, entrances[i].hash);
        struct entrance *e = &entrances[new_count];
        bool tombstone = entries[i].tombstone;

        if (node != NULL && is_set(table, node, &entries[i]))
            continue;
        e->hash = entrances[i].hash;
        e->key = entries[i].key;
        e->value = new_value(table, tombstone ? pl_bytes(NULL, 0) : entries[i].value, tombstone);
        if (e->value == NULL)
            return PL_ENOMEM;
        if (node != NULL)
            put_value(node, e->value);
        else
            new_count++;
    }
    walk_down(table, entrances, new_count);
    /* A key that is in the group twice is new only once. */
    for (size_t i = 0; i < new_count && rc == 0; i++)
        if (!replace(table, &entrances[i]))
            rc = link_in(table, &entrances[i]);
    return rc;
}

int pl_memtable_set(struct pl_memtable *table, struct pl_bytes key, struct pl_bytes value, bool tombstone)
{
    struct pl_memtable_entry entry = { .key = key, .value = value, .tombstone = tombstone };

    return pl_memtable_set_group(table, &entry, 1);
}
