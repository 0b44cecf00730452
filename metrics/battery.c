/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Energy out of the batteries of a laptop: the whole machine, while it runs on them.
 *
 * Two ways: how far the gauge of what is left has gone down (energy_now, or charge_now times voltage_now),
 * taken if it moved often enough in the phase; else power_now (or current_now times voltage_now) added up.
 * Nothing while a battery charges, or while mains carries a part. Gauges step every few seconds and their
 * makers smooth them: not for phases below a minute. How far they are off is not known.
 */
#include "joules.h"
#include "now.h"
#include "sysfile.h"
#include "watts.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char default_root[] = "/sys/class/power_supply";

enum { batteries_max = 8, mains_max = 8, gauge_steps = 8 };

/* What is left in the battery, followed downwards. */
struct gauge {
    bool begun, failed, has_risen;
    double last, last_v; /* uWh, or uAh at that voltage in uV */
    double joules;
    int64_t n_moves, begin_ns, end_ns;
};

struct battery {
    char dir[220], id[24];
    bool by_charge, by_current, has_gauge, has_power;
    bool has_stopped; /* it was not discharging at some time in the phase */
    struct gauge gauge;
    struct tare_watts watts;
};

struct batteries {
    char *root;
    size_t n, n_mains;
    bool on_mains; /* at some time in the phase */
    struct battery list[batteries_max];
    char mains[mains_max][256]; /* their files `online` */
};

static int read_number(const struct battery *b, const char *file, double *value)
{
    char path[256];
    int64_t raw = 0;
    (void)snprintf(path, sizeof path, "%s/%s", b->dir, file);
    int code = tare_sysfile_i64(path, &raw);
    *value = code == 0 ? (double)raw : 0;
    return code;
}

static bool says(const char *dir, const char *file, const char *text)
{
    char path[256], got[32];
    (void)snprintf(path, sizeof path, "%.220s/%s", dir, file);
    return tare_sysfile_text(path, got, sizeof got) == 0 && strcmp(got, text) == 0;
}

static void add_battery(struct batteries *s, const char *dir, const char *id)
{
    struct battery *b = &s->list[s->n];
    double value = 0, volts = 0;
    if (s->n == batteries_max || says(dir, "scope", "Device")) { /* of a mouse or a headset */
        return;
    }
    memset(b, 0, sizeof *b);
    (void)snprintf(b->dir, sizeof b->dir, "%.219s", dir);
    (void)snprintf(b->id, sizeof b->id, "%.23s", id);
    bool has_volts = read_number(b, "voltage_now", &volts) == 0;
    bool has_energy = read_number(b, "energy_now", &value) == 0;
    b->by_charge = !has_energy && has_volts && read_number(b, "charge_now", &value) == 0;
    b->has_gauge = has_energy || b->by_charge;
    bool has_power = read_number(b, "power_now", &value) == 0;
    b->by_current = !has_power && has_volts && read_number(b, "current_now", &value) == 0;
    b->has_power = has_power || b->by_current;
    char word[24];
    tare_joules_word(word, sizeof word, id);
    (void)snprintf(b->watts.name, sizeof b->watts.name, "energy_battery_%s", word);
    b->watts.scope = "battery";
    b->watts.gain = (double)NAN;
    b->watts.gap_ns = INT64_C(5000000000);
    s->n++;
}

static int is_entry(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

static void look_at(struct batteries *s, const char *root, const char *id)
{
    char dir[220];
    if (snprintf(dir, sizeof dir, "%s/%s", root, id) >= (int)sizeof dir) {
        return;
    }
    if (says(dir, "type", "Battery")) {
        add_battery(s, dir, id);
    } else if (s->n_mains < mains_max && (says(dir, "type", "Mains") || says(dir, "type", "USB"))) {
        (void)snprintf(s->mains[s->n_mains++], sizeof *s->mains, "%s/online", dir);
    }
}

static int battery_open(void *self, struct tare_err *err)
{
    struct batteries *s = self;
    const char *root = s->root ? s->root : default_root;
    struct dirent **list = NULL;
    int n = scandir(root, &list, is_entry, versionsort);
    for (int i = 0; i < n; i++) {
        look_at(s, root, list[i]->d_name);
        free(list[i]);
    }
    free(list);
    return s->n > 0
               ? 0
               : tare_err_set(err, TARE_E_ENVIRONMENT, "%s has no battery that carries this machine", root);
}

static int battery_probe(char *why, size_t n_why)
{
    struct batteries *s = calloc(1, sizeof *s);
    struct tare_err err = {0};
    int r = s ? battery_open(s, &err) : tare_err_set(&err, TARE_E_NOMEM, "out of memory");
    free(s);
    if (r < 0) {
        (void)snprintf(why, n_why, "%s", err.msg);
    }
    return r;
}

/* uWh, or uAh at the mean voltage of the two reads: 1e-6 Wh is 3.6e-3 J. */
static void read_gauge(struct battery *b, int64_t now_ns)
{
    struct gauge *g = &b->gauge;
    double value = 0, volts = 1e6;
    if (read_number(b, b->by_charge ? "charge_now" : "energy_now", &value) < 0 ||
        (b->by_charge && read_number(b, "voltage_now", &volts) < 0)) {
        g->failed = true;
        return;
    }
    if (!g->begun) {
        g->begin_ns = now_ns;
    } else {
        double step = g->last - value;
        g->has_risen |= step < 0;
        g->n_moves += step > 0;
        g->joules += step * 3.6e-3 * (b->by_charge ? (g->last_v + volts) / 2e6 : 1);
    }
    g->begun = true;
    g->last = value;
    g->last_v = volts;
    g->end_ns = now_ns;
}

/* Drivers differ in the sign that they give to what flows out. */
static void read_power(struct battery *b, int64_t now_ns)
{
    double value = 0, volts = 1e6;
    int code = read_number(b, b->by_current ? "current_now" : "power_now", &value);
    if (code == 0 && b->by_current) {
        code = read_number(b, "voltage_now", &volts);
    }
    tare_watts_take(&b->watts, code, fabs(value) / 1e6 * volts / 1e6, now_ns);
}

static void battery_sample(void *self)
{
    struct batteries *s = self;
    for (size_t i = 0; i < s->n_mains; i++) {
        uint64_t online = 0;
        s->on_mains |= tare_sysfile_u64(s->mains[i], &online) == 0 && online > 0;
    }
    for (size_t i = 0; i < s->n; i++) {
        struct battery *b = &s->list[i];
        int64_t now_ns = tare_now_ns();
        b->has_stopped |= !says(b->dir, "status", "Discharging");
        if (b->has_gauge) {
            read_gauge(b, now_ns);
        }
        if (b->has_power) {
            read_power(b, now_ns);
        }
    }
}

static void battery_begin(void *self)
{
    struct batteries *s = self;
    s->on_mains = false;
    for (size_t i = 0; i < s->n; i++) {
        s->list[i].has_stopped = false;
        memset(&s->list[i].gauge, 0, sizeof s->list[i].gauge);
        tare_watts_begin(&s->list[i].watts);
    }
    battery_sample(s);
}

static bool use_gauge(const struct battery *b)
{
    const struct gauge *g = &b->gauge;
    return b->has_gauge && !g->failed && !g->has_risen && g->n_moves >= gauge_steps;
}

static void report_gauge(const struct battery *b, struct tare_readings *to)
{
    const struct gauge *g = &b->gauge;
    double seconds = (double)(g->end_ns - g->begin_ns) / 1e9;
    char source[128];
    (void)snprintf(source, sizeof source, "power_supply %s/%s", b->id,
                   b->by_charge ? "charge_now times voltage_now" : "energy_now");
    struct tare_reading reading = {.name = b->watts.name,
                                   .unit = "J",
                                   .scope = "battery",
                                   .source = source,
                                   .kind = TARE_KIND_MEASURED,
                                   .value = g->joules};
    struct tare_doubt doubt = {tare_counter_edge_u(g->joules / seconds, seconds / (double)g->n_moves),
                               (double)NAN, "SAMPLED"};
    to->add_doubted(to, &reading, &doubt);
}

static const char *why_none(const struct batteries *s, const struct battery *b)
{
    return s->on_mains      ? "mains is connected: the battery does not carry the machine alone; unplug it"
           : b->has_stopped ? "the battery did not discharge through the whole phase"
           : b->has_power   ? ""
           : !b->has_gauge
               ? "the battery tells neither power nor what is left"
               : "the battery's gauge moved too seldom, rose or failed, and there is no power_now: "
                 "make the phase longer";
}

static void battery_end(void *self, struct tare_readings *to)
{
    struct batteries *s = self;
    battery_sample(s);
    for (size_t i = 0; i < s->n; i++) {
        struct battery *b = &s->list[i];
        bool discharges = !s->on_mains && !b->has_stopped;
        if (discharges && use_gauge(b)) {
            report_gauge(b, to);
            continue;
        }
        (void)snprintf(b->watts.never, sizeof b->watts.never, "%s", why_none(s, b));
        (void)snprintf(b->watts.source, sizeof b->watts.source, "power_supply %s/%s", b->id,
                       b->by_current ? "current_now times voltage_now" : "power_now");
        tare_watts_report(&b->watts, to);
    }
}

static const struct tare_opt battery_options[] = {{.name = "root",
                                                   .type = TARE_OPT_STR,
                                                   .offset = offsetof(struct batteries, root),
                                                   .def = "/sys/class/power_supply",
                                                   .help = "folder of the batteries"},
                                                  TARE_OPT_END};

const struct tare_meter tare_meter_battery = {.header = TARE_METER_HEADER,
                                              .name = "battery",
                                              .summary = "energy out of the batteries while they discharge",
                                              .priv_size = sizeof(struct batteries),
                                              .probe = battery_probe,
                                              .open = battery_open,
                                              .begin = battery_begin,
                                              .end = battery_end,
                                              .place = TARE_METER_OUTSIDE,
                                              .options = battery_options,
                                              .sample = battery_sample,
                                              .period_ns = 500000000};
