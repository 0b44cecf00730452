/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parallel form of a linear recurrence inside a block of rows: each row's query meets the keys of
 * the rows up to its own, weighted by how long ago they were, and takes their values. By matrix products.
 */
#ifndef TARE_NATIVE_ARCH_CHUNK_H
#define TARE_NATIVE_ARCH_CHUNK_H

#include <stddef.h>
#include <stdint.h>

struct tare_chunk {
    const float *q; /* [n, width], rows qk_stride apart, as are those of k */
    const float *k;
    const float *v; /* [n, v_width], rows v_stride apart, as are those of out */
    float *out;     /* out += */
    uint32_t qk_stride;
    uint32_t v_stride;
    uint32_t width;
    uint32_t v_width;
    uint32_t n;
    const float *weights; /* backwards: weights[-t] is that of t rows ago */
    float *scores;        /* tare_chunk_floats(n) */
};

size_t tare_chunk_floats(uint32_t n);
void tare_chunk_add(const struct tare_chunk *chunk);

#endif
