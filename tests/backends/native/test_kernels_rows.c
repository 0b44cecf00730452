/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The row functions of every set of kernels that this machine has, and the sums of attention, against the C
 * library in double: every length around a register, NaN, infinities, ties.
 */
#include "fixture.h"

#include "kernels/kernels.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

static const char *const names[] = {"portable", "avx2", "avx512"};
enum { n_names = sizeof names / sizeof names[0], most = 70 };

static const float values[] = {0.0F, -0.5F, 3.0F, -3.0F, 12.0F, -20.0F, 1e-4F, -100.0F, 0.25F, 80.0F, -1e30F};
enum { n_values = sizeof values / sizeof values[0] };

static void fill(float *x, size_t n, size_t shift)
{
    for (size_t i = 0; i < n; i++) {
        x[i] = values[(i * 7 + shift) % n_values];
    }
    x[n] = -77.0F;
}

static bool near(float got, double want, double relative)
{
    return fabs((double)got - want) <= relative * fabs(want) + 1e-7;
}

static double silu(double z)
{
    return z / (1 + exp(-z));
}

static double gelu(double z)
{
    return 0.5 * z * (1 + tanh(0.7978845608028654 * (z + 0.044715 * z * z * z)));
}

static void check_exp(const struct tare_kernels *k, size_t n)
{
    float x[most + 1];
    float y[most + 1];
    double sum = 0;
    fill(x, n, n);
    memcpy(y, x, sizeof y);
    double largest = (double)x[k->row_largest(x, n)];
    float got = k->row_exp(y, n);
    for (size_t i = 0; i < n; i++) {
        double want = exp((double)x[i] - largest);
        assert_true(near(y[i], want, 3e-7));
        sum += want;
    }
    assert_true(near(got, sum, 1e-6));
    assert_true(y[n] == -77.0F);
}

static void check_gates(const struct tare_kernels *k, size_t n)
{
    float gate[most + 1];
    float up[most + 1];
    float x[most + 1];
    fill(gate, n, n + 1);
    fill(up, n, n + 2);
    fill(x, n, n + 1);
    k->row_swiglu(gate, up, n);
    for (size_t i = 0; i < n; i++) {
        double want = silu((double)x[i]) * (double)up[i];
        assert_true(near(gate[i], want, 1e-6) || fabs(want) > 1e20);
    }
    float y[most + 1];
    memcpy(y, x, sizeof y);
    k->row_gelu(y, n);
    for (size_t i = 0; i < n; i++) {
        assert_true(near(y[i], gelu((double)x[i]), 2e-6));
    }
    assert_true(gate[n] == -77.0F && y[n] == -77.0F);
}

static void check_norm(const struct tare_kernels *k, size_t n)
{
    float x[most + 1];
    float weight[most + 1];
    float to[most + 1];
    double square = 0;
    for (size_t i = 0; i < n; i++) {
        x[i] = (float)(i % 5) - 1.7F;
        weight[i] = 0.5F + 0.01F * (float)i;
        square += (double)x[i] * (double)x[i];
    }
    to[n] = -77.0F;
    k->row_rmsnorm(to, x, weight, n);
    for (size_t i = 0; i < n; i++) {
        assert_true(near(to[i], (double)x[i] / sqrt(square / (double)n + 1e-5) * (double)weight[i], 1e-6));
    }
    assert_true(to[n] == -77.0F);
}

/* The lowest place among equals; what is no number is never the largest. */
static void check_largest(const struct tare_kernels *k, size_t n)
{
    float x[most + 1];
    for (size_t at = 0; at < n; at++) {
        for (size_t i = 0; i < n; i++) {
            x[i] = i < at ? -1.0F : i % 3 == at % 3 ? 2.0F : -5.0F;
        }
        x[n] = 9.0F;
        assert_int_equal(k->row_largest(x, n), at);
        if (at > 0) {
            x[at / 2] = NAN;
            assert_int_equal(k->row_largest(x, n), at);
        }
        x[at] = INFINITY;
        assert_int_equal(k->row_largest(x, n), at);
    }
}

static void test_rows(void **state)
{
    (void)state;
    for (int i = 0; i < n_names; i++) {
        const struct tare_kernels *k = tare_kernels_find(names[i]);
        for (size_t n = 1; k && k->row_exp && n < most; n++) {
            check_exp(k, n);
            check_gates(k, n);
            check_norm(k, n);
            check_largest(k, n);
        }
        print_message("%s: %s\n", names[i],
                      k && k->row_exp ? "checked" : "not here, or the plain loops of rowmath.c");
    }
}

static void test_nan(void **state)
{
    (void)state;
    for (int i = 0; i < n_names; i++) {
        const struct tare_kernels *k = tare_kernels_find(names[i]);
        for (size_t n = 1; k && k->row_exp && n < 40; n++) {
            float x[40] = {0};
            float up[40] = {0};
            x[n - 1] = NAN;
            assert_true(isnan(k->row_exp(x, n)) && isnan(x[n - 1]));
            memset(x, 0, sizeof x);
            x[n - 1] = NAN;
            k->row_gelu(x, n);
            assert_true(isnan(x[n - 1]) && (n == 1 || x[0] == 0.0F));
            k->row_swiglu(x, up, n);
            assert_true(isnan(x[n - 1]));
        }
    }
}

/* Rows with a gap behind each, as in a cache of keys and values. */
static void check_attention(const struct tare_kernels *k, uint32_t n, uint32_t width)
{
    enum { stride = 100 };
    static float rows[most * stride];
    float q[most];
    float p[most + 1];
    float out[most + 1];
    for (size_t i = 0; i < most * stride; i++) {
        rows[i] = (float)(i * 13 % 31) * 0.1F - 1.4F;
    }
    for (uint32_t i = 0; i < most; i++) {
        q[i] = (float)(i % 7) - 2.5F;
    }
    p[n] = -77.0F;
    k->dots_f32(p, q, rows, stride, n, width, 0.25F);
    for (uint32_t i = 0; i < n; i++) {
        double sum = 0;
        for (uint32_t c = 0; c < width; c++) {
            sum += 0.25 * (double)q[c] * (double)rows[i * stride + c];
        }
        assert_true(fabs((double)p[i] - sum) < 2e-5);
    }
    assert_true(p[n] == -77.0F);
    out[width] = -77.0F;
    k->mix_f32(out, p, rows, stride, n, width, 0.5F);
    for (uint32_t c = 0; c < width; c++) {
        double sum = 0;
        for (uint32_t i = 0; i < n; i++) {
            sum += 0.5 * (double)p[i] * (double)rows[i * stride + c];
        }
        assert_true(fabs((double)out[c] - sum) < 1e-4 * (1 + fabs(sum)));
    }
    assert_true(out[width] == -77.0F);
}

static void test_attention(void **state)
{
    static const uint32_t widths[] = {1, 8, 15, 16, 24, 32, 33, 64};
    (void)state;
    for (int i = 0; i < n_names; i++) {
        const struct tare_kernels *k = tare_kernels_find(names[i]);
        for (uint32_t n = 1; k && n < most; n++) {
            for (size_t w = 0; w < sizeof widths / sizeof widths[0]; w++) {
                check_attention(k, n, widths[w]);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_nan),
        cmocka_unit_test(test_attention),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
