/* SPDX-License-Identifier: MIT */
#ifndef PL_STREAM_REPLAY_H
#define PL_STREAM_REPLAY_H

#include "stream/trigger.h"

/**
 * Carry out a REPLAY_LETTERS or PURGE_LETTERS of `source`'s trigger, and fill in its reply:
 *
 *     {"replayed":2,"failed":1,"error":"messages.lua:12: ..."}        the first error
 *     {"purged":3}
 *
 * PL_EINVALID: `op->letter` is no letter's name; PL_ENOTFOUND: there is no such letter. One after the other, each in a
 * change of its own (purged ones together), so what was done is done when the rest fails.
 */
void pl_letters_carry_out(struct pl_trigger_hands *hands, const struct pl_trigger_source *source,
                          struct pl_operation *op);

#endif
