/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML and the tasks in it: what is read prints as JSON that is read again to the same text, and what is
 * converted is a task with a name and metrics. A failure touches nothing.
 */
#include "fuzz.h"

#include "interop/lm_eval_task.h"
#include "interop/yaml_tree.h"

#include <stdlib.h>
#include <string.h>

static const struct fuzz_seed seeds[] = {
    FUZZ_TEXT(
        "task: t\ndataset_path: a/b\noutput_type: multiple_choice\nvalidation_split: v\ndoc_to_text: \"Q: "
        "{{q}}\\nA:\"\ndoc_to_target: label\ndoc_to_choice: [a, 'no', 1]\n"),
    FUZZ_TEXT(
        "task: g\ntag:\n  - x\ndataset_path: b\ndataset_name: null\ndataset_kwargs: {data_files: {test: "
        "t.jsonl}}\ntest_split: test\nfewshot_split: dev\ndoc_to_text: |\n  line\n  {{x}}\ndoc_to_target: "
        ">-\n  "
        "{{answer\n  }}\noutput_type: generate_until\ngeneration_kwargs:\n  until: [\"</s>\", \"\\n\"]\n  "
        "do_sample: "
        "false\n  temperature: 0.0\n  max_gen_toks: 5\nfilter_list:\n- name: f\n  filter:\n  - function: "
        "regex\n    "
        "regex_pattern: \"a\"\n  - function: take_first\nmetric_list:\n- metric: exact_match\n  ignore_case: "
        "true\n  "
        "regexes_to_ignore: [\",\"]\nfewshot_config: {sampler: first_n, samples: [&a {q: 1.5}, "
        "*a]}\nmetadata: "
        "{version: 3.0}\nrepeats: 1\n"),
    FUZZ_TEXT("{a: [1, -2, +3, .5, 1., 1.5e+3, ~, yes, \"\\u00e9\", 'it''s', !function x.y, !!str 1], ? b : "
              "&x c, d: *x}\n"),
};

static const char *const words[] = {"task: ",
                                    "include: ",
                                    "- ",
                                    "  ",
                                    "\n",
                                    ": ",
                                    "[",
                                    "]",
                                    "{",
                                    "}",
                                    "&a ",
                                    "*a",
                                    "!function ",
                                    "!!str ",
                                    "|\n",
                                    ">-\n",
                                    "\"",
                                    "'",
                                    "~",
                                    "<<: ",
                                    "? ",
                                    "---\n",
                                    "...\n",
                                    "%YAML 1.1\n",
                                    "doc_to_text: ",
                                    "doc_to_choice: ",
                                    "metric_list: ",
                                    "filter_list: ",
                                    "null",
                                    "0x1f",
                                    "2001-12-14",
                                    "1:30",
                                    "1e400",
                                    "# c\n",
                                    "\\u0000",
                                    "\xc3\xa9",
                                    "\t",
                                    NULL};

static void check_same(const struct tare_json *json)
{
    char *text = NULL, *again = NULL;
    struct tare_json *read = NULL;
    struct tare_err err = {0};
    fuzz_check(tare_json_print(json, false, &text, &err) == 0, "a tree that does not print");
    fuzz_check(tare_json_parse_exact(text, strlen(text), "again", &read, &err) == 0, err.msg);
    fuzz_check(tare_json_print(read, false, &again, &err) == 0, "a tree that does not print again");
    fuzz_check(strcmp(text, again) == 0, "JSON that changes when it is read");
    free(text);
    free(again);
    tare_json_destroy(read);
}

static void check_task(const struct tare_json *yaml, struct tare_err *err)
{
    struct tare_json *task = NULL, *notes = tare_json_new_array();
    int r = tare_lm_eval_task_convert(yaml, "fuzz", &task, notes, err);
    fuzz_check((r == 0) == (task != NULL), "a task after a failure, or none after success");
    fuzz_check(r == 0 || err->msg[0], "a failure without a message");
    if (r == 0) {
        check_same(task);
        fuzz_check(tare_json_str(tare_json_get(task, "name")) != NULL, "a task without a name");
        fuzz_check(tare_json_size(tare_json_get(task, "metrics")) > 0, "a task without metrics");
        fuzz_check(tare_json_str(tare_json_get(task, "context")) != NULL, "a task without a context");
        fuzz_check(tare_json_get(tare_json_get(task, "sources"),
                                 tare_json_str(tare_json_get(task, "split"))) != NULL,
                   "a split without a source");
    }
    tare_json_destroy(task);
    tare_json_destroy(notes);
}

static int read_yaml(const char *data, size_t n, struct tare_rng *rng, struct tare_err *err)
{
    struct tare_json *yaml = NULL;
    struct tare_err ignored = {0};
    (void)rng;
    int r = tare_yaml_parse(data, n, "fuzz", &yaml, err);
    fuzz_check((r == 0) == (yaml != NULL), "a tree after a failure, or none after success");
    if (r == 0) {
        check_same(yaml);
        check_task(yaml, &ignored);
    }
    tare_json_destroy(yaml);
    return r;
}

int main(void)
{
    const struct fuzz_target target = {"yaml", seeds, sizeof seeds / sizeof *seeds, words, 40000, read_yaml};
    return fuzz_main(&target) || fuzz_replay(&target);
}
