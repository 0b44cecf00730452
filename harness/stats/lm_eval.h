/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of whole tasks and their standard errors by lm-evaluation-harness's definitions, so that a table of
 * tare and one of lm-eval's hold the same numbers. These are its definitions, not tare's opinion: intervals
 * that tare stands behind are in stats/interval.h and stats/bootstrap.h. Pure functions over rows of per-item
 * numbers.
 */
#ifndef TARE_STATS_LM_EVAL_H
#define TARE_STATS_LM_EVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tare/err.h>

enum { TARE_LM_EVAL_DRAWS = 100000, TARE_LM_EVAL_CORPUS_DRAWS = 100, TARE_LM_EVAL_CHUNK = 1000 };

/* How a task's value follows from its items. Each item is `width` numbers, see tare_lm_eval_rule_of. */
enum tare_lm_eval_rule {
    TARE_LM_EVAL_MEAN = 1,
    TARE_LM_EVAL_NANMEAN,             /* of those that are numbers */
    TARE_LM_EVAL_MEDIAN,              /* sorted[n / 2]: of an even number the upper one */
    TARE_LM_EVAL_PERPLEXITY,          /* exp(-mean) of log-likelihoods in nats */
    TARE_LM_EVAL_WEIGHTED_PERPLEXITY, /* exp(-sum / sum): log-likelihood, words or bytes */
    TARE_LM_EVAL_BITS_PER_BYTE,       /* -sum / sum / ln 2: log-likelihood, bytes */
    TARE_LM_EVAL_F1,                  /* gold, predicted: of class 1 */
    TARE_LM_EVAL_MACRO_F1,            /* gold, predicted: mean of F1 of the classes 0, 1, 2 */
    TARE_LM_EVAL_MCC,                 /* gold, predicted: Matthews, of any classes */
    TARE_LM_EVAL_BLEU,                /* tare/corpus_score.h */
    TARE_LM_EVAL_CHRF,
    TARE_LM_EVAL_TER,
    TARE_LM_EVAL_BRIER, /* mean of the items' sum (p - [gold])^2 */
    TARE_LM_EVAL_RULES
};

/* How its standard error is had. */
enum tare_lm_eval_error {
    TARE_LM_EVAL_ERROR_NONE = 1,  /* lm-eval has none: "N/A" */
    TARE_LM_EVAL_ERROR_MEAN,      /* sample deviation over sqrt(n) */
    TARE_LM_EVAL_ERROR_BOOTSTRAP, /* TARE_LM_EVAL_DRAWS */
    TARE_LM_EVAL_ERROR_CORPUS     /* as the bootstrap, TARE_LM_EVAL_CORPUS_DRAWS at most */
};

/* A value of the items index[0 .. n); of all n items in their order where index is NULL. */
typedef double tare_lm_eval_statistic(const double *rows, const uint32_t *index, size_t n);

struct tare_lm_eval_about {
    const char *name; /* lm-eval's, as in a task's "aggregation" */
    size_t width;
    enum tare_lm_eval_error error;
    tare_lm_eval_statistic *of; /* NULL: median, which needs memory */
};

/* Row `rule` of the table; NULL for what is no rule. */
const struct tare_lm_eval_about *tare_lm_eval_about(enum tare_lm_eval_rule rule);
/* The rule that lm-eval's name means; 0 for none. */
enum tare_lm_eval_rule tare_lm_eval_rule_of(const char *name);

/* A value, or why there is none. */
struct tare_lm_eval_value {
    bool ok;
    double value;
    size_t draws;       /* of a bootstrap; else 0 */
    const char *method; /* constant text: by what, or the reason */
};

/* rows[i * width ..] are item i's. Not ok without items, and where the value is not finite. TARE_E_NOMEM. */
TARE_MUST_CHECK int tare_lm_eval_aggregate(enum tare_lm_eval_rule rule, const double *rows, size_t n,
                                           struct tare_lm_eval_value *out, struct tare_err *err);
/* draws: as lm-eval's bootstrap_iters, which is 100000 where nothing else is said; 0 means that no standard
 * error is asked for, not even one that needs no draw. Not ok then, for one item, for a rule that has none,
 * and where a replicate is not finite. TARE_E_USAGE for 2^32 items and more. */
TARE_MUST_CHECK int tare_lm_eval_stderr(enum tare_lm_eval_rule rule, const double *rows, size_t n,
                                        size_t draws, struct tare_lm_eval_value *out, struct tare_err *err);

/* stats/lm_eval_bootstrap.c
 *
 * The sample deviation of a statistic's replicates: n items drawn with replacement, in chunks of at most 1000
 * replicates; chunk i draws from Python's Random(i), so that the result is lm-eval's to rounding. What is
 * left over when draws is no multiple of the chunk is not drawn, as there. It is biased low by (n - 1) / n,
 * as there. */
TARE_MUST_CHECK int tare_lm_eval_bootstrap(tare_lm_eval_statistic *of, const double *rows, size_t n,
                                           size_t draws, struct tare_lm_eval_value *out,
                                           struct tare_err *err);
/* The same of the median, which counts ranks instead of sorting each replicate. */
TARE_MUST_CHECK int tare_lm_eval_bootstrap_median(const double *values, size_t n, size_t draws,
                                                  struct tare_lm_eval_value *out, struct tare_err *err);
/* Sample standard deviation; 0 for n < 2. */
double tare_lm_eval_deviation(const double *values, size_t n);

/* stats/lm_eval_classes.c; rows of gold and predicted class */
tare_lm_eval_statistic tare_lm_eval_f1, tare_lm_eval_macro_f1, tare_lm_eval_mcc;

/* stats/lm_eval_sums.c */
tare_lm_eval_statistic tare_lm_eval_mean, tare_lm_eval_nanmean, tare_lm_eval_perplexity,
    tare_lm_eval_weighted_perplexity, tare_lm_eval_bits_per_byte, tare_lm_eval_bleu, tare_lm_eval_chrf,
    tare_lm_eval_ter;

/* stats/lm_eval_group.c
 *
 * Values of a group's tasks with the number of items of each: their mean, weighted by size or not. Not ok
 * without a task or an item, and where a value is missing (NaN). */
struct tare_lm_eval_value tare_lm_eval_group_mean(const double *values, const size_t *sizes, size_t n,
                                                  bool weight_by_size);
/* Their pooled standard error, sqrt(sum((n_i - 1) se_i^2 n_i) / (sum n_i - k) / sum n_i), which always
 * weights by size. It takes the items of all tasks as drawn from one spread around each task's own mean. Not
 * ok where a task has none (NaN), and for no more items than tasks. */
struct tare_lm_eval_value tare_lm_eval_group_stderr(const double *stderrs, const size_t *sizes, size_t n);

/* stats/lm_eval_squad.c */
enum {
    TARE_SQUAD_EXACT = 0,  /* 0 or 1 */
    TARE_SQUAD_F1,         /* 0 .. 1 */
    TARE_SQUAD_HAS_ANSWER, /* whether the question has one */
    TARE_SQUAD_NO_ANSWER, /* the model's probability that it has none, as a 32-bit float: lm-eval stores it so
                           */
    TARE_SQUAD_ANSWERED,  /* whether the output is not empty */
    TARE_SQUAD_STATS
};

enum tare_squad_figure {
    TARE_SQUAD_ALL_EXACT = 1,
    TARE_SQUAD_ALL_F1,
    TARE_SQUAD_HAS_ANS_EXACT,
    TARE_SQUAD_HAS_ANS_F1,
    TARE_SQUAD_NO_ANS_EXACT,
    TARE_SQUAD_NO_ANS_F1,
    TARE_SQUAD_BEST_EXACT,
    TARE_SQUAD_BEST_F1
};

/* lm-eval's name: "exact", "HasAns_f1", "best_f1"; 0 for none. */
enum tare_squad_figure tare_squad_figure_of(const char *name);
/* In percent, of rows of TARE_SQUAD_STATS numbers. The best ones try every threshold on the probability of no
 * answer, above which an output counts as none: *out_threshold (may be NULL) is the first best one. Not ok
 * where no question is of that kind; lm-eval says 0 then. None of them has a standard error in lm-eval.
 * TARE_E_NOMEM. */
TARE_MUST_CHECK int tare_squad_figure(enum tare_squad_figure figure, const double *rows, size_t n,
                                      struct tare_lm_eval_value *out, double *out_threshold,
                                      struct tare_err *err);

#endif
