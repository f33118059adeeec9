/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/tags.h"

#include "codec/dynamo/arn.h"
#include "codec/dynamo/description.h"
#include "codec/dynamo/key_schema.h"
#include "codec/dynamo/notes.h"
#include "codec/dynamo/params.h"
#include "codec/dynamo/settings.h"
#include "model/json.h"

#include <cjson/cJSON.h>
#include <ctype.h>

#define P           PL_DYNAMO_INVALID
#define NAME(bytes) (int)(bytes).len, (bytes).data

/* TagResource, UntagResource, ListTagsOfResource: tags are notes (notes.h). */

static const struct pl_dynamo_member tag_members[] = {
    { "ResourceArn", &pl_dynamo_resource_arn, true },
    { "Tags", &pl_dynamo_tags, true },
};
static const struct pl_dynamo_shape tag_input = PL_DYNAMO_STRUCTURE_OF("TagResourceInput", tag_members);

static const struct pl_dynamo_shape tag_keys = { .kind = PL_DYNAMO_LIST, .element = &pl_dynamo_string };
static const struct pl_dynamo_member untag_members[] = {
    { "ResourceArn", &pl_dynamo_resource_arn, true },
    { "TagKeys", &tag_keys, true },
};
static const struct pl_dynamo_shape untag_input = PL_DYNAMO_STRUCTURE_OF("UntagResourceInput", untag_members);

static const struct pl_dynamo_member list_members[] = {
    { "ResourceArn", &pl_dynamo_resource_arn, true },
    { "NextToken", &pl_dynamo_string, false },
};
static const struct pl_dynamo_shape list_input =
    PL_DYNAMO_STRUCTURE_OF("ListTagsOfResourceInput", list_members);

/* ---- checks ----------------------------------------------------------------------------------------- */

enum { KEY_LENGTH_MAX = 128, VALUE_LENGTH_MAX = 256 };

/* Letters of any script, digits, white space and some signs: so many characters that they are a tag's. */
static bool is_tag_text(struct pl_bytes text, size_t min, size_t max)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (c < 0x80 && !isalnum(c) && !isspace(c) && (c == 0 || strchr("+-=._:/@", c) == NULL))
            return false;
        count += (c & 0xC0) != 0x80;
    }
    return text.data != NULL && count >= min && count <= max;
}

/* What is absent is shown as well. */
static struct pl_bytes shown(struct pl_bytes text)
{
    return text.data != NULL ? text : pl_str("null");
}

static int check_key(struct pl_dynamo_request *request, struct pl_bytes key)
{
    if (is_tag_text(key, 1, KEY_LENGTH_MAX))
        return 0;
    return pl_dynamo_invalid(request, "The Tag Key provided is invalid, Key: %.*s", NAME(shown(key)));
}

static int check_tag(struct pl_dynamo_request *request, const struct pl_dynamo_node *tag)
{
    struct pl_bytes key = pl_dynamo_get_text(tag, "Key"), value = pl_dynamo_get_text(tag, "Value");
    int rc;

    if (pl_bytes_has_prefix(key, pl_str("aws:")))
        return pl_dynamo_invalid(request, "Tag Key cannot be prefixed with aws:, Key: %.*s", NAME(key));
    rc = check_key(request, key);
    if (rc == 0 && !is_tag_text(value, 0, VALUE_LENGTH_MAX))
        rc = pl_dynamo_invalid(request, "The Tag Value provided is invalid, Value: %.*s", NAME(shown(value)));
    return rc;
}

static bool is_earlier(const struct pl_dynamo_node *tags, const struct pl_dynamo_node *tag)
{
    for (const struct pl_dynamo_node *at = tags->first; at != tag; at = at->next)
        if (pl_bytes_equal(pl_dynamo_get_text(at, "Key"), pl_dynamo_get_text(tag, "Key")))
            return true;
    return false;
}

static int refuse_many(struct pl_dynamo_request *request)
{
    return pl_dynamo_invalid(request, "Number of Tags exceed the current limit for the provided ResourceArn");
}

int pl_dynamo_tags_check(struct pl_dynamo_request *request, const struct pl_dynamo_node *tags)
{
    for (const struct pl_dynamo_node *at = tags->first; at != NULL; at = at->next) {
        struct pl_bytes key = pl_dynamo_get_text(at, "Key");
        int rc = check_tag(request, at);

        if (rc != 0)
            return rc;
        if (is_earlier(tags, at))
            return pl_dynamo_invalid(
                request, "Duplicate Tag Keys provided as input: Duplicate Tag Key found %.*s", NAME(key));
    }
    return tags->count > PL_DYNAMO_TAGS_MAX ? refuse_many(request) : 0;
}

/* ---- the resource ----------------------------------------------------------------------------------- */

/* Tags are a table's: an index's ARN is refused, with what is no ARN at all. */
static int take_resource(struct pl_dynamo_request *request, struct pl_bytes *table)
{
    struct pl_bytes arn = pl_dynamo_get_text(request->input, "ResourceArn");
    struct pl_bytes resource = pl_dynamo_arn_field(arn, PL_DYNAMO_ARN_RESOURCE);

    if (!pl_dynamo_arn_is(arn))
        return pl_dynamo_invalid(request, P "ARNs must start with 'arn:': %.*s", NAME(arn));
    if (!pl_bytes_equal(pl_dynamo_arn_field(arn, PL_DYNAMO_ARN_SERVICE), pl_str("dynamodb")))
        return pl_dynamo_invalid(request, P "Provided Arn is not a DynamoDB resource arn: %.*s", NAME(arn));
    if (pl_bytes_has_prefix(resource, pl_str("table/")) &&
        memmem(resource.data, resource.len, "/index/", 7) != NULL)
        return pl_dynamo_invalid(
            request,
            P "Invalid resource arn provided, only table or stream is accepted. Provided resource arn: %.*s",
            NAME(arn));
    if (!pl_dynamo_arn_table(arn, table))
        return pl_dynamo_invalid(request, "Invalid TableArn: Invalid ResourceArn provided as input %.*s",
                                 NAME(arn));
    if (!pl_dynamo_arn_is_own(request, arn))
        return pl_dynamo_error(request, "AccessDeniedException",
                               "User: arn:aws:iam::%.*s:root is not authorized to perform: dynamodb:%s on "
                               "resource: %.*s",
                               NAME(request->context->account), request->call->name, NAME(arn));
    return 0;
}

int pl_dynamo_find_resource(struct pl_dynamo_request *request, const struct pl_table **out)
{
    struct pl_bytes arn = pl_dynamo_get_text(request->input, "ResourceArn"), name;
    int rc = take_resource(request, &name);

    if (rc != 0)
        return rc;
    *out = pl_tables_find(request->context->tables, name);
    if (*out != NULL)
        return 0;
    return pl_dynamo_error(request, "ResourceNotFoundException",
                           "Requested resource not found: ResourceArn: %.*s not found", NAME(arn));
}

/* ---- changing --------------------------------------------------------------------------------------- */

/* How many the table would have. */
static int check_total(struct pl_dynamo_request *request, const struct pl_table *table,
                       const struct pl_dynamo_node *tags)
{
    cJSON *notes = pl_dynamo_notes_read(table);
    const cJSON *at, *present = cJSON_GetObjectItemCaseSensitive(notes, "tags");
    uint32_t total = tags->count;

    if (notes == NULL)
        return PL_ENOMEM;
    cJSON_ArrayForEach(at, present)
    {
        bool again = false;

        for (const struct pl_dynamo_node *tag = tags->first; tag != NULL; tag = tag->next)
            again |= pl_bytes_equal(pl_dynamo_get_text(tag, "Key"), pl_str(at->string));
        total += !again;
    }
    cJSON_Delete(notes);
    return total > PL_DYNAMO_TAGS_MAX ? refuse_many(request) : 0;
}

static int begin_tag(struct pl_dynamo_request *request)
{
    const struct pl_dynamo_node *tags = pl_dynamo_get(request->input, "Tags");
    struct pl_dynamo_notes notes = { .out = &request->bytes };
    const struct pl_table *table;
    int rc = 0;

    if (tags->count == 0)
        return pl_dynamo_invalid(request, "Atleast one Tag needs to be provided as Input.");
    rc = pl_dynamo_tags_check(request, tags);
    if (rc == 0)
        rc = pl_dynamo_find_resource(request, &table);
    if (rc == 0)
        rc = check_total(request, table, tags);
    if (rc != 0)
        return rc;
    pl_buf_append_bytes(&request->bytes, pl_str("{\"dynamodb\":{"));
    pl_dynamo_notes_write_tags(&notes, tags);
    pl_buf_append_bytes(&request->bytes, pl_str("}}"));
    return pl_dynamo_alter(request, table);
}

static int begin_untag(struct pl_dynamo_request *request)
{
    const struct pl_dynamo_node *keys = pl_dynamo_get(request->input, "TagKeys");
    const struct pl_table *table;
    int rc = 0;

    if (keys->count == 0)
        return pl_dynamo_invalid(request, "Atleast one Tag Key needs to be provided as Input.");
    for (const struct pl_dynamo_node *at = keys->first; rc == 0 && at != NULL; at = at->next)
        rc = check_key(request, at->text);
    if (rc == 0 && keys->count > PL_DYNAMO_TAGS_MAX)
        rc = refuse_many(request);
    if (rc == 0)
        rc = pl_dynamo_find_resource(request, &table);
    if (rc != 0)
        return rc;
    pl_buf_append_bytes(&request->bytes, pl_str("{\"dynamodb\":{\"tags\":{"));
    for (const struct pl_dynamo_node *at = keys->first; at != NULL; at = at->next) {
        pl_buf_append(&request->bytes, ",", at != keys->first);
        pl_json_write_string(&request->bytes, at->text);
        pl_buf_append_bytes(&request->bytes, pl_str(":null"));
    }
    pl_buf_append_bytes(&request->bytes, pl_str("}}}"));
    return pl_dynamo_alter(request, table);
}

/* The answer has no body at all. */
static int finish_change(struct pl_dynamo_request *request)
{
    (void)request;
    return 0;
}

/* ---- listing ---------------------------------------------------------------------------------------- */

static int begin_list(struct pl_dynamo_request *request)
{
    struct pl_buf *out = &request->body;
    const struct pl_table *table;
    const cJSON *at, *tags;
    cJSON *notes;
    int rc = pl_dynamo_find_resource(request, &table);

    if (rc != 0)
        return rc;
    notes = pl_dynamo_notes_read(table);
    if (notes == NULL)
        return PL_ENOMEM;
    tags = cJSON_GetObjectItemCaseSensitive(notes, "tags");
    pl_buf_append_bytes(out, pl_str("{\"Tags\":["));
    cJSON_ArrayForEach(at, tags)
    {
        pl_buf_append_bytes(out, at == tags->child ? pl_str("{\"Key\":") : pl_str(",{\"Key\":"));
        pl_json_write_string(out, pl_str(at->string));
        pl_buf_append_bytes(out, pl_str(",\"Value\":"));
        pl_json_write_string(out, pl_str(cJSON_IsString(at) ? at->valuestring : ""));
        pl_buf_append_byte(out, '}');
    }
    pl_buf_append_bytes(out, pl_str("]}"));
    cJSON_Delete(notes);
    return 0;
}

const struct pl_dynamo_call pl_dynamo_tag_resource = {
    .name = "TagResource", .input = &tag_input, .begin = begin_tag, .finish = finish_change
};
const struct pl_dynamo_call pl_dynamo_untag_resource = {
    .name = "UntagResource", .input = &untag_input, .begin = begin_untag, .finish = finish_change
};
const struct pl_dynamo_call pl_dynamo_list_tags_of_resource = { .name = "ListTagsOfResource",
                                                                .input = &list_input,
                                                                .begin = begin_list };
