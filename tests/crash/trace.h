/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_CRASH_TRACE_H
#define PL_TESTS_CRASH_TRACE_H

#include <stdint.h>

/**
 * What the recorder writes and the replayer reads: events in the order in which they took effect, each this
 * head, then `path_len` bytes of path (a rename: both, with a NUL between), then `data_len` bytes of data.
 * Paths are absolute. Files are followed by descriptor, from OPEN to CLOSE.
 */
enum trace_kind {
    TRACE_OPEN = 1, /* fd, path; flags */
    TRACE_CLOSE,    /* fd */
    TRACE_WRITE,    /* fd, offset, data; TRACE_DURABLE when the descriptor is O_SYNC or O_DSYNC */
    TRACE_TRUNCATE, /* fd, offset: the new length */
    TRACE_EXTEND,   /* fd, offset: the length is at least this now */
    TRACE_SYNC, /* fd, since: what took effect before event `since` is durable, of a file or of a directory */
    TRACE_RENAME,   /* both paths */
    TRACE_UNLINK,   /* path */
    TRACE_MAKE_DIR, /* path */
    TRACE_NOTE,     /* data: what the workload wanted to be remembered at this moment */
};

enum trace_flags {
    TRACE_CREATED = 1, /* OPEN: the name was not there before */
    TRACE_EMPTIED = 2, /* OPEN: with O_TRUNC */
    TRACE_DIRECTORY = 4,
    TRACE_DURABLE = 8,
};

struct trace_head {
    uint32_t kind;
    uint32_t flags;
    int32_t fd;
    uint32_t path_len;
    uint64_t data_len;
    uint64_t offset;
    uint64_t since;
};

#endif
