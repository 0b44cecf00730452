/* SPDX-License-Identifier: Apache-2.0 */
/* From the samples of a power sensor to the energy of a phase and what is to be doubted in it. */
#include "watts.h"

#include "joules.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void tare_watts_begin(struct tare_watts *w)
{
    memset(&w->power, 0, sizeof w->power);
    w->error = 0;
    w->n_errors = 0;
    w->begin_read = false;
    w->first_w = w->gaps_s = 0;
}

static int64_t gap_limit_ns(const struct tare_watts *w)
{
    return w->gap_ns > 0 ? w->gap_ns : 1000000000;
}

void tare_watts_take(struct tare_watts *w, int code, double watts, int64_t now_ns)
{
    bool is_first = w->power.n == 0 && w->power.n_bad == 0 && w->n_errors == 0;
    int64_t n = w->power.n, before_ns = w->power.last_ns;
    w->error = -code;
    if (code < 0) {
        w->n_errors++;
        return;
    }
    tare_power_add(&w->power, now_ns, watts);
    if (w->power.n == n) {
        return;
    }
    if (n == 0) {
        w->begin_read = is_first;
        w->first_w = watts;
        return;
    }
    if (now_ns - before_ns > gap_limit_ns(w)) {
        w->gaps_s += (double)(now_ns - before_ns) / 1e9;
    }
}

static const char *why_absent(struct tare_watts *w, double seconds)
{
    if (w->never[0]) {
        return w->never;
    }
    if (!w->begin_read || w->error) {
        (void)snprintf(
            w->why, sizeof w->why, "READ_ERROR: the sensor could not be read at the phase's %s%s%s",
            w->begin_read ? "end" : "begin", w->error ? ": " : "", w->error ? strerror(w->error) : "");
        return w->why;
    }
    return w->power.n < 2 || seconds <= 0 ? "fewer than two samples in the phase: make it longer"
           : w->gaps_s > seconds / 2      ? "SENSOR_GAP: the sensor was silent for half of the phase or more"
           : w->power.joules <= 0         ? "STUCK: the sensor says 0 W through the whole phase"
                                          : NULL;
}

/* Nothing says how old a value may be: not the sensor, and not a time between two changes. */
static bool is_interval_unknown(const struct tare_watts *w)
{
    return w->is_blurred || (w->interval_s <= 0 && w->power.n_changes < 2);
}

static void set_flags(const struct tare_watts *w, const char *why, char *flags, size_t n_flags)
{
    const struct {
        bool holds;
        const char *word;
    } words[] = {{true, "SAMPLED"},
                 {w->n_errors > 0 || w->power.n_bad > 0, "READ_ERROR"},
                 {w->gaps_s > 0, "SENSOR_GAP"},
                 {w->power.n >= 20 && w->power.n_changes == 0, "STUCK"},
                 {!why && w->power.n < 10, "FEW_SAMPLES"},
                 {!why && is_interval_unknown(w), "INTERVAL_UNKNOWN"}};
    (void)snprintf(flags, n_flags, "%s", w->flags);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        tare_joules_flag(flags, n_flags, words[i].holds ? words[i].word : "");
    }
}

/* The trapezoid's own; what a late value shifts over the edges; anything from 0 to the peak in a gap. */
static double uncertainty(const struct tare_watts *w)
{
    double sampling = tare_power_u(&w->power);
    double late = fabs(w->power.last_w - w->first_w) * w->interval_s;
    double gap = w->power.peak_w * w->gaps_s / sqrt(12);
    return is_interval_unknown(w) ? (double)NAN : sqrt(sampling * sampling + late * late + gap * gap);
}

void tare_watts_judge(struct tare_watts *w, struct tare_watts_outcome *o)
{
    o->joules = w->power.joules;
    o->seconds = (double)(w->power.last_ns - w->power.first_ns) / 1e9;
    o->why = why_absent(w, o->seconds);
    o->u = o->why ? (double)NAN : uncertainty(w);
    set_flags(w, o->why, o->flags, sizeof o->flags);
}

void tare_watts_report(struct tare_watts *w, struct tare_readings *to)
{
    struct tare_watts_outcome o;
    tare_watts_judge(w, &o);
    struct tare_reading reading = {.name = w->name,
                                   .unit = "J",
                                   .scope = w->scope,
                                   .source = w->source,
                                   .kind = TARE_KIND_MEASURED,
                                   .absent = o.why != NULL,
                                   .value = o.joules,
                                   .why = o.why};
    struct tare_doubt doubt = {o.u, w->gain, o.flags};
    to->add_doubted(to, &reading, &doubt);
}
