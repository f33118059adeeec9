/* SPDX-License-Identifier: MIT */
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NS_PER_MS UINT64_C(1000000)

static _Noreturn void die(const char *what, const char *detail)
{
    fprintf(stderr, "%s: %s\n", what, detail);
    exit(1);
}

/* ---- time and disk ---------------------------------------------------------------------------------- */

static uint64_t rig_monotonic_ns(void *state)
{
    return atomic_load(&((struct rig *)state)->now_ns);
}

static int64_t rig_wall_ms(void *state)
{
    return INT64_C(1700000000000) + (int64_t)(rig_monotonic_ns(state) / NS_PER_MS);
}

void rig_pass_ms(struct rig *rig, uint64_t ms)
{
    atomic_fetch_add(&rig->now_ns, ms * NS_PER_MS);
}

/* Nobody pulls the plug of a rig, so the room in a segment need not be real. */
static int allocate_hole(void *state, struct pl_file *file, uint64_t from, uint64_t to, bool paced,
                         struct pl_reason *why)
{
    struct pl_disk system = pl_disk_system();

    (void)state;
    (void)from;
    (void)paced;
    return pl_disk_truncate(&system, file, to, why);
}

/* ---- directories ------------------------------------------------------------------------------------ */

static int remove_entry(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
    (void)stat;
    (void)type;
    (void)walk;
    return remove(path);
}

void rig_remove(const char *path)
{
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void copy_data(int in, int out, off_t from, off_t to)
{
    char bytes[65536];

    while (from < to) {
        size_t most = (size_t)(to - from) < sizeof bytes ? (size_t)(to - from) : sizeof bytes;
        ssize_t got = pread(in, bytes, most, from);

        if (got <= 0 || pwrite(out, bytes, (size_t)got, from) != got)
            die("copying", strerror(errno));
        from += got;
    }
}

static void copy_file(const char *from, const char *to)
{
    int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    struct stat stat;
    off_t at = 0;

    if (in < 0 || out < 0 || fstat(in, &stat) != 0 || ftruncate(out, stat.st_size) != 0)
        die(from, strerror(errno));
    while (at < stat.st_size) {
        off_t data = lseek(in, at, SEEK_DATA);
        off_t hole = data < 0 ? stat.st_size : lseek(in, data, SEEK_HOLE);

        if (data >= 0)
            copy_data(in, out, data, hole);
        at = hole;
    }
    close(in);
    close(out);
}

static const char *copy_source, *copy_target;

static int copy_entry(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
    char to[PATH_MAX];

    (void)stat;
    (void)walk;
    snprintf(to, sizeof to, "%s%s", copy_target, path + strlen(copy_source));
    if (type == FTW_D) {
        if (mkdir(to, 0700) != 0)
            die(to, strerror(errno));
    } else {
        copy_file(path, to);
    }
    return 0;
}

void rig_copy(const char *from, const char *to)
{
    copy_source = from;
    copy_target = to;
    if (nftw(from, copy_entry, 16, FTW_PHYS) != 0)
        die("copying", from);
}

static const char *parent(void)
{
    return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
}

_Noreturn void rig_give_up(void)
{
    char pattern[64];
    glob_t found;

    snprintf(pattern, sizeof pattern, "%s/perilune-fault-%d-*", parent(), (int)getpid());
    if (getenv("PL_KEEP") == NULL && glob(pattern, 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            rig_remove(found.gl_pathv[i]);
    fflush(NULL);
    _exit(1);
}

struct pl_disk rig_disk(void)
{
    struct pl_disk disk = pl_disk_system();

    disk.allocate = allocate_hole;
    return disk;
}

void rig_init(struct rig *rig, const struct pl_disk *disk)
{
    *rig = (struct rig){ .partitions = 8 };
    atomic_init(&rig->now_ns, 1000 * NS_PER_MS);
    sem_init(&rig->woken, 0, 0);
    rig->disk = disk != NULL ? *disk : rig_disk();
    snprintf(rig->home, sizeof rig->home, "%s/perilune-fault-%d-XXXXXX", parent(), (int)getpid());
    if (mkdtemp(rig->home) == NULL)
        die("mkdtemp", strerror(errno));
    snprintf(rig->path, sizeof rig->path, "%.4000s/data", rig->home);
}

void rig_deinit(struct rig *rig)
{
    rig_close(rig);
    pl_operation_deinit(&rig->op);
    pl_buf_deinit(&rig->reply);
    rig_remove(rig->home);
    sem_destroy(&rig->woken);
}

/* ---- the engine ------------------------------------------------------------------------------------- */

static void wake(void *state)
{
    struct rig *rig = state;

    sem_post(&rig->woken);
}

int rig_open(struct rig *rig)
{
    struct pl_node_options options = { .data_path = rig->path,
                                       .scripts_path = rig->scripts,
                                       .partition_count = rig->partitions,
                                       .threads = rig->threads,
                                       .clock = { rig_monotonic_ns, rig_wall_ms, rig },
                                       .random = pl_random_system(),
                                       .disk = &rig->disk };

    rig->why.text[0] = '\0';
    rig->rc = pl_node_open(&options, &rig->node, &rig->why);
    if (rig->rc != 0)
        return rig->rc;
    rig->rc = pl_node_attach(rig->node, rig->threads ? wake : NULL, rig, &rig->attachment);
    if (rig->rc != 0) {
        pl_node_close(rig->node);
        rig->node = NULL;
    }
    return rig->rc;
}

void rig_close(struct rig *rig)
{
    if (rig->node == NULL)
        return;
    pl_operation_deinit(&rig->op);
    pl_node_detach(rig->attachment);
    pl_node_close(rig->node);
    rig->node = NULL;
    shadow_deinit(&rig->shadow);
}

/* ---- requests --------------------------------------------------------------------------------------- */

/* Without threads, the answer is there already. */
static void await(struct rig *rig)
{
    while (!rig->answered && rig->threads) {
        sem_wait(&rig->woken);
        pl_attachment_deliver(rig->attachment);
    }
    if (!rig->answered)
        die("no answer to", "a request");
}

static void done(struct pl_operation *op)
{
    struct rig *rig = op->owner;

    rig->answered = true;
}

static int row(struct pl_operation *op, struct pl_item item)
{
    struct rig *rig = op->owner;

    pl_line_write_row(&rig->reply, pl_str(""), op, item);
    return pl_buf_status(&rig->reply);
}

static void take_report(void *state, int rc, struct pl_bytes report)
{
    struct rig *rig = state;

    rig->rc = rc;
    rig->answered = true;
    pl_buf_append_bytes(&rig->reply, report);
}

static void take_reload(void *state, int rc, const struct pl_reason *why)
{
    struct rig *rig = state;

    rig->rc = rc;
    rig->answered = true;
    pl_buf_append_bytes(&rig->reply, pl_str(pl_reason_text(why, rc)));
}

static int administer(struct rig *rig, enum pl_verb_name verb)
{
    int rc;

    rig->answered = false;
    rc = verb == PL_VERB_CHECK ? pl_node_check(rig->attachment, take_report, rig)
                               : pl_node_reload(rig->attachment, take_reload, rig);
    if (rc != 0)
        return rc;
    await(rig);
    return rig->rc;
}

static int run(struct rig *rig)
{
    struct pl_operation *op = &rig->op;

    op->done = done;
    op->row = row;
    op->owner = rig;
    rig->answered = false;
    if (!pl_router_run(pl_attachment_router(rig->attachment), op)) {
        pl_attachment_flush(rig->attachment);
        await(rig);
    }
    pl_line_write_reply(&rig->reply, pl_str(""), op);
    return op->reply.rc; /* no memory for the words is no failure of the operation */
}

static int ask(struct rig *rig, const char *text)
{
    struct pl_line line;
    int rc;

    pl_buf_clear(&rig->reply);
    pl_operation_reset(&rig->op, PL_OP_GET);
    rc = pl_line_read(pl_str(text), &line, &rig->op.reply.why);
    if (rc != 0)
        return rc;
    if (line.verb == &pl_verbs[PL_VERB_CHECK] || line.verb == &pl_verbs[PL_VERB_RELOAD])
        return administer(rig, line.verb == &pl_verbs[PL_VERB_CHECK] ? PL_VERB_CHECK : PL_VERB_RELOAD);
    rc = pl_line_parse(&line, &rig->op, &rig->op.reply.why);
    return rc != 0 ? rc : run(rig);
}

int rig_ask(struct rig *rig, const char *line)
{
    int rc = ask(rig, line);

    /* A loop that sleeps lets go of its snapshot. */
    pl_router_rest(pl_attachment_router(rig->attachment));
    return rc;
}

void rig_must(struct rig *rig, const char *line)
{
    int rc = rig_ask(rig, line);

    if (rc == 0)
        return;
    fprintf(stderr, "%s\n", pl_reason_text(&rig->op.reply.why, rc));
    die(pl_error_name(rc), line);
}

/* ---- all there is ----------------------------------------------------------------------------------- */

static int dump_walk(struct rig *rig, const char *format, const char *table, const char *index,
                     struct pl_buf *out)
{
    char line[1024];
    int rc;

    snprintf(line, sizeof line, format, table, index[0] == '\0' ? "" : "/", index);
    rc = rig_ask(rig, line);
    pl_buf_append_format(out, "%s\n", line);
    /* An index that is being filled cannot be asked: that is a state like any other. */
    if (rc == PL_EINVALID && index[0] != '\0')
        return 0;
    pl_buf_append_bytes(out, pl_buf_view(&rig->reply));
    return rc;
}

/* How many rows of the reply are not in the shadow, or in it and not in the reply. */
static size_t count_strangers(struct rig *rig)
{
    size_t strangers = 0, rows = 0;
    char *at = rig->reply.data, *end;

    for (; at != NULL && strncmp(at, "ROW ", 4) == 0; at = end + 1, rows++) {
        end = strchr(at, '\n');
        *end = '\0';
        strangers += !shadow_has(&rig->shadow, at + 4);
        *end = '\n';
    }
    return strangers + (rows > rig->shadow.count ? rows - rig->shadow.count : rig->shadow.count - rows);
}

/* After the table's own rows were read: they are in the reply. */
static int compare_with_stream(struct rig *rig, const struct pl_table *table, struct pl_buf *out)
{
    struct pl_reason why = { { 0 } };
    int rc = shadow_read(&rig->shadow, rig->attachment, table->name, table->stream_id, &why);

    if (rc != 0)
        return pl_reason_set(&rig->why, rc, "the stream: %s", pl_reason_text(&why, rc));
    pl_buf_append_byte(&rig->reply, '\0');
    if (!rig->shadow.blind && (rig->shadow.fault[0] != '\0' || count_strangers(rig) > 0))
        pl_buf_append_format(out, "the stream is not the table's history: %s\n", rig->shadow.fault);
    return 0;
}

static int dump_table(struct rig *rig, const struct pl_table *table, struct pl_buf *out)
{
    char name[256], index[256];
    int rc;

    snprintf(name, sizeof name, "%.*s", (int)table->name.len, table->name.data);
    rc = dump_walk(rig, "SCAN %s%s%s", name, "", out);
    if (rc == 0 && table->stream == PL_STREAM_NEW_AND_OLD_IMAGES)
        rc = compare_with_stream(rig, table, out);
    for (uint32_t i = 0; i < table->index_count && rc == 0; i++) {
        pl_buf_append_format(out, "index state %d\n", (int)table->indexes[i].state);
        snprintf(index, sizeof index, "%.*s", (int)table->indexes[i].name.len, table->indexes[i].name.data);
        rc = dump_walk(rig, "SCAN %s%s%s", name, index, out);
    }
    return rc;
}

int rig_dump(struct rig *rig, struct pl_buf *out)
{
    struct pl_tables *tables = pl_node_tables(rig->node);
    int rc = 0;

    pl_buf_clear(out);
    for (uint32_t i = 0; i < tables->count && rc == 0; i++)
        rc = dump_table(rig, tables->tables[i], out);
    pl_tables_unref(tables);
    return rc != 0 ? rc : pl_buf_status(out);
}
