/* SPDX-License-Identifier: Apache-2.0 */
/* Memory over many requests: the slope of a straight line through readings behind a warm-up, with Student's
 * 95 % interval. Anonymous memory of the process and of those that it started; maps of model files are none.
 */
#include "verify/verify.h"

#include "stats/line.h"

#include <math.h>

enum { n_readings = 20, n_kinds = 4, most_a_frame = 64, limit_bytes = 1024 };

/* Scores and outputs of several lengths in turn. */
static void fill(const struct tare_verify *v, struct tare_verify_tokens t, uint32_t i,
                 struct tare_wire_ask *out)
{
    static const uint32_t lengths[n_kinds] = {12, 40, 7, 25};
    uint32_t caps = v->session.hello.caps;
    const struct tare_verify_tokens some = {t.tokens, lengths[i % n_kinds]};
    bool generate = !(caps & TARE_CAP_SCORE) || ((caps & TARE_CAP_GENERATE) && i % 8 == 0);
    *out = generate ? tare_verify_generate(some, 4) : tare_verify_score(some, 1, 0);
}

static int ask_many(struct tare_verify *v, struct tare_verify_tokens t, int64_t n, struct tare_err *err)
{
    struct tare_wire_ask asks[most_a_frame];
    struct tare_wire_answer answers[most_a_frame];
    int r = 0;
    for (int64_t done = 0; r == 0 && done < n;) {
        uint32_t some = n - done < most_a_frame ? (uint32_t)(n - done) : most_a_frame;
        for (uint32_t i = 0; i < some; i++) {
            fill(v, t, (uint32_t)done + i, &asks[i]);
        }
        struct tare_arena arena = {0};
        r = tare_verify_session_ask(&v->session, asks, some, &arena, answers, err);
        for (uint32_t i = 0; r == 0 && i < some; i++) {
            r = tare_verify_require(v, answers[i].code == 0, "request %lld: %s", (long long)done + i + 1,
                                    answers[i].message)
                    ? 0
                    : 1;
        }
        tare_arena_fini(&arena);
        done += some;
    }
    return r;
}

static void judge(struct tare_verify *v, const double *x, const double *y)
{
    struct tare_fit_line line = tare_line_fit(x, y, n_readings);
    struct tare_interval slope = tare_line_slope(&line, 0.95);
    v->result.unit = "B/request";
    v->result.tolerance = limit_bytes;
    if (slope.low > limit_bytes) {
        (void)tare_verify_require(
            v, false, "memory grows by %.0f B a request (95 %% interval %.0f to %.0f) over %.0f requests",
            line.slope, slope.low, slope.high, x[n_readings - 1]);
    } else if (!(slope.high <= limit_bytes)) {
        (void)tare_verify_absent(v, "not decided: growth of %.0f B a request, 95 %% interval %.0f to %.0f",
                                 line.slope, slope.low, slope.high);
    } else {
        tare_verify_note(v, "growth of %.1f B a request, 95 %% interval %.1f to %.1f", line.slope, slope.low,
                         slope.high);
    }
    tare_verify_compare(v, fmax(line.slope, 0), 0, "%.0f requests behind a warm-up", x[n_readings - 1]);
}

static int run(struct tare_verify *v, struct tare_err *err)
{
    double x[n_readings], y[n_readings];
    struct tare_verify_tokens t = {NULL, 0};
    int64_t each = v->args->memory_requests / n_readings;
    int r = tare_verify_draw(v, "text", 40, &t, err);
    r = r == 0 ? ask_many(v, t, 4 * each, err) : r; /* caches fill, the allocator settles */
    for (int i = 0; r == 0 && i < n_readings; i++) {
        r = ask_many(v, t, each, err);
        int64_t bytes = tare_verify_session_memory(&v->session);
        if (r == 0 && bytes < 0) {
            return tare_verify_absent(v, "/proc does not tell the memory of a process");
        }
        x[i] = (double)((i + 1) * each);
        y[i] = (double)bytes;
    }
    if (r == 0) {
        judge(v, x, y);
    }
    return r;
}

const struct tare_verify_check tare_verify_check_memory = {
    .name = "memory", .proves = "memory does not grow with the number of requests", .run = run};
