/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Energy by the sensors of hwmon: counters (energyN_input, uJ) and powers (powerN_average, else
 * powerN_input, uW) that are added up.
 *
 * What a sensor covers is told by its driver and its label alone. Only where that is clear does a channel
 * take the scope "package" or "device", which add up; all others get a scope of their own, "apu", "node",
 * "device_part" or "sensor", which nothing is added to. How far a sensor is off is not known. Not for a
 * driver's per-core counters: they lie within its sockets' and are left out.
 */
#include "joules.h"
#include "now.h"
#include "sysfile.h"
#include "watts.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char default_root[] = "/sys/class/hwmon";

enum { channels_max = 48, sensors_max = 32 };

struct counter_channel {
    char path[280];
    struct tare_joules joules;
};

struct power_channel {
    char path[280];
    struct tare_watts watts;
};

struct hwmon {
    char *root;
    double max_watts;
    size_t n_counters, n_powers;
    bool has_more;
    struct counter_channel counters[channels_max];
    struct power_channel powers[channels_max];
};

/* What is measured, by driver and the label's begin ("" fits all); the first that fits. */
static const struct {
    const char *driver, *label, *scope; /* scope NULL: left out */
} known[] = {
    {"amd_energy", "Esocket", "package"},
    {"amd_energy", "", NULL},
    {"fam15h_power", "", "package"},
    {"amdgpu", "slowPPT", "apu"},
    {"amdgpu", "fastPPT", "apu"},
    {"amdgpu", "", "device"},
    {"nouveau", "", "device"},
    {"i915", "", "device"},
    {"xe", "pkg", "device_part"},
    {"xe", "", "device"},
    {"habanalabs", "", "device"},
    {"power_meter", "", "node"},
};

static const char *scope_of(const char *driver, const char *label)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(driver, known[i].driver) == 0 &&
            strncmp(label, known[i].label, strlen(known[i].label)) == 0) {
            return known[i].scope;
        }
    }
    return "sensor";
}

/* A folder of one chip. */
struct chip {
    const char *dir, *id; /* id: hwmon3 */
    char driver[32];
    bool is_apu;     /* of amdgpu: what it shows is the socket's, which the package has as well */
    bool has_device; /* a channel of it has the scope "device" already: what follows lies within */
};

/*
 * An APU of AMD labels the power of its socket as a card does its own. Its driver hides the attributes of the
 * power cap on every APU (Linux, drivers/gpu/drm/amd/pm/amdgpu_pm.c, hwmon_attributes_visible) but for two:
 * Van Gogh, whose labels are its own, and MI300A, which has its own PCI number. A card whose cap is hidden
 * (in a virtual machine) is taken for an APU as well: its joules are then missing from a sum, and not there
 * twice.
 */
static bool is_apu(const struct chip *chip)
{
    char path[280], text[32];
    (void)snprintf(path, sizeof path, "%s/device/device", chip->dir);
    if (tare_sysfile_text(path, text, sizeof text) == 0 && strcmp(text, "0x74a0") == 0) {
        return true;
    }
    (void)snprintf(path, sizeof path, "%s/power1_cap", chip->dir);
    return tare_sysfile_text(path, text, sizeof text) == -ENOENT;
}

static const char *claim_scope(struct chip *chip, const char *label)
{
    const char *scope = scope_of(chip->driver, label);
    if (scope && chip->is_apu) {
        return "apu";
    }
    if (scope && strcmp(scope, "device") == 0) {
        scope = chip->has_device ? "device_part" : scope;
        chip->has_device = true;
    }
    return scope;
}

static void read_label(const struct chip *chip, const char *kind, int i, char *label, size_t n_label)
{
    char path[280];
    (void)snprintf(path, sizeof path, "%s/%s%d_label", chip->dir, kind, i);
    (void)tare_sysfile_text(path, label, n_label);
}

static void name_channel(const struct chip *chip, const char *kind, int i, char *name, size_t n_name)
{
    char text[64];
    char word[52];
    (void)snprintf(text, sizeof text, "%.20s_%.12s_%s%d", chip->driver, chip->id + strspn(chip->id, "hwmon"),
                   kind, i);
    tare_joules_word(word, sizeof word, text);
    (void)snprintf(name, n_name, "energy_%.44s", word);
}

static void explain(int code, char *never, size_t n_never)
{
    if (code < 0) {
        (void)snprintf(never, n_never, "%s%s", strerror(-code),
                       code == -EACCES || code == -EPERM
                           ? ": run as root, or let a udev rule or chmod make it "
                             "readable"
                           : "");
    }
}

static double max_w_of(const struct hwmon *h)
{
    return h->max_watts > 0 ? h->max_watts : 2000;
}

static void add_counter(struct hwmon *h, struct chip *chip, int i)
{
    struct counter_channel *c = &h->counters[h->n_counters];
    char path[280], label[32];
    uint64_t raw = 0;
    (void)snprintf(path, sizeof path, "%s/energy%d_input", chip->dir, i);
    int code = tare_sysfile_u64(path, &raw);
    read_label(chip, "energy", i, label, sizeof label);
    const char *scope = code == -ENOENT ? NULL : claim_scope(chip, label);
    if (!scope) {
        return;
    }
    if (h->n_counters == channels_max) {
        h->has_more = true;
        return;
    }
    memset(c, 0, sizeof *c);
    (void)snprintf(c->path, sizeof c->path, "%s", path);
    name_channel(chip, "energy", i, c->joules.name, sizeof c->joules.name);
    (void)snprintf(c->joules.source, sizeof c->joules.source, "hwmon %s %s/energy%d_input %s", chip->driver,
                   chip->id, i, label);
    c->joules.scope = scope;
    c->joules.joule = 1e-6;
    c->joules.gain = strcmp(chip->driver, "amd_energy") == 0 ? 0.05 : (double)NAN; /* RAPL behind it */
    c->joules.counter.max_rate = max_w_of(h) * 1e6;
    explain(code, c->joules.never, sizeof c->joules.never);
    h->n_counters++;
}

/* The file of a power sensor that is there, the average before the instant; false if there is none. */
static bool find_power(const struct chip *chip, int i, char *path, size_t n_path, bool *is_average, int *code)
{
    uint64_t raw = 0;
    *is_average = true;
    (void)snprintf(path, n_path, "%s/power%d_average", chip->dir, i);
    *code = tare_sysfile_u64(path, &raw);
    if (*code != 0) {
        int average_code = *code;
        *is_average = false;
        (void)snprintf(path, n_path, "%s/power%d_input", chip->dir, i);
        *code = tare_sysfile_u64(path, &raw);
        *code = *code == -ENOENT ? average_code : *code;
    }
    return *code != -ENOENT;
}

static void add_power(struct hwmon *h, struct chip *chip, int i)
{
    struct power_channel *c = &h->powers[h->n_powers];
    char path[280], label[32];
    bool is_average = false;
    int code = 0;
    bool found = find_power(chip, i, path, sizeof path, &is_average, &code);
    read_label(chip, "power", i, label, sizeof label);
    const char *scope = found ? claim_scope(chip, label) : NULL;
    if (!scope) {
        return;
    }
    if (h->n_powers == channels_max) {
        h->has_more = true;
        return;
    }
    memset(c, 0, sizeof *c);
    (void)snprintf(c->path, sizeof c->path, "%s", path);
    name_channel(chip, "power", i, c->watts.name, sizeof c->watts.name);
    (void)snprintf(c->watts.source, sizeof c->watts.source, "hwmon %s %s/power%d_%s %s", chip->driver,
                   chip->id, i, is_average ? "average" : "input", label);
    c->watts.scope = scope;
    c->watts.gain = (double)NAN;
    uint64_t interval_ms = 0;
    (void)snprintf(path, sizeof path, "%s/power%d_average_interval", chip->dir, i);
    if (is_average && tare_sysfile_u64(path, &interval_ms) == 0 && interval_ms < 3600000) {
        c->watts.interval_s = (double)interval_ms / 1e3;
    } else {
        c->watts.is_blurred = is_average;
    }
    explain(code, c->watts.never, sizeof c->watts.never);
    h->n_powers++;
}

static void add_chip(struct hwmon *h, const char *root, const char *id)
{
    char dir[220], path[280];
    if (snprintf(dir, sizeof dir, "%s/%s", root, id) >= (int)sizeof dir) {
        h->has_more = true;
        return;
    }
    struct chip chip = {.dir = dir, .id = id};
    (void)snprintf(path, sizeof path, "%s/name", dir);
    (void)tare_sysfile_text(path, chip.driver, sizeof chip.driver);
    chip.is_apu = strcmp(chip.driver, "amdgpu") == 0 && is_apu(&chip);
    for (int i = 1; i <= sensors_max; i++) { /* counters first: they are better than samples */
        add_counter(h, &chip, i);
    }
    for (int i = 1; i <= sensors_max; i++) {
        add_power(h, &chip, i);
    }
}

static int is_chip(const struct dirent *e)
{
    return strncmp(e->d_name, "hwmon", 5) == 0;
}

static int hwmon_open(void *self, struct tare_err *err)
{
    struct hwmon *h = self;
    const char *root = h->root ? h->root : default_root;
    struct dirent **list = NULL;
    int n = scandir(root, &list, is_chip, versionsort);
    for (int i = 0; i < n; i++) {
        add_chip(h, root, list[i]->d_name);
        free(list[i]);
    }
    free(list);
    if (h->has_more) {
        return tare_err_set(err, TARE_E_LIMIT, "%s has more than %d sensors of energy or power", root,
                            channels_max);
    }
    return h->n_counters + h->n_powers > 0
               ? 0
               : tare_err_set(err, TARE_E_ENVIRONMENT, "%s has no sensor of energy or power", root);
}

static int hwmon_probe(char *why, size_t n_why)
{
    struct hwmon *h = calloc(1, sizeof *h);
    struct tare_err err = {0};
    int r = h ? hwmon_open(h, &err) : tare_err_set(&err, TARE_E_NOMEM, "out of memory");
    free(h);
    if (r < 0) {
        (void)snprintf(why, n_why, "%s", err.msg);
    }
    return r;
}

static void hwmon_sample(void *self)
{
    struct hwmon *h = self;
    for (size_t i = 0; i < h->n_counters; i++) {
        struct counter_channel *c = &h->counters[i];
        uint64_t raw = 0;
        int64_t before_ns = tare_now_ns();
        int code = tare_sysfile_u64(c->path, &raw);
        tare_joules_take(&c->joules, code, raw, before_ns, tare_now_ns());
    }
    for (size_t i = 0; i < h->n_powers; i++) {
        struct power_channel *c = &h->powers[i];
        int64_t raw = 0, before_ns = tare_now_ns();
        int code = tare_sysfile_i64(c->path, &raw);
        int64_t after_ns = tare_now_ns();
        if (code == 0 && (double)raw / 1e6 > max_w_of(h)) {
            code = -ERANGE; /* no power, but a sensor gone wrong */
        }
        tare_watts_take(&c->watts, code, (double)raw / 1e6, before_ns + (after_ns - before_ns) / 2);
    }
}

static void hwmon_begin(void *self)
{
    struct hwmon *h = self;
    for (size_t i = 0; i < h->n_powers; i++) {
        tare_watts_begin(&h->powers[i].watts);
    }
    hwmon_sample(h);
    for (size_t i = 0; i < h->n_counters; i++) {
        tare_joules_begin(&h->counters[i].joules);
    }
}

static void hwmon_end(void *self, struct tare_readings *to)
{
    struct hwmon *h = self;
    hwmon_sample(h);
    for (size_t i = 0; i < h->n_counters; i++) {
        tare_joules_report(&h->counters[i].joules, to);
    }
    for (size_t i = 0; i < h->n_powers; i++) {
        tare_watts_report(&h->powers[i].watts, to);
    }
}

static const struct tare_opt hwmon_options[] = {{.name = "root",
                                                 .type = TARE_OPT_STR,
                                                 .offset = offsetof(struct hwmon, root),
                                                 .def = "/sys/class/hwmon",
                                                 .help = "folder of the hwmon chips"},
                                                {.name = "max_watts",
                                                 .type = TARE_OPT_F64,
                                                 .offset = offsetof(struct hwmon, max_watts),
                                                 .def = "2000",
                                                 .unit = "W",
                                                 .help = "most power that one sensor can show"},
                                                TARE_OPT_END};

const struct tare_meter tare_meter_hwmon = {.header = TARE_METER_HEADER,
                                            .name = "hwmon",
                                            .summary =
                                                "energy and power sensors of cards, boards and servers",
                                            .priv_size = sizeof(struct hwmon),
                                            .probe = hwmon_probe,
                                            .open = hwmon_open,
                                            .begin = hwmon_begin,
                                            .end = hwmon_end,
                                            .place = TARE_METER_OUTSIDE,
                                            .options = hwmon_options,
                                            .sample = hwmon_sample};
