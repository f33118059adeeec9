/* SPDX-License-Identifier: MIT */
#include "route/hot_keys.h"

#include <stdlib.h>

#define SECOND_NS UINT64_C(1000000000)

enum {
    SAMPLES_A_SECOND = 4096,
    PATIENCE = 64, /* of so many operations on tables that have no place, one takes another's */
};

/* Of one table or global index. */
struct keyspace {
    uint32_t id; /* 0: free */
    uint64_t faded_ns;
    struct pl_sketch *requests, *capacity;
};

struct pl_hot_keys {
    /* The router's thread alone. */
    uint32_t skip;   /* operations to pass over */
    uint32_t period; /* one in so many is noted, */
    uint64_t random; /* at random */
    uint64_t window_ns, samples;
    uint32_t homeless; /* operations on tables that have no place */

    struct pl_hot_keys_set *set;
    struct pl_hot_keys *next;
    struct pl_clock clock;
    pthread_mutex_t lock; /* of all below */
    struct keyspace keyspaces[PL_HOT_TABLES_MAX];
};

/* ---- making ----------------------------------------------------------------------------------------- */

void pl_hot_keys_set_init(struct pl_hot_keys_set *set)
{
    pthread_mutex_init(&set->lock, NULL);
    set->first = NULL;
}

void pl_hot_keys_set_deinit(struct pl_hot_keys_set *set)
{
    PL_ASSERT(set->first == NULL);
    pthread_mutex_destroy(&set->lock);
}

struct pl_hot_keys *pl_hot_keys_new(struct pl_hot_keys_set *set, const struct pl_clock *clock)
{
    struct pl_hot_keys *hot = calloc(1, sizeof *hot);

    if (hot == NULL)
        return NULL;
    hot->period = 1;
    hot->clock = *clock;
    hot->random = hot->window_ns = pl_clock_monotonic_ns(clock);
    hot->random |= 1;
    pthread_mutex_init(&hot->lock, NULL);
    hot->set = set;
    pthread_mutex_lock(&set->lock);
    hot->next = set->first;
    set->first = hot;
    pthread_mutex_unlock(&set->lock);
    return hot;
}

void pl_hot_keys_free(struct pl_hot_keys *hot)
{
    struct pl_hot_keys **at;

    if (hot == NULL)
        return;
    pthread_mutex_lock(&hot->set->lock);
    for (at = &hot->set->first; *at != hot; at = &(*at)->next)
        ;
    *at = hot->next;
    pthread_mutex_unlock(&hot->set->lock);
    for (int i = 0; i < PL_HOT_TABLES_MAX; i++) {
        pl_sketch_free(hot->keyspaces[i].requests);
        pl_sketch_free(hot->keyspaces[i].capacity);
    }
    pthread_mutex_destroy(&hot->lock);
    free(hot);
}

/* ---- one table's ------------------------------------------------------------------------------------ */

static struct keyspace *find(struct pl_hot_keys *hot, uint32_t id)
{
    for (uint32_t i = 0; i < PL_HOT_TABLES_MAX; i++) {
        struct keyspace *at = &hot->keyspaces[(id + i) % PL_HOT_TABLES_MAX];

        if (at->id == id)
            return at;
        if (at->id == 0)
            return NULL;
    }
    return NULL;
}

static void fade(struct keyspace *at, uint64_t now_ns)
{
    for (int i = 0; i < 64 && now_ns - at->faded_ns >= PL_HOT_HALF_LIFE_S * SECOND_NS; i++) {
        pl_sketch_fade(at->requests);
        pl_sketch_fade(at->capacity);
        at->faded_ns += PL_HOT_HALF_LIFE_S * SECOND_NS;
    }
    if (now_ns - at->faded_ns >= PL_HOT_HALF_LIFE_S * SECOND_NS)
        at->faded_ns = now_ns; /* all is gone */
}

/* Its first place that is free; else, now and then, that of the table with the least requests. */
static struct keyspace *find_place(struct pl_hot_keys *hot, uint32_t id, uint64_t now_ns)
{
    struct keyspace *least = &hot->keyspaces[0];

    for (uint32_t i = 0; i < PL_HOT_TABLES_MAX; i++)
        if (hot->keyspaces[(id + i) % PL_HOT_TABLES_MAX].id == 0)
            return &hot->keyspaces[(id + i) % PL_HOT_TABLES_MAX];
    if (++hot->homeless % PATIENCE != 0)
        return NULL;
    for (uint32_t i = 0; i < PL_HOT_TABLES_MAX; i++) {
        struct keyspace *at = &hot->keyspaces[i];

        fade(at, now_ns);
        if (pl_sketch_total(at->requests) < pl_sketch_total(least->requests))
            least = at;
    }
    return least;
}

static struct keyspace *settle(struct pl_hot_keys *hot, uint32_t id, uint64_t now_ns)
{
    struct keyspace *at = find_place(hot, id, now_ns);

    if (at == NULL)
        return NULL;
    if (at->requests == NULL)
        at->requests = pl_sketch_new(PL_HOT_KEYS_MAX);
    if (at->capacity == NULL)
        at->capacity = pl_sketch_new(PL_HOT_KEYS_MAX);
    if (at->requests == NULL || at->capacity == NULL)
        return NULL; /* the place stays free */
    pl_sketch_clear(at->requests);
    pl_sketch_clear(at->capacity);
    at->id = id;
    at->faded_ns = now_ns;
    return at;
}

/* ---- sampling --------------------------------------------------------------------------------------- */

static uint64_t draw(struct pl_hot_keys *hot)
{
    hot->random ^= hot->random << 13;
    hot->random ^= hot->random >> 7;
    hot->random ^= hot->random << 17;
    return hot->random;
}

/* One in `period` on average, and no pattern in the requests can keep step with it. */
static void choose_next(struct pl_hot_keys *hot, uint64_t now_ns)
{
    uint64_t passed_ns = now_ns - hot->window_ns;

    hot->samples++;
    if (passed_ns >= SECOND_NS) {
        hot->period = (uint32_t)(1 + (unsigned __int128)hot->samples * hot->period * SECOND_NS / passed_ns /
                                         SAMPLES_A_SECOND);
        hot->window_ns = now_ns;
        hot->samples = 0;
    } else if (hot->samples >= 2 * SAMPLES_A_SECOND && hot->period < 1 << 16) {
        hot->period *= 2;
        hot->window_ns = now_ns;
        hot->samples = 0;
    }
    hot->skip = hot->period == 1 ? 0 : (uint32_t)(draw(hot) % (2 * hot->period - 1));
}

/* ---- noting ----------------------------------------------------------------------------------------- */

/* Throttled or refused, it was a request for the key. What was wrong was none. */
static bool counts(int rc)
{
    return rc == 0 || rc == PL_ECONDITION || rc == PL_EREJECTED || rc == PL_ETHROUGHPUT;
}

static void note(struct pl_hot_keys *hot, const struct pl_operation *op, uint64_t now_ns)
{
    uint32_t id = op->index != NULL && op->index->global ? op->index->id : op->table->id;
    uint64_t hash = pl_key_hash(op->pk), weight = hot->period;
    struct keyspace *at = find(hot, id);

    if (at == NULL)
        at = settle(hot, id, now_ns);
    if (at == NULL)
        return;
    fade(at, now_ns);
    pl_sketch_note(at->requests, op->pk, hash, weight);
    if (op->reply.rc != PL_ETHROUGHPUT)
        pl_sketch_note(at->capacity, op->pk, hash, weight * pl_capacity_total(&op->reply.capacity));
}

void pl_hot_keys_note(struct pl_hot_keys *hot, const struct pl_operation *op)
{
    uint64_t now_ns;

    if (hot->skip > 0) {
        hot->skip--;
        return;
    }
    if (op->table == NULL || op->pk.len == 0 || !counts(op->reply.rc))
        return;
    now_ns = pl_clock_monotonic_ns(&hot->clock);
    pthread_mutex_lock(&hot->lock);
    note(hot, op, now_ns);
    pthread_mutex_unlock(&hot->lock);
    choose_next(hot, now_ns);
}

/* ---- gathering -------------------------------------------------------------------------------------- */

static void gather_from(struct pl_hot_keys *hot, uint32_t id, struct pl_sketch *requests,
                        struct pl_sketch *capacity)
{
    struct keyspace *at;

    pthread_mutex_lock(&hot->lock);
    at = find(hot, id);
    if (at != NULL) {
        fade(at, pl_clock_monotonic_ns(&hot->clock));
        pl_sketch_merge(requests, at->requests);
        pl_sketch_merge(capacity, at->capacity);
    }
    pthread_mutex_unlock(&hot->lock);
}

static uint32_t room_for(const struct pl_hot_keys_set *set)
{
    uint32_t room = PL_HOT_KEYS_MAX;

    for (const struct pl_hot_keys *hot = set->first; hot != NULL && room < UINT16_MAX - PL_HOT_KEYS_MAX;
         hot = hot->next)
        room += PL_HOT_KEYS_MAX;
    return room;
}

int pl_hot_keys_gather(struct pl_hot_keys_set *set, uint32_t id, struct pl_sketch **requests,
                       struct pl_sketch **capacity)
{
    int rc = PL_ENOMEM;

    pthread_mutex_lock(&set->lock);
    *requests = pl_sketch_new(room_for(set));
    *capacity = pl_sketch_new(room_for(set));
    if (*requests != NULL && *capacity != NULL) {
        for (struct pl_hot_keys *hot = set->first; hot != NULL; hot = hot->next)
            gather_from(hot, id, *requests, *capacity);
        rc = 0;
    } else {
        pl_sketch_free(*requests);
        pl_sketch_free(*capacity);
    }
    pthread_mutex_unlock(&set->lock);
    return rc;
}
