/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "test.h"

#include <unistd.h>

static struct pl_config config;
static struct pl_reason why;

static int read_config(char *const *args, char *const *environment)
{
    int count = 0;

    while (args[count] != NULL)
        count++;
    pl_config_deinit(&config);
    why.text[0] = '\0';
    return pl_config_read(&config, count, args, environment, &why);
}

/* A list of strings, as main() has them. */
#define LIST(...) ((char *[]){ __VA_ARGS__, NULL })
#define NOTHING   ((char *[]){ NULL })

/* A file of settings in a place of its own. */
static char *write_file(const char *text)
{
    static char path[64];
    int fd;

    strcpy(path, "/tmp/perilune-config-XXXXXX");
    fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    return path;
}

static void defaults_are_those_of_the_manual(void)
{
    CHECK(read_config(NOTHING, NOTHING) == 0);
    CHECK(strcmp(config.listen.host, "127.0.0.1") == 0 && config.listen.port == 7890);
    CHECK(config.scripts_path == NULL && strcmp(config.data_path, "perilune.data") == 0);
    CHECK(config.partitions == 64 && config.sync_mode == PL_SYNC_ALWAYS && config.line_bytes_max == 16 << 20);
    CHECK(config.origins[PL_CONFIG_DATA] == PL_CONFIG_DEFAULT);
}

static void flag_wins_over_environment_over_file_key_by_key(void)
{
    char *path = write_file("# a comment\n\ndata = from-file\nio-threads=3\n  max-connections =  7  \n");

    CHECK(read_config(LIST("--config", path, "--data", "from-flag"),
                      LIST("HOME=/", "PERILUNE_DATA=from-environment", "PERILUNE_IO_THREADS=5")) == 0);
    CHECK(strcmp(config.data_path, "from-flag") == 0 && config.origins[PL_CONFIG_DATA] == PL_CONFIG_FLAG);
    CHECK(config.io_threads == 5 && config.origins[PL_CONFIG_IO_THREADS] == PL_CONFIG_ENVIRONMENT);
    CHECK(config.connections_max == 7 && config.origins[PL_CONFIG_MAX_CONNECTIONS] == PL_CONFIG_FILE);
    unlink(path);
}

static void the_environment_may_name_the_file(void)
{
    char *path = write_file("sync = interval:250\n"), variable[128];

    snprintf(variable, sizeof variable, "PERILUNE_CONFIG=%s", path);
    CHECK(read_config(NOTHING, LIST(variable)) == 0);
    CHECK(config.sync_mode == PL_SYNC_INTERVAL && config.sync_interval_ms == 250);
    CHECK(config.collection_bytes_max == UINT64_C(10) << 30);
    unlink(path);
}

static void a_key_that_nobody_knows_is_fatal_wherever_it_stands(void)
{
    char *path = write_file("data = x\nmax-conections = 7\n");

    CHECK(read_config(LIST("--max-conections", "7"), NOTHING) == PL_EINVALID);
    CHECK(strstr(why.text, "no flag --max-conections") != NULL);
    CHECK(read_config(NOTHING, LIST("PERILUNE_MAX_CONECTIONS=7")) == PL_ECONFIG);
    CHECK(strstr(why.text, "PERILUNE_MAX_CONECTIONS") != NULL);
    CHECK(read_config(LIST("--config", path), NOTHING) == PL_ECONFIG);
    CHECK(strstr(why.text, ":2: there is no setting 'max-conections'") != NULL);
    unlink(path);
}

static void a_wrong_value_is_told_with_where_it_stands(void)
{
    static const struct {
        const char *flag, *value, *sentence;
    } cases[] = {
        { "--listen", "7890", "listen: expected HOST:PORT" },
        { "--listen", "host:70000", "found 'host:70000' (from the flag)" },
        { "--partitions", "48", "partitions: expected a power of two" },
        { "--partitions", "8192", "power of two from 1 to 4096" },
        { "--io-threads", "-1", "a whole number from 0 to 256, found '-1'" },
        { "--max-connections", "4294967297", "a whole number from 1 to 1000000" },
        { "--item-collection-bytes", "0", "a whole number from 1 to 1125899906842624" },
        { "--item-collection-bytes", "1125899906842625", "item-collection-bytes: expected" },
        { "--sync", "interval:", "always, never or interval:MS" },
        { "--sync", "sometimes", "found 'sometimes'" },
        { "--log-format", "xml", "expected text|json, found 'xml'" },
        { "--data", "", "data: expected a path" },
        { "--http", "8000", "http: expected HOST:PORT" },
        { "--access-keys", "id", "access-keys: expected ID:SECRET, or several" },
        { "--access-keys", "id:", "access-keys: expected ID:SECRET" },
        { "--access-keys", "a:b,:c", "access-keys: expected ID:SECRET" },
        { "--access-keys", "a:b,,c:d", "access-keys: expected ID:SECRET" },
        { "--region", "US \"east\"", "region: expected a name such as us-east-1" },
        { "--account", "12345678901", "account: expected 12 digits" },
        { "--account", "1234567890123", "account: expected 12 digits" },
        { "--account", "12345678901a", "account: expected 12 digits" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int rc = read_config(LIST((char *)cases[i].flag, (char *)cases[i].value), NOTHING);

        CHECK_MSG(rc == PL_ECONFIG && strstr(why.text, cases[i].sentence) != NULL, "%s %s: %s", cases[i].flag,
                  cases[i].value, why.text);
    }
}

static void the_http_api_may_be_elsewhere_or_off(void)
{
    CHECK(read_config(NOTHING, NOTHING) == 0);
    CHECK(config.has_http && strcmp(config.http.host, "127.0.0.1") == 0 && config.http.port == 8000);
    CHECK(config.access_key_count == 0 && strcmp(config.region, "us-east-1") == 0);
    CHECK(strcmp(config.account, "000000000000") == 0);
    CHECK(read_config(LIST("--account", "123456789012"), NOTHING) == 0);
    CHECK(strcmp(config.account, "123456789012") == 0);
    CHECK(read_config(LIST("--http", "[::]:80"), NOTHING) == 0 && config.has_http && config.http.port == 80);
    CHECK(read_config(LIST("--http", "off"), NOTHING) == 0 && !config.has_http);
}

static void keys_are_a_list_and_secrets_are_told_to_nobody(void)
{
    char *text = NULL;
    size_t len;
    FILE *out;

    CHECK(read_config(NOTHING, LIST("PERILUNE_ACCESS_KEYS=AKID:se/cr+et:1, B:c ")) == 0);
    CHECK(config.access_key_count == 2);
    CHECK(pl_bytes_equal(config.access_keys[0].id, pl_str("AKID")));
    CHECK(pl_bytes_equal(config.access_keys[0].secret, pl_str("se/cr+et:1")));
    CHECK(pl_bytes_equal(config.access_keys[1].id, pl_str("B")));
    CHECK(pl_bytes_equal(config.access_keys[1].secret, pl_str("c")));
    out = open_memstream(&text, &len);
    CHECK(out != NULL);
    pl_config_print(&config, out);
    fclose(out);
    CHECK(strstr(text, "access-keys = AKID:***,B:***  # environment\n") != NULL &&
          strstr(text, "se/cr") == NULL);
    free(text);
    CHECK(read_config(LIST("--access-keys", "a:b,secret"), NOTHING) == PL_ECONFIG);
    CHECK(strstr(why.text, "secret") == NULL);
}

static void a_flag_needs_its_value(void)
{
    CHECK(read_config(LIST("--data"), NOTHING) == PL_EINVALID);
    CHECK(read_config(LIST("data", "x"), NOTHING) == PL_EINVALID);
    CHECK(read_config(LIST("--data=x=y", "--print-config", "--io-threads=2"), NOTHING) == 0);
    CHECK(strcmp(config.data_path, "x=y") == 0 && config.print && config.io_threads == 2);
    CHECK(read_config(LIST("--config", "/no/such/file"), NOTHING) == PL_ECONFIG);
}

static void addresses_have_a_host_and_a_port(void)
{
    struct pl_address address;
    char text[PL_ADDRESS_TEXT_MAX];

    CHECK(pl_address_parse("[::1]:0", &address, NULL) == 0 && strcmp(address.host, "::1") == 0 &&
          address.port == 0);
    pl_address_format(&address, text);
    CHECK(strcmp(text, "[::1]:0") == 0);
    CHECK(pl_address_parse("::1:80", &address, NULL) == PL_ECONFIG);
    CHECK(pl_address_parse("host:", &address, NULL) == PL_ECONFIG);
    CHECK(pl_address_parse(":80", &address, NULL) == PL_ECONFIG);
    CHECK(pl_address_parse("host:80x", &address, NULL) == PL_ECONFIG);
}

static void every_setting_is_printed_with_its_origin(void)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    CHECK(out != NULL && read_config(LIST("--data", "d"), NOTHING) == 0);
    pl_config_print(&config, out);
    fclose(out);
    CHECK(strstr(text, "data = d  # flag\n") != NULL);
    CHECK(strstr(text, "listen = 127.0.0.1:7890  # default\n") != NULL);
    free(text);
}

int main(void)
{
    RUN(defaults_are_those_of_the_manual);
    RUN(flag_wins_over_environment_over_file_key_by_key);
    RUN(the_environment_may_name_the_file);
    RUN(a_key_that_nobody_knows_is_fatal_wherever_it_stands);
    RUN(a_wrong_value_is_told_with_where_it_stands);
    RUN(the_http_api_may_be_elsewhere_or_off);
    RUN(keys_are_a_list_and_secrets_are_told_to_nobody);
    RUN(a_flag_needs_its_value);
    RUN(addresses_have_a_host_and_a_port);
    RUN(every_setting_is_printed_with_its_origin);
    pl_config_deinit(&config);
    return test_summary();
}
