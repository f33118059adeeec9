/* SPDX-License-Identifier: MIT */
#include "model/operation.h"

enum pl_operation_kind pl_operation_kind(enum pl_operation_name name)
{
    static const enum pl_operation_kind kinds[] = {
#define PL_OPERATION_KIND(op, verb, kind) [PL_OP_##op] = PL_OPERATION_##kind,
        PL_OPERATION_MAP(PL_OPERATION_KIND)
#undef PL_OPERATION_KIND
    };

    return kinds[name];
}

const char *pl_actor_name(enum pl_actor actor)
{
    return actor == PL_ACTOR_CLIENT ? "client" : actor == PL_ACTOR_TRIGGER ? "trigger" : "expiry";
}

void pl_operation_init(struct pl_operation *op, enum pl_operation_name name)
{
    *op = (struct pl_operation){ .name = name };
}

static void release_children(struct pl_operation *op)
{
    /* The array itself lives in our arena; each child owns a table and memory of its own. */
    for (uint32_t i = 0; i < op->child_count; i++)
        pl_operation_deinit(&op->children[i]);
}

void pl_operation_reset(struct pl_operation *op, enum pl_operation_name name)
{
    struct pl_arena arena;
    struct pl_buf bytes, pk_bytes, tail_bytes;

    release_children(op);
    pl_table_unref(op->table);
    arena = op->arena;
    bytes = op->bytes;
    pk_bytes = op->pk_bytes;
    tail_bytes = op->tail_bytes;
    pl_arena_reset(&arena);
    pl_buf_clear(&bytes);
    pl_buf_clear(&pk_bytes);
    pl_buf_clear(&tail_bytes);
    *op = (struct pl_operation){
        .name = name, .arena = arena, .bytes = bytes, .pk_bytes = pk_bytes, .tail_bytes = tail_bytes
    };
}

void pl_operation_deinit(struct pl_operation *op)
{
    release_children(op);
    pl_table_unref(op->table);
    pl_arena_deinit(&op->arena);
    pl_buf_deinit(&op->bytes);
    pl_buf_deinit(&op->pk_bytes);
    pl_buf_deinit(&op->tail_bytes);
    *op = (struct pl_operation){ 0 };
}

int pl_operation_fail(struct pl_operation *op, int rc, const struct pl_reason *why)
{
    op->reply.rc = rc;
    if (why != NULL && why != &op->reply.why)
        op->reply.why = *why;
    return rc;
}
