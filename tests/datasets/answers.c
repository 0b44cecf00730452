/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answers of the synthetic tasks, worked out from an item's text by another way than the
 * generators'; see answers.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "answers.h"

/* Span i of the item is [begin, begin + n). */
static void assert_span(const struct tare_item *item, size_t i, size_t begin, size_t n)
{
    assert_true(i < item->n_spans);
    assert_int_equal(item->spans[i].begin, begin);
    assert_int_equal(item->spans[i].end, begin + n);
}

size_t answer_recall(const char *line, const struct tare_item *item)
{
    char digit_of[256] = {0};
    size_t at = 2;
    assert_memory_equal(line, "R:", 2);
    for (int i = 0; i < item->level; i++, at += 3) {
        assert_int_equal(line[at], ' ');
        assert_in_range(line[at + 1], 'a', 'z');
        assert_in_range(line[at + 2], '0', '9');
        assert_int_equal(digit_of[(unsigned char)line[at + 1]], 0); /* no letter twice */
        digit_of[(unsigned char)line[at + 1]] = line[at + 2];
    }
    assert_memory_equal(line + at, " ?", 2);
    at += 2;
    size_t prompt_n = at;
    size_t queries = item->level < 8 ? (size_t)item->level : 8;
    assert_int_equal(item->n_spans, queries);
    for (size_t i = 0; i < queries; i++, at += 3) {
        char want = digit_of[(unsigned char)line[at + 1]];
        assert_int_equal(line[at], ' ');
        assert_int_equal(line[at + 2], want);
        assert_in_range(want, '0', '9');
        assert_span(item, i, at + 2, 1);
        digit_of[(unsigned char)line[at + 1]] = 0; /* asked once */
    }
    assert_string_equal(line + at, "\n");
    return prompt_n;
}

size_t answer_copy(const char *line, const struct tare_item *item)
{
    size_t n = 2 * (size_t)item->level;
    assert_memory_equal(line, "C:", 2);
    assert_memory_equal(line + 2 + n, " ?", 2);
    assert_memory_equal(line + 2, line + 4 + n, n);
    assert_string_equal(line + 4 + 2 * n, "\n");
    assert_int_equal(item->n_spans, item->level);
    for (size_t i = 0; i < item->n_spans; i++) {
        assert_int_equal(line[2 + 2 * i], ' ');
        assert_in_range(line[3 + 2 * i], 'a', 'z');
        assert_span(item, i, 4 + n + 2 * i, 2);
    }
    return 4 + n;
}

size_t answer_sort(const char *line, const struct tare_item *item)
{
    size_t n = (size_t)item->level;
    const char *given = line + 3;
    const char *sorted = given + n + 3;
    assert_memory_equal(line, "S: ", 3);
    assert_memory_equal(given + n, " ? ", 3);
    assert_string_equal(sorted + n, "\n");
    assert_int_equal(item->n_spans, n);
    int balance[10] = {0}; /* a digit given counts up, a digit answered counts down */
    for (size_t i = 0; i < n; i++) {
        assert_in_range(given[i], '0', '9');
        assert_in_range(sorted[i], i ? sorted[i - 1] : '0', '9');
        balance[given[i] - '0']++;
        balance[sorted[i] - '0']--;
        assert_span(item, i, 6 + n + i, 1);
    }
    for (int digit = 0; digit < 10; digit++) {
        assert_int_equal(balance[digit], 0);
    }
    return 6 + n;
}

size_t answer_add(const char *line, const struct tare_item *item)
{
    char *end = NULL;
    assert_memory_equal(line, "A: ", 3);
    long long a = strtoll(line + 3, &end, 10);
    assert_int_equal(end - (line + 3), item->level);
    assert_int_equal(*end, '+');
    const char *second = end + 1;
    long long b = strtoll(second, &end, 10);
    assert_int_equal(end - second, item->level);
    assert_int_equal(*end, '=');
    assert_true(item->level == 1 || (line[3] != '0' && *second != '0'));
    size_t prompt_n = (size_t)(end + 1 - line);
    char want[32];
    int n = snprintf(want, sizeof want, "%lld\n", a + b);
    assert_string_equal(line + prompt_n, want);
    assert_int_equal(item->n_spans, n - 1);
    for (size_t i = 0; i < item->n_spans; i++) {
        assert_span(item, i, prompt_n + i, 1);
    }
    return prompt_n;
}

/* Rewrites innermost brackets by their values until one digit is left; *depth is how often. */
static char reduce(char *text, int *depth)
{
    for (*depth = 0; text[1] != '\0'; (*depth)++) {
        char *to = text;
        for (char *from = text; *from;) {
            char *close = strchr(from, ']');
            char *inner = strchr(from + 1, '[');
            if (*from != '[' || (inner && inner < close)) {
                *to++ = *from++;
                continue;
            }
            int least = 10;
            int most = -1;
            int sum = 0;
            int operands = 0;
            for (char *p = from + 2; p < close; p++, operands++) {
                int v = *p - '0';
                assert_in_range(v, 0, 9);
                least = v < least ? v : least;
                most = v > most ? v : most;
                sum += v;
            }
            assert_in_range(operands, 2, 3);
            assert_non_null(strchr("^_+", from[1]));
            *to++ = (char)('0' + (from[1] == '^' ? most : from[1] == '_' ? least : sum % 10));
            from = close + 1;
        }
        *to = '\0';
    }
    return text[0];
}

size_t answer_calc(const char *line, const struct tare_item *item)
{
    const char *equals = strchr(line, '=');
    assert_memory_equal(line, "L: [", 4);
    assert_non_null(equals);
    char *expression = strndup(line + 3, (size_t)(equals - line - 3));
    int depth = 0;
    char want = reduce(expression, &depth);
    free(expression);
    assert_int_equal(depth, item->level);
    assert_int_equal(equals[1], want);
    assert_string_equal(equals + 2, "\n");
    assert_int_equal(item->n_spans, 1);
    assert_span(item, 0, (size_t)(equals + 1 - line), 1);
    return (size_t)(equals + 1 - line);
}

size_t answer_flip(const char *line, const struct tare_item *item)
{
    size_t n = 3 + 2 * (size_t)item->level;
    size_t reads = 0;
    assert_memory_equal(line, "F: w", 4);
    assert_string_equal(line + n, "\n");
    assert_int_equal(line[n - 2], 'r');
    for (size_t at = 3; at < n; at += 2) {
        assert_non_null(strchr("wir", line[at]));
        assert_in_range(line[at + 1], '0', '9');
        if (line[at] == 'r') { /* walk back to the last write */
            size_t write = at;
            while (line[write] != 'w') {
                write -= 2;
            }
            assert_int_equal(line[at + 1], line[write + 1]);
            assert_span(item, reads++, at + 1, 1);
        }
    }
    assert_int_equal(item->n_spans, reads);
    return n;
}
