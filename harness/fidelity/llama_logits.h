/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file that llama-perplexity writes with --kl-divergence-base: a teacher's distributions over one text.
 * Little-endian:
 *
 *   "_logits_", int32 n_ctx, int32 n_vocab, int32 n_chunk, int32 ids[n_chunk * n_ctx], and then for each
 * chunk n_ctx - 1 - n_ctx / 2 rows: float scale, float lowest, uint16 code[n_vocab], a uint16 of padding
 * where n_vocab is odd, and 2 before the codes that are scale and lowest themselves: 2 * ceil(n_vocab / 2) +
 * 4 uint16 in all. Row r of a chunk stands behind its position n_ctx / 2 + r; ln p = lowest + scale * code.
 *
 * Chunks are cuts of one long text; the first id of each was replaced by the beginning-of-sequence token when
 * it was computed, if the model has one, and the ids in the file are those before that. Log-probabilities
 * lower than 16 nats below the largest logit are written as if they stood there, and all are rounded to a
 * 65535th of that range: distributions out of such a file are approximate.
 *
 * Reads one chunk's ids and one row at a time; trusts no length. Not a writer.
 */
#ifndef TARE_FIDELITY_LLAMA_LOGITS_H
#define TARE_FIDELITY_LLAMA_LOGITS_H

#include <stdint.h>
#include <tare/err.h>

struct tare_llama_logits {
    const char *path; /* borrowed, for messages */
    int fd;
    uint32_t n_ctx, n_vocab, n_chunk;
    uint32_t first;        /* position behind which the first row of a chunk stands */
    uint32_t n_rows;       /* of a chunk */
    size_t row_bytes;      /* as stored */
    uint64_t rows_begin;   /* offset in the file */
    unsigned char *stored; /* one row */
};

/* TARE_E_FORMAT says what is wrong and where; a file that is shorter or longer than its header demands is. */
TARE_MUST_CHECK int tare_llama_logits_open(const char *path, struct tare_llama_logits *out,
                                           struct tare_err *err);
/* The same of a descriptor, which is taken over in success and failure. */
TARE_MUST_CHECK int tare_llama_logits_from(int fd, const char *path, struct tare_llama_logits *out,
                                           struct tare_err *err);
void tare_llama_logits_close(struct tare_llama_logits *file);
/* n_ctx ids of a chunk below n_chunk, each of them below n_vocab. */
TARE_MUST_CHECK int tare_llama_logits_ids(struct tare_llama_logits *file, uint32_t chunk, int32_t *out,
                                          struct tare_err *err);
/* n_vocab log-probabilities, at most a rounding above 0; row below n_rows. Where the row spans all of 16
 * nats, tokens with code 0 lie there or anywhere below: they are -INFINITY in `out`, and *out_lowest, which
 * is what the file has for them, is the most that they can be. */
TARE_MUST_CHECK int tare_llama_logits_row(struct tare_llama_logits *file, uint32_t chunk, uint32_t row,
                                          float *out, float *out_lowest, struct tare_err *err);

#endif
