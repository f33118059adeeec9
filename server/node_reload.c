/* SPDX-License-Identifier: MIT */
#include "node_inside.h"

#include <stdlib.h>

/* Reloads carry an operation of the node's own; it says what to do with it. */
struct reload {
    struct pl_message message;
    struct pl_driver_job job;
    struct pl_operation op;
    struct pl_scripts scripts;
    struct pl_trigger_scripts trigger_scripts;
    pl_node_done_fn done;
    void *state;
    pthread_t thread;
    bool threaded;
};

static void deliver_reload(struct pl_message *message)
{
    struct reload *reload = pl_container_of(message, struct reload, message);

    if (reload->threaded)
        pthread_join(reload->thread, NULL);
    reload->done(reload->state, reload->op.reply.rc, &reload->op.reply.why);
    pl_operation_deinit(&reload->op);
    pl_scripts_deinit(&reload->scripts);
    pl_trigger_scripts_deinit(&reload->trigger_scripts);
    free(reload);
}

/* On the shard's thread, between two turns. The operation comes back through shard_finished(). */
static void switch_scripts(struct pl_shard *shard, struct pl_driver_job *job)
{
    struct reload *reload = pl_container_of(job, struct reload, job);
    int rc = pl_shard_load(shard, reload->scripts.script, reload->scripts.hashes, &reload->op);

    if (rc == 0) {
        reload->scripts.script = NULL; /* the shard's now */
        pl_triggers_switch(reload->message.attachment->node->triggers, &reload->trigger_scripts);
        return;
    }
    pl_operation_fail(&reload->op, rc, NULL);
    pl_message_post(&reload->message);
}

static void *run_reload(void *arg)
{
    struct reload *reload = arg;
    struct pl_node *node = reload->message.attachment->node;
    struct pl_script_limits limits = pl_node_limits(node);
    int rc = PL_EINVALID;

    pthread_mutex_lock(&node->reloading);
    if (node->options.scripts_path == NULL)
        pl_reason_set(&reload->op.reply.why, rc, "there is no scripts directory to load from");
    else
        rc = pl_scripts_load(node->options.scripts_path, &limits, node->options.clock, &reload->scripts,
                             &reload->op.reply.why);
    if (rc == 0)
        rc = pl_triggers_load(node->triggers, reload->scripts.script, &reload->trigger_scripts,
                              &reload->op.reply.why);
    if (rc == 0) {
        pl_driver_run(node->driver, &reload->job);
    } else {
        pl_operation_fail(&reload->op, rc, NULL);
        pl_message_post(&reload->message);
    }
    pthread_mutex_unlock(&node->reloading);
    return NULL;
}

int pl_node_reload(struct pl_attachment *attachment, pl_node_done_fn done, void *state)
{
    struct reload *reload = calloc(1, sizeof *reload);
    int rc;

    if (reload == NULL)
        return PL_ENOMEM;
    reload->message.deliver = deliver_reload;
    reload->job.body = switch_scripts;
    reload->message.attachment = attachment;
    reload->done = done;
    reload->state = state;
    pl_operation_init(&reload->op, PL_OP_ALTER);
    reload->op.owner = &reload->message; /* and no origin: shard_finished() knows it by that */
    rc = pl_attachment_start_job(attachment, &reload->thread, &reload->threaded, run_reload, reload);
    if (rc != 0)
        free(reload);
    return rc;
}
