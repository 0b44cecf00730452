/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Weights from the file into one block of memory, matrices that share their input stacked.
 *
 * A tensor has to be there under its name with its type and shape, and no tensor may be left over:
 * what this engine would not use, it refuses, so that a compressed model is never run as a dense one.
 */
#include "model.h"

#include "widen.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN_BYTES  64u
#define ALIGN_FLOATS (ALIGN_BYTES / sizeof(float))

struct loader {
    struct tare_model *model;
    const struct tare_safetensors *st;
    const char *what;
    bool *taken;   /* by index of tensor */
    float *cursor; /* next free float of the model's memory */
    struct tare_err *err;
};

static uint64_t padded(uint64_t floats)
{
    return (floats + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS;
}

/* Floats of the whole model with every piece on a cache line. */
static uint64_t memory_floats(const struct tare_model_config *c)
{
    uint64_t d = c->d_model;
    uint64_t ffn = c->ffn;
    uint64_t layer =
        2 * padded(d) + 2 * padded(d * d) + padded(2 * d * d) + padded(2 * d * ffn) + padded(d * ffn);
    return padded(c->n_vocab * d) + padded(d) + c->n_layers * layer;
}

/* Says how a tensor that is not there under its own name is stored instead, if it is. */
static int refuse_missing(const struct loader *l, const char *name)
{
    static const char suffix[] = ".weight";
    size_t stem = strlen(name) - (sizeof suffix - 1);
    for (size_t i = 0; i < l->st->n_tensors; i++) {
        const char *other = l->st->tensors[i].name;
        if (strncmp(other, name, stem) == 0 && other[stem] == '.') {
            return tare_err_set(l->err, TARE_E_UNSUPPORTED,
                                "%s: '%s' is stored compressed, as '%s'; this engine runs dense F16 weights",
                                l->what, name, other);
        }
    }
    return tare_err_set(l->err, TARE_E_FORMAT, "%s: tensor '%s' is missing", l->what, name);
}

static int check_type(const struct loader *l, const struct tare_tensor *t, enum tare_dtype dtype)
{
    if (t->dtype == dtype) {
        return 0;
    }
    int code = t->dtype == TARE_DTYPE_I8 || t->dtype == TARE_DTYPE_U8 ? TARE_E_UNSUPPORTED : TARE_E_FORMAT;
    return tare_err_set(l->err, code, "%s: tensor '%s' is stored as %s; this engine runs it as %s only",
                        l->what, t->name, tare_dtype_name(t->dtype), tare_dtype_name(dtype));
}

/* Writes rows x cols numbers (cols 0: a vector of `rows`) at *to. */
static int take(struct loader *l, const char *name, enum tare_dtype dtype, uint64_t rows, uint64_t cols,
                float *to)
{
    const struct tare_tensor *t = tare_safetensors_find(l->st, name);
    if (!t) {
        return refuse_missing(l, name);
    }
    int rc = check_type(l, t, dtype);
    if (rc < 0) {
        return rc;
    }
    uint32_t rank = cols == 0 ? 1 : 2;
    if (t->rank != rank || t->shape[0] != rows || (rank == 2 && t->shape[1] != cols)) {
        return tare_err_set(l->err, TARE_E_FORMAT,
                            "%s: tensor '%s' has not the shape [%" PRIu64 "%s%.0" PRIu64
                            "] that the metadata asks for",
                            l->what, name, rows, cols ? ", " : "", cols);
    }
    if (dtype == TARE_DTYPE_F16) {
        tare_widen_f16(to, t->data, (size_t)t->n_elements);
    } else {
        tare_widen_f32(to, t->data, (size_t)t->n_elements);
    }
    l->taken[t - l->st->tensors] = true;
    l->model->n_elements += (int64_t)t->n_elements;
    l->model->n_non_zero += (int64_t)tare_count_non_zero(to, (size_t)t->n_elements);
    return 0;
}

static const float *advance(struct loader *l, uint64_t floats)
{
    const float *at = l->cursor;
    l->cursor += padded(floats);
    return at;
}

static int take_vector(struct loader *l, const char *name, const float **out)
{
    uint64_t d = l->model->config.d_model;
    int rc = take(l, name, TARE_DTYPE_F32, d, 0, l->cursor);
    *out = advance(l, d);
    return rc;
}

/* One or two matrices of the same shape, the second under the first. second may be NULL. */
static int take_matrix(struct loader *l, uint32_t layer, const char *first, const char *second, uint64_t rows,
                       uint64_t cols, const float **out)
{
    char name[80];
    (void)snprintf(name, sizeof name, "blocks.%u.%s.weight", layer, first);
    int rc = take(l, name, TARE_DTYPE_F16, rows, cols, l->cursor);
    if (rc == 0 && second) {
        (void)snprintf(name, sizeof name, "blocks.%u.%s.weight", layer, second);
        rc = take(l, name, TARE_DTYPE_F16, rows, cols, l->cursor + rows * cols);
    }
    *out = advance(l, rows * cols * (second ? 2 : 1));
    return rc;
}

static int take_norm(struct loader *l, uint32_t layer, const char *which, const float **out)
{
    char name[80];
    (void)snprintf(name, sizeof name, "blocks.%u.%s.weight", layer, which);
    return take_vector(l, name, out);
}

static int take_layer(struct loader *l, uint32_t i)
{
    struct tare_layer *layer = &l->model->layers[i];
    uint64_t d = l->model->config.d_model;
    uint64_t ffn = l->model->config.ffn;
    int rc = take_norm(l, i, "norm1", &layer->norm1);
    if (rc == 0) {
        rc = take_matrix(l, i, "attn.q", NULL, d, d, &layer->q);
    }
    if (rc == 0) {
        rc = take_matrix(l, i, "attn.k", "attn.v", d, d, &layer->kv);
    }
    if (rc == 0) {
        rc = take_matrix(l, i, "attn.o", NULL, d, d, &layer->o);
    }
    if (rc == 0) {
        rc = take_norm(l, i, "norm2", &layer->norm2);
    }
    if (rc == 0) {
        rc = take_matrix(l, i, "mlp.gate", "mlp.up", ffn, d, &layer->gate_up);
    }
    if (rc == 0) {
        rc = take_matrix(l, i, "mlp.down", NULL, d, ffn, &layer->down);
    }
    return rc;
}

static int take_all(struct loader *l)
{
    struct tare_model *m = l->model;
    uint64_t d = m->config.d_model;
    int rc = take(l, "embed.weight", TARE_DTYPE_F16, m->config.n_vocab, d, l->cursor);
    m->embed = advance(l, m->config.n_vocab * d);
    m->embed_elements = (int64_t)(m->config.n_vocab * d);
    for (uint32_t i = 0; rc == 0 && i < m->config.n_layers; i++) {
        rc = take_layer(l, i);
    }
    return rc < 0 ? rc : take_vector(l, "norm_f.weight", &m->norm_f);
}

static int check_complete(const struct loader *l)
{
    for (size_t i = 0; i < l->st->n_tensors; i++) {
        if (!l->taken[i]) {
            return tare_err_set(l->err, TARE_E_UNSUPPORTED,
                                "%s: tensor '%s' is not part of a dense llama model; refusing to ignore it",
                                l->what, l->st->tensors[i].name);
        }
    }
    if (l->model->n_elements != l->model->config.n_params) {
        return tare_err_set(l->err, TARE_E_FORMAT,
                            "%s: the tensors hold %" PRId64 " parameters, metadata 'n_params' says %" PRId64,
                            l->what, l->model->n_elements, l->model->config.n_params);
    }
    return 0;
}

/* A small file must not make the process ask for memory that its tensors could never fill. */
static int check_room(const struct tare_model *m, const struct tare_safetensors *st, const char *what,
                      struct tare_err *err)
{
    const struct tare_model_config *c = &m->config;
    uint64_t d = c->d_model;
    uint64_t matrices = c->n_layers * (4 * d * d + 3 * d * c->ffn) + c->n_vocab * d;
    if (matrices > st->data_bytes) {
        return tare_err_set(err, TARE_E_FORMAT,
                            "%s: the metadata describes %" PRIu64 " weights, the file holds %" PRIu64
                            " bytes",
                            what, matrices, st->data_bytes);
    }
    return 0;
}

static int reserve(struct tare_model *m, struct loader *l)
{
    void *memory = NULL;
    m->layers = calloc(m->config.n_layers, sizeof *m->layers);
    l->taken = calloc(l->st->n_tensors + 1, sizeof *l->taken);
    uint64_t floats = memory_floats(&m->config);
    if (!m->layers || !l->taken || floats > SIZE_MAX / sizeof(float) ||
        posix_memalign(&memory, ALIGN_BYTES, (size_t)floats * sizeof(float)) != 0) {
        return tare_err_set(l->err, TARE_E_NOMEM, "%s: no memory for %" PRIu64 " weights", l->what, floats);
    }
    m->memory = memory;
    l->cursor = memory;
    return 0;
}

int tare_model_build(struct tare_model *model, const struct tare_safetensors *st, const char *what,
                     struct tare_err *err)
{
    struct tare_model made = {.stored_bytes = (int64_t)st->data_bytes};
    int rc = tare_model_read_config(&made.config, st, what, err);
    if (rc == 0) {
        rc = check_room(&made, st, what, err);
    }
    if (rc < 0) {
        return rc;
    }
    struct loader l = {.model = &made, .st = st, .what = what, .err = err};
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
    free(model->memory);
    free(model->layers);
    memset(model, 0, sizeof *model);
}
