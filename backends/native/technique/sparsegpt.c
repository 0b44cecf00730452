/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SparseGPT: weights go where it costs the output least, w^2 / U_jj^2, and those to the right of them make up
 * for it. A share is chosen over all rows of `block` columns together, a pattern in each M columns, always
 * on weights that already carry the changes of the columns before.
 */
#include "sparsegpt.h"

#include "compensate.h"

#include <stdlib.h>

struct params {
    double sparsity;
    char *pattern;
    double damp;
    int64_t block;
    bool sequential;
    struct tare_calibration_choice calib;
};

static const struct tare_opt options[] = {
    {.name = "sparsity",
     .type = TARE_OPT_F64,
     .offset = offsetof(struct params, sparsity),
     .def = "0.5",
     .help = "share of the weights of each matrix that go"},
    {.name = "pattern",
     .type = TARE_OPT_STR,
     .offset = offsetof(struct params, pattern),
     .help = "N:M instead of a share: of each M in a row N stay"},
    {.name = "damp",
     .type = TARE_OPT_F64,
     .offset = offsetof(struct params, damp),
     .def = "0.01",
     .help = "share of the mean of the moments' diagonal that is added to it"},
    {.name = "block",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct params, block),
     .def = "128",
     .help = "columns among which a share is chosen",
     .min = 1,
     .max = 65536},
    {.name = "sequential",
     .type = TARE_OPT_BOOL,
     .offset = offsetof(struct params, sequential),
     .def = "yes",
     .help = "each block of the model is pruned on what the pruned blocks before it put out"},
    TARE_CALIBRATION_OPTIONS(params),
    TARE_CALIBRATION_WINDOW(params),
    TARE_OPT_END,
};

/* One matrix at work. */
struct work {
    const struct tare_sparsegpt *how;
    struct tare_curvature curvature;
    double *rows; /* owned, [out, in] */
    float *score; /* owned, [out, block] */
    float *keep;  /* owned, the same: 0 where a weight goes, else 1 */
    float *spare; /* owned, the same */
    uint32_t out;
};

static void score_columns(const struct work *k, uint32_t from, uint32_t n)
{
    size_t in = k->curvature.n;
    for (uint32_t r = 0; r < k->out; r++) {
        for (uint32_t j = 0; j < n; j++) {
            double ratio = k->rows[r * in + from + j] / k->curvature.u[(from + j) * in + from + j];
            k->score[(size_t)r * n + j] = (float)(ratio * ratio);
            k->keep[(size_t)r * n + j] = 1.0F;
        }
    }
}

static void fix_columns(const struct work *k, uint32_t from, uint32_t n)
{
    size_t in = k->curvature.n;
    for (uint32_t r = 0; r < k->out; r++) {
        for (uint32_t j = 0; j < n; j++) {
            if (k->keep[(size_t)r * n + j] == 0.0F) {
                tare_compensate(&k->curvature, k->rows + r * in, from + j, 0.0);
            }
        }
    }
}

/* Columns from .. from+n-1: a block of a share, or one group of a pattern. */
static void prune_columns(const struct work *k, uint32_t from, uint32_t n)
{
    const struct tare_mask_rule *rule = &k->how->rule;
    score_columns(k, from, n);
    if (rule->of == 0) {
        tare_mask_share(k->keep, k->score, (size_t)k->out * n, rule->sparsity, k->spare);
    }
    for (uint32_t r = 0; rule->of != 0 && r < k->out; r++) {
        tare_mask_group(k->keep + (size_t)r * n, k->score + (size_t)r * n, rule->keep, n);
    }
    fix_columns(k, from, n);
}

static void prune_all(const struct work *k)
{
    uint32_t in = k->curvature.n;
    uint32_t step = k->how->rule.of != 0 ? k->how->rule.of : k->how->block;
    for (uint32_t from = 0; from < in; from += step) {
        prune_columns(k, from, in - from < step ? in - from : step);
    }
}

static int take_memory(struct work *k, const struct tare_linear *w, struct tare_err *err)
{
    size_t n = (size_t)w->out * w->in;
    k->rows = malloc(n * sizeof *k->rows + 1);
    k->score = malloc(n * sizeof *k->score + 1);
    k->keep = malloc(n * sizeof *k->keep + 1);
    k->spare = malloc(n * sizeof *k->spare + 1);
    k->out = w->out;
    return k->rows && k->score && k->keep && k->spare
               ? 0
               : tare_err_set(err, TARE_E_NOMEM, "no memory to prune %s", w->name);
}

int tare_sparsegpt_prune(void *ctx, struct tare_linear *w, const struct tare_moments *moments,
                         struct tare_err *err)
{
    struct work k = {.how = ctx};
    float *dense = NULL;
    int rc = tare_mask_rule_fits(&k.how->rule, w, err);
    if (rc == 0) {
        rc = tare_curvature_open(&k.curvature, moments, k.how->damp, false, w->name, err);
    }
    if (rc == 0) {
        rc = take_memory(&k, w, err);
    }
    if (rc == 0) {
        rc = tare_technique_dense(w, &dense, err);
    }
    for (uint32_t r = 0; rc == 0 && r < w->out; r++) {
        tare_curvature_take(&k.curvature, dense + (size_t)r * w->in, k.rows + (size_t)r * w->in);
    }
    if (rc == 0) {
        prune_all(&k);
    }
    for (uint32_t r = 0; rc == 0 && r < w->out; r++) {
        tare_curvature_give(&k.curvature, k.rows + (size_t)r * w->in, dense + (size_t)r * w->in);
    }
    if (rc == 0) {
        rc = tare_mask_store(w, dense, &k.how->rule, err);
    }
    tare_curvature_close(&k.curvature);
    free(dense);
    free(k.rows);
    free(k.score);
    free(k.keep);
    free(k.spare);
    return rc;
}

static int apply(const void *params, struct tare_treatment *treatment, struct tare_err *err)
{
    const struct params *p = params;
    struct tare_sparsegpt how = {.damp = p->damp, .block = (uint32_t)p->block};
    struct tare_calibrated each = {
        .text = p->calib, .sequential = p->sequential, .change = tare_sparsegpt_prune, .ctx = &how};
    if (!(p->damp >= 0.0 && p->damp <= 1.0)) {
        return tare_err_set(err, TARE_E_USAGE, "damp %g is not in 0 to 1", p->damp);
    }
    int rc = tare_mask_rule_parse(&how.rule, p->sparsity, p->pattern, err);
    return rc < 0 ? rc : tare_calibrated_each(treatment, &each, err);
}

const struct tare_technique tare_technique_sparsegpt = {
    .tag = "infer.compress.prune.unstructured",
    .method = "sparsegpt",
    .summary = "weights that the output misses least are set to zero, and those left make up for them",
    .params_size = sizeof(struct params),
    .params = options,
    .apply = apply,
};
