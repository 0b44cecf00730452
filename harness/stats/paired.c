/* SPDX-License-Identifier: Apache-2.0 */
/* Hodges-Lehmann estimates and their intervals, and the verdict words. */
#include "stats/paired.h"

#include <math.h>
#include <stdlib.h>

enum { small_n = 32, small_walsh = small_n * (small_n + 1) / 2, differences_max = 16000000 };

#define EXACT_MW "Hodges-Lehmann shift, exact Mann-Whitney"

static double median_of_3(double a, double b, double c)
{
    return fmax(fmin(a, b), fmin(fmax(a, b), c));
}

/* Hoare's selection with the median of three as a pivot. */
double tare_select(double *x, size_t n, size_t rank)
{
    ptrdiff_t k = (ptrdiff_t)rank - 1, low = 0, high = (ptrdiff_t)n - 1;
    while (low < high) {
        double pivot = median_of_3(x[low], x[k], x[high]);
        ptrdiff_t i = low, j = high;
        do {
            while (x[i] < pivot) {
                i++;
            }
            while (pivot < x[j]) {
                j--;
            }
            if (i <= j) {
                double held = x[i];
                x[i++] = x[j];
                x[j--] = held;
            }
        } while (i <= j);
        low = j < k ? i : low;
        high = k < i ? j : high;
    }
    return x[k];
}

double tare_select_median(double *x, size_t n)
{
    double upper = tare_select(x, n, n / 2 + 1);
    if (n % 2) {
        return upper;
    }
    double lower = x[0]; /* the largest of those that selection left below */
    for (size_t i = 1; i < n / 2; i++) {
        lower = fmax(lower, x[i]);
    }
    return 0.5 * lower + 0.5 * upper;
}

size_t tare_walsh(const double *d, size_t n, double *out)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i; j < n; j++) {
            out[at++] = 0.5 * d[i] + 0.5 * d[j];
        }
    }
    return at;
}

/* The reason why there is no interval, with the pairs that would do. */
static const char *too_few_pairs(size_t needed)
{
    static const char *const text[] = {
        "n too small, 2 pairs needed",  "n too small, 3 pairs needed",  "n too small, 4 pairs needed",
        "n too small, 5 pairs needed",  "n too small, 6 pairs needed",  "n too small, 7 pairs needed",
        "n too small, 8 pairs needed",  "n too small, 9 pairs needed",  "n too small, 10 pairs needed",
        "n too small, 11 pairs needed", "n too small, 12 pairs needed", "n too small, 13 pairs needed",
        "n too small, 14 pairs needed", "n too small, 15 pairs needed", "n too small, 16 pairs needed",
    };
    size_t i = needed - 2;
    return needed >= 2 && i < sizeof text / sizeof *text ? text[i] : "n too small, over 16 pairs needed";
}

static int check(const double *x, size_t n, struct tare_err *err)
{
    if (n == 0) {
        return tare_err_set(err, TARE_E_USAGE, "comparison: no values; give one pair at least");
    }
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i])) {
            return tare_err_set(err, TARE_E_USAGE,
                                "comparison: value %zu is not finite; leave absent values out, with a reason",
                                i + 1);
        }
    }
    return 0;
}

static int check_pairs(const double *d, size_t n, double alpha, struct tare_err *err)
{
    if (n > TARE_PAIRS_MAX) {
        return tare_err_set(err, TARE_E_USAGE, "comparison: %zu pairs, at most %d; use means of groups", n,
                            TARE_PAIRS_MAX);
    }
    if (!(alpha > 0 && alpha < 0.5)) {
        return tare_err_set(err, TARE_E_USAGE, "comparison: an error of %g in one tail; use 0 < p < 0.5",
                            alpha);
    }
    return check(d, n, err);
}

/* low, high and level of W(k) .. W(size + 1 - k). */
static struct tare_interval between(double *walsh, size_t size, size_t k, double error, const char *method)
{
    return (struct tare_interval){.ok = true,
                                  .low = tare_select(walsh, size, k),
                                  .high = tare_select(walsh, size, size + 1 - k),
                                  .level = 1 - 2 * error,
                                  .method = method};
}

int tare_signed_rank_interval(const double *d, size_t n, double level, double *out_estimate,
                              struct tare_interval *out, struct tare_err *err)
{
    double small[small_walsh], error = 0, alpha = (1 - level) / 2;
    int rc = check_pairs(d, n, alpha, err);
    if (rc != 0) {
        return rc;
    }
    size_t size = n * (n + 1) / 2, k = tare_signed_rank_critical(n, alpha, &error);
    double *walsh = n <= small_n ? small : malloc(size * sizeof *walsh);
    if (!walsh || isnan(error)) {
        free(walsh == small ? NULL : walsh);
        return tare_err_set(err, TARE_E_NOMEM, "comparison of %zu pairs: out of memory", n);
    }
    tare_walsh(d, n, walsh);
    *out_estimate = tare_select_median(walsh, size);
    *out = k == 0 ? (struct tare_interval){.method = too_few_pairs(tare_signed_rank_least_n(alpha))}
                  : between(walsh, size, k, error,
                            n <= TARE_SIGNED_RANK_EXACT ? "Hodges-Lehmann, exact signed rank"
                                                        : "Hodges-Lehmann, signed rank, normal");
    if (walsh != small) {
        free(walsh);
    }
    return 0;
}

int tare_signed_rank_bound(const double *d, size_t n, double alpha, double *out, struct tare_err *err)
{
    double small[small_walsh], error = 0;
    int rc = check_pairs(d, n, alpha, err);
    if (rc != 0) {
        return rc;
    }
    size_t size = n * (n + 1) / 2, k = tare_signed_rank_critical(n, alpha, &error);
    if (k == 0 && !isnan(error)) {
        *out = -(double)INFINITY;
        return 0;
    }
    double *walsh = n <= small_n ? small : malloc(size * sizeof *walsh);
    if (!walsh || isnan(error)) {
        free(walsh == small ? NULL : walsh);
        return tare_err_set(err, TARE_E_NOMEM, "comparison of %zu pairs: out of memory", n);
    }
    tare_walsh(d, n, walsh);
    *out = tare_select(walsh, size, k);
    if (walsh != small) {
        free(walsh);
    }
    return 0;
}

static int check_samples(const double *a, size_t n_a, const double *b, size_t n_b, double alpha,
                         struct tare_err *err)
{
    if ((double)n_a * (double)n_b > differences_max) {
        return tare_err_set(err, TARE_E_USAGE, "comparison: %zu by %zu values, at most 4000 by 4000", n_a,
                            n_b);
    }
    int rc = check_pairs(a, n_a < TARE_PAIRS_MAX ? n_a : TARE_PAIRS_MAX, alpha, err);
    if (rc == 0) {
        rc = check(a, n_a, err);
    }
    return rc != 0 ? rc : check(b, n_b, err);
}

int tare_mann_whitney_interval(const double *a, size_t n_a, const double *b, size_t n_b, double level,
                               double *out_estimate, struct tare_interval *out, struct tare_err *err)
{
    double error = 0, alpha = (1 - level) / 2;
    int rc = check_samples(a, n_a, b, n_b, alpha, err);
    if (rc != 0) {
        return rc;
    }
    size_t size = n_a * n_b, k = tare_mann_whitney_critical(n_a, n_b, alpha, &error);
    double *shift = malloc(size * sizeof *shift);
    if (!shift || isnan(error)) {
        free(shift);
        return tare_err_set(err, TARE_E_NOMEM, "comparison of %zu by %zu values: out of memory", n_a, n_b);
    }
    for (size_t i = 0; i < size; i++) {
        shift[i] = b[i % n_b] - a[i / n_b];
    }
    *out_estimate = tare_select_median(shift, size);
    *out = k == 0 ? (struct tare_interval){.method = "n too small for the Mann-Whitney distribution"}
                  : between(shift, size, k, error,
                            size <= 10000 ? EXACT_MW : "Hodges-Lehmann shift, Mann-Whitney, normal");
    free(shift);
    return 0;
}

const char *tare_word_text(enum tare_word word)
{
    switch (word) {
    case TARE_WORD_BETTER:
        return "better";
    case TARE_WORD_WORSE:
        return "worse";
    case TARE_WORD_EQUIVALENT:
        return "equivalent";
    case TARE_WORD_UNDECIDED:
        break;
    }
    return "undecided";
}

enum tare_word tare_word_of(const struct tare_interval *two_sided, const struct tare_interval *tost,
                            double margin, bool higher_is_better)
{
    if (tost->ok && tost->low > -margin && tost->high < margin) {
        return TARE_WORD_EQUIVALENT;
    }
    if (two_sided->ok && two_sided->low > 0) {
        return higher_is_better ? TARE_WORD_BETTER : TARE_WORD_WORSE;
    }
    if (two_sided->ok && two_sided->high < 0) {
        return higher_is_better ? TARE_WORD_WORSE : TARE_WORD_BETTER;
    }
    return TARE_WORD_UNDECIDED;
}
