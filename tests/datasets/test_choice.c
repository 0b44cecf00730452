/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tasks choice and swap: that the right answer is what the text says, that the wrong ones are wrong
 * and drawn from where they should be, and that the right one is not always in the same place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fixture.h"

extern const struct tare_task tare_task_choice;
extern const struct tare_task tare_task_swap;

/* Every source of the task, one after the other, NUL between. */
static struct tare_bytes read_sources(struct fixture *f)
{
    char *all = NULL;
    size_t n = 0;
    for (size_t i = 0; f->task->source(f->self, i); i++) {
        size_t more = 0;
        char *bytes = fixture_read(f->task->source(f->self, i), &more);
        all = realloc(all, n + more + 1);
        assert_non_null(all);
        memcpy(all + n, bytes, more + 1);
        n += more + 1;
        free(bytes);
    }
    return (struct tare_bytes){.data = all, .n = n};
}

static void free_bytes(struct tare_bytes bytes)
{
    char *data;
    memcpy(&data, &bytes.data, sizeof data);
    free(data);
}

/* Whether the text holds the context directly followed by the choice. */
static bool continues(struct tare_bytes text, struct tare_bytes context, struct tare_bytes choice)
{
    char joined[1024];
    assert_true(context.n + choice.n <= sizeof joined);
    memcpy(joined, context.data, context.n);
    memcpy(joined + context.n, choice.data, choice.n);
    return fixture_contains(text, (struct tare_bytes){.data = joined, .n = context.n + choice.n});
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool same(struct tare_bytes a, struct tare_bytes b)
{
    return a.n == b.n && memcmp(a.data, b.data, a.n) == 0;
}

static void check_question(const struct tare_item *item, struct tare_bytes text)
{
    assert_int_equal(item->kind, TARE_ITEM_CHOICE);
    assert_int_equal(item->n_choices, 4);
    assert_in_range(item->gold, 0, 3);
    assert_true(item->text.n >= 120);
    for (size_t i = 0; i < 4; i++) {
        struct tare_bytes choice = item->choices[i];
        assert_in_range(choice.n, 60, 80);
        assert_int_equal(choice.data[0], ' ');
        assert_true(is_letter(choice.data[1]));
        assert_true(fixture_contains(text, choice));
        assert_int_equal(continues(text, item->text, choice), i == item->gold);
        for (size_t j = 0; j < i; j++) {
            assert_false(same(choice, item->choices[j]));
        }
    }
}

static void test_questions(void **state)
{
    (void)state;
    struct fixture f = fixture_opened(&tare_task_choice, NULL, 21);
    struct tare_bytes text = read_sources(&f);
    size_t golds[4] = {0};
    assert_int_equal(tare_task_choice.count(f.self), 128);
    assert_int_equal(tare_task_choice.norm, TARE_NORM_BYTES);
    for (size_t i = 0; i < 128; i++) {
        struct tare_item item = fixture_item(&f, i);
        check_question(&item, text);
        golds[item.gold]++;
        for (size_t j = 0; j < i; j++) {
            assert_false(same(fixture_item(&f, j).text, item.text));
        }
    }
    for (size_t i = 0; i < 4; i++) { /* 32 expected, standard deviation 4.9 */
        assert_in_range(golds[i], 12, 52);
    }
    free_bytes(text);
    fixture_done(&f);
}

/* How many of the first n items of two seeds agree in text and choices. */
static size_t count_same(const struct tare_task *task, uint64_t seed_a, uint64_t seed_b, size_t n)
{
    struct fixture a = fixture_opened(task, NULL, seed_a);
    struct fixture b = fixture_opened(task, "items=200", seed_b);
    size_t agree = 0;
    for (size_t i = 0; i < n; i++) {
        struct tare_item x = fixture_item(&a, i);
        struct tare_item y = fixture_item(&b, i);
        agree += same(x.text, y.text) && x.gold == y.gold && same(x.choices[0], y.choices[0]) &&
                 same(x.choices[1], y.choices[1]);
    }
    fixture_done(&a);
    fixture_done(&b);
    return agree;
}

static void test_seeds(void **state)
{
    (void)state;
    assert_int_equal(count_same(&tare_task_choice, 4, 4, 128), 128);
    assert_in_range(count_same(&tare_task_choice, 4, 5, 128), 0, 8);
    assert_int_equal(count_same(&tare_task_swap, 4, 4, 128), 128);
    assert_in_range(count_same(&tare_task_swap, 4, 5, 128), 0, 8);
}

/* Writes n paragraphs of 100 words without a full stop that begin with `mark`, no two words alike. */
static void write_paragraphs(FILE *file, char mark, int n)
{
    for (int paragraph = 0; paragraph < n; paragraph++) {
        for (int word = 0; word < 100; word++) {
            (void)fprintf(file, "%s%c%c%c%c", word ? " " : "", mark, 'a' + paragraph, 'a' + word / 26,
                          'a' + word % 26);
        }
        (void)fputs("\n\n", file);
    }
}

/* counts[d] paragraphs in document d, whose words begin with 'A' + d. */
static void write_documents(char *path, const int *counts, int n)
{
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *file = fdopen(fd, "w");
    assert_non_null(file);
    for (int d = 0; d < n; d++) {
        write_paragraphs(file, (char)('A' + d), counts[d]);
        (void)fputc('\0', file);
    }
    assert_int_equal(fclose(file), 0);
}

static void test_where_wrong_choices_come_from(void **state)
{
    (void)state;
    char path[] = "/tmp/tare_choice_XXXXXX";
    write_documents(path, (const int[]){5, 2, 1}, 3);
    struct fixture f = fixture_make(&tare_task_choice);
    fixture_set_text(&f, "path", path);
    fixture_set(&f, "items=60");
    assert_int_equal(fixture_open(&f, 2), 0);
    int from_small = 0;
    int strangers = 0;
    for (size_t i = 0; i < 60; i++) {
        struct tare_item item = fixture_item(&f, i);
        char paragraph[4] = {0};
        for (size_t c = 0; c < 4; c++) {
            char document = item.choices[c].data[1];
            paragraph[c] = item.choices[c].data[2];
            if (item.text.data[0] == 'A') {
                assert_int_equal(document, 'A');
            } else {
                strangers += document != item.text.data[0];
            }
            for (size_t k = 0; k < c; k++) { /* four different paragraphs */
                assert_true(paragraph[k] != paragraph[c] || item.choices[k].data[1] != document);
            }
        }
        from_small += item.text.data[0] != 'A';
    }
    assert_in_range(from_small, 20, 55);
    assert_true(strangers >= from_small); /* two paragraphs or one cannot fill three wrong choices */
    fixture_done(&f);
    (void)unlink(path);
}

static void assert_refused(const struct tare_task *task, const char *path, const char *words, int code,
                           const char *says)
{
    struct fixture f = fixture_make(task);
    fixture_set_text(&f, "path", path);
    fixture_set(&f, words);
    assert_int_equal(fixture_open(&f, 1), code);
    if (!strstr(f.err.msg, says)) {
        fail_msg("\"%s\" lacks \"%s\"", f.err.msg, says);
    }
    fixture_done(&f);
}

static void test_text_too_small(void **state)
{
    (void)state;
    char three[] = "/tmp/tare_choice_XXXXXX";
    char four[] = "/tmp/tare_choice_XXXXXX";
    write_documents(three, (const int[]){3}, 1);
    write_documents(four, (const int[]){4}, 1);
    assert_refused(&tare_task_choice, three, NULL, TARE_E_FORMAT, "found 3");
    assert_refused(&tare_task_choice, four, "items=1000", TARE_E_USAGE, "fewer items");
    assert_refused(&tare_task_swap, four, NULL, TARE_E_USAGE, "gave only 0"); /* words, but no sentence */
    (void)unlink(three);
    (void)unlink(four);
}

static size_t count_spaces(struct tare_bytes bytes)
{
    size_t n = 0;
    for (size_t i = 0; i < bytes.n; i++) {
        n += bytes.data[i] == ' ';
    }
    return n;
}

/* The one place where b differs from a is two neighbouring words changed over. */
static void check_swapped(struct tare_bytes a, struct tare_bytes b)
{
    assert_int_equal(a.n, b.n);
    size_t begin = 0;
    size_t end = a.n;
    while (a.data[begin] == b.data[begin]) {
        begin++;
        assert_true(begin < a.n);
    }
    while (a.data[end - 1] == b.data[end - 1]) {
        end--;
    }
    while (a.data[begin - 1] != ' ') { /* words may begin or end alike */
        begin--;
    }
    while (a.data[end] != ' ') {
        end++;
    }
    struct tare_bytes part = {.data = a.data + begin, .n = end - begin};
    const char *space = memchr(part.data, ' ', part.n);
    assert_non_null(space);
    size_t first = (size_t)(space - part.data);
    size_t second = part.n - first - 1;
    assert_null(memchr(space + 1, ' ', second));
    /* At least two words stand before the two and two after. */
    assert_true(count_spaces((struct tare_bytes){.data = a.data, .n = begin}) >= 2);
    assert_true(count_spaces((struct tare_bytes){.data = a.data + end, .n = a.n - end}) >= 2);
    assert_memory_equal(b.data + begin, space + 1, second);
    assert_int_equal(b.data[begin + second], ' ');
    assert_memory_equal(b.data + begin + second + 1, part.data, first);
    for (size_t i = 0; i < part.n; i++) {
        assert_true(is_letter(part.data[i]) || part.data + i == space);
    }
}

static void test_swaps(void **state)
{
    (void)state;
    struct fixture f = fixture_opened(&tare_task_swap, "items=200", 8);
    struct tare_bytes text = read_sources(&f);
    size_t first = 0;
    assert_int_equal(tare_task_swap.count(f.self), 200);
    assert_int_equal(tare_task_swap.norm, TARE_NORM_NONE);
    for (size_t i = 0; i < 200; i++) {
        struct tare_item item = fixture_item(&f, i);
        assert_int_equal(item.kind, TARE_ITEM_CHOICE);
        assert_int_equal(item.n_choices, 2);
        assert_int_equal(item.text.n, 0);
        struct tare_bytes right = item.choices[item.gold];
        assert_in_range(right.n, 42, 162);
        assert_in_range(right.data[0], 'A', 'Z');
        assert_non_null(strchr(".!?", right.data[right.n - 1]));
        assert_true(fixture_contains(text, right));
        assert_false(fixture_contains(text, item.choices[1 - item.gold]));
        check_swapped(right, item.choices[1 - item.gold]);
        first += item.gold == 0;
    }
    assert_in_range(first, 70, 130);
    free_bytes(text);
    fixture_done(&f);
}

/* The only neighbours that could change places are "had had", which would leave the sentence as it is. */
static void test_same_word_twice(void **state)
{
    (void)state;
    char path[] = "/tmp/tare_choice_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *file = fdopen(fd, "w");
    assert_non_null(file);
    (void)fputs("It 1x Had had 2y 3z 4k 5l 6m 7n 8o 9p 10q 11r 12s end.", file);
    for (int i = 0; i < 100; i++) {
        (void)fputs(" filler", file);
    }
    assert_int_equal(fclose(file), 0);
    assert_refused(&tare_task_swap, path, "items=1", TARE_E_USAGE, "gave only 0");
    (void)unlink(path);
}

static void test_metrics(void **state)
{
    (void)state;
    const struct tare_task *const tasks[] = {&tare_task_choice, &tare_task_swap};
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(tasks[i]->metrics[0].name, "acc");
        assert_int_equal(tasks[i]->metrics[0].rule, TARE_METRIC_RATIO);
        assert_false(tasks[i]->metrics[0].lower_is_better);
        assert_null(tasks[i]->metrics[1].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_questions),
        cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_where_wrong_choices_come_from),
        cmocka_unit_test(test_text_too_small),
        cmocka_unit_test(test_swaps),
        cmocka_unit_test(test_same_word_twice),
        cmocka_unit_test(test_metrics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
