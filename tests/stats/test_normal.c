/* SPDX-License-Identifier: Apache-2.0 */
/* Quantiles of the standard normal distribution against published ones, and their symmetry. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "stats/interval.h"

static void test_quantiles(void **state)
{
    (void)state;
    static const double known[][2] = {{0.5, 0},
                                      {0.9, 1.2815515655446004},
                                      {0.95, 1.6448536269514722},
                                      {0.975, 1.959963984540054},
                                      {0.995, 2.5758293035489004},
                                      {0.9995, 3.2905267314918945}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_true(fabs(tare_normal_quantile(known[i][0]) - known[i][1]) < 1e-9);
        assert_true(fabs(tare_normal_quantile(1 - known[i][0]) + known[i][1]) < 1e-9);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_quantiles)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
