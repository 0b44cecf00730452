/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of scores share: cmocka, and numbers that are near enough. */
#ifndef TARE_TEST_SCORES_NEAR_H
#define TARE_TEST_SCORES_NEAR_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static inline void assert_near(double got, double expected, double error)
{
    if (!(fabs(got - expected) <= error)) {
        fail_msg("%.17g, not %.17g", got, expected);
    }
}

#endif
