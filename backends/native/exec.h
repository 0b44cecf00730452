/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What products run on: the threads, the kernels that suit this machine, and scratch memory.
 *
 * One per engine, used by one thread at a time. All memory is taken in `open`; nothing else allocates.
 */
#ifndef TARE_NATIVE_EXEC_H
#define TARE_NATIVE_EXEC_H

#include "kernels/kernels.h"
#include "pool.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tare/err.h>

struct tare_linear;
struct tare_product;

enum { tare_exec_images_max = 24 };

/* The float32 image of a matrix of the layer that is being computed. */
struct tare_image {
    const struct tare_linear *of;
    const float *at;
};

struct tare_exec {
    struct tare_pool *pool; /* owned unless `borrows_pool` */
    bool borrows_pool;
    const struct tare_kernels *kernels; /* constant */
    float *image_memory;                /* owned; for the images of one layer */
    size_t image_floats;
    size_t image_used;
    struct tare_image images[tare_exec_images_max];
    uint32_t n_images;
    unsigned char *work; /* owned; storages' own scratch during one product */
    size_t work_bytes;
    float *rank; /* owned; between the two products of a low-rank layer */
    size_t rank_floats;
    /* Sees every product's input before it is computed; NULL: nobody looks. For calibration. */
    void (*observe)(void *observer, const struct tare_linear *w, const struct tare_product *p);
    void *observer;
};

/* What the largest layer of a model needs. */
struct tare_exec_needs {
    uint32_t threads;
    struct tare_pool *pool; /* of another engine that outlives this one; NULL: one of its own is made */
    size_t image_floats;    /* all matrices of one layer */
    uint32_t most_in;       /* columns of the widest matrix */
    uint32_t most_rank;     /* inner size of the widest low-rank layer; 0: none */
    uint32_t rows;          /* that go through a layer together */
};

TARE_MUST_CHECK int tare_exec_open(struct tare_exec *exec, const struct tare_exec_needs *needs,
                                   struct tare_err *err);
/* Frees all; a zeroed struct is fine. */
void tare_exec_close(struct tare_exec *exec);
/* Room for the images of the next layer: those made so far are gone. */
void tare_exec_forget(struct tare_exec *exec);

/* Rows that a thread takes at a time at least, of products over many rows and of what lies between them. */
#define TARE_ROW_GRAIN 4u
/* Work on n rows that do not need each other: cut among the threads as those products are, so that each
 * thread finds its rows in its own cache. Few rows are done by the caller. */
typedef void tare_exec_work(void *ctx, uint32_t from, uint32_t to);
void tare_exec_rows(struct tare_exec *exec, uint32_t n, tare_exec_work *work, void *ctx);

#endif
