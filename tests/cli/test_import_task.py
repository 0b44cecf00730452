# SPDX-License-Identifier: Apache-2.0
"""Tasks of lm-evaluation-harness become tasks of ours: what is converted, what is refused and by which words."""
import json
import os

from clilib import contains, equal, main, strict_json, tare, true

# The least that a task needs.
BASE = """task: t
dataset_path: org/set
output_type: multiple_choice
validation_split: validation
doc_to_text: "Q: {{question}}\\nA:"
doc_to_target: label
doc_to_choice: [a, b]
"""


def write(name, text):
    with open(name, "w", encoding="utf-8") as to:
        to.write(text)
    return name


def convert(text, name="t.yaml", rc=0):
    return tare("import", "lm-eval-task", write(name, text), rc=rc)


def task(text):
    return strict_json(convert(text).out, "task")


def test_least():
    """Everything that was left unsaid is said."""
    equal(task(BASE), {
        "tare_task": 1, "name": "t", "version": 0,
        "description": "imported from t.yaml of lm-evaluation-harness", "licence": None,
        "sources": {"validation": {"file": "set/validation.jsonl"}}, "split": "validation", "num_fewshot": 0,
        "fewshot": "random", "output": "multiple_choice", "hook": None,
        "context": "Q: {{question}}\nA:", "choices": ["a", "b"], "target": "{{label}}", "target_delimiter": " ",
        "fewshot_delimiter": "\n\n", "preamble": "",
        "metrics": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True},
                    {"metric": "acc_norm", "aggregation": "mean", "higher_is_better": True}]}, "the task")


def test_whole():
    """A generating task with everything in it."""
    got = task("""
tag: [math]
task: sums
dataset_path: org/sums
dataset_name: main
output_type: generate_until
training_split: train
fewshot_split: train
test_split: test
description: "Solve.\\n\\n"
doc_to_text: 'Question: {{question}}

  Answer:'
doc_to_target: "{{answer.split('####')[-1].strip() if answer is defined else target}}"
target_delimiter: ""
fewshot_delimiter: "\\n"
num_fewshot: 5
fewshot_config:
  sampler: first_n
  samples: [{question: "1+1", target: "2"}, {question: "2+2", target: "4"}]
generation_kwargs: {until: ["</s>", "Q:"], do_sample: false, temperature: 0.0, max_gen_toks: 99}
filter_list:
- name: strict-match
  filter:
  - function: regex
    regex_pattern: "#### (\\\\-?[0-9]+)"
  - function: take_first
- name: last
  filter: [{function: regex, group_select: -1, regex_pattern: "[0-9]+"}, {function: take_first}]
metric_list:
- metric: exact_match
  aggregation: mean
  higher_is_better: true
  ignore_case: true
  regexes_to_ignore: [",", "\\\\$"]
repeats: 1
should_decontaminate: true
metadata: {version: 3.0}
""")
    equal(got["version"], 3, "version")
    equal(got["sources"], {"train": {"file": "sums/main/train.jsonl"}, "test": {"file": "sums/main/test.jsonl"}},
          "sources")
    equal([got["split"], got["fewshot_split"], got["num_fewshot"], got["fewshot"]], ["test", "train", 5, "first"],
          "splits")
    equal(got["samples"], [{"question": "1+1", "target": "2"}, {"question": "2+2", "target": "4"}], "samples")
    equal([got["context"], got["preamble"]], ["Question: {{question}}\nAnswer:", "Solve.\n\n"], "texts")
    equal([got["target_delimiter"], got["fewshot_delimiter"]], ["", "\n"], "delimiters")
    equal([got["until"], got["max_output"]], [["</s>", "Q:"], 99], "generation")
    equal(got["filters"], [
        {"name": "strict-match", "chain": [{"function": "regex", "regex_pattern": "#### (\\-?[0-9]+)"},
                                           {"function": "take_first"}]},
        {"name": "last", "chain": [{"function": "regex", "group_select": -1, "regex_pattern": "[0-9]+"},
                                   {"function": "take_first"}]}], "filters")
    equal(got["metrics"], [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True,
                            "ignore_case": True, "regexes_to_ignore": [",", "\\$"]}], "metrics")


def test_defaults():
    """What depends on the kind of output."""
    generate = BASE.replace("multiple_choice", "generate_until")
    equal([task(generate)["until"], task(generate)["max_output"]], [["\n\n"], 256], "until")
    equal([m["metric"] for m in task(generate)["metrics"]], ["exact_match"], "generate")
    rolling = BASE.replace("multiple_choice", "loglikelihood_rolling")
    equal([(m["metric"], m["aggregation"]) for m in task(rolling)["metrics"]],
          [("word_perplexity", "weighted_perplexity"), ("byte_perplexity", "weighted_perplexity"),
           ("bits_per_byte", "bits_per_byte")], "rolling")
    true("until" not in task(rolling), "nothing is generated")
    equal(task(BASE + "test_split: dev\n")["split"], "test", "the test is asked before the validation")
    got = task(BASE + "fewshot_split: dev\n")
    equal([got["sources"]["train"], got["fewshot_split"]], [{"file": "set/dev.jsonl"}, "train"], "a split of its own")
    true("fewshot_forced" not in got and task(BASE + "num_fewshot: 0\n")["fewshot_forced"], "0 is 0 for good")
    done = convert(BASE + "metadata: {version: 1.5}\n")
    equal(json.loads(done.out)["version"], 1, "a version with a point")
    contains(done.err, "is lost", "a version with a point")
    equal(task(BASE + "dataset_kwargs: {data_files: {validation: v.jsonl}}\n")["sources"],
          {"validation": {"file": "v.jsonl"}}, "data_files")


def test_scalars():
    """Plain words are what PyYAML makes of them, and choices are their str()."""
    got = task(BASE.replace("[a, b]", "[no, 'no', 1, -7, ~x, \"{\", yes, \"a\\tb\"]"))
    equal(got["choices"], ["False", "no", "1", "-7", "~x", "{", "True", "a\tb"], "choices")
    got = task(BASE.replace("[a, b]", "{x: first, 1: second}"))
    equal(got["choices"], ["first", "second"], "the values of a mapping")
    got = task(BASE.replace("[a, b]", "[!!str 1, !!int 2, !!bool yes, ! no]") + "num_fewshot: !!null ~\n")
    equal(got["choices"], ["1", "2", "True", "no"], "tags that say what it is")
    equal(task(BASE.replace("label", "0"))["target"], "0", "a constant index")
    equal(task(BASE.replace("label", "\" \""))["target"], " ", "a blank")
    equal(task(BASE.replace("[a, b]", "choices"))["choices"], "{{choices}}", "a column")
    equal(task(BASE + "num_fewshot: &n 3\nfewshot_config: {samples: [{a: *n}, {a: &m [1.5, .5, 2.]}, {a: *m}]}\n")
          ["samples"], [{"a": 3}, {"a": [1.5, 0.5, 2.0]}, {"a": [1.5, 0.5, 2.0]}], "aliases are copies")


def test_include():
    """Includes lie beside the file that names them; the file itself wins, then the later one."""
    os.mkdir("sub")
    write("sub/_base_yaml", BASE + "include: deep/_deep.yaml\ndescription: base\n")
    os.mkdir("sub/deep")
    write("sub/deep/_deep.yaml", "description: deep\ntarget_delimiter: deep\nmetadata: {version: 1.0}\n")
    write("sub/_more.yaml", "description: more\nfewshot_delimiter: more\n")
    write("sub/one.yaml", "include: _base_yaml\ntask: one\n")
    one = strict_json(tare("import", "lm-eval-task", "sub/one.yaml").out, "one")
    equal([one["name"], one["preamble"], one["target_delimiter"], one["version"]], ["one", "base", "deep", 1], "one")
    write("sub/two.yaml", "task: two\ninclude: [_base_yaml, _more.yaml]\ntarget_delimiter: own\n")
    two = strict_json(tare("import", "lm-eval-task", "sub/two.yaml").out, "two")
    equal([two["preamble"], two["target_delimiter"], two["fewshot_delimiter"]], ["more", "own", "more"], "two")
    write("loop.yaml", "include: loop.yaml\n")
    contains(tare("import", "lm-eval-task", "loop.yaml", rc=5).err, "includes itself", "a loop")
    write("gone.yaml", "include: none.yaml\n")
    contains(tare("import", "lm-eval-task", "gone.yaml", rc=5).err, "none.yaml", "a file that is not there")


REFUSED = [
    ("process_docs: !function utils.process_docs\n", ["process_docs: !function utils.process_docs", "no hook of tare"]),
    ("metric_list: [{metric: acc, aggregation: !function agg.f1}]\n", ["aggregation: !function agg.f1"]),
    ("doc_to_txt: a\n", ["'doc_to_txt'", "did you mean 'doc_to_text'"]),
    ("metric_list: [{metric: acc, higer_is_better: true}]\n", ["metric_list", "did you mean 'higher_is_better'"]),
    ("metric_list: [{metric: mine}]\n", ["'mine' needs aggregation"]),
    ("filter_list: [{name: f, filter: [{function: custom}]}]\n", ["function 'custom'"]),
    ("filter_list: [{name: f, filters: []}]\n", ["did you mean 'filter'"]),
    ("generation_kwargs: {do_sample: true}\noutput_type2: x\n", ["'output_type2'"]),
    ("gen_prefix: a\n", ["gen_prefix: our tasks have none"]),
    ("aggregate_metric_list: [{metric: acc}]\n", ["a group of tasks; import each"]),
    ("repeats: 4\n", ["repeats: only 1"]),
    ("dataset_kwargs: {revision: abc}\n", ["dataset_kwargs", "'revision'"]),
    ("fewshot_config: {sampler: balanced}\n", ["sampler 'balanced'"]),
    ("fewshot_config: {doc_to_text: a}\n", ["fewshot_config", "'doc_to_text'"]),
    ("task: again\n", ["line 8", "this key stands twice: 'task'"]),
    ("test_split: a\ntraining_split: b\nfewshot_split: c\n", ["fewshot_split: a fourth split 'c'"]),
    ("metadata: {version: 2024-01-31}\n", ["line 8", "'2024-01-31'"]),
    ("num_fewshot: 0x10\n", ["'0x10'"]),
    ("description: !!python/object:os.system x\n", ["this tag is not known"]),
    ("yes: 1\n", ["a key has to be text", "'yes'"]),
    ("description: *x\n", ["no anchor"]),
    ("a: {<<: {b: 1}}\n", ["merge keys"]),
    ("description: [\n", ["line"]),
    ("---\ntask: u\n", ["one document is expected"]),
]


def test_refused():
    for more, says in REFUSED:
        done = convert(BASE + more, rc=5)
        equal(done.out, "", more)
        for part in says:
            contains(done.err, part, more)


def test_refused_changes():
    """The least task with one line changed."""
    for old, new, says in [
            ("doc_to_target: label", "doc_to_target: Answer Key", "may be a column or plain text"),
            ("[a, b]", "['{{a}}', b]", "would be a template here"),
            ("[a, b]", "[[a], b]", "text is expected, found array"),
            ("[a, b]", "[1.5, b]", "write this number in quotes"),
            ("{{question}}", "{{question|reverse}}", "context: line 1, column 15: filter 'reverse'"),
            ("validation_split: validation\n", "", "nothing would be asked"),
            ("dataset_path: org/set\n", "", "the task has no data"),
            ("task: t\n", "", "the task has no name"),
            ("doc_to_choice: [a, b]\n", "", "multiple_choice task needs it"),
            ("multiple_choice", "winner", "output_type: 'winner'"),
            ("task: t\n", "task: hellaswag\nprocess_docs: !function utils.process_docs\n", '"hook": "hellaswag"')]:
        contains(convert(BASE.replace(old, new), rc=5).err, says, new)
    contains(convert("- a\n", rc=5).err, "a task is a mapping", "a list")
    contains(convert("", rc=5).err, "no document", "an empty file")


def test_output():
    """To a file; notes on standard error; neither a database nor half a file."""
    done = tare("import", "lm-eval-task", write("t.yaml", BASE), "--output", "t.json")
    equal(done.out, "", "standard output")
    with open("t.json", encoding="utf-8") as file:
        equal(json.load(file)["name"], "t", "the file")
    contains(done.err, "validation is read from set/validation.jsonl", "where the data has to lie")
    contains(done.err, "licence", "what is to be looked up")
    tare("import", "lm-eval-task", write("bad.yaml", BASE + "x: 1\n"), "--output", "bad.json", rc=5)
    true(not os.path.exists("bad.json") and not os.path.exists("tare.db"), "files that should not be")
    tare("import", "lm-eval-task", rc=2)
    tare("import", "lm-eval-task", "t.yaml", "t.yaml", rc=2)
    contains(tare("import", "t.yaml", "--output", "x", rc=2).err, "lm-eval-task", "--output without it")


if __name__ == "__main__":
    main(globals())
