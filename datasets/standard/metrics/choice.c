/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics of documents with several choices, as lm-evaluation-harness defines them. The first of equals is
 * picked. acc_norm divides by characters of the choice without its delimiter, acc_bytes by bytes.
 */
#include "datasets/standard/grade.h"
#include "datasets/unicode/unicode.h"

#include <math.h>
#include <string.h>

enum divisor { BY_NOTHING, BY_CHARACTERS, BY_BYTES };

static struct tare_bytes choice_of(const struct tare_graded *g, size_t i)
{
    return tare_documents_text(g->documents, g->documents->refs[g->document->first_choice + i]);
}

static size_t choices(const struct tare_graded *g)
{
    return g->document->n_choices < g->n ? g->document->n_choices : g->n;
}

/* An empty choice would divide by 0, which makes it the least likely there as here. */
static double length_of(const struct tare_graded *g, size_t i, enum divisor by)
{
    struct tare_bytes choice = by == BY_NOTHING ? (struct tare_bytes){0} : choice_of(g, i);
    return by == BY_NOTHING ? 1 : by == BY_BYTES ? (double)choice.n : (double)tare_unicode_chars(choice);
}

static size_t picked(const struct tare_graded *g, enum divisor by)
{
    size_t best = 0;
    double most = -(double)INFINITY;
    for (size_t i = 0; i < choices(g); i++) {
        double score = g->answers[i].loglik / length_of(g, i, by);
        if (score > most) {
            most = score;
            best = i;
        }
    }
    return best;
}

static int right(const struct tare_graded *g, enum divisor by, double *to)
{
    to[0] = g->document->gold >= 0 && picked(g, by) == (size_t)g->document->gold;
    return 0;
}

static int acc(const struct tare_graded *g, double *to, struct tare_err *err)
{
    (void)err;
    return right(g, BY_NOTHING, to);
}

static int acc_norm(const struct tare_graded *g, double *to, struct tare_err *err)
{
    (void)err;
    return right(g, BY_CHARACTERS, to);
}

static int acc_bytes(const struct tare_graded *g, double *to, struct tare_err *err)
{
    (void)err;
    return right(g, BY_BYTES, to);
}

/* The choice that its context makes likelier by most: those that are likely anyway gain nothing. */
static int acc_mutual_info(const struct tare_graded *g, double *to, struct tare_err *err)
{
    size_t best = 0, n = choices(g);
    double most = -(double)INFINITY;
    if (g->n != 2 * n) {
        return tare_err_set(err, TARE_E_PLUGIN, "task %s: choices were not asked alone", g->definition->name);
    }
    for (size_t i = 0; i < n; i++) {
        double gain = g->answers[i].loglik - g->answers[n + i].loglik;
        if (gain > most) {
            most = gain;
            best = i;
        }
    }
    to[0] = g->document->gold >= 0 && best == (size_t)g->document->gold;
    return 0;
}

/* Sum over choices of (probability among the choices - 1 for the right one)^2. */
static int brier_score(const struct tare_graded *g, double *to, struct tare_err *err)
{
    double most = -(double)INFINITY, sum = 0;
    (void)err;
    for (size_t i = 0; i < choices(g); i++) {
        most = fmax(most, g->answers[i].loglik);
    }
    for (size_t i = 0; i < choices(g); i++) {
        sum += exp(g->answers[i].loglik - most);
    }
    to[0] = 0;
    for (size_t i = 0; i < choices(g); i++) {
        double p = exp(g->answers[i].loglik - most) / sum - ((int64_t)i == g->document->gold);
        to[0] += p * p;
    }
    return 0;
}

/* What is right and what was picked, for scores over the confusion of classes. */
static int classes(const struct tare_graded *g, double *to, struct tare_err *err)
{
    (void)err;
    to[0] = (double)g->document->gold;
    to[1] = (double)picked(g, BY_NOTHING);
    return 0;
}

/* Probability of the true answers among all: labels of the document say which are true. With "cut":
 * "first_zero" all before the first false one count as true and all behind it as false, as version 0.3 of
 * lm-evaluation-harness did. */
static int mc2(const struct tare_graded *g, double *to, struct tare_err *err)
{
    double all = 0, good = 0;
    const char *rule = tare_json_str(tare_json_get(g->options, "cut"));
    bool cut = false, by_cut = rule && strcmp(rule, "first_zero") == 0;
    const struct tare_json *targets = tare_json_get(g->document->document, "mc2_targets");
    const struct tare_json *label = tare_json_first(tare_json_get(targets, "labels"));
    for (size_t i = 0; i < choices(g); i++) {
        double p = exp(g->answers[i].loglik);
        if (!label) {
            return tare_err_set(err, TARE_E_FORMAT, "task %s: a document has fewer labels than choices",
                                g->definition->name);
        }
        all += p;
        cut = cut || tare_json_num(label) == 0;
        good += (by_cut ? !cut : tare_json_num(label) == 1) ? p : 0;
        label = tare_json_next(label);
    }
    to[0] = good / all;
    return 0;
}

#define CHOICE      (1U << TARE_OUTPUT_MULTIPLE_CHOICE)
#define KIND(name_) .name = #name_, .outputs = CHOICE, .score = name_

static const struct tare_metric_kind
    kind_acc = {KIND(acc),
                .n_columns = 1,
                .columns = {""},
                .aggregation = "mean",
                .unit = "1",
                .scale = 1,
                .help = "share of documents whose likeliest choice is the right one"},
    kind_acc_norm = {KIND(acc_norm),
                     .n_columns = 1,
                     .columns = {""},
                     .aggregation = "mean",
                     .unit = "1",
                     .scale = 1,
                     .help = "the same, likeliest per character of the choice"},
    kind_acc_bytes = {KIND(acc_bytes),
                      .n_columns = 1,
                      .columns = {""},
                      .aggregation = "mean",
                      .unit = "1",
                      .scale = 1,
                      .help = "the same, likeliest per byte of the choice"},
    kind_mutual = {KIND(acc_mutual_info),
                   .n_columns = 1,
                   .columns = {""},
                   .aggregation = "mean",
                   .unit = "1",
                   .scale = 1,
                   .needs_alone = true,
                   .help = "the same, likeliest beyond what it is with nothing before it"},
    kind_brier = {KIND(brier_score),
                  .n_columns = 1,
                  .columns = {""},
                  .aggregation = "brier_score",
                  .unit = "1",
                  .scale = 1,
                  .lower_is_better = true,
                  .help = "squared distance of the choices' probabilities from the right one"},
    kind_f1 = {.name = "f1",
               .outputs = CHOICE,
               .score = classes,
               .n_columns = 2,
               .columns = {"gold", ""},
               .aggregation = "f1",
               .unit = "1",
               .scale = 1,
               .help = "F1 of the class 1"},
    kind_macro_f1 = {.name = "macro_f1",
                     .outputs = CHOICE,
                     .score = classes,
                     .n_columns = 2,
                     .columns = {"gold", ""},
                     .aggregation = "macro_f1",
                     .unit = "1",
                     .scale = 1,
                     .help = "mean of the F1 of all classes"},
    kind_mcc = {.name = "mcc",
                .outputs = CHOICE,
                .score = classes,
                .n_columns = 2,
                .columns = {"gold", ""},
                .aggregation = "mcc",
                .unit = "1",
                .scale = 1,
                .help = "Matthews correlation"},
    kind_mc2 = {KIND(mc2),
                .n_columns = 1,
                .columns = {""},
                .aggregation = "mean",
                .unit = "prob",
                .scale = 1,
                .needs_document = true,
                .help = "probability of the true answers among all"};

extern const struct tare_metric_kind *const tare_metric_family_choice[];
const struct tare_metric_kind *const tare_metric_family_choice[] = {
    &kind_acc, &kind_acc_norm, &kind_acc_bytes, &kind_mutual, &kind_brier,
    &kind_f1,  &kind_macro_f1, &kind_mcc,       &kind_mc2,    NULL};
