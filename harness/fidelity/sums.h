/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is kept of an item: sums over its positions, the picked choices, how far two greedy texts agree. A few
 * hundred bytes an item, whatever the vocabulary. Figures are made of these alone (fidelity/figures.h).
 */
#ifndef TARE_FIDELITY_SUMS_H
#define TARE_FIDELITY_SUMS_H

#include "fidelity/position.h"

/* Positions apart by the teacher's entropy in nats: bucket b holds those at or above edge b and below edge
 * b + 1. Fixed, so that two models, texts or days have the same buckets. */
enum { TARE_ENTROPY_BUCKETS = 6 };
extern const double tare_entropy_edges[TARE_ENTROPY_BUCKETS + 1]; /* the last is INFINITY */

enum tare_fidelity_sum {
    TARE_SUM_POSITIONS,
    TARE_SUM_KL_TS,
    TARE_SUM_KL_ST,
    TARE_SUM_JS,
    TARE_SUM_LOYALTY_E,
    TARE_SUM_LOYALTY_2,
    TARE_SUM_SAME_TOP,
    TARE_SUM_COMMON_FEW,  /* shares of TARE_TOP_FEW */
    TARE_SUM_COMMON_MANY, /* shares of TARE_TOP_MANY */
    TARE_SUM_RANK,
    TARE_SUM_SWAPPED,
    TARE_SUM_ENTROPY,
    TARE_SUM_NLL_T,
    TARE_SUM_NLL_S,
    TARE_SUM_NLL_DIFFERENCE, /* student's less teacher's, by position: what they share never enters */
    TARE_SUM_BUCKETS,        /* of each bucket: positions, KL(teacher || student), same top */
    TARE_SUM_KL_BUCKETS = TARE_SUM_BUCKETS + TARE_ENTROPY_BUCKETS,
    TARE_SUM_TOP_BUCKETS = TARE_SUM_KL_BUCKETS + TARE_ENTROPY_BUCKETS,
    TARE_FIDELITY_SUMS = TARE_SUM_TOP_BUCKETS + TARE_ENTROPY_BUCKETS
};

struct tare_fidelity_item {
    double sums[TARE_FIDELITY_SUMS];
    /* Of a choice. */
    bool is_choice, same_pick, right_t, right_s;
    double choice_js; /* between the distributions over the choices, nats; INFINITY where one rules out all */
    /* Of an item that is generated: tokens of each, tokens that both begin with. */
    bool is_generated;
    uint32_t output_t, output_s, common;
};

void tare_fidelity_add(struct tare_fidelity_item *item, const struct tare_position *position);

/* What the models say of one choice: summed log-probability of its tokens. */
struct tare_choice_score {
    double logprob_t, logprob_s;
    uint32_t n_bytes;
};
/* Which choice each picks, by log-probability (by_bytes: per byte), ties to the first; and how far the
 * distributions over the choices, which go by log-probability alone, are apart. TARE_E_NOMEM. */
TARE_MUST_CHECK int tare_fidelity_choose(struct tare_fidelity_item *item, const struct tare_choice_score *of,
                                         size_t n, size_t gold, bool by_bytes, struct tare_err *err);

#endif
