/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The generator against outputs published with SplitMix64 and xoshiro256**, and against a separate
 * Python implementation of what tare/rng.h describes (splits, bounds, shuffles).
 */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <tare/rng.h>

static void assert_u64(uint64_t got, uint64_t expected)
{
    if (got != expected) {
        fail_msg("0x%" PRIx64 ", not 0x%" PRIx64, got, expected);
    }
}

/* Seeding shows SplitMix64's outputs. Seed 1234567 is the reference code's usual example. */
static void test_seeding(void **state)
{
    (void)state;
    static const struct {
        uint64_t seed, state[4];
    } cases[] = {
        {1234567,
         {UINT64_C(6457827717110365317), UINT64_C(3203168211198807973), UINT64_C(9817491932198370423),
          UINT64_C(4593380528125082431)}},
        {0,
         {UINT64_C(0xe220a8397b1dcdaf), UINT64_C(0x6e789e6aa1b965f4), UINT64_C(0x06c45d188009454f),
          UINT64_C(0xf88bb8a8724c81ec)}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_rng rng;
        tare_rng_init(&rng, cases[i].seed);
        for (int k = 0; k < 4; k++) {
            assert_u64(rng.state[k], cases[i].state[k]);
        }
    }
}

/* The vector that other implementations of xoshiro256** test with: state 1, 2, 3, 4. */
static void test_published(void **state)
{
    (void)state;
    static const uint64_t expected[] = {UINT64_C(11520),
                                        UINT64_C(0),
                                        UINT64_C(1509978240),
                                        UINT64_C(1215971899390074240),
                                        UINT64_C(1216172134540287360),
                                        UINT64_C(607988272756665600),
                                        UINT64_C(16172922978634559625),
                                        UINT64_C(8476171486693032832),
                                        UINT64_C(10595114339597558777),
                                        UINT64_C(2904607092377533576)};
    struct tare_rng rng = {.state = {1, 2, 3, 4}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        assert_u64(tare_rng_u64(&rng), expected[i]);
    }
}

static void test_split(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        uint64_t index, first;
    } cases[] = {
        {"block order", 0, UINT64_C(0x7bdc0ac2cbd0a589)},    {"block order", 1, UINT64_C(0x00c9ad693d807b46)},
        {"items", 0, UINT64_C(0x558324786966bdec)},          {"", 0, UINT64_C(0xa95c1fd92e3df2d6)},
        {"items", UINT64_MAX, UINT64_C(0x77e00824d1642f79)},
    };
    struct tare_rng rng;
    tare_rng_init(&rng, 42);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_rng before = rng;
        struct tare_rng child = tare_rng_split(&rng, cases[i].label, cases[i].index);
        assert_memory_equal(&rng, &before, sizeof rng);
        assert_u64(tare_rng_u64(&child), cases[i].first);
        (void)tare_rng_u64(&rng); /* what the parent has drawn has no influence */
    }
}

static void test_below(void **state)
{
    (void)state;
    static const struct {
        uint64_t n, value;
    } cases[] = {
        {1, 0},
        {2, 0},
        {3, 2},
        {10, 8},
        {1000, 664},
        {UINT64_C(1) << 63, UINT64_C(9054773939583320856)},
        {(UINT64_C(1) << 63) + 1, UINT64_C(6876465445380131912)}, /* nearly every second draw is refused */
        {UINT64_MAX, UINT64_C(1120678062349637716)},
    };
    struct tare_rng rng;
    tare_rng_init(&rng, 7);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_u64(tare_rng_below(&rng, cases[i].n), cases[i].value);
    }
}

/*
 * n = 3 * 2^62: plain modulo would put half of all draws into the lowest third. With rejection a third
 * lies there; 5 standard deviations of 30000 draws are 0.0136.
 */
static void test_no_bias(void **state)
{
    (void)state;
    struct tare_rng rng;
    tare_rng_init(&rng, 11);
    int low = 0;
    for (int i = 0; i < 30000; i++) {
        low += tare_rng_below(&rng, UINT64_C(3) << 62) < UINT64_C(1) << 62;
    }
    assert_true(fabs(low / 30000.0 - 1.0 / 3) < 0.0136);
}

static void test_unit(void **state)
{
    (void)state;
    static const double expected[] = {0.7005764821796896, 0.2787512294737843, 0.8396274618764198};
    struct tare_rng rng;
    tare_rng_init(&rng, 7);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        assert_true(tare_rng_unit(&rng) == expected[i]);
    }
    for (int i = 0; i < 100000; i++) {
        double x = tare_rng_unit(&rng);
        assert_true(x >= 0 && x < 1);
    }
}

static void test_shuffle(void **state)
{
    (void)state;
    static const int expected[] = {8, 3, 9, 0, 7, 2, 1, 6, 5, 4};
    struct tare_rng rng;
    tare_rng_init(&rng, 7);
    int numbers[10];
    for (int i = 0; i < 10; i++) {
        numbers[i] = i;
    }
    tare_rng_shuffle(&rng, numbers, 10, sizeof *numbers);
    assert_memory_equal(numbers, expected, sizeof expected);
    struct tare_rng before = rng;
    tare_rng_shuffle(&rng, numbers, 1, sizeof *numbers); /* one and none stay, without a draw */
    tare_rng_shuffle(&rng, NULL, 0, sizeof *numbers);
    assert_memory_equal(&rng, &before, sizeof rng);
}

/* Elements of any size up to 64 bytes move whole and in the same order. */
static void test_shuffle_sizes(void **state)
{
    (void)state;
    static const int expected[] = {8, 3, 9, 0, 7, 2, 1, 6, 5, 4};
    for (size_t size = 1; size <= 64; size++) {
        unsigned char bytes[10 * 64];
        for (size_t i = 0; i < 10; i++) {
            memset(bytes + i * size, (int)i, size);
        }
        struct tare_rng rng;
        tare_rng_init(&rng, 7);
        tare_rng_shuffle(&rng, bytes, 10, size);
        for (size_t i = 0; i < 10 * size; i++) {
            assert_int_equal(bytes[i], expected[i / size]);
        }
    }
}

/* All 24 orders of 4 are equally likely: chi-square with 23 degrees of freedom stays below 58.6 (p = 6e-5).
 */
static void test_shuffle_is_fair(void **state)
{
    (void)state;
    enum { trials = 24000 };
    int count[256] = {0};
    struct tare_rng rng;
    tare_rng_init(&rng, 3);
    for (int i = 0; i < trials; i++) {
        unsigned char four[] = {0, 1, 2, 3};
        tare_rng_shuffle(&rng, four, 4, 1);
        count[four[0] << 6 | four[1] << 4 | four[2] << 2 | four[3]]++;
    }
    double chi2 = 0;
    int seen = 0;
    for (int i = 0; i < 256; i++) {
        double d = count[i] - trials / 24.0;
        seen += count[i] > 0;
        chi2 += count[i] ? d * d / (trials / 24.0) : 0;
    }
    assert_int_equal(seen, 24);
    assert_true(chi2 < 58.6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seeding),         cmocka_unit_test(test_published),
        cmocka_unit_test(test_split),           cmocka_unit_test(test_below),
        cmocka_unit_test(test_no_bias),         cmocka_unit_test(test_unit),
        cmocka_unit_test(test_shuffle),         cmocka_unit_test(test_shuffle_sizes),
        cmocka_unit_test(test_shuffle_is_fair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
