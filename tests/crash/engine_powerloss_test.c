/* SPDX-License-Identifier: MIT */
/*
 * The whole engine under power loss. A node is recorded from the first mkdir on while clients write
 * (story.h); every image that a disk could hold must open, hold every write that was acknowledged, hold what was under way
 * wholly or not at all, and nothing else; its indexes and counters must agree; then it must take more, close, and
 * have it all after that. A part of the images is recovered under the recorder, and the power goes again.
 *
 *     engine_powerloss_test RECORDER [STORY IMAGES]...
 *
 * Each image is judged in a process of its own, so that one that crashes is found out too.
 */
#include "clients.h"
#include "powerloss.h"
#include "witness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    NEST_EVERY = 128,
    NESTED_IMAGES = 30,
    IMAGE_SECONDS_MAX = 60,
};

static const struct story_telling tellings[] = {
    { "birth", false, false, 1, 3, 1, 0, 64 << 10, 64 << 10, 0, 2000 },
    { "alone", false, false, 1, 90, 1, 1, 12 << 10, 32 << 10, 64 << 10, 1200 },
    { "together", false, false, 6, 25, 1, 1, 24 << 10, 48 << 10, 64 << 10, 1200 },
    { "schema", false, false, 2, 30, STORY_SCHEMA_STEPS, 1, 24 << 10, 64 << 10, 0, 1200 },
    { "threads", true, false, 6, 150, STORY_SCHEMA_STEPS, 2, 16 << 10, 64 << 10, 128 << 10, 1000 },
    { "triggers", false, true, 2, 45, 0, 1, 16 << 10, 48 << 10, 64 << 10, 1000 },
};
enum { TELLINGS = sizeof tellings / sizeof tellings[0] };

/* ---- Writing on ---- */

/* The stranger's items, into a table that may have to be made first. */
static int write_on(struct engine *engine, bool noted)
{
    struct pl_buf json = { 0 };
    int rc;

    engine_begin(&engine->op, PL_OP_CREATE, "");
    engine->op.definition = pl_str(story_schema_step(1).definition);
    rc = engine_run(engine);
    rc = rc == PL_EINUSE ? 0 : rc;
    for (unsigned slot = 0; slot < STORY_STRANGER_ROWS && rc == 0; slot++) {
        struct story_row row = story_stranger_row(slot);

        engine_begin(&engine->op, PL_OP_PUT, "Main");
        story_write_item(STORY_STRANGER, slot, &row, true, &json);
        rc = engine_read_item(&engine->op, &json);
        if (rc == 0)
            rc = engine_run(engine);
        if (rc == 0 && noted)
            clients_note(STORY_STRANGER, slot + 1);
    }
    pl_buf_deinit(&json);
    return rc;
}

static int judge_steps(struct witness *witness, const struct story_telling *telling, const char *path)
{
    struct pl_reason why = { 0 };
    struct engine *engine = witness->engine;

    for (int round = 0; round < 2; round++) {
        int rc = engine_open(engine, telling, false, path, &why);

        if (rc != 0)
            return witness_blame(witness, "it does not open the %s time: %s", round == 0 ? "first" : "second",
                                 pl_reason_text(&why, rc));
        rc = witness_look(witness);
        if (rc == 0 && round == 0 && write_on(engine, false) != 0)
            rc = witness_blame(witness, "nothing can be written: %s",
                               pl_reason_text(&engine->op.reply.why, engine->op.reply.rc));
        witness_expect_stranger(witness->e);
        engine_close(engine);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* ---- Images ---- */

struct check {
    const struct story_telling *telling;
    const char *recorder;
    const char *self;
    char base[64];
    uint64_t images, nested;
    const struct powerloss_image *outer; /* of a crash inside recovery: the first one */
};

static int judge_here(const struct check *check, const struct powerloss_image *image)
{
    static struct witness_expectation expectation;
    struct engine engine;
    struct witness look = { .engine = &engine, .e = &expectation };
    char path[512];
    int rc;

    snprintf(path, sizeof path, "%s/data", image->dir);
    witness_expect(&expectation, check->telling, check->outer != NULL ? check->outer : image, image);
    rc = judge_steps(&look, check->telling, path);
    if (rc != 0)
        fprintf(stderr, "%s %s%s%s: %s\n", check->telling->name,
                check->outer != NULL ? check->outer->name : "",
                check->outer != NULL ? ", inside recovery " : "", image->name, look.fault);
    shadow_deinit(&look.shadow);
    pl_buf_deinit(&look.found);
    pl_buf_deinit(&look.wanted);
    return rc;
}

static int judge_apart(const struct check *check, const struct powerloss_image *image)
{
    pid_t child;
    int status;

    fflush(NULL);
    child = fork();
    if (child == 0) {
        alarm(IMAGE_SECONDS_MAX);
        exit(judge_here(check, image));
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        exit(3);
    if (status != 0 && !WIFEXITED(status))
        fprintf(stderr, "%s %s: died of signal %d\n", check->telling->name, image->name, WTERMSIG(status));
    return status;
}

static int check_image(void *arg, const struct powerloss_image *image);

/* Recover a copy under the recorder, then lose the power at moments of that. */
static int crash_inside(struct check *check, const struct powerloss_image *image)
{
    struct check inner = { .telling = check->telling, .outer = image };
    char before[96], again[96], trace[96], image_dir[96];
    char *argv[] = { (char *)check->self, "recover", again, (char *)check->telling->name, NULL };
    struct powerloss_options nested = { .trace = trace,
                                        .root = again,
                                        .initial = before,
                                        .image_dir = image_dir,
                                        .seed = check->images,
                                        .images = NESTED_IMAGES };
    struct powerloss_report report;

    snprintf(before, sizeof before, "%s.before", check->base);
    snprintf(again, sizeof again, "%s.again", check->base);
    snprintf(trace, sizeof trace, "%s.nested", check->base);
    snprintf(image_dir, sizeof image_dir, "%s.inner", check->base);
    powerloss_copy_tree(image->dir, before);
    powerloss_copy_tree(image->dir, again);
    if (powerloss_record(check->recorder, again, trace, argv) != 0)
        return 1;
    powerloss_replay(&nested, check_image, &inner, &report);
    check->nested += report.images;
    return report.failures != 0;
}

static int check_image(void *arg, const struct powerloss_image *image)
{
    struct check *check = arg;

    check->images++;
    if (check->outer == NULL && check->images % NEST_EVERY == 0 && crash_inside(check, image) != 0)
        return 1;
    return judge_apart(check, image);
}

/* What crash_inside() records: recovery, a few writes, and a close with its checkpoint. */
static int recover_recorded(const char *root, const struct story_telling *telling)
{
    struct pl_reason why = { 0 };
    struct engine engine;
    char path[512];
    int rc;

    snprintf(path, sizeof path, "%s/data", root);
    rc = engine_open(&engine, telling, false, path, &why);
    if (rc != 0) {
        fprintf(stderr, "%s does not open: %s\n", root, pl_reason_text(&why, rc));
        return 1;
    }
    rc = write_on(&engine, true);
    if (telling->triggers)
        engine_finish_triggers(&engine);
    engine_close(&engine);
    return rc != 0;
}

/* ---- Runs ---- */

static void clear(const char *base)
{
    static const char *const leftovers[] = { ".root",  ".trace",  ".image", ".before",
                                             ".again", ".nested", ".inner" };

    for (size_t i = 0; i < sizeof leftovers / sizeof leftovers[0]; i++) {
        char path[96];

        snprintf(path, sizeof path, "%s%s", base, leftovers[i]);
        powerloss_remove_tree(path);
    }
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* True: every image was as it should be. */
static bool run(const char *self, const char *recorder, const struct story_telling *telling, uint64_t images,
                const char *only)
{
    const char *memory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    struct check check = { .telling = telling, .recorder = recorder, .self = self };
    char root[80], trace[80], image_dir[80];
    char *argv[] = { (char *)self, "work", root, (char *)telling->name, NULL };
    struct powerloss_options options = {
        .trace = trace, .root = root, .image_dir = image_dir, .seed = 20261123, .images = images, .only = only
    };
    struct powerloss_report report;
    double begun = seconds();

    snprintf(check.base, sizeof check.base, "%s/engine-powerloss.%d", memory, (int)getpid());
    snprintf(root, sizeof root, "%s.root", check.base);
    snprintf(trace, sizeof trace, "%s.trace", check.base);
    snprintf(image_dir, sizeof image_dir, "%s.image", check.base);
    clear(check.base);
    if (mkdir(root, 0700) != 0 || powerloss_record(recorder, root, trace, argv) != 0) {
        fprintf(stderr, "%s: the workload failed\n", telling->name);
        exit(3);
    }
    powerloss_replay(&options, check_image, &check, &report);
    printf("%s: %llu events, %llu moments, %llu images and %llu of crashes inside recovery in %.1f s, %llu "
           "failures\n",
           telling->name, (unsigned long long)report.events, (unsigned long long)report.moments,
           (unsigned long long)report.images, (unsigned long long)check.nested, seconds() - begun,
           (unsigned long long)report.failures);
    fflush(stdout);
    if (getenv("PL_KEEP") == NULL)
        clear(check.base);
    return report.failures == 0;
}

static const struct story_telling *find_telling(const char *name)
{
    for (int i = 0; i < TELLINGS; i++)
        if (strcmp(tellings[i].name, name) == 0)
            return &tellings[i];
    fprintf(stderr, "there is no story %s\n", name);
    exit(2);
}

static int work_recorded(const char *root, const struct story_telling *telling)
{
    char path[512];

    snprintf(path, sizeof path, "%s/data", root);
    return clients_work(path, telling);
}

int main(int argc, char **argv)
{
    int passed = 0, failed = 0;

    if (argc == 4 && strcmp(argv[1], "work") == 0)
        return work_recorded(argv[2], find_telling(argv[3]));
    if (argc == 4 && strcmp(argv[1], "recover") == 0)
        return recover_recorded(argv[2], find_telling(argv[3]));
    if (argc < 2 || argc % 2 != 0) {
        fprintf(stderr, "usage: engine_powerloss_test RECORDER [STORY IMAGES]...\n");
        return 2;
    }
    for (int i = 2; i < argc; i += 2)
        run("/proc/self/exe", argv[1], find_telling(argv[i]), strtoull(argv[i + 1], NULL, 0),
            getenv("PL_ONLY"))
            ? passed++
            : failed++;
    for (int i = 0; argc == 2 && i < TELLINGS; i++)
        run("/proc/self/exe", argv[1], &tellings[i], tellings[i].images, NULL) ? passed++ : failed++;
    printf("%d passed, %d failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
