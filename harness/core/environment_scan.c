/* SPDX-License-Identifier: Apache-2.0 */
/* Folders of /sys and /proc, each condensed into a few values. */
#include "core/environment_scan.h"

#include "base/buf.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { path_max = 600, cpus_max = 4096 };

/* Calls fn for every entry of a folder whose name begins with `prefix`. False: no such folder. */
typedef void (*entry_fn)(void *ctx, const char *folder, const char *name);

static bool each_entry(const char *root, const char *path, const char *prefix, entry_fn fn, void *ctx)
{
    char folder[path_max];
    struct dirent **list = NULL;
    (void)snprintf(folder, sizeof folder, "%s/%s", root, path);
    int n = scandir(folder, &list, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        if (list[i]->d_name[0] != '.' && strncmp(list[i]->d_name, prefix, strlen(prefix)) == 0) {
            fn(ctx, folder, list[i]->d_name);
        }
        free(list[i]);
    }
    free(list);
    return n >= 0;
}

static bool text_below(const char *folder, const char *name, const char *file, char *text, size_t n_text)
{
    char path[path_max];
    (void)snprintf(path, sizeof path, "%.255s/%.100s", name, file);
    return tare_walker_text(folder, path, text, n_text);
}

static bool number_below(const char *folder, const char *name, const char *file, long long *out)
{
    char text[64];
    return text_below(folder, name, file, text, sizeof text) && sscanf(text, "%lld", out) == 1;
}

static int emit_number(struct tare_walker *w, const char *key, long long value, const char *absent)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%lld", value);
    return tare_walker_emit(w, key, absent ? NULL : text, absent);
}

static void add_word(struct tare_buf *to, const char *word)
{
    tare_buf_printf(to, "%s%s", to->used ? ", " : "", word);
}

static bool is_cpu(const char *name)
{
    return name[3] >= '0' && name[3] <= '9';
}

/* Distinct (package, core) pairs, and packages. */
struct topology {
    size_t n_cores, n_sockets;
    long long cores[cpus_max], sockets[cpus_max];
};

static size_t add_distinct(long long *list, size_t n, long long value)
{
    for (size_t i = 0; i < n; i++) {
        if (list[i] == value) {
            return n;
        }
    }
    if (n < cpus_max) {
        list[n++] = value;
    }
    return n;
}

static void see_cpu(void *ctx, const char *folder, const char *name)
{
    struct topology *t = ctx;
    long long package = 0, core = 0;
    if (is_cpu(name) && number_below(folder, name, "topology/physical_package_id", &package) &&
        number_below(folder, name, "topology/core_id", &core)) {
        t->n_sockets = add_distinct(t->sockets, t->n_sockets, package);
        t->n_cores = add_distinct(t->cores, t->n_cores, package * 1000000 + core);
    }
}

static void see_cache(void *ctx, const char *folder, const char *name)
{
    char level[16], type[32], size[32], word[96];
    if (text_below(folder, name, "level", level, sizeof level) &&
        text_below(folder, name, "type", type, sizeof type) &&
        text_below(folder, name, "size", size, sizeof size)) {
        (void)snprintf(word, sizeof word, "L%s %s %s", level, type, size);
        add_word(ctx, word);
    }
}

int tare_walk_topology(struct tare_walker *w)
{
    struct topology *t = calloc(1, sizeof *t);
    struct tare_buf caches;
    if (!t) {
        return tare_err_set(w->err, TARE_E_NOMEM, "out of memory");
    }
    tare_buf_init(&caches, 4096);
    (void)each_entry(w->roots->sys, "devices/system/cpu", "cpu", see_cpu, t);
    (void)each_entry(w->roots->sys, "devices/system/cpu/cpu0/cache", "index", see_cache, &caches);
    const char *why = t->n_cores ? NULL : "no cpu*/topology in /sys/devices/system/cpu";
    int r = emit_number(w, "cpu.sockets", (long long)t->n_sockets, why);
    r = r == 0 ? emit_number(w, "cpu.cores", (long long)t->n_cores, why) : r;
    r = r == 0 ? tare_walker_emit(w, "cpu.caches", tare_buf_str(&caches), "no cpu0/cache in /sys") : r;
    tare_buf_fini(&caches);
    free(t);
    return r;
}

/* Governors that occur, in the order of the first processor that has each. */
static void see_governor(void *ctx, const char *folder, const char *name)
{
    char text[64];
    struct tare_buf *to = ctx;
    if (is_cpu(name) && text_below(folder, name, "cpufreq/scaling_governor", text, sizeof text) &&
        !strstr(tare_buf_str(to), text)) {
        add_word(to, text);
    }
}

int tare_walk_governors(struct tare_walker *w)
{
    struct tare_buf governors;
    tare_buf_init(&governors, 4096);
    (void)each_entry(w->roots->sys, "devices/system/cpu", "cpu", see_governor, &governors);
    int r = tare_walker_emit(w, "cpu.governors", tare_buf_str(&governors), "no cpu*/cpufreq in /sys");
    tare_buf_fini(&governors);
    return r;
}

struct sums {
    long long core, package;
    bool seen;
};

static void see_throttle(void *ctx, const char *folder, const char *name)
{
    struct sums *s = ctx;
    long long core = 0, package = 0;
    if (is_cpu(name) && number_below(folder, name, "thermal_throttle/core_throttle_count", &core)) {
        (void)number_below(folder, name, "thermal_throttle/package_throttle_count", &package);
        s->core += core;
        s->package = package > s->package ? package : s->package; /* one counter, shown at each processor */
        s->seen = true;
    }
}

int tare_walk_throttling(struct tare_walker *w)
{
    struct sums s = {0};
    (void)each_entry(w->roots->sys, "devices/system/cpu", "cpu", see_throttle, &s);
    const char *why = s.seen ? NULL : "no thermal_throttle counts in /sys (not Intel, or a guest)";
    int r = emit_number(w, "throttle.core", s.core, why);
    return r == 0 ? emit_number(w, "throttle.package", s.package, why) : r;
}

struct hottest {
    long long millidegrees;
    bool seen;
};

static void see_zone(void *ctx, const char *folder, const char *name)
{
    struct hottest *h = ctx;
    char type[64];
    long long value = 0;
    if (text_below(folder, name, "type", type, sizeof type) && strcmp(type, "x86_pkg_temp") == 0 &&
        number_below(folder, name, "temp", &value)) {
        h->millidegrees = h->seen && h->millidegrees > value ? h->millidegrees : value;
        h->seen = true;
    }
}

static void see_hwmon(void *ctx, const char *folder, const char *name)
{
    struct hottest *h = ctx;
    char chip[64];
    long long value = 0;
    if (text_below(folder, name, "name", chip, sizeof chip) &&
        (strcmp(chip, "coretemp") == 0 || strcmp(chip, "k10temp") == 0) &&
        number_below(folder, name, "temp1_input", &value)) {
        h->millidegrees = h->seen && h->millidegrees > value ? h->millidegrees : value;
        h->seen = true;
    }
}

int tare_walk_temperature(struct tare_walker *w)
{
    struct hottest h = {0};
    char text[32];
    (void)each_entry(w->roots->sys, "class/thermal", "thermal_zone", see_zone, &h);
    if (!h.seen) {
        (void)each_entry(w->roots->sys, "class/hwmon", "hwmon", see_hwmon, &h);
    }
    (void)snprintf(text, sizeof text, "%.1f degC", (double)h.millidegrees / 1000);
    return tare_walker_emit(w, "temperature.cpu", h.seen ? text : NULL,
                            "no x86_pkg_temp zone and no coretemp or k10temp sensor");
}

static void see_mitigation(void *ctx, const char *folder, const char *name)
{
    char text[256], word[400];
    if (text_below(folder, name, "", text, sizeof text) ||
        tare_walker_text(folder, name, text, sizeof text)) {
        (void)snprintf(word, sizeof word, "%.100s: %s", name, text);
        add_word(ctx, word);
    }
}

int tare_walk_mitigations(struct tare_walker *w)
{
    struct tare_buf list;
    tare_buf_init(&list, 1 << 14);
    (void)each_entry(w->roots->sys, "devices/system/cpu/vulnerabilities", "", see_mitigation, &list);
    int r = tare_walker_emit(w, "cpu.mitigations", tare_buf_str(&list),
                             "no /sys/devices/system/cpu/vulnerabilities");
    tare_buf_fini(&list);
    return r;
}

/* "package-0 long_term 125000000 uW" for every limit of a zone. */
static void see_cap(void *ctx, const char *folder, const char *name)
{
    char zone[64], what[64], file[64], word[256];
    long long limit = 0;
    if (!text_below(folder, name, "name", zone, sizeof zone)) {
        return;
    }
    for (int i = 0; i < 4; i++) {
        (void)snprintf(file, sizeof file, "constraint_%d_power_limit_uw", i);
        if (!number_below(folder, name, file, &limit)) {
            continue;
        }
        (void)snprintf(file, sizeof file, "constraint_%d_name", i);
        (void)text_below(folder, name, file, what, sizeof what);
        (void)snprintf(word, sizeof word, "%s %s %lld uW", zone, what, limit);
        add_word(ctx, word);
    }
}

int tare_walk_power_caps(struct tare_walker *w)
{
    struct tare_buf caps;
    tare_buf_init(&caps, 1 << 14);
    bool there = each_entry(w->roots->sys, "class/powercap", "", see_cap, &caps);
    int r =
        tare_walker_emit(w, "power.caps", tare_buf_str(&caps),
                         there ? "no zone of /sys/class/powercap shows a limit" : "no /sys/class/powercap");
    tare_buf_fini(&caps);
    return r;
}

/* Up and not the loopback; no address of it is read. */
static void see_interface(void *ctx, const char *folder, const char *name)
{
    char state[32], word[160];
    long long speed = 0;
    if (strcmp(name, "lo") == 0 || !text_below(folder, name, "operstate", state, sizeof state) ||
        strcmp(state, "down") == 0) {
        return;
    }
    if (number_below(folder, name, "speed", &speed) && speed > 0) {
        (void)snprintf(word, sizeof word, "%.40s %s %lld Mbit/s", name, state, speed);
    } else {
        (void)snprintf(word, sizeof word, "%.40s %s, rate not known", name, state);
    }
    add_word(ctx, word);
}

int tare_walk_network(struct tare_walker *w)
{
    struct tare_buf list;
    tare_buf_init(&list, 1 << 14);
    (void)each_entry(w->roots->sys, "class/net", "", see_interface, &list);
    int r = tare_walker_emit(w, "net.interfaces", tare_buf_str(&list), "no interface but the loopback");
    tare_buf_fini(&list);
    return r;
}

static void see_process(void *ctx, const char *folder, const char *name)
{
    char comm[64];
    bool *found = ctx;
    if (name[0] >= '1' && name[0] <= '9' && !*found && text_below(folder, name, "comm", comm, sizeof comm)) {
        *found = strcmp(comm, "irqbalance") == 0;
    }
}

int tare_walk_irqbalance(struct tare_walker *w)
{
    bool found = false, there = each_entry(w->roots->proc, "", "", see_process, &found);
    return tare_walker_emit(w, "kernel.irqbalance",
                            !there  ? NULL
                            : found ? "running"
                                    : "not running",
                            "/proc cannot be read");
}
