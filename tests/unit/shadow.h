/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_UNIT_SHADOW_H
#define PL_TESTS_UNIT_SHADOW_H

#include "follower.h"
#include "model/json.h"

#include <stdio.h>
#include <stdlib.h>

/**
 * What is in a table by its stream alone: records replayed from the beginning into nothing, and read on from
 * there. The stream shows both images. Each record must fit what those before it have left. For tests: without
 * memory it ends the program.
 */
enum { SHADOW_BUCKETS = 64 };

struct shadow {
    struct shadow_item {
        struct shadow_item *next;
        char *key, *text; /* as plain JSON */
    } * buckets[SHADOW_BUCKETS];
    size_t count;
    char *position;  /* NULL: at the beginning */
    bool blind;      /* the beginning is trimmed: the stream alone does not say */
    char fault[256]; /* the first record that did not fit; empty: all did */
};

static inline char *shadow_text(struct pl_item item)
{
    struct pl_buf text = { 0 };

    pl_json_write_item(&text, PL_JSON_PLAIN, item);
    pl_buf_append_byte(&text, '\0');
    if (pl_buf_status(&text) != 0)
        abort();
    return text.data;
}

static inline struct shadow_item **shadow_find(struct shadow *shadow, const char *key)
{
    uint32_t hash = 2166136261u;
    struct shadow_item **at;

    for (const char *c = key; *c != '\0'; c++)
        hash = (hash ^ (uint8_t)*c) * 16777619u;
    for (at = &shadow->buckets[hash % SHADOW_BUCKETS]; *at != NULL && strcmp((*at)->key, key) != 0;)
        at = &(*at)->next;
    return at;
}

static inline void shadow_remove(struct shadow *shadow, struct shadow_item **at)
{
    struct shadow_item *item = *at;

    *at = item->next;
    free(item->key);
    free(item->text);
    free(item);
    shadow->count--;
}

static inline void shadow_blame(struct shadow *shadow, const char *what, const char *key)
{
    if (shadow->fault[0] == '\0')
        snprintf(shadow->fault, sizeof shadow->fault, "the stream %s %.200s", what, key);
}

/* Takes `key` and `text`. */
static inline void shadow_set(struct shadow *shadow, struct shadow_item **at, char *key, char *text)
{
    if (*at == NULL) {
        *at = calloc(1, sizeof **at);
        if (*at == NULL)
            abort();
        (*at)->key = key;
        shadow->count++;
    } else {
        free((*at)->text);
        free(key);
    }
    (*at)->text = text;
}

static inline int shadow_apply(void *state, const struct pl_stream_record *record, struct pl_item keys)
{
    struct shadow *shadow = state;
    char *key = shadow_text(keys), *old = record->has_old ? shadow_text(record->old) : NULL;
    struct shadow_item **at = shadow_find(shadow, key);

    if (record->event == PL_STREAM_INSERT && *at != NULL)
        shadow_blame(shadow, "inserts what is there:", key);
    if (record->event != PL_STREAM_INSERT && (*at == NULL || old == NULL || strcmp((*at)->text, old) != 0))
        shadow_blame(shadow, "shows another old image than was there of", key);
    if (record->has_new == (record->event == PL_STREAM_REMOVE))
        shadow_blame(shadow, "shows the wrong images of", key);
    free(old);
    if (record->has_new) {
        shadow_set(shadow, at, key, shadow_text(record->new));
        return 0;
    }
    if (*at != NULL)
        shadow_remove(shadow, at);
    free(key);
    return 0;
}

static inline int shadow_look_for_beginning(struct shadow *shadow, struct pl_attachment *attachment,
                                            uint32_t stream_id)
{
    struct pl_feed_source source;
    int rc = pl_attachment_feed_source(attachment, &source);

    if (rc == 0)
        rc = pl_snapshot_renew(source.snapshot);
    for (uint32_t p = 0; rc == 0 && p < source.partition_count; p++) {
        struct pl_stream_walk walk = { source.snapshot, stream_id, (uint16_t)p };
        uint64_t trimmed = 0;

        rc = pl_stream_trimmed(&walk, &trimmed);
        shadow->blind = shadow->blind || trimmed > 0;
    }
    if (rc == 0)
        pl_snapshot_reset(source.snapshot);
    return rc;
}

/** Read on to what is there now. What could not be read is for the caller to judge; what did not fit is in `fault`. */
static inline int shadow_read(struct shadow *shadow, struct pl_attachment *attachment, struct pl_bytes table,
                              uint32_t stream_id, struct pl_reason *why)
{
    struct pl_follower_options options = {
        .table_name = table, .from = pl_str(shadow->position == NULL ? "oldest" : shadow->position)
    };
    struct pl_follower_progress progress = { .more = true };
    struct pl_buf position = { 0 };
    struct pl_follower *follower;
    int rc = shadow->position == NULL ? shadow_look_for_beginning(shadow, attachment, stream_id) : 0;

    if (rc == 0)
        rc = pl_follower_open(attachment, &options, &follower, why);
    if (rc != 0)
        return rc;
    while (rc == 0 && progress.more)
        rc = pl_follower_read(follower, shadow_apply, shadow, &progress);
    pl_follower_position(follower, &position);
    pl_follower_close(follower);
    pl_buf_append_byte(&position, '\0');
    if (pl_buf_status(&position) != 0)
        abort();
    free(shadow->position);
    shadow->position = position.data;
    return rc;
}

/** Is there an item that is written so? */
static inline bool shadow_has(const struct shadow *shadow, const char *text)
{
    for (size_t i = 0; i < SHADOW_BUCKETS; i++)
        for (const struct shadow_item *item = shadow->buckets[i]; item != NULL; item = item->next)
            if (strcmp(item->text, text) == 0)
                return true;
    return false;
}

static inline void shadow_deinit(struct shadow *shadow)
{
    for (size_t i = 0; i < SHADOW_BUCKETS; i++)
        while (shadow->buckets[i] != NULL)
            shadow_remove(shadow, &shadow->buckets[i]);
    free(shadow->position);
    *shadow = (struct shadow){ 0 };
}

#endif
