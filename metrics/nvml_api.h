/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The few functions of NVIDIA's management library that are used here, found at run time: this project
 * needs no header and no library of NVIDIA's to be built. The declarations are our own; numbers and layouts
 * are those of NVML's documented interface, which only ever grows. Not a wrapper of all of NVML, and nothing
 * here changes a setting of a GPU. One thread.
 */
#ifndef TARE_METRICS_NVML_API_H
#define TARE_METRICS_NVML_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TARE_NVML_LIBRARY "libnvidia-ml.so.1"

/* Return values that are told apart here. */
enum {
    TARE_NVML_OK = 0,
    TARE_NVML_NOT_SUPPORTED = 3,
    TARE_NVML_NO_PERMISSION = 4,
    TARE_NVML_INSUFFICIENT_SIZE = 7,
    TARE_NVML_DRIVER_NOT_LOADED = 9,
    TARE_NVML_FUNCTION_NOT_FOUND = 13,
    TARE_NVML_GPU_IS_LOST = 15,
    TARE_NVML_RESET_REQUIRED = 16,
    TARE_NVML_LIB_RM_VERSION_MISMATCH = 18
};

/* Fields of tare_nvml.fields; which part of a board they are asked for. */
enum { TARE_NVML_FIELD_POWER_AVERAGE = 185, TARE_NVML_FIELD_POWER_INSTANT = 186 };
enum { TARE_NVML_SCOPE_GPU = 0, TARE_NVML_SCOPE_MODULE = 1, TARE_NVML_SCOPE_MEMORY = 2 };

enum { TARE_NVML_CLOCK_SM = 1, TARE_NVML_CLOCK_MEM = 2 };

/* Bits of tare_nvml.events: why the clocks are lower than they could be. */
enum {
    TARE_NVML_EVENT_POWER_CAP = 0x04,
    TARE_NVML_EVENT_SLOWDOWN = 0x08,
    TARE_NVML_EVENT_SW_THERMAL = 0x20,
    TARE_NVML_EVENT_HW_THERMAL = 0x40,
    TARE_NVML_EVENT_POWER_BRAKE = 0x80
};

typedef struct tare_nvml_device_handle *tare_nvml_handle;

struct tare_nvml_memory {
    unsigned long long total, free, used; /* used contains what the driver reserves */
};

struct tare_nvml_memory_v2 {
    unsigned int version; /* size of the struct, 2 << 24 */
    unsigned long long total, reserved, free, used;
};

struct tare_nvml_process {
    unsigned int pid;
    unsigned long long bytes; /* all ones: unknown */
    unsigned int gpu_instance, compute_instance;
};

struct tare_nvml_temperature {
    unsigned int version; /* size of the struct, 1 << 24 */
    int sensor;           /* 0: the GPU */
    int celsius;
};

struct tare_nvml_field {
    unsigned int id, scope;
    long long timestamp_us, latency_us;
    int type;   /* of the value */
    int result; /* of this field */
    union {
        double f64;
        unsigned int u32;
        unsigned long u;
        unsigned long long u64;
        long long i64;
        int i32;
        unsigned short u16;
    } value;
};

/* Members that this library lacks are NULL, but for the four that cannot be done without. */
struct tare_nvml {
    void *object;
    int (*init)(void);
    int (*shutdown)(void);
    int (*count)(unsigned int *);
    int (*handle)(unsigned int, tare_nvml_handle *);
    const char *(*error_string)(int);
    int (*driver_version)(char *, unsigned int);
    int (*library_version)(char *, unsigned int);
    int (*name)(tare_nvml_handle, char *, unsigned int);
    int (*uuid)(tare_nvml_handle, char *, unsigned int);
    int (*vbios)(tare_nvml_handle, char *, unsigned int);
    int (*total_energy)(tare_nvml_handle, unsigned long long *); /* mJ since the driver was loaded */
    int (*power)(tare_nvml_handle, unsigned int *);              /* mW */
    int (*fields)(tare_nvml_handle, int, struct tare_nvml_field *);
    int (*memory)(tare_nvml_handle, struct tare_nvml_memory *);
    int (*memory_v2)(tare_nvml_handle, struct tare_nvml_memory_v2 *);
    int (*processes)(tare_nvml_handle, unsigned int *, struct tare_nvml_process *);
    int (*temperature)(tare_nvml_handle, int, unsigned int *);
    int (*temperature_v)(tare_nvml_handle, struct tare_nvml_temperature *);
    int (*events)(tare_nvml_handle, unsigned long long *);
    int (*throttle)(tare_nvml_handle, unsigned long long *); /* what events was called before */
    int (*pstate)(tare_nvml_handle, int *);
    int (*clock)(tare_nvml_handle, int, unsigned int *);     /* MHz */
    int (*enforced_limit)(tare_nvml_handle, unsigned int *); /* mW */
    int (*limit)(tare_nvml_handle, unsigned int *);          /* mW */
    int (*ecc)(tare_nvml_handle, int *, int *);              /* now, after the next boot */
    int (*mig)(tare_nvml_handle, unsigned int *, unsigned int *);
    int (*persistence)(tare_nvml_handle, int *);
    int (*pcie_width)(tare_nvml_handle, unsigned int *);
    int (*pcie_generation)(tare_nvml_handle, unsigned int *);
};

/* Loads and starts the library (NULL: the driver's own). 0, or negative with the reason, and what to do, in
 * why; nothing is held then. */
int tare_nvml_load(struct tare_nvml *api, const char *library, char *why, size_t n_why);
void tare_nvml_unload(struct tare_nvml *api);
/* "nvmlDeviceGetPowerUsage: Not Supported (what to do)". */
void tare_nvml_why(const struct tare_nvml *api, const char *function, int code, char *why, size_t n_why);

/*
 * What stands fixed about the driver and its GPUs, as text: driver, library, gpu_0_name, gpu_0_uuid,
 * gpu_0_vbios, gpu_0_memory_total, gpu_0_power_limit, gpu_0_ecc, gpu_0_mig, gpu_0_persistence,
 * gpu_0_pcie_width, gpu_0_pcie_generation, gpu_0_clock_sm, gpu_0_clock_mem; gpus is their number. What
 * cannot be read is left out. A secret value names one card of the world: store a hash of it only.
 * Returns the number of facts, or negative with the reason in why (no driver: no facts).
 */
typedef void tare_nvml_fact(void *ctx, const char *key, const char *value, bool is_secret);
int tare_nvml_facts(const char *library, tare_nvml_fact *take, void *ctx, char *why, size_t n_why);

#endif
