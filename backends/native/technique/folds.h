/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the columns of a matrix can be multiplied by numbers that what stands before it is divided by, so
 * that the model computes the same as before: exact identities of each architecture.
 *
 * Through a norm's weight and bias always; through the rows of an earlier matrix where what lies between is
 * linear (or squared) channel by channel. Not through the norm of heads of RetNet, nor through gelu: such
 * matrices have no entry.
 */
#ifndef TARE_NATIVE_FOLDS_H
#define TARE_NATIVE_FOLDS_H

#include <stdbool.h>

enum { tare_fold_parts = 5 };

struct tare_fold {
    const char *arch;
    const char
        *columns[tare_fold_parts]; /* parts of a block that see the same channels; NULL behind the last */
    const char *vectors[3];        /* whose first numbers are divided; NULL behind the last */
    const char *rows;              /* matrix whose first rows are divided, or NULL */
    bool squared;                  /* what comes out of the rows is squared: divided by the root */
};

/* Ends with a NULL arch. */
extern const struct tare_fold tare_folds[];

#endif
