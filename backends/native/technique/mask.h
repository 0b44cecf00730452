/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which weights go: a share of the smallest scores, or all but the N largest of each M in a row.
 *
 * The rules are those of the zoo's variants, down to the last bit: of a share, every score that is not
 * above the k-th smallest goes, so equal scores at the border all go; of equal scores in a group the one
 * further left stays.
 */
#ifndef TARE_NATIVE_MASK_H
#define TARE_NATIVE_MASK_H

#include "linear.h"

struct tare_mask_rule {
    double sparsity; /* share that goes, in [0, 1); used when of is 0 */
    uint32_t keep;   /* this many */
    uint32_t of;     /* of so many stay; 0: no pattern */
};

/* The options of a pruning technique; pattern NULL: none. */
TARE_MUST_CHECK int tare_mask_rule_parse(struct tare_mask_rule *rule, double sparsity, const char *pattern,
                                         struct tare_err *err);
/* Can rows of so many columns be cut into the pattern's groups? */
TARE_MUST_CHECK int tare_mask_rule_fits(const struct tare_mask_rule *rule, const struct tare_linear *w,
                                        struct tare_err *err);

/* The k-th smallest of n numbers, 1 <= k <= n; reorders them. */
float tare_kth_smallest(float *numbers, size_t n, size_t k);
/* Sets w[i] to 0 where score[i] is not above the floor(n * sparsity)-th smallest. `work` holds n floats. */
void tare_mask_share(float *w, const float *score, size_t n, double sparsity, float *work);
/* Keeps the `keep` largest scores of a group and sets the rest of w to 0. */
void tare_mask_group(float *w, const float *score, uint32_t keep, uint32_t of);
/* One row, by whichever the rule says. */
void tare_mask_row(float *w, const float *score, uint32_t n, const struct tare_mask_rule *rule, float *work);

/* Puts a pruned matrix in place of `w`: 2:4 in its own storage, all else as a bitmap. */
TARE_MUST_CHECK int tare_mask_store(struct tare_linear *w, const float *dense,
                                    const struct tare_mask_rule *rule, struct tare_err *err);

#endif
