/* SPDX-License-Identifier: MIT */
#include "disk_model.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE_BYTES = 4096, SECTOR_BYTES = 512, BLOCK_BYTES = 64 << 10 };

static void require(bool truth, const char *what)
{
    if (truth)
        return;
    fprintf(stderr, "powerloss: %s\n", what);
    exit(3);
}

/* A test tool without memory has nothing better to do than to end. */
static void *grow(void *memory, size_t bytes)
{
    void *grown = realloc(memory, bytes);

    require(grown != NULL, "out of memory");
    return grown;
}

static struct model_node *new_node(struct model *model, bool directory)
{
    struct model_node *node = grow(NULL, sizeof *node);

    *node = (struct model_node){ .id = model->node_count, .directory = directory };
    model->nodes = grow(model->nodes, (model->node_count + 1) * sizeof *model->nodes);
    model->nodes[model->node_count++] = node;
    return node;
}

void model_init(struct model *model)
{
    *model = (struct model){ 0 };
    model->root = new_node(model, true);
}

void model_deinit(struct model *model)
{
    for (size_t i = 0; i < model->node_count; i++) {
        struct model_node *node = model->nodes[i];

        for (size_t e = 0; e < node->entry_count; e++)
            free(node->entries[e].name);
        free(node->entries);
        free(node->bytes);
        free(node->writes);
        free(node);
    }
    free(model->nodes);
    free(model->namings);
    *model = (struct model){ 0 };
}

/* ---- Names ---- */

static size_t entry_of(struct model_node *dir, const char *name, size_t len)
{
    for (size_t i = 0; i < dir->entry_count; i++)
        if (strlen(dir->entries[i].name) == len && memcmp(dir->entries[i].name, name, len) == 0)
            return i;
    dir->entries = grow(dir->entries, (dir->entry_count + 1) * sizeof *dir->entries);
    dir->entries[dir->entry_count] = (struct model_entry){ .name = strndup(name, len) };
    require(dir->entries[dir->entry_count].name != NULL, "out of memory");
    return dir->entry_count++;
}

/* The directory that holds the last name of a path, and that name's entry. */
static struct model_node *locate(struct model *model, const char *path, size_t *entry)
{
    struct model_node *dir = model->root;

    for (;;) {
        size_t len;

        path += strspn(path, "/");
        len = strcspn(path, "/");
        *entry = entry_of(dir, path, len);
        path += len;
        if (path[strspn(path, "/")] == '\0')
            return dir;
        dir = dir->entries[*entry].live;
        require(dir != NULL && dir->directory, "the trace uses a directory that it never made");
    }
}

struct model_node *model_find(struct model *model, const char *path)
{
    struct model_node *dir;
    size_t entry;

    if (path[strspn(path, "/")] == '\0')
        return model->root;
    dir = locate(model, path, &entry);
    return dir->entries[entry].live;
}

static struct model_naming *add_naming(struct model *model)
{
    if (model->naming_count == model->naming_capacity) {
        model->naming_capacity = model->naming_capacity * 2 + 16;
        model->namings = grow(model->namings, model->naming_capacity * sizeof *model->namings);
    }
    model->namings[model->naming_count] = (struct model_naming){ .event = model->event };
    return &model->namings[model->naming_count++];
}

static void set_name(struct model_naming *naming, struct model_node *dir, size_t entry,
                     struct model_node *node)
{
    naming->set[naming->set_count].dir = dir;
    naming->set[naming->set_count].entry = entry;
    naming->set[naming->set_count].node = node;
    naming->set_count++;
    dir->entries[entry].live = node;
}

struct model_node *model_create(struct model *model, const char *path, bool directory)
{
    size_t entry;
    struct model_node *dir = locate(model, path, &entry);
    struct model_node *node = new_node(model, directory);

    set_name(add_naming(model), dir, entry, node);
    return node;
}

void model_remove(struct model *model, const char *path)
{
    size_t entry;
    struct model_node *dir = locate(model, path, &entry);

    set_name(add_naming(model), dir, entry, NULL);
}

void model_rename(struct model *model, const char *from, const char *to)
{
    struct model_naming *naming = add_naming(model);
    size_t from_entry, to_entry;
    struct model_node *from_dir = locate(model, from, &from_entry);
    struct model_node *to_dir = locate(model, to, &to_entry);
    struct model_node *node = from_dir->entries[from_entry].live;

    set_name(naming, from_dir, from_entry, NULL);
    set_name(naming, to_dir, to_entry, node);
}

/* ---- Bytes ---- */

static void hold(struct model_node *node, uint64_t size)
{
    if (size <= node->capacity)
        return;
    node->bytes = grow(node->bytes, size);
    memset(node->bytes + node->capacity, 0, size - node->capacity);
    node->capacity = size;
}

static void add_write(struct model *model, struct model_node *node, struct model_write write)
{
    if (node->write_count == node->write_capacity) {
        node->write_capacity = node->write_capacity * 2 + 16;
        node->writes = grow(node->writes, node->write_capacity * sizeof *node->writes);
    }
    write.event = model->event;
    node->writes[node->write_count++] = write;
    node->live_size = write.size_after;
}

void model_write_bytes(struct model *model, struct model_node *node, uint64_t offset, const uint8_t *data,
                       uint64_t len, bool durable)
{
    uint64_t end = offset + len;

    add_write(model, node,
              (struct model_write){
                  .offset = offset,
                  .len = len,
                  .data = data,
                  .size_after = end > node->live_size ? end : node->live_size,
                  .durable = durable,
              });
}

/* What is cut off is zero if the file ever grows over it again. */
void model_resize(struct model *model, struct model_node *node, uint64_t size)
{
    struct model_write write = { .offset = size, .size_after = size };

    if (size < node->live_size)
        write.len = node->live_size - size;
    add_write(model, node, write);
}

static void apply(uint8_t *bytes, const struct model_write *write, uint64_t from, uint64_t to)
{
    if (from == to)
        return; /* a change of length alone */
    if (write->data != NULL)
        memcpy(bytes + from, write->data + (from - write->offset), to - from);
    else
        memset(bytes + from, 0, to - from);
}

static void sync_bytes(struct model_node *node, uint64_t since)
{
    size_t kept = 0;

    for (size_t i = 0; i < node->write_count; i++) {
        const struct model_write *write = &node->writes[i];

        if (write->event >= since) {
            node->writes[kept++] = *write;
            continue;
        }
        hold(node, write->offset + write->len);
        apply(node->bytes, write, write->offset, write->offset + write->len);
        node->durable_size = write->size_after;
        hold(node, node->durable_size);
    }
    node->write_count = kept;
}

static bool concerns(const struct model_naming *naming, const struct model_node *dir)
{
    return naming->set[0].dir == dir || (naming->set_count == 2 && naming->set[1].dir == dir);
}

static void sync_names(struct model *model, struct model_node *dir, uint64_t since)
{
    size_t kept = 0;

    for (size_t i = 0; i < model->naming_count; i++) {
        struct model_naming *naming = &model->namings[i];

        if (naming->event >= since || !concerns(naming, dir)) {
            model->namings[kept++] = *naming;
            continue;
        }
        for (int s = 0; s < naming->set_count; s++)
            naming->set[s].dir->entries[naming->set[s].entry].durable = naming->set[s].node;
    }
    model->naming_count = kept;
}

void model_sync(struct model *model, struct model_node *node, uint64_t since)
{
    if (node->directory)
        sync_names(model, node, since);
    else
        sync_bytes(node, since);
}

/* ---- Loading ---- */

static void load_file(struct model_node *node, const char *path, uint64_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    require(fd >= 0, "cannot read the initial directory");
    hold(node, size);
    require(size == 0 || pread(fd, node->bytes, size, 0) == (ssize_t)size, "cannot read an initial file");
    close(fd);
    node->durable_size = node->live_size = size;
}

static void load_dir(struct model *model, struct model_node *dir, const char *path)
{
    DIR *open_dir = opendir(path);
    struct dirent *entry;

    require(open_dir != NULL, "cannot read the initial directory");
    while ((entry = readdir(open_dir)) != NULL) {
        char inner[PATH_MAX];
        struct model_node *node;
        struct stat st;
        size_t at;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        require(snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name) < (int)sizeof inner &&
                    stat(inner, &st) == 0,
                "cannot read the initial directory");
        node = new_node(model, S_ISDIR(st.st_mode));
        at = entry_of(dir, entry->d_name, strlen(entry->d_name));
        dir->entries[at].durable = dir->entries[at].live = node;
        if (node->directory)
            load_dir(model, node, inner);
        else
            load_file(node, inner, (uint64_t)st.st_size);
    }
    closedir(open_dir);
}

void model_load(struct model *model, const char *dir)
{
    load_dir(model, model->root, dir);
}

/* ---- Images ---- */

struct build {
    struct model *model;
    enum model_variant variant;
    uint64_t salt;
    uint64_t first; /* event of the oldest that is not durable */
    uint64_t limit; /* prefix: what took effect before this event */
    unsigned loss;  /* of 100 units, so many are lost */
    uint8_t *bytes;
    uint64_t capacity;
};

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t x = a * UINT64_C(0x9E3779B97F4A7C15) + b;

    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

/*
 * A page or sector on the disk is as it was at some time: before all of the writes to it that are not
 * durable, after
 * all, or between. It is never a newer write without an older one to the same bytes.
 */
static uint64_t unit_limit(const struct build *build, const struct model_node *node, uint64_t unit)
{
    uint64_t chance = mix(mix(build->salt, node->id), unit);

    if (chance % 100 < build->loss)
        return 0;
    if (chance / 100 % 4 != 0)
        return UINT64_MAX;
    return build->first + chance / 1000 % (build->model->event - build->first + 1);
}

static void apply_by_units(struct build *build, const struct model_node *node,
                           const struct model_write *write, uint64_t unit_bytes)
{
    uint64_t end = write->offset + write->len;

    for (uint64_t from = write->offset; from < end;) {
        uint64_t unit = from / unit_bytes, next = (unit + 1) * unit_bytes;
        uint64_t to = next < end ? next : end;

        if (write->durable || write->event < unit_limit(build, node, unit))
            apply(build->bytes, write, from, to);
        from = to;
    }
}

static bool shows(const struct build *build, const struct model_write *write)
{
    return write->durable || build->variant == MODEL_ALL ||
           (build->variant == MODEL_PREFIX && write->event < build->limit);
}

/* The file's bytes in the image; returns its length. */
static uint64_t assemble(struct build *build, const struct model_node *node)
{
    bool by_units = build->variant == MODEL_PAGES || build->variant == MODEL_SECTORS;
    bool grown = by_units &&
                 mix(build->salt, node->id) % 2 == 0; /* the length is metadata, and has a fate of its own */
    uint64_t size = node->durable_size, room = node->capacity;

    for (size_t i = 0; i < node->write_count; i++) {
        uint64_t end = node->writes[i].offset + node->writes[i].len;

        room = end > room ? end : room;
        room = node->writes[i].size_after > room ? node->writes[i].size_after : room;
    }
    if (room > build->capacity) {
        build->bytes = grow(build->bytes, room);
        build->capacity = room;
    }
    if (node->capacity > 0)
        memcpy(build->bytes, node->bytes, node->capacity);
    if (room > node->capacity)
        memset(build->bytes + node->capacity, 0, room - node->capacity);
    for (size_t i = 0; i < node->write_count; i++) {
        const struct model_write *write = &node->writes[i];

        if (by_units)
            apply_by_units(build, node, write, build->variant == MODEL_PAGES ? PAGE_BYTES : SECTOR_BYTES);
        else if (shows(build, write))
            apply(build->bytes, write, write->offset, write->offset + write->len);
        if (grown || shows(build, write))
            size = write->size_after;
    }
    return size;
}

static bool is_zero(const uint8_t *bytes, size_t len)
{
    return len == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0);
}

/* Zeros become holes: they read the same and cost nothing. */
static void write_file(const char *path, const uint8_t *bytes, uint64_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    require(fd >= 0 && ftruncate(fd, (off_t)size) == 0, "cannot write an image");
    for (uint64_t at = 0; at < size; at += BLOCK_BYTES) {
        size_t len = size - at < BLOCK_BYTES ? (size_t)(size - at) : BLOCK_BYTES;

        if (!is_zero(bytes + at, len))
            require(pwrite(fd, bytes + at, len, (off_t)at) == (ssize_t)len, "cannot write an image");
    }
    close(fd);
}

static void build_dir(struct build *build, const struct model_node *dir, const char *path)
{
    for (size_t i = 0; i < dir->entry_count; i++) {
        const struct model_node *node = dir->entries[i].image;
        char inner[PATH_MAX];

        if (node == NULL)
            continue;
        require(snprintf(inner, sizeof inner, "%s/%s", path, dir->entries[i].name) < (int)sizeof inner,
                "a path is too long");
        if (node->directory) {
            require(mkdir(inner, 0700) == 0, "cannot write an image");
            build_dir(build, node, inner);
        } else {
            uint64_t size = assemble(build, node);

            write_file(inner, build->bytes, size);
        }
    }
}

static bool name_shows(const struct build *build, const struct model_naming *naming)
{
    switch (build->variant) {
    case MODEL_NONE:
        return false;
    case MODEL_ALL:
        return true;
    case MODEL_PREFIX:
        return naming->event < build->limit;
    default:
        return mix(build->salt, ~naming->event) % 100 >= build->loss;
    }
}

static void choose_names(struct build *build)
{
    struct model *model = build->model;

    for (size_t i = 0; i < model->node_count; i++)
        for (size_t e = 0; e < model->nodes[i]->entry_count; e++)
            model->nodes[i]->entries[e].image = model->nodes[i]->entries[e].durable;
    for (size_t i = 0; i < model->naming_count; i++) {
        const struct model_naming *naming = &model->namings[i];

        for (int s = 0; s < naming->set_count && name_shows(build, naming); s++)
            naming->set[s].dir->entries[naming->set[s].entry].image = naming->set[s].node;
    }
}

static uint64_t oldest_event(const struct model *model)
{
    uint64_t oldest = model->event;

    for (size_t i = 0; i < model->node_count; i++)
        if (model->nodes[i]->write_count > 0 && model->nodes[i]->writes[0].event < oldest)
            oldest = model->nodes[i]->writes[0].event;
    if (model->naming_count > 0 && model->namings[0].event < oldest)
        oldest = model->namings[0].event;
    return oldest;
}

void model_build(struct model *model, const char *dir, enum model_variant variant, uint64_t salt)
{
    static const unsigned losses[] = { 2, 10, 30, 50, 70, 90, 98 };
    struct build build = { .model = model, .variant = variant, .salt = salt, .first = oldest_event(model) };

    build.loss = losses[mix(salt, 1) % (sizeof losses / sizeof losses[0])];
    build.limit = build.first + mix(salt, 2) % (model->event - build.first + 1);
    choose_names(&build);
    build_dir(&build, model->root, dir);
    free(build.bytes);
}
