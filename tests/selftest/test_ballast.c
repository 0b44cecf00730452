/* SPDX-License-Identifier: Apache-2.0 */
/* Known memory: to the page where the kernel sums exactly, else within its bound. */
#include "selftest/ballast.h"
#include "selftest/mapped_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true /* its shadow is resident memory too */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

static void check_case(const struct tare_known_ballast_case *c)
{
    print_message("%3lld threads, %6lld pages: held %lld, peak while held %lld, peak after %lld "
                  "(may be off by %.0f and %.0f)\n",
                  (long long)c->threads, (long long)c->pages, (long long)c->held_pages,
                  (long long)c->peak_held_pages, (long long)c->peak_pages, c->held_bound_pages,
                  c->peak_bound_pages);
    assert_true((double)llabs(c->held_pages - c->pages) <= c->held_bound_pages);
    assert_true((double)llabs(c->peak_held_pages - c->pages) <= c->peak_bound_pages);
    assert_true((double)llabs(c->peak_pages - c->pages) <= c->peak_bound_pages);
}

static void test_all(void **state)
{
    static struct tare_known_ballast all;
    struct tare_err err = {0};
    (void)state;
    if (SANITIZED) {
        skip();
    }
    if (tare_known_ballast(&all, &err) < 0) {
        fail_msg("%s", err.msg);
    }
    assert_int_equal(all.n, TARE_KNOWN_BALLAST_CASES);
    for (size_t i = 0; i < all.n; i++) {
        check_case(&all.cases[i]);
    }
    assert_int_equal(all.cases[17].threads, 100);
    assert_int_equal(all.cases[17].pages, 100000);
}

static void test_refused(void **state)
{
    struct tare_known_ballast_case one = {.pages = 77};
    struct tare_known_mapped_file file = {.pages = 77};
    struct tare_err err = {0};
    (void)state;
    assert_int_equal(tare_known_ballast_one(0, 1, &one, &err), TARE_E_USAGE);
    assert_int_equal(tare_known_ballast_one(101, 1, &one, &err), TARE_E_USAGE);
    assert_int_equal(tare_known_ballast_one(1, 0, &one, &err), TARE_E_USAGE);
    assert_int_equal(one.pages, 77);
    assert_int_equal(tare_known_mapped_file(NULL, 4, 5, &file, &err), TARE_E_USAGE);
    assert_int_equal(tare_known_mapped_file("/nowhere/at/all", 4, 2, &file, &err), TARE_E_IO);
    assert_int_equal(file.pages, 77);
}

static void test_mapped_file(void **state)
{
    static const struct {
        int64_t pages, touched;
    } cases[] = {{1, 1}, {100, 1}, {4096, 64}, {4096, 1000}, {4096, 4096}, {20000, 5000}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_known_mapped_file out = {0};
        struct tare_err err = {0};
        if (tare_known_mapped_file(NULL, cases[i].pages, cases[i].touched, &out, &err) < 0) {
            fail_msg("%s", err.msg);
        }
        print_message("%lld of %lld pages: RssFile %lld (may be off by %.0f), mincore %lld, %lld wrong\n",
                      (long long)out.touched, (long long)out.pages, (long long)out.rss_pages,
                      out.rss_bound_pages, (long long)out.resident_pages, (long long)out.wrong_pages);
        assert_int_equal(out.resident_pages, cases[i].touched);
        assert_int_equal(out.wrong_pages, 0);
        assert_true((double)llabs(out.rss_pages - cases[i].touched) <= out.rss_bound_pages);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all), cmocka_unit_test(test_refused),
                                       cmocka_unit_test(test_mapped_file)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
