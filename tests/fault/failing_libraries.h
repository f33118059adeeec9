/* SPDX-License-Identifier: MIT */
#ifndef PL_TESTS_FAULT_FAILING_LIBRARIES_H
#define PL_TESTS_FAULT_FAILING_LIBRARIES_H

#include "failing_allocation.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <lmdb.h>
#include <pthread.h>

/*
 * What our libraries allocate inside is made to fail where we call them. The program is linked with `failing_options`
 * of CMakeLists.txt here, and is one source with this header in it.
 */
int __real_mdb_env_create(MDB_env **env);
int __real_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags, MDB_txn **txn);
int __real_mdb_cursor_open(MDB_txn *txn, MDB_dbi dbi, MDB_cursor **cursor);
int __real_mdb_put(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *data, unsigned flags);
int __real_mdb_del(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *data);
int __real_mdb_txn_commit(MDB_txn *txn);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*body)(void *), void *arg);
int __wrap_mdb_env_create(MDB_env **env);
int __wrap_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags, MDB_txn **txn);
int __wrap_mdb_cursor_open(MDB_txn *txn, MDB_dbi dbi, MDB_cursor **cursor);
int __wrap_mdb_put(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *data, unsigned flags);
int __wrap_mdb_del(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *data);
int __wrap_mdb_txn_commit(MDB_txn *txn);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*body)(void *), void *arg);

int __wrap_mdb_env_create(MDB_env **env)
{
    return allocation_fails() ? ENOMEM : __real_mdb_env_create(env);
}

int __wrap_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags, MDB_txn **txn)
{
    return allocation_fails() ? ENOMEM : __real_mdb_txn_begin(env, parent, flags, txn);
}

int __wrap_mdb_cursor_open(MDB_txn *txn, MDB_dbi dbi, MDB_cursor **cursor)
{
    return allocation_fails() ? ENOMEM : __real_mdb_cursor_open(txn, dbi, cursor);
}

int __wrap_mdb_put(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *data, unsigned flags)
{
    return allocation_fails() ? ENOMEM : __real_mdb_put(txn, dbi, key, data, flags);
}

int __wrap_mdb_del(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *data)
{
    return allocation_fails() ? ENOMEM : __real_mdb_del(txn, dbi, key, data);
}

int __wrap_mdb_txn_commit(MDB_txn *txn)
{
    if (!allocation_fails())
        return __real_mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return ENOMEM;
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*body)(void *), void *arg)
{
    return allocation_fails() ? EAGAIN : __real_pthread_create(thread, attr, body, arg);
}

static void *json_malloc(size_t len)
{
    return malloc(len);
}

static void json_free(void *at)
{
    free(at);
}

/* From here on cJSON asks for memory where it can be refused. */
static void failing_json(void)
{
    cJSON_Hooks hooks = { .malloc_fn = json_malloc, .free_fn = json_free };

    cJSON_InitHooks(&hooks);
}

__attribute__((weak)) int __lsan_do_recoverable_leak_check(void);

#endif
