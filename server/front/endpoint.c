/* SPDX-License-Identifier: MIT */
#include "front/endpoint.h"

#include "front/http_connection.h"

static struct pl_loop *loop_of(const struct pl_exchange *x)
{
    return x->connection->client.loop;
}

static struct pl_desk *desk(const struct pl_exchange *x)
{
    return loop_of(x)->desk;
}

static const struct pl_engine *engine(const struct pl_exchange *x)
{
    return &loop_of(x)->options.engine;
}

static void answer(struct pl_exchange *x, unsigned status, struct pl_bytes content_type, struct pl_bytes body)
{
    x->reply.status = status;
    x->reply.content_type = content_type;
    x->answer = body;
    pl_http_connection_answer(x);
}

/* --- browsers --- */

static void allow(struct pl_exchange *x, const char *what, enum pl_http_field_name asked)
{
    if (!pl_http_has(&x->head, asked))
        return;
    pl_buf_append_bytes(&x->more, pl_str(what));
    pl_buf_append_bytes(&x->more, pl_http_value(&x->head, asked));
    pl_buf_append_bytes(&x->more, pl_str("\r\n"));
}

/* A page from anywhere may ask: what protects the data are signatures, and a browser has no others. */
static void write_cors(struct pl_exchange *x)
{
    if (!pl_http_has(&x->head, PL_HTTP_ORIGIN))
        return;
    pl_buf_append_bytes(&x->more, pl_str("Access-Control-Allow-Origin: *\r\n"));
    if (x->head.method != PL_HTTP_OPTIONS)
        return;
    allow(x, "Access-Control-Allow-Headers: ", PL_HTTP_ACCESS_CONTROL_REQUEST_HEADERS);
    allow(x, "Access-Control-Allow-Methods: ", PL_HTTP_ACCESS_CONTROL_REQUEST_METHOD);
    pl_buf_append_bytes(&x->more, pl_str("Access-Control-Max-Age: 172800\r\n"));
}

/* --- what is no call --- */

static void answer_not_found(struct pl_exchange *x)
{
    answer(x, 404, pl_bytes(NULL, 0), pl_str("<UnknownOperationException/>\n"));
}

static void answer_health(struct pl_exchange *x)
{
    struct pl_buf *body = &x->dynamo.body;

    pl_buf_append_bytes(body, pl_str("healthy: dynamodb."));
    pl_buf_append_bytes(body, desk(x)->options->region);
    pl_buf_append_bytes(body, pl_str(".amazonaws.com "));
    if (pl_buf_status(body) != 0)
        answer(x, 503, pl_bytes(NULL, 0), pl_bytes(NULL, 0));
    else
        answer(x, 200, pl_str("text/plain"), pl_buf_view(body));
}

static const char amz_json[] = "application/x-amz-json-1.0", plain_json[] = "application/json";

/* What the body is said to be, without parameters such as a character set. */
static struct pl_bytes content_type(const struct pl_http_head *head)
{
    struct pl_bytes type = pl_http_value(head, PL_HTTP_CONTENT_TYPE);
    const char *semicolon = memchr(type.data, ';', type.len);

    if (semicolon != NULL)
        type.len = (size_t)(semicolon - type.data);
    return pl_bytes_trim(type);
}

static bool is_call(const struct pl_exchange *x, struct pl_bytes type, struct pl_bytes body)
{
    return x->head.method == PL_HTTP_POST &&
           pl_bytes_equal(pl_http_text(&x->head, x->head.path), pl_str("/")) &&
           (body.len == 0 || pl_http_word_equal(type, pl_str(amz_json)) ||
            pl_http_word_equal(type, pl_str(plain_json)));
}

/* --- calls --- */

/* The endpoint that the client has found us at, when its name may stand in JSON as it is. */
static struct pl_bytes name_endpoint(const struct pl_http_head *head)
{
    static const char clean[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]_";
    struct pl_bytes host = pl_http_value(head, PL_HTTP_HOST);

    for (size_t i = 0; i < host.len; i++)
        if (host.data[i] == '\0' || strchr(clean, host.data[i]) == NULL)
            return pl_str("localhost");
    return host.len > 0 ? host : pl_str("localhost");
}

static struct pl_dynamo_context context_of(struct pl_exchange *x, struct pl_bytes endpoint)
{
    return (struct pl_dynamo_context){
        .tables = engine(x)->tables(loop_of(x)->attachment),
        .region = desk(x)->options->region,
        .account = desk(x)->options->account,
        .endpoint = endpoint,
        .now_ms = pl_desk_now_ms(desk(x)),
        .partition_count = engine(x)->partition_count,
        .table_delay_ms = desk(x)->options->table_delay_ms,
    };
}

static void conclude(struct pl_exchange *x)
{
    answer(x, x->dynamo.status, x->reply.content_type, pl_buf_view(&x->dynamo.body));
}

/* Operations that end at once go on here; the others in done(). */
static void go_on(struct pl_exchange *x, enum pl_dynamo_step step)
{
    while (step == PL_DYNAMO_RUN) {
        struct pl_dynamo_context context;

        x->dynamo.op.patient = true;
        if (!engine(x)->run(loop_of(x)->attachment, &x->dynamo.op))
            return;
        context = context_of(x, pl_bytes(NULL, 0));
        step = pl_dynamo_advance(&x->dynamo, &context);
    }
    conclude(x);
}

static void done(struct pl_operation *op)
{
    struct pl_exchange *x = op->owner;
    struct pl_dynamo_context context = context_of(x, pl_bytes(NULL, 0));

    loop_of(x)->touched = true;
    go_on(x, pl_dynamo_advance(&x->dynamo, &context));
}

static void call(struct pl_exchange *x, struct pl_bytes body)
{
    struct pl_bytes target = pl_http_value(&x->head, PL_HTTP_X_AMZ_TARGET);
    struct pl_dynamo_context context = context_of(x, name_endpoint(&x->head));
    struct pl_sigv4_request signature = { .head = &x->head,
                                          .body = pl_buf_view(&x->body),
                                          .now_ms = context.now_ms };
    struct pl_sigv4_refusal refusal;

    x->dynamo.op.done = done;
    x->dynamo.op.owner = x;
    if (pl_sigv4_verify(&desk(x)->sigv4, &signature, &desk(x)->words, &refusal)) {
        go_on(x, pl_dynamo_read(&x->dynamo, target, body, &context));
        return;
    }
    pl_dynamo_refuse(&x->dynamo, target, body, refusal.type, refusal.sentence);
    conclude(x);
}

void pl_endpoint_serve(struct pl_exchange *x, struct pl_bytes body)
{
    struct pl_bytes type = content_type(&x->head);
    bool root = pl_bytes_equal(pl_http_text(&x->head, x->head.path), pl_str("/"));

    write_cors(x);
    if (pl_buf_status(&x->more) != 0) {
        pl_endpoint_refuse(x, 503);
    } else if (x->head.method == PL_HTTP_OPTIONS && pl_http_has(&x->head, PL_HTTP_ORIGIN)) {
        answer(x, 200, pl_bytes(NULL, 0), pl_bytes(NULL, 0));
    } else if (root && (x->head.method == PL_HTTP_GET || x->head.method == PL_HTTP_HEAD)) {
        answer_health(x);
    } else if (!is_call(x, type, body)) {
        answer_not_found(x);
    } else {
        /* The answer is of the kind that the question was. */
        x->reply.content_type = pl_str(pl_http_word_equal(type, pl_str(amz_json)) ? amz_json : plain_json);
        call(x, body);
    }
}

void pl_endpoint_refuse(struct pl_exchange *x, unsigned status)
{
    static const struct pl_reason broken = { "The request's body could not be unpacked" };

    if (status != 500) {
        answer(x, status, pl_bytes(NULL, 0), pl_bytes(NULL, 0));
        return;
    }
    pl_dynamo_fail(&x->dynamo, PL_EIO, &broken);
    answer(x, 500, pl_str(amz_json), pl_buf_view(&x->dynamo.body));
}

void pl_endpoint_write_unavailable(struct pl_buf *out, int rc, const struct pl_reason *why)
{
    struct pl_dynamo_request request;

    pl_dynamo_request_init(&request);
    pl_dynamo_fail(&request, rc, why);
    pl_buf_append_bytes(out, pl_buf_view(&request.body));
    pl_dynamo_request_deinit(&request);
}
