/* SPDX-License-Identifier: Apache-2.0 */
/* Probabilities of all tokens behind one prefix sum up to 1. */
#include "verify/vocabulary.h"

#include <math.h>

static int run(struct tare_verify *v, struct tare_err *err)
{
    struct tare_verify_tokens t = {NULL, 0};
    struct tare_verify_vocabulary all;
    double sum = 0;
    int r = tare_verify_draw(v, "text", 5, &t, err);
    r = r == 0 ? tare_verify_vocabulary(v, t, &all, err) : r;
    if (r != 0) {
        return r;
    }
    if (all.by_rows) {
        return tare_verify_absent(v, "it gives logits: the log-softmax is the harness's own");
    }
    for (uint32_t i = 0; i < all.n; i++) {
        sum += exp(all.logprob[i]);
    }
    tare_verify_compare(v, log(sum), 0, "logarithm of the sum of the probabilities of all %u tokens", all.n);
    return 0;
}

const struct tare_verify_check tare_verify_check_normalised = {
    .name = "normalised",
    .proves = "log-probabilities are normalised: those of the whole vocabulary sum up to 1",
    .needs = TARE_CAP_SCORE,
    .run = run};
