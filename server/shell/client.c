/* SPDX-License-Identifier: MIT */
#include "shell/client.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

int pl_client_connect(struct pl_client *client, const struct pl_address *address, struct pl_reason *why)
{
    *client = (struct pl_client){ .fd = -1 };
    return pl_address_connect(address, &client->fd, why);
}

void pl_client_close(struct pl_client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    pl_buf_deinit(&client->input);
    *client = (struct pl_client){ .fd = -1 };
}

static int lost(struct pl_client *client, struct pl_reason *why)
{
    pl_client_close(client);
    return pl_reason_set(why, PL_ECLOSED, "the server has closed the connection");
}

static bool send_all(int fd, struct pl_bytes bytes, int flags)
{
    while (bytes.len > 0) {
        ssize_t len = send(fd, bytes.data, bytes.len, MSG_NOSIGNAL | flags);

        if (len < 0 && errno == EINTR)
            continue;
        if (len < 0)
            return false;
        bytes = pl_bytes(bytes.data + len, bytes.len - (size_t)len);
    }
    return true;
}

int pl_client_send(struct pl_client *client, struct pl_bytes line, struct pl_reason *why)
{
    /* In one go: a line whose end comes by itself waits until the server has acknowledged the rest. */
    if (!send_all(client->fd, line, MSG_MORE) || !send_all(client->fd, pl_str("\n"), 0))
        return lost(client, why);
    return 0;
}

/* True when more bytes came. */
static bool read_more(struct pl_client *client)
{
    char *to = pl_buf_reserve(&client->input, 64 * 1024);
    ssize_t len;

    if (to == NULL)
        return false;
    do {
        len = recv(client->fd, to, 64 * 1024, 0);
    } while (len < 0 && errno == EINTR);
    if (len <= 0)
        return false;
    client->input.len += (size_t)len;
    return true;
}

static int receive_line(struct pl_client *client, struct pl_bytes *out, struct pl_reason *why)
{
    size_t scanned = 0;
    const char *newline;

    pl_buf_consume(&client->input, client->taken_bytes);
    client->taken_bytes = 0;
    while (client->input.len == scanned ||
           (newline = memchr(client->input.data + scanned, '\n', client->input.len - scanned)) == NULL) {
        scanned = client->input.len;
        if (!read_more(client))
            return lost(client, why);
    }
    client->taken_bytes = (size_t)(newline - client->input.data) + 1;
    *out = pl_bytes(client->input.data, client->taken_bytes - 1);
    return 0;
}

/* The request's tag comes back before the word. */
static struct pl_bytes without_tag(struct pl_bytes line)
{
    const char *space = line.len > 0 && line.data[0] == '#' ? memchr(line.data, ' ', line.len) : NULL;
    size_t len = space == NULL ? 0 : (size_t)(space - line.data) + 1;

    return pl_bytes(line.data + len, line.len - len);
}

int pl_client_receive(struct pl_client *client, struct pl_reply_line *out, struct pl_reason *why)
{
    static const char *const words[] = {
        [PL_REPLY_OK] = "OK", [PL_REPLY_ERR] = "ERR", [PL_REPLY_ROW] = "ROW", [PL_REPLY_END] = "END"
    };
    struct pl_bytes line;
    int rc;

    rc = receive_line(client, &line, why);
    if (rc != 0)
        return rc;
    line = without_tag(line);
    for (int i = PL_REPLY_OK; i <= PL_REPLY_END; i++) {
        size_t len = strlen(words[i]);

        if (line.len < len || memcmp(line.data, words[i], len) != 0 ||
            (line.len > len && line.data[len] != ' '))
            continue;
        len += line.len > len;
        *out = (struct pl_reply_line){ (enum pl_reply_kind)i, pl_bytes(line.data + len, line.len - len) };
        return 0;
    }
    pl_client_close(client);
    return pl_reason_set(why, PL_EINVALID, "the server does not speak Perilune's line protocol");
}
