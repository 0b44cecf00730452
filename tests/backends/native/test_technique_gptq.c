/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GPTQ and what it stands on: the making up is the least-squares one, with independent inputs it is plain
 * rounding bit for bit, and on text its outputs are nearer than those of plain rounding.
 */
#include "moments.h"
#include "products.h"

#include "storage/storages.h"
#include "technique/compensate.h"
#include "technique/gptq.h"

#include <math.h>
#include <string.h>

#define QUANT "infer.compress.quant.weight"

enum { side = 32, rows = 5 };

/* Two inputs, h = [2 1; 1 2]: fixing the first 0.5 too low moves the second by 0.5 h10 / h11 = 0.25. */
static void test_two_by_hand(void **state)
{
    double h[] = {2, 1, 1, 2};
    struct tare_moments m = {.h = h, .in = 2, .tokens = 1};
    struct tare_curvature c;
    struct tare_err err = {0};
    double row[2] = {1.5, -3.0};
    (void)state;
    assert_int_equal(tare_curvature_open(&c, &m, 0.0, false, "made", &err), 0);
    tare_compensate(&c, row, 0, 1.0);
    assert_true(row[0] == 1.0);
    assert_true(fabs(row[1] + 2.75) < 1e-12);
    tare_compensate(&c, row, 1, -3.0);
    assert_true(row[0] == 1.0 && row[1] == -3.0);
    tare_curvature_close(&c);
}

/* After each number that is fixed, the ones behind it stand where the output's error is least: its gradient
 * h (w - w0) is 0 there. */
static void check_least(double damp, bool by_size)
{
    struct tare_moments m = moments_made(side, MOMENTS_FULL);
    float *w = products_numbers(side, 5);
    double row[side];
    double first[side];
    double mean = 0;
    struct tare_curvature c;
    struct tare_err err = {0};
    assert_int_equal(tare_curvature_open(&c, &m, damp, by_size, "made", &err), 0);
    tare_curvature_take(&c, w, first);
    memcpy(row, first, sizeof row);
    for (int i = 0; i < side; i++) {
        mean += m.h[i * side + i] / side;
    }
    for (uint32_t j = 0; j + 1 < side; j++) {
        tare_compensate(&c, row, j, rint(row[j] * 4) / 4);
        for (uint32_t k = j + 1; k < side; k++) {
            double gradient = 0;
            for (uint32_t i = 0; i < side; i++) {
                double h = m.h[c.order[k] * side + c.order[i]] + (i == k ? damp * mean : 0);
                gradient += h * (row[i] - first[i]);
            }
            assert_true(fabs(gradient) < 1e-8 * mean);
        }
    }
    tare_curvature_close(&c);
    tare_moments_close(&m);
    free(w);
}

static void test_least(void **state)
{
    (void)state;
    check_least(0.0, false);
    check_least(0.01, false);
    check_least(0.01, true);
}

static void test_order_and_dead(void **state)
{
    struct tare_moments m = moments_made(side, MOMENTS_DIAGONAL);
    struct tare_curvature c;
    struct tare_err err = {0};
    float *w = products_numbers(side, 6);
    float back[side];
    double row[side];
    (void)state;
    m.h[3 * side + 3] = 0.0; /* an input that is never other than 0 */
    assert_int_equal(tare_curvature_open(&c, &m, 0.0, true, "made", &err), 0);
    for (uint32_t i = 0; i + 1 < side; i++) {
        assert_true(m.h[c.order[i] * side + c.order[i]] >= m.h[c.order[i + 1] * side + c.order[i + 1]]);
    }
    assert_int_equal(c.order[side - 1], 3);
    tare_curvature_take(&c, w, row);
    tare_curvature_give(&c, row, back);
    for (int i = 0; i < side; i++) {
        assert_true(i == 3 ? back[i] == 0.0F : back[i] == w[i]);
    }
    tare_curvature_close(&c);
    tare_moments_close(&m);
    free(w);
}

static void test_singular(void **state)
{
    double h[] = {1, 1, 1, 1};
    struct tare_moments m = {.h = h, .in = 2, .tokens = 1};
    struct tare_curvature c = {.n = 9};
    struct tare_err err = {0};
    (void)state;
    assert_int_equal(tare_curvature_open(&c, &m, 0.0, false, "made", &err), TARE_E_LIMIT);
    assert_non_null(strstr(err.msg, "made: the moments of its input are singular; raise damp"));
    assert_int_equal(c.n, 9);
    assert_int_equal(tare_curvature_open(&c, &m, 0.01, false, "made", &err), 0);
    tare_curvature_close(&c);
}

/* The layer that plain rounding makes of these numbers. */
static struct tare_linear rounded(const struct tare_rounding *how, int64_t group, const float *dense)
{
    struct tare_linear from = moments_layer(rows, side, dense);
    struct tare_rounding plain = *how;
    struct tare_linear to = tare_round_empty(&from);
    struct tare_err err = {0};
    plain.group = (uint32_t)group;
    int rc = how->bits == 8 && group == 0 && !how->asymmetric ? tare_round_linear_int8(&from, &to, &err)
                                                              : tare_round_linear(&plain, &from, &to, &err);
    assert_int_equal(rc, 0);
    tare_linear_close(&from);
    return to;
}

static void check_plain(const struct tare_gptq *how, enum moments_kind kind, const char *storage)
{
    struct tare_gptq given = *how;
    struct tare_moments m = moments_made(side, kind);
    float *dense = products_numbers((size_t)rows * side, 7);
    struct tare_linear w = moments_layer(rows, side, dense);
    struct tare_linear plain = rounded(&how->grid, how->group, dense);
    struct tare_err err = {0};
    if (tare_gptq_quantize(&given, &w, &m, &err) < 0) {
        fail_msg("%s", err.msg);
    }
    assert_string_equal(w.storage->name, storage);
    assert_ptr_equal(w.storage, plain.storage);
    float *got = moments_dense(&w);
    float *want = moments_dense(&plain);
    assert_memory_equal(got, want, sizeof(float) * rows * side);
    free(got);
    free(want);
    free(dense);
    tare_linear_close(&w);
    tare_linear_close(&plain);
    tare_moments_close(&m);
}

/* Inputs that have nothing to do with one another leave nothing to make up for. */
static void test_independent_is_plain(void **state)
{
    (void)state;
    check_plain(&(struct tare_gptq){.grid = {.bits = 4}, .group = 32}, MOMENTS_UNIT, "int4");
    check_plain(&(struct tare_gptq){.grid = {.bits = 4, .search = true}, .group = 32}, MOMENTS_DIAGONAL,
                "int4");
    check_plain(&(struct tare_gptq){.grid = {.bits = 8}, .group = 0}, MOMENTS_UNIT, "int8");
    check_plain(&(struct tare_gptq){.grid = {.bits = 3}, .group = 8, .act_order = true}, MOMENTS_DIAGONAL,
                "grouped");
    check_plain(&(struct tare_gptq){.grid = {.bits = 2, .asymmetric = true}, .group = 16, .damp = 0.1},
                MOMENTS_UNIT, "grouped");
}

static void check_nearer(const char *options)
{
    struct treated plain;
    struct treated gptq;
    char text[160];
    (void)snprintf(text, sizeof text, QUANT "{method=rtn,%s,embed=no}", options);
    treated_start(&plain, "llama-0.25m", text);
    (void)snprintf(text, sizeof text, QUANT "{method=gptq,%s,embed=no,sequential=no,calib_tok=2048}",
                   options);
    treated_start(&gptq, "llama-0.25m", text);
    assert_int_equal(gptq.treatment.calibration_tok, 2048);
    struct treated dense;
    treated_load(&dense, "llama-0.25m");
    for (size_t i = 1; i < dense.model.n_linears; i++) {
        struct tare_moments m = moments_taken(&dense, i);
        float *w = treated_dense(&dense, i);
        float *a = treated_dense(&plain, i);
        float *b = treated_dense(&gptq, i);
        uint32_t out = dense.model.linears[i].out;
        double error = moments_error(&m, w, b, out);
        if (!(error < 0.95 * moments_error(&m, w, a, out))) {
            fail_msg("%s %s: error of the output %g, of plain rounding %g", options,
                     dense.model.linears[i].name, error, moments_error(&m, w, a, out));
        }
        free(w);
        free(a);
        free(b);
        tare_moments_close(&m);
    }
    treated_stop(&plain);
    treated_stop(&gptq);
    treated_stop(&dense);
}

static void test_nearer_on_text(void **state)
{
    (void)state;
    check_nearer("bits=4");
    check_nearer("bits=3,search=yes");
    check_nearer("bits=4,group=0");
    check_nearer("bits=3,scheme=asym");
}

static void test_act_order(void **state)
{
    struct treated t;
    (void)state;
    treated_start(&t, "llama-0.1m", QUANT "{method=gptq,bits=4,act_order=yes,calib_tok=1024}");
    assert_string_equal(t.model.linears[0].storage->name, "int8"); /* the embedding */
    assert_string_equal(t.model.linears[1].storage->name, "grouped");
    treated_stop(&t);
}

static void test_refusals(void **state)
{
    (void)state;
    treated_refuses(QUANT "{method=gptq,bits=1}", TARE_E_USAGE, "bits");
    treated_refuses(QUANT "{method=gptq,bits=9}", TARE_E_USAGE, "bits");
    treated_refuses(QUANT "{method=gptq,group=7}", TARE_E_USAGE, "groups of 7 do not divide its 48 columns");
    treated_refuses(QUANT "{method=gptq,damp=2}", TARE_E_USAGE, "damp 2 is not in 0 to 1");
    treated_refuses(QUANT "{method=gptq,damp=nan}", TARE_E_USAGE, "damp");
    treated_refuses(QUANT "{method=gptq,calib=/nowhere/text}", TARE_E_IO, "/nowhere/text");
    treated_refuses(QUANT "{method=gptq,calib_tok=1}", TARE_E_USAGE, "calib_tok");
    treated_refuses(QUANT "{method=gptq,block=3}", TARE_E_USAGE, "block");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_by_hand),
        cmocka_unit_test(test_least),
        cmocka_unit_test(test_order_and_dead),
        cmocka_unit_test(test_singular),
        cmocka_unit_test(test_independent_is_plain),
        cmocka_unit_test(test_nearer_on_text),
        cmocka_unit_test(test_act_order),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
