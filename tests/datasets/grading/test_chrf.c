/* SPDX-License-Identifier: Apache-2.0 */
/* Matched character n-grams against sacrebleu; see texts.h. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datasets/grading/chrf.h"

#include "texts.h"

static void assert_stats(const double *got, const double *expected, size_t n, const char *why)
{
    for (size_t i = 0; i < n; i++) {
        if (got[i] != expected[i]) {
            fail_msg("%s: number %zu is %.17g, not %.17g", why, i, got[i], expected[i]);
        }
    }
}

static void test_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_TEXTS; i++) {
        const struct text_case *c = &texts[i];
        struct tare_err err = {0};
        double stats[TARE_CHRF_STATS];
        assert_int_equal(tare_chrf_count(c->output, c->references, c->n_references, stats, &err), 0);
        assert_stats(stats, c->chrf, TARE_CHRF_STATS, c->why);
    }
}

/* The reference with the higher score counts, wherever it stands. */
static void test_best(void **state)
{
    (void)state;
    static const struct tare_bytes output = BYTES("abc"),
                                   references[] = {BYTES("xyz"), BYTES("a b c"), BYTES("abd")};
    struct tare_err err = {0};
    double stats[TARE_CHRF_STATS];
    assert_int_equal(tare_chrf_count(output, references, 3, stats, &err), 0);
    assert_true(tare_chrf_score(stats) == 100);
    assert_true(stats[0] == 3 && stats[1] == 3 && stats[2] == 3);
    static const struct tare_bytes nothing_common[] = {BYTES("xy"), BYTES("xyz")};
    assert_int_equal(tare_chrf_count(output, nothing_common, 2, stats, &err), 0);
    assert_true(stats[1] == 2); /* of equal ones the first */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_texts), cmocka_unit_test(test_best)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
