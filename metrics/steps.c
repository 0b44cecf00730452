/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A close read may come late (the machine was busy) and miss a move: two periods then look like one. So the
 * median gap says how many periods lie between the first and the last move, and the period is their mean.
 */
#include "steps.h"

#include <math.h>
#include <string.h>

void tare_steps_note(struct tare_steps *s, double step, int64_t now_ns, bool is_close)
{
    if (is_close) {
        s->close_first_ns = s->n_close_reads ? s->close_first_ns : now_ns;
        s->close_last_ns = now_ns;
        s->n_close_reads++;
    } else {
        s->n_wide_reads++;
    }
    if (step <= 0) {
        return;
    }
    s->smallest = s->smallest <= 0 || step < s->smallest ? step : s->smallest;
    if (!is_close) {
        s->wide_first_ns = s->n_wide_moves ? s->wide_first_ns : now_ns;
        s->wide_last_ns = now_ns;
        s->n_wide_moves++;
        return;
    }
    if (s->close_move_ns && s->n_gaps < tare_steps_max) {
        s->gap_ns[s->n_gaps++] = now_ns - s->close_move_ns;
    }
    s->close_move_ns = now_ns;
}

static int64_t median_gap(const struct tare_steps *s)
{
    int64_t sorted[tare_steps_max];
    for (int32_t i = 0; i < s->n_gaps; i++) {
        int32_t at = i;
        for (; at > 0 && sorted[at - 1] > s->gap_ns[i]; at--) {
            sorted[at] = sorted[at - 1];
        }
        sorted[at] = s->gap_ns[i];
    }
    return sorted[(s->n_gaps - 1) / 2];
}

static enum tare_steps_kind close_period(const struct tare_steps *s, double *out_s)
{
    double all_s = 0, n_periods = 0;
    if (s->n_gaps < 2) {
        return TARE_STEPS_UNKNOWN;
    }
    int64_t typical = median_gap(s);
    for (int32_t i = 0; i < s->n_gaps; i++) {
        all_s += (double)s->gap_ns[i] / 1e9;
        n_periods += fmax(1, round((double)s->gap_ns[i] / (double)typical));
    }
    double read_s = (double)(s->close_last_ns - s->close_first_ns) / 1e9 / (double)(s->n_close_reads - 1);
    *out_s = all_s / n_periods;
    return read_s * 2 > *out_s ? TARE_STEPS_AT_MOST : TARE_STEPS_FOUND;
}

enum tare_steps_kind tare_steps_period(const struct tare_steps *s, double *out_s)
{
    enum tare_steps_kind kind = close_period(s, out_s);
    /* Slower than what was watched closely: only if reads in passing are dense enough to see each move. */
    if (kind == TARE_STEPS_UNKNOWN && s->n_wide_moves >= 3 && s->n_wide_reads >= 3 * s->n_wide_moves) {
        *out_s = (double)(s->wide_last_ns - s->wide_first_ns) / 1e9 / (double)(s->n_wide_moves - 1);
        kind = TARE_STEPS_FOUND;
    }
    return kind;
}
