/* SPDX-License-Identifier: Apache-2.0 */
/* Mostly one line of one file each; the rest is in environment_scan.c and environment_self.c. */
#include "core/environment.h"

#include "base/buf.h"
#include "config.h"
#include "core/environment_scan.h"
#include "tare_commit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { PROC = 0, SYS };
enum { STATE = 1, SETTING = 2 }; /* changes by itself; must not change in a run */

struct file_key {
    const char *key;
    int root;
    const char *path;
    const char *field; /* "model name" of a "name : value" file; NULL: the first line */
    int sort;
};

#define CPU0 "devices/system/cpu/cpu0/"

static const struct file_key file_keys[] = {
    {"cpu.model", PROC, "cpuinfo", "model name", 0},
    {"cpu.vendor", PROC, "cpuinfo", "vendor_id", 0},
    {"cpu.family", PROC, "cpuinfo", "cpu family", 0},
    {"cpu.model_number", PROC, "cpuinfo", "model\t", 0},
    {"cpu.stepping", PROC, "cpuinfo", "stepping", 0},
    {"cpu.microcode", PROC, "cpuinfo", "microcode", SETTING},
    {"cpu.governor", SYS, CPU0 "cpufreq/scaling_governor", NULL, SETTING},
    {"cpu.driver", SYS, CPU0 "cpufreq/scaling_driver", NULL, SETTING},
    {"cpu.energy_preference", SYS, CPU0 "cpufreq/energy_performance_preference", NULL, SETTING},
    {"cpu.max_khz", SYS, CPU0 "cpufreq/cpuinfo_max_freq", NULL, 0},
    {"cpu.min_khz", SYS, CPU0 "cpufreq/cpuinfo_min_freq", NULL, 0},
    {"cpu.scaling_max_khz", SYS, CPU0 "cpufreq/scaling_max_freq", NULL, SETTING},
    {"cpu.scaling_min_khz", SYS, CPU0 "cpufreq/scaling_min_freq", NULL, SETTING},
    {"cpu.current_khz", SYS, CPU0 "cpufreq/scaling_cur_freq", NULL, STATE},
    {"cpu.smt", SYS, "devices/system/cpu/smt/control", NULL, SETTING},
    {"cpu.smt_active", SYS, "devices/system/cpu/smt/active", NULL, SETTING},
    {"cpu.no_turbo", SYS, "devices/system/cpu/intel_pstate/no_turbo", NULL, SETTING},
    {"cpu.boost", SYS, "devices/system/cpu/cpufreq/boost", NULL, SETTING},
    {"cpu.isolated", SYS, "devices/system/cpu/isolated", NULL, 0},
    {"cpu.nohz_full", SYS, "devices/system/cpu/nohz_full", NULL, 0},
    {"numa.nodes", SYS, "devices/system/node/online", NULL, 0},
    {"numa.balancing", PROC, "sys/kernel/numa_balancing", NULL, SETTING},
    {"memory.total", PROC, "meminfo", "MemTotal", 0},
    {"memory.available", PROC, "meminfo", "MemAvailable", STATE},
    {"memory.swap_total", PROC, "meminfo", "SwapTotal", 0},
    {"memory.swap_free", PROC, "meminfo", "SwapFree", STATE},
    {"memory.swappiness", PROC, "sys/vm/swappiness", NULL, 0},
    {"memory.overcommit", PROC, "sys/vm/overcommit_memory", NULL, 0},
    {"memory.thp", SYS, "kernel/mm/transparent_hugepage/enabled", NULL, SETTING},
    {"memory.thp_defrag", SYS, "kernel/mm/transparent_hugepage/defrag", NULL, SETTING},
    {"kernel.aslr", PROC, "sys/kernel/randomize_va_space", NULL, SETTING},
    {"kernel.clocksource", SYS, "devices/system/clocksource/clocksource0/current_clocksource", NULL, SETTING},
    {"kernel.clocksources", SYS, "devices/system/clocksource/clocksource0/available_clocksource", NULL, 0},
    {"kernel.autogroup", PROC, "sys/kernel/sched_autogroup_enabled", NULL, 0},
    {"kernel.perf_paranoid", PROC, "sys/kernel/perf_event_paranoid", NULL, 0},
    {"kernel.uptime", PROC, "uptime", NULL, STATE},
    {"load.average", PROC, "loadavg", NULL, STATE},
    {"pressure.cpu", PROC, "pressure/cpu", NULL, STATE},
    {"pressure.memory", PROC, "pressure/memory", NULL, STATE},
    {"pressure.io", PROC, "pressure/io", NULL, STATE},
    {"power.profile", SYS, "firmware/acpi/platform_profile", NULL, SETTING},
    {"machine.vendor", SYS, "class/dmi/id/sys_vendor", NULL, 0},
    {"machine.product", SYS, "class/dmi/id/product_name", NULL, 0},
    {"machine.board", SYS, "class/dmi/id/board_name", NULL, 0},
    {"machine.bios", SYS, "class/dmi/id/bios_version", NULL, 0},
};

/* Settings that are no line of a file. */
static const char *const other_settings[] = {"kernel.release", "cpu.affinity", "cpu.governors",
                                             "numa.policy"};

enum { n_file_keys = sizeof file_keys / sizeof *file_keys };

static const struct tare_environment_roots here = {"/proc", "/sys", "", "."};

int tare_walker_emit(struct tare_walker *w, const char *key, const char *value, const char *absent)
{
    bool there = value && *value;
    return w->fn(w->ctx, key, there ? value : NULL, there ? NULL : absent, w->err);
}

int tare_walker_emit_hashed(struct tare_walker *w, const char *key, const char *value, const char *absent)
{
    char hex[TARE_SHA256_HEX], text[32];
    if (!value || !*value) {
        return tare_walker_emit(w, key, NULL, absent);
    }
    int r = tare_sha256(value, strlen(value), hex, w->err);
    (void)snprintf(text, sizeof text, "sha256:%.16s", r == 0 ? hex : "");
    return r == 0 ? tare_walker_emit(w, key, text, NULL) : r;
}

bool tare_walker_text(const char *root, const char *path, char *text, size_t n_text)
{
    char full[1024];
    (void)snprintf(full, sizeof full, "%s/%s", root, path);
    FILE *file = fopen(full, "re");
    size_t n = file ? fread(text, 1, n_text - 1, file) : 0;
    if (file) {
        (void)fclose(file);
    }
    text[n] = '\0';
    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' ')) {
        text[--n] = '\0';
    }
    return n > 0;
}

/* The first line, or the value behind "field ... :". Ends at the newline. */
static char *pick(char *text, const char *field)
{
    char *at = text;
    if (field) {
        at = strstr(text, field);
        at = at ? strchr(at, ':') : NULL;
        at = at ? at + 1 + strspn(at + 1, " \t") : NULL;
    }
    if (at) {
        at[strcspn(at, "\n")] = '\0';
    }
    return at;
}

static int walk_file(struct tare_walker *w, const struct file_key *k)
{
    struct tare_buf buf, path;
    struct tare_err fault = {0};
    tare_buf_init(&buf, 4 << 20);
    tare_buf_init(&path, 4096);
    tare_buf_printf(&path, "%s/%s", k->root == PROC ? w->roots->proc : w->roots->sys, k->path);
    const char *value = NULL, *absent = NULL;
    if (tare_buf_read_file(&buf, tare_buf_str(&path), &fault) < 0) {
        absent = fault.msg;
    } else {
        tare_buf_add(&buf, "", 0);
        value = buf.data ? pick(buf.data, k->field) : NULL;
        absent = value ? NULL : "not in the file";
        value = value && !*value ? "(empty)" : value; /* of a list of processors: none */
    }
    int r = w->fn(w->ctx, k->key, value, absent, w->err);
    tare_buf_fini(&path);
    tare_buf_fini(&buf);
    return r;
}

static int walk_files(struct tare_walker *w, int sort)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < n_file_keys; i++) {
        if (sort == 0 || (file_keys[i].sort & sort)) {
            r = walk_file(w, &file_keys[i]);
        }
    }
    return r;
}

static int walk_build(struct tare_walker *w)
{
    static const char *const pairs[][2] = {{"tare.version", TARE_VERSION},
                                           {"tare.compiler", TARE_COMPILER},
                                           {"tare.compiler_flags", TARE_COMPILER_FLAGS},
                                           {"tare.buildtype", TARE_BUILD_TYPE},
                                           {"tare.sanitize", TARE_SANITIZE}};
    char commit[64];
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof pairs / sizeof *pairs; i++) {
        r = w->fn(w->ctx, pairs[i][0], pairs[i][1], NULL, w->err);
    }
    (void)snprintf(commit, sizeof commit, "%.*s", (int)strcspn(TARE_COMMIT, "-"), TARE_COMMIT);
    bool known = strcmp(commit, "unknown") != 0;
    r = r == 0 ? tare_walker_emit(w, "tare.commit", commit, NULL) : r;
    return r == 0 ? tare_walker_emit(w, "tare.dirty",
                                     !known                          ? "unknown"
                                     : strstr(TARE_COMMIT, "-dirty") ? "yes"
                                                                     : "no",
                                     NULL)
                  : r;
}

static int walk_system(struct tare_walker *w)
{
    struct utsname u;
    char text[64];
    if (uname(&u) != 0) {
        return tare_err_set(w->err, TARE_E_ENVIRONMENT, "uname: %s", strerror(errno));
    }
    int r = tare_walker_emit(w, "kernel.release", u.release, NULL);
    r = r == 0 ? tare_walker_emit(w, "kernel.version", u.version, NULL) : r;
    r = r == 0 ? tare_walker_emit(w, "machine.arch", u.machine, NULL) : r;
    (void)snprintf(text, sizeof text, "%ld", sysconf(_SC_NPROCESSORS_ONLN));
    r = r == 0 ? tare_walker_emit(w, "cpu.online", text, NULL) : r;
    (void)snprintf(text, sizeof text, "%ld", sysconf(_SC_PAGESIZE));
    return r == 0 ? tare_walker_emit(w, "memory.page_bytes", text, NULL) : r;
}

/* "0.10 0.20 0.30 2/345 678": the running ones, with this one among them. */
static int walk_runnable(struct tare_walker *w)
{
    char text[128], value[32];
    int running = 0;
    bool read = tare_walker_text(w->roots->proc, "loadavg", text, sizeof text) &&
                sscanf(text, "%*s %*s %*s %d/", &running) == 1;
    (void)snprintf(value, sizeof value, "%d", running);
    return tare_walker_emit(w, "load.runnable", read ? value : NULL, "/proc/loadavg cannot be read");
}

typedef int (*walk_fn)(struct tare_walker *w);

static int walk_each(struct tare_walker *w, const walk_fn *list, size_t n)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < n; i++) {
        r = list[i](w);
    }
    return r;
}

int tare_environment_walk_at(const struct tare_environment_roots *roots, tare_environment_fn fn, void *ctx,
                             struct tare_err *err)
{
    static const walk_fn before[] = {walk_build, walk_system};
    static const walk_fn behind[] = {walk_runnable,        tare_walk_topology,    tare_walk_governors,
                                     tare_walk_isa,        tare_walk_throttling,  tare_walk_temperature,
                                     tare_walk_affinity,   tare_walk_mitigations, tare_walk_power_caps,
                                     tare_walk_hypervisor, tare_walk_container,   tare_walk_cgroup,
                                     tare_walk_cmdline,    tare_walk_irqbalance,  tare_walk_time,
                                     tare_walk_disk,       tare_walk_network,     tare_walk_identity};
    struct tare_walker w = {roots ? roots : &here, fn, ctx, err};
    int r = walk_each(&w, before, sizeof before / sizeof *before);
    r = r == 0 ? walk_files(&w, 0) : r;
    return r == 0 ? walk_each(&w, behind, sizeof behind / sizeof *behind) : r;
}

int tare_environment_walk(tare_environment_fn fn, void *ctx, struct tare_err *err)
{
    return tare_environment_walk_at(NULL, fn, ctx, err);
}

int tare_environment_state_walk(const struct tare_environment_roots *roots, tare_environment_fn fn, void *ctx,
                                struct tare_err *err)
{
    static const walk_fn more[] = {walk_runnable, tare_walk_throttling, tare_walk_temperature,
                                   tare_walk_time};
    struct tare_walker w = {roots ? roots : &here, fn, ctx, err};
    int r = walk_files(&w, STATE);
    return r == 0 ? walk_each(&w, more, sizeof more / sizeof *more) : r;
}

bool tare_environment_is_setting(const char *key, size_t n_key)
{
    for (size_t i = 0; i < sizeof other_settings / sizeof *other_settings; i++) {
        if (strlen(other_settings[i]) == n_key && strncmp(other_settings[i], key, n_key) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < n_file_keys; i++) {
        if ((file_keys[i].sort & SETTING) && strlen(file_keys[i].key) == n_key &&
            strncmp(file_keys[i].key, key, n_key) == 0) {
            return true;
        }
    }
    return false;
}

static int add_setting(void *ctx, const char *key, const char *value, const char *absent,
                       struct tare_err *err)
{
    (void)absent;
    (void)err;
    if (tare_environment_is_setting(key, strlen(key))) {
        tare_buf_printf(ctx, "%s=%s\n", key, value ? value : "(absent)");
    }
    return 0;
}

int tare_environment_fingerprint(const struct tare_environment_roots *roots, char out[TARE_SHA256_HEX],
                                 struct tare_err *err)
{
    static const walk_fn more[] = {walk_system, tare_walk_governors, tare_walk_affinity};
    struct tare_buf all;
    tare_buf_init(&all, 1 << 20);
    struct tare_walker w = {roots ? roots : &here, add_setting, &all, err};
    int r = walk_files(&w, SETTING);
    r = r == 0 ? walk_each(&w, more, sizeof more / sizeof *more) : r;
    r = r == 0 ? tare_buf_check(&all, "settings of the machine", err) : r;
    r = r == 0 ? tare_sha256(tare_buf_str(&all), all.used, out, err) : r;
    tare_buf_fini(&all);
    return r;
}
