/* SPDX-License-Identifier: Apache-2.0 */
/* The answer does not depend on the number of threads, beyond rounding. */
#include "verify/other.h"

#include <stdlib.h>

enum { n_asks = 2, n_output = 16 };

static int ask_with(struct tare_verify *v, int64_t threads, const struct tare_wire_ask *asks, uint32_t n,
                    struct tare_wire_answer *answers, struct tare_err *err)
{
    char *spec = NULL, why[TARE_WIRE_MESSAGE] = "";
    int r = tare_verify_spec_with(v->args->spec, "threads", threads, &spec, err);
    r = r == 0 ? tare_verify_other_ask(v, spec, asks, n, answers, why, sizeof why, err) : r;
    free(spec);
    if (r == 1) {
        (void)tare_verify_require(v, false, "with threads = %lld: %s", (long long)threads, why);
    }
    return r;
}

static int run(struct tare_verify *v, struct tare_err *err)
{
    struct tare_verify_tokens t = {NULL, 0};
    struct tare_wire_answer one[n_asks], two[n_asks];
    if (!tare_verify_has_option(v, "threads")) {
        return tare_verify_absent(v, "the backend has no option threads");
    }
    int r = tare_verify_draw(v, "text", 40, &t, err);
    struct tare_wire_ask asks[n_asks];
    uint32_t n = 0;
    uint32_t caps = v->session.hello.caps;
    if (r == 0 && (caps & TARE_CAP_SCORE)) {
        asks[n++] = tare_verify_score(t, 1, 0);
    }
    if (r == 0 && (caps & TARE_CAP_GENERATE)) {
        asks[n++] = tare_verify_generate(t, n_output);
    }
    r = r == 0 ? ask_with(v, 1, asks, n, one, err) : r;
    r = r == 0 ? ask_with(v, 2, asks, n, two, err) : r;
    for (uint32_t i = 0; r == 0 && i < n; i++) {
        if (asks[i].kind == TARE_REQUEST_SCORE) {
            tare_verify_same_scores(v, &two[i], 0, &one[i], t.n - 1, "two threads and one");
        } else {
            r = tare_verify_same_output(v, t, &one[i], &two[i], "greedy output of one thread and of two",
                                        err);
        }
    }
    return r;
}

const struct tare_verify_check tare_verify_check_threads = {
    .name = "threads", .proves = "one thread and two give the same answers", .run = run};
