/* SPDX-License-Identifier: Apache-2.0 */
/* Rounds are first doubled on one thread until they take long enough, then done by all. */
#include "selftest/peak_fma.h"

#include "base/clock.h"
#include "selftest/team.h"

#include <stdatomic.h>
#include <stdbool.h>

/* Results are exact to 2^23 rounds, so longer work is many such calls. */
enum { rounds_of_a_call = 1 << 16 };

struct fma_work {
    enum tare_flops_width width;
    uint64_t calls;
    atomic_bool wrong;
};

static void work(void *ctx, unsigned index, unsigned n)
{
    struct fma_work *w = ctx;
    (void)index, (void)n;
    for (uint64_t i = 0; i < w->calls; i++) {
        if (tare_flops_run(w->width, TARE_FLOPS_FMA, rounds_of_a_call) !=
            tare_flops_expected(w->width, TARE_FLOPS_FMA, rounds_of_a_call)) {
            atomic_store(&w->wrong, true);
        }
    }
}

/* Also brings the clock up to speed and the upper halves of the registers to life. */
static void calibrate(struct fma_work *w, int64_t min_ns)
{
    int64_t spent_ns = 0;
    for (w->calls = 1;; w->calls *= 2) {
        int64_t begin_ns = tare_clock_ns();
        work(w, 0, 1);
        spent_ns = tare_clock_ns() - begin_ns;
        if (spent_ns >= min_ns / 2 || w->calls > UINT64_MAX / 4) {
            break;
        }
    }
    double calls = (double)w->calls * (double)min_ns / (double)(spent_ns > 0 ? spent_ns : 1);
    w->calls = calls > 1 ? (uint64_t)calls + 1 : 1;
}

int tare_peak_fma_width(enum tare_flops_width width, unsigned threads, int64_t min_ns, struct tare_peak *out,
                        struct tare_err *err)
{
    static const char *const names[TARE_FLOPS_WIDTHS] = {"fma float32 scalar", "fma float32 256 bit",
                                                         "fma float32 512 bit"};
    struct fma_work w = {.width = width};
    int64_t durations_ns[tare_peak_repeats];
    if (!tare_flops_has(width)) {
        return tare_err_set(err, TARE_E_UNSUPPORTED,
                            "this processor or build has no float32 multiply-add of %s",
                            tare_flops_width_name(width));
    }
    calibrate(&w, min_ns);
    int r = tare_team_run(threads, work, &w, tare_peak_repeats, durations_ns, err);
    if (r < 0) {
        return r;
    }
    if (atomic_load(&w.wrong)) {
        return tare_err_set(err, TARE_E_ENVIRONMENT, "multiply-adds of %s did not give what they must",
                            tare_flops_width_name(width));
    }
    *out = (struct tare_peak){.name = names[width],
                              .unit = "FLOP/s",
                              .threads = threads,
                              .amount = tare_flops_count(width, TARE_FLOPS_FMA, rounds_of_a_call) *
                                        (double)w.calls * threads,
                              .note = "float32 out of registers; not of 16-bit, integer or matrix units"};
    tare_peak_set(out, durations_ns, tare_peak_repeats);
    return 0;
}

int tare_peak_fma(unsigned threads, int64_t min_ns, struct tare_peak *out, struct tare_err *err)
{
    struct tare_peak best = {0};
    for (int width = 0; width < TARE_FLOPS_WIDTHS; width++) {
        struct tare_peak one;
        if (!tare_flops_has((enum tare_flops_width)width)) {
            continue;
        }
        int r = tare_peak_fma_width((enum tare_flops_width)width, threads, min_ns, &one, err);
        if (r < 0) {
            return r;
        }
        best = one.value > best.value ? one : best;
    }
    *out = best;
    return 0;
}
