/* SPDX-License-Identifier: Apache-2.0 */
/* A request alone in a fresh process, and amid others in one session: in flight together where the backend is
 * concurrent, before and behind them where it is not. */
#include "verify/verify.h"

enum { n_kinds = 4, n_asks = 9 };

static int draw_all(struct tare_verify *v, struct tare_verify_tokens *t, struct tare_err *err)
{
    static const uint32_t lengths[n_kinds] = {10, 25, 40, 7};
    int r = 0;
    for (uint32_t i = 0; r == 0 && i < n_kinds; i++) {
        char label[16];
        (void)snprintf(label, sizeof label, "text %u", i);
        r = tare_verify_draw(v, label, lengths[i], &t[i], err);
    }
    return r;
}

static int run(struct tare_verify *v, struct tare_err *err)
{
    static const uint32_t order[n_asks] = {2, 0, 1, 0, 3, 2, 1, 3, 0};
    struct tare_verify_tokens t[n_kinds] = {{NULL, 0}};
    struct tare_wire_answer alone[n_kinds], amid[n_asks];
    struct tare_wire_ask asks[n_asks];
    int r = draw_all(v, t, err);
    for (uint32_t i = 0; r == 0 && i < n_kinds; i++) {
        const struct tare_wire_ask ask = tare_verify_score(t[i], 1, 0);
        r = tare_verify_restart(v, err);
        r = r == 0 ? tare_verify_ask(v, &ask, 1, &alone[i], err) : r;
    }
    for (uint32_t i = 0; r == 0 && i < n_asks; i++) {
        asks[i] = tare_verify_score(t[order[i]], 1, 0);
    }
    r = r == 0 ? tare_verify_ask(v, asks, n_asks, amid, err) : r;
    for (uint32_t i = 0; r == 0 && i < n_asks; i++) {
        char what[80];
        (void)snprintf(what, sizeof what, "%u tokens, request %u of %u and alone in a fresh process",
                       t[order[i]].n, i + 1, (unsigned)n_asks);
        tare_verify_same_scores(v, &amid[i], 0, &alone[order[i]], t[order[i]].n - 1, what);
    }
    return r;
}

const struct tare_verify_check tare_verify_check_batch = {
    .name = "batch",
    .proves = "a request's answer is the same alone and amid other requests",
    .needs = TARE_CAP_SCORE,
    .run = run};
