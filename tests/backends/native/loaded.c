/* SPDX-License-Identifier: Apache-2.0 */
/* Starting and stopping of models, and the comparison of rows. */
#include "loaded.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void loaded_start(struct loaded *l, const char *path, uint32_t threads, uint32_t block)
{
    struct tare_err err = {0};
    const struct tare_engine_options how = {.threads = threads, .block = block};
    memset(l, 0, sizeof *l);
    if (tare_model_load(&l->model, path, &err) < 0 ||
        tare_engine_open(&l->engine, &l->model, &how, &err) < 0) {
        fail_msg("%s", err.msg);
    }
}

void loaded_find_zoo(const char *name, char *out, size_t cap)
{
    static const char *const folders[] = {"zoo/models", "zoo/variants"};
    char file[96];
    (void)snprintf(file, sizeof file, "%s.safetensors", name);
    fixture_zoo(file, out, cap);
    for (size_t i = 0; access(out, R_OK) != 0 && i < 2; i++) {
        (void)snprintf(file, sizeof file, "%s/%s.safetensors", folders[i], name);
        if (!fixture_path("TARE_SHARED", file, out, cap)) {
            break;
        }
    }
    if (access(out, R_OK) != 0) {
        print_message("skipped: %s is not there\n", name);
        skip();
    }
}

void loaded_start_zoo(struct loaded *l, const char *name, uint32_t block)
{
    char path[512];
    loaded_find_zoo(name, path, sizeof path);
    loaded_start(l, path, 1, block);
}

void loaded_stop(struct loaded *l)
{
    tare_engine_close(&l->engine);
    tare_model_close(&l->model);
}

const float *loaded_feed(struct loaded *l, const int32_t *ids, uint32_t n)
{
    tare_engine_feed(&l->engine, ids, n);
    return tare_engine_logits(&l->engine, 0, n);
}

double loaded_gap(const float *got, const float *want, size_t n)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        double gap = fabs((double)got[i] - (double)want[i]);
        worst = gap <= worst ? worst : gap;
    }
    return worst;
}

void loaded_ids(int32_t *ids, uint32_t n, uint32_t n_vocab, uint32_t seed)
{
    for (uint32_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        ids[i] = (int32_t)((seed >> 8) % n_vocab);
    }
}
