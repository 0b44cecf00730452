/* SPDX-License-Identifier: Apache-2.0 */
/* The readings of one GPU: names, scopes, sources, doubts, and why one is absent. */
#include "nvml_device.h"

#include <tare/meter.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Update period of NVML's power sensors, s: 100 ms in all that were looked at; an average is over 1 s. */
static const double sensor_s = 0.1, average_s = 1;
/* Parts of a board whose power differs by less than this from the whole GPU's are no parts. */
static const double same_power = 0.02;

enum { text_max = 320, flags_max = 192 };

struct out {
    const struct tare_nvml *api;
    struct nvml_device *d;
    struct tare_readings *to;
};

struct item {
    const char *stem, *tail; /* stem_gpu_0tail */
    const char *unit, *scope, *source;
    double value, u, gain; /* value: NaN if absent */
    const char *why, *flags;
};

static void put(const struct out *o, const struct item *i)
{
    char name[64], source[text_max + nvml_identity_max + 4];
    bool is_absent = i->why[0] || !isfinite(i->value);
    (void)snprintf(name, sizeof name, "%s_gpu_%u%s", i->stem, o->d->index, i->tail);
    (void)snprintf(source, sizeof source, "%s (%s)", i->source, o->d->identity);
    struct tare_reading reading = {.name = name,
                                   .unit = i->unit,
                                   .scope = i->scope,
                                   .source = source,
                                   .kind = TARE_KIND_MEASURED,
                                   .absent = is_absent,
                                   .value = is_absent ? (double)NAN : i->value,
                                   .why = i->why[0] ? i->why : "not read"};
    struct tare_doubt doubt = {i->u, i->gain, i->flags};
    o->to->add_doubted(o->to, &reading, &doubt);
}

static void flag(char *flags, const char *word)
{
    size_t n = strlen(flags);
    (void)snprintf(flags + n, flags_max - n, "%s%s", n ? "," : "", word);
}

static bool contains(const char *text, const char *a, const char *b)
{
    return strstr(text, a) && (!b[0] || strstr(text, b));
}

/*
 * Relative standard uncertainty of the sensor's gain. Two boards were held against an external meter and
 * read low by this much; the others are taken to be no better. Nothing is corrected.
 */
static double gain_of(const char *name, char *flags)
{
    if (contains(name, "A100", "PCI")) {
        flag(flags, "READS_LOW");
        return 0.055;
    }
    if (contains(name, "RTX 3090", "")) {
        flag(flags, "READS_LOW");
        return 0.05;
    }
    return 0.06;
}

static bool is_mig(const struct nvml_device *d)
{
    return d->gauges[NVML_MIG].n > 0 && d->gauges[NVML_MIG].most > 0;
}

/* The larger of mean power and what the sensor showed at either edge: what flows while a step is awaited. */
static double edge_power(const struct nvml_device *d, double mean_w)
{
    const struct tare_gauge *g = &d->gauges[nvml_device_power(d)];
    return g->n ? fmax(mean_w, fmax(g->first, g->last)) : mean_w;
}

struct energy {
    double joules, u, seconds, gain;
    char why[text_max], flags[flags_max], source[text_max];
};

static void energy_of_counter(const struct out *o, struct energy *e)
{
    const struct nvml_device *d = o->d;
    double period_s = 0;
    (void)snprintf(e->source, sizeof e->source, "nvmlDeviceGetTotalEnergyConsumption%s",
                   is_mig(d) ? " of the whole GPU, not of a MIG instance" : "");
    e->joules = (d->energy.end_total - d->energy.begin_total) / 1e3;
    e->seconds = tare_board_seconds(&d->energy);
    enum tare_steps_kind kind = tare_steps_period(&d->energy.steps, &period_s);
    if (kind == TARE_STEPS_UNKNOWN) {
        flag(e->flags, "PERIOD_UNKNOWN");
    } else if (kind == TARE_STEPS_AT_MOST) {
        flag(e->flags, "PERIOD_BOUND");
    }
    /* How much of the time the counter's sensor looks is documented for no GPU; the 3090's looks always. */
    if (!strstr(d->name, "RTX 3090")) {
        flag(e->flags, "DUTY_UNKNOWN");
    }
    if (d->energy.code != TARE_NVML_OK) {
        tare_nvml_why(o->api, "nvmlDeviceGetTotalEnergyConsumption", d->energy.code, e->why, sizeof e->why);
    } else if (!tare_board_why(&d->energy, e->why, sizeof e->why)) {
        e->u = tare_board_u(&d->energy, edge_power(d, e->joules / e->seconds));
    }
}

/* The trapezoid through the samples; a window of which half was not seen has no value. */
static void energy_of_power(const struct out *o, struct energy *e)
{
    struct nvml_device *d = o->d;
    struct tare_watts_outcome sum;
    enum nvml_gauge_id id = nvml_device_power(d);
    const struct tare_gauge *g = &d->gauges[id];
    bool is_late = id == NVML_POWER_USAGE && d->is_averaged;
    (void)snprintf(e->source, sizeof e->source, "integral of %s%s", nvml_gauge_function(d, id),
                   is_late ? ", a 1-s average on Ampere and newer" : "");
    d->watts.interval_s = is_late ? average_s : sensor_s;
    tare_watts_judge(&d->watts, &sum);
    flag(e->flags, sum.flags);
    if (is_late) {
        flag(e->flags, "AVERAGED");
    }
    e->joules = sum.joules;
    e->seconds = sum.seconds;
    if (g->n_failed > 0) {
        tare_nvml_why(o->api, nvml_gauge_function(d, id), g->code, e->why, sizeof e->why);
    } else if (sum.why) {
        (void)snprintf(e->why, sizeof e->why, "%s", sum.why);
    } else {
        e->u = hypot(sum.u, tare_counter_edge_u(d->watts.power.peak_w, d->watts.interval_s));
    }
}

static void put_energy(const struct out *o)
{
    struct energy e = {.u = (double)NAN};
    e.gain = gain_of(o->d->name, e.flags);
    if (is_mig(o->d)) {
        flag(e.flags, "MIG");
    }
    if (o->d->energy.is_there) {
        energy_of_counter(o, &e);
    } else {
        energy_of_power(o, &e);
    }
    double watts = e.joules / e.seconds;
    put(o, &(struct item){"energy", "", "J", "device", e.source, e.joules, e.u, e.gain, e.why, e.flags});
    put(o, &(struct item){"power_mean", "", "W", "device", e.source, watts, e.u / e.seconds, e.gain, e.why,
                          e.flags});
}

/* Scope counter: a step is in J, but no energy of the window that could be added up. */
static void put_steps(const struct out *o)
{
    const struct nvml_device *d = o->d;
    const char *source = "moves seen of nvmlDeviceGetTotalEnergyConsumption";
    double period_s = (double)NAN;
    enum tare_steps_kind kind = tare_steps_period(&d->energy.steps, &period_s);
    const char *none = d->energy.is_there ? "" : "this GPU has no energy counter";
    const char *few =
        kind == TARE_STEPS_UNKNOWN ? "too few moves of the energy counter were seen so far" : "";
    const char *still =
        d->energy.steps.smallest > 0 ? "" : "the energy counter has not moved since it is watched";
    put(o, &(struct item){"energy", "_step", "J", "counter", source, d->energy.steps.smallest / 1e3,
                          (double)NAN, (double)NAN, none[0] ? none : still, ""});
    put(o, &(struct item){"energy", "_period", "s", "counter", source, period_s, (double)NAN, (double)NAN,
                          none[0] ? none : few, kind == TARE_STEPS_AT_MOST ? "PERIOD_BOUND" : ""});
}

enum stat { STAT_FIRST, STAT_LAST, STAT_MEAN, STAT_MOST };

struct row {
    const char *stem, *tail, *unit, *scope;
    enum nvml_gauge_id id;
    enum stat stat;
    const char *flags;
};

static const struct row rows[] = {
    {"power_instant", "", "W", "device", NVML_POWER_INSTANT, STAT_MEAN, "SAMPLED"},
    {"power_average", "", "W", "device", NVML_POWER_AVERAGE, STAT_MEAN, "SAMPLED,AVERAGED"},
    {"power_usage", "", "W", "device", NVML_POWER_USAGE, STAT_MEAN, "SAMPLED"},
    {"power_module", "", "W", "module", NVML_POWER_MODULE, STAT_MEAN, "SAMPLED"},
    {"power_memory", "", "W", "device memory", NVML_POWER_MEMORY, STAT_MEAN, "SAMPLED,AVERAGED"},
    {"memory", "_begin", "B", "device", NVML_MEMORY, STAT_FIRST, ""},
    {"memory", "_peak", "B", "device", NVML_MEMORY, STAT_MOST, "SAMPLED,LOWER_BOUND"},
    {"temperature", "_begin", "degC", "device", NVML_TEMPERATURE, STAT_FIRST, ""},
    {"temperature", "_end", "degC", "device", NVML_TEMPERATURE, STAT_LAST, ""},
    {"temperature", "_peak", "degC", "device", NVML_TEMPERATURE, STAT_MOST, "SAMPLED,LOWER_BOUND"},
    {"pstate", "", "1", "device", NVML_PSTATE, STAT_MOST, "SAMPLED"},
    {"clock_sm", "", "MHz", "device", NVML_CLOCK_SM, STAT_MEAN, "SAMPLED"},
    {"clock_memory", "", "MHz", "device", NVML_CLOCK_MEM, STAT_MEAN, "SAMPLED"},
    {"power_limit", "", "W", "device", NVML_POWER_LIMIT, STAT_LAST, ""},
    {"ecc", "", "1", "device", NVML_ECC, STAT_LAST, ""},
    {"mig", "", "1", "device", NVML_MIG, STAT_LAST, ""},
    {"pcie_width", "", "1", "device", NVML_PCIE_WIDTH, STAT_LAST, ""},
    {"pcie_generation", "", "1", "device", NVML_PCIE_GENERATION, STAT_LAST, ""},
};

static double value_of(const struct tare_gauge *g, enum stat stat)
{
    return stat == STAT_FIRST  ? g->first
           : stat == STAT_LAST ? g->last
           : stat == STAT_MOST ? g->most
                               : g->sum / (double)g->n;
}

/* A driver that does not know parts of a board answers with the whole GPU's power. */
static bool is_no_part(const struct nvml_device *d, enum nvml_gauge_id id)
{
    const struct tare_gauge *part = &d->gauges[id];
    const struct tare_gauge *whole =
        &d->gauges[id == NVML_POWER_MEMORY ? NVML_POWER_AVERAGE : NVML_POWER_INSTANT];
    if ((id != NVML_POWER_MODULE && id != NVML_POWER_MEMORY) || whole->n == 0 || part->n == 0) {
        return false;
    }
    double a = part->sum / (double)part->n, b = whole->sum / (double)whole->n;
    return fabs(a - b) <= same_power * b;
}

static void put_row(const struct out *o, const struct row *r)
{
    static const char *const stats[] = {"at the window's begin", "at the window's end", "mean of samples",
                                        "highest of samples"};
    const struct tare_gauge *g = &o->d->gauges[r->id];
    char why[text_max] = "", flags[flags_max] = "", source[text_max];
    const char *function = nvml_gauge_function(o->d, r->id);
    (void)snprintf(source, sizeof source, "%s, %s", function, stats[r->stat]);
    (void)snprintf(flags, sizeof flags, "%s", r->flags);
    if (g->n_failed > 0) {
        flag(flags, "GAP");
    }
    if (r->id == NVML_POWER_USAGE && o->d->is_averaged) {
        flag(flags, "AVERAGED");
    }
    if (r->id >= NVML_POWER_LIMIT && g->n > 1 && (g->least < g->most)) {
        flag(flags, "CHANGED");
    }
    if (r->id == NVML_MEMORY && !o->d->memory_is_v2) {
        flag(flags, "DRIVER_RESERVE_IN");
    }
    bool is_edge_lost = (r->stat == STAT_FIRST || r->stat == STAT_LAST) && g->n_failed > 0;
    if (g->n == 0 || is_edge_lost) {
        tare_nvml_why(o->api, function, g->code, why, sizeof why);
    } else if (is_no_part(o->d, r->id)) {
        (void)snprintf(why, sizeof why,
                       "the driver answers with the whole GPU's power: it does not know this part");
    }
    put(o, &(struct item){r->stem, r->tail, r->unit, r->scope, source, g->n ? value_of(g, r->stat) : 0.0,
                          (double)NAN, (double)NAN, why, flags});
}

static void put_peak_power(const struct out *o)
{
    enum nvml_gauge_id id = nvml_device_power(o->d);
    put_row(o, &(struct row){"power_peak", "", "W", "device", id, STAT_MOST, "SAMPLED,LOWER_BOUND"});
}

static void put_events(const struct out *o)
{
    const struct tare_gauge *g = &o->d->gauges[NVML_EVENTS];
    const struct nvml_events *e = &o->d->events;
    const char *function = nvml_gauge_function(o->d, NVML_EVENTS);
    const struct {
        const char *stem;
        int64_t n;
        const char *what;
    } counts[] = {
        {"throttle_thermal", e->thermal, "samples with a thermal slowdown, by software or hardware"},
        {"throttle_power", e->brake, "samples with a power brake asserted from outside"},
        {"throttle_cap", e->cap, "samples with clocks held down by the power limit"},
        {"throttle_slowdown", e->slowdown, "samples with a hardware slowdown of any cause"},
        {"throttle", g->n, "samples that were taken"}};
    char why[text_max] = "", source[text_max];
    if (g->n == 0) {
        tare_nvml_why(o->api, function, g->code, why, sizeof why);
    }
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        bool is_last = i == sizeof counts / sizeof *counts - 1;
        (void)snprintf(source, sizeof source, "%s, %s", function, counts[i].what);
        put(o, &(struct item){counts[i].stem, is_last ? "_samples" : "", "1", "device", source,
                              (double)counts[i].n, (double)NAN, (double)NAN, why,
                              g->n_failed > 0 ? "SAMPLED,GAP" : "SAMPLED"});
    }
}

/* In another pid namespace than the machine's first one, a number of NVML's may be somebody else's. */
static bool is_contained(void)
{
    char text[64] = "";
    ssize_t n = readlink("/proc/self/ns/pid", text, sizeof text - 1);
    return n <= 0 || strcmp(text, "pid:[4026531836]") != 0;
}

static void put_process(const struct out *o, int64_t pid)
{
    const struct nvml_process_memory *m = &o->d->process;
    char why[text_max] = "", flags[flags_max] = "SAMPLED,LOWER_BOUND";
    const char *function = "nvmlDeviceGetComputeRunningProcesses";
    if (is_contained()) {
        flag(flags, "PID_NAMESPACE");
    }
    if (m->n_failed > 0) {
        flag(flags, "GAP");
    }
    if (pid <= 0) {
        (void)snprintf(why, sizeof why, "no process is measured in this window");
    } else if (m->n_looks == 0 || m->n_failed == m->n_looks) {
        tare_nvml_why(o->api, function, m->code, why, sizeof why);
    } else if (m->n_unknown > 0) {
        (void)snprintf(why, sizeof why,
                       "NVML lists the process without its memory (a virtual machine or MIG hides it)");
    } else if (m->n_found == 0 && m->n_listed == 0) {
        (void)snprintf(why, sizeof why,
                       "NVML lists no process: it does not use this GPU, or a container or "
                       "virtual machine hides it (run outside of it)");
    } else if (m->n_found == 0) {
        (void)snprintf(why, sizeof why,
                       "none of the %u processes that NVML lists is the measured one: it does not use this "
                       "GPU, or a container has pids of its own (run it in the host's pid namespace)",
                       m->n_listed);
    }
    put(o, &(struct item){"memory", "_process", "B", "process",
                          "nvmlDeviceGetComputeRunningProcesses, highest sum of the process and its children",
                          m->most, (double)NAN, (double)NAN, why, flags});
}

static void put_memory(const struct out *o)
{
    const struct nvml_device *d = o->d;
    const char *flags = d->memory_is_v2 ? "" : "DRIVER_RESERVE_IN";
    const char *source = nvml_gauge_function(d, NVML_MEMORY);
    char idle[text_max], total[text_max];
    (void)snprintf(idle, sizeof idle, "%s, used when the meter was opened", source);
    (void)snprintf(total, sizeof total, "%s, total", source);
    const char *why = isfinite(d->memory_idle) ? "" : "nvmlDeviceGetMemoryInfo failed when opened";
    put(o, &(struct item){"memory", "_idle", "B", "device", idle, d->memory_idle, (double)NAN, (double)NAN,
                          why, flags});
    put(o, &(struct item){"memory", "_total", "B", "device", total, d->memory_total, 0, 0,
                          isfinite(d->memory_total) ? "" : why, ""});
}

/* A sum over GPUs of which one could not be asked is known only to be this or more. */
static void put_sum(const struct tare_nvml *api, const struct nvml_device *list, size_t n, bool of_cap,
                    struct tare_readings *to)
{
    char why[text_max] = "", text[text_max - 40], flags[flags_max] = "SAMPLED";
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const struct tare_gauge *g = &list[i].gauges[NVML_EVENTS];
        const struct nvml_events *e = &list[i].events;
        sum += (double)(of_cap ? e->cap : e->thermal + e->brake);
        if (g->n == 0 && !why[0]) {
            tare_nvml_why(api, nvml_gauge_function(&list[i], NVML_EVENTS), g->code, text, sizeof text);
            (void)snprintf(why, sizeof why, "GPU %u: %s", list[i].index, text);
        }
        if (g->n_failed > 0 && !strstr(flags, "GAP")) {
            flag(flags, "GAP");
        }
    }
    bool is_absent = why[0] && sum <= 0;
    if (why[0] && !is_absent) {
        flag(flags, "LOWER_BOUND");
    }
    struct tare_reading reading = {.name = of_cap ? "power_cap_events" : "throttle_events",
                                   .unit = "1",
                                   .scope = "device",
                                   .source = of_cap ? "NVML, samples of all GPUs with clocks held down by "
                                                      "the power limit"
                                                    : "NVML, samples of all GPUs with a thermal slowdown, "
                                                      "and those with a power brake",
                                   .kind = TARE_KIND_MEASURED,
                                   .absent = is_absent,
                                   .value = is_absent ? (double)NAN : sum,
                                   .why = why};
    struct tare_doubt doubt = {(double)NAN, (double)NAN, flags};
    to->add_doubted(to, &reading, &doubt);
}

void nvml_report_events(const struct tare_nvml *api, const struct nvml_device *list, size_t n,
                        struct tare_readings *to)
{
    put_sum(api, list, n, false, to);
    put_sum(api, list, n, true, to);
}

void nvml_report(const struct tare_nvml *api, struct nvml_device *d, int64_t pid, struct tare_readings *to)
{
    struct out o = {api, d, to};
    put_energy(&o);
    put_steps(&o);
    put_peak_power(&o);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put_row(&o, &rows[i]);
    }
    put_events(&o);
    put_memory(&o);
    put_process(&o, pid);
}
