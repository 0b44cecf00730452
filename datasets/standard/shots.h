/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which examples stand before which document: the draw of lm-evaluation-harness.
 *
 * One generator a task, asked document after document in their order, so that the draws of a document depend
 * on all before it: they are made for all documents at once. Private to datasets/.
 */
#ifndef TARE_DATASETS_STANDARD_SHOTS_H
#define TARE_DATASETS_STANDARD_SHOTS_H

#include "documents.h"

struct tare_shots {
    size_t *all; /* n_shots indices into the pool for each document */
    size_t n_shots;
};

/* On failure nothing is held. The pool must have enough documents. */
int tare_shots_draw(const struct tare_definition *definition, size_t n_shots, uint64_t seed,
                    const struct tare_rendered_documents *documents,
                    const struct tare_rendered_documents *pool, struct tare_shots *out, struct tare_err *err);
void tare_shots_free(struct tare_shots *shots);

#endif
