# SPDX-License-Identifier: Apache-2.0
"""Tasks out of files through the program: what they ask, what is stored, and what goes wrong with them."""
import hashlib
import json
import os
import signal
import tarfile
import time

from clilib import contains, equal, figures, main, query, scalar, start, strict_json, tare, true, wait_until

CHOICE = {"tare_task": 1, "name": "mine", "version": 2, "description": "one of mine", "output": "multiple_choice",
          "sources": {"test": {"file": "d.jsonl"}}, "context": "{{q}}", "choices": ["yes", "no"], "target": "{{gold}}",
          "metrics": [{"metric": "acc"}, {"metric": "acc_norm"}]}


def write(name, value):
    with open(name, "w", encoding="utf-8") as to:
        json.dump(value, to)


def documents(n, name="d.jsonl"):
    with open(name, "w", encoding="utf-8") as to:
        for i in range(n):
            to.write(json.dumps({"q": f"Is {i} even?", "gold": i % 2}) + "\n")


def replay(rows, name):
    with open(name, "w", encoding="utf-8") as to:
        to.write("doc\treq\tloglikelihood\tgreedy\n")
        for row in rows:
            to.write("\t".join(map(str, row)) + "\n")
    return f"replay,path={os.path.abspath(name)}"


def test_list_and_nearest():
    names = [task["name"] for task in strict_json(tare("list", "tasks", "--json").out, "list")["tasks"]]
    for name in ("piqa", "wikitext", "mmlu_abstract_algebra", "copy"):
        contains(names, name, "names of tasks")
    contains(tare("prompts", "piqqa", rc=2).err, "did you mean piqa", "a misspelt name")


def test_prompts():
    documents(3)
    write("mine.json", CHOICE)
    lines = tare("prompts", "./mine.json,data=.", "--first", "1", "--count", "1").out.splitlines()
    equal([json.loads(line) for line in lines],
          [{"item": 1, "request": 0, "context": "Is 1 even?", "continuation": " yes", "gold": False},
           {"item": 1, "request": 1, "context": "Is 1 even?", "continuation": " no", "gold": True}], "requests")


def test_scores_are_stored():
    documents(4)
    write("mine.json", CHOICE)
    # The third is answered wrongly; per character the second choice wins where it is likelier than 2/3 of the first.
    rows = [(0, 0, -1, 1), (0, 1, -2, 0), (1, 0, -3, 0), (1, 1, -1, 1), (2, 0, -4, 0), (2, 1, -2, 0), (3, 0, -9, 0), (3, 1, -8, 0)]
    tare("run", "--db", "s.db", "--model", replay(rows, "r.tsv"), "--task", f"./mine.json,data={os.getcwd()}", "--repeats", "1")
    equal(query("s.db", "SELECT item, value FROM score WHERE name = 'acc' ORDER BY item"), [(0, 1), (1, 1), (2, 0), (3, 1)], "acc")
    found = {name: (value, low, high) for name, value, low, high in query("s.db", "SELECT name, value, low, high FROM figure")}
    value, low, high = found["acc"]
    equal(value, 0.75, "acc")
    true(low < 0.75 < high, "interval")
    true(abs(found["acc_stderr"][0] - 0.25) < 1e-12, "standard error: 0.5 / sqrt(4)")
    packed = tare("pack", f"./mine.json,data={os.getcwd()}", "-o", "mine.tar")
    with tarfile.open("mine.tar") as pack:
        prompts = pack.extractfile("prompts.jsonl").read()
    equal(scalar("s.db", "SELECT prompts_sha256 FROM cell"), hashlib.sha256(prompts).hexdigest(), f"what was asked: {packed.out}")
    equal(scalar("s.db", "SELECT count(*) FROM artifact WHERE path LIKE '%mine.json' OR path LIKE '%d.jsonl'"), 2, "hashed files")


def test_a_group_is_pooled():
    """Three of four right, and two of two: 5/6, with sqrt(3 x 0.25^2 x 4 / (6 - 2) / 6) of standard error."""
    documents(4)
    write("mine.json", CHOICE)
    rows = [(0, 0, -1, 1), (0, 1, -2, 0), (1, 0, -3, 0), (1, 1, -1, 1), (2, 0, -4, 0), (2, 1, -2, 0), (3, 0, -9, 0), (3, 1, -8, 0)]
    tare("run", "--db", "g.db", "--model", replay(rows, "g.tsv"), "--task", f"./mine.json,name=g_a,data={os.getcwd()}",
         "--task", f"./mine.json,name=g_b,limit=2,data={os.getcwd()}", "--repeats", "1")
    table = strict_json(tare("report", "g.db", "--score", "group", "--set", "tasks=g_*", "--json").out, "group")
    text = json.dumps(table)
    contains(text, "0.83333333333333", "mean over documents")
    contains(text, "0.486857", "lower end")
    contains(json.dumps(strict_json(tare("report", "g.db", "--score", "group", "--set", "tasks=g_*", "--set", "of=3", "--json").out,
                                    "group of three")), "not all tasks", "a group that is not whole")


def test_items_without_a_value():
    """Probabilities that are all 0 have no share: the figure says so, and nothing is paired with it."""
    with open("t.jsonl", "w", encoding="utf-8") as to:
        for i in range(4):
            to.write(json.dumps({"question": f"q{i}", "mc2_targets": {"choices": ["a", "b"], "labels": [1, 0]}}) + "\n")
    write("mc2.json", {"tare_task": 1, "name": "mc2", "output": "multiple_choice", "sources": {"test": {"file": "t.jsonl"}},
                       "hook": "truthfulqa", "context": "{{question}}", "choices": "{{mc2_targets.choices}}", "target": "0",
                       "metrics": [{"metric": "mc2"}]})
    models = []
    for name, lost in (("a", 1), ("b", 2)):
        models += ["--model", replay([(i, k, -800 if i == lost else -1, 0) for i in range(4) for k in (0, 1)], f"{name}.tsv")]
    tare("run", "--db", "z.db", *models, "--task", f"./mc2.json,data={os.getcwd()}", "--repeats", "1")
    equal(query("z.db", "SELECT f.value, f.n, f.flags FROM figure f WHERE name = 'mc2'"), [(0.5, 3, "ITEMS_WITHOUT_VALUE")] * 2, "mc2")
    contains(tare("compare", "a", "b", "--db", "z.db").out, "not the same number of graded items", "pairs")


def test_pairs_and_inputs():
    """Every metric is paired by its own numbers; what is no sum over items is not paired. `show` leads back to them."""
    documents(12)
    write("mine.json", {**CHOICE, "choices": ["yes", "nothing"], "metrics": [{"metric": m} for m in ("acc", "acc_norm", "f1")]})
    task = f"./mine.json,data={os.getcwd()}"
    # The first is likelier in both; per character b turns to the second in three items whose answer it is.
    rows = {"a": [(i, k, -1 - 9 * k) for i in range(12) for k in (0, 1)],
            "b": [(i, k, -1 - (1 if i % 4 == 1 else 9) * k) for i in range(12) for k in (0, 1)]}
    with open("a.tsv", "w", encoding="utf-8") as to:
        to.write("doc\treq\tloglikelihood\n" + "".join("\t".join(map(str, row)) + "\n" for row in rows["a"]))
    with open("b.tsv", "w", encoding="utf-8") as to:
        to.write("doc\treq\tloglikelihood\n" + "".join("\t".join(map(str, row)) + "\n" for row in rows["b"]))
    tare("run", "--db", "k.db", "--model", f"replay,path={os.path.abspath('a.tsv')}", "--model", f"replay,path={os.path.abspath('b.tsv')}",
         "--task", task, "--repeats", "1")
    text = tare("compare", "a", "b", "--db", "k.db", "--format", "csv").out
    lines = {line.split(",")[1]: line for line in text.splitlines() if ",acc" in line or ",f1" in line}
    values = dict(query("k.db", "SELECT c.model || ' ' || f.name, f.value FROM figure f JOIN cell c ON c.id = f.cell_id"))
    true(values["a acc"] == values["b acc"] and values["a acc_norm"] != values["b acc_norm"], f"the case itself: {values}")
    contains(lines["acc_norm"], f"{values['b acc_norm'] - values['a acc_norm']:.6g}"[:6], f"difference in {text}")
    told = strict_json(tare("show", "k.db", "--figure", "acc_norm", "--model", "a", "--json").out, "inputs")
    contains(json.dumps(told), '{"input": "score", "name": "acc_norm"}', "where the figure comes from")
    done = tare("check", "--base", f"replay,path={os.path.abspath('a.tsv')}", "--candidate", f"replay,path={os.path.abspath('b.tsv')}",
                "--task", task, "--metric", "f1", "--db", "q.db", rc=None)
    contains(done.out, "no item has a part of", "a metric that items have no part of")


def test_answers_by_number():
    documents(2)
    write("mine.json", CHOICE)
    task = f"./mine.json,data={os.getcwd()}"
    done = tare("run", "--db", "n.db", "--model", replay([(0, 0, -1, 1), (0, 1, -2, 0)], "n.tsv"), "--task", task,
                "--repeats", "1", rc=3)
    contains(done.err, "does not answer request 0 of item 1", "an answer that is missing")
    for text, word in (("doc\treq\n", "header"), ("doc\treq\tloglikelihood\n0\t0\tx\n", "no number"),
                       ("doc\treq\tloglikelihood\n0\t0\t-1\n0\t0\t-1\n", "twice"),
                       ("doc\treq\tloglikelihood\n0\t0\n", "fields"), ("doc\treq\tloglikelihood\n", "no answer"),
                       ("doc\treq\tloglikelihood\n-1\t0\t-1\n", "counting")):
        with open("bad.tsv", "w", encoding="utf-8") as to:
            to.write(text)
        contains(tare("run", "--db", "b.db", "--model", f"replay,path={os.path.abspath('bad.tsv')}", "--task", task,
                      "--repeats", "1", rc=3).err, word, repr(text))


def test_missing_data():
    write("mine.json", CHOICE)
    done = tare("prompts", "./mine.json,data=/nonexistent", rc=5)
    contains(done.err, "/nonexistent/d.jsonl", "what is missing")
    contains(done.err, "tare fetch mine", "what to do")


def test_other_data_is_not_the_benchmark():
    """A file that is not the one its source pins: nothing is measured under the benchmark's name."""
    os.makedirs("piqa")
    with open("piqa/valid.jsonl", "w", encoding="utf-8") as to:
        to.write(json.dumps({"goal": "g", "sol1": "a", "sol2": "b"}) + "\n")
    with open("piqa/valid-labels.lst", "w", encoding="utf-8") as to:
        to.write("0\n")
    words = ["--model", "null", "--task", f"piqa,data={os.getcwd()}", "--repeats", "1"]
    done = tare("run", "--db", "p.db", *words, rc=3)
    contains(done.err, "is not the published piqa/valid.jsonl", "what is wrong")
    equal(query("p.db", "SELECT verdict FROM cell"), [("INVALID",)], "verdict")
    equal(stored("p.db"), 0, "samples")
    with open(os.path.join(os.environ["TARE_DATA"], "tasks", "piqa.json"), encoding="utf-8") as text:
        write("own.json", json.load(text))
    tare("run", "--db", "o.db", "--model", "null", "--task", f"./own.json,data={os.getcwd()}", "--repeats", "1")
    equal(query("o.db", "SELECT verdict FROM cell"), [("VALID",)], "a task of one's own may have any data")


def test_a_run_that_was_cut_off():
    """The task's own numbers come at the end of a worker: a repeat that was cut off begins anew, and has them all."""
    n = 400
    documents(n)
    write("mine.json", CHOICE)
    run = start("run", "--db", "c.db", "--model", "null,score_ns=2ms", "--task", f"./mine.json,data={os.getcwd()}",
                "--repeats", "1", "--metering", "none")
    wait_until(lambda: os.path.exists("c.db") and stored("c.db") > 20, "samples", 60)
    run.send_signal(signal.SIGKILL)
    run.wait()
    before = stored("c.db")
    true(0 < before < n, f"{before} samples of {n} before the end")
    equal(scalar("c.db", "SELECT count(*) FROM score"), 0, "scores of a worker that was cut off")
    time.sleep(0.2)
    tare("run", "--resume", "c.db")
    equal((stored("c.db"), scalar("c.db", "SELECT count(*) FROM score")), (n, 2 * n), "samples and scores")
    equal(scalar("c.db", "SELECT count(DISTINCT attempt_id) FROM sample"), 1, "attempts that the samples are of")
    equal(scalar("c.db", "SELECT verdict FROM cell"), "VALID", "verdict")
    true(figures("c.db", "null")["acc"]["value"] is not None, "acc")


def stored(db):
    try:
        return scalar(db, "SELECT count(*) FROM sample")
    except Exception:  # no table yet, or locked
        return 0


main(globals())
