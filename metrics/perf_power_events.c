/* SPDX-License-Identifier: Apache-2.0 */
/* Reads /sys/bus/event_source/devices/power*, and the topology that tells which package a CPU is of. */
#include "perf_power_events.h"

#include "cpuinfo.h"
#include "joules.h"
#include "sysfile.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { cpus_max = 1024 };

/* What an event covers; Linux, arch/x86/events/rapl.c. */
static const struct {
    const char *device, *event, *scope;
} known[] = {
    {"power", "energy-pkg", "package"}, {"power", "energy-ram", "dram"},
    {"power", "energy-cores", "core"},  {"power", "energy-gpu", "uncore"},
    {"power", "energy-psys", "psys"},   {"power_core", "energy-core", "core"},
};

/* The number at *at; moves behind it. -1: none, or absurd. */
static long take_cpu(const char **at)
{
    char *end = NULL;
    long value = **at >= '0' && **at <= '9' ? strtol(*at, &end, 10) : -1;
    *at = end ? end : *at;
    return value > 1000000 ? -1 : value;
}

int tare_perf_cpus(const char *text, int *cpus, size_t n)
{
    size_t count = 0;
    for (const char *at = text;;) {
        long first = take_cpu(&at), last = first;
        if (*at == '-') {
            at++;
            last = take_cpu(&at);
        }
        if (first < 0 || last < first || (size_t)(last - first) >= n - count) {
            return -EINVAL;
        }
        for (long cpu = first; cpu <= last; cpu++) {
            cpus[count++] = (int)cpu;
        }
        if (*at != ',') {
            return *at == '\0' || *at == '\n' ? (int)count : -EINVAL;
        }
        at++;
    }
}

bool tare_perf_config(const char *text, uint64_t *config)
{
    const char *value = strncmp(text, "event=", 6) == 0    ? text + 6
                        : strncmp(text, "config=", 7) == 0 ? text + 7
                                                           : "";
    char *end = NULL;
    if (value[0] < '0' || value[0] > '9') {
        return false;
    }
    errno = 0;
    unsigned long long got = strtoull(value, &end, 0);
    if (errno != 0 || *end != '\0') {
        return false;
    }
    *config = got;
    return true;
}

static int64_t topology(const char *root, int cpu, const char *file)
{
    char path[256];
    int64_t value = 0;
    (void)snprintf(path, sizeof path, "%.150s/devices/system/cpu/cpu%d/topology/%s", root, cpu, file);
    return tare_sysfile_i64(path, &value) == 0 && value >= 0 && value < 100000 ? value : -1;
}

/* package_0, package_0_die_1, or cpu_24 where the topology is not told. */
static void place_of(const char *root, int cpu, bool by_die, char *to, size_t n_to)
{
    int64_t package = topology(root, cpu, "physical_package_id"), die = topology(root, cpu, "die_id");
    if (package < 0) {
        (void)snprintf(to, n_to, "cpu_%d", cpu);
    } else if (die <= 0 || !by_die) {
        (void)snprintf(to, n_to, "package_%d", (int)package);
    } else {
        (void)snprintf(to, n_to, "package_%d_die_%d", (int)package, (int)die);
    }
}

static bool same_place(const char *root, int a, int b, const char *const *files)
{
    for (; *files; files++) {
        int64_t x = topology(root, a, *files), y = topology(root, b, *files);
        if (x < 0 ? a != b : x != y) {
            return false;
        }
    }
    return true;
}

/* What one event of a device counts. */
enum span { SPAN_PACKAGE, SPAN_DIE, SPAN_CORE };

/* A second CPU of the same package, die or core shows the same counter. */
static bool is_repeated(const char *root, const int *cpus, int i, enum span span)
{
    static const char *const package[] = {"physical_package_id", NULL};
    static const char *const die[] = {"physical_package_id", "die_id", NULL};
    static const char *const core[] = {"physical_package_id", "die_id", "core_id", NULL};
    static const char *const core_only[] = {"physical_package_id", "core_id", NULL};
    for (int k = 0; k < i; k++) {
        bool has_die = topology(root, cpus[k], "die_id") >= 0;
        const char *const *files = span == SPAN_CORE             ? (has_die ? core : core_only)
                                   : span == SPAN_DIE && has_die ? die
                                                                 : package;
        if (same_place(root, cpus[k], cpus[i], files)) {
            return true;
        }
    }
    return false;
}

struct device {
    const char *root, *name;
    char dir[256];
    enum span span;
    uint32_t type;
    int n_cpus, cpus[cpus_max];
};

static int read_device(struct device *d, struct tare_err *err)
{
    char path[320], text[4096];
    uint64_t type = 0;
    (void)snprintf(d->dir, sizeof d->dir, "%.150s/bus/event_source/devices/%s", d->root, d->name);
    (void)snprintf(path, sizeof path, "%s/type", d->dir);
    int r = tare_sysfile_u64(path, &type);
    if (r < 0) {
        return tare_err_set(err, TARE_E_ENVIRONMENT, "%s: %s: the kernel has no perf events of energy here",
                            path, strerror(-r));
    }
    d->type = (uint32_t)type;
    (void)snprintf(path, sizeof path, "%s/cpumask", d->dir);
    r = tare_sysfile_text(path, text, sizeof text);
    d->n_cpus = r < 0 ? r : tare_perf_cpus(text, d->cpus, cpus_max);
    return d->n_cpus > 0
               ? 0
               : tare_err_set(err, TARE_E_ENVIRONMENT,
                              "%s: no list of CPUs: without it each package would be counted once a "
                              "CPU",
                              path);
}

/* An event's file and those beside it; false if one of them is not as it should be. */
static bool read_event(const struct device *d, const char *event, uint64_t *config, double *scale)
{
    char path[320], text[64], *end = NULL;
    (void)snprintf(path, sizeof path, "%s/events/%s", d->dir, event);
    if (tare_sysfile_text(path, text, sizeof text) < 0 || !tare_perf_config(text, config)) {
        return false;
    }
    (void)snprintf(path, sizeof path, "%s/events/%s.unit", d->dir, event);
    if (tare_sysfile_text(path, text, sizeof text) < 0 || strcmp(text, "Joules") != 0) {
        return false;
    }
    (void)snprintf(path, sizeof path, "%s/events/%s.scale", d->dir, event);
    if (tare_sysfile_text(path, text, sizeof text) < 0) {
        return false;
    }
    *scale = strtod(text, &end);
    return end != text && *scale > 0 && *scale < 1;
}

static void add_event(struct tare_perf_events *events, const struct device *d, size_t k, int i,
                      const struct tare_perf_event *like)
{
    struct tare_perf_event *e = &events->list[events->n];
    char place[28];
    *e = *like;
    e->cpu = d->cpus[i];
    place_of(d->root, e->cpu, d->span == SPAN_DIE, place, sizeof place);
    bool is_package = strcmp(known[k].scope, "package") == 0;
    (void)snprintf(e->channel, sizeof e->channel, "%s%s%s", place, is_package ? "" : "_",
                   is_package ? "" : known[k].scope);
    (void)snprintf(e->source, sizeof e->source, "perf %s/%s", d->name, known[k].event);
    events->n++;
}

static void add_events(struct tare_perf_events *events, const struct device *d)
{
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        struct tare_perf_event like = {.type = d->type, .scope = known[k].scope};
        if (strcmp(known[k].device, d->name) != 0 ||
            !read_event(d, known[k].event, &like.config, &like.scale)) {
            continue;
        }
        for (int i = 0; i < d->n_cpus && events->n < tare_perf_events_max; i++) {
            if (!is_repeated(d->root, d->cpus, i, d->span)) {
                add_event(events, d, k, i, &like);
            }
        }
    }
}

/* The kernel has named a CPU of every die, while a package of AMD has one counter for all of its dies (Linux,
 * commit "perf/x86/rapl: Fix the energy-pkg event for AMD CPUs"): counted by die, its joules would be there
 * once a die. */
int tare_perf_events_find(const char *root, const char *cpuinfo, struct tare_perf_events *events,
                          struct tare_err *err)
{
    struct tare_cpuinfo cpu;
    tare_cpuinfo_read(cpuinfo, &cpu);
    struct device d = {.root = root, .name = "power", .span = cpu.is_amd ? SPAN_PACKAGE : SPAN_DIE};
    struct tare_err fault = {0};
    events->n = 0;
    int r = read_device(&d, &fault);
    if (r == 0) {
        add_events(events, &d);
    }
    struct device cores = {.root = root, .name = "power_core", .span = SPAN_CORE};
    if (read_device(&cores, NULL) == 0) {
        add_events(events, &cores);
    }
    if (events->n == tare_perf_events_max) {
        return tare_err_set(err, TARE_E_LIMIT, "more than %d events of energy", tare_perf_events_max);
    }
    return events->n > 0 ? 0
           : r < 0       ? tare_err_set(err, r, "%s", fault.msg)
                         : tare_err_set(err, TARE_E_ENVIRONMENT,
                                        "%s/events has no event of energy with a scale in Joules", d.dir);
}
