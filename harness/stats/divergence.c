/* SPDX-License-Identifier: Apache-2.0 */
/* Kullback and Leibler, Jensen and Shannon, loyalty. */
#include "stats/divergence.h"

#include <math.h>

double tare_kl_divergence(const double *p, const double *q, size_t n)
{
    double sum = 0;
    if (n == 0) {
        return (double)NAN;
    }
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(p[i]) || !isfinite(q[i]) || p[i] < 0 || q[i] < 0) {
            return (double)NAN;
        }
        sum += p[i] > 0 ? p[i] * log(p[i] / q[i]) : 0;
    }
    return sum;
}

double tare_js_divergence(const double *p, const double *q, size_t n)
{
    double sum = 0;
    if (n == 0) {
        return (double)NAN;
    }
    for (size_t i = 0; i < n; i++) {
        double m = (p[i] + q[i]) / 2;
        if (!isfinite(p[i]) || !isfinite(q[i]) || p[i] < 0 || q[i] < 0) {
            return (double)NAN;
        }
        sum += p[i] > 0 ? p[i] * log(p[i] / m) / 2 : 0;
        sum += q[i] > 0 ? q[i] * log(q[i] / m) / 2 : 0;
    }
    return sum > 0 ? sum : 0; /* equal distributions may round below 0 */
}

double tare_probability_loyalty(const double *teacher, const double *student, size_t n, double base)
{
    double divergence = tare_js_divergence(teacher, student, n);
    return isnan(divergence) ? (double)NAN : 1 - sqrt(divergence / log(base));
}

double tare_mean_probability_loyalty(const double *teacher, const double *student, size_t examples, size_t n,
                                     double base)
{
    double sum = 0;
    for (size_t i = 0; i < examples; i++) {
        sum += tare_probability_loyalty(teacher + i * n, student + i * n, n, base);
    }
    return examples > 0 ? sum / (double)examples : (double)NAN;
}

double tare_label_loyalty(const int64_t *teacher, const int64_t *student, size_t examples)
{
    size_t same = 0;
    for (size_t i = 0; i < examples; i++) {
        same += teacher[i] == student[i];
    }
    return examples > 0 ? (double)same / (double)examples : (double)NAN;
}
