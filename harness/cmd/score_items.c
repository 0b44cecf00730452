/* SPDX-License-Identifier: Apache-2.0 */
/* The first column of a metric bears the metric's name, the second of bits per byte ends in ".bytes". */
#include "cmd/score_items.h"

#include <stdlib.h>
#include <string.h>

static bool is_bits(const struct tare_metric *m)
{
    return m->n_columns == 2 && strcmp(m->aggregation, "bits_per_byte") == 0;
}

static bool is_mean(const struct tare_metric *m)
{
    return m->n_columns == 1 &&
           (strcmp(m->aggregation, "mean") == 0 || strcmp(m->aggregation, "brier_score") == 0);
}

const char *tare_score_unpaired(const struct tare_metric *metric)
{
    return metric->rule != TARE_METRIC_SCORES || is_mean(metric) || is_bits(metric)
               ? NULL
               : "a score of the whole set, which no item has a part of";
}

/* A mean weighs every item the same. */
static int load_weights(struct tare_store *store, int64_t repeat_id, const struct tare_metric *m, size_t n,
                        double **out, size_t *out_n, struct tare_err *err)
{
    char name[128];
    if (is_bits(m)) {
        (void)snprintf(name, sizeof name, "%.110s.bytes", m->name);
        return tare_query_scores(store, repeat_id, name, out, out_n, err);
    }
    *out = malloc((n + 1) * sizeof **out);
    for (size_t i = 0; *out && i < n; i++) {
        (*out)[i] = 1;
    }
    *out_n = n;
    return *out ? 0 : tare_err_set(err, TARE_E_NOMEM, "out of memory");
}

int tare_score_items(struct tare_store *store, int64_t repeat_id, const struct tare_metric *metric,
                     double **num, double **den, size_t *n, struct tare_err *err)
{
    static const double bits_per_nat = 1.4426950408889634;
    double *scored = NULL, *weights = NULL;
    size_t n_scored = 0, n_weights = 0;
    int r = tare_query_scores(store, repeat_id, metric->name, &scored, &n_scored, err);
    r = r == 0 ? load_weights(store, repeat_id, metric, n_scored, &weights, &n_weights, err) : r;
    if (r == 0 && n_scored != n_weights) {
        r = tare_err_set(err, TARE_E_DATABASE, "%s: its columns have %zu and %zu numbers", metric->name,
                         n_scored, n_weights);
    }
    int64_t items = 0;
    r = r == 0 ? tare_query_committed(store, repeat_id, &items, err) : r;
    if (r < 0) {
        free(scored);
        free(weights);
        return r;
    }
    if (items != (int64_t)n_scored) {
        n_scored = 0;
    }
    for (size_t i = 0; is_bits(metric) && i < n_scored; i++) {
        scored[i] *= -bits_per_nat;
    }
    *num = scored;
    *den = weights;
    *n = n_scored;
    return 0;
}
