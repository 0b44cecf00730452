/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The matrices that a technique works on, as a list, by block of the model, or with what they see on
 * calibration text. The embedding is never among them.
 */
#ifndef TARE_NATIVE_TARGETS_H
#define TARE_NATIVE_TARGETS_H

#include "calibration.h"

struct tare_targets {
    struct tare_linear **of; /* owned; the matrices are the model's */
    size_t n;
};

enum { tare_every_block = -1 };

/* Block i of "blocks.i.attn.q"; -1 for a name of another form. */
int64_t tare_target_block(const struct tare_linear *w);
/* The greatest number of a block that a matrix is named after: blocks may have been dropped. -1: none. */
int64_t tare_target_last_block(const struct tare_model *model);
/* "attn.q" of "blocks.i.attn.q"; the whole name where it has another form. */
const char *tare_target_part(const struct tare_linear *w);

/* Those of one block, or of all, in the order of the model. */
TARE_MUST_CHECK int tare_targets_open(struct tare_targets *targets, struct tare_treatment *treatment,
                                      int64_t block, struct tare_err *err);
/* The same of layers whatever they are made of, instead of their parts. */
TARE_MUST_CHECK int tare_targets_open_whole(struct tare_targets *targets, struct tare_treatment *treatment,
                                            int64_t block, struct tare_err *err);
void tare_targets_close(struct tare_targets *targets);

/* What is done to one matrix, knowing the moments of its input. */
typedef int tare_calibrated_change(void *ctx, struct tare_linear *w, const struct tare_moments *moments,
                                   struct tare_err *err);

/* How the moments are taken. */
struct tare_calibrated {
    struct tare_calibration_choice text;
    /* Block after block, each seeing what the changed blocks before it put out; else all moments are of
     * the model as it was. */
    bool sequential;
    bool whole; /* layers whatever they are made of, instead of their parts */
    tare_calibrated_change *change;
    void *ctx;
};

/* Takes the moments of every matrix and changes it; stops at the first failure. */
TARE_MUST_CHECK int tare_calibrated_each(struct tare_treatment *treatment, const struct tare_calibrated *how,
                                         struct tare_err *err);

#endif
