# SPDX-License-Identifier: Apache-2.0
"""Standard tasks beside lm-evaluation-harness: its hash of the request list and its metrics for given log-likelihoods.

The data and the values that version 0.3 stored for its tests are not part of the project."""
import csv
import json
import os

from clilib import Skip, equal, main, query, tare, true

SHARED = os.environ.get("TARE_SHARED", "")
DATA = os.path.join(SHARED, "data")
GOLDEN = os.path.join(DATA, "lm_eval_golden")
TOLERANCE = 1e-12

# Forms of version 0.3 that are others than today's.
MMLU = {"tare_task": 1, "name": "mmlu_v03", "version": 1, "output": "multiple_choice",
        "context": "Question: {{question}}\nChoices:\nA. {{choice0}}\nB. {{choice1}}\nC. {{choice2}}\nD. {{choice3}}\nAnswer:",
        "choices": "{{[choice0, choice1, choice2, choice3]}}", "target": "{{answer|int}}",
        "metrics": [{"metric": "acc"}, {"metric": "acc_norm"}, {"metric": "acc_bytes"}]}


def golden(name):
    if not os.path.exists(GOLDEN):
        raise Skip("no reference data beside the project")
    with open(os.path.join(GOLDEN, "golden.jsonl"), encoding="utf-8") as lines:
        return next(row for row in map(json.loads, lines) if row["task"] == name)


def check_hash(task, row):
    equal(tare("prompts", task, "--hash", "lm-eval-0.3").out.strip(), row["upstream_request_sha256"], f"requests of {task}")


def figures(db):
    return {name: value for name, value in query(db, "SELECT name, value FROM figure")}


def check_metrics(task, replay, expected, names=None):
    """names: of our figures where golden ones are called otherwise"""
    db = f"{os.path.basename(replay)}.db"
    tare("run", "--db", db, "--model", f"replay,path={replay}", "--task", task, "--repeats", "1")
    found = figures(db)
    for name, value in expected.items():
        ours = (names or {}).get(name, name)
        true(ours in found and found[ours] is not None and abs(found[ours] - value) <= TOLERANCE,
             f"{task}: {ours} is {found.get(ours)}, not {value}")
    return found


def check(name, task, **more):
    row = golden(name)
    check_hash(task, row)
    check_metrics(task, os.path.join(GOLDEN, f"replay_{name}.tsv"), {**row["expected"], **more})


def test_piqa():
    check("piqa", f"piqa,data={DATA}")


def test_arc():
    check("arc_easy", f"arc_easy,data={DATA}")
    check("arc_challenge", f"arc_challenge,data={DATA}")


def test_winogrande():
    check("winogrande", f"winogrande,data={DATA}")


def test_wikitext():
    check("wikitext", f"wikitext,data={DATA}")


def write(name, definition):
    with open(name, "w", encoding="utf-8") as to:
        json.dump(definition, to)
    return f"./{name}"


def test_mmlu():
    for subject in ("abstract_algebra", "high_school_us_history"):
        name = f"mmlu_{subject}_v030format"
        row = golden(name)
        path = write(f"{subject}.json", {**MMLU, "sources": {"test": {"file": f"mmlu/test/{subject}_test.csv"}}})
        check(name, f"{path},data={DATA}", **row["extra"])


def cut_replay(source, name, counts, behind):
    """The answers of the first choices of each document, or those behind them, numbered anew."""
    with open(source, encoding="utf-8") as rows, open(name, "w", encoding="utf-8") as to:
        to.write("doc\treq\tloglikelihood\n")
        for row in csv.DictReader(rows, delimiter="\t"):
            number = int(row["req"]) - (counts[int(row["doc"])] if behind else 0)
            if number >= 0 and (behind or number < counts[int(row["doc"])]):
                to.write(f"{row['doc']}\t{number}\t{row['loglikelihood']}\n")
    return os.path.abspath(name)


def test_truthfulqa():
    """One task then, two today: choices of the first question, then those of the second."""
    row = golden("truthfulqa_mc")
    replay = os.path.join(GOLDEN, "replay_truthfulqa_mc.tsv")
    with open(os.path.join(os.environ["TARE_DATA"], "tasks", "truthfulqa_mc1.json"), encoding="utf-8") as text:
        first = json.load(text)
    both = {**first, "choices": "{{mc1_targets.choices + mc2_targets.choices}}"}
    check_hash(f"{write('both.json', both)},data={DATA}", row)
    with open(os.path.join(DATA, "truthfulqa", "mc_task.v0.json"), encoding="utf-8") as text:
        counts = [len(document["mc1_targets"]) for document in json.load(text)]
    expected = row["expected"]
    check_metrics(f"truthfulqa_mc1,data={DATA}", cut_replay(replay, "mc1.tsv", counts, False),
                  {"acc": expected["mc1"], "acc_stderr": expected["mc1_stderr"]})
    second = cut_replay(replay, "mc2.tsv", counts, True)
    check_metrics(f"truthfulqa_mc2,data={DATA}", second,
                  {"acc": row["extra"]["mc2_acc_v04"], "acc_stderr": row["extra"]["mc2_acc_v04_stderr"]})
    with open(os.path.join(os.environ["TARE_DATA"], "tasks", "truthfulqa_mc2.json"), encoding="utf-8") as text:
        today = json.load(text)
    then = {**today, "metrics": [{"metric": "mc2", "cut": "first_zero"}]}
    os.rename(second, "mc2-then.tsv")
    check_metrics(f"{write('then.json', then)},data={DATA}", os.path.abspath("mc2-then.tsv"),
                  {"mc2": expected["mc2"], "mc2_stderr": expected["mc2_stderr"]})


main(globals())
