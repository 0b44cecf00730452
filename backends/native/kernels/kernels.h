/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inner loops that touch every weight, in one version for each instruction set.
 *
 * portable.c is plain C and the oracle of the others. The best set for this machine is picked once at
 * run time. Each function is pure: no allocation, no state, no threads. Packed matrices are laid out in
 * panels of 16 rows, see panels.h; a function that takes some computes whole panels from the first row
 * that it is given, and `rows` need be a multiple of 16 only where more rows follow.
 */
#ifndef TARE_NATIVE_KERNELS_H
#define TARE_NATIVE_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Several vectors on their way through one matrix: to[i][r] = w[r, :] x[i], or += with add. Strides in
 * floats. The result for one vector does not depend on how many there are. */
struct tare_vectors {
    float *to;
    size_t to_stride;
    const float *x;
    size_t x_stride;
    uint32_t n; /* 1 to 7 */
    bool add;
};

struct tare_kernels {
    const char *name; /* "portable", "avx2", "avx512", "neon" */
    /* to[r] = w[r, :] x, or += with add; w is [rows, cols] without gaps. */
    void (*gemv_f32)(float *to, const float *w, uint32_t rows, uint32_t cols, const float *x, bool add);
    void (*gemv_f16)(float *to, const uint16_t *w, uint32_t rows, uint32_t cols, const float *x, bool add);
    void (*widen_f16)(float *to, const uint16_t *from, size_t n);

    /* Panels of halves, of bfloat16. Each weight is read and widened once for all vectors. */
    void (*panels_f16)(const struct tare_vectors *v, const uint16_t *panels, uint32_t rows, uint32_t cols);
    void (*panels_bf16)(const struct tare_vectors *v, const uint16_t *panels, uint32_t rows, uint32_t cols);

    /* Puts x [cols] into the form in which the next two multiply it, without loss beyond float32's own
     * against the largest of x: prepared has tare_kernels_prepared_bytes(cols) bytes, aligned to 64. */
    void (*prepare)(void *prepared, const float *x, uint32_t cols);
    /* Panels of codes, w = code * scales[row]. */
    void (*gemv_int8)(float *to, const uint8_t *panels, const float *scales, uint32_t rows, uint32_t cols,
                      const void *prepared, bool add);
    /* Panels of nibbles, w = (nibble - 8) * scale of its 32 columns; cols is a multiple of 32. */
    void (*gemv_int4)(float *to, const uint8_t *panels, const uint16_t *scales, uint32_t rows, uint32_t cols,
                      const void *prepared, bool add);

    /* Whole panels as rows of float32 [rows, cols]; `to` has the stride cols. */
    void (*unpack_f16)(float *to, const uint16_t *panels, uint32_t rows, uint32_t cols);
    void (*unpack_int8)(float *to, const uint8_t *panels, const float *scales, uint32_t rows, uint32_t cols);
    void (*unpack_int4)(float *to, const uint8_t *panels, const uint16_t *scales, uint32_t rows,
                        uint32_t cols);

    /* Attention of one query: to[i] = factor * q . keys[i * stride], for n keys of `width` numbers. */
    void (*dots_f32)(float *to, const float *q, const float *keys, size_t stride, uint32_t n, uint32_t width,
                     float factor);
    /* to = factor * sum of p[i] * values[i * stride], of `width` numbers. */
    void (*mix_f32)(float *to, const float *p, const float *values, size_t stride, uint32_t n, uint32_t width,
                    float factor);

    /* Functions of rowmath.h, which come here. NULL: the plain loops there. */
    float (*row_exp)(float *x, size_t n);
    void (*row_swiglu)(float *gate, const float *up, size_t n);
    void (*row_gelu)(float *x, size_t n);
    void (*row_rmsnorm)(float *to, const float *x, const float *weight, size_t n);
    size_t (*row_largest)(const float *x, size_t n);
};

size_t tare_kernels_prepared_bytes(uint32_t cols);

/* The set named, or NULL if this machine or this build has it not. */
const struct tare_kernels *tare_kernels_find(const char *name);
/* The fastest that this machine has. */
const struct tare_kernels *tare_kernels_best(void);

extern const struct tare_kernels tare_kernels_portable;
/* NULL if this machine or this build has it not. */
const struct tare_kernels *tare_kernels_avx2(void);
const struct tare_kernels *tare_kernels_avx512(void);

#endif
