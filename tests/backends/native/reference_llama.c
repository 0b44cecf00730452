/* SPDX-License-Identifier: Apache-2.0 */
/* Rotary attention and SwiGLU, once more. The state is the keys, then the values, by position. */
#include "reference.h"

#include <math.h>
#include <string.h>

static size_t state(const struct ref *r)
{
    return (size_t)2 * r->n * r->d;
}

static uint32_t n_sinks;
static uint32_t n_window;

void reference_window(uint32_t sinks, uint32_t window)
{
    n_sinks = sinks;
    n_window = window;
}

static void attend(const struct ref *r, const double *q, const double *keys, const double *values,
                   uint32_t head_dim, double *out)
{
    double total = 0;
    memset(out, 0, head_dim * sizeof *out);
    for (uint32_t i = 0; i <= r->t; i++) {
        if (n_window > 0 && i >= n_sinks && r->t - i >= n_window) {
            continue;
        }
        double dot = 0;
        for (uint32_t j = 0; j < head_dim; j++) {
            dot += q[j] * keys[(size_t)i * r->d + j];
        }
        double e = exp(dot / sqrt(head_dim));
        total += e;
        for (uint32_t j = 0; j < head_dim; j++) {
            out[j] += e * values[(size_t)i * r->d + j];
        }
    }
    for (uint32_t j = 0; j < head_dim; j++) {
        out[j] /= total;
    }
}

static void mixer(struct ref *r, const double *x, double *y)
{
    uint32_t n_heads = ref_number(r, "n_heads");
    uint32_t head_dim = ref_number(r, "head_dim");
    double q[ref_wide];
    double o[ref_wide];
    double *keys = r->state;
    double *values = keys + (size_t)r->n * r->d;
    ref_multiply(r, "attn.q", x, q);
    ref_multiply(r, "attn.k", x, keys + (size_t)r->t * r->d);
    ref_multiply(r, "attn.v", x, values + (size_t)r->t * r->d);
    ref_rotate(r, q, n_heads, head_dim);
    ref_rotate(r, keys + (size_t)r->t * r->d, n_heads, head_dim);
    for (uint32_t at = 0; at < n_heads * head_dim; at += head_dim) {
        attend(r, q + at, keys + at, values + at, head_dim, o + at);
    }
    ref_multiply(r, "attn.o", o, y);
}

static void mlp(struct ref *r, const double *x, double *y)
{
    double gate[ref_wide];
    double up[ref_wide];
    uint32_t ffn = ref_number(r, "ffn");
    ref_multiply(r, "mlp.gate", x, gate);
    ref_multiply(r, "mlp.up", x, up);
    for (uint32_t i = 0; i < ffn; i++) {
        gate[i] = gate[i] * ref_sigmoid(gate[i]) * up[i];
    }
    ref_multiply(r, "mlp.down", gate, y);
}

const struct ref_arch ref_llama = {.name = "llama", .state = state, .mixer = mixer, .mlp = mlp};
