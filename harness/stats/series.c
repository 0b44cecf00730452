/* SPDX-License-Identifier: Apache-2.0 */
/* What a series says of itself: autocorrelation, effective numbers, batch means. */
#include "stats/series.h"

#include "stats/interval.h"

#include <math.h>

/* sum (x_i - m)(x_i+lag - m) */
static double covary(const double *x, size_t n, size_t lag, double mean)
{
    double sum = 0;
    for (size_t i = 0; i + lag < n; i++) {
        sum += (x[i] - mean) * (x[i + lag] - mean);
    }
    return sum;
}

double tare_series_lag1(const double *x, size_t n)
{
    double mean = tare_mean(x, n), squares = n < 3 ? 0 : covary(x, n, 0, mean);
    return squares > 0 ? covary(x, n, 1, mean) / squares : (double)NAN;
}

double tare_series_effective_n(double n, double r)
{
    if (isnan(r) || n < 1) {
        return (double)NAN;
    }
    return r <= 0 ? n : fmax(1, n * (1 - r) / (1 + r));
}

double tare_series_time(const double *x, size_t n)
{
    enum { window = 5, longest = 1000 };
    double mean = tare_mean(x, n), squares = n < 3 ? 0 : covary(x, n, 0, mean), time = 1;
    if (!(squares > 0)) {
        return (double)NAN;
    }
    for (size_t lag = 1; lag < n / 2 && lag <= longest && (double)lag < window * time; lag++) {
        time += 2 * covary(x, n, lag, mean) / squares;
    }
    return fmax(1, time);
}

double tare_series_batch_se(const double *x, size_t n, size_t length)
{
    size_t batches = length ? n / length : 0;
    if (batches < 2) {
        return (double)NAN;
    }
    double mean = tare_mean(x, batches * length), squares = 0;
    for (size_t i = 0; i < batches; i++) {
        double d = tare_mean(x + i * length, length) - mean;
        squares += d * d;
    }
    return sqrt(squares / (double)(batches - 1) / (double)batches);
}
