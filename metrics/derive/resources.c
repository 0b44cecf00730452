/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resources of a phase, straight from readings: the median of the repeats and its interval. A reading
 * that was absent in any repeat makes the figure absent, with the meter's reason.
 */
#include "derive.h"

#include <stdlib.h>
#include <string.h>

struct resource {
    const char *figure;
    const char *phase;
    const char *reading;
    double scale; /* to the figure's unit */
    const char *unit;
};

static const struct resource resources[] = {
    {"load_time", "load", "wall", 1e-9, "s"},
    {"warmup_time", "warmup", "wall", 1e-9, "s"},
    {"measure_time", "measure", "wall", 1e-9, "s"},
    {"peak_rss_load", "load", "peak_rss", 1, "B"},
    {"peak_rss", "measure", "peak_rss", 1, "B"},
    {"rss_anon", "measure", "rss_anon", 1, "B"},
    {"rss_file", "measure", "rss_file", 1, "B"},
    {"pss", "measure", "pss", 1, "B"},
    {"uss", "measure", "uss", 1, "B"},
    {"mapped_bytes", "measure", "mapped_bytes", 1, "B"},
    {"mapped_resident_bytes", "measure", "mapped_resident_bytes", 1, "B"},
    {"swapped", "measure", "swapped", 1, "B"},
    {"cgroup_peak", "measure", "cgroup_peak", 1, "B"},
    {"cpu_user", "measure", "cpu_user", 1, "s"},
    {"cpu_system", "measure", "cpu_system", 1, "s"},
    {"involuntary_switches", "measure", "involuntary_switches", 1, "1"},
    {"major_faults", "measure", "major_faults", 1, "1"},
    {"run_queue_wait", "measure", "run_queue_wait", 1, "s"},
    {"foreign_cpu", "measure", "foreign_cpu", 1, "%"},
    {"steal", "measure", "steal", 1, "%"},
    {"node_foreign_cpu", "measure", "node_foreign_cpu", 1, "%"},
    {"node_steal", "measure", "node_steal", 1, "%"},
    {"temperature_begin", "measure", "temperature_begin", 1, "degC"},
    {"temperature_end", "measure", "temperature_end", 1, "degC"},
    {"temperature_max", "measure", "temperature_max", 1, "degC"},
    {"throttle_core", "measure", "throttle_core", 1, "1"},
    {"throttle_package", "measure", "throttle_package", 1, "1"},
    {"frequency_mean", "measure", "frequency_mean", 1e-9, "GHz"},
    {"frequency_min", "measure", "frequency_min", 1e-9, "GHz"},
    {"psi_cpu_some", "measure", "psi_cpu_some", 1e-6, "s"},
    {"psi_cpu_full", "measure", "psi_cpu_full", 1e-6, "s"},
    {"psi_memory_some", "measure", "psi_memory_some", 1e-6, "s"},
    {"psi_memory_full", "measure", "psi_memory_full", 1e-6, "s"},
    {"psi_io_some", "measure", "psi_io_some", 1e-6, "s"},
    {"psi_io_full", "measure", "psi_io_full", 1e-6, "s"},
    {"swap_in_pages", "measure", "swap_in_pages", 1, "1"},
    {"swap_out_pages", "measure", "swap_out_pages", 1, "1"},
    {"runnable_threads", "measure", "runnable_threads_mean", 1, "1"},
    {"clock_step", "measure", "clock_step", 1, "s"},
    {"metering_cpu_time", "measure", "metering_cpu_time", 1, "s"},
};

/* Why there is no value: a resumed repeat's readings are those of its last process only, so it has none. */
static const char *why_none(const struct tare_evidence *e)
{
    size_t whole = 0;
    for (size_t i = 0; i < e->n_repeats; i++) {
        whole += e->repeats[i].complete && e->repeats[i].attempts == 1;
    }
    return whole                       ? "no meter reads this here"
           : tare_evidence_complete(e) ? "every repeat was resumed, so no process saw all of it"
                                       : "no repeat was completed";
}

static int derive_one(const struct tare_evidence *e, const struct resource *res, double *values,
                      struct tare_figures *to, struct tare_err *err)
{
    struct tare_figure f =
        tare_figure_make(res->figure, res->unit, TARE_KIND_MEASURED, "not read", "process");
    size_t n = 0;
    if (strcmp(res->phase, "measure") == 0 && strcmp(res->unit, "s") == 0) {
        tare_figure_flag_noise(&f, e);
    }
    for (size_t i = 0; i < e->n_repeats; i++) {
        const struct tare_reading_record *r =
            e->repeats[i].complete && e->repeats[i].attempts == 1
                ? tare_evidence_find(e, e->repeats[i].id, res->phase, res->reading)
                : NULL;
        if (!r) {
            continue;
        }
        f.kind = tare_kind_of(r->kind);
        f.source = r->source;
        f.scope = r->scope;
        tare_figure_pass_flags(&f, r->flags);
        if (r->absent) {
            return tare_figure_absent(&f, r->absent, to, err);
        }
        values[n++] = r->value * res->scale;
    }
    return tare_figure_repeats(&f, values, n, why_none(e), to, err);
}

int tare_derive_resources(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err);

int tare_derive_resources(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err)
{
    double *values = calloc(e->n_repeats + 1, sizeof *values);
    if (!values) {
        return tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof resources / sizeof *resources; i++) {
        r = derive_one(e, &resources[i], values, to, err);
    }
    free(values);
    return r;
}
