/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting, in steps short enough to hear a signal. */
#include "cmd/rest.h"

#include "base/clock.h"
#include "core/interrupt.h"

#include <poll.h>

enum { step_ms = 50 };

/* Until the time has come; false if a signal asks to stop. */
static bool wait_until(int64_t end_ns)
{
    for (int64_t now_ns = tare_clock_ns(); now_ns < end_ns; now_ns = tare_clock_ns()) {
        int64_t left_ms = (end_ns - now_ns) / 1000000 + 1;
        (void)poll(NULL, 0, left_ms < step_ms ? (int)left_ms : step_ms);
        if (tare_interrupted()) {
            return false;
        }
    }
    return true;
}

static int stopped(struct tare_err *err)
{
    return tare_err_set(err, TARE_E_INTERRUPTED, "stopped by a signal");
}

static int idle(const struct tare_rest *rest, enum tare_phase_name phase, struct tare_err *err)
{
    if (!rest->outside || rest->idle_ns == 0) {
        return 0;
    }
    tare_outside_edge(rest->outside, phase, false);
    int64_t begin_ns = tare_clock_ns();
    bool whole = wait_until(begin_ns + rest->idle_ns);
    int64_t end_ns = tare_clock_ns();
    tare_outside_edge(rest->outside, phase, true);
    int r = rest->phase(rest->ctx, phase, begin_ns, end_ns, err);
    return r < 0 ? r : whole ? 0 : stopped(err);
}

static int tell(const struct tare_rest *rest, double seconds, double hottest_c, struct tare_err *err)
{
    bool known = isfinite(hottest_c);
    const struct tare_reading_record record = {
        .phase = tare_phase_text(TARE_PHASE_IDLE_BEFORE),
        .meter = "harness",
        .name = "cool_down_time",
        .unit = "s",
        .kind = "measured",
        .scope = "node",
        .source = "CLOCK_MONOTONIC, until no part that a meter knows was hotter than asked",
        .value = known ? seconds : (double)NAN,
        .absent = known ? NULL : "no meter knows a temperature here",
        .u = (double)NAN,
        .gain = (double)NAN,
        .flags = known && hottest_c > rest->cool_to_c ? "NOT_COOLED" : ""};
    return rest->reading(rest->ctx, &record, err);
}

static int cool_down(const struct tare_rest *rest, struct tare_err *err)
{
    enum { look_ns = 200 * 1000 * 1000 };
    if (!rest->outside || rest->cool_to_c <= 0) {
        return 0;
    }
    int64_t begin_ns = tare_clock_ns(), now_ns = begin_ns;
    double hottest_c = tare_outside_temperature_c(rest->outside);
    while (hottest_c > rest->cool_to_c && now_ns - begin_ns < rest->cool_limit_ns) {
        if (!wait_until(now_ns + look_ns)) {
            return stopped(err);
        }
        now_ns = tare_clock_ns();
        hottest_c = tare_outside_temperature_c(rest->outside);
    }
    return tell(rest, (double)(now_ns - begin_ns) / 1e9, hottest_c, err);
}

int tare_rest_before(const struct tare_rest *rest, struct tare_err *err)
{
    int r = cool_down(rest, err);
    return r == 0 ? idle(rest, TARE_PHASE_IDLE_BEFORE, err) : r;
}

int tare_rest_after(const struct tare_rest *rest, struct tare_err *err)
{
    return idle(rest, TARE_PHASE_IDLE_AFTER, err);
}
