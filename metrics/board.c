/* SPDX-License-Identifier: Apache-2.0 */
/* The window of a board's energy counter, and gauges. */
#include "board.h"

#include <math.h>
#include <stdio.h>

enum { enough_gaps = 8 };

void tare_board_take(struct tare_board_counter *c, int code, uint64_t raw, int64_t before_ns,
                     int64_t after_ns, bool is_close)
{
    int64_t half_ns = (after_ns - before_ns) / 2;
    if (code != 0) {
        c->code = code;
        return;
    }
    enum tare_counter_event event = tare_counter_read(&c->counter, raw, before_ns + half_ns);
    double step = event == TARE_COUNTER_MOVED ? c->counter.last_step : 0;
    tare_steps_note(&c->steps, step, before_ns + half_ns, is_close);
    c->end_ns = before_ns + half_ns;
    c->end_half_ns = half_ns;
}

void tare_board_begin(struct tare_board_counter *c)
{
    c->begin_ns = c->end_ns;
    c->begin_half_ns = c->end_half_ns;
    c->begin_total = c->counter.total;
    c->begin_lost = c->counter.n_lost;
    c->begin_moves = c->counter.n_moves;
}

void tare_board_end(struct tare_board_counter *c)
{
    c->end_total = c->counter.total;
}

bool tare_board_is_watched(const struct tare_board_counter *c)
{
    return !c->is_there || c->steps.n_gaps >= enough_gaps;
}

double tare_board_seconds(const struct tare_board_counter *c)
{
    return (double)(c->end_ns - c->begin_ns) / 1e9;
}

bool tare_board_why(const struct tare_board_counter *c, char *why, size_t n_why)
{
    bool has_jumped = c->counter.n_lost != c->begin_lost, is_still = c->counter.n_moves == c->begin_moves;
    if (has_jumped) {
        (void)snprintf(
            why, n_why,
            "the energy counter went back or jumped: the driver was reloaded or the GPU was reset");
    } else if (is_still) {
        (void)snprintf(why, n_why,
                       "the energy counter did not move within %.3f s: measure for longer than its period",
                       tare_board_seconds(c));
    }
    return has_jumped || is_still;
}

double tare_board_u(const struct tare_board_counter *c, double edge_w)
{
    double period_s = 0;
    enum tare_steps_kind kind = tare_steps_period(&c->steps, &period_s);
    double edge_j = kind == TARE_STEPS_UNKNOWN ? (double)NAN : tare_counter_edge_u(edge_w, period_s);
    return hypot(edge_j, edge_w * (double)(c->begin_half_ns + c->end_half_ns) / 1e9);
}

void tare_gauge_take(struct tare_gauge *g, int code, double value)
{
    if (code != 0) {
        g->n_failed++;
        g->code = code;
        return;
    }
    g->first = g->n ? g->first : value;
    g->least = g->n ? fmin(g->least, value) : value;
    g->most = g->n ? fmax(g->most, value) : value;
    g->sum += value;
    g->last = value;
    g->n++;
}
