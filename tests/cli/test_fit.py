# SPDX-License-Identifier: Apache-2.0
"""The smallest memory limit, found for models whose need of memory is known."""
import os
import shutil

from clilib import MIB, Skip, contains, equal, is_sanitized, main, query, strict_json, tare, true

# Requests of a fixed time, so that a small limit cannot make them faster or slower; half of the throughput
# is kept on a busy machine too.
MODEL = "null,score_ns=200us,first_ns=200us,alloc_bytes="
COMMON = ["--task", "tokens", "--repeats", "1", "--keep", "0.5", "--quiet", "--json"]


def fit(mib, db, *more):
    if is_sanitized():
        raise Skip("a sanitizer maps terabytes of address space")
    found = strict_json(tare("fit", "--model", f"{MODEL}{mib}MiB", "--db", db, *COMMON, *more).out, "fit")
    low, high = found["fails_at_bytes"], found["works_at_bytes"]
    true(0 < low < high <= low / (1 - found["resolution"]) + 8192, f"bracket {low} .. {high}")
    steps = {s["limit_bytes"]: s for s in found["steps"]}
    true(steps[high]["keeps"] and not steps[low]["keeps"], f"the bracket was tried: {steps}")
    true(steps[None]["keeps"], "the unlimited run keeps what it has")
    return found


def runs(db):
    return query(db, "SELECT r.id, c.spec, p.outcome FROM run r JOIN cell c ON c.run_id = r.id "
                     "JOIN repeat p ON p.cell_id = c.id ORDER BY r.id")


def test_known_ballast():
    """64 MiB more of ballast need 64 MiB more of limit, within the two brackets."""
    less, more = fit(64, "less.db"), fit(128, "more.db")
    width = (more["works_at_bytes"] - more["fails_at_bytes"]) + (less["works_at_bytes"] - less["fails_at_bytes"])
    grown = more["works_at_bytes"] - less["works_at_bytes"]
    true(abs(grown - 64 * MIB) <= width, f"{grown} for {64 * MIB} more, off by more than {width}")
    true(less["works_at_bytes"] >= 64 * MIB, "less than the ballast itself")
    # What failed, failed for memory.
    for step in more["steps"]:
        true(step["keeps"] or step["outcome"] in ("oom", "error"), step)
    close = [s for s in more["steps"] if s["limit_bytes"] == more["fails_at_bytes"]]
    equal(close[0]["outcome"], "oom", "just below what is needed")


def test_steps_are_runs():
    found = fit(32, "runs.db")
    stored = runs("runs.db")
    equal(len(stored), len(found["steps"]), "runs")
    for (number, spec, outcome), step in zip(stored, found["steps"]):
        equal(step["run"], number, "run")
        equal(strict_json(spec, "spec")["memory_limit_bytes"], step["limit_bytes"] or 0, "limit of the run")
        equal(outcome, step["outcome"], "outcome")


def test_resolution():
    wide, narrow = fit(64, "w.db", "--resolution", "0.2"), fit(64, "n.db", "--resolution", "0.005")
    true(len(wide["steps"]) < len(narrow["steps"]), "a narrower bracket takes more steps")


def test_table():
    if is_sanitized():
        raise Skip("a sanitizer maps terabytes of address space")
    out = tare("fit", "--model", f"{MODEL}32MiB", "--db", "t.db", *[w for w in COMMON if w != "--json"]).out
    contains(out, "bracket [fails at", "answer")
    contains(out, "oom", "how a step failed")


def test_cgroup():
    """The limit of a cgroup counts resident memory, so the ballast is nearly all of the answer."""
    if os.path.exists("/sys/fs/cgroup/cgroup.controllers") and not shutil.which("systemd-run"):
        raise Skip("no cgroup to divide")
    done = tare("fit", "--model", f"{MODEL}64MiB", "--db", "c.db", "--by", "cgroup", *COMMON, rc=None)
    if done.rc == 5:
        contains(done.err, "cgroup", "reason")
        raise Skip(done.err.strip())
    equal(done.rc, 0, done)
    found = strict_json(done.out, "fit")
    true(64 * MIB <= found["works_at_bytes"] <= 80 * MIB, f"{found['works_at_bytes']} for {64 * MIB}")
    equal([s["outcome"] for s in found["steps"] if not s["keeps"]][-1], "oom", "killed for memory")
    folder = strict_json(runs("c.db")[-1][1], "spec")["cgroup"]
    true(not os.path.exists(folder), f"{folder} is left behind")


def test_broken():
    done = tare("fit", "--model", "null,fail_in_load=error", "--db", "b.db", *COMMON, rc=3)
    contains(done.err, "without a limit it does not work either", "error")


def test_wrong_words():
    for words, part in ([["--model", "null"], "--task"], [["--task", "tokens"], "--model"],
                        [["--model", "null", "--task", "tokens", "--keep", "1.5"], "--keep"],
                        [["--model", "null", "--task", "tokens", "--resolution", "0"], "--resolution"],
                        [["--model", "null,name=a", "--model", "null,name=b", "--task", "tokens"], "cells"]):
        contains(tare("fit", "--db", "x.db", *words, rc=2).err, part, "error")
        true(not os.path.exists("x.db"), "a database is made for a wrong question")


main(globals())
