/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes by formula, against numbers worked out by hand. */
#include "stats/collectives.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void near(double a, double b)
{
    assert_true(fabs(a - b) <= 1e-12 * fabs(b));
}

static void test_collectives(void **state)
{
    static const struct {
        int64_t n;
        double bytes, all_reduce, part, broadcast;
    } cases[] = {
        {1, 1000, 0, 0, 0},
        {2, 1000, 1000, 500, 1000},
        {4, 1000, 1500, 750, 1000},
        {8, 800, 1400, 700, 800},
        {3, 0, 0, 0, 0},
        {1000, 1000, 1998, 999, 1000},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        near(tare_all_reduce_bytes(cases[i].n, cases[i].bytes), cases[i].all_reduce);
        near(tare_reduce_scatter_bytes(cases[i].n, cases[i].bytes), cases[i].part);
        near(tare_all_gather_bytes(cases[i].n, cases[i].bytes), cases[i].part);
        near(tare_all_to_all_bytes(cases[i].n, cases[i].bytes), cases[i].part);
        near(tare_broadcast_bytes(cases[i].n, cases[i].bytes), cases[i].broadcast);
    }
    assert_true(isnan(tare_all_reduce_bytes(0, 1)));
    assert_true(isnan(tare_all_gather_bytes(2, -1)));
    assert_true(isnan(tare_broadcast_bytes(-1, 1)));
    assert_true(isnan(tare_all_to_all_bytes(2, (double)NAN)));
}

static void test_models(void **state)
{
    /* 2 sequences x 512 tokens x 4096 numbers x 2 bytes = 8 MiB */
    const struct tare_activations a = {2, 512, 4096, 2}, wrong = {2, -1, 4096, 2};
    const double mib = 1 << 20;
    (void)state;
    near(tare_tensor_parallel_bytes(4, 32, &a, false), 32 * 2 * 12 * mib);
    near(tare_tensor_parallel_bytes(4, 32, &a, true), 32 * 4 * 12 * mib);
    near(tare_tensor_parallel_bytes(1, 32, &a, true), 0);
    near(tare_pipeline_bytes(1, 8, &a, true), 0);
    near(tare_pipeline_bytes(2, 8, &a, false), 64 * mib);
    near(tare_pipeline_bytes(2, 8, &a, true), 64 * mib);
    near(tare_pipeline_bytes(4, 8, &a, false), 64 * mib);
    near(tare_pipeline_bytes(4, 8, &a, true), 128 * mib);
    near(tare_data_parallel_bytes(8, 1e9, 2, TARE_SHARDING_NONE), 3.5e9);
    near(tare_data_parallel_bytes(8, 1e9, 2, TARE_SHARDING_1), 3.5e9);
    near(tare_data_parallel_bytes(8, 1e9, 2, TARE_SHARDING_2), 3.5e9);
    near(tare_data_parallel_bytes(8, 1e9, 2, TARE_SHARDING_3), 5.25e9);
    /* 1024 tokens x 2 experts x 4096 x 2 bytes = 16 MiB, 7 of 8 parts of which leave, twice */
    near(tare_experts_bytes(8, 1024, 2, 4096, 2, false), 28 * mib);
    near(tare_experts_bytes(8, 1024, 2, 4096, 2, true), 56 * mib);
    assert_true(isnan(tare_tensor_parallel_bytes(4, -1, &a, false)));
    assert_true(isnan(tare_tensor_parallel_bytes(4, 1, &wrong, false)));
    assert_true(isnan(tare_pipeline_bytes(0, 1, &a, false)));
    assert_true(isnan(tare_pipeline_bytes(2, 1, &wrong, false)));
    assert_true(isnan(tare_data_parallel_bytes(2, 1, -1, TARE_SHARDING_NONE)));
    assert_true(isnan(tare_experts_bytes(2, -1, 1, 1, 1, false)));
}

static void test_explained(void **state)
{
    (void)state;
    assert_true(tare_volume_explained(1) && tare_volume_explained(0.98) && tare_volume_explained(1.05));
    assert_false(tare_volume_explained(0.9799) || tare_volume_explained(1.0501));
    assert_false(tare_volume_explained((double)NAN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_collectives), cmocka_unit_test(test_models),
                                       cmocka_unit_test(test_explained)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
