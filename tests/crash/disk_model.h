/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_CRASH_DISK_MODEL_H
#define PL_TESTS_CRASH_DISK_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * A file system that remembers, for every file and directory, what is durable and what was done since. A
 * directory's names and a file's bytes are separate: each needs a sync of its own.
 */

/**
 * A change of bytes or of the length, not durable yet (or, written with O_DSYNC, durable before its
 * elders).
 */
struct model_write {
    uint64_t event;
    uint64_t offset;
    uint64_t len;
    const uint8_t *data; /* into the trace; NULL: zeros */
    uint64_t size_after;
    bool durable;
};

struct model_node;

struct model_entry {
    char *name;
    struct model_node *durable; /* NULL: not there */
    struct model_node *live;
    struct model_node *image;
};

struct model_node {
    uint64_t id;
    bool directory;
    struct model_entry *entries;
    size_t entry_count;
    uint8_t *bytes; /* durable */
    uint64_t capacity;
    uint64_t durable_size;
    uint64_t live_size;
    struct model_write *writes;
    size_t write_count;
    size_t write_capacity;
};

/** A change of names, not durable yet. A rename is two settings that become durable together. */
struct model_naming {
    uint64_t event;
    struct {
        struct model_node *dir;
        size_t entry;
        struct model_node *node;
    } set[2];
    int set_count;
};

struct model {
    struct model_node *root;
    struct model_node **nodes;
    size_t node_count;
    struct model_naming *namings;
    size_t naming_count;
    size_t naming_capacity;
    uint64_t event; /* now */
};

void model_init(struct model *model);
void model_deinit(struct model *model);

/** Start from a directory's contents, all durable. */
void model_load(struct model *model, const char *dir);

/** The node at a path relative to the root ("" is the root), or NULL. */
struct model_node *model_find(struct model *model, const char *path);

struct model_node *model_create(struct model *model, const char *path, bool directory);
void model_remove(struct model *model, const char *path);
void model_rename(struct model *model, const char *from, const char *to);
void model_write_bytes(struct model *model, struct model_node *node, uint64_t offset, const uint8_t *data,
                       uint64_t len, bool durable);
void model_resize(struct model *model, struct model_node *node, uint64_t size);

/** What was done to the node before event `since` is durable. */
void model_sync(struct model *model, struct model_node *node, uint64_t since);

/** Which of what is not durable an image shows. */
enum model_variant { MODEL_NONE, MODEL_ALL, MODEL_PREFIX, MODEL_PAGES, MODEL_SECTORS, MODEL_VARIANTS };

/** Build the image in the empty directory `dir`; `salt` draws the random part. */
void model_build(struct model *model, const char *dir, enum model_variant variant, uint64_t salt);

#endif
