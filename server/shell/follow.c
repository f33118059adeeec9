/* SPDX-License-Identifier: MIT */
#include "shell/follow.h"

#include "shell/member.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

/* ---- Ctrl-C ----------------------------------------------------------------------------------------- */

/* A signal's handler can be told nothing but this. */
static volatile sig_atomic_t followed_fd = -1;

/* An empty line ends the TAIL, and the server says where it stood. A second Ctrl-C finds no handler. */
static void end_tail(int number)
{
    (void)number;
    (void)!send(followed_fd, "\n", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void catch_interrupt(int fd, struct sigaction *before)
{
    struct sigaction action = { .sa_handler = end_tail, .sa_flags = (int)(SA_RESTART | SA_RESETHAND) };

    followed_fd = fd;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, before);
}

/* ---- showing ---------------------------------------------------------------------------------------- */

static void print_time(struct pl_bytes at)
{
    char digits[32], clock[16];
    double seconds;
    struct tm local;
    time_t whole;

    snprintf(digits, sizeof digits, "%.*s", (int)at.len, at.data);
    seconds = strtod(digits, NULL);
    whole = (time_t)seconds;
    if (localtime_r(&whole, &local) == NULL || strftime(clock, sizeof clock, "%H:%M:%S", &local) == 0)
        return;
    printf("%s.%03d  ", clock, (int)((seconds - (double)whole) * 1000 + 0.5) % 1000);
}

static void print_image(const char *name, struct pl_bytes image)
{
    if (image.len > 0)
        printf("    %s  %.*s\n", name, (int)image.len, image.data);
}

/*
 *     14:03:21.123  modify  {"ChatID":"chat#123","MsgID":"001"}
 *         old  {..}
 *         new  {..}
 */
static void show_record(struct pl_bytes json)
{
    struct pl_arena arena = { 0 };
    struct pl_bytes event = pl_member_find(json, "event", &arena),
                    keys = pl_member_find(json, "keys", &arena);
    struct pl_bytes by = pl_member_find(json, "by", &arena);

    if (event.len > 2) {
        print_time(pl_member_find(json, "at", &arena));
        printf("%-6.*s  %.*s%s\n", (int)event.len - 2, event.data + 1, (int)keys.len, keys.data,
               by.len > 0 ? "  (expired)" : "");
        print_image("old", pl_member_find(json, "old", &arena));
        print_image("new", pl_member_find(json, "new", &arena));
    }
    pl_arena_deinit(&arena);
}

static void show_end(struct pl_bytes json)
{
    struct pl_arena arena = { 0 };
    struct pl_bytes count = pl_member_find(json, "count", &arena),
                    position = pl_member_find(json, "position", &arena);

    printf("%.*s record%s%s\n", (int)count.len, count.data, pl_bytes_equal(count, pl_str("1")) ? "" : "s",
           pl_member_find(json, "ended", &arena).len > 0 ? ", and there will be no more: the stream has ended"
                                                         : "");
    if (position.len > 2)
        printf("to go on from here: FROM %.*s\n", (int)position.len - 2, position.data + 1);
    pl_arena_deinit(&arena);
}

static void show(const struct pl_reply_line *line, bool person)
{
    if (line->kind == PL_REPLY_ERR) {
        fflush(stdout);
        fprintf(person ? stdout : stderr, "ERR %.*s\n", (int)line->text.len, line->text.data);
    } else if (line->kind == PL_REPLY_ROW && person) {
        show_record(line->text);
    } else if (line->kind == PL_REPLY_ROW) {
        printf("%.*s\n", (int)line->text.len, line->text.data);
    } else if (line->kind == PL_REPLY_END && person) {
        show_end(line->text);
    }
}

int pl_follow(struct pl_client *client, bool person, struct pl_reason *why)
{
    struct pl_reply_line line = { .kind = PL_REPLY_ROW };
    struct sigaction before;
    int rc = 0;

    if (person)
        puts("(Ctrl-C ends it)");
    catch_interrupt(client->fd, &before);
    while (rc == 0 && line.kind == PL_REPLY_ROW) {
        if (client->taken_bytes == client->input.len)
            fflush(stdout); /* we are about to wait: whoever looks on has seen everything */
        rc = pl_client_receive(client, &line, why);
        if (rc == 0)
            show(&line, person);
    }
    sigaction(SIGINT, &before, NULL);
    return rc == 0 && line.kind == PL_REPLY_ERR ? PL_EINVALID : rc;
}
