/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_UNIT_SMALL_SHARD_H
#define PL_TESTS_UNIT_SMALL_SHARD_H

#include "store/recovery.h"

#include "scratch_tree.h"
#include "test.h"

/**
 * The least that a shard can be, for tests of what lies below one: numbered keys whose values are
 * versions, a write that goes through the journal before it is applied, and a model that remembers.
 * A version decides its value's bytes and length, so an old, torn or foreign value shows.
 */
enum { SMALL_SHARD_KEYS = 400, SMALL_SHARD_KEY_BYTES = 24 };

struct small_shard {
    const struct pl_disk *disk;
    char path[PATH_MAX];
    struct pl_datadir *dir;
    struct pl_recovered open;
    uint64_t versions[SMALL_SHARD_KEYS]; /* 0: none */
    uint64_t last_version;
    uint64_t seed;
    struct pl_recovery_options options;
    struct pl_reason why;
};

static inline struct pl_bytes small_shard_key(uint32_t n, char *space)
{
    memset(space, 'k', SMALL_SHARD_KEY_BYTES);
    pl_put_be16(space, 1);
    pl_put_be32(space + 2, n);
    return pl_bytes(space, SMALL_SHARD_KEY_BYTES);
}

/* Mostly short, now and then over several pages. */
static inline size_t small_shard_value_len(uint64_t version)
{
    uint64_t mixed = version * UINT64_C(0x9E3779B97F4A7C15) >> 40;

    return mixed % 20 == 0 ? 5000 + mixed % 9000 : 16 + mixed % 200;
}

static inline void small_shard_value(struct pl_buf *out, uint64_t version)
{
    size_t len = small_shard_value_len(version);
    char *space = pl_buf_reserve(out, len);

    if (space == NULL)
        abort();
    memset(space, (int)(version & 0x7f), len);
    pl_put_le64(space, version);
    out->len += len;
}

/* A change's payload: key number u32, version u64 (0: delete), again and again. */
static inline int small_shard_apply(struct pl_txn *txn, const struct pl_journal_record *record)
{
    struct pl_bytes rest = record->payload;
    struct pl_buf value = { 0 };
    int rc = 0;

    for (; rc == 0 && rest.len >= 12; rest = pl_bytes(rest.data + 12, rest.len - 12)) {
        char space[SMALL_SHARD_KEY_BYTES];
        struct pl_bytes key = small_shard_key(pl_get_le32(rest.data), space);
        uint64_t version = pl_get_le64(rest.data + 4);

        pl_buf_clear(&value);
        if (version == 0) {
            rc = pl_txn_delete(txn, key);
            rc = rc == PL_ENOTFOUND ? 0 : rc;
        } else {
            small_shard_value(&value, version);
            rc = pl_txn_put(txn, key, pl_buf_view(&value));
        }
    }
    pl_buf_deinit(&value);
    return rc;
}

/* Into the store at once, where a real shard has a memtable. */
static inline int small_shard_replay(void *arg, struct pl_store *store,
                                     const struct pl_journal_record *record)
{
    struct pl_txn *txn;
    int rc = pl_txn_begin(store, &txn);

    (void)arg;
    if (rc != 0)
        return rc;
    rc = small_shard_apply(txn, record);
    if (rc == 0)
        return pl_txn_commit(txn);
    pl_txn_abort(txn);
    return rc;
}

static inline int small_shard_open(struct small_shard *s)
{
    struct pl_datadir_options options = { .random = pl_random_system() };
    int rc;

    s->why.text[0] = '\0';
    s->options.journal.random = pl_random_system();
    if (s->options.journal.first_segment_bytes == 0) {
        s->options.journal.first_segment_bytes = 64 << 10;
        s->options.journal.segment_bytes = 256 << 10;
    }
    rc = pl_datadir_open(s->disk, s->path, &options, &s->dir, &s->why);
    if (rc != 0)
        return rc;
    rc = pl_recovery_open(s->disk, s->dir, 0, &s->options, small_shard_replay, s, &s->open, &s->why);
    if (rc != 0) {
        pl_datadir_close(s->dir);
        s->dir = NULL;
    }
    return rc;
}

static inline void small_shard_close(struct small_shard *s)
{
    pl_recovery_close(&s->open);
    pl_datadir_close(s->dir);
    s->dir = NULL;
}

static inline int small_shard_sync(struct small_shard *s)
{
    uint64_t end;
    int rc = 0;

    if (pl_journal_seal(s->open.journal, true, &end)) {
        rc = pl_journal_run_sync(s->open.journal, &s->why);
        pl_journal_end_sync(s->open.journal, rc);
    }
    return rc;
}

/* One turn: some keys change together; journal, sync, apply. The model learns of it when it is durable. */
static inline int small_shard_write(struct small_shard *s, unsigned keys)
{
    struct pl_journal_record record = { .kind = PL_JOURNAL_CHANGE, .partition = 1 };
    struct pl_buf payload = { 0 };
    uint32_t chosen[64];
    uint64_t versions[64];
    int rc;

    for (unsigned i = 0; i < keys; i++) {
        char bytes[12];

        chosen[i] = (uint32_t)(test_random(&s->seed) % SMALL_SHARD_KEYS);
        versions[i] = test_random(&s->seed) % 6 == 0 ? 0 : ++s->last_version;
        pl_put_le32(bytes, chosen[i]);
        pl_put_le64(bytes + 4, versions[i]);
        pl_buf_append(&payload, bytes, sizeof bytes);
    }
    record.payload = pl_buf_view(&payload);
    rc = pl_journal_append(s->open.journal, &record, PL_JOURNAL_GROW, NULL, &s->why);
    if (rc == 0)
        rc = small_shard_sync(s);
    if (rc == 0)
        for (unsigned i = 0; i < keys; i++)
            s->versions[chosen[i]] = versions[i];
    if (rc == 0)
        rc = small_shard_replay(s, s->open.store, &record);
    pl_buf_deinit(&payload);
    return rc;
}

/* True when the store holds what the model says, and nothing else. */
static inline bool small_shard_agrees(struct small_shard *s)
{
    struct pl_bytes key, value;
    struct pl_reader *reader;
    struct pl_cursor *cursor;
    struct pl_txn *txn;
    uint32_t found = 0, expected = 0;
    bool agrees = true;
    int rc;

    for (uint32_t i = 0; i < SMALL_SHARD_KEYS; i++)
        expected += s->versions[i] != 0;
    if (pl_reader_open(s->open.store, &reader) != 0)
        return false;
    if (pl_reader_renew(reader, &txn) != 0 || pl_cursor_open(txn, &cursor) != 0) {
        pl_reader_close(reader);
        return false;
    }
    for (rc = pl_cursor_seek(cursor, pl_str(""), &key, &value); rc == 0;
         rc = pl_cursor_next(cursor, &key, &value)) {
        uint32_t n = key.len == SMALL_SHARD_KEY_BYTES ? pl_get_be32(key.data + 2) : SMALL_SHARD_KEYS;

        found++;
        if (n >= SMALL_SHARD_KEYS || value.len < 8 || pl_get_le64(value.data) != s->versions[n] ||
            value.len != small_shard_value_len(s->versions[n])) {
            agrees = false;
            break;
        }
    }
    pl_cursor_close(cursor);
    pl_reader_close(reader);
    return agrees && rc == PL_ENOTFOUND && found == expected;
}

#endif
