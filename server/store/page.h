/* SPDX-License-Identifier: MIT */
#ifndef PL_STORE_PAGE_H
#define PL_STORE_PAGE_H

#include "base/bytes.h"

/**
 * How LMDB (data version 1, 64-bit, little-endian) lays out its file, for who reads it without LMDB.
 * All numbers are little-endian; nothing here is checked: see audit.c.
 *
 *     page    0 number u64   8 pad u16   10 flags u16   12 lower u16   14 upper u16   16 slots: u16 each
 *             (of a long value: 12 pages u32, then the value; its further pages have no header)
 *     node    0 low u16   2 high u16   4 flags u16   6 key length u16   8 key, then the value
 *             branch: low, high, flags are the child's 48-bit number
 *             leaf:   low, high are the value's length; flag BIG: 8 bytes of page number stand for it
 *     meta    16 magic u32   20 version u32   24 address u64   32 map size u64
 *             40 free tree   88 main tree   136 last page u64   144 transaction u64
 *     tree    0 pad u32 (of the free tree: page size)   4 flags u16   6 depth u16
 *             8 branch pages u64   16 leaf pages u64   24 overflow pages u64   32 entries u64   40 root u64
 */
enum {
    PL_PAGE_HEADER_BYTES = 16,
    PL_PAGE_META_BYTES = 152,
    PL_NODE_HEADER_BYTES = 8,
    PL_PAGE_BYTES_MIN = 256,
    PL_PAGE_BYTES_MAX = 32768,

    PL_PAGE_BRANCH = 0x01,
    PL_PAGE_LEAF = 0x02,
    PL_PAGE_OVERFLOW = 0x04,
    PL_PAGE_META = 0x08,

    PL_NODE_BIG = 0x01,

    PL_TREE_INTEGER_KEYS = 0x08,

    PL_META_FREE_TREE = 40,
    PL_META_MAIN_TREE = 88
};

#define PL_META_MAGIC   UINT32_C(0xBEEFC0DE)
#define PL_META_VERSION 1
#define PL_PAGE_NONE    UINT64_MAX

static inline uint64_t pl_page_number(const uint8_t *page)
{
    return pl_get_le64(page);
}

static inline uint16_t pl_page_flags(const uint8_t *page)
{
    return pl_get_le16(page + 10);
}

static inline uint16_t pl_page_lower(const uint8_t *page)
{
    return pl_get_le16(page + 12);
}

static inline uint16_t pl_page_upper(const uint8_t *page)
{
    return pl_get_le16(page + 14);
}

static inline uint32_t pl_page_run(const uint8_t *page)
{
    return pl_get_le32(page + 12);
}

static inline uint16_t pl_page_slot(const uint8_t *page, uint32_t i)
{
    return pl_get_le16(page + PL_PAGE_HEADER_BYTES + 2 * (size_t)i);
}

static inline uint32_t pl_node_value_len(const uint8_t *node)
{
    return pl_get_le16(node) | (uint32_t)pl_get_le16(node + 2) << 16;
}

static inline uint64_t pl_node_child(const uint8_t *node)
{
    return pl_node_value_len(node) | (uint64_t)pl_get_le16(node + 4) << 32;
}

static inline uint16_t pl_node_flags(const uint8_t *node)
{
    return pl_get_le16(node + 4);
}

static inline uint16_t pl_node_key_len(const uint8_t *node)
{
    return pl_get_le16(node + 6);
}

/* Of a meta page. */
static inline bool pl_meta_plausible(const uint8_t *meta)
{
    return (pl_page_flags(meta) & PL_PAGE_META) != 0 && pl_get_le32(meta + 16) == PL_META_MAGIC &&
           pl_get_le32(meta + 20) == PL_META_VERSION;
}

static inline uint32_t pl_meta_page_bytes(const uint8_t *meta)
{
    return pl_get_le32(meta + PL_META_FREE_TREE);
}

static inline uint64_t pl_meta_last_page(const uint8_t *meta)
{
    return pl_get_le64(meta + 136);
}

static inline uint64_t pl_meta_txn_id(const uint8_t *meta)
{
    return pl_get_le64(meta + 144);
}

struct pl_page_tree {
    uint16_t flags;
    uint16_t depth;
    uint64_t branch_pages;
    uint64_t leaf_pages;
    uint64_t overflow_pages;
    uint64_t entries;
    uint64_t root; /* PL_PAGE_NONE: empty */
};

/* `at` is PL_META_FREE_TREE or PL_META_MAIN_TREE. */
static inline struct pl_page_tree pl_meta_tree(const uint8_t *meta, size_t at)
{
    const uint8_t *tree = meta + at;

    return (struct pl_page_tree){ .flags = pl_get_le16(tree + 4),
                                  .depth = pl_get_le16(tree + 6),
                                  .branch_pages = pl_get_le64(tree + 8),
                                  .leaf_pages = pl_get_le64(tree + 16),
                                  .overflow_pages = pl_get_le64(tree + 24),
                                  .entries = pl_get_le64(tree + 32),
                                  .root = pl_get_le64(tree + 40) };
}

#endif
