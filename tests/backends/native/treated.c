/* SPDX-License-Identifier: Apache-2.0 */
/* Loading, treating and running small models. */
#include "treated.h"

#include "engine.h"
#include "loaded.h"

#include <string.h>

void treated_load(struct treated *t, const char *name)
{
    char path[512];
    struct tare_err err = {0};
    memset(t, 0, sizeof *t);
    loaded_find_zoo(name, t->path, sizeof t->path);
    fixture_zoo("tokenizer.json", path, sizeof path);
    if (tare_model_load(&t->model, t->path, &err) < 0 || tare_tokenizer_load(&t->tokenizer, path, &err) < 0) {
        fail_msg("%s", err.msg);
    }
    t->treatment = (struct tare_treatment){.model = &t->model,
                                           .tokenizer = &t->tokenizer,
                                           .model_path = t->path,
                                           .threads = 1,
                                           .decoding = &tare_decoding_plain};
}

void treated_apply(struct treated *t, const char *technique)
{
    struct tare_err err = {0};
    if (tare_technique_apply(technique, &t->treatment, &err) < 0) {
        fail_msg("%s: %s", technique, err.msg);
    }
}

void treated_start(struct treated *t, const char *name, const char *technique)
{
    treated_load(t, name);
    treated_apply(t, technique);
}

void treated_stop(struct treated *t)
{
    tare_model_close(&t->model);
    tare_tokenizer_close(&t->tokenizer);
}

struct tare_linear *treated_find(struct treated *t, const char *name)
{
    for (size_t i = 0; i < t->model.n_linears; i++) {
        if (strcmp(t->model.linears[i].name, name) == 0) {
            return &t->model.linears[i];
        }
    }
    fail_msg("there is no layer %s", name);
    return NULL;
}

float *treated_dense(const struct treated *t, size_t i)
{
    float *dense = NULL;
    struct tare_err err = {0};
    if (tare_technique_dense(&t->model.linears[i], &dense, &err) < 0) {
        fail_msg("%s", err.msg);
    }
    return dense;
}

float *treated_logits(const struct treated *t, const int32_t *ids, uint32_t n, uint32_t threads)
{
    struct tare_engine engine;
    struct tare_err err = {0};
    const struct tare_engine_options how = {.threads = threads};
    size_t bytes = (size_t)n * t->model.config.n_vocab * sizeof(float);
    float *out = malloc(bytes);
    if (!out || tare_engine_open(&engine, &t->model, &how, &err) < 0) {
        fail_msg("%s", err.msg);
    }
    tare_engine_feed(&engine, ids, n);
    memcpy(out, tare_engine_logits(&engine, 0, n), bytes);
    tare_engine_close(&engine);
    return out;
}

void treated_refuses(const char *technique, int code, const char *says)
{
    struct treated t;
    struct tare_err err = {0};
    treated_load(&t, "llama-0.1m");
    int rc = tare_technique_apply(technique, &t.treatment, &err);
    if (rc != code || !strstr(err.msg, says)) {
        fail_msg("%s: %d '%s', not %d with '%s'", technique, rc, err.msg, code, says);
    }
    treated_stop(&t);
}
