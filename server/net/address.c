/* SPDX-License-Identifier: MIT */
#include "net/address.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static int no_address(const char *text, struct pl_reason *why)
{
    return pl_reason_set(why, PL_ECONFIG, "expected HOST:PORT, such as 127.0.0.1:7890, found '%s'", text);
}

static bool read_port(const char *text, uint16_t *out)
{
    uint32_t port = 0;

    if (*text == '\0' || strlen(text) > 5)
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        port = port * 10 + (uint32_t)(*text - '0');
    }
    if (port > UINT16_MAX)
        return false;
    *out = (uint16_t)port;
    return true;
}

int pl_address_parse(const char *text, struct pl_address *out, struct pl_reason *why)
{
    const char *colon = strrchr(text, ':'), *host = text;
    size_t len = colon == NULL ? 0 : (size_t)(colon - text);
    struct pl_address address;

    if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
        host++;
        len -= 2;
    } else if (memchr(text, ':', len) != NULL) {
        return no_address(text, why);
    }
    if (len == 0 || len >= sizeof address.host || !read_port(colon + 1, &address.port))
        return no_address(text, why);
    memcpy(address.host, host, len);
    address.host[len] = '\0';
    *out = address;
    return 0;
}

void pl_address_format(const struct pl_address *address, char text[PL_ADDRESS_TEXT_MAX])
{
    bool brackets = strchr(address->host, ':') != NULL;

    snprintf(text, PL_ADDRESS_TEXT_MAX, brackets ? "[%s]:%u" : "%s:%u", address->host, address->port);
}

static int look_up(const struct pl_address *address, int flags, struct addrinfo **out, struct pl_reason *why)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV };
    char port[8];
    int rc;

    snprintf(port, sizeof port, "%u", address->port);
    rc = getaddrinfo(address->host, port, &hints, out);
    if (rc != 0)
        return pl_reason_set(why, PL_ECONFIG, "the host '%s' is not known: %s", address->host,
                             gai_strerror(rc));
    return 0;
}

/* After a failed call: closes `fd` and returns the failure. errno is looked at first. */
static int give_up(int fd, const struct pl_address *address, const char *what, struct pl_reason *why)
{
    int number = errno;
    char text[PL_ADDRESS_TEXT_MAX];

    if (fd >= 0)
        close(fd);
    pl_address_format(address, text);
    return pl_reason_set(why, number == EADDRINUSE ? PL_EINUSE : PL_EIO, "cannot %s %s: %s", what, text,
                         strerror(number));
}

static void learn_port(int fd, struct pl_address *address)
{
    struct sockaddr_storage bound = { 0 };
    socklen_t len = sizeof bound;

    if (getsockname(fd, (struct sockaddr *)&bound, &len) != 0)
        return;
    if (bound.ss_family == AF_INET)
        address->port = ntohs(((struct sockaddr_in *)&bound)->sin_port);
    else if (bound.ss_family == AF_INET6)
        address->port = ntohs(((struct sockaddr_in6 *)&bound)->sin6_port);
}

enum { BACKLOG = 511 };

int pl_address_listen(struct pl_address *address, int *fd, struct pl_reason *why)
{
    struct addrinfo *found;
    int one = 1, rc, s;

    rc = look_up(address, AI_PASSIVE, &found, why);
    if (rc != 0)
        return rc;
    s = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s < 0 || setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(s, found->ai_addr, found->ai_addrlen) != 0 || listen(s, BACKLOG) != 0)
        rc = give_up(s, address, "listen on", why);
    freeaddrinfo(found);
    if (rc != 0)
        return rc;
    learn_port(s, address);
    *fd = s;
    return 0;
}

int pl_address_connect(const struct pl_address *address, int *fd, struct pl_reason *why)
{
    struct addrinfo *found, *each;
    int rc, s = -1;

    rc = look_up(address, 0, &found, why);
    if (rc != 0)
        return rc;
    /* "localhost" may have two addresses, and the server listens on one of them. */
    for (each = found; each != NULL; each = each->ai_next) {
        s = socket(each->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (s >= 0 && connect(s, each->ai_addr, each->ai_addrlen) == 0)
            break;
        rc = give_up(s, address, "connect to", why);
    }
    freeaddrinfo(found);
    if (each == NULL)
        return rc;
    *fd = s;
    return 0;
}
