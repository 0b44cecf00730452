/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of structured pruning: taking units out of the matrices that share them (structured_units.c),
 * taking layers out of a model (structured_layers.c). Shapes shrink; nothing is set to zero.
 */
#ifndef TARE_NATIVE_STRUCTURED_H
#define TARE_NATIVE_STRUCTURED_H

#include "targets.h"

struct tare_structured {
    double ratio;     /* share of the units that goes, in [0, 1) */
    int64_t multiple; /* the count of channels that stay is brought to a multiple of it */
    bool update;      /* what stays makes up for what goes */
    double damp;      /* of the update */
    bool sequential;
    bool by_loss; /* layers are judged by what the loss becomes without them */
    struct tare_calibration_choice text;
};

/* Heads of attention. */
TARE_MUST_CHECK int tare_structured_heads(const struct tare_structured *how, struct tare_treatment *treatment,
                                          struct tare_err *err);
/* Channels of the feed-forward part. */
TARE_MUST_CHECK int tare_structured_channels(const struct tare_structured *how,
                                             struct tare_treatment *treatment, struct tare_err *err);
/* Whole layers. */
TARE_MUST_CHECK int tare_structured_layers(const struct tare_structured *how,
                                           struct tare_treatment *treatment, struct tare_err *err);

/* Keeps the rows or columns in `kept`, ascending; the storage stays what it was, and has to be one of plain
 * numbers or a bitmap. */
TARE_MUST_CHECK int tare_shrink_rows(struct tare_linear *w, const uint32_t *kept, uint32_t n_kept,
                                     struct tare_err *err);
/* The same for columns of `dense`, which stands for w's numbers. */
TARE_MUST_CHECK int tare_shrink_columns(struct tare_linear *w, const float *dense, const uint32_t *kept,
                                        uint32_t n_kept, struct tare_err *err);
/* Says why where w cannot shrink. */
TARE_MUST_CHECK int tare_shrink_check(const struct tare_linear *w, struct tare_err *err);

/* dense [out, in]: the kept columns take over, by least squares over the moments, what the others gave. */
TARE_MUST_CHECK int tare_make_up(const struct tare_linear *w, float *dense,
                                 const struct tare_moments *moments, double damp, const uint32_t *kept,
                                 uint32_t n_kept, struct tare_err *err);

#endif
