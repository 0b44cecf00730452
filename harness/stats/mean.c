/* SPDX-License-Identifier: Apache-2.0 */
/* Intervals by Student's t of two means, of ratios and of logarithms. */
#include "stats/mean.h"

#include "stats/discrete.h"

#include <math.h>
#include <stdlib.h>

static const char too_few[] = "n too small, 2 units needed";
static const char no_spread[] = "no value differs from another: no spread to judge by";

static int check(const double *x, size_t n, double level, struct tare_err *err)
{
    if (n == 0 || !(level > 0 && level < 1)) {
        return tare_err_set(err, TARE_E_USAGE, "means: %zu values, level %g; give values and 0 < level < 1",
                            n, level);
    }
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i])) {
            return tare_err_set(err, TARE_E_USAGE,
                                "means: value %zu is not finite; leave it out, with a reason", i + 1);
        }
    }
    return 0;
}

/* sum (x - mean of x) (y - mean of y) / (n - 1) */
static double covariance(const double *x, const double *y, size_t n)
{
    double mean_x = tare_mean(x, n), mean_y = tare_mean(y, n), sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (x[i] - mean_x) * (y[i] - mean_y);
    }
    return sum / (double)(n - 1);
}

static bool all_equal(const double *x, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (x[i] != x[0]) {
            return false;
        }
    }
    return true;
}

int tare_welch_interval(const double *a, size_t n_a, const double *b, size_t n_b, double level,
                        double *out_estimate, struct tare_interval *out, struct tare_err *err)
{
    int rc = check(a, n_a, level, err);
    rc = rc != 0 ? rc : check(b, n_b, level, err);
    if (rc != 0) {
        return rc;
    }
    double difference = tare_mean(b, n_b) - tare_mean(a, n_a);
    *out_estimate = difference;
    if (n_a < 2 || n_b < 2) {
        *out = (struct tare_interval){.method = too_few};
        return 0;
    }
    if (all_equal(a, n_a) && all_equal(b, n_b)) {
        *out = (struct tare_interval){.method = no_spread};
        return 0;
    }
    double va = covariance(a, a, n_a) / (double)n_a, vb = covariance(b, b, n_b) / (double)n_b;
    double df = (va + vb) * (va + vb) / (va * va / (double)(n_a - 1) + vb * vb / (double)(n_b - 1));
    double half = tare_t_quantile(0.5 + level / 2, df) * sqrt(va + vb);
    *out = (struct tare_interval){
        .ok = true, .low = difference - half, .high = difference + half, .level = level, .method = "Welch t"};
    return 0;
}

int tare_geometric_ratio(const double *num, const double *den, size_t n, double level, double *out_estimate,
                         struct tare_interval *out, struct tare_err *err)
{
    double *d = malloc((n ? n : 1) * sizeof *d), mean = 0, se = 0;
    struct tare_interval logs;
    if (!d) {
        return tare_err_set(err, TARE_E_NOMEM, "geometric mean of %zu ratios: out of memory", n);
    }
    for (size_t i = 0; i < n; i++) {
        d[i] = num[i] > 0 && den[i] > 0 ? log(num[i]) - log(den[i]) : (double)NAN;
    }
    int rc = tare_paired_mean(d, NULL, n, level, &mean, &se, &logs, err);
    free(d);
    if (rc != 0) {
        return rc;
    }
    *out_estimate = exp(mean);
    *out = logs;
    if (logs.ok) {
        out->low = exp(logs.low);
        out->high = exp(logs.high);
        out->method = "t of logarithms";
    }
    return 0;
}

/* Both roots of (x - r y)^2 = t^2 (xx - 2 r xy + r^2 yy), of means and variances of means. */
static struct tare_interval fieller(double x, double y, double xx, double xy, double yy, double t,
                                    double level)
{
    double t2 = t * t, square = y * y - t2 * yy, linear = x * y - t2 * xy, rest = x * x - t2 * xx;
    double root = sqrt(fmax(0, linear * linear - square * rest));
    return (struct tare_interval){.ok = true,
                                  .low = (linear - root) / square,
                                  .high = (linear + root) / square,
                                  .level = level,
                                  .method = "Fieller"};
}

int tare_fieller_interval(const double *num, const double *den, size_t n, double level, double *out_estimate,
                          struct tare_interval *out, struct tare_err *err)
{
    int rc = check(num, n, level, err);
    rc = rc != 0 ? rc : check(den, n, level, err);
    if (rc != 0) {
        return rc;
    }
    double x = tare_mean(num, n), y = tare_mean(den, n), dn = (double)n;
    *out_estimate = y != 0 ? x / y : (double)NAN;
    if (n < 2) {
        *out = (struct tare_interval){.method = too_few};
        return 0;
    }
    double t = tare_t_quantile(0.5 + level / 2, dn - 1);
    double xx = covariance(num, num, n) / dn, xy = covariance(num, den, n) / dn,
           yy = covariance(den, den, n) / dn;
    if (!(fabs(y) > t * sqrt(yy))) {
        *out = (struct tare_interval){.method = "the denominator's interval touches 0"};
    } else if (all_equal(num, n) && all_equal(den, n)) {
        *out = (struct tare_interval){.method = no_spread};
    } else {
        *out = fieller(x, y, xx, xy, yy, t, level);
    }
    return 0;
}
