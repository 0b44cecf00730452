/* SPDX-License-Identifier: Apache-2.0 */
/* Every token of the vocabulary scored behind one prefix: a distribution, seen from outside. */
#ifndef TARE_VERIFY_VOCABULARY_H
#define TARE_VERIFY_VOCABULARY_H

#include "verify/verify.h"

enum { TARE_VERIFY_MOST_VOCABULARY = 4096 };

struct tare_verify_vocabulary {
    uint32_t n;   /* tokens: 0 .. n-1 */
    bool by_rows; /* the backend gives logits: the distribution is the harness's log-softmax */
    const double *logprob;
    const uint8_t *greedy;
};

/* 1: told, or absent with a reason (unknown or too large a vocabulary; logits). */
TARE_MUST_CHECK int tare_verify_vocabulary(struct tare_verify *v, struct tare_verify_tokens prefix,
                                           struct tare_verify_vocabulary *out, struct tare_err *err);

#endif
