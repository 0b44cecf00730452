/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of llama-perplexity's files of logits: what it opens can be read to the end, or says why not,
 * and what it hands out is a log-probability of a token of the vocabulary. */
#include "fuzz.h"

#include "fidelity/llama_logits.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    n_ctx = 4,
    n_vocab = 3,
    n_chunk = 3,
    row_bytes = 16,
    seed_bytes = 20 + n_chunk * (4 * n_ctx + row_bytes)
};

static const char *const words[] = {"_logits_", "\x04", "\x03", "\xff\xff\xff\xff", "\xff\xff\xff\x7f", NULL};

static void put(char *to, int32_t value)
{
    memcpy(to, &value, sizeof value);
}

static void make(char *to)
{
    memset(to, 0, seed_bytes);
    memcpy(to, "_logits_", 8);
    put(to + 8, n_ctx);
    put(to + 12, n_vocab);
    put(to + 16, n_chunk);
    for (int i = 0; i < n_ctx * n_chunk; i++) {
        put(to + 20 + (size_t)i * 4, i % n_vocab);
    }
    for (int r = 0; r < n_chunk; r++) {
        const float head[2] = {1e-5F, -3};
        memcpy(to + 20 + n_ctx * n_chunk * 4 + (size_t)r * row_bytes, head, sizeof head);
    }
}

static void read_chunk(struct tare_llama_logits *f, uint32_t chunk, int32_t *ids, float *row)
{
    struct tare_err err = {0};
    if (tare_llama_logits_ids(f, chunk, ids, &err) == 0) {
        for (uint32_t i = 0; i < f->n_ctx; i++) {
            fuzz_check(ids[i] >= 0 && (uint32_t)ids[i] < f->n_vocab, "a token of no vocabulary");
        }
    } else {
        fuzz_check(err.msg[0] && !strchr(err.msg, '\n'), "ids were refused without a line");
    }
    for (uint32_t r = 0; r < f->n_rows; r++) {
        float lowest = 1;
        if (tare_llama_logits_row(f, chunk, r, row, &lowest, &err) == 0) {
            fuzz_check(isfinite(lowest) && lowest < 0.02F, "no lowest log-probability");
            for (uint32_t i = 0; i < f->n_vocab; i++) {
                fuzz_check((isfinite(row[i]) || (isinf(row[i]) && row[i] < 0)) && row[i] < 0.02F,
                           "no log-probability");
            }
        }
    }
}

static int read_file(const char *data, size_t n, struct tare_rng *rng, struct tare_err *err)
{
    struct tare_llama_logits f, before;
    (void)rng;
    memset(&f, 0x5a, sizeof f);
    before = f;
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    fuzz_check(fd >= 0 && write(fd, data, n) == (ssize_t)n, "no memory file");
    int r = tare_llama_logits_from(fd, "fuzz", &f, err);
    if (r < 0) {
        fuzz_check(memcmp(&f, &before, sizeof f) == 0, "a failure touched the output");
        return r;
    }
    fuzz_check(f.n_chunk * ((uint64_t)f.n_ctx * 4 + (uint64_t)f.n_rows * f.row_bytes) + 20 == n,
               "a file of another length than it says");
    int32_t *ids = malloc(f.n_ctx * sizeof *ids);
    float *row = malloc(f.n_vocab * sizeof *row);
    fuzz_check(ids && row, "no memory");
    for (uint32_t chunk = 0; chunk < f.n_chunk; chunk++) {
        read_chunk(&f, chunk, ids, row);
    }
    free(ids);
    free(row);
    tare_llama_logits_close(&f);
    return 0;
}

int main(void)
{
    static char seed[seed_bytes];
    make(seed);
    const struct fuzz_seed seeds[] = {{seed, sizeof seed}};
    return fuzz_main(&(struct fuzz_target){"llama_logits", seeds, 1, words, 30000, read_file});
}
