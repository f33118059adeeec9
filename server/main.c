/* SPDX-License-Identifier: MIT */
#include "check.h"
#include "server.h"
#include "shell/shell.h"

#include <signal.h>
#include <stdlib.h>

extern char **environ;

struct command {
    const char *name;
    const char *usage;
    const char *summary;
    int (*run)(int count, char **args); /* the arguments after the name */
};

static int usage_error(const char *command, const char *sentence)
{
    fprintf(stderr, "perilune %s: %s\n", command, sentence);
    return PL_EXIT_USAGE;
}

static int serve(int count, char **args)
{
    struct pl_config config;
    struct pl_reason why = { { 0 } };
    int rc, code;

    rc = pl_config_read(&config, count, args, environ, &why);
    if (rc != 0) {
        code = rc == PL_EINVALID ? PL_EXIT_USAGE : rc == PL_ECONFIG ? PL_EXIT_CONFIG : PL_EXIT_FAILURE;
        fprintf(stderr, "perilune serve: %s\n", pl_reason_text(&why, rc));
    } else if (config.print) {
        pl_config_print(&config, stdout);
        code = PL_EXIT_OK;
    } else {
        code = pl_server_run(&config, stdout);
    }
    pl_config_deinit(&config);
    return code;
}

static int shell(int count, char **args)
{
    return pl_shell_main(count, args);
}

static int cut_journal(const char *data_path)
{
    struct pl_reason why = { { 0 } };
    uint64_t end = 0;
    int rc = pl_check_cut_journal(data_path, &end, &why);

    if (rc != 0) {
        fprintf(stderr, "perilune check: %s\n", pl_reason_text(&why, rc));
        return PL_EXIT_FAILURE;
    }
    printf("the journal of %s ends at position %llu now\n", data_path, (unsigned long long)end);
    return PL_EXIT_OK;
}

static int check(int count, char **args)
{
    struct pl_buf report = { 0 };
    struct pl_reason why = { { 0 } };
    int rc;

    if (count == 2 && strcmp(args[0], "--cut-journal") == 0)
        return cut_journal(args[1]);
    if (count != 1)
        return usage_error("check", "expected one data directory: perilune check [--cut-journal] DATA");
    rc = pl_check_directory(args[0], &report, &why);
    if (report.len > 0)
        printf("%.*s\n", (int)report.len, report.data);
    if (rc != 0)
        fprintf(stderr, "perilune check: %s\n", pl_reason_text(&why, rc));
    pl_buf_deinit(&report);
    return rc == 0 ? PL_EXIT_OK : PL_EXIT_FAILURE;
}

static int version(int count, char **args)
{
    (void)args;
    if (count != 0)
        return usage_error("version", "takes no arguments");
    printf("perilune %s\n", PL_VERSION);
    return PL_EXIT_OK;
}

static int help(int count, char **args);

static const struct command commands[] = {
    { "serve", "perilune serve [flags]", "run a server", serve },
    { "shell", "perilune shell [--connect HOST:PORT] [-c COMMAND]... [--file FILE]", "talk to a server",
      shell },
    { "check", "perilune check [--cut-journal] DATA", "verify a data directory that no server has open",
      check },
    { "version", "perilune version", "print the version", version },
    { "help", "perilune help [command]", "print this, or more about a command", help },
};

enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

static const struct command *find_command(const char *name)
{
    for (int i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static void print_commands(FILE *out)
{
    fprintf(out, "perilune %s: a database server that you script in Lua\n\n", PL_VERSION);
    for (int i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  perilune %-9s %s\n", commands[i].name, commands[i].summary);
}

static int help(int count, char **args)
{
    const struct command *command;

    if (count == 0) {
        print_commands(stdout);
        return PL_EXIT_OK;
    }
    command = find_command(args[0]);
    if (command == NULL)
        return usage_error("help", "there is no such command");
    printf("%s\n%s\n", command->usage, command->summary);
    if (command->run == serve)
        pl_config_print_flags(stdout);
    return PL_EXIT_OK;
}

static const char *without_dashes(const char *name)
{
    static const struct {
        const char *flag, *command;
    } flags[] = { { "--help", "help" }, { "-h", "help" }, { "--version", "version" }, { "-v", "version" } };

    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (strcmp(name, flags[i].flag) == 0)
            return flags[i].command;
    return name;
}

int main(int count, char **args)
{
    const struct command *command;

    /* A client that has gone is an error of its own socket, not of the process. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file limit is a full disk, and is told as one */
    if (count < 2) {
        print_commands(stderr);
        return PL_EXIT_USAGE;
    }
    command = find_command(without_dashes(args[1]));
    if (command == NULL) {
        fprintf(stderr, "perilune: there is no command '%s'\n\n", args[1]);
        print_commands(stderr);
        return PL_EXIT_USAGE;
    }
    if (count == 3 && strcmp(args[2], "--help") == 0)
        return help(1, (char *[]){ (char *)command->name });
    return command->run(count - 2, args + 2);
}
