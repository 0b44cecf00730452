/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Early exit: a rule that never fires changes no bit, every rule fires where it should, skipped layers get
 * the keys and values that the exit state gives, and the work is counted as it was done.
 */
#include "answering.h"

#include "arch.h"
#include "decoding/early_exit.h"
#include "loaded.h"
#include "reference.h"

#include <math.h>
#include <string.h>

enum { n_vocab = 1024, n_layers = 4 };

/* The work on one token of llama-1m by the convention: matrices of a layer, k and v alone, head, map. */
enum {
    layer_flops = 2 * (4 * 128 * 128 + 3 * 128 * 384),
    fill_flops = 2 * 2 * 128 * 128,
    head_flops = 2 * 128 * 1024,
    map_flops = 2 * 128 * 128
};

static void check_never(const char *technique)
{
    enum { n = 60 };
    struct answering t;
    struct answering plain;
    int32_t ids[n];
    answering_start(&t, "llama-1m", technique, 1);
    answering_start(&plain, "llama-1m", NULL, 1);
    assert_int_equal(answering_text(&t, ids, n), n);
    answering_rows(&t, ids, n, 20, 0);
    for (uint32_t at = 20; at <= n; at++) { /* one by one, as the products of many rows round otherwise */
        answering_rows(&plain, ids, at, at, at - 1);
        assert_memory_equal(t.rows + (size_t)(at - 20) * n_vocab, plain.rows, n_vocab * sizeof *t.rows);
    }
    answering_generate(&t, ids, n, 30, 0.8, 3);
    answering_generate(&plain, ids, n, 30, 0.8, 3);
    assert_int_equal(t.n_tokens, 30);
    assert_memory_equal(t.tokens, plain.tokens, 30 * sizeof *t.tokens);
    assert_true(fabs(answering_reading(&t, "mean_exit_layer") - n_layers) < 1e-12);
    assert_true(fabs(answering_reading(&t, "exit_layer_4_tok") - (n - 19 + 30)) < 1e-12);
    answering_stop(&plain);
    answering_stop(&t);
}

static void test_never(void **state)
{
    (void)state;
    check_never("infer.dynamic.early-exit{rule=confidence,threshold=1,maps=none}");
    check_never("infer.dynamic.early-exit{rule=confidence,threshold=1,calib_tok=1024}");
    check_never("infer.dynamic.early-exit{rule=entropy,threshold=0,maps=none}");
    check_never("infer.dynamic.early-exit{rule=gap,threshold=1,maps=none}");
    check_never("infer.dynamic.early-exit{rule=patience,patience=4,maps=none}");
}

/* What the head says of the last of n tokens after each layer, the others having gone through all. */
static void peek_all(struct answering *plain, const int32_t *ids, uint32_t n, float rows[n_layers][n_vocab])
{
    struct tare_engine *e = &plain->session.engine;
    tare_session_forget(&plain->session);
    tare_session_hold(&plain->session, ids, n - 1, 0);
    tare_engine_embed(e, ids + n - 1, 1);
    for (uint32_t layer = 0; layer < n_layers; layer++) {
        tare_engine_layer(e, layer, 1);
        memcpy(rows[layer], tare_engine_peek(e, e->x), sizeof rows[layer]);
    }
}

static bool fires(const char *rule, double threshold, uint32_t layer, float rows[n_layers][n_vocab])
{
    double p[n_vocab];
    double entropy = 0;
    double first = 0;
    double second = 0;
    tare_sample_probabilities(p, rows[layer], n_vocab, 1);
    for (int i = 0; i < n_vocab; i++) {
        entropy -= p[i] * log(p[i] > 0 ? p[i] : 1);
        second = fmax(second, fmin(p[i], first));
        first = fmax(first, p[i]);
    }
    if (strcmp(rule, "patience") == 0) {
        uint32_t same = 0;
        for (uint32_t i = layer; i > 0; i--) {
            if (tare_most_probable(rows[i], n_vocab) != tare_most_probable(rows[i - 1], n_vocab)) {
                break;
            }
            same++;
        }
        return same >= threshold;
    }
    return strcmp(rule, "entropy") == 0 ? entropy < threshold
           : strcmp(rule, "gap") == 0   ? first - second > threshold
                                        : first > threshold;
}

/* One token behind a context at a time: it leaves where the rule says, with the logits of that layer. */
static void check_rule(const char *rule, double threshold)
{
    enum { n = 40 };
    static float rows[n_layers][n_vocab];
    char technique[160];
    struct answering t;
    struct answering plain;
    int32_t ids[n];
    uint32_t seen[n_layers + 1] = {0};
    (void)snprintf(technique, sizeof technique, "infer.dynamic.early-exit{maps=none,rule=%s,%s=%g}", rule,
                   strcmp(rule, "patience") == 0 ? "patience" : "threshold", threshold);
    answering_start(&t, "llama-1m", technique, 1);
    answering_start(&plain, "llama-1m", NULL, 1);
    assert_int_equal(answering_text(&t, ids, n), n);
    for (uint32_t at = 1; at <= n; at++) {
        uint32_t exit = 1;
        peek_all(&plain, ids, at, rows);
        while (exit < n_layers && !fires(rule, threshold, exit - 1, rows)) {
            exit++;
        }
        t.treatment.decoding->reset(t.treatment.decoding_self);
        answering_rows(&t, ids, at, at, at - 1);
        assert_true(fabs(answering_reading(&t, "mean_exit_layer") - exit) < 1e-12);
        assert_memory_equal(t.rows, rows[exit - 1], sizeof rows[0]);
        seen[exit]++;
    }
    print_message("%s %g: tokens leave after 1 to 4 layers: %u %u %u %u\n", rule, threshold, seen[1], seen[2],
                  seen[3], seen[4]);
    assert_true(seen[4] < n && seen[4] > 0);
    answering_stop(&plain);
    answering_stop(&t);
}

static void test_rules(void **state)
{
    (void)state;
    check_rule("confidence", 0.7);
    check_rule("entropy", 1.5);
    check_rule("gap", 0.5);
    check_rule("patience", 1);
    check_rule("patience", 2);
}

/* Every second token leaves early, against the same in double. */
static void test_fill(void **state)
{
    (void)state;
    enum { n = 24 };
    static const char *const treatments[] = {NULL, "infer.dynamic.input-pruning{sinks=2,window=6}"};
    struct answering t;
    struct tare_safetensors st = {0};
    struct tare_err err = {0};
    int32_t ids[n];
    double *want = malloc(sizeof(double[n][n_vocab]));
    assert_non_null(want);
    for (int windowed = 0; windowed < 2; windowed++) {
        double worst = 0;
        answering_start(&t, "llama-1m", treatments[windowed], 0);
        struct tare_engine *e = &t.session.engine;
        assert_int_equal(answering_text(&t, ids, n), n);
        assert_int_equal(tare_safetensors_open(&st, t.path, &err), 0);
        reference_leave(1);
        reference_window(2, windowed ? 6 : 0);
        reference_logits(&st, ids, n, want);
        reference_leave(0);
        reference_window(0, 0);
        for (uint32_t at = 0; at < n; at++) {
            uint32_t exit = at % 2 == 0 ? 1 : n_layers;
            tare_engine_embed(e, ids + at, 1);
            for (uint32_t layer = 0; layer < n_layers; layer++) {
                if (layer < exit) {
                    tare_engine_layer(e, layer, 1);
                } else {
                    tare_engine_fill(e, layer, 1);
                }
            }
            const float *row = tare_engine_peek(e, e->x);
            for (int i = 0; i < n_vocab; i++) {
                worst = fmax(worst, fabs((double)row[i] - want[at * n_vocab + i]));
            }
            tare_session_book(&t.session, ids[at]);
        }
        print_message("every second token leaves after one layer: %.1e from double\n", worst);
        assert_true(worst < 1e-4);
        tare_safetensors_close(&st);
        answering_stop(&t);
    }
    free(want);
}

static void check_flops(const char *technique, double executed, double dense)
{
    struct answering t;
    int32_t ids[10];
    answering_start(&t, "llama-1m", technique, 0);
    assert_int_equal(answering_text(&t, ids, 10), 10);
    answering_rows(&t, ids, 10, 10, 0);
    assert_true(fabs(answering_reading(&t, "executed_flops") - executed) < 0.5);
    assert_true(fabs(answering_reading(&t, "dense_flops") - dense) < 0.5);
    answering_stop(&t);
}

static void test_flops(void **state)
{
    (void)state;
    const double prompt = 9.0 * n_layers * layer_flops + n_layers * 4.0 * 128 * (9 * 10 / 2);
    const double layer = layer_flops + 4.0 * 128 * 10;
    const double dense = prompt + n_layers * layer + head_flops;
    check_flops("infer.dynamic.early-exit{threshold=1,maps=none}", dense + 3.0 * head_flops, dense);
    check_flops("infer.dynamic.early-exit{threshold=1,calib_tok=512}", dense + 3.0 * (head_flops + map_flops),
                dense);
    check_flops("infer.dynamic.early-exit{threshold=0,maps=none}",
                prompt + layer + head_flops + 3.0 * fill_flops, dense);
    check_flops("infer.dynamic.early-exit{threshold=0,calib_tok=512}",
                prompt + layer + head_flops + map_flops + 3.0 * fill_flops, dense);
}

static double surprise(const struct answering *t, const int32_t *ids, uint32_t n)
{
    static double p[n_vocab];
    double sum = 0;
    for (uint32_t i = 1; i < n; i++) {
        tare_sample_probabilities(p, t->rows + (size_t)(i - 1) * n_vocab, n_vocab, 1);
        sum -= log(p[ids[i]]) / (n - 1);
    }
    return sum;
}

static double surprise_of(const char *technique)
{
    struct answering t;
    int32_t ids[300];
    answering_start(&t, "llama-1m", technique, 0);
    uint32_t n = answering_text(&t, ids, 300);
    answering_rows(&t, ids, n, 1, 0);
    double got = surprise(&t, ids, n);
    answering_stop(&t);
    return got;
}

/* Leaving later costs less, and maps make an inner layer's state readable. */
static void test_curve(void **state)
{
    (void)state;
    double plain = surprise_of(NULL);
    double sure = surprise_of("infer.dynamic.early-exit{threshold=0.9}");
    double half = surprise_of("infer.dynamic.early-exit{threshold=0.5}");
    double at_once = surprise_of("infer.dynamic.early-exit{threshold=0}");
    double unmapped = surprise_of("infer.dynamic.early-exit{threshold=0,maps=none}");
    print_message(
        "nats per token: %.3f plain, %.3f at 0.9, %.3f at 0.5, %.3f after one layer, %.3f without maps\n",
        plain, sure, half, at_once, unmapped);
    assert_true(plain < sure && sure < half && half < at_once && at_once + 1 < unmapped);
    assert_true(sure < plain + 0.3);
}

/* A request leaves nothing behind that the next one would see. */
static void test_no_trace(void **state)
{
    (void)state;
    enum { n = 50 };
    struct answering t;
    int32_t ids[n];
    answering_start(&t, "llama-1m", "infer.dynamic.early-exit{threshold=0.3,maps=none}", 1);
    assert_int_equal(answering_text(&t, ids, n), n);
    float *fresh = malloc(11 * n_vocab * sizeof *fresh);
    assert_non_null(fresh);
    answering_rows(&t, ids, n, n - 10, 0);
    memcpy(fresh, t.rows, 11 * n_vocab * sizeof *fresh);
    answering_rows(&t, ids, n, 5, n);
    answering_generate(&t, ids, n - 5, 20, 1, 9);
    answering_rows(&t, ids, n, n - 10, n);
    assert_memory_equal(fresh, t.rows, 11 * n_vocab * sizeof *fresh);
    free(fresh);
    answering_stop(&t);
}

static void test_refusals(void **state)
{
    (void)state;
    answering_refused("llama-1m", "infer.dynamic.early-exit{threshold=1.5}", TARE_E_USAGE, "threshold");
    answering_refused("llama-1m", "infer.dynamic.early-exit{threshold=-0.1}", TARE_E_USAGE, "threshold");
    answering_refused("llama-1m", "infer.dynamic.early-exit{rule=mood}", TARE_E_USAGE, "rule");
    answering_refused("llama-1m", "infer.dynamic.early-exit{rule=patience,patience=0}", TARE_E_USAGE,
                      "patience");
    answering_refused("llama-1m", "infer.dynamic.early-exit{calib=/no/such/text}", TARE_E_IO,
                      "/no/such/text");
    answering_refused("rwkv4-1m", "infer.dynamic.early-exit", TARE_E_UNSUPPORTED, "rwkv4");
    answering_refused("hyena-1m", "infer.dynamic.early-exit{maps=none}", TARE_E_UNSUPPORTED, "hyena");
    answering_refused("llama-1m", "infer.dynamic.early-exit{maps=none}+infer.dynamic.early-exit{maps=none}",
                      TARE_E_UNSUPPORTED, "together");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_never),    cmocka_unit_test(test_rules), cmocka_unit_test(test_fill),
        cmocka_unit_test(test_flops),    cmocka_unit_test(test_curve), cmocka_unit_test(test_no_trace),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
