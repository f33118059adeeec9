/* SPDX-License-Identifier: MIT */
#ifndef PL_SCRIPTS_H
#define PL_SCRIPTS_H

#include "script/script.h"

/**
 * A `--scripts` directory as it is on disk: every `.lua` file in it, in the order of
 * their names, loaded as one set of modules. Files that begin with a dot are left alone.
 */
struct pl_scripts {
    struct pl_script *script;
    uint64_t *hashes; /* of the text behind each definition, in the order of pl_script_definition() */
};

/** PL_ECONFIG, with file, line and field, for what an author did wrong; PL_EIO when it cannot be read. */
int pl_scripts_load(const char *path, const struct pl_script_limits *limits, struct pl_clock clock,
                    struct pl_scripts *out, struct pl_reason *why);

void pl_scripts_deinit(struct pl_scripts *scripts);

#endif
