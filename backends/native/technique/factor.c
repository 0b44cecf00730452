/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Singular value decomposition of a weighted matrix, in double.
 *
 * LAPACK counts by columns: W S handed over by rows is its transpose, so left and right change places and
 * come out by rows again.
 */
#include "factor.h"

#include "lapack.h"

#include <cblas.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SMALLEST_COLUMN 1e-6

struct decomposition {
    double *m;  /* [out, in] */
    double *s;  /* [k], k = min(out, in) */
    double *u;  /* [out, k] */
    double *vt; /* [k, in] */
    int out;
    int in;
    int k;
};

static void drop(struct decomposition *d)
{
    free(d->m);
    free(d->s);
    free(d->u);
    free(d->vt);
}

static int reserve(struct decomposition *d, uint32_t out, uint32_t in, struct tare_err *err)
{
    uint32_t k = out < in ? out : in;
    *d = (struct decomposition){.out = (int)out, .in = (int)in, .k = (int)k};
    d->m = malloc((size_t)out * in * sizeof *d->m);
    d->s = malloc(k * sizeof *d->s);
    d->u = malloc((size_t)out * k * sizeof *d->u);
    d->vt = malloc((size_t)k * in * sizeof *d->vt);
    if (!d->m || !d->s || !d->u || !d->vt) {
        drop(d);
        return tare_err_set(err, TARE_E_NOMEM, "no memory to decompose %u by %u numbers", out, in);
    }
    return 0;
}

static int decompose(struct decomposition *d, struct tare_err *err)
{
    double best = 0.0;
    int info = 0;
    int ask = -1;
    int *counters = malloc(8 * (size_t)d->k * sizeof *counters);
    dgesdd_("S", &d->in, &d->out, d->m, &d->in, d->s, d->vt, &d->in, d->u, &d->k, &best, &ask, counters,
            &info);
    int size = (int)best;
    double *work = malloc(((size_t)size + 1) * sizeof *work);
    if (counters && work && info == 0) {
        dgesdd_("S", &d->in, &d->out, d->m, &d->in, d->s, d->vt, &d->in, d->u, &d->k, work, &size, counters,
                &info);
    }
    bool memory = counters && work;
    free(counters);
    free(work);
    if (!memory) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory to decompose %d by %d numbers", d->out, d->in);
    }
    return info == 0 ? 0
                     : tare_err_set(err, TARE_E_BACKEND,
                                    "the singular values of %d by %d numbers were not found (LAPACK says %d)",
                                    d->out, d->in, info);
}

/* The lower factor of the damped moments, by rows; the upper one by columns is the same memory. */
static int factor_moments(const struct tare_factor *how, double **out, struct tare_err *err)
{
    const struct tare_moments *m = how->moments;
    size_t n = m->in;
    int size = (int)m->in;
    int info = 0;
    double trace = 0.0;
    double *l = malloc(n * n * sizeof *l);
    if (!l) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for moments of %u columns", m->in);
    }
    for (size_t i = 0; i < n * n; i++) {
        l[i] = m->h[i] / (double)m->tokens;
        trace += i % (n + 1) == 0 ? l[i] : 0.0;
    }
    for (size_t i = 0; i < n; i++) {
        l[i * (n + 1)] += how->damp * trace / (double)n;
    }
    dpotrf_("U", &size, l, &size, &info);
    if (info != 0) {
        free(l);
        return tare_err_set(
            err, TARE_E_UNSUPPORTED,
            "the moments of %d inputs are not positive definite; use more calibration tokens or a "
            "larger damp",
            size);
    }
    *out = l;
    return 0;
}

static int column_scales(const struct tare_factor *how, double **out, struct tare_err *err)
{
    const struct tare_moments *m = how->moments;
    double *s = calloc(m->in + (size_t)1, sizeof *s);
    if (!s) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for scales of %u columns", m->in);
    }
    for (uint32_t c = 0; c < m->in; c++) {
        double mean = m->abs[c] / (double)m->tokens;
        s[c] = pow(mean > SMALLEST_COLUMN ? mean : SMALLEST_COLUMN, how->alpha);
    }
    *out = s;
    return 0;
}

/* S in whichever form; NULL when nothing is weighted. */
static int weights_of(const struct tare_factor *how, uint32_t in, double **out, struct tare_err *err)
{
    const struct tare_moments *m = how->moments;
    *out = NULL;
    if (!m || how->weighting == TARE_FACTOR_PLAIN) {
        return 0;
    }
    if (m->in != in || m->tokens <= 0) {
        return tare_err_set(err, TARE_E_USAGE,
                            "moments of %u columns over %" PRId64 " tokens for a matrix of %u", m->in,
                            m->tokens, in);
    }
    return how->weighting == TARE_FACTOR_COLUMNS ? column_scales(how, out, err)
                                                 : factor_moments(how, out, err);
}

/* m [rows, in] = m S, or m S^-1. */
static void weigh(const struct tare_factor *how, const double *s, double *m, int rows, int in, bool inverse)
{
    if (!s) {
        return;
    }
    if (how->weighting == TARE_FACTOR_MOMENTS && inverse) {
        cblas_dtrsm(CblasRowMajor, CblasRight, CblasLower, CblasNoTrans, CblasNonUnit, rows, in, 1.0, s, in,
                    m, in);
    } else if (how->weighting == TARE_FACTOR_MOMENTS) {
        cblas_dtrmm(CblasRowMajor, CblasRight, CblasLower, CblasNoTrans, CblasNonUnit, rows, in, 1.0, s, in,
                    m, in);
    } else {
        for (int r = 0; r < rows; r++, m += in) {
            for (int c = 0; c < in; c++) {
                m[c] = inverse ? m[c] / s[c] : m[c] * s[c];
            }
        }
    }
}

static void cut(const struct tare_factor *how, const double *s, struct decomposition *d, uint32_t rank,
                float *a, float *b)
{
    size_t in = (size_t)d->in;
    for (uint32_t k = 0; k < rank; k++) {
        double share = sqrt(d->s[k]);
        for (int r = 0; r < d->out; r++) {
            b[(size_t)r * rank + k] = (float)(share * d->u[(size_t)r * (size_t)d->k + k]);
        }
        for (size_t c = 0; c < in; c++) {
            d->vt[k * in + c] *= share;
        }
    }
    weigh(how, s, d->vt, (int)rank, d->in, true);
    for (size_t i = 0; i < rank * in; i++) {
        a[i] = (float)d->vt[i];
    }
}

int tare_factor(const struct tare_factor *how, const float *w, uint32_t out, uint32_t in, uint32_t rank,
                float *a, float *b, struct tare_err *err)
{
    struct decomposition d;
    double *s = NULL;
    int rc = reserve(&d, out, in, err);
    if (rc < 0) {
        return rc;
    }
    openblas_set_num_threads(1); /* the same result whatever the machine */
    for (size_t i = 0; i < (size_t)out * in; i++) {
        d.m[i] = (double)w[i];
    }
    rc = weights_of(how, in, &s, err);
    if (rc == 0) {
        weigh(how, s, d.m, d.out, d.in, false);
        rc = decompose(&d, err);
    }
    if (rc == 0) {
        cut(how, s, &d, rank, a, b);
    }
    free(s);
    drop(&d);
    return rc;
}

uint32_t tare_factor_rank(uint32_t out, uint32_t in, double ratio, uint32_t multiples)
{
    uint32_t most = out < in ? out : in;
    uint32_t rank = (uint32_t)(ratio * out * in / (out + (double)in));
    rank = rank / multiples * multiples;
    rank = rank < multiples ? multiples : rank;
    return rank < most ? rank : most;
}
