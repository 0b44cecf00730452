/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Early exit: after each layer the head looks at a token's hidden state, and as soon as a rule is satisfied
 * the token skips the layers that are left. Their state gets what the exit state gives: for a cache, keys
 * and values of it and nothing else. So later tokens attend to it as if it had gone through.
 *
 * The head was not trained to read inner layers. Affine maps, fitted on calibration text, bring their states
 * into the last one's form first; without them the head looks at them as they are.
 * What comes before the first answer of a request is fed plainly, all layers. From there on each token is
 * decided by itself, when scoring as when generating.
 */
#ifndef TARE_NATIVE_EARLY_EXIT_H
#define TARE_NATIVE_EARLY_EXIT_H

#include "decoding.h"
#include "exit_maps.h"
#include "flops.h"

enum tare_exit_rule {
    tare_exit_confidence, /* the largest probability is above the threshold */
    tare_exit_patience,   /* the most probable token is that of the layer before, so many layers in a row */
    tare_exit_entropy,    /* in nats, below the threshold */
    tare_exit_gap         /* between the two largest probabilities, above the threshold */
};

struct tare_early_exit_counts {
    int64_t tokens;
    int64_t layers; /* that they went through, summed */
    int64_t executed_flops;
    int64_t dense_flops;
};

struct tare_early_exit {
    enum tare_exit_rule rule;
    double threshold;
    uint32_t patience;
    struct tare_exit_maps maps;
    struct tare_flops work;
    float *mapped;      /* owned, [d] */
    double *p;          /* owned, [vocab] */
    int64_t *histogram; /* owned, [n_layers + 1]: tokens that left after so many layers */
    struct tare_early_exit_counts counts;
};

extern const struct tare_decoding tare_decoding_early_exit;

/* On the heap, without maps; tare_decoding_early_exit.close frees it. */
TARE_MUST_CHECK int tare_early_exit_create(struct tare_early_exit **out, enum tare_exit_rule rule,
                                           double threshold, uint32_t patience, struct tare_err *err);

#endif
