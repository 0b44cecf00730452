/* SPDX-License-Identifier: Apache-2.0 */
/* RWKV-4, once more, with the exponentials as the format writes them. The state is A, B and the two last
 * inputs. */
#include "reference.h"

#include <math.h>

static size_t state(const struct ref *r)
{
    return (size_t)4 * r->d;
}

static void blend(const struct ref *r, const char *name, const double *x, const double *before, double *to)
{
    for (uint32_t i = 0; i < r->d; i++) {
        double m = ref_at(r, name, i);
        to[i] = x[i] * m + before[i] * (1 - m);
    }
}

static void mixer(struct ref *r, const double *x, double *y)
{
    double *a = r->state;
    double *b = a + r->d;
    double *before = b + r->d;
    double in[ref_wide];
    double gate[ref_wide];
    double k[ref_wide];
    double v[ref_wide];
    blend(r, "att.mix_r", x, before, in);
    ref_multiply(r, "att.r", in, gate);
    blend(r, "att.mix_k", x, before, in);
    ref_multiply(r, "att.k", in, k);
    blend(r, "att.mix_v", x, before, in);
    ref_multiply(r, "att.v", in, v);
    for (uint32_t i = 0; i < r->d; i++) {
        double key = fmin(fmax(k[i], -60), 30);
        double now = exp(ref_at(r, "att.bonus", i) + key);
        double lambda = exp(-exp(ref_at(r, "att.decay", i)));
        gate[i] = ref_sigmoid(gate[i]) * (a[i] + now * v[i]) / (b[i] + now);
        a[i] = lambda * a[i] + exp(key) * v[i];
        b[i] = lambda * b[i] + exp(key);
        before[i] = x[i];
    }
    ref_multiply(r, "att.o", gate, y);
}

static void mlp(struct ref *r, const double *x, double *y)
{
    double *before = r->state + (size_t)3 * r->d;
    double in[ref_wide];
    double gate[ref_wide];
    double k[ref_wide];
    uint32_t ffn = ref_number(r, "ffn");
    blend(r, "ffn.mix_r", x, before, in);
    ref_multiply(r, "ffn.r", in, gate);
    blend(r, "ffn.mix_k", x, before, in);
    ref_multiply(r, "ffn.k", in, k);
    for (uint32_t i = 0; i < ffn; i++) {
        k[i] = pow(fmax(k[i], 0), 2);
    }
    ref_multiply(r, "ffn.v", k, y);
    for (uint32_t i = 0; i < r->d; i++) {
        y[i] *= ref_sigmoid(gate[i]);
        before[i] = x[i];
    }
}

const struct ref_arch ref_rwkv4 = {.name = "rwkv4", .state = state, .mixer = mixer, .mlp = mlp};
