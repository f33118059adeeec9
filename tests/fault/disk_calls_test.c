/* SPDX-License-Identifier: MIT */
#include "fault_disk.h"
#include "rig.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Every call to the disk fails in turn, while a directory is made, written to, checkpointed, closed and
 * opened again. A ledger remembers what was acknowledged: with a sound disk all of it is there, and nothing
 * else but what was called unsure.
 */
enum { KEYS = 6, WRITES = 14 };

struct ledger {
    int is[KEYS];     /* version; 0: absent */
    int may_be[KEYS]; /* -1: nothing else */
    int last_version;
};

/* One life of an engine: the same requests again and again, each with a version of its own. */
struct life {
    struct fault_disk fault;
    struct rig rig;
    struct ledger ledger;
    bool opened; /* at least once, and the table is there */
    int acknowledged, refused, unsure;
};

static void note(struct life *life, int key, int version, int rc)
{
    struct ledger *ledger = &life->ledger;

    if (rc == 0) {
        ledger->is[key] = version;
        ledger->may_be[key] = -1;
        life->acknowledged++;
    } else if (rc == PL_EUNSURE) {
        ledger->may_be[key] = version;
        life->unsure++;
    } else {
        life->refused++;
    }
}

static int read_version(struct life *life, int key, int *version)
{
    char line[64], reply[256];
    const char *at;
    int rc;

    snprintf(line, sizeof line, "GET Ledger {\"Id\":\"k%d\"}", key);
    rc = rig_ask(&life->rig, line);
    if (rc != 0)
        return rc;
    /* The reply's bytes end without a zero, which strtol() and its like would look for. */
    snprintf(reply, sizeof reply, "%.*s", (int)life->rig.reply.len, life->rig.reply.data);
    at = strstr(reply, "\"V\":");
    *version = at == NULL ? 0 : atoi(at + 4);
    return 0;
}

static bool is_explained(struct life *life, int key)
{
    int version;

    if (read_version(life, key, &version) != 0)
        return false;
    return version == life->ledger.is[key] || version == life->ledger.may_be[key];
}

static void write_one(struct life *life, int i)
{
    bool failed_before = pl_node_failed(life->rig.node) != 0;
    int key = i % KEYS, version = 0, rc;
    char line[128];

    if (i % 5 == 4) {
        snprintf(line, sizeof line, "DEL Ledger {\"Id\":\"k%d\"}", key);
    } else {
        version = ++life->ledger.last_version;
        snprintf(line, sizeof line, "PUT Ledger {\"Id\":\"k%d\",\"V\":%d}", key, version);
    }
    rc = rig_ask(&life->rig, line);
    CHECK_MSG(rc != 0 || !failed_before, "a shard that has failed took a write");
    CHECK_MSG(!failed_before || rc == PL_EREADONLY || rc == PL_ENOTABLE, "%s", pl_error_name(rc));
    CHECK_MSG(rc == 0 || pl_node_failed(life->rig.node) != 0 || rc != PL_EUNSURE, "unsure, but goes on");
    note(life, key, version, rc);
    if (rc != PL_ENOTABLE)
        CHECK_MSG(is_explained(life, key), "%s: %s, then read: %.*s", line, pl_error_name(rc),
                  (int)life->rig.reply.len, life->rig.reply.data);
}

static void live(struct life *life)
{
    int rc;

    if (rig_open(&life->rig) != 0)
        return;
    rc = rig_ask(&life->rig, "CREATE Ledger "
                             "{\"partition_key\":\"Id:S\",\"stream\":\"new_image\",\"indexes\":{\"ByV\":{"
                             "\"partition_key\":\"V:N\"}}}");
    life->opened = life->opened || rc == 0 || rc == PL_EUNSURE || rc == PL_EINUSE;
    for (int i = 0; i < WRITES; i++) {
        rig_pass_ms(&life->rig, i % 6 == 5 ? 6000 : 300);
        write_one(life, i);
    }
    rig_ask(&life->rig, "CHECK");
    rig_close(&life->rig);
}

static void begin_life(struct life *life)
{
    *life = (struct life){ 0 };
    for (int i = 0; i < KEYS; i++)
        life->ledger.may_be[i] = -1;
    fault_disk_init(&life->fault, rig_disk());
    rig_init(&life->rig, &life->fault.disk);
}

/* With a sound disk: all that was acknowledged, nothing that was not, and an engine that goes on. */
static void judge(struct life *life)
{
    fault_disk_heal(&life->fault);
    CHECK_MSG(rig_open(&life->rig) == 0, "%s", life->rig.why.text);
    rig_ask(&life->rig, "CREATE Ledger "
                        "{\"partition_key\":\"Id:S\",\"stream\":\"new_image\",\"indexes\":{\"ByV\":{"
                        "\"partition_key\":\"V:N\"}}}");
    for (int key = 0; key < KEYS; key++)
        CHECK_MSG(is_explained(life, key), "k%d is %d or %d: %.*s", key, life->ledger.is[key],
                  life->ledger.may_be[key], (int)life->rig.reply.len, life->rig.reply.data);
    rig_must(&life->rig, "CHECK");
    CHECK_MSG(memmem(life->rig.reply.data, life->rig.reply.len, "\"ok\":true", 9) != NULL, "%.*s",
              (int)life->rig.reply.len, life->rig.reply.data);
    rig_must(&life->rig, "PUT Ledger {\"Id\":\"last\",\"V\":1}");
    CHECK(pl_node_failed(life->rig.node) == 0);
    rig_close(&life->rig);
    CHECK_MSG(life->fault.open_files == 0, "%lld files left open", (long long)life->fault.open_files);
}

static uint64_t sweep(unsigned calls, int rc, bool for_good, bool half)
{
    struct life life;
    bool failed = true;
    uint64_t n;

    for (n = 1; failed; n++) {
        begin_life(&life);
        life.fault.half = half;
        fault_disk_fail(&life.fault, calls, n, for_good, rc);
        live(&life);
        live(&life);
        failed = life.fault.failures > 0;
        if (getenv("PL_VERBOSE") != NULL)
            printf("call %llu: %d acknowledged, %d refused, %d unsure\n", (unsigned long long)n,
                   life.acknowledged, life.refused, life.unsure);
        judge(&life);
        rig_deinit(&life.rig);
    }
    return n - 2;
}

static void report(const char *what, uint64_t calls)
{
    printf("%llu calls, %s\n", (unsigned long long)calls, what);
    CHECK(calls > 20);
}

static void any_call_that_fails_once_costs_no_acknowledged_write(void)
{
    report("EIO once", sweep(FAULT_ANY, PL_EIO, false, false));
}

static void a_disk_that_dies_costs_no_acknowledged_write(void)
{
    report("EIO for good", sweep(FAULT_ANY, PL_EIO, true, false));
    report("EIO for good, half done", sweep(FAULT_WRITE | FAULT_SYNC | FAULT_ALLOCATE, PL_EIO, true, true));
}

static void a_disk_without_room_costs_no_acknowledged_write(void)
{
    report("ENOSPC once", sweep(FAULT_ANY, PL_EFULL, false, false));
    report("ENOSPC for good, half done", sweep(FAULT_ANY, PL_EFULL, true, true));
}

/* ---- what a failed sync does ------------------------------------------------------------------------ */

static void fail_a_sync(bool threads)
{
    struct life life;

    begin_life(&life);
    life.rig.threads = threads;
    CHECK_MSG(rig_open(&life.rig) == 0, "%s", life.rig.why.text);
    rig_must(&life.rig, "CREATE Ledger {\"partition_key\":\"Id:S\"}");
    rig_must(&life.rig, "PUT Ledger {\"Id\":\"k0\",\"V\":1}");
    life.ledger.is[0] = 1;
    fault_disk_fail(&life.fault, FAULT_SYNC, 1, false, PL_EIO);
    CHECK(rig_ask(&life.rig, "PUT Ledger {\"Id\":\"k0\",\"V\":2}") == PL_EUNSURE);
    life.ledger.may_be[0] = 2;
    CHECK(pl_node_failed(life.rig.node) == PL_EIO);
    CHECK(is_explained(&life, 0));
    CHECK(rig_ask(&life.rig, "PUT Ledger {\"Id\":\"k1\",\"V\":3}") == PL_EREADONLY);
    CHECK(rig_ask(&life.rig, "DEL Ledger {\"Id\":\"k0\"}") == PL_EREADONLY);
    CHECK(rig_ask(&life.rig, "DROP Ledger") == PL_EREADONLY);
    CHECK(rig_ask(&life.rig, "CHECK") == PL_EREADONLY);
    CHECK(rig_ask(&life.rig, "RELOAD") != 0);
    rig_close(&life.rig);
    judge(&life);
    rig_deinit(&life.rig);
}

static void after_a_failed_sync_nothing_more_is_written_and_all_is_read(void)
{
    fail_a_sync(false);
}

static void with_threads_too_everybody_gets_an_answer_after_a_failed_sync(void)
{
    fail_a_sync(true);
}

/* ---- a disk that is really full --------------------------------------------------------------------- */

/* Up to all there is. */
static void fill_up(const char *path, uint64_t leave_bytes)
{
    static char zeros[1 << 16];
    struct pl_disk disk = pl_disk_system();
    uint64_t free_bytes = 0;
    char name[PATH_MAX];
    int fd;

    snprintf(name, sizeof name, "%.4000s/filler", path);
    fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    for (;;) {
        CHECK(pl_disk_free_bytes(&disk, path, &free_bytes, NULL) == 0);
        if (free_bytes <= leave_bytes || write(fd, zeros, sizeof zeros) <= 0)
            break;
    }
    close(fd);
}

static void make_room(const char *path)
{
    char name[PATH_MAX];

    snprintf(name, sizeof name, "%.4000s/filler", path);
    unlink(name);
}

static int put_large(struct rig *rig, int n)
{
    static char line[70000];
    int len = snprintf(line, sizeof line, "PUT Ledger {\"Id\":\"n%d\",\"V\":%d,\"Text\":\"", n, n);

    memset(line + len, 'x', 60000);
    strcpy(line + len + 60000, "\"}");
    rig_pass_ms(rig, 300);
    return rig_ask(rig, line);
}

static void use_full_disk(struct rig *rig)
{
    int puts = 0, rc;

    CHECK_MSG(rig_open(rig) == 0, "%s", rig->why.text);
    rig_must(rig, "CREATE Ledger {\"partition_key\":\"Id:S\"}");
    rig_must(rig, "PUT Ledger {\"Id\":\"k0\",\"V\":1}");
    rig_must(rig, "CHECK");
    /* Little room: puts stop, with a sentence; the rest goes on. */
    fill_up(rig->home, 4 << 20);
    while ((rc = put_large(rig, puts)) == 0 && puts < 4000)
        puts++;
    CHECK_MSG(rc == PL_EFULL, "%s after %d puts", pl_error_name(rc), puts);
    CHECK(memmem(rig->reply.data, rig->reply.len, "disk is full", 12) != NULL);
    rig_must(rig, "GET Ledger {\"Id\":\"k0\"}");
    rig_must(rig, "DEL Ledger {\"Id\":\"k0\"}");
    /* No room at all: what is in memory cannot be put into the store, and that harms nobody. */
    fill_up(rig->home, 0);
    rig_pass_ms(rig, 6000);
    for (int i = 0; i < puts; i++) {
        char line[64];

        snprintf(line, sizeof line, "DEL Ledger {\"Id\":\"n%d\"}", i);
        rig_must(rig, line);
    }
    rc = rig_ask(rig, "CHECK");
    CHECK_MSG(rc == 0 || rc == PL_EFULL, "%s", pl_error_name(rc));
    CHECK(put_large(rig, 9999) == PL_EFULL);
    CHECK(pl_node_failed(rig->node) == 0);
    rig_must(rig, "SCAN Ledger");
    make_room(rig->home);
    rig_pass_ms(rig, 1000);
    rig_must(rig, "DEL Ledger {\"Id\":\"none\"}");
    CHECK_MSG((rc = put_large(rig, 1)) == 0, "%s: there is room again", pl_error_name(rc));
    rig_must(rig, "CHECK");
    CHECK(memmem(rig->reply.data, rig->reply.len, "\"ok\":true", 9) != NULL);
}

/* LMDB calls the system itself, so its lack of room must be real. */
static void a_full_disk_stops_puts_until_there_is_room(void)
{
    struct pl_disk disk = pl_disk_system();
    struct rig rig;

    rig_init(&rig, &disk);
    if (mount("perilune", rig.home, "tmpfs", 0, "size=256m") != 0) {
        printf("skipped: a small file system cannot be mounted here (%s)\n", strerror(errno));
        rig_deinit(&rig);
        return;
    }
    if (setjmp(test_failed) == 0) {
        use_full_disk(&rig);
        rig_close(&rig);
        CHECK_MSG(rig_open(&rig) == 0, "%s", rig.why.text);
        rig_must(&rig, "GET Ledger {\"Id\":\"n1\"}");
        CHECK(memmem(rig.reply.data, rig.reply.len, "xxxx", 4) != NULL);
        rig_close(&rig);
        umount(rig.home);
        rig_deinit(&rig);
        return;
    }
    umount2(rig.home, MNT_DETACH);
    rmdir(rig.home);
    test_fail_count++;
}

int main(void)
{
    RUN(after_a_failed_sync_nothing_more_is_written_and_all_is_read);
    RUN(with_threads_too_everybody_gets_an_answer_after_a_failed_sync);
    RUN(any_call_that_fails_once_costs_no_acknowledged_write);
    RUN(a_disk_that_dies_costs_no_acknowledged_write);
    RUN(a_disk_without_room_costs_no_acknowledged_write);
    RUN(a_full_disk_stops_puts_until_there_is_room);
    if (test_fail_count > 0)
        rig_give_up();
    return test_summary();
}
