/* SPDX-License-Identifier: MIT */
#ifndef PL_MODEL_BASE64_H
#define PL_MODEL_BASE64_H

#include "base/bytes.h"

/**
 * Standard base64 (RFC 4648, section 4) with padding. Reading is strict: no white
 * space, no missing padding, no bits set that encode nothing, so that every byte
 * string has exactly one spelling.
 */
void pl_base64_write(struct pl_buf *out, struct pl_bytes bytes);

/**
 * Append the bytes that `text` stands for. False, with nothing appended, when it is no
 * base64. Memory trouble shows in pl_buf_status(), and is false too.
 */
bool pl_base64_read(struct pl_bytes text, struct pl_buf *out);

/** As pl_base64_read(), into `out`, which has room for text.len / 4 * 3 bytes. */
bool pl_base64_decode(struct pl_bytes text, char *out, size_t *len);

#endif
