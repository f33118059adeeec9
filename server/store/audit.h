/* SPDX-License-Identifier: MIT */
#ifndef PL_STORE_AUDIT_H
#define PL_STORE_AUDIT_H

#include "base/bytes.h"

#include "store/checkpoint.h"
#include "store/disk.h"

/**
 * Reads a store's file without LMDB, which believes what it reads: every page that
 * can be reached from a meta page is looked at with suspicion, and no byte in the file can crash it.
 *
 * Checked are: each page is used once; its header, its number and its kind; its
 * nodes lie inside it and do not overlap; keys grow, and stay between those
 * of the branch above; all leaves are equally deep; long values have their pages; each value has its
 * checksum; the free list names pages in order, once, and none that is in use; the counts in the meta page agree.
 *
 *     rc = pl_audit_open(disk, path, NULL, &audit, &why);
 *     while (rc == 0 && !pl_audit_done(audit))
 *         rc = pl_audit_step(audit, 256, &why);
 *     pl_audit_close(audit);
 *
 * Branch pages come first, so that a step with a budget looks at what matters most.
 */
struct pl_audit;

struct pl_audit_report {
    uint64_t txn_id;
    uint64_t page_count;   /* in the file, as the meta page says */
    uint64_t branch_pages; /* of both trees, as are the next two */
    uint64_t leaf_pages;
    uint64_t overflow_pages;
    uint64_t free_pages;  /* on the free list */
    uint64_t lost_pages;  /* neither used nor free: no danger, but no way back either */
    uint64_t entry_count; /* keys, the store's own record among them */
    uint64_t value_bytes;
};

/**
 * Audit the file at `path` as of the checkpoint `facts`, or of its newest meta page when NULL. The file must not change
 * in what it looks at: nobody has it open, or the state is pinned. PL_ECORRUPT: the meta page
 * is wrong, or the file shorter than it says.
 */
int pl_audit_open(const struct pl_disk *disk, const char *path, const struct pl_checkpoint_facts *facts,
                  struct pl_audit **out, struct pl_reason *why);

/**
 * Look at up to `pages` more pages (a leaf's long values count with it). PL_ECORRUPT: damage; `why`
 * says where and what. There is no going on after a failure.
 */
int pl_audit_step(struct pl_audit *audit, uint64_t pages, struct pl_reason *why);

bool pl_audit_done(const struct pl_audit *audit);

/** What was seen so far; lost_pages only when done. */
const struct pl_audit_report *pl_audit_report(const struct pl_audit *audit);

void pl_audit_close(struct pl_audit *audit);

/** All of it in one call. `report` may be NULL. */
int pl_audit_file(const struct pl_disk *disk, const char *path, const struct pl_checkpoint_facts *facts,
                  struct pl_audit_report *report, struct pl_reason *why);

#endif
