/* SPDX-License-Identifier: Apache-2.0 */
/* Bounds of the resident count by kernel version. */
#include "rss_bound.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_versions(void **state)
{
    static const struct {
        const char *release;
        int64_t threads, cpus;
        double now, peak;
    } cases[] = {
        {"5.15.0-91-generic", 1, 128, 64, 64},
        {"5.15.0-91-generic", 100, 2, 6400, 6400},
        {"6.1.0", 16, 8, 1024, 1024},
        {"6.2.0", 16, 2, 64, 192},              /* 2 CPUs x a batch of 32 */
        {"6.8.0-45-generic", 1, 16, 512, 1536}, /* the two batches are equal here */
        {"6.15.9", 1, 128, 32768, 98304},       /* 128 CPUs x a batch of 256 */
        {"6.16.0", 1, 128, 0, 98304},
        {"6.18.44-fc", 100, 2, 0, 192},
        {"10.0", 1, 1, 0, 96},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_rss_bound b = tare_rss_bound(cases[i].release, cases[i].threads, cases[i].cpus);
        assert_true(b.now_pages == cases[i].now);
        assert_true(b.peak_pages == cases[i].peak);
    }
}

static void test_unknown(void **state)
{
    static const struct {
        const char *release;
        int64_t threads, cpus;
    } cases[] = {{"", 1, 1}, {"linux", 1, 1}, {"6", 1, 1}, {"6.18", 0, 1}, {"6.18", 1, -1}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_rss_bound b = tare_rss_bound(cases[i].release, cases[i].threads, cases[i].cpus);
        assert_true(isnan(b.now_pages) && isnan(b.peak_pages));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_versions), cmocka_unit_test(test_unknown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
