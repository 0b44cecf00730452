/* SPDX-License-Identifier: Apache-2.0 */
#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    enum tare_llamacpp_buffer buffer;
    const char *words;
} kinds[] = {
    {TARE_LLAMACPP_WEIGHTS, " model buffer size = "}, {TARE_LLAMACPP_KV, " KV buffer size = "},
    {TARE_LLAMACPP_RECURRENT, " RS buffer size = "},  {TARE_LLAMACPP_COMPUTE, " compute buffer size = "},
    {TARE_LLAMACPP_LORA, " LoRA buffer size = "},
};

/* "  85.90 MiB" in bytes; below 0 when it is anything else. */
static double size_of(const char *text)
{
    char *end = NULL;
    double mib = strtod(text, &end);
    return end != text && strncmp(end, " MiB", 4) == 0 && mib >= 0 ? mib * 1024 * 1024 : -1;
}

/* The word before `at`: the name of the device's buffer. */
static void device_of(const char *line, const char *at, char *out, size_t cap)
{
    const char *begin = at;
    while (begin > line && begin[-1] != ' ') {
        begin--;
    }
    (void)snprintf(out, cap, "%.*s", (int)(at - begin), begin);
}

static void set_compute(struct tare_llamacpp_memory *m, const char *device, double bytes)
{
    int i = 0;
    while (i < m->n_compute && strcmp(m->compute[i].device, device) != 0) {
        i++;
    }
    if (i == tare_llamacpp_max_compute) {
        return;
    }
    m->n_compute = i == m->n_compute ? i + 1 : m->n_compute;
    (void)snprintf(m->compute[i].device, sizeof m->compute[i].device, "%s", device);
    m->compute[i].bytes = bytes;
    m->bytes[TARE_LLAMACPP_COMPUTE] = 0;
    for (int k = 0; k < m->n_compute; k++) {
        m->bytes[TARE_LLAMACPP_COMPUTE] += m->compute[k].bytes;
    }
    m->lines[TARE_LLAMACPP_COMPUTE] = m->n_compute;
}

static void add(struct tare_llamacpp_memory *m, enum tare_llamacpp_buffer buffer, const char *device,
                double bytes)
{
    if (buffer == TARE_LLAMACPP_COMPUTE) {
        set_compute(m, device, bytes);
        return;
    }
    if (buffer == TARE_LLAMACPP_WEIGHTS && strstr(device, "REPACK")) {
        buffer = TARE_LLAMACPP_REPACKED;
    }
    m->bytes[buffer] += bytes;
    m->lines[buffer]++;
}

void tare_llamacpp_memory_line(struct tare_llamacpp_memory *memory, const char *line)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const char *at = strstr(line, kinds[i].words);
        double bytes = at ? size_of(at + strlen(kinds[i].words)) : -1;
        if (bytes >= 0) {
            char device[32];
            device_of(line, at, device, sizeof device);
            add(memory, kinds[i].buffer, device, bytes);
            return;
        }
    }
}
