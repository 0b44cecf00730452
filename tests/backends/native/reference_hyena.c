/* SPDX-License-Identifier: Apache-2.0 */
/* Hyena's convolution as a sum, with the filter's network evaluated here. The state is every row that
 * entered the short filter, every row that entered the long one, and the long filters of all distances. */
#include "reference.h"

#include <math.h>

static size_t state(const struct ref *r)
{
    return (size_t)r->n * 5 * r->d;
}

static void sines(const struct ref *r, const char *w, const char *b, const double *from, uint32_t in,
                  double *to)
{
    uint32_t width = ref_number(r, "filter_width");
    for (uint32_t o = 0; o < width; o++) {
        to[o] = ref_at(r, b, o);
        for (uint32_t i = 0; i < in; i++) {
            to[o] += ref_at(r, w, (size_t)o * in + i) * from[i];
        }
        to[o] = sin(to[o]);
    }
}

static void filter_at(const struct ref *r, uint32_t tau, double *h)
{
    uint32_t bands = ref_number(r, "filter_bands");
    uint32_t width = ref_number(r, "filter_width");
    double at = (double)tau / ref_number(r, "max_ctx");
    double features[ref_wide] = {at};
    double first[ref_wide];
    double second[ref_wide];
    for (uint32_t k = 1; k <= bands; k++) {
        features[2 * k - 1] = cos(2 * acos(-1) * k * at);
        features[2 * k] = sin(2 * acos(-1) * k * at);
    }
    sines(r, "mix.filter.w0", "mix.filter.b0", features, 1 + 2 * bands, first);
    sines(r, "mix.filter.w1", "mix.filter.b1", first, width, second);
    for (uint32_t c = 0; c < r->d; c++) {
        h[c] = 0;
        for (uint32_t i = 0; i < width; i++) {
            h[c] += ref_at(r, "mix.filter.w2", (size_t)c * width + i) * second[i];
        }
        h[c] *= exp(-(double)tau * exp(ref_at(r, "mix.filter.decay", c)));
    }
}

static double filtered(const struct ref *r, const double *u, uint32_t channel)
{
    uint32_t taps = ref_number(r, "short");
    double sum = ref_at(r, "mix.short.bias", channel);
    for (uint32_t j = 0; j < taps && j <= r->t; j++) {
        sum += ref_at(r, "mix.short.weight", (size_t)channel * taps + j) *
               u[(size_t)(r->t - j) * 3 * r->d + channel];
    }
    return sum;
}

static void mixer(struct ref *r, const double *x, double *y)
{
    uint32_t d = r->d;
    double *u = r->state;
    double *z = u + (size_t)r->n * 3 * d;
    double *h = z + (size_t)r->n * d;
    double g[ref_wide];
    ref_multiply(r, "mix.in", x, u + (size_t)r->t * 3 * d);
    filter_at(r, r->t, h + (size_t)r->t * d);
    for (uint32_t c = 0; c < d; c++) {
        double now = filtered(r, u, d + c) * filtered(r, u, 2 * d + c);
        z[(size_t)r->t * d + c] = now;
        g[c] = ref_at(r, "mix.skip", c) * now;
        for (uint32_t tau = 0; tau <= r->t; tau++) {
            g[c] += h[(size_t)tau * d + c] * z[(size_t)(r->t - tau) * d + c];
        }
        g[c] *= filtered(r, u, c);
    }
    ref_multiply(r, "mix.o", g, y);
}

const struct ref_arch ref_hyena = {.name = "hyena", .state = state, .mixer = mixer, .mlp = ref_gelu_mlp};
