/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wanda: |w| times the root mean square of its input decides, compared within each output row; what stays
 * is not changed. The input's size comes from calibration text or from a file that holds it
 * (`<layer>.in_rms` F32 [in]), such as the one the zoo's wanda50 and wanda24 were made with.
 */
#include "mask.h"
#include "targets.h"

#include "safetensors.h"
#include "widen.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct params {
    double sparsity;
    char *pattern;
    struct tare_calibration_choice calib;
};

static const struct tare_opt options[] = {
    {.name = "sparsity",
     .type = TARE_OPT_F64,
     .offset = offsetof(struct params, sparsity),
     .def = "0.5",
     .help = "share of each row's weights that go"},
    {.name = "pattern",
     .type = TARE_OPT_STR,
     .offset = offsetof(struct params, pattern),
     .help = "N:M instead of a share: of each M in a row N stay"},
    TARE_CALIBRATION_OPTIONS(params),
    TARE_CALIBRATION_WINDOW(params),
    TARE_OPT_END,
};

/* All in float32: the variants of the zoo were made so. */
static int prune_by(const struct tare_mask_rule *rule, struct tare_linear *w, const float *in_rms,
                    struct tare_err *err)
{
    float *dense = NULL;
    float *score = malloc(2 * (size_t)w->in * sizeof *score);
    int rc = score ? tare_mask_rule_fits(rule, w, err)
                   : tare_err_set(err, TARE_E_NOMEM, "no memory for the scores of %s", w->name);
    if (rc == 0) {
        rc = tare_technique_dense(w, &dense, err);
    }
    for (uint32_t r = 0; rc == 0 && r < w->out; r++) {
        float *row = dense + (size_t)r * w->in;
        for (uint32_t c = 0; c < w->in; c++) {
            score[c] = fabsf(row[c]) * in_rms[c];
        }
        tare_mask_row(row, score, w->in, rule, score + w->in);
    }
    if (rc == 0) {
        rc = tare_mask_store(w, dense, rule, err);
    }
    free(dense);
    free(score);
    return rc;
}

static int prune_by_moments(void *ctx, struct tare_linear *w, const struct tare_moments *moments,
                            struct tare_err *err)
{
    float *in_rms = malloc((size_t)w->in * sizeof *in_rms);
    if (!in_rms) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for %s", w->name);
    }
    for (uint32_t c = 0; c < w->in; c++) {
        in_rms[c] = (float)sqrt(moments->h[(size_t)c * w->in + c] / (double)moments->tokens);
    }
    int rc = prune_by(ctx, w, in_rms, err);
    free(in_rms);
    return rc;
}

struct from_file {
    const struct tare_mask_rule *rule;
    const struct tare_safetensors *st;
    const char *path;
};

static int prune_by_file(void *ctx, struct tare_linear *w, struct tare_err *err)
{
    const struct from_file *f = ctx;
    char name[96];
    (void)snprintf(name, sizeof name, "%s.in_rms", w->name);
    const struct tare_tensor *t = tare_safetensors_find(f->st, name);
    if (!t || t->dtype != TARE_DTYPE_F32 || t->rank != 1 || t->n_elements != w->in) {
        return tare_err_set(err, TARE_E_FORMAT, "%s: '%s' is not there as F32 [%u]", f->path, name, w->in);
    }
    float *in_rms = malloc((size_t)w->in * sizeof *in_rms);
    if (!in_rms) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for %s", w->name);
    }
    tare_widen_f32(in_rms, t->data, w->in);
    int rc = prune_by(f->rule, w, in_rms, err);
    free(in_rms);
    return rc;
}

static bool is_safetensors(const char *path)
{
    static const char end[] = ".safetensors";
    size_t n = path ? strlen(path) : 0;
    return n >= sizeof end - 1 && strcmp(path + n - (sizeof end - 1), end) == 0;
}

static int apply_file(const struct tare_mask_rule *rule, const char *path, struct tare_treatment *treatment,
                      struct tare_err *err)
{
    struct tare_safetensors st = {0};
    int rc = tare_safetensors_open(&st, path, err);
    if (rc < 0) {
        return rc;
    }
    rc = tare_technique_each(treatment, prune_by_file, &(struct from_file){rule, &st, path}, err);
    tare_safetensors_close(&st);
    return rc;
}

static int apply(const void *params, struct tare_treatment *treatment, struct tare_err *err)
{
    const struct params *p = params;
    struct tare_mask_rule rule;
    int rc = tare_mask_rule_parse(&rule, p->sparsity, p->pattern, err);
    if (rc < 0) {
        return rc;
    }
    if (is_safetensors(p->calib.path)) {
        return apply_file(&rule, p->calib.path, treatment, err);
    }
    struct tare_calibrated how = {.text = p->calib, .change = prune_by_moments, .ctx = &rule};
    return tare_calibrated_each(treatment, &how, err);
}

const struct tare_technique tare_technique_wanda = {
    .tag = "infer.compress.prune.unstructured",
    .method = "wanda",
    .summary = "weights that are small for the inputs they meet are set to zero",
    .params_size = sizeof(struct params),
    .params = options,
    .apply = apply,
};
