# SPDX-License-Identifier: Apache-2.0
"""What the gate does on a real machine, by hand: TARE_EXE=build/tare python3 gate_evidence.py WHAT N

aa        N checks of an arm against itself: fixed arithmetic of the null backend, which takes what time it takes
slowdown  N checks of the native engine against itself with 5 % of every token's time spun away behind it
quality   N checks of 1,000 answers against the same with 10 wrong ones, and of as many that are all alike

GATE_NOISE and GATE_BLOCKS stand for --noise (flag) and, of the slow-down, --blocks (10).
Prints one line a check and a summary; ends with 1 where a target is missed. docs/check.md has its results.
"""
import collections
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from clilib import tare  # noqa: E402

SPIN = "null,work_rounds=400000"
ENGINE = "native,path=zoo:llama-1m"


def check(db, base, candidate, task, metrics, seed, blocks=10):
    done = tare("check", "--db", db, "--json", "--noise", os.environ.get("GATE_NOISE", "flag"), "--seed",
                str(seed), "--blocks", str(blocks), "--base", base, "--candidate", candidate, "--task", task,
                *(word for m in metrics for word in ("--metric", m)), rc=None)
    found = json.loads(done.out)
    return found["stage"], [(m["figure"], m["verdict"], change_of(m)) for m in found["metrics"]]


def change_of(metric):
    if metric["change"] is None:
        return metric["why"]
    points = metric["change_unit"] == "points"
    return f"{metric['change']:+.2f} points" if points else f"{100 * metric['change']:+.2f} %"


def repeat(n, what, *args, **more):
    counts = collections.Counter()
    for i in range(n):
        with tempfile.TemporaryDirectory() as folder:
            stage, lines = check(os.path.join(folder, "x.db"), *args, i + 1, **more)
        counts.update(verdict for _, verdict, _ in lines)
        counts["any failed"] += any(verdict == "failed" for _, verdict, _ in lines)
        counts["stage 2"] += stage == 2
        print(what, i + 1, "stage", stage, *(f"{f} {v} {c}" for f, v, c in lines), flush=True)
    print(what, n, "checks:", dict(counts), flush=True)
    return counts


def main():
    what, n = sys.argv[1], int(sys.argv[2])
    if what == "aa":
        counts = repeat(n, what, SPIN, SPIN, "tokens,items=8", ["token_throughput", "latency_p50"])
        return counts["any failed"] > max(1, n // 200)
    if what == "slowdown":
        counts = repeat(n, what, ENGINE, ENGINE + ",slowdown=0.05", "tokens,items=32,max_output=16",
                        ["latency_p50"], blocks=int(os.environ.get("GATE_BLOCKS", "10")))
        return counts["failed"] < n
    task = "copy,items=1000,level=8"
    lost = repeat(n, what, "null", "null,wrong_every=100", task, ["exact"])
    same = repeat(n, what + " same", "null", "null", task, ["exact"])
    return lost["equivalent"] + lost["met"] + lost["better"] > 0 or same["equivalent"] < n


sys.exit(main())
