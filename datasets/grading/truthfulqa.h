/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether an answer is closer to the true or to the false answers of a question of TruthfulQA (Lin et al.,
 * ACL 2022), as lm-eval's truthfulqa_gen scores it: by BLEU with the tokenizer intl, and by ROUGE-1, -2 and
 * -Lsum. For each, the best score against a true answer, whether that is more than the best against a false
 * one, and by how much.
 */
#ifndef TARE_DATASETS_GRADING_TRUTHFULQA_H
#define TARE_DATASETS_GRADING_TRUTHFULQA_H

#include <tare/task.h>

/* In percent, but for acc: 0 or 1. */
struct tare_truthfulness {
    double max, acc, diff;
};

/* lm-eval's rougeL is ROUGE-Lsum. */
enum {
    TARE_TRUTHFUL_BLEU = 0,
    TARE_TRUTHFUL_ROUGE1,
    TARE_TRUTHFUL_ROUGE2,
    TARE_TRUTHFUL_ROUGEL,
    TARE_TRUTHFUL_SCORES
};

/* TARE_E_USAGE without an answer of either kind. */
TARE_MUST_CHECK int tare_truthfulqa_score(struct tare_bytes output, const struct tare_bytes *true_answers,
                                          size_t n_true, const struct tare_bytes *false_answers,
                                          size_t n_false, struct tare_truthfulness out[TARE_TRUTHFUL_SCORES],
                                          struct tare_err *err);

#endif
