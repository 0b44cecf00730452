/* SPDX-License-Identifier: Apache-2.0 */
/* A librocm_smi64 whose GPUs do what a test says; its state is found under the name fake_rocm. Energy
 * follows a constant power on CLOCK_MONOTONIC, shown late in steps. */
#ifndef TARE_TESTS_METRICS_FAKE_ROCM_H
#define TARE_TESTS_METRICS_FAKE_ROCM_H

#include <stdbool.h>
#include <stdint.h>

enum { fake_rocm_devices = 4 };

struct fake_rocm_gpu {
    const char *name;
    double watts, step_s, base_j;
    float resolution_uj; /* 0: the call leaves it untouched */
    bool is_all_ones;    /* the counter reads as all ones: not valid */
    int energy_code, power_code, average_code, memory_code, edge_code, junction_code;
    int power_type; /* 0: average, 1: current */
    uint64_t used, total;
    int64_t edge_mc, junction_mc;
};

struct fake_rocm {
    int init_code;
    uint32_t n_devices;
    int64_t zero_ns, n_open;
    struct fake_rocm_gpu gpus[fake_rocm_devices];
};

#endif
