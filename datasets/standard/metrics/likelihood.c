/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics of a text's own likelihood: of a continuation, and of whole pages. */
#include "datasets/standard/grade.h"

static double loglik(const struct tare_graded *g)
{
    double sum = 0;
    for (size_t i = 0; i < g->n; i++) {
        sum += g->answers[i].loglik;
    }
    return sum;
}

static int acc(const struct tare_graded *g, double *to, struct tare_err *err)
{
    (void)err;
    to[0] = g->answers[0].greedy;
    return 0;
}

static int perplexity(const struct tare_graded *g, double *to, struct tare_err *err)
{
    (void)err;
    to[0] = loglik(g);
    return 0;
}

static int by_words(const struct tare_graded *g, double *to, struct tare_err *err)
{
    (void)err;
    to[0] = loglik(g);
    to[1] = (double)g->document->words;
    return 0;
}

static int by_bytes(const struct tare_graded *g, double *to, struct tare_err *err)
{
    (void)err;
    to[0] = loglik(g);
    to[1] = (double)g->document->bytes;
    return 0;
}

#define ONE     (1U << TARE_OUTPUT_LOGLIKELIHOOD)
#define ROLLING (1U << TARE_OUTPUT_ROLLING)

static const struct tare_metric_kind
    kind_acc = {.name = "acc",
                .outputs = ONE,
                .score = acc,
                .n_columns = 1,
                .columns = {""},
                .aggregation = "mean",
                .unit = "1",
                .scale = 1,
                .help = "share of continuations each of whose tokens is the most probable one"},
    kind_perplexity = {.name = "perplexity",
                       .outputs = ONE,
                       .score = perplexity,
                       .n_columns = 1,
                       .columns = {""},
                       .aggregation = "perplexity",
                       .unit = "ppl",
                       .scale = 1,
                       .lower_is_better = true,
                       .help = "exp of the mean nats of a continuation"},
    kind_word = {.name = "word_perplexity",
                 .outputs = ROLLING,
                 .score = by_words,
                 .n_columns = 2,
                 .columns = {"", "words"},
                 .aggregation = "weighted_perplexity",
                 .unit = "ppl",
                 .scale = 1,
                 .lower_is_better = true,
                 .help = "exp of the nats a word"},
    kind_byte = {.name = "byte_perplexity",
                 .outputs = ROLLING,
                 .score = by_bytes,
                 .n_columns = 2,
                 .columns = {"", "bytes"},
                 .aggregation = "weighted_perplexity",
                 .unit = "ppl",
                 .scale = 1,
                 .lower_is_better = true,
                 .help = "exp of the nats a byte"},
    kind_bits = {.name = "bits_per_byte",
                 .outputs = ROLLING,
                 .score = by_bytes,
                 .n_columns = 2,
                 .columns = {"", "bytes"},
                 .aggregation = "bits_per_byte",
                 .unit = "bit/B",
                 .scale = 1,
                 .lower_is_better = true,
                 .help = "bits a byte"};

extern const struct tare_metric_kind *const tare_metric_family_likelihood[];
const struct tare_metric_kind *const tare_metric_family_likelihood[] = {
    &kind_acc, &kind_perplexity, &kind_word, &kind_byte, &kind_bits, NULL};
