/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second implementation of the models' equations to hold the engine against: one token at a time, in
 * double, straight from the stored tensors, without BLAS or FFT. It shares the container reader with the
 * engine and nothing else. This header is also what the files of the architectures have in common.
 */
#ifndef TARE_TEST_NATIVE_REFERENCE_H
#define TARE_TEST_NATIVE_REFERENCE_H

#include "safetensors.h"

#include <stdint.h>

/* Logits after each of n tokens into out[n][vocab]; aborts the test on a tensor that is not there. */
void reference_logits(const struct tare_safetensors *st, const int32_t *tokens, uint32_t n, double *out);
/* From now on llama's tokens see the first `sinks` and the last `window` ones; window 0: all. */
void reference_window(uint32_t sinks, uint32_t window);
/* From now on every second token, the first among them, leaves after so many layers: behind them only its
 * mixers' states are brought up to date, from the hidden state that it left with. 0: none does. */
void reference_leave(uint32_t layers);

/* Every vector of a token is shorter. */
enum { ref_wide = 2048 };

struct ref {
    const struct tare_safetensors *st;
    uint32_t d;
    uint32_t n_vocab;
    uint32_t n; /* tokens that will be fed */
    uint32_t layer;
    uint32_t t;    /* position of this token */
    double *state; /* of this layer, zeros at first */
};

struct ref_arch {
    const char *name;
    size_t (*state)(const struct ref *r);                     /* doubles of one layer */
    void (*mixer)(struct ref *r, const double *x, double *y); /* of the normed x */
    void (*mlp)(struct ref *r, const double *x, double *y);   /* NULL: this architecture has none */
};

/* An integer of the metadata. */
uint32_t ref_number(const struct ref *r, const char *key);
/* Element i of a tensor of this layer. */
double ref_at(const struct ref *r, const char *name, size_t i);
/* y = W x with tensor `name`.weight of this layer. */
void ref_multiply(const struct ref *r, const char *name, const double *x, double *y);
/* Rotates each of the heads by the angles of this position. */
void ref_rotate(const struct ref *r, double *x, uint32_t n_heads, uint32_t head_dim);
double ref_sigmoid(double z);
/* down gelu(up x) */
void ref_gelu_mlp(struct ref *r, const double *x, double *y);

extern const struct ref_arch ref_llama;
extern const struct ref_arch ref_rwkv4;
extern const struct ref_arch ref_h3;
extern const struct ref_arch ref_hyena;
extern const struct ref_arch ref_retnet;
extern const struct ref_arch ref_mamba;

#endif
