/* SPDX-License-Identifier: MIT */
#ifndef PL_PARTITION_VIEW_H
#define PL_PARTITION_VIEW_H

#include "partition/inflight.h"
#include "store/state.h"

/**
 * What evaluation sees: the in-flight overlay over the shard's own snapshot of what
 * is applied. Together they are the state that the next write is judged on. Effects that are part of the same
 * change, and not yet in flight, lie in an overlay of their own on top of another view.
 */
struct pl_view {
    const struct pl_inflight *inflight;
    const struct pl_view *under;  /* what is looked into next; NULL: the snapshot */
    struct pl_snapshot *snapshot; /* renewed */
    bool settled;                 /* what is in flight was all judged under the catalog in force */
};

/**
 * The record under `key`; PL_ENOTFOUND, or a failure of the store. The view is good until the
 * shard applies a batch.
 */
int pl_view_get(const struct pl_view *view, struct pl_bytes key, struct pl_bytes *out);

/** What the overlays alone have of `key`, the uppermost first. */
enum pl_inflight_found pl_view_overlaid(const struct pl_view *view, struct pl_bytes key,
                                        struct pl_bytes *out);

#endif
