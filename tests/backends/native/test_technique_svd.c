/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Factors: of least error by what they are weighed with, of the rank that the ratio asks for, and ready for
 * another technique. Orthogonal matrices are made of reflections, so that singular values are known
 * beforehand.
 */
#include "loaded.h"
#include "products.h"
#include "treated.h"

#include "storage/storages.h"
#include "technique/factor.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LOW   "infer.compress.low-rank"
#define QUANT "infer.compress.quant.weight"

enum { out = 24, in = 40, side = 24 };

/* x = (1 - 2 v v^T / v^T v) x for columns of x [n, m] */
static void reflect(double *x, const float *v, int n, int m)
{
    double norm = 0;
    for (int i = 0; i < n; i++) {
        norm += (double)v[i] * (double)v[i];
    }
    for (int c = 0; c < m; c++) {
        double dot = 0;
        for (int i = 0; i < n; i++) {
            dot += (double)v[i] * x[i * m + c];
        }
        for (int i = 0; i < n; i++) {
            x[i * m + c] -= 2 * dot / norm * (double)v[i];
        }
    }
}

static double value(int i)
{
    return 10.0 / (1 + i) - 0.1;
}

/* A matrix [out, in] with the singular values value(0 .. side-1). */
static float *known_matrix(void)
{
    static double x[out * in];
    static double turned[in * out];
    float *w = malloc(sizeof(float) * out * in);
    float *v = products_numbers(out, 3);
    float *u = products_numbers(in, 4);
    assert_non_null(w);
    memset(x, 0, sizeof x);
    for (int i = 0; i < side; i++) {
        x[i * in + i] = value(i);
    }
    reflect(x, v, out, in);
    for (int i = 0; i < out * in; i++) {
        turned[i % in * out + i / in] = x[i];
    }
    reflect(turned, u, in, out);
    for (int i = 0; i < out * in; i++) {
        w[i] = (float)turned[i % in * out + i / in];
    }
    free(v);
    free(u);
    return w;
}

/* Sum of the squared errors of the outputs: over rows e of W - BA, e h e^T; h NULL: 1 on the diagonal. */
static double loss(const float *w, const float *a, const float *b, uint32_t rank, const double *h)
{
    double sum = 0;
    for (int r = 0; r < out; r++) {
        double e[in];
        for (int c = 0; c < in; c++) {
            e[c] = (double)w[r * in + c];
            for (uint32_t k = 0; k < rank; k++) {
                e[c] -= (double)b[(uint32_t)r * rank + k] * (double)a[k * in + (uint32_t)c];
            }
        }
        for (int c = 0; c < in; c++) {
            for (int d = 0; d < in; d++) {
                sum += e[c] * e[d] * (h ? h[c * in + d] : c == d);
            }
        }
    }
    return sum;
}

static double factor_loss(const struct tare_factor *how, const float *w, uint32_t rank, const double *h)
{
    static float a[side * in];
    static float b[out * side];
    struct tare_err err = {0};
    if (tare_factor(how, w, out, in, rank, a, b, &err) < 0) {
        fail_msg("%s", err.msg);
    }
    return loss(w, a, b, rank, h);
}

/* What is lost is the sum of the squares of the singular values that are dropped, no more and no less. */
static void test_plain(void **state)
{
    (void)state;
    static const struct tare_factor how = {.weighting = TARE_FACTOR_PLAIN};
    float *w = known_matrix();
    for (uint32_t rank = 1; rank <= side; rank++) {
        double want = 0;
        for (int i = (int)rank; i < side; i++) {
            want += value(i) * value(i);
        }
        assert_true(fabs(factor_loss(&how, w, rank, NULL) - want) < 1e-3 * want + 1e-6);
    }
    free(w);
}

/* Moments of inputs of which some are large and some go together. */
static struct tare_moments some_moments(int64_t tokens)
{
    static double h[in * in];
    static double size[in];
    uint32_t seed = 9;
    memset(h, 0, sizeof h);
    memset(size, 0, sizeof size);
    for (int64_t t = 0; t < tokens; t++) {
        float *x = products_numbers(in, seed++);
        for (int c = 1; c < in; c++) {
            x[c] = (0.3F * x[c] + 0.7F * x[c - 1]) * (c % 7 == 0 ? 5.0F : 1.0F);
        }
        for (int c = 0; c < in; c++) {
            size[c] += fabs((double)x[c]);
            for (int d = 0; d < in; d++) {
                h[c * in + d] += (double)x[c] * (double)x[d];
            }
        }
        free(x);
    }
    return (struct tare_moments){.h = h, .abs = size, .in = in, .tokens = tokens};
}

static void test_weighted(void **state)
{
    (void)state;
    struct tare_moments m = some_moments(200);
    const struct tare_factor plain = {.weighting = TARE_FACTOR_PLAIN, .moments = &m};
    const struct tare_factor columns = {.weighting = TARE_FACTOR_COLUMNS, .alpha = 0.5, .moments = &m};
    const struct tare_factor all = {.weighting = TARE_FACTOR_MOMENTS, .damp = 1e-9, .moments = &m};
    float *w = known_matrix();
    for (uint32_t rank = 1; rank < side; rank += 3) {
        double by_plain = factor_loss(&plain, w, rank, m.h);
        double by_columns = factor_loss(&columns, w, rank, m.h);
        double by_all = factor_loss(&all, w, rank, m.h);
        assert_true(by_all < by_plain * 0.999);
        assert_true(by_all < by_columns * 0.999);
        assert_true(factor_loss(&plain, w, rank, NULL) < factor_loss(&all, w, rank, NULL));
    }
    assert_true(factor_loss(&all, w, side, m.h) < 1e-4);
    /* With alpha 0.5 a column counts by the mean size of its input, and by nothing else. */
    static double alone[in * in];
    for (int c = 0; c < in; c++) {
        alone[c * in + c] = m.abs[c] / 200;
    }
    assert_true(factor_loss(&columns, w, 5, alone) < factor_loss(&plain, w, 5, alone) * 0.999);
    assert_true(factor_loss(&columns, w, 5, alone) < factor_loss(&all, w, 5, alone) * 0.999);
    free(w);
}

/* With as many alike inputs as columns and no correlation, all three weigh alike. */
static void test_alike(void **state)
{
    (void)state;
    static double h[in * in];
    static double size[in];
    for (int c = 0; c < in; c++) {
        h[c * in + c] = 4.0 * 50;
        size[c] = 2.0 * 50;
    }
    struct tare_moments m = {.h = h, .abs = size, .in = in, .tokens = 50};
    float *w = known_matrix();
    for (int weighting = TARE_FACTOR_PLAIN; weighting <= TARE_FACTOR_MOMENTS; weighting++) {
        const struct tare_factor how = {
            .weighting = (enum tare_factor_weighting)weighting, .alpha = 0.5, .damp = 0.01, .moments = &m};
        double want = 0;
        for (int i = 6; i < side; i++) {
            want += value(i) * value(i);
        }
        assert_true(fabs(factor_loss(&how, w, 6, NULL) - want) < 1e-3 * want);
    }
    free(w);
}

/* Fewer tokens than columns, and no damping: the moments are singular, and that is said. */
static void test_singular(void **state)
{
    (void)state;
    static float a[4 * in];
    static float b[out * 4];
    struct tare_moments m = some_moments(3);
    struct tare_factor how = {.weighting = TARE_FACTOR_MOMENTS, .moments = &m};
    struct tare_err err = {0};
    float *w = known_matrix();
    m.h[0] = 0;
    assert_int_equal(tare_factor(&how, w, out, in, 4, a, b, &err), TARE_E_UNSUPPORTED);
    assert_non_null(strstr(err.msg, "not positive definite"));
    how.damp = 1e-4;
    m = some_moments(3);
    assert_int_equal(tare_factor(&how, w, out, in, 4, a, b, &err), 0);
    free(w);
}

static void test_rank(void **state)
{
    (void)state;
    assert_int_equal(tare_factor_rank(128, 128, 0.6, 8), 32); /* 38.4 */
    assert_int_equal(tare_factor_rank(384, 128, 0.6, 8), 56); /* 57.6 */
    assert_int_equal(tare_factor_rank(384, 128, 0.6, 1), 57);
    assert_int_equal(tare_factor_rank(128, 384, 0.6, 16), 48);
    assert_int_equal(tare_factor_rank(128, 128, 0.01, 8), 8);
    assert_int_equal(tare_factor_rank(128, 4, 1.0, 8), 4);
    assert_int_equal(tare_factor_rank(128, 128, 1.0, 8), 64);
}

/* Every layer of a model, its numbers and bytes; the shapes outside stay. */
static void test_model(void **state)
{
    (void)state;
    struct treated t;
    struct treated shipped;
    treated_start(&t, "llama-1m", LOW "{method=svd}");
    treated_load(&shipped, "llama-1m-svd");
    struct tare_linear_facts got;
    struct tare_linear_facts want;
    tare_model_facts(&t.model, &got);
    tare_model_facts(&shipped.model, &want);
    assert_int_equal(got.params, want.params);
    assert_int_equal(got.stored_bytes, want.stored_bytes);
    assert_int_equal(got.flops, want.flops);
    for (size_t i = 1; i < t.model.n_linears; i++) {
        struct tare_linear *a[2];
        struct tare_linear *b[2];
        assert_int_equal(t.model.linears[i].storage->parts(&t.model.linears[i], a), 2);
        assert_int_equal(shipped.model.linears[i].storage->parts(&shipped.model.linears[i], b), 2);
        assert_int_equal(a[0]->out, b[0]->out);
    }
    treated_stop(&t);
    treated_stop(&shipped);
}

/* Negative log-likelihood a token of a text the model can read. */
static double text_loss(struct treated *t, uint32_t threads)
{
    static const char text[] =
        "The old man sat down by the fire and told the children a story about the sea. "
        "They had heard it many times before, but they listened as if it were new. When "
        "he came to the end, the youngest asked him whether it was true, and he laughed.";
    int32_t ids[400];
    uint32_t ends[400];
    size_t n = 0;
    struct tare_err err = {0};
    ids[0] = t->model.config.bos;
    assert_int_equal(tare_tokenizer_encode(&t->tokenizer, text, strlen(text), ids + 1, ends, 399, &n, &err),
                     0);
    float *logits = treated_logits(t, ids, (uint32_t)n, threads);
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const float *row = logits + i * t->model.config.n_vocab;
        double total = 0;
        for (uint32_t v = 0; v < t->model.config.n_vocab; v++) {
            total += exp((double)row[v]);
        }
        sum += log(total) - (double)row[ids[i + 1]];
    }
    free(logits);
    return sum / (double)n;
}

static double loss_of(const char *technique)
{
    struct treated t;
    treated_start(&t, "llama-0.25m", technique);
    double one = text_loss(&t, 1);
    double two = text_loss(&t, 2);
    assert_true(fabs(one - two) < 1e-3);
    treated_stop(&t);
    return one;
}

static void test_quality(void **state)
{
    (void)state;
    double plain = loss_of(LOW "{method=svd,ratio=0.8}");
    double llm = loss_of(LOW "{ratio=0.8,calib_tok=4096}");
    double sparse = loss_of(LOW "{ratio=0.8,calib_tok=4096,sparse=0.1}");
    double more = loss_of(LOW "{ratio=1,multiples=1,calib_tok=4096,sparse=0.3}");
    print_message("loss: svd %.3f, svd-llm %.3f, with a sparse rest %.3f, and a larger one %.3f\n", plain,
                  llm, sparse, more);
    assert_true(llm < plain - 0.1);
    assert_true(sparse < llm - 0.1);
    assert_true(more < sparse - 0.1);
}

static void test_sparse(void **state)
{
    (void)state;
    struct treated t;
    struct tare_linear *terms[2];
    struct tare_linear_facts facts;
    treated_start(&t, "llama-0.25m", LOW "{method=svd,ratio=0.5,sparse=0.1}");
    struct tare_linear *w = treated_find(&t, "blocks.2.mlp.up");
    assert_string_equal(w->storage->name, "sum");
    assert_int_equal(w->storage->parts(w, terms), 2);
    assert_string_equal(terms[0]->storage->name, "low_rank");
    assert_string_equal(terms[1]->storage->name, "bitmap");
    terms[1]->storage->facts(terms[1], &facts);
    int64_t n = (int64_t)w->out * w->in;
    assert_in_range(facts.non_zero, n / 10 - 3, n / 10);
    w->storage->facts(w, &facts);
    assert_true(facts.params <= n * 6 / 10);
    treated_stop(&t);
}

/* The factors are what gets quantized, and a second low rank works on the layer, not on its factors. */
static void test_composes(void **state)
{
    (void)state;
    struct treated t;
    struct tare_linear *part[2];
    struct tare_linear_facts before;
    struct tare_linear_facts after;
    treated_start(&t, "llama-0.25m", LOW "{method=svd,ratio=0.9}");
    tare_model_facts(&t.model, &before);
    double half = text_loss(&t, 1);
    treated_apply(&t, QUANT "{embed=no}");
    tare_model_facts(&t.model, &after);
    struct tare_linear *w = treated_find(&t, "blocks.0.attn.q");
    assert_string_equal(w->storage->name, "low_rank");
    (void)w->storage->parts(w, part);
    assert_string_equal(part[0]->storage->name, "int8");
    assert_string_equal(part[1]->storage->name, "int8");
    assert_int_equal(before.params, after.params);
    assert_true(after.stored_bytes < before.stored_bytes);
    assert_true(fabs(text_loss(&t, 2) - half) < 0.05);
    treated_apply(&t, LOW "{method=svd,rank=8}");
    (void)w->storage->parts(w, part);
    assert_int_equal(part[0]->out, 8);
    assert_string_equal(part[0]->storage->name, "f16");
    treated_stop(&t);
    treated_start(&t, "llama-0.25m", LOW "{method=svd,ratio=0.9,multiples=1}+" QUANT "{bits=3}");
    assert_true(isfinite(text_loss(&t, 1)));
    treated_stop(&t);
}

/* A sparse rest that is smaller than its codes stays as it is; a calibrated technique sees the factors. */
static void test_composes_with_a_rest(void **state)
{
    (void)state;
    struct treated t;
    struct tare_linear *term[2];
    struct tare_linear *factor[2];
    treated_start(&t, "llama-0.25m",
                  LOW "{ratio=0.5,sparse=0.1,rounds=2,calib_tok=2048}+" QUANT "{bits=8}+"
                      "infer.compress.prune.unstructured{method=wanda,sparsity=0.3,calib_tok=2048}");
    struct tare_linear *w = treated_find(&t, "blocks.1.mlp.down");
    (void)w->storage->parts(w, term);
    (void)term[0]->storage->parts(term[0], factor);
    assert_string_equal(term[1]->storage->name, "bitmap");
    assert_string_equal(factor[0]->storage->name, "bitmap");
    assert_true(t.treatment.calibration_tok > 2048);
    assert_true(isfinite(text_loss(&t, 2)));
    treated_stop(&t);
}

static void test_refused(void **state)
{
    (void)state;
    treated_refuses(LOW "{method=svd,ratio=0}", TARE_E_USAGE, "ratio");
    treated_refuses(LOW "{method=svd,ratio=1.5}", TARE_E_USAGE, "ratio");
    treated_refuses(LOW "{method=svd,ratio=nan}", TARE_E_USAGE, "ratio");
    treated_refuses(LOW "{method=svd,sparse=1}", TARE_E_USAGE, "sparse");
    treated_refuses(LOW "{method=svd,rank=64}", TARE_E_USAGE, "smaller side");
    treated_refuses(LOW "{method=svd,alpha=1}", TARE_E_USAGE, "alpha");
    treated_refuses(LOW "{damp=-1}", TARE_E_USAGE, "damp");
    treated_refuses(LOW "{calib=/nonexistent/text}", TARE_E_IO, "/nonexistent/text");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),    cmocka_unit_test(test_weighted),
        cmocka_unit_test(test_alike),    cmocka_unit_test(test_singular),
        cmocka_unit_test(test_rank),     cmocka_unit_test(test_model),
        cmocka_unit_test(test_quality),  cmocka_unit_test(test_sparse),
        cmocka_unit_test(test_composes), cmocka_unit_test(test_composes_with_a_rest),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
