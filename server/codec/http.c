/* SPDX-License-Identifier: MIT */
#include "codec/http.h"

#include "base/error.h"

/* --- the scan --- */

/*
 * Bytes of a line: no control characters (a CR among them would end the line for some), tabs apart.
 * A line that begins with white space would continue the one before it for some.
 */
static bool is_clean_line(const char *line, size_t len)
{
#ifdef PL_MUTANT_NO_SCAN
    return true;
#endif
    if (len > 0 && (line[0] == ' ' || line[0] == '\t'))
        return false;
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)line[i];

        if ((byte < ' ' && byte != '\t') || byte == 0x7f)
            return false;
    }
    return true;
}

/* METHOD SP target SP version, all printable ASCII, with exactly those two spaces. */
static bool is_clean_request_line(const char *line, size_t len)
{
    unsigned spaces = 0;

    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)line[i];

        if (byte <= ' ' || byte >= 0x7f) {
            if (byte != ' ')
                return false;
            spaces++;
        }
    }
    return spaces == 2;
}

static unsigned judge_line(struct pl_http_scan *scan, const char *line, size_t len)
{
    if (len == 0 || line[len - 1] != '\r')
        return 400;
    len--;
    if (scan->line_len > 0)
        return is_clean_line(line, len) ? 0 : 400;
    if (len + 2 > PL_HTTP_LINE_MAX || !is_clean_request_line(line, len))
        return 400;
    scan->line_len = (uint32_t)len + 2;
    return 0;
}

static bool is_too_long(const struct pl_http_scan *scan, size_t len)
{
    return scan->line_len == 0 ? len > PL_HTTP_LINE_MAX : len - scan->line_len > PL_HTTP_FIELDS_MAX;
}

unsigned pl_http_scan_head(struct pl_http_scan *scan, struct pl_bytes in, size_t *len)
{
    *len = 0;
    while (scan->at < in.len) {
        const char *line = in.data + scan->at, *newline = memchr(line, '\n', in.len - scan->at);
        bool first = scan->line_len == 0;
        unsigned status;

        if (newline == NULL)
            return is_too_long(scan, in.len) ? 400 : 0;
        status = judge_line(scan, line, (size_t)(newline - line));
        scan->at = (uint32_t)(newline + 1 - in.data);
        if (status == 0 && is_too_long(scan, scan->at))
            status = 400;
        if (status != 0)
            return status;
        if (!first && newline - line == 1) {
            *len = scan->at;
            return 0;
        }
    }
    return 0;
}

/* --- the head --- */

static const struct pl_bytes field_names[PL_HTTP_FIELD_NAME_COUNT] = {
#define FIELD_TEXT(name, text) [PL_HTTP_##name] = { text, sizeof(text) - 1 },
    PL_HTTP_FIELD_MAP(FIELD_TEXT)
#undef FIELD_TEXT
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool pl_http_word_equal(struct pl_bytes a, struct pl_bytes b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.data[i]) != lower(b.data[i]))
            return false;
    return true;
}

struct pl_bytes pl_http_value(const struct pl_http_head *head, enum pl_http_field_name name)
{
    return head->known[name] == 0 ? pl_bytes("", 0)
                                  : pl_http_text(head, head->fields[head->known[name] - 1].value);
}

/* What llhttp is told to tell while it reads. */
struct reading {
    llhttp_t parser;
    struct pl_http_head *head;
    bool in_value;   /* the last thing told was of a value */
    unsigned status; /* why reading was ended by us */
};

static struct reading *reading_of(llhttp_t *parser)
{
    return pl_container_of(parser, struct reading, parser);
}

/* A head is read in one piece, but llhttp may tell a word in several. */
static void extend(struct pl_http_head *head, struct pl_http_span *span, const char *at, size_t len)
{
    if (span->len == 0)
        span->at = (uint16_t)(at - head->text.data);
    span->len = (uint16_t)(at + len - head->text.data - span->at);
}

static int on_url(llhttp_t *parser, const char *at, size_t len)
{
    struct pl_http_head *head = reading_of(parser)->head;

    extend(head, &head->path, at, len);
    return 0;
}

static int on_method(llhttp_t *parser, const char *at, size_t len)
{
    struct pl_http_head *head = reading_of(parser)->head;

    extend(head, &head->method_word, at, len);
    return 0;
}

static int on_field(llhttp_t *parser, const char *at, size_t len)
{
    struct reading *reading = reading_of(parser);
    struct pl_http_head *head = reading->head;

    if (reading->in_value || head->field_count == 0) {
        if (head->field_count == PL_HTTP_FIELD_COUNT_MAX) {
            reading->status = 400;
            return -1;
        }
        head->fields[head->field_count++] = (struct pl_http_field){ 0 };
        reading->in_value = false;
    }
    extend(head, &head->fields[head->field_count - 1].name, at, len);
    return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t len)
{
    struct reading *reading = reading_of(parser);
    struct pl_http_head *head = reading->head;

    reading->in_value = true;
    extend(head, &head->fields[head->field_count - 1].value, at, len);
    return 0;
}

/* An empty value is told by its end only. */
static int on_value_complete(llhttp_t *parser)
{
    reading_of(parser)->in_value = true;
    return 0;
}

static int on_headers_complete(llhttp_t *parser)
{
    (void)parser;
    return HPE_PAUSED;
}

static const llhttp_settings_t head_settings = {
    .on_url = on_url,
    .on_method = on_method,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_header_value_complete = on_value_complete,
    .on_headers_complete = on_headers_complete,
};

static bool is_white(char c)
{
    return c == ' ' || c == '\t';
}

static void trim(const struct pl_http_head *head, struct pl_http_span *span)
{
    const char *text = head->text.data;

    while (span->len > 0 && is_white(text[span->at + span->len - 1]))
        span->len--;
    while (span->len > 0 && is_white(text[span->at])) {
        span->at++;
        span->len--;
    }
}

static bool may_repeat(unsigned name)
{
    return name == PL_HTTP_ACCEPT_ENCODING || name == PL_HTTP_ACCESS_CONTROL_REQUEST_HEADERS;
}

/* The characters of a name, RFC 9110 5.6.2. The parser of Debian 12 lets spaces pass, and no name at all. */
static bool is_token(struct pl_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = lower(text.data[i]);

        if ((c < 'a' || c > 'z') && (c < '0' || c > '9') &&
            (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL))
            return false;
    }
    return text.len > 0;
}

/* Two of a field of which there can be one: whichever we took, somebody else takes the other. */
static unsigned know_fields(struct pl_http_head *head)
{
    for (uint16_t i = 0; i < head->field_count; i++) {
        struct pl_bytes name = pl_http_text(head, head->fields[i].name);

        if (!is_token(name))
            return 400;
        trim(head, &head->fields[i].value);
        for (unsigned known = 0; known < PL_HTTP_FIELD_NAME_COUNT; known++) {
            if (name.len != field_names[known].len || !pl_http_word_equal(name, field_names[known]))
                continue;
            if (head->known[known] == 0)
                head->known[known] = (uint8_t)(i + 1);
            else if (!may_repeat(known))
                return 400;
        }
    }
    return 0;
}

/* llhttp knows other protocols with heads like these. */
static bool speaks_http(const struct pl_http_head *head)
{
    static const char version[] = " HTTP/";
    size_t at = (size_t)head->path.at + head->path.len;

    return head->text.len - at > sizeof version &&
           memcmp(head->text.data + at, version, sizeof version - 1) == 0;
}

static void divide_target(struct pl_http_head *head)
{
    struct pl_bytes target = pl_http_text(head, head->path);
    const char *mark = memchr(target.data, '?', target.len);

    head->query = (struct pl_http_span){ head->path.at, 0 };
    if (mark == NULL)
        return;
    head->query.at = (uint16_t)(mark + 1 - head->text.data);
    head->query.len = (uint16_t)(target.data + target.len - mark - 1);
    head->path.len = (uint16_t)(mark - target.data);
}

static enum pl_http_method method_of(uint8_t method)
{
    switch (method) {
    case HTTP_GET:
        return PL_HTTP_GET;
    case HTTP_HEAD:
        return PL_HTTP_HEAD;
    case HTTP_POST:
        return PL_HTTP_POST;
    case HTTP_OPTIONS:
        return PL_HTTP_OPTIONS;
    default:
        return PL_HTTP_OTHER;
    }
}

static bool is_number(struct pl_bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    return text.len > 0;
}

/* How long is the body? There must be one answer, and no way to another. */
static unsigned judge_framing(struct pl_http_head *head, const llhttp_t *parser)
{
    bool counted = pl_http_has(head, PL_HTTP_CONTENT_LENGTH);

    head->chunked = pl_http_has(head, PL_HTTP_TRANSFER_ENCODING);
    if (counted && (head->chunked || !is_number(pl_http_value(head, PL_HTTP_CONTENT_LENGTH))))
        return 400;
    if (head->chunked) {
        if (head->minor == 0)
            return 400;
        if (!pl_http_word_equal(pl_http_value(head, PL_HTTP_TRANSFER_ENCODING), pl_str("chunked")))
            return 501;
    }
    head->content_length = counted ? parser->content_length : 0;
    return 0;
}

static unsigned judge_expectation(struct pl_http_head *head)
{
    if (!pl_http_has(head, PL_HTTP_EXPECT) || head->minor == 0)
        return 0;
    head->expects_continue = pl_http_word_equal(pl_http_value(head, PL_HTTP_EXPECT), pl_str("100-continue"));
    return head->expects_continue ? 0 : 417;
}

static unsigned judge_head(struct pl_http_head *head, llhttp_t *parser)
{
    unsigned status;

    if (parser->http_major != 1 || parser->http_minor > 1)
        return 505;
    head->minor = parser->http_minor;
    head->method = method_of(parser->method);
    head->keep_alive = llhttp_should_keep_alive(parser) != 0;
    status = know_fields(head);
    if (status == 0 && head->minor == 1 && !pl_http_has(head, PL_HTTP_HOST))
        status = 400;
    if (status == 0)
        status = judge_framing(head, parser);
    return status == 0 ? judge_expectation(head) : status;
}

unsigned pl_http_head_read(struct pl_http_head *head, struct pl_bytes text)
{
    struct reading reading = { .head = head };
    llhttp_errno_t error;

    /* All but the fields, of which so many are read as are there. */
    memset(head, 0, offsetof(struct pl_http_head, fields));
    memset(head->known, 0, sizeof head->known);
    head->text = text;
    llhttp_init(&reading.parser, HTTP_REQUEST, &head_settings);
    error = llhttp_execute(&reading.parser, text.data, text.len);
    if (reading.status != 0)
        return reading.status;
    if (error == HPE_INVALID_VERSION)
        return 505;
    /* It must have found the end where the scan did. */
    if (error != HPE_PAUSED || llhttp_get_error_pos(&reading.parser) != text.data + text.len ||
        !speaks_http(head))
        return 400;
    divide_target(head);
    return judge_head(head, &reading.parser);
}
