/* SPDX-License-Identifier: MIT */
#ifndef PL_FRONT_CLIENT_H
#define PL_FRONT_CLIENT_H

#include "front/loop.h"

/**
 * One client's connection, whatever it speaks: bytes in, bytes out, waiting, closing. What the
 * bytes mean is its kind's business: a kind's own struct begins with a struct pl_client.
 *
 *      received ─▸ kind->consume() ─▸ requests run, replies are gathered in pl_client_out()
 *                     ▲    └─ what it left stays in `input`; when it says `blocked`, nothing more is read
 *                     └── pl_client_resume() when the loop has it in its list of those who go on
 *
 * Who does not read replies is not read from either, and is cut after a time.
 */
struct pl_client {
    struct pl_link link;
    const struct pl_client_kind *kind;
    struct pl_loop *loop;
    struct pl_loop_place place;      /* among all clients */
    struct pl_client *next_dirty;    /* has output to send this turn */
    struct pl_client *next_deferred; /* goes on next turn */
    bool dirty, deferred;

    struct pl_buf input; /* read and not yet consumed; empty most of the time */
    bool blocked;        /* a whole request stands in the input and must wait */
    bool in_order;       /* ... for the replies to the requests before it */
    bool deaf;           /* whatever follows is dropped */
    bool ending;         /* no more input; close when everything is answered */
    bool lingers;        /* before closing, say that this is the end and let the client finish its sentence */
    bool gone;           /* the link is closed; requests may still be on their way back */

    uint32_t in_flight;  /* requests taken and not released; they hold the connection */
    uint64_t heard_ms;   /* when bytes last came or went, or a request ended */
    size_t unsent_bytes; /* at the last tick: when it shrinks, the client reads */
    uint64_t lingers_since_ms;
};

/** A protocol. */
struct pl_client_kind {
    size_t size_bytes; /* of the struct that begins with a struct pl_client; it starts zeroed */
    /**
     * Deal with what is whole in `in`, and return how many bytes that was. Sets `blocked` when what
     * follows must wait, and defers the client when it merely goes on later.
     */
    size_t (*consume)(struct pl_client *client, struct pl_bytes in);
    /** Part of a request has come, and the client owes the rest. */
    bool (*is_owed_more)(const struct pl_client *client);
    /**
     * Output has gone, the client sends no more (`ending`), or it is gone (`gone`): for a kind that sends of its own
     * accord. May be NULL.
     */
    void (*stirred)(struct pl_client *client);
    /** Called about once a second: it may refuse a client that is too slow. May be NULL. */
    void (*tick)(struct pl_client *client, uint64_t now_ms);
    /** Free what the struct holds beside the client. May be NULL. */
    void (*deinit)(struct pl_client *client);
    /** Tell whoever cannot be served why: appended to `out`, before closing. `why` may be NULL. */
    void (*refuse)(struct pl_buf *out, int rc, const struct pl_reason *why);
};

/** Take over `fd` as a client of `loop`. It frees itself when it is closed. On failure `fd` is closed. */
void pl_client_open(struct pl_loop *loop, const struct pl_client_kind *kind, int fd);

/** Go on consuming input, after a wait. */
void pl_client_resume(struct pl_client *client);

/** Send the turn's replies. */
void pl_client_flush(struct pl_client *client);

/** Read nothing more, answer what was read, close. */
void pl_client_drain(struct pl_client *client);

/** Close now; unsent replies are lost. */
void pl_client_cut(struct pl_client *client);

/** Once a second or so: cut who has been silent or stalled for too long. */
void pl_client_tick(struct pl_client *client, uint64_t now_ms);

/* --- for kinds --- */

/** Hear nothing more, and close when everything is answered and sent. */
void pl_client_finish(struct pl_client *client);

static inline struct pl_buf *pl_client_out(struct pl_client *client)
{
    return pl_link_out(&client->link);
}

/** False: whatever is answered now has nobody to go to. */
static inline bool pl_client_is_open(const struct pl_client *client)
{
    return !client->gone && !client->link.closing;
}

/** There is output to send this turn. */
void pl_client_mark_dirty(struct pl_client *client);

/** Consume more next turn. */
void pl_client_defer(struct pl_client *client);

/** May another request begin? Else `in_order` is cleared: it waits for room. */
bool pl_client_has_room(struct pl_client *client);

/** A request is over that pl_client_hold() took. May free the client, when it is gone. */
void pl_client_release(struct pl_client *client);

static inline void pl_client_hold(struct pl_client *client)
{
    client->in_flight++;
}

/** A reply has come from elsewhere: this turn has something to settle. */
void pl_client_heard(struct pl_client *client);

#endif
