/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A zoo model in memory: its shape, read and checked from the file's metadata, and its weights,
 * widened to float32 in the layout that the engine multiplies with.
 *
 * Dense storage of arch `llama` only (F16 matrices, F32 norms). It computes nothing; see llama.h.
 */
#ifndef TARE_NATIVE_MODEL_H
#define TARE_NATIVE_MODEL_H

#include "safetensors.h"

#include <stdint.h>
#include <tare/err.h>

struct tare_model_config {
    char name[64];
    char tokenizer_sha[65];
    uint32_t d_model;
    uint32_t n_layers;
    uint32_t n_heads;
    uint32_t head_dim; /* even; n_heads * head_dim == d_model */
    uint32_t ffn;
    uint32_t n_vocab;
    uint32_t n_ctx;
    int32_t bos;
    int64_t n_params;
};

/* Matrices are [out, in], row-major. Those that multiply the same vector lie stacked, one after the
 * other, so that one product serves them. */
struct tare_layer {
    const float *norm1;
    const float *q;       /* [d, d] */
    const float *kv;      /* [2d, d]: k, then v */
    const float *o;       /* [d, d] */
    const float *norm2;   /* [d] */
    const float *gate_up; /* [2 ffn, d]: gate, then up */
    const float *down;    /* [d, ffn] */
};

struct tare_model {
    struct tare_model_config config;
    float *memory; /* owns all below */
    const float *embed;
    const float *norm_f;
    struct tare_layer *layers;
    int64_t stored_bytes;   /* of all tensors in the file */
    int64_t n_elements;     /* of all tensors */
    int64_t n_non_zero;     /* of them */
    int64_t embed_elements; /* of the embedding, which is also the head */
};

TARE_MUST_CHECK int tare_model_build(struct tare_model *model, const struct tare_safetensors *st,
                                     const char *what, struct tare_err *err);
/* Opens, builds and lets go of the file. */
TARE_MUST_CHECK int tare_model_load(struct tare_model *model, const char *path, struct tare_err *err);
/* Frees all; a zeroed struct is fine. */
void tare_model_close(struct tare_model *model);

/* Reads the metadata alone. */
TARE_MUST_CHECK int tare_model_read_config(struct tare_model_config *config,
                                           const struct tare_safetensors *st, const char *what,
                                           struct tare_err *err);

#endif
