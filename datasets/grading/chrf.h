/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chrF's statistics of one text, as sacrebleu counts them by default: n-grams of 1 to 6 characters (code
 * points), white space removed, case kept, no words. tare/corpus_score.h makes the score.
 */
#ifndef TARE_DATASETS_GRADING_CHRF_H
#define TARE_DATASETS_GRADING_CHRF_H

#include <tare/corpus_score.h>
#include <tare/task.h>

/* Of several references the one with the highest score counts, the first of equal ones. n_references >= 1.
 * Output that is no UTF-8 is made so first. */
TARE_MUST_CHECK int tare_chrf_count(struct tare_bytes output, const struct tare_bytes *references,
                                    size_t n_references, double stats[TARE_CHRF_STATS], struct tare_err *err);

#endif
