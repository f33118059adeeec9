/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_FAULT_RIG_H
#define PL_TESTS_FAULT_RIG_H

#include "codec/line.h"
#include "node.h"
#include "shadow.h"
#include "store/disk.h"

#include <limits.h>
#include <semaphore.h>
#include <stdatomic.h>

/**
 * An engine without threads in a directory of its own, asked in the words of the line protocol: every
 * reply is there when rig_ask() returns. Its clock stands still until it is told to go on, and its
 * journal's segments are files with holes, so that making a directory costs next to nothing.
 *
 *     rig_init(&rig, NULL);
 *     rig_open(&rig);
 *     rig_ask(&rig, "PUT Messages {\"ChatID\":\"c1\",\"MsgID\":\"1\"}");
 */
struct rig {
    char path[PATH_MAX]; /* of the data directory; it may not be there yet */
    char home[PATH_MAX]; /* what rig_deinit() removes */
    const char *scripts; /* NULL: none */
    struct pl_disk disk; /* what the engine gets */
    atomic_uint_fast64_t now_ns;
    bool threads; /* before rig_open(): as the server has it, and rig_ask() waits */
    uint32_t partitions;
    struct pl_node *node;
    struct pl_attachment *attachment;
    struct pl_operation op;
    struct pl_buf reply;  /* whole lines */
    struct shadow shadow; /* of the table with a stream of both images, if there is one */
    struct pl_reason why;
    int rc;
    bool answered;
    sem_t woken;
};

/** The machine's disk, but what is allocated is a hole. */
struct pl_disk rig_disk(void);

/** A fresh home, in memory when the machine allows. `disk` is copied; NULL: rig_disk(). */
void rig_init(struct rig *rig, const struct pl_disk *disk);
void rig_deinit(struct rig *rig);

/** What pl_node_open() said. */
int rig_open(struct rig *rig);
void rig_close(struct rig *rig);

void rig_pass_ms(struct rig *rig, uint64_t ms);

/** Run one request line, CHECK and RELOAD too. Returns the reply's rc; `rig->reply` has its lines. */
int rig_ask(struct rig *rig, const char *line);

/** As rig_ask(), and the program ends when it fails. For what prepares a test. */
void rig_must(struct rig *rig, const char *line);

/**
 * Everything that can be read, as lines of text: every table's items, and each index's state and entries. A line more
 * when a table's stream, replayed, is not what the table is. 0, or what went wrong.
 */
int rig_dump(struct rig *rig, struct pl_buf *out);

/**
 * End the program after a failed test: what that has left lying about is not worth pages of leaks, nor room
 * on the disk (unless PL_KEEP is set).
 */
_Noreturn void rig_give_up(void);

/** Remove a directory and what is in it. */
void rig_remove(const char *path);
/** The files of one directory into another, which is made. Holes stay holes. */
void rig_copy(const char *from, const char *to);

#endif
