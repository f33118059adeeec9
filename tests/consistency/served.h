/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_CONSISTENCY_SERVED_H
#define PL_TESTS_CONSISTENCY_SERVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** The real server as a child of ours, in a directory of its own, and connections to it. */
struct served {
    const char *program;
    char home[64], data[80], errors[80]; /* errors: what it says on stderr, in all its lives */
    pid_t pid;                           /* 0: it does not run */
    int out;
    uint16_t port;
};

/** Makes the directory. `program` outlives the struct. */
bool served_init(struct served *served, const char *program);
/** What the server said last on stderr, to ours: for a test that failed. */
void served_quote(const struct served *served);
/** Removes the directory, unless `keep`, which says where it is. The server must not run. */
void served_deinit(struct served *served, bool keep);

/** Returns at once. */
bool served_start(struct served *served);
/** Wait until it listens: then `port` is known. False when it never will. */
bool served_await(struct served *served);
/** kill -9; when this returns it is gone. */
void served_kill(struct served *served);
/** Ask it to stop, and wait. Returns the status of waitpid(). */
int served_stop(struct served *served);

enum { LINK_BYTES = 1 << 16 };

struct link {
    int fd; /* -1: closed */
    size_t len, used;
    char bytes[LINK_BYTES];
};

bool link_open(struct link *link, uint16_t port);
/** Twice is allowed. */
void link_close(struct link *link);

/** `line` with its end. False once the server is gone. */
bool link_send(struct link *link, const char *line);
/** One line, without its end, as a string, good until the next; NULL once the server is gone. */
char *link_take(struct link *link);
/** Both. */
char *link_ask(struct link *link, const char *line);

#endif
