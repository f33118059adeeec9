/* SPDX-License-Identifier: MIT */
#include "starving.h"

#include "standin.h"
#include "wrapped_allocation.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static atomic_long allocations_left = -1, allocation_count;
static atomic_bool for_good, has_failed;

static bool allocation_fails(void)
{
    long left = atomic_load(&allocations_left);

    if (!standin_loop_thread || standin_inside > 0)
        return false;
    atomic_fetch_add(&allocation_count, 1);
    if (left < 0)
        return false;
    if (left > 0) {
        atomic_store(&allocations_left, left - 1);
        return false;
    }
    atomic_store(&has_failed, true);
    if (!atomic_load(&for_good))
        atomic_store(&allocations_left, -1);
    return true;
}

void starving_begin(long n, bool and_all_after)
{
    atomic_store(&has_failed, false);
    atomic_store(&for_good, and_all_after);
    atomic_store(&allocations_left, n);
}

bool starving_end(void)
{
    atomic_store(&allocations_left, -1);
    return atomic_load(&has_failed);
}

long starving_count(void)
{
    return atomic_load(&allocation_count);
}

void starving_converse(struct pl_loop *loop, const struct pl_client_kind *kind, const char *const *parts,
                       size_t count)
{
    char bytes[4096];
    ssize_t len;
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) {
        perror("socketpair");
        abort();
    }
    if (pl_loop_adopt(loop, kind, ends[1]) != 0)
        close(ends[1]);
    for (size_t i = 0; i < count; i++)
        if (send(ends[0], parts[i], strlen(parts[i]), MSG_NOSIGNAL) < 0)
            break;
    shutdown(ends[0], SHUT_WR);
    do {
        len = recv(ends[0], bytes, sizeof bytes, 0);
    } while (len > 0);
    close(ends[0]);
}
