/* SPDX-License-Identifier: MIT */
/*
 * The journal under power loss: a workload is recorded from its first mkdir on, and on every image that a
 * disk could
 * hold the journal must open and hold every record that was acknowledged, nothing twice, nothing torn,
 * and nothing that was never appended; then it must take more. A part of the images is recovered
 * under the recorder, too, and the power goes again.
 *
 * It also plants bugs: a disk on which some syncs do nothing must be found out.
 *
 *     journal_powerloss_test RECORDER IMAGES
 */
#include "powerloss.h"
#include "recorder.h"
#include "store/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEGMENT = 48 << 10, FIRST = 12 << 10, RECORDS = 400, NEST_EVERY = 64 };

enum lie { NO_LIE, LIE_SYNC, LIE_SYNC_DIR };

static enum lie lie;

/* ---- Disks that lie ---- */

/* Most syncs are honest: it is one in five that must be missed. */
static bool lies_now(void)
{
    static unsigned calls;

    return ++calls % 5 == 0;
}

static int sync_or_not(void *state, struct pl_file *file, struct pl_reason *why)
{
    struct pl_disk disk = pl_disk_system();

    return lies_now() ? 0 : disk.sync(state, file, why);
}

static int sync_dir_or_not(void *state, const char *path, struct pl_reason *why)
{
    struct pl_disk disk = pl_disk_system();

    return lies_now() ? 0 : disk.sync_dir(state, path, why);
}

static struct pl_disk honest_or_not(void)
{
    struct pl_disk disk = pl_disk_system();

    if (lie == LIE_SYNC)
        disk.sync = sync_or_not;
    if (lie == LIE_SYNC_DIR)
        disk.sync_dir = sync_dir_or_not;
    return disk;
}

static uint64_t four(void *state)
{
    (void)state;
    return 4;
}

static struct pl_journal_options options(const struct pl_disk *disk)
{
    return (struct pl_journal_options){
        .disk = disk,
        .random = { .next = four },
        .segment_bytes = SEGMENT,
        .first_segment_bytes = FIRST,
    };
}

/* ---- The workload ---- */

static void require(int rc, const char *what)
{
    if (rc == 0)
        return;
    fprintf(stderr, "the workload cannot %s: %s\n", what, pl_error_name(rc));
    exit(3);
}

static void note(const char *what, uint64_t value)
{
    char text[64];

    snprintf(text, sizeof text, "%s %llu", what, (unsigned long long)value);
    if (pl_record_note != NULL)
        pl_record_note(text, strlen(text));
}

static int append(struct pl_journal *journal, uint64_t id)
{
    char payload[4096] = { 0 };
    size_t len = 8 + (id * 2654435761u >> 7) % (sizeof payload - 8);
    struct pl_journal_record record = { .kind = PL_JOURNAL_CHANGE, .payload = pl_bytes(payload, len) };

    memset(payload, (int)id, len);
    pl_put_le64(payload, id);
    return pl_journal_append(journal, &record, PL_JOURNAL_GROW, NULL, NULL);
}

static void flush(struct pl_journal *journal)
{
    uint64_t end;
    int rc;

    if (!pl_journal_seal(journal, true, &end))
        return;
    rc = pl_journal_run_sync(journal, NULL);
    pl_journal_end_sync(journal, rc);
    require(rc, "sync");
}

static struct pl_journal *reopen(struct pl_journal *journal, const char *dir, const struct pl_disk *disk)
{
    struct pl_journal_options o = options(disk);

    pl_journal_close(journal);
    require(pl_journal_open(dir, &o, NULL, NULL, &journal, NULL), "open");
    return journal;
}

static void write_records(struct pl_journal *journal, const char *dir, const struct pl_disk *disk)
{
    uint64_t trimmed = 0;

    for (uint64_t id = 0; id < RECORDS; id++) {
        require(append(journal, id), "append");
        if (id % 3 != 2)
            continue;
        flush(journal);
        note("durable", id);
        if (id % 60 == 59) {
            note("trimmed", id);
            trimmed = pl_journal_end(journal);
            pl_journal_trim(journal, trimmed);
        }
        if (id % 21 == 20) {
            require(pl_journal_mark(journal), "mark");
            flush(journal);
        }
        if (pl_journal_wants_prepare(journal))
            require(pl_journal_prepare(journal, NULL), "prepare");
        if (id % 90 == 89)
            journal = reopen(journal, dir, disk);
    }
    pl_journal_close(journal);
}

static int work(const char *root)
{
    struct pl_disk disk = honest_or_not();
    struct pl_journal_options o = options(&disk);
    struct pl_journal *journal;
    char dir[512];

    snprintf(dir, sizeof dir, "%s/journal", root);
    require(pl_disk_make_dir(&disk, dir, NULL), "make the directory");
    require(pl_journal_create(dir, &o, &journal, NULL), "create");
    require(pl_disk_sync_dir(&disk, root, NULL), "sync the root");
    note("created", 0);
    write_records(journal, dir, &disk);
    return 0;
}

/* ---- The check ---- */

struct check {
    const char *recorder;
    const char *self;
    char work_dir[64];
    uint64_t images;
    uint64_t nested;
    bool inside; /* a crash inside recovery is not interrupted again */
    const struct powerloss_image *outer;
};

struct found {
    bool created;
    uint64_t durable; /* one more than the last id that must be there */
    uint64_t trimmed; /* below it they may be gone */
};

static struct found read_notes(const struct powerloss_image *image)
{
    struct found found = { 0 };

    for (size_t i = 0; i < image->note_count; i++) {
        char text[64] = "";
        unsigned long long id = 0;

        memcpy(text, image->notes[i].data, image->notes[i].len);
        found.created = true;
        if (sscanf(text, "durable %llu", &id) == 1)
            found.durable = id + 1;
        if (sscanf(text, "trimmed %llu", &id) == 1)
            found.trimmed = id + 1;
    }
    return found;
}

struct seen {
    uint64_t count;
    uint64_t first;
    uint64_t next;
    bool wrong;
};

static int see(void *arg, const struct pl_journal_record *record)
{
    struct seen *seen = arg;
    uint64_t id;

    if (record->kind == PL_JOURNAL_MARK)
        return 0;
    id = pl_get_le64(record->payload.data);
    if (seen->count == 0)
        seen->first = id;
    else if (id != seen->next)
        seen->wrong = true;
    for (size_t i = 8; i < record->payload.len; i++)
        seen->wrong |= record->payload.data[i] != (char)id;
    seen->next = id + 1;
    seen->count++;
    return 0;
}

static int complain(const struct powerloss_image *image, const char *what, const struct found *found,
                    const struct seen *seen)
{
    if (lie == NO_LIE)
        fprintf(stderr, "%s: %s (durable below %llu, trimmed below %llu; found %llu from %llu to %llu)\n",
                image->name, what, (unsigned long long)found->durable, (unsigned long long)found->trimmed,
                (unsigned long long)seen->count, (unsigned long long)seen->first,
                (unsigned long long)seen->next);
    return 1;
}

/* Open, compare, write on, open again. */
static int recover(const struct powerloss_image *image, const char *dir, const struct found *found)
{
    struct pl_disk disk = pl_disk_system();
    struct pl_journal_options o = options(&disk);
    struct pl_reason why = { 0 };
    struct seen seen = { 0 }, again = { 0 };
    struct pl_journal *journal = NULL;
    int rc = pl_journal_open(dir, &o, see, &seen, &journal, &why);

    if (rc == PL_ENOTFOUND && !found->created)
        return 0;
    if (rc != 0)
        return complain(image, why.text, found, &seen);
    if (seen.wrong || (seen.count > 0 && seen.first > found->trimmed && seen.first > 0) ||
        (found->durable > found->trimmed && seen.next < found->durable)) {
        pl_journal_close(journal);
        return complain(image, "records are lost, torn or doubled", found, &seen);
    }
    rc = append(journal, seen.next);
    if (rc == 0)
        flush(journal);
    pl_journal_close(journal);
    if (rc != 0 || pl_journal_open(dir, &o, see, &again, &journal, &why) != 0)
        return complain(image, why.text, found, &again);
    pl_journal_close(journal);
    if (again.wrong || again.next != seen.next + 1)
        return complain(image, "what was written after recovery is not there", found, &again);
    return 0;
}

static int check_image(void *arg, const struct powerloss_image *image);

/* Recover a copy under the recorder, then lose the power at every moment of that. */
static int crash_inside(struct check *check, const struct powerloss_image *image)
{
    struct check inner = { .inside = true, .outer = image };
    char before[96], again[96], trace[96], image_dir[96];
    char *argv[] = { (char *)check->self, "recover", again, NULL };
    struct powerloss_options nested = { .trace = trace,
                                        .root = again,
                                        .initial = before,
                                        .image_dir = image_dir,
                                        .seed = check->images,
                                        .images = 60 };
    struct powerloss_report report;

    snprintf(before, sizeof before, "%s.before", check->work_dir);
    snprintf(again, sizeof again, "%s.again", check->work_dir);
    snprintf(trace, sizeof trace, "%s.nested", check->work_dir);
    snprintf(image_dir, sizeof image_dir, "%s.inner", check->work_dir);
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
    struct found found = read_notes(check->inside ? check->outer : image);
    char dir[512];

    check->images++;
    snprintf(dir, sizeof dir, "%s/journal", image->dir);
    if (!check->inside && check->recorder != NULL && check->images % NEST_EVERY == 0 && found.created &&
        crash_inside(check, image) != 0)
        return 1;
    return recover(image, dir, &found);
}

/* What crash_inside() records: no more than an opening, a record and a sync. */
static int recover_recorded(const char *root)
{
    struct pl_disk disk = pl_disk_system();
    struct seen seen = { 0 };
    struct pl_journal_options o = options(&disk);
    struct pl_journal *journal;
    char dir[512];

    snprintf(dir, sizeof dir, "%s/journal", root);
    if (pl_journal_open(dir, &o, see, &seen, &journal, NULL) != 0)
        return 1;
    if (append(journal, seen.next) == 0)
        flush(journal);
    pl_journal_close(journal);
    return 0;
}

/* ---- Runs ---- */

static uint64_t run(const char *self, const char *recorder, uint64_t images, const char *lie_name)
{
    const char *memory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    char base[64], root[80], trace[80], image_dir[80];
    char *argv[] = { (char *)self, "work", root, (char *)lie_name, NULL };
    struct check check = { .recorder = lie == NO_LIE ? recorder : NULL, .self = self };
    struct powerloss_options o = { .trace = trace, .root = root, .image_dir = image_dir, .seed = 20261123 };
    struct powerloss_report report;

    snprintf(base, sizeof base, "%s/journal-powerloss.%d", memory, (int)getpid());
    snprintf(root, sizeof root, "%s.root", base);
    snprintf(trace, sizeof trace, "%s.trace", base);
    snprintf(image_dir, sizeof image_dir, "%s.image", base);
    strcpy(check.work_dir, base);
    o.images = images;
    powerloss_remove_tree(root);
    if (mkdir(root, 0700) != 0 || powerloss_record(recorder, root, trace, argv) != 0) {
        fprintf(stderr, "the workload failed\n");
        exit(3);
    }
    powerloss_replay(&o, check_image, &check, &report);
    printf("%s: %llu events, %llu moments, %llu images, %llu of crashes inside recovery, %llu failures\n",
           lie_name, (unsigned long long)report.events, (unsigned long long)report.moments,
           (unsigned long long)report.images, (unsigned long long)check.nested,
           (unsigned long long)report.failures);
    if (report.failures == 0 || lie != NO_LIE) {
        static const char *const leftovers[] = { ".root",  ".trace",  ".image", ".before",
                                                 ".again", ".nested", ".inner" };

        for (size_t i = 0; i < sizeof leftovers / sizeof leftovers[0]; i++) {
            char path[96];

            snprintf(path, sizeof path, "%s%s", base, leftovers[i]);
            powerloss_remove_tree(path);
        }
    }
    return report.failures;
}

static const char *const lie_names[] = { "honest", "a sync skipped", "a directory sync skipped" };

static enum lie lie_of(const char *name)
{
    for (int i = 0; i < 3; i++)
        if (strcmp(name, lie_names[i]) == 0)
            return (enum lie)i;
    return NO_LIE;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "work") == 0) {
        lie = lie_of(argv[3]);
        return work(argv[2]);
    }
    if (argc == 3 && strcmp(argv[1], "recover") == 0)
        return recover_recorded(argv[2]);
    if (argc != 3) {
        fprintf(stderr, "usage: journal_powerloss_test RECORDER IMAGES\n");
        return 2;
    }
    if (run("/proc/self/exe", argv[1], strtoull(argv[2], NULL, 0), "honest") != 0)
        return 1;
    for (lie = LIE_SYNC; lie <= LIE_SYNC_DIR; lie++)
        if (run("/proc/self/exe", argv[1], 3000, lie_names[lie]) == 0) {
            fprintf(stderr, "%s: that was not found out\n", lie_names[lie]);
            return 1;
        }
    return 0;
}
