/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/*
 * The real server, killed again and again while writers are at it. Each key has one writer and a ledger:
 * the last version that was acknowledged, and the last that was asked for. What is read, while
 * the server runs and after each restart, lies between the two; an item is whole or not there.
 *
 *     kill_test PERILUNE [ROUNDS]
 */
enum {
    WRITERS = 6,
    READERS = 2,
    KEYS = 8, /* of each writer */
    ROUNDS = 50,
    READY_MS_MAX = 2000,
    RUN_MS_MAX = 150,
    LINE_BYTES = 8192,
};

struct entry {
    atomic_int acknowledged, asked; /* versions; every seventh is a deletion */
};

struct server {
    pid_t pid;
    int out;
    uint16_t port;
    uint64_t ready_ms;
};

static const char *program;
static char home[64], data[80], errors[80];
static struct entry ledger[WRITERS][KEYS];
static atomic_ulong writes, reads, mistakes;

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool is_deletion(int version)
{
    return version % 7 == 0;
}

/* ---- the server ------------------------------------------------------------------------------------- */

static void start(struct server *server)
{
    int pipes[2];

    CHECK(pipe2(pipes, O_CLOEXEC) == 0);
    server->pid = fork();
    CHECK(server->pid >= 0);
    if (server->pid == 0) {
        int err = open(errors, O_WRONLY | O_CREAT | O_APPEND, 0600);

        dup2(pipes[1], 1);
        dup2(err, 2);
        execl(program, program, "serve", "--data", data, "--listen", "127.0.0.1:0", "--partitions", "8",
              (char *)NULL);
        _exit(127);
    }
    close(pipes[1]);
    server->out = pipes[0];
}

static void await_ready(struct server *server)
{
    uint64_t since = now_ms();
    char text[2048];
    size_t len = 0;

    server->port = 0;
    while (server->port == 0) {
        struct pollfd ready = { .fd = server->out, .events = POLLIN };
        const char *at;
        ssize_t got;

        CHECK_MSG(poll(&ready, 1, 20000) == 1, "the server does not get ready");
        got = read(server->out, text + len, sizeof text - 1 - len);
        CHECK_MSG(got > 0, "the server did not start: see %s", errors);
        len += (size_t)got;
        text[len] = '\0';
        at = strstr(text, "line protocol  127.0.0.1:");
        if (at != NULL && strchr(at, '\n') != NULL)
            server->port = (uint16_t)atoi(at + strlen("line protocol  127.0.0.1:"));
    }
    server->ready_ms = now_ms() - since;
}

static int reap(struct server *server)
{
    int status;

    CHECK(waitpid(server->pid, &status, 0) == server->pid);
    close(server->out);
    return status;
}

/* ---- a connection ----------------------------------------------------------------------------------- */

struct link {
    int fd;
    size_t len, used;
    char bytes[LINE_BYTES];
};

static bool open_link(struct link *link, uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
    int one = 1;

    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    link->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    link->len = link->used = 0;
    setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(link->fd, (struct sockaddr *)&address, sizeof address) == 0)
        return true;
    close(link->fd);
    return false;
}

/* One line, without its end, as a string; NULL once the server is gone. */
static char *take_line(struct link *link)
{
    for (;;) {
        char *line = link->bytes + link->used, *end = memchr(line, '\n', link->len - link->used);
        ssize_t got;

        if (end != NULL) {
            *end = '\0';
            link->used = (size_t)(end - link->bytes) + 1;
            return line;
        }
        memmove(link->bytes, line, link->len - link->used);
        link->len -= link->used;
        link->used = 0;
        got = read(link->fd, link->bytes + link->len, sizeof link->bytes - link->len);
        if (got <= 0)
            return NULL;
        link->len += (size_t)got;
    }
}

static char *ask(struct link *link, const char *line)
{
    size_t len = strlen(line);

    if (send(link->fd, line, len, MSG_NOSIGNAL) != (ssize_t)len)
        return NULL;
    return take_line(link);
}

/* ---- what is in an item ----------------------------------------------------------------------------- */

static size_t text_len(int version)
{
    return (size_t)(version * 37 % 1500);
}

static void format_write(char *line, size_t size, int writer, int key, int version)
{
    int len;

    if (is_deletion(version)) {
        snprintf(line, size, "DEL Ledger {\"P\":\"w%d\",\"S\":%d}\n", writer, key);
        return;
    }
    len = snprintf(line, size, "PUT Ledger {\"P\":\"w%d\",\"S\":%d,\"V\":%d,\"G\":\"g%d\",\"T\":\"", writer,
                   key, version, version % 3);
    memset(line + len, 'x', text_len(version));
    snprintf(line + len + text_len(version), size - (size_t)len - text_len(version), "\",\"W\":%d}\n",
             version);
}

/* The version that a reply to GET shows: 0 for none, -1 for an item that is not whole. */
static int shown_version(const char *reply)
{
    const char *v = strstr(reply, "\"V\":"), *w = strstr(reply, "\"W\":"), *t = strstr(reply, "\"T\":\"");

    if (strncmp(reply, "OK", 2) != 0)
        return -1;
    if (strchr(reply, '{') == NULL)
        return 0;
    if (v == NULL || w == NULL || t == NULL || atoi(v + 4) != atoi(w + 4) ||
        strspn(t + 5, "x") != text_len(atoi(v + 4)))
        return -1;
    return atoi(v + 4);
}

/* Could the key look like this, when `from` was acknowledged before and `to` asked for after? */
static bool is_explained(int shown, int from, int to)
{
    for (int version = from; version <= to; version++)
        if (shown == (version == 0 || is_deletion(version) ? 0 : version))
            return true;
    return false;
}

static int read_key(struct link *link, int writer, int key, int *shown)
{
    char line[80];
    const char *reply;

    snprintf(line, sizeof line, "GET Ledger {\"P\":\"w%d\",\"S\":%d} CONSISTENT\n", writer, key);
    reply = ask(link, line);
    if (reply == NULL)
        return -1;
    *shown = shown_version(reply);
    return 0;
}

/* ---- threads ---------------------------------------------------------------------------------------- */

struct worker {
    pthread_t thread;
    int number;
    uint16_t port;
};

static void complain(const char *what, int writer, int key, int shown)
{
    if (key < 0)
        fprintf(stderr, "w%d: %s\n", writer, what);
    else
        fprintf(stderr, "%s: w%d/%d shows %d, acknowledged %d, asked %d\n", what, writer, key, shown,
                atomic_load(&ledger[writer][key].acknowledged), atomic_load(&ledger[writer][key].asked));
    atomic_fetch_add(&mistakes, 1);
}

static void *write_on(void *arg)
{
    struct worker *worker = arg;
    struct link link;
    char line[LINE_BYTES];

    if (!open_link(&link, worker->port))
        return NULL;
    for (int i = 0;; i++) {
        struct entry *entry = &ledger[worker->number][i % KEYS];
        int version = atomic_load(&entry->asked) + 1;
        const char *reply;

        format_write(line, sizeof line, worker->number, i % KEYS, version);
        atomic_store(&entry->asked, version);
        reply = ask(&link, line);
        if (reply == NULL)
            break;
        if (strncmp(reply, "OK", 2) != 0) {
            fprintf(stderr, "%s\n", reply);
            atomic_fetch_add(&mistakes, 1);
            break;
        }
        atomic_store(&entry->acknowledged, version);
        atomic_fetch_add(&writes, 1);
    }
    close(link.fd);
    return NULL;
}

/*
 * A local index that holds keys alone: each row is completed from its item, which a writer may be
 * changing. Whole it must be all the same.
 */
static int query_index(struct link *link, int writer)
{
    char line[100];
    const char *reply;

    snprintf(line, sizeof line, "QUERY Ledger/ByV WHERE P = \"w%d\" SELECT V, W, T\n", writer);
    reply = ask(link, line);
    while (reply != NULL && strncmp(reply, "ROW", 3) == 0) {
        /* As a reply to GET it would begin with OK. */
        char row[LINE_BYTES];

        snprintf(row, sizeof row, "OK %s", reply);
        if (shown_version(row) <= 0)
            complain(reply, writer, -1, -1);
        reply = take_line(link);
    }
    if (reply != NULL && strncmp(reply, "END", 3) != 0)
        complain(reply, writer, -1, -1);
    return reply == NULL ? -1 : 0;
}

static void *read_on(void *arg)
{
    struct worker *worker = arg;
    uint64_t seed = (uint64_t)worker->number + 1;
    struct link link;

    if (!open_link(&link, worker->port))
        return NULL;
    for (;;) {
        int writer = (int)(test_random(&seed) % WRITERS), key = (int)(test_random(&seed) % KEYS), shown;
        struct entry *entry = &ledger[writer][key];
        int from = atomic_load(&entry->acknowledged);

        if (read_key(&link, writer, key, &shown) != 0 || query_index(&link, writer) != 0)
            break;
        if (!is_explained(shown, from, atomic_load(&entry->asked)))
            complain("while it runs", writer, key, shown);
        atomic_fetch_add(&reads, 1);
    }
    close(link.fd);
    return NULL;
}

/* ---- rounds ----------------------------------------------------------------------------------------- */

static void create_table(uint16_t port)
{
    struct link link;
    const char *reply;

    CHECK(open_link(&link, port));
    reply = ask(&link, "CREATE Ledger {\"partition_key\":\"P:S\",\"sort_key\":\"S:N\",\"indexes\":{"
                       "\"ByG\":{\"partition_key\":\"G:S\",\"sort_key\":\"V:N\",\"project\":\"all\"},"
                       "\"ByV\":{\"sort_key\":\"V:N\",\"project\":\"keys_only\"}}}\n");
    CHECK_MSG(reply != NULL && strncmp(reply, "OK", 2) == 0, "%s", reply);
    close(link.fd);
}

/* Everything acknowledged is there, all that is there was asked for, and indexes and counters agree. */
static void verify(uint16_t port)
{
    struct link link;
    const char *reply;

    CHECK(open_link(&link, port));
    for (int writer = 0; writer < WRITERS; writer++) {
        for (int key = 0; key < KEYS; key++) {
            struct entry *entry = &ledger[writer][key];
            int shown = -1;

            CHECK(read_key(&link, writer, key, &shown) == 0);
            if (!is_explained(shown, entry->acknowledged, entry->asked))
                complain("after a restart", writer, key, shown);
            /* What is there now is there to stay. */
            if (shown > 0)
                entry->acknowledged = shown;
            else if (is_deletion(entry->asked))
                entry->acknowledged = entry->asked;
            entry->asked = entry->acknowledged;
        }
    }
    reply = ask(&link, "CHECK\n");
    CHECK_MSG(reply != NULL && strstr(reply, "\"ok\":true") != NULL, "%s", reply);
    close(link.fd);
    CHECK(atomic_load(&mistakes) == 0);
}

/* Now and then it is killed while it recovers, too. */
static void start_after_false_starts(struct server *server, uint64_t *seed)
{
    while (test_random(seed) % 4 == 0) {
        start(server);
        usleep((useconds_t)(test_random(seed) % 30000));
        kill(server->pid, SIGKILL);
        reap(server);
    }
    start(server);
    await_ready(server);
}

static void run_and_kill(struct server *server, uint64_t *seed)
{
    struct worker workers[WRITERS + READERS];

    for (int i = 0; i < WRITERS + READERS; i++) {
        workers[i] = (struct worker){ .number = i, .port = server->port };
        CHECK(pthread_create(&workers[i].thread, NULL, i < WRITERS ? write_on : read_on, &workers[i]) == 0);
    }
    usleep((useconds_t)(test_random(seed) % (RUN_MS_MAX * 1000)));
    kill(server->pid, SIGKILL);
    for (int i = 0; i < WRITERS + READERS; i++)
        pthread_join(workers[i].thread, NULL);
    reap(server);
}

static int rounds = ROUNDS;

static void no_acknowledged_write_is_lost_by_kill_9(void)
{
    struct server server;
    uint64_t seed = test_seed(), slowest_ms = 0;
    int status;

    for (int round = 0; round < rounds; round++) {
        start_after_false_starts(&server, &seed);
        if (round == 0)
            create_table(server.port);
        else
            verify(server.port);
        CHECK_MSG(server.ready_ms < READY_MS_MAX, "round %d: ready after %llu ms", round,
                  (unsigned long long)server.ready_ms);
        if (server.ready_ms > slowest_ms)
            slowest_ms = server.ready_ms;
        run_and_kill(&server, &seed);
    }
    start(&server);
    await_ready(&server);
    verify(server.port);
    kill(server.pid, SIGTERM);
    status = reap(&server);
    CHECK_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", (unsigned)status);
    printf("%d rounds: %lu writes acknowledged, %lu reads explained, slowest start %llu ms\n", rounds,
           atomic_load(&writes), atomic_load(&reads), (unsigned long long)slowest_ms);
    CHECK(atomic_load(&writes) > (unsigned long)rounds && atomic_load(&reads) > 0);
}

static int remove_entry(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
    (void)stat;
    (void)type;
    (void)walk;
    return remove(path);
}

int main(int count, char **args)
{
    if (count < 2) {
        fprintf(stderr, "usage: kill_test PERILUNE [ROUNDS]\n");
        return 2;
    }
    program = args[1];
    if (count > 2)
        rounds = atoi(args[2]);
    if (getenv("PL_ROUNDS") != NULL)
        rounds = atoi(getenv("PL_ROUNDS"));
    strcpy(home, "/tmp/perilune-kill-XXXXXX");
    if (mkdtemp(home) == NULL) {
        perror(home);
        return 1;
    }
    snprintf(data, sizeof data, "%s/data", home);
    snprintf(errors, sizeof errors, "%s/errors", home);
    RUN(no_acknowledged_write_is_lost_by_kill_9);
    if (test_fail_count > 0)
        fprintf(stderr, "PL_SEED=%llu; with PL_KEEP set, %s is kept\n", (unsigned long long)test_seed(),
                home);
    if (getenv("PL_KEEP") == NULL)
        nftw(home, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return test_summary();
}
