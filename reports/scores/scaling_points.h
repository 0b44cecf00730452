/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The points of a scaling law: size N, tokens of training D and loss of finished models. They come from the
 * selection (untreated models of one architecture and tokenizer, on one task) or from a file.
 */
#ifndef TARE_REPORTS_SCORES_SCALING_POINTS_H
#define TARE_REPORTS_SCORES_SCALING_POINTS_H

#include "law_fit.h"
#include "score.h"

struct tare_scaling_from {
    const char *file;    /* columns n, d, loss; NULL: the selection */
    const char *loss;    /* figure[@task] */
    const char *size;    /* figure of N */
    const char *tokens;  /* figure of D */
    double declared_tok; /* D of all models, instead of the figure; 0: none */
    const char *arch;    /* NULL: that of most models */
};

struct tare_scaling_points {
    double *n, *d, *loss; /* n_points each; d is NaN where it is not known */
    double *nd;           /* [2 i], [2 i + 1]: N and D, for laws of two axes */
    size_t n_points, n_left_out;
    const char *unit;                 /* of the loss */
    const char *arch;                 /* chosen; NULL: not known, or a file */
    const char *where;                /* the selection's models, or the file */
    const char *why_out;              /* why others were left out; NULL for none */
    bool has_tokens;                  /* every point has D */
    double counted_low, counted_high; /* counted training FLOPs over 6 N D; NaN where not counted */
};

TARE_MUST_CHECK int tare_scaling_points(const struct tare_report_input *input,
                                        const struct tare_scaling_from *from, struct tare_arena *arena,
                                        struct tare_scaling_points *out, struct tare_err *err);

/* For a plot: the fit of L = E + A / N^alpha through the selection's models, with its band. */
TARE_MUST_CHECK int tare_scaling_curve(const struct tare_report_input *input,
                                       const struct tare_scaling_from *from, struct tare_arena *arena,
                                       struct tare_scaling_points *out_points, struct tare_curve_fit *out,
                                       struct tare_err *err);

#endif
