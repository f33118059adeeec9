/* SPDX-License-Identifier: MIT */
#include "follower.h"
#include "model/json.h"
#include "node.h"

#include "scratch_tree.h"
#include "test.h"

#include <pthread.h>

/*
 * A node with its threads, and several clients on threads of their own, each with an attachment:
 * what an I/O loop is, without the sockets. Run under ThreadSanitizer too.
 */
enum { CLIENTS = 4, FOLLOWERS = 2, ROUNDS = 300, COUNTERS = 7 };

struct client {
    struct pl_node *node;
    struct pl_attachment *attachment;
    struct pl_operation op;
    pthread_mutex_t lock;
    pthread_cond_t news;
    bool woken, done;
    int rc;
    uint32_t number;
    uint64_t rows;
    bool well;
    pthread_t thread;
};

static void wake(void *state)
{
    struct client *c = state;

    pthread_mutex_lock(&c->lock);
    c->woken = true;
    pthread_cond_signal(&c->news);
    pthread_mutex_unlock(&c->lock);
}

static void wait_for_news(struct client *c)
{
    pthread_mutex_lock(&c->lock);
    while (!c->woken)
        pthread_cond_wait(&c->news, &c->lock);
    c->woken = false;
    pthread_mutex_unlock(&c->lock);
    pl_attachment_deliver(c->attachment);
}

static void operation_done(struct pl_operation *op)
{
    ((struct client *)op->owner)->done = true;
}

static int count_row(struct pl_operation *op, struct pl_item item)
{
    (void)item;
    ((struct client *)op->owner)->rows++;
    return 0;
}

static void ask(struct client *c, enum pl_operation_name name, const char *table)
{
    pl_operation_reset(&c->op, name);
    c->op.table_name = pl_str(table);
    c->op.params.literals = true;
    c->op.owner = c;
    c->op.done = operation_done;
    c->op.row = count_row;
    c->rows = 0;
}

static int run(struct client *c)
{
    c->done = false;
    if (!pl_router_run(pl_attachment_router(c->attachment), &c->op)) {
        pl_attachment_flush(c->attachment);
        while (!c->done)
            wait_for_news(c);
    }
    return c->op.reply.rc;
}

static void rest(struct client *c)
{
    pl_router_rest(pl_attachment_router(c->attachment));
}

static bool give_item(struct client *c, const char *json)
{
    return pl_json_read_item(pl_str(json), PL_JSON_PLAIN, &c->op.arena, &c->op.bytes, &c->op.item, NULL) == 0;
}

static void attach(struct client *c, struct pl_node *node)
{
    *c = (struct client){ .node = node };
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->news, NULL);
    CHECK(pl_node_attach(node, wake, c, &c->attachment) == 0);
}

static void detach(struct client *c)
{
    pl_operation_deinit(&c->op);
    pl_node_detach(c->attachment);
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->news);
}

static struct pl_node *open_node(const char *path)
{
    struct pl_reason why = { 0 };
    struct pl_node_options options = { .data_path = path,
                                       .clock = pl_clock_system(),
                                       .random = pl_random_system(),
                                       .reader_count = CLIENTS + FOLLOWERS + 2,
                                       .threads = true };
    struct pl_node *node;

    CHECK_MSG(pl_node_open(&options, &node, &why) == 0, "%s", why.text);
    return node;
}

static bool add_one(struct client *c, uint32_t counter)
{
    char key[64];

    ask(c, PL_OP_UPDATE, "Counters");
    snprintf(key, sizeof key, "{\"Name\":\"c%u\"}", counter);
    c->op.update_text = pl_str("SET Total = if_not_exists(Total, 0) + 1");
    return give_item(c, key) && run(c) == 0;
}

static bool put_and_find(struct client *c, uint32_t round)
{
    char json[128], key[128];

    snprintf(json, sizeof json, "{\"Name\":\"n%u-%u\",\"Group\":\"g%u\"}", c->number, round, c->number);
    snprintf(key, sizeof key, "{\"Name\":\"n%u-%u\"}", c->number, round);
    ask(c, PL_OP_PUT, "Counters");
    if (!give_item(c, json) || run(c) != 0)
        return false;
    /* What was acknowledged is seen at once, by key and by index. */
    ask(c, PL_OP_GET, "Counters");
    if (!give_item(c, key) || run(c) != 0 || !c->op.reply.has_item)
        return false;
    ask(c, PL_OP_QUERY, "Counters");
    c->op.index_name = pl_str("ByGroup");
    snprintf(key, sizeof key, "Group = \"g%u\"", c->number);
    c->op.key_condition_text = pl_arena_copy(&c->op.arena, pl_str(key));
    if (run(c) != 0 || c->rows != round + 1)
        return false;
    rest(c);
    return true;
}

static void *be_client(void *arg)
{
    struct client *c = arg;

    c->well = true;
    for (uint32_t i = 0; i < ROUNDS && c->well; i++)
        c->well = add_one(c, i % COUNTERS) && put_and_find(c, i);
    return NULL;
}

static void create_table(struct client *c)
{
    ask(c, PL_OP_CREATE, "");
    c->op.definition = pl_str("{\"table\":\"Counters\",\"partition_key\":\"Name:S\",\"stream\":\"keys_only\","
                              "\"indexes\":{\"ByGroup\":{"
                              "\"partition_key\":\"Group:S\",\"sort_key\":\"Name:S\"}}}");
    CHECK_MSG(run(c) == 0, "%s", c->op.reply.why.text);
}

struct report {
    struct client *client;
    bool arrived, well;
};

static void take_report(void *state, int rc, struct pl_bytes text)
{
    struct report *report = state;

    report->arrived = true;
    report->well = rc == 0 && memmem(text.data, text.len, "\"ok\":true", 9) != NULL;
    if (!report->well)
        fprintf(stderr, "check: %d %.*s\n", rc, (int)text.len, text.data);
}

static bool check_is_well(struct client *c)
{
    struct report report = { .client = c };

    if (pl_node_check(c->attachment, take_report, &report) != 0)
        return false;
    while (!report.arrived)
        wait_for_news(c);
    return report.well;
}

static uint64_t total_of_counters(struct client *c)
{
    uint64_t total = 0;

    for (uint32_t i = 0; i < COUNTERS; i++) {
        struct pl_number number;
        struct pl_value value;
        char key[64];
        int64_t n = 0;

        snprintf(key, sizeof key, "{\"Name\":\"c%u\"}", i);
        ask(c, PL_OP_GET, "Counters");
        CHECK(give_item(c, key) && run(c) == 0 && c->op.reply.has_item);
        CHECK(pl_item_find(c->op.reply.item, pl_str("Total"), &value));
        pl_value_number(value, &number);
        CHECK(pl_number_to_int64(&number, &n));
        total += (uint64_t)n;
        rest(c);
    }
    return total;
}

/* ---- who follows -------------------------------------------------------------------------------------- */

/* Sleeps until it is told of more: a wake that is lost would leave it asleep. */
struct follow {
    struct client client;
    struct pl_follower *follower;
    bool ready;
    uint64_t seen, misplaced;
    uint64_t newest[64]; /* of each shard */
};

static void set_ready(void *state)
{
    ((struct follow *)state)->ready = true;
}

static int see(void *state, const struct pl_stream_record *record, struct pl_item keys)
{
    struct follow *f = state;

    (void)keys;
    f->seen++;
    f->misplaced += record->sequence <= f->newest[record->partition];
    f->newest[record->partition] = record->sequence;
    return 0;
}

/* Every round of every client writes two items. */
static void *be_follower(void *arg)
{
    struct follow *f = arg;
    struct pl_follower_progress progress = { .more = true };
    int rc = 0;

    while (rc == 0 && f->seen < (uint64_t)CLIENTS * ROUNDS * 2) {
        f->ready = false;
        rc = pl_follower_read(f->follower, see, f, &progress);
        while (rc == 0 && !progress.more && !f->ready && f->seen < (uint64_t)CLIENTS * ROUNDS * 2)
            wait_for_news(&f->client);
    }
    f->client.well = rc == 0;
    return NULL;
}

static void start_follower(struct follow *f, struct pl_node *node)
{
    struct pl_follower_options options = {
        .table_name = pl_str("Counters"), .from = pl_str("latest"), .ready = set_ready, .state = f
    };

    *f = (struct follow){ .seen = 0 };
    attach(&f->client, node);
    CHECK(pl_follower_open(f->client.attachment, &options, &f->follower, NULL) == 0);
    CHECK(pthread_create(&f->client.thread, NULL, be_follower, f) == 0);
}

static void join_follower(struct follow *f)
{
    pthread_join(f->client.thread, NULL);
    CHECK(f->client.well && f->seen == (uint64_t)CLIENTS * ROUNDS * 2 && f->misplaced == 0);
    pl_follower_close(f->follower);
    detach(&f->client);
}

/* ---- all together ------------------------------------------------------------------------------------- */

static void run_clients(struct pl_node *node, struct client *main_client)
{
    struct client clients[CLIENTS];
    struct follow followers[FOLLOWERS];

    for (int i = 0; i < FOLLOWERS; i++)
        start_follower(&followers[i], node);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        attach(&clients[i], node);
        clients[i].number = i;
    }
    for (uint32_t i = 0; i < CLIENTS; i++)
        CHECK(pthread_create(&clients[i].thread, NULL, be_client, &clients[i]) == 0);
    /* Meanwhile everything stored is compared with everything else, and a new index is filled. */
    CHECK(check_is_well(main_client));
    ask(main_client, PL_OP_ALTER, "Counters");
    main_client->op.definition = pl_str("{\"indexes\":{\"Again\":{\"partition_key\":\"Group:S\"}}}");
    CHECK_MSG(run(main_client) == 0, "%s", main_client->op.reply.why.text);
    rest(main_client);
    for (uint32_t i = 0; i < CLIENTS; i++)
        pthread_join(clients[i].thread, NULL);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        CHECK_MSG(clients[i].well, "client %u: %s", i, clients[i].op.reply.why.text);
        detach(&clients[i]);
    }
    for (int i = 0; i < FOLLOWERS; i++)
        join_follower(&followers[i]);
}

static void many_clients_lose_no_update_and_find_what_they_wrote(void)
{
    const char *path = scratch_fresh("node");
    struct pl_node *node = open_node(path);
    struct client c;

    attach(&c, node);
    create_table(&c);
    run_clients(node, &c);
    CHECK(total_of_counters(&c) == (uint64_t)CLIENTS * ROUNDS);
    CHECK(check_is_well(&c));
    detach(&c);
    pl_node_close(node);

    node = open_node(path);
    attach(&c, node);
    CHECK(total_of_counters(&c) == (uint64_t)CLIENTS * ROUNDS);
    CHECK(check_is_well(&c));
    detach(&c);
    pl_node_close(node);
}

int main(void)
{
    RUN(many_clients_lose_no_update_and_find_what_they_wrote);
    return test_summary();
}
