/* SPDX-License-Identifier: Apache-2.0 */
/* What stands fixed about a machine's GPUs, as text. */
#include "nvml_api.h"

#include <stdio.h>

struct taker {
    const struct tare_nvml *api;
    tare_nvml_fact *take;
    void *ctx;
    tare_nvml_handle device;
    unsigned int index;
    int n;
};

static void give(struct taker *t, const char *stem, const char *value, bool is_secret)
{
    char key[64];
    (void)snprintf(key, sizeof key, "gpu_%u_%s", t->index, stem);
    t->take(t->ctx, key, value, is_secret);
    t->n++;
}

static void give_text(struct taker *t, const char *stem, int (*get)(tare_nvml_handle, char *, unsigned int),
                      bool is_secret)
{
    char text[96] = "";
    if (get && get(t->device, text, sizeof text) == TARE_NVML_OK && text[0]) {
        give(t, stem, text, is_secret);
    }
}

static void give_number(struct taker *t, const char *stem, int code, double value, const char *unit)
{
    char text[48];
    if (code == TARE_NVML_OK) {
        (void)snprintf(text, sizeof text, "%.15g%s%s", value, unit[0] ? " " : "", unit);
        give(t, stem, text, false);
    }
}

static void give_switch(struct taker *t, const char *stem, int code, bool is_on)
{
    if (code == TARE_NVML_OK) {
        give(t, stem, is_on ? "on" : "off", false);
    }
}

static void give_board(struct taker *t)
{
    const struct tare_nvml *api = t->api;
    struct tare_nvml_memory memory = {0, 0, 0};
    unsigned int u = 0, pending = 0;
    const int none = TARE_NVML_FUNCTION_NOT_FOUND;
    int code = api->memory ? api->memory(t->device, &memory) : none;
    give_number(t, "memory_total", code, (double)memory.total, "B");
    code = api->enforced_limit ? api->enforced_limit(t->device, &u) : none;
    give_number(t, "power_limit", code, u / 1000.0, "W");
    code = api->pcie_width ? api->pcie_width(t->device, &u) : none;
    give_number(t, "pcie_width", code, u, "");
    code = api->pcie_generation ? api->pcie_generation(t->device, &u) : none;
    give_number(t, "pcie_generation", code, u, "");
    code = api->clock ? api->clock(t->device, TARE_NVML_CLOCK_SM, &u) : none;
    give_number(t, "clock_sm", code, u, "MHz");
    code = api->clock ? api->clock(t->device, TARE_NVML_CLOCK_MEM, &u) : none;
    give_number(t, "clock_mem", code, u, "MHz");
    code = api->mig ? api->mig(t->device, &u, &pending) : none;
    give_switch(t, "mig", code, u == 1);
}

static void give_modes(struct taker *t)
{
    int now = 0, later = 0;
    const int none = TARE_NVML_FUNCTION_NOT_FOUND;
    int code = t->api->ecc ? t->api->ecc(t->device, &now, &later) : none;
    give_switch(t, "ecc", code, now == 1);
    code = t->api->persistence ? t->api->persistence(t->device, &now) : none;
    give_switch(t, "persistence", code, now == 1);
}

static void give_device(struct taker *t)
{
    give_text(t, "name", t->api->name, false);
    give_text(t, "uuid", t->api->uuid, true);
    give_text(t, "vbios", t->api->vbios, false);
    give_board(t);
    give_modes(t);
}

static void give_system(struct taker *t, const char *key, int (*get)(char *, unsigned int))
{
    char text[96] = "";
    if (get && get(text, sizeof text) == TARE_NVML_OK && text[0]) {
        t->take(t->ctx, key, text, false);
        t->n++;
    }
}

int tare_nvml_facts(const char *library, tare_nvml_fact *take, void *ctx, char *why, size_t n_why)
{
    struct tare_nvml api;
    struct taker t = {.api = &api, .take = take, .ctx = ctx};
    unsigned int n = 0;
    char text[16];
    int r = tare_nvml_load(&api, library, why, n_why);
    if (r < 0) {
        return r;
    }
    give_system(&t, "driver", api.driver_version);
    give_system(&t, "library", api.library_version);
    if (api.count(&n) == TARE_NVML_OK) {
        (void)snprintf(text, sizeof text, "%u", n);
        take(ctx, "gpus", text, false);
        t.n++;
    }
    for (t.index = 0; t.index < n; t.index++) {
        if (api.handle(t.index, &t.device) == TARE_NVML_OK) {
            give_device(&t);
        }
    }
    tare_nvml_unload(&api);
    return t.n;
}
