/* SPDX-License-Identifier: MIT */
#include "shell/shell.h"

#include "codec/line.h"
#include "model/json.h"
#include "shell/client.h"
#include "shell/follow.h"
#include "shell/grid.h"
#include "shell/member.h"
#include "shell/prompt.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

enum { EXIT_FAILED = 1, EXIT_USAGE = 2, COMMANDS_MAX = 256 };

struct shell {
    struct pl_address address;
    struct pl_client client;
    const char *commands[COMMANDS_MAX]; /* of -c */
    int command_count;
    const char *file; /* NULL: none */
    bool person;      /* somebody looks at stdout */
    bool failed;      /* a command was answered by ERR, or not at all */
    bool over;        /* QUIT was answered */
};

/* --- what a person sees --- */

static bool starts_with_object(struct pl_bytes text)
{
    return text.len > 0 && text.data[0] == '{';
}

static void show_object(struct pl_bytes json)
{
    struct pl_grid grid = { 0 };

    if (starts_with_object(json) && pl_grid_add_row(&grid, json, NULL) == 0)
        pl_grid_print_upright(&grid, stdout);
    else
        printf("%.*s\n", (int)json.len, json.data);
    pl_grid_deinit(&grid);
}

static void show_end(const struct pl_grid *grid, struct pl_bytes json)
{
    struct pl_arena arena = { 0 };
    struct pl_bytes count = pl_member_find(json, "count", &arena),
                    scanned = pl_member_find(json, "scanned", &arena);
    struct pl_bytes next = pl_member_find(json, "next", &arena),
                    capacity = pl_member_find(json, "capacity", &arena);
    struct pl_bytes unprocessed = pl_member_find(json, "unprocessed", &arena);

    if (grid->row_count > 0)
        pl_grid_print(grid, stdout);
    if (count.len > 0)
        printf("%.*s row%s", (int)count.len, count.data, pl_bytes_equal(count, pl_str("1")) ? "" : "s");
    if (scanned.len > 0 && !pl_bytes_equal(count, scanned))
        printf(" of %.*s scanned", (int)scanned.len, scanned.data);
    if (capacity.len > 0)
        printf("%scapacity %.*s", count.len > 0 ? ", " : "", (int)capacity.len, capacity.data);
    putchar('\n');
    if (next.len > 0)
        printf("there is more: add  AFTER %.*s\n", (int)next.len, next.data);
    if (unprocessed.len > 0)
        printf("left out, to be sent again: %.*s\n", (int)unprocessed.len, unprocessed.data);
    pl_arena_deinit(&arena);
}

/* --- the tables of the server, for completion and for the order of columns --- */

/* "UserID:S", or a list of such: the names without their types, in `visit`. */
static void visit_key(struct pl_bytes text, struct pl_grid *grid)
{
    const char *end = text.data + text.len, *at = text.data;

    while (at < end) {
        const char *quote = memchr(at, '"', (size_t)(end - at)), *close;

        if (quote == NULL)
            return;
        close = memchr(quote + 1, '"', (size_t)(end - quote - 1));
        if (close == NULL || close - quote < 3)
            return;
        pl_grid_add_column(grid, pl_bytes(quote + 1, (size_t)(close - quote) - 3));
        at = close + 1;
    }
}

struct table_visit {
    struct pl_bytes table; /* whose key names become columns; or empty */
    struct pl_grid *grid;
    struct pl_buf *names; /* NULL, or where all names go */
};

static void visit_table(const struct table_visit *visit, struct pl_bytes row)
{
    struct pl_arena arena = { 0 };
    struct pl_bytes name = pl_member_find(row, "table", &arena);

    if (name.len > 2) {
        name = pl_bytes(name.data + 1, name.len - 2);
        if (visit->names != NULL) {
            pl_buf_append_bytes(visit->names, name);
            pl_buf_append_byte(visit->names, '\n');
        }
        if (visit->grid != NULL && pl_bytes_equal(name, visit->table)) {
            visit_key(pl_member_find(row, "partition_key", &arena), visit->grid);
            visit_key(pl_member_find(row, "sort_key", &arena), visit->grid);
        }
    }
    pl_arena_deinit(&arena);
}

static void visit_tables(struct shell *shell, const struct table_visit *visit)
{
    struct pl_reply_line line = { .kind = PL_REPLY_ROW };

    if (shell->client.fd < 0 || pl_client_send(&shell->client, pl_str("TABLES"), NULL) != 0)
        return;
    while (line.kind == PL_REPLY_ROW && pl_client_receive(&shell->client, &line, NULL) == 0)
        if (line.kind == PL_REPLY_ROW)
            visit_table(visit, line.text);
}

static void name_tables(void *state, struct pl_buf *names)
{
    struct table_visit visit = { .names = names };

    visit_tables(state, &visit);
}

/* The second word of a command that reads rows: Messages of `QUERY Messages/ByUser ..`. */
static void name_key_columns(struct shell *shell, const struct pl_line *line, struct pl_grid *grid)
{
    struct table_visit visit = { .grid = grid };
    const char *at = line->rest.data, *end = at + line->rest.len;

    if (line->verb->arguments[0] != PL_ARGUMENT_SOURCE)
        return;
    while (at < end && *at == ' ')
        at++;
    visit.table = pl_bytes(at, 0);
    while (at < end && *at != ' ' && *at != '/')
        at++;
    visit.table.len = (size_t)(at - visit.table.data);
    visit_tables(shell, &visit);
}

/* --- one command --- */

static void fail(struct shell *shell, const char *sentence)
{
    shell->failed = true;
    fflush(stdout);
    fprintf(stderr, "%s\n", sentence);
}

static void show_to_person(struct pl_grid *grid, const struct pl_reply_line *line)
{
    switch (line->kind) {
    case PL_REPLY_OK:
        if (line->text.len == 0)
            puts("OK");
        else
            show_object(line->text);
        break;
    case PL_REPLY_ERR:
        if (grid->row_count > 0)
            pl_grid_print(grid, stdout);
        printf("ERR %.*s\n", (int)line->text.len, line->text.data);
        break;
    case PL_REPLY_ROW:
        if (pl_grid_add_row(grid, line->text, NULL) != 0)
            printf("%.*s\n", (int)line->text.len, line->text.data);
        break;
    case PL_REPLY_END:
        show_end(grid, line->text);
        break;
    }
}

/* Rows are the answer; where there are none, the END is. */
static void show_to_program(size_t row_count, const struct pl_reply_line *line)
{
    struct pl_arena arena = { 0 };
    struct pl_bytes next, unprocessed;

    switch (line->kind) {
    case PL_REPLY_OK:
        printf("%.*s\n", line->text.len > 0 ? (int)line->text.len : 2,
               line->text.len > 0 ? line->text.data : "OK");
        break;
    case PL_REPLY_ERR:
        fflush(stdout);
        fprintf(stderr, "ERR %.*s\n", (int)line->text.len, line->text.data);
        break;
    case PL_REPLY_ROW:
        printf("%.*s\n", (int)line->text.len, line->text.data);
        break;
    case PL_REPLY_END:
        if (row_count == 0)
            printf("%.*s\n", (int)line->text.len, line->text.data);
        next = pl_member_find(line->text, "next", &arena);
        if (next.len > 0 && row_count > 0) {
            fflush(stdout);
            fprintf(stderr, "there is more: AFTER %.*s\n", (int)next.len, next.data);
        }
        unprocessed = pl_member_find(line->text, "unprocessed", &arena);
        if (unprocessed.len > 0 && row_count > 0) {
            fflush(stdout);
            fprintf(stderr, "left out: %.*s\n", (int)unprocessed.len, unprocessed.data);
        }
        pl_arena_deinit(&arena);
        break;
    }
}

static void receive(struct shell *shell, struct pl_grid *grid)
{
    struct pl_reply_line line = { .kind = PL_REPLY_ROW };
    struct pl_reason why = { { 0 } };
    size_t row_count = 0;

    while (line.kind == PL_REPLY_ROW) {
        if (pl_client_receive(&shell->client, &line, &why) != 0) {
            fail(shell, why.text);
            return;
        }
        if (shell->person)
            show_to_person(grid, &line);
        else
            show_to_program(row_count, &line);
        row_count++;
    }
    shell->failed |= line.kind == PL_REPLY_ERR;
}

static bool is_tail(struct pl_bytes text)
{
    struct pl_line line;

    return pl_line_read(text, &line, NULL) == 0 && line.verb == &pl_verbs[PL_VERB_TAIL];
}

static void follow(struct shell *shell)
{
    struct pl_reason why = { { 0 } };
    int rc = pl_follow(&shell->client, shell->person, &why);

    shell->failed |= rc != 0;
    if (why.text[0] != '\0')
        fail(shell, why.text);
}

/* `help` and `quit` are what people type first. */
static void raise_verb(char *text)
{
    size_t len = strcspn(text, " \t");

    for (int i = 0; i < PL_VERB_TOTAL; i++)
        if (strlen(pl_verbs[i].word) == len && strncasecmp(text, pl_verbs[i].word, len) == 0)
            memcpy(text, pl_verbs[i].word, len);
    if (len == 4 && strncasecmp(text, "exit", 4) == 0)
        memcpy(text, "QUIT", 4);
}

/* After a lost connection the next command makes a new one. */
static bool be_connected(struct shell *shell)
{
    struct pl_reason why = { { 0 } };

    if (shell->client.fd >= 0 || pl_client_connect(&shell->client, &shell->address, &why) == 0)
        return true;
    fail(shell, why.text);
    return false;
}

static void run_text(struct shell *shell, struct pl_bytes text)
{
    struct pl_reason why = { { 0 } };
    struct pl_grid grid = { 0 };
    struct pl_line line;

    if (!be_connected(shell))
        return;
    if (shell->person && pl_line_read(text, &line, NULL) == 0)
        name_key_columns(shell, &line, &grid);
    if (shell->client.fd < 0 || pl_client_send(&shell->client, text, &why) != 0)
        fail(shell, why.text[0] != '\0' ? why.text : "the server has closed the connection");
    else if (is_tail(text))
        follow(shell);
    else
        receive(shell, &grid);
    pl_grid_deinit(&grid);
    shell->over = pl_bytes_equal(text, pl_str("QUIT"));
    fflush(stdout);
}

/* A line that begins with "# " is a comment (a tag has no space after its #). */
static bool is_comment(const char *text)
{
    return text[0] == '#' && (text[1] == ' ' || text[1] == '\0');
}

static void run_command(struct shell *shell, struct pl_bytes command)
{
    char *text = strndup(command.data, command.len), *start;
    size_t len;

    if (text == NULL) {
        fail(shell, "out of memory");
        return;
    }
    start = text + strspn(text, " \t");
    len = strlen(start);
    while (len > 0 && strchr(" \t\r\n", start[len - 1]) != NULL)
        start[--len] = '\0';
    if (len > 0 && !is_comment(start)) {
        raise_verb(start);
        run_text(shell, pl_bytes(start, len));
    }
    free(text);
}

/* --- where commands come from --- */

static void run_lines(struct shell *shell, FILE *from)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t len;

    while (!shell->over && (len = getline(&line, &capacity, from)) >= 0)
        run_command(shell, pl_bytes(line, (size_t)len));
    free(line);
}

static void run_file(struct shell *shell, const char *path)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    struct pl_reason why;

    if (file == NULL) {
        pl_reason_set(&why, PL_EIO, "cannot open %s: %s", path, strerror(errno));
        fail(shell, why.text);
        return;
    }
    run_lines(shell, file);
    if (file != stdin)
        fclose(file);
}

static void talk(struct shell *shell)
{
    struct pl_prompt *prompt = pl_prompt_open(name_tables, shell);
    struct pl_bytes line;

    if (prompt == NULL) {
        fail(shell, "out of memory");
        return;
    }
    puts("HELP lists the verbs, HELP verb explains one, Tab completes, Ctrl-D leaves.");
    while (!shell->over && pl_prompt_read(prompt, &line))
        run_command(shell, line);
    if (!shell->over)
        putchar('\n');
    pl_prompt_close(prompt);
    shell->failed = false; /* a person has seen it */
}

/* --- arguments --- */

static int wrong_arguments(const char *sentence, const char *found)
{
    fprintf(stderr, "perilune shell: %s%s\n", sentence, found);
    return EXIT_USAGE;
}

static bool is_flag(const char *text)
{
    static const char *const flags[] = { "--connect", "-c", "--file", "-f" };

    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (strcmp(text, flags[i]) == 0)
            return true;
    return false;
}

static int read_argument(struct shell *shell, const char *flag, const char *value)
{
    struct pl_reason why;

    if (!is_flag(flag))
        return wrong_arguments("expected --connect, -c or --file, found ", flag);
    if (value == NULL)
        return wrong_arguments("a value is missing after ", flag);
    if (strcmp(flag, "--connect") == 0)
        return pl_address_parse(value, &shell->address, &why) == 0 ? 0 : wrong_arguments(why.text, "");
    if (strcmp(flag, "-c") != 0) {
        shell->file = value;
        return 0;
    }
    if (shell->command_count == COMMANDS_MAX)
        return wrong_arguments("too many -c: use --file", "");
    shell->commands[shell->command_count++] = value;
    return 0;
}

static int read_arguments(struct shell *shell, int count, char **args)
{
    int rc = 0;

    for (int i = 0; i < count && rc == 0; i += 2)
        rc = read_argument(shell, args[i], i + 1 < count ? args[i + 1] : NULL);
    return rc;
}

int pl_shell_main(int arg_count, char **args)
{
    struct shell shell = { .client = { .fd = -1 }, .address = { .host = "127.0.0.1", .port = 7890 } };
    int rc;

    rc = read_arguments(&shell, arg_count, args);
    if (rc != 0)
        return rc;
    setlocale(LC_ALL, "");
    shell.person = isatty(STDOUT_FILENO) != 0;
    if (!be_connected(&shell))
        return EXIT_FAILED;
    for (int i = 0; i < shell.command_count && !shell.over; i++)
        run_command(&shell, pl_str(shell.commands[i]));
    if (shell.file != NULL)
        run_file(&shell, shell.file);
    else if (shell.command_count == 0 && shell.person && isatty(STDIN_FILENO))
        talk(&shell);
    else if (shell.command_count == 0)
        run_lines(&shell, stdin);
    pl_client_close(&shell.client);
    return shell.failed ? EXIT_FAILED : 0;
}
