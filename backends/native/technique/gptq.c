/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GPTQ: the columns of a matrix are rounded one after the other, and those to the right make up for the
 * error. The grid of a group is fitted when its first column is reached, on weights that carry the changes so
 * far. With act_order the columns come in the order of falling input size; their groups are then those of
 * the matrix as it was, because codes are stored by column.
 */
#include "gptq.h"

#include "compensate.h"

#include <stdlib.h>

enum { scheme_sym, scheme_asym };

struct params {
    int64_t bits;
    int64_t group;
    int64_t scheme;
    bool search;
    double damp;
    bool act_order;
    bool sequential;
    bool embed;
    struct tare_calibration_choice calib;
};

static const char *const schemes[] = {"sym", "asym", NULL};

static const struct tare_opt options[] = {
    {.name = "bits",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct params, bits),
     .def = "4",
     .help = "bits of a code",
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
     .help = "codes around the middle, or with a zero point for each group",
     .choices = schemes},
    {.name = "search",
     .type = TARE_OPT_BOOL,
     .offset = offsetof(struct params, search),
     .def = "no",
     .help = "tries smaller ranges of a group and keeps the one with the least squared error"},
    {.name = "damp",
     .type = TARE_OPT_F64,
     .offset = offsetof(struct params, damp),
     .def = "0.01",
     .help = "share of the mean of the moments' diagonal that is added to it"},
    {.name = "act_order",
     .type = TARE_OPT_BOOL,
     .offset = offsetof(struct params, act_order),
     .def = "no",
     .help = "columns with the largest inputs first"},
    {.name = "sequential",
     .type = TARE_OPT_BOOL,
     .offset = offsetof(struct params, sequential),
     .def = "yes",
     .help = "each block of the model is rounded on what the rounded blocks before it put out"},
    {.name = "embed",
     .type = TARE_OPT_BOOL,
     .offset = offsetof(struct params, embed),
     .def = "yes",
     .help = "the embedding, which is the head, is rounded to int8 by row"},
    TARE_CALIBRATION_OPTIONS(params),
    TARE_CALIBRATION_WINDOW(params),
    TARE_OPT_END,
};

/* Rounds one row, given by place. `as_float` holds a group. */
static void round_row(struct tare_quantized *q, const struct tare_curvature *c, uint32_t r, double *row,
                      bool fit, float *as_float)
{
    for (uint32_t i = 0; i < c->n; i++) {
        if (fit && i % q->columns == 0) {
            for (uint32_t k = 0; k < q->columns; k++) {
                as_float[k] = (float)row[i + k];
            }
            tare_quantized_fit(q, r, i / q->columns, as_float);
        }
        uint32_t column = c->order[i];
        const struct tare_grid *grid = &q->grids[(size_t)r * q->groups + column / q->columns];
        float code = tare_grid_code(grid, (float)row[i]);
        q->codes[(size_t)r * c->n + column] = (uint8_t)code;
        tare_compensate(c, row, i, (double)tare_grid_value(grid, code));
    }
}

static int round_all(struct tare_quantized *q, const struct tare_linear *w, const struct tare_curvature *c,
                     bool act_order, struct tare_err *err)
{
    float *dense = NULL;
    double *row = malloc(w->in * sizeof *row + 1);
    float *group = malloc(w->in * sizeof *group + 1);
    int rc = row && group ? tare_technique_dense(w, &dense, err)
                          : tare_err_set(err, TARE_E_NOMEM, "no memory for a row of %s", w->name);
    if (rc == 0 && act_order) {
        tare_quantized_round(q, w, dense);
    }
    for (uint32_t r = 0; rc == 0 && r < w->out; r++) {
        tare_curvature_take(c, dense + (size_t)r * w->in, row);
        round_row(q, c, r, row, !act_order, group);
    }
    free(dense);
    free(row);
    free(group);
    return rc;
}

int tare_gptq_quantize(void *ctx, struct tare_linear *w, const struct tare_moments *moments,
                       struct tare_err *err)
{
    const struct tare_gptq *how = ctx;
    struct tare_curvature curvature = {0};
    struct tare_quantized q = {0};
    int rc = tare_quantized_open(&q, &how->grid, how->group, w, err);
    if (rc == 0) {
        rc = tare_curvature_open(&curvature, moments, how->damp, how->act_order, w->name, err);
    }
    if (rc == 0) {
        rc = round_all(&q, w, &curvature, how->act_order, err);
    }
    if (rc == 0) {
        rc = tare_quantized_store(&q, w, err);
    }
    tare_curvature_close(&curvature);
    tare_quantized_close(&q);
    return rc;
}

static int apply(const void *params, struct tare_treatment *treatment, struct tare_err *err)
{
    const struct params *p = params;
    struct tare_gptq how = {
        .grid = {.bits = (uint32_t)p->bits, .asymmetric = p->scheme == scheme_asym, .search = p->search},
        .group = p->group,
        .damp = p->damp,
        .act_order = p->act_order};
    struct tare_calibrated each = {
        .text = p->calib, .sequential = p->sequential, .change = tare_gptq_quantize, .ctx = &how};
    if (!(p->damp >= 0.0 && p->damp <= 1.0)) {
        return tare_err_set(err, TARE_E_USAGE, "damp %g is not in 0 to 1", p->damp);
    }
    int rc = tare_calibrated_each(treatment, &each, err);
    return rc == 0 && p->embed ? tare_round_embedding(treatment, err) : rc;
}

const struct tare_technique tare_technique_gptq = {
    .tag = "infer.compress.quant.weight",
    .method = "gptq",
    .summary = "columns are rounded in turn and those left make up for the error, on calibration text",
    .params_size = sizeof(struct params),
    .params = options,
    .apply = apply,
};
