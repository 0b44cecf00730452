/* SPDX-License-Identifier: Apache-2.0 */
/* Mamba channel by channel. The state is the memories [ffn][d_state], then every row before the short
 * filter. */
#include "reference.h"

#include <math.h>
#include <string.h>

static size_t state(const struct ref *r)
{
    return (size_t)ref_number(r, "ffn") * (ref_number(r, "d_state") + r->n);
}

static void mixer(struct ref *r, const double *x, double *y)
{
    uint32_t inner = ref_number(r, "ffn");
    uint32_t n = ref_number(r, "d_state");
    uint32_t taps = ref_number(r, "d_conv");
    uint32_t rank = ref_number(r, "dt_rank");
    double both[ref_wide];
    double u[ref_wide];
    double mid[ref_wide];
    double step[ref_wide];
    double *past = r->state + (size_t)inner * n;
    ref_multiply(r, "ssm.in", x, both);
    memcpy(past + (size_t)r->t * inner, both, inner * sizeof *both);
    for (uint32_t c = 0; c < inner; c++) {
        u[c] = ref_at(r, "ssm.conv.bias", c);
        for (uint32_t j = 0; j < taps && j <= r->t; j++) {
            u[c] += ref_at(r, "ssm.conv.weight", (size_t)c * taps + j) * past[(size_t)(r->t - j) * inner + c];
        }
        u[c] *= ref_sigmoid(u[c]);
    }
    ref_multiply(r, "ssm.x", u, mid);
    ref_multiply(r, "ssm.dt", mid, step);
    for (uint32_t c = 0; c < inner; c++) {
        double delta = log1p(exp(step[c] + ref_at(r, "ssm.dt.bias", c)));
        double out = ref_at(r, "ssm.skip", c) * u[c];
        for (uint32_t i = 0; i < n; i++) {
            double *memory = r->state + (size_t)c * n + i;
            double rate = -exp(ref_at(r, "ssm.a_log", (size_t)c * n + i));
            *memory = exp(delta * rate) * *memory + mid[rank + i] * delta * u[c];
            out += mid[rank + n + i] * *memory;
        }
        double gate = both[inner + c];
        both[c] = out * gate * ref_sigmoid(gate);
    }
    ref_multiply(r, "ssm.out", both, y);
}

const struct ref_arch ref_mamba = {.name = "mamba", .state = state, .mixer = mixer};
