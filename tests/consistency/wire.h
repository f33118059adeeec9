/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_CONSISTENCY_WIRE_H
#define PL_TESTS_CONSISTENCY_WIRE_H

#include "history.h"
#include "served.h"

/**
 * Calls as lines of the protocol, and replies as what a client was told. An item is a number twice: an
 * item with two different ones was not written as a whole.
 */
enum { WIRE_LINE_BYTES = 2048 };

/* Where a history's items are: it has some of its own. */
struct wire_place {
    unsigned history;
    bool together; /* under one partition key; otherwise under one each */
};

/** The line that makes the table. */
extern const char wire_create[];

void wire_write(const struct wire_place *place, const struct call *call, char *line);

/** Ask for all items of a history in one request, each of which stands for itself. */
void wire_write_look(const struct wire_place *place, uint8_t key_count, char *line);

enum wire_told {
    WIRE_TOLD,
    WIRE_CUT_OFF, /* the server is gone */
    WIRE_STRANGE, /* no reply that we know: `strange` has it */
};

/** Fill in what the client is told; `strange` has room for WIRE_LINE_BYTES. */
enum wire_told wire_read(struct link *link, struct call *call, char *strange);
enum wire_told wire_read_look(struct link *link, struct items *items, char *strange);

#endif
