# SPDX-License-Identifier: Apache-2.0
"""Benchmark: a million requests of a multiple-choice task file, read, answered by replay, graded and stored on one core."""
import json
import os
import random
import subprocess
import time

from clilib import EXE, equal, figure_line, main, scalar, true

DOCUMENTS, CHOICES = 250_000, 4


def write_task():
    rng = random.Random(1)
    with open("d.jsonl", "w", encoding="utf-8") as data, open("r.tsv", "w", encoding="utf-8") as answers:
        answers.write("doc\treq\tloglikelihood\n")
        for i in range(DOCUMENTS):
            data.write(json.dumps({"question": f"What is {rng.randrange(1000)} and {rng.randrange(1000)}?", "gold": rng.randrange(CHOICES),
                                   "choices": [f"it is {rng.randrange(10**6)}" for _ in range(CHOICES)]}) + "\n")
            answers.writelines(f"{i}\t{k}\t{-20 * rng.random():.6f}\n" for k in range(CHOICES))
    with open("million.json", "w", encoding="utf-8") as task:
        json.dump({"tare_task": 1, "name": "million", "output": "multiple_choice", "sources": {"test": {"file": "d.jsonl"}},
                   "context": "Question: {{question}}\nAnswer:", "choices": "{{choices}}", "target": "{{gold}}",
                   "metrics": [{"metric": "acc"}, {"metric": "acc_norm"}]}, task)


def timed(db):
    begin = time.monotonic()
    done = subprocess.run([EXE, "run", "--db", db, "--model", f"replay,path={os.path.abspath('r.tsv')}", "--task",
                           f"./million.json,data={os.getcwd()}", "--repeats", "1", "--metering", "none"], check=False,
                          stdout=subprocess.DEVNULL, preexec_fn=lambda: os.sched_setaffinity(0, [max(os.sched_getaffinity(0))]))
    equal(done.returncode, 0, "status")
    return time.monotonic() - begin


def test_million_choices():
    write_task()
    seconds = min(timed(f"{i}.db") for i in range(3))
    equal(scalar("0.db", "SELECT count(*) FROM request"), DOCUMENTS * CHOICES, "requests")
    acc = scalar("0.db", "SELECT value FROM figure WHERE name = 'acc'")
    true(0.24 < acc < 0.26, f"a guess among four, not {acc}")
    figure_line("million_choices_time", seconds, "s", "<=10", seconds <= 10)


if __name__ == "__main__":
    main(globals())
