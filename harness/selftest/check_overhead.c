/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What measuring costs the measured: the same cell under every meter that works here and bare, in turn, and
 * the ratio of the lengths of their measure phases. Pairs, since a shared machine drifts; the median of the
 * ratios, since it also jumps. The interval says how well this machine can know it: a line fails when the
 * overhead is shown to be beyond the target, that is when the whole interval is. What one core spends on
 * sampling is read from the clock of the thread that does it.
 */
#include "selftest/cell.h"
#include "selftest/selftest.h"

#include "stats/interval.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { pairs = 40 };

struct usage {
    double cpu_s; /* of the metering thread, in measure phases */
};

static int take(void *ctx, const struct tare_reading_record *reading, struct tare_err *err)
{
    struct usage *u = ctx;
    (void)err;
    if (strcmp(reading->name, "metering_cpu_time") == 0 && strcmp(reading->phase, "measure") == 0) {
        u->cpu_s += reading->value;
    }
    return 0;
}

/* A cell of fixed work in registers, about a quarter of a second: what memory layout and caches do to a
 * process differs from one to the next by far more than what is looked for. */
static int run_once(const struct tare_check_context *c, struct tare_outside *outside, int64_t *out_ns,
                    struct tare_err *err)
{
    char plan[512];
    struct tare_known_cell cell;
    (void)snprintf(plan, sizeof plan,
                   "{\"tare\":1,\"metering\":\"%s\",\"models\":[{\"backend\":\"null\",\"options\":{"
                   "\"work_rounds\":1000000}}],\"tasks\":[{\"task\":\"tokens\",\"options\":{\"items\":100,"
                   "\"prompt_tok\":8,\"max_output\":1}}]}",
                   outside ? "all" : "none");
    int r = tare_known_cell_run(c->paths, plan, outside, &cell, err);
    *out_ns = cell.measure_ns;
    tare_known_cell_fini(&cell);
    return r;
}

/* Ratios of metered to bare, and the share of a core that sampling took, in percent. */
static int run_pairs(const struct tare_check_context *c, struct tare_outside *outside, double *ratios,
                     double *out_share, struct tare_err *err)
{
    struct usage usage = {0};
    int64_t metered_sum_ns = 0;
    int r = 0;
    for (int i = 0; r == 0 && i < pairs; i++) {
        int64_t ns[2] = {0};
        int first = i % 2; /* who goes first alternates */
        for (int k = 0; r == 0 && k < 2; k++) {
            int metered = k == first;
            r = run_once(c, metered ? outside : NULL, &ns[metered], err);
        }
        r = r == 0 ? tare_outside_drain(outside, take, &usage, err) : r;
        metered_sum_ns += ns[1];
        ratios[i] = ns[0] > 0 ? 100 * ((double)ns[1] / (double)ns[0] - 1) : (double)NAN;
    }
    *out_share = metered_sum_ns > 0 ? 100 * usage.cpu_s * 1e9 / (double)metered_sum_ns : (double)NAN;
    return r;
}

static int tell(const struct tare_check_context *c, double *ratios, double share, struct tare_err *err)
{
    tare_sort(ratios, pairs);
    double median = tare_quantile(ratios, pairs, 0.5);
    struct tare_interval v = tare_median_interval(ratios, pairs, 0.95);
    char note[160];
    (void)snprintf(note, sizeof note,
                   "%d pairs: [%.2f, %.2f] %%, level %.3f; beyond it means: all of that is", pairs, v.low,
                   v.high, v.level);
    const struct tare_check_line line = {
        .quantity = TARE_QUANTITY_OVERHEAD,
        .workload = "fixed work in a cell under all meters against bare, in turn: longer by (lower end)",
        .unit = "%",
        .truth = 0,
        .reading = median,
        .error = v.ok ? fmax(v.low, 0) : (double)NAN,
        .target = 0.5,
        .error_unit = "%",
        .note = note};
    int r = c->to->add(c->to, &line, err);
    return r == 0
               ? tare_check_add(c, "sampling", "CPU time of the metering thread in those cells, of one core",
                                "%", 0, share, 0.2, err)
               : r;
}

int tare_check_overhead(const struct tare_check_context *c, struct tare_err *err);

int tare_check_overhead(const struct tare_check_context *c, struct tare_err *err)
{
    struct tare_outside *outside = NULL;
    double ratios[pairs], share = 0;
    struct tare_err fault = {0};
    int r = tare_outside_open(NULL, &outside, err);
    if (r < 0) {
        return r;
    }
    r = run_pairs(c, outside, ratios, &share, &fault);
    tare_outside_close(outside);
    return r < 0 ? tare_check_add_absent(c, "overhead", "fixed work in a cell under all meters against bare",
                                         fault.msg, err)
                 : tell(c, ratios, share, err);
}
