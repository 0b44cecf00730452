/* SPDX-License-Identifier: Apache-2.0 */
/* Finding, checking and taking of tensors for a model that is being built. */
#include "load.h"

#include "storage/storages.h"
#include "widen.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int full_name(const struct tare_loader *l, const char *name, const char *suffix, char *out, size_t cap)
{
    int n = snprintf(out, cap, "%s%s%s", l->prefix, name, suffix);
    return n < 0 || (size_t)n >= cap ? -1 : 0;
}

const struct tare_tensor *tare_load_find(const struct tare_loader *loader, const char *name,
                                         const char *suffix)
{
    char full[128];
    return full_name(loader, name, suffix, full, sizeof full) < 0 ? NULL
                                                                  : tare_safetensors_find(loader->st, full);
}

int tare_load_take(struct tare_loader *loader, const struct tare_tensor *tensor, enum tare_dtype dtype,
                   uint64_t rows, uint64_t cols)
{
    if (tensor->dtype != dtype) {
        return tare_err_set(loader->err, TARE_E_FORMAT,
                            "%s: tensor '%s' is stored as %s; this engine reads it as %s only", loader->what,
                            tensor->name, tare_dtype_name(tensor->dtype), tare_dtype_name(dtype));
    }
    uint32_t rank = cols == 0 ? 1 : 2;
    if (tensor->rank != rank || tensor->shape[0] != rows || (rank == 2 && tensor->shape[1] != cols)) {
        return tare_err_set(loader->err, TARE_E_FORMAT,
                            "%s: tensor '%s' has not the shape [%" PRIu64 "%s%.0" PRIu64
                            "] that the metadata asks for",
                            loader->what, tensor->name, rows, cols ? ", " : "", cols);
    }
    loader->taken[tensor - loader->st->tensors] = true;
    return 0;
}

int tare_load_halves(const struct tare_loader *loader, const struct tare_tensor *tensor, uint16_t **out)
{
    uint16_t *halves = malloc((size_t)tensor->n_elements * sizeof *halves + 1);
    if (!halves) {
        return tare_err_set(loader->err, TARE_E_NOMEM, "%s: no memory for '%s'", loader->what, tensor->name);
    }
    for (uint64_t i = 0; i < tensor->n_elements; i++) {
        halves[i] = (uint16_t)(tensor->data[2 * i] | tensor->data[2 * i + 1] << 8);
    }
    *out = halves;
    return 0;
}

/* Says how a matrix is stored that no storage knows. */
static int refuse_missing(const struct tare_loader *l, const char *name)
{
    char full[128];
    (void)full_name(l, name, "", full, sizeof full);
    size_t stem = strlen(full);
    for (size_t i = 0; i < l->st->n_tensors; i++) {
        const struct tare_tensor *t = &l->st->tensors[i];
        if (strncmp(t->name, full, stem) == 0 && t->name[stem] == '.') {
            return tare_err_set(l->err, TARE_E_UNSUPPORTED,
                                "%s: '%s' is stored as '%s' of type %s, which this engine does not know",
                                l->what, full, t->name, tare_dtype_name(t->dtype));
        }
    }
    return tare_err_set(l->err, TARE_E_FORMAT, "%s: tensor '%s.weight' is missing", l->what, full);
}

void tare_load_matrix(struct tare_loader *loader, const char *name, uint32_t out, uint32_t in,
                      const struct tare_linear **to)
{
    if (loader->rc < 0) {
        return;
    }
    struct tare_linear *w = &loader->model->linears[loader->model->n_linears];
    int rc = 0;
    *w = (struct tare_linear){.out = out, .in = in};
    (void)full_name(loader, name, "", w->name, sizeof w->name);
    for (size_t i = 0; rc == 0 && tare_storages[i]; i++) {
        rc = tare_storages[i]->load ? tare_storages[i]->load(loader, name, w) : 0;
    }
    loader->rc = rc == 0 ? refuse_missing(loader, name) : rc;
    if (rc == 1) {
        loader->rc = 0;
        loader->model->n_linears++;
        *to = w;
    }
}

void tare_load_vector(struct tare_loader *loader, const char *name, uint32_t rows, uint32_t cols,
                      const float **to)
{
    if (loader->rc < 0) {
        return;
    }
    const struct tare_tensor *t = tare_load_find(loader, name, "");
    if (!t) {
        loader->rc = tare_err_set(loader->err, TARE_E_FORMAT, "%s: tensor '%s%s' is missing", loader->what,
                                  loader->prefix, name);
        return;
    }
    loader->rc = tare_load_take(loader, t, TARE_DTYPE_F32, rows, cols);
    float *numbers = loader->rc < 0 ? NULL : malloc((size_t)t->n_elements * sizeof *numbers + 1);
    if (!numbers) {
        if (loader->rc == 0) {
            loader->rc =
                tare_err_set(loader->err, TARE_E_NOMEM, "%s: no memory for '%s'", loader->what, name);
        }
        return;
    }
    tare_widen_f32(numbers, t->data, (size_t)t->n_elements);
    struct tare_vector *vector = &loader->model->vectors[loader->model->n_vectors++];
    *vector = (struct tare_vector){.at = numbers, .n = (uint32_t)t->n_elements};
    (void)snprintf(vector->name, sizeof vector->name, "%s", t->name);
    loader->model->vector_elements += (int64_t)t->n_elements;
    *to = numbers;
}
