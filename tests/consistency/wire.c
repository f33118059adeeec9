/* SPDX-License-Identifier: MIT */
#include "wire.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

const char wire_create[] = "CREATE Histories {\"partition_key\":\"P:S\",\"sort_key\":\"S:N\"}\n";

/* ---- requests --------------------------------------------------------------------------------------- */

struct text {
    char *line;
    size_t len;
};

static void say(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct text *text, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    text->len += (size_t)vsnprintf(text->line + text->len, WIRE_LINE_BYTES - text->len, format, args);
    va_end(args);
}

static void say_key(struct text *text, const struct wire_place *place, int key)
{
    if (place->together)
        say(text, "\"P\":\"h%u\",\"S\":%d", place->history, key);
    else
        say(text, "\"P\":\"h%u.%d\",\"S\":%d", place->history, key, key);
}

static void say_condition(struct text *text, const struct action *action)
{
    if (action->guard == 0)
        say(text, "attribute_not_exists(V)");
    else
        say(text, "V = %d", action->guard);
}

static void say_put(struct text *text, const struct wire_place *place, const struct action *action)
{
    say(text, "PUT Histories {");
    say_key(text, place, action->key);
    say(text, ",\"V\":%d,\"W\":%d}", action->value, action->value);
}

static void say_set(struct text *text, const struct action *action)
{
    if (action->kind == ACTION_PUT)
        say(text, "SET V = %d, W = %d", action->value, action->value);
    else
        say(text, "SET V = if_not_exists(V, 0) + %d, W = if_not_exists(W, 0) + %d", action->value,
            action->value);
}

static void say_update(struct text *text, const struct wire_place *place, const struct action *action)
{
    say(text, "UPDATE Histories {");
    say_key(text, place, action->key);
    say(text, "} ");
    say_set(text, action);
}

/* An item can be put by PUT or by UPDATE, to the same effect: the number says which. */
static bool is_update(const struct action *action)
{
    return action->kind == ACTION_ADD || (action->guarded && action->value / HISTORY_SPACING % 2 == 0);
}

static void say_single(struct text *text, const struct wire_place *place, const struct action *action)
{
    if (action->kind == ACTION_GET || action->kind == ACTION_DELETE) {
        say(text, "%s Histories {", action->kind == ACTION_GET ? "GET" : "DEL");
        say_key(text, place, action->key);
        say(text, "}");
    } else if (is_update(action)) {
        say_update(text, place, action);
    } else {
        say_put(text, place, action);
    }
    if (action->guarded) {
        say(text, " IF ");
        say_condition(text, action);
        if (action->saw_known)
            say(text, " ELSE ALL_OLD");
    }
    if (action->kind == ACTION_GET)
        say(text, " CONSISTENT");
    else if (action->saw_known)
        say(text, " RETURN ALL_OLD");
    else if (action->made_known)
        say(text, " RETURN ALL_NEW");
}

static void say_part(struct text *text, const struct wire_place *place, const struct action *action)
{
    static const char *const words[] = { [ACTION_GET] = "get",
                                         [ACTION_PUT] = "put",
                                         [ACTION_ADD] = "update",
                                         [ACTION_DELETE] = "delete",
                                         [ACTION_CHECK] = "check" };

    say(text, "{\"%s\":\"Histories\",\"%s\":{", words[action->kind],
        action->kind == ACTION_PUT ? "item" : "key");
    say_key(text, place, action->key);
    if (action->kind == ACTION_PUT)
        say(text, ",\"V\":%d,\"W\":%d", action->value, action->value);
    say(text, "}");
    if (action->kind == ACTION_ADD) {
        say(text, ",\"set\":\"");
        say_set(text, action);
        say(text, "\"");
    }
    if (action->guarded) {
        say(text, ",\"if\":\"");
        say_condition(text, action);
        say(text, action->saw_known ? "\",\"else\":\"ALL_OLD\"" : "\"");
    }
    say(text, "}");
}

void wire_write(const struct wire_place *place, const struct call *call, char *line)
{
    struct text text = { .line = line };

    if (call->action_count == 1) {
        say_single(&text, place, &call->actions[0]);
        say(&text, "\n");
        return;
    }
    say(&text, "TRANSACT ");
    if (call->token != 0)
        say(&text, "TOKEN \"h%u.%u\" ", place->history, call->token);
    say(&text, "[");
    for (uint8_t i = 0; i < call->action_count; i++) {
        say(&text, i > 0 ? "," : "");
        say_part(&text, place, &call->actions[i]);
    }
    say(&text, "]\n");
}

void wire_write_look(const struct wire_place *place, uint8_t key_count, char *line)
{
    struct text text = { .line = line };

    if (place->together) {
        say(&text, "QUERY Histories WHERE P = \"h%u\" CONSISTENT\n", place->history);
        return;
    }
    say(&text, "BATCH GET {\"Histories\":[");
    for (uint8_t key = 0; key < key_count; key++) {
        say(&text, key == 0 ? "{" : ",{");
        say_key(&text, place, key);
        say(&text, "}");
    }
    say(&text, "]} CONSISTENT\n");
}

/* ---- replies ---------------------------------------------------------------------------------------- */

static bool begins(const char *line, const char *word)
{
    return strncmp(line, word, strlen(word)) == 0;
}

static bool find_number(const char *json, const char *name, int32_t *number)
{
    const char *at = strstr(json, name);

    if (at == NULL)
        return false;
    *number = (int32_t)atoi(at + strlen(name));
    return true;
}

/* False: there is an item, and it is not whole. */
static bool find_item(const char *line, int32_t *item)
{
    int32_t twin;

    *item = 0;
    if (strchr(line, '{') == NULL)
        return true;
    return find_number(line, "\"V\":", item) && find_number(line, "\"W\":", &twin) && *item == twin &&
           *item != 0;
}

static enum wire_told strange_line(const char *line, char *strange)
{
    snprintf(strange, WIRE_LINE_BYTES, "%s", line);
    return WIRE_STRANGE;
}

static enum wire_told read_refusal(struct link *link, const char *line, struct call *call, char *strange)
{
    struct action *action = &call->actions[0];

    action->saw = 0;
    if (begins(line, "ROW ")) {
        if (!action->saw_known || !find_item(line, &action->saw))
            return strange_line(line, strange);
        line = link_take(link);
    }
    if (line == NULL)
        return WIRE_CUT_OFF;
    if (!action->guarded || !begins(line, "ERR ConditionalCheckFailedException "))
        return strange_line(line, strange);
    call->outcome = CALL_REFUSED;
    action->refused = true;
    action->made_known = false;
    return WIRE_TOLD;
}

static enum wire_told read_single(struct link *link, struct call *call, char *strange)
{
    struct action *action = &call->actions[0];
    const char *line = link_take(link);
    int32_t item;

    if (line == NULL)
        return WIRE_CUT_OFF;
    if (!begins(line, "OK"))
        return read_refusal(link, line, call, strange);
    if (!find_item(line, &item))
        return strange_line(line, strange);
    call->outcome = CALL_DONE;
    if (action->saw_known)
        action->saw = item;
    else
        action->made = item;
    return WIRE_TOLD;
}

/* A reason: {"code":"None"} or {"code":"ConditionalCheckFailed","message":"..","item":{..}}. */
static bool find_reason(const char *reason, size_t len, struct action *action)
{
    static const char none[] = "\"None\"", failed[] = "\"ConditionalCheckFailed\"";
    char text[WIRE_LINE_BYTES];
    const char *item;

    snprintf(text, sizeof text, "%.*s", (int)len, reason);
    action->refused = begins(text, failed);
    action->saw_known = action->saw_known && action->refused;
    if (!action->refused)
        return begins(text, none);
    item = strstr(text, "\"item\":");
    action->saw = 0;
    return action->guarded && (item == NULL || (action->saw_known && find_item(item, &action->saw)));
}

/* In the order of what was asked, a reason for each. */
static bool find_reasons(const char *line, struct call *call)
{
    static const char code[] = "\"code\":";
    const char *at = strstr(line, code);

    for (uint8_t i = 0; i < call->action_count; i++) {
        const char *next;

        if (at == NULL)
            return false;
        at += sizeof code - 1;
        next = strstr(at, code);
        if (!find_reason(at, next != NULL ? (size_t)(next - at) : strlen(at), &call->actions[i]))
            return false;
        at = next;
    }
    return at == NULL;
}

static enum wire_told read_cancellation(struct link *link, const char *line, struct call *call, char *strange)
{
    if (!begins(line, "ROW {\"reasons\":[") || !find_reasons(line, call))
        return strange_line(line, strange);
    line = link_take(link);
    if (line == NULL)
        return WIRE_CUT_OFF;
    if (!begins(line, "ERR TransactionCanceledException "))
        return strange_line(line, strange);
    call->outcome = CALL_REFUSED;
    return WIRE_TOLD;
}

static enum wire_told read_written(struct link *link, struct call *call, char *strange)
{
    const char *line = link_take(link);

    if (line == NULL)
        return WIRE_CUT_OFF;
    if (strcmp(line, "OK") != 0)
        return read_cancellation(link, line, call, strange);
    call->outcome = CALL_DONE;
    for (uint8_t i = 0; i < call->action_count; i++)
        call->actions[i].saw_known = false;
    return WIRE_TOLD;
}

static enum wire_told read_rows(struct link *link, struct call *call, char *strange)
{
    const char *line;

    call->outcome = CALL_DONE;
    for (uint8_t i = 0; i < call->action_count; i++) {
        line = link_take(link);
        if (line == NULL)
            return WIRE_CUT_OFF;
        if (!begins(line, "ROW ") || !find_item(line, &call->actions[i].saw))
            return strange_line(line, strange);
    }
    line = link_take(link);
    if (line == NULL)
        return WIRE_CUT_OFF;
    return begins(line, "END ") ? WIRE_TOLD : strange_line(line, strange);
}

enum wire_told wire_read(struct link *link, struct call *call, char *strange)
{
    if (call->action_count == 1)
        return read_single(link, call, strange);
    return call->actions[0].kind == ACTION_GET ? read_rows(link, call, strange)
                                               : read_written(link, call, strange);
}

enum wire_told wire_read_look(struct link *link, struct items *items, char *strange)
{
    const char *line;

    *items = (struct items){ 0 };
    while ((line = link_take(link)) != NULL && begins(line, "ROW ")) {
        int32_t key, item;

        if (!find_number(line, "\"S\":", &key) || key < 0 || key >= HISTORY_KEYS_MAX ||
            !find_item(line, &item))
            return strange_line(line, strange);
        items->values[key] = item;
    }
    if (line == NULL)
        return WIRE_CUT_OFF;
    return begins(line, "END ") ? WIRE_TOLD : strange_line(line, strange);
}
