/* SPDX-License-Identifier: Apache-2.0 */
/* Messages: what reaches standard error, caught through a pipe; nothing reaches standard output. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"

static int ends[2], kept;
static char caught[8192];

static void catch_begin(void)
{
    assert_int_equal(pipe(ends), 0);
    kept = dup(STDERR_FILENO);
    assert_true(kept >= 0);
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
}

static const char *catch_end(void)
{
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    assert_int_equal(close(kept), 0);
    assert_int_equal(close(ends[1]), 0);
    ssize_t n = read(ends[0], caught, sizeof caught - 1);
    assert_true(n >= 0);
    caught[n] = '\0';
    assert_int_equal(close(ends[0]), 0);
    return caught;
}

static void test_lines(void **state)
{
    (void)state;
    static const struct {
        enum tare_log_level level;
        const char *area;
        const char *line;
    } cases[] = {
        {TARE_LOG_ERROR, NULL, "tare: error: disk 7% full\n"},
        {TARE_LOG_WARN, NULL, "tare: warning: disk 7% full\n"},
        {TARE_LOG_INFO, NULL, "tare: disk 7% full\n"},
        {TARE_LOG_INFO, "store", "tare: [store] disk 7% full\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        catch_begin();
        tare_log(cases[i].level, cases[i].area, "disk %d%% %s", 7, "full");
        assert_string_equal(catch_end(), cases[i].line);
    }
}

static void test_levels(void **state)
{
    (void)state;
    static const char letters[] = " ewid";
    for (int level = TARE_LOG_ERROR; level <= TARE_LOG_DEBUG; level++) {
        tare_log_set_level((enum tare_log_level)level);
        catch_begin();
        for (int of = TARE_LOG_ERROR; of <= TARE_LOG_DEBUG; of++) {
            tare_log((enum tare_log_level)of, NULL, "<%c>", letters[of]);
        }
        const char *text = catch_end();
        for (int of = TARE_LOG_ERROR; of <= TARE_LOG_DEBUG; of++) {
            char word[] = {'<', letters[of], '>', '\0'};
            assert_int_equal(strstr(text, word) != NULL, of <= level);
        }
    }
    tare_log_set_level(TARE_LOG_INFO);
}

static size_t count(const char *text, char c)
{
    size_t n = 0;
    for (; *text; text++) {
        n += *text == c;
    }
    return n;
}

/* However long the words are, it is one line with an end. */
static void test_long(void **state)
{
    (void)state;
    static char words[3000];
    memset(words, 'w', sizeof words - 1);
    for (int i = 0; i < 3; i++) {
        catch_begin();
        tare_log(TARE_LOG_INFO, i == 1 ? words : i == 2 ? "area" : NULL, "%s", words);
        const char *text = catch_end();
        size_t n = strlen(text);
        assert_true(n > 1000);
        assert_int_equal(text[n - 1], '\n');
        assert_int_equal(count(text, '\n'), 1);
        assert_memory_equal(text, "tare: ", 6);
    }
}

/* Words of a user's file must neither begin a line of their own nor steer the terminal. */
static void test_one_line(void **state)
{
    (void)state;
    catch_begin();
    tare_log(TARE_LOG_ERROR, NULL, "key \"%s\"", "a\nb\rc\033[2Jd\xc3\xa9");
    const char *text = catch_end();
    assert_int_equal(count(text, '\n'), 1);
    assert_int_equal(count(text, '\r'), 0);
    assert_int_equal(count(text, '\033'), 0);
    assert_non_null(strstr(text, "\xc3\xa9")); /* UTF-8 stays */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
