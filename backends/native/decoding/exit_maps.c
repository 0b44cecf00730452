/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sums of products over calibration text, then one system of normal equations a layer, by Cholesky in
 * double. The state has a one behind it, whose row of the solution is the bias.
 */
#include "exit_maps.h"

#include "engine.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SHRINKAGE 1e-3 /* of the mean of the squares */

/* X^T X and X^T (Y - X) of one layer, X [tokens, d + 1], Y [tokens, d]. */
struct sums {
    double *xx; /* [d + 1, d + 1] */
    double *xy; /* [d + 1, d] */
};

struct fit {
    const struct tare_calibration *text;
    struct tare_engine engine;
    uint32_t d;
    uint32_t n;    /* layers but the last */
    float *x;      /* [n, window, d + 1] */
    float *change; /* [window, d] */
    float *one;    /* [d + 1, d + 1]: the sums of one window */
    struct sums *sums;
};

static void end_fit(struct fit *f)
{
    for (uint32_t i = 0; f->sums && i < f->n; i++) {
        free(f->sums[i].xx);
        free(f->sums[i].xy);
    }
    free(f->sums);
    free(f->x);
    free(f->change);
    free(f->one);
    tare_engine_close(&f->engine);
}

static int take_memory(struct fit *f, struct tare_err *err)
{
    size_t wide = (size_t)f->d + 1;
    bool all = true;
    f->x = malloc(f->n * f->text->window * wide * sizeof *f->x);
    f->change = malloc((size_t)f->text->window * f->d * sizeof *f->change);
    f->one = malloc(wide * wide * sizeof *f->one);
    f->sums = calloc(f->n, sizeof *f->sums);
    for (uint32_t i = 0; f->sums && i < f->n; i++) {
        f->sums[i].xx = calloc(wide * wide, sizeof *f->sums[i].xx);
        f->sums[i].xy = calloc(wide * f->d, sizeof *f->sums[i].xy);
        all = all && f->sums[i].xx && f->sums[i].xy;
    }
    if (!f->x || !f->change || !f->one || !f->sums || !all) {
        return tare_err_set(err, TARE_E_NOMEM, "early exit: no memory to fit maps of %u numbers", f->d);
    }
    return 0;
}

static int begin_fit(struct fit *f, const struct tare_treatment *treatment,
                     const struct tare_calibration *text, struct tare_err *err)
{
    const struct tare_model *m = treatment->model;
    const struct tare_engine_options how = {.threads = treatment->threads};
    *f = (struct fit){.text = text, .d = m->config.d_model, .n = m->config.n_layers - 1};
    int rc = tare_engine_open(&f->engine, m, &how, err);
    return rc < 0 ? rc : take_memory(f, err);
}

static void add_to(double *to, const float *from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        to[i] += (double)from[i];
    }
}

/* The states of one window after layer i are in x, the last ones in the engine. */
static void add_layer(struct fit *f, uint32_t i)
{
    int d = (int)f->d;
    int wide = d + 1;
    int n = (int)f->text->window;
    const float *x = f->x + (size_t)i * f->text->window * (f->d + 1);
    for (int row = 0; row < n; row++) {
        for (int at = 0; at < d; at++) {
            f->change[row * d + at] = f->engine.x[row * d + at] - x[row * wide + at];
        }
    }
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, wide, wide, n, 1.0F, x, wide, x, wide, 0.0F, f->one,
                wide);
    add_to(f->sums[i].xx, f->one, (size_t)wide * (size_t)wide);
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, wide, d, n, 1.0F, x, wide, f->change, d, 0.0F,
                f->one, d);
    add_to(f->sums[i].xy, f->one, (size_t)wide * (size_t)d);
}

static void add_window(struct fit *f, const int32_t *tokens)
{
    uint32_t window = f->text->window;
    tare_engine_reset(&f->engine);
    tare_engine_embed(&f->engine, tokens, window);
    for (uint32_t layer = 0; layer <= f->n; layer++) {
        tare_engine_layer(&f->engine, layer, window);
        for (uint32_t row = 0; layer < f->n && row < window; row++) {
            float *x = f->x + ((size_t)layer * window + row) * (f->d + 1);
            memcpy(x, f->engine.x + (size_t)row * f->d, f->d * sizeof *x);
            x[f->d] = 1;
        }
    }
    for (uint32_t i = 0; i < f->n; i++) {
        add_layer(f, i);
    }
}

/* xx = L L^T in its lower half; false when it is not positive. */
static bool factor(double *a, uint32_t n)
{
    for (uint32_t j = 0; j < n; j++) {
        for (uint32_t i = j; i < n; i++) {
            double sum = a[(size_t)i * n + j];
            for (uint32_t k = 0; k < j; k++) {
                sum -= a[(size_t)i * n + k] * a[(size_t)j * n + k];
            }
            if (i == j && !(sum > 0)) {
                return false;
            }
            a[(size_t)i * n + j] = i == j ? sqrt(sum) : sum / a[(size_t)j * n + j];
        }
    }
    return true;
}

/* Solves L L^T B = B for `columns` columns, in place. */
static void solve(const double *l, uint32_t n, double *b, uint32_t columns)
{
    cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, (int)n, (int)columns, 1.0,
                l, (int)n, b, (int)columns);
    cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasTrans, CblasNonUnit, (int)n, (int)columns, 1.0, l,
                (int)n, b, (int)columns);
}

static int finish(struct fit *f, struct tare_exit_maps *maps, struct tare_err *err)
{
    uint32_t wide = f->d + 1;
    for (uint32_t i = 0; i < f->n; i++) {
        double trace = 0;
        for (uint32_t at = 0; at < f->d; at++) {
            trace += f->sums[i].xx[(size_t)at * wide + at];
        }
        for (uint32_t at = 0; at < wide; at++) {
            f->sums[i].xx[(size_t)at * wide + at] += SHRINKAGE * trace / f->d;
        }
        if (!factor(f->sums[i].xx, wide)) {
            return tare_err_set(err, TARE_E_FORMAT,
                                "early exit: the states after layer %u of %s are not numbers", i + 1,
                                f->engine.model->config.name);
        }
        solve(f->sums[i].xx, wide, f->sums[i].xy, f->d);
        for (uint32_t out = 0; out < f->d; out++) {
            for (uint32_t in = 0; in < f->d; in++) {
                maps->weights[((size_t)i * f->d + out) * f->d + in] =
                    (float)f->sums[i].xy[(size_t)in * f->d + out];
            }
            maps->biases[(size_t)i * f->d + out] = (float)f->sums[i].xy[(size_t)f->d * f->d + out];
        }
    }
    return 0;
}

static int fit_on(struct tare_exit_maps *maps, const struct tare_treatment *treatment,
                  const struct tare_calibration *text, struct tare_err *err)
{
    struct fit f;
    int rc = begin_fit(&f, treatment, text, err);
    for (uint32_t i = 0; rc == 0 && i < text->n_windows; i++) {
        add_window(&f, text->tokens + (size_t)i * text->window);
    }
    if (rc == 0) {
        rc = finish(&f, maps, err);
    }
    end_fit(&f);
    return rc;
}

int tare_exit_maps_fit(struct tare_exit_maps *maps, struct tare_treatment *treatment,
                       const struct tare_calibration_choice *text, struct tare_err *err)
{
    const struct tare_model_config *c = &treatment->model->config;
    struct tare_exit_maps made = {.d = c->d_model, .n = c->n_layers - 1};
    struct tare_calibration calibration = {0};
    made.weights = calloc((size_t)made.n * made.d * made.d + 1, sizeof *made.weights);
    made.biases = calloc((size_t)made.n * made.d + 1, sizeof *made.biases);
    int rc = made.weights && made.biases
                 ? tare_calibration_open(&calibration, treatment, text->path, text->most_tok, err)
                 : tare_err_set(err, TARE_E_NOMEM, "early exit: no memory for %u maps", made.n);
    if (rc == 0) {
        rc = fit_on(&made, treatment, &calibration, err);
        tare_calibration_close(&calibration);
    }
    if (rc < 0) {
        tare_exit_maps_close(&made);
        return rc;
    }
    *maps = made;
    return 0;
}

void tare_exit_maps_close(struct tare_exit_maps *maps)
{
    free(maps->weights);
    free(maps->biases);
    memset(maps, 0, sizeof *maps);
}

void tare_exit_maps_apply(const struct tare_exit_maps *maps, const struct tare_kernels *kernels,
                          uint32_t layers, const float *x, float *to)
{
    size_t i = layers - 1;
    for (uint32_t at = 0; at < maps->d; at++) {
        to[at] = x[at] + maps->biases[i * maps->d + at];
    }
    kernels->gemv_f32(to, maps->weights + i * maps->d * maps->d, maps->d, maps->d, x, true);
}
