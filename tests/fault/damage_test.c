/* SPDX-License-Identifier: MIT */
#include "check.h"
#include "rig.h"
#include "stock.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Directories with damage that no power loss leaves: flipped bits, cuts, pages and sectors that are zero,
 * have changed places or went elsewhere, files that are gone. Each is opened by a process of its own, which
 * reads all there is: it says what is wrong, or everything is right. PL_ROUNDS and PL_SEED make it longer
 * and other.
 */
enum {
    ROUNDS = 600,
    ITEMS = 300,
    ORDERS = 60,
    LATE_ORDERS = 12,
    OUTCOME_RIGHT = 0,
    OUTCOME_REFUSED = 3,
    OUTCOME_WRONG = 4
};

struct base {
    struct rig rig;
    const char *name;
    struct pl_buf dump;
};

/* ---- two directories -------------------------------------------------------------------------------- */

static void fill(struct rig *rig)
{
    char line[4096];

    stock_fill(rig);
    for (int i = 0; i < ITEMS; i++) {
        snprintf(line, sizeof line,
                 "PUT Messages "
                 "{\"ChatID\":\"d%d\",\"MsgID\":\"%04d\",\"UserID\":\"u%d\",\"Likes\":%d,\"Tag\":\"t%d\","
                 "\"Text\":\"%0*d\"}",
                 i % 17, i, i % 5, i, i % 3, i % 7 == 0 ? 3000 : 150, i);
        rig_must(rig, line);
    }
    for (int i = 0; i < ITEMS; i += 9) {
        snprintf(line, sizeof line, "DEL Messages {\"ChatID\":\"d%d\",\"MsgID\":\"%04d\"}", i % 17, i);
        rig_must(rig, line);
    }
}

static void order(struct rig *rig, int from, int to)
{
    char line[256];

    for (int i = from; i < to; i++) {
        snprintf(line, sizeof line, "PUT Orders {\"Id\":\"o%d\",\"Text\":\"%0*d\"%s}", i, 100, i,
                 i % 5 == 0 ? ",\"Poison\":true" : "");
        rig_must(rig, line);
    }
}

/* Without threads. False: a trigger cannot go on. The clock stands still, so a pause would not end. */
static bool run_triggers(struct rig *rig)
{
    return pl_node_run_triggers(rig->node, 1) == UINT64_MAX;
}

/* All that can be read, dead letters too. */
static int dump_all(struct rig *rig, struct pl_buf *out)
{
    int rc = rig_dump(rig, out);

    if (rc == 0)
        rc = rig_ask(rig, "DEADLETTERS Orders/tell LIMIT 1000");
    pl_buf_append_bytes(out, pl_buf_view(&rig->reply));
    return rc != 0 ? rc : pl_buf_status(out);
}

static void take_dump(struct base *base)
{
    CHECK(dump_all(&base->rig, &base->dump) == 0);
    CHECK(memmem(base->dump.data, base->dump.len, "the stream is not", 17) == NULL);
    CHECK(memmem(base->dump.data, base->dump.len, "\"Times\":1", 9) != NULL);
    CHECK(memmem(base->dump.data, base->dump.len, "poison", 6) != NULL);
}

static void make_clean(struct base *base)
{
    *base = (struct base){ .name = "stopped" };
    rig_init(&base->rig, NULL);
    base->rig.scripts = PL_TABLES;
    CHECK_MSG(rig_open(&base->rig) == 0, "%s", base->rig.why.text);
    fill(&base->rig);
    order(&base->rig, 0, ORDERS);
    CHECK(run_triggers(&base->rig));
    take_dump(base);
    rig_close(&base->rig);
}

static double figure(struct rig *rig, const char *table, const char *name)
{
    struct pl_buf text = { 0 };
    const char *at;
    double value;

    pl_node_stats(rig->attachment, pl_str(table), &text);
    pl_buf_append_byte(&text, '\0');
    at = strstr(text.data, name);
    CHECK_MSG(at != NULL, "%s", name);
    value = atof(at + strlen(name) + 2);
    pl_buf_deinit(&text);
    return value;
}

/* A second after the last write the journal notes that it is durable: from then on damage to it shows. */
static void wait_for_mark(struct rig *rig)
{
    double end = figure(rig, "", "journal_end");

    for (int i = 0; i < 1000 && figure(rig, "", "journal_durable") <= end; i++) {
        rig_pass_ms(rig, 1100);
        usleep(10000);
    }
    CHECK(figure(rig, "", "journal_durable") > end);
}

/* With threads: until nothing is left for the trigger to do. */
static void wait_for_trigger(struct rig *rig)
{
    for (int i = 0; i < 1000 && figure(rig, "Orders", "lag_records") > 0; i++)
        usleep(10000);
    CHECK(figure(rig, "Orders", "lag_records") == 0);
}

/* As a killed process leaves it: some in the store, some in the journal only. */
static void make_killed(struct base *base)
{
    char from[PATH_MAX];

    *base = (struct base){ .name = "killed" };
    rig_init(&base->rig, NULL);
    base->rig.threads = true;
    base->rig.scripts = PL_TABLES;
    CHECK_MSG(rig_open(&base->rig) == 0, "%s", base->rig.why.text);
    fill(&base->rig);
    order(&base->rig, 0, ORDERS);
    wait_for_trigger(&base->rig);
    rig_must(&base->rig, "CHECK"); /* with a checkpoint */
    for (int i = 0; i < 40; i++) {
        char line[256];

        snprintf(line, sizeof line,
                 "PUT Messages {\"ChatID\":\"e%d\",\"MsgID\":\"%d\",\"UserID\":\"u1\",\"Likes\":1}", i % 3,
                 i);
        rig_must(&base->rig, line);
    }
    order(&base->rig, ORDERS, ORDERS + LATE_ORDERS);
    wait_for_trigger(&base->rig);
    take_dump(base);
    wait_for_mark(&base->rig);
    snprintf(from, sizeof from, "%.4000s/killed", base->rig.home);
    rig_copy(base->rig.path, from);
    rig_close(&base->rig);
    snprintf(base->rig.path, sizeof base->rig.path, "%.4090s", from);
}

/* ---- damage ----------------------------------------------------------------------------------------- */

struct damage {
    uint64_t *seed;
    const char *dir;
    char sentence[512];
};

static uint64_t below(struct damage *d, uint64_t limit)
{
    return limit == 0 ? 0 : test_random(d->seed) % limit;
}

/* Where the last byte that is not in a hole stands: beyond it a segment is empty. */
static uint64_t used_bytes(int fd)
{
    struct stat stat;
    char bytes[4096];
    off_t at;

    if (fstat(fd, &stat) != 0)
        return 0;
    for (at = stat.st_size; at > 0; at -= (off_t)sizeof bytes) {
        off_t from = at > (off_t)sizeof bytes ? at - (off_t)sizeof bytes : 0;
        ssize_t got = pread(fd, bytes, (size_t)(at - from), from);

        for (ssize_t i = got - 1; i >= 0; i--)
            if (bytes[i] != 0)
                return (uint64_t)(from + i + 1);
        if (from == 0)
            break;
        if (lseek(fd, from - 1, SEEK_DATA) < 0 || lseek(fd, from - 1, SEEK_DATA) > from)
            at = from; /* in a hole: steps stay small, tests' files are */
    }
    return 0;
}

static void hit(struct damage *d, int fd, const char *file, uint64_t used)
{
    static const size_t sizes[] = { 4096, 512, 4096, 64 };
    size_t size = sizes[below(d, 4)];
    uint64_t at = below(d, used), block = at / size * size, other = below(d, used) / size * size;
    uint8_t one[4096] = { 0 }, two[4096] = { 0 }, byte = 0;
    const char *what = "";

    switch (below(d, 6)) {
    case 0:
    case 1:
        what = "flip a bit";
        (void)!pread(fd, &byte, 1, (off_t)at);
        byte ^= (uint8_t)(1u << below(d, 8));
        (void)!pwrite(fd, &byte, 1, (off_t)at);
        block = at;
        break;
    case 2:
        what = "cut";
        (void)!ftruncate(fd, (off_t)(below(d, 2) == 0 ? at : block));
        break;
    case 3:
        what = "zero";
        (void)!pwrite(fd, one, size, (off_t)block);
        break;
    case 4:
        what = "swap";
        (void)!pread(fd, one, size, (off_t)block);
        (void)!pread(fd, two, size, (off_t)other);
        (void)!pwrite(fd, two, size, (off_t)block);
        (void)!pwrite(fd, one, size, (off_t)other);
        break;
    default:
        what = "copy over another";
        (void)!pread(fd, one, size, (off_t)block);
        (void)!pwrite(fd, one, size, (off_t)other);
        break;
    }
    snprintf(d->sentence + strlen(d->sentence), sizeof d->sentence - strlen(d->sentence),
             " %s: %s at %llu of %llu, %zu bytes, other %llu;", file, what, (unsigned long long)block,
             (unsigned long long)used, size, (unsigned long long)other);
}

static void damage_file(struct damage *d, const char *pattern)
{
    char path[PATH_MAX];
    glob_t found;
    const char *file;
    int fd;

    snprintf(path, sizeof path, "%.3000s/%s", d->dir, pattern);
    if (glob(path, 0, NULL, &found) != 0)
        return; /* removed by the damage before */
    file = found.gl_pathv[below(d, found.gl_pathc)];
    if (below(d, 40) == 0) {
        unlink(file);
        snprintf(d->sentence + strlen(d->sentence), 200, " %s: removed;", file + strlen(d->dir));
    } else {
        fd = open(file, O_RDWR | O_CLOEXEC);
        CHECK_MSG(fd >= 0, "%s: %s", file, strerror(errno));
        hit(d, fd, file + strlen(d->dir), used_bytes(fd));
        close(fd);
    }
    globfree(&found);
}

static void damage(struct damage *d)
{
    int count = below(d, 4) == 0 ? 2 : 1;

    for (int i = 0; i < count; i++) {
        uint64_t which = below(d, 20);

        damage_file(d, which < 11 ? "data/*.mdb" : which < 19 ? "journal/0/*" : "format");
    }
}

/* ---- a process that opens it ------------------------------------------------------------------------ */

static int refused(struct rig *rig, int rc, const char *where)
{
    const char *text = rig->why.text[0] != '\0' ? rig->why.text : pl_reason_text(&rig->op.reply.why, rc);

    printf("%s: %s: %s\n", where, pl_error_name(rc), text);
    fflush(stdout);
    return strlen(text) > 10 ? OUTCOME_REFUSED : OUTCOME_WRONG;
}

/* Each item by its key, and each chat by an index: the ways that do not pass through everything. */
static int read_by_key(struct rig *rig)
{
    char line[256];

    for (int i = 0; i < ITEMS; i++) {
        int rc;

        snprintf(line, sizeof line, "GET Messages {\"ChatID\":\"d%d\",\"MsgID\":\"%04d\"}", i % 17, i);
        rc = rig_ask(rig, line);
        if (rc != 0)
            return refused(rig, rc, line);
        if ((memmem(rig->reply.data, rig->reply.len, "\"Likes\":", 8) != NULL) != (i % 9 != 0)) {
            printf("%s: %.*s\n", line, (int)rig->reply.len, rig->reply.data);
            return OUTCOME_WRONG;
        }
    }
    return OUTCOME_RIGHT;
}

/* A transaction whose token was forgotten would be done twice. */
static int repeat_transactions(struct rig *rig, const struct pl_buf *expected)
{
    struct pl_buf dump = { 0 };
    char line[512];
    bool same;
    int rc = 0;

    for (int i = 0; i < STOCK_TOKENS && rc == 0; i++)
        rc = rig_ask(rig, stock_transaction(i, line, sizeof line));
    if (rc == 0)
        rc = dump_all(rig, &dump);
    if (rc != 0)
        return refused(rig, rc, "transaction");
    same = pl_bytes_equal(pl_buf_view(&dump), pl_buf_view(expected));
    if (!same)
        printf("a transaction was done twice\n");
    pl_buf_deinit(&dump);
    return same ? OUTCOME_RIGHT : OUTCOME_WRONG;
}

/* A checkpoint that was forgotten, or stands too early, would have records handled twice. */
static int repeat_triggers(struct rig *rig, const struct pl_buf *expected)
{
    struct pl_buf dump = { 0 };
    bool same, ended = run_triggers(rig);
    int rc = ended ? dump_all(rig, &dump) : PL_EIO;

    if (rc != 0)
        return refused(rig, rc, "trigger");
    same = pl_bytes_equal(pl_buf_view(&dump), pl_buf_view(expected));
    if (!same)
        printf("a trigger handled what it had handled\n");
    pl_buf_deinit(&dump);
    return same ? OUTCOME_RIGHT : OUTCOME_WRONG;
}

/* What `perilune check` says of it: it may find more than a reader does, but never less. */
static bool check_says_ok(const char *path, bool *honest)
{
    struct pl_buf report = { 0 };
    struct pl_reason why = { { 0 } };
    int rc = pl_check_directory(path, &report, &why);
    bool says_ok = memmem(report.data, report.len, "\"ok\":true", 9) != NULL;

    *honest = says_ok == (rc == 0) && (rc == 0 || strlen(why.text) > 10);
    if (rc != 0)
        printf("check: %s: %s\n", pl_error_name(rc), why.text);
    pl_buf_deinit(&report);
    return rc == 0;
}

static int open_and_read(const char *path, const struct pl_buf *expected)
{
    struct rig rig;
    struct pl_buf dump = { 0 };
    int rc, outcome;

    rig_init(&rig, NULL);
    rig_remove(rig.home);
    snprintf(rig.path, sizeof rig.path, "%.4000s", path);
    rig.scripts = PL_TABLES;
    rc = rig_open(&rig);
    if (rc != 0)
        return refused(&rig, rc, "open");
    rc = dump_all(&rig, &dump);
    if (rc != 0)
        return refused(&rig, rc, "read");
    if (!pl_bytes_equal(pl_buf_view(&dump), pl_buf_view(expected))) {
        printf("what is read is not what was written\n");
        return OUTCOME_WRONG;
    }
    outcome = read_by_key(&rig);
    if (outcome == OUTCOME_RIGHT)
        outcome = repeat_transactions(&rig, expected);
    if (outcome == OUTCOME_RIGHT)
        outcome = repeat_triggers(&rig, expected);
    if (outcome != OUTCOME_RIGHT)
        return outcome;
    rc = rig_ask(&rig, "CHECK");
    if (rc != 0)
        return refused(&rig, rc, "check");
    rc = memmem(rig.reply.data, rig.reply.len, "\"ok\":true", 9) != NULL ? OUTCOME_RIGHT : OUTCOME_REFUSED;
    rig_ask(&rig, "PUT Scratch {\"Id\":\"after\"}");
    rig_close(&rig);
    return rc;
}

static int look(const char *path, const struct pl_buf *expected, bool check)
{
    /* By the machine's clock, which the check goes by, a rig's tokens are old: it must leave them alone. */
    bool honest = true, sound = !check || check_says_ok(path, &honest);
    int outcome = open_and_read(path, expected);

    if (!honest || (check && sound && outcome != OUTCOME_RIGHT)) {
        printf("perilune check was wrong about it\n");
        return OUTCOME_WRONG;
    }
    return outcome;
}

static int look_in_child(const char *path, const struct pl_buf *expected, bool check)
{
    int status;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        _exit(look(path, expected, check));
    CHECK(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* ---- */

static void undamaged_directories_are_right(void)
{
    struct base base;
    char copy[PATH_MAX];

    make_clean(&base);
    snprintf(copy, sizeof copy, "%.4000s/copy", base.rig.home);
    rig_copy(base.rig.path, copy);
    CHECK(look_in_child(copy, &base.dump, true) == OUTCOME_RIGHT);
    pl_buf_deinit(&base.dump);
    rig_deinit(&base.rig);
    make_killed(&base);
    snprintf(copy, sizeof copy, "%.4000s/copy", base.rig.home);
    rig_copy(base.rig.path, copy);
    CHECK(look_in_child(copy, &base.dump, true) == OUTCOME_RIGHT);
    pl_buf_deinit(&base.dump);
    rig_deinit(&base.rig);
}

static void damage_is_named_or_does_no_harm(void)
{
    struct base bases[2];
    const char *rounds_text = getenv("PL_ROUNDS");
    int rounds = rounds_text != NULL ? atoi(rounds_text) : ROUNDS, right = 0, named = 0;

    make_clean(&bases[0]);
    make_killed(&bases[1]);
    for (int i = 0; i < rounds; i++) {
        struct base *base = &bases[i % 2];
        uint64_t seed = test_seed() + (uint64_t)i * 7919;
        struct damage d = { .seed = &seed };
        char copy[PATH_MAX];
        int outcome;

        snprintf(copy, sizeof copy, "%.4000s/copy", base->rig.home);
        rig_copy(base->rig.path, copy);
        d.dir = copy;
        damage(&d);
        if (getenv("PL_VERBOSE") != NULL)
            printf("%d %s:%s ", i, base->name, d.sentence);
        outcome = look_in_child(copy, &base->dump, i % 3 == 0);
        CHECK_MSG(outcome == OUTCOME_RIGHT || outcome == OUTCOME_REFUSED,
                  "round %d, PL_SEED=%llu: outcome %d: %s:%s", i, (unsigned long long)test_seed(), outcome,
                  base->name, d.sentence);
        right += outcome == OUTCOME_RIGHT;
        named += outcome == OUTCOME_REFUSED;
        rig_remove(copy);
    }
    printf("%d damaged directories: %d said so, %d had all right\n", rounds, named, right);
    CHECK(named > 0 && right > 0);
    for (int i = 0; i < 2; i++) {
        pl_buf_deinit(&bases[i].dump);
        rig_deinit(&bases[i].rig);
    }
}

int main(void)
{
    RUN(undamaged_directories_are_right);
    RUN(damage_is_named_or_does_no_harm);
    if (test_fail_count > 0)
        rig_give_up();
    return test_summary();
}
