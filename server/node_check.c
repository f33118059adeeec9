/* SPDX-License-Identifier: MIT */
#include "node_inside.h"

#include "partition/verify.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

struct check {
    struct pl_message message;
    struct pl_driver_job job;
    struct pl_shard_still still;
    struct pl_state *flushed; /* of the store alone: nothing in memory */
    struct pl_verify verify;
    struct pl_tables *tables;
    struct pl_buf sentences, report;
    int rc;
    pl_node_report_fn done;
    void *state;
    pthread_t thread;
    bool threaded;
    pthread_mutex_t lock;
    pthread_cond_t ready;
    bool is_ready;
};

static void deliver_check(struct pl_message *message)
{
    struct check *check = pl_container_of(message, struct check, message);

    if (check->threaded)
        pthread_join(check->thread, NULL);
    check->done(check->state, check->rc, pl_buf_view(&check->report));
    pthread_mutex_destroy(&check->lock);
    pthread_cond_destroy(&check->ready);
    pl_buf_deinit(&check->sentences);
    pl_buf_deinit(&check->report);
    free(check);
}

static void announce(struct check *check, int rc)
{
    pthread_mutex_lock(&check->lock);
    check->rc = rc;
    check->is_ready = true;
    pthread_cond_signal(&check->ready);
    pthread_mutex_unlock(&check->lock);
}

/* On the shard's thread: the counters and the tables, of the moment that is about to be flushed. */
static void take_counters(struct pl_shard *shard, struct pl_shard_still *still)
{
    struct check *check = pl_container_of(still, struct check, still);

    (void)shard;
    check->tables = pl_node_tables(check->message.attachment->node);
    check->verify.tables = check->tables;
    check->rc = pl_counters_copy(check->message.attachment->node->counters, &check->verify.counters);
}

/* On the shard's thread: that moment is what the store holds now. */
static void take_snapshot(struct pl_shard *shard, struct pl_shard_still *still, int rc)
{
    struct check *check = pl_container_of(still, struct check, still);

    (void)shard;
    if (rc == 0)
        rc = check->rc;
    announce(check, rc != 0 ? rc : pl_snapshot_renew(check->verify.snapshot));
}

static void stand_still(struct pl_shard *shard, struct pl_driver_job *job)
{
    struct check *check = pl_container_of(job, struct check, job);

    check->still.frozen = take_counters;
    check->still.flushed = take_snapshot;
    pl_shard_stand_still(shard, &check->still);
}

static char *report_json(const struct check *check)
{
    const struct pl_verify *verify = &check->verify;
    cJSON *json = cJSON_CreateObject(), *faults;
    char *text = NULL;

    if (cJSON_AddBoolToObject(json, "ok", verify->faults == 0) != NULL &&
        cJSON_AddNumberToObject(json, "tables", verify->tables->count) != NULL &&
        cJSON_AddNumberToObject(json, "items", (double)verify->items) != NULL &&
        cJSON_AddNumberToObject(json, "index_entries", (double)verify->entries) != NULL &&
        cJSON_AddNumberToObject(json, "expiries", (double)verify->expiries) != NULL &&
        cJSON_AddNumberToObject(json, "stream_records", (double)verify->stream_records) != NULL &&
        cJSON_AddNumberToObject(json, "size_bytes", (double)verify->size_bytes) != NULL &&
        cJSON_AddNumberToObject(json, "fault_count", (double)verify->faults) != NULL &&
        (faults = cJSON_AddArrayToObject(json, "faults")) != NULL) {
        const char *line = check->sentences.data;
        const char *end = line == NULL ? NULL : line + check->sentences.len;

        while (line < end) {
            char sentence[512];
            size_t len = (size_t)((const char *)memchr(line, '\n', (size_t)(end - line)) - line);

            snprintf(sentence, sizeof sentence, "%.*s", (int)len, line);
            cJSON_AddItemToArray(faults, cJSON_CreateString(sentence));
            line += len + 1;
        }
        text = cJSON_PrintUnformatted(json);
    }
    cJSON_Delete(json);
    return text;
}

static void *run_check(void *arg)
{
    struct check *check = arg;
    char *text;

    pl_driver_run(check->message.attachment->node->driver, &check->job);
    pthread_mutex_lock(&check->lock);
    while (!check->is_ready)
        pthread_cond_wait(&check->ready, &check->lock);
    pthread_mutex_unlock(&check->lock);
    if (check->rc == 0)
        check->rc = pl_verify(&check->verify);
    if (check->rc == 0) {
        text = report_json(check);
        if (text != NULL)
            pl_buf_append_bytes(&check->report, pl_str(text));
        cJSON_free(text);
        check->rc = text == NULL ? PL_ENOMEM : pl_buf_status(&check->report);
    }
    pl_counters_free(check->verify.counters);
    pl_tables_unref(check->tables);
    pl_snapshot_close(check->verify.snapshot);
    pl_state_free(check->flushed);
    pl_message_post(&check->message);
    return NULL;
}

int pl_node_check(struct pl_attachment *attachment, pl_node_report_fn done, void *state)
{
    struct pl_node *node = attachment->node;
    struct check *check = calloc(1, sizeof *check);
    int rc;

    if (check == NULL)
        return PL_ENOMEM;
    rc = pl_state_new(node->store, 0, 0, &check->flushed);
    if (rc == 0)
        rc = pl_snapshot_open(check->flushed, &check->verify.snapshot);
    if (rc != 0) {
        pl_state_free(check->flushed);
        free(check);
        return rc;
    }
    check->message.deliver = deliver_check;
    check->job.body = stand_still;
    check->message.attachment = attachment;
    check->done = done;
    check->state = state;
    check->verify.partition_count = node->partition_count;
    check->verify.sentences = &check->sentences;
    pthread_mutex_init(&check->lock, NULL);
    pthread_cond_init(&check->ready, NULL);
    rc = pl_attachment_start_job(attachment, &check->thread, &check->threaded, run_check, check);
    if (rc != 0) {
        pl_snapshot_close(check->verify.snapshot);
        pl_state_free(check->flushed);
        pthread_mutex_destroy(&check->lock);
        pthread_cond_destroy(&check->ready);
        free(check);
    }
    return rc;
}
