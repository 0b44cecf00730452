/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a machine: found once, read with one open, read and close each. */
#include "machine.h"

#include "sysfile.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { path_max = 768 };

static const char cpu_folder[] = "devices/system/cpu";

static int cpu_file(const char *sys, int cpu, const char *file, uint64_t *out)
{
    char path[path_max];
    (void)snprintf(path, sizeof path, "%s/%s/cpu%d/%s", sys, cpu_folder, cpu, file);
    return tare_sysfile_u64(path, out);
}

static bool text_at(const char *sys, const char *a, const char *b, const char *c, char *text, size_t n_text)
{
    char path[path_max];
    (void)snprintf(path, sizeof path, "%s/%s/%s/%s", sys, a, b, c);
    return tare_sysfile_text(path, text, n_text) == 0 && text[0] != '\0';
}

struct cpu {
    int number;
    uint64_t package, core; /* both 0 where the kernel does not tell; then every processor is its own */
    bool told;
};

static int compare_cpus(const void *a, const void *b)
{
    int x = ((const struct cpu *)a)->number, y = ((const struct cpu *)b)->number;
    return (x > y) - (x < y);
}

/* The folders cpu0, cpu1, ..., in order. */
static size_t list_cpus(const char *sys, struct cpu *out)
{
    char path[path_max];
    size_t n = 0;
    (void)snprintf(path, sizeof path, "%s/%s", sys, cpu_folder);
    DIR *folder = opendir(path);
    for (struct dirent *e; folder && n < TARE_MACHINE_CPUS && (e = readdir(folder)) != NULL;) {
        struct cpu c = {0};
        int length = 0;
        if (sscanf(e->d_name, "cpu%d%n", &c.number, &length) != 1 || e->d_name[length] != '\0') {
            continue;
        }
        c.told = cpu_file(sys, c.number, "topology/physical_package_id", &c.package) == 0 &&
                 cpu_file(sys, c.number, "topology/core_id", &c.core) == 0;
        out[n++] = c;
    }
    if (folder) {
        (void)closedir(folder);
    }
    qsort(out, n, sizeof *out, compare_cpus);
    return n;
}

/* Is this the first processor of its core (or package)? Threads of a core show one counter. */
static bool is_first(const struct cpu *list, size_t i, bool of_core)
{
    for (size_t j = 0; j < i; j++) {
        if (list[i].told && list[j].told && list[j].package == list[i].package &&
            (!of_core || list[j].core == list[i].core)) {
            return false;
        }
    }
    return true;
}

static void find_cpus(const char *sys, struct cpu *list, struct tare_machine_parts *out)
{
    size_t n = list_cpus(sys, list), n_clocked = 0;
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++) {
        if (is_first(list, i, true) &&
            cpu_file(sys, list[i].number, "thermal_throttle/core_throttle_count", &value) == 0) {
            out->cores[out->n_cores++] = list[i].number;
        }
        if (is_first(list, i, false) &&
            cpu_file(sys, list[i].number, "thermal_throttle/package_throttle_count", &value) == 0) {
            out->packages[out->n_packages++] = list[i].number;
        }
    }
    for (size_t i = 0; i < n; i++) { /* from here on the list is that of the processors with a clock */
        if (cpu_file(sys, list[i].number, "cpufreq/scaling_cur_freq", &value) == 0) {
            list[n_clocked++] = list[i];
        }
    }
    out->n_clocks = n_clocked < TARE_MACHINE_CLOCKS ? n_clocked : TARE_MACHINE_CLOCKS;
    for (size_t i = 0; i < out->n_clocks; i++) {
        out->clocks[i] = list[i * n_clocked / out->n_clocks].number;
    }
}

typedef void (*entry_fn)(const char *sys, const char *name, struct tare_machine_parts *out);

static bool each_entry(const char *sys, const char *path, entry_fn fn, struct tare_machine_parts *out)
{
    char full[path_max];
    (void)snprintf(full, sizeof full, "%s/%s", sys, path);
    DIR *folder = opendir(full);
    for (struct dirent *e; folder && (e = readdir(folder)) != NULL;) {
        if (e->d_name[0] != '.' && strlen(e->d_name) < 64) {
            fn(sys, e->d_name, out);
        }
    }
    return folder && closedir(folder) == 0;
}

static void see_zone(const char *sys, const char *name, struct tare_machine_parts *out)
{
    char type[64];
    if (out->n_sensors < TARE_MACHINE_SENSORS &&
        text_at(sys, "class/thermal", name, "type", type, sizeof type) && strcmp(type, "x86_pkg_temp") == 0) {
        (void)snprintf(out->sensors[out->n_sensors++], TARE_MACHINE_PATH, "class/thermal/%.64s/temp", name);
    }
}

/* The first input of a processor's chip is its package. */
static void see_chip(const char *sys, const char *name, struct tare_machine_parts *out)
{
    char chip[64], value[32];
    if (out->n_sensors < TARE_MACHINE_SENSORS &&
        text_at(sys, "class/hwmon", name, "name", chip, sizeof chip) &&
        (strcmp(chip, "coretemp") == 0 || strcmp(chip, "k10temp") == 0) &&
        text_at(sys, "class/hwmon", name, "temp1_input", value, sizeof value)) {
        (void)snprintf(out->sensors[out->n_sensors++], TARE_MACHINE_PATH, "class/hwmon/%.64s/temp1_input",
                       name);
    }
}

static void see_supply(const char *sys, const char *name, struct tare_machine_parts *out)
{
    char type[32], scope[32] = "";
    if (out->n_batteries < TARE_MACHINE_SUPPLIES &&
        text_at(sys, "class/power_supply", name, "type", type, sizeof type) && strcmp(type, "Battery") == 0) {
        (void)text_at(sys, "class/power_supply", name, "scope", scope, sizeof scope);
        if (strcmp(scope, "Device") != 0) {
            (void)snprintf(out->batteries[out->n_batteries++], TARE_MACHINE_PATH,
                           "class/power_supply/%.64s/status", name);
        }
    }
}

int tare_machine_find(const char *sys, struct tare_machine_parts *out, struct tare_err *err)
{
    struct cpu *list = calloc(TARE_MACHINE_CPUS, sizeof *list);
    if (!list) {
        return tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    memset(out, 0, sizeof *out);
    find_cpus(sys, list, out);
    free(list);
    (void)each_entry(sys, "class/thermal", see_zone, out);
    if (out->n_sensors == 0) {
        (void)each_entry(sys, "class/hwmon", see_chip, out);
    }
    out->knows_supplies = each_entry(sys, "class/power_supply", see_supply, out);
    return 0;
}

struct tare_machine_value tare_machine_throttle(const char *sys, const int *cpus, size_t n, const char *count)
{
    struct tare_machine_value sum = {.ok = n > 0};
    for (size_t i = 0; sum.ok && i < n; i++) {
        uint64_t value = 0;
        sum.ok = cpu_file(sys, cpus[i], count, &value) == 0;
        sum.v += (double)value;
    }
    return sum;
}

struct tare_machine_value tare_machine_temperature(const char *sys, const struct tare_machine_parts *parts)
{
    struct tare_machine_value hottest = {.ok = false};
    for (size_t i = 0; i < parts->n_sensors; i++) {
        char path[path_max];
        int64_t value = 0;
        (void)snprintf(path, sizeof path, "%s/%s", sys, parts->sensors[i]);
        if (tare_sysfile_i64(path, &value) == 0) {
            double degrees = (double)value / 1000;
            hottest.v = hottest.ok ? fmax(hottest.v, degrees) : degrees;
            hottest.ok = true;
        }
    }
    return hottest;
}

struct tare_machine_value tare_machine_battery(const char *sys, const struct tare_machine_parts *parts)
{
    struct tare_machine_value used = {.ok = parts->knows_supplies};
    for (size_t i = 0; used.ok && i < parts->n_batteries; i++) {
        char path[path_max], status[32];
        (void)snprintf(path, sizeof path, "%s/%s", sys, parts->batteries[i]);
        used.ok = tare_sysfile_text(path, status, sizeof status) == 0;
        used.v = strcmp(status, "Discharging") == 0 ? 1 : used.v;
    }
    return used;
}

struct tare_machine_value tare_machine_clocksource(const char *sys)
{
    static const char *const good[] = {"tsc", "arch_sys_counter", "riscv_clocksource", "timebase"};
    char path[path_max], name[64];
    struct tare_machine_value own = {.ok = false};
    (void)snprintf(path, sizeof path, "%s/devices/system/clocksource/clocksource0/current_clocksource", sys);
    own.ok = tare_sysfile_text(path, name, sizeof name) == 0 && name[0] != '\0';
    for (size_t i = 0; own.ok && i < sizeof good / sizeof *good; i++) {
        own.v = strcmp(name, good[i]) == 0 ? 1 : own.v;
    }
    return own;
}

/* user nice system idle iowait irq softirq steal; guest time is in user. */
struct tare_machine_ticks tare_machine_ticks(const char *proc)
{
    struct tare_machine_ticks t = {.ok = false};
    char path[path_max], text[512];
    double v[8] = {0};
    (void)snprintf(path, sizeof path, "%s/stat", proc);
    if (tare_sysfile_text(path, text, sizeof text) < 0 ||
        sscanf(text, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6],
               &v[7]) < 8) {
        return t;
    }
    t.busy = v[0] + v[1] + v[2] + v[5] + v[6];
    t.steal = v[7];
    t.total = t.busy + v[3] + v[4] + v[7];
    t.ok = true;
    return t;
}

/* utime, stime and those of waited-for children: the 12th to 15th number behind the command's name. */
static bool add_process(const char *proc, const char *process, bool with_children, double *sum)
{
    char path[path_max], text[1024];
    double user = 0, system = 0, child_user = 0, child_system = 0;
    (void)snprintf(path, sizeof path, "%s/%s/stat", proc, process);
    if (tare_sysfile_text(path, text, sizeof text) < 0) {
        return false;
    }
    const char *at = strrchr(text, ')');
    if (!at || sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lf %lf %lf %lf", &user, &system,
                      &child_user, &child_system) != 4) {
        return false;
    }
    *sum += user + system + (with_children ? child_user + child_system : 0);
    return true;
}

/* Appends the children of a process' first thread; the file is there if the kernel was built so. */
static size_t add_children(const char *proc, int64_t pid, int64_t *list, size_t n, size_t most)
{
    char path[path_max], text[1024], *end = NULL;
    (void)snprintf(path, sizeof path, "%s/%lld/task/%lld/children", proc, (long long)pid, (long long)pid);
    if (tare_sysfile_text(path, text, sizeof text) < 0) {
        return n;
    }
    for (const char *at = text; n < most; at = end) {
        long long child = strtoll(at, &end, 10);
        if (end == at) {
            break;
        }
        list[n++] = child;
    }
    return n;
}

struct tare_machine_value tare_machine_process(const char *proc, int64_t pid)
{
    enum { most = 64 };
    int64_t list[most] = {pid};
    size_t n = pid > 0;
    struct tare_machine_value sum = {.ok = true};
    for (size_t i = 0; i < n; i++) {
        char process[24];
        (void)snprintf(process, sizeof process, "%lld", (long long)list[i]);
        bool read = add_process(proc, process, true, &sum.v);
        sum.ok = sum.ok && (read || i > 0); /* a child may have ended meanwhile */
        n = read ? add_children(proc, list[i], list, n, most) : n;
    }
    return sum;
}

struct tare_machine_value tare_machine_self(const char *proc)
{
    struct tare_machine_value own = {.ok = false};
    own.ok = add_process(proc, "self", false, &own.v);
    return own;
}

static int64_t read_ns(clockid_t clock)
{
    struct timespec t;
    (void)clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t tare_machine_clock_offset(void)
{
    enum { tries = 5, good_ns = 1000 };
    int64_t best_ns = INT64_MAX, offset_ns = 0;
    for (int i = 0; i < tries && best_ns > good_ns; i++) {
        int64_t before_ns = read_ns(CLOCK_MONOTONIC);
        int64_t wall_ns = read_ns(CLOCK_REALTIME);
        int64_t after_ns = read_ns(CLOCK_MONOTONIC);
        if (after_ns - before_ns < best_ns) {
            best_ns = after_ns - before_ns;
            offset_ns = wall_ns - before_ns - best_ns / 2;
        }
    }
    return offset_ns;
}

double tare_machine_clock_step(int64_t begin_offset_ns, int64_t end_offset_ns, int64_t window_ns)
{
    double moved_ns = (double)(end_offset_ns - begin_offset_ns);
    double allowed_ns = 1e6 + 500e-6 * (double)window_ns;
    return fabs(moved_ns) > allowed_ns ? moved_ns / 1e9 : 0;
}
