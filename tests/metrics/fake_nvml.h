/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A libnvidia-ml whose GPUs do what a test says. Built as a shared module; the test finds its state under
 * the name fake_nvml. Energy and power follow a square wave of CLOCK_MONOTONIC, shown late in steps.
 */
#ifndef TARE_TESTS_METRICS_FAKE_NVML_H
#define TARE_TESTS_METRICS_FAKE_NVML_H

#include <stdbool.h>
#include <stdint.h>

enum { fake_devices = 4, fake_processes = 80 };

struct fake_gpu {
    const char *name;
    /* Power: high_w for the first half of wave_s, low_w for the other; wave_s 0: always high_w. */
    double high_w, low_w, wave_s;
    double step_s;          /* of counter and power; 0: both are continuous */
    double base_j;          /* of the counter at zero_ns */
    int energy_code;        /* returned if not 0 */
    int64_t energy_fail_at; /* returned by this read of the counter only (1: the next) */
    int power_code, field_code, memory_code, process_code, temperature_code, events_code;
    bool knows_parts; /* module and memory power differ from the GPU's */
    unsigned long long total, reserved, used;
    bool used_contains_reserve;
    unsigned int n_processes;
    unsigned int pids[fake_processes];
    unsigned long long bytes[fake_processes];
    unsigned int celsius;
    unsigned long long events;
    unsigned int limit_mw, mig;
};

struct fake_nvml {
    int init_code;
    unsigned int n_devices;
    int64_t zero_ns; /* CLOCK_MONOTONIC at which the waves begin */
    int64_t n_open;  /* init calls less shutdown calls */
    struct fake_gpu gpus[fake_devices];
};

/* Joules between two times, of the wave itself. */
typedef double fake_nvml_joules_of(const struct fake_gpu *g, int64_t zero_ns, int64_t from_ns, int64_t to_ns);
fake_nvml_joules_of fake_nvml_joules;

#endif
