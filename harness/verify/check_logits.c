/* SPDX-License-Identifier: Apache-2.0 */
/* Full distributions say what scores say. */
#include "verify/verify.h"

static int run(struct tare_verify *v, struct tare_err *err)
{
    enum { n = 20 };
    struct tare_verify_tokens t = {NULL, 0};
    struct tare_wire_answer rows, scored;
    int r = tare_verify_draw(v, "text", n, &t, err);
    const struct tare_wire_ask score = tare_verify_score(t, 1, 0);
    struct tare_wire_ask logits = score;
    logits.kind = TARE_REQUEST_LOGITS;
    r = r == 0 ? tare_verify_ask(v, &logits, 1, &rows, err) : r;
    r = r == 0 ? tare_verify_ask(v, &score, 1, &scored, err) : r;
    if (r != 0) {
        return r;
    }
    tare_verify_same_scores(v, &scored, 0, &rows, n - 1, "score and the log-softmax of logits");
    for (uint32_t i = 0; i + 1 < n; i++) {
        (void)tare_verify_require(
            v, scored.greedy[i] == (rows.argmax[i] == t.tokens[i + 1]) || scored.by_rows,
            "token %u: the score request says %s, the largest logit is of token %d", i + 2,
            scored.greedy[i] ? "most probable" : "not the most probable", rows.argmax[i]);
    }
    return 0;
}

const struct tare_verify_check tare_verify_check_logits = {
    .name = "logits",
    .proves = "distributions and scores of the same positions agree",
    .needs = TARE_CAP_SCORE | TARE_CAP_LOGITS,
    .run = run};
