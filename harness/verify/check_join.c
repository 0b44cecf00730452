/* SPDX-License-Identifier: Apache-2.0 */
/* The chain rule: the log-likelihood of a continuation is the sum over its parts, wherever it is cut. */
#include "verify/verify.h"

static double sum(const struct tare_wire_answer *a)
{
    double total = 0;
    for (uint32_t i = 0; i < a->n; i++) {
        total += a->logprob[i];
    }
    return total;
}

static int cut_at(struct tare_verify *v, struct tare_verify_tokens t, uint32_t first, uint32_t at,
                  struct tare_err *err)
{
    struct tare_wire_answer a[3];
    const struct tare_verify_tokens left = {t.tokens, at};
    const struct tare_wire_ask asks[] = {tare_verify_score(t, first, 0), tare_verify_score(left, first, 0),
                                         tare_verify_score(t, at, at)};
    int r = tare_verify_ask(v, asks, 3, a, err);
    if (r == 0) {
        uint32_t n = t.n - first;
        tare_verify_compare(v, (sum(&a[1]) + sum(&a[2])) / n, sum(&a[0]) / n,
                            "a context of %u, %u tokens behind it, cut behind %u of them (nats a token)",
                            first, n, at - first);
    }
    return r;
}

static int run(struct tare_verify *v, struct tare_err *err)
{
    struct tare_verify_tokens t = {NULL, 0};
    int r = tare_verify_needs_context(v, err);
    r = r == 0 ? tare_verify_draw(v, "text", 30, &t, err) : r;
    for (uint32_t at = 11; r == 0 && at < 30; at += 6) {
        r = cut_at(v, t, 10, at, err);
    }
    return r == 0 ? cut_at(v, t, 1, 10, err) : r;
}

const struct tare_verify_check tare_verify_check_join = {
    .name = "join",
    .proves = "the score of a continuation is the sum of its parts' scores",
    .needs = TARE_CAP_SCORE,
    .run = run};
