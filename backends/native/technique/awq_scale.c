/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The factors of AWQ: for each group of matrices that see the same channels the alpha with the least error
 * of their outputs, sum over rows of e H e^T, and the folding of the factors into the model.
 */
#include "awq.h"
#include "folds.h"

#include "arch.h"
#include "storage/storages.h"

#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALPHA_STEP   0.05
#define FACTOR_LEAST 1e-4 /* of a channel that is never used */

enum { alphas = 20 };

/* The matrices of one fold in one block. */
struct site {
    struct tare_awq *awq;
    const struct tare_fold *fold;
    int64_t block;
    size_t member[tare_fold_parts]; /* indices of targets */
    uint32_t n_members;
    uint32_t in;
    double *factor; /* owned, [in]: of the columns, as tried */
    double *best;   /* owned, [in] */
};

static void part_name(const struct site *s, const char *part, char *out, size_t cap)
{
    (void)snprintf(out, cap, "blocks.%lld.%s", (long long)s->block, part);
}

static size_t find_target(const struct site *s, const char *part)
{
    char name[96];
    size_t i = 0;
    part_name(s, part, name, sizeof name);
    while (i < s->awq->targets.n && strcmp(s->awq->targets.of[i]->name, name) != 0) {
        i++;
    }
    return i;
}

/* False where the block lacks a part: it is dropped, or stored as a product that cannot be scaled. */
static bool find_members(struct site *s)
{
    for (uint32_t i = 0; i < tare_fold_parts && s->fold->columns[i]; i++) {
        size_t at = find_target(s, s->fold->columns[i]);
        if (at == s->awq->targets.n) {
            return false;
        }
        s->member[s->n_members++] = at;
        s->in = s->awq->targets.of[at]->in;
    }
    return s->n_members > 0 && (!s->fold->rows || find_target(s, s->fold->rows) < s->awq->targets.n);
}

/* (mean |x|)^alpha, brought to a geometric middle of 1. */
static void set_factors(const struct site *s, double alpha)
{
    double least = (double)INFINITY;
    double most = 0;
    for (uint32_t j = 0; j < s->in; j++) {
        double mean = 0;
        for (uint32_t i = 0; i < s->n_members; i++) {
            const struct tare_moments *m = &s->awq->moments[s->member[i]];
            mean += m->abs[j] / (double)m->tokens / s->n_members;
        }
        double factor = pow(mean, alpha);
        s->factor[j] = factor > FACTOR_LEAST ? factor : FACTOR_LEAST;
        least = s->factor[j] < least ? s->factor[j] : least;
        most = s->factor[j] > most ? s->factor[j] : most;
    }
    for (uint32_t j = 0; j < s->in; j++) {
        s->factor[j] /= sqrt(least * most);
    }
}

/* One member at work. */
struct trial {
    const struct tare_linear *w;
    const struct tare_moments *moments;
    struct tare_quantized q;
    float *dense;  /* owned, [out, in] */
    float *scaled; /* owned, the same */
    double *miss;  /* owned, the same */
    double *image; /* owned, the same: miss H */
};

static void trial_close(struct trial *t)
{
    tare_quantized_close(&t->q);
    free(t->dense);
    free(t->scaled);
    free(t->miss);
    free(t->image);
}

static int trial_open(struct trial *t, const struct tare_awq *awq, size_t target, struct tare_err *err)
{
    struct trial made = {.w = awq->targets.of[target], .moments = &awq->moments[target]};
    size_t n = (size_t)made.w->out * made.w->in;
    int rc = tare_quantized_open(&made.q, &awq->how, awq->group, made.w, err);
    if (rc == 0) {
        rc = tare_technique_dense(made.w, &made.dense, err);
    }
    made.scaled = malloc(n * sizeof *made.scaled + 1);
    made.miss = malloc(n * sizeof *made.miss + 1);
    made.image = malloc(n * sizeof *made.image + 1);
    if (rc == 0 && (!made.scaled || !made.miss || !made.image)) {
        rc = tare_err_set(err, TARE_E_NOMEM, "no memory to scale %s", made.w->name);
    }
    if (rc < 0) {
        trial_close(&made);
        return rc;
    }
    *t = made;
    return 0;
}

static double output_error(struct trial *t, const double *factor)
{
    int out = (int)t->w->out;
    int in = (int)t->w->in;
    size_t n = (size_t)t->w->out * t->w->in;
    for (size_t i = 0; i < n; i++) {
        t->scaled[i] = t->dense[i] * (float)factor[i % t->w->in];
    }
    tare_quantized_round(&t->q, t->w, t->scaled);
    tare_quantized_values(&t->q, t->w, t->scaled);
    for (size_t i = 0; i < n; i++) {
        t->miss[i] = (double)t->scaled[i] / factor[i % t->w->in] - (double)t->dense[i];
    }
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, out, in, in, 1.0, t->miss, in, t->moments->h, in,
                0.0, t->image, in);
    return cblas_ddot((int)n, t->image, 1, t->miss, 1) / (double)t->moments->tokens;
}

static void try_alphas(const struct site *s, struct trial *trials)
{
    double least = (double)INFINITY;
    for (int a = 0; a < alphas; a++) {
        double error = 0;
        set_factors(s, ALPHA_STEP * a);
        for (uint32_t i = 0; i < s->n_members; i++) {
            error += output_error(&trials[i], s->factor);
        }
        if (a == 0 || error < least) {
            least = error;
            memcpy(s->best, s->factor, s->in * sizeof *s->best);
        }
    }
}

static int choose(const struct site *s, struct tare_err *err)
{
    struct trial trials[tare_fold_parts] = {0};
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < s->n_members; i++) {
        rc = trial_open(&trials[i], s->awq, s->member[i], err);
    }
    if (rc == 0) {
        try_alphas(s, trials);
    }
    for (uint32_t i = 0; i < s->n_members; i++) {
        trial_close(&trials[i]);
    }
    return rc;
}

static int put_dense(struct tare_linear *w, const float *dense, struct tare_err *err)
{
    struct tare_linear fresh = tare_round_empty(w);
    int rc = tare_storage_f32(&fresh, dense, err);
    if (rc == 0) {
        tare_linear_replace(w, &fresh);
    }
    return rc;
}

static int scale_columns(const struct site *s, size_t target, struct tare_err *err)
{
    struct tare_linear *w = s->awq->targets.of[target];
    struct tare_moments *m = &s->awq->moments[target];
    float *dense = NULL;
    int rc = tare_technique_dense(w, &dense, err);
    for (size_t i = 0; rc == 0 && i < (size_t)w->out * w->in; i++) {
        dense[i] *= (float)s->best[i % w->in];
    }
    for (size_t i = 0; rc == 0 && i < (size_t)w->in * w->in; i++) {
        m->h[i] /= s->best[i % w->in] * s->best[i / w->in];
    }
    for (uint32_t j = 0; rc == 0 && j < w->in; j++) {
        m->abs[j] /= s->best[j];
    }
    if (rc == 0) {
        rc = put_dense(w, dense, err);
    }
    free(dense);
    return rc;
}

static int scale_rows(const struct site *s, struct tare_err *err)
{
    struct tare_linear *w = s->awq->targets.of[find_target(s, s->fold->rows)];
    float *dense = NULL;
    int rc = tare_technique_dense(w, &dense, err);
    for (uint32_t j = 0; rc == 0 && j < s->in; j++) {
        double factor = s->fold->squared ? sqrt(s->best[j]) : s->best[j];
        cblas_sscal((int)w->in, (float)(1.0 / factor), dense + (size_t)j * w->in, 1);
    }
    if (rc == 0) {
        rc = put_dense(w, dense, err);
    }
    free(dense);
    return rc;
}

static int scale_vectors(const struct site *s, struct tare_err *err)
{
    for (size_t i = 0; s->fold->vectors[i]; i++) {
        char name[96];
        part_name(s, s->fold->vectors[i], name, sizeof name);
        const struct tare_vector *v = tare_model_vector(s->awq->treatment->model, name);
        if (!v || v->n < s->in) {
            return tare_err_set(err, TARE_E_UNSUPPORTED,
                                "awq: the model has no vector '%s' of %u numbers or more", name, s->in);
        }
        for (uint32_t j = 0; j < s->in; j++) {
            v->at[j] = (float)((double)v->at[j] / s->best[j]);
        }
    }
    return 0;
}

static int fold_in(const struct site *s, struct tare_err *err)
{
    int rc = scale_vectors(s, err);
    for (uint32_t i = 0; rc == 0 && i < s->n_members; i++) {
        rc = scale_columns(s, s->member[i], err);
    }
    return rc == 0 && s->fold->rows ? scale_rows(s, err) : rc;
}

static int scale_site(struct site *s, struct tare_err *err)
{
    if (!find_members(s)) {
        return 0;
    }
    s->factor = malloc(s->in * sizeof *s->factor);
    s->best = malloc(s->in * sizeof *s->best);
    int rc = s->factor && s->best ? choose(s, err)
                                  : tare_err_set(err, TARE_E_NOMEM, "no memory for %u factors", s->in);
    if (rc == 0) {
        rc = fold_in(s, err);
    }
    free(s->factor);
    free(s->best);
    return rc;
}

int tare_awq_scale(struct tare_awq *awq, struct tare_err *err)
{
    const char *arch = awq->treatment->model->arch->name;
    int64_t last = tare_target_last_block(awq->treatment->model);
    int rc = 0;
    for (int64_t block = 0; block <= last; block++) {
        for (const struct tare_fold *fold = tare_folds; rc == 0 && fold->arch; fold++) {
            struct site site = {.awq = awq, .fold = fold, .block = block};
            if (strcmp(fold->arch, arch) == 0) {
                rc = scale_site(&site, err);
            }
        }
    }
    return rc;
}
