/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The synthetic tasks: every answer is checked (answers.c), and the rules of a set (levels, held-out, no
 * repeats, seed, exhaustion) from outside.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "answers.h"
#include "base/opt.h"
#include "fixture.h"

extern const struct tare_task tare_task_recall;
extern const struct tare_task tare_task_copy;
extern const struct tare_task tare_task_sort;
extern const struct tare_task tare_task_add;
extern const struct tare_task tare_task_calc;
extern const struct tare_task tare_task_flip;

struct kind {
    const struct tare_task *task;
    check_line *check;
    size_t n_levels;
    int32_t levels[4];
    int32_t beyond; /* a level longer than the listed ones */
    bool generates;
};

static const struct kind kinds[] = {
    {&tare_task_recall, answer_recall, 4, {4, 8, 16, 24}, 26, false},
    {&tare_task_copy, answer_copy, 3, {8, 16, 32}, 48, true},
    {&tare_task_sort, answer_sort, 3, {4, 8, 16}, 24, true},
    {&tare_task_add, answer_add, 2, {2, 3}, 15, true},
    {&tare_task_calc, answer_calc, 3, {1, 2, 3}, 5, true},
    {&tare_task_flip, answer_flip, 3, {16, 32, 64}, 128, false},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* CRC-32 by a table of 256 remainders; checked against its published check value. */
static uint32_t crc_by_table(const char *bytes, size_t n)
{
    uint32_t table[256];
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t r = i;
        for (int bit = 0; bit < 8; bit++) {
            r = r & 1 ? (r >> 1) ^ 0xedb88320u : r >> 1;
        }
        table[i] = r;
    }
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < n; i++) {
        crc = table[(crc ^ (unsigned char)bytes[i]) & 0xff] ^ (crc >> 8);
    }
    return crc ^ 0xffffffffu;
}

/* strndup looks for an end that an item's text need not have. */
static char *copy_bytes(const char *data, size_t n)
{
    char *text = malloc(n + 1);
    assert_non_null(text);
    memcpy(text, data, n);
    text[n] = '\0';
    return text;
}

static void assert_distinct(char **prompts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(prompts[i], prompts[j]);
        }
    }
}

/* Opens, checks every item and what the set as a whole promises. */
static void check_set(const struct kind *kind, const char *words, size_t count, const int32_t *levels,
                      size_t n_levels)
{
    struct fixture f = fixture_opened(kind->task, words, 11);
    assert_int_equal(kind->task->count(f.self), count);
    char **prompts = calloc(count, sizeof *prompts);
    for (size_t i = 0; i < count; i++) {
        struct tare_item item = fixture_item(&f, i);
        assert_int_equal(item.kind, TARE_ITEM_SPANS);
        assert_int_equal(item.level, levels[i % n_levels]);
        assert_null(memchr(item.text.data, 0, item.text.n));
        char *line = copy_bytes(item.text.data, item.text.n);
        size_t prompt_n = kind->check(line, &item);
        assert_int_equal(crc_by_table(line, prompt_n) % 16, 0);
        prompts[i] = strndup(line, prompt_n);
        free(line);
    }
    assert_distinct(prompts, count);
    for (size_t i = 0; i < count; i++) {
        free(prompts[i]);
    }
    free(prompts);
    fixture_done(&f);
}

static void test_items_are_right(void **state)
{
    (void)state;
    assert_int_equal(crc_by_table("123456789", 9), 0xcbf43926u);
    for (size_t k = 0; k < KINDS; k++) {
        check_set(&kinds[k], NULL, 96, kinds[k].levels, kinds[k].n_levels);
        check_set(&kinds[k], "items=401", 401, kinds[k].levels, kinds[k].n_levels);
        check_set(&kinds[k], "items=1", 1, kinds[k].levels, kinds[k].n_levels);
    }
}

static void test_one_level(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        char words[64];
        for (size_t i = 0; i < kinds[k].n_levels; i++) {
            (void)snprintf(words, sizeof words, "items=50 level=%d", (int)kinds[k].levels[i]);
            check_set(&kinds[k], words, 50, &kinds[k].levels[i], 1);
        }
        (void)snprintf(words, sizeof words, "items=50 level=%d", (int)kinds[k].beyond);
        check_set(&kinds[k], words, 50, &kinds[k].beyond, 1);
    }
}

/* How many of the first n items of two sets are the same. */
static size_t count_same(const struct tare_task *task, const char *words_a, uint64_t seed_a,
                         const char *words_b, uint64_t seed_b, size_t n)
{
    struct fixture a = fixture_opened(task, words_a, seed_a);
    struct fixture b = fixture_opened(task, words_b, seed_b);
    size_t same = 0;
    for (size_t i = 0; i < n; i++) {
        struct tare_item x = fixture_item(&a, i);
        struct tare_item y = fixture_item(&b, i);
        same += x.level == y.level && x.text.n == y.text.n && memcmp(x.text.data, y.text.data, x.text.n) == 0;
    }
    fixture_done(&a);
    fixture_done(&b);
    return same;
}

static void test_seed_and_length(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        const struct tare_task *task = kinds[k].task;
        assert_int_equal(count_same(task, NULL, 5, NULL, 5, 96), 96);
        assert_in_range(count_same(task, NULL, 5, NULL, 6, 96), 0, 9);
        assert_int_equal(count_same(task, NULL, 5, "items=300", 5, 96), 96);
    }
}

static void assert_generates(const struct tare_item *asked, const struct tare_item *taught)
{
    size_t answer_n = taught->text.n - asked->text.n - 1;
    assert_int_equal(asked->kind, TARE_ITEM_GENERATE);
    assert_int_equal(asked->level, taught->level);
    assert_int_equal(asked->n_spans, 0);
    assert_memory_equal(asked->text.data, taught->text.data, asked->text.n);
    assert_int_equal(asked->text.n, taught->spans[0].begin);
    fixture_assert_bytes(asked->reference, taught->text.data + asked->text.n, answer_n);
    assert_int_equal(taught->spans[taught->n_spans - 1].end, taught->text.n - 1);
    assert_int_equal(asked->max_output, answer_n + 4);
    assert_int_equal(asked->n_stops, 1);
    fixture_assert_bytes(asked->stops[0], "\n", 1);
}

static void test_generate_mode(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        if (!kinds[k].generates) {
            assert_null(tare_opts_find(kinds[k].task->options, "mode"));
            continue;
        }
        struct fixture asked = fixture_opened(kinds[k].task, "mode=generate", 3);
        struct fixture taught = fixture_opened(kinds[k].task, "mode=teacher", 3);
        assert_int_equal(kinds[k].task->count(asked.self), 96);
        for (size_t i = 0; i < 96; i++) {
            struct tare_item a = fixture_item(&asked, i);
            struct tare_item t = fixture_item(&taught, i);
            assert_generates(&a, &t);
        }
        fixture_done(&asked);
        fixture_done(&taught);
    }
}

/* About 200 expected of each, 240 of the commonest; that every answer is asked for, not how evenly. */
static void test_calc_asks_for_every_answer(void **state)
{
    (void)state;
    struct fixture f = fixture_opened(&tare_task_calc, "items=2000 level=2", 1);
    int times[10] = {0};
    for (size_t i = 0; i < 2000; i++) {
        struct tare_item item = fixture_item(&f, i);
        times[item.text.data[item.text.n - 2] - '0']++;
    }
    for (int digit = 0; digit < 10; digit++) {
        assert_in_range(times[digit], 130, 290);
    }
    fixture_done(&f);
}

/* The queries come in an order of their own; by chance one set in 24 of four keeps the list's. */
static void test_recall_asks_in_another_order(void **state)
{
    (void)state;
    struct fixture f = fixture_opened(&tare_task_recall, "items=100 level=4", 1);
    int in_order = 0;
    for (size_t i = 0; i < 100; i++) {
        const char *line = fixture_item(&f, i).text.data; /* R: a1 b2 c3 d4 ? a1 b2 c3 d4 */
        in_order += memcmp(line + 2, line + 16, 12) == 0;
    }
    assert_in_range(in_order, 0, 15);
    fixture_done(&f);
}

/* Follows the draws as synthetic.h documents them: the first held-out one is the level's first item. */
static void test_documented_draws(void **state)
{
    (void)state;
    static const int32_t levels[] = {4, 8, 16};
    struct tare_rng seed;
    tare_rng_init(&seed, 99);
    struct fixture f = fixture_opened(&tare_task_sort, NULL, 99);
    for (size_t k = 0; k < 3; k++) {
        const struct tare_rng level = tare_rng_split(&seed, "level", (uint64_t)levels[k]);
        char prompt[32];
        int n = 0;
        uint64_t attempt = 0;
        do {
            struct tare_rng rng = tare_rng_split(&level, "attempt", attempt++);
            n = snprintf(prompt, sizeof prompt, "S: ");
            for (int i = 0; i < levels[k]; i++) {
                prompt[n++] = (char)('0' + (int)tare_rng_below(&rng, 10));
            }
            n += snprintf(prompt + n, sizeof prompt - (size_t)n, " ? ");
        } while (crc_by_table(prompt, (size_t)n) % 16 != 0);
        assert_memory_equal(fixture_item(&f, k).text.data, prompt, n);
    }
    fixture_done(&f);
}

static size_t held_out_sums_of_two_digits(void)
{
    size_t n = 0;
    for (int a = 10; a < 100; a++) {
        for (int b = 10; b < 100; b++) {
            char prompt[16];
            int len = snprintf(prompt, sizeof prompt, "A: %d+%d=", a, b);
            n += crc_by_table(prompt, (size_t)len) % 16 == 0;
        }
    }
    return n;
}

static int open_add(const char *words, struct tare_err *err)
{
    struct fixture f = fixture_make(&tare_task_add);
    fixture_set(&f, words);
    int rc = fixture_open(&f, 7);
    *err = f.err;
    fixture_done(&f);
    return rc;
}

static void test_exhausted_level(void **state)
{
    (void)state;
    struct tare_err err = {0};
    char words[64];
    char most[32];
    size_t n = held_out_sums_of_two_digits();
    (void)snprintf(words, sizeof words, "level=2 items=%zu", n);
    assert_int_equal(open_add(words, &err), 0);
    (void)snprintf(words, sizeof words, "level=2 items=%zu", n + 1);
    assert_int_equal(open_add(words, &err), TARE_E_USAGE);
    (void)snprintf(most, sizeof most, "at most %zu items", n);
    assert_non_null(strstr(err.msg, most));
    assert_non_null(strstr(err.msg, "8100"));
    /* Both levels: the first has every other item. */
    (void)snprintf(words, sizeof words, "items=%zu", 2 * n + 1);
    assert_int_equal(open_add(words, &err), TARE_E_USAGE);
    (void)snprintf(most, sizeof most, "at most %zu items", 2 * n);
    assert_non_null(strstr(err.msg, most));
    (void)snprintf(words, sizeof words, "items=%zu", 2 * n);
    assert_int_equal(open_add(words, &err), 0);
}

static void test_refusals(void **state)
{
    (void)state;
    struct tare_item item = {.level = 77};
    struct fixture f = fixture_make(&tare_task_flip);
    fixture_set(&f, "level=1");
    assert_int_equal(fixture_open(&f, 1), TARE_E_USAGE);
    assert_non_null(strstr(f.err.msg, "level 1"));
    fixture_done(&f);
    f = fixture_opened(&tare_task_sort, "items=5", 1);
    assert_int_equal(tare_task_sort.item(f.self, 5, &item, &f.err), TARE_E_USAGE);
    assert_int_equal(item.level, 77);
    assert_int_not_equal(tare_opts_set(tare_task_sort.options, f.self, "items", "0", "sort", &f.err), 0);
    fixture_done(&f);
    f = fixture_make(&tare_task_recall);
    assert_int_not_equal(tare_opts_set(tare_task_recall.options, f.self, "level", "27", "recall", &f.err), 0);
    fixture_done(&f);
}

static void test_metrics(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        const struct tare_metric *metrics = kinds[k].task->metrics;
        assert_string_equal(metrics[0].name, "token_acc");
        assert_int_equal(metrics[0].rule, TARE_METRIC_RATIO);
        assert_string_equal(metrics[1].name, "exact");
        assert_int_equal(metrics[1].rule, TARE_METRIC_EXACT);
        assert_null(metrics[2].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_items_are_right),
        cmocka_unit_test(test_one_level),
        cmocka_unit_test(test_seed_and_length),
        cmocka_unit_test(test_generate_mode),
        cmocka_unit_test(test_calc_asks_for_every_answer),
        cmocka_unit_test(test_recall_asks_in_another_order),
        cmocka_unit_test(test_documented_draws),
        cmocka_unit_test(test_exhausted_level),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_metrics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
