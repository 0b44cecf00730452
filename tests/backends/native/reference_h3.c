/* SPDX-License-Identifier: Apache-2.0 */
/* H3's recurrence as the format writes it, in complex doubles. The state is the memories as pairs, then
 * every key by position. */
#include "reference.h"

#include <math.h>
#include <string.h>

struct sizes {
    uint32_t heads;
    uint32_t dim;
    uint32_t n;
    uint32_t m;
};

static struct sizes sizes_of(const struct ref *r)
{
    return (struct sizes){ref_number(r, "n_heads"), ref_number(r, "head_dim"), ref_number(r, "d_state"),
                          ref_number(r, "shift")};
}

static size_t memories(struct sizes z)
{
    return (size_t)2 * z.heads * z.n * z.dim * z.dim;
}

static size_t state(const struct ref *r)
{
    return memories(sizes_of(r)) + (size_t)r->n * r->d;
}

/* The memory (head, n) at (a, c) takes z in; its part of the sum. */
static double remember(const struct ref *r, struct sizes s, uint32_t head, uint32_t n, size_t at, double z)
{
    size_t i = (size_t)head * s.n + n;
    double *memory = r->state + 2 * (i * s.dim * s.dim + at);
    double size = exp(ref_at(r, "mix.ssm.lam_log", i));
    double angle = ref_at(r, "mix.ssm.lam_arg", i);
    double re = size * (cos(angle) * memory[0] - sin(angle) * memory[1]) + z;
    double im = size * (cos(angle) * memory[1] + sin(angle) * memory[0]);
    memory[0] = re;
    memory[1] = im;
    return ref_at(r, "mix.ssm.c_re", i) * re - ref_at(r, "mix.ssm.c_im", i) * im;
}

static void mixer(struct ref *r, const double *x, double *y)
{
    struct sizes s = sizes_of(r);
    double q[ref_wide];
    double v[ref_wide];
    double o[ref_wide] = {0};
    double *keys = r->state + memories(s);
    ref_multiply(r, "mix.q", x, q);
    ref_multiply(r, "mix.k", x, keys + (size_t)r->t * r->d);
    ref_multiply(r, "mix.v", x, v);
    for (uint32_t a = 0; a < r->d; a++) {
        double key = 0;
        uint32_t head = a / s.dim;
        for (uint32_t j = 0; j < s.m && j <= r->t; j++) {
            key += ref_at(r, "mix.shift", (size_t)a * s.m + j) * keys[(size_t)(r->t - j) * r->d + a];
        }
        for (uint32_t c = 0; c < s.dim; c++) {
            double z = key * v[head * s.dim + c];
            double sum = ref_at(r, "mix.ssm.skip", head) * z;
            for (uint32_t n = 0; n < s.n; n++) {
                sum += remember(r, s, head, n, (size_t)(a % s.dim) * s.dim + c, z);
            }
            o[head * s.dim + c] += q[a] * sum;
        }
    }
    ref_multiply(r, "mix.o", o, y);
}

const struct ref_arch ref_h3 = {.name = "h3", .state = state, .mixer = mixer, .mlp = ref_gelu_mlp};
