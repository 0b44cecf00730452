/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building a model out of a file: every tensor is taken by what the metadata asks for, and none may be
 * left over. What this engine would not use it refuses, so that no part of a model is silently ignored.
 */
#include "model.h"

#include "arch.h"
#include "load.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static int take_layers(struct tare_loader *l)
{
    struct tare_model *m = l->model;
    for (uint32_t i = 0; l->rc == 0 && i < m->config.n_layers; i++) {
        (void)snprintf(l->prefix, sizeof l->prefix, "blocks.%u.", i);
        m->arch->load(l, m->layers + (size_t)i * m->arch->layer_size);
    }
    l->prefix[0] = '\0';
    return l->rc;
}

static int take_all(struct tare_loader *l)
{
    struct tare_model *m = l->model;
    const struct tare_linear *embed = NULL;
    uint32_t d = m->config.d_model;
    tare_load_matrix(l, "embed", m->config.n_vocab, d, &embed);
    if (m->arch->embed_norm) {
        tare_load_vector(l, "embed_norm.weight", d, 0, &m->embed_norm);
        tare_load_vector(l, "embed_norm.bias", d, 0, &m->embed_norm_bias);
    }
    tare_load_vector(l, "norm_f.weight", d, 0, &m->norm_f);
    if (m->arch->layer_norm) {
        tare_load_vector(l, "norm_f.bias", d, 0, &m->norm_f_bias);
    }
    return take_layers(l);
}

static int check_complete(const struct tare_loader *l)
{
    const struct tare_model *m = l->model;
    for (size_t i = 0; i < l->st->n_tensors; i++) {
        if (!l->taken[i]) {
            return tare_err_set(l->err, TARE_E_UNSUPPORTED,
                                "%s: tensor '%s' is not part of a %s model as this engine knows it; refusing "
                                "to ignore it",
                                l->what, l->st->tensors[i].name, m->arch->name);
        }
    }
    struct tare_linear_facts facts;
    tare_model_facts(m, &facts);
    int64_t derived = m->arch->derived_params ? m->arch->derived_params(&m->config) : 0;
    if (facts.params + derived != m->config.n_params) {
        return tare_err_set(l->err, TARE_E_FORMAT,
                            "%s: the tensors hold %" PRId64 " parameters, metadata 'n_params' says %" PRId64,
                            l->what, facts.params + derived, m->config.n_params);
    }
    return 0;
}

/* A matrix or vector takes at least one tensor, so a small file cannot ask for much memory here. */
static int reserve(struct tare_model *m, struct tare_loader *l)
{
    size_t n = l->st->n_tensors + 1;
    if ((uint64_t)m->config.n_layers > l->st->n_tensors) {
        return tare_err_set(l->err, TARE_E_FORMAT,
                            "%s: the metadata describes %u layers, the file holds %zu tensors", l->what,
                            m->config.n_layers, l->st->n_tensors);
    }
    m->layers = calloc(m->config.n_layers, m->arch->layer_size);
    m->linears = calloc(n, sizeof *m->linears);
    m->vectors = calloc(n, sizeof *m->vectors);
    l->taken = calloc(n, sizeof *l->taken);
    if (!m->layers || !m->linears || !m->vectors || !l->taken) {
        return tare_err_set(l->err, TARE_E_NOMEM, "%s: no memory for the list of %zu tensors", l->what, n);
    }
    return 0;
}

int tare_model_build(struct tare_model *model, const struct tare_safetensors *st, const char *what,
                     struct tare_err *err)
{
    struct tare_model made = {.file_bytes = (int64_t)st->data_bytes};
    int rc = tare_model_read_config(&made.config, &made.arch, st, what, err);
    if (rc < 0) {
        return rc;
    }
    struct tare_loader l = {.model = &made, .st = st, .what = what, .err = err};
    rc = reserve(&made, &l);
    if (rc == 0) {
        rc = take_all(&l);
    }
    if (rc == 0) {
        rc = check_complete(&l);
    }
    free(l.taken);
    if (rc < 0) {
        tare_model_close(&made);
        return rc;
    }
    *model = made;
    return 0;
}

int tare_model_load(struct tare_model *model, const char *path, struct tare_err *err)
{
    struct tare_safetensors st = {0};
    int rc = tare_safetensors_open(&st, path, err);
    if (rc < 0) {
        return rc;
    }
    rc = tare_model_build(model, &st, path, err);
    tare_safetensors_close(&st);
    return rc;
}

void tare_model_close(struct tare_model *model)
{
    for (size_t i = 0; i < model->n_linears; i++) {
        tare_linear_close(&model->linears[i]);
    }
    for (size_t i = 0; i < model->n_vectors; i++) {
        free(model->vectors[i].at);
    }
    free(model->linears);
    free(model->vectors);
    free(model->layers);
    memset(model, 0, sizeof *model);
}

void tare_model_facts(const struct tare_model *model, struct tare_linear_facts *out)
{
    struct tare_linear_facts sum = {.params = model->vector_elements,
                                    .non_zero = model->vector_elements,
                                    .stored_bytes = model->vector_elements * (int64_t)sizeof(float),
                                    .resident_bytes = model->vector_elements * (int64_t)sizeof(float)};
    for (size_t i = 0; i < model->n_linears; i++) {
        struct tare_linear_facts one;
        if (!model->linears[i].storage) {
            continue; /* of a layer that was dropped */
        }
        model->linears[i].storage->facts(&model->linears[i], &one);
        sum.params += one.params;
        sum.non_zero += one.non_zero;
        sum.stored_bytes += one.stored_bytes;
        sum.resident_bytes += one.resident_bytes;
        sum.flops += i == 0 ? 0 : one.flops;
        sum.executed_flops += i == 0 ? 0 : one.executed_flops;
    }
    *out = sum;
}

struct tare_vector *tare_model_vector(const struct tare_model *model, const char *name)
{
    for (size_t i = 0; i < model->n_vectors; i++) {
        if (strcmp(model->vectors[i].name, name) == 0) {
            return &model->vectors[i];
        }
    }
    return NULL;
}

const void *tare_model_layer(const struct tare_model *model, uint32_t index)
{
    return model->layers + (size_t)index * model->arch->layer_size;
}

void tare_model_drop_layer(struct tare_model *model, uint32_t index)
{
    size_t size = model->arch->layer_size;
    unsigned char *at = model->layers + (size_t)index * size;
    model->config.n_layers--;
    memmove(at, at + size, (model->config.n_layers - index) * size);
}
