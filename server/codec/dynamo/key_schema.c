/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/key_schema.h"

#include "model/json.h"

#define P           PL_DYNAMO_INVALID
#define NAME(bytes) (int)(bytes).len, (bytes).data

static struct pl_bytes name_of(const struct pl_dynamo_node *element)
{
    return pl_dynamo_get_text(element, "AttributeName");
}

static bool is_hash(const struct pl_dynamo_node *element)
{
    return pl_bytes_equal(pl_dynamo_get_text(element, "KeyType"), pl_str("HASH"));
}

void pl_dynamo_names_write(struct pl_buf *out, const struct pl_dynamo_node *list, const char *member)
{
    pl_buf_append_byte(out, '[');
    for (const struct pl_dynamo_node *at = list != NULL ? list->first : NULL; at != NULL; at = at->next) {
        pl_buf_append(out, ", ", at != list->first ? 2 : 0);
        pl_buf_append_bytes(out, pl_dynamo_get_text(at, member));
    }
    pl_buf_append_byte(out, ']');
}

/* ---- attributes ------------------------------------------------------------------------------------- */

const struct pl_dynamo_node *pl_dynamo_attribute_find(const struct pl_dynamo_node *attributes,
                                                      struct pl_bytes name)
{
    for (const struct pl_dynamo_node *at = attributes != NULL ? attributes->first : NULL; at != NULL;
         at = at->next)
        if (pl_bytes_equal(name_of(at), name))
            return at;
    return NULL;
}

int pl_dynamo_attributes_check(struct pl_dynamo_request *request, const struct pl_dynamo_node *attributes)
{
    for (const struct pl_dynamo_node *at = attributes != NULL ? attributes->first : NULL; at != NULL;
         at = at->next)
        if (pl_dynamo_attribute_find(attributes, name_of(at)) != at)
            return pl_dynamo_invalid(request, "Attribute Name is duplicated: %.*s", NAME(name_of(at)));
    return 0;
}

static int check_defined(struct pl_dynamo_request *request, const struct pl_dynamo_node *attributes,
                         const struct pl_dynamo_node *keys)
{
    struct pl_buf text = { 0 };
    int rc;

    for (const struct pl_dynamo_node *at = keys->first; at != NULL; at = at->next) {
        if (pl_dynamo_attribute_find(attributes, name_of(at)) != NULL)
            continue;
        pl_buf_append_bytes(&text, pl_str("Keys: "));
        pl_dynamo_names_write(&text, keys, "AttributeName");
        pl_buf_append_bytes(&text, pl_str(", AttributeDefinitions: "));
        pl_dynamo_names_write(&text, attributes, "AttributeName");
        rc = pl_buf_status(&text);
        if (rc == 0)
            rc = pl_dynamo_invalid(
                request, P "Some index key attributes are not defined in AttributeDefinitions. %.*s",
                (int)text.len, text.data);
        pl_buf_deinit(&text);
        return rc;
    }
    return 0;
}

/* ---- keys ------------------------------------------------------------------------------------------- */

static int check_first(struct pl_dynamo_request *request, const struct pl_dynamo_node *keys)
{
    if (is_hash(keys->first))
        return 0;
    return pl_dynamo_invalid(request, "Invalid KeySchema: The first KeySchemaElement is not a HASH key type");
}

int pl_dynamo_key_schema_check(struct pl_dynamo_request *request, const struct pl_dynamo_node *attributes,
                               const struct pl_dynamo_node *keys)
{
    const struct pl_dynamo_node *second = keys->first->next;
    int rc = check_first(request, keys);

    if (rc != 0)
        return rc;
    if (second != NULL && pl_bytes_equal(name_of(keys->first), name_of(second)))
        return attributes != NULL && attributes->count < keys->count
                   ? pl_dynamo_invalid(request,
                                       "Invalid KeySchema: Some index key attribute have no definition")
                   : pl_dynamo_invalid(request,
                                       "Both the Hash Key and the Range Key element in the KeySchema "
                                       "have the same name");
    if (second != NULL && is_hash(second))
        return pl_dynamo_invalid(request,
                                 "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type");
    return check_defined(request, attributes, keys);
}

static int check_order(struct pl_dynamo_request *request, const struct pl_dynamo_node *keys)
{
    uint32_t hashes = 0, ranges = 0;

    for (const struct pl_dynamo_node *at = keys->first; at != NULL; at = at->next) {
        if (is_hash(at) && ranges > 0)
            return pl_dynamo_invalid(
                request, P "All HASH key attributes must precede RANGE key attributes in the KeySchema");
        hashes += is_hash(at);
        ranges += !is_hash(at);
    }
    if (hashes > PL_KEY_COMPONENTS_MAX || ranges > PL_KEY_COMPONENTS_MAX)
        return pl_dynamo_invalid(request,
                                 P "The KeySchema exceeds the maximum allowed number of %s key attributes",
                                 hashes > PL_KEY_COMPONENTS_MAX ? "HASH" : "RANGE");
    return 0;
}

int pl_dynamo_global_keys_check(struct pl_dynamo_request *request, const struct pl_dynamo_node *attributes,
                                const struct pl_dynamo_node *keys)
{
    int rc;

    if (keys->count <= 2 && (keys->first->next == NULL || !is_hash(keys->first->next)))
        return pl_dynamo_key_schema_check(request, attributes, keys);
    rc = check_first(request, keys);
    if (rc == 0)
        rc = check_order(request, keys);
    for (const struct pl_dynamo_node *at = keys->first; rc == 0 && at != NULL; at = at->next)
        if (pl_dynamo_attribute_find(keys, name_of(at)) != at)
            rc = pl_dynamo_invalid(request,
                                   "The KeySchema contains multiple key attributes with the same name");
    return rc != 0 ? rc : check_defined(request, attributes, keys);
}

struct pl_bytes pl_dynamo_key_name(const struct pl_dynamo_node *keys, uint32_t n)
{
    const struct pl_dynamo_node *at = keys->first;

    while (at != NULL && n-- > 0)
        at = at->next;
    return at != NULL ? name_of(at) : pl_bytes(NULL, 0);
}

bool pl_dynamo_keys_have(const struct pl_dynamo_node *keys, struct pl_bytes name)
{
    return pl_dynamo_attribute_find(keys, name) != NULL;
}

/* ---- writing ---------------------------------------------------------------------------------------- */

/* A JSON string of "name:T" needs the name escaped and the type behind it. */
static void write_attribute(struct pl_buf *out, const struct pl_dynamo_node *attributes, struct pl_bytes name)
{
    const struct pl_dynamo_node *attribute = pl_dynamo_attribute_find(attributes, name);

    pl_json_write_string(out, name);
    if (pl_buf_status(out) != 0 || attribute == NULL)
        return;
    out->len--; /* the closing quote */
    pl_buf_append_byte(out, ':');
    pl_buf_append_bytes(out, pl_dynamo_get_text(attribute, "AttributeType"));
    pl_buf_append_byte(out, '"');
}

static void write_kind(struct pl_buf *out, const struct pl_dynamo_node *attributes,
                       const struct pl_dynamo_node *keys, bool hash)
{
    bool first = true;

    pl_buf_append_bytes(out, hash ? pl_str("\"partition_key\":[") : pl_str("\"sort_key\":["));
    for (const struct pl_dynamo_node *at = keys->first; at != NULL; at = at->next) {
        if (is_hash(at) != hash)
            continue;
        pl_buf_append(out, ",", !first);
        write_attribute(out, attributes, name_of(at));
        first = false;
    }
    pl_buf_append_byte(out, ']');
}

void pl_dynamo_keys_write(struct pl_buf *out, const struct pl_dynamo_node *attributes,
                          const struct pl_dynamo_node *keys, bool local)
{
    const struct pl_dynamo_node *last = keys->first;

    while (last->next != NULL)
        last = last->next;
    if (!local)
        write_kind(out, attributes, keys, true);
    if (is_hash(last))
        return;
    pl_buf_append(out, ",", !local);
    write_kind(out, attributes, keys, false);
}
