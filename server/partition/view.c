/* SPDX-License-Identifier: MIT */
#include "partition/view.h"

enum pl_inflight_found pl_view_overlaid(const struct pl_view *view, struct pl_bytes key, struct pl_bytes *out)
{
    enum pl_inflight_found found = PL_INFLIGHT_UNKNOWN;

    for (; view != NULL && found == PL_INFLIGHT_UNKNOWN; view = view->under)
        found = pl_inflight_get(view->inflight, key, out);
    return found;
}

int pl_view_get(const struct pl_view *view, struct pl_bytes key, struct pl_bytes *out)
{
    switch (pl_view_overlaid(view, key, out)) {
    case PL_INFLIGHT_VALUE:
        return 0;
    case PL_INFLIGHT_TOMBSTONE:
        return PL_ENOTFOUND;
    default:
        return pl_snapshot_get(view->snapshot, key, out);
    }
}
