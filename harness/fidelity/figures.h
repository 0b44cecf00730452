/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Figures of fidelity out of the sums of items. A value is a mean over all positions (or items); its interval
 * is over items, for positions of one text depend on each other. docs/fidelity.md says what each means.
 */
#ifndef TARE_FIDELITY_FIGURES_H
#define TARE_FIDELITY_FIGURES_H

#include "base/record.h"
#include "fidelity/sums.h"

enum { TARE_FIDELITY_MOST_FIGURES = 64 };

struct tare_fidelity_figure {
    struct tare_figure figure; /* texts are constant, or those of the `about` */
    const char *help;          /* one line */
    double se;                 /* standard error between items, linearised; NaN: none is told */
};

struct tare_fidelity_figures {
    struct tare_fidelity_figure list[TARE_FIDELITY_MOST_FIGURES];
    size_t n;
};

struct tare_fidelity_about {
    const char *source; /* of every figure: against whom. Borrowed */
    const char *unit;   /* "items", or "chunks" of a file */
    int64_t n_vocab;
    bool rounded; /* the teacher's distributions were: flag TEACHER_ROUNDED */
    bool partial; /* items failed and are left out: flag ITEMS_FAILED */
};

/* Only figures of the kinds of items that there are; without any item there is none. */
TARE_MUST_CHECK int tare_fidelity_figures(const struct tare_fidelity_item *items, size_t n,
                                          const struct tare_fidelity_about *about,
                                          struct tare_fidelity_figures *out, struct tare_err *err);
const struct tare_fidelity_figure *tare_fidelity_find(const struct tare_fidelity_figures *figures,
                                                      const char *name);

#endif
