/* SPDX-License-Identifier: Apache-2.0 */
/* The gelu MLP that several architectures end a layer with: x += down gelu(up norm(x)). */
#ifndef TARE_NATIVE_ARCH_MLP_H
#define TARE_NATIVE_ARCH_MLP_H

#include "arch.h"

struct tare_mlp {
    const float *norm;
    const float *norm_bias; /* NULL: RMS */
    const struct tare_linear *up;
    const struct tare_linear *down;
};

/* Binds norm2, mlp.up and mlp.down of a layer. */
void tare_mlp_load(struct tare_loader *loader, struct tare_mlp *mlp, bool layer_norm);
size_t tare_mlp_floats(const struct tare_model *model, uint32_t rows);
/* hidden: tare_mlp_floats. */
void tare_mlp_forward(const struct tare_pass *pass, const struct tare_mlp *mlp, float *hidden);

/* a = norm(x): LayerNorm with a bias, else RMS. */
void tare_mlp_norm(const struct tare_pass *pass, const float *weight, const float *bias);

#endif
