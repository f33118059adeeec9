/* SPDX-License-Identifier: MIT */
#ifndef PL_CONFIG_H
#define PL_CONFIG_H

#include "base/logger.h"
#include "codec/sigv4.h"
#include "net/address.h"
#include "node.h"

#include <stdio.h>

/**
 * Settings of `perilune serve`. One table (config.c) names them all; each comes, key by key,
 * from the first of these that has it:
 *
 *     flag          --max-connections 100     or --max-connections=100
 *     environment   PERILUNE_MAX_CONNECTIONS=100
 *     file          max-connections = 100     in --config FILE, else ./perilune.conf when there is one
 *     default
 *
 * A key that nobody knows is refused wherever it stands: a setting that is ignored
 * because of a typing error is worse than a server that does not start.
 */
enum pl_config_origin { PL_CONFIG_DEFAULT, PL_CONFIG_FILE, PL_CONFIG_ENVIRONMENT, PL_CONFIG_FLAG };

enum pl_config_key {
    PL_CONFIG_SCRIPTS,
    PL_CONFIG_DATA,
    PL_CONFIG_LISTEN,
    PL_CONFIG_HTTP,
    PL_CONFIG_ACCESS_KEYS,
    PL_CONFIG_REGION,
    PL_CONFIG_ACCOUNT,
    PL_CONFIG_TABLE_DELAY,
    PL_CONFIG_IO_THREADS,
    PL_CONFIG_PARTITIONS,
    PL_CONFIG_SYNC,
    PL_CONFIG_LOG_FORMAT,
    PL_CONFIG_LOG_LEVEL,
    PL_CONFIG_MAX_CONNECTIONS,
    PL_CONFIG_MAX_LINE_BYTES,
    PL_CONFIG_MAX_IN_FLIGHT,
    PL_CONFIG_IDLE_TIMEOUT,
    PL_CONFIG_STALL_TIMEOUT,
    PL_CONFIG_DRAIN_TIMEOUT,
    PL_CONFIG_SCRIPT_TIME,
    PL_CONFIG_SCRIPT_MEMORY,
    PL_CONFIG_TRIGGER_THREADS,
    PL_CONFIG_TRIGGER_TIME,
    PL_CONFIG_ITEM_COLLECTION,
    PL_CONFIG_TTL_SWEEP,
    PL_CONFIG_STREAM_RETENTION,
    PL_CONFIG_KEY_TOTAL
};

struct pl_config {
    char *texts[PL_CONFIG_KEY_TOTAL]; /* as written; ours */
    enum pl_config_origin origins[PL_CONFIG_KEY_TOTAL];
    char *file; /* the file that was read, or NULL; ours */
    bool print; /* --print-config: show, do not serve */

    /* What the texts mean. */
    const char *scripts_path; /* NULL: none */
    const char *data_path;
    struct pl_address listen;
    bool has_http; /* false: --http off */
    struct pl_address http;
    struct pl_sigv4_key *access_keys; /* ours; views into the text. NULL: signatures are not verified */
    uint32_t access_key_count;
    const char *region;
    const char *account;
    uint32_t table_delay_ms;
    uint32_t io_threads; /* 0: one less than the machine has cores, and at least one */
    uint32_t partitions;
    enum pl_sync_mode sync_mode;
    uint32_t sync_interval_ms;
    enum pl_log_format log_format;
    enum pl_log_level log_level;
    uint32_t connections_max;
    uint32_t line_bytes_max;
    uint32_t in_flight_max;
    uint32_t idle_timeout_s;  /* 0: never */
    uint32_t stall_timeout_s; /* 0: never */
    uint32_t drain_timeout_s;
    uint32_t script_time_ms;
    uint32_t script_memory_mb;
    uint32_t trigger_threads;
    uint32_t trigger_time_ms;
    uint64_t collection_bytes_max;
    uint32_t ttl_sweep_ms;
    uint32_t stream_retention_ms;
};

/**
 * Read everything. `args` are the flags after `serve`, `environment` is NULL-ended. PL_EINVALID: the
 * command line is wrong (exit 2); PL_ECONFIG: a value or key is (exit 78). pl_config_deinit() is due
 * in every case.
 */
int pl_config_read(struct pl_config *config, int arg_count, char *const *args, char *const *environment,
                   struct pl_reason *why);

/** Every setting, its value and where it came from. */
void pl_config_print(const struct pl_config *config, FILE *out);

/** The flags, for `perilune help serve`. */
void pl_config_print_flags(FILE *out);

void pl_config_deinit(struct pl_config *config);

#endif
