/* SPDX-License-Identifier: MIT */
#include "store/datadir.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#define FORMAT_BYTES_MAX   512
#define SHARDS_DEFAULT     1
#define PARTITIONS_DEFAULT 64

struct pl_datadir {
    const struct pl_disk *disk;
    struct pl_datadir_facts facts;
    struct pl_file *lock;
    char *path;
    char *parent_path;
    char *format_path;
    char *fresh_format_path;
    char *lock_path;
    char *journal_path;
    char *data_path;
    char *journal_paths[PL_DATADIR_SHARDS_MAX];
    char *store_paths[PL_DATADIR_SHARDS_MAX];
};

/* ---- the format file ----
 *
 *     perilune data directory
 *     format 2
 *     shards 1
 *     partitions 64
 *     id 00112233445566778899aabbccddeeff
 *     sum 0123456789abcdef                   XXH3-64 of all lines above
 *
 * A newer version may change everything below its second line, so that line
 * is read, and judged, before the rest.
 */
#define FORMAT_TITLE "perilune data directory\n"

static size_t format_print(const struct pl_datadir_facts *facts, char *text, size_t size)
{
    char id[2 * PL_DATADIR_ID_BYTES + 1];
    int len;

    for (int i = 0; i < PL_DATADIR_ID_BYTES; i++)
        snprintf(id + 2 * i, 3, "%02x", facts->id[i]);
    len = snprintf(text, size,
                   FORMAT_TITLE "format %" PRIu32 "\nshards %" PRIu32 "\npartitions %" PRIu32 "\nid %s\n",
                   facts->format, facts->shard_count, facts->partition_count, id);
    len += snprintf(text + len, size - (size_t)len, "sum %016" PRIx64 "\n",
                    (uint64_t)XXH3_64bits(text, (size_t)len));
    return (size_t)len;
}

static bool id_parse(const char *hex, uint8_t *id)
{
    for (int i = 0; i < PL_DATADIR_ID_BYTES; i++) {
        unsigned byte;

        if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
            return false;
        id[i] = (uint8_t)byte;
    }
    return true;
}

static bool is_power_of_two(uint32_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

static bool counts_possible(uint32_t shards, uint32_t partitions)
{
    return shards >= 1 && shards <= PL_DATADIR_SHARDS_MAX && is_power_of_two(partitions) &&
           partitions <= PL_DATADIR_PARTITIONS_MAX && shards <= partitions;
}

static int format_parse(const char *text, const char *path, struct pl_datadir_facts *out,
                        struct pl_reason *why)
{
    struct pl_datadir_facts facts = { 0 };
    char id[2 * PL_DATADIR_ID_BYTES + 1] = "";
    char again[FORMAT_BYTES_MAX];

    if (strncmp(text, FORMAT_TITLE, sizeof FORMAT_TITLE - 1) != 0)
        return pl_reason_set(why, PL_ECORRUPT, "%s is damaged: it does not begin as it should", path);
    text += sizeof FORMAT_TITLE - 1;
    if (sscanf(text, "format %9" SCNu32, &facts.format) != 1 || facts.format == 0)
        return pl_reason_set(why, PL_ECORRUPT, "%s is damaged: it holds no format number", path);
    if (facts.format > PL_DATADIR_FORMAT)
        return pl_reason_set(why, PL_EFORMAT,
                             "%s says format %" PRIu32
                             ", written by a newer version of Perilune; this one reads "
                             "up to format %d. Start the newer version, or restore a backup",
                             path, facts.format, PL_DATADIR_FORMAT);
    if (facts.format < PL_DATADIR_FORMAT)
        return pl_reason_set(why, PL_EFORMAT,
                             "%s says format %" PRIu32
                             ", which only versions before the first release wrote: this one reads format %d",
                             path, facts.format, PL_DATADIR_FORMAT);
    if (sscanf(text, "format %*u shards %9" SCNu32 " partitions %9" SCNu32 " id %32[0-9a-f]",
               &facts.shard_count, &facts.partition_count, id) != 3 ||
        strlen(id) != sizeof id - 1 || !id_parse(id, facts.id))
        return pl_reason_set(why, PL_ECORRUPT, "%s is damaged: a line is missing or unreadable", path);
    format_print(&facts, again, sizeof again);
    if (strcmp(again + sizeof FORMAT_TITLE - 1, text) != 0)
        return pl_reason_set(why, PL_ECORRUPT, "%s is damaged: its checksum does not match", path);
    if (!counts_possible(facts.shard_count, facts.partition_count))
        return pl_reason_set(why, PL_ECORRUPT, "%s names impossible numbers of shards and partitions", path);
    *out = facts;
    return 0;
}

static int format_read(const struct pl_disk *disk, const char *path, struct pl_datadir_facts *out,
                       struct pl_reason *why)
{
    char text[FORMAT_BYTES_MAX + 1] = "";
    struct pl_file *file;
    size_t got = 0;
    int rc;

    rc = pl_disk_open(disk, path, PL_DISK_READ, &file, why);
    if (rc != 0)
        return rc;
    rc = pl_disk_read(disk, file, text, FORMAT_BYTES_MAX, 0, &got, why);
    pl_disk_close(disk, file);
    if (rc != 0)
        return rc;
    text[got] = '\0';
    return format_parse(text, path, out, why);
}

/* Beside first, so that `format` is whole or not there at all. */
static int format_write(const struct pl_datadir *dir, struct pl_reason *why)
{
    const struct pl_disk *disk = dir->disk;
    char text[FORMAT_BYTES_MAX];
    size_t len = format_print(&dir->facts, text, sizeof text);
    struct pl_file *file;
    int rc;

    rc = pl_disk_open(disk, dir->fresh_format_path, PL_DISK_WRITE | PL_DISK_CREATE, &file, why);
    if (rc != 0)
        return rc;
    rc = pl_disk_truncate(disk, file, 0, why);
    if (rc == 0)
        rc = pl_disk_write(disk, file, text, len, 0, why);
    if (rc == 0)
        rc = pl_disk_sync(disk, file, why);
    pl_disk_close(disk, file);
    if (rc == 0)
        rc = pl_disk_rename(disk, dir->fresh_format_path, dir->format_path, why);
    if (rc == 0)
        rc = pl_disk_sync_dir(disk, dir->path, why);
    return rc;
}

/* ---- names ---- */

static char *parent_of(const char *path)
{
    size_t len = strlen(path);

    while (len > 1 && path[len - 1] == '/')
        len--;
    while (len > 0 && path[len - 1] != '/')
        len--;
    while (len > 1 && path[len - 1] == '/')
        len--;
    return len == 0 ? strdup(".") : strndup(path, len);
}

static bool name_shards(struct pl_datadir *dir)
{
    char name[32];

    for (uint32_t i = 0; i < dir->facts.shard_count; i++) {
        snprintf(name, sizeof name, "%" PRIu32, i);
        dir->journal_paths[i] = pl_disk_join(dir->journal_path, name);
        snprintf(name, sizeof name, "%" PRIu32 ".mdb", i);
        dir->store_paths[i] = pl_disk_join(dir->data_path, name);
        if (dir->journal_paths[i] == NULL || dir->store_paths[i] == NULL)
            return false;
    }
    return true;
}

static struct pl_datadir *new_datadir(const struct pl_disk *disk, const char *path)
{
    struct pl_datadir *dir = calloc(1, sizeof *dir);

    if (dir == NULL)
        return NULL;
    dir->disk = disk;
    dir->path = strdup(path);
    dir->parent_path = parent_of(path);
    dir->format_path = pl_disk_join(path, "format");
    dir->fresh_format_path = pl_disk_join(path, "format.new");
    dir->lock_path = pl_disk_join(path, "lock");
    dir->journal_path = pl_disk_join(path, "journal");
    dir->data_path = pl_disk_join(path, "data");
    if (dir->path == NULL || dir->parent_path == NULL || dir->format_path == NULL ||
        dir->fresh_format_path == NULL || dir->lock_path == NULL || dir->journal_path == NULL ||
        dir->data_path == NULL) {
        pl_datadir_close(dir);
        return NULL;
    }
    return dir;
}

void pl_datadir_close(struct pl_datadir *dir)
{
    if (dir == NULL)
        return;
    pl_disk_close(dir->disk, dir->lock);
    for (uint32_t i = 0; i < PL_DATADIR_SHARDS_MAX; i++) {
        free(dir->journal_paths[i]);
        free(dir->store_paths[i]);
    }
    free(dir->data_path);
    free(dir->journal_path);
    free(dir->lock_path);
    free(dir->fresh_format_path);
    free(dir->format_path);
    free(dir->parent_path);
    free(dir->path);
    free(dir);
}

/* ---- opening, in the order it happens ---- */

static int make_dir(const struct pl_disk *disk, const char *path, struct pl_reason *why)
{
    struct pl_reason ignored;
    int rc = pl_disk_make_dir(disk, path, &ignored);

    if (rc == PL_EINUSE)
        return 0;
    return rc == 0 ? 0 : pl_reason_set(why, rc, "%s", ignored.text);
}

/* What a directory without a `format` may hold: the traces of a birth that was cut off. */
static int refuse_strangers(const struct pl_datadir *dir, const struct pl_names *names, bool must_exist,
                            struct pl_reason *why)
{
    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->names[i];

        if (strcmp(name, "format") == 0)
            return 0;
    }
    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->names[i];

        if (strcmp(name, "journal") == 0 || strcmp(name, "data") == 0)
            return pl_reason_set(why, PL_ECORRUPT, "%s holds data, but its file `format` is missing",
                                 dir->path);
        if (strcmp(name, "lock") != 0 && strcmp(name, "format.new") != 0 && strcmp(name, "lost+found") != 0)
            return pl_reason_set(why, PL_EFORMAT, "%s is no data directory: it holds `%s`", dir->path, name);
    }
    if (must_exist)
        return pl_reason_set(why, PL_ENOTFOUND, "there is no data directory at %s", dir->path);
    return 0;
}

static int look_inside(struct pl_datadir *dir, bool must_exist, struct pl_reason *why)
{
    struct pl_names names = { 0 };
    int rc;

    if (!must_exist) {
        rc = make_dir(dir->disk, dir->path, why);
        if (rc != 0)
            return rc;
    }
    rc = pl_disk_list(dir->disk, dir->path, &names, why);
    if (rc == PL_ENOTFOUND)
        return pl_reason_set(why, rc, "there is no data directory at %s", dir->path);
    if (rc != 0)
        return rc;
    rc = refuse_strangers(dir, &names, must_exist, why);
    pl_names_deinit(&names);
    return rc;
}

static int say_who_has_it(struct pl_datadir *dir, struct pl_reason *why)
{
    char holder[32] = "";
    size_t got = 0;

    if (pl_disk_read(dir->disk, dir->lock, holder, sizeof holder - 1, 0, &got, NULL) != 0)
        got = 0;
    holder[got] = '\0';
    holder[strspn(holder, "0123456789")] = '\0';
    if (holder[0] == '\0')
        return pl_reason_set(why, PL_ELOCKED, "the data directory %s is in use by another process",
                             dir->path);
    if (strtol(holder, NULL, 10) == (long)getpid())
        return pl_reason_set(why, PL_ELOCKED, "the data directory %s is open in this process (%s) already",
                             dir->path, holder);
    return pl_reason_set(why, PL_ELOCKED, "the data directory %s is in use by process %s", dir->path, holder);
}

static int lock(struct pl_datadir *dir, struct pl_reason *why)
{
    const struct pl_disk *disk = dir->disk;
    char holder[32];
    int len, rc;

    rc = pl_disk_open(disk, dir->lock_path, PL_DISK_WRITE | PL_DISK_CREATE, &dir->lock, why);
    if (rc != 0)
        return rc;
    rc = pl_disk_lock(disk, dir->lock, why);
    if (rc == PL_ELOCKED)
        return say_who_has_it(dir, why);
    if (rc != 0)
        return rc;
    len = snprintf(holder, sizeof holder, "%ld\n", (long)getpid());
    rc = pl_disk_truncate(disk, dir->lock, 0, why);
    if (rc == 0)
        rc = pl_disk_write(disk, dir->lock, holder, (size_t)len, 0, why);
    return rc == PL_EFULL ? 0 : rc; /* on a full disk the lock holds, only nameless */
}

static int plan(const struct pl_datadir_options *options, struct pl_datadir_facts *facts,
                struct pl_reason *why)
{
    uint64_t id[2] = { pl_random_next(&options->random), pl_random_next(&options->random) };

    facts->format = PL_DATADIR_FORMAT;
    facts->shard_count = options->shard_count != 0 ? options->shard_count : SHARDS_DEFAULT;
    facts->partition_count = options->partition_count != 0 ? options->partition_count : PARTITIONS_DEFAULT;
    memcpy(facts->id, id, sizeof facts->id);
    if (counts_possible(facts->shard_count, facts->partition_count))
        return 0;
    return pl_reason_set(why, PL_ECONFIG,
                         "%" PRIu32 " shards with %" PRIu32
                         " partitions cannot be: up to %d shards, and partitions a power of two from the "
                         "number of shards up to %d",
                         facts->shard_count, facts->partition_count, PL_DATADIR_SHARDS_MAX,
                         PL_DATADIR_PARTITIONS_MAX);
}

static int learn_format(struct pl_datadir *dir, const struct pl_datadir_options *options,
                        struct pl_reason *why)
{
    int rc = format_read(dir->disk, dir->format_path, &dir->facts, why);

    if (rc != PL_ENOTFOUND)
        return rc;
    rc = plan(options, &dir->facts, why);
    return rc != 0 ? rc : format_write(dir, why);
}

static int make_folders(struct pl_datadir *dir, struct pl_reason *why)
{
    int rc = make_dir(dir->disk, dir->data_path, why);

    if (rc == 0)
        rc = make_dir(dir->disk, dir->journal_path, why);
    for (uint32_t i = 0; rc == 0 && i < dir->facts.shard_count; i++)
        rc = make_dir(dir->disk, dir->journal_paths[i], why);
    return rc;
}

static int open_steps(struct pl_datadir *dir, const struct pl_datadir_options *options, struct pl_reason *why)
{
    int rc = look_inside(dir, options->must_exist, why);

    if (rc == 0)
        rc = lock(dir, why);
    if (rc == 0)
        rc = learn_format(dir, options, why);
    if (rc == 0 && !name_shards(dir))
        rc = PL_ENOMEM;
    if (rc == 0)
        rc = make_folders(dir, why);
    return rc;
}

int pl_datadir_open(const struct pl_disk *disk, const char *path, const struct pl_datadir_options *options,
                    struct pl_datadir **out, struct pl_reason *why)
{
    struct pl_datadir *dir = new_datadir(disk, path);
    int rc;

    if (dir == NULL)
        return PL_ENOMEM;
    rc = open_steps(dir, options, why);
    if (rc != 0) {
        pl_datadir_close(dir);
        return rc;
    }
    *out = dir;
    return 0;
}

int pl_datadir_sync(const struct pl_datadir *dir, struct pl_reason *why)
{
#ifdef PL_MUTANT_NO_DIRECTORY_SYNC
    (void)dir;
    (void)why;
    return 0;
#else
    int rc = pl_disk_sync_dir(dir->disk, dir->data_path, why);

    if (rc == 0)
        rc = pl_disk_sync_dir(dir->disk, dir->journal_path, why);
    if (rc == 0)
        rc = pl_disk_sync_dir(dir->disk, dir->path, why);
    if (rc == 0)
        rc = pl_disk_sync_dir(dir->disk, dir->parent_path, why);
    return rc;
#endif
}

const struct pl_datadir_facts *pl_datadir_facts(const struct pl_datadir *dir)
{
    return &dir->facts;
}

const char *pl_datadir_path(const struct pl_datadir *dir)
{
    return dir->path;
}

const char *pl_datadir_journal_path(const struct pl_datadir *dir, uint32_t shard)
{
    PL_ASSERT(shard < dir->facts.shard_count);
    return dir->journal_paths[shard];
}

const char *pl_datadir_store_path(const struct pl_datadir *dir, uint32_t shard)
{
    PL_ASSERT(shard < dir->facts.shard_count);
    return dir->store_paths[shard];
}
