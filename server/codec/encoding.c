/* SPDX-License-Identifier: MIT */
#include "codec/encoding.h"

#include "base/error.h"

enum {
    WINDOW_BITS = 15,
    GZIP_BITS = 16,        /* added to the window's: gzip's head and tail instead of zlib's */
    LEVEL = 1,             /* replies are packed while a client waits, and others behind it */
    MEMORY_LEVEL = 8,      /* zlib's default */
    PIECE_BYTES = 16 << 10 /* room made at a time for what is unpacked */
};

void pl_coder_deinit(struct pl_coder *coder)
{
    if (coder->has_inflate)
        inflateEnd(&coder->inflate);
    if (coder->has_deflate_zlib)
        deflateEnd(&coder->deflate_zlib);
    if (coder->has_deflate_gzip)
        deflateEnd(&coder->deflate_gzip);
    *coder = (struct pl_coder){ 0 };
}

/* --- names --- */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool is_word(struct pl_bytes text, const char *word)
{
    size_t i = 0;

    while (i < text.len && word[i] != '\0' && lower(text.data[i]) == word[i])
        i++;
    return i == text.len && word[i] == '\0';
}

bool pl_encoding_read(struct pl_bytes text, enum pl_encoding *out)
{
    if (text.len == 0 || is_word(text, "identity"))
        *out = PL_ENCODING_IDENTITY;
    else if (is_word(text, "gzip") || is_word(text, "x-gzip"))
        *out = PL_ENCODING_GZIP;
    else if (is_word(text, "deflate"))
        *out = PL_ENCODING_DEFLATE;
    else
        return false;
    return true;
}

struct pl_bytes pl_encoding_name(enum pl_encoding encoding)
{
    return pl_str(encoding == PL_ENCODING_GZIP ? "gzip" : encoding == PL_ENCODING_DEFLATE ? "deflate" : "");
}

/* Cut the text before the first `separator` off `*rest`. */
static struct pl_bytes cut(struct pl_bytes *rest, char separator)
{
    const char *at = memchr(rest->data, separator, rest->len);
    struct pl_bytes first = *rest;

    if (at == NULL) {
        *rest = pl_bytes(rest->data + rest->len, 0);
        return pl_bytes_trim(first);
    }
    first.len = (size_t)(at - rest->data);
    *rest = pl_bytes(at + 1, rest->len - first.len - 1);
    return pl_bytes_trim(first);
}

/* q=0.5 in thousandths. What is no weight at all counts as none. */
static unsigned read_weight(struct pl_bytes parameters)
{
    struct pl_bytes text = cut(&parameters, ';');
    unsigned weight, unit = 1000;

    if (text.len == 0)
        return 1000;
    if (text.len < 3 || lower(text.data[0]) != 'q' || text.data[1] != '=')
        return 0;
    if (text.data[2] != '0' && text.data[2] != '1')
        return 0;
    weight = text.data[2] == '1' ? 1000 : 0;
    for (size_t i = 4; i < text.len && i < 7 && text.data[3] == '.'; i++) {
        unit /= 10;
        if (text.data[i] < '0' || text.data[i] > '9')
            return 0;
        weight += (unsigned)(text.data[i] - '0') * unit;
    }
    return weight > 1000 ? 1000 : weight;
}

enum pl_encoding pl_encoding_choose(struct pl_bytes accepted)
{
    unsigned any = 0, gzip = 0, deflate = 0;
    bool has_gzip = false, has_deflate = false;

    while (accepted.len > 0) {
        struct pl_bytes parameters = cut(&accepted, ','), name = cut(&parameters, ';');
        unsigned weight = read_weight(parameters);

        if (is_word(name, "gzip") || is_word(name, "x-gzip")) {
            gzip = weight;
            has_gzip = true;
        } else if (is_word(name, "deflate")) {
            deflate = weight;
            has_deflate = true;
        } else if (is_word(name, "*")) {
            any = weight;
        }
    }
    gzip = has_gzip ? gzip : any;
    deflate = has_deflate ? deflate : any;
    if (gzip == 0 && deflate == 0)
        return PL_ENCODING_IDENTITY;
    return gzip >= deflate ? PL_ENCODING_GZIP : PL_ENCODING_DEFLATE;
}

/* --- unpacking --- */

static int begin_unpacking(struct pl_coder *coder, enum pl_encoding encoding)
{
    int bits = encoding == PL_ENCODING_GZIP ? WINDOW_BITS + GZIP_BITS : WINDOW_BITS;

    if (coder->has_inflate)
        return inflateReset2(&coder->inflate, bits) == Z_OK ? 0 : PL_ENOMEM;
    coder->inflate = (z_stream){ 0 };
    coder->has_inflate = inflateInit2(&coder->inflate, bits) == Z_OK;
    return coder->has_inflate ? 0 : PL_ENOMEM;
}

/* One member of gzip, or the whole of a deflate body. Takes from z->next_in what belongs to it. */
static int unpack_member(z_stream *z, size_t most, struct pl_buf *out)
{
    int rc;

    do {
        size_t left = most - out->len, room = left + 1 < PIECE_BYTES ? left + 1 : PIECE_BYTES;
        char *at = pl_buf_reserve(out, room);

        if (at == NULL)
            return PL_ENOMEM;
        z->next_out = (Bytef *)at;
        z->avail_out = (uInt)room;
        rc = inflate(z, Z_NO_FLUSH);
        out->len += room - z->avail_out;
        if (out->len > most)
            return PL_ELIMIT;
    } while (rc == Z_OK);
    if (rc == Z_MEM_ERROR)
        return PL_ENOMEM;
    return rc == Z_STREAM_END ? 0 : PL_ESYNTAX;
}

int pl_coder_unpack(struct pl_coder *coder, enum pl_encoding encoding, struct pl_bytes in, size_t most,
                    struct pl_buf *out)
{
    z_stream *z = &coder->inflate;
    int rc;

    PL_ASSERT(out->len <= most && encoding != PL_ENCODING_IDENTITY);
    rc = begin_unpacking(coder, encoding);
    z->next_in = (Bytef *)(uintptr_t)in.data;
    z->avail_in = (uInt)in.len;
    if (rc == 0)
        rc = unpack_member(z, most, out);
    while (rc == 0 && z->avail_in > 0) {
        if (encoding != PL_ENCODING_GZIP)
            return PL_ESYNTAX;
        rc = inflateReset(z) == Z_OK ? unpack_member(z, most, out) : PL_ENOMEM;
    }
    return rc;
}

/* --- packing --- */

/* zlib cannot turn a stream of one format into one of the other, so there is one of each. */
static z_stream *begin_packing(struct pl_coder *coder, enum pl_encoding encoding)
{
    bool gzip = encoding == PL_ENCODING_GZIP;
    z_stream *z = gzip ? &coder->deflate_gzip : &coder->deflate_zlib;
    bool *has = gzip ? &coder->has_deflate_gzip : &coder->has_deflate_zlib;

    if (*has)
        return deflateReset(z) == Z_OK ? z : NULL;
    *z = (z_stream){ 0 };
    *has = deflateInit2(z, LEVEL, Z_DEFLATED, WINDOW_BITS + (gzip ? GZIP_BITS : 0), MEMORY_LEVEL,
                        Z_DEFAULT_STRATEGY) == Z_OK;
    return *has ? z : NULL;
}

int pl_coder_pack(struct pl_coder *coder, enum pl_encoding encoding, struct pl_bytes in, struct pl_buf *out)
{
    z_stream *z = begin_packing(coder, encoding);
    size_t room;
    char *at;
    int rc;

    if (z == NULL)
        return PL_ENOMEM;
    room = deflateBound(z, in.len);
    at = pl_buf_reserve(out, room);
    if (at == NULL)
        return PL_ENOMEM;
    z->next_in = (Bytef *)(uintptr_t)in.data;
    z->avail_in = (uInt)in.len;
    z->next_out = (Bytef *)at;
    z->avail_out = (uInt)room;
    rc = deflate(z, Z_FINISH);
    PL_ASSERT(rc == Z_STREAM_END); /* there was room for all of it */
    out->len += room - z->avail_out;
    return 0;
}

uint32_t pl_encoding_crc32(struct pl_bytes bytes)
{
    return (uint32_t)crc32_z(0, (const Bytef *)bytes.data, bytes.len);
}
