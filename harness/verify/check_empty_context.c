/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing before the text but the beginning-of-sequence token. */
#include "verify/verify.h"

static int run(struct tare_verify *v, struct tare_err *err)
{
    struct tare_verify_tokens t = {NULL, 0};
    struct tare_wire_answer answers[2];
    if (!tare_verify_has_bos(v)) {
        return tare_verify_absent(
            v, "without a beginning-of-sequence token an empty context predicts nothing; the "
               "harness does not ask for it");
    }
    int r = tare_verify_draw(v, "text", 10, &t, err);
    if (r != 0) {
        return r;
    }
    if (v->session.hello.caps & TARE_CAP_SCORE) {
        const struct tare_wire_ask asks[] = {
            tare_verify_score(t, 1, 0), tare_verify_score((struct tare_verify_tokens){t.tokens, 2}, 1, 0)};
        r = tare_verify_ask(v, asks, 2, answers, err);
        if (r == 0) {
            tare_verify_same_scores(v, &answers[1], 0, &answers[0], 1,
                                    "the first token alone and before others");
        }
    }
    if (r == 0 && (v->session.hello.caps & TARE_CAP_GENERATE)) {
        const struct tare_wire_ask ask = tare_verify_generate((struct tare_verify_tokens){t.tokens, 1}, 4);
        r = tare_verify_ask(v, &ask, 1, answers, err);
    }
    return r;
}

const struct tare_verify_check tare_verify_check_empty_context = {
    .name = "empty_context", .proves = "an empty context is scored and continued", .run = run};
