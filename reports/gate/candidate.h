/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The candidate's value with an interval, for services that keep a history of one value a commit. What the
 * gate knows with certainty is the change; the interval here is the base's median times the interval of the
 * change, so that a service sees what the gate saw and not the drift of the machine.
 */
#ifndef TARE_REPORTS_GATE_CANDIDATE_H
#define TARE_REPORTS_GATE_CANDIDATE_H

#include "result.h"

#include <math.h>

struct tare_gate_candidate {
    double value, low, high; /* low and high NaN: no interval */
};

static inline struct tare_gate_candidate tare_gate_candidate_of(const struct tare_gate_line *line)
{
    struct tare_gate_change c = tare_gate_line_change(line);
    struct tare_gate_candidate out = {line->candidate, (double)NAN, (double)NAN};
    if (line->rule == TARE_GATE_TIMING) {
        out.low = line->base * (1 + c.low);
        out.high = line->base * (1 + c.high);
    } else if (line->rule == TARE_GATE_QUALITY) {
        out.low = line->base + c.low / 100;
        out.high = line->base + c.high / 100;
    }
    return out;
}

/* Is there a value that a history may hold? */
static inline bool tare_gate_has_candidate(const struct tare_gate_line *line)
{
    enum tare_gate_word word = line->decision.word;
    return isfinite(line->candidate) && word != TARE_GATE_INVALID && word != TARE_GATE_ERROR &&
           word != TARE_GATE_SKIPPED;
}

#endif
