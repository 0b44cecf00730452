/* SPDX-License-Identifier: Apache-2.0 */
/* Sampled output follows its seed: the same one gives the same tokens, others give others. */
#include "verify/verify.h"

#include <string.h>

enum { n_output = 24, n_seeds = 4 };

static bool same(const struct tare_wire_answer *a, const struct tare_wire_answer *b)
{
    return a->n_tokens == b->n_tokens && memcmp(a->tokens, b->tokens, a->n_tokens * sizeof *a->tokens) == 0;
}

static int run(struct tare_verify *v, struct tare_err *err)
{
    struct tare_verify_tokens t = {NULL, 0};
    struct tare_wire_answer answers[n_seeds], again;
    bool differ = false;
    int r = tare_verify_draw(v, "text", 12, &t, err);
    struct tare_wire_ask ask = tare_verify_generate(t, n_output);
    ask.temperature = 1.5F;
    for (uint32_t i = 0; r == 0 && i < n_seeds; i++) {
        ask.seed = 100 + i;
        r = tare_verify_ask(v, &ask, 1, &answers[i], err);
        differ = differ || (r == 0 && i && !same(&answers[0], &answers[i]));
    }
    if (r != 0) {
        return r;
    }
    ask.seed = 100;
    r = tare_verify_ask(v, &ask, 1, &again, err);
    if (r == 0) {
        (void)tare_verify_require(v, same(&answers[0], &again),
                                  "the same seed gave other tokens the second time");
        (void)tare_verify_require(v, differ, "%d seeds at temperature 1.5 gave the same %u tokens", n_seeds,
                                  answers[0].n_tokens);
    }
    return r;
}

const struct tare_verify_check tare_verify_check_sampling = {
    .name = "sampling",
    .proves = "sampled output depends on its seed and on nothing else",
    .needs = TARE_CAP_GENERATE | TARE_CAP_SAMPLED,
    .run = run};
