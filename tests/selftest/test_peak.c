/* SPDX-License-Identifier: Apache-2.0 */
/* Peaks on small work: amounts are closed forms, rates are amounts over times, results are checked. Whether
 * they are high is a benchmark's question. */
#include "selftest/peak_fma.h"
#include "selftest/peak_stream.h"
#include "selftest/team.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ms = 1000000 };

static void is_sound(const struct tare_peak *p, unsigned threads)
{
    assert_int_equal(p->threads, threads);
    assert_int_equal(p->repeats, tare_peak_repeats);
    assert_true(p->value > 0 && isfinite(p->value));
    assert_true(p->low > 0 && p->low <= p->value && p->value <= p->high);
    assert_true(p->amount > 0 && p->shortest_ns > 0);
    assert_true(fabs(p->high / (p->amount * 1e9 / (double)p->shortest_ns) - 1) < 1e-12);
    assert_non_null(p->note);
}

static void test_fma(void **state)
{
    (void)state;
    for (unsigned threads = 1; threads <= 3; threads++) { /* 3: also more than there are CPUs */
        for (int width = 0; width < TARE_FLOPS_WIDTHS; width++) {
            struct tare_peak p = {0};
            struct tare_err err = {0};
            enum tare_flops_width w = (enum tare_flops_width)width;
            int r = tare_peak_fma_width(w, threads, ms, &p, &err);
            if (!tare_flops_has(w)) {
                assert_int_equal(r, TARE_E_UNSUPPORTED);
                assert_non_null(strstr(err.msg, tare_flops_width_name(w)));
                continue;
            }
            assert_int_equal(r, 0);
            is_sound(&p, threads);
            double call = tare_flops_count(w, TARE_FLOPS_FMA, 65536) * threads;
            assert_true(fmod(p.amount, call) == 0); /* whole calls on every thread */
            assert_string_equal(p.unit, "FLOP/s");
        }
    }
}

static void test_best_fma(void **state)
{
    struct tare_peak best;
    struct tare_err err = {0};
    (void)state;
    assert_int_equal(tare_peak_fma(1, ms, &best, &err), 0);
    is_sound(&best, 1);
    assert_true(best.value > 1e7);
    assert_memory_equal(best.name, "fma float32", 11);
}

static void test_streams(void **state)
{
    static const double bytes[] = {16, 24, 24}, flops[] = {0, 3, 2};
    /* Not a multiple of lanes, lines or threads. */
    enum { n = 100003, array_bytes = n * 8 };
    (void)state;
    for (unsigned threads = 1; threads <= 3; threads++) {
        struct tare_stream *s = NULL;
        struct tare_err err = {0};
        assert_int_equal(tare_sweep_open(&s, array_bytes, threads, &err), 0);
        /* In every order: what one leaves, the others check. */
        for (int i = 0; i < 9; i++) {
            struct tare_peak p = {0};
            enum tare_stream_kernel k = (enum tare_stream_kernel)((i < 3 ? i : 8 - i) % 3);
            if (tare_stream_measure(s, k, ms / 10, &p, &err) < 0) {
                fail_msg("%s", err.msg);
            }
            is_sound(&p, threads);
            assert_true(tare_sweep_bytes(k, n) == bytes[k] * n && tare_stream_flops(k, n) == flops[k] * n);
            assert_true(p.working_bytes == bytes[k] * n);
            assert_true(fmod(p.amount, bytes[k] * n) == 0);
            assert_string_equal(p.unit, "B/s");
            assert_true(p.cache_bytes <= 0 || p.working_bytes >= 4 * p.cache_bytes ||
                        strstr(p.note, "upper bound"));
        }
        tare_sweep_close(s);
    }
}

static void test_refusals(void **state)
{
    struct tare_stream *s = NULL;
    struct tare_err err = {0};
    (void)state;
    assert_int_equal(tare_sweep_open(&s, 4096, 0, &err), TARE_E_USAGE);
    assert_int_equal(tare_sweep_open(&s, 8, 2, &err), TARE_E_USAGE);
    assert_null(s);
    size_t bytes = tare_stream_default_bytes();
    assert_true(bytes > 0 && bytes <= 256 * 1024 * 1024);
    tare_sweep_close(NULL);
}

struct counted {
    atomic_uint calls;
    atomic_uint of_last;
};

static void count(void *ctx, unsigned index, unsigned n)
{
    struct counted *c = ctx;
    atomic_fetch_add(&c->calls, 1);
    if (index + 1 == n) {
        atomic_fetch_add(&c->of_last, 1);
    }
}

/* Every member works in every repeat, and in the one that is not timed. */
static void test_team(void **state)
{
    struct counted c = {0};
    struct tare_err err = {0};
    int64_t ns[4] = {-1, -1, -1, -1};
    (void)state;
    assert_int_equal(tare_team_run(3, count, &c, 3, ns, &err), 0);
    assert_int_equal(atomic_load(&c.calls), 12);
    assert_int_equal(atomic_load(&c.of_last), 4);
    assert_true(ns[0] >= 0 && ns[1] >= 0 && ns[2] >= 0);
    assert_int_equal(ns[3], -1);
    assert_true(tare_team_cpus() >= 1);
    assert_int_equal(tare_team_run(0, count, &c, 1, ns, &err), TARE_E_NOMEM);
}

static void test_median(void **state)
{
    int64_t ns[] = {400, 100, 200, 1000, 500};
    struct tare_peak p = {.amount = 1000};
    (void)state;
    tare_peak_set(&p, ns, 5);
    assert_true(p.value == 2.5e9 && p.low == 1e9 && p.high == 1e10);
    assert_int_equal(p.shortest_ns, 100);
    tare_peak_set(&p, ns, 4); /* sorted by now: 100, 200, 400, 500 */
    assert_true(p.value == (5e9 + 2.5e9) / 2 && p.low == 2e9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fma),      cmocka_unit_test(test_best_fma), cmocka_unit_test(test_streams),
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_team),     cmocka_unit_test(test_median),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
