/* SPDX-License-Identifier: MIT */
#include "served.h"
#include "test.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/wait.h>

/*
 * A stream is the history of its table. Eight clients do a hundred thousand random writes (puts, updates, deletes,
 * batches and transactions; some items expire), and the server is killed twice. Then the stream, replayed from the
 * beginning into nothing, gives the table byte for byte; each record's old image is what the records before it
 * have left. And so does what a follower was told that has gone on from its last position after each kill.
 *
 *     replay_test PERILUNE [refuses]
 *
 * With `refuses` PERILUNE is one with a planted fault, and the histories must not agree. PL_WRITES and PL_SEED
 * make it longer and other.
 */
enum {
    CLIENTS = 8,
    PARTITION_KEYS = 200,
    SORT_KEYS = 10,
    WRITES = 100000,
    MUTANT_WRITES = 10000,
    KILLS = 2,
    TOGETHER = 32, /* requests that a client sends before it reads the replies */
    LINE_BYTES = 2048,
};

static struct served server;
static uint64_t seed;
static unsigned long writes_wanted = WRITES;
static atomic_ulong writes_answered;
static atomic_bool enough; /* clients end */

/* ---- a model of the table --------------------------------------------------------------------------- */

enum { BUCKETS = 4096 };

/* An item by its key, both as the JSON that the server writes. */
struct item {
    struct item *next;
    char *key, *text;
    unsigned mark;
};

struct model {
    struct item *buckets[BUCKETS];
    size_t count;
    unsigned long applied;
    char wrong[512]; /* the first thing that did not fit */
};

__attribute__((format(printf, 2, 3))) static void blame(struct model *model, const char *format, ...)
{
    va_list args;

    if (model->wrong[0] != '\0')
        return;
    va_start(args, format);
    vsnprintf(model->wrong, sizeof model->wrong, format, args);
    va_end(args);
}

static struct item **find(struct model *model, const char *key)
{
    uint32_t hash = 2166136261u;
    struct item **at;

    for (const char *c = key; *c != '\0'; c++)
        hash = (hash ^ (uint8_t)*c) * 16777619u;
    for (at = &model->buckets[hash % BUCKETS]; *at != NULL && strcmp((*at)->key, key) != 0;)
        at = &(*at)->next;
    return at;
}

static void drop_item(struct model *model, struct item **at)
{
    struct item *item = *at;

    *at = item->next;
    free(item->key);
    free(item->text);
    free(item);
    model->count--;
}

static void set_item(struct model *model, const char *key, const char *text)
{
    struct item **at = find(model, key);

    if (*at == NULL) {
        *at = calloc(1, sizeof **at);
        if (*at == NULL)
            abort();
        (*at)->key = strdup(key);
        model->count++;
    }
    free((*at)->text);
    (*at)->text = strdup(text);
    if ((*at)->key == NULL || (*at)->text == NULL)
        abort();
}

static void free_model(struct model *model)
{
    for (size_t i = 0; i < BUCKETS; i++)
        while (model->buckets[i] != NULL)
            drop_item(model, &model->buckets[i]);
}

/* ---- what the server says --------------------------------------------------------------------------- */

/* The object after `name` in a line of the server's, cut out as a string of its own; NULL: there is none. */
static char *object_after(const char *line, const char *name)
{
    const char *start = strstr(line, name), *end;
    bool quoted = false;
    int depth = 0;

    if (start == NULL)
        return NULL;
    start += strlen(name);
    for (end = start; *end != '\0'; end++) {
        if (quoted && *end == '\\')
            end++;
        else if (*end == '"')
            quoted = !quoted;
        else if (!quoted && *end == '{')
            depth++;
        else if (!quoted && *end == '}' && --depth == 0)
            return strndup(start, (size_t)(end + 1 - start));
    }
    return NULL;
}

static void apply_insert(struct model *model, const char *key, const char *new, const char *old)
{
    struct item *there = *find(model, key);

    if (there != NULL || old != NULL || new == NULL)
        blame(model, "an insert of %s, of which there was %s", key, there == NULL ? "nothing" : there->text);
}

static void apply_change(struct model *model, const char *key, const char *old)
{
    struct item *there = *find(model, key);

    if (there == NULL || old == NULL || strcmp(there->text, old) != 0)
        blame(model, "%s was %.150s before, and the record says %.150s", key,
              there == NULL ? "not there" : there->text, old == NULL ? "nothing" : old);
}

/* One record of the stream, as TAIL's row. */
static void apply(struct model *model, const char *row)
{
    char *key = object_after(row, "\"keys\":"), *new = object_after(row, ",\"new\":"),
         *old = object_after(row, ",\"old\":");

    model->applied++;
    if (key == NULL) {
        blame(model, "a row without a key: %.200s", row);
        return;
    }
    if (strstr(row, "\"event\":\"insert\"") != NULL)
        apply_insert(model, key, new, old);
    else
        apply_change(model, key, old);
    if ((new == NULL) != (strstr(row, "\"event\":\"remove\"") != NULL))
        blame(model, "a row that shows too little: %.200s", row);
    if (new != NULL)
        set_item(model, key, new);
    else if (*find(model, key) != NULL)
        drop_item(model, find(model, key));
    free(key);
    free(new);
    free(old);
}

enum { POSITION_BYTES = 4096 };

static bool take_position(const char *line, char position[POSITION_BYTES])
{
    const char *at = strstr(line, "{\"position\":\"");

    if (at == NULL)
        return false;
    snprintf(position, POSITION_BYTES, "%.*s", (int)strcspn(at + 13, "\""), at + 13);
    return true;
}

/* Up to now: a client that says no more is told all there is, and then END. Returns how many records. */
static unsigned long replay(struct model *model, char position[POSITION_BYTES])
{
    char line[POSITION_BYTES + 64];
    unsigned long before = model->applied;
    struct link *link = malloc(sizeof *link);
    const char *reply = NULL;

    CHECK(link != NULL && link_open(link, server.port));
    snprintf(line, sizeof line, "TAIL History FROM %s\n", position);
    CHECK(link_send(link, line) && shutdown(link->fd, SHUT_WR) == 0);
    while ((reply = link_take(link)) != NULL && strncmp(reply, "ROW ", 4) == 0)
        if (!take_position(reply, position))
            apply(model, reply);
    CHECK_MSG(reply != NULL && strncmp(reply, "END ", 4) == 0, "%.200s", reply == NULL ? "closed" : reply);
    link_close(link);
    free(link);
    return model->applied - before;
}

/* ---- writers ---------------------------------------------------------------------------------------- */

struct client {
    pthread_t thread;
    uint64_t random;
    struct link link;
    char lines[TOGETHER * LINE_BYTES];
    size_t len;
};

static void say(struct client *client, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct client *client, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    client->len +=
        (size_t)vsnprintf(client->lines + client->len, sizeof client->lines - client->len, format, args);
    va_end(args);
    if (client->len >= sizeof client->lines)
        abort();
}

static unsigned pick(struct client *client, unsigned below)
{
    return (unsigned)(test_random(&client->random) % below);
}

/* Distinct keys for the members of one request: `n` apart from each other. */
static void say_key(struct client *client, unsigned base, unsigned n)
{
    unsigned key = (base + n * 37) % (PARTITION_KEYS * SORT_KEYS);

    say(client, "{\"P\":\"p%u\",\"S\":%u", key / SORT_KEYS, key % SORT_KEYS);
}

static void say_item(struct client *client, unsigned base, unsigned n)
{
    say_key(client, base, n);
    say(client, ",\"n\":%u.%u", pick(client, 1000), pick(client, 100));
    if (pick(client, 2) == 0)
        say(client, ",\"text\":\"%.*s\"", (int)pick(client, 60),
            "some \\\"quoted\\\" text with {braces} that is long enough for all that is asked");
    if (pick(client, 3) == 0)
        say(client, ",\"tags\":{\"$set\":[\"t%u\",\"u%u\"]},\"deep\":{\"list\":[1,{\"b\":null}],\"a\":true}",
            pick(client, 5), pick(client, 5));
    if (pick(client, 20) == 0)
        say(client, ",\"T\":1600000000"); /* long ago: it goes soon */
    say(client, "}");
}

static void say_transaction(struct client *client, unsigned base)
{
    say(client, "TRANSACT [{\"put\":\"History\",\"item\":");
    say_item(client, base, 0);
    say(client, "},{\"update\":\"History\",\"key\":");
    say_key(client, base, 1);
    say(client, "},\"set\":\"SET n = if_not_exists(n, 0) + 1\"},{\"delete\":\"History\",\"key\":");
    say_key(client, base, 2);
    say(client, "}},{\"check\":\"History\",\"key\":");
    say_key(client, base, 3);
    say(client, "},\"if\":\"attribute_not_exists(n) OR n < 900\"}]\n");
}

static void say_batch(struct client *client, unsigned base)
{
    say(client, "BATCH WRITE {\"History\":{\"put\":[");
    say_item(client, base, 0);
    say(client, ",");
    say_item(client, base, 1);
    say(client, "],\"delete\":[");
    say_key(client, base, 2);
    say(client, "}]}}\n");
}

static void say_write(struct client *client)
{
    unsigned base = pick(client, PARTITION_KEYS * SORT_KEYS), kind = pick(client, 20);

    if (kind < 9) {
        say(client, "PUT History ");
        say_item(client, base, 0);
        say(client, kind == 0 ? " IF attribute_not_exists(P)\n" : "\n");
    } else if (kind < 13) {
        say(client, "UPDATE History ");
        say_key(client, base, 0);
        say(client, kind == 9 ? "} REMOVE n, deep\n" : "} SET n = if_not_exists(n, 0) + 1, v = %u\n",
            pick(client, 3));
    } else if (kind < 16) {
        say(client, "DEL History ");
        say_key(client, base, 0);
        say(client, "}\n");
    } else if (kind < 18) {
        say_batch(client, base);
    } else {
        say_transaction(client, base);
    }
}

/* A reply's last line is no ROW. False once the server is gone. */
static bool take_reply(struct client *client)
{
    const char *line;

    do {
        line = link_take(&client->link);
    } while (line != NULL && strncmp(line, "ROW ", 4) == 0);
    if (line != NULL)
        atomic_fetch_add(&writes_answered, 1);
    return line != NULL;
}

static void *write_on(void *arg)
{
    struct client *client = arg;
    bool open = link_open(&client->link, server.port);

    while (open && !atomic_load(&enough)) {
        client->len = 0;
        for (int i = 0; i < TOGETHER; i++)
            say_write(client);
        open = link_send(&client->link, client->lines);
        for (int i = 0; i < TOGETHER && open; i++)
            open = take_reply(client);
    }
    link_close(&client->link);
    return NULL;
}

/* ---- the follower ------------------------------------------------------------------------------------ */

/* Rows after the last position may come again: they count when a position has come after them. */
struct follower {
    pthread_t thread;
    struct link link;
    char position[POSITION_BYTES];
    char **rows;
    size_t row_count, row_capacity;
    struct model model;
};

static void keep_row(struct follower *follower, const char *row)
{
    if (follower->row_count == follower->row_capacity) {
        follower->row_capacity = follower->row_capacity * 2 + 64;
        follower->rows = realloc(follower->rows, follower->row_capacity * sizeof *follower->rows);
        if (follower->rows == NULL)
            abort();
    }
    follower->rows[follower->row_count++] = strdup(row);
}

static void settle_rows(struct follower *follower, bool sure)
{
    for (size_t i = 0; i < follower->row_count; i++) {
        if (sure)
            apply(&follower->model, follower->rows[i]);
        free(follower->rows[i]);
    }
    follower->row_count = 0;
}

/* Until the server is gone, or the main thread says no more on this connection. */
static void *follow(void *arg)
{
    struct follower *follower = arg;
    char line[POSITION_BYTES + 64];
    const char *row;

    snprintf(line, sizeof line, "TAIL History FROM %s\n", follower->position);
    if (!link_send(&follower->link, line))
        return NULL;
    while ((row = link_take(&follower->link)) != NULL && strncmp(row, "ROW ", 4) == 0)
        if (take_position(row, follower->position))
            settle_rows(follower, true);
        else
            keep_row(follower, row);
    settle_rows(follower, false);
    return NULL;
}

/* ---- the story --------------------------------------------------------------------------------------- */

static struct client clients[CLIENTS];
static struct follower follower;
static struct model history;

static void start_server(void)
{
    CHECK(served_start(&server));
    CHECK_MSG(served_await(&server), "the server did not start: see %s", server.errors);
}

static void start_all(void)
{
    atomic_store(&enough, false);
    CHECK(link_open(&follower.link, server.port));
    CHECK(pthread_create(&follower.thread, NULL, follow, &follower) == 0);
    for (int i = 0; i < CLIENTS; i++)
        CHECK(pthread_create(&clients[i].thread, NULL, write_on, &clients[i]) == 0);
}

static void join_clients(void)
{
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(clients[i].thread, NULL);
}

/* The clients notice by themselves that the server is gone. */
static void write_until(unsigned long answered, bool killed)
{
    struct timespec moment = { .tv_nsec = 1000000 };

    start_all();
    while (atomic_load(&writes_answered) < answered)
        nanosleep(&moment, NULL);
    if (killed)
        served_kill(&server);
    atomic_store(&enough, true);
    join_clients();
    if (!killed)
        shutdown(follower.link.fd, SHUT_WR); /* it is told the rest, and then END */
    pthread_join(follower.thread, NULL);
    link_close(&follower.link);
}

/* {"P":"p1","S":2} of an item's text. */
static void key_of(const char *text, char key[64])
{
    const char *p = strstr(text, "\"P\":\""), *s = strstr(text, "\"S\":");

    CHECK(p != NULL && s != NULL);
    snprintf(key, 64, "{\"P\":\"%.*s\",\"S\":%d}", (int)strcspn(p + 5, "\""), p + 5, atoi(s + 4));
}

static void compare_item(struct model *model, const char *text, unsigned mark)
{
    struct item *item;
    char key[64];

    key_of(text, key);
    item = *find(model, key);
    if (item == NULL || strcmp(item->text, text) != 0)
        blame(model, "the table has %.150s, the stream %.150s", text, item == NULL ? "nothing" : item->text);
    else
        item->mark = mark;
}

/* All pages. Returns how many items the table has. */
static size_t compare_with_table(struct model *model)
{
    struct link *link = malloc(sizeof *link);
    char line[256] = "SCAN History CONSISTENT\n";
    size_t count = 0;
    bool more = true;

    CHECK(link != NULL && link_open(link, server.port));
    while (more) {
        const char *reply = link_ask(link, line);
        char *next;

        for (; reply != NULL && strncmp(reply, "ROW ", 4) == 0; reply = link_take(link), count++)
            compare_item(model, reply + 4, 1);
        CHECK(reply != NULL && strncmp(reply, "END ", 4) == 0);
        next = object_after(reply, "\"next\":");
        more = next != NULL;
        if (more)
            snprintf(line, sizeof line, "SCAN History CONSISTENT AFTER %s\n", next);
        free(next);
    }
    link_close(link);
    free(link);
    return count;
}

/* What has expired may still be going: the table must stand still while it is looked at. */
static void compare_standing_still(char position[POSITION_BYTES])
{
    for (int i = 0; i < 1000; i++) {
        struct model now = { .count = 0 };
        char from[POSITION_BYTES] = "oldest";
        size_t count;

        replay(&now, from);
        count = compare_with_table(&now);
        snprintf(position, POSITION_BYTES, "%s", from);
        if (replay(&now, position) > 0) {
            free_model(&now);
            continue;
        }
        if (count != now.count)
            blame(&now, "the table has %zu items, the stream %zu", count, now.count);
        history = now;
        return;
    }
    CHECK(!"the table never stood still");
}

static void compare_models(struct model *a, struct model *b)
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct item *item = a->buckets[i]; item != NULL; item = item->next) {
            struct item *other = *find(b, item->key);

            if (other == NULL || strcmp(other->text, item->text) != 0)
                blame(b, "the follower has another %s than the stream", item->key);
        }
    if (a->applied != b->applied || a->count != b->count)
        blame(b, "the follower was told %lu records, the stream has %lu", b->applied, a->applied);
}

/* What is wrong, if anything. */
static const char *tell_story(void)
{
    struct link *link = malloc(sizeof *link);
    char position[POSITION_BYTES];

    CHECK(link != NULL);
    start_server();
    CHECK(link_open(link, server.port));
    CHECK(
        strcmp(link_ask(link,
                        "CREATE History {\"partition_key\":\"P:S\",\"sort_key\":\"S:N\",\"ttl\":\"T\","
                        "\"stream\":\"new_and_old_images\",\"indexes\":{\"ByN\":{\"sort_key\":\"n:N\"}}}\n"),
               "OK") == 0);
    link_close(link);
    free(link);
    snprintf(follower.position, sizeof follower.position, "oldest");
    for (int kill = 1; kill <= KILLS; kill++) {
        write_until(writes_wanted * (unsigned long)kill / (KILLS + 1), true);
        start_server();
    }
    write_until(writes_wanted, false);
    compare_standing_still(position);
    replay(&follower.model, follower.position); /* what expired since */
    compare_models(&history, &follower.model);
    printf("%lu writes answered, %lu records, %zu items\n", atomic_load(&writes_answered), history.applied,
           history.count);
    return history.wrong[0] != '\0' ? history.wrong : follower.model.wrong;
}

static void the_stream_replayed_gives_the_table(void)
{
    const char *wrong = tell_story();

    CHECK_MSG(wrong[0] == '\0', "%s", wrong);
    CHECK(history.applied > writes_wanted / 3);
}

static void a_planted_fault_shows_in_the_history(void)
{
    const char *wrong = tell_story();

    CHECK(wrong[0] != '\0');
    printf("found out: %s\n", wrong);
}

int main(int count, char **args)
{
    bool refuses = count == 3 && strcmp(args[2], "refuses") == 0;

    if (count < 2 || (count > 2 && !refuses)) {
        fprintf(stderr, "usage: replay_test PERILUNE [refuses]\n");
        return 2;
    }
    setenv("PERILUNE_TTL_SWEEP_MS", "50", 1);
    if (!served_init(&server, args[1])) {
        perror(server.home);
        return 1;
    }
    seed = test_seed();
    if (refuses)
        writes_wanted = MUTANT_WRITES;
    if (getenv("PL_WRITES") != NULL)
        writes_wanted = strtoul(getenv("PL_WRITES"), NULL, 0);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i].random = seed + (uint64_t)i * 7919;
        clients[i].link.fd = -1;
    }
    if (refuses)
        RUN(a_planted_fault_shows_in_the_history);
    else
        RUN(the_stream_replayed_gives_the_table);
    served_kill(&server);
    if (test_fail_count > 0) {
        served_quote(&server);
        fprintf(stderr, "PL_SEED=%" PRIu64 "\n", test_seed());
    }
    served_deinit(&server, test_fail_count > 0 && getenv("PL_KEEP") != NULL);
    free_model(&history);
    free_model(&follower.model);
    free(follower.rows);
    return test_summary();
}
