/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of the whole machine over a phase, seen from outside: heat and throttling, the processors' clock,
 * pressure, swapping, other programs, the wall clock, the power supply. It explains figures and makes none
 * itself; what disturbs a measurement by these readings stands in docs/validity.md.
 *
 * Counters are read at the begin and the end of a phase, so nothing between is lost. Temperature, clock and
 * runnable threads are samples, those of the edges included: a peak between two of them is not seen.
 */
#include <tare/meter.h>

#include "machine.h"
#include "sysfile.h"

#include <limits.h>
#include <math.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { path_max = 512, min_ticks_per_cpu = 50, n_pressures = 3 };

static const char *const pressures[n_pressures] = {"cpu", "memory", "io"};

/* Counters of the kernel at one moment. */
struct edge {
    int64_t now_ns, clock_offset_ns;
    struct tare_machine_value throttle_core, throttle_package, swap_in, swap_out;
    struct tare_machine_value some[n_pressures], full[n_pressures]; /* us */
    struct tare_machine_ticks ticks;
    struct tare_machine_value worker, own; /* ticks */
    int64_t pid;
};

/* Samples of a phase. */
struct series {
    int64_t n;
    double sum, least, most, first, last;
};

struct machine {
    char *sys, *proc; /* options */
    struct tare_machine_parts parts;
    int64_t pid; /* the process that is measured; 0: none */
    struct edge begin;
    struct series temperature, clock_hz, runnable;
    struct tare_machine_value load, on_battery;
};

static void take(struct series *s, struct tare_machine_value v)
{
    if (!v.ok) {
        return;
    }
    s->first = s->n ? s->first : v.v;
    s->least = s->n ? fmin(s->least, v.v) : v.v;
    s->most = s->n ? fmax(s->most, v.v) : v.v;
    s->last = v.v;
    s->sum += v.v;
    s->n++;
}

static bool read_proc(const struct machine *m, const char *file, char *text, size_t n_text)
{
    char path[path_max];
    (void)snprintf(path, sizeof path, "%s/%s", m->proc, file);
    return tare_sysfile_text(path, text, n_text) == 0;
}

/* "total=" of the line that begins with `line`. */
static struct tare_machine_value total_of(const char *text, const char *line)
{
    struct tare_machine_value v = {.ok = false};
    const char *at = strstr(text, line), *total = at ? strstr(at, "total=") : NULL;
    v.ok = total && sscanf(total, "total=%lf", &v.v) == 1;
    return v;
}

static void read_pressure(const struct machine *m, struct edge *e)
{
    for (size_t i = 0; i < n_pressures; i++) {
        char text[512], file[32];
        (void)snprintf(file, sizeof file, "pressure/%s", pressures[i]);
        bool read = read_proc(m, file, text, sizeof text);
        e->some[i] = read ? total_of(text, "some ") : (struct tare_machine_value){.ok = false};
        e->full[i] = read ? total_of(text, "full ") : (struct tare_machine_value){.ok = false};
    }
}

static void read_swap(const struct machine *m, struct edge *e)
{
    char text[16384];
    bool read = read_proc(m, "vmstat", text, sizeof text);
    e->swap_in.ok = read && tare_sysfile_field(text, "pswpin", &e->swap_in.v);
    e->swap_out.ok = read && tare_sysfile_field(text, "pswpout", &e->swap_out.v);
}

static void read_edge(const struct machine *m, struct edge *e)
{
    struct timespec t;
    memset(e, 0, sizeof *e);
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    e->now_ns = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
    e->clock_offset_ns = tare_machine_clock_offset();
    e->throttle_core = tare_machine_throttle(m->sys, m->parts.cores, m->parts.n_cores,
                                             "thermal_throttle/core_throttle_count");
    e->throttle_package = tare_machine_throttle(m->sys, m->parts.packages, m->parts.n_packages,
                                                "thermal_throttle/package_throttle_count");
    read_pressure(m, e);
    read_swap(m, e);
    e->pid = m->pid;
    e->ticks = tare_machine_ticks(m->proc);
    e->worker = tare_machine_process(m->proc, m->pid);
    e->own = tare_machine_self(m->proc);
}

/* The first number of /proc/loadavg, and of its fourth word the threads that run or could, less ourselves. */
static void read_load(const struct machine *m, struct tare_machine_value *load,
                      struct tare_machine_value *runnable)
{
    char text[128];
    int running = 0;
    load->ok = read_proc(m, "loadavg", text, sizeof text) &&
               sscanf(text, "%lf %*s %*s %d/", &load->v, &running) == 2;
    runnable->ok = load->ok;
    runnable->v = running > 1 ? running - 1 : 0;
}

static void read_clocks(struct machine *m)
{
    for (size_t i = 0; i < m->parts.n_clocks; i++) {
        char path[path_max];
        uint64_t khz = 0;
        (void)snprintf(path, sizeof path, "%s/devices/system/cpu/cpu%d/cpufreq/scaling_cur_freq", m->sys,
                       m->parts.clocks[i]);
        struct tare_machine_value hz = {.ok = tare_sysfile_u64(path, &khz) == 0, .v = (double)khz * 1000};
        take(&m->clock_hz, hz);
    }
}

static void machine_sample(void *self)
{
    struct machine *m = self;
    struct tare_machine_value load, runnable;
    take(&m->temperature, tare_machine_temperature(m->sys, &m->parts));
    read_clocks(m);
    read_load(m, &load, &runnable);
    take(&m->runnable, runnable);
}

static int machine_open(void *self, struct tare_err *err)
{
    struct machine *m = self;
    if (!m->sys || !m->proc || strlen(m->sys) > 200 || strlen(m->proc) > 200) {
        return tare_err_set(err, TARE_E_ENVIRONMENT, "sys and proc have to be folders of 200 bytes at most");
    }
    if (!tare_machine_ticks(m->proc).ok) {
        return tare_err_set(err, TARE_E_ENVIRONMENT, "%s/stat cannot be read: is /proc mounted?", m->proc);
    }
    return tare_machine_find(m->sys, &m->parts, err);
}

static void machine_attach(void *self, int64_t pid)
{
    ((struct machine *)self)->pid = pid;
}

static void machine_begin(void *self)
{
    struct machine *m = self;
    struct tare_machine_value runnable;
    memset(&m->temperature, 0, sizeof m->temperature);
    memset(&m->clock_hz, 0, sizeof m->clock_hz);
    memset(&m->runnable, 0, sizeof m->runnable);
    read_load(m, &m->load, &runnable);
    m->on_battery = tare_machine_battery(m->sys, &m->parts);
    machine_sample(m);
    read_edge(m, &m->begin);
}

struct writer {
    struct tare_readings *to;
    const char *scope, *source;
};

static void add(const struct writer *w, const char *name, const char *unit, double value, const char *why)
{
    struct tare_reading reading = {.name = name,
                                   .unit = unit,
                                   .scope = w->scope,
                                   .source = w->source,
                                   .kind = TARE_KIND_MEASURED,
                                   .absent = why != NULL,
                                   .value = why ? 0 : value,
                                   .why = why};
    w->to->add(w->to, &reading);
}

/* What a counter went up by; one that went back was set anew and says nothing. */
static void add_delta(const struct writer *w, const char *name, const char *unit,
                      struct tare_machine_value from, struct tare_machine_value to, const char *unread)
{
    const char *why = !from.ok || !to.ok ? unread : to.v < from.v ? "the counter went back" : NULL;
    add(w, name, unit, to.v - from.v, why);
}

static void add_heat(const struct machine *m, const struct edge *e, struct tare_readings *to)
{
    static const char *const none =
        "no thermal_throttle counts: not an Intel processor, or a guest; watch frequency_mean";
    static const char *const no_sensor = "no x86_pkg_temp zone and no coretemp or k10temp chip: load the "
                                         "driver (modprobe coretemp or k10temp); "
                                         "a guest has none";
    struct writer w = {to, "node", "/sys/devices/system/cpu/cpu*/thermal_throttle"};
    add_delta(&w, "throttle_core", "1", m->begin.throttle_core, e->throttle_core, none);
    add_delta(&w, "throttle_package", "1", m->begin.throttle_package, e->throttle_package, none);
    w = (struct writer){to, "package", "hottest of /sys/class/thermal x86_pkg_temp, else coretemp, k10temp"};
    const char *why = m->temperature.n ? NULL : no_sensor;
    add(&w, "temperature_begin", "degC", m->temperature.first, why);
    add(&w, "temperature_end", "degC", m->temperature.last, why);
    add(&w, "temperature_max", "degC", m->temperature.most, why);
}

static void add_clocks(const struct machine *m, struct tare_readings *to)
{
    struct writer w = {to, "node", "cpufreq/scaling_cur_freq of 16 processors at most, sampled"};
    const char *why = m->clock_hz.n ? NULL : "no cpufreq driver: the clock cannot be read, as in most guests";
    add(&w, "frequency_mean", "Hz", m->clock_hz.n ? m->clock_hz.sum / (double)m->clock_hz.n : 0, why);
    add(&w, "frequency_min", "Hz", m->clock_hz.least, why);
}

static void add_pressure(const struct machine *m, const struct edge *e, struct tare_readings *to)
{
    static const char *const some[n_pressures] = {"psi_cpu_some", "psi_memory_some", "psi_io_some"};
    static const char *const full[n_pressures] = {"psi_cpu_full", "psi_memory_full", "psi_io_full"};
    static const char *const unread = "not in /proc/pressure: Linux 4.20 or newer, booted with psi=1, has it";
    struct writer w = {to, "node", "/proc/pressure, total"};
    for (size_t i = 0; i < n_pressures; i++) {
        add_delta(&w, some[i], "us", m->begin.some[i], e->some[i], unread);
        add_delta(&w, full[i], "us", m->begin.full[i], e->full[i], unread);
    }
    w.source = "/proc/vmstat pswpin, pswpout";
    add_delta(&w, "swap_in_pages", "1", m->begin.swap_in, e->swap_in, "not in /proc/vmstat");
    add_delta(&w, "swap_out_pages", "1", m->begin.swap_out, e->swap_out, "not in /proc/vmstat");
}

static void add_load(const struct machine *m, struct tare_readings *to)
{
    struct writer w = {to, "node", "/proc/loadavg"};
    const char *why = m->load.ok ? NULL : "/proc/loadavg cannot be read";
    add(&w, "load_average", "1", m->load.v, why);
    why = m->runnable.n ? NULL : "/proc/loadavg cannot be read";
    w.source = "/proc/loadavg, sampled, less the reader";
    add(&w, "runnable_threads_mean", "1", m->runnable.n ? m->runnable.sum / (double)m->runnable.n : 0, why);
    add(&w, "runnable_threads_max", "1", m->runnable.most, why);
}

static void add_shares(const struct machine *m, const struct edge *e, struct tare_readings *to)
{
    const struct edge *b = &m->begin;
    struct writer w = {to, "node", "/proc/stat, less the process that is measured and our own"};
    double total = e->ticks.total - b->ticks.total, busy = e->ticks.busy - b->ticks.busy;
    double ours = e->worker.v - b->worker.v + e->own.v - b->own.v;
    const char *why = !b->ticks.ok || !e->ticks.ok ? "/proc/stat cannot be read"
                      : total < (double)min_ticks_per_cpu * (double)sysconf(_SC_NPROCESSORS_ONLN)
                          ? "the phase is shorter than half a second"
                          : NULL;
    double scale = total > 0 ? 100 / total : 0;
    add(&w, "node_steal", "%", (e->ticks.steal - b->ticks.steal) * scale, why);
    why = why                               ? why
          : b->pid == 0 || b->pid != e->pid ? "no process was measured all the time"
          : !b->worker.ok || !e->worker.ok || !b->own.ok || !e->own.ok
              ? "the process ended before it was read"
              : NULL;
    add(&w, "node_foreign_cpu", "%", busy > ours ? (busy - ours) * scale : 0, why);
}

static void add_clock(const struct machine *m, const struct edge *e, struct tare_readings *to)
{
    struct writer w = {to, "node", "CLOCK_REALTIME less CLOCK_MONOTONIC, begin to end"};
    add(&w, "clock_step", "s",
        tare_machine_clock_step(m->begin.clock_offset_ns, e->clock_offset_ns, e->now_ns - m->begin.now_ns),
        NULL);
    struct tare_machine_value own = tare_machine_clocksource(m->sys);
    w.source = "/sys/devices/system/clocksource: tsc or an architected timer";
    add(&w, "clocksource_ok", "1", own.v, own.ok ? NULL : "the kernel does not name its clock source");
    struct tare_machine_value battery = tare_machine_battery(m->sys, &m->parts);
    w.source = "/sys/class/power_supply: a battery is discharging, at the begin or the end";
    add(&w, "on_battery", "1", fmax(battery.v, m->on_battery.v),
        battery.ok && m->on_battery.ok ? NULL : "the kernel shows no power supplies");
}

static void machine_end(void *self, struct tare_readings *to)
{
    struct machine *m = self;
    struct edge e;
    read_edge(m, &e); /* before the samples: the counters' window ends here */
    machine_sample(m);
    add_heat(m, &e, to);
    add_clocks(m, to);
    add_pressure(m, &e, to);
    add_load(m, to);
    add_shares(m, &e, to);
    add_clock(m, &e, to);
}

static double machine_temperature_c(void *self)
{
    struct machine *m = self;
    struct tare_machine_value hottest = tare_machine_temperature(m->sys, &m->parts);
    return hottest.ok ? hottest.v : (double)NAN;
}

#define MEMBER(member_, def_, help_)                                                                      \
    {                                                                                                     \
        .name = #member_, .type = TARE_OPT_STR, .offset = offsetof(struct machine, member_), .def = def_, \
        .help = help_                                                                                     \
    }

static const struct tare_opt options[] = {MEMBER(sys, "/sys", "where sysfs is mounted"),
                                          MEMBER(proc, "/proc", "where procfs is mounted"), TARE_OPT_END};

const struct tare_meter tare_meter_machine = {.header = TARE_METER_HEADER,
                                              .name = "machine",
                                              .summary =
                                                  "heat, clock, pressure and other programs of the machine",
                                              .priv_size = sizeof(struct machine),
                                              .open = machine_open,
                                              .begin = machine_begin,
                                              .end = machine_end,
                                              .place = TARE_METER_OUTSIDE,
                                              .options = options,
                                              .sample = machine_sample,
                                              .attach = machine_attach,
                                              .period_ns = 500000000,
                                              .temperature_c = machine_temperature_c};
