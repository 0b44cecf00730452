/* SPDX-License-Identifier: Apache-2.0 */
/* Looks at a GPU. The counter is read last at a window's begin and first at its end. */
#include "nvml_device.h"

#include "now.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* No board draws 10 kW; a counter that says so was set anew. */
static const double most_mj_a_second = 1e7;

enum { pstate_unknown = 32 };

static int get_u32(int (*get)(tare_nvml_handle, unsigned int *), tare_nvml_handle handle, double scale,
                   double *out)
{
    unsigned int value = 0;
    int code = get ? get(handle, &value) : TARE_NVML_FUNCTION_NOT_FOUND;
    *out = value * scale;
    return code;
}

/* A field of power in mW, as 32 bits whatever its declared type: the other half of the union is 0 then. */
static int get_power_field(const struct tare_nvml *api, tare_nvml_handle handle, unsigned int id,
                           unsigned int scope, double *out)
{
    struct tare_nvml_field field;
    memset(&field, 0, sizeof field);
    field.id = id;
    field.scope = scope;
    int code = api->fields ? api->fields(handle, 1, &field) : TARE_NVML_FUNCTION_NOT_FOUND;
    code = code == TARE_NVML_OK ? field.result : code;
    *out = field.value.u32 / 1000.0;
    return code;
}

/*
 * Used by anybody but the driver itself. NVML's versions differ in whether "used" contains what the driver
 * reserves; total - free - reserved leaves it out in all of them.
 */
static int get_memory(const struct tare_nvml *api, const struct nvml_device *d, double *out)
{
    struct tare_nvml_memory_v2 v2 = {.version = (unsigned int)sizeof v2 | 2u << 24};
    struct tare_nvml_memory v1 = {0, 0, 0};
    int code = TARE_NVML_FUNCTION_NOT_FOUND;
    if (d->memory_is_v2) {
        code = api->memory_v2(d->handle, &v2);
        *out = (double)v2.total - (double)v2.free - (double)v2.reserved;
    } else if (api->memory) {
        code = api->memory(d->handle, &v1);
        *out = (double)v1.used;
    }
    return code;
}

static int get_temperature(const struct tare_nvml *api, tare_nvml_handle handle, double *out)
{
    struct tare_nvml_temperature t = {.version = (unsigned int)sizeof t | 1u << 24};
    unsigned int celsius = 0;
    int code = api->temperature ? api->temperature(handle, 0, &celsius) : TARE_NVML_FUNCTION_NOT_FOUND;
    *out = celsius;
    if (code != TARE_NVML_OK && api->temperature_v) {
        code = api->temperature_v(handle, &t);
        *out = t.celsius;
    }
    return code;
}

static int get_events(const struct tare_nvml *api, tare_nvml_handle handle, double *out)
{
    unsigned long long bits = 0;
    int (*get)(tare_nvml_handle, unsigned long long *) = api->events ? api->events : api->throttle;
    int code = get ? get(handle, &bits) : TARE_NVML_FUNCTION_NOT_FOUND;
    *out = (double)(bits & 0xffff);
    return code;
}

static int get_clock(const struct tare_nvml *api, tare_nvml_handle handle, int which, double *out)
{
    unsigned int mhz = 0;
    int code = api->clock ? api->clock(handle, which, &mhz) : TARE_NVML_FUNCTION_NOT_FOUND;
    *out = mhz;
    return code;
}

static int get_mode(const struct tare_nvml *api, tare_nvml_handle handle, enum nvml_gauge_id id, double *out)
{
    int now = 0, later = 0, code = TARE_NVML_FUNCTION_NOT_FOUND;
    unsigned int mig = 0, pending = 0;
    if (id == NVML_PSTATE && api->pstate) {
        code = api->pstate(handle, &now);
        code = code == TARE_NVML_OK && now == pstate_unknown ? TARE_NVML_NOT_SUPPORTED : code;
    } else if (id == NVML_ECC && api->ecc) {
        code = api->ecc(handle, &now, &later);
    } else if (id == NVML_MIG && api->mig) {
        code = api->mig(handle, &mig, &pending);
        now = (int)mig;
    }
    *out = now;
    return code;
}

double nvml_device_temperature_c(const struct tare_nvml *api, const struct nvml_device *d)
{
    double now_c = (double)NAN;
    return get_temperature(api, d->handle, &now_c) == TARE_NVML_OK ? now_c : (double)NAN;
}

static int get(const struct tare_nvml *api, const struct nvml_device *d, enum nvml_gauge_id id, double *out)
{
    switch (id) {
    case NVML_POWER_INSTANT:
        return get_power_field(api, d->handle, TARE_NVML_FIELD_POWER_INSTANT, TARE_NVML_SCOPE_GPU, out);
    case NVML_POWER_AVERAGE:
        return get_power_field(api, d->handle, TARE_NVML_FIELD_POWER_AVERAGE, TARE_NVML_SCOPE_GPU, out);
    case NVML_POWER_MODULE:
        return get_power_field(api, d->handle, TARE_NVML_FIELD_POWER_INSTANT, TARE_NVML_SCOPE_MODULE, out);
    case NVML_POWER_MEMORY:
        /* The instant field knows no memory where the averaged one does (H100, driver 580). */
        return get_power_field(api, d->handle, TARE_NVML_FIELD_POWER_AVERAGE, TARE_NVML_SCOPE_MEMORY, out);
    case NVML_POWER_USAGE:
        return get_u32(api->power, d->handle, 1e-3, out);
    case NVML_MEMORY:
        return get_memory(api, d, out);
    case NVML_TEMPERATURE:
        return get_temperature(api, d->handle, out);
    case NVML_EVENTS:
        return get_events(api, d->handle, out);
    case NVML_CLOCK_SM:
        return get_clock(api, d->handle, TARE_NVML_CLOCK_SM, out);
    case NVML_CLOCK_MEM:
        return get_clock(api, d->handle, TARE_NVML_CLOCK_MEM, out);
    case NVML_POWER_LIMIT:
        return get_u32(api->enforced_limit ? api->enforced_limit : api->limit, d->handle, 1e-3, out);
    case NVML_PCIE_WIDTH:
        return get_u32(api->pcie_width, d->handle, 1, out);
    case NVML_PCIE_GENERATION:
        return get_u32(api->pcie_generation, d->handle, 1, out);
    default:
        return get_mode(api, d->handle, id, out);
    }
}

const char *nvml_gauge_function(const struct nvml_device *d, enum nvml_gauge_id id)
{
    static const char *const names[n_nvml_gauges] = {
        "nvmlDeviceGetFieldValues NVML_FI_DEV_POWER_INSTANT of the GPU",
        "nvmlDeviceGetFieldValues NVML_FI_DEV_POWER_AVERAGE of the GPU",
        "nvmlDeviceGetFieldValues NVML_FI_DEV_POWER_INSTANT of the module",
        "nvmlDeviceGetFieldValues NVML_FI_DEV_POWER_AVERAGE of the memory",
        "nvmlDeviceGetPowerUsage",
        "nvmlDeviceGetMemoryInfo",
        "nvmlDeviceGetTemperature",
        "nvmlDeviceGetCurrentClocksEventReasons",
        "nvmlDeviceGetPerformanceState",
        "nvmlDeviceGetClockInfo SM",
        "nvmlDeviceGetClockInfo memory",
        "nvmlDeviceGetEnforcedPowerLimit",
        "nvmlDeviceGetEccMode",
        "nvmlDeviceGetMigMode",
        "nvmlDeviceGetCurrPcieLinkWidth",
        "nvmlDeviceGetCurrPcieLinkGeneration",
    };
    return id == NVML_MEMORY && d->memory_is_v2 ? "nvmlDeviceGetMemoryInfo_v2" : names[id];
}

enum nvml_gauge_id nvml_device_power(const struct nvml_device *d)
{
    const struct tare_gauge *instant = &d->gauges[NVML_POWER_INSTANT];
    return instant->n > 0 ? NVML_POWER_INSTANT : NVML_POWER_USAGE;
}

/* Settings change between windows at most; they are looked at where a window begins and ends. */
static bool is_setting(enum nvml_gauge_id id)
{
    return id >= NVML_POWER_LIMIT;
}

/* What a GPU does not have at the window's begin is not asked for again in it. */
static bool is_given_up(const struct tare_gauge *g)
{
    return g->n == 0 && g->n_failed > 0 &&
           (g->code == TARE_NVML_NOT_SUPPORTED || g->code == TARE_NVML_FUNCTION_NOT_FOUND);
}

static void note_events(struct nvml_events *e, unsigned int bits)
{
    e->thermal += (bits & (TARE_NVML_EVENT_SW_THERMAL | TARE_NVML_EVENT_HW_THERMAL)) != 0;
    e->brake += (bits & TARE_NVML_EVENT_POWER_BRAKE) != 0;
    e->cap += (bits & TARE_NVML_EVENT_POWER_CAP) != 0;
    e->slowdown += (bits & TARE_NVML_EVENT_SLOWDOWN) != 0;
}

static void look_at(const struct tare_nvml *api, struct nvml_device *d, enum nvml_gauge_id id)
{
    struct tare_gauge *g = &d->gauges[id];
    double value = 0;
    int64_t before_ns = tare_now_ns();
    if (is_given_up(g)) {
        return;
    }
    int code = get(api, d, id, &value);
    int64_t at_ns = before_ns + (tare_now_ns() - before_ns) / 2;
    tare_gauge_take(g, code, value);
    if (!d->energy.is_there && id == nvml_device_power(d)) {
        tare_watts_take(&d->watts, code == TARE_NVML_OK ? 0 : -EIO, value, at_ns);
    }
    if (id == NVML_EVENTS && code == TARE_NVML_OK) {
        note_events(&d->events, (unsigned int)value);
    }
}

static void look(const struct tare_nvml *api, struct nvml_device *d, int64_t pid, bool with_settings)
{
    for (int id = 0; id < n_nvml_gauges; id++) {
        if (with_settings || !is_setting((enum nvml_gauge_id)id)) {
            look_at(api, d, (enum nvml_gauge_id)id);
        }
    }
    if (pid > 0) {
        nvml_process_look(api, d->handle, pid, &d->process);
    }
}

void nvml_device_count(const struct tare_nvml *api, struct nvml_device *d, bool is_close)
{
    unsigned long long mj = 0;
    if (!d->energy.is_there) {
        return;
    }
    int64_t before_ns = tare_now_ns();
    int code = api->total_energy(d->handle, &mj);
    d->counted_ns = before_ns;
    tare_board_take(&d->energy, code, mj, before_ns, tare_now_ns(), is_close);
}

void nvml_device_begin(const struct tare_nvml *api, struct nvml_device *d, int64_t pid)
{
    memset(d->gauges, 0, sizeof d->gauges);
    memset(&d->events, 0, sizeof d->events);
    memset(&d->process, 0, sizeof d->process);
    tare_watts_begin(&d->watts);
    d->is_open = true;
    look(api, d, pid, true);
    d->energy.code = TARE_NVML_OK;
    nvml_device_count(api, d, false);
    tare_board_begin(&d->energy);
}

/* The energy counter does not wrap, and reading it takes 4 ms of a core (an H100, driver 580), a thousand
 * times what the other gauges take: between the edges it is only looked at for a driver that was loaded
 * again. */
void nvml_device_sample(const struct tare_nvml *api, struct nvml_device *d, int64_t pid)
{
    enum { recount_s = 5 };
    if (tare_now_ns() - d->counted_ns >= recount_s * INT64_C(1000000000)) {
        nvml_device_count(api, d, false);
    }
    if (d->is_open) {
        look(api, d, pid, false);
    }
}

void nvml_device_end(const struct tare_nvml *api, struct nvml_device *d, int64_t pid)
{
    nvml_device_count(api, d, false);
    tare_board_end(&d->energy);
    look(api, d, pid, true);
    d->is_open = false;
}

/* GA100 is the chip of these; on later chips, and on other chips of its generation, power is an average. */
static bool is_averaged(const char *name)
{
    static const char *const instant[] = {"A100", "A800", "A30", "V100",  "P100", "P40",
                                          "P4",   "T4",   "K80", "TITAN", "GTX",  "RTX 20"};
    for (size_t i = 0; i < sizeof instant / sizeof *instant; i++) {
        const char *at = strstr(name, instant[i]);
        char behind = at ? at[strlen(instant[i])] : '\0';
        if (at && (behind < '0' || behind > '9' || strcmp(instant[i], "RTX 20") == 0)) {
            return false;
        }
    }
    return true;
}

static void identify(const struct tare_nvml *api, struct nvml_device *d)
{
    char driver[80] = "";
    if (!api->name || api->name(d->handle, d->name, sizeof d->name) != TARE_NVML_OK) {
        (void)snprintf(d->name, sizeof d->name, "GPU %u", d->index);
    }
    if (!api->driver_version || api->driver_version(driver, sizeof driver) != TARE_NVML_OK) {
        (void)snprintf(driver, sizeof driver, "unknown");
    }
    (void)snprintf(d->identity, sizeof d->identity, "%.70s, driver %.40s", d->name, driver);
    d->is_averaged = is_averaged(d->name);
}

static void open_memory(const struct tare_nvml *api, struct nvml_device *d)
{
    struct tare_nvml_memory_v2 v2 = {.version = (unsigned int)sizeof v2 | 2u << 24};
    struct tare_nvml_memory v1 = {0, 0, 0};
    d->memory_is_v2 = api->memory_v2 && api->memory_v2(d->handle, &v2) == TARE_NVML_OK;
    d->memory_total = (double)v2.total;
    if (!d->memory_is_v2) {
        bool is_read = api->memory && api->memory(d->handle, &v1) == TARE_NVML_OK;
        d->memory_total = is_read ? (double)v1.total : (double)NAN;
    }
    if (get_memory(api, d, &d->memory_idle) != TARE_NVML_OK) {
        d->memory_idle = (double)NAN;
    }
}

int nvml_device_open(const struct tare_nvml *api, unsigned int index, struct nvml_device *d)
{
    unsigned long long mj = 0;
    memset(d, 0, sizeof *d);
    d->index = index;
    int code = api->handle(index, &d->handle);
    if (code != TARE_NVML_OK) {
        return code;
    }
    identify(api, d);
    open_memory(api, d);
    d->energy.counter.max_rate = most_mj_a_second;
    code = api->total_energy ? api->total_energy(d->handle, &mj) : TARE_NVML_FUNCTION_NOT_FOUND;
    /* A read that fails now but may work later leaves the counter in use: its windows say why not. */
    d->energy.is_there = code != TARE_NVML_NOT_SUPPORTED && code != TARE_NVML_FUNCTION_NOT_FOUND;
    return TARE_NVML_OK;
}
