/* SPDX-License-Identifier: Apache-2.0 */
/* Products by the definition, in double, beside those of the engine. */
#include "products.h"

#include <math.h>
#include <string.h>

enum { rows_max = 64, gap = 3 };

uint32_t products_next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void *must(void *p)
{
    if (!p) {
        fail_msg("out of memory");
    }
    return p;
}

float *products_numbers(size_t n, uint32_t seed)
{
    float *x = must(malloc((n + 1) * sizeof *x));
    for (size_t i = 0; i < n; i++) {
        x[i] = ((float)products_next(&seed) + 0.5F) / 8388608.0F - 1.0F;
    }
    return x;
}

float *products_sparse(size_t n, uint32_t seed, uint32_t keep)
{
    float *x = products_numbers(n, seed);
    for (size_t i = 0; i < n; i++) {
        if (products_next(&seed) % 256 >= keep) {
            x[i] = 0.0F;
        }
    }
    return x;
}

float *products_unpack(const struct tare_linear *w)
{
    size_t n = (size_t)w->out * w->in;
    float *all = must(malloc((n + 1) * sizeof *all));
    float *row = must(malloc(((size_t)w->in + 1) * sizeof *row));
    w->storage->unpack(w, 0, w->out, all);
    for (uint32_t r = 0; r < w->out; r++) {
        w->storage->unpack(w, r, 1, row);
        if (memcmp(row, all + (size_t)r * w->in, w->in * sizeof *row) != 0) {
            fail_msg("%s: row %u alone differs from row %u of all", w->storage->name, r, r);
        }
    }
    free(row);
    return all;
}

/* To the nearest of 255 steps of max / 127, as float32 arithmetic has it. */
static void round_input(float *x, uint32_t n)
{
    float most = 0.0F;
    for (uint32_t i = 0; i < n; i++) {
        most = fmaxf(most, fabsf(x[i]));
    }
    for (uint32_t i = 0; i < n && most > 0.0F; i++) {
        x[i] = rintf(x[i] * (127.0F / most)) * (most / 127.0F);
    }
}

struct trial {
    const struct tare_linear *w;
    const float *dense;
    double tolerance;
    int int8_input;
    uint32_t n;
    bool add;
};

static void compare(const struct trial *t, const float *to, const float *x)
{
    const struct tare_linear *w = t->w;
    for (uint32_t i = 0; i < t->n; i++) {
        for (uint32_t r = 0; r < w->out + gap; r++) {
            float got = to[(size_t)i * (w->out + gap) + r];
            double want = t->add || r >= w->out ? 7.0 : 0.0;
            double size = 1e-6;
            for (uint32_t c = 0; r < w->out && c < w->in; c++) {
                double term =
                    (double)t->dense[(size_t)r * w->in + c] * (double)x[(size_t)i * (w->in + gap) + c];
                want += term;
                size += fabs(term);
            }
            if (!(fabs((double)got - want) <= t->tolerance * (size + (t->add ? 7.0 : 0.0)))) {
                fail_msg("%s %u x %u, %u rows, add %d: number %u of row %u is %.9g, not %.9g",
                         w->storage->name, w->out, w->in, t->n, t->add, r, i, (double)got, want);
            }
        }
    }
}

static void try_once(struct tare_exec *exec, const struct trial *t)
{
    const struct tare_linear *w = t->w;
    uint32_t to_stride = w->out + gap;
    uint32_t from_stride = w->in + gap;
    float *x = products_numbers((size_t)t->n * from_stride, t->n);
    float *to = must(malloc((size_t)t->n * to_stride * sizeof *to));
    for (size_t i = 0; i < (size_t)t->n * to_stride; i++) {
        to[i] = 7.0F;
    }
    tare_exec_forget(exec);
    tare_linear_apply(exec, w, &(struct tare_product){to, to_stride, x, from_stride, t->n, t->add});
    for (uint32_t i = 0; t->int8_input && i < t->n; i++) {
        round_input(x + (size_t)i * from_stride, w->in);
    }
    compare(t, to, x);
    free(x);
    free(to);
}

static void try_all(struct tare_exec *exec, struct trial t)
{
    static const uint32_t rows[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, rows_max};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        t.n = rows[i];
        t.add = false;
        try_once(exec, &t);
        t.add = true;
        try_once(exec, &t);
    }
}

void products_check(const struct tare_linear *w, double tolerance, int int8_input)
{
    static const char *const sets[] = {"portable", "avx2", "avx512"};
    float *dense = products_unpack(w);
    struct trial t = {.w = w, .dense = dense, .tolerance = tolerance, .int8_input = int8_input};
    for (uint32_t threads = 1; threads <= 2; threads++) {
        struct tare_exec exec;
        struct tare_err err = {0};
        /* Scratch for 8 rows, so that 64 have to be cut. */
        const struct tare_exec_needs needs = {.threads = threads,
                                              .image_floats = (size_t)w->out * w->in,
                                              .most_in = w->in,
                                              .most_rank = w->in < w->out ? w->in : w->out,
                                              .rows = TARE_MANY_ROWS};
        if (tare_exec_open(&exec, &needs, &err) < 0) {
            fail_msg("%s", err.msg);
        }
        struct tare_kernels named = *exec.kernels;
        exec.kernels = &named;
        for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
            named.name = sets[i];
            try_all(&exec, t);
        }
        tare_exec_close(&exec);
    }
    free(dense);
}
