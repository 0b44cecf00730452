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
    w->n_errors = w->n_changes = 0;
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
    double before_w = w->power.last_w;
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
    w->n_changes += watts < before_w || watts > before_w;
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

static void set_flags(const struct tare_watts *w, const char *why, char *flags, size_t n_flags)
{
    (void)snprintf(flags, n_flags, "%s", w->flags);
    tare_joules_flag(flags, n_flags, "SAMPLED");
    if (w->n_errors > 0 || w->power.n_bad > 0) {
        tare_joules_flag(flags, n_flags, "READ_ERROR");
    }
    if (w->gaps_s > 0) {
        tare_joules_flag(flags, n_flags, "SENSOR_GAP");
    }
    if (w->power.n >= 20 && w->n_changes == 0) {
        tare_joules_flag(flags, n_flags, "STUCK");
    }
    if (!why && w->power.n < 10) {
        tare_joules_flag(flags, n_flags, "FEW_SAMPLES");
    }
}

/* The trapezoid's own; what a late value shifts over the edges; anything from 0 to the peak in a gap. */
static double uncertainty(const struct tare_watts *w)
{
    double sampling = tare_power_u(&w->power);
    double late = fabs(w->power.last_w - w->first_w) * w->interval_s;
    double gap = w->power.peak_w * w->gaps_s / sqrt(12);
    return sqrt(sampling * sampling + late * late + gap * gap);
}

void tare_watts_report(struct tare_watts *w, struct tare_readings *to)
{
    char flags[128];
    double seconds = (double)(w->power.last_ns - w->power.first_ns) / 1e9;
    const char *why = why_absent(w, seconds);
    set_flags(w, why, flags, sizeof flags);
    struct tare_reading reading = {.name = w->name,
                                   .unit = "J",
                                   .scope = w->scope,
                                   .source = w->source,
                                   .kind = TARE_KIND_MEASURED,
                                   .absent = why != NULL,
                                   .value = w->power.joules,
                                   .why = why};
    struct tare_doubt doubt = {why ? (double)NAN : uncertainty(w), w->gain, flags};
    to->add_doubted(to, &reading, &doubt);
}
