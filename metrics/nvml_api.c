/* SPDX-License-Identifier: Apache-2.0 */
/* Loading libnvidia-ml and naming its errors. */
#include "nvml_api.h"

#include <tare/err.h>

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

struct symbol {
    size_t offset; /* of the pointer in struct tare_nvml */
    const char *names[2];
};

#define SYMBOL(member, ...)                 \
    {                                       \
        offsetof(struct tare_nvml, member), \
        {                                   \
            __VA_ARGS__                     \
        }                                   \
    }

static const struct symbol needed[] = {
    SYMBOL(init, "nvmlInit_v2", "nvmlInit"),
    SYMBOL(shutdown, "nvmlShutdown"),
    SYMBOL(count, "nvmlDeviceGetCount_v2", "nvmlDeviceGetCount"),
    SYMBOL(handle, "nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex"),
};

static const struct symbol wanted[] = {
    SYMBOL(error_string, "nvmlErrorString"),
    SYMBOL(driver_version, "nvmlSystemGetDriverVersion"),
    SYMBOL(library_version, "nvmlSystemGetNVMLVersion"),
    SYMBOL(name, "nvmlDeviceGetName"),
    SYMBOL(uuid, "nvmlDeviceGetUUID"),
    SYMBOL(vbios, "nvmlDeviceGetVbiosVersion"),
    SYMBOL(total_energy, "nvmlDeviceGetTotalEnergyConsumption"),
    SYMBOL(power, "nvmlDeviceGetPowerUsage"),
    SYMBOL(fields, "nvmlDeviceGetFieldValues"),
    SYMBOL(memory, "nvmlDeviceGetMemoryInfo"),
    SYMBOL(memory_v2, "nvmlDeviceGetMemoryInfo_v2"),
    /* The layout of a process has been the same in both. */
    SYMBOL(processes, "nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetComputeRunningProcesses_v2"),
    SYMBOL(temperature, "nvmlDeviceGetTemperature"),
    SYMBOL(temperature_v, "nvmlDeviceGetTemperatureV"),
    SYMBOL(events, "nvmlDeviceGetCurrentClocksEventReasons"),
    SYMBOL(throttle, "nvmlDeviceGetCurrentClocksThrottleReasons"),
    SYMBOL(pstate, "nvmlDeviceGetPerformanceState"),
    SYMBOL(clock, "nvmlDeviceGetClockInfo"),
    SYMBOL(enforced_limit, "nvmlDeviceGetEnforcedPowerLimit"),
    SYMBOL(limit, "nvmlDeviceGetPowerManagementLimit"),
    SYMBOL(ecc, "nvmlDeviceGetEccMode"),
    SYMBOL(mig, "nvmlDeviceGetMigMode"),
    SYMBOL(persistence, "nvmlDeviceGetPersistenceMode"),
    SYMBOL(pcie_width, "nvmlDeviceGetCurrPcieLinkWidth"),
    SYMBOL(pcie_generation, "nvmlDeviceGetCurrPcieLinkGeneration"),
};

enum { n_needed = sizeof needed / sizeof *needed, n_wanted = sizeof wanted / sizeof *wanted };

/* POSIX has data and function pointers look the same; C has no word for it, so the bytes are copied. */
static bool find(struct tare_nvml *api, const struct symbol *s)
{
    void *at = NULL;
    for (size_t i = 0; i < 2 && s->names[i] && !at; i++) {
        at = dlsym(api->object, s->names[i]);
    }
    memcpy((char *)api + s->offset, &at, sizeof at);
    return at != NULL;
}

static int fail(struct tare_nvml *api)
{
    if (api->object) {
        (void)dlclose(api->object);
    }
    memset(api, 0, sizeof *api);
    return TARE_E_ENVIRONMENT;
}

int tare_nvml_load(struct tare_nvml *api, const char *library, char *why, size_t n_why)
{
    const char *path = library && library[0] ? library : TARE_NVML_LIBRARY;
    memset(api, 0, sizeof *api);
    api->object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!api->object) {
        (void)snprintf(
            why, n_why,
            "%s (install NVIDIA's driver; in a container pass its libraries in with the \"utility\" "
            "capability)",
            dlerror());
        return fail(api);
    }
    for (size_t i = 0; i < n_needed; i++) {
        if (!find(api, &needed[i])) {
            (void)snprintf(why, n_why, "%s has no %s: it is not NVML", path, needed[i].names[0]);
            return fail(api);
        }
    }
    for (size_t i = 0; i < n_wanted; i++) {
        (void)find(api, &wanted[i]);
    }
    int code = api->init();
    if (code != TARE_NVML_OK) {
        tare_nvml_why(api, "nvmlInit_v2", code, why, n_why);
        return fail(api);
    }
    return 0;
}

void tare_nvml_unload(struct tare_nvml *api)
{
    if (api->object) {
        (void)api->shutdown();
        (void)fail(api);
    }
}

static const char *advice(int code)
{
    switch (code) {
    case TARE_NVML_NOT_SUPPORTED:
        return " (this GPU, driver or virtual machine does not offer it)";
    case TARE_NVML_NO_PERMISSION:
        return " (run as a user whom the driver lets read it)";
    case TARE_NVML_DRIVER_NOT_LOADED:
        return " (load the nvidia kernel module; in a container pass the device files in)";
    case TARE_NVML_FUNCTION_NOT_FOUND:
        return " (this driver is too old for it)";
    case TARE_NVML_GPU_IS_LOST:
    case TARE_NVML_RESET_REQUIRED:
        return " (look for Xid in the kernel's log; the GPU must be reset)";
    case TARE_NVML_LIB_RM_VERSION_MISMATCH:
        return " (the driver was updated while loaded: reload it or boot)";
    default:
        return "";
    }
}

void tare_nvml_why(const struct tare_nvml *api, const char *function, int code, char *why, size_t n_why)
{
    const char *text = api->error_string ? api->error_string(code) : NULL;
    if (text) {
        (void)snprintf(why, n_why, "%s: %s%s", function, text, advice(code));
    } else {
        (void)snprintf(why, n_why, "%s: NVML error %d%s", function, code, advice(code));
    }
}
