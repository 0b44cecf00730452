/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Causal attention of some queries over a cache of keys and values, whatever the cache keeps.
 *
 * Token t sees j <= t with j < sinks or j > t - window; all j <= t without a window. A block of rows and the
 * same rows one after the other see the same tokens, and codes are read as they were stored in both.
 */
#ifndef TARE_NATIVE_ATTENTION_H
#define TARE_NATIVE_ATTENTION_H

#include "exec.h"
#include "kv.h"

struct tare_attention {
    struct tare_kv kv;
    unsigned char *state; /* the cache; holds `start` tokens */
    const float *q;       /* [n, w] rotated queries */
    float *fresh;         /* [n, 2 w] rotated keys and values of these rows; in the cache already where
                             tare_kv_in_place says so, else put there by the call */
    float *gathered;      /* [2 w n_ctx] free to use, where they are not in place */
    float *scores;        /* [heads, n, stride] free to use */
    float *out;           /* [n, w] */
    float *received;      /* NULL, or gets added what each position was attended with, summed over heads and
                             rows; not with a window */
    const struct tare_kernels *kernels; /* set by the call */
    uint32_t n_ctx;
    uint32_t stride; /* >= n_ctx */
    uint32_t start;  /* position of row 0 */
    uint32_t n;
};

void tare_attention_run(const struct tare_attention *attention, struct tare_exec *exec);
/* Writes the fresh rows into the cache, where that has not been done, and attends to nothing. */
void tare_attention_store(const struct tare_attention *attention);
/* Sum over tokens start .. start + n - 1 of how many each sees. */
int64_t tare_attention_seen(const struct tare_kv *kv, int64_t start, int64_t n);

#endif
