/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quality of two systems on the same items. "No loss" is a claim to be proved: two one-sided tests at 0.05,
 * which is the 90 % interval within the margin. A loss has failed the gate where it is larger than the margin
 * and proved to be one at a one-sided 0.01.
 */
#include "decide.h"

#include "stats/discrete.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define POINT       100.0 /* points in one */
#define ALPHA_TOST  0.05
#define ALPHA_WORSE 0.01

/* Right and wrong answers: every item differs by a whole point of 100, or not at all. */
static bool count_flips(const double *d, size_t n, int64_t *out_lost, int64_t *out_won)
{
    *out_lost = *out_won = 0;
    for (size_t i = 0; i < n; i++) {
        if (d[i] != 0 && fabs(d[i]) != POINT) {
            return false;
        }
        *out_lost += d[i] > 0;
        *out_won += d[i] < 0;
    }
    return true;
}

/* Upper one-sided bound of a share of which k in n were seen, for k = 0: nobody who asks few items and sees
 * no difference has shown that there is none. */
static double unseen(size_t n)
{
    return POINT * (1 - pow(ALPHA_TOST, 1 / (double)n));
}

static int interval_of(const double *d, size_t n, bool binary, int64_t lost, int64_t won, double level,
                       double *out_mean, struct tare_interval *out, struct tare_err *err)
{
    double se = 0;
    if (!binary) {
        return tare_paired_mean(d, NULL, n, level, out_mean, &se, out, err);
    }
    /* (c - b) / n is the gain of the second; with lost and won changed over it is its loss. */
    *out = tare_paired_proportion(won, lost, (int64_t)n, level);
    out->low *= POINT;
    out->high *= POINT;
    *out_mean = POINT * (double)(lost - won) / (double)n;
    return 0;
}

static int64_t needed_items(const double *d, size_t n, bool binary, double mean, double margin)
{
    double square = 0, room = margin - fabs(mean);
    for (size_t i = 0; i < n; i++) {
        square += (d[i] - mean) * (d[i] - mean);
    }
    /* 8.56 is (z_.95 + z_.90)^2: power 0.8 of two one-sided tests */
    double needed = room > 0 ? ceil(8.56 * square / (double)n / (room * room)) : 0;
    double least = binary && room > 0 ? ceil(log(ALPHA_TOST) / log1p(-margin / POINT)) : 0;
    needed = needed < least ? least : needed;
    return needed > (double)n && needed < 1e12 ? (int64_t)needed : 0;
}

static void judge(struct tare_gate_decision *out, double margin, double worse_low, double worse_high)
{
    if (worse_low > 0 && out->estimate > margin) {
        out->word = TARE_GATE_FAILED;
    } else if (out->low > -margin && out->high < margin) {
        out->word = TARE_GATE_EQUIVALENT;
    } else if (worse_high < 0) {
        out->word = TARE_GATE_BETTER;
    } else if (out->high < margin) {
        out->word = TARE_GATE_MET;
    }
}

int tare_gate_quality(const double *d, size_t n, double margin, struct tare_gate_decision *out,
                      struct tare_err *err)
{
    struct tare_gate_decision made = {.n = (int64_t)n,
                                      .low = (double)NAN,
                                      .high = (double)NAN,
                                      .bound = (double)NAN,
                                      .p = (double)NAN,
                                      .p_holm = (double)NAN,
                                      .flips = -1};
    struct tare_interval tost = {0}, worse = {0};
    int64_t lost, won;
    if (n < 2) {
        made.word = TARE_GATE_INVALID;
        (void)snprintf(made.why, sizeof made.why, "%zu items cannot be compared", n);
        *out = made;
        return 0;
    }
    bool binary = count_flips(d, n, &lost, &won);
    made.flips = binary ? lost + won : -1;
    int r = interval_of(d, n, binary, lost, won, 1 - 2 * ALPHA_TOST, &made.estimate, &tost, err);
    r = r == 0 ? interval_of(d, n, binary, lost, won, 1 - 2 * ALPHA_WORSE, &made.estimate, &worse, err) : r;
    if (r < 0) {
        return r;
    }
    if (tost.ok && worse.ok) {
        double least = binary ? unseen(n) : 0;
        made.low = binary && won == 0 && tost.low > -least ? -least : tost.low;
        made.high = binary && lost == 0 && tost.high < least ? least : tost.high;
        made.level = tost.level;
        made.method = tost.method;
        made.bound = worse.low;
        judge(&made, margin, worse.low, worse.high);
    }
    made.needed = made.word == TARE_GATE_INCONCLUSIVE ? needed_items(d, n, binary, made.estimate, margin) : 0;
    *out = made;
    return 0;
}
