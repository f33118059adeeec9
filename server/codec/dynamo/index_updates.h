/* SPDX-License-Identifier: MIT */
#ifndef PL_CODEC_DYNAMO_INDEX_UPDATES_H
#define PL_CODEC_DYNAMO_INDEX_UPDATES_H

#include "codec/dynamo/index_input.h"

/** GlobalSecondaryIndexUpdates: a list, not empty, of actions that create, update or delete an index. */

/** Each says one thing, no index is named twice, at most one creates or deletes. */
int pl_dynamo_index_updates_check(struct pl_dynamo_request *request, const struct pl_dynamo_node *updates);

bool pl_dynamo_index_updates_create(const struct pl_dynamo_node *updates);
bool pl_dynamo_index_updates_change_shape(const struct pl_dynamo_node *updates);
bool pl_dynamo_index_updates_change_throughput(const struct pl_dynamo_node *updates);

/** All of them delete an index that is still being filled. */
bool pl_dynamo_index_updates_give_up(const struct pl_table *table, const struct pl_dynamo_node *updates);

/** What can be told only by the table: are there such indexes, may they be made. */
int pl_dynamo_index_updates_check_against(struct pl_dynamo_request *request, const struct pl_table *table,
                                          const struct pl_dynamo_node *updates);

/** The table becomes provisioned: every global index is given its throughput. `updates` may be NULL. */
int pl_dynamo_index_updates_check_all_given(struct pl_dynamo_request *request, const struct pl_table *table,
                                            const struct pl_dynamo_node *updates);

/** `,"indexes":{...}`, a patch. `updates` may be NULL; `on_demand`: every index becomes on demand. */
void pl_dynamo_index_updates_write(struct pl_buf *out, const struct pl_dynamo_node *input,
                                   const struct pl_table *table, const struct pl_dynamo_node *updates,
                                   bool on_demand);

#endif
