/* SPDX-License-Identifier: Apache-2.0 */
/* Edits and moves against sacrebleu; see texts.h. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datasets/grading/ter.h"

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
        double stats[TARE_TER_STATS];
        assert_int_equal(tare_ter_count(c->output, c->references, c->n_references, stats, &err), 0);
        assert_stats(stats, c->ter, TARE_TER_STATS, c->why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_texts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
