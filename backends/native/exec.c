/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing of what products run on. */
#include "exec.h"

#include <cblas.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN_BYTES 64u

static int take(void **out, size_t bytes, struct tare_err *err)
{
    void *memory = NULL;
    size_t padded = (bytes + ALIGN_BYTES - 1) / ALIGN_BYTES * ALIGN_BYTES + ALIGN_BYTES;
    if (padded < bytes || posix_memalign(&memory, ALIGN_BYTES, padded) != 0) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for %zu bytes of scratch", bytes);
    }
    memset(memory, 0, padded); /* here, not in a timed request, pages are made */
    *out = memory;
    return 0;
}

int tare_exec_open(struct tare_exec *exec, const struct tare_exec_needs *needs, struct tare_err *err)
{
    struct tare_exec made = {.kernels = tare_kernels_best(), .image_floats = needs->image_floats};
    void *image = NULL;
    void *work = NULL;
    void *rank = NULL;
    openblas_set_num_threads(1);
    /* Scratch of a storage: per row of input up to 16 bytes a column and a few numbers. */
    made.work_bytes = (size_t)needs->rows * ((size_t)needs->most_in * 16 + 1024);
    made.rank_floats = (size_t)needs->rows * needs->most_rank;
    made.pool = needs->pool;
    made.borrows_pool = needs->pool != NULL;
    int rc = needs->pool ? 0 : tare_pool_create(&made.pool, needs->threads, err);
    if (rc == 0) {
        rc = take(&image, needs->image_floats * sizeof(float), err);
    }
    if (rc == 0) {
        rc = take(&work, made.work_bytes, err);
    }
    if (rc == 0) {
        rc = take(&rank, made.rank_floats * sizeof(float), err);
    }
    made.image_memory = image;
    made.work = work;
    made.rank = rank;
    if (rc < 0) {
        tare_exec_close(&made);
        return rc;
    }
    *exec = made;
    return 0;
}

void tare_exec_close(struct tare_exec *exec)
{
    if (!exec->borrows_pool) {
        tare_pool_destroy(exec->pool);
    }
    free(exec->image_memory);
    free(exec->work);
    free(exec->rank);
    memset(exec, 0, sizeof *exec);
}

void tare_exec_forget(struct tare_exec *exec)
{
    exec->image_used = 0;
    exec->n_images = 0;
}

struct cut {
    uint32_t n;
    tare_exec_work *work;
    void *ctx;
};

static void work_on_part(void *ctx, uint32_t part, uint32_t n_parts)
{
    const struct cut *c = ctx;
    uint32_t from;
    uint32_t to;
    tare_pool_share(c->n, TARE_ROW_GRAIN, part, n_parts, &from, &to);
    if (from < to) {
        c->work(c->ctx, from, to);
    }
}

void tare_exec_rows(struct tare_exec *exec, uint32_t n, tare_exec_work *work, void *ctx)
{
    struct cut c = {.n = n, .work = work, .ctx = ctx};
    if (n < 2 * TARE_ROW_GRAIN) {
        work(ctx, 0, n);
    } else {
        tare_pool_run(exec->pool, work_on_part, &c);
    }
}
