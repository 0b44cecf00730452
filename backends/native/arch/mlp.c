/* SPDX-License-Identifier: Apache-2.0 */
/* Norm, up, gelu, down. */
#include "mlp.h"

#include "rowmath.h"

void tare_mlp_load(struct tare_loader *loader, struct tare_mlp *mlp, bool layer_norm)
{
    uint32_t d = loader->model->config.d_model;
    uint32_t ffn = loader->model->config.ffn;
    tare_load_vector(loader, "norm2.weight", d, 0, &mlp->norm);
    if (layer_norm) {
        tare_load_vector(loader, "norm2.bias", d, 0, &mlp->norm_bias);
    }
    tare_load_matrix(loader, "mlp.up", ffn, d, &mlp->up);
    tare_load_matrix(loader, "mlp.down", d, ffn, &mlp->down);
}

size_t tare_mlp_floats(const struct tare_model *model, uint32_t rows)
{
    return (size_t)rows * model->config.ffn;
}

struct hidden {
    float *at;
    uint32_t n;
    uint32_t ffn;
};

static void activate(void *ctx, uint32_t part, uint32_t n_parts)
{
    const struct hidden *h = ctx;
    uint32_t from;
    uint32_t to;
    tare_pool_share(h->n, 1, part, n_parts, &from, &to);
    tare_row_gelu(h->at + (size_t)from * h->ffn, (size_t)(to - from) * h->ffn);
}

void tare_mlp_norm(const struct tare_pass *pass, const float *weight, const float *bias)
{
    uint32_t d = pass->model->config.d_model;
    if (bias) {
        tare_rows_layernorm(pass->a, pass->x, weight, bias, d, pass->n);
    } else {
        tare_rows_rmsnorm(pass->a, pass->x, weight, d, pass->n);
    }
}

void tare_mlp_forward(const struct tare_pass *pass, const struct tare_mlp *mlp, float *hidden)
{
    uint32_t d = pass->model->config.d_model;
    struct hidden h = {.at = hidden, .n = pass->n, .ffn = mlp->up->out};
    tare_mlp_norm(pass, mlp->norm, mlp->norm_bias);
    tare_linear_apply(pass->exec, mlp->up, &(struct tare_product){hidden, h.ffn, pass->a, d, h.n, false});
    if (h.n == 1) {
        tare_row_gelu(hidden, h.ffn);
    } else {
        tare_pool_run(pass->exec->pool, activate, &h);
    }
    tare_linear_apply(pass->exec, mlp->down, &(struct tare_product){pass->x, d, hidden, h.ffn, h.n, true});
}
