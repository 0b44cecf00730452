/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BLEU's statistics of one text, as sacrebleu counts them; tare/corpus_score.h makes the score of them and of
 * their sums.
 *
 * 13a is sacrebleu's default: the tokenizer of mteval-v13a.pl, which cuts ASCII punctuation off, but not
 * periods and commas between digits. INTL is that of mteval-v14.pl, for which punctuation and symbols are
 * Unicode's; truthfulqa_gen uses it. Case is kept.
 */
#ifndef TARE_DATASETS_GRADING_BLEU_H
#define TARE_DATASETS_GRADING_BLEU_H

#include <tare/corpus_score.h>
#include <tare/task.h>

enum tare_bleu_tokenizer { TARE_BLEU_13A = 1, TARE_BLEU_INTL };

/* An n-gram is matched as often as the reference that has most of it; the reference length is the closest
 * one, of two the shorter. n_references >= 1. Output that is no UTF-8 is made so first. */
TARE_MUST_CHECK int tare_bleu_count(enum tare_bleu_tokenizer tokenizer, struct tare_bytes output,
                                    const struct tare_bytes *references, size_t n_references,
                                    double stats[TARE_BLEU_STATS], struct tare_err *err);

/* Appends the tokens of a text, with a blank between them. */
struct tare_string;
TARE_MUST_CHECK int tare_bleu_tokenize(enum tare_bleu_tokenizer tokenizer, struct tare_bytes text,
                                       struct tare_string *out, struct tare_err *err);

#endif
