# SPDX-License-Identifier: Apache-2.0
"""Comparing two systems, explaining a figure, and percentiles taken anew: from real runs of known backends."""
import math
import sqlite3

from clilib import (close, contains, equal, is_slow, main, null, query, scalar, Skip, strict_json, tare, true,
                    write_plan)

TOKENS = [{"task": "tokens", "options": {"items": 12, "prompt_tok": 5, "max_output": 4}}]
WORDS = {"better", "worse", "equivalent", "undecided"}


def rows(*args):
    """{(task, figure): {key: cell}} of `tare compare --json`."""
    table = strict_json(tare("compare", *args, "--json").out, "compare")
    return {(text(row["task"]), text(row["figure"])): row for row in table["rows"]}


def text(cell):
    return cell.get("text") if isinstance(cell, dict) else cell


def value(cell):
    return cell["value"]


def run_pair(db, slow_us, repeats=10):
    """Two null backends whose requests spin for a known time."""
    write_plan("plan.json", [null("a", first_ns="200us"), null("b", first_ns=f"{slow_us}us"),
                             null("c", first_ns="200us")],
               TOKENS, repeats=repeats, baseline="a")
    tare("run", "plan.json", "--db", db)


def test_words():
    """Half as long again is worse; the words are those four and no others; counts are compared exactly."""
    if is_slow():
        raise Skip("a build whose times say nothing")
    run_pair("x.db", 300)
    found = rows("a", "b", "--db", "x.db")
    for (task, figure), cells in found.items():
        word = text(cells["word"]).split()[0].rstrip(":")
        true(word in WORDS, f"{figure}: the word {word!r}")
    latency = found["tokens", "latency_p50"]
    true(text(latency["word"]) == "worse", f"1.5 times the latency: {latency['word']}")
    ratio = latency["b_against_a"]
    true(ratio["low"] <= 1.5 * 1.05 and ratio["high"] >= 1.5 * 0.95 and abs(value(ratio) - 1.5) < 0.1,
         f"ratio of 200 us and 300 us: {ratio}")
    equal(text(latency["pairs"]), "10 blocks", "pairs")
    # Two-sided p of ten pairs that all differ the same way is 2 / 2^10.
    close(value(latency["p"]), 2 / 1024, "p", 1e-9)
    mirror = rows("b", "a", "--db", "x.db")["tokens", "latency_p50"]
    equal(text(mirror["word"]), "better", "the other way round")
    close(value(mirror["b_against_a"]) * value(ratio), 1, "ratios are each other's inverse", 1e-9)


def test_few_blocks():
    """Four blocks cannot carry the level: undecided, with the number that could."""
    run_pair("y.db", 300, repeats=4)
    cells = rows("a", "b", "--db", "y.db", "--figure", "latency_p50")["tokens", "latency_p50"]
    true(text(cells["word"]).startswith("undecided"), cells["word"])
    if not is_slow():
        true(value(cells["needed"]) >= 6, f"blocks that would decide: {cells['needed']}")


def test_two_runs():
    """Two sessions: the numbers are shown and no word is said of times."""
    run_pair("s.db", 200, repeats=6)
    run_pair("t.db", 300, repeats=6)
    found = rows("s.db", "t.db")
    times = [c for (_, f), c in found.items() if f == "latency_p50"]
    true(len(times) == 3, f"rows of three systems: {sorted(found)}")
    for cells in times:
        contains(text(cells["word"]), "undecided", "another session")


def test_quality():
    """Answers that differ on a known number of items."""
    write_plan("plan.json", [{"backend": "native", "path": "zoo:llama-0.1m"},
                             {"backend": "native", "path": "zoo:llama-0.5m"}],
               [{"task": "choice", "options": {"items": 64}}], repeats=1)
    done = tare("run", "plan.json", "--db", "q.db", rc=None)
    if done.rc == 3 or "no backend" in done.err:
        raise Skip("no native backend here")
    cells = rows("llama-0.1m", "llama-0.5m", "--db", "q.db", "--figure", "acc")["choice", "acc"]
    answers = {m: [x for x, in query("q.db", "SELECT s.num FROM sample s JOIN repeat r ON r.id = s.repeat_id JOIN "
                                     "cell c ON c.id = r.cell_id WHERE c.model = ? ORDER BY s.item", m)]
               for m in ("llama-0.1m", "llama-0.5m")}
    pairs = list(zip(*answers.values()))
    only_a, only_b = sum(a > b for a, b in pairs), sum(b > a for a, b in pairs)
    close(value(cells["b_against_a"]), (only_b - only_a) / len(pairs), "difference of shares")
    close(value(cells["flips"]), (only_a + only_b) / len(pairs), "flips")
    equal((value(cells["lost"]), value(cells["won"])), (only_a, only_b), "flips both ways")
    n = only_a + only_b
    p = min(1, 2 * sum(math.comb(n, k) for k in range(min(only_a, only_b) + 1)) / 2**n)
    close(value(cells["p"]), p, "McNemar's exact p", 1e-9)


def test_usage():
    run_pair("u.db", 200, repeats=2)
    contains(tare("compare", "a", "nobody", "--db", "u.db", rc=2).err, "nobody", "an unknown system")
    contains(tare("compare", "a", "--db", "u.db", rc=2).err, "two systems", "one word")
    contains(tare("compare", "a", "b", "--db", "u.db", "--task", "no-*", rc=2).err, "no task in common", "no task")
    contains(tare("compare", "a", "b", "--db", "u.db", "--alpha", "2", rc=2).err, "--alpha", "alpha")


def test_show_explains():
    """From the figure to formula, inputs, repeats and files; the inputs are those that the formula names."""
    run_pair("e.db", 250, repeats=3)
    told = strict_json(tare("show", "e.db", "--figure", "request_throughput", "--model", "b", "--json").out, "show")
    equal(told["figure"]["value"], scalar("e.db", "SELECT value FROM figure f JOIN cell c ON c.id = f.cell_id WHERE "
                                          "c.model = 'b' AND f.name = 'request_throughput'"), "the stored value")
    true(told["recomputed"]["same"], "derived again")
    contains(told["formula"][0]["formula"], "requests / window", "formula")
    equal(sorted(i["name"] for i in told["inputs"]), ["requests", "window_ns"], "inputs")
    equal(len(told["of_each_repeat"]), 3, "values of single repeats")
    true(all(len(s["sha256"]) == 64 for s in told["seals"]), "seals")
    true(any(f["role"] == "backend" for f in told["files"]), "files by hash")
    told = strict_json(tare("show", "e.db", "--figure", "peak_rss", "--model", "b", "--json").out, "show")
    equal([(i["input"], i["name"]) for i in told["inputs"]], [("reading", "peak_rss")], "a reading as input")
    plain = tare("show", "e.db", "--figure", "request_throughput", "--model", "b").out
    contains(plain, "derived again from what is stored", "for people")
    contains(tare("show", "e.db", "--figure", "nothing", "--model", "b", rc=2).err, "nothing", "unknown figure")
    contains(tare("show", "e.db", "--figure", "peak_rss", rc=2).err, "3 cells fit", "which cell")


def test_show_sees_what_was_changed():
    run_pair("f.db", 250, repeats=2)
    with sqlite3.connect("f.db") as db:
        db.execute("UPDATE sample SET latency_ns = latency_ns * 2")
    db.close()
    told = strict_json(tare("show", "f.db", "--figure", "latency_p50", "--model", "b", "--json").out, "show")
    true(not told["recomputed"]["same"], "the samples are not those of the figure")
    true(told["broken_seals"] == 2, f"broken seals: {told['broken_seals']}")


def test_every_figure_has_a_formula():
    """What a report can show, the manual explains."""
    run_pair("g.db", 200, repeats=2)
    names = [n for n, in query("g.db", "SELECT DISTINCT name FROM figure ORDER BY name")]
    missing = []
    for name in names[::40] + ["latency_p99", "energy_per_tok", "temperature_max", "psi_io_some"]:
        told = strict_json(tare("show", "g.db", "--figure", name, "--model", "b", "--json").out, "show")
        missing += [] if told["formula"] else [name]
    equal(missing, [], "figures without a formula")


def test_recompute():
    """Percentiles anew from samples: the same as stored, and not so when samples have changed."""
    run_pair("r.db", 200, repeats=2)
    stored = tare("report", "r.db", "--view", "full", "--format", "csv").out
    equal(tare("report", "r.db", "--view", "full", "--format", "csv", "--recompute").out, stored, "recomputed")
    with sqlite3.connect("r.db") as db:
        db.execute("UPDATE sample SET latency_ns = 7000")
    db.close()
    changed = tare("report", "r.db", "--view", "full", "--format", "csv", "--recompute").out
    line = next(l for l in changed.splitlines() if "latency_p50" in l)
    contains(line, "6.9999999999999999e-06", "seconds of the changed samples")
    with sqlite3.connect("r.db") as db:
        db.execute("UPDATE sample SET latency_ns = 'text' WHERE item = 3")
    db.close()
    contains(tare("report", "r.db", "--recompute", rc=5).err, "no number", "text among the samples")


if __name__ == "__main__":
    main(globals())
