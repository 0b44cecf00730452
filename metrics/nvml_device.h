/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One GPU as NVML shows it, watched over a window: its energy, and gauges that are looked at whenever the
 * meter is called. What is reported of it stands in nvml_report.c. Nothing here allocates; one thread.
 */
#ifndef TARE_METRICS_NVML_DEVICE_H
#define TARE_METRICS_NVML_DEVICE_H

#include "board.h"
#include "nvml_api.h"
#include "watts.h"

enum nvml_gauge_id {
    NVML_POWER_INSTANT = 0,
    NVML_POWER_AVERAGE,
    NVML_POWER_MODULE,
    NVML_POWER_MEMORY,
    NVML_POWER_USAGE,
    NVML_MEMORY,
    NVML_TEMPERATURE,
    NVML_EVENTS, /* the value is the bits */
    NVML_PSTATE,
    NVML_CLOCK_SM,
    NVML_CLOCK_MEM,
    NVML_POWER_LIMIT,
    NVML_ECC,
    NVML_MIG,
    NVML_PCIE_WIDTH,
    NVML_PCIE_GENERATION,
    n_nvml_gauges
};

/* Samples of the window in which a reason for low clocks was set. */
struct nvml_events {
    int64_t thermal, brake, cap, slowdown;
};

/* Memory of the measured process and its children, as NVML lists it. */
struct nvml_process_memory {
    int64_t n_looks, n_failed, n_found, n_unknown; /* looks that found them; found but without bytes */
    unsigned int n_listed;                         /* most processes that were listed at once */
    double most;
    int code;
};

enum { nvml_identity_max = 160 };

struct nvml_device {
    tare_nvml_handle handle;
    unsigned int index; /* NVML's */
    char name[96];
    char identity[nvml_identity_max]; /* "NVIDIA H100 80GB HBM3, driver 580.1" */
    bool memory_is_v2;                /* what the driver reserves is known, and left out */
    bool is_averaged;                 /* NVML_POWER_USAGE is a 1-s average here, or may be one */
    double memory_idle;               /* B at open; NaN if unread */
    double memory_total;
    struct tare_board_counter energy; /* mJ */
    /* The window. */
    bool is_open;
    struct tare_watts watts; /* for energy where there is no counter */
    int64_t counted_ns;      /* when the energy counter was read last */
    struct tare_gauge gauges[n_nvml_gauges];
    struct nvml_events events;
    struct nvml_process_memory process;
};

/* 0, or NVML's code: the device cannot be had. */
int nvml_device_open(const struct tare_nvml *api, unsigned int index, struct nvml_device *d);
/* Reads the energy counter and notes how it moves. */
void nvml_device_count(const struct tare_nvml *api, struct nvml_device *d, bool is_close);
void nvml_device_begin(const struct tare_nvml *api, struct nvml_device *d, int64_t pid);
void nvml_device_sample(const struct tare_nvml *api, struct nvml_device *d, int64_t pid);
void nvml_device_end(const struct tare_nvml *api, struct nvml_device *d, int64_t pid);
/* The gauge that energy is integrated from where there is no counter. */
enum nvml_gauge_id nvml_device_power(const struct nvml_device *d);
/* What the board measures now, in degrees Celsius; NaN: it does not tell. */
double nvml_device_temperature_c(const struct tare_nvml *api, const struct nvml_device *d);
/* The function that a gauge is read with. */
const char *nvml_gauge_function(const struct nvml_device *d, enum nvml_gauge_id id);

/* nvml_process.c: one look at the processes on the device. */
void nvml_process_look(const struct tare_nvml *api, tare_nvml_handle handle, int64_t pid,
                       struct nvml_process_memory *m);

struct tare_readings;
/* nvml_report.c: every reading of the device's window. */
void nvml_report(const struct tare_nvml *api, struct nvml_device *d, int64_t pid, struct tare_readings *to);
/* What of the machine's GPUs together can make a window incomparable: throttle_events, power_cap_events. */
void nvml_report_events(const struct tare_nvml *api, const struct nvml_device *list, size_t n,
                        struct tare_readings *to);

#endif
