/* SPDX-License-Identifier: Apache-2.0 */
/* A token's score is the same wherever the scored part begins, with the hint of a shared prefix and without:
 * positions count from the begin of the input. */
#include "verify/verify.h"

static int run(struct tare_verify *v, struct tare_err *err)
{
    enum { n = 24 };
    static const uint32_t firsts[] = {2, 5, 11, 18};
    struct tare_verify_tokens t = {NULL, 0};
    struct tare_wire_answer whole, part;
    int r = tare_verify_needs_context(v, err);
    r = r == 0 ? tare_verify_draw(v, "text", n, &t, err) : r;
    if (r != 0) {
        return r;
    }
    struct tare_wire_ask ask = tare_verify_score(t, 1, 0);
    r = tare_verify_ask(v, &ask, 1, &whole, err);
    for (size_t i = 0; r == 0 && i < 2 * sizeof firsts / sizeof *firsts; i++) {
        uint32_t first = firsts[i / 2];
        char what[80];
        ask = tare_verify_score(t, first, i % 2 ? first : 0);
        r = tare_verify_ask(v, &ask, 1, &part, err);
        (void)snprintf(what, sizeof what, "tokens from %u on, scored alone%s and with all", first,
                       i % 2 ? ", with the hint," : "");
        if (r == 0) { /* but for the last, which has a check of its own */
            tare_verify_same_scores(v, &part, first - 1, &whole, n - first - 1, what);
        }
    }
    return r;
}

const struct tare_verify_check tare_verify_check_position = {
    .name = "position",
    .proves = "a token's score does not depend on where the scored part of the input begins",
    .needs = TARE_CAP_SCORE,
    .run = run};
