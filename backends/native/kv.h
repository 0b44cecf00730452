/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cache of keys and values of one layer: how a row of a token is kept, and which rows stay.
 *
 * A row holds keys, then values, of all heads: float32, or codes of 8 or 4 bits with one float16 scale per
 * head for the key and one for the value. Rows lie in order of position, so the cache of n tokens is its
 * first bytes. With a window, the first `sinks` rows stay and the others are written round and round: what
 * is overwritten is gone, and memory stops growing. Keys come rotated and keep that rotation. It does not
 * attend; see attention.h.
 */
#ifndef TARE_NATIVE_KV_H
#define TARE_NATIVE_KV_H

#include "model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tare_kv {
    struct tare_model_kv how;
    uint32_t n_heads;
    uint32_t head_dim; /* even, at most 1024 */
};

size_t tare_kv_row_bytes(const struct tare_kv *kv);
/* Rows that are held after n tokens. */
uint32_t tare_kv_rows(const struct tare_kv *kv, uint32_t n_tokens);
/* Where the row of a position lies, or lay before it was overwritten. */
uint32_t tare_kv_row_of(const struct tare_kv *kv, uint32_t position);
/* May the rows of n tokens from `start` on be written as floats, before any of them is attended to? They
 * then lie one behind the other and overwrite nothing that one of them still sees. */
bool tare_kv_in_place(const struct tare_kv *kv, uint32_t start, uint32_t n);

/* One head's key and value, [head_dim] each, into a row. */
void tare_kv_put(const struct tare_kv *kv, unsigned char *state, uint32_t row, uint32_t head,
                 const float *key, const float *value);
/* One head's keys and values of n rows, [n, head_dim] each, as they were kept. */
void tare_kv_get(const struct tare_kv *kv, const unsigned char *state, uint32_t row, uint32_t n,
                 uint32_t head, float *keys, float *values);
/* scores[r] = query . key of row r, for the first n rows of a cache of codes. */
void tare_kv_score(const struct tare_kv *kv, const unsigned char *state, uint32_t n, uint32_t head,
                   const float *query, float *scores);
/* out = sum of weights[r] * value of row r, likewise; the weights are used up. */
void tare_kv_mix(const struct tare_kv *kv, const unsigned char *state, uint32_t n, uint32_t head,
                 float *weights, float *out);

#endif
