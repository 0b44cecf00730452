/* SPDX-License-Identifier: Apache-2.0 */
/* Matrices with fewer rows or columns, and the least squares by which columns that stay take over. */
#include "compensate.h"
#include "structured.h"

#include "storage/storages.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

typedef int constructor(struct tare_linear *w, const float *dense, struct tare_err *err);

/* What the numbers of a storage can be put back into without becoming others. */
static constructor *constructor_of(const struct tare_linear *w)
{
    static const struct {
        const struct tare_storage *storage;
        constructor *make;
    } plain[] = {{&tare_stored_f16, tare_storage_f16},
                 {&tare_stored_f32, tare_storage_f32},
                 {&tare_stored_bitmap, tare_storage_bitmap}};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (w->storage == plain[i].storage) {
            return plain[i].make;
        }
    }
    return NULL;
}

int tare_shrink_check(const struct tare_linear *w, struct tare_err *err)
{
    if (!constructor_of(w)) {
        return tare_err_set(
            err, TARE_E_UNSUPPORTED,
            "%s is stored as %s, which loses by being packed again; take parts out first, then "
            "quantize or factor",
            w->name, w->storage->name);
    }
    return 0;
}

static int replace(struct tare_linear *w, uint32_t out, uint32_t in, const float *dense, struct tare_err *err)
{
    struct tare_linear fresh = {.out = out, .in = in};
    memcpy(fresh.name, w->name, sizeof fresh.name);
    int rc = constructor_of(w)(&fresh, dense, err);
    if (rc == 0) {
        tare_linear_replace(w, &fresh);
    }
    return rc;
}

int tare_shrink_rows(struct tare_linear *w, const uint32_t *kept, uint32_t n_kept, struct tare_err *err)
{
    float *dense = NULL;
    int rc = tare_technique_dense(w, &dense, err);
    for (uint32_t i = 0; rc == 0 && i < n_kept; i++) {
        memmove(dense + (size_t)i * w->in, dense + (size_t)kept[i] * w->in, w->in * sizeof *dense);
    }
    if (rc == 0) {
        rc = replace(w, n_kept, w->in, dense, err);
    }
    free(dense);
    return rc;
}

int tare_shrink_columns(struct tare_linear *w, const float *dense, const uint32_t *kept, uint32_t n_kept,
                        struct tare_err *err)
{
    float *narrow = malloc((size_t)w->out * n_kept * sizeof *narrow + 1);
    if (!narrow) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for the columns of %s", w->name);
    }
    for (uint32_t r = 0; r < w->out; r++) {
        for (uint32_t i = 0; i < n_kept; i++) {
            narrow[(size_t)r * n_kept + i] = dense[(size_t)r * w->in + kept[i]];
        }
    }
    int rc = replace(w, w->out, n_kept, narrow, err);
    free(narrow);
    return rc;
}

/* With K the columns kept and R the rest, |(W_R x_R - D x_K)|^2 is least at D H_KK = W_R H_RK; W_K += D. Here
 * H_KK, damped. */
static void lay_out(const struct tare_moments *m, double damp, const uint32_t *kept, uint32_t n_kept,
                    double *h)
{
    double mean = 0;
    for (uint32_t i = 0; i < m->in; i++) {
        mean += m->h[(size_t)i * m->in + i] / m->in;
    }
    for (size_t i = 0; i < n_kept; i++) {
        for (size_t k = 0; k < n_kept; k++) {
            h[i * n_kept + k] = m->h[(size_t)kept[i] * m->in + kept[k]];
        }
        h[i * n_kept + i] += damp * mean;
    }
}

/* b [n_kept, out] = H_KR W_R^T */
static void right_sides(const struct tare_moments *m, const float *dense, uint32_t out, const uint32_t *kept,
                        uint32_t n_kept, double *b)
{
    memset(b, 0, (size_t)n_kept * out * sizeof *b);
    uint32_t next = 0;
    for (uint32_t c = 0; c < m->in; c++) {
        if (next < n_kept && kept[next] == c) {
            next++;
            continue;
        }
        for (uint32_t i = 0; i < n_kept; i++) {
            double h = m->h[(size_t)kept[i] * m->in + c];
            for (uint32_t r = 0; r < out; r++) {
                b[(size_t)i * out + r] += h * (double)dense[(size_t)r * m->in + c];
            }
        }
    }
}

int tare_make_up(const struct tare_linear *w, float *dense, const struct tare_moments *moments, double damp,
                 const uint32_t *kept, uint32_t n_kept, struct tare_err *err)
{
    int n = (int)n_kept;
    int out = (int)w->out;
    double *h = malloc((size_t)n_kept * n_kept * sizeof *h + 1);
    double *b = malloc((size_t)n_kept * w->out * sizeof *b + 1);
    int rc = h && b ? 0 : tare_err_set(err, TARE_E_NOMEM, "no memory to update %s", w->name);
    if (rc == 0) {
        lay_out(moments, damp, kept, n_kept, h);
        right_sides(moments, dense, w->out, kept, n_kept, b);
        if (!tare_factor_upper(h, n_kept)) {
            rc =
                tare_err_set(err, TARE_E_LIMIT,
                             "%s: the moments of its input are singular; raise damp above %g", w->name, damp);
        }
    }
    if (rc == 0) {
        cblas_dtrsm(CblasRowMajor, CblasLeft, CblasUpper, CblasNoTrans, CblasNonUnit, n, out, 1.0, h, n, b,
                    out);
        cblas_dtrsm(CblasRowMajor, CblasLeft, CblasUpper, CblasTrans, CblasNonUnit, n, out, 1.0, h, n, b,
                    out);
    }
    for (uint32_t k = 0; rc == 0 && k < n_kept; k++) {
        for (size_t row = 0; row < w->out; row++) {
            dense[row * w->in + kept[k]] += (float)b[k * (size_t)w->out + row];
        }
    }
    free(h);
    free(b);
    return rc;
}
