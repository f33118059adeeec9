/* SPDX-License-Identifier: MIT */
#include "shell/member.h"

#include "model/json.h"

struct pl_bytes pl_member_find(struct pl_bytes json, const char *wanted, struct pl_arena *arena)
{
    struct pl_bytes found = { 0 }, name;
    struct pl_json_reader r;
    bool more;
    int rc;

    pl_json_reader_init(&r, json, arena);
    rc = pl_json_enter_object(&r, &more, NULL);
    while (rc == 0 && more && found.data == NULL) {
        const char *start;

        rc = pl_json_take_name(&r, &name, NULL);
        if (rc != 0)
            break;
        pl_json_peek(&r);
        start = r.at;
        rc = pl_json_skip(&r, NULL);
        if (rc == 0 && pl_bytes_equal(name, pl_str(wanted)))
            found = pl_bytes(start, (size_t)(r.at - start));
        if (rc == 0)
            rc = pl_json_next(&r, '}', &more, NULL);
    }
    return found;
}
