/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of a file as lines or whole, within limits, hashed on their way. */
#include "interop.h"

#include "base/hash.h"

#include <string.h>

enum { chunk_bytes = 64 << 10 };

void tare_interop_reader_init(struct tare_interop_reader *reader, FILE *from, const char *path)
{
    const char *slash = strrchr(path, '/');
    *reader = (struct tare_interop_reader){
        .from = from, .name = slash ? slash + 1 : path, .hasher = tare_hasher_begin()};
    tare_buf_init(&reader->pending, tare_interop_max_text);
}

void tare_interop_reader_fini(struct tare_interop_reader *reader)
{
    char ignored[TARE_SHA256_HEX];
    if (reader->hasher) {
        (void)!tare_hasher_end(reader->hasher, ignored, NULL);
    }
    reader->hasher = NULL;
    tare_buf_fini(&reader->pending);
}

static const char *rest(const struct tare_interop_reader *reader, size_t *out_n)
{
    *out_n = reader->pending.used - reader->taken;
    return tare_buf_str(&reader->pending) + reader->taken;
}

/* One more chunk into the buffer; what was taken goes first. */
static int fill(struct tare_interop_reader *reader, struct tare_err *err)
{
    char chunk[chunk_bytes];
    if (reader->taken > 0) {
        tare_buf_drop(&reader->pending, reader->taken);
        reader->taken = 0;
    }
    size_t n = fread(chunk, 1, sizeof chunk, reader->from);
    if (n < sizeof chunk && ferror(reader->from)) {
        return tare_err_set(err, TARE_E_IO, "%.200s: cannot be read", reader->name);
    }
    reader->end = n < sizeof chunk;
    reader->bytes += (int64_t)n;
    tare_hasher_add(reader->hasher, chunk, n);
    tare_buf_add(&reader->pending, chunk, n);
    if (reader->pending.failed == TARE_E_LIMIT) {
        return tare_err_set(err, TARE_E_LIMIT,
                            "%.200s: %s is over %d MiB, the most that is read at once; split the file",
                            reader->name, reader->line > 0 ? "a line" : "it or one of its lines",
                            tare_interop_max_text >> 20);
    }
    return tare_buf_check(&reader->pending, reader->name, err);
}

int tare_interop_peek(struct tare_interop_reader *reader, const char **out, size_t *out_n,
                      struct tare_err *err)
{
    int r = 0;
    while (r == 0 && !reader->end && reader->pending.used - reader->taken < tare_interop_head) {
        r = fill(reader, err);
    }
    if (r == 0) {
        *out = rest(reader, out_n);
        *out_n = *out_n < tare_interop_head ? *out_n : tare_interop_head;
    }
    return r;
}

int tare_interop_line(struct tare_interop_reader *reader, const char **out, size_t *out_n,
                      struct tare_err *err)
{
    size_t n, searched = 0;
    const char *text = rest(reader, &n), *end;
    while (!(end = n > searched ? memchr(text + searched, '\n', n - searched) : NULL) && !reader->end) {
        searched = n;
        int r = fill(reader, err);
        if (r < 0) {
            return r;
        }
        text = rest(reader, &n);
    }
    if (!end && n == 0) {
        return 0;
    }
    size_t length = end ? (size_t)(end - text) : n;
    reader->taken += length + (end != NULL);
    reader->line++;
    *out = text;
    *out_n = length > 0 && text[length - 1] == '\r' ? length - 1 : length;
    return 1;
}

int tare_interop_all(struct tare_interop_reader *reader, const char **out, size_t *out_n,
                     struct tare_err *err)
{
    int r = 0;
    while (r == 0 && !reader->end) {
        r = fill(reader, err);
    }
    if (r == 0) {
        *out = rest(reader, out_n);
        reader->taken = reader->pending.used;
    }
    return r;
}

int tare_interop_hash(struct tare_interop_reader *reader, char out[65], struct tare_err *err)
{
    int r = 0;
    while (r == 0 && !reader->end) {
        reader->taken = reader->pending.used;
        r = fill(reader, err);
    }
    if (r < 0) {
        return r;
    }
    struct tare_hasher *hasher = reader->hasher;
    reader->hasher = NULL;
    return tare_hasher_end(hasher, out, err);
}
