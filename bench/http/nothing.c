/* SPDX-License-Identifier: MIT */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * The server that does nothing: it counts the heads in what it receives and answers each with the same bytes, without
 * reading them. What wrk gets from it is what wrk, the kernel and this machine leave to any server, with one thread and
 * two system calls a request. `nothing PORT BODY_BYTES` serves until it is killed.
 */
enum { CONNECTIONS_MAX = 1024, EVENTS_MAX = 64, REPLIES_MAX = 64, REPLY_BYTES_MAX = 4096 };

static char replies[REPLIES_MAX * REPLY_BYTES_MAX]; /* the reply, again and again */
static size_t reply_len;
static uint8_t matched[CONNECTIONS_MAX]; /* of the blank line that ends a head, by descriptor */

static void make_replies(int body_bytes)
{
    char head[512];
    int len = snprintf(head, sizeof head,
                       "HTTP/1.1 200 OK\r\nServer: nothing\r\nDate: Tue, 01 Jan 2030 00:00:00 GMT\r\n"
                       "x-amzn-RequestId: %052d\r\nContent-Type: application/x-amz-json-1.0\r\n"
                       "x-amz-crc32: 2745614147\r\nContent-Length: %d\r\n\r\n",
                       0, body_bytes);

    reply_len = (size_t)(len + body_bytes);
    for (int i = 0; i < REPLIES_MAX; i++) {
        char *at = replies + (size_t)i * reply_len;

        memcpy(at, head, (size_t)len);
        memset(at + len, 'x', (size_t)body_bytes);
    }
}

static size_t count_heads(int fd, const char *bytes, size_t len)
{
    static const char blank_line[] = "\r\n\r\n";
    const char *at = bytes, *end = bytes + len;
    size_t count = 0;

    while (at < end) {
        if (matched[fd] == 0) {
            at = memchr(at, '\r', (size_t)(end - at));
            if (at == NULL)
                break;
        }
        matched[fd] = *at == blank_line[matched[fd]] ? matched[fd] + 1 : *at == '\r';
        at++;
        if (matched[fd] == sizeof blank_line - 1) {
            matched[fd] = 0;
            count++;
        }
    }
    return count;
}

static void answer(int fd)
{
    char bytes[65536];
    ssize_t len = recv(fd, bytes, sizeof bytes, 0);
    size_t count;

    if (len <= 0) {
        close(fd);
        return;
    }
    count = count_heads(fd, bytes, (size_t)len);
    if (count > REPLIES_MAX || send(fd, replies, count * reply_len, MSG_NOSIGNAL) < 0)
        close(fd);
}

static void welcome(int listener, int poll)
{
    int one = 1, fd = accept(listener, NULL, NULL);
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

    if (fd < 0)
        return;
    if (fd >= CONNECTIONS_MAX) {
        close(fd);
        return;
    }
    matched[fd] = 0;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
}

static int listen_on(uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
        bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 512) == 0)
        return fd;
    perror("nothing");
    exit(1);
}

int main(int argc, char **argv)
{
    int body_bytes = argc == 3 ? atoi(argv[2]) : -1, listener, poll;
    struct epoll_event event = { .events = EPOLLIN }, events[EVENTS_MAX];

    if (body_bytes < 0 || body_bytes > REPLY_BYTES_MAX - 512) {
        fprintf(stderr, "usage: nothing PORT BODY_BYTES\n");
        return 2;
    }
    make_replies(body_bytes);
    listener = listen_on((uint16_t)atoi(argv[1]));
    poll = epoll_create1(0);
    event.data.fd = listener;
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int count = epoll_wait(poll, events, EVENTS_MAX, -1);

        for (int i = 0; i < count; i++)
            if (events[i].data.fd == listener)
                welcome(listener, poll);
            else
                answer(events[i].data.fd);
    }
}
