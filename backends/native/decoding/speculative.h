/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Speculative decoding (Leviathan, Kalman, Matias, arXiv 2211.17192).
 *
 * A draft model proposes gamma tokens, x out of its law q; the target model evaluates them all in one pass
 * and accepts each with probability min(1, p(x) / q(x)). At the first refusal a token is drawn from what is
 * left, max(0, p - q) normalised; if all are accepted, one more from the target's next row. What comes out
 * has the target's law, whatever the draft. At temperature 0 a proposal is accepted while it is the
 * target's own choice. Numbers are drawn from one stream in this order: for each proposal one, for each
 * judgement one, then one for the token behind.
 */
#ifndef TARE_NATIVE_SPECULATIVE_H
#define TARE_NATIVE_SPECULATIVE_H

#include "decoding.h"
#include "rewind.h"
#include "stopwatch.h"
#include "flops.h"

/* Is a proposal with the probabilities p and q > 0 accepted, given u in [0, 1)? */
typedef bool tare_speculative_rule(double p, double q, double u);

struct tare_speculative_counts {
    int64_t drafted;
    int64_t tested; /* of them; those behind a refusal are not looked at */
    int64_t accepted;
    double overlap; /* sum of min(p, q) over the tested ones */
    int64_t passes; /* of the target with all gamma proposals, and the tokens that came out of them */
    int64_t passed_tok;
    int64_t depths; /* tokens in context, summed over those passes */
    int64_t executed_flops;
    int64_t dense_flops; /* that the target alone would have taken for the same tokens */
};

struct tare_speculative {
    uint32_t gamma;
    tare_speculative_rule *accept;
    struct tare_model draft_model;
    struct tare_session draft;
    struct tare_session *target; /* borrowed */
    struct tare_rewind draft_rewind;
    struct tare_rewind target_rewind;
    struct tare_flops draft_work;
    struct tare_flops target_work;
    int32_t *ids; /* owned: the whole sequence; the last one is known and not yet fed to the target */
    uint32_t n_ids;
    double *q; /* owned, [gamma, vocab] */
    double *p; /* owned, [vocab] */
    struct tare_rng rng;
    double temperature;
    struct tare_speculative_counts counts;
    struct tare_stopwatch draft_step;
    struct tare_stopwatch target_pass;
};

extern const struct tare_decoding tare_decoding_speculative;

/* u < min(1, p / q) */
bool tare_speculative_accepts(double p, double q, double u);
/* On the heap, with the draft model read; tare_decoding_speculative.close frees it. */
TARE_MUST_CHECK int tare_speculative_create(struct tare_speculative **out, uint32_t gamma,
                                            struct tare_model *draft, struct tare_err *err);

#endif
