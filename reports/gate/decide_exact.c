/* SPDX-License-Identifier: Apache-2.0 */
/* What repeats exactly is compared exactly: bytes, tokens, counted operations. */
#include "decide.h"

#include <math.h>
#include <stdio.h>

static void range_of(const double *values, size_t n, double *out_low, double *out_high)
{
    *out_low = *out_high = values[0];
    for (size_t i = 1; i < n; i++) {
        *out_low = values[i] < *out_low ? values[i] : *out_low;
        *out_high = values[i] > *out_high ? values[i] : *out_high;
    }
}

/* Change in units of what it changes from; from 0 to anything else is a change without end. */
static double relative(double from, double to)
{
    return from == to ? 0 : from == 0 ? copysign((double)INFINITY, to) : (to - from) / fabs(from);
}

static bool varies(const double *values, size_t n, double tolerance, const char *arm,
                   struct tare_gate_decision *out)
{
    double low, high;
    range_of(values, n, &low, &high);
    if (fabs(relative(low, high)) <= tolerance) {
        return false;
    }
    out->word = TARE_GATE_INVALID;
    (void)snprintf(out->why, sizeof out->why,
                   "%s gave values from %.10g to %.10g: not exact within %g; use \"rule\": \"timing\"", arm,
                   low, high, tolerance);
    return true;
}

void tare_gate_exact(const double *base, size_t n_base, const double *candidate, size_t n_candidate,
                     int direction, double tolerance, struct tare_gate_decision *out)
{
    *out = (struct tare_gate_decision){.n = (int64_t)(n_base < n_candidate ? n_base : n_candidate),
                                       .low = (double)NAN,
                                       .high = (double)NAN,
                                       .bound = (double)NAN,
                                       .p = (double)NAN,
                                       .p_holm = (double)NAN,
                                       .flips = -1};
    if (n_base == 0 || n_candidate == 0) {
        out->word = TARE_GATE_INVALID;
        (void)snprintf(out->why, sizeof out->why, "%s has no value", n_base ? "candidate" : "base");
        return;
    }
    if (varies(base, n_base, tolerance, "base", out) ||
        varies(candidate, n_candidate, tolerance, "candidate", out)) {
        return;
    }
    double change = relative(base[0], candidate[0]);
    out->estimate = direction > 0 ? -change : direction < 0 ? change : fabs(change);
    out->low = out->high = out->estimate;
    out->level = 1;
    out->method = "exact";
    out->word = fabs(change) <= tolerance ? TARE_GATE_UNCHANGED
                : out->estimate > 0       ? TARE_GATE_FAILED
                                          : TARE_GATE_BETTER;
}
