/* SPDX-License-Identifier: Apache-2.0 */
/* lm-eval's rules by name: which numbers an item has, what is made of them, and what standard error that has.
 */
#include "stats/lm_eval.h"

#include "stats/interval.h"

#include <tare/corpus_score.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct tare_lm_eval_about rules[TARE_LM_EVAL_RULES] = {
    [TARE_LM_EVAL_MEAN] = {"mean", 1, TARE_LM_EVAL_ERROR_MEAN, tare_lm_eval_mean},
    [TARE_LM_EVAL_NANMEAN] = {"nanmean", 1, TARE_LM_EVAL_ERROR_BOOTSTRAP, tare_lm_eval_nanmean},
    [TARE_LM_EVAL_MEDIAN] = {"median", 1, TARE_LM_EVAL_ERROR_BOOTSTRAP, NULL},
    [TARE_LM_EVAL_PERPLEXITY] = {"perplexity", 1, TARE_LM_EVAL_ERROR_BOOTSTRAP, tare_lm_eval_perplexity},
    [TARE_LM_EVAL_WEIGHTED_PERPLEXITY] = {"weighted_perplexity", 2, TARE_LM_EVAL_ERROR_NONE,
                                          tare_lm_eval_weighted_perplexity},
    [TARE_LM_EVAL_BITS_PER_BYTE] = {"bits_per_byte", 2, TARE_LM_EVAL_ERROR_NONE, tare_lm_eval_bits_per_byte},
    [TARE_LM_EVAL_F1] = {"f1", 2, TARE_LM_EVAL_ERROR_BOOTSTRAP, tare_lm_eval_f1},
    /* cb's own function, which is not in lm-eval's list of those that may be drawn */
    [TARE_LM_EVAL_MACRO_F1] = {"macro_f1", 2, TARE_LM_EVAL_ERROR_NONE, tare_lm_eval_macro_f1},
    [TARE_LM_EVAL_MCC] = {"matthews_corrcoef", 2, TARE_LM_EVAL_ERROR_BOOTSTRAP, tare_lm_eval_mcc},
    [TARE_LM_EVAL_BLEU] = {"bleu", TARE_BLEU_STATS, TARE_LM_EVAL_ERROR_CORPUS, tare_lm_eval_bleu},
    [TARE_LM_EVAL_CHRF] = {"chrf", TARE_CHRF_STATS, TARE_LM_EVAL_ERROR_CORPUS, tare_lm_eval_chrf},
    [TARE_LM_EVAL_TER] = {"ter", TARE_TER_STATS, TARE_LM_EVAL_ERROR_CORPUS, tare_lm_eval_ter},
    [TARE_LM_EVAL_BRIER] = {"brier_score", 1, TARE_LM_EVAL_ERROR_NONE, tare_lm_eval_mean},
};

const struct tare_lm_eval_about *tare_lm_eval_about(enum tare_lm_eval_rule rule)
{
    return rule >= TARE_LM_EVAL_MEAN && rule < TARE_LM_EVAL_RULES ? &rules[rule] : NULL;
}

enum tare_lm_eval_rule tare_lm_eval_rule_of(const char *name)
{
    for (int rule = TARE_LM_EVAL_MEAN; rule < TARE_LM_EVAL_RULES; rule++) {
        if (name && strcmp(rules[rule].name, name) == 0) {
            return (enum tare_lm_eval_rule)rule;
        }
    }
    return (enum tare_lm_eval_rule)0;
}

static struct tare_lm_eval_value absent(const char *reason)
{
    return (struct tare_lm_eval_value){.method = reason};
}

static int median(const double *values, size_t n, double *out, struct tare_err *err)
{
    double *sorted = malloc(n * sizeof *sorted);
    if (!sorted) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for the median of %zu values", n);
    }
    memcpy(sorted, values, n * sizeof *sorted);
    tare_sort(sorted, n);
    *out = sorted[n / 2];
    free(sorted);
    return 0;
}

int tare_lm_eval_aggregate(enum tare_lm_eval_rule rule, const double *rows, size_t n,
                           struct tare_lm_eval_value *out, struct tare_err *err)
{
    const struct tare_lm_eval_about *about = tare_lm_eval_about(rule);
    if (!about) {
        return tare_err_set(err, TARE_E_USAGE, "%d is no rule of lm-eval's", (int)rule);
    }
    if (n == 0) {
        *out = absent("no items");
        return 0;
    }
    double value = 0;
    if (about->of) {
        value = about->of(rows, NULL, n);
    } else {
        int r = median(rows, n, &value, err);
        if (r < 0) {
            return r;
        }
    }
    *out = isfinite(value) ? (struct tare_lm_eval_value){.ok = true, .value = value, .method = about->name}
                           : absent("the value is not finite");
    return 0;
}

static struct tare_lm_eval_value stderr_of_mean(const double *values, size_t n)
{
    double value = tare_lm_eval_deviation(values, n) / sqrt((double)n);
    return isfinite(value) ? (struct tare_lm_eval_value){.ok = true,
                                                         .value = value,
                                                         .method = "sample deviation / sqrt(n)"}
                           : absent("a value is not finite");
}

int tare_lm_eval_stderr(enum tare_lm_eval_rule rule, const double *rows, size_t n, size_t draws,
                        struct tare_lm_eval_value *out, struct tare_err *err)
{
    const struct tare_lm_eval_about *about = tare_lm_eval_about(rule);
    if (!about || n > UINT32_MAX) {
        return tare_err_set(err, TARE_E_USAGE, "rule %d of %zu items: no rule, or more than 2^32 - 1 items",
                            (int)rule, n);
    }
    if (about->error == TARE_LM_EVAL_ERROR_NONE || draws == 0 || n < 2) {
        *out = absent(about->error == TARE_LM_EVAL_ERROR_NONE ? "lm-eval has none for this value"
                      : draws == 0                            ? "none is asked for: no draws"
                                                              : "fewer than two items");
        return 0;
    }
    if (about->error == TARE_LM_EVAL_ERROR_MEAN) {
        *out = stderr_of_mean(rows, n);
        return 0;
    }
    if (about->error == TARE_LM_EVAL_ERROR_CORPUS && draws > TARE_LM_EVAL_CORPUS_DRAWS) {
        draws = TARE_LM_EVAL_CORPUS_DRAWS;
    }
    return about->of ? tare_lm_eval_bootstrap(about->of, rows, n, draws, out, err)
                     : tare_lm_eval_bootstrap_median(rows, n, draws, out, err);
}
