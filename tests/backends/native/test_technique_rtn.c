/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rounding of weights: the zoo's int8 and int4 files come out of the plain ones bit for bit, of all five
 * architectures; every other width, group and scheme keeps its bound on the error.
 */
#include "loaded.h"
#include "products.h"
#include "treated.h"

#include "storage/storages.h"
#include "technique/rounding.h"
#include "widen.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define QUANT "infer.compress.quant.weight"

static const char *const architectures[] = {"llama-1m", "rwkv4-1m", "h3-1m", "hyena-1m", "retnet-1m"};

struct pair {
    struct tare_safetensors plain;
    struct tare_safetensors packed;
};

static void open_pair(struct pair *p, const char *name, const char *variant)
{
    char file[96];
    char path[512];
    struct tare_err err = {0};
    loaded_find_zoo(name, path, sizeof path);
    assert_int_equal(tare_safetensors_open(&p->plain, path, &err), 0);
    (void)snprintf(file, sizeof file, "zoo/variants/%s-%s.safetensors", name, variant);
    fixture_shared(file, path, sizeof path);
    assert_int_equal(tare_safetensors_open(&p->packed, path, &err), 0);
}

static void close_pair(struct pair *p)
{
    tare_safetensors_close(&p->plain);
    tare_safetensors_close(&p->packed);
}

static const struct tare_tensor *find(const struct tare_safetensors *st, const char *name, const char *suffix)
{
    char full[128];
    (void)snprintf(full, sizeof full, "%s%s", name, suffix);
    const struct tare_tensor *t = tare_safetensors_find(st, full);
    if (!t) {
        fail_msg("there is no %s", full);
    }
    return t;
}

static float *widened(const struct tare_tensor *t)
{
    float *w = malloc((size_t)t->n_elements * sizeof *w);
    assert_non_null(w);
    tare_widen_f16(w, t->data, (size_t)t->n_elements);
    return w;
}

static void compare_int8(const struct pair *p, const struct tare_tensor *plain)
{
    const struct tare_tensor *codes = find(&p->packed, plain->name, "");
    const struct tare_tensor *scales = find(&p->packed, plain->name, ".scale");
    uint32_t in = (uint32_t)plain->shape[1];
    float *w = widened(plain);
    int8_t *row = malloc(in);
    assert_true(codes->dtype == TARE_DTYPE_I8 && scales->dtype == TARE_DTYPE_F32 && row);
    for (size_t r = 0; r < plain->shape[0]; r++) {
        float scale;
        tare_round_int8_row(w + r * in, in, row, &scale);
        if (memcmp(row, codes->data + r * in, in) != 0 || memcmp(&scale, scales->data + 4 * r, 4) != 0) {
            fail_msg("%s: row %zu differs from the zoo's int8", plain->name, r);
        }
    }
    free(row);
    free(w);
}

static void compare_int4(const struct pair *p, const struct tare_tensor *plain)
{
    static const struct tare_rounding how = {.bits = 4, .group = 32, .search = true};
    const struct tare_tensor *codes = find(&p->packed, plain->name, "");
    const struct tare_tensor *scales = find(&p->packed, plain->name, ".scale");
    float *w = widened(plain);
    assert_true(codes->dtype == TARE_DTYPE_U8 && scales->dtype == TARE_DTYPE_F16);
    for (size_t g = 0; g < plain->n_elements / 32; g++) {
        uint8_t got[32];
        uint16_t scale;
        tare_round_group(&how, w + 32 * g, 32, got, &scale, NULL);
        bool same = (scale & 0xff) == scales->data[2 * g] && scale >> 8 == scales->data[2 * g + 1];
        for (size_t i = 0; i < 16; i++) {
            same = same && codes->data[16 * g + i] == (got[2 * i] | got[2 * i + 1] << 4);
        }
        if (!same) {
            fail_msg("%s: group %zu differs from the zoo's int4", plain->name, g);
        }
    }
    free(w);
}

static void compare_files(const char *variant, bool four)
{
    size_t matrices = 0;
    for (size_t a = 0; a < sizeof architectures / sizeof architectures[0]; a++) {
        struct pair p;
        open_pair(&p, architectures[a], variant);
        for (size_t i = 0; i < p.plain.n_tensors; i++) {
            const struct tare_tensor *t = &p.plain.tensors[i];
            if (t->dtype != TARE_DTYPE_F16) {
                continue;
            }
            if (four && strcmp(t->name, "embed.weight") != 0) {
                compare_int4(&p, t);
            } else {
                compare_int8(&p, t);
            }
            matrices++;
        }
        close_pair(&p);
    }
    assert_true(matrices >= 5 * 17);
}

static void test_files_int8(void **state)
{
    (void)state;
    compare_files("int8", false);
}

static void test_files_int4(void **state)
{
    (void)state;
    compare_files("int4", true);
}

/* The technique on the plain model is the shipped variant: every number, every byte. */
static void test_models(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {{"llama-1m-int8", QUANT},
                                           {"llama-1m-int4", QUANT "{bits=4,group=32,search=1}"}};
    for (size_t i = 0; i < 2; i++) {
        struct treated shipped;
        struct treated made;
        struct tare_linear_facts facts;
        treated_load(&shipped, pairs[i][0]);
        treated_start(&made, "llama-1m", pairs[i][1]);
        tare_model_facts(&made.model, &facts);
        assert_int_equal(facts.stored_bytes, shipped.model.file_bytes);
        assert_int_equal(made.model.n_linears, shipped.model.n_linears);
        for (size_t k = 0; k < made.model.n_linears; k++) {
            size_t n = (size_t)made.model.linears[k].out * made.model.linears[k].in;
            float *got = treated_dense(&made, k);
            float *want = treated_dense(&shipped, k);
            assert_string_equal(made.model.linears[k].storage->name, shipped.model.linears[k].storage->name);
            assert_memory_equal(got, want, n * sizeof *got);
            free(got);
            free(want);
        }
        treated_stop(&made);
        treated_stop(&shipped);
    }
}

static void compare_logits(const char *reference, const char *technique)
{
    char path[512];
    struct treated t;
    struct tare_safetensors ref = {0};
    struct tare_err err = {0};
    fixture_shared(reference, path, sizeof path);
    assert_int_equal(tare_safetensors_open(&ref, path, &err), 0);
    const struct tare_tensor *tokens = find(&ref, "tokens", "");
    const struct tare_tensor *logits = find(&ref, "logits", "");
    uint32_t n = (uint32_t)logits->shape[0];
    int32_t ids[64];
    memcpy(ids, tokens->data, n * sizeof ids[0]);
    treated_start(&t, "llama-1m", technique);
    float *got = treated_logits(&t, ids, n, 1);
    float *want = malloc(logits->n_bytes);
    assert_non_null(want);
    memcpy(want, logits->data, logits->n_bytes);
    assert_true(loaded_gap(got, want, logits->n_elements) < 1e-3);
    free(got);
    free(want);
    treated_stop(&t);
    tare_safetensors_close(&ref);
}

static void test_logits(void **state)
{
    (void)state;
    compare_logits("zoo/refs/llama-1m-int8.ref.safetensors", QUANT);
    compare_logits("zoo/refs/llama-1m-int4.ref.safetensors", QUANT "{bits=4,search=yes}");
}

static double squared_error(const struct tare_rounding *how, const float *w, uint32_t n, double *worst,
                            double *step)
{
    uint8_t codes[64];
    uint16_t half;
    uint8_t zero = (uint8_t)(1u << (how->bits - 1));
    double sum = 0;
    tare_round_group(how, w, n, codes, &half, how->asymmetric ? &zero : NULL);
    *step = (double)tare_widen_half(half);
    *worst = 0;
    for (uint32_t i = 0; i < n; i++) {
        assert_true(codes[i] < 1u << how->bits && zero < 1u << how->bits);
        double miss = fabs(((double)codes[i] - zero) * *step - (double)w[i]);
        *worst = miss > *worst ? miss : *worst;
        sum += miss * miss;
    }
    return sum;
}

/* No number is further off than half a step, a step of the zero point aside; a search never makes it worse.
 */
static void test_bounds(void **state)
{
    (void)state;
    for (uint32_t seed = 0; seed < 400; seed++) {
        uint32_t n = 1 + seed % 64;
        float *w = products_numbers(n, seed);
        for (uint32_t i = 0; i < n; i++) {
            w[i] = w[i] * w[i] * w[i] + (float)(seed % 3) * 0.2F;
        }
        for (uint32_t bits = 2; bits <= 8; bits++) {
            struct tare_rounding how = {.bits = bits, .asymmetric = seed % 2 == 1};
            double worst;
            double step;
            double plain = squared_error(&how, w, n, &worst, &step);
            /* The scale is a half: 2^-11 off, over up to 2^bits steps; the zero point adds half a step. */
            double allowed = 0.5 + (double)(1u << bits) / 2048 + (how.asymmetric ? 0.5 : 0.0);
            assert_true(worst <= step * allowed + 1e-6);
            how.search = true;
            assert_true(squared_error(&how, w, n, &worst, &step) <= plain * (1 + 1e-5));
        }
        free(w);
    }
}

/* What is zero stays exactly zero, and numbers that are none do no harm. */
static void test_zeros(void **state)
{
    (void)state;
    static const float zeros[8];
    static const float some[8] = {0, -1, 0, 3, 0, 0, 0.5F, 0};
    static const float none[8] = {0, NAN, 1, INFINITY, -INFINITY, 0, 0, 2};
    for (uint32_t bits = 2; bits <= 8; bits++) {
        for (int asymmetric = 0; asymmetric < 2; asymmetric++) {
            const struct tare_rounding how = {.bits = bits, .asymmetric = asymmetric != 0, .search = true};
            uint8_t codes[8];
            uint16_t scale;
            uint8_t zero = (uint8_t)(1u << (bits - 1));
            tare_round_group(&how, zeros, 8, codes, &scale, asymmetric ? &zero : NULL);
            for (int i = 0; i < 8; i++) {
                assert_int_equal(codes[i], zero);
            }
            assert_int_equal(scale, tare_narrow_half(1e-7F)); /* of equal errors the first scale stays */
            tare_round_group(&how, some, 8, codes, &scale, asymmetric ? &zero : NULL);
            for (int i = 0; i < 8; i++) {
                assert_true(some[i] != 0.0F || codes[i] == zero);
            }
            tare_round_group(&how, none, 8, codes, &scale, asymmetric ? &zero : NULL);
        }
    }
}

/* 2, 3, 4 and 8 bits: bytes of one layer of 128 x 128 by hand. */
static void test_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *technique;
        int64_t bytes;
    } rows[] = {
        {QUANT, 128 * (128 + 4)},
        {QUANT "{bits=8,group=32}", 128 * 4 * (32 + 2)},
        {QUANT "{bits=8,scheme=asym}", 128 * (128 + 2 + 1)},
        {QUANT "{bits=4}", 128 * 4 * (16 + 2)},
        {QUANT "{bits=4,scheme=asym}", 128 * (4 * (16 + 2) + 2)},
        {QUANT "{bits=4,group=128,scheme=asym}", 128 * (64 + 2 + 1)},
        {QUANT "{bits=3}", 128 * 4 * (12 + 2)},
        {QUANT "{bits=3,group=16,scheme=asym}", 128 * (8 * (6 + 2) + 3)},
        {QUANT "{bits=2}", 128 * 4 * (8 + 2)},
        {QUANT "{bits=5,group=0}", 128 * (80 + 2)},
        {QUANT "{method=nf4}", 128 * 2 * (32 + 2) + 64},
        {QUANT "{method=ternary}", 128 * (32 + 2)},
        {"infer.compress.quant.activation{method=w8a8}", 128 * (128 + 4)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct treated t;
        struct tare_linear_facts facts;
        treated_start(&t, "llama-1m", rows[i].technique);
        const struct tare_linear *w = treated_find(&t, "blocks.1.attn.k");
        w->storage->facts(w, &facts);
        if (facts.stored_bytes != rows[i].bytes) {
            fail_msg("%s: %lld bytes, not %lld", rows[i].technique, (long long)facts.stored_bytes,
                     (long long)rows[i].bytes);
        }
        assert_string_equal(t.model.linears[0].storage->name, "int8");
        treated_stop(&t);
    }
}

/* A second rounding to the same codes changes nothing; to wider ones it is not done. */
static void test_never_larger(void **state)
{
    (void)state;
    struct treated t;
    struct tare_linear_facts first;
    struct tare_linear_facts second;
    treated_start(&t, "llama-0.25m", QUANT "{bits=3,embed=no}");
    assert_string_equal(t.model.linears[0].storage->name, "f16");
    float *before = treated_dense(&t, 3);
    tare_model_facts(&t.model, &first);
    treated_apply(&t, QUANT "{bits=8,embed=no}");
    tare_model_facts(&t.model, &second);
    float *after = treated_dense(&t, 3);
    assert_int_equal(first.stored_bytes, second.stored_bytes);
    assert_memory_equal(before, after,
                        (size_t)t.model.linears[3].out * t.model.linears[3].in * sizeof *after);
    free(before);
    free(after);
    treated_stop(&t);
}

/* Every number becomes the nearest of the 16 levels times the largest of its block. */
static void test_nf4(void **state)
{
    (void)state;
    static const double levels[16] = {-1.0,       -0.6961928, -0.5250731, -0.3949175, -0.2844414, -0.1847734,
                                      -0.0910500, 0.0,        0.0795803,  0.1609302,  0.2461123,  0.3379152,
                                      0.4407098,  0.5626170,  0.7229568,  1.0};
    struct treated plain;
    struct treated t;
    treated_load(&plain, "llama-0.25m");
    treated_start(&t, "llama-0.25m", QUANT "{method=nf4,block=32}");
    size_t n = (size_t)t.model.linears[2].out * t.model.linears[2].in;
    float *w = treated_dense(&plain, 2);
    float *got = treated_dense(&t, 2);
    for (size_t b = 0; b < n; b += 32) {
        double most = 0;
        for (size_t i = b; i < b + 32; i++) {
            most = fmax(most, fabs((double)w[i]));
        }
        for (size_t i = b; i < b + 32; i++) {
            double least = 1e9;
            for (int k = 0; k < 16; k++) {
                least = fmin(least, fabs(levels[k] * most - (double)w[i]));
            }
            assert_true(fabs((double)got[i] - (double)w[i]) <= least + 1e-6 * most);
        }
    }
    free(w);
    free(got);
    treated_stop(&plain);
    treated_stop(&t);
}

static void test_ternary(void **state)
{
    (void)state;
    struct treated plain;
    struct treated t;
    treated_load(&plain, "llama-0.25m");
    treated_start(&t, "llama-0.25m", QUANT "{method=ternary}");
    uint32_t in = t.model.linears[2].in;
    float *w = treated_dense(&plain, 2);
    float *got = treated_dense(&t, 2);
    for (uint32_t r = 0; r < t.model.linears[2].out; r++) {
        double mean = 0;
        for (uint32_t c = 0; c < in; c++) {
            mean += fabs((double)w[r * in + c]) / in;
        }
        for (uint32_t c = 0; c < in; c++) {
            double x = (double)w[r * in + c] / mean;
            double want = x > 0.5 ? mean : x < -0.5 ? -mean : 0;
            bool on_the_border = fabs(fabs(x) - 0.5) < 1e-3;
            assert_true(on_the_border || fabs((double)got[r * in + c] - want) < 1e-3 * mean);
        }
    }
    free(w);
    free(got);
    treated_stop(&plain);
    treated_stop(&t);
}

/* 512 positions of w8a8 lie near those of int8 weights alone, and fed one by one near those fed at once. */
static void test_w8a8(void **state)
{
    (void)state;
    struct treated both;
    struct treated weights;
    int32_t ids[40];
    treated_start(&both, "llama-0.25m", "infer.compress.quant.activation{method=w8a8}");
    treated_start(&weights, "llama-0.25m", QUANT);
    loaded_ids(ids, 40, 1024, 5);
    size_t n = (size_t)40 * 1024;
    float *a = treated_logits(&both, ids, 40, 1);
    float *b = treated_logits(&weights, ids, 40, 1);
    float *c = treated_logits(&both, ids, 40, 2);
    double gap = loaded_gap(a, b, n);
    assert_true(gap > 1e-3 && gap < 1.5);
    assert_true(loaded_gap(a, c, n) < 1e-3);
    free(a);
    free(b);
    free(c);
    treated_stop(&both);
    treated_stop(&weights);
}

static void test_refused(void **state)
{
    (void)state;
    treated_refuses(QUANT "{bits=1}", TARE_E_USAGE, "bits");
    treated_refuses(QUANT "{bits=9}", TARE_E_USAGE, "bits");
    treated_refuses(QUANT "{bits=4,group=32}", TARE_E_USAGE, "do not divide its 48 columns");
    treated_refuses(QUANT "{scheme=half}", TARE_E_USAGE, "scheme");
    treated_refuses(QUANT "{method=nf4,block=7}", TARE_E_USAGE, "do not divide");
    treated_refuses(QUANT "{method=ternary,group=36}", TARE_E_USAGE, "do not divide");
    treated_refuses("infer.compress.quant.activation{method=w8a8,bits=4}", TARE_E_USAGE, "bits");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_int8), cmocka_unit_test(test_files_int4),
        cmocka_unit_test(test_models),     cmocka_unit_test(test_logits),
        cmocka_unit_test(test_bounds),     cmocka_unit_test(test_zeros),
        cmocka_unit_test(test_bytes),      cmocka_unit_test(test_never_larger),
        cmocka_unit_test(test_nf4),        cmocka_unit_test(test_ternary),
        cmocka_unit_test(test_w8a8),       cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
