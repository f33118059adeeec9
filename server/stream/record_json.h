/* SPDX-License-Identifier: MIT */
#ifndef PL_STREAM_RECORD_JSON_H
#define PL_STREAM_RECORD_JSON_H

#include "partition/stream.h"

/**
 * A record as TAIL shows it, on one line, appended to `out`:
 *
 *     {"event":"modify","shard":17,"sequence":"42","at":1700000000.123,"keys":{..},"new":{..},"old":{..}}
 *
 * with "by":"expiry" when the service itself deleted the item, and the images that the view of its time shows. `scratch`
 * is a buffer for the keys. Memory trouble shows in both.
 */
void pl_record_write_json(struct pl_buf *out, const struct pl_stream_record *record,
                          const struct pl_key_schema *keys, struct pl_buf *scratch);

#endif
