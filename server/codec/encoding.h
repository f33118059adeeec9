/* SPDX-License-Identifier: MIT */
#ifndef PL_CODEC_ENCODING_H
#define PL_CODEC_ENCODING_H

#include "base/bytes.h"

#include <zlib.h>

/**
 * Bodies in gzip or deflate (the zlib format), both ways, and the checksum over a reply. A coder keeps
 * zlib's memory (about 300 KB, taken when first needed) for the next body. One thread at a time.
 */
enum pl_encoding { PL_ENCODING_IDENTITY, PL_ENCODING_GZIP, PL_ENCODING_DEFLATE };

/** Zeroed memory is a coder. */
struct pl_coder {
    z_stream inflate, deflate_zlib, deflate_gzip;
    bool has_inflate, has_deflate_zlib, has_deflate_gzip;
};

void pl_coder_deinit(struct pl_coder *coder);

/** The encoding a Content-Encoding names; empty is identity. False: one that nobody here reads. */
bool pl_encoding_read(struct pl_bytes text, enum pl_encoding *out);

/** The best of what an Accept-Encoding allows, by its q-values; gzip before deflate. */
enum pl_encoding pl_encoding_choose(struct pl_bytes accepted);

/** "gzip"; empty for identity. */
struct pl_bytes pl_encoding_name(enum pl_encoding encoding);

/**
 * Append what `in` unpacks to. PL_ESYNTAX: it is broken or cut short, or something follows it (members of gzip may follow
 * one another). PL_ELIMIT: there is more than `most` bytes in it. PL_ENOMEM.
 */
int pl_coder_unpack(struct pl_coder *coder, enum pl_encoding encoding, struct pl_bytes in, size_t most,
                    struct pl_buf *out);

/** Append `in`, packed. 0 or PL_ENOMEM; then `out` may have failed (pl_buf_status()) or be as it was. */
int pl_coder_pack(struct pl_coder *coder, enum pl_encoding encoding, struct pl_bytes in, struct pl_buf *out);

/** The CRC-32 of IEEE 802.3, as zlib and x-amz-crc32 have it. */
uint32_t pl_encoding_crc32(struct pl_bytes bytes);

#endif
