/* SPDX-License-Identifier: MIT */
/* powerloss: builds images from a trace and runs a command on each. README.md has an example. */
#include "powerloss.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct command {
    char **argv;
    const char *notes_path;
};

static int usage(void)
{
    fprintf(
        stderr,
        "usage: powerloss --trace FILE --root DIR [--initial DIR] [--image DIR] [--seed N] [--images N]\n"
        "                 [--failures N] [--only NAME] -- COMMAND...\n"
        "COMMAND runs for each image with PL_IMAGE (the directory), PL_IMAGE_NAME and PL_NOTES (a file, one\n"
        "note a line); 0 means that the image recovered as it should.\n");
    return 2;
}

static int write_notes(const char *path, const struct powerloss_image *image)
{
    FILE *out = fopen(path, "wb");

    if (out == NULL)
        return -1;
    for (size_t i = 0; i < image->note_count; i++) {
        fwrite(image->notes[i].data, 1, image->notes[i].len, out);
        fputc('\n', out);
    }
    return fclose(out);
}

static int run(void *arg, const struct powerloss_image *image)
{
    struct command *command = arg;
    pid_t child;
    int status;

    if (write_notes(command->notes_path, image) != 0)
        return 1;
    child = fork();
    if (child == 0) {
        setenv("PL_IMAGE", image->dir, 1);
        setenv("PL_IMAGE_NAME", image->name, 1);
        setenv("PL_NOTES", command->notes_path, 1);
        execvp(command->argv[0], command->argv);
        _exit(127);
    }
    return child < 0 || waitpid(child, &status, 0) != child || status != 0;
}

static bool take_option(struct powerloss_options *options, const char *name, const char *value)
{
    if (strcmp(name, "--trace") == 0)
        options->trace = value;
    else if (strcmp(name, "--root") == 0)
        options->root = value;
    else if (strcmp(name, "--initial") == 0)
        options->initial = value;
    else if (strcmp(name, "--image") == 0)
        options->image_dir = value;
    else if (strcmp(name, "--only") == 0)
        options->only = value;
    else if (strcmp(name, "--seed") == 0)
        options->seed = strtoull(value, NULL, 0);
    else if (strcmp(name, "--images") == 0)
        options->images = strtoull(value, NULL, 0);
    else if (strcmp(name, "--failures") == 0)
        options->failures_max = strtoull(value, NULL, 0);
    else
        return false;
    return true;
}

int main(int argc, char **argv)
{
    const char *memory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    char image_dir[64], notes_path[64];
    struct powerloss_options options = { .image_dir = image_dir, .seed = 1, .images = 1000 };
    struct powerloss_report report;
    struct command command = { .notes_path = notes_path };
    int i = 1;

    snprintf(image_dir, sizeof image_dir, "%s/powerloss.%d", memory, (int)getpid());
    snprintf(notes_path, sizeof notes_path, "%s/powerloss.%d.notes", memory, (int)getpid());
    for (; i + 1 < argc && strcmp(argv[i], "--") != 0; i += 2)
        if (!take_option(&options, argv[i], argv[i + 1]))
            return usage();
    if (i + 1 >= argc || options.trace == NULL || options.root == NULL)
        return usage();
    command.argv = argv + i + 1;
    powerloss_replay(&options, run, &command, &report);
    unlink(notes_path);
    printf("%llu events, %llu moments, %llu images, %llu failures\n", (unsigned long long)report.events,
           (unsigned long long)report.moments, (unsigned long long)report.images,
           (unsigned long long)report.failures);
    if (report.failures > 0 || options.only != NULL)
        printf("the last image is in %s\n", options.image_dir);
    return report.failures == 0 && report.images > 0 ? 0 : 1;
}
