/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics of generated text against gold answers. How texts are compared is datasets/grading/. */
#include "datasets/grading/bleu.h"
#include "datasets/grading/chrf.h"
#include "datasets/grading/exact_match.h"
#include "datasets/grading/ter.h"
#include "datasets/standard/grade.h"

#include <stdlib.h>

/* The gold answers of the document as a list; free() it. NULL: out of memory. */
static struct tare_bytes *golds_of(const struct tare_graded *g)
{
    struct tare_bytes *golds = calloc(g->document->n_golds + 1, sizeof *golds);
    for (size_t i = 0; golds && i < g->document->n_golds; i++) {
        golds[i] = tare_documents_text(g->documents, g->documents->refs[g->document->first_gold + i]);
    }
    return golds;
}

static int no_memory(struct tare_err *err)
{
    return tare_err_set(err, TARE_E_NOMEM, "out of memory for gold answers");
}

static int prepare_exact_match(const struct tare_json *options, const char *what, void **out,
                               struct tare_err *err)
{
    struct tare_exact_match *m = NULL;
    int r = tare_exact_match_parse(options, what, &m, err);
    *out = r == 0 ? m : NULL;
    return r;
}

static void release_exact_match(void *state)
{
    tare_exact_match_destroy(state);
}

static int exact_match(const struct tare_graded *g, double *to, struct tare_err *err)
{
    struct tare_bytes *golds = golds_of(g);
    int r = golds ? tare_exact_match_score(g->state, g->output, golds, g->document->n_golds, to, err)
                  : no_memory(err);
    free(golds);
    return r;
}

static int contains(const struct tare_graded *g, double *to, struct tare_err *err)
{
    struct tare_bytes *golds = golds_of(g);
    int r = golds ? tare_contains_score(g->output, golds, g->document->n_golds, to, err) : no_memory(err);
    free(golds);
    return r;
}

static int bleu(const struct tare_graded *g, double *to, struct tare_err *err)
{
    struct tare_bytes *golds = golds_of(g);
    int r = golds ? tare_bleu_count(TARE_BLEU_13A, g->output, golds, g->document->n_golds, to, err)
                  : no_memory(err);
    free(golds);
    return r;
}

static int chrf(const struct tare_graded *g, double *to, struct tare_err *err)
{
    struct tare_bytes *golds = golds_of(g);
    int r = golds ? tare_chrf_count(g->output, golds, g->document->n_golds, to, err) : no_memory(err);
    free(golds);
    return r;
}

static int ter(const struct tare_graded *g, double *to, struct tare_err *err)
{
    struct tare_bytes *golds = golds_of(g);
    int r = golds ? tare_ter_count(g->output, golds, g->document->n_golds, to, err) : no_memory(err);
    free(golds);
    return r;
}

#define GENERATION (1U << TARE_OUTPUT_GENERATE)

static const struct tare_metric_kind
    kind_exact = {.name = "exact_match",
                  .outputs = GENERATION,
                  .score = exact_match,
                  .n_columns = 1,
                  .columns = {""},
                  .aggregation = "mean",
                  .unit = "1",
                  .scale = 1,
                  .prepare = prepare_exact_match,
                  .release = release_exact_match,
                  .help = "share of outputs that are a gold answer"},
    kind_contains = {.name = "contains",
                     .outputs = GENERATION,
                     .score = contains,
                     .n_columns = 1,
                     .columns = {""},
                     .aggregation = "mean",
                     .unit = "1",
                     .scale = 1,
                     .help = "share of outputs in which a gold answer stands, whatever its case"},
    kind_bleu = {.name = "bleu",
                 .outputs = GENERATION,
                 .score = bleu,
                 .n_columns = TARE_BLEU_STATS,
                 .aggregation = "bleu",
                 .unit = "BLEU",
                 .scale = 1,
                 .help = "BLEU of the whole set as sacrebleu has it, 0 to 100"},
    kind_chrf = {.name = "chrf",
                 .outputs = GENERATION,
                 .score = chrf,
                 .n_columns = TARE_CHRF_STATS,
                 .aggregation = "chrf",
                 .unit = "chrF",
                 .scale = 1,
                 .help = "chrF of the whole set as sacrebleu has it, 0 to 100"},
    kind_ter = {.name = "ter",
                .outputs = GENERATION,
                .score = ter,
                .n_columns = TARE_TER_STATS,
                .aggregation = "ter",
                .unit = "TER",
                .scale = 1,
                .lower_is_better = true,
                .help = "translation edit rate of the whole set as sacrebleu has it, in percent"};

extern const struct tare_metric_kind *const tare_metric_family_generation[];
const struct tare_metric_kind *const tare_metric_family_generation[] = {
    &kind_exact, &kind_contains, &kind_bleu, &kind_chrf, &kind_ter, NULL};
