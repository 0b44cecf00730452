/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AWQ: columns that meet large inputs are made larger before rounding, and what stands before the matrix
 * smaller, which keeps the model as it is and the important weights nearer to what they were.
 *
 * The factor of column j is (mean |x_j|)^alpha, alpha of 0 .. 0.95 with the least error of the outputs on
 * calibration text. After that the range of each group is cut by 0 .. 45 %, again by the error of the
 * outputs; not in q and k of attention and retention. Where a factor cannot be folded exactly (folds.h) there
 * is none.
 */
#include "awq.h"

#include <stdlib.h>
#include <string.h>

enum { scheme_sym, scheme_asym };

struct params {
    int64_t bits;
    int64_t group;
    int64_t scheme;
    bool search;
    bool scale;
    bool clip;
    bool embed;
    struct tare_calibration_choice calib;
};

static const char *const schemes[] = {"sym", "asym", NULL};

static const struct tare_opt options[] = {
    {.name = "bits",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct params, bits),
     .def = "4",
     .help = "of a code",
     .unit = "bit",
     .min = 2,
     .max = 8},
    {.name = "group",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct params, group),
     .def = "-1",
     .help =
         "columns that share a scale; 0: a whole row; -1: a row for 8 bits, else the largest divisor of the "
         "columns up to 32",
     .min = -1,
     .max = 65536},
    {.name = "scheme",
     .type = TARE_OPT_CHOICE,
     .offset = offsetof(struct params, scheme),
     .def = "sym",
     .help = "sym: codes around zero; asym: from the lowest to the highest number, with a zero point",
     .choices = schemes},
    {.name = "search",
     .type = TARE_OPT_BOOL,
     .offset = offsetof(struct params, search),
     .def = "no",
     .help =
         "where no range is cut by the error of the outputs, cuts it by the squared error of the weights"},
    {.name = "scale",
     .type = TARE_OPT_BOOL,
     .offset = offsetof(struct params, scale),
     .def = "yes",
     .help = "makes columns with large inputs larger"},
    {.name = "clip",
     .type = TARE_OPT_BOOL,
     .offset = offsetof(struct params, clip),
     .def = "yes",
     .help = "cuts ranges by the error of the outputs"},
    {.name = "embed",
     .type = TARE_OPT_BOOL,
     .offset = offsetof(struct params, embed),
     .def = "yes",
     .help = "the embedding, which is also the head, becomes int8 by row"},
    TARE_CALIBRATION_OPTIONS(params),
    TARE_CALIBRATION_WINDOW(params),
    TARE_OPT_END,
};

static int quantize_all(const struct tare_awq *awq, struct tare_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < awq->targets.n; i++) {
        rc = tare_awq_quantize(awq, i, err);
    }
    return rc;
}

static int collect(struct tare_awq *awq, const struct params *p, struct tare_err *err)
{
    struct tare_calibration calibration = {0};
    int rc = tare_calibration_open_choice(&calibration, awq->treatment, &p->calib, err);
    if (rc == 0) {
        rc = tare_calibration_collect(&calibration, (const struct tare_linear *const *)awq->targets.of,
                                      awq->targets.n, awq->moments, err);
    }
    tare_calibration_close(&calibration);
    return rc;
}

static int work(struct tare_awq *awq, const struct params *p, struct tare_err *err)
{
    awq->moments = calloc(awq->targets.n + 1, sizeof *awq->moments);
    if (!awq->moments) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for the moments of %zu matrices", awq->targets.n);
    }
    int rc = collect(awq, p, err);
    if (rc == 0 && p->scale) {
        rc = tare_awq_scale(awq, err);
    }
    return rc < 0 ? rc : quantize_all(awq, err);
}

static int apply(const void *params, struct tare_treatment *treatment, struct tare_err *err)
{
    const struct params *p = params;
    struct tare_awq awq = {
        .treatment = treatment,
        .how = {.bits = (uint32_t)p->bits, .asymmetric = p->scheme == scheme_asym, .search = p->search},
        .group = p->group,
        .clip = p->clip};
    int rc = tare_targets_open(&awq.targets, treatment, tare_every_block, err);
    if (rc == 0) {
        rc = work(&awq, p, err);
    }
    for (size_t i = 0; awq.moments && i < awq.targets.n; i++) {
        tare_moments_close(&awq.moments[i]);
    }
    free(awq.moments);
    tare_targets_close(&awq.targets);
    return rc == 0 && p->embed ? tare_round_embedding(treatment, err) : rc;
}

const struct tare_technique tare_technique_awq = {
    .tag = "infer.compress.quant.weight",
    .method = "awq",
    .summary = "columns with large inputs keep more of their precision, on calibration text",
    .params_size = sizeof(struct params),
    .params = options,
    .apply = apply,
};
