/* SPDX-License-Identifier: MIT */
#include "partition/view.h"

int pl_view_get(const struct pl_view *view, struct pl_bytes key, struct pl_bytes *out)
{
    switch (pl_inflight_get(view->inflight, key, out)) {
    case PL_INFLIGHT_VALUE:
        return 0;
    case PL_INFLIGHT_TOMBSTONE:
        return PL_ENOTFOUND;
    default:
        return view->under != NULL ? pl_view_get(view->under, key, out)
                                   : pl_snapshot_get(view->snapshot, key, out);
    }
}
