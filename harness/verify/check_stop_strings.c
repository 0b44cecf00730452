/* SPDX-License-Identifier: Apache-2.0 */
/* A stop string that begins in one token and ends in the next: the harness matches bytes as they come, the
 * backend ends at once, and its next answer is right. */
#include "verify/verify.h"

#include <string.h>

enum { n_output = 24 };

/* Where the bytes of token i begin. */
static uint32_t begin_of(const struct tare_wire_answer *a, uint32_t i)
{
    return i ? a->ends[i - 1] : 0;
}

/* The last byte of one token and the first of the next, of the first pair behind `from` that has both. */
static bool find_stop(const struct tare_wire_answer *a, uint32_t from, struct tare_bytes *out)
{
    for (uint32_t i = from; i + 1 < a->n_tokens; i++) {
        if (a->ends[i] > begin_of(a, i) && a->ends[i + 1] > a->ends[i]) {
            *out = (struct tare_bytes){a->text + a->ends[i] - 1, 2};
            return true;
        }
    }
    return false;
}

static void hold(struct tare_verify *v, const struct tare_wire_answer *whole,
                 const struct tare_wire_answer *cut, struct tare_bytes stop)
{
    const char *at = memmem(whole->text, whole->n_bytes, stop.data, stop.n);
    uint32_t where = (uint32_t)(at - whole->text), token = 0;
    while (whole->ends[token] < where + stop.n) {
        token++;
    }
    (void)tare_verify_require(v, cut->n_tokens == token + 1,
                              "a stop string was complete with token %u, and %u tokens were sent", token + 1,
                              cut->n_tokens);
    (void)tare_verify_require(
        v, cut->cut == where && cut->n_bytes >= where && memcmp(cut->text, whole->text, where) == 0,
        "the output must end at byte %u, before the stop string, and ends at %u", where, cut->cut);
}

static int run(struct tare_verify *v, struct tare_err *err)
{
    struct tare_verify_tokens t = {NULL, 0};
    struct tare_wire_answer whole, cut, again;
    int r = tare_verify_draw(v, "text", 12, &t, err);
    const struct tare_wire_ask plain = tare_verify_generate(t, n_output);
    r = r == 0 ? tare_verify_ask(v, &plain, 1, &whole, err) : r;
    for (uint32_t from = 1; r == 0 && from < n_output; from += 7) {
        struct tare_wire_ask ask = plain;
        ask.n_stops = 1;
        if (!find_stop(&whole, from, &ask.stops[0])) {
            break;
        }
        r = tare_verify_ask(v, &ask, 1, &cut, err);
        if (r == 0) {
            hold(v, &whole, &cut, ask.stops[0]);
            r = tare_verify_ask(v, &plain, 1, &again, err);
        }
        r = r == 0 ? tare_verify_same_output(v, t, &whole, &again, "output behind one that was stopped", err)
                   : r;
    }
    return r;
}

const struct tare_verify_check tare_verify_check_stop_strings = {
    .name = "stop_strings",
    .proves = "output ends at a stop string that two tokens share, and the next answer is right",
    .needs = TARE_CAP_GENERATE,
    .run = run};
