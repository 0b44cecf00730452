/* SPDX-License-Identifier: Apache-2.0 */
/* Widening of every 16-bit number, what counts as sound, and the edges of drawing. */
#include "row.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

/* The definition of a format with 16 bits, by ldexp. */
static double value_of(uint32_t bits, int exponent_bits, int fraction_bits)
{
    int top = (1 << exponent_bits) - 1;
    int bias = top / 2;
    int exponent = (int)(bits >> fraction_bits) & top;
    double fraction = ldexp((double)(bits & ((1U << fraction_bits) - 1)), -fraction_bits);
    double sign = bits & 0x8000U ? -1 : 1;
    if (exponent == top) {
        return fraction > 0 ? (double)NAN : sign * (double)INFINITY;
    }
    return sign * (exponent == 0 ? ldexp(fraction, 1 - bias) : ldexp(1 + fraction, exponent - bias));
}

static void test_every_number(void **state)
{
    (void)state;
    for (uint32_t bits = 0; bits < 65536; bits++) {
        unsigned char bytes[2];
        uint16_t stored = (uint16_t)bits;
        memcpy(bytes, &stored, sizeof bytes);
        for (int brain = 0; brain < 2; brain++) {
            float got;
            double want = value_of(bits, brain ? 8 : 5, brain ? 7 : 10);
            tare_onnx_row_widen(&got, bytes, 1, brain);
            bool same = isnan(want) ? isnan(got) : !((double)got < want) && !((double)got > want);
            if (!same || !signbit(got) != !(bits & 0x8000U)) {
                fail_msg("%04x as %s: %g instead of %g", bits, brain ? "bfloat16" : "float16", (double)got,
                         want);
            }
        }
    }
}

static void test_sound(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        float row[3];
        bool sound;
    } rows[] = {
        {"numbers", {-3, 0, 7}, true},
        {"the largest", {3.4e38F, -3.4e38F, 0}, true},
        {"some cannot be", {-INFINITY, 1, -INFINITY}, true},
        {"none can be", {-INFINITY, -INFINITY, -INFINITY}, false},
        {"NaN first", {NAN, 1, 1}, false},
        {"NaN last", {1, 1, NAN}, false},
        {"without end", {1, INFINITY, 1}, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (tare_onnx_row_sound(rows[i].row, 3) != rows[i].sound) {
            fail_msg("%s", rows[i].what);
        }
    }
}

static void test_draws(void **state)
{
    (void)state;
    const float ties[] = {1, 5, 5, 2};
    const float masked[] = {-INFINITY, 0, -INFINITY, 0};
    double room[4];
    struct tare_rng rng;
    struct tare_rng untouched;
    uint32_t n[4] = {0};
    tare_rng_init(&rng, 11);
    untouched = rng;
    assert_int_equal(tare_onnx_row_draw(room, ties, 4, 0, &rng), 1);
    assert_int_equal(tare_onnx_row_draw(room, ties, 4, -1, &rng), 1);
    assert_memory_equal(&rng, &untouched, sizeof rng); /* greedy takes no number */
    for (int i = 0; i < 1000; i++) {
        n[tare_onnx_row_draw(room, masked, 4, 0.5, &rng)]++;
    }
    assert_int_equal(n[0] + n[2], 0);
    assert_true(n[1] > 400 && n[3] > 400); /* 500 each, sd 16 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_number),
        cmocka_unit_test(test_sound),
        cmocka_unit_test(test_draws),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
