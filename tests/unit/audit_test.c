/* SPDX-License-Identifier: MIT */
#include "store/audit.h"

#include "store/page.h"
#include "store/store.h"

#include "fault_disk.h"
#include "scratch_tree.h"
#include "test.h"

enum { PAGE = 4096, KEYS = 3000 };

static struct pl_disk disk;
static struct pl_reason why;

/* ---- a store with everything in it: branches on two levels, long values, a free list ---- */

static char store_path[PATH_MAX];
static unsigned char *sound; /* its file */
static size_t sound_len;

static size_t value_len(uint32_t n)
{
    return n % 50 == 7 ? 3000 + n : 20 + n % 90;
}

static void key_print(char *key, uint32_t n)
{
    snprintf(key, 200, "key %08u %0150u", n, n);
}

static int put_range(struct pl_store *store, uint32_t from, uint32_t to, bool remove)
{
    static char value[8192];
    struct pl_txn *txn;
    char key[200];
    int rc = pl_txn_begin(store, &txn);

    for (uint32_t n = from; rc == 0 && n < to; n++) {
        key_print(key, n);
        memset(value, (int)(n & 0xff), value_len(n));
        rc = remove ? pl_txn_delete(txn, pl_str(key))
                    : pl_txn_put(txn, pl_str(key), pl_bytes(value, value_len(n)));
    }
    return rc == 0 ? pl_txn_commit(txn) : rc;
}

static bool build(void)
{
    struct pl_store_options options = { .create = true };
    struct pl_store *store;
    struct pl_txn *txn;

    snprintf(store_path, sizeof store_path, "%s", scratch_fresh("sound"));
    if (pl_store_open(store_path, &options, &store, &why) != 0)
        return false;
    if (pl_txn_begin(store, &txn) != 0 || pl_txn_put_identity(txn, pl_str("id")) != 0 ||
        pl_txn_commit(txn) != 0)
        return false;
    for (uint32_t n = 0; n < KEYS; n += 100)
        if (put_range(store, n, n + 100, false) != 0)
            return false;
    if (put_range(store, 500, 700, true) != 0 || put_range(store, 1000, 1100, false) != 0)
        return false;
    pl_store_close(store);
    sound = scratch_read(store_path, &sound_len);
    return true;
}

/* True when LMDB reads all that was written, and nothing else. */
static bool reads_whole(const char *path)
{
    struct pl_store_options options = { 0 };
    struct pl_bytes key, value;
    struct pl_reader *reader;
    struct pl_cursor *cursor;
    struct pl_store *store;
    struct pl_txn *txn;
    char expected[200];
    uint32_t n = 0;
    bool whole = true;

    if (pl_store_open(path, &options, &store, &why) != 0)
        return false;
    if (pl_reader_open(store, &reader) != 0 || pl_reader_renew(reader, &txn) != 0 ||
        pl_cursor_open(txn, &cursor) != 0)
        abort();
    for (int rc = pl_cursor_seek(cursor, pl_str(""), &key, &value); rc == 0;
         rc = pl_cursor_next(cursor, &key, &value)) {
        key_print(expected, n);
        whole = whole && pl_bytes_equal(key, pl_str(expected)) && value.len == value_len(n) &&
                (uint8_t)value.data[value.len - 1] == (n & 0xff);
        n += n == 499 ? 201 : 1;
    }
    pl_cursor_close(cursor);
    pl_reader_close(reader);
    pl_store_close(store);
    return whole && n == KEYS;
}

static int audit_of(const unsigned char *bytes, size_t len, struct pl_audit_report *report)
{
    const char *path = scratch_path(scratch(), "image");

    scratch_write(path, bytes, len);
    why.text[0] = '\0';
    return pl_audit_file(&disk, path, NULL, report, &why);
}

static unsigned char *copy_of_sound(void)
{
    unsigned char *bytes = malloc(sound_len);

    memcpy(bytes, sound, sound_len);
    return bytes;
}

/* ---- finding the way in the file, by the same facts ---- */

static const unsigned char *newest_meta(const unsigned char *bytes)
{
    return bytes + (pl_meta_txn_id(bytes + PAGE) > pl_meta_txn_id(bytes) ? PAGE : 0);
}

static unsigned char *page_at(unsigned char *bytes, uint64_t number)
{
    return bytes + number * PAGE;
}

static unsigned char *node_at(unsigned char *page, uint32_t i)
{
    return page + pl_page_slot(page, i);
}

static unsigned char *root_of(unsigned char *bytes, size_t tree)
{
    return page_at(bytes, pl_meta_tree(newest_meta(bytes), tree).root);
}

static unsigned char *child_of(unsigned char *bytes, unsigned char *page, uint32_t i)
{
    return page_at(bytes, pl_node_child(node_at(page, i)));
}

static unsigned char *some_leaf(unsigned char *bytes)
{
    unsigned char *page = root_of(bytes, PL_META_MAIN_TREE);

    while (pl_page_flags(page) == PL_PAGE_BRANCH)
        page = child_of(bytes, page, 1);
    return page;
}

static unsigned char *free_leaf(unsigned char *bytes)
{
    unsigned char *page = root_of(bytes, PL_META_FREE_TREE);

    while (pl_page_flags(page) == PL_PAGE_BRANCH)
        page = child_of(bytes, page, 0);
    return page;
}

/* A leaf's node with a long value; its page number in `run`. */
static unsigned char *long_node(unsigned char *bytes, uint64_t *run)
{
    uint64_t last = pl_meta_last_page(newest_meta(bytes));
    unsigned char *root = root_of(bytes, PL_META_MAIN_TREE);

    (void)last;
    for (uint32_t i = 0; i < 20; i++) {
        unsigned char *branch = child_of(bytes, root, 0);
        unsigned char *leaf = child_of(bytes, branch, i);
        uint32_t count = (pl_page_lower(leaf) - PL_PAGE_HEADER_BYTES) / 2u;

        for (uint32_t n = 0; n < count; n++) {
            unsigned char *node = node_at(leaf, n);

            if (pl_node_flags(node) == PL_NODE_BIG) {
                *run = pl_get_le64(node + PL_NODE_HEADER_BYTES + pl_node_key_len(node));
                return node;
            }
        }
    }
    return NULL;
}

static bool says(int rc, const char *text)
{
    if (rc == PL_ECORRUPT && strstr(why.text, text) != NULL)
        return true;
    fprintf(stderr, "%s: %s\n", pl_error_name(rc), why.text);
    return false;
}

/* ---- the tests ---- */

static void a_sound_file_is_found_sound_and_counted(void)
{
    struct pl_audit_report report;

    CHECK(audit_of(sound, sound_len, &report) == 0);
    CHECK(report.entry_count == KEYS - 200 + 1);
    CHECK(report.lost_pages == 0);
    CHECK(report.free_pages > 0 && report.overflow_pages > 50 && report.branch_pages > 5);
    CHECK(2 + report.branch_pages + report.leaf_pages + report.overflow_pages + report.free_pages ==
          report.page_count);
    CHECK(pl_meta_tree(newest_meta(sound), PL_META_MAIN_TREE).depth >= 3);
    CHECK(reads_whole(store_path));
}

static void small_steps_find_the_same_as_one(void)
{
    struct pl_audit_report whole;
    struct pl_audit *audit;
    int steps = 0;

    CHECK(audit_of(sound, sound_len, &whole) == 0);
    CHECK(pl_audit_open(&disk, store_path, NULL, &audit, &why) == 0);
    for (; !pl_audit_done(audit); steps++)
        CHECK(pl_audit_step(audit, 1, &why) == 0);
    CHECK(memcmp(pl_audit_report(audit), &whole, sizeof whole) == 0);
    CHECK(steps > (int)(whole.branch_pages + whole.leaf_pages));
    CHECK(pl_audit_step(audit, 1, &why) == 0); /* done stays done */
    pl_audit_close(audit);
}

static void branches_are_looked_at_first(void)
{
    unsigned char *bytes = copy_of_sound();
    unsigned char *root = root_of(bytes, PL_META_MAIN_TREE);
    uint32_t count = (pl_page_lower(root) - PL_PAGE_HEADER_BYTES) / 2u;
    const char *path = scratch_path(scratch(), "image");
    struct pl_audit *audit;
    int rc;

    child_of(bytes, root, count - 1)[10] ^= 1; /* the last branch */
    scratch_write(path, bytes, sound_len);
    CHECK(pl_audit_open(&disk, path, NULL, &audit, &why) == 0);
    rc = pl_audit_step(audit, count + 1, &why);
    CHECK(says(rc, "kind"));
    pl_audit_close(audit);
    free(bytes);
}

static void an_empty_store_is_sound(void)
{
    struct pl_store_options options = { .create = true };
    const char *path = scratch_fresh("empty");
    struct pl_audit_report report;
    struct pl_store *store;

    CHECK(pl_store_open(path, &options, &store, &why) == 0);
    pl_store_close(store);
    CHECK(pl_audit_file(&disk, path, NULL, &report, &why) == 0);
    CHECK(report.entry_count == 0 && report.page_count == 2 && report.lost_pages == 0);
}

static void damage_of_each_kind_is_named(void)
{
    unsigned char *bytes = copy_of_sound(), *page, *node;
    uint64_t run = 0;
    struct {
        unsigned char was[PAGE];
        unsigned char *at;
    } kept;

#define DAMAGED(where, text, ...)                                                                            \
    do {                                                                                                     \
        kept.at = (where);                                                                                   \
        memcpy(kept.was, kept.at, PAGE);                                                                     \
        __VA_ARGS__;                                                                                         \
        CHECK(says(audit_of(bytes, sound_len, NULL), text));                                                 \
        memcpy(kept.at, kept.was, PAGE);                                                                     \
    } while (0)

    page = some_leaf(bytes);
    node = node_at(page, 1);
    DAMAGED(page, "says that it is page", pl_put_le64(page, 77777));
    DAMAGED(page, "wrong kind", pl_put_le16(page + 10, PL_PAGE_BRANCH));
    DAMAGED(page, "impossible bounds", pl_put_le16(page + 12, 9));
    DAMAGED(page, "impossible bounds", pl_put_le16(page + 14, 5000));
    DAMAGED(page, "too few", pl_put_le16(page + 12, 16));
    DAMAGED(page, "wrong place", pl_put_le16(page + 18, 4095));
    DAMAGED(page, "wrong place", pl_put_le16(page + 18, 20));
    DAMAGED(page, "leaves it", pl_put_le16(node + 6, 5000));
    DAMAGED(page, "leaves it", pl_put_le16(node, 5000));
    DAMAGED(page, "leaves it", pl_put_le16(node + 2, 0x8000));
    DAMAGED(page, "on top of", pl_put_le16(page + 18, pl_page_slot(page, 0)));
    DAMAGED(page, "hole", pl_put_le16(page + 12, (uint16_t)(pl_page_lower(page) - 2)));
    DAMAGED(page, "wrong kind", pl_put_le16(node + 4, 0x02)); /* a tree inside a value: never ours */
    DAMAGED(page, "out of order", node[PL_NODE_HEADER_BYTES] = 'a');
    DAMAGED(page, "after it", node_at(page, (pl_page_lower(page) - 16) / 2u - 1)[PL_NODE_HEADER_BYTES] = 'z');
    DAMAGED(page, "before it", node_at(page, 0)[PL_NODE_HEADER_BYTES] = 'a');
    DAMAGED(page, "checksum", node[PL_NODE_HEADER_BYTES + pl_node_key_len(node)] ^= 1);
    DAMAGED(page, "checksum", node[PL_NODE_HEADER_BYTES + pl_node_key_len(node) + 12] ^= 1);

    node = long_node(bytes, &run);
    CHECK(node != NULL);
    DAMAGED(page_at(bytes, run), "checksum", kept.at[100] ^= 1);
    DAMAGED(page_at(bytes, run), "begin a long value", kept.at[10] ^= 1);
    DAMAGED(page_at(bytes, run), "begin a long value", kept.at[0] ^= 1);
    DAMAGED(page_at(bytes, run), "impossible number", pl_put_le32(kept.at + 12, 0));
    DAMAGED(page_at(bytes, run), "impossible number", pl_put_le32(kept.at + 12, UINT32_MAX));
    DAMAGED(bytes + (size_t)(node - bytes) / PAGE * PAGE, "none of its pages",
            pl_put_le64(node + PL_NODE_HEADER_BYTES + pl_node_key_len(node), UINT64_MAX / 2));
    DAMAGED(bytes + (size_t)(node - bytes) / PAGE * PAGE, "impossible number",
            pl_put_le16(node + 2, 0x7fff)); /* the length */

    page = root_of(bytes, PL_META_MAIN_TREE);
    DAMAGED(page, "used twice", memcpy(node_at(page, 1), node_at(page, 0), 6));
    DAMAGED(page, "used twice", pl_put_le32(node_at(page, 1), (uint32_t)pl_page_number(page)));
    DAMAGED(page, "none of its", pl_put_le32(node_at(page, 1), 0));
    DAMAGED(page, "none of its", pl_put_le16(node_at(page, 1) + 4, 9));
    DAMAGED(page, "too few", pl_put_le16(page + 12, 18));

    page = free_leaf(bytes);
    node = node_at(page, 0);
    DAMAGED(page, "key of", pl_put_le16(node + 6, 7));
    DAMAGED(page, "yet to come",
            pl_put_le64(node_at(page, (pl_page_lower(page) - 16) / 2u - 1) + 8, 1u << 30));
    CHECK(pl_node_flags(node) == 0 && pl_node_value_len(node) >= 16);
    DAMAGED(page, "wrong length", pl_put_le64(node + 16, 100000));
    DAMAGED(page, "none of its", pl_put_le64(node + 24, 1u << 30));
    DAMAGED(page, "used twice", pl_put_le64(node + 24, pl_page_number(page)));
#undef DAMAGED
    free(bytes);
}

static void a_page_that_is_both_used_and_free_is_found(void)
{
    unsigned char *bytes = copy_of_sound();
    unsigned char *node = node_at(free_leaf(bytes), 0);

    pl_put_le64(node + 24, pl_page_number(some_leaf(bytes))); /* first, and so out of order, or else used */
    pl_put_le64(node + 16, 1);
    CHECK(audit_of(bytes, sound_len, NULL) == PL_ECORRUPT);
    CHECK(strstr(why.text, "used twice") != NULL);
    free(bytes);
}

static void wrong_totals_are_found(void)
{
    static const size_t offsets[] = { 6, 8, 16, 24, 32 };
    size_t trees[] = { PL_META_MAIN_TREE, PL_META_FREE_TREE };
    unsigned char *bytes = copy_of_sound();
    unsigned char *meta = bytes + (newest_meta(bytes) - bytes);

    for (size_t t = 0; t < 2; t++)
        for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
            meta[trees[t] + offsets[i]]++;
            CHECK_MSG(audit_of(bytes, sound_len, NULL) == PL_ECORRUPT, "tree %zu field %zu", t, i);
            meta[trees[t] + offsets[i]]--;
        }
    CHECK(audit_of(bytes, sound_len, NULL) == 0);
    free(bytes);
}

static void a_meta_page_that_is_none_is_refused(void)
{
    static const size_t offsets[] = { 10, 16, 20, 40 }; /* kind, magic, version, page size */
    unsigned char *bytes = copy_of_sound();

    for (int page = 0; page < 2; page++)
        for (size_t i = 0; i < 4; i++) {
            unsigned char *at = bytes + (size_t)page * PAGE + offsets[i];
            unsigned char was = *at;

            *at ^= 0x0b;
            CHECK(audit_of(bytes, sound_len, NULL) == PL_ECORRUPT);
            *at = was;
        }
    free(bytes);
}

static void a_cut_file_is_found_short(void)
{
    uint64_t seed = test_seed();

    for (int i = 0; i < 60; i++) {
        size_t len = i < 40 ? test_random(&seed) % sound_len : (size_t)(i - 40) * 8;

        /* LMDB's last pages may be free: then a cut does no harm. */
        if (audit_of(sound, len, NULL) == 0)
            CHECK(reads_whole(scratch_path(scratch(), "image")));
        else
            CHECK(why.text[0] != '\0');
    }
    CHECK(audit_of(sound, sound_len / 2, NULL) == PL_ECORRUPT);
    CHECK(audit_of(sound, 0, NULL) == PL_ECORRUPT);
}

/* What the audit lets pass, LMDB reads without a crash and without a wrong byte. */
static void flipped_bits_are_found_or_do_no_harm(void)
{
    unsigned char *bytes = copy_of_sound();
    uint64_t seed = test_seed();
    int found = 0;

    for (int i = 0; i < 600; i++) {
        size_t at = test_random(&seed) % (i % 3 == 0 ? 2 * PAGE : sound_len);
        unsigned char flip = (unsigned char)(1u << test_random(&seed) % 8);

        bytes[at] ^= flip;
        if (audit_of(bytes, sound_len, NULL) != 0)
            found++;
        else if (i % 2 == 0)
            CHECK_MSG(reads_whole(scratch_path(scratch(), "image")), "byte %zu, flip %u, PL_SEED=%llu", at,
                      flip, (unsigned long long)test_seed());
        bytes[at] ^= flip;
    }
    CHECK_MSG(found > 100, "%d of 600", found);
    free(bytes);
}

static void swapped_and_zeroed_pages_are_found_or_do_no_harm(void)
{
    uint64_t seed = test_seed() + 1;
    size_t pages = sound_len / PAGE;
    int found = 0;

    for (int i = 0; i < 200; i++) {
        unsigned char *bytes = copy_of_sound();
        size_t a = 2 + test_random(&seed) % (pages - 2), b = 2 + test_random(&seed) % (pages - 2);

        memcpy(bytes + a * PAGE, sound + b * PAGE, PAGE);
        if (i % 2 == 0)
            memcpy(bytes + b * PAGE, sound + a * PAGE, PAGE);
        else if (i % 4 == 1)
            memset(bytes + a * PAGE, 0, PAGE);
        if (audit_of(bytes, sound_len, NULL) != 0)
            found++;
        else
            CHECK(reads_whole(scratch_path(scratch(), "image")));
        free(bytes);
    }
    CHECK_MSG(found > 100, "%d of 200", found);
}

/* Bytes of a fuzzer's kind: a meta page that is believed, and nonsense behind it, some of it shaped like pages. */
static void nonsense_is_refused_and_never_crashes(void)
{
    uint64_t seed = test_seed() + 2;

    for (int i = 0; i < 2000; i++) {
        size_t pages = 3 + test_random(&seed) % 12;
        unsigned char *bytes = malloc(pages * PAGE);

        for (size_t at = 0; at < pages * PAGE; at += 8) {
            uint64_t word = test_random(&seed);

            pl_put_le64(bytes + at, word % 3 == 0 ? word : word % 5 == 0 ? word & 0xfff : 0);
        }
        memcpy(bytes, sound, 2 * PAGE);
        for (size_t p = 0; p < pages; p++) {
            if (p < 2) {
                pl_put_le64(bytes + p * PAGE + 136, pages - 1);
                pl_put_le64(bytes + p * PAGE + PL_META_MAIN_TREE + 40, 2 + test_random(&seed) % (pages - 2));
                pl_put_le64(bytes + p * PAGE + PL_META_FREE_TREE + 40, 2 + test_random(&seed) % (pages - 2));
                pl_put_le16(bytes + p * PAGE + PL_META_MAIN_TREE + 6, (uint16_t)(test_random(&seed) % 4));
                pl_put_le16(bytes + p * PAGE + PL_META_FREE_TREE + 6, (uint16_t)(test_random(&seed) % 3));
                continue;
            }
            pl_put_le64(bytes + p * PAGE, p);
            pl_put_le16(bytes + p * PAGE + 10, (uint16_t)(1u << test_random(&seed) % 3));
            pl_put_le16(bytes + p * PAGE + 12, (uint16_t)(16 + 2 * (test_random(&seed) % 4)));
            pl_put_le16(bytes + p * PAGE + 14, (uint16_t)(PAGE - test_random(&seed) % 64));
            for (int slot = 0; slot < 4; slot++)
                pl_put_le16(bytes + p * PAGE + 16 + 2 * slot,
                            (uint16_t)(PAGE - 2 * (test_random(&seed) % 40)));
        }
        CHECK(audit_of(bytes, pages * PAGE, NULL) != 0);
        free(bytes);
    }
}

static void a_failing_disk_fails_the_audit(void)
{
    struct fault_disk fault;
    int rc = PL_EIO;
    uint64_t n;

    fault_disk_init(&fault, pl_disk_system());
    for (n = 1; rc != 0; n += 1 + n / 8) {
        fault_disk_fail(&fault, FAULT_ANY, n, false, PL_EIO);
        rc = pl_audit_file(&fault.disk, store_path, NULL, NULL, &why);
        CHECK(rc == PL_EIO || rc == 0);
        CHECK(fault.open_files == 0);
    }
    CHECK(n > 50);
}

int main(void)
{
    disk = pl_disk_system();
    if (!build())
        return 1;
    RUN(a_sound_file_is_found_sound_and_counted);
    RUN(small_steps_find_the_same_as_one);
    RUN(branches_are_looked_at_first);
    RUN(an_empty_store_is_sound);
    RUN(damage_of_each_kind_is_named);
    RUN(a_page_that_is_both_used_and_free_is_found);
    RUN(wrong_totals_are_found);
    RUN(a_meta_page_that_is_none_is_refused);
    RUN(a_cut_file_is_found_short);
    RUN(flipped_bits_are_found_or_do_no_harm);
    RUN(swapped_and_zeroed_pages_are_found_or_do_no_harm);
    RUN(nonsense_is_refused_and_never_crashes);
    RUN(a_failing_disk_fails_the_audit);
    free(sound);
    return test_summary();
}
