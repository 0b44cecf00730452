/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this machine can do at best: how fast BLAS multiplies at the shapes of a prefill, how fast weights
 * come out of the caches, and how fast halves can be widened and multiplied once they are in a register.
 * Loops that do nothing else, on the threads of the engine that they are compared with.
 */
#ifndef TARE_BENCH_FLOORS_H
#define TARE_BENCH_FLOORS_H

#include "engine.h"

/* Memory that is only read, cut into as many parts as there are threads. */
struct stream {
    struct tare_pool *pool;
    const struct tare_model *model; /* its halves where they lie; NULL: none */
    const unsigned char *bytes;     /* and these behind them */
    size_t n_bytes;
    uint32_t passes; /* a run reads everything this many times */
    _Atomic uint64_t sink;
};

void stream_run(void *stream);

/* As many halves as the model has, widened and multiplied out of the nearest cache. */
void widen_run(void *stream);

/* The products of a prefill by cblas_sgemm, on float32 images that lie ready. */
struct sgemm {
    struct tare_pool *pool;
    const struct tare_model *model;
    uint32_t n_tok;
    float *images; /* owned, of all layers */
    float *x;      /* owned, [n_tok, widest] */
    float *y;      /* owned, [n_tok, widest] */
    uint32_t widest;
};

TARE_MUST_CHECK int sgemm_open(struct sgemm *sgemm, struct tare_pool *pool, const struct tare_model *model,
                               uint32_t n_tok, struct tare_err *err);
void sgemm_close(struct sgemm *sgemm);
void sgemm_run(void *sgemm);
/* FLOPs of a run. */
double sgemm_flops(const struct sgemm *sgemm);

#endif
