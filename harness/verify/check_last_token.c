/* SPDX-License-Identifier: Apache-2.0 */
/* A token's score is the same as the last one of an input and in the middle of a longer one. */
#include "verify/verify.h"

static int run(struct tare_verify *v, struct tare_err *err)
{
    static const uint32_t lengths[] = {3, 4, 9, 17};
    struct tare_verify_tokens t = {NULL, 0};
    struct tare_wire_answer whole, part;
    int r = tare_verify_needs_context(v, err);
    r = r == 0 ? tare_verify_draw(v, "text", 24, &t, err) : r;
    if (r != 0) {
        return r;
    }
    struct tare_wire_ask ask = tare_verify_score(t, 1, 0);
    r = tare_verify_ask(v, &ask, 1, &whole, err);
    for (size_t i = 0; r == 0 && i < sizeof lengths / sizeof *lengths; i++) {
        uint32_t n = lengths[i];
        ask = tare_verify_score((struct tare_verify_tokens){t.tokens, n}, 1, 0);
        r = tare_verify_ask(v, &ask, 1, &part, err);
        if (r == 0) {
            tare_verify_compare(v, part.logprob[n - 2], whole.logprob[n - 2],
                                "token %u as the last of %u and in the midst of %u", n, n, t.n);
        }
    }
    return r;
}

const struct tare_verify_check tare_verify_check_last_token = {
    .name = "last_token",
    .proves = "the last token of an input is scored as it is in the midst of a longer one",
    .needs = TARE_CAP_SCORE,
    .run = run};
