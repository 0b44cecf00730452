/* SPDX-License-Identifier: Apache-2.0 */
/* A request that is given up leaves nothing behind: through the sink's word to stop, and through the hook
 * `cancel` where there is one. */
#include "verify/verify.h"

enum { n_output = 24, stop_after = 2 };

static int stop_early(struct tare_verify *v, struct tare_verify_tokens t, struct tare_err *err)
{
    struct tare_wire_answer whole, stopped, again;
    struct tare_wire_ask ask = tare_verify_generate(t, n_output), early = ask;
    early.stop_after = stop_after;
    int r = tare_verify_ask(v, &ask, 1, &whole, err);
    r = r == 0 ? tare_verify_ask(v, &early, 1, &stopped, err) : r;
    if (r == 0 && whole.n_tokens >= stop_after) {
        (void)tare_verify_require(v, stopped.n_tokens == stop_after, "told to stop at token %d it sent %u",
                                  stop_after, stopped.n_tokens);
    }
    r = r == 0 ? tare_verify_ask(v, &ask, 1, &again, err) : r;
    return r == 0 ? tare_verify_same_output(v, t, &whole, &again, "output behind one that was given up", err)
                  : r;
}

static int cancel(struct tare_verify *v, struct tare_verify_tokens t, struct tare_err *err)
{
    struct tare_wire_answer whole, dropped, again;
    const struct tare_wire_ask ask = tare_verify_generate(t, n_output);
    struct tare_wire_ask given_up = ask;
    given_up.give_up = 1;
    int r = tare_verify_ask(v, &ask, 1, &whole, err);
    r = r == 0 ? tare_verify_try(v, &given_up, 1, &dropped, err) : r;
    if (r == 0) { /* complete, cut, or failed: all are fine, nonsense is not */
        (void)tare_verify_require(v, !dropped.broke, "a request that was cancelled: %s", dropped.message);
    }
    r = r == 0 ? tare_verify_ask(v, &ask, 1, &again, err) : r;
    return r == 0 ? tare_verify_same_output(v, t, &whole, &again, "output behind one that was cancelled", err)
                  : r;
}

static int run(struct tare_verify *v, struct tare_err *err)
{
    struct tare_verify_tokens t = {NULL, 0};
    bool hook = (v->session.hello.caps & TARE_CAP_CONCURRENT) && v->session.hello.can_cancel;
    int r = tare_verify_draw(v, "text", 12, &t, err);
    if (!hook) {
        tare_verify_note(
            v, "by the sink's word to stop; it has no hook cancel, or answers before it could be used");
    }
    r = r == 0 ? stop_early(v, t, err) : r;
    return r == 0 && hook ? cancel(v, t, err) : r;
}

const struct tare_verify_check tare_verify_check_cancel = {
    .name = "cancel",
    .proves = "a request that is given up ends at once and leaves the next one right",
    .needs = TARE_CAP_GENERATE,
    .run = run};
