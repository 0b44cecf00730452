/* SPDX-License-Identifier: Apache-2.0 */
/* Plain loops: nothing here is shared with what is tested. */
#include "moments.h"

#include "products.h"

#include "storage/storages.h"

enum { made_tokens = 10 };

static double entry(uint32_t n, enum moments_kind kind, const float *x, uint32_t i, uint32_t j)
{
    double sum = i == j ? 0.05 : 0.0;
    if (kind == MOMENTS_UNIT) {
        return i == j ? 1.0 : 0.0;
    }
    if (kind == MOMENTS_DIAGONAL) {
        return i == j ? (double)(1 + i * 7 % n) / n : 0.0;
    }
    for (uint32_t k = 0; k < 2 * n; k++) {
        sum += (double)x[k * n + i] * (double)x[k * n + j] / n;
    }
    return sum;
}

struct tare_moments moments_made(uint32_t n, enum moments_kind kind)
{
    struct tare_moments m = {.in = n,
                             .tokens = made_tokens,
                             .h = malloc((size_t)n * n * sizeof(double)),
                             .abs = calloc(n, sizeof(double))};
    float *x = products_numbers((size_t)2 * n * n, 9);
    assert_true(m.h && m.abs);
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t j = 0; j < n; j++) {
            m.h[(size_t)i * n + j] = made_tokens * entry(n, kind, x, i, j);
        }
        m.abs[i] = made_tokens;
    }
    free(x);
    return m;
}

struct tare_moments moments_taken(struct treated *t, size_t i)
{
    const struct tare_linear *of = &t->model.linears[i];
    const struct tare_calibration_choice choice = {.most_tok = 2048, .window_tok = 128};
    struct tare_calibration calibration;
    struct tare_moments m = {0};
    struct tare_err err = {0};
    if (tare_calibration_open_choice(&calibration, &t->treatment, &choice, &err) < 0 ||
        tare_calibration_collect(&calibration, &of, 1, &m, &err) < 0) {
        fail_msg("%s", err.msg);
    }
    tare_calibration_close(&calibration);
    return m;
}

struct tare_linear moments_layer(uint32_t out, uint32_t in, const float *dense)
{
    struct tare_linear w = {.name = "blocks.0.made", .out = out, .in = in};
    struct tare_err err = {0};
    if (tare_storage_f32(&w, dense, &err) < 0) {
        fail_msg("%s", err.msg);
    }
    return w;
}

float *moments_dense(const struct tare_linear *w)
{
    float *dense = malloc((size_t)w->out * w->in * sizeof *dense);
    assert_non_null(dense);
    w->storage->unpack(w, 0, w->out, dense);
    return dense;
}

double moments_error(const struct tare_moments *m, const float *a, const float *b, uint32_t out)
{
    size_t n = m->in;
    double sum = 0;
    for (size_t r = 0; r < out; r++) {
        for (size_t i = 0; i < n; i++) {
            double row = 0;
            for (size_t j = 0; j < n; j++) {
                row += m->h[i * n + j] * ((double)a[r * n + j] - (double)b[r * n + j]);
            }
            sum += row * ((double)a[r * n + i] - (double)b[r * n + i]);
        }
    }
    return sum / (double)m->tokens;
}
