/* SPDX-License-Identifier: Apache-2.0 */
/* Walks a powercap tree, flat as in /sys/class/powercap or nested as below /sys/devices. */
#include "powercap_zones.h"

#include "joules.h"
#include "sysfile.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { deepest = 4 };

static const char type_begin[] = "intel-rapl";

struct walk {
    struct tare_zone *zones;
    size_t n;
    bool more;
};

static bool is_known(const struct walk *w, const char *id)
{
    for (size_t i = 0; i < w->n; i++) {
        if (strcmp(w->zones[i].id, id) == 0) {
            return true;
        }
    }
    return false;
}

static void note(struct walk *w, const char *dir, const char *id)
{
    struct tare_zone *z = &w->zones[w->n];
    if (is_known(w, id)) {
        return;
    }
    if (w->n == tare_zones_max || strlen(dir) >= sizeof z->dir || strlen(id) >= sizeof z->id) {
        w->more = true;
        return;
    }
    memset(z, 0, sizeof *z);
    (void)snprintf(z->dir, sizeof z->dir, "%s", dir);
    (void)snprintf(z->id, sizeof z->id, "%s", id);
    z->same_as = -1;
    w->n++;
}

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than `deepest` */
static void walk(struct walk *w, const char *path, int depth)
{
    DIR *d = opendir(path);
    if (!d) {
        return;
    }
    for (struct dirent *e = readdir(d); e; e = readdir(d)) {
        char dir[512];
        if (strncmp(e->d_name, type_begin, sizeof type_begin - 1) != 0) {
            continue;
        }
        if (snprintf(dir, sizeof dir, "%s/%s", path, e->d_name) >= (int)sizeof dir) {
            w->more = true;
            continue;
        }
        if (strchr(e->d_name, ':')) {
            note(w, dir, e->d_name);
        }
        if (depth < deepest) {
            walk(w, dir, depth + 1);
        }
    }
    closedir(d);
}

/* Plain intel-rapl before intel-rapl-mmio, package 2 before package 10. */
static int by_id(const void *a, const void *b)
{
    const struct tare_zone *x = a, *y = b;
    size_t n_x = strcspn(x->id, ":"), n_y = strcspn(y->id, ":");
    return n_x != n_y ? (n_x < n_y ? -1 : 1) : strverscmp(x->id, y->id);
}

static const char *scope_of(const char *title)
{
    static const char *const scopes[] = {"package", "dram", "core", "uncore", "psys"};
    for (size_t i = 0; i < sizeof scopes / sizeof *scopes; i++) {
        if (strncmp(title, scopes[i], strlen(scopes[i])) == 0) {
            return scopes[i];
        }
    }
    return "other";
}

/* The zone above: intel-rapl:0 of intel-rapl:0:1. NULL at the top. */
static const struct tare_zone *parent_of(const struct tare_zone *zones, size_t n, const struct tare_zone *z)
{
    size_t n_id = (size_t)(strrchr(z->id, ':') - z->id);
    for (size_t i = 0; i < n; i++) {
        if (strlen(zones[i].id) == n_id && strncmp(zones[i].id, z->id, n_id) == 0) {
            return &zones[i];
        }
    }
    return NULL;
}

/* Two zones of one control type with one name are two zones: the later gets its number behind its name. */
static void make_unique(const struct tare_zone *zones, size_t i, struct tare_zone *z)
{
    for (size_t k = 0; k < i; k++) {
        size_t n = strcspn(z->id, ":") + 1;
        if (strcmp(zones[k].channel, z->channel) == 0 && strncmp(zones[k].id, z->id, n) == 0) {
            char number[24], channel[64];
            tare_joules_word(number, sizeof number, z->id + n);
            (void)snprintf(channel, sizeof channel, "%.30s_z%.7s", z->channel, number);
            (void)snprintf(z->channel, sizeof z->channel, "%.39s", channel);
            return;
        }
    }
}

static void name_zone(const struct tare_zone *zones, size_t n, size_t i, struct tare_zone *z)
{
    char path[256], title[32], word[32];
    (void)snprintf(path, sizeof path, "%s/name", z->dir);
    (void)tare_sysfile_text(path, title, sizeof title);
    const struct tare_zone *parent = parent_of(zones, n, z);
    z->scope = scope_of(title);
    tare_joules_word(word, sizeof word, title[0] ? title : z->id);
    (void)snprintf(z->channel, sizeof z->channel, "%.20s%s%.18s", parent ? parent->channel : "",
                   parent ? "_" : "", word);
    make_unique(zones, i, z);
}

/* The kernel gives raw counts times a unit of 2^-k J, cut to 1e-3 uJ, and as range the unit times
 * (2^32 - 1). Where the range is not of that kind the unit is that of the file, 1 uJ. */
static double unit_of(double range_uj)
{
    double unit = range_uj / 4294967295.0;
    double k = unit > 0 ? -log2(unit / 1e6) : 0;
    bool is_power = k > 6 && k < 25 && fabs(k - round(k)) < 1.5e-3;
    return is_power ? unit : 1;
}

static double limit_w(const struct tare_zone *z)
{
    static const char *const files[] = {"max_power_uw", "power_limit_uw"};
    uint64_t most = 0;
    for (int c = 0; c < 4; c++) {
        for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
            char path[256];
            uint64_t value = 0;
            (void)snprintf(path, sizeof path, "%s/constraint_%d_%s", z->dir, c, files[f]);
            if (tare_sysfile_u64(path, &value) == 0 && value > most) {
                most = value;
            }
        }
    }
    return (double)most / 1e6;
}

static void read_zone(struct tare_zone *z)
{
    char path[256];
    uint64_t value = 0;
    (void)snprintf(path, sizeof path, "%s/max_energy_range_uj", z->dir);
    z->range_uj = tare_sysfile_u64(path, &value) == 0 ? (double)value : 0;
    z->unit_uj = unit_of(z->range_uj);
    z->max_w = limit_w(z);
    (void)snprintf(path, sizeof path, "%s/energy_uj", z->dir);
    z->error = -tare_sysfile_u64(path, &value);
}

double tare_zone_modulus(const struct tare_zone *zone)
{
    return zone->range_uj > 0 ? zone->range_uj + zone->unit_uj : 0;
}

void tare_zones_join_twins(struct tare_zone *zones, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = i + 1; k < n; k++) {
            if (zones[i].same_as >= 0 || zones[k].same_as >= 0 ||
                strcmp(zones[i].channel, zones[k].channel) != 0) {
                continue;
            }
            bool keep_later = zones[i].error != 0 && zones[k].error == 0;
            zones[keep_later ? i : k].same_as = (int)(keep_later ? k : i);
            zones[keep_later ? k : i].has_twin = true;
        }
    }
}

size_t tare_zones_find(const char *root, struct tare_zone *zones, bool *more)
{
    struct walk w = {zones, 0, false};
    walk(&w, root, 0);
    qsort(zones, w.n, sizeof *zones, by_id);
    for (size_t i = 0; i < w.n; i++) {
        name_zone(zones, w.n, i, &zones[i]);
        read_zone(&zones[i]);
    }
    *more = w.more;
    return w.n;
}
