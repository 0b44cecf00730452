/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters as long as the context, one per channel, and the convolution of a window with them: as a sum
 * over the past, or by FFT of twice the context, whichever takes less time for the rows at hand.
 */
#ifndef TARE_NATIVE_ARCH_LONG_FILTER_H
#define TARE_NATIVE_ARCH_LONG_FILTER_H

#include "pool.h"

#include <stddef.h>
#include <stdint.h>
#include <tare/err.h>

struct tare_filters;

/* The network that a layer's filters come from: position features through two layers of sines, times an
 * exponential window. */
struct tare_filter_net {
    const float *w0;    /* [width, 1 + 2 bands] */
    const float *b0;    /* [width] */
    const float *w1;    /* [width, width] */
    const float *b1;    /* [width] */
    const float *w2;    /* [channels, width] */
    const float *decay; /* [channels] */
    uint32_t bands;
    uint32_t width;
};

TARE_MUST_CHECK int tare_filters_create(struct tare_filters **out, uint32_t n_layers, uint32_t n_ctx,
                                        uint32_t channels, struct tare_err *err);
/* NULL is fine. */
void tare_filters_destroy(struct tare_filters *filters);
TARE_MUST_CHECK int tare_filters_generate(struct tare_filters *filters, uint32_t layer,
                                          const struct tare_filter_net *net, struct tare_err *err);

/* Floats of memory, aligned to 64 bytes, that a convolution takes. */
size_t tare_filters_floats(uint32_t n_ctx);

/* Rows without gaps, of as many numbers as there are channels. */
struct tare_convolution {
    uint32_t layer;
    const float *history; /* [start + n] */
    float *out;           /* [n], of rows start .. start + n - 1 */
    uint32_t start;
    uint32_t n;
    float *memory;
};
void tare_filters_convolve(const struct tare_filters *filters, struct tare_pool *pool,
                           const struct tare_convolution *convolution);

#endif
