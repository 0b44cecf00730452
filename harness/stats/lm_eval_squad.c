/* SPDX-License-Identifier: Apache-2.0 */
/* The eight figures of SQuAD 2.0 (Rajpurkar et al., ACL 2018) as its own script reports them; see
 * stats/lm_eval.h. */
#include "stats/lm_eval.h"

#include <stdlib.h>
#include <string.h>

enum which { ALL, HAS_ANSWER, NO_ANSWER, BEST };

static const struct {
    const char *name;
    enum which which;
    int score;
} figures[] = {
    [TARE_SQUAD_ALL_EXACT] = {"exact", ALL, TARE_SQUAD_EXACT},
    [TARE_SQUAD_ALL_F1] = {"f1", ALL, TARE_SQUAD_F1},
    [TARE_SQUAD_HAS_ANS_EXACT] = {"HasAns_exact", HAS_ANSWER, TARE_SQUAD_EXACT},
    [TARE_SQUAD_HAS_ANS_F1] = {"HasAns_f1", HAS_ANSWER, TARE_SQUAD_F1},
    [TARE_SQUAD_NO_ANS_EXACT] = {"NoAns_exact", NO_ANSWER, TARE_SQUAD_EXACT},
    [TARE_SQUAD_NO_ANS_F1] = {"NoAns_f1", NO_ANSWER, TARE_SQUAD_F1},
    [TARE_SQUAD_BEST_EXACT] = {"best_exact", BEST, TARE_SQUAD_EXACT},
    [TARE_SQUAD_BEST_F1] = {"best_f1", BEST, TARE_SQUAD_F1},
};

enum tare_squad_figure tare_squad_figure_of(const char *name)
{
    for (int i = TARE_SQUAD_ALL_EXACT; i <= TARE_SQUAD_BEST_F1; i++) {
        if (name && strcmp(figures[i].name, name) == 0) {
            return (enum tare_squad_figure)i;
        }
    }
    return (enum tare_squad_figure)0;
}

static struct tare_lm_eval_value mean_of(enum which which, int score, const double *rows, size_t n)
{
    double sum = 0;
    size_t items = 0;
    for (size_t i = 0; i < n; i++) {
        const double *row = rows + i * TARE_SQUAD_STATS;
        if (which == ALL || (row[TARE_SQUAD_HAS_ANSWER] != 0) == (which == HAS_ANSWER)) {
            sum += row[score];
            items++;
        }
    }
    if (items == 0) {
        return (struct tare_lm_eval_value){.method = which == HAS_ANSWER  ? "no question has an answer"
                                                     : which == NO_ANSWER ? "every question has an answer"
                                                                          : "no items"};
    }
    return (struct tare_lm_eval_value){.ok = true, .value = 100 * sum / (double)items, .method = "mean"};
}

/* By the probability of no answer; of equal ones the earlier item first, which is Python's stable sort. */
static int compare_rows(const void *a, const void *b)
{
    const double *x = *(const double *const *)a, *y = *(const double *const *)b;
    double p = x[TARE_SQUAD_NO_ANSWER], q = y[TARE_SQUAD_NO_ANSWER];
    return p != q ? (p > q) - (p < q) : (x > y) - (x < y);
}

/* What one more answered item adds, beside the one point that each question without an answer has from the
 * start. */
static double gain(const double *row, int score)
{
    if (row[TARE_SQUAD_HAS_ANSWER] != 0) {
        return row[score];
    }
    return row[TARE_SQUAD_ANSWERED] != 0 ? -1 : 0;
}

static double best_of(const double **sorted, size_t n, int score, double *out_threshold)
{
    double now = 0, best, threshold = 0;
    for (size_t i = 0; i < n; i++) {
        now += sorted[i][TARE_SQUAD_HAS_ANSWER] == 0;
    }
    best = now;
    for (size_t i = 0; i < n; i++) {
        now += gain(sorted[i], score);
        if (now > best) {
            best = now;
            threshold = sorted[i][TARE_SQUAD_NO_ANSWER];
        }
    }
    *out_threshold = threshold;
    return best;
}

static int best(int score, const double *rows, size_t n, struct tare_lm_eval_value *out,
                double *out_threshold, struct tare_err *err)
{
    if (n == 0) {
        *out = (struct tare_lm_eval_value){.method = "no items"};
        return 0;
    }
    const double **sorted = malloc(n * sizeof *sorted);
    if (!sorted) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory to sort %zu answers", n);
    }
    for (size_t i = 0; i < n; i++) {
        sorted[i] = rows + i * TARE_SQUAD_STATS;
    }
    qsort(sorted, n, sizeof *sorted, compare_rows);
    double threshold, sum = best_of(sorted, n, score, &threshold);
    free(sorted);
    if (out_threshold) {
        *out_threshold = threshold;
    }
    *out =
        (struct tare_lm_eval_value){.ok = true, .value = 100 * sum / (double)n, .method = "best threshold"};
    return 0;
}

int tare_squad_figure(enum tare_squad_figure figure, const double *rows, size_t n,
                      struct tare_lm_eval_value *out, double *out_threshold, struct tare_err *err)
{
    if (figure < TARE_SQUAD_ALL_EXACT || figure > TARE_SQUAD_BEST_F1) {
        return tare_err_set(err, TARE_E_USAGE, "%d is no figure of SQuAD's", (int)figure);
    }
    if (figures[figure].which == BEST) {
        return best(figures[figure].score, rows, n, out, out_threshold, err);
    }
    *out = mean_of(figures[figure].which, figures[figure].score, rows, n);
    return 0;
}
