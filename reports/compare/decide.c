/* SPDX-License-Identifier: Apache-2.0 */
/* From paired arrays to estimate, interval, p and word. Prints nothing and builds no table. */
#include "compare.h"

#include "stats/discrete.h"

#include <math.h>
#include <stdlib.h>

static void blank(struct tare_compare_result *out)
{
    const double nan = (double)NAN;
    *out = (struct tare_compare_result){.estimate = nan,
                                        .p = nan,
                                        .p_equivalent = nan,
                                        .p_adjusted = nan,
                                        .p_equivalent_adjusted = nan,
                                        .flips = nan,
                                        .lost = nan,
                                        .won = nan,
                                        .needed = nan};
}

/* Units that would decide, the spread staying what it is: half-widths go by 1 / sqrt(n). A difference is
 * decided when its half-width is below it, equivalence when that fits between it and the margin. */
static double needed(double n, double estimate, const struct tare_interval *two_sided,
                     const struct tare_interval *tost, double margin)
{
    if (!two_sided->ok || !tost->ok) {
        return (double)NAN;
    }
    double half = (two_sided->high - two_sided->low) / 2, half_tost = (tost->high - tost->low) / 2;
    double apart = fabs(estimate) > 0 ? n * pow(half / fabs(estimate), 2) : (double)INFINITY;
    double room = margin - fabs(estimate);
    double alike = room > 0 ? n * pow(half_tost / room, 2) : (double)INFINITY;
    double least = ceil(fmin(apart, alike));
    return isfinite(least) ? fmax(least, n + 1) : (double)NAN;
}

static struct tare_interval exp_interval(struct tare_interval i)
{
    i.low = exp(i.low);
    i.high = exp(i.high);
    return i;
}

/* p of the two one-sided tests against +-margin, out of signed ranks; the larger of both. */
static int equivalence_of_pairs(const double *d, double *minus, size_t n, double margin, double *out,
                                struct tare_err *err)
{
    double above = 1, below = 1;
    int r = tare_signed_rank_p(d, n, -margin, &above, err);
    r = r == 0 ? tare_signed_rank_p(minus, n, -margin, &below, err) : r;
    *out = fmax(above, below);
    return r;
}

static int decide_log_ratios(const struct tare_compare_row *row, const struct tare_compare_options *o,
                             double *d, double *minus, struct tare_compare_result *out, struct tare_err *err)
{
    double margin = log1p(o->margin), up = 1, down = 1;
    for (size_t i = 0; i < row->n; i++) {
        d[i] = log(row->b[i] / row->a[i]);
        minus[i] = -d[i];
    }
    struct tare_interval two_sided = {0}, tost = {0};
    int r = tare_signed_rank_interval(d, row->n, 1 - o->alpha, &out->estimate, &two_sided, err);
    r = r == 0 ? tare_signed_rank_interval(d, row->n, 1 - 2 * o->alpha, &out->estimate, &tost, err) : r;
    r = r == 0 ? tare_signed_rank_p(d, row->n, 0, &up, err) : r;
    r = r == 0 ? tare_signed_rank_p(minus, row->n, 0, &down, err) : r;
    r = r == 0 ? equivalence_of_pairs(d, minus, row->n, margin, &out->p_equivalent, err) : r;
    out->p = fmin(1, 2 * fmin(up, down));
    out->needed = needed((double)row->n, out->estimate, &two_sided, &tost, margin);
    out->needed = fmax(out->needed, (double)tare_signed_rank_least_n(o->alpha / 2));
    out->estimate = exp(out->estimate);
    out->interval = exp_interval(two_sided);
    out->tost = exp_interval(tost);
    return r;
}

static int decide_blocks(const struct tare_compare_row *row, const struct tare_compare_options *o,
                         struct tare_compare_result *out, struct tare_err *err)
{
    for (size_t i = 0; i < row->n; i++) {
        if (!(row->a[i] > 0) || !(row->b[i] > 0) || !isfinite(row->a[i]) || !isfinite(row->b[i])) {
            out->why = "a value that is not above zero has no ratio";
            return 0;
        }
    }
    double *d = malloc(2 * (row->n + 1) * sizeof *d);
    int r = d ? decide_log_ratios(row, o, d, d + row->n, out, err)
              : tare_err_set(err, TARE_E_NOMEM, "compare: out of memory");
    free(d);
    return r;
}

/* Smallest one-sided alpha whose interval of level 1 - 2 alpha lies within +-margin: the p of equivalence. */
static double equivalence_of_answers(int64_t b, int64_t c, int64_t n, double margin)
{
    double low = 0, high = 0.5;
    for (int i = 0; i < 50; i++) {
        double mid = (low + high) / 2;
        struct tare_interval t = tare_paired_proportion(b, c, n, 1 - 2 * mid);
        bool inside = t.ok && t.low > -margin && t.high < margin;
        *(inside ? &high : &low) = mid;
    }
    return high;
}

static void decide_answers(const struct tare_compare_row *row, const struct tare_compare_options *o,
                           struct tare_compare_result *out)
{
    int64_t only_a = 0, only_b = 0, n = (int64_t)row->n;
    for (size_t i = 0; i < row->n; i++) {
        only_a += row->a[i] > row->b[i];
        only_b += row->b[i] > row->a[i];
    }
    out->estimate = (double)(only_b - only_a) / (double)n;
    out->flips = (double)(only_a + only_b) / (double)n;
    out->lost = (double)only_a;
    out->won = (double)only_b;
    out->interval = tare_paired_proportion(only_a, only_b, n, 1 - o->alpha);
    out->tost = tare_paired_proportion(only_a, only_b, n, 1 - 2 * o->alpha);
    out->p = tare_mcnemar_p(only_a, only_b);
    out->p_equivalent = equivalence_of_answers(only_a, only_b, n, o->quality_margin);
    out->needed = needed((double)n, out->estimate, &out->interval, &out->tost, o->quality_margin);
}

/* Of sum(b) / sum(a) - 1, linearised: residuals e_i = (b_i - a_i) - R a_i, standard error
 * sqrt(n / (n - 1) sum e_i^2) / sum(a), Student's t with n - 1 degrees of freedom. */
static void decide_sums(const struct tare_compare_row *row, const struct tare_compare_options *o,
                        struct tare_compare_result *out)
{
    double top = 0, bottom = 0, squares = 0, n = (double)row->n;
    for (size_t i = 0; i < row->n; i++) {
        top += row->b[i] - row->a[i];
        bottom += row->a[i];
    }
    if (row->n < 2 || bottom == 0 || !isfinite(top) || !isfinite(bottom)) {
        out->why = "fewer than two items, or nothing to refer to";
        return;
    }
    double relative = top / bottom, margin = o->quality_margin;
    for (size_t i = 0; i < row->n; i++) {
        double e = row->b[i] - row->a[i] - relative * row->a[i];
        squares += e * e;
    }
    double se = sqrt(n / (n - 1) * squares) / fabs(bottom);
    if (se <=
        0) { /* alike on every item: a share of `margin` that differed would have been missed with this p */
        out->p = top == 0 ? 1 : 0;
        out->p_equivalent = fabs(relative) < margin ? pow(1 - margin, n) : 1;
    } else {
        out->p = 2 * tare_t_cdf(-fabs(relative) / se, n - 1);
        out->p_equivalent = tare_t_cdf(-(margin - fabs(relative)) / se, n - 1);
    }
    double half = se * tare_t_quantile(1 - o->alpha / 2, n - 1),
           half_tost = se * tare_t_quantile(1 - o->alpha, n - 1);
    const char *method = "linearised ratio of sums over items, t";
    out->estimate = 1 + relative;
    out->interval =
        (struct tare_interval){true, 1 + relative - half, 1 + relative + half, 1 - o->alpha, method};
    out->tost = (struct tare_interval){true, 1 + relative - half_tost, 1 + relative + half_tost,
                                       1 - 2 * o->alpha, method};
    struct tare_interval about_0 = {true, relative - half, relative + half, 1 - o->alpha, method};
    struct tare_interval tost_0 = {true, relative - half_tost, relative + half_tost, 1 - 2 * o->alpha,
                                   method};
    out->needed = needed(n, relative, &about_0, &tost_0, margin);
}

static void decide_exact(const struct tare_compare_row *row, struct tare_compare_result *out)
{
    double a = row->a[0], b = row->b[0];
    bool higher = row->better == TARE_BETTER_HIGHER;
    out->estimate = a != 0 ? b / a : (double)NAN;
    out->interval = out->tost = (struct tare_interval){true, out->estimate, out->estimate, 1, "counted"};
    out->word = a == b                            ? TARE_WORD_EQUIVALENT
                : row->better == TARE_BETTER_NONE ? TARE_WORD_UNDECIDED
                : (b > a) == higher               ? TARE_WORD_BETTER
                                                  : TARE_WORD_WORSE;
    out->why = out->word == TARE_WORD_UNDECIDED ? "no direction is better" : NULL;
}

static int decide_row(const struct tare_compare_row *row, const struct tare_compare_options *o,
                      struct tare_compare_result *out, struct tare_err *err)
{
    blank(out);
    out->why = row->absent ? row->absent : row->doubt;
    if (row->absent || row->n == 0) {
        return 0;
    }
    switch (row->pairing) {
    case TARE_COMPARE_BLOCKS:
        return decide_blocks(row, o, out, err);
    case TARE_COMPARE_ITEMS:
        (row->proportion ? decide_answers : decide_sums)(row, o, out);
        return 0;
    case TARE_COMPARE_EXACT:
        decide_exact(row, out);
        return 0;
    }
    return 0;
}

/* Which side is the good one, out of the estimate. */
static bool is_gain(const struct tare_compare_row *row, const struct tare_compare_result *r)
{
    double neutral = row->pairing == TARE_COMPARE_ITEMS && row->proportion ? 0 : 1;
    return (r->estimate > neutral) == (row->better == TARE_BETTER_HIGHER);
}

static void say(const struct tare_compare_row *row, const struct tare_compare_options *o,
                struct tare_compare_result *r)
{
    if (row->pairing == TARE_COMPARE_EXACT || row->doubt || row->absent) {
        return;
    }
    if (r->p_equivalent_adjusted <= o->alpha) {
        r->word = TARE_WORD_EQUIVALENT;
    } else if (r->p_adjusted <= o->alpha && row->better != TARE_BETTER_NONE) {
        r->word = is_gain(row, r) ? TARE_WORD_BETTER : TARE_WORD_WORSE;
    } else if (!r->why) {
        r->why = row->better == TARE_BETTER_NONE ? "no direction is better"
                 : r->interval.ok                ? "neither a difference nor equivalence is shown"
                                                 : "too few pairs for the level";
    }
}

static int adjust(const struct tare_compare_row *rows, struct tare_compare_result *out, size_t n,
                  struct tare_err *err)
{
    double *p = malloc(2 * (n + 1) * sizeof *p), *q = p ? p + n : NULL;
    if (!p) {
        return tare_err_set(err, TARE_E_NOMEM, "compare: out of memory");
    }
    for (size_t i = 0; i < n; i++) {
        p[i] = rows[i].doubt ? (double)NAN : out[i].p;
        q[i] = rows[i].doubt ? (double)NAN : out[i].p_equivalent;
    }
    int r = tare_benjamini_hochberg(p, n, err);
    r = r == 0 ? tare_benjamini_hochberg(q, n, err) : r;
    for (size_t i = 0; r == 0 && i < n; i++) {
        out[i].p_adjusted = p[i];
        out[i].p_equivalent_adjusted = q[i];
    }
    free(p);
    return r;
}

int tare_compare_decide(const struct tare_compare_row *rows, size_t n,
                        const struct tare_compare_options *options, struct tare_compare_result *out,
                        struct tare_err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < n; i++) {
        r = decide_row(&rows[i], options, &out[i], err);
    }
    r = r == 0 ? adjust(rows, out, n, err) : r;
    for (size_t i = 0; r == 0 && i < n; i++) {
        say(&rows[i], options, &out[i]);
    }
    return r;
}
