/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A linear layer y = W x, whatever W is stored as, and the interface that a storage implements.
 *
 * Architectures multiply through tare_linear_apply and never see how a matrix is kept. Techniques
 * replace the storage of a layer by another. A storage is one file in storage/ and one line of meson.
 * Matrices are [out, in], row-major; all activations are float32. Nothing here knows a model.
 */
#ifndef TARE_NATIVE_LINEAR_H
#define TARE_NATIVE_LINEAR_H

#include "exec.h"

#include <stdbool.h>
#include <stdint.h>
#include <tare/err.h>

struct tare_loader;
struct tare_linear;

/* to[n, out] = from[n, in] W^T, or += with `add`. Strides in floats; to and from do not overlap. */
struct tare_product {
    float *to;
    uint32_t to_stride;
    const float *from;
    uint32_t from_stride;
    uint32_t n; /* > 0 */
    bool add;
};

/* Counted from the stored form; per token for the FLOPs, one multiply-add being 2. */
struct tare_linear_facts {
    int64_t params;         /* numbers that describe W: out * in when dense, r (out + in) in low rank */
    int64_t non_zero;       /* of them */
    int64_t stored_bytes;   /* with scales, zeros, masks and indices */
    int64_t resident_bytes; /* held in memory by this engine */
    int64_t flops;          /* that the mathematics needs: zeros skipped */
    int64_t executed_flops; /* that this engine does */
};

struct tare_storage {
    const char *name; /* "f16", "int8" */
    /* Reads the matrix `name` of this shape from a file: 1 when it is stored so there, 0 when not, a
     * negative code with a message when it is broken. NULL: this storage comes out of techniques only. */
    int (*load)(struct tare_loader *loader, const char *name, struct tare_linear *to);
    /* Computes a product on the threads of `exec`. Does not allocate. */
    void (*apply)(struct tare_exec *exec, const struct tare_linear *w, const struct tare_product *p);
    /* Rows row .. row+n-1 of W as float32 [n, in]. */
    void (*unpack)(const struct tare_linear *w, uint32_t row, uint32_t n, float *to);
    void (*facts)(const struct tare_linear *w, struct tare_linear_facts *out);
    /* Frees `data`. */
    void (*close)(struct tare_linear *w);
    /* The linear layers that this one is computed through (factors, terms): writes up to 2 and returns how
     * many. They can be replaced one by one, their shapes kept. NULL: none. */
    uint32_t (*parts)(struct tare_linear *w, struct tare_linear *out[2]);
    /* Rows from .. to-1 of W (cut at multiples of 16) for all vectors of a product of fewer than
     * TARE_MANY_ROWS; several threads call it at once. Where it is there, `apply` is tare_linear_by_pieces.
     * NULL: products of this storage do not share a start of the threads with others. */
    void (*piece)(const struct tare_exec *exec, const struct tare_linear *w, const struct tare_product *p,
                  const void *prepared, uint32_t from, uint32_t to);
    bool prepares; /* `piece` takes the input as kernels->prepare leaves it, one vector after the other */
};

struct tare_linear {
    char name[64]; /* "blocks.0.attn.q", "embed" */
    uint32_t out;
    uint32_t in;
    const struct tare_storage *storage;
    void *data; /* the storage's own, owned */
};

void tare_linear_apply(struct tare_exec *exec, const struct tare_linear *w, const struct tare_product *p);
/* Several products that do not depend on each other, at most TARE_TOGETHER: their few rows with one start of
 * the threads. All have the same input. */
#define TARE_TOGETHER 4u
void tare_linear_apply_together(struct tare_exec *exec, const struct tare_linear *const *w,
                                const struct tare_product *p, uint32_t n);
/* Frees the data; a zeroed struct is fine. */
void tare_linear_close(struct tare_linear *w);
/* Puts the storage of `from` in place of that of `to`, which is freed; takes over shape and data. */
void tare_linear_replace(struct tare_linear *to, struct tare_linear *from);

/* For storages: whole products over many rows by one matrix product on the float32 image of W, which is
 * unpacked once per layer. Use it from TARE_MANY_ROWS rows on. */
#define TARE_MANY_ROWS 8u
void tare_linear_by_image(struct tare_exec *exec, const struct tare_linear *w, const struct tare_product *p);
/* For storages with `piece`: by the image or by pieces, whichever suits the number of rows. */
void tare_linear_by_pieces(struct tare_exec *exec, const struct tare_linear *w, const struct tare_product *p);
/* W as it counts when all `out * in` numbers are stored in `bytes`. */
void tare_linear_dense_facts(const struct tare_linear *w, int64_t bytes, int64_t non_zero,
                             struct tare_linear_facts *out);
/* to += more */
void tare_linear_add_facts(struct tare_linear_facts *to, const struct tare_linear_facts *more);

#endif
