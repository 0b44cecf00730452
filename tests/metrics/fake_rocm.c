/* SPDX-License-Identifier: Apache-2.0 */
/* ROCm SMI's functions over a struct that a test fills; see fake_rocm.h. */
#include "fake_rocm.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

extern struct fake_rocm fake_rocm;
struct fake_rocm fake_rocm;

static const struct fake_rocm_gpu *gpu(uint32_t i)
{
    return &fake_rocm.gpus[i];
}

static double shown_s(const struct fake_rocm_gpu *g)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    double s = (double)(t.tv_sec * INT64_C(1000000000) + t.tv_nsec - fake_rocm.zero_ns) / 1e9;
    return g->step_s > 0 ? floor(s / g->step_s) * g->step_s : s;
}

int rsmi_init(uint64_t flags);
int rsmi_init(uint64_t flags)
{
    fake_rocm.n_open += flags == 0 && fake_rocm.init_code == 0;
    return fake_rocm.init_code;
}

int rsmi_shut_down(void);
int rsmi_shut_down(void)
{
    fake_rocm.n_open--;
    return 0;
}

int rsmi_num_monitor_devices(uint32_t *n);
int rsmi_num_monitor_devices(uint32_t *n)
{
    *n = fake_rocm.n_devices;
    return 0;
}

int rsmi_status_string(int code, const char **text);
int rsmi_status_string(int code, const char **text)
{
    *text = code == 2 ? "RSMI_STATUS_NOT_SUPPORTED: not supported" : "RSMI_STATUS_FILE_ERROR: file error";
    return 0;
}

int rsmi_dev_name_get(uint32_t i, char *name, size_t n);
int rsmi_dev_name_get(uint32_t i, char *name, size_t n)
{
    (void)snprintf(name, n, "%s", gpu(i)->name);
    return 0;
}

int rsmi_dev_energy_count_get(uint32_t i, uint64_t *count, float *resolution, uint64_t *stamp);
int rsmi_dev_energy_count_get(uint32_t i, uint64_t *count, float *resolution, uint64_t *stamp)
{
    const struct fake_rocm_gpu *g = gpu(i);
    double uj = g->resolution_uj > 0 ? (double)g->resolution_uj : 1;
    *count = g->is_all_ones ? UINT64_MAX : (uint64_t)llround((g->base_j + g->watts * shown_s(g)) * 1e6 / uj);
    if (g->resolution_uj > 0) {
        *resolution = g->resolution_uj;
    }
    *stamp = (uint64_t)(shown_s(g) * 1e9);
    return g->energy_code;
}

int rsmi_dev_power_get(uint32_t i, uint64_t *uw, int *type);
int rsmi_dev_power_get(uint32_t i, uint64_t *uw, int *type)
{
    *uw = (uint64_t)llround(gpu(i)->watts * 1e6);
    *type = gpu(i)->power_type;
    return gpu(i)->power_code;
}

int rsmi_dev_power_ave_get(uint32_t i, uint32_t sensor, uint64_t *uw);
int rsmi_dev_power_ave_get(uint32_t i, uint32_t sensor, uint64_t *uw)
{
    *uw = (uint64_t)llround(gpu(i)->watts * 1e6);
    return sensor == 0 ? gpu(i)->average_code : 1;
}

int rsmi_dev_memory_usage_get(uint32_t i, int type, uint64_t *bytes);
int rsmi_dev_memory_usage_get(uint32_t i, int type, uint64_t *bytes)
{
    *bytes = gpu(i)->used;
    return type == 0 ? gpu(i)->memory_code : 1;
}

int rsmi_dev_memory_total_get(uint32_t i, int type, uint64_t *bytes);
int rsmi_dev_memory_total_get(uint32_t i, int type, uint64_t *bytes)
{
    *bytes = gpu(i)->total;
    return type == 0 ? gpu(i)->memory_code : 1;
}

int rsmi_dev_temp_metric_get(uint32_t i, uint32_t sensor, int metric, int64_t *mc);
int rsmi_dev_temp_metric_get(uint32_t i, uint32_t sensor, int metric, int64_t *mc)
{
    *mc = sensor == 0 ? gpu(i)->edge_mc : gpu(i)->junction_mc;
    return metric != 0 ? 1 : sensor == 0 ? gpu(i)->edge_code : gpu(i)->junction_code;
}
