/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The factor of the inverse, without forming the inverse: H = R R^T with R upper (a Cholesky factor taken
 * from the last column to the first), then U = R^-1.
 */
#include "compensate.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void tare_curvature_close(struct tare_curvature *c)
{
    free(c->u);
    free(c->order);
    free(c->dead);
    memset(c, 0, sizeof *c);
}

/* Falling H_jj; equal ones as they stand. Insertion: n is some hundreds. */
static void order_by_size(struct tare_curvature *c, const struct tare_moments *m)
{
    for (uint32_t i = 1; i < c->n; i++) {
        uint32_t column = c->order[i];
        uint32_t at = i;
        double size = m->h[(size_t)column * c->n + column];
        while (at > 0 && m->h[(size_t)c->order[at - 1] * c->n + c->order[at - 1]] < size) {
            c->order[at] = c->order[at - 1];
            at--;
        }
        c->order[at] = column;
    }
}

/* H by place, a dead input getting 1 on the diagonal, and the damping. */
static void lay_out(struct tare_curvature *c, const struct tare_moments *m, double damp, double *h)
{
    size_t n = c->n;
    double mean = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            h[i * n + j] = m->h[c->order[i] * n + c->order[j]] / (double)m->tokens;
        }
        c->dead[i] = h[i * n + i] <= 0.0;
        h[i * n + i] = c->dead[i] ? 1.0 : h[i * n + i];
        mean += h[i * n + i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        h[i * n + i] += damp * mean;
    }
}

bool tare_factor_upper(double *h, size_t n)
{
    for (size_t j = n; j-- > 0;) {
        const double *tail = h + j * n + j + 1;
        int rest = (int)(n - j - 1);
        double pivot = h[j * n + j] - cblas_ddot(rest, tail, 1, tail, 1);
        if (!(pivot > 0.0)) {
            return false;
        }
        h[j * n + j] = sqrt(pivot);
        for (size_t i = 0; i < j; i++) {
            h[i * n + j] = (h[i * n + j] - cblas_ddot(rest, h + i * n + j + 1, 1, tail, 1)) / h[j * n + j];
        }
    }
    return true;
}

static void set_unit(double *u, size_t n)
{
    memset(u, 0, n * n * sizeof *u);
    for (size_t i = 0; i < n; i++) {
        u[i * n + i] = 1.0;
    }
}

static int reserve(struct tare_curvature *c, double **h, const char *name, struct tare_err *err)
{
    size_t n = c->n;
    *h = malloc(n * n * sizeof **h + 1);
    c->u = malloc(n * n * sizeof *c->u + 1);
    c->order = malloc(n * sizeof *c->order + 1);
    c->dead = malloc(n * sizeof *c->dead + 1);
    if (!*h || !c->u || !c->order || !c->dead) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for the curvature of %s", name);
    }
    for (uint32_t i = 0; i < c->n; i++) {
        c->order[i] = i;
    }
    return 0;
}

int tare_curvature_open(struct tare_curvature *c, const struct tare_moments *moments, double damp,
                        bool by_size, const char *name, struct tare_err *err)
{
    struct tare_curvature made = {.n = moments->in};
    double *h = NULL;
    int n = (int)moments->in;
    int rc = reserve(&made, &h, name, err);
    if (rc == 0) {
        if (by_size) {
            order_by_size(&made, moments);
        }
        lay_out(&made, moments, damp, h);
        if (!tare_factor_upper(h, made.n)) {
            rc = tare_err_set(err, TARE_E_LIMIT,
                              "%s: the moments of its input are singular; raise damp above %g or calib_tok",
                              name, damp);
        }
    }
    if (rc == 0) {
        set_unit(made.u, made.n);
        cblas_dtrsm(CblasRowMajor, CblasLeft, CblasUpper, CblasNoTrans, CblasNonUnit, n, n, 1.0, h, n, made.u,
                    n);
    }
    free(h);
    if (rc < 0) {
        tare_curvature_close(&made);
        return rc;
    }
    *c = made;
    return 0;
}

void tare_compensate(const struct tare_curvature *c, double *row, uint32_t j, double value)
{
    const double *u = c->u + (size_t)j * c->n + j;
    double error = (row[j] - value) / u[0];
    cblas_daxpy((int)(c->n - j - 1), -error, u + 1, 1, row + j + 1, 1);
    row[j] = value;
}

void tare_curvature_take(const struct tare_curvature *c, const float *row, double *to)
{
    for (uint32_t i = 0; i < c->n; i++) {
        to[i] = c->dead[i] ? 0.0 : (double)row[c->order[i]];
    }
}

void tare_curvature_give(const struct tare_curvature *c, const double *row, float *to)
{
    for (uint32_t i = 0; i < c->n; i++) {
        to[c->order[i]] = (float)row[i];
    }
}
