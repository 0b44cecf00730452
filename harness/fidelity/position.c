/* SPDX-License-Identifier: Apache-2.0 */
/* Log-softmax of two rows in double, and what is between them. */
#include "fidelity/position.h"

#include "stats/divergence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int tare_comparer_init(struct tare_comparer *c, size_t n_vocab, struct tare_err *err)
{
    struct tare_comparer made = {
        .n_vocab = n_vocab, .p = calloc(n_vocab, sizeof *made.p), .q = calloc(n_vocab, sizeof *made.q)};
    if (!made.p || !made.q) {
        tare_comparer_fini(&made);
        return tare_err_set(err, TARE_E_NOMEM, "two rows of %zu probabilities: out of memory", n_vocab);
    }
    *c = made;
    return 0;
}

void tare_comparer_fini(struct tare_comparer *c)
{
    free(c->p);
    free(c->q);
    memset(c, 0, sizeof *c);
}

/* Probabilities of a row; *out_log_sum: ln of the sum of exp(row). False for what is no row of logits. */
static bool softmax(const float *row, size_t n, double *p, double *out_log_sum)
{
    double most = (double)-INFINITY, sum = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(row[i]) || row[i] == INFINITY) {
            return false;
        }
        most = fmax(most, (double)row[i]);
    }
    if (!isfinite(most)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        p[i] = exp((double)row[i] - most);
        sum += p[i];
    }
    for (size_t i = 0; i < n; i++) {
        p[i] /= sum;
    }
    *out_log_sum = most + log(sum);
    return true;
}

/* Equal rows and sure things may round below 0. A NaN stays one, so that it is seen. */
static double not_below_0(double x)
{
    return x < 0 ? 0 : x;
}

/* ln p of each token is known exactly where p itself is too small for a double, so the sum is over logits. */
static double entropy(const float *row, const double *p, size_t n, double log_sum)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += p[i] > 0 ? p[i] * (log_sum - (double)row[i]) : 0;
    }
    return not_below_0(sum);
}

static bool is_before(const float *row, uint32_t a, uint32_t b)
{
    return row[a] > row[b] || (row[a] >= row[b] && a < b);
}

void tare_top(const float *row, size_t n, size_t k, uint32_t *out)
{
    size_t have = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (have == k && !is_before(row, i, out[k - 1])) {
            continue;
        }
        size_t at = have < k ? have++ : k - 1;
        for (; at > 0 && is_before(row, i, out[at - 1]); at--) {
            out[at] = out[at - 1];
        }
        out[at] = i;
    }
}

static uint32_t count_common(const uint32_t *a, const uint32_t *b, size_t k)
{
    uint32_t common = 0;
    for (size_t i = 0; i < k; i++) {
        for (size_t j = 0; j < k; j++) {
            common += a[i] == b[j];
        }
    }
    return common;
}

/* How many stand before it, and one. */
static uint32_t rank_of(const float *row, size_t n, uint32_t token)
{
    uint32_t rank = 1;
    for (uint32_t i = 0; i < n; i++) {
        rank += i != token && is_before(row, i, token);
    }
    return rank;
}

static void compare_tops(const float *teacher, const float *student, size_t n, struct tare_position *out)
{
    uint32_t t[TARE_TOP_MANY] = {0}, s[TARE_TOP_MANY] = {0};
    size_t few = n < TARE_TOP_FEW ? n : TARE_TOP_FEW, many = n < TARE_TOP_MANY ? n : TARE_TOP_MANY;
    tare_top(teacher, n, many, t);
    tare_top(student, n, many, s);
    out->top_t = t[0];
    out->top_s = s[0];
    out->common_few = count_common(t, s, few);
    out->common_many = count_common(t, s, many);
    out->rank = rank_of(student, n, t[0]);
    out->swapped = n > 1 && is_before(student, t[1], t[0]);
}

int tare_compare_rows(struct tare_comparer *c, const float *teacher, const float *student, size_t target,
                      struct tare_position *out, const char **out_bad)
{
    double log_sum_t = 0, log_sum_s = 0;
    bool good_t = softmax(teacher, c->n_vocab, c->p, &log_sum_t);
    if (!good_t || !softmax(student, c->n_vocab, c->q, &log_sum_s)) {
        *out_bad = good_t ? "student" : "teacher";
        return TARE_E_BACKEND;
    }
    out->kl_ts = not_below_0(tare_kl_divergence(c->p, c->q, c->n_vocab));
    out->kl_st = not_below_0(tare_kl_divergence(c->q, c->p, c->n_vocab));
    out->js = tare_js_divergence(c->p, c->q, c->n_vocab);
    out->entropy_t = entropy(teacher, c->p, c->n_vocab, log_sum_t);
    out->logprob_t = (double)teacher[target] - log_sum_t;
    out->logprob_s = (double)student[target] - log_sum_s;
    compare_tops(teacher, student, c->n_vocab, out);
    return 0;
}
