/* SPDX-License-Identifier: MIT */
#include "store/store_inside.h"

#include "store/page.h"

/*
 * Looking up a key in a tree larger than the processor's caches is waiting for memory: at every page its header,
 * its slots, and a node for each step of the search within it. One look-up has nothing else to do meanwhile. Several
 * have each other: here they go down side by side, each taking one step and asking for the memory of its next one.
 *
 * Nobody relies on what is found here. LMDB's own look-up comes after it, over the same pages, now near; so all that a
 * page with nonsense in it can do is to end a descent early. The pages are those of the reader's snapshot, which LMDB
 * does not write to.
 */
enum { DEPTH_MAX = 32, LINE_BYTES = 64, VALUE_LINES = 5 };

struct tree {
    const uint8_t *map;
    uint32_t page_bytes;
    uint64_t last_page, root;
};

struct descent {
    struct pl_bytes key;
    const uint8_t *page;
    const uint8_t *node; /* NULL: the page is new */
    uint32_t low, high;  /* the nodes that may still be the one */
    uint32_t depth;
    bool leaf;
    bool found;
};

/*
 * LMDB does not tell where its map is, but every value lies on a page of it, and a page knows its number. The map
 * cannot move while a reader holds it, and it seldom does between.
 */
static bool find_map(struct pl_txn *txn)
{
    struct pl_store *store = txn->store;
    struct pl_bytes value;
    const uint8_t *page;

    if (txn->map != NULL && txn->map_moves == store->map_moves)
        return true;
    if (pl_txn_get_identity(txn, &value) != 0)
        return false;
    page = (const uint8_t *)((uintptr_t)value.data & ~((uintptr_t)store->page_bytes - 1));
    txn->map = page - pl_page_number(page) * store->page_bytes;
    txn->map_moves = store->map_moves;
    return true;
}

/* The tree that `txn` sees: its meta page stays as it is until the second commit after it. */
static bool find_tree(struct pl_txn *txn, struct tree *out)
{
    const uint8_t *meta;

    if (!find_map(txn))
        return false;
    out->map = txn->map;
    out->page_bytes = txn->store->page_bytes;
    meta = out->map + (mdb_txn_id(txn->mdb) & 1) * out->page_bytes;
    out->last_page = pl_meta_last_page(meta);
    out->root = pl_meta_tree(meta, PL_META_MAIN_TREE).root;
    return pl_meta_plausible(meta) && pl_meta_txn_id(meta) == mdb_txn_id(txn->mdb) &&
           out->last_page < txn->store->map_bytes / out->page_bytes;
}

static bool go_to(const struct tree *tree, struct descent *d, uint64_t page)
{
    if (page > tree->last_page || d->depth++ == DEPTH_MAX)
        return false;
    d->page = tree->map + page * tree->page_bytes;
    d->node = NULL;
    __builtin_prefetch(d->page);
    __builtin_prefetch(d->page + LINE_BYTES);
    return true;
}

/* The next node to be compared is asked for. False: the page is not what it should be. */
static bool ask_for(const struct tree *tree, struct descent *d, uint32_t i)
{
    uint16_t at = pl_page_slot(d->page, i);

    if (at < PL_PAGE_HEADER_BYTES || at > tree->page_bytes - PL_NODE_HEADER_BYTES)
        return false;
    d->node = d->page + at;
    __builtin_prefetch(d->node);
    return true;
}

/* Its memory has come by now. */
static bool fits(const struct tree *tree, const struct descent *d)
{
    return (size_t)(d->node - d->page) + PL_NODE_HEADER_BYTES + pl_node_key_len(d->node) <= tree->page_bytes;
}

static struct pl_bytes key_of(const uint8_t *node)
{
    return pl_bytes(node + PL_NODE_HEADER_BYTES, pl_node_key_len(node));
}

static uint32_t middle(const struct descent *d)
{
    return d->low + (d->high - d->low) / 2;
}

/* A branch's first node stands for all keys before the second's, and holds none. */
static bool enter_page(const struct tree *tree, struct descent *d)
{
    uint16_t flags = pl_page_flags(d->page), lower = pl_page_lower(d->page);

    if (lower <= PL_PAGE_HEADER_BYTES || lower > tree->page_bytes ||
        (flags & (PL_PAGE_BRANCH | PL_PAGE_LEAF)) == 0)
        return false;
    d->leaf = (flags & PL_PAGE_LEAF) != 0;
    d->low = d->leaf ? 0 : 1;
    d->high = (lower - PL_PAGE_HEADER_BYTES) / 2u;
    return d->low <= d->high && ask_for(tree, d, d->low < d->high ? middle(d) : 0);
}

/* Where the node's value begins, and the lines after it. */
static void ask_for_value(const struct tree *tree, const struct descent *d)
{
    const uint8_t *end = d->page + tree->page_bytes;
    const uint8_t *at = d->node;

    for (int i = 0; i < VALUE_LINES && at < end; i++, at += LINE_BYTES)
        __builtin_prefetch(at);
}

static bool leave_page(const struct tree *tree, struct descent *d)
{
    if (d->leaf) {
        if (d->low > 0 && ask_for(tree, d, d->low - 1)) {
            ask_for_value(tree, d);
            d->found = fits(tree, d) && pl_bytes_equal(key_of(d->node), d->key);
        }
        return false;
    }
    return ask_for(tree, d, d->low - 1) && go_to(tree, d, pl_node_child(d->node));
}

/* One step down, or within a page. False: this one has arrived, as far as it goes. */
static bool step(const struct tree *tree, struct descent *d)
{
    struct pl_bytes there;

    if (d->node == NULL)
        return enter_page(tree, d);
    if (!fits(tree, d))
        return false;
    if (d->low >= d->high)
        return leave_page(tree, d);
    there = key_of(d->node);
    if (pl_bytes_compare(there, d->key) <= 0)
        d->low = middle(d) + 1;
    else
        d->high = middle(d);
    return d->low >= d->high || ask_for(tree, d, middle(d));
}

size_t pl_txn_prefetch(struct pl_txn *txn, const struct pl_bytes *keys, size_t count)
{
    struct descent descents[PL_STORE_PREFETCH_MAX], *going[PL_STORE_PREFETCH_MAX];
    struct tree tree;
    size_t left = 0, found = 0;

    PL_ASSERT(count <= PL_STORE_PREFETCH_MAX && !txn->writable);
    if (count == 0 || !find_tree(txn, &tree))
        return 0;
    for (size_t i = 0; i < count; i++) {
        descents[i] = (struct descent){ .key = keys[i] };
        if (go_to(&tree, &descents[i], tree.root))
            going[left++] = &descents[i];
    }
    while (left > 0)
        for (size_t i = 0; i < left;)
            if (step(&tree, going[i]))
                i++;
            else
                going[i] = going[--left];
    for (size_t i = 0; i < count; i++)
        found += descents[i].found;
    return found;
}
