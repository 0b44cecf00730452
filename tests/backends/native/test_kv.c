/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys and values: how rows are kept, what a token sees through a window however it is fed, and what both
 * do to a shipped model. The oracle is attention written down in double over all pairs of tokens.
 */
#include "answering.h"

#include "arch.h"
#include "attention.h"
#include "loaded.h"
#include "reference.h"
#include "widen.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { heads = 3, width = 12, w = heads * width, n_all = 40 };

struct inputs {
    float q[n_all][w];
    float kv[n_all][2 * w];
};

static float noise(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (float)(*seed >> 8) / (float)(1u << 23) - 1.0F;
}

static void make_inputs(struct inputs *in)
{
    uint32_t seed = 99;
    for (int t = 0; t < n_all; t++) {
        for (int i = 0; i < w; i++) {
            in->q[t][i] = 3 * noise(&seed);
        }
        for (int i = 0; i < 2 * w; i++) {
            in->kv[t][i] = noise(&seed);
        }
    }
}

/* What x becomes when it is kept in so many bits beside others of which the largest is `largest`. */
static double kept(double x, double largest, uint32_t bits)
{
    if (bits == 0) {
        return x;
    }
    double most = bits == 8 ? 127 : 7;
    double scale = (double)tare_widen_half(tare_narrow_half((float)(largest / most)));
    return fmax(-most, fmin(most, nearbyint(x / scale))) * scale;
}

static void keep_all(const struct inputs *in, uint32_t bits, double out[n_all][2 * w])
{
    for (int t = 0; t < n_all; t++) {
        for (int part = 0; part < 2 * w; part += width) {
            double largest = 0;
            for (int i = 0; i < width; i++) {
                largest = fmax(largest, fabs((double)in->kv[t][part + i]));
            }
            for (int i = 0; i < width; i++) {
                out[t][part + i] = kept((double)in->kv[t][part + i], largest, bits);
            }
        }
    }
}

static void attend_in_double(const struct inputs *in, const struct tare_model_kv *how, double out[n_all][w])
{
    static double kv[n_all][2 * w];
    keep_all(in, how->bits, kv);
    memset(out, 0, sizeof(double[n_all][w]));
    for (uint32_t t = 0; t < n_all; t++) {
        for (int at = 0; at < w; at += width) {
            double total = 0;
            for (uint32_t j = 0; j <= t; j++) {
                bool sees = how->window == 0 || j < how->sinks || j + how->window > t;
                double dot = 0;
                for (int i = 0; i < width; i++) {
                    dot += (double)in->q[t][at + i] * kv[j][at + i];
                }
                double e = sees ? exp(dot / sqrt(width)) : 0;
                total += e;
                for (int i = 0; i < width; i++) {
                    out[t][at + i] += e * kv[j][w + at + i];
                }
            }
            for (int i = 0; i < width; i++) {
                out[t][at + i] /= total;
            }
        }
    }
}

static void attend_rows(const struct inputs *in, const struct tare_model_kv *how, struct tare_exec *exec,
                        unsigned char *state, uint32_t start, uint32_t n, float out[n_all][w])
{
    enum { stride = 48 };
    static float gathered[2 * w * n_all];
    static float scores[heads * n_all * stride];
    static float fresh[n_all][2 * w];
    struct tare_attention a = {.kv = {.how = *how, .n_heads = heads, .head_dim = width},
                               .state = state,
                               .q = in->q[start],
                               .fresh = fresh[0],
                               .gathered = gathered,
                               .scores = scores,
                               .out = out[start],
                               .n_ctx = n_all,
                               .stride = stride,
                               .start = start,
                               .n = n};
    memcpy(fresh, in->kv[start], n * sizeof fresh[0]);
    if (tare_kv_in_place(&a.kv, start, n)) {
        memcpy(state + tare_kv_row_of(&a.kv, start) * tare_kv_row_bytes(&a.kv), fresh, n * sizeof fresh[0]);
    }
    tare_attention_run(&a, exec);
}

static double worst_of(float got[n_all][w], double want[n_all][w])
{
    double worst = 0;
    for (int t = 0; t < n_all; t++) {
        for (int i = 0; i < w; i++) {
            double gap = fabs((double)got[t][i] - want[t][i]);
            worst = gap <= worst ? worst : gap;
        }
    }
    return worst;
}

/* However the rows are cut into blocks, and whatever is kept of them. */
static void test_attention_against_pairs(void **state)
{
    (void)state;
    static const struct tare_model_kv ways[] = {{0, 0, 0}, {0, 4, 9}, {0, 0, 1}, {0, 2, 300}, {0, 50, 3},
                                                {8, 0, 0}, {8, 4, 9}, {4, 0, 0}, {4, 1, 6},   {8, 11, 1}};
    static const uint32_t pieces[] = {1, 2, 5, 13, 39, 40};
    struct tare_err err = {0};
    struct tare_exec exec;
    const struct tare_exec_needs needs = {.threads = 2, .rows = 1};
    struct inputs in;
    static double want[n_all][w];
    static float got[n_all][w];
    double worst = 0;
    assert_int_equal(tare_exec_open(&exec, &needs, &err), 0);
    make_inputs(&in);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        attend_in_double(&in, &ways[i], want);
        for (size_t j = 0; j < sizeof pieces / sizeof pieces[0]; j++) {
            float memory[n_all * 2 * w] = {0};
            uint32_t n = 0;
            for (uint32_t at = 0; at < n_all; at += n) {
                n = n_all - at < pieces[j] ? n_all - at : pieces[j];
                attend_rows(&in, &ways[i], &exec, (unsigned char *)memory, at, n, got);
            }
            double gap = worst_of(got, want);
            if (!(gap < 2e-6)) {
                fail_msg("bits %u, sinks %u, window %u, blocks of %u: %g off", ways[i].bits, ways[i].sinks,
                         ways[i].window, pieces[j], gap);
            }
            worst = fmax(worst, gap);
        }
    }
    print_message("largest difference from attention in double %.1e\n", worst);
    tare_exec_close(&exec);
}

static void test_rows_of_codes(void **state)
{
    (void)state;
    const struct tare_kv int8 = {.how = {.bits = 8}, .n_heads = heads, .head_dim = width};
    const struct tare_kv int4 = {.how = {.bits = 4}, .n_heads = heads, .head_dim = width};
    const struct tare_kv plain = {.n_heads = heads, .head_dim = width};
    assert_int_equal(tare_kv_row_bytes(&plain), 2 * w * 4);
    assert_int_equal(tare_kv_row_bytes(&int8), 2 * (w + 2 * heads));
    assert_int_equal(tare_kv_row_bytes(&int4), 2 * (w / 2 + 2 * heads));
    const float key[width] = {-127, 127, 0, 1, -1, 64, 0.4F, 0.6F, 126.4F, -2, 3, 5};
    const float value[width] = {0};
    const float back8[width] = {-127, 127, 0, 1, -1, 64, 0, 1, 126, -2, 3, 5};
    float k[width];
    float v[width];
    uint16_t row[(2 * (w + 2 * heads)) / 2] = {0};
    tare_kv_put(&int8, (unsigned char *)row, 0, 1, key, value);
    tare_kv_get(&int8, (unsigned char *)row, 0, 1, 1, k, v);
    assert_memory_equal(k, back8, sizeof k);
    assert_memory_equal(v, value, sizeof v);
    const float key4[width] = {-7, 7, 0, 1, -1, 3.4F, 0.4F, 0.6F, 6.4F, -2, 3, 5};
    const float back4[width] = {-7, 7, 0, 1, -1, 3, 0, 1, 6, -2, 3, 5};
    tare_kv_put(&int4, (unsigned char *)row, 0, 2, key4, value);
    tare_kv_get(&int4, (unsigned char *)row, 0, 1, 2, k, v);
    assert_memory_equal(k, back4, sizeof k);
}

static void test_where_rows_lie(void **state)
{
    (void)state;
    const struct tare_kv kv = {.how = {.sinks = 2, .window = 3}, .n_heads = 1, .head_dim = 2};
    static const uint32_t rows[] = {0, 1, 2, 3, 4, 2, 3, 4, 2};
    for (uint32_t t = 0; t < 9; t++) {
        assert_int_equal(tare_kv_row_of(&kv, t), rows[t]);
        assert_int_equal(tare_kv_rows(&kv, t), t < 5 ? t : 5);
    }
    assert_int_equal(tare_attention_seen(&kv, 0, 9), 1 + 2 + 3 + 4 + 5 + 5 + 5 + 5 + 5);
    assert_int_equal(tare_attention_seen(&kv, 3, 2), 4 + 5);
    assert_int_equal(tare_attention_seen(&kv, 7, 1), 5);
}

/* The whole model through a window against its equations in double. */
static void test_window_of_a_model(void **state)
{
    (void)state;
    enum { n = 60 };
    struct answering t;
    struct tare_safetensors st = {0};
    struct tare_err err = {0};
    int32_t ids[n];
    answering_start(&t, "llama-0.1m", "infer.dynamic.input-pruning{method=sinks,sinks=3,window=10}", 16);
    size_t n_vocab = t.model.config.n_vocab;
    assert_int_equal(answering_text(&t, ids, n), n);
    assert_int_equal(tare_safetensors_open(&st, t.path, &err), 0);
    double *want = malloc(n * n_vocab * sizeof *want);
    assert_non_null(want);
    reference_window(3, 10);
    reference_logits(&st, ids, n, want);
    reference_window(0, 0);
    for (int step = 0; step < 2; step++) {
        double worst = 0;
        t.session.engine.block = step ? 1 : 16;
        tare_session_forget(&t.session);
        answering_rows(&t, ids, n, 1, 0);
        for (size_t i = 0; i < n * n_vocab; i++) {
            double gap = fabs((double)t.rows[i] - want[i]);
            worst = gap <= worst ? worst : gap;
        }
        print_message("sinks 3, window 10, %s: %.1e from double\n", step ? "steps" : "blocks of 16", worst);
        assert_true(worst < 1e-4);
    }
    free(want);
    tare_safetensors_close(&st);
    answering_stop(&t);
}

static void rows_of(const char *technique, const int32_t *ids, uint32_t n, uint32_t block, float *out)
{
    struct answering t;
    answering_start(&t, "llama-0.25m", technique, block);
    answering_rows(&t, ids, n, 1, 0);
    memcpy(out, t.rows, (size_t)n * t.model.config.n_vocab * sizeof *out);
    answering_stop(&t);
}

static double mean_gap(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += fabs((double)a[i] - (double)b[i]) / (double)n;
    }
    return sum;
}

/* A window that hides nothing changes no bit; 8 bits change little, 4 bits more. */
static void test_close_to_plain(void **state)
{
    (void)state;
    enum { n = 200, n_vocab = 1024 };
    struct answering t;
    int32_t ids[n];
    float *plain = malloc(sizeof(float[n][n_vocab]));
    float *other = malloc(sizeof(float[n][n_vocab]));
    assert_true(plain && other);
    answering_start(&t, "llama-0.25m", NULL, 0);
    assert_int_equal(answering_text(&t, ids, n), n);
    answering_stop(&t);
    rows_of(NULL, ids, n, 0, plain);
    rows_of("infer.dynamic.input-pruning{method=sinks,sinks=0,window=200}", ids, n, 0, other);
    assert_memory_equal(plain, other, sizeof(float[n][n_vocab]));
    rows_of("infer.dynamic.input-pruning{sinks=4,window=32}", ids, n, 0, other);
    assert_memory_equal(plain, other, sizeof(float[36][n_vocab]));
    assert_true(loaded_gap(plain, other, (size_t)n * n_vocab) > 0.1);
    rows_of("infer.compress.quant.activation{method=kv,bits=8}", ids, n, 0, other);
    double int8 = mean_gap(plain, other, (size_t)n * n_vocab);
    rows_of("infer.compress.quant.activation{method=kv,bits=4}", ids, n, 0, other);
    double int4 = mean_gap(plain, other, (size_t)n * n_vocab);
    print_message("mean difference of a logit: %.4f with 8 bits, %.4f with 4\n", int8, int4);
    assert_true(int8 > 0 && int8 < 0.02 && int4 > 4 * int8 && int4 < 0.4);
    rows_of("infer.compress.quant.activation{method=kv,bits=8}", ids, n, 1, plain);
    rows_of("infer.compress.quant.activation{method=kv,bits=8}", ids, n, 64, other);
    assert_true(mean_gap(plain, other, (size_t)n * n_vocab) < int8 / 10);
    free(plain);
    free(other);
}

static size_t state_after(struct answering *t, uint32_t n)
{
    return tare_engine_state_bytes(&t->session.engine, n);
}

static void test_state_bytes(void **state)
{
    (void)state;
    struct answering t;
    answering_start(&t, "llama-1m", "infer.dynamic.input-pruning{method=sinks,sinks=4,window=128}", 0);
    assert_int_equal(state_after(&t, 100), 100 * 4 * 2 * 128 * 4);
    assert_int_equal(state_after(&t, 132), 132 * 4 * 2 * 128 * 4);
    assert_int_equal(state_after(&t, 512), state_after(&t, 132));
    answering_stop(&t);
    answering_start(&t, "llama-1m", "infer.compress.quant.activation{method=kv,bits=4}", 0);
    assert_int_equal(state_after(&t, 512), 512 * 4 * 2 * (64 + 4 * 2));
    answering_stop(&t);
    answering_start(
        &t, "llama-1m",
        "infer.compress.quant.activation{method=kv,bits=8}+infer.dynamic.input-pruning{sinks=0,window=16}",
        0);
    assert_int_equal(state_after(&t, 512), 16 * 4 * 2 * (128 + 4 * 2));
    answering_stop(&t);
}

/* Continuations of one context, whose saved state is a ring, answer like fresh requests. */
static void test_reuse_through_a_window(void **state)
{
    (void)state;
    enum { n = 90 };
    struct answering t;
    int32_t ids[n];
    answering_start(&t, "llama-0.1m", "infer.dynamic.input-pruning{method=sinks,sinks=2,window=20}", 0);
    size_t n_vocab = t.model.config.n_vocab;
    assert_int_equal(answering_text(&t, ids, n), n);
    float *fresh = malloc(10 * n_vocab * sizeof *fresh);
    assert_non_null(fresh);
    answering_rows(&t, ids, n, n - 9, 0);
    memcpy(fresh, t.rows, 10 * n_vocab * sizeof *fresh);
    ids[n - 1] ^= 1;
    answering_rows(&t, ids, n, n - 9, n - 10);
    ids[n - 1] ^= 1;
    answering_rows(&t, ids, n, n - 9, n - 10);
    assert_true(loaded_gap(t.rows, fresh, 10 * n_vocab) < 1e-4);
    free(fresh);
    answering_stop(&t);
}

static void test_refusals(void **state)
{
    (void)state;
    answering_refused("llama-0.1m", "infer.compress.quant.activation{method=kv,bits=5}", TARE_E_USAGE,
                      "8 or 4");
    answering_refused("llama-0.1m", "infer.compress.quant.activation{method=kv,bits=2}", TARE_E_USAGE,
                      "bits");
    answering_refused("llama-0.1m", "infer.dynamic.input-pruning{window=0}", TARE_E_USAGE, "window");
    answering_refused("llama-0.1m", "infer.dynamic.input-pruning{sinks=-1}", TARE_E_USAGE, "sinks");
    answering_refused("llama-0.1m", "infer.dynamic.input-pruning{size=3}", TARE_E_USAGE, "size");
    answering_refused("rwkv4-1m", "infer.compress.quant.activation{method=kv}", TARE_E_UNSUPPORTED, "rwkv4");
    answering_refused("retnet-1m", "infer.dynamic.input-pruning{method=sinks}", TARE_E_UNSUPPORTED, "retnet");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attention_against_pairs), cmocka_unit_test(test_rows_of_codes),
        cmocka_unit_test(test_where_rows_lie),          cmocka_unit_test(test_window_of_a_model),
        cmocka_unit_test(test_close_to_plain),          cmocka_unit_test(test_state_bytes),
        cmocka_unit_test(test_reuse_through_a_window),  cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
