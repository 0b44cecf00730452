/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ROUGE (Lin, WAS 2004) of one output and one reference, as the Python package rouge_score computes it
 * without a stemmer and truthfulqa_gen of lm-eval calls it: F1 in percent.
 *
 * Tokens are runs of a-z and 0-9 of the lower-cased text; so a text in another script has none, and scores 0.
 * Before that, each " . " becomes "." and a line feed, for ROUGE-Lsum takes lines for sentences.
 */
#ifndef TARE_DATASETS_GRADING_ROUGE_H
#define TARE_DATASETS_GRADING_ROUGE_H

#include <tare/task.h>

struct tare_rouge {
    double rouge1, rouge2; /* shared words, shared pairs of words */
    double rouge_lsum;     /* longest common subsequences of the sentences, united */
};

/* What is no UTF-8 is made so first. */
TARE_MUST_CHECK int tare_rouge_score(struct tare_bytes output, struct tare_bytes reference,
                                     struct tare_rouge *out, struct tare_err *err);

#endif
