/* SPDX-License-Identifier: MIT */
#include "store/journal_stock.h"

#include <stdlib.h>

enum { GROWTH = 4, MARGIN_SHARE = 8 };

void pl_journal_stock_init(struct pl_journal_stock *stock, const struct pl_journal_place *place,
                           uint64_t segment_bytes)
{
    *stock = (struct pl_journal_stock){ .place = place, .segment_bytes = segment_bytes };
    pthread_mutex_init(&stock->lock, NULL);
    pthread_mutex_init(&stock->making, NULL);
}

void pl_journal_stock_deinit(struct pl_journal_stock *stock)
{
    for (size_t i = 0; i < stock->spare_count; i++)
        pl_journal_segment_close(stock->place, &stock->spares[i]);
    free(stock->trimmed);
    pthread_mutex_destroy(&stock->lock);
    pthread_mutex_destroy(&stock->making);
}

static void put(struct pl_journal_stock *stock, const struct pl_journal_segment *spare)
{
    pthread_mutex_lock(&stock->lock);
    PL_ASSERT(stock->spare_count < PL_JOURNAL_SPARES_MAX);
    stock->spares[stock->spare_count++] = *spare;
    stock->full = false;
    pthread_mutex_unlock(&stock->lock);
}

static size_t spare_count(struct pl_journal_stock *stock)
{
    size_t count;

    pthread_mutex_lock(&stock->lock);
    count = stock->spare_count;
    pthread_mutex_unlock(&stock->lock);
    return count;
}

int pl_journal_stock_adopt(struct pl_journal_stock *stock, uint64_t number, struct pl_reason *why)
{
    struct pl_journal_segment spare = { 0 };
    int rc;

    if (number >= stock->next_number)
        stock->next_number = number + 1;
    rc = pl_journal_segment_open(stock->place, number, ".reserve", &spare, why);
    if (rc != 0)
        return rc;
    if (stock->spare_count < PL_JOURNAL_SPARES_KEPT &&
        spare.bytes > PL_JOURNAL_DATA_OFFSET + PL_JOURNAL_RECORD_HEADER_BYTES) {
        put(stock, &spare);
        return 0;
    }
    pl_journal_segment_close(stock->place, &spare);
    return pl_journal_segment_remove(stock->place, number, ".reserve", why);
}

/* ---- Making ---- */

static uint64_t next_bytes(const struct pl_journal_stock *stock, uint64_t record_bytes)
{
    uint64_t grown = stock->made_bytes * GROWTH;
    uint64_t bytes = grown < stock->segment_bytes ? grown : stock->segment_bytes;
    uint64_t least = PL_JOURNAL_DATA_OFFSET + record_bytes + PL_JOURNAL_RECORD_HEADER_BYTES;

    return bytes > least ? bytes : (least + 4095) & ~UINT64_C(4095);
}

/* Asked first: filling a disk to its last byte to find that out would be everybody's trouble. */
static int check_space(struct pl_journal_stock *stock, uint64_t bytes, struct pl_reason *why)
{
    const struct pl_journal_place *place = stock->place;
    uint64_t left;
    int rc = pl_disk_free_bytes(place->disk, place->dir, &left, why);

    if (rc != 0)
        return rc;
    if (left < bytes + bytes / MARGIN_SHARE)
        return pl_reason_set(why, PL_EFULL,
                             "%s: a journal segment of %llu bytes does not fit into the %llu left",
                             place->dir, (unsigned long long)bytes, (unsigned long long)left);
    return 0;
}

static int make(struct pl_journal_stock *stock, uint64_t record_bytes, bool paced, struct pl_reason *why)
{
    uint64_t bytes = next_bytes(stock, record_bytes);
    struct pl_journal_segment spare;
    int rc;

    if (spare_count(stock) == PL_JOURNAL_SPARES_MAX)
        return pl_reason_set(why, PL_EFULL, "%s: too many journal segments wait to be used",
                             stock->place->dir);
    rc = check_space(stock, bytes, why);
    if (rc == 0)
        rc = pl_journal_segment_make(stock->place, stock->next_number, bytes, paced, &spare, why);
    if (rc != 0)
        return rc;
    stock->next_number++;
    if (bytes <= stock->segment_bytes)
        stock->made_bytes = bytes;
    put(stock, &spare);
    return 0;
}

static int make_or_note(struct pl_journal_stock *stock, uint64_t record_bytes, bool paced,
                        struct pl_reason *why)
{
    int rc = make(stock, record_bytes, paced, why);

    if (rc == PL_EFULL) {
        pthread_mutex_lock(&stock->lock);
        stock->full = true;
        pthread_mutex_unlock(&stock->lock);
    }
    return rc;
}

int pl_journal_stock_make(struct pl_journal_stock *stock, uint64_t record_bytes, bool paced,
                          struct pl_reason *why)
{
    int rc;

    pthread_mutex_lock(&stock->making);
    rc = make_or_note(stock, record_bytes, paced, why);
    pthread_mutex_unlock(&stock->making);
    return rc;
}

/* ---- Taking ---- */

static bool take(struct pl_journal_stock *stock, uint64_t record_bytes, struct pl_journal_segment *spare)
{
    bool found = false;

    pthread_mutex_lock(&stock->lock);
    for (size_t i = 0; i < stock->spare_count && !found; i++) {
        if (pl_journal_segment_room(&stock->spares[i]) < record_bytes)
            continue;
        *spare = stock->spares[i];
        stock->spare_count--;
        memmove(&stock->spares[i], &stock->spares[i + 1], (stock->spare_count - i) * sizeof *spare);
        found = true;
    }
    pthread_mutex_unlock(&stock->lock);
    return found;
}

int pl_journal_stock_take(struct pl_journal_stock *stock, uint64_t record_bytes,
                          struct pl_journal_segment *spare, struct pl_reason *why)
{
    while (!take(stock, record_bytes, spare)) {
        int rc = pl_journal_stock_make(stock, record_bytes, false, why);

        if (rc != 0)
            return rc;
    }
    return 0;
}

uint64_t pl_journal_stock_room(struct pl_journal_stock *stock)
{
    uint64_t room = 0;

    pthread_mutex_lock(&stock->lock);
    for (size_t i = 0; i < stock->spare_count; i++)
        room += pl_journal_segment_room(&stock->spares[i]);
    pthread_mutex_unlock(&stock->lock);
    return room;
}

bool pl_journal_stock_full(struct pl_journal_stock *stock)
{
    bool full;

    pthread_mutex_lock(&stock->lock);
    full = stock->full;
    pthread_mutex_unlock(&stock->lock);
    return full;
}

/* ---- Trimmed segments ---- */

static int reserve_trimmed(struct pl_journal_stock *stock)
{
    size_t capacity = stock->trimmed_capacity + 16;
    struct pl_journal_segment *grown;

    if (stock->trimmed_count < stock->trimmed_capacity)
        return 0;
    grown = realloc(stock->trimmed, capacity * sizeof *grown);
    if (grown == NULL)
        return PL_ENOMEM;
    stock->trimmed = grown;
    stock->trimmed_capacity = capacity;
    return 0;
}

bool pl_journal_stock_trim(struct pl_journal_stock *stock, const struct pl_journal_segment *segment)
{
    bool room;

    pthread_mutex_lock(&stock->lock);
    room = reserve_trimmed(stock) == 0;
    if (room)
        stock->trimmed[stock->trimmed_count++] = *segment;
    pthread_mutex_unlock(&stock->lock);
    return room;
}

bool pl_journal_stock_wants(struct pl_journal_stock *stock, bool low)
{
    bool wants;

    pthread_mutex_lock(&stock->lock);
    wants = stock->trimmed_count > 0 || (low && stock->spare_count == 0 && !stock->full);
    pthread_mutex_unlock(&stock->lock);
    return wants;
}

static bool oldest_trimmed(struct pl_journal_stock *stock, struct pl_journal_segment *segment)
{
    bool any;

    pthread_mutex_lock(&stock->lock);
    any = stock->trimmed_count > 0;
    if (any)
        *segment = stock->trimmed[0];
    pthread_mutex_unlock(&stock->lock);
    return any;
}

static void forget_trimmed(struct pl_journal_stock *stock)
{
    pthread_mutex_lock(&stock->lock);
    stock->trimmed_count--;
    memmove(stock->trimmed, stock->trimmed + 1, stock->trimmed_count * sizeof stock->trimmed[0]);
    pthread_mutex_unlock(&stock->lock);
}

static int discard(struct pl_journal_stock *stock, const struct pl_journal_segment *old,
                   struct pl_reason *why)
{
    int rc = pl_journal_segment_remove(stock->place, old->number, ".journal", why);

    if (rc == 0)
        forget_trimmed(stock);
    return rc;
}

static int recycle(struct pl_journal_stock *stock, const struct pl_journal_segment *old,
                   struct pl_reason *why)
{
    struct pl_journal_segment spare = { 0 };
    uint64_t number = stock->next_number;
    int rc = pl_journal_segment_recycle(stock->place, old->number, number, why);

    if (rc != 0)
        return rc;
    stock->next_number++;
    forget_trimmed(stock);
    rc = pl_journal_segment_open(stock->place, number, ".reserve", &spare, why);
    if (rc != 0)
        return rc; /* it lies there until the journal is opened anew */
    stock->made_bytes = old->bytes;
    put(stock, &spare);
    return 0;
}

/* Oldest first and each name synced, so that whatever a crash leaves is a journal without a gap. */
static int reuse_trimmed(struct pl_journal_stock *stock, struct pl_reason *why)
{
    struct pl_journal_segment old;

    while (oldest_trimmed(stock, &old)) {
        bool keep = old.bytes == stock->segment_bytes && spare_count(stock) < PL_JOURNAL_SPARES_KEPT;
        int rc = keep ? recycle(stock, &old, why) : discard(stock, &old, why);

        if (rc != 0)
            return rc;
    }
    return 0;
}

int pl_journal_stock_prepare(struct pl_journal_stock *stock, struct pl_reason *why)
{
    int rc;

    pthread_mutex_lock(&stock->making);
    rc = reuse_trimmed(stock, why);
    if (rc == 0 && spare_count(stock) == 0)
        rc = make_or_note(stock, 0, true, why);
    pthread_mutex_unlock(&stock->making);
    return rc;
}
