/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A zoo model in memory: its shape, read and checked from the file's metadata, and its weights.
 *
 * Linear layers lie in one list, so that a technique can go through them without knowing the
 * architecture; number 0 is the embedding, which is also the head. It computes nothing; see engine.h.
 */
#ifndef TARE_NATIVE_MODEL_H
#define TARE_NATIVE_MODEL_H

#include "linear.h"
#include "safetensors.h"

#include <stdint.h>
#include <tare/err.h>

struct tare_arch;

enum { tare_model_sizes_max = 8 };

struct tare_model_config {
    char name[64];
    char tokenizer_sha[65];
    uint32_t d_model;
    uint32_t n_layers;
    uint32_t ffn;
    uint32_t n_vocab;
    uint32_t n_ctx;
    int32_t bos;
    int64_t n_params;
    int64_t train_tok;                   /* seen in training, as the file says; 0: it does not */
    uint32_t size[tare_model_sizes_max]; /* the architecture's own, in the order of its keys */
};

/* How keys and values are kept, where an architecture has such. */
struct tare_model_kv {
    uint32_t bits;   /* 0: float32; else 8 or 4, with a float16 scale per head and token */
    uint32_t sinks;  /* with window > 0: the first this many tokens stay */
    uint32_t window; /* and the last this many; 0: all stay */
};

/* Numbers of a model outside its linear layers. The layers of an architecture point at them. */
struct tare_vector {
    char name[64]; /* "blocks.0.norm1.weight" */
    float *at;     /* owned */
    uint32_t n;
};

struct tare_model {
    struct tare_model_config config;
    const struct tare_arch *arch;
    struct tare_model_kv kv;
    struct tare_linear *linears; /* owned; they do not move */
    size_t n_linears;
    unsigned char *layers;       /* owned; config.n_layers of arch->layer_size */
    struct tare_vector *vectors; /* owned: norms, mixing vectors, filters */
    size_t n_vectors;
    int64_t vector_elements;
    const float *norm_f;
    const float *norm_f_bias; /* NULL: RMS */
    const float *embed_norm;  /* NULL: none */
    const float *embed_norm_bias;
    int64_t file_bytes; /* of all tensors in the file that was read */
};

TARE_MUST_CHECK int tare_model_build(struct tare_model *model, const struct tare_safetensors *st,
                                     const char *what, struct tare_err *err);
/* Opens, builds and lets go of the file. */
TARE_MUST_CHECK int tare_model_load(struct tare_model *model, const char *path, struct tare_err *err);
/* Frees all; a zeroed struct is fine. */
void tare_model_close(struct tare_model *model);
/* Sums over the linear layers; vectors count 4 bytes a number and no FLOPs. The head's product is left out
 * of the FLOPs: it is not made for every token. */
void tare_model_facts(const struct tare_model *model, struct tare_linear_facts *out);
/* For techniques that fold a scale into what stands before a matrix: the numbers may be changed, not
 * their count. NULL if there is none of that name. */
struct tare_vector *tare_model_vector(const struct tare_model *model, const char *name);
const void *tare_model_layer(const struct tare_model *model, uint32_t index);
/* Takes a layer out; those behind it move up. */
void tare_model_drop_layer(struct tare_model *model, uint32_t index);

/* Are all weights numbers? If not, `code` with a message that begins with `what`. */
TARE_MUST_CHECK int tare_model_check_finite(const struct tare_model *model, const char *what, int code,
                                            struct tare_err *err);

/* Reads the metadata alone. */
TARE_MUST_CHECK int tare_model_read_config(struct tare_model_config *config, const struct tare_arch **arch,
                                           const struct tare_safetensors *st, const char *what,
                                           struct tare_err *err);

#endif
