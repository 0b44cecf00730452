/* SPDX-License-Identifier: Apache-2.0 */
/* Known loops: what they return is the closed form in every width and operation, so all of them was done;
 * what they count is the closed form too. */
#include "selftest/flops.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_results(void **state)
{
    static const uint64_t rounds[] = {64, 65, 1000, 100001};
    unsigned n_run = 0;
    (void)state;
    for (int width = 0; width < TARE_FLOPS_WIDTHS; width++) {
        for (int op = 0; op < TARE_FLOPS_OPS; op++) {
            for (size_t i = 0; i < sizeof rounds / sizeof *rounds; i++) {
                enum tare_flops_width w = (enum tare_flops_width)width;
                enum tare_flops_op o = (enum tare_flops_op)op;
                double result = tare_flops_run(w, o, rounds[i]);
                if (!tare_flops_has(w)) {
                    assert_true(isnan(result));
                    continue;
                }
                n_run++;
                if (result != tare_flops_expected(w, o, rounds[i])) {
                    fail_msg("%s, operation %d, %u rounds: %.17g instead of %.17g", tare_flops_width_name(w),
                             op, (unsigned)rounds[i], result, tare_flops_expected(w, o, rounds[i]));
                }
            }
        }
    }
    assert_true(n_run >= 12); /* scalar is everywhere */
}

/* Numbers written out: 12 accumulators, lanes of a width, two FLOPs for a multiply-add. */
static void test_counts(void **state)
{
    static const struct {
        enum tare_flops_width width;
        enum tare_flops_op op;
        double count, expected;
    } rows[] = {
        {TARE_FLOPS_SCALAR, TARE_FLOPS_FMA, 24000, 24},
        {TARE_FLOPS_SCALAR, TARE_FLOPS_ADD, 12000, 12066},
        {TARE_FLOPS_SCALAR, TARE_FLOPS_MUL, 12000, 66},
        {TARE_FLOPS_256, TARE_FLOPS_FMA, 192000, 192},
        {TARE_FLOPS_256, TARE_FLOPS_ADD, 96000, 96528},
        {TARE_FLOPS_512, TARE_FLOPS_FMA, 384000, 384},
        {TARE_FLOPS_512, TARE_FLOPS_MUL, 192000, 66.0 * 16},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(tare_flops_count(rows[i].width, rows[i].op, 1000) == rows[i].count);
        assert_true(tare_flops_expected(rows[i].width, rows[i].op, 1000) == rows[i].expected);
    }
    assert_true(tare_flops_expected(TARE_FLOPS_SCALAR, TARE_FLOPS_MUL, 1001) == -66);
    assert_true(tare_flops_count(TARE_FLOPS_512, TARE_FLOPS_FMA, 0) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_results),
        cmocka_unit_test(test_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
