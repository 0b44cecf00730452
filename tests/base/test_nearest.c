/* SPDX-License-Identifier: Apache-2.0 */
/* "Did you mean": suggestions that a person would make, and none that would puzzle one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/nearest.h"

static const char *const known[] = {"models", "repeats", "time_limit", "seed", "csv",
                                    "md",     "html",    "name",       NULL};

static void test_suggestions(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        const char *best; /* NULL: none is near enough */
        const char *why;
    } cases[] = {
        {"model", "models", "a letter is missing"},
        {"modelss", "models", "a letter too many"},
        {"modals", "models", "a letter is wrong"},
        {"modesl", "models", "two letters swapped"},
        {"time-limit", "time_limit", "a dash counts as an underscore"},
        {"tme-limt", "time_limit", "two of ten missing"},
        {"sede", "seed", "two letters of a short word swapped"},
        {"cvs", NULL, "two of three letters differ"},
        {"svg", NULL, "another format, not a slip"},
        {"mdd", "md", "a letter doubled"},
        {"xy", NULL, "no letter in common with md"},
        {"a", NULL, "one letter says nothing"},
        {"", NULL, "nothing says nothing"},
        {"gpu_layers", NULL, "another thing altogether"},
        {"repeats_and_more", NULL, "too much beside it"},
        {"seed", "seed", "the word itself"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_nearest nearest = {.word = cases[i].word};
        for (size_t k = 0; known[k]; k++) {
            tare_nearest_offer(&nearest, known[k]);
        }
        const char *best = tare_nearest_best(&nearest);
        if (!best != !cases[i].best || (best && strcmp(best, cases[i].best) != 0)) {
            fail_msg("%s (%s): %s", cases[i].word, cases[i].why, best ? best : "none");
        }
    }
}

static void test_nothing_offered(void **state)
{
    (void)state;
    struct tare_nearest nearest = {.word = "x"};
    assert_null(tare_nearest_best(&nearest));
}

/* Levenshtein distances of textbooks. */
static void test_distance(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        size_t distance;
    } cases[] = {{"kitten", "sitting", 3}, {"saturday", "sunday", 3}, {"flaw", "lawn", 2},
                 {"", "abc", 3},           {"gumbo", "gambol", 2},    {"a-b_c", "a_b-c", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_nearest there = {.word = cases[i].a}, back = {.word = cases[i].b};
        tare_nearest_offer(&there, cases[i].b);
        tare_nearest_offer(&back, cases[i].a);
        assert_int_equal(there.distance, cases[i].distance);
        assert_int_equal(back.distance, cases[i].distance);
    }
}

/* The first of equals stays, a long word does no harm. */
static void test_order_and_length(void **state)
{
    (void)state;
    struct tare_nearest nearest = {.word = "tasks"};
    tare_nearest_offer(&nearest, "tacks");
    tare_nearest_offer(&nearest, "talks");
    assert_string_equal(tare_nearest_best(&nearest), "tacks");
    for (size_t n = 60; n < 200; n++) {
        char *word = malloc(n + 1);
        assert_non_null(word);
        memset(word, 'a', n);
        word[n] = '\0';
        nearest = (struct tare_nearest){.word = word};
        tare_nearest_offer(&nearest, "models");
        assert_null(tare_nearest_best(&nearest));
        nearest = (struct tare_nearest){.word = "models"};
        tare_nearest_offer(&nearest, word);
        assert_null(tare_nearest_best(&nearest));
        free(word);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_suggestions),
        cmocka_unit_test(test_nothing_offered),
        cmocka_unit_test(test_distance),
        cmocka_unit_test(test_order_and_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
