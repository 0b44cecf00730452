/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pruning of single weights: the rules on small cases, the zoo's variants bit for bit, and SparseGPT, which
 * with independent inputs drops what Wanda drops and changes nothing else.
 */
#include "moments.h"
#include "products.h"

#include "storage/storages.h"
#include "technique/mask.h"
#include "technique/sparsegpt.h"

#include <math.h>
#include <string.h>

#define PRUNE "infer.compress.prune.unstructured"

enum { side = 32, rows = 6 };

static int by_size(const void *a, const void *b)
{
    float x = *(const float *)a;
    float y = *(const float *)b;
    return (x > y) - (x < y);
}

static void test_kth_smallest(void **state)
{
    (void)state;
    for (uint32_t n = 1; n < 60; n += 7) {
        float *x = products_numbers(n, n);
        float *sorted = products_numbers(n, n);
        for (uint32_t i = 0; i < n; i += 3) {
            x[i] = sorted[i] = 0.25F; /* equal ones */
        }
        qsort(sorted, n, sizeof *sorted, by_size);
        for (uint32_t k = 1; k <= n; k++) {
            assert_true(tare_kth_smallest(x, n, k) == sorted[k - 1]);
        }
        free(x);
        free(sorted);
    }
}

static void test_rules_by_hand(void **state)
{
    const float score[8] = {3, 1, 2, 2, 5, 2, 4, 0};
    float work[8];
    float w[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    (void)state;
    tare_mask_share(w, score, 8, 0.5, work); /* the 4th smallest is 2: all that are not above it go */
    static const float half[8] = {1, 0, 0, 0, 1, 0, 1, 0};
    assert_memory_equal(w, half, sizeof w);
    float none[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    tare_mask_share(none, score, 8, 0.1, work); /* not one whole number */
    for (int i = 0; i < 8; i++) {
        assert_true(none[i] == 1.0F);
    }
    float group[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    tare_mask_row(group, score, 8, &(struct tare_mask_rule){.keep = 2, .of = 4}, work);
    static const float two[8] = {1, 0, 1, 0, 1, 0, 1, 0}; /* of 2 and 2 the left one stays */
    assert_memory_equal(group, two, sizeof group);
}

static void parse_wrong(double sparsity, const char *pattern)
{
    struct tare_mask_rule rule = {.keep = 77};
    struct tare_err err = {0};
    assert_int_equal(tare_mask_rule_parse(&rule, sparsity, pattern, &err), TARE_E_USAGE);
    assert_int_equal(rule.keep, 77);
    assert_true(err.msg[0] != '\0');
}

static void test_rule_parse(void **state)
{
    static const char *const wrong[] = {"",    "2",    "2:",   ":4",   "4:2",  "2:2",
                                        "0:4", "2:4x", "2:65", "-1:4", "2:4:8"};
    struct tare_mask_rule rule;
    struct tare_err err = {0};
    (void)state;
    assert_int_equal(tare_mask_rule_parse(&rule, 0.5, "2:4", &err), 0);
    assert_true(rule.keep == 2 && rule.of == 4);
    assert_int_equal(tare_mask_rule_parse(&rule, 0.0, NULL, &err), 0);
    assert_true(rule.of == 0 && rule.sparsity == 0.0);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        parse_wrong(0.5, wrong[i]);
    }
    parse_wrong(1.0, NULL);
    parse_wrong(-0.1, NULL);
    parse_wrong((double)NAN, NULL);
}

/* Mask and values of every layer, as the file has them. */
static void check_variant(const char *variant, const char *technique, const char *storage)
{
    struct treated got;
    struct tare_model want = {0};
    char path[512];
    char file[96];
    struct tare_err err = {0};
    (void)snprintf(file, sizeof file, "zoo/variants/llama-1m-%s.safetensors", variant);
    fixture_shared(file, path, sizeof path);
    if (tare_model_load(&want, path, &err) < 0) {
        fail_msg("%s", err.msg);
    }
    treated_start(&got, "llama-1m", technique);
    assert_int_equal(want.n_linears, got.model.n_linears);
    for (size_t i = 0; i < want.n_linears; i++) {
        const struct tare_linear *w = &want.linears[i];
        float *a = treated_dense(&got, i);
        float *b = moments_dense(w);
        if (memcmp(a, b, (size_t)w->out * w->in * sizeof *a) != 0) {
            fail_msg("%s: %s is not the file's", variant, w->name);
        }
        assert_string_equal(got.model.linears[i].storage->name, i == 0 ? "f16" : storage);
        free(a);
        free(b);
    }
    tare_model_close(&want);
    treated_stop(&got);
}

static void test_magnitude_is_mag50(void **state)
{
    (void)state;
    check_variant("mag50", PRUNE, "bitmap");
    check_variant("mag50", PRUNE "{method=magnitude,sparsity=0.5,scope=layer}", "bitmap");
}

static void test_wanda_is_wanda50_and_24(void **state)
{
    char calib[512];
    char technique[700];
    (void)state;
    fixture_zoo("llama-1m-calib.safetensors", calib, sizeof calib);
    (void)snprintf(technique, sizeof technique, PRUNE "{method=wanda,calib=%s}", calib);
    check_variant("wanda50", technique, "bitmap");
    (void)snprintf(technique, sizeof technique, PRUNE "{method=wanda,pattern=2:4,calib=%s}", calib);
    check_variant("wanda24", technique, "two_four");
}

/* Share of a layer's weights that are 0. */
static double zeros(const struct treated *t, size_t i)
{
    struct tare_linear_facts facts;
    t->model.linears[i].storage->facts(&t->model.linears[i], &facts);
    return 1.0 - (double)facts.non_zero / (double)facts.params;
}

static void test_shares(void **state)
{
    struct treated t;
    double least = 1;
    double most = 0;
    double sum = 0;
    double params = 0;
    (void)state;
    treated_start(&t, "llama-0.1m", PRUNE "{scope=global,sparsity=0.3}");
    for (size_t i = 1; i < t.model.n_linears; i++) {
        double n = (double)t.model.linears[i].out * t.model.linears[i].in;
        double share = zeros(&t, i);
        least = share < least ? share : least;
        most = share > most ? share : most;
        sum += share * n;
        params += n;
    }
    assert_true(fabs(sum / params - 0.3) < 1e-3);
    assert_true(most - least > 0.02); /* some matrices lose more than others */
    treated_stop(&t);
    treated_start(&t, "llama-0.1m", PRUNE "{method=sparsegpt,sparsity=0.7,calib_tok=1024}");
    for (size_t i = 1; i < t.model.n_linears; i++) {
        assert_true(fabs(zeros(&t, i) - 0.7) < 2e-3);
    }
    treated_stop(&t);
    treated_start(&t, "llama-0.1m", PRUNE "{method=wanda,pattern=1:4,calib_tok=1024}");
    assert_string_equal(t.model.linears[1].storage->name, "bitmap");
    assert_true(fabs(zeros(&t, 1) - 0.75) < 1e-9);
    treated_stop(&t);
}

/* |w| sqrt(h_jj) decides, whichever way it is written. */
static void expect_wanda(float *w, const struct tare_moments *m, const struct tare_mask_rule *rule)
{
    float score[side];
    float work[side];
    for (int r = 0; r < rows; r++) {
        for (int j = 0; j < side; j++) {
            score[j] = fabsf(w[r * side + j]) * (float)sqrt(m->h[j * side + j]);
        }
        tare_mask_row(w + r * side, score, side, rule, work);
    }
}

static void test_sparsegpt_of_independent_inputs(void **state)
{
    struct tare_sparsegpt how = {.rule = {.keep = 2, .of = 4}, .block = 128};
    struct tare_moments m = moments_made(side, MOMENTS_DIAGONAL);
    float *want = products_numbers(rows * side, 4);
    struct tare_err err = {0};
    (void)state;
    for (int i = 0; i < rows * side; i++) {
        want[i] = (float)lrintf(want[i] * 256.0F) / 256.0F; /* a half holds it */
    }
    struct tare_linear w = moments_layer(rows, side, want);
    assert_int_equal(tare_sparsegpt_prune(&how, &w, &m, &err), 0);
    assert_string_equal(w.storage->name, "two_four");
    expect_wanda(want, &m, &how.rule);
    float *got = moments_dense(&w);
    assert_memory_equal(got, want, sizeof(float) * rows * side);
    free(got);
    free(want);
    tare_linear_close(&w);
    tare_moments_close(&m);
}

/* Of the outputs, in shares of what the whole matrix puts out. */
static double pruned_error(const struct treated *dense, const struct treated *pruned, size_t i,
                           const struct tare_moments *m)
{
    uint32_t out = dense->model.linears[i].out;
    float *a = treated_dense(dense, i);
    float *b = treated_dense(pruned, i);
    float *nothing = calloc((size_t)out * m->in, sizeof *nothing);
    assert_non_null(nothing);
    double error = moments_error(m, a, b, out) / moments_error(m, a, nothing, out);
    free(nothing);
    free(a);
    free(b);
    return error;
}

/* SparseGPT is nearer than Wanda in every matrix, Wanda than magnitude on the whole: it compares within
 * rows, which costs where rows differ in size. */
static void check_order(const char *options)
{
    static const char *const methods[] = {"sparsegpt", "wanda", "magnitude"};
    struct treated t[3];
    struct treated dense;
    double sum[3] = {0};
    treated_load(&dense, "llama-0.25m");
    for (int k = 0; k < 3; k++) {
        char text[160];
        (void)snprintf(text, sizeof text, PRUNE "{method=%s,%s%s%s}", methods[k], options,
                       k < 2 ? ",calib_tok=2048" : "", k == 0 ? ",sequential=no" : "");
        treated_start(&t[k], "llama-0.25m", text);
    }
    for (size_t i = 1; i < dense.model.n_linears; i++) {
        struct tare_moments m = moments_taken(&dense, i);
        double error[3];
        for (int k = 0; k < 3; k++) {
            error[k] = pruned_error(&dense, &t[k], i, &m);
            sum[k] += error[k];
        }
        assert_true(error[0] < 0.9 * error[1]);
        tare_moments_close(&m);
    }
    print_message("%s: sums of the errors of outputs: sparsegpt %.3f, wanda %.3f, magnitude %.3f\n", options,
                  sum[0], sum[1], sum[2]);
    assert_true(sum[1] < sum[2]);
    for (int k = 0; k < 3; k++) {
        treated_stop(&t[k]);
    }
    treated_stop(&dense);
}

static void test_order_on_text(void **state)
{
    (void)state;
    check_order("sparsity=0.5");
    check_order("pattern=2:4");
}

static void test_refusals(void **state)
{
    char tokenizer[512];
    char technique[700];
    (void)state;
    treated_refuses(PRUNE "{sparsity=1}", TARE_E_USAGE, "sparsity 1 is not in [0, 1)");
    treated_refuses(PRUNE "{method=wanda,pattern=4:2}", TARE_E_USAGE, "pattern '4:2'");
    treated_refuses(PRUNE "{method=wanda,pattern=3:7}", TARE_E_UNSUPPORTED, "no multiple of the pattern's 7");
    treated_refuses(PRUNE "{scope=global,pattern=2:4}", TARE_E_USAGE, "scope=global");
    treated_refuses(PRUNE "{method=sparsegpt,damp=-1}", TARE_E_USAGE, "damp -1");
    treated_refuses(PRUNE "{method=sparsegpt,block=0}", TARE_E_USAGE, "block");
    treated_refuses(PRUNE "{method=wanda,calib=/nowhere/x.safetensors}", TARE_E_IO, "/nowhere/x.safetensors");
    fixture_zoo("llama-1m-calib.safetensors", tokenizer, sizeof tokenizer);
    (void)snprintf(technique, sizeof technique, PRUNE "{method=wanda,calib=%s}", tokenizer);
    treated_refuses(technique, TARE_E_FORMAT, "'blocks.0.attn.q.in_rms' is not there as F32 [48]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kth_smallest),
        cmocka_unit_test(test_rules_by_hand),
        cmocka_unit_test(test_rule_parse),
        cmocka_unit_test(test_magnitude_is_mag50),
        cmocka_unit_test(test_wanda_is_wanda50_and_24),
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_sparsegpt_of_independent_inputs),
        cmocka_unit_test(test_order_on_text),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
