/* SPDX-License-Identifier: Apache-2.0 */
/* NVML's functions over a struct that a test fills; see fake_nvml.h. */
#include "fake_nvml.h"

#include "nvml_api.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

extern struct fake_nvml fake_nvml;
struct fake_nvml fake_nvml;

enum { ok = 0, invalid = 2, not_supported = 3, too_small = 7 };

static int64_t now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static struct fake_gpu *gpu(tare_nvml_handle h)
{
    return &fake_nvml.gpus[(size_t)((char *)h - (char *)&fake_nvml) - 1];
}

/* Joules since the wave's begin. */
static double wave_j(const struct fake_gpu *g, double s)
{
    if (g->wave_s <= 0) {
        return g->high_w * s;
    }
    double whole = floor(s / g->wave_s), rest = s - whole * g->wave_s, half = g->wave_s / 2;
    double part = rest < half ? g->high_w * rest : g->high_w * half + g->low_w * (rest - half);
    return whole * half * (g->high_w + g->low_w) + part;
}

double fake_nvml_joules(const struct fake_gpu *g, int64_t zero_ns, int64_t from_ns, int64_t to_ns)
{
    return wave_j(g, (double)(to_ns - zero_ns) / 1e9) - wave_j(g, (double)(from_ns - zero_ns) / 1e9);
}

/* The time that a sensor shows: that of its last step. */
static double shown_s(const struct fake_gpu *g)
{
    double s = (double)(now_ns() - fake_nvml.zero_ns) / 1e9;
    return g->step_s > 0 ? floor(s / g->step_s) * g->step_s : s;
}

static double power_w(const struct fake_gpu *g)
{
    double s = shown_s(g);
    return g->wave_s <= 0 || fmod(s, g->wave_s) < g->wave_s / 2 ? g->high_w : g->low_w;
}

int nvmlInit_v2(void);
int nvmlInit_v2(void)
{
    fake_nvml.n_open += fake_nvml.init_code == 0;
    return fake_nvml.init_code;
}

int nvmlShutdown(void);
int nvmlShutdown(void)
{
    fake_nvml.n_open--;
    return ok;
}

int nvmlDeviceGetCount_v2(unsigned int *n);
int nvmlDeviceGetCount_v2(unsigned int *n)
{
    *n = fake_nvml.n_devices;
    return ok;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned int i, tare_nvml_handle *h);
int nvmlDeviceGetHandleByIndex_v2(unsigned int i, tare_nvml_handle *h)
{
    if (i >= fake_nvml.n_devices) {
        return invalid;
    }
    *h = (tare_nvml_handle)((char *)&fake_nvml + 1 + i);
    return ok;
}

const char *nvmlErrorString(int code);
const char *nvmlErrorString(int code)
{
    return code == not_supported ? "Not Supported"
           : code == 15          ? "GPU is lost"
           : code == 9           ? "Driver Not Loaded"
           : code == invalid     ? "Invalid Argument"
                                 : "Unknown Error";
}

int nvmlSystemGetDriverVersion(char *text, unsigned int n);
int nvmlSystemGetDriverVersion(char *text, unsigned int n)
{
    (void)snprintf(text, n, "580.1");
    return ok;
}

int nvmlDeviceGetName(tare_nvml_handle h, char *text, unsigned int n);
int nvmlDeviceGetName(tare_nvml_handle h, char *text, unsigned int n)
{
    (void)snprintf(text, n, "%s", gpu(h)->name);
    return ok;
}

int nvmlDeviceGetUUID(tare_nvml_handle h, char *text, unsigned int n);
int nvmlDeviceGetUUID(tare_nvml_handle h, char *text, unsigned int n)
{
    (void)snprintf(text, n, "GPU-fake-%d", (int)(gpu(h) - fake_nvml.gpus));
    return ok;
}

int nvmlDeviceGetTotalEnergyConsumption(tare_nvml_handle h, unsigned long long *mj);
int nvmlDeviceGetTotalEnergyConsumption(tare_nvml_handle h, unsigned long long *mj)
{
    struct fake_gpu *g = gpu(h);
    if (g->energy_fail_at > 0 && --g->energy_fail_at == 0) {
        return 15;
    }
    *mj = (unsigned long long)llround((g->base_j + wave_j(g, shown_s(g))) * 1e3);
    return g->energy_code;
}

int nvmlDeviceGetPowerUsage(tare_nvml_handle h, unsigned int *mw);
int nvmlDeviceGetPowerUsage(tare_nvml_handle h, unsigned int *mw)
{
    *mw = (unsigned int)lround(power_w(gpu(h)) * 1e3);
    return gpu(h)->power_code;
}

int nvmlDeviceGetFieldValues(tare_nvml_handle h, int n, struct tare_nvml_field *fields);
int nvmlDeviceGetFieldValues(tare_nvml_handle h, int n, struct tare_nvml_field *fields)
{
    const struct fake_gpu *g = gpu(h);
    for (int i = 0; i < n; i++) {
        double part = !g->knows_parts || fields[i].scope == 0 ? 1 : fields[i].scope == 1 ? 1.5 : 0.25;
        fields[i].type = 1;
        fields[i].result = g->field_code;
        fields[i].value.u32 = (unsigned int)lround(power_w(g) * part * 1e3);
    }
    return ok;
}

int nvmlDeviceGetMemoryInfo(tare_nvml_handle h, struct tare_nvml_memory *m);
int nvmlDeviceGetMemoryInfo(tare_nvml_handle h, struct tare_nvml_memory *m)
{
    const struct fake_gpu *g = gpu(h);
    m->total = g->total;
    m->used = g->used + g->reserved;
    m->free = m->total - m->used;
    return ok;
}

int nvmlDeviceGetMemoryInfo_v2(tare_nvml_handle h, struct tare_nvml_memory_v2 *m);
int nvmlDeviceGetMemoryInfo_v2(tare_nvml_handle h, struct tare_nvml_memory_v2 *m)
{
    const struct fake_gpu *g = gpu(h);
    if (m->version != (sizeof *m | 2u << 24)) {
        return 25;
    }
    m->total = g->total;
    m->reserved = g->reserved;
    m->used = g->used + (g->used_contains_reserve ? g->reserved : 0);
    m->free = m->total - g->used - g->reserved;
    return g->memory_code;
}

int nvmlDeviceGetComputeRunningProcesses_v3(tare_nvml_handle h, unsigned int *n,
                                            struct tare_nvml_process *to);
int nvmlDeviceGetComputeRunningProcesses_v3(tare_nvml_handle h, unsigned int *n, struct tare_nvml_process *to)
{
    const struct fake_gpu *g = gpu(h);
    unsigned int room = *n;
    *n = g->n_processes;
    for (unsigned int i = 0; i < room && i < g->n_processes; i++) {
        to[i] = (struct tare_nvml_process){g->pids[i], g->bytes[i], ~0u, ~0u};
    }
    return g->process_code ? g->process_code : g->n_processes > room ? too_small : ok;
}

int nvmlDeviceGetTemperature(tare_nvml_handle h, int sensor, unsigned int *celsius);
int nvmlDeviceGetTemperature(tare_nvml_handle h, int sensor, unsigned int *celsius)
{
    *celsius = gpu(h)->celsius;
    return sensor == 0 ? gpu(h)->temperature_code : invalid;
}

int nvmlDeviceGetCurrentClocksThrottleReasons(tare_nvml_handle h, unsigned long long *bits);
int nvmlDeviceGetCurrentClocksThrottleReasons(tare_nvml_handle h, unsigned long long *bits)
{
    *bits = gpu(h)->events;
    return gpu(h)->events_code;
}

int nvmlDeviceGetPerformanceState(tare_nvml_handle h, int *state);
int nvmlDeviceGetPerformanceState(tare_nvml_handle h, int *state)
{
    *state = gpu(h)->high_w > 0 ? 0 : 8;
    return ok;
}

int nvmlDeviceGetClockInfo(tare_nvml_handle h, int which, unsigned int *mhz);
int nvmlDeviceGetClockInfo(tare_nvml_handle h, int which, unsigned int *mhz)
{
    (void)h;
    *mhz = which == 1 ? 1980 : 2619;
    return ok;
}

int nvmlDeviceGetEnforcedPowerLimit(tare_nvml_handle h, unsigned int *mw);
int nvmlDeviceGetEnforcedPowerLimit(tare_nvml_handle h, unsigned int *mw)
{
    *mw = gpu(h)->limit_mw;
    return ok;
}

int nvmlDeviceGetMigMode(tare_nvml_handle h, unsigned int *now, unsigned int *later);
int nvmlDeviceGetMigMode(tare_nvml_handle h, unsigned int *now, unsigned int *later)
{
    *now = *later = gpu(h)->mig;
    return ok;
}
