/* SPDX-License-Identifier: MIT */
#include "front/http_connection.h"

#include "front/endpoint.h"
#include "front/exchange.h"

static struct pl_http_connection *of_client(struct pl_client *client)
{
    return pl_container_of(client, struct pl_http_connection, client);
}

static struct pl_desk *desk(const struct pl_http_connection *c)
{
    return c->client.loop->desk;
}

static struct pl_buf *out(struct pl_http_connection *c)
{
    return pl_client_out(&c->client);
}

/* As of the loop's turn: patience is counted in seconds. */
static uint64_t now_ms(const struct pl_http_connection *c)
{
    return uv_now(&c->client.loop->uv);
}

/* --- ends --- */

/* Between two requests. */
static void expect_head(struct pl_http_connection *c)
{
    c->exchange = NULL;
    c->running = false;
    c->scan = (struct pl_http_scan){ 0 };
    c->skipped = false;
    c->began_ms = 0;
}

/* These bytes are no request, and what follows them cannot be known: say so, and close. */
static void refuse(struct pl_http_connection *c, unsigned status)
{
    char id[PL_DESK_REQUEST_ID_LEN];
    struct pl_http_reply reply = { .status = status, .date = pl_desk_date(desk(c)) };

    pl_desk_write_request_id(desk(c), id);
    reply.request_id = pl_bytes(id, sizeof id);
    pl_http_write_head(out(c), &reply);
    if (c->exchange != NULL)
        pl_exchange_release(desk(c), c->exchange);
    expect_head(c);
    pl_client_finish(&c->client);
}

/* --- replies --- */

enum { PACKED_BYTES_MIN = 4096 }; /* smaller bodies are sent as they are */

/* True when the answer was packed; it then lies in the desk's words. */
static bool pack(struct pl_http_connection *c, struct pl_exchange *x)
{
    struct pl_buf *packed = &desk(c)->words;

    if (x->accepts == PL_ENCODING_IDENTITY || x->answer.len <= PACKED_BYTES_MIN)
        return false;
    pl_buf_clear(packed);
    if (pl_coder_pack(&desk(c)->coder, x->accepts, x->answer, packed) != 0)
        return false;
    x->answer = pl_buf_view(packed);
    x->reply.content_encoding = pl_encoding_name(x->accepts);
    return true;
}

/* What the checksum of a packed body covers is told nowhere, and clients disagree: it goes without. */
static void send_reply(struct pl_http_connection *c, struct pl_exchange *x)
{
    x->reply.date = pl_desk_date(desk(c));
    pl_desk_write_request_id(desk(c), x->request_id);
    x->reply.request_id = pl_bytes(x->request_id, sizeof x->request_id);
    x->reply.more = pl_buf_view(&x->more);
    x->reply.keep_alive = x->keep_alive && !c->client.ending;
    if (!pack(c, x)) {
        x->reply.has_crc32 = true;
        x->reply.crc32 = pl_encoding_crc32(x->answer);
    }
    x->reply.body_len = x->answer.len;
    pl_http_write_head(out(c), &x->reply);
    if (!x->head_only)
        pl_buf_append_bytes(out(c), x->answer);
    pl_client_mark_dirty(&c->client);
    if (!x->reply.keep_alive)
        pl_client_finish(&c->client);
}

enum { KEPT_BYTES_MAX = 64 * 1024 };

void pl_http_connection_answer(struct pl_exchange *x)
{
    struct pl_http_connection *c = x->connection;
    struct pl_desk *desk_of = desk(c);

    pl_client_heard(&c->client);
    if (pl_client_is_open(&c->client))
        send_reply(c, x);
    pl_exchange_release(desk_of, x);
    if (desk_of->words.capacity > KEPT_BYTES_MAX)
        pl_buf_deinit(&desk_of->words);
    expect_head(c);
    if (c->client.blocked)
        pl_client_defer(&c->client);
    pl_client_release(&c->client);
}

/* --- serving --- */

/* The status of a body that cannot be unpacked, 0 when `*body` is what was meant. */
static unsigned unpack(struct pl_http_connection *c, struct pl_exchange *x, struct pl_bytes *body)
{
    enum pl_encoding encoding;
    int rc;

    *body = pl_buf_view(&x->body);
    if (!pl_encoding_read(pl_http_value(&x->head, PL_HTTP_CONTENT_ENCODING), &encoding))
        return 415;
    if (encoding == PL_ENCODING_IDENTITY)
        return 0;
    rc = pl_coder_unpack(&desk(c)->coder, encoding, *body, desk(c)->options->body_bytes_max, &x->unpacked);
    *body = pl_buf_view(&x->unpacked);
    return rc == 0 ? 0 : rc == PL_ELIMIT ? 413 : rc == PL_ENOMEM ? 503 : 500;
}

/* All of the request is there. From here on the exchange answers for itself. */
static void serve(struct pl_http_connection *c, struct pl_exchange *x)
{
    struct pl_bytes body;
    unsigned status;

    c->running = true;
    c->began_ms = 0;
    pl_client_hold(&c->client);
    x->keep_alive = x->head.keep_alive;
    x->head_only = x->head.method == PL_HTTP_HEAD;
    x->accepts = pl_encoding_choose(pl_http_value(&x->head, PL_HTTP_ACCEPT_ENCODING));
    status = unpack(c, x, &body);
    if (status == 0)
        pl_endpoint_serve(x, body);
    else
        pl_endpoint_refuse(x, status);
}

/* --- receiving --- */

/* Keep the head, because its body is still to come. */
static unsigned wait_for_body(struct pl_http_connection *c, struct pl_exchange *x)
{
    pl_buf_append_bytes(&x->head_text, x->head.text);
    if (pl_buf_status(&x->head_text) != 0)
        return 503;
    x->head.text = pl_buf_view(&x->head_text);
    c->began_ms = now_ms(c);
    if (x->head.chunked)
        pl_http_chunks_init(&x->chunks, desk(c)->options->body_bytes_max);
    if (x->head.expects_continue) {
        pl_buf_append_bytes(out(c), pl_str("HTTP/1.1 100 Continue\r\n\r\n"));
        pl_client_mark_dirty(&c->client);
    }
    return 0;
}

/* Begin an exchange. `*used` becomes what was used of `in`: the head, and the body when all of it is there. */
static unsigned begin(struct pl_http_connection *c, struct pl_bytes in, size_t head_len, size_t *used)
{
    struct pl_exchange *x = pl_exchange_take(desk(c));
    unsigned status;

    if (x == NULL)
        return 503;
    c->exchange = x;
    x->connection = c;
    status = pl_http_head_read(&x->head, pl_bytes(in.data, head_len));
    if (status != 0)
        return status;
    if (x->head.content_length > desk(c)->options->body_bytes_max)
        return 413;
    *used = head_len;
    if (x->head.chunked || x->head.content_length > in.len - head_len)
        return wait_for_body(c, x);
    pl_buf_append(&x->body, in.data + head_len, x->head.content_length);
    if (pl_buf_status(&x->body) != 0)
        return 503;
    *used += x->head.content_length;
    serve(c, x);
    return 0;
}

/* Robust servers step over one empty line before a request (RFC 9112 2.2). */
static bool skip_empty_line(struct pl_http_connection *c, struct pl_bytes in)
{
    if (c->skipped || in.data[0] != '\r' || in.len < 2 || in.data[1] != '\n')
        return false;
    c->skipped = true;
    return true;
}

static unsigned receive_head(struct pl_http_connection *c, struct pl_bytes in, size_t *used)
{
    size_t head_len;
    unsigned status;

    if (c->scan.at == 0 && skip_empty_line(c, in)) {
        *used = 2;
        return 0;
    }
    if (c->began_ms == 0)
        c->began_ms = now_ms(c);
    status = pl_http_scan_head(&c->scan, in, &head_len);
    return status != 0 || head_len == 0 ? status : begin(c, in, head_len, used);
}

/* What half requests of all clients together may cost. */
static unsigned count_gathered(struct pl_http_connection *c, struct pl_exchange *x)
{
    size_t before = x->gathered_bytes;

    if (pl_buf_status(&x->body) != 0)
        return 503;
    x->gathered_bytes = x->body.len;
    desk(c)->gathered_bytes += x->gathered_bytes - before;
    return desk(c)->gathered_bytes > desk(c)->options->gathered_bytes_max ? 503 : 0;
}

static unsigned receive_body(struct pl_http_connection *c, struct pl_bytes in, size_t *used)
{
    struct pl_exchange *x = c->exchange;
    uint64_t missing;
    unsigned status;

    if (x->head.chunked) {
        status = pl_http_chunks_read(&x->chunks, in, &x->body, used);
        if (status == 0 && x->chunks.complete)
            serve(c, x);
        else if (status == 0)
            status = count_gathered(c, x);
        return status;
    }
    missing = x->head.content_length - x->body.len;
    *used = missing < in.len ? missing : in.len;
    pl_buf_append(&x->body, in.data, *used);
    status = count_gathered(c, x);
    if (status == 0 && *used == missing)
        serve(c, x);
    return status;
}

/* How many bytes were dealt with; 0 when there must come more or when they must wait (then `blocked`). */
static size_t receive(struct pl_http_connection *c, struct pl_bytes in)
{
    unsigned status;
    size_t used = 0;

    c->client.blocked = !pl_client_has_room(&c->client) || c->running;
    c->client.in_order = c->running;
    if (c->client.blocked)
        return 0;
    status = c->exchange == NULL ? receive_head(c, in, &used) : receive_body(c, in, &used);
    if (status != 0)
        refuse(c, status);
    return used;
}

/* A client with much to say does not make the others wait longer than this. */
enum { SLICE_NS = 5 * 1000 * 1000 };

static size_t consume(struct pl_client *client, struct pl_bytes in)
{
    struct pl_http_connection *c = of_client(client);
    uint64_t start_ns = 0; /* of the second request: most often there is one alone */
    size_t used = 0;

    while (used < in.len && !client->deaf) {
        size_t len = receive(c, pl_bytes(in.data + used, in.len - used));

        if (len == 0)
            break;
        used += len;
        if (used == in.len)
            break;
        if (start_ns == 0)
            start_ns = uv_hrtime();
        if (uv_hrtime() - start_ns > SLICE_NS) {
            pl_client_defer(client);
            break;
        }
    }
    return used;
}

/* --- patience --- */

static bool is_owed_more(const struct pl_client *client)
{
    const struct pl_http_connection *c = pl_container_of(client, const struct pl_http_connection, client);

    return !client->blocked && !c->running && (c->exchange != NULL || client->input.len > 0);
}

static void tick(struct pl_client *client, uint64_t now)
{
    struct pl_http_connection *c = of_client(client);
    const struct pl_http_options *options = desk(c)->options;
    uint64_t waited_ms = now > c->began_ms ? now - c->began_ms : 0;

    if (options->head_timeout_ms == 0 || c->began_ms == 0 || waited_ms <= options->head_timeout_ms ||
        !is_owed_more(client))
        return;
    if (c->exchange != NULL && c->exchange->body.len >= waited_ms / 1000 * options->body_rate_min)
        return;
    refuse(c, 408);
}

static void deinit(struct pl_client *client)
{
    struct pl_http_connection *c = of_client(client);

    if (c->exchange != NULL)
        pl_exchange_release(desk(c), c->exchange);
}

/* At the door there is no loop yet, and so no desk but this one. */
static void refuse_client(struct pl_buf *to, int rc, const struct pl_reason *why)
{
    struct pl_http_options options = { .clock = pl_clock_system(), .random = pl_random_system() };
    struct pl_desk door = { .options = &options, .id_state = pl_random_next(&options.random), .date_s = -1 };
    struct pl_http_reply reply = { .status = 503, .content_type = pl_str("application/x-amz-json-1.0") };
    char id[PL_DESK_REQUEST_ID_LEN];
    struct pl_buf body = { 0 };

    pl_desk_write_request_id(&door, id);
    reply.request_id = pl_bytes(id, sizeof id);
    reply.date = pl_desk_date(&door);
    pl_endpoint_write_unavailable(&body, rc, why);
    reply.body_len = body.len;
    pl_http_write_head(to, &reply);
    pl_buf_append_bytes(to, pl_buf_view(&body));
    pl_buf_deinit(&body);
}

const struct pl_client_kind pl_http_connection_kind = {
    .size_bytes = sizeof(struct pl_http_connection),
    .consume = consume,
    .is_owed_more = is_owed_more,
    .tick = tick,
    .deinit = deinit,
    .refuse = refuse_client,
};
