/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a store's file: the audit reads them to the end or refuses them, and never crashes or runs for
 * ever. The file is in memory, on a disk that can only be read.
 */
#include "store/audit.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int open_input(void *state, const char *path, int flags, struct pl_file **file, struct pl_reason *why)
{
    static struct pl_file input;

    (void)state;
    (void)why;
    if (flags != PL_DISK_READ)
        abort();
    input.path = (char *)(uintptr_t)path;
    *file = &input;
    return 0;
}

static void close_input(void *state, struct pl_file *file)
{
    (void)state;
    (void)file;
}

static int read_input(void *state, struct pl_file *file, void *to, size_t len, uint64_t offset, size_t *got,
                      struct pl_reason *why)
{
    const struct pl_bytes *input = state;
    size_t n = offset >= input->len ? 0 : input->len - (size_t)offset;

    (void)file;
    (void)why;
    n = n < len ? n : len;
    if (n != 0)
        memcpy(to, input->data + offset, n);
    *got = n;
    return 0;
}

static int size_input(void *state, struct pl_file *file, uint64_t *bytes, struct pl_reason *why)
{
    const struct pl_bytes *input = state;

    (void)file;
    (void)why;
    *bytes = input->len;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pl_bytes input = pl_bytes(data, size);
    struct pl_disk disk = {
        .open = open_input, .close = close_input, .read = read_input, .size = size_input, .state = &input
    };
    struct pl_audit_report report;
    struct pl_reason why = { 0 };
    int rc = pl_audit_file(&disk, "input", NULL, &report, &why);

    if (rc == 0 && 2 + report.branch_pages + report.leaf_pages + report.overflow_pages + report.free_pages +
                           report.lost_pages !=
                       report.page_count)
        abort();
    if (rc != 0 && rc != PL_ENOMEM && why.text[0] == '\0')
        abort();
    return 0;
}
