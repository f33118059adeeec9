/* SPDX-License-Identifier: MIT */
#include "store/store.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "scratch_tree.h"
#include "test.h"

static struct pl_store *open_store(const char *name, struct pl_store_options options)
{
    struct pl_store *store = NULL;
    struct pl_reason why = { 0 };

    options.create = true;
    if (pl_store_open(scratch_path(scratch(), name), &options, &store, &why) != 0)
        fprintf(stderr, "%s\n", why.text);
    return store;
}

static struct pl_store *fresh_store(const char *name, struct pl_store_options options)
{
    scratch_fresh(name);
    return open_store(name, options);
}

static int put_one(struct pl_store *store, const char *key, struct pl_bytes value)
{
    struct pl_txn *txn;
    int rc = pl_txn_begin(store, &txn);

    if (rc != 0)
        return rc;
    rc = pl_txn_put(txn, pl_str(key), value);
    if (rc != 0) {
        pl_txn_abort(txn);
        return rc;
    }
    return pl_txn_commit(txn);
}

static bool holds(struct pl_reader *reader, const char *key, const char *value)
{
    struct pl_bytes found;
    struct pl_txn *txn;

    return pl_reader_renew(reader, &txn) == 0 && pl_txn_get(txn, pl_str(key), &found) == 0 &&
           pl_bytes_equal(found, pl_str(value));
}

static void what_was_put_is_read_back(void)
{
    struct pl_store *store = fresh_store("put", (struct pl_store_options){ 0 });
    struct pl_reader *reader;
    struct pl_bytes out = pl_str("untouched");
    struct pl_txn *txn;

    CHECK(store != NULL);
    CHECK(pl_reader_open(store, &reader) == 0);
    CHECK(put_one(store, "a", pl_str("one")) == 0);
    CHECK(put_one(store, "b", pl_str("")) == 0);
    CHECK(holds(reader, "a", "one") && holds(reader, "b", ""));
    CHECK(pl_reader_renew(reader, &txn) == 0);
    CHECK(pl_txn_get(txn, pl_str("c"), &out) == PL_ENOTFOUND);
    CHECK(pl_txn_get(txn, pl_str(""), &out) == PL_ENOTFOUND);
    CHECK(pl_bytes_equal(out, pl_str("untouched")));
    pl_reader_close(reader);
    pl_store_close(store);
    store = open_store("put", (struct pl_store_options){ 0 });
    CHECK(pl_reader_open(store, &reader) == 0);
    CHECK(holds(reader, "a", "one"));
    pl_reader_close(reader);
    pl_store_close(store);
}

static void an_aborted_transaction_changes_nothing(void)
{
    struct pl_store *store = fresh_store("abort", (struct pl_store_options){ 0 });
    struct pl_reader *reader;
    struct pl_bytes out;
    struct pl_txn *txn;

    CHECK(pl_reader_open(store, &reader) == 0);
    CHECK(put_one(store, "a", pl_str("one")) == 0);
    CHECK(pl_txn_begin(store, &txn) == 0);
    CHECK(pl_txn_put(txn, pl_str("a"), pl_str("two")) == 0);
    CHECK(pl_txn_delete(txn, pl_str("a")) == 0);
    CHECK(pl_txn_delete(txn, pl_str("a")) == PL_ENOTFOUND);
    CHECK(pl_txn_get(txn, pl_str("a"), &out) == PL_ENOTFOUND);
    pl_txn_abort(txn);
    pl_txn_abort(NULL);
    CHECK(holds(reader, "a", "one"));
    pl_reader_close(reader);
    pl_store_close(store);
}

static void keys_and_values_out_of_bounds_are_refused(void)
{
    struct pl_store *store = fresh_store("bounds", (struct pl_store_options){ 0 });
    char long_key[PL_STORE_KEY_MAX + 2];
    struct pl_txn *txn;

    memset(long_key, 'x', sizeof long_key);
    CHECK(pl_txn_begin(store, &txn) == 0);
    CHECK(pl_txn_put(txn, pl_str(""), pl_str("v")) == PL_EINVALID);
    CHECK(pl_txn_put(txn, pl_bytes(long_key, PL_STORE_KEY_MAX + 1), pl_str("v")) == PL_EINVALID);
    CHECK(pl_txn_put(txn, pl_str("k"), pl_bytes("v", PL_STORE_VALUE_MAX + 1ul)) == PL_EINVALID);
    CHECK(pl_txn_put(txn, pl_str("\xff\xff mine"), pl_str("v")) == PL_EINVALID);
    CHECK(pl_txn_delete(txn, pl_bytes(long_key, PL_STORE_KEY_MAX + 1)) == PL_ENOTFOUND);
    CHECK(pl_txn_put(txn, pl_bytes(long_key, PL_STORE_KEY_MAX), pl_str("v")) == 0);
    CHECK(pl_txn_commit(txn) == 0); /* a refusal does not spoil the transaction */
    pl_store_close(store);
}

static void a_cursor_steps_in_order_and_ends_before_the_stores_own(void)
{
    struct pl_store *store = fresh_store("cursor", (struct pl_store_options){ 0 });
    struct pl_bytes key, value;
    struct pl_reader *reader;
    struct pl_cursor *cursor;
    struct pl_txn *txn;

    CHECK(pl_txn_begin(store, &txn) == 0);
    CHECK(pl_txn_put_identity(txn, pl_str("me")) == 0);
    CHECK(pl_txn_commit(txn) == 0);
    CHECK(pl_reader_open(store, &reader) == 0);
    CHECK(pl_reader_renew(reader, &txn) == 0);
    CHECK(pl_txn_get_identity(txn, &value) == 0 && pl_bytes_equal(value, pl_str("me")));
    CHECK(pl_txn_get(txn, pl_str("\xff\xffidentity"), &value) == PL_ENOTFOUND);
    CHECK(pl_cursor_open(txn, &cursor) == 0);
    CHECK(pl_cursor_seek(cursor, pl_str(""), &key, &value) == PL_ENOTFOUND);
    CHECK(pl_cursor_seek_before(cursor, pl_str("z"), &key, &value) == PL_ENOTFOUND);
    CHECK(pl_cursor_seek_before(cursor, pl_str("\xff\xff\xff"), &key, &value) == PL_ENOTFOUND);
    CHECK(put_one(store, "b", pl_str("1")) == 0 && put_one(store, "d", pl_str("2")) == 0 &&
          put_one(store, "f", pl_str("3")) == 0);

    pl_reader_reset(reader);
    CHECK(pl_reader_renew(reader, &txn) == 0);
    CHECK(pl_cursor_renew(cursor, txn) == 0);
    CHECK(pl_cursor_seek(cursor, pl_str("c"), &key, &value) == 0 && pl_bytes_equal(key, pl_str("d")));
    CHECK(pl_bytes_equal(value, pl_str("2")));
    CHECK(pl_cursor_next(cursor, &key, NULL) == 0 && pl_bytes_equal(key, pl_str("f")));
    CHECK(pl_cursor_next(cursor, &key, NULL) == PL_ENOTFOUND);
    CHECK(pl_cursor_seek(cursor, pl_str("d"), NULL, NULL) == 0);
    CHECK(pl_cursor_prev(cursor, &key, NULL) == 0 && pl_bytes_equal(key, pl_str("b")));
    CHECK(pl_cursor_prev(cursor, &key, NULL) == PL_ENOTFOUND);
    CHECK(pl_cursor_seek_before(cursor, pl_str("d"), &key, NULL) == 0 && pl_bytes_equal(key, pl_str("b")));
    CHECK(pl_cursor_seek_before(cursor, pl_str("zzz"), &key, NULL) == 0 && pl_bytes_equal(key, pl_str("f")));
    CHECK(pl_cursor_seek_before(cursor, pl_str("\xff\xff\xff"), &key, NULL) == 0);
    CHECK(pl_bytes_equal(key, pl_str("f")));
    CHECK(pl_cursor_seek_before(cursor, pl_str("b"), &key, NULL) == PL_ENOTFOUND);
    CHECK(pl_cursor_seek(cursor, pl_str("g"), &key, NULL) == PL_ENOTFOUND);
    pl_cursor_close(cursor);
    pl_reader_close(reader);
    pl_store_close(store);
}

static void a_cursor_of_a_write_sees_its_own_changes(void)
{
    struct pl_store *store = fresh_store("write-cursor", (struct pl_store_options){ 0 });
    struct pl_bytes key, value;
    struct pl_cursor *cursor;
    struct pl_txn *txn;

    CHECK(pl_txn_begin(store, &txn) == 0);
    CHECK(pl_txn_put(txn, pl_str("a"), pl_str("1")) == 0);
    CHECK(pl_cursor_open(txn, &cursor) == 0);
    CHECK(pl_cursor_seek(cursor, pl_str(""), &key, &value) == 0 && pl_bytes_equal(value, pl_str("1")));
    pl_cursor_close(cursor);
    CHECK(pl_txn_commit(txn) == 0);
    pl_store_close(store);
}

static void a_snapshot_stays_as_it_was(void)
{
    struct pl_store *store = fresh_store("snapshot", (struct pl_store_options){ 0 });
    struct pl_store_lag lag;
    struct pl_reader *reader;
    struct pl_bytes value;
    struct pl_txn *txn;
    uint64_t then;

    CHECK(put_one(store, "a", pl_str("old")) == 0);
    CHECK(pl_reader_open(store, &reader) == 0);
    CHECK(pl_reader_renew(reader, &txn) == 0);
    then = pl_txn_id(txn);
    for (int i = 0; i < 50; i++)
        CHECK(put_one(store, "a", pl_str("new")) == 0);
    CHECK(pl_txn_get(txn, pl_str("a"), &value) == 0 && pl_bytes_equal(value, pl_str("old")));
    pl_store_lag(store, &lag);
    CHECK(lag.oldest_txn_id == then && lag.last_txn_id == then + 50 && lag.reader_count == 1);
    CHECK(lag.pinned_txn_id == lag.last_txn_id);
    pl_reader_reset(reader);
    pl_reader_reset(reader);
    pl_store_lag(store, &lag);
    CHECK(lag.oldest_txn_id == lag.last_txn_id);
    CHECK(holds(reader, "a", "new"));
    pl_reader_close(reader);
    pl_store_close(store);
}

static uint64_t file_bytes_after(struct pl_store *store, int commits)
{
    static char value[3000];
    struct pl_store_room room;

    for (int i = 0; i < commits; i++)
        put_one(store, "a", pl_bytes(value, sizeof value));
    return pl_store_room(store, &room) == 0 ? room.file_bytes : 0;
}

static void a_reader_that_was_reset_lets_pages_be_used_again(void)
{
    struct pl_store *store = fresh_store("reuse", (struct pl_store_options){ 0 });
    struct pl_reader *reader;
    struct pl_txn *txn;
    uint64_t before;

    CHECK(pl_reader_open(store, &reader) == 0);
    before = file_bytes_after(store, 20);
    CHECK(file_bytes_after(store, 500) <= before + 8 * 4096);
    CHECK(pl_reader_renew(reader, &txn) == 0);
    pl_reader_reset(reader);
    CHECK(file_bytes_after(store, 500) <= before + 8 * 4096);
    CHECK(pl_reader_renew(reader, &txn) == 0);
    CHECK(file_bytes_after(store, 500) > before + 400 * 4096); /* and one that was not, does not */
    pl_reader_close(reader);
    pl_store_close(store);
}

static void readers_are_counted_and_their_slots_come_back(void)
{
    struct pl_store *store = fresh_store("readers", (struct pl_store_options){ .readers_max = 10 });
    struct pl_reader *readers[64];
    int opened = 0, again = 0, rc;

    while ((rc = pl_reader_open(store, &readers[opened])) == 0)
        opened++;
    CHECK(rc == PL_ELIMIT && opened >= 10);
    for (int i = 0; i < opened; i++)
        pl_reader_close(readers[i]);
    while (again < opened && pl_reader_open(store, &readers[again]) == 0)
        again++;
    CHECK(again == opened);
    CHECK(put_one(store, "a", pl_str("writes need no slot")) == 0);
    for (int i = 0; i < opened; i++)
        pl_reader_close(readers[i]);
    pl_store_close(store);
}

static void the_same_file_is_opened_once(void)
{
    struct pl_store *store = fresh_store("twice", (struct pl_store_options){ 0 }), *second = NULL;
    struct pl_store_options options = { .create = true };
    struct pl_reason why = { 0 };
    char other[PATH_MAX];

    snprintf(other, sizeof other, "%s/./twice", scratch());
    CHECK(pl_store_open(other, &options, &second, &why) == PL_EINUSE);
    CHECK(second == NULL && strstr(why.text, "already") != NULL);
    CHECK(put_one(store, "a", pl_str("still mine")) == 0);
    pl_store_close(store);
    CHECK(pl_store_open(other, &options, &second, &why) == 0);
    pl_store_close(second);
}

static void a_store_that_is_not_there_is_not_made_unasked(void)
{
    struct pl_store_options options = { 0 };
    struct pl_store *store;
    struct pl_reason why = { 0 };
    const char *path = scratch_fresh("absent");

    CHECK(pl_store_open(path, &options, &store, &why) == PL_ENOTFOUND);
    CHECK(access(path, F_OK) != 0);
}

static void a_file_that_is_no_store_is_refused(void)
{
    struct pl_store_options options = { 0 };
    struct pl_store *store;
    struct pl_reason why = { 0 };
    char *path = scratch_fresh("alien");
    char text[16384];

    memset(text, 'x', sizeof text);
    scratch_write(path, text, sizeof text);
    CHECK(pl_store_open(path, &options, &store, &why) == PL_ECORRUPT);
    CHECK(strstr(why.text, path) != NULL);
}

static void a_file_is_its_owners_alone(void)
{
    struct pl_store *store = fresh_store("mode", (struct pl_store_options){ 0 });
    struct stat info;

    CHECK(stat(pl_store_path(store), &info) == 0 && (info.st_mode & 0777) == 0600);
    pl_store_close(store);
}

static void after_fork_the_child_keeps_its_hands_off(void)
{
    struct pl_store *store = fresh_store("fork", (struct pl_store_options){ 0 });
    struct pl_reader *reader;
    struct pl_txn *txn;
    int status;
    pid_t child;

    CHECK(put_one(store, "a", pl_str("parent")) == 0);
    CHECK(pl_reader_open(store, &reader) == 0);
    CHECK(pl_reader_renew(reader, &txn) == 0);
    child = fork();
    if (child == 0) {
        struct pl_reader *other;
        struct pl_txn *t;
        int ok = put_one(store, "a", pl_str("child")) == PL_ECLOSED &&
                 pl_reader_open(store, &other) == PL_ECLOSED && pl_reader_renew(reader, &t) == PL_ECLOSED;

        pl_reader_close(reader);
        pl_store_close(store);
        _exit(ok ? 0 : 1);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(holds(reader, "a", "parent"));
    CHECK(put_one(store, "a", pl_str("goes on")) == 0 && holds(reader, "a", "goes on"));
    pl_reader_close(reader);
    pl_store_close(store);
}

/* A process that is killed while it reads leaves its slot behind, and with it every page. */
static void dead_readers_are_cleared(void)
{
    struct pl_store *store;
    uint32_t count = 99;
    int ready[2], status;
    char byte;
    pid_t child;

    scratch_fresh("dead");
    CHECK(pipe(ready) == 0);
    child = fork();
    if (child == 0) {
        struct pl_store *own = open_store("dead", (struct pl_store_options){ 0 });
        struct pl_reader *reader;
        struct pl_txn *txn;

        if (own == NULL || put_one(own, "a", pl_str("1")) != 0 || pl_reader_open(own, &reader) != 0 ||
            pl_reader_renew(reader, &txn) != 0 || write(ready[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(ready[1]);
    CHECK(read(ready[0], &byte, 1) == 1);
    close(ready[0]);
    store = open_store("dead", (struct pl_store_options){ 0 });
    CHECK(store != NULL);
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, &status, 0) == child);
    CHECK(pl_store_reap_readers(store, &count) == 0 && count == 1);
    CHECK(pl_store_reap_readers(store, &count) == 0 && count == 0);
    pl_store_close(store);
}

static void a_full_map_refuses_puts_and_the_store_goes_on(void)
{
    struct pl_store *store = fresh_store("full", (struct pl_store_options){ .map_bytes_max = 1 << 20 });
    static char value[2000];
    struct pl_reader *reader;
    struct pl_store_room room;
    struct pl_txn *txn;
    char key[16];
    int rc = 0, puts = 0;

    CHECK(store != NULL);
    CHECK(pl_store_room(store, &room) == 0 && room.map_bytes_max == 1 << 20);
    do {
        snprintf(key, sizeof key, "k%06d", puts);
        rc = put_one(store, key, pl_bytes(value, sizeof value));
        puts++;
    } while (rc == 0 && puts < 100000);
    CHECK(rc == PL_EFULL);
    CHECK(pl_store_room(store, &room) == 0 && room.low && room.used_bytes > room.map_bytes_max / 10 * 9);
    CHECK(pl_store_grow(store) == PL_EFULL);
    CHECK(pl_txn_begin(store, &txn) == 0);
    do {
        snprintf(key, sizeof key, "x%06d", puts++);
        rc = pl_txn_put(txn, pl_str(key), pl_bytes(value, sizeof value));
    } while (rc == 0);
    CHECK(rc == PL_EFULL);
    CHECK(pl_txn_commit(txn) == PL_EFULL); /* no half of it */
    CHECK(pl_reader_open(store, &reader) == 0);
    CHECK(pl_reader_renew(reader, &txn) == 0);
    CHECK(pl_txn_get(txn, pl_str("k000000"), &(struct pl_bytes){ 0 }) == 0);
    pl_reader_close(reader);
    pl_store_close(store);
}

/* With a tenth of the map kept free, as `low` says, what is full can be emptied and filled again. */
static void deletes_go_on_when_room_is_low_and_make_room(void)
{
    struct pl_store *store = fresh_store("low", (struct pl_store_options){ .map_bytes_max = 2 << 20 });
    static char value[2000];
    struct pl_store_room room = { 0 };
    struct pl_txn *txn;
    char key[16];

    for (int round = 0; round < 3; round++) {
        int puts = 0;

        while (pl_store_room(store, &room) == 0 && room.used_bytes < room.map_bytes_max / 10 * 9) {
            snprintf(key, sizeof key, "k%06d", puts++);
            CHECK(put_one(store, key, pl_bytes(value, sizeof value)) == 0);
        }
        CHECK(room.low && puts > 300);
        for (int i = 0; i < puts; i++) {
            snprintf(key, sizeof key, "k%06d", i);
            CHECK(pl_txn_begin(store, &txn) == 0);
            CHECK(pl_txn_delete(txn, pl_str(key)) == 0);
            CHECK(pl_txn_commit(txn) == 0);
        }
        CHECK(pl_store_room(store, &room) == 0 && room.used_bytes < room.map_bytes_max / 2);
    }
    pl_store_close(store);
}

static void the_map_grows_while_others_read(void)
{
    struct pl_store *store =
        fresh_store("grow", (struct pl_store_options){ .map_bytes = 1 << 20, .map_bytes_max = 64 << 20 });
    static char value[30000];
    struct pl_reader *reader, *pin;
    struct pl_txn *txn;
    uint64_t pinned, first;
    char key[16];

    CHECK(store != NULL);
    CHECK(pl_reader_open(store, &reader) == 0 && pl_pin_open(store, &pin) == 0);
    CHECK(put_one(store, "k", pl_str("v")) == 0);
    CHECK(pl_pin_take(pin, &pinned) == 0);
    for (int i = 0; i < 500; i++) {
        snprintf(key, sizeof key, "k%06d", i);
        CHECK(put_one(store, key, pl_bytes(value, sizeof value)) == 0);
        CHECK(holds(reader, "k", "v"));
        pl_reader_reset(reader);
    }
    CHECK(pl_reader_renew(reader, &txn) == 0);
    first = pl_txn_id(txn);
    CHECK(first == pinned + 500);
    CHECK(pl_store_grow(store) == PL_EOVERLOAD || pl_store_grow(store) == PL_EFULL); /* we hold a snapshot */
    CHECK(pl_txn_get(txn, pl_str("k"), &(struct pl_bytes){ 0 }) == 0);
    pl_reader_close(reader);
    pl_reader_close(pin);
    pl_store_close(store);
}

struct reading {
    struct pl_store *store;
    atomic_bool stop;
    atomic_int wrong;
};

static void *read_all_the_time(void *arg)
{
    struct reading *r = arg;
    struct pl_reader *reader;
    struct pl_cursor *cursor = NULL;
    struct pl_bytes key, value;
    struct pl_txn *txn;
    int rc;

    if (pl_reader_open(r->store, &reader) != 0)
        return NULL;
    while (!atomic_load(&r->stop)) {
        if (pl_reader_renew(reader, &txn) != 0 ||
            (cursor == NULL ? pl_cursor_open(txn, &cursor) : pl_cursor_renew(cursor, txn)) != 0) {
            atomic_fetch_add(&r->wrong, 1);
            break;
        }
        for (rc = pl_cursor_seek(cursor, pl_str(""), &key, &value); rc == 0;)
            rc = pl_cursor_next(cursor, &key, &value);
        if (rc != PL_ENOTFOUND)
            atomic_fetch_add(&r->wrong, 1);
        pl_reader_reset(reader);
    }
    pl_cursor_close(cursor);
    pl_reader_close(reader);
    return NULL;
}

static void readers_in_threads_see_whole_states_while_the_map_moves(void)
{
    struct reading r = { .store = fresh_store(
                             "threads",
                             (struct pl_store_options){ .map_bytes = 1 << 20, .map_bytes_max = 256 << 20 }) };
    static char value[20000];
    pthread_t threads[3];
    char key[16];

    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&threads[i], NULL, read_all_the_time, &r) == 0);
    for (int i = 0; i < 300; i++) {
        int rc;

        snprintf(key, sizeof key, "k%06d", i % 200);
        rc = put_one(r.store, key, pl_bytes(value, sizeof value));
        if (rc == PL_EFULL) /* the readers did not let go in time: then again */
            i--;
        else
            CHECK(rc == 0);
    }
    atomic_store(&r.stop, true);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    CHECK(atomic_load(&r.wrong) == 0);
    pl_store_close(r.store);
}

/* How long the slowest renewal took. */
static void *renew_all_the_time(void *arg)
{
    struct reading *r = arg;
    struct timespec before, after;
    struct pl_reader *reader;
    struct pl_txn *txn;

    if (pl_reader_open(r->store, &reader) != 0)
        return NULL;
    while (!atomic_load(&r->stop)) {
        int64_t ms;

        clock_gettime(CLOCK_MONOTONIC, &before);
        if (pl_reader_renew(reader, &txn) != 0)
            break;
        clock_gettime(CLOCK_MONOTONIC, &after);
        pl_reader_reset(reader);
        ms = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
        if (ms > atomic_load(&r->wrong))
            atomic_store(&r->wrong, (int)ms);
    }
    pl_reader_close(reader);
    return NULL;
}

/* Growth waits for us, and another who comes while it waits stands before the gate until it has given up. */
static void nobody_gets_a_snapshot_while_growth_waits(void)
{
    struct reading r = { .store =
                             fresh_store("gate", (struct pl_store_options){ .map_bytes = 1 << 20,
                                                                            .map_bytes_max = 256 << 20 }) };
    struct pl_reader *reader;
    struct pl_txn *txn;
    pthread_t thread;
    int tries = 0;

    CHECK(pl_reader_open(r.store, &reader) == 0 && pl_reader_renew(reader, &txn) == 0);
    CHECK(pthread_create(&thread, NULL, renew_all_the_time, &r) == 0);
    for (; atomic_load(&r.wrong) < 20 && tries < 100; tries++)
        CHECK(pl_store_grow(r.store) == PL_EOVERLOAD);
    atomic_store(&r.stop, true);
    pthread_join(thread, NULL);
    CHECK(tries < 100);
    pl_reader_reset(reader);
    CHECK(pl_store_grow(r.store) == 0);
    pl_reader_close(reader);
    pl_store_close(r.store);
}

/* Some children must fail; what they write to stderr is in the way of nobody. */
static int run_child(void (*body)(void))
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        body();
        _exit(0);
    }
    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void fill_a_limited_file(void)
{
    struct rlimit limit = { .rlim_cur = (1 << 20) + 6000,
                            .rlim_max = (1 << 20) + 6000 }; /* amid a page: cut short */
    struct pl_store *store;
    static char value[30000];
    struct pl_reader *reader;
    struct pl_txn *txn;
    char key[16];
    int rc = 0, puts = 0;

    signal(SIGXFSZ, SIG_IGN);
    store = fresh_store("limited", (struct pl_store_options){ 0 });
    if (store == NULL || setrlimit(RLIMIT_FSIZE, &limit) != 0)
        _exit(2);
    for (; rc == 0 && puts < 1000; puts++) {
        snprintf(key, sizeof key, "k%06d", puts);
        rc = put_one(store, key, pl_bytes(value, sizeof value));
    }
    if (rc != PL_EFULL || puts < 10)
        _exit(3);
    if (pl_reader_open(store, &reader) != 0 || pl_reader_renew(reader, &txn) != 0 ||
        pl_txn_get(txn, pl_str("k000000"), &(struct pl_bytes){ 0 }) != 0)
        _exit(4);
    if (pl_txn_get(txn, pl_str(key), &(struct pl_bytes){ 0 }) != PL_ENOTFOUND)
        _exit(5);
    pl_reader_close(reader);
    for (int i = 0; i + 1 < puts; i++) { /* deletes find pages inside the file */
        snprintf(key, sizeof key, "k%06d", i);
        if (pl_txn_begin(store, &txn) != 0 || pl_txn_delete(txn, pl_str(key)) != 0 || pl_txn_commit(txn) != 0)
            _exit(i == 0 ? 6 : 7);
    }
    if (put_one(store, "again", pl_str("room")) != 0)
        _exit(8);
    pl_store_close(store);
}

static void a_full_disk_refuses_puts_and_the_store_goes_on(void)
{
    int status = run_child(fill_a_limited_file);

    CHECK_MSG(status == 0, "step %d", status);
}

#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__ /* they need the address space themselves */
static void open_with_little_address_space(void)
{
    struct rlimit limit = { .rlim_cur = UINT64_C(1) << 30, .rlim_max = UINT64_C(1) << 30 };
    struct pl_store *store;
    struct pl_store_room room;

    if (setrlimit(RLIMIT_AS, &limit) != 0)
        _exit(2);
    store = fresh_store("rationed", (struct pl_store_options){ 0 });
    if (store == NULL)
        _exit(3);
    if (put_one(store, "a", pl_str("1")) != 0 || pl_store_room(store, &room) != 0)
        _exit(4);
    pl_store_close(store);
}

static void rationed_address_space_gives_a_smaller_map(void)
{
    CHECK(run_child(open_with_little_address_space) == 0);
}
#endif

/* Every byte of the value, of its checksum and of its key, in the file and behind LMDB's back. */
static void rot_in_a_value_is_never_read_as_data(void)
{
    struct pl_store *store = fresh_store("rot", (struct pl_store_options){ 0 });
    char path[PATH_MAX];
    struct pl_reader *reader;
    struct pl_cursor *cursor;
    struct pl_bytes value;
    struct pl_txn *txn;
    unsigned char *bytes;
    size_t len, at = 0;
    int caught = 0;

    snprintf(path, sizeof path, "%s", pl_store_path(store));
    CHECK(put_one(store, "a key", pl_str("a value that is found in the file")) == 0);
    pl_store_close(store);
    bytes = scratch_read(path, &len);
    for (size_t i = 0; i + 21 < len; i++)
        if (memcmp(bytes + i, "a value that is found", 21) == 0)
            at = i;
    CHECK(at != 0);
    for (size_t i = at - PL_STORE_CHECKSUM_BYTES; i < at + 33; i++) {
        bytes[i] ^= 0x10;
        scratch_write(path, bytes, len);
        bytes[i] ^= 0x10;
        store = open_store("rot", (struct pl_store_options){ 0 });
        CHECK(pl_reader_open(store, &reader) == 0 && pl_reader_renew(reader, &txn) == 0);
        caught += pl_txn_get(txn, pl_str("a key"), &value) == PL_ECORRUPT;
        CHECK(pl_cursor_open(txn, &cursor) == 0);
        caught += pl_cursor_seek(cursor, pl_str(""), NULL, NULL) == PL_ECORRUPT;
        pl_cursor_close(cursor);
        pl_reader_close(reader);
        pl_store_close(store);
    }
    CHECK(caught == 2 * (33 + PL_STORE_CHECKSUM_BYTES));
    bytes[at - PL_STORE_CHECKSUM_BYTES - 1] ^= 1; /* the key's last byte: a value under a wrong key */
    scratch_write(path, bytes, len);
    store = open_store("rot", (struct pl_store_options){ 0 });
    CHECK(pl_reader_open(store, &reader) == 0 && pl_reader_renew(reader, &txn) == 0);
    CHECK(pl_txn_get(txn, pl_str("a kex"), &value) == PL_ECORRUPT);
    pl_reader_close(reader);
    pl_store_close(store);
    free(bytes);
}

static void random_writes_agree_with_a_model(void)
{
    struct pl_store *store = fresh_store("model", (struct pl_store_options){ 0 });
    static uint32_t model[300]; /* 0: absent; else the value's length, and its bytes */
    static char space[9000];
    uint64_t seed = test_seed();
    struct pl_reader *reader;
    struct pl_bytes value;
    struct pl_txn *txn;
    char key[16];

    CHECK(pl_reader_open(store, &reader) == 0);
    for (int turn = 0; turn < 200; turn++) {
        CHECK(pl_txn_begin(store, &txn) == 0);
        for (int i = 0; i < 10; i++) {
            uint32_t n = (uint32_t)(test_random(&seed) % 300),
                     len = 1 + (uint32_t)(test_random(&seed) % 8999);

            snprintf(key, sizeof key, "%u", n);
            if (test_random(&seed) % 3 == 0) {
                CHECK(pl_txn_delete(txn, pl_str(key)) == (model[n] != 0 ? 0 : PL_ENOTFOUND));
                model[n] = 0;
            } else {
                memset(space, (int)(len & 0xff), len);
                CHECK(pl_txn_put(txn, pl_str(key), pl_bytes(space, len)) == 0);
                model[n] = len;
            }
        }
        CHECK(pl_txn_dirty_bytes(txn) >= 10 * 4096);
        CHECK(pl_txn_commit(txn) == 0);
        CHECK(pl_reader_renew(reader, &txn) == 0);
        for (uint32_t n = 0; n < 300; n++) {
            int rc;

            snprintf(key, sizeof key, "%u", n);
            rc = pl_txn_get(txn, pl_str(key), &value);
            CHECK(rc == (model[n] != 0 ? 0 : PL_ENOTFOUND));
            CHECK(rc != 0 ||
                  (value.len == model[n] && (uint8_t)value.data[value.len - 1] == (model[n] & 0xff)));
        }
        pl_reader_reset(reader);
    }
    pl_reader_close(reader);
    pl_store_close(store);
}

/* ---- looking ahead ---- */

enum { AHEAD_KEYS = 3000 };

/* Of all lengths, in no order; the n-th is one of its own. */
static struct pl_bytes ahead_key(uint32_t n, char *space)
{
    size_t len = 8 + n * 7 % (PL_STORE_KEY_MAX - 8);

    memset(space, 'a' + (int)(n % 3), len);
    pl_put_be32(space + 1, n * UINT32_C(2654435761));
    return pl_bytes(space, len);
}

static int put_ahead_keys(struct pl_store *store, uint32_t from, uint32_t to)
{
    static char value[6000]; /* some values have pages of their own */
    struct pl_txn *txn;
    int rc = pl_txn_begin(store, &txn);

    for (uint32_t n = from; n < to && rc == 0; n += 2) {
        char space[PL_STORE_KEY_MAX];

        rc = pl_txn_put(txn, ahead_key(n, space), pl_bytes(value, n % 50 == 0 ? sizeof value : n % 300));
    }
    if (rc == 0 && from == 0)
        rc = pl_txn_put_identity(txn, pl_str("whose this is"));
    if (rc != 0)
        return rc;
    return pl_txn_commit(txn);
}

/* How many of sixteen keys from `n` on it comes upon. */
static size_t look_ahead(struct pl_txn *txn, uint32_t n)
{
    char spaces[PL_STORE_PREFETCH_MAX][PL_STORE_KEY_MAX];
    struct pl_bytes keys[PL_STORE_PREFETCH_MAX];

    for (uint32_t i = 0; i < PL_STORE_PREFETCH_MAX; i++)
        keys[i] = ahead_key(n + i, spaces[i]);
    return pl_txn_prefetch(txn, keys, PL_STORE_PREFETCH_MAX);
}

static void looking_ahead_comes_upon_the_keys_that_are_there(void)
{
    struct pl_store_options options = { .map_bytes = 32 << 20, .map_bytes_max = 256 << 20 };
    struct pl_store *store = fresh_store("ahead", options);
    struct pl_bytes edges[] = { pl_str("!"), pl_str("zzz") };
    struct pl_reader *reader;
    struct pl_txn *txn;

    CHECK(pl_reader_open(store, &reader) == 0 && pl_reader_renew(reader, &txn) == 0);
    CHECK(look_ahead(txn, 0) == 0); /* nothing is there, not even an owner */
    CHECK(put_ahead_keys(store, 0, AHEAD_KEYS) == 0);
    CHECK(look_ahead(txn, 0) == 0); /* not in this snapshot */
    CHECK(pl_reader_renew(reader, &txn) == 0);
    for (uint32_t n = 0; n < AHEAD_KEYS - PL_STORE_PREFETCH_MAX; n += 5)
        CHECK(look_ahead(txn, n) == PL_STORE_PREFETCH_MAX / 2); /* every other key was put */
    CHECK(pl_txn_prefetch(txn, edges, 2) == 0 && pl_txn_prefetch(txn, edges, 0) == 0);
    pl_reader_reset(reader);
    CHECK(pl_store_grow(store) == 0); /* the map moves */
    CHECK(put_ahead_keys(store, 1, AHEAD_KEYS) == 0);
    CHECK(pl_reader_renew(reader, &txn) == 0 && look_ahead(txn, 100) == PL_STORE_PREFETCH_MAX);
    /* Two commits later the meta page of this snapshot is another's: then it looks nowhere. */
    CHECK(put_one(store, "one", pl_str("1")) == 0 && look_ahead(txn, 100) == PL_STORE_PREFETCH_MAX);
    CHECK(put_one(store, "two", pl_str("2")) == 0 && look_ahead(txn, 100) == 0);
    pl_reader_close(reader);
    pl_store_close(store);
}

int main(void)
{
    RUN(what_was_put_is_read_back);
    RUN(an_aborted_transaction_changes_nothing);
    RUN(keys_and_values_out_of_bounds_are_refused);
    RUN(a_cursor_steps_in_order_and_ends_before_the_stores_own);
    RUN(a_cursor_of_a_write_sees_its_own_changes);
    RUN(a_snapshot_stays_as_it_was);
    RUN(a_reader_that_was_reset_lets_pages_be_used_again);
    RUN(readers_are_counted_and_their_slots_come_back);
    RUN(the_same_file_is_opened_once);
    RUN(a_store_that_is_not_there_is_not_made_unasked);
    RUN(a_file_that_is_no_store_is_refused);
    RUN(a_file_is_its_owners_alone);
    RUN(after_fork_the_child_keeps_its_hands_off);
    RUN(dead_readers_are_cleared);
    RUN(a_full_map_refuses_puts_and_the_store_goes_on);
    RUN(deletes_go_on_when_room_is_low_and_make_room);
    RUN(the_map_grows_while_others_read);
    RUN(readers_in_threads_see_whole_states_while_the_map_moves);
    RUN(nobody_gets_a_snapshot_while_growth_waits);
    RUN(a_full_disk_refuses_puts_and_the_store_goes_on);
#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
    RUN(rationed_address_space_gives_a_smaller_map);
#endif
    RUN(rot_in_a_value_is_never_read_as_data);
    RUN(random_writes_agree_with_a_model);
    RUN(looking_ahead_comes_upon_the_keys_that_are_there);
    return test_summary();
}
