/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The equations of the zoo's Transformer written down once more, slowly. Halves are widened here by
 * their definition and not by the engine's code.
 */
#include "fixture.h"
#include "reference.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct state {
    const struct tare_safetensors *st;
    int d;
    int n_layers;
    int n_heads;
    int head_dim;
    int ffn;
    int n_vocab;
    double *keys; /* [layer][position][d] */
    double *values;
    uint32_t n;
};

static double element(const struct tare_tensor *t, size_t i)
{
    if (t->dtype == TARE_DTYPE_F32) {
        float f;
        memcpy(&f, t->data + 4 * i, 4);
        return (double)f;
    }
    unsigned h = (unsigned)t->data[2 * i] | (unsigned)t->data[2 * i + 1] << 8;
    int e = (int)(h >> 10 & 31);
    double magnitude = e == 0 ? ldexp(h & 1023, -24) : ldexp(1024 + (h & 1023), e - 25);
    return h & 0x8000 ? -magnitude : magnitude;
}

static const struct tare_tensor *tensor(const struct state *s, int layer, const char *name)
{
    char full[80];
    char prefix[24] = "";
    if (layer >= 0) {
        (void)snprintf(prefix, sizeof prefix, "blocks.%d.", layer);
    }
    (void)snprintf(full, sizeof full, "%s%s.weight", prefix, name);
    const struct tare_tensor *t = tare_safetensors_find(s->st, full);
    if (!t) {
        fail_msg("no tensor %s", full);
    }
    return t;
}

static void multiply(const struct state *s, int layer, const char *name, const double *x, double *y)
{
    const struct tare_tensor *w = tensor(s, layer, name);
    for (size_t o = 0; o < w->shape[0]; o++) {
        y[o] = 0;
        for (size_t i = 0; i < w->shape[1]; i++) {
            y[o] += element(w, o * w->shape[1] + i) * x[i];
        }
    }
}

static void norm(const struct state *s, int layer, const char *name, const double *x, double *y)
{
    const struct tare_tensor *w = tensor(s, layer, name);
    double square = 0;
    for (int i = 0; i < s->d; i++) {
        square += x[i] * x[i] / s->d;
    }
    for (int i = 0; i < s->d; i++) {
        y[i] = x[i] / sqrt(square + 1e-5) * element(w, (size_t)i);
    }
}

static void rotate(const struct state *s, double *x, uint32_t position)
{
    int half = s->head_dim / 2;
    for (int head = 0; head < s->n_heads; head++, x += s->head_dim) {
        for (int i = 0; i < half; i++) {
            double angle = position * pow(10000.0, -2.0 * i / s->head_dim);
            double u = x[i];
            double v = x[i + half];
            x[i] = u * cos(angle) - v * sin(angle);
            x[i + half] = v * cos(angle) + u * sin(angle);
        }
    }
}

static void attend(const struct state *s, const double *q, const double *keys, const double *values,
                   uint32_t n_keys, double *out)
{
    memset(out, 0, (size_t)s->head_dim * sizeof *out);
    double total = 0;
    for (uint32_t i = 0; i < n_keys; i++) {
        double dot = 0;
        for (int j = 0; j < s->head_dim; j++) {
            dot += q[j] * keys[(size_t)i * (size_t)s->d + (size_t)j];
        }
        double e = exp(dot / sqrt(s->head_dim));
        total += e;
        for (int j = 0; j < s->head_dim; j++) {
            out[j] += e * values[(size_t)i * (size_t)s->d + (size_t)j];
        }
    }
    for (int j = 0; j < s->head_dim; j++) {
        out[j] /= total;
    }
}

static void block(struct state *s, int layer, double *x, uint32_t t)
{
    double a[2048];
    double q[2048];
    double y[2048];
    double z[2048];
    size_t d = (size_t)s->d;
    double *keys = s->keys + (size_t)layer * s->n * d;
    double *values = s->values + (size_t)layer * s->n * d;
    norm(s, layer, "norm1", x, a);
    multiply(s, layer, "attn.q", a, q);
    multiply(s, layer, "attn.k", a, keys + t * d);
    multiply(s, layer, "attn.v", a, values + t * d);
    rotate(s, q, t);
    rotate(s, keys + t * d, t);
    for (int head = 0; head < s->n_heads; head++) {
        int at = head * s->head_dim;
        attend(s, q + at, keys + at, values + at, t + 1, y + at);
    }
    multiply(s, layer, "attn.o", y, z);
    for (size_t i = 0; i < d; i++) {
        x[i] += z[i];
    }
    norm(s, layer, "norm2", x, a);
    multiply(s, layer, "mlp.gate", a, y);
    multiply(s, layer, "mlp.up", a, z);
    for (int i = 0; i < s->ffn; i++) {
        y[i] = y[i] / (1 + exp(-y[i])) * z[i];
    }
    multiply(s, layer, "mlp.down", y, z);
    for (size_t i = 0; i < d; i++) {
        x[i] += z[i];
    }
}

static int number(const struct tare_safetensors *st, const char *key)
{
    const char *text = tare_safetensors_meta(st, key);
    assert_non_null(text);
    return atoi(text);
}

void reference_logits(const struct tare_safetensors *st, const int32_t *tokens, uint32_t n, double *out)
{
    struct state s = {.st = st, .n = n};
    s.d = number(st, "d_model");
    s.n_layers = number(st, "n_layers");
    s.n_heads = number(st, "n_heads");
    s.head_dim = number(st, "head_dim");
    s.ffn = number(st, "ffn");
    s.n_vocab = number(st, "vocab");
    assert_in_range(s.d, 1, 2048);
    assert_in_range(s.ffn, 1, 2048);
    size_t cache = (size_t)s.n_layers * n * (size_t)s.d;
    s.keys = calloc(cache, sizeof *s.keys);
    s.values = calloc(cache, sizeof *s.values);
    assert_true(s.keys && s.values);
    for (uint32_t t = 0; t < n; t++) {
        double x[2048];
        double a[2048];
        for (int i = 0; i < s.d; i++) {
            x[i] = element(tensor(&s, -1, "embed"), (size_t)tokens[t] * (size_t)s.d + (size_t)i);
        }
        for (int layer = 0; layer < s.n_layers; layer++) {
            block(&s, layer, x, t);
        }
        norm(&s, -1, "norm_f", x, a);
        multiply(&s, -1, "embed", a, out + (size_t)t * (size_t)s.n_vocab);
    }
    free(s.keys);
    free(s.values);
}
