/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the second implementations share, written down once more and slowly. Halves are widened here by
 * their definition and not by the engine's code.
 */
#include "fixture.h"
#include "reference.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct ref_arch *const archs[] = {&ref_llama, &ref_rwkv4,  &ref_h3,
                                               &ref_hyena, &ref_retnet, &ref_mamba};

static double element(const struct tare_tensor *t, size_t i)
{
    assert_true(i < t->n_elements);
    if (t->dtype == TARE_DTYPE_F32) {
        float f;
        memcpy(&f, t->data + 4 * i, 4);
        return (double)f;
    }
    assert_int_equal(t->dtype, TARE_DTYPE_F16);
    unsigned h = (unsigned)t->data[2 * i] | (unsigned)t->data[2 * i + 1] << 8;
    int e = (int)(h >> 10 & 31);
    double magnitude = e == 0 ? ldexp(h & 1023, -24) : ldexp(1024 + (h & 1023), e - 25);
    return h & 0x8000 ? -magnitude : magnitude;
}

static const struct tare_tensor *tensor(const struct ref *r, const char *prefix, const char *name,
                                        const char *suffix)
{
    char full[96];
    (void)snprintf(full, sizeof full, "%s%s%s", prefix, name, suffix);
    return tare_safetensors_find(r->st, full);
}

static const struct tare_tensor *need(const struct ref *r, const char *prefix, const char *name,
                                      const char *suffix)
{
    const struct tare_tensor *t = tensor(r, prefix, name, suffix);
    if (!t) {
        fail_msg("no tensor %s%s%s", prefix, name, suffix);
    }
    return t;
}

static void multiply(const struct tare_tensor *w, const double *x, double *y)
{
    for (size_t o = 0; o < w->shape[0]; o++) {
        y[o] = 0;
        for (size_t i = 0; i < w->shape[1]; i++) {
            y[o] += element(w, o * w->shape[1] + i) * x[i];
        }
    }
}

/* With a bias among the tensors it is LayerNorm, else RMSNorm. */
static void norm(const struct ref *r, const char *prefix, const char *name, const double *x, double *y)
{
    const struct tare_tensor *w = need(r, prefix, name, ".weight");
    const struct tare_tensor *b = tensor(r, prefix, name, ".bias");
    double mean = 0;
    double square = 0;
    for (uint32_t i = 0; b && i < r->d; i++) {
        mean += x[i] / r->d;
    }
    for (uint32_t i = 0; i < r->d; i++) {
        square += (x[i] - mean) * (x[i] - mean) / r->d;
    }
    for (uint32_t i = 0; i < r->d; i++) {
        y[i] = (x[i] - mean) / sqrt(square + 1e-5) * element(w, i) + (b ? element(b, i) : 0);
    }
}

static const char *prefix_of(const struct ref *r)
{
    static char prefix[24];
    (void)snprintf(prefix, sizeof prefix, "blocks.%u.", r->layer);
    return prefix;
}

double ref_at(const struct ref *r, const char *name, size_t i)
{
    return element(need(r, prefix_of(r), name, ""), i);
}

void ref_multiply(const struct ref *r, const char *name, const double *x, double *y)
{
    multiply(need(r, prefix_of(r), name, ".weight"), x, y);
}

void ref_rotate(const struct ref *r, double *x, uint32_t n_heads, uint32_t head_dim)
{
    uint32_t half = head_dim / 2;
    for (uint32_t head = 0; head < n_heads; head++, x += head_dim) {
        for (uint32_t i = 0; i < half; i++) {
            double angle = r->t * pow(10000.0, -2.0 * i / head_dim);
            double u = x[i];
            double v = x[i + half];
            x[i] = u * cos(angle) - v * sin(angle);
            x[i + half] = v * cos(angle) + u * sin(angle);
        }
    }
}

double ref_sigmoid(double z)
{
    return 1 / (1 + exp(-z));
}

void ref_gelu_mlp(struct ref *r, const double *x, double *y)
{
    double up[ref_wide];
    uint32_t ffn = ref_number(r, "ffn");
    ref_multiply(r, "mlp.up", x, up);
    for (uint32_t i = 0; i < ffn; i++) {
        double z = up[i];
        up[i] = 0.5 * z * (1 + tanh(0.7978845608028654 * (z + 0.044715 * z * z * z)));
    }
    ref_multiply(r, "mlp.down", up, y);
}

uint32_t ref_number(const struct ref *r, const char *key)
{
    const char *text = tare_safetensors_meta(r->st, key);
    if (!text) {
        fail_msg("no metadata %s", key);
    }
    int value = atoi(text);
    assert_in_range(value, 1, ref_wide);
    return (uint32_t)value;
}

static const struct ref_arch *arch_of(const struct ref *r)
{
    const char *name = tare_safetensors_meta(r->st, "arch");
    for (size_t i = 0; i < sizeof archs / sizeof archs[0]; i++) {
        if (name && strcmp(archs[i]->name, name) == 0) {
            return archs[i];
        }
    }
    fail_msg("no second implementation of %s", name ? name : "nothing");
    return NULL;
}

static void add_branch(struct ref *r, const char *norm_name,
                       void (*branch)(struct ref *r, const double *x, double *y), double *x)
{
    double a[ref_wide];
    double y[ref_wide];
    norm(r, prefix_of(r), norm_name, x, a);
    branch(r, a, y);
    for (uint32_t i = 0; i < r->d; i++) {
        x[i] += y[i];
    }
}

static uint32_t leaves_after;

void reference_leave(uint32_t layers)
{
    leaves_after = layers;
}

static void fill_state(struct ref *r, const struct ref_arch *arch, const double *x)
{
    double a[ref_wide];
    double unused[ref_wide];
    norm(r, prefix_of(r), "norm1", x, a);
    arch->mixer(r, a, unused);
}

static void one_token(struct ref *r, const struct ref_arch *arch, int32_t id, double *const *states,
                      double *out)
{
    const struct tare_tensor *embed = need(r, "", "embed", ".weight");
    uint32_t n_layers = ref_number(r, "n_layers");
    double x[ref_wide];
    double a[ref_wide];
    for (uint32_t i = 0; i < r->d; i++) {
        x[i] = element(embed, (size_t)id * r->d + i);
    }
    if (tensor(r, "", "embed_norm", ".weight")) {
        norm(r, "", "embed_norm", x, x);
    }
    for (r->layer = 0; r->layer < n_layers; r->layer++) {
        r->state = states[r->layer];
        if (leaves_after > 0 && r->t % 2 == 0 && r->layer >= leaves_after) {
            fill_state(r, arch, x);
            continue;
        }
        add_branch(r, "norm1", arch->mixer, x);
        if (arch->mlp) {
            add_branch(r, "norm2", arch->mlp, x);
        }
    }
    norm(r, "", "norm_f", x, a);
    multiply(embed, a, out);
}

void reference_logits(const struct tare_safetensors *st, const int32_t *tokens, uint32_t n, double *out)
{
    struct ref r = {.st = st, .n = n};
    double *states[16] = {NULL};
    r.d = ref_number(&r, "d_model");
    r.n_vocab = ref_number(&r, "vocab");
    const struct ref_arch *arch = arch_of(&r);
    uint32_t n_layers = ref_number(&r, "n_layers");
    assert_in_range(n_layers, 1, 16);
    for (uint32_t i = 0; i < n_layers; i++) {
        states[i] = calloc(arch->state(&r) + 1, sizeof *states[i]);
        assert_non_null(states[i]);
    }
    for (r.t = 0; r.t < n; r.t++) {
        one_token(&r, arch, tokens[r.t], states, out + (size_t)r.t * r.n_vocab);
    }
    for (uint32_t i = 0; i < n_layers; i++) {
        free(states[i]);
    }
}
