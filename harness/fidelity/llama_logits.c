/* SPDX-License-Identifier: Apache-2.0 */
/* Offsets are computed in 64 bits out of numbers that are bounded first, and held against the file's length.
 */
#include "fidelity/llama_logits.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { header_bytes = 20, most_ctx = 1 << 24, most_vocab = 1 << 24, scale_bytes = 8 };
/* The writer computes in single precision: its largest probability may come out a little above 1. */
static const float most_logprob = 0.01F;
/* Span of a row, in nats, from which on its lowest codes may be cut: 16, less what single precision loses. */
static const float cut_span = 15.999F;

static int wrong(const struct tare_llama_logits *f, struct tare_err *err, const char *what)
{
    return tare_err_set(err, TARE_E_FORMAT, "%.300s: %s", f->path, what);
}

static int read_at(const struct tare_llama_logits *f, void *to, size_t n, uint64_t offset,
                   struct tare_err *err)
{
    char *at = to;
    while (n > 0) {
        ssize_t got = pread(f->fd, at, n, (off_t)offset);
        if (got == 0) {
            return wrong(f, err, "it ends too early: it was cut while it was read");
        }
        if (got < 0 && errno != EINTR) {
            return tare_err_set(err, TARE_E_IO, "%.300s: %s", f->path, strerror(errno));
        }
        at += got > 0 ? got : 0;
        offset += got > 0 ? (uint64_t)got : 0;
        n -= got > 0 ? (size_t)got : 0;
    }
    return 0;
}

static uint32_t u32_of(const unsigned char *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return le32toh(value);
}

static float float_of(const unsigned char *bytes)
{
    uint32_t bits = u32_of(bytes);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* All products stay below 2^64: at most 2^31 chunks of 2^24 positions of 2^26 bytes would not, so the number
 * of chunks is bounded by the file's length first. */
static int measure(struct tare_llama_logits *f, uint64_t length, struct tare_err *err)
{
    f->first = f->n_ctx / 2;
    f->n_rows = f->n_ctx - 1 - f->first;
    f->row_bytes = 2 * (2 * (((size_t)f->n_vocab + 1) / 2) + 4);
    uint64_t ids = (uint64_t)f->n_ctx * sizeof(int32_t), rows = (uint64_t)f->n_rows * f->row_bytes;
    if (f->n_chunk > (length - header_bytes) / (ids + rows)) {
        return tare_err_set(err, TARE_E_FORMAT,
                            "%.300s: its header speaks of %u chunks of %u tokens, for which it is too short; "
                            "was the program that wrote it stopped?",
                            f->path, f->n_chunk, f->n_ctx);
    }
    f->rows_begin = header_bytes + f->n_chunk * ids;
    if (length != f->rows_begin + f->n_chunk * rows) {
        return wrong(f, err, "it is longer than its header says");
    }
    return 0;
}

static int read_header(struct tare_llama_logits *f, struct tare_err *err)
{
    unsigned char header[header_bytes];
    struct stat st;
    if (fstat(f->fd, &st) != 0) {
        return tare_err_set(err, TARE_E_IO, "%.300s: %s", f->path, strerror(errno));
    }
    if (!S_ISREG(st.st_mode)) {
        return tare_err_set(err, TARE_E_IO, "%.300s: is no file", f->path);
    }
    if (st.st_size < header_bytes) {
        return wrong(f, err, "it is too short for a file of logits");
    }
    int r = read_at(f, header, sizeof header, 0, err);
    if (r == 0 && memcmp(header, "_logits_", 8) != 0) {
        r = wrong(f, err, "it is no file of logits as llama-perplexity --kl-divergence-base writes it");
    }
    if (r < 0) {
        return r;
    }
    f->n_ctx = u32_of(header + 8);
    f->n_vocab = u32_of(header + 12);
    f->n_chunk = u32_of(header + 16);
    if (f->n_ctx < 4 || f->n_ctx > most_ctx || f->n_vocab < 1 || f->n_vocab > most_vocab || f->n_chunk < 1) {
        return tare_err_set(err, TARE_E_FORMAT,
                            "%.300s: %u chunks of %u tokens out of a vocabulary of %u cannot be", f->path,
                            f->n_chunk, f->n_ctx, f->n_vocab);
    }
    return measure(f, (uint64_t)st.st_size, err);
}

int tare_llama_logits_from(int fd, const char *path, struct tare_llama_logits *out, struct tare_err *err)
{
    struct tare_llama_logits f = {.path = path, .fd = fd};
    int r = read_header(&f, err);
    if (r == 0) {
        f.stored = malloc(f.row_bytes);
        r = f.stored ? 0 : tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    if (r < 0) {
        close(fd);
        return r;
    }
    *out = f;
    return 0;
}

int tare_llama_logits_open(const char *path, struct tare_llama_logits *out, struct tare_err *err)
{
    /* Not to wait for a writer where the path is a pipe; what is no file is refused behind this. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    return fd < 0 ? tare_err_set(err, TARE_E_IO, "%.300s: %s", path, strerror(errno))
                  : tare_llama_logits_from(fd, path, out, err);
}

void tare_llama_logits_close(struct tare_llama_logits *file)
{
    if (file->stored) {
        close(file->fd);
        free(file->stored);
    }
    memset(file, 0, sizeof *file);
}

int tare_llama_logits_ids(struct tare_llama_logits *f, uint32_t chunk, int32_t *out, struct tare_err *err)
{
    if (chunk >= f->n_chunk) {
        return tare_err_set(err, TARE_E_USAGE, "%.300s: there is no chunk %u", f->path, chunk);
    }
    size_t n = f->n_ctx * sizeof *out;
    int r = read_at(f, out, n, header_bytes + (uint64_t)chunk * n, err);
    for (uint32_t i = 0; r == 0 && i < f->n_ctx; i++) {
        out[i] = (int32_t)le32toh((uint32_t)out[i]);
        if (out[i] < 0 || (uint32_t)out[i] >= f->n_vocab) {
            return tare_err_set(err, TARE_E_FORMAT,
                                "%.300s: token %u of chunk %u is %d, of a vocabulary of %u", f->path, i,
                                chunk, out[i], f->n_vocab);
        }
    }
    return r;
}

int tare_llama_logits_row(struct tare_llama_logits *f, uint32_t chunk, uint32_t row, float *out,
                          float *out_lowest, struct tare_err *err)
{
    if (chunk >= f->n_chunk || row >= f->n_rows) {
        return tare_err_set(err, TARE_E_USAGE, "%.300s: there is no row %u of chunk %u", f->path, row, chunk);
    }
    uint64_t index = (uint64_t)chunk * f->n_rows + row;
    int r = read_at(f, f->stored, f->row_bytes, f->rows_begin + index * f->row_bytes, err);
    if (r < 0) {
        return r;
    }
    float scale = float_of(f->stored), lowest = float_of(f->stored + 4);
    if (!(isfinite(scale) && scale >= 0 && isfinite(lowest) && lowest + 65535 * scale <= most_logprob)) {
        return tare_err_set(err, TARE_E_FORMAT,
                            "%.300s: row %u of chunk %u has log-probabilities of %g to %g", f->path, row,
                            chunk, (double)lowest, (double)(lowest + 65535 * scale));
    }
    bool cut = 65535 * scale > cut_span;
    *out_lowest = lowest;
    for (uint32_t i = 0; i < f->n_vocab; i++) {
        uint16_t code;
        memcpy(&code, f->stored + scale_bytes + 2 * (size_t)i, sizeof code);
        out[i] = cut && code == 0 ? -INFINITY : lowest + scale * (float)le16toh(code);
    }
    return 0;
}
