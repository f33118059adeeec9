/* SPDX-License-Identifier: MIT */
#include "store/audit.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/page.h"
#include "store/store.h"

/*
 * A walk down each tree, one page at a time, with the path kept in `levels`:
 *
 *     branches of the main tree   first and by themselves: the few pages that lead to all others
 *     the free tree, whole        its pages, and the pages that it calls free
 *     the main tree, whole
 *
 * `seen` has a bit for every page, so that a page which turns up twice is found
 * the second time, and no loop in the file can become a loop in here.
 */
#define DEPTH_MAX       32                  /* what LMDB's cursors can hold */
#define UNWRITTEN_MAX   (UINT64_C(1) << 20) /* pages at the end that LMDB took and never wrote: far fewer */
#define TREE_KIND_FLAGS 0x7f                /* the rest are flags of the environment */

enum phase { BRANCHES, FREE_TREE, MAIN_TREE, DONE };

/* A page on the path from the root. Bounds are views into the pages of the levels above. */
struct level {
    uint8_t *page;
    uint64_t number;
    uint32_t next;  /* child to visit */
    uint32_t count; /* of children; 0 in a leaf */
    struct pl_bytes low, high;
    bool has_low, has_high;
};

struct pl_audit {
    const struct pl_disk *disk;
    struct pl_file *file;
    const char *path; /* the file's */
    uint8_t meta[PL_PAGE_META_BYTES];
    uint32_t page_bytes;
    uint64_t last_page;
    uint64_t file_bytes;

    enum phase phase;
    struct pl_page_tree tree; /* the one being walked */
    struct pl_page_tree counted;
    struct level levels[DEPTH_MAX];
    uint32_t depth; /* levels on the path; 0: at the root's door */

    uint64_t *seen;
    uint64_t *nodes_seen; /* of one page: a bit for every two bytes */
    char *value;          /* a long value, while its checksum is computed */
    size_t value_capacity;
    struct pl_audit_report report;
    struct pl_reason *why;
};

/* ---- saying what is wrong ---- */

__attribute__((format(printf, 2, 3))) static int damage(struct pl_audit *audit, const char *format, ...)
{
    char what[256];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return pl_reason_set(audit->why, PL_ECORRUPT, "%s is damaged: %s", audit->path, what);
}

/* ---- pages ---- */

static int claim(struct pl_audit *audit, uint64_t number, const char *as)
{
    uint64_t bit = UINT64_C(1) << (number & 63);

    if (number < 2 || number > audit->last_page)
        return damage(audit, "page %" PRIu64 " (%s) is none of its %" PRIu64 " pages", number, as,
                      audit->last_page + 1);
    if ((audit->seen[number >> 6] & bit) != 0)
        return damage(audit, "page %" PRIu64 " (%s) is used twice", number, as);
    audit->seen[number >> 6] |= bit;
    return 0;
}

static int read_at(struct pl_audit *audit, void *to, size_t len, uint64_t number)
{
    uint64_t offset = number * audit->page_bytes;
    size_t got = 0;
    int rc;

    if (offset > audit->file_bytes || len > audit->file_bytes - offset)
        return damage(audit, "page %" PRIu64 " lies beyond the end of the file", number);
    rc = pl_disk_read(audit->disk, audit->file, to, len, offset, &got, audit->why);
    if (rc == 0 && got != len)
        return damage(audit, "page %" PRIu64 " lies beyond the end of the file", number);
    return rc;
}

static bool in_free_tree(const struct pl_audit *audit)
{
    return audit->phase == FREE_TREE;
}

/* ---- nodes: where they lie ---- */

static uint32_t node_bytes(const uint8_t *node, bool leaf)
{
    uint32_t bytes = PL_NODE_HEADER_BYTES + (uint32_t)pl_node_key_len(node);

    if (leaf)
        bytes += (pl_node_flags(node) & PL_NODE_BIG) != 0 ? 8 : pl_node_value_len(node);
    return bytes;
}

/* False when some of it belongs to another node already. */
static bool claim_bytes(struct pl_audit *audit, uint32_t from, uint32_t to)
{
    for (uint32_t at = from / 2; at < to / 2; at++) {
        uint64_t bit = UINT64_C(1) << (at & 63);

        if ((audit->nodes_seen[at >> 6] & bit) != 0)
            return false;
        audit->nodes_seen[at >> 6] |= bit;
    }
    return true;
}

static int check_node_place(struct pl_audit *audit, const struct level *level, uint32_t i, bool leaf,
                            uint32_t *total)
{
    uint32_t at = pl_page_slot(level->page, i);
    const uint8_t *node = level->page + at;
    uint32_t room, bytes;

    if (at < pl_page_upper(level->page) || (at & 1) != 0 || at + PL_NODE_HEADER_BYTES > audit->page_bytes)
        return damage(audit, "page %" PRIu64 " has node %u at a wrong place", level->number, i);
    room = audit->page_bytes - at;
    if (leaf && pl_node_value_len(node) > room && (pl_node_flags(node) & PL_NODE_BIG) == 0)
        return damage(audit, "page %" PRIu64 " has node %u with a value that leaves it", level->number, i);
    bytes = (node_bytes(node, leaf) + 1) & ~1u;
    if (bytes > room)
        return damage(audit, "page %" PRIu64 " has node %u, which leaves it", level->number, i);
    if (!claim_bytes(audit, at, at + bytes))
        return damage(audit, "page %" PRIu64 " has node %u on top of another", level->number, i);
    *total += bytes;
    return 0;
}

static int check_layout(struct pl_audit *audit, const struct level *level, bool leaf, uint32_t *count)
{
    uint32_t lower = pl_page_lower(level->page), upper = pl_page_upper(level->page);
    uint32_t total = 0;
    int rc;

    if (lower < PL_PAGE_HEADER_BYTES || (lower & 1) != 0 || upper < lower || upper > audit->page_bytes)
        return damage(audit, "page %" PRIu64 " has impossible bounds", level->number);
    *count = (lower - PL_PAGE_HEADER_BYTES) / 2;
    if (*count < (leaf || in_free_tree(audit) ? 1u : 2u))
        return damage(audit, "page %" PRIu64 " has too few nodes", level->number);
    memset(audit->nodes_seen, 0, audit->page_bytes / 16);
    for (uint32_t i = 0; i < *count; i++) {
        rc = check_node_place(audit, level, i, leaf, &total);
        if (rc != 0)
            return rc;
    }
    if (total != audit->page_bytes - upper)
        return damage(audit, "page %" PRIu64 " has a hole between its nodes", level->number);
    return 0;
}

static int check_header(struct pl_audit *audit, const struct level *level, bool leaf)
{
    if (pl_page_number(level->page) != level->number)
        return damage(audit, "page %" PRIu64 " says that it is page %" PRIu64, level->number,
                      pl_page_number(level->page));
    if (pl_page_flags(level->page) != (leaf ? PL_PAGE_LEAF : PL_PAGE_BRANCH))
        return damage(audit, "page %" PRIu64 " is of a wrong kind (%u)", level->number,
                      pl_page_flags(level->page));
    return 0;
}

/* ---- keys: what they are, and in which order ---- */

static const uint8_t *node_of(const struct level *level, uint32_t i)
{
    return level->page + pl_page_slot(level->page, i);
}

static struct pl_bytes key_of(const struct level *level, uint32_t i)
{
    const uint8_t *node = node_of(level, i);

    return pl_bytes(node + PL_NODE_HEADER_BYTES, pl_node_key_len(node));
}

static int compare(const struct pl_audit *audit, struct pl_bytes a, struct pl_bytes b)
{
    uint64_t x, y;

    if (!in_free_tree(audit))
        return pl_bytes_compare(a, b);
    x = pl_get_le64(a.data);
    y = pl_get_le64(b.data);
    return x < y ? -1 : x > y;
}

static int check_key(struct pl_audit *audit, const struct level *level, uint32_t i, uint32_t first)
{
    struct pl_bytes key = key_of(level, i);

    if (in_free_tree(audit) ? key.len != 8 : key.len == 0 || key.len > PL_STORE_KEY_MAX)
        return damage(audit, "page %" PRIu64 " has node %u with a key of %zu bytes", level->number, i,
                      key.len);
    if (i > first && compare(audit, key_of(level, i - 1), key) >= 0)
        return damage(audit, "page %" PRIu64 " has its keys out of order at node %u", level->number, i);
    if (level->has_low && compare(audit, key, level->low) < 0)
        return damage(audit, "page %" PRIu64 " has a key at node %u that belongs before it", level->number,
                      i);
    if (level->has_high && compare(audit, key, level->high) >= 0)
        return damage(audit, "page %" PRIu64 " has a key at node %u that belongs after it", level->number, i);
    return 0;
}

/* A branch's first key is never looked at: it stands for everything below the second. */
static int check_keys(struct pl_audit *audit, const struct level *level, bool leaf, uint32_t count)
{
    uint32_t first = leaf ? 0 : 1;

    for (uint32_t i = first; i < count; i++) {
        int rc = check_key(audit, level, i, first);

        if (rc != 0)
            return rc;
    }
    return 0;
}

/* ---- values ---- */

static int reserve_value(struct pl_audit *audit, size_t len)
{
    char *more;

    if (len <= audit->value_capacity)
        return 0;
    more = realloc(audit->value, len);
    if (more == NULL)
        return PL_ENOMEM;
    audit->value = more;
    audit->value_capacity = len;
    return 0;
}

static int check_run(struct pl_audit *audit, uint64_t number, uint32_t value_len, uint64_t *run)
{
    uint8_t header[PL_PAGE_HEADER_BYTES];
    uint64_t least = ((uint64_t)value_len + PL_PAGE_HEADER_BYTES + audit->page_bytes - 1) / audit->page_bytes;
    int rc;

    if (number < 2 || number > audit->last_page)
        return damage(audit, "a long value stands at page %" PRIu64 ", which is none of its pages", number);
    rc = read_at(audit, header, sizeof header, number);
    if (rc != 0)
        return rc;
    *run = pl_page_run(header);
    if (pl_page_number(header) != number || pl_page_flags(header) != PL_PAGE_OVERFLOW)
        return damage(audit, "page %" PRIu64 " should begin a long value, and does not", number);
    /* A value that was replaced by a shorter one keeps its pages, so there may be more than needed. */
    if (*run < least || *run > audit->last_page + 1 - number)
        return damage(audit, "the long value at page %" PRIu64 " has an impossible number of pages", number);
    return 0;
}

static int read_long_value(struct pl_audit *audit, const uint8_t *node, struct pl_bytes *out)
{
    uint64_t number = pl_get_le64(node + PL_NODE_HEADER_BYTES + pl_node_key_len(node));
    uint32_t len = pl_node_value_len(node);
    uint64_t run = 0;
    int rc = check_run(audit, number, len, &run);

    for (uint64_t i = 0; rc == 0 && i < run; i++)
        rc = claim(audit, number + i, "of a long value");
    if (rc != 0)
        return rc;
    if (number * audit->page_bytes + PL_PAGE_HEADER_BYTES + len > audit->file_bytes)
        return damage(audit, "the long value at page %" PRIu64 " lies beyond the end of the file", number);
    rc = reserve_value(audit, (size_t)PL_PAGE_HEADER_BYTES + len);
    if (rc == 0)
        rc = read_at(audit, audit->value, (size_t)PL_PAGE_HEADER_BYTES + len, number);
    if (rc != 0)
        return rc;
    audit->counted.overflow_pages += run;
    audit->report.overflow_pages += run;
    *out = pl_bytes(audit->value + PL_PAGE_HEADER_BYTES, len);
    return 0;
}

static int check_checksum(struct pl_audit *audit, const struct level *level, uint32_t i,
                          struct pl_bytes value)
{
    struct pl_bytes own;

    if (value.len < PL_STORE_CHECKSUM_BYTES)
        return damage(audit, "page %" PRIu64 " has node %u with a value too short for its checksum",
                      level->number, i);
    own = pl_bytes(value.data + PL_STORE_CHECKSUM_BYTES, value.len - PL_STORE_CHECKSUM_BYTES);
    if (pl_get_le64(value.data) != pl_store_checksum(key_of(level, i), own))
        return damage(audit, "page %" PRIu64 " has node %u with a value that fails its checksum",
                      level->number, i);
    audit->report.entry_count++;
    audit->report.value_bytes += own.len;
    return 0;
}

/* Under a transaction's number: how many pages it gave back, and which, the last first. */
static int check_free_list(struct pl_audit *audit, const struct level *level, uint32_t i,
                           struct pl_bytes value)
{
    uint64_t count, before = UINT64_MAX;

    if (value.len < 8 || value.len % 8 != 0 || pl_get_le64(value.data) > value.len / 8 - 1)
        return damage(audit, "page %" PRIu64 " has node %u with a free list of a wrong length", level->number,
                      i);
    if (pl_get_le64(key_of(level, i).data) > audit->report.txn_id)
        return damage(audit, "page %" PRIu64 " has a free list of a transaction yet to come", level->number);
    count = pl_get_le64(value.data);
    for (uint64_t at = 1; at <= count; at++) {
        uint64_t number = pl_get_le64(value.data + 8 * at);
        int rc;

        if (number >= before)
            return damage(audit, "page %" PRIu64 " has node %u with a free list out of order", level->number,
                          i);
        rc = claim(audit, number, "free");
        if (rc != 0)
            return rc;
        before = number;
    }
    audit->report.free_pages += count;
    return 0;
}

static int check_value(struct pl_audit *audit, const struct level *level, uint32_t i)
{
    const uint8_t *node = node_of(level, i);
    struct pl_bytes value;
    int rc;

    if ((pl_node_flags(node) & ~PL_NODE_BIG) != 0)
        return damage(audit, "page %" PRIu64 " has node %u of a wrong kind", level->number, i);
    if ((pl_node_flags(node) & PL_NODE_BIG) != 0) {
        rc = read_long_value(audit, node, &value);
        if (rc != 0)
            return rc;
    } else {
        value = pl_bytes(node + PL_NODE_HEADER_BYTES + pl_node_key_len(node), pl_node_value_len(node));
    }
    audit->counted.entries++;
    return in_free_tree(audit) ? check_free_list(audit, level, i, value)
                               : check_checksum(audit, level, i, value);
}

/* ---- the walk ---- */

static int check_leaf(struct pl_audit *audit, struct level *level, uint32_t count)
{
    level->count = 0;
    audit->counted.leaf_pages++;
    audit->report.leaf_pages++;
    for (uint32_t i = 0; i < count; i++) {
        int rc = check_value(audit, level, i);

        if (rc != 0)
            return rc;
    }
    return 0;
}

static void count_branch(struct pl_audit *audit, struct level *level, uint32_t count)
{
    level->count = count;
    if (audit->phase == BRANCHES && audit->depth + 1 >= audit->tree.depth)
        level->count = 0; /* its children are leaves, whose turn is later */
    audit->counted.branch_pages++;
    if (audit->phase != BRANCHES)
        audit->report.branch_pages++;
}

/* The page of the level on top, whose number and bounds are set. */
static int visit(struct pl_audit *audit)
{
    struct level *level = &audit->levels[audit->depth - 1];
    bool leaf = audit->depth == audit->tree.depth;
    uint32_t count = 0;
    int rc;

    rc = claim(audit, level->number, leaf ? "a leaf" : "a branch");
    if (rc == 0 && level->page == NULL) {
        level->page = malloc(audit->page_bytes);
        rc = level->page != NULL ? 0 : PL_ENOMEM;
    }
    if (rc == 0)
        rc = read_at(audit, level->page, audit->page_bytes, level->number);
    if (rc == 0)
        rc = check_header(audit, level, leaf);
    if (rc == 0)
        rc = check_layout(audit, level, leaf, &count);
    if (rc == 0)
        rc = check_keys(audit, level, leaf, count);
    if (rc != 0)
        return rc;
    level->next = 0;
    if (leaf)
        return check_leaf(audit, level, count);
    count_branch(audit, level, count);
    return 0;
}

static void descend(struct pl_audit *audit)
{
    struct level *above = &audit->levels[audit->depth - 1];
    struct level *below = &audit->levels[audit->depth];
    uint32_t i = above->next++;
    uint32_t total = (pl_page_lower(above->page) - PL_PAGE_HEADER_BYTES) / 2u;

    below->number = pl_node_child(node_of(above, i));
    below->has_low = i > 0 || above->has_low;
    below->low = i > 0 ? key_of(above, i) : above->low;
    below->has_high = i + 1 < total || above->has_high;
    below->high = i + 1 < total ? key_of(above, i + 1) : above->high;
    audit->depth++;
}

static int check_totals(struct pl_audit *audit)
{
    const struct pl_page_tree *said = &audit->tree, *counted = &audit->counted;

    if (said->branch_pages != counted->branch_pages)
        return damage(audit, "it has %" PRIu64 " branch pages and says %" PRIu64, counted->branch_pages,
                      said->branch_pages);
    if (audit->phase == BRANCHES)
        return 0;
    if (said->leaf_pages != counted->leaf_pages || said->overflow_pages != counted->overflow_pages)
        return damage(audit,
                      "it has %" PRIu64 " leaf and %" PRIu64 " long value pages, and says %" PRIu64
                      " and %" PRIu64,
                      counted->leaf_pages, counted->overflow_pages, said->leaf_pages, said->overflow_pages);
    if (said->entries != counted->entries)
        return damage(audit, "it has %" PRIu64 " entries and says %" PRIu64, counted->entries, said->entries);
    return 0;
}

static void count_lost(struct pl_audit *audit)
{
    uint64_t seen = 2; /* the meta pages */

    for (uint64_t i = 0; i <= audit->last_page >> 6; i++)
        seen += (uint64_t)__builtin_popcountll(audit->seen[i]);
    audit->report.lost_pages = audit->last_page + 1 - seen;
}

static size_t seen_bytes(const struct pl_audit *audit)
{
    return (size_t)((audit->last_page >> 6) + 1) * sizeof *audit->seen;
}

static int begin_phase(struct pl_audit *audit, enum phase phase)
{
    bool is_free_tree = phase == FREE_TREE;

    if (audit->phase == BRANCHES && phase != BRANCHES)
        memset(audit->seen, 0, seen_bytes(audit));
    audit->phase = phase;
    audit->depth = 0;
    audit->counted = (struct pl_page_tree){ 0 };
    if (phase == DONE) {
        count_lost(audit);
        return 0;
    }
    audit->tree = pl_meta_tree(audit->meta, is_free_tree ? PL_META_FREE_TREE : PL_META_MAIN_TREE);
    if (is_free_tree ? (audit->tree.flags & TREE_KIND_FLAGS) != PL_TREE_INTEGER_KEYS : audit->tree.flags != 0)
        return damage(audit, "a tree is of a wrong kind");
    if (audit->tree.depth > DEPTH_MAX || (audit->tree.depth == 0) != (audit->tree.root == PL_PAGE_NONE))
        return damage(audit, "a tree has an impossible depth of %u", audit->tree.depth);
    return 0;
}

static int enter_root(struct pl_audit *audit)
{
    struct level *root = &audit->levels[0];

    root->number = audit->tree.root;
    root->has_low = root->has_high = false;
    audit->depth = 1;
    return visit(audit);
}

static bool is_empty(const struct pl_audit *audit)
{
    return audit->tree.depth == 0 || (audit->phase == BRANCHES && audit->tree.depth == 1);
}

static int end_phase(struct pl_audit *audit)
{
    int rc = check_totals(audit);

    return rc != 0 ? rc : begin_phase(audit, audit->phase + 1);
}

/* One page, or the end of a phase. */
static int advance(struct pl_audit *audit)
{
    if (audit->depth == 0)
        return is_empty(audit) ? end_phase(audit) : enter_root(audit);
    while (audit->depth > 0) {
        struct level *level = &audit->levels[audit->depth - 1];

        if (level->next < level->count) {
            descend(audit);
            return visit(audit);
        }
        audit->depth--;
    }
    return end_phase(audit);
}

int pl_audit_step(struct pl_audit *audit, uint64_t pages, struct pl_reason *why)
{
    int rc = 0;

    audit->why = why;
    while (rc == 0 && pages-- > 0 && audit->phase != DONE)
        rc = advance(audit);
    audit->why = NULL;
    return rc;
}

bool pl_audit_done(const struct pl_audit *audit)
{
    return audit->phase == DONE;
}

const struct pl_audit_report *pl_audit_report(const struct pl_audit *audit)
{
    return &audit->report;
}

/* ---- opening ---- */

static bool is_page_size(uint32_t bytes)
{
    return bytes >= PL_PAGE_BYTES_MIN && bytes <= PL_PAGE_BYTES_MAX && (bytes & (bytes - 1)) == 0;
}

/* LMDB takes whichever of the two is newer, and insists on both being meta pages. */
static int learn_meta(struct pl_audit *audit)
{
    uint8_t other[PL_PAGE_META_BYTES];
    int rc;

    audit->page_bytes = PL_PAGE_BYTES_MIN;
    rc = read_at(audit, audit->meta, sizeof audit->meta, 0);
    if (rc != 0)
        return rc;
    if (!pl_meta_plausible(audit->meta) || !is_page_size(pl_meta_page_bytes(audit->meta)))
        return damage(audit, "its first page is no meta page");
    audit->page_bytes = pl_meta_page_bytes(audit->meta);
    rc = read_at(audit, other, sizeof other, 1);
    if (rc != 0)
        return rc;
    if (!pl_meta_plausible(other) || pl_meta_page_bytes(other) != audit->page_bytes)
        return damage(audit, "its second page is no meta page");
    if (pl_meta_txn_id(other) > pl_meta_txn_id(audit->meta))
        memcpy(audit->meta, other, sizeof other);
    return 0;
}

static int take_facts(struct pl_audit *audit, const struct pl_checkpoint_facts *facts)
{
    const uint8_t *const meta[2] = { facts->meta[0], facts->meta[1] };

    memcpy(audit->meta, meta[pl_meta_txn_id(meta[1]) > pl_meta_txn_id(meta[0])], sizeof audit->meta);
    audit->page_bytes = facts->page_bytes;
    if ((facts->last_page + 1) * facts->page_bytes > audit->file_bytes)
        return damage(audit, "it has %" PRIu64 " bytes, too few for %" PRIu64 " pages", audit->file_bytes,
                      facts->last_page + 1);
    return 0;
}

static int prepare(struct pl_audit *audit)
{
    audit->last_page = pl_meta_last_page(audit->meta);
    audit->report.txn_id = pl_meta_txn_id(audit->meta);
    audit->report.page_count = audit->last_page + 1;
    if (audit->last_page < 1 || audit->last_page > audit->file_bytes / audit->page_bytes + UNWRITTEN_MAX)
        return damage(audit, "it has %" PRIu64 " bytes, too few for the %" PRIu64 " pages it speaks of",
                      audit->file_bytes, audit->last_page);
    audit->seen = calloc(1, seen_bytes(audit));
    audit->nodes_seen = calloc(1, audit->page_bytes / 16);
    if (audit->seen == NULL || audit->nodes_seen == NULL)
        return PL_ENOMEM;
    return begin_phase(audit, BRANCHES);
}

static int open_steps(struct pl_audit *audit, const char *path, const struct pl_checkpoint_facts *facts)
{
    int rc = pl_disk_open(audit->disk, path, PL_DISK_READ, &audit->file, audit->why);

    if (rc != 0)
        return rc;
    audit->path = audit->file->path;
    rc = pl_disk_size(audit->disk, audit->file, &audit->file_bytes, audit->why);
    if (rc == 0)
        rc = facts != NULL ? take_facts(audit, facts) : learn_meta(audit);
    return rc == 0 ? prepare(audit) : rc;
}

int pl_audit_open(const struct pl_disk *disk, const char *path, const struct pl_checkpoint_facts *facts,
                  struct pl_audit **out, struct pl_reason *why)
{
    struct pl_audit *audit = calloc(1, sizeof *audit);
    int rc;

    if (audit == NULL)
        return PL_ENOMEM;
    audit->disk = disk;
    audit->why = why;
    rc = open_steps(audit, path, facts);
    audit->why = NULL;
    if (rc != 0) {
        pl_audit_close(audit);
        return rc;
    }
    *out = audit;
    return 0;
}

void pl_audit_close(struct pl_audit *audit)
{
    if (audit == NULL)
        return;
    for (int i = 0; i < DEPTH_MAX; i++)
        free(audit->levels[i].page);
    free(audit->value);
    free(audit->nodes_seen);
    free(audit->seen);
    pl_disk_close(audit->disk, audit->file);
    free(audit);
}

int pl_audit_file(const struct pl_disk *disk, const char *path, const struct pl_checkpoint_facts *facts,
                  struct pl_audit_report *report, struct pl_reason *why)
{
    struct pl_audit *audit;
    int rc = pl_audit_open(disk, path, facts, &audit, why);

    if (rc != 0)
        return rc;
    rc = pl_audit_step(audit, UINT64_MAX, why);
    if (rc == 0 && report != NULL)
        *report = *pl_audit_report(audit);
    pl_audit_close(audit);
    return rc;
}
