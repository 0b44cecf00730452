/* SPDX-License-Identifier: Apache-2.0 */
/* What follows a token, and how much of it (padding), does not change the token's score. */
#include "verify/verify.h"

static int run(struct tare_verify *v, struct tare_err *err)
{
    enum { common = 12 };
    static const uint32_t lengths[] = {40, 13, 27, 12, 33};
    struct tare_verify_tokens t = {NULL, 0}, other = {NULL, 0}, joined = {NULL, 0};
    struct tare_wire_answer first, answer;
    int r = tare_verify_draw(v, "text", common, &t, err);
    const struct tare_wire_ask alone = tare_verify_score(t, 1, 0);
    r = r == 0 ? tare_verify_ask(v, &alone, 1, &first, err) : r;
    for (size_t i = 0; r == 0 && i < sizeof lengths / sizeof *lengths; i++) {
        char what[80];
        (void)snprintf(what, sizeof what, "what follows %zu", i);
        r = tare_verify_draw(v, what, lengths[i], &other, err);
        r = r == 0 ? tare_verify_join(v, t, common, other, &joined, err) : r;
        const struct tare_wire_ask ask = tare_verify_score(joined, 1, 0);
        r = r == 0 ? tare_verify_ask(v, &ask, 1, &answer, err) : r;
        (void)snprintf(what, sizeof what, "%u tokens with %u others behind them and alone", (unsigned)common,
                       lengths[i] - common);
        if (r == 0) { /* the last one's score has a check of its own */
            tare_verify_same_scores(v, &answer, 0, &first, common - 2, what);
        }
    }
    return r;
}

const struct tare_verify_check tare_verify_check_causality = {
    .name = "causality",
    .proves = "a token's score depends neither on what follows it nor on how much does (padding)",
    .needs = TARE_CAP_SCORE,
    .run = run};
