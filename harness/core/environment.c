/* SPDX-License-Identifier: Apache-2.0 */
/* Mostly one line of one file each; the host's name is left out on purpose. */
#include "core/environment.h"

#include "base/buf.h"
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

struct file_key {
    const char *key;
    const char *path;
    const char *field; /* "model name" of a "name : value" file; NULL: the first line */
};

static const struct file_key file_keys[] = {
    {"cpu.model", "/proc/cpuinfo", "model name"},
    {"cpu.microcode", "/proc/cpuinfo", "microcode"},
    {"cpu.governor", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", NULL},
    {"cpu.max_khz", "/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq", NULL},
    {"cpu.smt", "/sys/devices/system/cpu/smt/control", NULL},
    {"cpu.no_turbo", "/sys/devices/system/cpu/intel_pstate/no_turbo", NULL},
    {"cpu.boost", "/sys/devices/system/cpu/cpufreq/boost", NULL},
    {"numa.nodes", "/sys/devices/system/node/online", NULL},
    {"memory.total", "/proc/meminfo", "MemTotal"},
    {"memory.swappiness", "/proc/sys/vm/swappiness", NULL},
    {"memory.thp", "/sys/kernel/mm/transparent_hugepage/enabled", NULL},
    {"kernel.aslr", "/proc/sys/kernel/randomize_va_space", NULL},
    {"kernel.clocksource", "/sys/devices/system/clocksource/clocksource0/current_clocksource", NULL},
    {"kernel.autogroup", "/proc/sys/kernel/sched_autogroup_enabled", NULL},
    {"load.average", "/proc/loadavg", NULL},
    {"pressure.cpu", "/proc/pressure/cpu", NULL},
    {"pressure.memory", "/proc/pressure/memory", NULL},
    {"hypervisor", "/sys/hypervisor/type", NULL},
    {"machine.product", "/sys/class/dmi/id/product_name", NULL},
};

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

static int walk_file(const struct file_key *k, tare_environment_fn fn, void *ctx, struct tare_err *err)
{
    struct tare_buf buf;
    struct tare_err fault = {0};
    tare_buf_init(&buf, 4 << 20);
    const char *value = NULL, *absent = NULL;
    if (tare_buf_read_file(&buf, k->path, &fault) < 0) {
        absent = fault.msg;
    } else {
        tare_buf_add(&buf, "", 0);
        value = buf.data ? pick(buf.data, k->field) : NULL;
        absent = value ? NULL : "not in the file";
    }
    int r = fn(ctx, k->key, value, absent, err);
    tare_buf_fini(&buf);
    return r;
}

static int walk_build(tare_environment_fn fn, void *ctx, struct tare_err *err)
{
    static const char *const pairs[][2] = {{"tare.version", TARE_VERSION},
                                           {"tare.compiler", TARE_COMPILER},
                                           {"tare.buildtype", TARE_BUILD_TYPE},
                                           {"tare.sanitize", TARE_SANITIZE}};
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof pairs / sizeof *pairs; i++) {
        r = fn(ctx, pairs[i][0], pairs[i][1], NULL, err);
    }
    return r;
}

static int walk_system(tare_environment_fn fn, void *ctx, struct tare_err *err)
{
    struct utsname u;
    char text[64];
    if (uname(&u) != 0) {
        return tare_err_set(err, TARE_E_ENVIRONMENT, "uname: %s", strerror(errno));
    }
    int r = fn(ctx, "kernel.release", u.release, NULL, err);
    r = r == 0 ? fn(ctx, "machine.arch", u.machine, NULL, err) : r;
    (void)snprintf(text, sizeof text, "%ld", sysconf(_SC_NPROCESSORS_ONLN));
    r = r == 0 ? fn(ctx, "cpu.online", text, NULL, err) : r;
    (void)snprintf(text, sizeof text, "%ld", sysconf(_SC_PAGESIZE));
    return r == 0 ? fn(ctx, "memory.page_bytes", text, NULL, err) : r;
}

int tare_environment_walk(tare_environment_fn fn, void *ctx, struct tare_err *err)
{
    int r = walk_build(fn, ctx, err);
    r = r == 0 ? walk_system(fn, ctx, err) : r;
    for (size_t i = 0; r == 0 && i < sizeof file_keys / sizeof *file_keys; i++) {
        r = walk_file(&file_keys[i], fn, ctx, err);
    }
    return r;
}
