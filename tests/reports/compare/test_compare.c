/* SPDX-License-Identifier: Apache-2.0 */
/* The words of a comparison, on pairs of which the answer is known. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reports/compare/compare.h"

#include <tare/rng.h>

static const struct tare_compare_options options = {.alpha = 0.05, .margin = 0.02, .quality_margin = 0.01};

enum { max_pairs = 8192 };
static double a[max_pairs], b[max_pairs];

static struct tare_compare_row blocks(size_t n, enum tare_better better)
{
    return (struct tare_compare_row){
        .task = "t", .figure = "f", .better = better, .pairing = TARE_COMPARE_BLOCKS, .n = n, .a = a, .b = b};
}

static struct tare_compare_row items(size_t n)
{
    struct tare_compare_row row = blocks(n, TARE_BETTER_HIGHER);
    row.pairing = TARE_COMPARE_ITEMS;
    row.proportion = true;
    return row;
}

static struct tare_compare_result decide(struct tare_compare_row row)
{
    struct tare_compare_result result;
    struct tare_err err = {0};
    assert_int_equal(tare_compare_decide(&row, 1, &options, &result, &err), 0);
    return result;
}

/* b = factor a, with noise of `spread` (uniform, both ways) from a fixed stream. */
static void fill(size_t n, double factor, double spread)
{
    struct tare_rng rng;
    tare_rng_init(&rng, 11);
    for (size_t i = 0; i < n; i++) {
        double u = (double)tare_rng_below(&rng, 1000001) / 500000 - 1;
        a[i] = 1 + 0.1 * (double)(i % 5);
        b[i] = a[i] * factor * (1 + spread * u);
    }
}

static void test_block_words(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        size_t n;
        double factor, spread;
        enum tare_better better;
        enum tare_word word;
    } cases[] = {
        {"5 % more of what should be more", 10, 1.05, 0.005, TARE_BETTER_HIGHER, TARE_WORD_BETTER},
        {"5 % more of what should be less", 10, 1.05, 0.005, TARE_BETTER_LOWER, TARE_WORD_WORSE},
        {"the same within a hair", 10, 1.0003, 0.001, TARE_BETTER_HIGHER, TARE_WORD_EQUIVALENT},
        {"shown to differ, and within the margin all the same", 10, 1.005, 0.0005, TARE_BETTER_LOWER,
         TARE_WORD_EQUIVALENT},
        {"noise as wide as the margin", 10, 1.0, 0.06, TARE_BETTER_HIGHER, TARE_WORD_UNDECIDED},
        {"a clear step, but five pairs carry no 5 %", 5, 1.5, 0.001, TARE_BETTER_HIGHER, TARE_WORD_UNDECIDED},
        {"no direction is the good one", 10, 1.05, 0.005, TARE_BETTER_NONE, TARE_WORD_UNDECIDED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fill(cases[i].n, cases[i].factor, cases[i].spread);
        struct tare_compare_result r = decide(blocks(cases[i].n, cases[i].better));
        if (r.word != cases[i].word) {
            fail_msg("%s: %s, not %s", cases[i].why, tare_word_text(r.word), tare_word_text(cases[i].word));
        }
        assert_true(!r.interval.ok || (r.interval.low <= r.estimate && r.estimate <= r.interval.high));
    }
}

/* A ratio of 1.1 on every pair: estimate and interval are it, p is 2 / 2^n. */
static void test_exact_ratio(void **state)
{
    (void)state;
    fill(10, 1.1, 0);
    struct tare_compare_result r = decide(blocks(10, TARE_BETTER_HIGHER));
    assert_true(fabs(r.estimate - 1.1) < 1e-12 && fabs(r.interval.low - 1.1) < 1e-12);
    assert_true(fabs(r.p - 2.0 / 1024) < 1e-12);
}

static void answers(size_t n, size_t only_a, size_t only_b)
{
    for (size_t i = 0; i < n; i++) {
        a[i] = i < only_a || i >= only_a + only_b;
        b[i] = i >= only_a;
    }
}

static void test_answers(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        size_t n, only_a, only_b;
        enum tare_word word;
    } cases[] = {
        {"a point lost of 1,000 is no equivalence", 1000, 12, 2, TARE_WORD_WORSE},
        {"equal sums over 100 items show nothing", 100, 5, 5, TARE_WORD_UNDECIDED},
        {"no item differs, but there are only 100", 100, 0, 0, TARE_WORD_UNDECIDED},
        {"2 % flips, 4,000 items: within a point", 4000, 40, 40, TARE_WORD_EQUIVALENT},
        {"a planted loss of one point, 5 % flips, 4,282 items", 4282, 128, 85, TARE_WORD_WORSE},
        {"many more right", 500, 10, 60, TARE_WORD_BETTER},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        answers(cases[i].n, cases[i].only_a, cases[i].only_b);
        struct tare_compare_result r = decide(items(cases[i].n));
        if (r.word != cases[i].word) {
            fail_msg("%s: %s, p %g, p of equivalence %g", cases[i].why, tare_word_text(r.word), r.p,
                     r.p_equivalent);
        }
        double flips = (double)(cases[i].only_a + cases[i].only_b) / (double)cases[i].n;
        assert_true(fabs(r.flips - flips) < 1e-12);
        assert_true(fabs(r.lost - (double)cases[i].only_a) <= 0);
        assert_true(fabs(r.won - (double)cases[i].only_b) <= 0);
    }
}

static void test_exact_counts(void **state)
{
    (void)state;
    struct tare_compare_row row = blocks(1, TARE_BETTER_LOWER);
    row.pairing = TARE_COMPARE_EXACT;
    a[0] = 100, b[0] = 99;
    assert_int_equal(decide(row).word, TARE_WORD_BETTER);
    b[0] = 101;
    assert_int_equal(decide(row).word, TARE_WORD_WORSE);
    b[0] = 100;
    assert_int_equal(decide(row).word, TARE_WORD_EQUIVALENT);
}

/* One small p among twenty of nothing is no finding; by itself it is. */
static void test_many(void **state)
{
    (void)state;
    enum { n_rows = 20, n = 7 };
    static double same[n_rows][n], other[n_rows][n];
    struct tare_compare_row rows[n_rows];
    struct tare_compare_result results[n_rows];
    struct tare_err err = {0};
    struct tare_rng rng;
    tare_rng_init(&rng, 3);
    for (size_t i = 0; i < n_rows; i++) {
        rows[i] = blocks(n, TARE_BETTER_LOWER);
        for (size_t j = 0; j < n; j++) {
            same[i][j] = 1;
            other[i][j] = i == 0 ? 1.1 + 0.01 * (double)j : 1 + ((double)j - 3) * 0.02 * (j % 2 ? 1 : -1);
        }
        rows[i].a = same[i];
        rows[i].b = other[i];
    }
    assert_int_equal(tare_compare_decide(rows, 1, &options, results, &err), 0);
    assert_int_equal(results[0].word, TARE_WORD_WORSE);
    assert_int_equal(tare_compare_decide(rows, n_rows, &options, results, &err), 0);
    assert_int_equal(results[0].word, TARE_WORD_UNDECIDED);
    assert_true(results[0].p_adjusted > results[0].p);
}

static void test_doubt(void **state)
{
    (void)state;
    fill(10, 1.5, 0.001);
    struct tare_compare_row row = blocks(10, TARE_BETTER_LOWER);
    row.doubt = "two sessions";
    struct tare_compare_result r = decide(row);
    assert_int_equal(r.word, TARE_WORD_UNDECIDED);
    assert_string_equal(r.why, "two sessions");
    assert_true(isfinite(r.estimate));
    b[3] = 0;
    assert_true(isnan(decide(blocks(10, TARE_BETTER_LOWER)).estimate));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_block_words), cmocka_unit_test(test_exact_ratio),
        cmocka_unit_test(test_answers),     cmocka_unit_test(test_exact_counts),
        cmocka_unit_test(test_many),        cmocka_unit_test(test_doubt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
