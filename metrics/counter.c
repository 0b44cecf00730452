/* SPDX-License-Identifier: Apache-2.0 */
/* Differences modulo the counter's range, and when not to believe them. */
#include "counter.h"

#include <math.h>

/* Could it have gone round in this time without our seeing it? */
static bool is_blind(const struct tare_counter *c, double gap_s)
{
    return c->modulus > 0 && c->max_rate > 0 && gap_s * c->max_rate >= c->modulus;
}

/* Is the step more than it can have made in this time? A period of its own stepping is granted. */
static bool is_too_fast(const struct tare_counter *c, double step, double gap_s)
{
    return c->max_rate > 0 && step > c->max_rate * (gap_s + 0.1);
}

static enum tare_counter_event lose(struct tare_counter *c, enum tare_counter_event why)
{
    c->n_lost++;
    c->n_resets += why == TARE_COUNTER_RESET;
    return why;
}

static enum tare_counter_event judge(struct tare_counter *c, uint64_t raw, double gap_s)
{
    bool back = raw < c->last;
    double step = back ? c->modulus - (double)(c->last - raw) : (double)(raw - c->last);
    if (is_blind(c, gap_s)) {
        return lose(c, TARE_COUNTER_LOST);
    }
    if (back && (c->modulus <= 0 || step < 0 || is_too_fast(c, step, gap_s))) {
        return lose(c, TARE_COUNTER_RESET);
    }
    if (is_too_fast(c, step, gap_s)) {
        return lose(c, TARE_COUNTER_RESET);
    }
    if (step <= 0) {
        return TARE_COUNTER_STILL;
    }
    c->total += step;
    c->last_step = step;
    c->n_moves++;
    c->n_wraps += back;
    return back ? TARE_COUNTER_WRAPPED : TARE_COUNTER_MOVED;
}

enum tare_counter_event tare_counter_read(struct tare_counter *c, uint64_t raw, int64_t now_ns)
{
    enum tare_counter_event event =
        c->begun ? judge(c, raw, (double)(now_ns - c->last_ns) / 1e9) : TARE_COUNTER_FIRST;
    if (event != TARE_COUNTER_STILL) {
        c->moved_ns = now_ns;
    }
    c->begun = true;
    c->last = raw;
    c->last_ns = now_ns;
    return event;
}

double tare_counter_edge_u(double rate, double period_s)
{
    return fabs(rate) * period_s / sqrt(6);
}
