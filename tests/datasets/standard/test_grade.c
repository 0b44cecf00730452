/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of single documents: each metric by hand, and where characters, bytes and filters part. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "files.h"

static const char head[] =
    "{\"tare_task\": 1, \"name\": \"t\", \"sources\": {\"test\": {\"file\": \"d.jsonl\"}}, ";

static struct opened_task open_rest(const char *rest)
{
    char text[4096];
    (void)snprintf(text, sizeof text, "%s%s", head, rest);
    struct opened_task t = open_file(put_file("task.json", text), NULL);
    print_message("%s", t.rc < 0 ? t.err.msg : "");
    assert_int_equal(t.rc, 0);
    return t;
}

static void grade(struct opened_task *t, size_t item, const struct tare_answer *answers, size_t n,
                  double *scores)
{
    assert_int_equal(t->task->grade(t->self, item, answers, n, scores, &t->err), 0);
}

/* Three characters in three bytes against two in six: per nothing, per character and per byte pick
 * differently. */
static void test_characters_are_not_bytes(void **state)
{
    static const struct {
        const char *why;
        double a, b;
        double acc, acc_norm, acc_bytes; /* is the second choice picked? */
    } cases[] = {
        {"the first by all", -1, -9, 0, 0, 0},
        {"the second by bytes alone", -3, -5, 0, 0, 1}, /* -1 and -2.5 a character, -1 and -0.83 a byte */
        {"the second by all", -3, -1, 1, 1, 1},
    };
    double s[3];
    (void)state;
    put_file("d.jsonl", "{\"c\": [\"abc\", \"\xe2\x82\xac\xe2\x82\xac\"]}\n");
    struct opened_task t =
        open_rest("\"output\": \"multiple_choice\", \"choices\": \"{{c}}\", \"target\": \"1\", "
                  "\"metrics\": [{\"metric\": \"acc\"}, {\"metric\": \"acc_norm\"}, {\"metric\": "
                  "\"acc_bytes\"}]}");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct tare_answer answers[] = {{.loglik = cases[i].a}, {.loglik = cases[i].b}};
        print_message("%s\n", cases[i].why);
        grade(&t, 0, answers, 2, s);
        assert_true(s[0] == cases[i].acc && s[1] == cases[i].acc_norm && s[2] == cases[i].acc_bytes);
    }
    close_file(&t);
}

static void test_ties_and_no_gold(void **state)
{
    const struct tare_answer equal[] = {{.loglik = -2}, {.loglik = -2}};
    double s[1];
    (void)state;
    put_file("d.jsonl", "{\"g\": 0}\n{\"g\": 1}\n{\"g\": 7}\n");
    struct opened_task t =
        open_rest("\"output\": \"multiple_choice\", \"choices\": [\"a\", \"b\"], \"target\": "
                  "\"{{g}}\", \"metrics\": [{\"metric\": \"acc\"}]}");
    grade(&t, 0, equal, 2, s);
    assert_true(s[0] == 1); /* the first of equals */
    grade(&t, 1, equal, 2, s);
    assert_true(s[0] == 0);
    grade(&t, 2, equal, 2, s); /* an index out of range is right for nothing */
    assert_true(s[0] == 0);
    close_file(&t);
}

static void test_probabilities(void **state)
{
    const struct tare_answer answers[] = {{.loglik = log(0.2)}, {.loglik = log(0.6)}};
    double s[8];
    (void)state;
    put_file("d.jsonl", "{\"g\": 1}\n");
    struct opened_task t =
        open_rest("\"output\": \"multiple_choice\", \"choices\": [\"a\", \"b\"], \"target\": "
                  "\"{{g}}\", \"metrics\": [{\"metric\": \"brier_score\"}, {\"metric\": \"f1\"}, "
                  "{\"metric\": \"mcc\"}]}");
    grade(&t, 0, answers, 2, s);
    assert_true(fabs(s[0] - 0.125) < 1e-15); /* (1/4)^2 + (3/4 - 1)^2 */
    assert_string_equal(t.task->columns[1], "f1.gold");
    assert_true(s[1] == 1 && s[2] == 1 && s[3] == 1 && s[4] == 1);
    close_file(&t);
}

static void test_true_answers(void **state)
{
    const struct tare_answer answers[] = {{.loglik = log(0.1)}, {.loglik = log(0.2)}, {.loglik = log(0.3)}};
    double s[2];
    (void)state;
    put_file("d.jsonl", "{\"question\": \"q\", \"mc2_targets\": {\"choices\": [\"a\", \"b\", \"c\"], "
                        "\"labels\": [1, 0, 1]}}\n");
    struct opened_task t = open_rest(
        "\"output\": \"multiple_choice\", \"choices\": \"{{mc2_targets.choices}}\", \"target\": \"0\", "
        "\"metrics\": [{\"metric\": \"mc2\"}, {\"metric\": \"mc2\", \"as\": \"then\", \"cut\": "
        "\"first_zero\"}]}");
    grade(&t, 0, answers, 3, s);
    assert_true(fabs(s[0] - 4.0 / 6) < 1e-15);
    assert_true(fabs(s[1] - 1.0 / 6) < 1e-15);
    assert_string_equal(t.task->metrics[1].name, "then");
    close_file(&t);
}

static void test_likelihood(void **state)
{
    const struct tare_answer answer = {.loglik = -2.5, .greedy = true};
    double s[2];
    (void)state;
    put_file("d.jsonl", "{\"t\": \"x\"}\n");
    struct opened_task t =
        open_rest("\"output\": \"loglikelihood\", \"context\": \"a\", \"target\": \"{{t}}\", "
                  "\"metrics\": [{\"metric\": \"perplexity\"}, {\"metric\": \"acc\"}]}");
    grade(&t, 0, &answer, 1, s);
    assert_true(s[0] == -2.5 && s[1] == 1);
    close_file(&t);
}

/* Windows of one page add up; words and bytes are those of the raw page. */
static void test_rolling(void **state)
{
    const struct tare_answer windows[] = {{.loglik = -2}, {.loglik = -3}};
    double s[4];
    (void)state;
    put_file("d.jsonl", " = A = \n b \n");
    struct opened_task t = open_file(
        put_file("task.json",
                 "{\"tare_task\": 1, \"name\": \"t\", \"sources\": {\"test\": {\"file\": \"d.jsonl\", "
                 "\"format\": \"text\"}}, \"hook\": \"wikitext\", \"output\": \"loglikelihood_rolling\", "
                 "\"target\": \"{{page}}\", \"metrics\": [{\"metric\": \"word_perplexity\"}, {\"metric\": "
                 "\"bits_per_byte\"}]}"),
        NULL);
    grade(&t, 0, windows, 2, s);
    assert_true(s[0] == -5 && s[1] == 6 && s[2] == -5 && s[3] == 12);
    close_file(&t);
}

/* Grade-school arithmetic: the strict chain, and the flexible one; "." in a pattern eats a character. */
static void test_filters(void **state)
{
    static const struct {
        const char *why, *output;
        double strict, flexible;
    } cases[] = {
        {"both", "it is so. #### 18", 1, 1},
        {"with a separator and a point", "#### 1,8.", 1, 1},
        {"no mark: the last number", "5 and then 18", 0, 1},
        {"money", "#### $18", 0, 1},
        {"another", "#### 17", 0, 0},
        {"nothing", "no idea", 0, 0},
    };
    double s[2];
    (void)state;
    put_file("d.jsonl", "{\"answer\": \"work <<9+9=18>>\\n#### 18\"}\n");
    struct opened_task t = open_rest(
        "\"output\": \"generate_until\", \"context\": \"\", \"target\": \"{{answer}}\", \"filters\": "
        "[{\"name\": "
        "\"strict-match\", \"chain\": [{\"function\": \"regex\", \"regex_pattern\": \"#### "
        "(\\\\-?[0-9\\\\.\\\\,]+)\"}]}, {\"name\": \"flexible-extract\", \"chain\": [{\"function\": "
        "\"regex\", "
        "\"group_select\": -1, \"regex_pattern\": \"(-?[$0-9.,]{2,})|(-?[0-9]+)\"}]}], \"metrics\": "
        "[{\"metric\": "
        "\"exact_match\", \"ignore_case\": true, \"regexes_to_ignore\": [\",\", \"\\\\$\", \"(?s).*#### \", "
        "\"\\\\.$\"]}]}");
    assert_string_equal(t.task->metrics[0].name, "exact_match.strict-match");
    assert_string_equal(t.task->metrics[1].name, "exact_match.flexible-extract");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct tare_answer answer = {.output = {cases[i].output, strlen(cases[i].output)}};
        print_message("%s\n", cases[i].why);
        grade(&t, 0, &answer, 1, s);
        assert_true(s[0] == cases[i].strict && s[1] == cases[i].flexible);
    }
    close_file(&t);
}

static void test_corpus_columns(void **state)
{
    static const char output[] = "ein kleines Haus am See";
    const struct tare_answer answer = {.output = {output, sizeof output - 1}};
    double s[TARE_MAX_COLUMNS];
    (void)state;
    put_file("d.jsonl", "{\"de\": \"ein kleines Haus am See\"}\n");
    struct opened_task t = open_rest("\"output\": \"generate_until\", \"context\": \"\", \"target\": "
                                     "\"{{de}}\", \"metrics\": [{\"metric\": "
                                     "\"bleu\"}, {\"metric\": \"ter\"}, {\"metric\": \"chrf\"}]}");
    grade(&t, 0, &answer, 1, s);
    assert_string_equal(t.task->columns[0], "bleu.0");
    assert_true(s[0] == 5 && s[1] == 5);   /* lengths */
    assert_true(s[2] == 5 && s[3] == 4);   /* matched words and pairs */
    assert_true(s[10] == 0 && s[11] == 5); /* no edit, of five words */
    close_file(&t);
}

/* The true answer itself: 100 against it, more than against a false one. */
static void test_truthful(void **state)
{
    static const char output[] = "The seeds pass through your body.";
    const struct tare_answer answer = {.output = {output, sizeof output - 1}};
    double s[3];
    (void)state;
    put_file("d.jsonl", "{\"question\": \"q\", \"correct_answers\": [\"The seeds pass through your body\"], "
                        "\"incorrect_answers\": [\"You grow melons\"]}\n");
    struct opened_task t =
        open_rest("\"output\": \"generate_until\", \"hook\": \"truthfulqa_gen\", \"target\": "
                  "\"{{correct_answers}}\", \"metrics\": [{\"metric\": \"rouge1_max\"}, {\"metric\": "
                  "\"bleu_acc\"}, {\"metric\": \"rougeL_diff\"}]}");
    grade(&t, 0, &answer, 1, s);
    assert_true(fabs(s[0] - 100) < 1e-9 && s[1] == 1 && fabs(s[2] - 100) < 1e-9);
    close_file(&t);
}

/* The second is likelier, but it is likelier with nothing before it, too. */
static void test_mutual_information(void **state)
{
    const struct tare_answer answers[] = {{.loglik = -4}, {.loglik = -3}, {.loglik = -9}, {.loglik = -2}};
    double s[2];
    (void)state;
    put_file("d.jsonl", "{\"q\": \"so\"}\n");
    struct opened_task t =
        open_rest("\"output\": \"multiple_choice\", \"context\": \"{{q}}\", \"choices\": [\"a\", "
                  "\"b\"], \"target\": \"0\", \"metrics\": [{\"metric\": \"acc\"}, {\"metric\": "
                  "\"acc_mutual_info\"}]}");
    struct tare_item item = item_of(&t, 0);
    assert_int_equal(item.n_choices, 4);
    assert_int_equal(item.n_picked, 2);
    assert_text(item.contexts[1], "so");
    assert_text(item.contexts[3], "");
    assert_text(item.choices[3], " b");
    grade(&t, 0, answers, 4, s);
    assert_true(s[0] == 0 && s[1] == 1);
    close_file(&t);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, make_files, remove_files)
    const struct CMUnitTest tests[] = {
        CASE(test_characters_are_not_bytes),
        CASE(test_ties_and_no_gold),
        CASE(test_probabilities),
        CASE(test_true_answers),
        CASE(test_likelihood),
        CASE(test_rolling),
        CASE(test_filters),
        CASE(test_corpus_columns),
        CASE(test_truthful),
        CASE(test_mutual_information),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
