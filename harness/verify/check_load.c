/* SPDX-License-Identifier: Apache-2.0 */
/* Load, one answer, unload, and the same again: a process that comes and goes as it should. */
#include "verify/verify.h"

static int run(struct tare_verify *v, struct tare_err *err)
{
    struct tare_verify_tokens t = {NULL, 0};
    struct tare_wire_answer answer;
    for (int i = 0; i < 2; i++) {
        int r = tare_verify_draw(v, "text", 12, &t, err);
        bool scores = v->session.hello.caps & TARE_CAP_SCORE;
        const struct tare_wire_ask ask = scores ? tare_verify_score(t, 1, 0) : tare_verify_generate(t, 4);
        r = r == 0 ? tare_verify_ask(v, &ask, 1, &answer, err) : r;
        r = r == 0 ? tare_verify_session_stop(&v->session, err) : r;
        if (r != 0) {
            return r;
        }
        v->result.compared++;
        r = tare_verify_session_start(&v->session, err);
        if (r != 0) {
            return r;
        }
    }
    return 0;
}

const struct tare_verify_check tare_verify_check_load = {
    .name = "load", .proves = "it loads, answers and unloads, twice, in processes of their own", .run = run};
