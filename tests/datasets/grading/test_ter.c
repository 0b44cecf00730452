/* SPDX-License-Identifier: Apache-2.0 */
/* Edits and moves against sacrebleu; see texts.h. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datasets/grading/ter.h"

#include <tare/python_random.h>

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

/* n words out of so many letters, a blank behind each. */
static void draw_words(struct tare_python_random *r, size_t kinds, size_t n, char *words)
{
    for (size_t i = 0; i < n; i++) {
        words[2 * i] = (char)('a' + (int)(tare_python_random_unit(r) * (double)kinds));
        words[2 * i + 1] = ' ';
    }
}

/* Every second output is its reference with pieces moved: of four, one with the last two thirds first and the
 * first third backwards behind them, and one with the second half, then from the first fifth on, then the
 * first fifth. */
static size_t rearrange(size_t i, const char *reference, size_t n, char *output)
{
    size_t at = 0;
    if (i % 4 == 1) {
        for (size_t k = n / 3; k < n; k++) {
            memcpy(output + 2 * at++, reference + 2 * k, 2);
        }
        for (size_t k = n / 3; k > 0; k--) {
            memcpy(output + 2 * at++, reference + 2 * (k - 1), 2);
        }
        return at;
    }
    memcpy(output, reference + 2 * (n / 2), 2 * (n - n / 2));
    memcpy(output + 2 * (n - n / 2), reference + 2 * (n / 5), 2 * (n / 2 - n / 5));
    memcpy(output + 2 * (n - n / 5), reference, 2 * (n / 5));
    return n;
}

/* Longer texts of few different words, where the search meets its limits and its preferences. Words drawn by
 * Random(20); edits by sacrebleu. */
static void test_search(void **state)
{
    (void)state;
    static const double edits[40] = {35, 14, 6,  2,  34, 2,  31, 46, 7,  1, 24, 3,  22, 3,
                                     11, 5,  21, 1,  29, 32, 13, 7,  11, 8, 33, 33, 38, 3,
                                     14, 14, 13, 22, 21, 12, 6,  6,  27, 7, 37, 25};
    struct tare_python_random r;
    tare_python_random_init(&r, 20);
    for (size_t i = 0; i < 40; i++) {
        char reference[256], output[256];
        size_t kinds = 2 + (size_t)(tare_python_random_unit(&r) * 6);
        size_t n = 10 + (size_t)(tare_python_random_unit(&r) * 60);
        size_t m = (size_t)((double)n * (0.5 + tare_python_random_unit(&r)));
        draw_words(&r, kinds, n, reference);
        draw_words(&r, kinds, m, output);
        m = i % 2 ? rearrange(i, reference, n, output) : m;
        struct tare_err err = {0};
        double stats[TARE_TER_STATS];
        const struct tare_bytes gold = {reference, 2 * n};
        assert_int_equal(tare_ter_count((struct tare_bytes){output, 2 * m}, &gold, 1, stats, &err), 0);
        if (stats[0] != edits[i] || stats[1] != (double)n) {
            fail_msg("text %zu: %g edits of %g words, not %g", i, stats[0], stats[1], edits[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_texts), cmocka_unit_test(test_search)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
