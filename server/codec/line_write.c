/* SPDX-License-Identifier: MIT */
#include "codec/line_parser.h"
#include "model/transaction.h"

static void begin(struct pl_buf *out, struct pl_bytes tag, const char *word)
{
    if (tag.len > 0) {
        pl_buf_append_bytes(out, tag);
        pl_buf_append_byte(out, ' ');
    }
    pl_buf_append_bytes(out, pl_str(word));
}

static void end(struct pl_buf *out)
{
    pl_buf_append_byte(out, '\n');
}

void pl_line_write_ok(struct pl_buf *out, struct pl_bytes tag, struct pl_bytes json)
{
    begin(out, tag, "OK");
    if (json.len > 0) {
        pl_buf_append_byte(out, ' ');
        pl_buf_append_bytes(out, json);
    }
    end(out);
}

/* A sentence may quote what a client sent: whatever it is, the reply stays one line. */
static void write_sentence(struct pl_buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '\n')
            pl_buf_append_bytes(out, pl_str("\\n"));
        else if (c < ' ' || c == 0x7F)
            pl_buf_append_format(out, "\\u%04x", c);
        else
            pl_buf_append_byte(out, c);
    }
}

void pl_line_write_error(struct pl_buf *out, struct pl_bytes tag, int rc, const struct pl_reason *why)
{
    begin(out, tag, "ERR ");
    pl_buf_append_bytes(out, pl_str(pl_error_code(rc)));
    pl_buf_append_byte(out, ' ');
    write_sentence(out, pl_reason_text(why, rc));
    end(out);
}

void pl_line_write_row(struct pl_buf *out, struct pl_bytes tag, const struct pl_operation *op,
                       struct pl_item item)
{
    begin(out, tag, "ROW ");
    if (op->parent != NULL) {
        pl_buf_append_bytes(out, pl_str("{\"table\":"));
        pl_json_write_string(out, op->table_name);
        pl_buf_append_bytes(out, pl_str(",\"item\":"));
        pl_json_write_item(out, PL_JSON_PLAIN, item);
        pl_buf_append_byte(out, '}');
    } else {
        pl_json_write_item(out, PL_JSON_PLAIN, item);
    }
    end(out);
}

/* Half units as a decimal: 3 halves are 1.5. */
static void write_units(struct pl_buf *out, uint64_t halves)
{
    pl_buf_append_format(out, halves % 2 == 0 ? "%llu" : "%llu.5", (unsigned long long)(halves / 2));
}

/* An object's members, without its braces. */
static void write_capacity_members(struct pl_buf *out, const struct pl_capacity *capacity,
                                   enum pl_capacity_report report)
{
    pl_buf_append_bytes(out, pl_str("\"total\":"));
    write_units(out, pl_capacity_total(capacity));
    if (report == PL_CAPACITY_INDEXES) {
        pl_buf_append_bytes(out, pl_str(",\"table\":"));
        write_units(out, capacity->table_halves);
        pl_buf_append_bytes(out, pl_str(",\"indexes\":{"));
        for (uint32_t i = 0; i < capacity->index_count; i++) {
            if (i > 0)
                pl_buf_append_byte(out, ',');
            pl_json_write_string(out, capacity->indexes[i].name);
            pl_buf_append_byte(out, ':');
            write_units(out, capacity->indexes[i].halves);
        }
        pl_buf_append_byte(out, '}');
    }
}

/* A transaction may go to several tables, which may have indexes of the same name: each stands for itself. */
static void write_tables_capacity(struct pl_buf *out, const struct pl_operation *op)
{
    struct pl_capacity capacity;
    const char *before = "";

    pl_buf_append_bytes(out, pl_str("\"total\":"));
    write_units(out, pl_capacity_total(&op->reply.capacity));
    pl_buf_append_bytes(out, pl_str(",\"tables\":{"));
    for (uint32_t i = 0; i < op->child_count; i++) {
        if (!pl_transaction_capacity(op, i, &capacity))
            continue;
        pl_buf_append_bytes(out, pl_str(before));
        pl_json_write_string(out, op->children[i].table_name);
        pl_buf_append_bytes(out, pl_str(":{"));
        write_capacity_members(out, &capacity, op->report);
        pl_buf_append_byte(out, '}');
        before = ",";
    }
    pl_buf_append_byte(out, '}');
}

static bool is_transaction(const struct pl_operation *op)
{
    return op->name == PL_OP_TRANSACT_GET || op->name == PL_OP_TRANSACT_WRITE;
}

static void write_capacity(struct pl_buf *out, const struct pl_operation *op)
{
    pl_buf_append_bytes(out, pl_str("\"capacity\":{"));
    if (is_transaction(op))
        write_tables_capacity(out, op);
    else
        write_capacity_members(out, &op->reply.capacity, op->report);
    pl_buf_append_byte(out, '}');
}

/* The next run of left out children of one table: they stand together, as they were asked. */
static uint32_t skip_processed(const struct pl_operation *batch, uint32_t from)
{
    while (from < batch->child_count && batch->children[from].reply.rc != PL_ETHROUGHPUT)
        from++;
    return from;
}

static bool is_first_of_table(const struct pl_operation *batch, uint32_t at)
{
    for (uint32_t i = 0; i < at; i++)
        if (batch->children[i].reply.rc == PL_ETHROUGHPUT &&
            pl_bytes_equal(batch->children[i].table_name, batch->children[at].table_name))
            return false;
    return true;
}

/* [{..},{..}]: what was asked of `table` by way of `name` and left out. False, and nothing written, when there is none. */
static bool write_left_out(struct pl_buf *out, const struct pl_operation *batch, struct pl_bytes table,
                           enum pl_operation_name name, const char *before)
{
    bool any = false;

    for (uint32_t i = skip_processed(batch, 0); i < batch->child_count; i = skip_processed(batch, i + 1)) {
        const struct pl_operation *child = &batch->children[i];

        if (child->name != name || !pl_bytes_equal(child->table_name, table))
            continue;
        pl_buf_append_bytes(out, any ? pl_str(",") : pl_str(before));
        pl_json_write_item(out, PL_JSON_PLAIN, child->item);
        any = true;
    }
    if (any)
        pl_buf_append_byte(out, ']');
    return any;
}

/* In the form in which a batch is asked for: it can be sent as it is. */
static void write_unprocessed(struct pl_buf *out, const struct pl_operation *batch)
{
    bool first = true, puts;

    pl_buf_append_bytes(out, pl_str("\"unprocessed\":{"));
    for (uint32_t i = skip_processed(batch, 0); i < batch->child_count; i = skip_processed(batch, i + 1)) {
        struct pl_bytes table = batch->children[i].table_name;

        if (!is_first_of_table(batch, i))
            continue;
        if (!first)
            pl_buf_append_byte(out, ',');
        first = false;
        pl_json_write_string(out, table);
        if (batch->name == PL_OP_BATCH_GET) {
            write_left_out(out, batch, table, PL_OP_GET, ":[");
            continue;
        }
        pl_buf_append_bytes(out, pl_str(":{"));
        puts = write_left_out(out, batch, table, PL_OP_PUT, "\"put\":[");
        write_left_out(out, batch, table, PL_OP_DELETE, puts ? ",\"delete\":[" : "\"delete\":[");
        pl_buf_append_byte(out, '}');
    }
    pl_buf_append_byte(out, '}');
}

static bool is_paged(const struct pl_operation *op)
{
    return op->name == PL_OP_QUERY || op->name == PL_OP_SCAN;
}

static void write_end(struct pl_buf *out, struct pl_bytes tag, const struct pl_operation *op)
{
    const struct pl_reply *reply = &op->reply;
    bool first = true;

    begin(out, tag, "END {");
    if (is_paged(op)) {
        pl_buf_append_format(out, "\"count\":%llu,\"scanned\":%llu", (unsigned long long)reply->count,
                             (unsigned long long)reply->scanned);
        first = false;
    } else if (op->name == PL_OP_BATCH_GET || op->name == PL_OP_TRANSACT_GET || op->name == PL_OP_LETTERS) {
        pl_buf_append_format(out, "\"count\":%llu", (unsigned long long)reply->count);
        first = false;
    }
    if (reply->has_last_key) {
        pl_buf_append_bytes(out, pl_str(",\"next\":"));
        pl_json_write_item(out, PL_JSON_PLAIN, reply->last_key);
    }
    if (reply->unprocessed > 0) {
        if (!first)
            pl_buf_append_byte(out, ',');
        write_unprocessed(out, op);
        first = false;
    }
    if (op->report != PL_CAPACITY_NONE) {
        if (!first)
            pl_buf_append_byte(out, ',');
        write_capacity(out, op);
    }
    pl_buf_append_byte(out, '}');
    end(out);
}

/* --- transactions --- */

static void write_reason(struct pl_buf *out, const struct pl_reply *reply)
{
    pl_buf_append_bytes(out, pl_str("{\"code\":"));
    pl_json_write_string(out, pl_transaction_reason_code(reply->rc));
    if (reply->rc != 0) {
        pl_buf_append_bytes(out, pl_str(",\"message\":"));
        pl_json_write_string(out, pl_str(pl_reason_text(&reply->why, reply->rc)));
    }
    if (reply->rc != 0 && reply->has_item) {
        pl_buf_append_bytes(out, pl_str(",\"item\":"));
        pl_json_write_item(out, PL_JSON_PLAIN, reply->item);
    }
    pl_buf_append_byte(out, '}');
}

static void write_cancellation(struct pl_buf *out, struct pl_bytes tag, const struct pl_operation *op)
{
    begin(out, tag, "ROW {\"reasons\":[");
    for (uint32_t i = 0; i < op->child_count; i++) {
        if (i > 0)
            pl_buf_append_byte(out, ',');
        write_reason(out, &op->children[i].reply);
    }
    pl_buf_append_bytes(out, pl_str("]}"));
    end(out);
    begin(out, tag, "ERR ");
    pl_buf_append_bytes(out, pl_str(pl_error_code(op->reply.rc)));
    pl_buf_append_byte(out, ' ');
    pl_transaction_write_sentence(out, op);
    end(out);
}

static void write_items(struct pl_buf *out, struct pl_bytes tag, const struct pl_operation *op)
{
    for (uint32_t i = 0; i < op->child_count; i++) {
        const struct pl_reply *reply = &op->children[i].reply;

        begin(out, tag, "ROW ");
        if (reply->has_item)
            pl_json_write_item(out, PL_JSON_PLAIN, reply->item);
        else
            pl_buf_append_bytes(out, pl_str("null"));
        end(out);
    }
    write_end(out, tag, op);
}

void pl_line_write_reply(struct pl_buf *out, struct pl_bytes tag, const struct pl_operation *op)
{
    const struct pl_reply *reply = &op->reply;

    if (reply->rc == PL_ECANCELLED) {
        write_cancellation(out, tag, op);
        return;
    }
    if (reply->rc != 0) {
        if (reply->has_item)
            pl_line_write_row(out, tag, op, reply->item);
        pl_line_write_error(out, tag, reply->rc, &reply->why);
        return;
    }
    if (op->name == PL_OP_TRANSACT_GET) {
        write_items(out, tag, op);
        return;
    }
    if (is_paged(op) || op->name == PL_OP_BATCH_GET || op->name == PL_OP_LETTERS) {
        write_end(out, tag, op);
        return;
    }
    if (reply->text.len > 0) {
        pl_line_write_ok(out, tag, reply->text);
        return;
    }
    if (op->report != PL_CAPACITY_NONE || reply->unprocessed > 0) {
        if (reply->has_item)
            pl_line_write_row(out, tag, op, reply->item);
        write_end(out, tag, op);
        return;
    }
    begin(out, tag, "OK");
    if (reply->has_item) {
        pl_buf_append_byte(out, ' ');
        pl_json_write_item(out, PL_JSON_PLAIN, reply->item);
    }
    end(out);
}

void pl_line_write_row_of(struct pl_buf *out, struct pl_bytes tag, struct pl_bytes json)
{
    begin(out, tag, "ROW ");
    pl_buf_append_bytes(out, json);
    end(out);
}

void pl_line_write_end_of(struct pl_buf *out, struct pl_bytes tag, struct pl_bytes json)
{
    begin(out, tag, "END ");
    pl_buf_append_bytes(out, json);
    end(out);
}

void pl_line_write_hello(struct pl_buf *out, const struct pl_line *line)
{
    struct pl_reason why = { .text = "this server speaks version 1 of the protocol: HELLO 1" };

    if (line->word.len > 0 && !pl_bytes_equal(line->word, pl_str("1"))) {
        pl_line_write_error(out, line->tag, PL_EINVALID, &why);
        return;
    }
    pl_line_write_ok(out, line->tag,
                     pl_str("{\"server\":\"perilune\",\"version\":\"" PL_VERSION "\",\"protocol\":1}"));
}

/* --- HELP --- */

static void write_member(struct pl_buf *out, const char *before, const char *text)
{
    pl_buf_append_bytes(out, pl_str(before));
    pl_json_write_string(out, pl_str(text));
}

static void write_all_verbs(struct pl_buf *out, struct pl_bytes tag)
{
    for (int i = 0; i < PL_VERB_TOTAL; i++) {
        begin(out, tag, "ROW ");
        write_member(out, "{\"verb\":", pl_verbs[i].word);
        write_member(out, ",\"does\":", pl_verbs[i].summary);
        pl_buf_append_byte(out, '}');
        end(out);
    }
    begin(out, tag, "END ");
    pl_buf_append_format(out, "{\"count\":%d}", PL_VERB_TOTAL);
    end(out);
}

void pl_line_write_help(struct pl_buf *out, const struct pl_line *line)
{
    const struct pl_verb *verb;
    struct pl_reason why;

    if (line->word.len == 0) {
        write_all_verbs(out, line->tag);
        return;
    }
    verb = pl_verb_find(line->word);
    if (verb == NULL)
        verb = pl_verb_guess(line->word);
    if (verb == NULL) {
        pl_reason_set(&why, PL_EUNKNOWN, "there is no verb '%.*s': HELP lists them all",
                      pl_line_quotable(line->word, 64), line->word.data);
        pl_line_write_error(out, line->tag, PL_EUNKNOWN, &why);
        return;
    }
    begin(out, line->tag, "OK ");
    write_member(out, "{\"verb\":", verb->word);
    write_member(out, ",\"does\":", verb->summary);
    write_member(out, ",\"grammar\":", verb->grammar);
    write_member(out, ",\"example\":", verb->example);
    pl_buf_append_byte(out, '}');
    end(out);
}

/* --- tables --- */

static void write_key(struct pl_buf *out, const struct pl_key_attribute *attributes, uint8_t count)
{
    for (uint8_t i = 0; i < count; i++) {
        struct pl_buf text = { 0 };

        pl_buf_append_bytes(&text, attributes[i].name);
        pl_buf_append_format(&text, ":%s", pl_type_name(attributes[i].type));
        if (i > 0)
            pl_buf_append_byte(out, ',');
        pl_json_write_string(out, pl_buf_view(&text));
        if (pl_buf_status(&text) != 0)
            out->failed = true;
        pl_buf_deinit(&text);
    }
}

static void write_names(struct pl_buf *out, const struct pl_table *table)
{
    pl_buf_append_bytes(out, pl_str(",\"indexes\":["));
    for (uint32_t i = 0; i < table->index_count; i++) {
        if (i > 0)
            pl_buf_append_byte(out, ',');
        pl_json_write_string(out, table->indexes[i].name);
    }
    pl_buf_append_bytes(out, pl_str("],\"triggers\":["));
    for (uint32_t i = 0; i < table->trigger_count; i++) {
        if (i > 0)
            pl_buf_append_byte(out, ',');
        pl_json_write_string(out, table->triggers[i].name);
    }
    pl_buf_append_byte(out, ']');
}

void pl_line_write_tables(struct pl_buf *out, struct pl_bytes tag, const struct pl_tables *tables)
{
    for (uint32_t i = 0; i < tables->count; i++) {
        const struct pl_table *table = tables->tables[i];

        begin(out, tag, "ROW {\"table\":");
        pl_json_write_string(out, table->name);
        pl_buf_append_bytes(out, pl_str(",\"partition_key\":"));
        write_key(out, table->keys.partition, table->keys.partition_count);
        if (table->keys.sort_count > 0) {
            pl_buf_append_bytes(out, pl_str(",\"sort_key\":"));
            write_key(out, table->keys.sort, table->keys.sort_count);
        }
        write_names(out, table);
        pl_buf_append_byte(out, '}');
        end(out);
    }
    begin(out, tag, "END ");
    pl_buf_append_format(out, "{\"count\":%u}", tables->count);
    end(out);
}
