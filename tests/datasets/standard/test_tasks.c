/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked: prompts, choices, examples and stops of small task files, by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "files.h"

static const char head[] =
    "{\"tare_task\": 1, \"name\": \"t\", \"sources\": {\"test\": {\"file\": \"d.jsonl\"}}, ";

static const char *put_task(const char *rest)
{
    char text[4096];
    (void)snprintf(text, sizeof text, "%s%s", head, rest);
    return put_file("task.json", text);
}

static void test_choices_have_the_delimiter(void **state)
{
    (void)state;
    put_file("d.jsonl", "{\"q\": \"One?\", \"c\": [\"yes\", \" no\"], \"gold\": 1}\n");
    struct opened_task t = open_file(
        put_task("\"output\": \"multiple_choice\", \"context\": \"Q: {{q}}\\nA:\", \"choices\": \"{{c}}\", "
                 "\"target\": \"{{gold}}\", \"metrics\": [{\"metric\": \"acc\"}]}"),
        NULL);
    struct tare_item item = item_of(&t, 0);
    assert_int_equal(item.kind, TARE_ITEM_CHOICE);
    assert_text(item.text, "Q: One?\nA:");
    assert_int_equal(item.n_choices, 2);
    assert_text(item.choices[0], " yes");
    assert_text(item.choices[1], "  no"); /* two blanks are real */
    assert_int_equal(item.gold, 1);
    assert_int_equal(t.task->count(t.self), 1);
    close_file(&t);
}

/* A text of digits is an index even where a choice reads alike; other texts are looked up. */
static void test_targets(void **state)
{
    static const struct {
        const char *why, *gold;
        size_t expected;
    } cases[] = {
        {"a number", "1", 1}, {"digits in a text", "\"2\"", 2}, {"the text of a choice", "\"b\"", 1}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[128];
        (void)snprintf(line, sizeof line, "{\"gold\": %s}\n", cases[i].gold);
        put_file("d.jsonl", line);
        const char *path = put_task("\"output\": \"multiple_choice\", \"choices\": [\"2\", \"b\", \"c\"], "
                                    "\"target\": \"{{gold}}\", \"metrics\": [{\"metric\": \"acc\"}]}");
        struct opened_task t = open_file(path, NULL);
        print_message("%s\n", cases[i].why);
        assert_int_equal(item_of(&t, 0).gold, cases[i].expected);
        close_file(&t);
        drop_file();
        drop_file();
    }
}

static void test_contexts_of_their_own(void **state)
{
    (void)state;
    put_file("d.jsonl", "{\"s\": \"Ann met Eve and _ smiled.\", \"o\": [\"Ann\", \"Eve\"]}\n");
    struct opened_task t = open_file(
        put_task(
            "\"output\": \"multiple_choice\", \"contexts\": \"{{[s[:s.index('_')] + o[0], s[:s.index('_')] + "
            "o[1]]}}\", \"choices\": \"{{[s[s.index('_') + 1:].strip(), s[s.index('_') + 1:].strip()]}}\", "
            "\"target\": \"0\", \"metrics\": [{\"metric\": \"acc\"}]}"),
        NULL);
    struct tare_item item = item_of(&t, 0);
    assert_text(item.contexts[0], "Ann met Eve and Ann");
    assert_text(item.contexts[1], "Ann met Eve and Eve");
    assert_text(item.choices[0], " smiled.");
    assert_text(item.choices[1], " smiled.");
    close_file(&t);
}

static const char shots[] =
    "\"output\": \"multiple_choice\", \"preamble\": \"Say.\\n\\n\", \"context\": \"Q{{n}}\", "
    "\"choices\": [\"a\", \"b\"], \"target\": \"{{n % 2}}\", \"metrics\": [{\"metric\": \"acc\"}]";

/* 21 documents, so that the draw is the one that CPython makes of a copy of the list. */
static void put_numbers(void)
{
    char text[2048] = "";
    for (int i = 0; i < 21; i++) {
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "{\"n\": %d}\n", i);
    }
    put_file("d.jsonl", text);
}

/* random.Random(1234).sample(range(21), 5), twice: [14, 3, 0, 2, 1], then [2, 3, 11, 7, 0]. */
static void test_examples_are_drawn_as_there(void **state)
{
    static const char *const options[] = {"num_fewshot=5", NULL};
    char rest[1024];
    (void)state;
    put_numbers();
    (void)snprintf(rest, sizeof rest, "%s, \"fewshot_split\": \"test\"}", shots);
    struct opened_task t = open_file(put_task(rest), options);
    assert_text(item_of(&t, 0).text, "Say.\n\nQ14 a\n\nQ3 b\n\nQ0 a\n\nQ2 a\n\nQ1 b\n\nQ0");
    assert_text(item_of(&t, 1).text, "Say.\n\nQ2 a\n\nQ3 b\n\nQ11 b\n\nQ7 b\n\nQ0 a\n\nQ1");
    assert_text(item_of(&t, 0).text, "Say.\n\nQ14 a\n\nQ3 b\n\nQ0 a\n\nQ2 a\n\nQ1 b\n\nQ0");
    close_file(&t);
}

/* Without a test split one more is drawn, and the document itself is left out: of five of five for two. */
static void test_a_document_is_no_example_of_itself(void **state)
{
    static const char *const options[] = {"num_fewshot=4", NULL};
    (void)state;
    put_file("d.jsonl", "{\"n\": 0}\n{\"n\": 1}\n{\"n\": 2}\n{\"n\": 3}\n{\"n\": 4}\n");
    char text[2048];
    (void)snprintf(
        text, sizeof text,
        "{\"tare_task\": 1, \"name\": \"t\", \"sources\": {\"validation\": {\"file\": \"d.jsonl\"}}, %s}",
        shots);
    struct opened_task t = open_file(put_file("task.json", text), options);
    for (size_t i = 0; i < 5; i++) {
        char own[16], prompt[256];
        struct tare_item item = item_of(&t, i);
        (void)snprintf(own, sizeof own, "Q%zu ", i);
        (void)snprintf(prompt, sizeof prompt, "%.*s", (int)item.text.n, item.text.data);
        assert_null(strstr(prompt, own));
        assert_int_equal(strlen(prompt), strlen("Say.\n\n") + 4 * strlen("Q0 a\n\n") + strlen("Q0"));
    }
    close_file(&t);
}

static void test_the_first_examples(void **state)
{
    static const char *const options[] = {"num_fewshot=2", NULL};
    char rest[1024];
    (void)state;
    put_numbers();
    (void)snprintf(rest, sizeof rest, "%s, \"fewshot\": \"first\", \"fewshot_split\": \"test\"}", shots);
    struct opened_task t = open_file(put_task(rest), options);
    assert_text(item_of(&t, 20).text, "Say.\n\nQ0 a\n\nQ1 b\n\nQ20");
    close_file(&t);
}

static void test_samples_of_the_task_file(void **state)
{
    static const char *const options[] = {"num_fewshot=2", "limit=1", NULL};
    char rest[1024];
    (void)state;
    put_numbers();
    (void)snprintf(rest, sizeof rest, "%s, \"fewshot\": \"first\", \"samples\": [{\"n\": 7}, {\"n\": 8}]}",
                   shots);
    struct opened_task t = open_file(put_task(rest), options);
    assert_text(item_of(&t, 0).text, "Say.\n\nQ7 b\n\nQ8 a\n\nQ0");
    assert_int_equal(t.task->count(t.self), 1);
    close_file(&t);
}

static void test_too_few_examples(void **state)
{
    static const char *const options[] = {"num_fewshot=30", NULL};
    char rest[1024];
    (void)state;
    put_numbers();
    (void)snprintf(rest, sizeof rest, "%s}", shots);
    struct opened_task t = open_file(put_task(rest), options);
    assert_true(t.rc < 0);
    assert_non_null(strstr(t.err.msg, "30"));
    close_file(&t);
}

static void test_generation(void **state)
{
    (void)state;
    put_file("d.jsonl", "{\"q\": \"2 + 2\", \"a\": [\"4\", \"four\"]}\n");
    struct opened_task t = open_file(
        put_task(
            "\"output\": \"generate_until\", \"context\": \"{{q}} =\", \"target\": \"{{a}}\", \"until\": "
            "[\"\\n\", \".\"], \"max_output\": 9, \"metrics\": [{\"metric\": \"exact_match\"}]}"),
        NULL);
    struct tare_item item = item_of(&t, 0);
    assert_int_equal(item.kind, TARE_ITEM_GENERATE);
    assert_text(item.text, "2 + 2 =");
    assert_int_equal(item.n_stops, 2);
    assert_text(item.stops[1], ".");
    assert_int_equal(item.max_output, 9);
    close_file(&t);
}

static void test_likelihood_and_rolling(void **state)
{
    (void)state;
    put_file("d.jsonl", "{\"text\": \"one two  three\"}\n");
    struct opened_task t = open_file(
        put_task(
            "\"output\": \"loglikelihood\", \"context\": \"{{text.split(' ')[:-1]|join(' ')}}\", \"target\": "
            "\"{{' ' + text.split(' ')[-1]}}\", \"target_delimiter\": \"\", \"metrics\": [{\"metric\": "
            "\"perplexity\"}]}"),
        NULL);
    struct tare_item item = item_of(&t, 0);
    assert_text(item.text, "one two ");
    assert_int_equal(item.n_choices, 1);
    assert_text(item.choices[0], " three");
    close_file(&t);
    t = open_file(put_file("rolling.json",
                           "{\"tare_task\": 1, \"name\": \"r\", \"sources\": {\"test\": {\"file\": "
                           "\"d.jsonl\"}}, \"output\": "
                           "\"loglikelihood_rolling\", \"target\": \"{{text}}\", \"metrics\": [{\"metric\": "
                           "\"bits_per_byte\"}]}"),
                  NULL);
    item = item_of(&t, 0);
    assert_int_equal(item.kind, TARE_ITEM_TEXT);
    assert_text(item.text, "one two  three");
    close_file(&t);
}

static void test_labels_of_another_file(void **state)
{
    (void)state;
    put_file("d.jsonl", "{\"q\": \"x\"}\n{\"q\": \"y\"}\n");
    put_file("l.lst", "1\n0\n");
    const char *task =
        "{\"tare_task\": 1, \"name\": \"t\", \"sources\": {\"test\": {\"file\": \"d.jsonl\", \"labels\": "
        "\"l.lst\"}}, \"output\": \"multiple_choice\", \"choices\": [\"a\", \"b\"], \"target\": "
        "\"{{label}}\", \"metrics\": [{\"metric\": \"acc\"}]}";
    struct opened_task t = open_file(put_file("task.json", task), NULL);
    assert_int_equal(item_of(&t, 0).gold, 1);
    assert_int_equal(item_of(&t, 1).gold, 0);
    close_file(&t);
    put_file("l.lst", "1\n");
    t = open_file(put_file("again.json", task), NULL);
    assert_true(t.rc < 0);
    assert_non_null(strstr(t.err.msg, "fewer labels"));
    close_file(&t);
}

/* Words of the question change, those of the template, the choices and the examples do not. */
static void test_perturbed(void **state)
{
    static const char *const options[] = {"num_fewshot=1", "perturb=swap", "perturb_rate=1", NULL};
    static const char *const wrong[] = {"perturb=shout", NULL};
    (void)state;
    put_file("d.jsonl", "{\"q\": \"chemical reaction\", \"c\": [\"yellow\", \"green\"]}\n");
    const char *path =
        put_task("\"output\": \"multiple_choice\", \"context\": \"Question: {{q}}\", \"choices\": \"{{c}}\", "
                 "\"target\": \"0\", \"samples\": [{\"q\": \"table\", \"c\": [\"chair\"]}], "
                 "\"fewshot\": \"first\", \"metrics\": [{\"metric\": \"acc\"}]}");
    struct opened_task t = open_file(path, options);
    struct tare_item item = item_of(&t, 0);
    static const char before[] = "Question: table chair\n\nQuestion: ", plain[] = "chemical reaction";
    assert_int_equal(item.text.n, sizeof before - 1 + sizeof plain - 1);
    assert_memory_equal(item.text.data, before, sizeof before - 1);
    assert_memory_not_equal(item.text.data + sizeof before - 1, plain, sizeof plain - 1);
    assert_text(item.choices[0], " yellow");
    close_file(&t);
    t = open_file(path, wrong);
    assert_true(t.rc < 0);
    assert_non_null(strstr(t.err.msg, "swap, delete"));
    close_file(&t);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, make_files, remove_files)
    const struct CMUnitTest tests[] = {
        CASE(test_choices_have_the_delimiter),
        CASE(test_targets),
        CASE(test_contexts_of_their_own),
        CASE(test_examples_are_drawn_as_there),
        CASE(test_a_document_is_no_example_of_itself),
        CASE(test_the_first_examples),
        CASE(test_samples_of_the_task_file),
        CASE(test_too_few_examples),
        CASE(test_generation),
        CASE(test_likelihood_and_rolling),
        CASE(test_labels_of_another_file),
        CASE(test_perturbed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
