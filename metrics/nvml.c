/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NVIDIA GPUs through their management library: energy, power, memory, temperature, clocks, and why the
 * clocks were low. From outside: the library answers any user, and asking it in the measured process would
 * start work there. What a board reads of itself is not what an external meter reads: sensors of some look
 * a quarter of the time, and gains are off by some percent (docs/gpu.md).
 *
 * Which GPUs: all that NVML has, or those of the option. CUDA_VISIBLE_DEVICES is not looked at: its numbers
 * are CUDA's order, which need not be NVML's, and a GPU that the model does not see draws power all the same.
 */
#include "now.h"
#include "nvml_device.h"

#include <math.h>
#include <tare/meter.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { max_devices = 16, poll_ns = 1000000 };

static const int64_t least_gap_ns = 1000000000; /* between two samples of power */

struct nvml {
    char *library;
    char *devices;
    int64_t period_ns;
    int64_t watch_ns;
    struct tare_nvml api;
    size_t n_devices;
    struct nvml_device list[max_devices];
    int64_t pid;
    int64_t sampled_ns;
};

static const struct tare_opt nvml_options[] = {
    {"library", TARE_OPT_STR, offsetof(struct nvml, library), NULL,
     "path of the library, if not " TARE_NVML_LIBRARY, NULL, 0, 0, NULL},
    {"devices", TARE_OPT_STR, offsetof(struct nvml, devices), NULL,
     "GPUs to read by NVML's numbers, such as 0,1; all if not given", NULL, 0, 0, NULL},
    {"period", TARE_OPT_NS, offsetof(struct nvml, period_ns), "0ns",
     "least time between two samples; 0: every time that the harness asks", "ns", 0, INT64_C(60000000000),
     NULL},
    {"watch", TARE_OPT_NS, offsetof(struct nvml, watch_ns), "500ms",
     "how long the energy counter is watched closely at first, to find how often it moves", "ns", 0,
     INT64_C(10000000000), NULL},
    TARE_OPT_END};

static int nvml_probe(char *why, size_t n_why)
{
    struct tare_nvml api;
    unsigned int n = 0;
    int r = tare_nvml_load(&api, NULL, why, n_why);
    if (r < 0) {
        return r;
    }
    int code = api.count(&n);
    if (code != TARE_NVML_OK) {
        tare_nvml_why(&api, "nvmlDeviceGetCount", code, why, n_why);
    } else if (n == 0) {
        (void)snprintf(why, n_why, "NVML knows no GPU here");
    }
    tare_nvml_unload(&api);
    return code == TARE_NVML_OK && n > 0 ? 0 : TARE_E_ENVIRONMENT;
}

static int add_device(struct nvml *m, unsigned long index, struct tare_err *err)
{
    char why[256];
    if (m->n_devices == max_devices) {
        return tare_err_set(err, TARE_E_LIMIT, "nvml: more than %d GPUs; choose with the option devices",
                            (int)max_devices);
    }
    for (size_t i = 0; i < m->n_devices; i++) {
        if (m->list[i].index == index) {
            return tare_err_set(err, TARE_E_USAGE, "nvml: GPU %lu is named twice", index);
        }
    }
    int code = nvml_device_open(&m->api, (unsigned int)index, &m->list[m->n_devices]);
    if (code != TARE_NVML_OK) {
        tare_nvml_why(&m->api, "nvmlDeviceGetHandleByIndex", code, why, sizeof why);
        return tare_err_set(err, TARE_E_ENVIRONMENT, "nvml: GPU %lu: %s", index, why);
    }
    m->n_devices++;
    return 0;
}

static int add_all(struct nvml *m, struct tare_err *err)
{
    unsigned int n = 0;
    char why[256];
    int code = m->api.count(&n), r = 0;
    if (code != TARE_NVML_OK) {
        tare_nvml_why(&m->api, "nvmlDeviceGetCount", code, why, sizeof why);
        return tare_err_set(err, TARE_E_ENVIRONMENT, "nvml: %s", why);
    }
    for (unsigned int i = 0; r == 0 && i < n; i++) {
        r = add_device(m, i, err);
    }
    return r == 0 && n == 0 ? tare_err_set(err, TARE_E_ENVIRONMENT, "nvml: NVML knows no GPU here") : r;
}

static int add_named(struct nvml *m, struct tare_err *err)
{
    int r = 0;
    for (const char *at = m->devices; r == 0;) {
        char *end = NULL;
        errno = 0;
        unsigned long index = strtoul(at, &end, 10);
        if (end == at || *at < '0' || *at > '9' || errno || index > 1023 || (*end && *end != ',')) {
            return tare_err_set(err, TARE_E_USAGE, "nvml: option devices: \"%.80s\" is no list such as 0,1",
                                m->devices);
        }
        r = add_device(m, index, err);
        if (!*end) {
            break;
        }
        at = end + 1;
    }
    return r;
}

static bool is_watched_enough(const struct nvml *m)
{
    for (size_t i = 0; i < m->n_devices; i++) {
        if (!tare_board_is_watched(&m->list[i].energy)) {
            return false;
        }
    }
    return true;
}

/* Reads the counters every millisecond until each has moved often enough, or the time is over. */
static void watch(struct nvml *m)
{
    const int64_t until_ns = tare_now_ns() + m->watch_ns;
    const struct timespec pause = {0, poll_ns};
    while (!is_watched_enough(m) && tare_now_ns() < until_ns) {
        for (size_t i = 0; i < m->n_devices; i++) {
            nvml_device_count(&m->api, &m->list[i], true);
        }
        (void)nanosleep(&pause, NULL);
    }
}

static int nvml_open(void *self, struct tare_err *err)
{
    struct nvml *m = self;
    char why[400];
    if (tare_nvml_load(&m->api, m->library, why, sizeof why) < 0) {
        return tare_err_set(err, TARE_E_ENVIRONMENT, "nvml: %s", why);
    }
    int r = m->devices && m->devices[0] ? add_named(m, err) : add_all(m, err);
    if (r < 0) {
        tare_nvml_unload(&m->api);
        return r;
    }
    for (size_t i = 0; i < m->n_devices; i++) { /* samples come no more often than the user asked for */
        int64_t usual_ns = m->period_ns / 2 * 5;
        m->list[i].watts.gap_ns = usual_ns > least_gap_ns ? usual_ns : least_gap_ns;
    }
    watch(m);
    return 0;
}

static void nvml_begin(void *self)
{
    struct nvml *m = self;
    for (size_t i = 0; i < m->n_devices; i++) {
        nvml_device_begin(&m->api, &m->list[i], m->pid);
    }
    m->sampled_ns = tare_now_ns();
}

static void nvml_sample(void *self)
{
    struct nvml *m = self;
    int64_t now_ns = tare_now_ns();
    if (m->period_ns > 0 && now_ns - m->sampled_ns < m->period_ns) {
        return;
    }
    m->sampled_ns = now_ns;
    for (size_t i = 0; i < m->n_devices; i++) {
        nvml_device_sample(&m->api, &m->list[i], m->pid);
    }
}

static void nvml_end(void *self, struct tare_readings *to)
{
    struct nvml *m = self;
    /* First all that must be read at the edge, then what is said of it. */
    for (size_t i = 0; i < m->n_devices; i++) {
        nvml_device_end(&m->api, &m->list[i], m->pid);
    }
    for (size_t i = 0; i < m->n_devices; i++) {
        nvml_report(&m->api, &m->list[i], m->pid, to);
    }
    nvml_report_events(&m->api, m->list, m->n_devices, to);
}

static void nvml_attach(void *self, int64_t pid)
{
    ((struct nvml *)self)->pid = pid;
}

static double nvml_temperature_c(void *self)
{
    const struct nvml *n = self;
    double hottest = (double)NAN;
    for (size_t i = 0; i < n->n_devices; i++) {
        hottest = fmax(hottest, nvml_device_temperature_c(&n->api, &n->list[i]));
    }
    return hottest;
}

static void nvml_close(void *self)
{
    tare_nvml_unload(&((struct nvml *)self)->api);
}

const struct tare_meter tare_meter_nvml = {.header = TARE_METER_HEADER,
                                           .name = "nvml",
                                           .summary =
                                               "NVIDIA GPUs: energy, power, memory, temperature, clocks",
                                           .priv_size = sizeof(struct nvml),
                                           .probe = nvml_probe,
                                           .open = nvml_open,
                                           .begin = nvml_begin,
                                           .end = nvml_end,
                                           .close = nvml_close,
                                           .place = TARE_METER_OUTSIDE,
                                           .options = nvml_options,
                                           .sample = nvml_sample,
                                           .attach = nvml_attach,
                                           .temperature_c = nvml_temperature_c};
