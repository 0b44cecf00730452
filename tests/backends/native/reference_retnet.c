/* SPDX-License-Identifier: Apache-2.0 */
/* Retention without its recurrence: the sum over all earlier tokens, once more for each. The state is
 * every rotated key and every value. */
#include "reference.h"

#include <math.h>

static size_t state(const struct ref *r)
{
    return (size_t)r->n * (r->d + ref_number(r, "n_heads") * ref_number(r, "v_head_dim"));
}

/* One head at this token. */
static void retain(const struct ref *r, uint32_t head, const double *q, const double *keys,
                   const double *values, uint32_t wide, double *o)
{
    uint32_t dim = ref_number(r, "head_dim");
    uint32_t v_dim = ref_number(r, "v_head_dim");
    double gamma = 1 - pow(2, -5.0 - head);
    double square = 0;
    for (uint32_t j = 0; j < v_dim; j++) {
        o[j] = 0;
    }
    for (uint32_t i = 0; i <= r->t; i++) {
        double dot = 0;
        for (uint32_t j = 0; j < dim; j++) {
            dot += q[head * dim + j] * keys[(size_t)i * r->d + head * dim + j];
        }
        for (uint32_t j = 0; j < v_dim; j++) {
            o[j] += dot / sqrt(dim) * pow(gamma, r->t - i) * values[(size_t)i * wide + head * v_dim + j];
        }
    }
    for (uint32_t j = 0; j < v_dim; j++) {
        square += o[j] * o[j] / v_dim;
    }
    for (uint32_t j = 0; j < v_dim; j++) {
        o[j] /= sqrt(square + 1e-5);
    }
}

static void mixer(struct ref *r, const double *x, double *y)
{
    uint32_t heads = ref_number(r, "n_heads");
    uint32_t v_dim = ref_number(r, "v_head_dim");
    uint32_t wide = heads * v_dim;
    double q[ref_wide];
    double g[ref_wide];
    double o[ref_wide];
    double *keys = r->state;
    double *values = keys + (size_t)r->n * r->d;
    ref_multiply(r, "ret.q", x, q);
    ref_multiply(r, "ret.k", x, keys + (size_t)r->t * r->d);
    ref_multiply(r, "ret.v", x, values + (size_t)r->t * wide);
    ref_multiply(r, "ret.g", x, g);
    ref_rotate(r, q, heads, ref_number(r, "head_dim"));
    ref_rotate(r, keys + (size_t)r->t * r->d, heads, ref_number(r, "head_dim"));
    for (uint32_t head = 0; head < heads; head++) {
        retain(r, head, q, keys, values, wide, o + head * v_dim);
    }
    for (uint32_t i = 0; i < wide; i++) {
        o[i] *= g[i] * ref_sigmoid(g[i]);
    }
    ref_multiply(r, "ret.o", o, y);
}

const struct ref_arch ref_retnet = {.name = "retnet", .state = state, .mixer = mixer, .mlp = ref_gelu_mlp};
