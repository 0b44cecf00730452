/* SPDX-License-Identifier: Apache-2.0 */
/* The gate's decisions on numbers whose verdict can be said by hand, and the escapes of its outputs. */
#include "reports/gate/decide.h"
#include "reports/gate/escape.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct tare_gate_limits usual = {.margin = 0.02, .equivalence = 0.05};

/* d_i = center + spread * (-1 .. 1), evenly, n of them. */
static void spread_out(double center, double spread, double *d, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        d[i] = center + spread * (2.0 * (double)i / (double)(n - 1) - 1);
    }
}

static void timing_words(void **state)
{
    static const struct {
        double center, spread, demand;
        size_t n; /* 10: no second stage was run */
        enum tare_gate_word word;
        bool suspicious;
        const char *why;
    } rows[] = {
        {0, 0.01, 0, 10, TARE_GATE_EQUIVALENT, false, "no change, narrow"},
        {0, 0.2, 0, 10, TARE_GATE_INCONCLUSIVE, false, "no change, wide"},
        {0.1, 0.01, 0, 10, TARE_GATE_INCONCLUSIVE, true, "a regression, but stage 2 is not run"},
        {0.1, 0.01, 0, 20, TARE_GATE_FAILED, true, "a regression"},
        {0.015, 0.001, 0, 20, TARE_GATE_EQUIVALENT, false, "certain, but within the margin"},
        {-0.1, 0.01, 0, 10, TARE_GATE_BETTER, false, "an improvement"},
        {-0.03, 0.01, 0, 10, TARE_GATE_EQUIVALENT, false, "an improvement within the equivalence margin"},
        {-0.2, 0.01, 0.1, 10, TARE_GATE_INCONCLUSIVE, true, "a demand is not met by one stage"},
        {-0.2, 0.01, 0.1, 20, TARE_GATE_MET, true, "a demand that is met"},
        {0, 0.01, 0.1, 20, TARE_GATE_FAILED, true, "no change, where one was demanded"},
        {-0.0953, 0.05, 0.1, 20, TARE_GATE_INCONCLUSIVE, false, "just what was demanded, on average"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        double d[20];
        struct tare_gate_limits limits = usual;
        struct tare_gate_decision made;
        struct tare_err err;
        limits.demand = rows[i].demand;
        spread_out(rows[i].center, rows[i].spread, d, 10);
        spread_out(rows[i].center, rows[i].spread, d + 10, 10);
        assert_int_equal(tare_gate_timing(d, rows[i].n, 10, &limits, &made, &err), 0);
        if (made.word != rows[i].word || made.suspicious != rows[i].suspicious) {
            fail_msg("%s: %s, suspicious %d", rows[i].why, tare_gate_word_text(made.word), made.suspicious);
        }
        assert_true(fabs(made.estimate - rows[i].center) < 1e-12);
        assert_true(made.low < made.estimate && made.estimate < made.high);
        assert_true(made.word == TARE_GATE_INCONCLUSIVE || made.needed == 0);
        assert_true(made.word != TARE_GATE_FAILED || (made.p <= 0.001 && made.bound > 0));
    }
}

/* What did not look like a regression in stage 1 cannot fail, whatever came later for other metrics' sake. */
static void stage_one_must_have_asked(void **state)
{
    double d[20];
    struct tare_gate_decision made;
    struct tare_err err;
    (void)state;
    spread_out(0, 0.001, d, 10);
    spread_out(0.5, 0.001, d + 10, 10);
    assert_int_equal(tare_gate_timing(d, 20, 10, &usual, &made, &err), 0);
    assert_int_equal(made.word, TARE_GATE_INCONCLUSIVE);
    assert_false(made.suspicious);
    assert_true(isnan(made.p));
}

/* Half of the interval's width now is w at n blocks: to fit into what is left of the margin takes (w /
 * left)^2. */
static void needed_blocks(void **state)
{
    double d[10];
    struct tare_gate_decision made;
    struct tare_err err;
    (void)state;
    spread_out(0, 0.2, d, 10);
    assert_int_equal(tare_gate_timing(d, 10, 10, &usual, &made, &err), 0);
    double half = (made.high - made.low) / 2, left = log(1.05);
    assert_int_equal(made.needed, (int64_t)ceil(10 * (half / left) * (half / left)));
    assert_true(made.needed > 10);
}

static void holm_over_many(void **state)
{
    struct tare_gate_decision made[40], *list[40];
    struct tare_err err;
    (void)state;
    for (int n = 10; n <= 40; n += 30) {
        for (int i = 0; i < n; i++) {
            made[i] = (struct tare_gate_decision){.word = i ? TARE_GATE_EQUIVALENT : TARE_GATE_FAILED,
                                                  .p = i ? (double)NAN : 0.0009};
            list[i] = &made[i];
        }
        assert_int_equal(tare_gate_holm(list, (size_t)n, &err), 0);
        assert_true(fabs(made[0].p_holm - 0.0009 * n) < 1e-15);
        assert_int_equal(made[0].word, n == 10 ? TARE_GATE_FAILED : TARE_GATE_INCONCLUSIVE);
        assert_true(isnan(made[1].p_holm));
    }
}

static void exact_words(void **state)
{
    static const struct {
        double base[2], candidate[2], tolerance;
        int direction;
        enum tare_gate_word word;
        const char *why;
    } rows[] = {
        {{100, 100}, {100, 100}, 0, -1, TARE_GATE_UNCHANGED, "the same"},
        {{100, 100}, {101, 101}, 0, -1, TARE_GATE_FAILED, "one more"},
        {{100, 100}, {101, 101}, 0.01, -1, TARE_GATE_UNCHANGED, "one more, which is tolerated"},
        {{100, 100}, {99, 99}, 0, -1, TARE_GATE_BETTER, "one less"},
        {{100, 100}, {99, 99}, 0, 1, TARE_GATE_FAILED, "one less, of which more is better"},
        {{100, 100}, {99, 99}, 0, 0, TARE_GATE_FAILED, "any change"},
        {{100, 101}, {100, 100}, 0, -1, TARE_GATE_INVALID, "the base varies"},
        {{100, 100}, {100, 101}, 0, -1, TARE_GATE_INVALID, "the candidate varies"},
        {{0, 0}, {0, 0}, 0, -1, TARE_GATE_UNCHANGED, "nothing and nothing"},
        {{0, 0}, {1, 1}, 0.5, -1, TARE_GATE_FAILED, "something out of nothing"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tare_gate_decision made;
        tare_gate_exact(rows[i].base, 2, rows[i].candidate, 2, rows[i].direction, rows[i].tolerance, &made);
        if (made.word != rows[i].word) {
            fail_msg("%s: %s", rows[i].why, tare_gate_word_text(made.word));
        }
        assert_true((made.word == TARE_GATE_INVALID) == (made.why[0] != '\0'));
    }
}

static void quality_words(void **state)
{
    static const struct {
        size_t n, lost, won;
        double margin;
        enum tare_gate_word word;
        const char *why;
    } rows[] = {
        {1000, 0, 0, 1, TARE_GATE_EQUIVALENT, "nothing differs in many items"},
        {298, 0, 0, 1, TARE_GATE_INCONCLUSIVE, "1 - 0.05^(1/298) is over 1 %"},
        {299, 0, 0, 1, TARE_GATE_EQUIVALENT, "and 1 - 0.05^(1/299) is not"},
        {1000, 10, 0, 1, TARE_GATE_INCONCLUSIVE, "a loss of just the margin"},
        {1000, 100, 0, 1, TARE_GATE_FAILED, "a loss of ten points"},
        {100, 2, 0, 1, TARE_GATE_INCONCLUSIVE, "two of a hundred may be chance"},
        {1000, 0, 100, 1, TARE_GATE_BETTER, "a gain of ten points"},
        {10000, 250, 250, 1, TARE_GATE_EQUIVALENT, "many flips, which even out"},
        {10000, 250, 330, 1, TARE_GATE_BETTER, "a gain that is proved"},
        {1000, 20, 30, 1, TARE_GATE_MET, "not worse by a point, but the gain may be more than one"},
        {1, 0, 0, 1, TARE_GATE_INVALID, "one item"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        double *d = calloc(rows[i].n, sizeof *d);
        struct tare_gate_decision made;
        struct tare_err err;
        assert_non_null(d);
        for (size_t j = 0; j < rows[i].lost + rows[i].won; j++) {
            d[j] = j < rows[i].lost ? 100 : -100;
        }
        assert_int_equal(tare_gate_quality(d, rows[i].n, rows[i].margin, &made, &err), 0);
        free(d);
        if (made.word != rows[i].word) {
            fail_msg("%s: %s [%g, %g]", rows[i].why, tare_gate_word_text(made.word), made.low, made.high);
        }
        assert_true(made.word == TARE_GATE_INVALID || made.flips == (int64_t)(rows[i].lost + rows[i].won));
    }
}

static void needed_items(void **state)
{
    double d[50] = {0};
    struct tare_gate_decision made;
    struct tare_err err;
    (void)state;
    assert_int_equal(tare_gate_quality(d, COUNT(d), 1, &made, &err), 0);
    assert_int_equal(made.word, TARE_GATE_INCONCLUSIVE);
    assert_int_equal(made.needed, 299);
}

static void values(void **state)
{
    double three[] = {9, 1, 2}, two[] = {4, 2};
    (void)state;
    assert_true(tare_gate_block_value(three, 3) == 2);
    assert_true(tare_gate_block_value(two, 2) == 3);
    assert_true(isnan(tare_gate_block_value(NULL, 0)));
    assert_true(fabs(tare_gate_log_ratio(1, 1.05, false) - log(1.05)) < 1e-15);
    assert_true(fabs(tare_gate_log_ratio(1.05, 1, true) - log(1.05)) < 1e-15);
    assert_true(isnan(tare_gate_log_ratio(0, 1, true)));
    assert_true(isnan(tare_gate_log_ratio(1, (double)NAN, true)));
}

static void escapes(void **state)
{
    static const struct {
        const char *text, *xml, *md, *message, *property, *label;
    } rows[] = {
        {"a<b>&\"c\"", "a&lt;b&gt;&amp;&quot;c&quot;", "a&lt;b&gt;&amp;\"c\"", "a<b>&\"c\"", "a<b>&\"c\"",
         "a<b>&\\\"c\\\""},
        {"1|2\n3", "1|2&#10;3", "1\\|2 3", "1|2%0A3", "1|2%0A3", "1|2\\n3"},
        {"50%,x:y", "50%,x:y", "50%,x:y", "50%25,x:y", "50%25%2Cx%3Ay", "50%,x:y"},
        {"\x01\xff\xc3\xa9\xed\xa0\x80", "??\xc3\xa9???", "\x01\xff\xc3\xa9\xed\xa0\x80",
         "\x01\xff\xc3\xa9\xed\xa0\x80", "\x01\xff\xc3\xa9\xed\xa0\x80", "\x01\xff\xc3\xa9\xed\xa0\x80"},
        {"\xf0\x9f\x92\xa1\xc3", "\xf0\x9f\x92\xa1?", "\xf0\x9f\x92\xa1\xc3", "\xf0\x9f\x92\xa1\xc3",
         "\xf0\x9f\x92\xa1\xc3", "\xf0\x9f\x92\xa1\xc3"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *expected[] = {rows[i].xml, rows[i].md, rows[i].message, rows[i].property, rows[i].label};
        for (size_t f = 0; f < COUNT(expected); f++) {
            struct tare_buf buf;
            tare_buf_init(&buf, 4096);
            if (f == 0) {
                tare_gate_add_xml(&buf, rows[i].text);
            } else if (f == 1) {
                tare_gate_add_md(&buf, rows[i].text);
            } else if (f == 4) {
                tare_gate_add_label(&buf, rows[i].text);
            } else {
                tare_gate_add_github(&buf, rows[i].text, f == 3);
            }
            assert_string_equal(tare_buf_str(&buf), expected[f]);
            tare_buf_fini(&buf);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timing_words),  cmocka_unit_test(stage_one_must_have_asked),
        cmocka_unit_test(needed_blocks), cmocka_unit_test(holm_over_many),
        cmocka_unit_test(exact_words),   cmocka_unit_test(quality_words),
        cmocka_unit_test(needed_items),  cmocka_unit_test(values),
        cmocka_unit_test(escapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
