/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of rows, against the C library in double and in every place of a vector. */
#include "fixture.h"

#include "rowmath.h"

#include <math.h>
#include <string.h>

static void test_exponential(void **state)
{
    (void)state;
    double worst = 0;
    for (double v = -86.9; v <= 0; v += 1e-3) {
        float x[19] = {0};
        x[17] = (float)v; /* in the remainder behind two vectors */
        x[3] = (float)v;
        double sum = (double)tare_row_exp(x, 19);
        double want = exp((double)(float)v);
        assert_true(x[3] == x[17] && x[0] == 1.0F); /* NOLINT: the same bits */
        assert_true(fabs(sum - (17 + 2 * want)) < 1e-5);
        worst = fmax(worst, fabs((double)x[3] / want - 1));
    }
    assert_true(worst < 2e-7);
    float far[3] = {0.0F, -1e30F, -INFINITY};
    assert_true(tare_row_exp(far, 3) == 1.0F && far[1] < 1e-37F && far[2] < 1e-37F);
    float bad[20] = {0};
    bad[5] = NAN;
    assert_true(isnan(tare_row_exp(bad, 20)));
}

static void test_swiglu(void **state)
{
    (void)state;
    float gate[] = {-1e30F, -100.0F, -3.0F, -0.5F, 0.0F, 0.5F, 3.0F, 100.0F, 1e30F, 2.0F, 1.0F};
    const float up[] = {2.0F, 2.0F, 2.0F, 2.0F, 2.0F, 2.0F, 2.0F, 2.0F, 0.5F, -1.0F, 0.0F};
    for (size_t i = 0; i < sizeof up / sizeof up[0]; i++) {
        float g[sizeof up / sizeof up[0]];
        memcpy(g, gate, sizeof g);
        tare_row_swiglu(g, up, i + 1);
        double z = (double)gate[i];
        double want = z / (1 + exp(-z)) * (double)up[i];
        assert_true(fabs((double)g[i] - want) <= 1e-6 * fabs(want) + 1e-7);
        assert_true(i + 1 == sizeof up / sizeof up[0] || g[i + 1] == gate[i + 1]);
    }
}

static const float wild[] = {-1e30F, -100.0F, -9.0F, -3.0F, -0.5F,  -1e-4F, 0.0F,
                             1e-4F,  0.5F,    3.0F,  9.0F,  100.0F, 1e30F};
enum { n_wild = sizeof wild / sizeof wild[0] };

/* Every beginning of the row, so that each number is in the remainder of a vector and in a full one. */
static void compare(void (*row)(float *x, size_t n), double (*want)(double x))
{
    for (size_t n = 0; n <= n_wild; n++) {
        float x[n_wild];
        memcpy(x, wild, sizeof x);
        row(x, n);
        for (size_t i = 0; i < n_wild; i++) {
            double w = i < n ? want((double)wild[i]) : (double)wild[i];
            double gap = fabs((double)x[i] - w);
            if (!(gap <= 2e-6 * fabs(w) + 1e-7) && !(isinf(x[i]) && w > 3e38)) {
                fail_msg("%g gives %g, not %g", (double)wild[i], (double)x[i], w);
            }
        }
    }
}

static double gelu(double z)
{
    return 0.5 * z * (1 + tanh(0.7978845608028654 * (z + 0.044715 * z * z * z)));
}

static double sigmoid(double z)
{
    return 1 / (1 + exp(-z));
}

static double clamped_exp(double z)
{
    return exp(fmin(fmax(z, -60), 30));
}

static double relu_square(double z)
{
    return z < 0 ? 0 : z * z;
}

static void exp_of_keys(float *x, size_t n)
{
    tare_row_exp_clamped(x, -60.0F, 30.0F, n);
}

static void test_activations(void **state)
{
    (void)state;
    compare(tare_row_gelu, gelu);
    compare(tare_row_sigmoid, sigmoid);
    compare(tare_row_relu_square, relu_square);
    compare(exp_of_keys, clamped_exp);
    float bad[] = {NAN};
    exp_of_keys(bad, 1);
    assert_true(isnan(bad[0]));
}

static void test_norms(void **state)
{
    (void)state;
    for (size_t n = 1; n < 40; n++) {
        float x[2 * 40];
        float to[2 * 40];
        float weight[40];
        float bias[40];
        double mean = 0;
        double square = 0;
        double spread = 0;
        for (size_t i = 0; i < n; i++) {
            x[i] = 1.0F;
            x[n + i] = (float)(i * 37 % 23) - 7.0F;
            weight[i] = 0.5F + (float)i;
            bias[i] = (float)(i % 3);
            mean += (double)x[n + i] / (double)n;
            square += (double)x[n + i] * (double)x[n + i] / (double)n;
        }
        for (size_t i = 0; i < n; i++) {
            spread += ((double)x[n + i] - mean) * ((double)x[n + i] - mean) / (double)n;
        }
        tare_rows_layernorm(to, x, weight, bias, n, 2);
        for (size_t i = 0; i < n; i++) {
            double want =
                ((double)x[n + i] - mean) / sqrt(spread + 1e-5) * (double)weight[i] + (double)bias[i];
            assert_true(fabs((double)to[n + i] - want) < 1e-5 * (1 + fabs(want)));
            assert_true(fabs((double)to[i] - (double)bias[i]) < 1e-6); /* a row without spread */
        }
        tare_rows_rmsnorm(to, x, weight, n, 2);
        for (size_t i = 0; i < n; i++) {
            double want = (double)x[n + i] / sqrt(square + 1e-5) * (double)weight[i];
            assert_true(fabs((double)to[n + i] - want) < 1e-5 * (1 + fabs(want)));
        }
    }
}

static void test_products(void **state)
{
    (void)state;
    for (size_t n = 0; n < 35; n++) {
        float a[36];
        float b[36];
        float w[36];
        float to[36] = {0};
        for (size_t i = 0; i < 36; i++) {
            a[i] = (float)i - 9.0F;
            b[i] = 3.0F * (float)i;
            w[i] = 0.25F * (float)(i % 5);
        }
        tare_row_blend(to, a, b, w, n);
        tare_row_add_products(a, b, w, n);
        tare_row_multiply(b, w, n);
        for (size_t i = 0; i < 36; i++) { /* small integers and quarters: exact */
            float first = (float)i - 9.0F;
            float second = 3.0F * (float)i;
            assert_true(to[i] == (i < n ? first * w[i] + second * (1.0F - w[i]) : 0.0F));
            assert_true(a[i] == (i < n ? first + second * w[i] : first));
            assert_true(b[i] == (i < n ? second * w[i] : second));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exponential), cmocka_unit_test(test_swiglu),
        cmocka_unit_test(test_activations), cmocka_unit_test(test_norms),
        cmocka_unit_test(test_products),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
