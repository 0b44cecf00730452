/* SPDX-License-Identifier: Apache-2.0 */
/* An input that fills the context: its begin scores as in a short one, its end as when scored alone, and an
 * output may end where the context does. */
#include "verify/verify.h"

static int score_long(struct tare_verify *v, struct tare_verify_tokens t, struct tare_err *err)
{
    const uint32_t begin = 48, behind = t.n - 9;
    struct tare_wire_answer whole, part;
    const struct tare_verify_tokens short_one = {t.tokens, begin};
    const struct tare_wire_ask asks[] = {tare_verify_score(t, 1, 0), tare_verify_score(short_one, 1, 0),
                                         tare_verify_score(t, behind, 0)};
    int r = tare_verify_ask(v, &asks[0], 1, &whole, err);
    r = r == 0 ? tare_verify_ask(v, &asks[1], 1, &part, err) : r;
    if (r == 0) {
        tare_verify_same_scores(v, &part, 0, &whole, begin - 2,
                                "the begin of a short and of the longest input");
        r = tare_verify_ask(v, &asks[2], 1, &part, err);
    }
    if (r == 0) {
        tare_verify_same_scores(v, &part, behind - 1, &whole, t.n - behind - 1,
                                "the end of the longest input, scored alone and with all");
    }
    return r;
}

static int generate_to_the_end(struct tare_verify *v, struct tare_verify_tokens t, uint32_t n_ctx,
                               struct tare_err *err)
{
    struct tare_wire_answer answer;
    /* The last generated token is never fed: n + 3 - 1 = n_ctx. */
    const struct tare_wire_ask ask =
        tare_verify_generate((struct tare_verify_tokens){t.tokens, n_ctx - 2}, 3);
    return tare_verify_ask(v, &ask, 1, &answer, err);
}

static int run(struct tare_verify *v, struct tare_err *err)
{
    struct tare_verify_tokens t = {NULL, 0};
    bool cut;
    uint32_t n_ctx = tare_verify_context(v, &cut);
    if (n_ctx < 64) {
        return tare_verify_absent(v, "a context of %u tokens is too short to tell its begin from its end",
                                  n_ctx);
    }
    if (cut && v->session.hello.n_ctx == TARE_UNKNOWN) {
        tare_verify_note(v, "tried with %u tokens; how long the context is is not known", n_ctx);
    } else if (cut) {
        tare_verify_note(v, "tried with %u of %lld tokens", n_ctx, (long long)v->session.hello.n_ctx);
    }
    int r = tare_verify_draw(v, "text", n_ctx + 1, &t, err);
    r = r == 0 && (v->session.hello.caps & TARE_CAP_SCORE) ? score_long(v, t, err) : r;
    return r == 0 && (v->session.hello.caps & TARE_CAP_GENERATE) ? generate_to_the_end(v, t, n_ctx, err) : r;
}

const struct tare_verify_check tare_verify_check_long_context = {
    .name = "long_context",
    .proves = "inputs up to the end of the context score as short ones do",
    .run = run};
