/* SPDX-License-Identifier: Apache-2.0 */
/* A and B begin alike and are of one length. A, B, A in one process, with the hint of the shared prefix and
 * without, and B first in a fresh one: a cache that takes what only begins alike for the same shows. */
#include "verify/verify.h"

static int ask_round(struct tare_verify *v, struct tare_verify_tokens a, struct tare_verify_tokens b,
                     uint32_t prefix, bool hint, const struct tare_wire_answer *fresh, struct tare_err *err)
{
    struct tare_wire_answer answers[4];
    const struct tare_verify_tokens shorter = {b.tokens, b.n - 3};
    uint32_t shared = hint ? prefix : 0;
    const struct tare_wire_ask asks[] = {tare_verify_score(a, 1, 0), tare_verify_score(b, prefix, shared),
                                         tare_verify_score(a, prefix, shared),
                                         tare_verify_score(shorter, prefix, shared)};
    int r = 0;
    for (int i = 0; r == 0 && i < 4; i++) { /* one after the other, also where the backend is concurrent */
        r = tare_verify_ask(v, &asks[i], 1, &answers[i], err);
    }
    if (r == 0) {
        uint32_t n = b.n - prefix;
        const char *how = hint ? "with the hint" : "without a hint";
        char what[96];
        (void)snprintf(what, sizeof what, "B behind A, %s, and B in a fresh process", how);
        tare_verify_same_scores(v, &answers[1], 0, fresh, n - 1, what);
        (void)snprintf(what, sizeof what, "A behind B, %s, and A before it", how);
        tare_verify_same_scores(v, &answers[2], prefix - 1, &answers[0], n - 1, what);
        (void)snprintf(what, sizeof what, "a shorter B behind A, %s, and B in a fresh process", how);
        tare_verify_same_scores(v, &answers[3], 0, fresh, n - 4, what);
    }
    return r;
}

static int run(struct tare_verify *v, struct tare_err *err)
{
    enum { n = 36, prefix = 20 };
    struct tare_verify_tokens a = {NULL, 0}, other = {NULL, 0}, b = {NULL, 0};
    struct tare_wire_answer fresh;
    int r = tare_verify_needs_context(v, err);
    r = r == 0 ? tare_verify_draw(v, "A", n, &a, err) : r;
    r = r == 0 ? tare_verify_draw(v, "B", n, &other, err) : r;
    r = r == 0 ? tare_verify_join(v, a, prefix, other, &b, err) : r;
    r = r == 0 ? tare_verify_restart(v, err) : r;
    const struct tare_wire_ask ask = tare_verify_score(b, prefix, 0);
    r = r == 0 ? tare_verify_ask(v, &ask, 1, &fresh, err) : r;
    r = r == 0 ? ask_round(v, a, b, prefix, false, &fresh, err) : r;
    return r == 0 ? ask_round(v, a, b, prefix, true, &fresh, err) : r;
}

const struct tare_verify_check tare_verify_check_prefix_cache = {
    .name = "prefix_cache",
    .proves = "what is kept of one request does not show in another that begins alike",
    .needs = TARE_CAP_SCORE,
    .run = run};
