/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes the tensors of a file, by name, into a model that is being built.
 *
 * A tensor has to be there with the type and shape that is asked for; each is taken once. The first
 * fault is kept and makes all later calls do nothing, so that an architecture lists what it needs
 * without asking after each line.
 */
#ifndef TARE_NATIVE_LOAD_H
#define TARE_NATIVE_LOAD_H

#include "model.h"

#include <stdbool.h>

struct tare_loader {
    struct tare_model *model;
    const struct tare_safetensors *st;
    const char *what;
    char prefix[32]; /* of every name: "blocks.3." */
    bool *taken;     /* by index of tensor */
    int rc;          /* 0, or the code of the first fault */
    struct tare_err *err;
};

/* A linear layer `name`.weight of this shape in whichever storage it has. */
void tare_load_matrix(struct tare_loader *loader, const char *name, uint32_t out, uint32_t in,
                      const struct tare_linear **to);
/* float32 numbers [rows], or [rows, cols] with cols > 0. */
void tare_load_vector(struct tare_loader *loader, const char *name, uint32_t rows, uint32_t cols,
                      const float **to);

/* For storages. The tensor `name``suffix`, or NULL; marks nothing. */
const struct tare_tensor *tare_load_find(const struct tare_loader *loader, const char *name,
                                         const char *suffix);
/* Checks type and shape (cols 0: a vector) and marks it as taken. */
TARE_MUST_CHECK int tare_load_take(struct tare_loader *loader, const struct tare_tensor *tensor,
                                   enum tare_dtype dtype, uint64_t rows, uint64_t cols);
/* Its 16-bit numbers; free() them. */
TARE_MUST_CHECK int tare_load_halves(const struct tare_loader *loader, const struct tare_tensor *tensor,
                                     uint16_t **out);

#endif
