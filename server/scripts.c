/* SPDX-License-Identifier: MIT */
#include "scripts.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

/* The files' names and texts; both in `arena`. */
struct texts {
    struct pl_arena arena;
    struct pl_script_file *files;
    uint32_t count, capacity;
};

static int read_file(struct texts *texts, const char *dir, const char *name, struct pl_reason *why)
{
    char path[4096];
    struct pl_buf text = { 0 };
    FILE *in;
    char *at;
    int rc;

    if ((size_t)snprintf(path, sizeof path, "%s/%s", dir, name) >= sizeof path)
        return pl_reason_set(why, PL_ECONFIG, "%s/%s: the path is too long", dir, name);
    in = fopen(path, "rb");
    if (in == NULL)
        return pl_reason_set(why, PL_EIO, "%s: %s", path, strerror(errno));
    do {
        at = pl_buf_reserve(&text, 65536);
        if (at != NULL)
            text.len += fread(at, 1, 65536, in);
        /* One byte more than is allowed is enough to be told so. */
    } while (at != NULL && !feof(in) && !ferror(in) && text.len <= PL_SCRIPT_TEXT_MAX);
    rc = ferror(in) ? pl_reason_set(why, PL_EIO, "%s: %s", path, strerror(errno)) : pl_buf_status(&text);
    fclose(in);
    if (rc == 0) {
        struct pl_script_file *file = &texts->files[texts->count];

        file->name = pl_arena_copy(&texts->arena, pl_str(name));
        file->text = pl_arena_copy(&texts->arena, pl_buf_view(&text));
        rc = file->name.data == NULL || file->text.data == NULL ? PL_ENOMEM : 0;
        texts->count += rc == 0;
    }
    pl_buf_deinit(&text);
    return rc;
}

static bool is_module(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    return entry->d_name[0] != '.' && len > 4 && strcmp(entry->d_name + len - 4, ".lua") == 0;
}

static int select_modules(const struct dirent *entry)
{
    return is_module(entry) ? 1 : 0;
}

static int byte_order(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_dir(struct texts *texts, const char *path, struct pl_reason *why)
{
    struct dirent **entries;
    int count = scandir(path, &entries, select_modules, byte_order), rc = 0;

    if (count < 0)
        return pl_reason_set(why, PL_ECONFIG, "the scripts directory %s: %s", path, strerror(errno));
    texts->files = calloc((size_t)count + 1, sizeof *texts->files);
    if (texts->files == NULL)
        rc = PL_ENOMEM;
    for (int i = 0; i < count; i++) {
        if (rc == 0)
            rc = read_file(texts, path, entries[i]->d_name, why);
        free(entries[i]);
    }
    free(entries);
    return rc;
}

static int hash_texts(const struct texts *texts, struct pl_scripts *scripts)
{
    uint32_t count = pl_script_table_count(scripts->script);

    scripts->hashes = calloc(count + 1, sizeof *scripts->hashes);
    if (scripts->hashes == NULL)
        return PL_ENOMEM;
    for (uint32_t i = 0; i < count; i++) {
        struct pl_bytes module = pl_script_definition(scripts->script, i)->module;

        for (uint32_t f = 0; f < texts->count; f++)
            if (pl_bytes_equal(texts->files[f].name, module))
                scripts->hashes[i] = XXH3_64bits(texts->files[f].text.data, texts->files[f].text.len);
    }
    return 0;
}

int pl_scripts_load(const char *path, const struct pl_script_limits *limits, struct pl_clock clock,
                    struct pl_scripts *out, struct pl_reason *why)
{
    struct texts texts = { 0 };
    struct pl_scripts scripts = { 0 };
    int rc = read_dir(&texts, path, why);

    if (rc == 0)
        rc = pl_script_load(limits, clock, texts.files, texts.count, &scripts.script, why);
    if (rc == 0)
        rc = hash_texts(&texts, &scripts);
    pl_arena_deinit(&texts.arena);
    free(texts.files);
    if (rc != 0) {
        pl_scripts_deinit(&scripts);
        return rc;
    }
    *out = scripts;
    return 0;
}

void pl_scripts_deinit(struct pl_scripts *scripts)
{
    pl_script_free(scripts->script);
    free(scripts->hashes);
    *scripts = (struct pl_scripts){ 0 };
}
