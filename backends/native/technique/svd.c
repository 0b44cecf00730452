/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Low rank: every linear layer as two factors, found by a truncated singular value decomposition, optionally
 * with a sparse rest.
 *
 * svd weighs all numbers alike, asvd by the mean size of their input, svd-llm by the moments of all inputs,
 * which makes the error of the output on the calibration text least. With `sparse`, the numbers that the
 * factors miss most are kept beside them, found in turns: factors of what is not kept, then the misses of the
 * factors.
 */
#include "factor.h"
#include "mask.h"
#include "rounding.h"
#include "targets.h"

#include "storage/storages.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct params {
    double ratio;
    int64_t rank;
    int64_t multiples;
    double sparse;
    int64_t rounds;
    double alpha;
    double damp;
    bool sequential;
    struct tare_calibration_choice calib;
};

/* clang-format off */
#define SIZE_OPTIONS                                                                                  \
    {.name = "ratio", .type = TARE_OPT_F64, .offset = offsetof(struct params, ratio), .def = "0.6",   \
     .help = "share of the numbers of a matrix that its factors hold, above 0 to 1"},                 \
    {.name = "rank", .type = TARE_OPT_I64, .offset = offsetof(struct params, rank), .def = "0",       \
     .help = "inner size of every layer instead of a ratio; 0: by the ratio", .max = 65536},          \
    {.name = "multiples", .type = TARE_OPT_I64, .offset = offsetof(struct params, multiples),         \
     .def = "8", .help = "ranks found by the ratio are cut down to multiples of this", .min = 1,      \
     .max = 1024},                                                                                    \
    {.name = "sparse", .type = TARE_OPT_F64, .offset = offsetof(struct params, sparse), .def = "0",   \
     .help = "share of the numbers of a matrix that is kept beside the factors, 0 to below 1"},       \
    {.name = "rounds", .type = TARE_OPT_I64, .offset = offsetof(struct params, rounds), .def = "5",   \
     .help = "turns of factors and sparse rest", .min = 1, .max = 1000}
/* clang-format on */

static const struct tare_opt plain_options[] = {SIZE_OPTIONS, TARE_OPT_END};

static const struct tare_opt columns_options[] = {
    SIZE_OPTIONS,
    {.name = "alpha",
     .type = TARE_OPT_F64,
     .offset = offsetof(struct params, alpha),
     .def = "0.5",
     .help = "a column counts by the mean size of its input to this power"},
    TARE_CALIBRATION_OPTIONS(params),
    TARE_OPT_END,
};

static const struct tare_opt moments_options[] = {
    SIZE_OPTIONS,
    {.name = "damp",
     .type = TARE_OPT_F64,
     .offset = offsetof(struct params, damp),
     .def = "0.0001",
     .help = "added to the moments, of their mean diagonal"},
    {.name = "sequential",
     .type = TARE_OPT_BOOL,
     .offset = offsetof(struct params, sequential),
     .def = "no",
     .help = "each block is calibrated on what the factored blocks before it put out"},
    TARE_CALIBRATION_OPTIONS(params),
    TARE_OPT_END,
};

struct task {
    const struct params *params;
    enum tare_factor_weighting weighting;
};

/* One layer on its way into factors and a rest. */
struct work {
    const struct tare_linear *w;
    struct tare_factor how;
    uint32_t rank;
    size_t keep;  /* numbers of the rest; 0: none */
    float *dense; /* [out, in], owned as all below */
    float *a;
    float *b;
    float *rest;  /* [out, in]: what is kept beside the factors, else 0 */
    float *score; /* [2, out, in] */
};

static void drop_work(struct work *k)
{
    free(k->dense);
    free(k->a);
    free(k->b);
    free(k->rest);
    free(k->score);
}

static int open_work(struct work *k, const struct tare_linear *w, const struct params *p,
                     struct tare_err *err)
{
    size_t n = (size_t)w->out * w->in;
    k->w = w;
    k->rank =
        p->rank > 0 ? (uint32_t)p->rank : tare_factor_rank(w->out, w->in, p->ratio, (uint32_t)p->multiples);
    k->keep = (size_t)((double)n * p->sparse);
    uint32_t most = w->out < w->in ? w->out : w->in;
    if (k->rank > most) {
        return tare_err_set(err, TARE_E_USAGE, "%s: rank %u is above %u, the smaller side of %u by %u",
                            w->name, k->rank, most, w->out, w->in);
    }
    k->a = malloc((size_t)k->rank * w->in * sizeof *k->a);
    k->b = malloc((size_t)w->out * k->rank * sizeof *k->b);
    k->rest = calloc(n, sizeof *k->rest);
    k->score = malloc(2 * n * sizeof *k->score);
    if (!k->a || !k->b || !k->rest || !k->score) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for the factors of %s", w->name);
    }
    return tare_technique_dense(w, &k->dense, err);
}

static int find_factors(struct work *k, struct tare_err *err)
{
    size_t n = (size_t)k->w->out * k->w->in;
    for (size_t i = 0; i < n; i++) {
        k->score[i] = k->dense[i] - k->rest[i];
    }
    return tare_factor(&k->how, k->score, k->w->out, k->w->in, k->rank, k->a, k->b, err);
}

/* rest = dense - B A */
static void find_misses(struct work *k)
{
    for (uint32_t r = 0; r < k->w->out; r++) {
        float *row = k->rest + (size_t)r * k->w->in;
        memcpy(row, k->dense + (size_t)r * k->w->in, k->w->in * sizeof *row);
        for (uint32_t i = 0; i < k->rank; i++) {
            float factor = k->b[(size_t)r * k->rank + i];
            const float *a = k->a + (size_t)i * k->w->in;
            for (uint32_t c = 0; c < k->w->in; c++) {
                row[c] -= factor * a[c];
            }
        }
    }
}

/* |miss| times the RMS of its input, where that is known. */
static void score_misses(struct work *k)
{
    const struct tare_moments *m = k->how.moments;
    uint32_t in = k->w->in;
    for (uint32_t c = 0; c < in; c++) {
        double input = m ? sqrt(m->h[c * ((size_t)in + 1)] / (double)m->tokens) : 1.0;
        for (uint32_t r = 0; r < k->w->out; r++) {
            size_t at = (size_t)r * in + c;
            k->score[at] = fabsf(k->rest[at]) * (float)input;
        }
    }
}

/* Keeps the misses that cost most. */
static void keep_largest(struct work *k)
{
    size_t n = (size_t)k->w->out * k->w->in;
    find_misses(k);
    score_misses(k);
    memcpy(k->score + n, k->score, n * sizeof *k->score);
    float border = tare_kth_smallest(k->score + n, n, n - k->keep);
    for (size_t i = 0; i < n; i++) {
        k->rest[i] = k->score[i] > border ? k->rest[i] : 0.0F;
    }
}

static int find_all(struct work *k, int64_t rounds, struct tare_err *err)
{
    int rc = find_factors(k, err);
    for (int64_t i = 0; rc == 0 && k->keep > 0 && i < rounds; i++) {
        keep_largest(k);
        rc = find_factors(k, err);
    }
    if (rc == 0 && k->keep > 0) {
        keep_largest(k);
    }
    return rc;
}

static int store(const struct work *k, struct tare_linear *to, struct tare_err *err)
{
    struct tare_linear factors = tare_round_empty(k->w);
    struct tare_linear rest = tare_round_empty(k->w);
    if (k->keep == 0) {
        return tare_storage_low_rank(to, k->rank, k->a, k->b, err);
    }
    int rc = tare_storage_low_rank(&factors, k->rank, k->a, k->b, err);
    if (rc == 0) {
        rc = tare_storage_bitmap(&rest, k->rest, err);
    }
    if (rc == 0) {
        rc = tare_storage_sum(to, &factors, &rest, err);
    }
    tare_linear_close(&factors);
    tare_linear_close(&rest);
    return rc;
}

static int change(void *ctx, struct tare_linear *w, const struct tare_moments *moments, struct tare_err *err)
{
    const struct task *task = ctx;
    const struct params *p = task->params;
    struct tare_linear made = tare_round_empty(w);
    struct work k = {
        .how = {.weighting = task->weighting, .alpha = p->alpha, .damp = p->damp, .moments = moments}};
    int rc = open_work(&k, w, p, err);
    if (rc == 0) {
        rc = find_all(&k, p->rounds, err);
    }
    if (rc == 0) {
        rc = store(&k, &made, err);
    }
    if (rc == 0) {
        tare_linear_replace(w, &made);
    }
    drop_work(&k);
    return rc;
}

static int change_unseen(void *ctx, struct tare_linear *w, struct tare_err *err)
{
    return change(ctx, w, NULL, err);
}

static int check(const struct params *p, struct tare_err *err)
{
    if (!(p->ratio > 0.0 && p->ratio <= 1.0) || !(p->sparse >= 0.0 && p->sparse < 1.0)) {
        return tare_err_set(err, TARE_E_USAGE,
                            "low-rank: ratio %g must lie above 0 to 1, sparse %g from 0 to below 1", p->ratio,
                            p->sparse);
    }
    if (!(p->damp >= 0.0) || !isfinite(p->alpha)) {
        return tare_err_set(err, TARE_E_USAGE, "low-rank: damp %g is below 0, or alpha %g is no number",
                            p->damp, p->alpha);
    }
    return 0;
}

static int apply_calibrated(const struct params *p, enum tare_factor_weighting weighting,
                            struct tare_treatment *treatment, struct tare_err *err)
{
    struct task task = {.params = p, .weighting = weighting};
    const struct tare_calibrated how = {
        .text = p->calib, .sequential = p->sequential, .whole = true, .change = change, .ctx = &task};
    int rc = check(p, err);
    return rc < 0 ? rc : tare_calibrated_each(treatment, &how, err);
}

static int apply_plain(const void *params, struct tare_treatment *treatment, struct tare_err *err)
{
    struct task task = {.params = params, .weighting = TARE_FACTOR_PLAIN};
    int rc = check(params, err);
    return rc < 0 ? rc : tare_technique_each_whole(treatment, change_unseen, &task, err);
}

static int apply_columns(const void *params, struct tare_treatment *treatment, struct tare_err *err)
{
    return apply_calibrated(params, TARE_FACTOR_COLUMNS, treatment, err);
}

static int apply_moments(const void *params, struct tare_treatment *treatment, struct tare_err *err)
{
    return apply_calibrated(params, TARE_FACTOR_MOMENTS, treatment, err);
}

const struct tare_technique tare_technique_svd = {
    .tag = "infer.compress.low-rank",
    .method = "svd",
    .summary = "two factors by truncated singular value decomposition, all numbers weighed alike",
    .params_size = sizeof(struct params),
    .params = plain_options,
    .apply = apply_plain,
};

const struct tare_technique tare_technique_asvd = {
    .tag = "infer.compress.low-rank",
    .method = "asvd",
    .summary = "two factors, columns weighed by the mean size of their input",
    .params_size = sizeof(struct params),
    .params = columns_options,
    .apply = apply_columns,
};

const struct tare_technique tare_technique_svd_llm = {
    .tag = "infer.compress.low-rank",
    .method = "svd-llm",
    .summary = "two factors with the least error of the output, by the moments of the inputs",
    .is_default = true,
    .params_size = sizeof(struct params),
    .params = moments_options,
    .apply = apply_moments,
};
