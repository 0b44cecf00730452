/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interface of an architecture: how its layers are read, run forward, remembered and counted.
 *
 * One file in arch/ and one line of meson adds one. The engine owns the embedding, the final norm, the
 * head, the order of layers, and the memory of states; an architecture owns what lies between. Sizes of
 * matrices are read from the layers themselves, because a technique may have made them smaller.
 */
#ifndef TARE_NATIVE_ARCH_H
#define TARE_NATIVE_ARCH_H

#include "exec.h"
#include "linear.h"
#include "load.h"
#include "model.h"

/* Rows of one window on their way through one layer. */
struct tare_pass {
    const struct tare_model *model;
    struct tare_exec *exec;
    const void *layer;    /* of the architecture's layer_size */
    const void *tables;   /* from `open`, or NULL */
    unsigned char *state; /* of this layer; holds `start` tokens */
    float *scratch;       /* scratch_floats */
    float *x;             /* [n, d] residual stream, updated in place */
    float *a;             /* [n, d] free to use */
    uint32_t index;       /* of the layer */
    uint32_t start;       /* position of row 0 */
    uint32_t n;           /* rows, at most the model's block */
    float *received;      /* NULL, or [start + n]: the attention that each position got is added, summed
                             over heads and rows; where `keeps_kv` and without a window */
};

/* An own integer in the metadata of a file; its value lands in config.size[] in the order of this list. */
struct tare_arch_key {
    const char *name;
    int64_t max;
};

struct tare_arch {
    const char *name;                 /* metadata "arch" */
    const struct tare_arch_key *keys; /* ends with a NULL name */
    uint32_t layer_size;
    uint32_t block_rows; /* rows through a layer together by default; 0: a whole window */
    bool layer_norm;     /* of the final norm: with a bias and a mean; else RMS */
    bool embed_norm;     /* the embedding goes through a LayerNorm */
    bool cuts;           /* the state after m < n tokens is the first bytes of that after n */
    bool keeps_kv;       /* its state is a cache of keys and values, kept as model->kv says */

    /* Do the sizes go together? */
    int (*check)(const struct tare_model_config *c, const char *what, struct tare_err *err);
    /* Binds the tensors of one layer through the loader, which keeps the first error. */
    void (*load)(struct tare_loader *loader, void *layer);
    /* Parameters that were trained but are not in the file in that form; NULL: none. */
    int64_t (*derived_params)(const struct tare_model_config *c);
    /* Tables that all layers or each of them share: angles, filters. NULL: none needed. */
    int (*open)(const struct tare_model *model, void **tables, struct tare_err *err);
    void (*close)(void *tables);
    /* Bytes of the state of one layer after n tokens; the part that does not grow comes first. The state
     * of no tokens is all zero bytes. */
    size_t (*state_bytes)(const struct tare_model *model, uint32_t layer, uint32_t n_tokens);
    /* Floats of scratch that one pass of `rows` rows takes. */
    size_t (*scratch_floats)(const struct tare_model *model, uint32_t rows);
    /* x += mixer(norm(x)), x += mlp(norm(x)): n > 1 rows at once in parallel form, or one step. */
    void (*prefill)(const struct tare_pass *pass);
    void (*step)(const struct tare_pass *pass);
    /* For rows that leave before this layer: the state as later tokens need it, x as it is. `fill_flops` a
     * row. NULL: there is no way but through the whole layer. */
    void (*fill)(const struct tare_pass *pass);
    int64_t (*fill_flops)(const struct tare_model *model, uint32_t layer);
    /* FLOPs of one layer beside its matrices (attention, retention, recurrence, convolution): of a
     * prefill of n tokens, and of one step that makes the context t tokens long. */
    int64_t (*prefill_flops)(const struct tare_model *model, uint32_t layer, int64_t n);
    int64_t (*step_flops)(const struct tare_model *model, uint32_t layer, int64_t t);
    const char *convention; /* what those two count */
};

/* NULL if there is none of that name. */
const struct tare_arch *tare_arch_find(const char *name);
/* Their names, one after the other with commas between. */
const char *tare_arch_names(void);

#endif
