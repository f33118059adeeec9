/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

enum kind {
    KIND_TEXT,
    KIND_ADDRESS,
    KIND_HTTP,
    KIND_KEYS,
    KIND_REGION,
    KIND_ACCOUNT,
    KIND_COUNT,
    KIND_BYTES,
    KIND_PARTITIONS,
    KIND_SYNC,
    KIND_LOG_FORMAT,
    KIND_LOG_LEVEL
};

struct setting {
    const char *key;
    enum kind kind;
    const char *fallback;
    size_t place; /* in struct pl_config */
    uint64_t least, most;
    const char *argument;
    const char *summary;
};

#define PLACE(field) offsetof(struct pl_config, field)

static const struct setting settings[PL_CONFIG_KEY_TOTAL] = {
    [PL_CONFIG_SCRIPTS] = { "scripts", KIND_TEXT, "", PLACE(scripts_path), 0, 0, "DIR",
                            "Lua modules that define tables" },
    [PL_CONFIG_DATA] = { "data", KIND_TEXT, "perilune.data", PLACE(data_path), 1, 0, "DIR",
                         "where the data lies" },
    [PL_CONFIG_LISTEN] = { "listen", KIND_ADDRESS, "127.0.0.1:7890", PLACE(listen), 0, 0, "HOST:PORT",
                           "the line protocol; port 0 picks a free one" },
    [PL_CONFIG_HTTP] = { "http", KIND_HTTP, "127.0.0.1:8000", PLACE(http), 0, 0, "HOST:PORT|off",
                         "DynamoDB's API over HTTP; port 0 picks a free one" },
    [PL_CONFIG_ACCESS_KEYS] = { "access-keys", KIND_KEYS, "", PLACE(access_keys), 0, 0, "ID:SECRET,...",
                                "who may sign requests of DynamoDB's API; none: anybody" },
    [PL_CONFIG_REGION] = { "region", KIND_REGION, "us-east-1", PLACE(region), 0, 0, "NAME",
                           "stands in the ARNs of DynamoDB's API" },
    [PL_CONFIG_ACCOUNT] = { "account", KIND_ACCOUNT, "000000000000", PLACE(account), 0, 0, "ID",
                            "12 digits that stand there too: ARNs of others are refused" },
    [PL_CONFIG_TABLE_DELAY] = { "table-delay-ms", KIND_COUNT, "0", PLACE(table_delay_ms), 0, 3600000, "MS",
                                "how long DynamoDB's API shows a table CREATING or UPDATING" },
    [PL_CONFIG_IO_THREADS] = { "io-threads", KIND_COUNT, "0", PLACE(io_threads), 0, 256, "N",
                               "threads that serve connections; 0: cores - 1" },
    [PL_CONFIG_PARTITIONS] = { "partitions", KIND_PARTITIONS, "64", PLACE(partitions), 1, 4096, "N",
                               "of a new data directory: a power of two" },
    [PL_CONFIG_SYNC] = { "sync", KIND_SYNC, "always", PLACE(sync_mode), 0, 0, "always|interval:MS|never",
                         "when a write is on the disk; only always promises anything" },
    [PL_CONFIG_LOG_FORMAT] = { "log-format", KIND_LOG_FORMAT, "text", PLACE(log_format), 0, 0, "text|json",
                               "of the log on stderr" },
    [PL_CONFIG_LOG_LEVEL] = { "log-level", KIND_LOG_LEVEL, "info", PLACE(log_level), 0, 0,
                              "debug|info|warn|error", "the least that is logged" },
    [PL_CONFIG_MAX_CONNECTIONS] = { "max-connections", KIND_COUNT, "10000", PLACE(connections_max), 1,
                                    1000000, "N", "more are refused with a sentence" },
    [PL_CONFIG_MAX_LINE_BYTES] = { "max-line-bytes", KIND_COUNT, "16777216", PLACE(line_bytes_max), 1024,
                                   268435456, "N", "of a request" },
    [PL_CONFIG_MAX_IN_FLIGHT] = { "max-in-flight", KIND_COUNT, "1024", PLACE(in_flight_max), 1, 65536, "N",
                                  "requests of one connection that wait for replies" },
    [PL_CONFIG_IDLE_TIMEOUT] = { "idle-timeout", KIND_COUNT, "0", PLACE(idle_timeout_s), 0, 31536000, "S",
                                 "close a silent connection after so long; 0: never" },
    [PL_CONFIG_STALL_TIMEOUT] = { "stall-timeout", KIND_COUNT, "60", PLACE(stall_timeout_s), 0, 31536000, "S",
                                  "cut who sends half a request or reads no replies; 0: never" },
    [PL_CONFIG_DRAIN_TIMEOUT] = { "drain-timeout", KIND_COUNT, "10", PLACE(drain_timeout_s), 0, 3600, "S",
                                  "how long a stopping server waits for clients to take their replies" },
    [PL_CONFIG_SCRIPT_TIME] = { "script-time-ms", KIND_COUNT, "100", PLACE(script_time_ms), 1, 60000, "MS",
                                "one call of a Lua function may take" },
    [PL_CONFIG_SCRIPT_MEMORY] = { "script-memory-mb", KIND_COUNT, "64", PLACE(script_memory_mb), 1, 65536,
                                  "MB", "a module's Lua state may hold" },
    [PL_CONFIG_TRIGGER_THREADS] = { "trigger-threads", KIND_COUNT, "2", PLACE(trigger_threads), 1, 16, "N",
                                    "threads that run the tables' triggers" },
    [PL_CONFIG_TRIGGER_TIME] = { "trigger-time-ms", KIND_COUNT, "5000", PLACE(trigger_time_ms), 1, 600000,
                                 "MS", "for one run of a trigger's function" },
    [PL_CONFIG_ITEM_COLLECTION] = { "item-collection-bytes", KIND_BYTES, "10737418240",
                                    PLACE(collection_bytes_max), 1, UINT64_C(1) << 50, "N",
                                    "of one partition key in a table with local indexes, their entries too" },
    [PL_CONFIG_TTL_SWEEP] = { "ttl-sweep-ms", KIND_COUNT, "1000", PLACE(ttl_sweep_ms), 10, 3600000, "MS",
                              "between two looks for items that have expired" },
    [PL_CONFIG_STREAM_RETENTION] = { "stream-retention-ms", KIND_COUNT, "86400000",
                                     PLACE(stream_retention_ms), 100, UINT32_MAX, "MS",
                                     "how long the records of streams are kept" },
};

/* --- finding and storing texts --- */

static enum pl_config_key find_key(struct pl_bytes key)
{
    int i = 0;

    while (i < PL_CONFIG_KEY_TOTAL && !pl_bytes_equal(key, pl_str(settings[i].key)))
        i++;
    return (enum pl_config_key)i;
}

static int store(struct pl_config *config, enum pl_config_key key, struct pl_bytes text,
                 enum pl_config_origin origin)
{
    char *copy = strndup(text.len > 0 ? text.data : "", text.len);

    if (copy == NULL)
        return PL_ENOMEM;
    free(config->texts[key]);
    config->texts[key] = copy;
    config->origins[key] = origin;
    return 0;
}

static int store_defaults(struct pl_config *config)
{
    int rc = 0;

    for (int i = 0; i < PL_CONFIG_KEY_TOTAL && rc == 0; i++)
        rc = store(config, (enum pl_config_key)i, pl_str(settings[i].fallback), PL_CONFIG_DEFAULT);
    return rc;
}

/* --- flags --- */

struct flag {
    struct pl_bytes key;
    const char *value; /* NULL: none was given */
};

/* `--key value` or `--key=value`; `*at` ends on the last argument that belongs to it. */
static int read_flag(int count, char *const *args, int *at, struct flag *out, struct pl_reason *why)
{
    const char *text = args[*at], *equals;

    if (strncmp(text, "--", 2) != 0 || text[2] == '\0')
        return pl_reason_set(why, PL_EINVALID, "expected a flag such as --data DIR, found '%s'", text);
    text += 2;
    equals = strchr(text, '=');
    out->key = equals == NULL ? pl_str(text) : pl_bytes(text, (size_t)(equals - text));
    out->value = equals == NULL ? NULL : equals + 1;
    if (out->value == NULL && !pl_bytes_equal(out->key, pl_str("print-config")) && *at + 1 < count)
        out->value = args[++*at];
    return 0;
}

/* `config` and `print-config` say how to read the settings, and are none themselves. */
static int take_flag(struct pl_config *config, const struct flag *flag, bool early, struct pl_reason *why)
{
    enum pl_config_key key = find_key(flag->key);

    if (pl_bytes_equal(flag->key, pl_str("print-config"))) {
        config->print = true;
        return 0;
    }
    if (key == PL_CONFIG_KEY_TOTAL && !pl_bytes_equal(flag->key, pl_str("config")))
        return pl_reason_set(why, PL_EINVALID, "there is no flag --%.*s: see perilune help serve",
                             (int)flag->key.len, flag->key.data);
    if (flag->value == NULL)
        return pl_reason_set(why, PL_EINVALID, "--%.*s expects a value", (int)flag->key.len, flag->key.data);
    if (key != PL_CONFIG_KEY_TOTAL)
        return early ? 0 : store(config, key, pl_str(flag->value), PL_CONFIG_FLAG);
    if (!early)
        return 0;
    free(config->file);
    config->file = strdup(flag->value);
    return config->file == NULL ? PL_ENOMEM : 0;
}

/* Flags are read twice: first for the file's name, and last, because they win. */
static int read_flags(struct pl_config *config, int count, char *const *args, bool early,
                      struct pl_reason *why)
{
    int rc = 0;

    for (int i = 0; i < count && rc == 0; i++) {
        struct flag flag = { 0 };

        rc = read_flag(count, args, &i, &flag, why);
        if (rc == 0)
            rc = take_flag(config, &flag, early, why);
    }
    return rc;
}

/* --- environment --- */

static const char PREFIX[] = "PERILUNE_";

/* MAX_LINE_BYTES is max-line-bytes. */
static enum pl_config_key key_of_variable(struct pl_bytes name)
{
    char key[64];

    if (name.len >= sizeof key)
        return PL_CONFIG_KEY_TOTAL;
    for (size_t i = 0; i < name.len; i++)
        key[i] = name.data[i] == '_' ? '-' : (char)tolower((unsigned char)name.data[i]);
    return find_key(pl_bytes(key, name.len));
}

static int read_variable(struct pl_config *config, const char *variable, struct pl_reason *why)
{
    const char *name = variable + sizeof PREFIX - 1, *equals = strchr(name, '=');
    enum pl_config_key key;

    if (equals == NULL)
        return 0;
    if (strncmp(name, "CONFIG=", 7) == 0) {
        if (config->file != NULL)
            return 0;
        config->file = strdup(equals + 1);
        return config->file == NULL ? PL_ENOMEM : 0;
    }
    key = key_of_variable(pl_bytes(name, (size_t)(equals - name)));
    if (key == PL_CONFIG_KEY_TOTAL)
        return pl_reason_set(why, PL_ECONFIG, "the environment has %.*s, and there is no such setting",
                             (int)(equals - variable), variable);
    return store(config, key, pl_str(equals + 1), PL_CONFIG_ENVIRONMENT);
}

static int read_environment(struct pl_config *config, char *const *environment, struct pl_reason *why)
{
    int rc = 0;

    for (; *environment != NULL && rc == 0; environment++)
        if (strncmp(*environment, PREFIX, sizeof PREFIX - 1) == 0)
            rc = read_variable(config, *environment, why);
    return rc;
}

/* --- file --- */

static struct pl_bytes trim(const char *start, const char *end)
{
    while (start < end && isspace((unsigned char)*start))
        start++;
    while (end > start && isspace((unsigned char)end[-1]))
        end--;
    return pl_bytes(start, (size_t)(end - start));
}

static int read_file_line(struct pl_config *config, const char *line, unsigned number, struct pl_reason *why)
{
    const char *end = line + strlen(line), *equals = strchr(line, '=');
    struct pl_bytes whole = trim(line, end), name;
    enum pl_config_key key;

    if (whole.len == 0 || whole.data[0] == '#')
        return 0;
    if (equals == NULL)
        return pl_reason_set(why, PL_ECONFIG, "%s:%u: expected key = value, found '%.*s'", config->file,
                             number, (int)whole.len, whole.data);
    name = trim(line, equals);
    key = find_key(name);
    if (key == PL_CONFIG_KEY_TOTAL)
        return pl_reason_set(why, PL_ECONFIG, "%s:%u: there is no setting '%.*s'", config->file, number,
                             (int)name.len, name.data);
    return store(config, key, trim(equals + 1, end), PL_CONFIG_FILE);
}

static int read_lines(struct pl_config *config, FILE *file, struct pl_reason *why)
{
    char *line = NULL;
    size_t capacity = 0;
    unsigned number = 0;
    int rc = 0;

    while (rc == 0 && getline(&line, &capacity, file) >= 0)
        rc = read_file_line(config, line, ++number, why);
    if (rc == 0 && ferror(file))
        rc = pl_reason_set(why, PL_ECONFIG, "cannot read %s: %s", config->file, strerror(errno));
    free(line);
    return rc;
}

/* A file that was asked for must be there; the usual one may be. */
static int read_file(struct pl_config *config, struct pl_reason *why)
{
    bool asked_for = config->file != NULL;
    FILE *file;
    int rc;

    file = fopen(asked_for ? config->file : "perilune.conf", "re");
    if (file == NULL)
        return !asked_for && errno == ENOENT
                   ? 0
                   : pl_reason_set(why, PL_ECONFIG, "cannot open %s: %s",
                                   asked_for ? config->file : "perilune.conf", strerror(errno));
    if (!asked_for)
        config->file = strdup("perilune.conf");
    rc = config->file == NULL ? PL_ENOMEM : read_lines(config, file, why);
    fclose(file);
    return rc;
}

/* --- what the texts mean --- */

static int wrong(const struct setting *setting, const char *text, const char *expected, struct pl_reason *why)
{
    return pl_reason_set(why, PL_ECONFIG, "%s: expected %s, found '%s'", setting->key, expected, text);
}

static bool read_whole(const char *text, uint64_t least, uint64_t most, uint64_t *out)
{
    uint64_t number = 0;

    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9' || number > most)
            return false;
        number = number * 10 + (uint64_t)(*text - '0');
    }
    if (number < least || number > most)
        return false;
    *out = number;
    return true;
}

static bool read_number(const char *text, uint64_t least, uint64_t most, uint32_t *out)
{
    uint64_t number;

    if (!read_whole(text, least, most, &number))
        return false;
    *out = (uint32_t)number;
    return true;
}

static int not_whole(const struct setting *setting, const char *text, struct pl_reason *why)
{
    char expected[96];

    snprintf(expected, sizeof expected, "a whole number from %" PRIu64 " to %" PRIu64, setting->least,
             setting->most);
    return wrong(setting, text, expected, why);
}

static int read_count(const struct setting *setting, const char *text, uint32_t *out, struct pl_reason *why)
{
    return read_number(text, setting->least, setting->most, out) ? 0 : not_whole(setting, text, why);
}

static int read_bytes(const struct setting *setting, const char *text, uint64_t *out, struct pl_reason *why)
{
    return read_whole(text, setting->least, setting->most, out) ? 0 : not_whole(setting, text, why);
}

static int read_partitions(const struct setting *setting, const char *text, uint32_t *out,
                           struct pl_reason *why)
{
    uint32_t count;

    if (!read_number(text, setting->least, setting->most, &count) || (count & (count - 1)) != 0)
        return wrong(setting, text, "a power of two from 1 to 4096", why);
    *out = count;
    return 0;
}

static int read_sync(struct pl_config *config, const struct setting *setting, const char *text,
                     struct pl_reason *why)
{
    static const char interval[] = "interval:";

    if (strcmp(text, "always") == 0) {
        config->sync_mode = PL_SYNC_ALWAYS;
    } else if (strcmp(text, "never") == 0) {
        config->sync_mode = PL_SYNC_NEVER;
    } else if (strncmp(text, interval, sizeof interval - 1) == 0 &&
               read_number(text + sizeof interval - 1, 1, 3600000, &config->sync_interval_ms)) {
        config->sync_mode = PL_SYNC_INTERVAL;
    } else {
        return wrong(setting, text, "always, never or interval:MS (1 to 3600000)", why);
    }
    return 0;
}

static int read_http(struct pl_config *config, const struct setting *setting, const char *text,
                     struct pl_reason *why)
{
    struct pl_reason said;
    int rc;

    config->has_http = strcmp(text, "off") != 0;
    if (!config->has_http)
        return 0;
    rc = pl_address_parse(text, &config->http, &said);
    return rc == 0 ? 0 : pl_reason_set(why, rc, "%s: %s, or off", setting->key, said.text);
}

/* ID:SECRET, from the front of `*rest`. What is wrong is told without what it holds: it may be a secret. */
static bool take_key(struct pl_bytes *rest, struct pl_sigv4_key *out)
{
    const char *comma = memchr(rest->data, ',', rest->len), *colon;
    struct pl_bytes pair = pl_bytes(rest->data, comma == NULL ? rest->len : (size_t)(comma - rest->data));

    *rest = pl_bytes(rest->data + pair.len + (comma != NULL), rest->len - pair.len - (comma != NULL));
    pair = trim(pair.data, pair.data + pair.len);
    colon = memchr(pair.data, ':', pair.len);
    if (colon == NULL)
        return false;
    out->id = pl_bytes(pair.data, (size_t)(colon - pair.data));
    out->secret = pl_bytes(colon + 1, pair.len - out->id.len - 1);
    return out->id.len > 0 && out->secret.len > 0 && memchr(out->id.data, '/', out->id.len) == NULL;
}

static int read_keys(struct pl_config *config, const struct setting *setting, const char *text,
                     struct pl_reason *why)
{
    struct pl_bytes rest = pl_str(text);
    uint32_t most = 1;

    if (rest.len == 0)
        return 0;
    for (size_t i = 0; i < rest.len; i++)
        most += rest.data[i] == ',';
    config->access_keys = calloc(most, sizeof *config->access_keys);
    if (config->access_keys == NULL)
        return PL_ENOMEM;
    while (rest.len > 0) {
        if (!take_key(&rest, &config->access_keys[config->access_key_count]))
            return pl_reason_set(why, PL_ECONFIG, "%s: expected ID:SECRET, or several with a comma between",
                                 setting->key);
        config->access_key_count++;
    }
    return 0;
}

static int read_region(const struct setting *setting, const char *text, const char **out,
                       struct pl_reason *why)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");

    if (len == 0 || len > 64 || text[len] != '\0')
        return wrong(setting, text, "a name such as us-east-1", why);
    *out = text;
    return 0;
}

static int read_account(const struct setting *setting, const char *text, const char **out,
                        struct pl_reason *why)
{
    if (strspn(text, "0123456789") != 12 || text[12] != '\0')
        return wrong(setting, text, "12 digits", why);
    *out = text;
    return 0;
}

static int read_choice(const struct setting *setting, const char *text, const char *const *words,
                       uint32_t *out, struct pl_reason *why)
{
    for (uint32_t i = 0; words[i] != NULL; i++) {
        if (strcmp(text, words[i]) == 0) {
            *out = i;
            return 0;
        }
    }
    return wrong(setting, text, setting->argument, why);
}

static int understand(struct pl_config *config, enum pl_config_key key, struct pl_reason *why)
{
    static const char *const formats[] = { "text", "json", NULL };
    static const char *const levels[] = { "debug", "info", "warn", "error", NULL };
    const struct setting *setting = &settings[key];
    const char *text = config->texts[key];
    void *place = (char *)config + setting->place;
    struct pl_reason said;
    uint32_t choice = 0;
    int rc = 0;

    switch (setting->kind) {
    case KIND_TEXT:
        if (*text == '\0' && setting->least > 0)
            return wrong(setting, text, "a path", why);
        *(const char **)place = *text == '\0' ? NULL : text;
        break;
    case KIND_ADDRESS:
        rc = pl_address_parse(text, place, &said);
        if (rc != 0)
            pl_reason_set(why, rc, "%s: %s", setting->key, said.text);
        break;
    case KIND_HTTP:
        rc = read_http(config, setting, text, why);
        break;
    case KIND_KEYS:
        rc = read_keys(config, setting, text, why);
        break;
    case KIND_REGION:
        rc = read_region(setting, text, place, why);
        break;
    case KIND_ACCOUNT:
        rc = read_account(setting, text, place, why);
        break;
    case KIND_COUNT:
        rc = read_count(setting, text, place, why);
        break;
    case KIND_BYTES:
        rc = read_bytes(setting, text, place, why);
        break;
    case KIND_PARTITIONS:
        rc = read_partitions(setting, text, place, why);
        break;
    case KIND_SYNC:
        rc = read_sync(config, setting, text, why);
        break;
    case KIND_LOG_FORMAT:
        rc = read_choice(setting, text, formats, &choice, why);
        config->log_format = PL_LOG_TEXT + choice;
        break;
    case KIND_LOG_LEVEL:
        rc = read_choice(setting, text, levels, &choice, why);
        config->log_level = PL_LOG_DEBUG + choice;
        break;
    }
    return rc;
}

static const char *const origin_names[] = {
    [PL_CONFIG_DEFAULT] = "default",
    [PL_CONFIG_FILE] = "file",
    [PL_CONFIG_ENVIRONMENT] = "environment",
    [PL_CONFIG_FLAG] = "flag",
};

/* Every setting, so that a wrong one is told with where it stands. */
static int understand_all(struct pl_config *config, struct pl_reason *why)
{
    int rc = 0;

    for (int i = 0; i < PL_CONFIG_KEY_TOTAL && rc == 0; i++) {
        struct pl_reason said = { { 0 } };

        rc = understand(config, (enum pl_config_key)i, &said);
        if (rc != 0)
            pl_reason_set(why, rc, "%s (from the %s)", said.text, origin_names[config->origins[i]]);
    }
    return rc;
}

int pl_config_read(struct pl_config *config, int arg_count, char *const *args, char *const *environment,
                   struct pl_reason *why)
{
    int rc;

    *config = (struct pl_config){ 0 };
    rc = store_defaults(config);
    if (rc == 0)
        rc = read_flags(config, arg_count, args, true, why);
    for (char *const *each = environment; rc == 0 && *each != NULL; each++)
        if (config->file == NULL && strncmp(*each, "PERILUNE_CONFIG=", 16) == 0)
            rc = read_variable(config, *each, why);
    if (rc == 0)
        rc = read_file(config, why);
    if (rc == 0)
        rc = read_environment(config, environment, why);
    if (rc == 0)
        rc = read_flags(config, arg_count, args, false, why);
    return rc == 0 ? understand_all(config, why) : rc;
}

/* Keys are shown by their ids: what is printed gets copied into places where no secret should be. */
static void print_value(const struct pl_config *config, int key, FILE *out)
{
    if (settings[key].kind != KIND_KEYS) {
        fputs(config->texts[key], out);
        return;
    }
    for (uint32_t i = 0; i < config->access_key_count; i++)
        fprintf(out, "%s%.*s:***", i > 0 ? "," : "", (int)config->access_keys[i].id.len,
                config->access_keys[i].id.data);
}

void pl_config_print(const struct pl_config *config, FILE *out)
{
    for (int i = 0; i < PL_CONFIG_KEY_TOTAL; i++) {
        fprintf(out, "%s = ", settings[i].key);
        print_value(config, i, out);
        fprintf(out, "  # %s", origin_names[config->origins[i]]);
        if (config->origins[i] == PL_CONFIG_FILE)
            fprintf(out, " %s", config->file);
        fputc('\n', out);
    }
}

void pl_config_print_flags(FILE *out)
{
    char flag[64];

    for (int i = 0; i < PL_CONFIG_KEY_TOTAL; i++) {
        snprintf(flag, sizeof flag, "--%s %s", settings[i].key, settings[i].argument);
        fprintf(out, "  %-36s %s", flag, settings[i].summary);
        if (*settings[i].fallback != '\0')
            fprintf(out, " [%s]", settings[i].fallback);
        fputc('\n', out);
    }
    fprintf(out, "  %-36s %s\n", "--config FILE", "settings as key = value lines [perilune.conf]");
    fprintf(out, "  %-36s %s\n", "--print-config", "show every setting and where it came from");
}

void pl_config_deinit(struct pl_config *config)
{
    for (int i = 0; i < PL_CONFIG_KEY_TOTAL; i++)
        free(config->texts[i]);
    free(config->access_keys);
    free(config->file);
    *config = (struct pl_config){ 0 };
}
