/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AMD GPUs through ROCm's management library: energy, power, memory, temperature. The library is found at run
 * time and declared here. The energy counter is the board's own, counts x a resolution that the call names;
 * neither its gain nor how much of the time its sensor looks is documented, so the gain's uncertainty is
 * unknown and says so. Not checked on a board so far (docs/gpu.md). In virtual machines the counter is
 * absent.
 */
#include "board.h"
#include "now.h"

#include <tare/meter.h>

#include <dlfcn.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

#define ROCM_LIBRARY "librocm_smi64.so"

enum { max_devices = 16, poll_ns = 1000000, text_max = 256, none_such = -1 };
/* Of ROCm SMI. */
enum { rsmi_ok = 0, rsmi_not_supported = 2, rsmi_vram = 0, rsmi_edge = 0, rsmi_junction = 1 };
enum { rsmi_current_power = 1 };

/* No board draws 10 kW. */
static const double most_watts = 1e4;

struct rocm_api {
    void *object;
    int (*init)(uint64_t);
    int (*shut_down)(void);
    int (*count)(uint32_t *);
    int (*status_string)(int, const char **);
    int (*name)(uint32_t, char *, size_t);
    int (*energy)(uint32_t, uint64_t *, float *, uint64_t *); /* counts, uJ a count, ns */
    int (*power)(uint32_t, uint64_t *, int *);                /* uW, what kind of power */
    int (*average)(uint32_t, uint32_t, uint64_t *);           /* uW */
    int (*used)(uint32_t, int, uint64_t *);                   /* B */
    int (*total)(uint32_t, int, uint64_t *);                  /* B */
    int (*temperature)(uint32_t, uint32_t, int, int64_t *);   /* thousandths of a degree */
};

enum gauge_id { ROCM_POWER = 0, ROCM_MEMORY, ROCM_TEMPERATURE, n_gauges };

struct device {
    uint32_t index;
    char name[96];
    bool power_is_current;
    double uj; /* of a count */
    double memory_idle, memory_total;
    struct tare_board_counter energy;
    bool is_open;
    struct tare_gauge gauges[n_gauges];
};

struct rocm {
    char *library;
    int64_t watch_ns;
    struct rocm_api api;
    uint32_t n_devices;
    struct device list[max_devices];
};

static const struct tare_opt rocm_options[] = {
    {"library", TARE_OPT_STR, offsetof(struct rocm, library), NULL,
     "path of the library, if not " ROCM_LIBRARY, NULL, 0, 0, NULL},
    {"watch", TARE_OPT_NS, offsetof(struct rocm, watch_ns), "500ms",
     "how long the energy counter is watched closely at first, to find how often it moves", "ns", 0,
     INT64_C(10000000000), NULL},
    TARE_OPT_END};

static const struct {
    size_t offset;
    const char *name;
    bool is_needed;
} symbols[] = {
    {offsetof(struct rocm_api, init), "rsmi_init", true},
    {offsetof(struct rocm_api, shut_down), "rsmi_shut_down", true},
    {offsetof(struct rocm_api, count), "rsmi_num_monitor_devices", true},
    {offsetof(struct rocm_api, status_string), "rsmi_status_string", false},
    {offsetof(struct rocm_api, name), "rsmi_dev_name_get", false},
    {offsetof(struct rocm_api, energy), "rsmi_dev_energy_count_get", false},
    {offsetof(struct rocm_api, power), "rsmi_dev_power_get", false},
    {offsetof(struct rocm_api, average), "rsmi_dev_power_ave_get", false},
    {offsetof(struct rocm_api, used), "rsmi_dev_memory_usage_get", false},
    {offsetof(struct rocm_api, total), "rsmi_dev_memory_total_get", false},
    {offsetof(struct rocm_api, temperature), "rsmi_dev_temp_metric_get", false},
};

static void say(const struct rocm_api *api, const char *function, int code, char *why, size_t n_why)
{
    const char *text = NULL;
    if (code == none_such) {
        (void)snprintf(why, n_why, "this " ROCM_LIBRARY " has no %s: install a newer ROCm", function);
    } else if (api->status_string && api->status_string(code, &text) == rsmi_ok && text) {
        (void)snprintf(why, n_why, "%s: %s%s", function, text,
                       code == rsmi_not_supported ? " (this GPU, driver or virtual machine lacks it)" : "");
    } else {
        (void)snprintf(why, n_why, "%s: ROCm SMI status %d", function, code);
    }
}

static int unload(struct rocm_api *api)
{
    if (api->object) {
        (void)dlclose(api->object);
    }
    memset(api, 0, sizeof *api);
    return TARE_E_ENVIRONMENT;
}

static int load(struct rocm_api *api, const char *library, char *why, size_t n_why)
{
    const char *path = library && library[0] ? library : ROCM_LIBRARY;
    memset(api, 0, sizeof *api);
    api->object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!api->object) {
        (void)snprintf(why, n_why,
                       "%s (install ROCm SMI, and name its library if it is not on the loader's path)",
                       dlerror());
        return unload(api);
    }
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        void *at = dlsym(api->object, symbols[i].name);
        if (!at && symbols[i].is_needed) {
            (void)snprintf(why, n_why, "%s has no %s: it is not ROCm SMI", path, symbols[i].name);
            return unload(api);
        }
        memcpy((char *)api + symbols[i].offset, &at, sizeof at);
    }
    int code = api->init(0);
    if (code != rsmi_ok) {
        say(api, "rsmi_init", code, why, n_why);
        return unload(api);
    }
    return 0;
}

/* All ones is what a board that has no counter shows. */
static int read_counter(const struct rocm_api *api, struct device *d, uint64_t *count)
{
    uint64_t stamp = 0;
    float uj = 0;
    int code = api->energy ? api->energy(d->index, count, &uj, &stamp) : none_such;
    if (code != rsmi_ok) {
        return code;
    }
    if (*count == UINT64_MAX || !(uj > 0)) {
        return rsmi_not_supported;
    }
    d->uj = (double)uj;
    return rsmi_ok;
}

static void count(const struct rocm_api *api, struct device *d, bool is_close)
{
    uint64_t raw = 0;
    if (!d->energy.is_there) {
        return;
    }
    int64_t before_ns = tare_now_ns();
    int code = read_counter(api, d, &raw);
    int64_t after_ns = tare_now_ns();
    if (code == rsmi_ok) {
        d->energy.counter.max_rate = most_watts * 1e6 / d->uj;
    }
    tare_board_take(&d->energy, code, raw, before_ns, after_ns, is_close);
}

static int get_power(const struct rocm_api *api, struct device *d, double *out)
{
    uint64_t uw = 0;
    int type = 0;
    int code = api->power ? api->power(d->index, &uw, &type) : none_such;
    d->power_is_current = code == rsmi_ok && type == rsmi_current_power;
    if (code != rsmi_ok && api->average) {
        code = api->average(d->index, 0, &uw);
    }
    *out = (double)uw / 1e6;
    return code;
}

static int get_temperature(const struct rocm_api *api, const struct device *d, double *out)
{
    int64_t mc = 0;
    int code = api->temperature ? api->temperature(d->index, rsmi_edge, 0, &mc) : none_such;
    if (code != rsmi_ok && api->temperature) {
        code = api->temperature(d->index, rsmi_junction, 0, &mc);
    }
    *out = (double)mc / 1e3;
    return code;
}

static int get_bytes(int (*get)(uint32_t, int, uint64_t *), const struct device *d, double *out)
{
    uint64_t bytes = 0;
    int code = get ? get(d->index, rsmi_vram, &bytes) : none_such;
    *out = code == rsmi_ok ? (double)bytes : (double)NAN;
    return code;
}

static void look(const struct rocm_api *api, struct device *d)
{
    double value = 0;
    int code = get_power(api, d, &value);
    tare_gauge_take(&d->gauges[ROCM_POWER], code, value);
    code = get_bytes(api->used, d, &value);
    tare_gauge_take(&d->gauges[ROCM_MEMORY], code, value);
    code = get_temperature(api, d, &value);
    tare_gauge_take(&d->gauges[ROCM_TEMPERATURE], code, value);
}

static int rocm_probe(char *why, size_t n_why)
{
    struct rocm_api api;
    uint32_t n = 0;
    int r = load(&api, NULL, why, n_why);
    if (r < 0) {
        return r;
    }
    int code = api.count(&n);
    if (code != rsmi_ok) {
        say(&api, "rsmi_num_monitor_devices", code, why, n_why);
    } else if (n == 0) {
        (void)snprintf(why, n_why, "ROCm SMI knows no GPU here");
    }
    (void)api.shut_down();
    (void)unload(&api);
    return code == rsmi_ok && n > 0 ? 0 : TARE_E_ENVIRONMENT;
}

static void open_device(const struct rocm_api *api, struct device *d, uint32_t index)
{
    uint64_t raw = 0;
    d->index = index;
    if (!api->name || api->name(index, d->name, sizeof d->name) != rsmi_ok) {
        (void)snprintf(d->name, sizeof d->name, "GPU %" PRIu32, index);
    }
    int code = read_counter(api, d, &raw);
    d->energy.is_there = code != none_such && code != rsmi_not_supported;
    d->energy.code = code;
    (void)get_bytes(api->used, d, &d->memory_idle);
    (void)get_bytes(api->total, d, &d->memory_total);
}

static bool is_watched_enough(const struct rocm *m)
{
    for (uint32_t i = 0; i < m->n_devices; i++) {
        if (!tare_board_is_watched(&m->list[i].energy)) {
            return false;
        }
    }
    return true;
}

static void watch(struct rocm *m)
{
    const int64_t until_ns = tare_now_ns() + m->watch_ns;
    const struct timespec pause = {0, poll_ns};
    while (!is_watched_enough(m) && tare_now_ns() < until_ns) {
        for (uint32_t i = 0; i < m->n_devices; i++) {
            count(&m->api, &m->list[i], true);
        }
        (void)nanosleep(&pause, NULL);
    }
}

static int rocm_open(void *self, struct tare_err *err)
{
    struct rocm *m = self;
    char why[400] = "";
    if (load(&m->api, m->library, why, sizeof why) < 0) {
        return tare_err_set(err, TARE_E_ENVIRONMENT, "rocm: %s", why);
    }
    int code = m->api.count(&m->n_devices);
    if (code != rsmi_ok) {
        say(&m->api, "rsmi_num_monitor_devices", code, why, sizeof why);
    } else if (m->n_devices == 0 || m->n_devices > max_devices) {
        (void)snprintf(why, sizeof why, "ROCm SMI knows %" PRIu32 " GPUs; 1 to %d can be read", m->n_devices,
                       (int)max_devices);
    }
    if (why[0]) {
        (void)m->api.shut_down();
        (void)unload(&m->api);
        return tare_err_set(err, TARE_E_ENVIRONMENT, "rocm: %s", why);
    }
    for (uint32_t i = 0; i < m->n_devices; i++) {
        open_device(&m->api, &m->list[i], i);
    }
    watch(m);
    return 0;
}

/* The counter is read last at the begin, and first at the end. */
static void rocm_begin(void *self)
{
    struct rocm *m = self;
    for (uint32_t i = 0; i < m->n_devices; i++) {
        struct device *d = &m->list[i];
        memset(d->gauges, 0, sizeof d->gauges);
        d->is_open = true;
        look(&m->api, d);
        d->energy.code = d->energy.is_there ? rsmi_ok : d->energy.code;
        count(&m->api, d, false);
        tare_board_begin(&d->energy);
    }
}

static void rocm_sample(void *self)
{
    struct rocm *m = self;
    for (uint32_t i = 0; i < m->n_devices; i++) {
        count(&m->api, &m->list[i], false);
        if (m->list[i].is_open) {
            look(&m->api, &m->list[i]);
        }
    }
}

struct item {
    const char *stem, *tail, *unit, *scope, *source;
    double value, u;
    const char *why, *flags;
};

static void put(struct tare_readings *to, const struct device *d, const struct item *i)
{
    char name[64], source[text_max];
    bool is_absent = i->why[0] || !isfinite(i->value);
    (void)snprintf(name, sizeof name, "%s_amdgpu_%" PRIu32 "%s", i->stem, d->index, i->tail);
    (void)snprintf(source, sizeof source, "%s (%.90s)", i->source, d->name);
    struct tare_reading reading = {.name = name,
                                   .unit = i->unit,
                                   .scope = i->scope,
                                   .source = source,
                                   .kind = TARE_KIND_MEASURED,
                                   .absent = is_absent,
                                   .value = is_absent ? (double)NAN : i->value,
                                   .why = i->why[0] ? i->why : "not read"};
    struct tare_doubt doubt = {i->u, (double)NAN, i->flags};
    to->add_doubted(to, &reading, &doubt);
}

static void why_no_energy(const struct rocm_api *api, const struct device *d, char *why)
{
    if (d->energy.code != rsmi_ok) {
        say(api, "rsmi_dev_energy_count_get", d->energy.code, why, text_max);
    } else {
        (void)tare_board_why(&d->energy, why, text_max);
    }
}

static void put_energy(const struct rocm_api *api, const struct device *d, struct tare_readings *to)
{
    static const char *const kinds[] = {"GAIN_UNKNOWN,DUTY_UNKNOWN,PERIOD_UNKNOWN",
                                        "GAIN_UNKNOWN,DUTY_UNKNOWN",
                                        "GAIN_UNKNOWN,DUTY_UNKNOWN,PERIOD_BOUND"};
    const char *source = "rsmi_dev_energy_count_get, counts x resolution";
    char why[text_max] = "";
    double period_s = (double)NAN, u = (double)NAN;
    double joules = (d->energy.end_total - d->energy.begin_total) * d->uj / 1e6;
    double seconds = tare_board_seconds(&d->energy), watts = joules / seconds;
    enum tare_steps_kind kind = tare_steps_period(&d->energy.steps, &period_s);
    why_no_energy(api, d, why);
    if (!why[0]) {
        const struct tare_gauge *power = &d->gauges[ROCM_POWER];
        u = tare_board_u(&d->energy, fmax(watts, power->n ? power->most : 0));
    }
    put(to, d, &(struct item){"energy", "", "J", "device", source, joules, u, why, kinds[kind]});
    put(to, d, &(struct item){"power_mean", "", "W", "device", source, watts, u / seconds, why, kinds[kind]});
    const char *none = d->energy.is_there ? "" : why;
    const char *few =
        kind == TARE_STEPS_UNKNOWN ? "too few moves of the energy counter were seen so far" : "";
    const char *still =
        d->energy.steps.smallest > 0 ? "" : "the energy counter has not moved since it is watched";
    put(to, d,
        &(struct item){"energy", "_step", "J", "counter", source, d->energy.steps.smallest * d->uj / 1e6,
                       (double)NAN, none[0] ? none : still, ""});
    put(to, d,
        &(struct item){"energy", "_period", "s", "counter", source, period_s, (double)NAN,
                       none[0] ? none : few, kind == TARE_STEPS_AT_MOST ? "PERIOD_BOUND" : ""});
}

static void put_gauges(const struct rocm_api *api, const struct device *d, struct tare_readings *to)
{
    const struct tare_gauge *power = &d->gauges[ROCM_POWER], *memory = &d->gauges[ROCM_MEMORY],
                            *heat = &d->gauges[ROCM_TEMPERATURE];
    const char *power_source = d->power_is_current ? "rsmi_dev_power_get, current power, mean of samples"
                                                   : "rsmi_dev_power_ave_get, average power, mean of samples";
    char why[text_max] = "";
    double unknown = (double)NAN;
    if (power->n == 0) {
        say(api, d->power_is_current ? "rsmi_dev_power_get" : "rsmi_dev_power_ave_get", power->code, why,
            sizeof why);
    }
    put(to, d,
        &(struct item){"power", "", "W", "device", power_source, power->sum / (double)power->n, unknown, why,
                       power->n_failed ? "SAMPLED,GAP" : "SAMPLED"});
    why[0] = '\0';
    if (memory->n == 0 || memory->n_failed) {
        say(api, "rsmi_dev_memory_usage_get", memory->code, why, sizeof why);
    }
    const char *source = "rsmi_dev_memory_usage_get of VRAM";
    const char *unread = isfinite(d->memory_idle) ? "" : "rsmi_dev_memory_usage_get failed when opened";
    const char *total = isfinite(d->memory_total) ? "" : "rsmi_dev_memory_total_get failed when opened";
    put(to, d, &(struct item){"memory", "_idle", "B", "device", source, d->memory_idle, unknown, unread, ""});
    put(to, d, &(struct item){"memory", "_begin", "B", "device", source, memory->first, unknown, why, ""});
    put(to, d,
        &(struct item){"memory", "_peak", "B", "device", source, memory->most, unknown, why,
                       "SAMPLED,LOWER_BOUND"});
    put(to, d,
        &(struct item){"memory", "_total", "B", "device", "rsmi_dev_memory_total_get of VRAM",
                       d->memory_total, unknown, total, ""});
    why[0] = '\0';
    if (heat->n == 0 || heat->n_failed) {
        say(api, "rsmi_dev_temp_metric_get", heat->code, why, sizeof why);
    }
    source = "rsmi_dev_temp_metric_get, edge or else junction";
    put(to, d,
        &(struct item){"temperature", "_begin", "degC", "device", source, heat->first, unknown, why, ""});
    put(to, d, &(struct item){"temperature", "_end", "degC", "device", source, heat->last, unknown, why, ""});
}

static void rocm_end(void *self, struct tare_readings *to)
{
    struct rocm *m = self;
    for (uint32_t i = 0; i < m->n_devices; i++) {
        struct device *d = &m->list[i];
        count(&m->api, d, false);
        tare_board_end(&d->energy);
        look(&m->api, d);
        d->is_open = false;
    }
    for (uint32_t i = 0; i < m->n_devices; i++) {
        put_energy(&m->api, &m->list[i], to);
        put_gauges(&m->api, &m->list[i], to);
    }
}

static void rocm_close(void *self)
{
    struct rocm *m = self;
    (void)m->api.shut_down();
    (void)unload(&m->api);
}

const struct tare_meter tare_meter_rocm = {.header = TARE_METER_HEADER,
                                           .name = "rocm",
                                           .summary = "AMD GPUs: energy, power, memory, temperature",
                                           .priv_size = sizeof(struct rocm),
                                           .probe = rocm_probe,
                                           .open = rocm_open,
                                           .begin = rocm_begin,
                                           .end = rocm_end,
                                           .close = rocm_close,
                                           .place = TARE_METER_OUTSIDE,
                                           .options = rocm_options,
                                           .sample = rocm_sample};
