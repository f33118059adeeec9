/* SPDX-License-Identifier: MIT */
#include "powerloss.h"

#include "disk_model.h"
#include "trace.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FDS_MAX = 65536, NAME_MAX_BYTES = 64 };

static const char *const variant_names[MODEL_VARIANTS] = { "none", "all", "prefix", "pages", "sectors" };
/* How often each is built at a moment that is looked at. The first two have nothing random in them. */
static const uint64_t variant_turns[MODEL_VARIANTS] = { 1, 1, 1, 2, 2 };

struct replay {
    const struct powerloss_options *options;
    powerloss_check_fn check;
    void *arg;
    struct powerloss_report *report;
    const uint8_t *trace;
    size_t trace_len;
    size_t root_len;
    struct model model;
    struct model_node *fds[FDS_MAX];
    struct powerloss_note *notes;
    size_t note_count;
    uint64_t moments; /* in the whole trace */
    uint64_t rounds;  /* so often each moment is looked at, in thousandths */
};

static void require(bool truth, const char *what)
{
    if (truth)
        return;
    fprintf(stderr, "powerloss: %s\n", what);
    exit(3);
}

/* ---- Trees of files ---- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void powerloss_remove_tree(const char *dir)
{
    struct stat st;

    if (lstat(dir, &st) == 0)
        require(nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0, "cannot empty the image directory");
}

static void empty_dir(const char *dir)
{
    powerloss_remove_tree(dir);
    require(mkdir(dir, 0700) == 0, "cannot make the image directory");
}

void powerloss_copy_tree(const char *from, const char *to)
{
    struct model model;

    empty_dir(to);
    model_init(&model);
    model_load(&model, from);
    model_build(&model, to, MODEL_NONE, 0);
    model_deinit(&model);
}

/* ---- Recording ---- */

static void become(const char *recorder, const char *dir, const char *trace, char *const argv[])
{
    const char *sanitizer = getenv("ASAN_OPTIONS");
    char asan[1024];

    snprintf(asan, sizeof asan, "%s%sverify_asan_link_order=0", sanitizer != NULL ? sanitizer : "",
             sanitizer != NULL ? ":" : "");
    setenv("ASAN_OPTIONS", asan, 1);
    setenv("LD_PRELOAD", recorder, 1);
    setenv("PL_RECORD_DIR", dir, 1);
    setenv("PL_RECORD_TRACE", trace, 1);
    execv(argv[0], argv);
    _exit(127);
}

int powerloss_record(const char *recorder, const char *dir, const char *trace, char *const argv[])
{
    pid_t child = fork();
    int status;

    if (child == 0)
        become(recorder, dir, trace, argv);
    if (child < 0 || waitpid(child, &status, 0) != child)
        return -1;
    return status;
}

/* ---- Reading the trace ---- */

struct event {
    struct trace_head head;
    const char *path; /* not NUL-terminated */
    const uint8_t *data;
};

static bool next_event(const struct replay *replay, size_t *at, struct event *event)
{
    size_t left = replay->trace_len - *at;

    if (left < sizeof event->head)
        return false; /* the workload may have been killed while it wrote this one */
    memcpy(&event->head, replay->trace + *at, sizeof event->head);
    left -= sizeof event->head;
    if (event->head.path_len > left || event->head.data_len > left - event->head.path_len)
        return false;
    event->path = (const char *)replay->trace + *at + sizeof event->head;
    event->data = (const uint8_t *)event->path + event->head.path_len;
    *at += sizeof event->head + event->head.path_len + event->head.data_len;
    return true;
}

/* The path below the root, NUL-terminated. */
static void relative(const struct replay *replay, const char *path, size_t len, char to[PATH_MAX])
{
    require(len >= replay->root_len && len < PATH_MAX, "the trace is of another directory");
    memcpy(to, path + replay->root_len, len - replay->root_len);
    to[len - replay->root_len] = '\0';
}

static void replay_open(struct replay *replay, const struct event *event)
{
    char path[PATH_MAX];
    struct model_node *node;

    relative(replay, event->path, event->head.path_len, path);
    if (event->head.flags & TRACE_CREATED)
        node = model_create(&replay->model, path, false);
    else
        node = model_find(&replay->model, path);
    require(node != NULL, "the trace opens a file that it never made: was --initial forgotten?");
    if ((event->head.flags & TRACE_EMPTIED) && node->live_size > 0)
        model_resize(&replay->model, node, 0);
    replay->fds[event->head.fd] = node;
}

static void replay_rename(struct replay *replay, const struct event *event)
{
    const char *second = memchr(event->path, '\0', event->head.path_len);
    char from[PATH_MAX], to[PATH_MAX];
    size_t from_len;

    require(second != NULL, "the trace is damaged");
    from_len = (size_t)(second - event->path);
    relative(replay, event->path, from_len, from);
    relative(replay, second + 1, event->head.path_len - from_len - 1, to);
    model_rename(&replay->model, from, to);
}

static void replay_note(struct replay *replay, const struct event *event)
{
    replay->notes = realloc(replay->notes, (replay->note_count + 1) * sizeof *replay->notes);
    require(replay->notes != NULL, "out of memory");
    replay->notes[replay->note_count++] =
        (struct powerloss_note){ .data = (const char *)event->data, .len = event->head.data_len };
}

static struct model_node *node_of(const struct replay *replay, const struct event *event)
{
    require(event->head.fd >= 0 && event->head.fd < FDS_MAX && replay->fds[event->head.fd] != NULL,
            "the trace uses a descriptor that it never opened");
    return replay->fds[event->head.fd];
}

static void replay_path(struct replay *replay, const struct event *event)
{
    char path[PATH_MAX];

    relative(replay, event->path, event->head.path_len, path);
    if (event->head.kind == TRACE_MAKE_DIR)
        (void)model_create(&replay->model, path, true);
    else
        model_remove(&replay->model, path);
}

static void replay_event(struct replay *replay, const struct event *event)
{
    const struct trace_head *head = &event->head;
    struct model *model = &replay->model;
    struct model_node *node;

    switch (head->kind) {
    case TRACE_OPEN:
        replay_open(replay, event);
        break;
    case TRACE_CLOSE:
        replay->fds[head->fd] = NULL;
        break;
    case TRACE_WRITE:
        model_write_bytes(model, node_of(replay, event), head->offset, event->data, head->data_len,
                          (head->flags & TRACE_DURABLE) != 0);
        break;
    case TRACE_TRUNCATE:
        model_resize(model, node_of(replay, event), head->offset);
        break;
    case TRACE_EXTEND:
        node = node_of(replay, event);
        if (head->offset > node->live_size)
            model_resize(model, node, head->offset);
        break;
    case TRACE_SYNC:
        model_sync(model, node_of(replay, event), head->since);
        break;
    case TRACE_RENAME:
        replay_rename(replay, event);
        break;
    case TRACE_UNLINK:
    case TRACE_MAKE_DIR:
        replay_path(replay, event);
        break;
    case TRACE_NOTE:
        replay_note(replay, event);
        break;
    default:
        require(false, "the trace is damaged");
    }
}

/* Has this event changed what a disk could hold, or what must be found on it? */
static bool is_moment(const struct event *event)
{
    if (event->head.kind == TRACE_OPEN)
        return (event->head.flags & (TRACE_CREATED | TRACE_EMPTIED)) != 0;
    return event->head.kind != TRACE_CLOSE;
}

/* ---- Images ---- */

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t x = (a ^ b * UINT64_C(0x9E3779B97F4A7C15)) * UINT64_C(0xBF58476D1CE4E5B9);

    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

static void judge(struct replay *replay, enum model_variant variant, uint64_t salt)
{
    const struct powerloss_options *options = replay->options;
    struct powerloss_report *report = replay->report;
    char name[NAME_MAX_BYTES];
    struct powerloss_image image = {
        .dir = options->image_dir,
        .notes = replay->notes,
        .note_count = replay->note_count,
        .name = name,
    };

    snprintf(name, sizeof name, "%llu:%s:%llx", (unsigned long long)replay->model.event,
             variant_names[variant], (unsigned long long)salt);
    if (options->only != NULL && strcmp(options->only, name) != 0)
        return;
    empty_dir(options->image_dir);
    model_build(&replay->model, options->image_dir, variant, salt);
    report->images++;
    if (replay->check(replay->arg, &image) == 0)
        return;
    if (report->failures++ == 0)
        strcpy(report->first_failure, name);
    fprintf(stderr, "powerloss: this image failed: --only %s --seed %llu --images %llu\n", name,
            (unsigned long long)options->seed, (unsigned long long)options->images);
}

static bool enough(const struct replay *replay)
{
    uint64_t most = replay->options->failures_max == 0 ? 1 : replay->options->failures_max;

    return replay->report->failures >= most;
}

static void look_once(struct replay *replay, uint64_t round)
{
    for (int variant = 0; variant < MODEL_VARIANTS; variant++)
        for (uint64_t turn = 0; turn < variant_turns[variant] && !enough(replay); turn++) {
            if (round > 0 && variant <= MODEL_ALL)
                continue;
            judge(replay, (enum model_variant)variant,
                  mix(replay->options->seed,
                      mix(replay->model.event, round * 16 + (uint64_t)variant * 2 + turn)));
        }
}

/* As often as the budget of images gives each moment; with less than one, some moments are passed over. */
static void look(struct replay *replay)
{
    uint64_t rounds = replay->rounds / 1000;
    uint64_t chance = mix(replay->options->seed, replay->model.event) % 1000;

    if (chance < replay->rounds % 1000)
        rounds++;
    for (uint64_t round = 0; round < rounds && !enough(replay); round++)
        look_once(replay, round);
}

static void count_moments(struct replay *replay)
{
    struct event event;
    uint64_t per_moment = 0;

    for (size_t at = 0; next_event(replay, &at, &event);)
        replay->moments += is_moment(&event);
    require(replay->moments > 0, "the trace holds no event: is the watched directory the right one?");
    for (int variant = 0; variant < MODEL_VARIANTS; variant++)
        per_moment += variant_turns[variant];
    replay->rounds = replay->options->images * 1000 / (replay->moments * per_moment) + 1;
    replay->report->moments = replay->moments;
}

static void replay_all(struct replay *replay)
{
    struct event event;

    for (size_t at = 0; !enough(replay) && next_event(replay, &at, &event);) {
        replay->model.event = replay->report->events++;
        replay_event(replay, &event);
        replay->model.event = replay->report->events;
        if (is_moment(&event))
            look(replay);
    }
}

static void map_trace(struct replay *replay)
{
    int fd = open(replay->options->trace, O_RDONLY | O_CLOEXEC);
    struct stat st;
    void *mapped;

    require(fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0, "there is no trace, or nothing in it");
    mapped = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    require(mapped != MAP_FAILED, "cannot read the trace");
    close(fd);
    replay->trace = mapped;
    replay->trace_len = (size_t)st.st_size;
}

void powerloss_replay(const struct powerloss_options *options, powerloss_check_fn check, void *arg,
                      struct powerloss_report *report)
{
    struct replay *replay = calloc(1, sizeof *replay);

    require(replay != NULL, "out of memory");
    *report = (struct powerloss_report){ 0 };
    replay->options = options;
    replay->check = check;
    replay->arg = arg;
    replay->report = report;
    replay->root_len = strlen(options->root);
    map_trace(replay);
    model_init(&replay->model);
    if (options->initial != NULL)
        model_load(&replay->model, options->initial);
    count_moments(replay);
    replay_all(replay);
    if (options->only == NULL && report->failures == 0)
        powerloss_remove_tree(options->image_dir);
    model_deinit(&replay->model);
    munmap((void *)replay->trace, replay->trace_len);
    free(replay->notes);
    free(replay);
}
