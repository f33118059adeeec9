/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_UNIT_SCRATCH_TREE_H
#define PL_TESTS_UNIT_SCRATCH_TREE_H

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/** Folders for a test to be untidy in. Each gives a path in a ring of static buffers: copy what must last. */

static inline char *scratch_path(const char *dir, const char *name)
{
    static char ring[16][PATH_MAX];
    static unsigned next;
    char *path = ring[next++ % 16];

    if (snprintf(path, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX)
        abort(); /* no test means another folder than it names */
    return path;
}

static inline int scratch_remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

static inline void scratch_remove(const char *path)
{
    nftw(path, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/** This program's folder, removed at its end. */
static char scratch_root[PATH_MAX];

static inline void scratch_end(void)
{
    scratch_remove(scratch_root);
}

static inline const char *scratch(void)
{
    const char *base = getenv("TMPDIR");

    if (scratch_root[0] == '\0') {
        snprintf(scratch_root, sizeof scratch_root, "%s/perilune-test-XXXXXX",
                 base != NULL                    ? base
                 : access("/dev/shm", W_OK) == 0 ? "/dev/shm"
                                                 : "/tmp");
        if (mkdtemp(scratch_root) == NULL) {
            perror("mkdtemp");
            exit(1);
        }
        atexit(scratch_end);
    }
    return scratch_root;
}

/** A path in the program's folder at which nothing is. */
static inline char *scratch_fresh(const char *name)
{
    char *path = scratch_path(scratch(), name);

    scratch_remove(path);
    return path;
}

static inline void scratch_copy_file(const char *from, const char *to)
{
    static char chunk[1 << 16];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    size_t n;

    if (in == NULL || out == NULL) {
        perror(from);
        exit(1);
    }
    while ((n = fread(chunk, 1, sizeof chunk, in)) > 0)
        fwrite(chunk, 1, n, out);
    fclose(in);
    fclose(out);
}

/** All of the folder `from`, as `kill -9` would leave it. */
static inline void scratch_copy(const char *from, const char *to)
{
    DIR *dir = opendir(from);
    struct dirent *entry;

    mkdir(to, 0700);
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        char in[PATH_MAX], out[PATH_MAX];
        struct stat info;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(in, sizeof in, "%s", scratch_path(from, entry->d_name));
        snprintf(out, sizeof out, "%s", scratch_path(to, entry->d_name));
        if (stat(in, &info) != 0)
            continue;
        if (S_ISDIR(info.st_mode))
            scratch_copy(in, out);
        else
            scratch_copy_file(in, out);
    }
    if (dir != NULL)
        closedir(dir);
}

/** The whole of a file, with its length; to be freed. */
static inline unsigned char *scratch_read(const char *path, size_t *len)
{
    FILE *in = fopen(path, "rb");
    unsigned char *bytes;
    struct stat info;

    if (in == NULL || fstat(fileno(in), &info) != 0) {
        perror(path);
        exit(1);
    }
    *len = (size_t)info.st_size;
    bytes = malloc(*len + 1);
    if (bytes == NULL || fread(bytes, 1, *len, in) != *len)
        exit(1);
    fclose(in);
    return bytes;
}

static inline void scratch_write(const char *path, const void *bytes, size_t len)
{
    FILE *out = fopen(path, "wb");

    if (out == NULL || fwrite(bytes, 1, len, out) != len || fclose(out) != 0) {
        perror(path);
        exit(1);
    }
}

#endif
