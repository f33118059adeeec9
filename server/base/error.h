/* SPDX-License-Identifier: MIT */
#ifndef PL_BASE_ERROR_H
#define PL_BASE_ERROR_H

#include "base/bytes.h"

#include <stdarg.h>

/**
 * Every failure the server can report: its name, its number (never reused), the
 * code a client sees, and the sentence used when nobody knows better.
 *
 * A function that can fail returns 0 or one of these, and puts its result in its
 * last argument, which it leaves alone on failure. Where a person's input was
 * wrong, it also fills a `struct pl_reason` with a sentence for that person.
 *
 * The codes are DynamoDB's exception names wherever DynamoDB has one.
 */
#define PL_ERROR_MAP(X)                                                                                      \
    X(ENOMEM, -1, "InternalServerError", "out of memory")                                                    \
    X(ENOTFOUND, -2, "ResourceNotFoundException", "there is nothing under that key")                         \
    X(ECONDITION, -3, "ConditionalCheckFailedException", "The conditional request failed")                   \
    X(EOVERLOAD, -4, "RequestLimitExceeded", "too much work is already waiting")                             \
    X(ECLOSED, -5, "ServiceUnavailable", "the connection is closing")                                        \
    X(EFULL, -6, "StorageFullException", "the disk is full: deletes and reads still work")                   \
    X(EIO, -7, "InternalServerError", "reading or writing the disk failed")                                  \
    X(EUNSURE, -8, "InternalServerError", "the write may or may not have happened")                          \
    X(EINVALID, -9, "ValidationException", "the request is not valid")                                       \
    X(ENOTABLE, -10, "ResourceNotFoundException", "Requested resource not found")                            \
    X(EINUSE, -11, "ResourceInUseException", "the resource is in use")                                       \
    X(ECORRUPT, -12, "InternalServerError", "stored data failed its checksum")                               \
    X(ESCRIPT, -13, "ScriptErrorException", "a Lua function of the table failed")                            \
    X(EREJECTED, -14, "WriteRejectedException", "the table's before_write refused the write")                \
    X(ELIMIT, -15, "LimitExceededException", "a limit was exceeded")                                         \
    X(ESYNTAX, -16, "SerializationException", "the request could not be read")                               \
    X(EUNKNOWN, -17, "UnknownOperationException", "there is no such operation")                              \
    X(ELOCKED, -20, "ResourceInUseException", "the data directory is in use")                                \
    X(EFORMAT, -21, "InternalServerError", "the data directory has a format this version cannot read")       \
    X(ECONFIG, -22, "ValidationException", "the configuration is not valid")                                 \
    X(EREADONLY, -24, "ServiceUnavailable", "the shard has stopped taking writes")                           \
    X(ECANCELLED, -30, "TransactionCanceledException",                                                       \
      "Transaction cancelled, please refer cancellation reasons for specific reasons")                       \
    X(ECONFLICT, -31, "TransactionConflictException", "Transaction is ongoing for the item")                 \
    X(EMISMATCH, -32, "IdempotentParameterMismatchException",                                                \
      "The request has a different payload from the one that its idempotent token was already used for")     \
    X(EINPROGRESS, -33, "TransactionInProgressException",                                                    \
      "The transaction with the given request token is already in progress")                                 \
    X(ETRIMMED, -35, "TrimmedDataAccessException", "records after that position are kept no longer")         \
    X(ETHROUGHPUT, -40, "ProvisionedThroughputExceededException",                                            \
      "The level of configured provisioned throughput for the table was exceeded. Consider increasing your " \
      "provisioning level with the UpdateTable API.")                                                        \
    X(ECOLLECTION, -41, "ItemCollectionSizeLimitExceededException", "Collection size exceeded.")

enum pl_error {
#define PL_ERROR_NUMBER(name, number, code, sentence) PL_##name = number,
    PL_ERROR_MAP(PL_ERROR_NUMBER)
#undef PL_ERROR_NUMBER
};

/** The code a client sees, such as "ValidationException". Never NULL. */
const char *pl_error_code(int rc);

/** The general sentence for `rc`. Never NULL. */
const char *pl_error_sentence(int rc);

/** `EIO` for PL_EIO: for who debugs or tests. Never NULL. */
const char *pl_error_name(int rc);

/** The nearest PL_ number for an `errno` value (ENOSPC is PL_EFULL, what is unknown is PL_EIO). */
int pl_error_from_errno(int number);

enum { PL_REASON_MAX = 1024 };

/** A sentence for the person whose input was wrong, cut at a whole UTF-8 character when too long. */
struct pl_reason {
    char text[PL_REASON_MAX];
};

/** Write the sentence and return `rc`, so that a parser can `return pl_reason_set(...)`. `why` may be NULL. */
int pl_reason_vset(struct pl_reason *why, int rc, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));
int pl_reason_set(struct pl_reason *why, int rc, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** The sentence if one was written, else the general one of `rc`. */
const char *pl_reason_text(const struct pl_reason *why, int rc);

/**
 * For our own mistakes only, never for a client's or a disk's. Stays on in
 * release builds, because what it guards is data.
 */
#define PL_ASSERT(condition) ((condition) ? (void)0 : pl_assert_failed(#condition, __FILE__, __LINE__))

_Noreturn void pl_assert_failed(const char *condition, const char *file, int line);

#endif
