/* SPDX-License-Identifier: Apache-2.0 */
/* Greedy output is the same every time: at once, behind other work, and in a fresh process. */
#include "verify/verify.h"

enum { n_output = 24, n_prompts = 2, n_repeats = 6 };

static int repeat(struct tare_verify *v, struct tare_verify_tokens t, struct tare_verify_tokens other,
                  struct tare_err *err)
{
    struct tare_wire_answer first, again, dropped;
    const struct tare_wire_ask ask = tare_verify_generate(t, n_output),
                               between = tare_verify_generate(other, 5);
    int r = tare_verify_ask(v, &ask, 1, &first, err);
    for (int i = 0; r == 0 && i < n_repeats; i++) {
        if (i == n_repeats / 2) {
            r = tare_verify_restart(v, err);
        } else if (i % 2) {
            r = tare_verify_ask(v, &between, 1, &dropped, err);
        }
        r = r == 0 ? tare_verify_ask(v, &ask, 1, &again, err) : r;
        r = r == 0 ? tare_verify_same_output(v, t, &first, &again,
                                             i == n_repeats / 2 ? "greedy output and that of a fresh process"
                                                                : "greedy output and its repeat",
                                             err)
                   : r;
    }
    return r;
}

static int run(struct tare_verify *v, struct tare_err *err)
{
    struct tare_verify_tokens t[n_prompts] = {{NULL, 0}};
    int r = tare_verify_draw(v, "one", 12, &t[0], err);
    r = r == 0 ? tare_verify_draw(v, "other", 21, &t[1], err) : r;
    r = r == 0 ? repeat(v, t[0], t[1], err) : r;
    return r == 0 ? repeat(v, t[1], t[0], err) : r;
}

const struct tare_verify_check tare_verify_check_greedy_repeat = {.name = "greedy_repeat",
                                                                  .proves =
                                                                      "greedy output is the same every time",
                                                                  .needs = TARE_CAP_GENERATE,
                                                                  .run = run};
