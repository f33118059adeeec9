/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/*
 * What a durable write costs on this disk at least: 1000 times 4 KiB and fdatasync, into space that
 * was written before, so that no metadata goes with it. `disk DIRECTORY` prints one JSON line.
 */
enum { ROUNDS = 1000, BLOCK_BYTES = 4096 };

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int write_block(int fd, int block, char fill)
{
    char bytes[BLOCK_BYTES];

    memset(bytes, fill, sizeof bytes);
    return pwrite(fd, bytes, sizeof bytes, (off_t)block * BLOCK_BYTES) == BLOCK_BYTES ? 0 : -1;
}

static int measure(int fd, uint64_t *took_ns)
{
    for (int i = 0; i < ROUNDS; i++)
        if (write_block(fd, i, 'a') != 0)
            return -1;
    if (fsync(fd) != 0)
        return -1;
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t begun_ns = now_ns();

        if (write_block(fd, i, 'b') != 0 || fdatasync(fd) != 0)
            return -1;
        took_ns[i] = now_ns() - begun_ns;
    }
    return 0;
}

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    static uint64_t took_ns[ROUNDS];
    char path[4096];
    int fd, rc;

    if (argc != 2 || snprintf(path, sizeof path, "%s/disk-XXXXXX", argv[1]) >= (int)sizeof path) {
        fprintf(stderr, "usage: disk DIRECTORY\n");
        return 2;
    }
    fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0) {
        fprintf(stderr, "disk: %s: %s\n", path, strerror(errno));
        return 1;
    }
    rc = measure(fd, took_ns);
    if (rc != 0)
        fprintf(stderr, "disk: %s: %s\n", path, strerror(errno));
    close(fd);
    unlink(path);
    if (rc != 0)
        return 1;
    qsort(took_ns, ROUNDS, sizeof *took_ns, ascending);
    printf(
        "{\"system\":\"disk\",\"operation\":\"fdatasync\",\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f}\n",
        (double)took_ns[ROUNDS / 2] / 1e3, (double)took_ns[ROUNDS * 99 / 100] / 1e3,
        (double)took_ns[ROUNDS - 1] / 1e3);
    return 0;
}
