/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What came back of each item, kept until the task grades it (tare/task.h, `grade`).
 *
 * All memory is taken before anything is timed: 16 bytes a request, and for generations room for all that may
 * be generated, whose pages come with their first use, between two requests. It knows no rule of grading.
 * One thread.
 */
#ifndef TARE_CORE_ANSWERS_H
#define TARE_CORE_ANSWERS_H

#include "core/ask.h"

struct tare_answers {
    struct tare_answer *all; /* of every request, item after item */
    size_t *first;           /* of item i: all[first[i] .. first[i + 1]) */
    bool *asked;             /* the item's requests were all answered */
    char *text;
    size_t n_text, cap_text;
    size_t n_items;
};

/* `first_item`: those before it are not asked in this attempt. On failure nothing is held. */
TARE_MUST_CHECK int tare_answers_init(struct tare_answers *answers, const struct tare_prepared *prepared,
                                      size_t first_item, struct tare_err *err);
void tare_answers_fini(struct tare_answers *answers);
/* Copies what `ask` has of the item that it asked last. A failed one is left ungraded. */
void tare_answers_keep(struct tare_answers *answers, const struct tare_ask *ask,
                       const struct tare_sample *sample);
/* The item's answers in the order of its requests; NULL where it was not asked or failed. */
const struct tare_answer *tare_answers_of(const struct tare_answers *answers, size_t item, size_t *out_n);

#endif
