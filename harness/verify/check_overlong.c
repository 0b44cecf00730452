/* SPDX-License-Identifier: Apache-2.0 */
/* An input beyond the context is refused, not cut in silence, and does no harm to the next one. */
#include "verify/verify.h"

enum { most_ctx = 1 << 20 };

static int refuse(struct tare_verify *v, const struct tare_wire_ask *ask, const char *kind,
                  struct tare_err *err)
{
    struct tare_wire_answer answer;
    int r = tare_verify_try(v, ask, 1, &answer, err);
    if (r == 0) {
        (void)tare_verify_require(
            v, answer.code < 0,
            "a %s request of %u tokens was answered in a context of %lld: what was cut off "
            "is not known",
            kind, ask->n_tokens, (long long)v->session.hello.n_ctx);
        (void)tare_verify_require(v, !answer.broke, "a %s request of %u tokens was not refused cleanly: %s",
                                  kind, ask->n_tokens, answer.message);
    }
    return r;
}

/* The same short request before and behind. */
static int score_short(struct tare_verify *v, struct tare_verify_tokens t, struct tare_wire_answer *out,
                       struct tare_err *err)
{
    const struct tare_wire_ask ask = tare_verify_score((struct tare_verify_tokens){t.tokens, 8}, 1, 0);
    return tare_verify_ask(v, &ask, 1, out, err);
}

static int run(struct tare_verify *v, struct tare_err *err)
{
    struct tare_verify_tokens t = {NULL, 0};
    struct tare_wire_answer before, behind;
    int64_t n_ctx = v->session.hello.n_ctx;
    bool scores = v->session.hello.caps & TARE_CAP_SCORE;
    if (n_ctx == TARE_UNKNOWN || n_ctx > most_ctx || n_ctx < 8) {
        return tare_verify_absent(v, "a context of %lld tokens is not known or too large to go beyond",
                                  (long long)n_ctx);
    }
    int r = tare_verify_draw(v, "text", (uint32_t)n_ctx + 2, &t, err);
    r = r == 0 && scores ? score_short(v, t, &before, err) : r;
    if (r == 0 && scores) {
        const struct tare_wire_ask ask = tare_verify_score(t, t.n - 4, 0);
        r = refuse(v, &ask, "score", err);
    }
    if (r == 0 && (v->session.hello.caps & TARE_CAP_GENERATE)) {
        const struct tare_wire_ask ask = tare_verify_generate(t, 2);
        r = refuse(v, &ask, "generate", err);
    }
    r = r == 0 && scores ? score_short(v, t, &behind, err) : r;
    if (r == 0 && scores) {
        tare_verify_same_scores(v, &behind, 0, &before, 7,
                                "a short input behind the overlong one and before it");
    }
    return r;
}

const struct tare_verify_check tare_verify_check_overlong = {
    .name = "overlong",
    .proves = "an input beyond the context is refused with an error, and the next request is right",
    .run = run};
