/* SPDX-License-Identifier: Apache-2.0 */
/* The replicates of a statistic, with Python's draws; see stats/lm_eval.h. */
#include "stats/lm_eval.h"

#include <tare/python_random.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct plan {
    size_t chunks, chunk;
};

static struct plan plan_draws(size_t draws)
{
    size_t chunk = draws < TARE_LM_EVAL_CHUNK ? draws : TARE_LM_EVAL_CHUNK;
    return (struct plan){.chunks = chunk ? draws / chunk : 0, .chunk = chunk};
}

double tare_lm_eval_deviation(const double *values, size_t n)
{
    if (n < 2) {
        return 0;
    }
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        sum += values[i];
    }
    double mean = sum / (double)n;
    for (size_t i = 0; i < n; i++) {
        squares += (values[i] - mean) * (values[i] - mean);
    }
    return sqrt(squares / (double)(n - 1));
}

static struct tare_lm_eval_value judge(const double *replicates, size_t n)
{
    if (n < 2) {
        return (struct tare_lm_eval_value){.method = "fewer than two draws"};
    }
    double value = tare_lm_eval_deviation(replicates, n);
    return isfinite(value)
               ? (struct tare_lm_eval_value){.ok = true, .value = value, .draws = n, .method = "bootstrap"}
               : (struct tare_lm_eval_value){.draws = n, .method = "a replicate is not finite"};
}

/* Calls replicate(context, index) for each draw, in order. index has room for n. */
static void draw_all(struct plan plan, size_t n, uint32_t *index, double *replicates,
                     double replicate(void *context, const uint32_t *index), void *context)
{
    for (size_t chunk = 0; chunk < plan.chunks; chunk++) {
        struct tare_python_random random;
        tare_python_random_init(&random, chunk);
        for (size_t i = 0; i < plan.chunk; i++) {
            tare_python_random_choices(&random, (uint32_t)n, n, index);
            *replicates++ = replicate(context, index);
        }
    }
}

static int bootstrap(size_t n, size_t draws, double replicate(void *context, const uint32_t *index),
                     void *context, struct tare_lm_eval_value *out, struct tare_err *err)
{
    struct plan plan = plan_draws(draws);
    size_t n_replicates = plan.chunks * plan.chunk;
    uint32_t *index = malloc((n + 1) * sizeof *index);
    double *replicates = malloc((n_replicates + 1) * sizeof *replicates);
    int r = 0;
    if (index && replicates) {
        draw_all(plan, n, index, replicates, replicate, context);
        *out = judge(replicates, n_replicates);
    } else {
        r = tare_err_set(err, TARE_E_NOMEM, "no memory for %zu draws of %zu items", draws, n);
    }
    free(index);
    free(replicates);
    return r;
}

struct rows {
    tare_lm_eval_statistic *of;
    const double *rows;
    size_t n;
};

static double replicate_rows(void *context, const uint32_t *index)
{
    const struct rows *rows = context;
    return rows->of(rows->rows, index, rows->n);
}

int tare_lm_eval_bootstrap(tare_lm_eval_statistic *of, const double *rows, size_t n, size_t draws,
                           struct tare_lm_eval_value *out, struct tare_err *err)
{
    return bootstrap(n, draws, replicate_rows, &(struct rows){of, rows, n}, out, err);
}

/* A value with its place in the data. */
struct placed {
    double value;
    size_t place;
};

struct ranks {
    size_t n;
    struct placed *sorted;
    uint32_t *rank;  /* of item i */
    uint32_t *count; /* how often the item of a rank was drawn */
};

static int compare_placed(const void *a, const void *b)
{
    double x = ((const struct placed *)a)->value, y = ((const struct placed *)b)->value;
    return (x > y) - (x < y);
}

static double replicate_median(void *context, const uint32_t *index)
{
    struct ranks *ranks = context;
    memset(ranks->count, 0, ranks->n * sizeof *ranks->count);
    for (size_t i = 0; i < ranks->n; i++) {
        ranks->count[ranks->rank[index[i]]]++;
    }
    size_t below = 0, at = 0;
    while (below + ranks->count[at] <= ranks->n / 2) {
        below += ranks->count[at++];
    }
    return ranks->sorted[at].value;
}

int tare_lm_eval_bootstrap_median(const double *values, size_t n, size_t draws,
                                  struct tare_lm_eval_value *out, struct tare_err *err)
{
    struct ranks ranks = {.n = n,
                          .sorted = malloc((n + 1) * sizeof *ranks.sorted),
                          .rank = malloc((n + 1) * sizeof *ranks.rank),
                          .count = calloc(n + 1, sizeof *ranks.count)};
    int r = 0;
    if (ranks.sorted && ranks.rank && ranks.count) {
        for (size_t i = 0; i < n; i++) {
            ranks.sorted[i] = (struct placed){.value = values[i], .place = i};
        }
        qsort(ranks.sorted, n, sizeof *ranks.sorted, compare_placed);
        for (size_t i = 0; i < n; i++) {
            ranks.rank[ranks.sorted[i].place] = (uint32_t)i;
        }
        r = bootstrap(n, draws, replicate_median, &ranks, out, err);
    } else {
        r = tare_err_set(err, TARE_E_NOMEM, "no memory for the ranks of %zu items", n);
    }
    free(ranks.sorted);
    free(ranks.rank);
    free(ranks.count);
    return r;
}
