/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_UNIT_SCRATCH_DIR_H
#define PL_TESTS_UNIT_SCRATCH_DIR_H

#include "store/disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/** A flat directory of one test's own, in memory where the machine allows it. */
struct scratch_dir {
    char path[64];
};

static inline struct scratch_dir scratch_dir_make(void)
{
    struct scratch_dir dir;

    snprintf(dir.path, sizeof dir.path, "%s/perilune-test-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(dir.path) == NULL)
        abort();
    return dir;
}

static inline void scratch_dir_empty(const struct scratch_dir *dir)
{
    struct pl_disk disk = pl_disk_system();
    struct pl_names names = { 0 };

    if (pl_disk_list(&disk, dir->path, &names, NULL) != 0)
        return;
    for (size_t i = 0; i < names.count; i++) {
        char *path = pl_disk_join(dir->path, names.names[i]);

        if (path == NULL || (unlink(path) != 0 && rmdir(path) != 0))
            abort();
        free(path);
    }
    pl_names_deinit(&names);
}

static inline void scratch_dir_remove(const struct scratch_dir *dir)
{
    scratch_dir_empty(dir);
    rmdir(dir->path);
}

#endif
