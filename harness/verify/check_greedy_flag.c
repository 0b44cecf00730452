/* SPDX-License-Identifier: Apache-2.0 */
/* A token is called the most probable one if and only if it is: among all tokens behind one prefix, and for
 * those that the backend itself generates greedily. */
#include "verify/vocabulary.h"

#include <math.h>
#include <string.h>

enum { n_prompt = 14, n_output = 12 };

static int check_vocabulary(struct tare_verify *v, struct tare_err *err)
{
    struct tare_verify_tokens t = {NULL, 0};
    struct tare_verify_vocabulary all;
    uint32_t best = 0;
    int r = tare_verify_draw(v, "prefix", 5, &t, err);
    r = r == 0 ? tare_verify_vocabulary(v, t, &all, err) : r;
    if (r != 0 || all.by_rows) {
        return r; /* from logits the harness itself makes the flag */
    }
    for (uint32_t i = 1; i < all.n; i++) {
        best = all.logprob[i] > all.logprob[best] ? i : best;
    }
    (void)tare_verify_require(v, all.greedy[best],
                              "token %u has the largest log-probability, %.6g, and is not "
                              "called the most probable",
                              best, all.logprob[best]);
    for (uint32_t i = 0; i < all.n; i++) {
        (void)tare_verify_require(
            v, !all.greedy[i] || all.logprob[i] >= all.logprob[best] - v->args->tolerance_nats,
            "token %u is called the most probable at %.6g, token %u has %.6g", i, all.logprob[i], best,
            all.logprob[best]);
    }
    return 0;
}

/* A generated token that is not called greedy may be one of two that are as probable. */
static int check_tie(struct tare_verify *v, struct tare_verify_tokens t, uint32_t at,
                     const struct tare_wire_answer *scored, struct tare_err *err)
{
    int32_t said = scored->argmax[at - n_prompt];
    double apart = (double)INFINITY;
    if (said >= 0) {
        struct tare_wire_answer answer;
        struct tare_verify_tokens other;
        int r = tare_verify_join(v, t, 0, (struct tare_verify_tokens){t.tokens, at + 1}, &other, err);
        if (r != 0) {
            return r;
        }
        other.tokens[at] = said;
        const struct tare_wire_ask ask = tare_verify_score(other, at, 0);
        r = tare_verify_ask(v, &ask, 1, &answer, err);
        if (r != 0) {
            return r;
        }
        apart = fabs(answer.logprob[0] - scored->logprob[at - n_prompt]);
    }
    (void)tare_verify_require(
        v, apart <= v->args->tolerance_nats,
        "token %u that it generated greedily (%d, log-probability %.6g) is not scored as "
        "the most probable one",
        at - n_prompt + 1, t.tokens[at], scored->logprob[at - n_prompt]);
    return 0;
}

static int check_generated(struct tare_verify *v, struct tare_err *err)
{
    struct tare_verify_tokens t, joined = {NULL, 0};
    struct tare_wire_answer output, scored;
    int r = tare_verify_draw(v, "prompt", n_prompt, &t, err);
    struct tare_wire_ask ask = tare_verify_generate(t, n_output);
    r = r == 0 ? tare_verify_ask(v, &ask, 1, &output, err) : r;
    if (r != 0 || output.n_tokens == 0) {
        return r;
    }
    joined.n = n_prompt + output.n_tokens;
    joined.tokens = tare_arena_array(&v->arena, joined.n, sizeof *joined.tokens);
    if (!joined.tokens) {
        return tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    memcpy(joined.tokens, t.tokens, n_prompt * sizeof *joined.tokens);
    memcpy(joined.tokens + n_prompt, output.tokens, output.n_tokens * sizeof *joined.tokens);
    ask = tare_verify_score(joined, n_prompt, 0);
    r = tare_verify_ask(v, &ask, 1, &scored, err);
    for (uint32_t i = 0; r == 0 && i < scored.n; i++) {
        v->result.compared++;
        r = scored.greedy[i] ? 0 : check_tie(v, joined, n_prompt + i, &scored, err);
    }
    return r;
}

static int run(struct tare_verify *v, struct tare_err *err)
{
    int r = v->session.hello.caps & TARE_CAP_GENERATE ? check_generated(v, err) : 0;
    bool whole = v->session.hello.n_vocab > 0 && v->session.hello.n_vocab <= TARE_VERIFY_MOST_VOCABULARY;
    return r == 0 && whole ? check_vocabulary(v, err) : r;
}

const struct tare_verify_check tare_verify_check_greedy_flag = {
    .name = "greedy_flag",
    .proves = "the token that is called the most probable is, and greedy output is made of such tokens",
    .needs = TARE_CAP_SCORE,
    .run = run};
