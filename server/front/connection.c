/* SPDX-License-Identifier: MIT */
#include "front/connection.h"

static struct pl_connection *of_client(struct pl_client *client)
{
    return pl_container_of(client, struct pl_connection, client);
}

static struct pl_buf *out(struct pl_connection *c)
{
    return pl_client_out(&c->client);
}

static struct pl_loop *loop_of(const struct pl_connection *c)
{
    return c->client.loop;
}

static const struct pl_engine *engine(const struct pl_connection *c)
{
    return &loop_of(c)->options.engine;
}

static void *attachment(const struct pl_connection *c)
{
    return loop_of(c)->attachment;
}

static void mark_dirty(struct pl_connection *c)
{
    pl_client_mark_dirty(&c->client);
}

/* --- answering --- */

static bool is_count(const struct pl_request *request)
{
    return request->line.verb == &pl_verbs[PL_VERB_COUNT];
}

static void write_report(struct pl_connection *c, struct pl_request *request)
{
    struct pl_operation *op = &request->op;
    struct pl_bytes report = pl_buf_view(&request->answer);

    if (op->reply.rc == 0 && pl_buf_status(&request->answer) == 0) {
        pl_line_write_ok(out(c), request->line.tag, report);
        return;
    }
    pl_line_write_error(out(c), request->line.tag, op->reply.rc != 0 ? op->reply.rc : PL_ENOMEM,
                        &op->reply.why);
}

static void answer(struct pl_connection *c, struct pl_request *request)
{
    if (!pl_client_is_open(&c->client))
        return;
    if (request->line.verb->kind == PL_VERB_ADMIN)
        write_report(c, request);
    else
        pl_line_write_reply(out(c), request->line.tag, &request->op);
    mark_dirty(c);
}

/* Answered or not, this request is over. May free the connection, when it is gone. */
static void release(struct pl_connection *c, struct pl_request *request)
{
    pl_request_release(loop_of(c), request);
    pl_client_release(&c->client);
}

static void queue_in_order(struct pl_connection *c, struct pl_request *request)
{
    request->next = NULL;
    if (c->first == NULL)
        c->first = request;
    else
        c->last->next = request;
    c->last = request;
}

/* The first of those without tags, when its reply is known. */
static struct pl_request *take_answerable(struct pl_connection *c)
{
    struct pl_request *request = c->first;

    if (request == NULL || !request->complete)
        return NULL;
    c->first = request->next;
    if (c->first == NULL) {
        c->last = NULL;
    }
    return request;
}

/*
 * A wait may be over: look at the input again, when this turn settles. One of those in flight is
 * came_back() itself.
 */
static void reconsider(struct pl_connection *c)
{
    if (!c->client.blocked)
        return;
    if (c->client.in_order ? c->first == NULL
                           : c->client.in_flight - 1 <= loop_of(c)->options.in_flight_max / 2)
        pl_client_defer(&c->client);
}

/* The reply of a request that did not end at once has come. */
static void came_back(struct pl_request *request)
{
    struct pl_connection *c = request->connection;

    pl_client_heard(&c->client);
    /* So that the connection outlives the requests that are let go of below. */
    pl_client_hold(&c->client);
    request->complete = true;
    if (request->in_order) {
        while ((request = take_answerable(c)) != NULL) {
            answer(c, request);
            release(c, request);
        }
    } else {
        answer(c, request);
        release(c, request);
    }
    mark_dirty(c);
    reconsider(c);
    pl_client_release(&c->client);
}

/* --- running --- */

static int row(struct pl_operation *op, struct pl_item item)
{
    struct pl_request *request = op->owner;
    struct pl_buf *to = out(request->connection);

    pl_line_write_row(to, request->line.tag, op, item);
    return pl_buf_status(to);
}

/* The reply is that of all pages so far. */
static void add_page(struct pl_request *request)
{
    struct pl_reply *reply = &request->op.reply;
    struct pl_capacity *used = &reply->capacity;

    reply->count = request->pages.count += reply->count;
    reply->scanned = request->pages.scanned += reply->scanned;
    used->table_halves = request->pages.table_halves += used->table_halves;
    if (used->index_count > 0)
        used->indexes[0].halves = request->pages.index_halves += used->indexes[0].halves;
}

/* True when a COUNT has another page to read; it is then on the loop's list. */
static bool goes_on_counting(struct pl_request *request)
{
    struct pl_connection *c = request->connection;
    struct pl_reply *reply = &request->op.reply;

    if (!is_count(request) || reply->rc != 0)
        return false;
    add_page(request);
    if (!reply->has_last_key || !pl_client_is_open(&c->client))
        return false;
    pl_buf_clear(&request->answer);
    pl_buf_append_bytes(&request->answer, reply->last_key.bytes);
    if (pl_buf_status(&request->answer) != 0) {
        pl_operation_fail(&request->op, PL_ENOMEM, NULL);
        return false;
    }
    return true;
}

static void count_next_turn(struct pl_request *request)
{
    struct pl_loop *loop = loop_of(request->connection);

    /* A counting request stands in two lists: the connection's is linked by `next`. */
    request->next_counting = loop->counting;
    loop->counting = request;
}

static void done(struct pl_operation *op)
{
    struct pl_request *request = op->owner;

    if (goes_on_counting(request))
        count_next_turn(request);
    else
        came_back(request);
}

static void wire(struct pl_request *request)
{
    struct pl_operation *op = &request->op;

    op->owner = request;
    op->done = done;
    op->row = row;
    op->patient = true;
    for (uint32_t i = 0; i < op->child_count; i++) {
        op->children[i].owner = request;
        op->children[i].row = row;
    }
}

void pl_connection_count_on(struct pl_request *request)
{
    struct pl_connection *c = request->connection;
    struct pl_operation *op = &request->op;
    uint32_t size_bytes = op->reply.last_key.size_bytes;
    int rc;

    if (!pl_client_is_open(&c->client)) {
        came_back(request);
        return;
    }
    pl_operation_reset(op, PL_OP_SCAN);
    rc = pl_line_parse(&request->line, op, &op->reply.why);
    if (rc != 0) {
        pl_operation_fail(op, rc, NULL);
        came_back(request);
        return;
    }
    op->has_start_key = true;
    op->start_key = (struct pl_item){ .bytes = pl_buf_view(&request->answer), .size_bytes = size_bytes };
    wire(request);
    if (engine(c)->run(attachment(c), op))
        done(op);
}

static bool is_write(enum pl_operation_name name)
{
    return pl_operation_kind(name) == PL_OPERATION_WRITE;
}

/* What runs in the order in which it was begun, and before it whatever was begun earlier: it may travel with its like. */
static enum pl_company company_of(const struct pl_verb *verb, enum pl_operation_name name)
{
    if (verb->kind != PL_VERB_OPERATION)
        return PL_COMPANY_NONE;
    return is_write(name) ? PL_COMPANY_WRITES : name == PL_OP_GET ? PL_COMPANY_GETS : PL_COMPANY_NONE;
}

/* Answered at once, or after those before it. */
static void finish(struct pl_connection *c, struct pl_request *request)
{
    if (request->in_order && c->first != NULL) {
        request->complete = true;
        queue_in_order(c, request);
        return;
    }
    answer(c, request);
    release(c, request);
}

static void wait_for_reply(struct pl_connection *c, struct pl_request *request)
{
    if (!request->in_order)
        return;
    queue_in_order(c, request);
    c->company = company_of(request->line.verb, request->op.name);
}

/* The line must be kept by whatever may outlive this moment; reads do not, and are read where they lie. */
static int keep_line(struct pl_request *request)
{
    if (is_count(request)) {
        struct pl_line *line = &request->line;

        pl_buf_append_bytes(&request->text, line->text);
        return pl_buf_status(&request->text) != 0
                   ? PL_ENOMEM
                   : pl_line_read(pl_buf_view(&request->text), line, &request->op.reply.why);
    }
    if (request->line.verb->kind == PL_VERB_OPERATION && request->line.verb != &pl_verbs[PL_VERB_BATCH] &&
        request->line.verb != &pl_verbs[PL_VERB_GET] &&
        pl_operation_kind(request->line.verb->operation) == PL_OPERATION_READ)
        return 0;
    return pl_request_keep_line(request);
}

static void run_operation(struct pl_connection *c, struct pl_request *request)
{
    if (!engine(c)->run(attachment(c), &request->op)) {
        wait_for_reply(c, request);
    } else if (goes_on_counting(request)) {
        wait_for_reply(c, request);
        count_next_turn(request);
    } else {
        finish(c, request);
    }
}

static void reloaded(void *state, int rc, const struct pl_reason *why)
{
    struct pl_request *request = state;

    pl_operation_fail(&request->op, rc, why);
    came_back(request);
}

static void checked(void *state, int rc, struct pl_bytes report)
{
    struct pl_request *request = state;

    pl_operation_fail(&request->op, rc, NULL);
    if (rc != 0)
        pl_reason_set(&request->op.reply.why, rc, "%s: %.*s", pl_error_sentence(rc),
                      (int)pl_bytes_shortened(report, 900).len, report.len > 0 ? report.data : "");
    pl_buf_append_bytes(&request->answer, report);
    came_back(request);
}

static void run_admin(struct pl_connection *c, struct pl_request *request)
{
    int rc;

    if (request->line.verb == &pl_verbs[PL_VERB_RELOAD])
        rc = engine(c)->reload(attachment(c), reloaded, request);
    else
        rc = engine(c)->check(attachment(c), checked, request);
    if (rc == 0) {
        wait_for_reply(c, request);
        return;
    }
    pl_operation_fail(&request->op, rc, NULL);
    finish(c, request);
}

static void run(struct pl_connection *c, const struct pl_line *line)
{
    struct pl_request *request = pl_request_take(loop_of(c));
    struct pl_reason *why;
    int rc;

    if (request == NULL) {
        pl_line_write_error(out(c), line->tag, PL_ENOMEM, NULL);
        return;
    }
    request->line = *line;
    request->connection = c;
    request->in_order = line->tag.len == 0;
    pl_client_hold(&c->client);
    why = &request->op.reply.why;
    rc = keep_line(request);
    if (rc == 0)
        rc = pl_line_parse(&request->line, &request->op, why);
    if (rc != 0) {
        pl_operation_fail(&request->op, rc, why);
        finish(c, request);
        return;
    }
    wire(request);
    if (line->verb->kind == PL_VERB_ADMIN)
        run_admin(c, request);
    else
        run_operation(c, request);
}

/* --- verbs that are answered here --- */

static void write_ring(struct pl_connection *c, struct pl_bytes tag)
{
    struct pl_buf *words = &loop_of(c)->words;

    pl_buf_clear(words);
    pl_buf_append_format(words, "{\"partitions\":%u,\"nodes\":[\"n1\"],\"replicas\":1}",
                         engine(c)->partition_count);
    pl_line_write_ok(out(c), tag, pl_buf_view(words));
}

/* This version is one node: it owns and leads everything, and nobody follows it. */
static void write_nodes(struct pl_connection *c, struct pl_bytes tag)
{
    struct pl_buf *words = &loop_of(c)->words;

    pl_buf_clear(words);
    pl_buf_append_format(words, "[{\"node\":\"n1\",\"state\":\"alone\",\"partitions\":%u,\"leads\":%u}]",
                         engine(c)->partition_count, engine(c)->partition_count);
    pl_line_write_ok(out(c), tag, pl_buf_view(words));
}

static void write_stats(struct pl_connection *c, const struct pl_line *line)
{
    struct pl_buf *words = &loop_of(c)->words;
    const struct pl_tables *tables = engine(c)->tables(attachment(c));

    if (line->word.len > 0 && pl_tables_find(tables, line->word) == NULL) {
        struct pl_reason why;

        pl_reason_set(&why, PL_ENOTABLE, "Requested resource not found: Table: %.*s not found",
                      (int)pl_bytes_shortened(line->word, 256).len, line->word.data);
        pl_line_write_error(out(c), line->tag, PL_ENOTABLE, &why);
        return;
    }
    pl_buf_clear(words);
    engine(c)->stats(attachment(c), line->word, words);
    if (pl_buf_status(words) != 0)
        pl_line_write_error(out(c), line->tag, PL_ENOMEM, NULL);
    else
        pl_line_write_ok(out(c), line->tag, pl_buf_view(words));
}

static void refuse_users(struct pl_connection *c, struct pl_bytes tag)
{
    static const struct pl_reason why = { .text =
                                              "this server has no users: every connection may do everything, "
                                              "and AUTH is not needed" };

    pl_line_write_error(out(c), tag, PL_EINVALID, &why);
}

static void quit(struct pl_connection *c, struct pl_bytes tag)
{
    pl_line_write_ok(out(c), tag, pl_str(""));
    c->client.deaf = true;
    c->client.ending = true;
}

/* Parsing a control verb fills no operation, so an empty one on the stack will do. */
static void control(struct pl_connection *c, struct pl_line *line)
{
    struct pl_operation op;
    struct pl_reason why;
    int rc;

    pl_operation_init(&op, PL_OP_TABLES);
    why.text[0] = '\0';
    rc = pl_line_parse(line, &op, &why);
    pl_operation_deinit(&op);
    if (rc != 0) {
        pl_line_write_error(out(c), line->tag, rc, &why);
        return;
    }
    switch ((enum pl_verb_name)(line->verb - pl_verbs)) {
    case PL_VERB_PING:
        pl_line_write_ok(out(c), line->tag, pl_str(""));
        break;
    case PL_VERB_HELLO:
        pl_line_write_hello(out(c), line);
        break;
    case PL_VERB_AUTH:
        refuse_users(c, line->tag);
        break;
    case PL_VERB_HELP:
        pl_line_write_help(out(c), line);
        break;
    case PL_VERB_QUIT:
        quit(c, line->tag);
        break;
    case PL_VERB_TABLES:
        pl_line_write_tables(out(c), line->tag, engine(c)->tables(attachment(c)));
        break;
    case PL_VERB_RING:
        write_ring(c, line->tag);
        break;
    case PL_VERB_NODES:
        write_nodes(c, line->tag);
        break;
    case PL_VERB_STATS:
        write_stats(c, line);
        break;
    default:
        PL_ASSERT(!"a control verb without an answer");
    }
}

/* As with a control verb, there is no operation to fill. */
static void follow(struct pl_connection *c, struct pl_line *line)
{
    struct pl_operation op;
    struct pl_reason why = { .text = "" };
    struct pl_bytes from;
    int rc;

    pl_operation_init(&op, PL_OP_TABLES);
    rc = pl_line_parse(line, &op, &why);
    from = line->word.len > 0 ? line->word : pl_str("latest");
    if (rc == 0)
        rc = pl_tail_begin(c, line->tag, op.table_name, from, &why);
    if (rc != 0)
        pl_line_write_error(out(c), line->tag, rc, &why);
    pl_operation_deinit(&op);
}

/* --- reading requests --- */

/*
 * May a request without a tag run now? Writes may follow writes, and GETs (which are done before this turn's writes
 * leave) may be followed by both; whatever else waits.
 */
static bool may_follow(struct pl_connection *c, const struct pl_verb *verb)
{
    enum pl_company next;

    if (c->first == NULL)
        return true;
    next = verb == NULL ? PL_COMPANY_NONE : company_of(verb, verb->operation);
    return next != PL_COMPANY_NONE && c->company != PL_COMPANY_NONE && next >= c->company;
}

static bool must_wait(struct pl_connection *c, const struct pl_line *line)
{
    c->client.in_order = line->tag.len == 0 && !may_follow(c, line->verb);
    return c->client.in_order;
}

/* False when the line must wait, and nothing was done. */
static bool begin(struct pl_connection *c, struct pl_bytes text)
{
    struct pl_line line;
    struct pl_reason why;
    int rc;

    if (pl_line_is_blank(text))
        return true;
    why.text[0] = '\0';
    rc = pl_line_read(text, &line, &why);
    if (must_wait(c, &line))
        return false;
    if (rc != 0)
        pl_line_write_error(out(c), line.tag, rc, &why);
    else if (line.verb->kind == PL_VERB_CONTROL)
        control(c, &line);
    else if (line.verb->kind == PL_VERB_LASTING)
        follow(c, &line);
    else
        run(c, &line);
    mark_dirty(c);
    return true;
}

enum { TAG_WINDOW_BYTES = PL_LINE_TAG_MAX + 8 };

/* The same for a line that is longer than allowed; of it only the tag is looked at. */
static bool refuse_long(struct pl_connection *c, struct pl_bytes text)
{
    struct pl_line line;
    struct pl_reason why;

    (void)pl_line_read(pl_bytes(text.data, text.len < TAG_WINDOW_BYTES ? text.len : TAG_WINDOW_BYTES), &line,
                       NULL);
    line.verb = NULL;
    if (must_wait(c, &line))
        return false;
    pl_reason_set(&why, PL_ESYNTAX,
                  "a request has at most %zu bytes: this one was longer, and was not looked at",
                  loop_of(c)->options.line_bytes_max);
    pl_line_write_error(out(c), line.tag, PL_ESYNTAX, &why);
    mark_dirty(c);
    return true;
}

static const char *line_end(struct pl_connection *c, struct pl_bytes rest)
{
    size_t known = c->scanned_bytes < rest.len ? c->scanned_bytes : rest.len;

    return memchr(rest.data + known, '\n', rest.len - known);
}

/*
 * The first line of `rest`: how many bytes were dealt with, 0 when it is not whole yet or must
 * wait (then `blocked`).
 */
static size_t consume_line(struct pl_connection *c, struct pl_bytes rest)
{
    size_t line_bytes_max = loop_of(c)->options.line_bytes_max;
    const char *newline = line_end(c, rest);
    size_t len = newline == NULL ? rest.len : (size_t)(newline - rest.data);

    if (c->skipping) {
        c->skipping = newline == NULL;
        return len + (newline != NULL);
    }
    if (newline == NULL && len <= line_bytes_max) {
        c->scanned_bytes = len;
        return 0;
    }
    if (c->tail != NULL)
        pl_tail_end(c->tail);
    c->client.blocked =
        !pl_client_has_room(&c->client) ||
        (len > line_bytes_max ? !refuse_long(c, rest)
                              : !begin(c, pl_bytes(rest.data, len - (len > 0 && newline[-1] == '\r'))));
    if (c->client.blocked)
        return 0;
    c->scanned_bytes = 0;
    c->skipping = newline == NULL;
    return len + (newline != NULL);
}

/* A client with much to say does not make the others wait longer than this. */
enum { SLICE_NS = 5 * 1000 * 1000, SLICE_LINES = 16 };

static size_t consume(struct pl_client *client, struct pl_bytes in)
{
    struct pl_connection *c = of_client(client);
    uint64_t start_ns = uv_hrtime();
    size_t used = 0, len;

    for (uint32_t lines = 1; used < in.len && !client->deaf; lines++) {
        len = consume_line(c, pl_bytes(in.data + used, in.len - used));
        if (len == 0)
            break;
        used += len;
        if (lines % SLICE_LINES == 0 && uv_hrtime() - start_ns > SLICE_NS) {
            pl_client_defer(client);
            break;
        }
    }
    return used;
}

static bool is_owed_more(const struct pl_client *client)
{
    const struct pl_connection *c = pl_container_of(client, const struct pl_connection, client);

    return c->skipping || (client->input.len > 0 && !client->blocked && client->in_flight == 0);
}

static void stirred(struct pl_client *client)
{
    struct pl_connection *c = of_client(client);

    if (c->tail != NULL)
        pl_tail_stir(c->tail);
}

static void refuse(struct pl_buf *to, int rc, const struct pl_reason *why)
{
    pl_line_write_error(to, pl_str(""), rc, why);
}

const struct pl_client_kind pl_connection_kind = {
    .size_bytes = sizeof(struct pl_connection),
    .consume = consume,
    .is_owed_more = is_owed_more,
    .stirred = stirred,
    .refuse = refuse,
};
