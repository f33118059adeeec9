/* SPDX-License-Identifier: MIT */
#include "served.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READY_WAIT_MS = 20000, QUOTE_BYTES = 1500 };

static const char ready_words[] = "line protocol  127.0.0.1:";

/* ---- the process ------------------------------------------------------------------------------------ */

bool served_init(struct served *served, const char *program)
{
    *served = (struct served){ .program = program, .home = "/tmp/perilune-served-XXXXXX" };
    if (mkdtemp(served->home) == NULL)
        return false;
    snprintf(served->data, sizeof served->data, "%s/data", served->home);
    snprintf(served->errors, sizeof served->errors, "%s/errors", served->home);
    return true;
}

void served_quote(const struct served *served)
{
    FILE *file = fopen(served->errors, "re");
    char text[QUOTE_BYTES];
    size_t len;

    if (file == NULL)
        return;
    if (fseek(file, -QUOTE_BYTES, SEEK_END) != 0)
        rewind(file);
    len = fread(text, 1, sizeof text, file);
    fprintf(stderr, "the server said last: %.*s\n", (int)len, text);
    fclose(file);
}

static int remove_entry(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
    (void)stat;
    (void)type;
    (void)walk;
    return remove(path);
}

void served_deinit(struct served *served, bool keep)
{
    if (keep)
        fprintf(stderr, "kept: %s\n", served->home);
    else
        nftw(served->home, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void become_server(const struct served *served, int out)
{
    int err = open(served->errors, O_WRONLY | O_CREAT | O_APPEND, 0600);

    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that is cut short leaves nobody behind */
    dup2(out, 1);
    dup2(err, 2);
    execl(served->program, served->program, "serve", "--data", served->data, "--listen", "127.0.0.1:0",
          "--http", "off", "--partitions", "8", "--io-threads", "3", (char *)NULL);
    _exit(127);
}

bool served_start(struct served *served)
{
    int pipes[2];

    if (pipe2(pipes, O_CLOEXEC) != 0)
        return false;
    served->port = 0;
    served->pid = fork();
    if (served->pid == 0)
        become_server(served, pipes[1]);
    close(pipes[1]);
    served->out = pipes[0];
    if (served->pid > 0)
        return true;
    served->pid = 0;
    close(served->out);
    return false;
}

bool served_await(struct served *served)
{
    char text[2048];
    size_t len = 0;

    while (served->port == 0) {
        struct pollfd ready = { .fd = served->out, .events = POLLIN };
        const char *at;
        ssize_t got;

        if (poll(&ready, 1, READY_WAIT_MS) != 1 || len == sizeof text - 1)
            return false;
        got = read(served->out, text + len, sizeof text - 1 - len);
        if (got <= 0)
            return false;
        len += (size_t)got;
        text[len] = '\0';
        at = strstr(text, ready_words);
        if (at != NULL && strchr(at, '\n') != NULL)
            served->port = (uint16_t)atoi(at + sizeof ready_words - 1);
    }
    return true;
}

static int reap(struct served *served)
{
    int status = -1;

    waitpid(served->pid, &status, 0);
    close(served->out);
    served->pid = 0;
    return status;
}

void served_kill(struct served *served)
{
    if (served->pid == 0)
        return;
    kill(served->pid, SIGKILL);
    reap(served);
}

int served_stop(struct served *served)
{
    kill(served->pid, SIGTERM);
    return reap(served);
}

/* ---- a connection ----------------------------------------------------------------------------------- */

bool link_open(struct link *link, uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int one = 1;

    link->len = link->used = 0;
    link->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (link->fd < 0)
        return false;
    setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(link->fd, (struct sockaddr *)&address, sizeof address) == 0)
        return true;
    link_close(link);
    return false;
}

void link_close(struct link *link)
{
    if (link->fd >= 0)
        close(link->fd);
    link->fd = -1;
}

bool link_send(struct link *link, const char *line)
{
    size_t len = strlen(line);

    while (len > 0) {
        ssize_t sent = send(link->fd, line, len, MSG_NOSIGNAL);

        if (sent <= 0)
            return false;
        line += sent;
        len -= (size_t)sent;
    }
    return true;
}

char *link_take(struct link *link)
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

char *link_ask(struct link *link, const char *line)
{
    return link_send(link, line) ? link_take(link) : NULL;
}
