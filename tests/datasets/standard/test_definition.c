/* SPDX-License-Identifier: Apache-2.0 */
/* Task files that are refused, each with the word that names the fault. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "files.h"

#define HEAD    "{\"tare_task\": 1, \"name\": \"t\", "
#define SOURCES "\"sources\": {\"test\": {\"file\": \"d.jsonl\"}}, "
#define TEXTS   "\"context\": \"{{q}}\", \"choices\": [\"a\", \"b\"], \"target\": \"{{gold}}\", "
#define METRICS "\"metrics\": [{\"metric\": \"acc\"}]}"
#define CHOICE  "\"output\": \"multiple_choice\", "

static const struct {
    const char *why, *text, *word;
} faults[] = {
    {"not JSON", "{", "task.json"},
    {"no mark of a task file", "{\"name\": \"t\", " CHOICE SOURCES TEXTS METRICS, "tare_task"},
    {"a later form", "{\"tare_task\": 2, \"name\": \"t\"}", "tare_task"},
    {"no name", "{\"tare_task\": 1, " CHOICE SOURCES TEXTS METRICS, "name"},
    {"an unknown key", HEAD "\"contxt\": \"\", " CHOICE SOURCES TEXTS METRICS, "contxt"},
    {"an unknown output", HEAD "\"output\": \"guess\", " SOURCES TEXTS METRICS, "output"},
    {"no sources", HEAD CHOICE TEXTS METRICS, "sources"},
    {"a split of another name", HEAD CHOICE "\"sources\": {\"dev\": {\"file\": \"d\"}}, " TEXTS METRICS,
     "dev"},
    {"a source without a file", HEAD CHOICE "\"sources\": {\"test\": {}}, " TEXTS METRICS, "file"},
    {"an unknown key of a source", HEAD CHOICE "\"sources\": {\"test\": {\"flie\": \"d\"}}, " TEXTS METRICS,
     "flie"},
    {"a split that has no file", HEAD CHOICE "\"split\": \"train\", " SOURCES TEXTS METRICS, "sources"},
    {"no choices", HEAD CHOICE SOURCES "\"target\": \"0\", " METRICS, "choices"},
    {"a choice that is no text", HEAD CHOICE SOURCES "\"choices\": [1], \"target\": \"0\", " METRICS,
     "choices"},
    {"no target", HEAD CHOICE SOURCES "\"choices\": [\"a\"], " METRICS, "target"},
    {"a context that is no text",
     HEAD CHOICE SOURCES "\"context\": 1, \"choices\": [\"a\"], \"target\": \"0\", " METRICS, "context"},
    {"a template that does not parse",
     HEAD CHOICE SOURCES "\"context\": \"{{\", \"choices\": [\"a\"], \"target\": \"0\", " METRICS, "context"},
    {"no metrics", HEAD CHOICE SOURCES TEXTS "\"metrics\": []}", "metrics"},
    {"an unknown metric", HEAD CHOICE SOURCES TEXTS "\"metrics\": [{\"metric\": \"luck\"}]}", "luck"},
    {"a metric of another output", HEAD CHOICE SOURCES TEXTS "\"metrics\": [{\"metric\": \"bleu\"}]}",
     "bleu"},
    {"an unknown option of a metric",
     HEAD "\"output\": \"generate_until\", " SOURCES TEXTS
          "\"metrics\": [{\"metric\": \"exact_match\", \"ignore_csae\": true}]}",
     "ignore_csae"},
    {"examples by another rule", HEAD CHOICE "\"fewshot\": \"best\", " SOURCES TEXTS METRICS, "fewshot"},
    {"too many examples", HEAD CHOICE "\"num_fewshot\": 1000, " SOURCES TEXTS METRICS, "num_fewshot"},
    {"samples that are no list", HEAD CHOICE "\"samples\": {}, " SOURCES TEXTS METRICS, "samples"},
    {"stops that are no list",
     HEAD "\"output\": \"generate_until\", \"until\": \"x\", " SOURCES TEXTS
          "\"metrics\": [{\"metric\": \"exact_match\"}]}",
     "until"},
};

static void test_faults(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct opened_task t = open_file(put_file("task.json", faults[i].text), NULL);
        print_message("%s: %s\n", faults[i].why, t.err.msg);
        assert_true(t.rc < 0);
        assert_null(t.task);
        assert_non_null(strstr(t.err.msg, faults[i].word));
        close_file(&t);
        drop_file();
    }
}

static void test_a_good_one_says_what_it_is(void **state)
{
    (void)state;
    struct opened_task t =
        open_file(put_file("task.json",
                           HEAD "\"version\": 3, \"description\": \"a test\", " CHOICE SOURCES TEXTS METRICS),
                  NULL);
    assert_non_null(t.task); /* its data is not there, which only opening finds */
    assert_true(t.rc < 0);
    assert_non_null(strstr(t.err.msg, "d.jsonl"));
    assert_string_equal(t.task->name, "t");
    assert_string_equal(t.task->summary, "a test");
    assert_int_equal(t.task->version, 3);
    assert_string_equal(t.task->metrics[0].name, "acc");
    assert_null(t.task->metrics[1].name);
    assert_string_equal(t.task->columns[0], "acc");
    close_file(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_faults, make_files, remove_files),
        cmocka_unit_test_setup_teardown(test_a_good_one_says_what_it_is, make_files, remove_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
