/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peaks of this machine, which later figures divide by, and loops whose FLOPs are known. The peaks have no
 * truth to be held against: they are what the machine gives while nothing else runs.
 */
#include "selftest/flops.h"
#include "selftest/instrument.h"
#include "selftest/peak_fma.h"
#include "selftest/peak_stream.h"
#include "selftest/selftest.h"
#include "selftest/team.h"

#include <math.h>
#include <stdio.h>

enum { min_ns = 40 * 1000 * 1000 };

static int tell(const struct tare_check_context *c, const char *quantity, const struct tare_peak *p,
                struct tare_err *err)
{
    char workload[200], note[300];
    (void)snprintf(workload, sizeof workload, "%s, %u thread%s, median of %u (%.4g to %.4g)", p->name,
                   p->threads, p->threads == 1 ? "" : "s", p->repeats, p->low, p->high);
    (void)snprintf(note, sizeof note, "%s", p->note ? p->note : "");
    const struct tare_check_line line = {.quantity = quantity,
                                         .workload = workload,
                                         .unit = p->unit,
                                         .reading = p->value,
                                         .error_unit = p->unit,
                                         .note = note[0] ? note : NULL,
                                         .informative = true};
    return c->to->add(c->to, &line, err);
}

typedef int (*peak_fn)(unsigned threads, int64_t ns, struct tare_peak *out, struct tare_err *err);

static int check_peak(const struct tare_check_context *c, const char *quantity, peak_fn measure,
                      struct tare_err *err)
{
    unsigned all = tare_team_cpus();
    int r = 0;
    for (unsigned threads = 1; r == 0 && threads <= all; threads = threads < all ? all : all + 1) {
        struct tare_peak p;
        struct tare_err fault = {0};
        r = measure(threads, min_ns, &p, &fault) < 0
                ? tare_check_add_absent(c, quantity, "loop over registers or memory", fault.msg, err)
                : tell(c, quantity, &p, err);
    }
    return r;
}

/* Every loop in every width that is there: what it returns is right only if all of it was done. */
static int check_loops(const struct tare_check_context *c, struct tare_err *err)
{
    enum { rounds = 100000 };
    static const char *const names[TARE_FLOPS_OPS] = {"multiply-adds", "additions", "multiplications"};
    int r = 0;
    for (int width = 0; r == 0 && width < TARE_FLOPS_WIDTHS; width++) {
        for (int op = 0; r == 0 && op < TARE_FLOPS_OPS && tare_flops_has((enum tare_flops_width)width);
             op++) {
            char workload[120];
            enum tare_flops_width w = (enum tare_flops_width)width;
            enum tare_flops_op o = (enum tare_flops_op)op;
            double lanes = tare_flops_lanes(w), count = tare_flops_count(w, o, rounds);
            bool done = tare_flops_run(w, o, rounds) == tare_flops_expected(w, o, rounds);
            (void)snprintf(workload, sizeof workload, "float32 %s, %s, %.0f lanes, all done by its sum",
                           names[op], tare_flops_width_name(w), lanes);
            r = tare_check_add(c, "FLOPs", workload, "FLOP", count, done ? count : (double)NAN, 0, err);
        }
    }
    return r;
}

int tare_check_peaks(const struct tare_check_context *c, struct tare_err *err);

/* What the processor counts for a loop; the meter has held it against known work of its own before. */
static int check_counter(const struct tare_check_context *c, struct tare_err *err)
{
    static const char workload[] = "float32 multiply-adds, scalar, by the processor's counter (PAPI_SP_OPS)";
    static const char *const options[] = {"events", "PAPI_SP_OPS", NULL};
    struct tare_check_instrument m;
    struct tare_err fault = {0};
    if (tare_instrument_open(&m, "papi", options, &fault) < 0) {
        return tare_check_add_absent(c, "FLOPs counter", workload, fault.msg, err);
    }
    enum { rounds = 1000000 };
    tare_instrument_begin(&m);
    (void)tare_flops_run(TARE_FLOPS_SCALAR, TARE_FLOPS_FMA, rounds);
    tare_instrument_end(&m);
    double read = tare_instrument_value(&m, "papi_sp_ops");
    int r = isfinite(read)
                ? tare_check_add_percent(c, "FLOPs counter", workload, "FLOP",
                                         tare_flops_count(TARE_FLOPS_SCALAR, TARE_FLOPS_FMA, rounds), read, 2,
                                         err)
                : tare_check_add_absent(c, "FLOPs counter", workload,
                                        m.n > 0 && m.list[0].absent[0] ? m.list[0].absent
                                                                       : "the event is not counted here",
                                        err);
    tare_instrument_close(&m);
    return r;
}

int tare_check_peaks(const struct tare_check_context *c, struct tare_err *err)
{
    int r = check_loops(c, err);
    r = r == 0 ? check_counter(c, err) : r;
    r = r == 0 ? check_peak(c, TARE_QUANTITY_PEAK_FLOPS, tare_peak_fma, err) : r;
    return r == 0 ? check_peak(c, TARE_QUANTITY_PEAK_BYTES, tare_peak_stream, err) : r;
}
