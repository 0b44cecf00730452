/* SPDX-License-Identifier: Apache-2.0 */
/* The values that are made of sums over items: means, perplexities and the scores of whole corpora. */
#include "stats/lm_eval.h"

#include <tare/corpus_score.h>

#include <math.h>

/* Four sums side by side, because one would wait for each addition: a bootstrap adds 5e8 numbers. They differ
 * from Python's one (which is compensated from 3.12 on) in the last digits. */
static double sum_drawn(const double *values, const uint32_t *index, size_t n)
{
    double sums[4] = {0};
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        for (size_t k = 0; k < 4; k++) {
            sums[k] += values[index[i + k]];
        }
    }
    for (; i < n; i++) {
        sums[0] += values[index[i]];
    }
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/* The sum of one number of each item, and what rounding took from it (Neumaier, ZAMM 54:39, 1974). */
static double sum_all(const double *rows, size_t width, size_t n)
{
    double sum = 0, lost = 0;
    for (size_t i = 0; i < n; i++) {
        double x = rows[i * width], next = sum + x;
        lost += fabs(sum) >= fabs(x) ? (sum - next) + x : (x - next) + sum;
        sum = next;
    }
    return isfinite(lost) ? sum + lost : sum;
}

double tare_lm_eval_mean(const double *rows, const uint32_t *index, size_t n)
{
    return (index ? sum_drawn(rows, index, n) : sum_all(rows, 1, n)) / (double)n;
}

double tare_lm_eval_nanmean(const double *rows, const uint32_t *index, size_t n)
{
    double sum = 0;
    size_t numbers = 0;
    for (size_t i = 0; i < n; i++) {
        double x = rows[index ? index[i] : i];
        if (!isnan(x)) {
            sum += x;
            numbers++;
        }
    }
    return numbers ? sum / (double)numbers : (double)NAN;
}

double tare_lm_eval_perplexity(const double *rows, const uint32_t *index, size_t n)
{
    return exp(-tare_lm_eval_mean(rows, index, n));
}

static void add_rows(const double *rows, size_t width, const uint32_t *index, size_t n, double *sums)
{
    for (size_t i = 0; i < n; i++) {
        const double *row = rows + (index ? index[i] : i) * width;
        for (size_t k = 0; k < width; k++) {
            sums[k] += row[k];
        }
    }
}

/* Log-likelihood over weight. */
static double weighted_mean(const double *rows, const uint32_t *index, size_t n)
{
    double sums[2] = {0};
    if (index) {
        add_rows(rows, 2, index, n, sums);
        return sums[0] / sums[1];
    }
    return sum_all(rows, 2, n) / sum_all(rows + 1, 2, n);
}

double tare_lm_eval_weighted_perplexity(const double *rows, const uint32_t *index, size_t n)
{
    return exp(-weighted_mean(rows, index, n));
}

double tare_lm_eval_bits_per_byte(const double *rows, const uint32_t *index, size_t n)
{
    return -weighted_mean(rows, index, n) / log(2);
}

double tare_lm_eval_bleu(const double *rows, const uint32_t *index, size_t n)
{
    double sums[TARE_BLEU_STATS] = {0};
    add_rows(rows, TARE_BLEU_STATS, index, n, sums);
    return tare_bleu_score(sums);
}

double tare_lm_eval_chrf(const double *rows, const uint32_t *index, size_t n)
{
    double sums[TARE_CHRF_STATS] = {0};
    add_rows(rows, TARE_CHRF_STATS, index, n, sums);
    return tare_chrf_score(sums);
}

double tare_lm_eval_ter(const double *rows, const uint32_t *index, size_t n)
{
    double sums[TARE_TER_STATS] = {0};
    add_rows(rows, TARE_TER_STATS, index, n, sums);
    return tare_ter_score(sums);
}
