/* SPDX-License-Identifier: Apache-2.0 */
/* Full precision: what a technique leaves behind that moves weights off the half-precision grid, and what
 * a file may hold as `X.weight` F32 [out, in]. */
#include "storages.h"

#include "load.h"
#include "widen.h"

#include <stdlib.h>
#include <string.h>

struct rows {
    const struct tare_exec *exec;
    const struct tare_linear *w;
    const struct tare_product *p;
};

static void multiply_rows(void *ctx, uint32_t part, uint32_t n_parts)
{
    const struct rows *job = ctx;
    const struct tare_linear *w = job->w;
    const struct tare_product *p = job->p;
    const float *numbers = w->data;
    uint32_t from;
    uint32_t to;
    tare_pool_share(w->out, 8, part, n_parts, &from, &to);
    for (uint32_t i = 0; i < p->n; i++) {
        job->exec->kernels->gemv_f32(p->to + (size_t)i * p->to_stride + from, numbers + (size_t)from * w->in,
                                     to - from, w->in, p->from + (size_t)i * p->from_stride, p->add);
    }
}

static void apply(struct tare_exec *exec, const struct tare_linear *w, const struct tare_product *p)
{
    if (p->n >= TARE_MANY_ROWS) {
        tare_linear_by_image(exec, w, p);
        return;
    }
    struct rows job = {.exec = exec, .w = w, .p = p};
    tare_pool_run(exec->pool, multiply_rows, &job);
}

static void unpack(const struct tare_linear *w, uint32_t row, uint32_t n, float *to)
{
    memcpy(to, (const float *)w->data + (size_t)row * w->in, (size_t)n * w->in * sizeof *to);
}

static void facts(const struct tare_linear *w, struct tare_linear_facts *out)
{
    size_t n = (size_t)w->out * w->in;
    tare_linear_dense_facts(w, (int64_t)(n * sizeof(float)), (int64_t)tare_count_non_zero(w->data, n), out);
}

static void close_layer(struct tare_linear *w)
{
    free(w->data);
}

static int reserve(struct tare_linear *w, struct tare_err *err)
{
    void *numbers = NULL;
    size_t bytes = (size_t)w->out * w->in * sizeof(float);
    if (posix_memalign(&numbers, 64, bytes + 64) != 0) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for the %zu bytes of %s", bytes, w->name);
    }
    w->data = numbers;
    w->storage = &tare_stored_f32;
    return 0;
}

static int load(struct tare_loader *loader, const char *name, struct tare_linear *to)
{
    const struct tare_tensor *t = tare_load_find(loader, name, ".weight");
    if (!t || t->dtype != TARE_DTYPE_F32) {
        return 0;
    }
    int rc = tare_load_take(loader, t, TARE_DTYPE_F32, to->out, to->in);
    if (rc == 0) {
        rc = reserve(to, loader->err);
    }
    if (rc < 0) {
        return rc;
    }
    tare_widen_f32(to->data, t->data, t->n_elements);
    return 1;
}

int tare_storage_f32(struct tare_linear *w, const float *dense, struct tare_err *err)
{
    int rc = reserve(w, err);
    if (rc == 0) {
        memcpy(w->data, dense, (size_t)w->out * w->in * sizeof *dense);
    }
    return rc;
}

const struct tare_storage tare_stored_f32 = {
    .name = "f32",
    .load = load,
    .apply = apply,
    .unpack = unpack,
    .facts = facts,
    .close = close_layer,
};
