# SPDX-License-Identifier: Apache-2.0
"""The command line: usage, streams, exit statuses, plans, reports, the manual, and determinism."""
import csv
import io
import os
import re
import shutil
import stat
import subprocess

from clilib import (EXE, Skip, backends, contains, equal, main, null, query, scalar, strict_json,
                    tare, true, write_plan)

GATE = ["--base", "null", "--candidate", "null", "--task", "tokens,items=3", "--metric", "request_throughput", "--blocks", "8",
        "--runs-per-block", "1", "--noise", "flag"]
ONE = ["--repeats", "1", "--model", "null", "--task", "tokens,items=3"]


def commands():
    """Names of the commands as the help lists them."""
    found = re.findall(r"^  ([a-z]+) +\S", tare("--help").out, flags=re.MULTILINE)
    true(len(found) >= 5, f"commands of --help: {found}")
    return found


def only_stdout(result):
    true(result.out and not result.err, f"not on standard output alone: {result}")
    return result.out


def only_stderr(result):
    true(result.err and not result.out, f"not on standard error alone: {result}")
    return result.err


def error_of(*args, rc, **keywords):
    """The one line of a command that must fail."""
    text = only_stderr(tare(*args, rc=rc, **keywords))
    equal(len(text.splitlines()), 1, f"lines of the error {text!r}")
    true(text.startswith("tare: error: "), f"an error begins with its source: {text!r}")
    return text


def made(db="r.db"):
    """A database with two models, two tasks and a cell that fails."""
    plan = write_plan("made.json", [null("m1", logprob=-2), null("m2"), null("bad", error_at=1)],
                      [{"task": "tokens", "options": {"items": 7, "max_output": 2}},
                       {"task": "choice", "options": {"items": 5}}], repeats=2)
    tare("run", "--db", db, plan, rc=3)
    return db


# Usage.

def test_help_and_version():
    for args in (["--help"], ["-h"], ["help"], []):
        contains(only_stdout(tare(*args)), "usage: tare", str(args))
    true(re.fullmatch(r"tare \d+\.\d+\.\d+\n", only_stdout(tare("--version"))), "version")
    for name in commands():
        text = only_stdout(tare(name, "--help"))
        true(text.startswith(f"tare {name}"), f"help of {name}: {text[:80]!r}")
        for option in ("--json", "--quiet", "--verbose", "--help", "Exit status: 0 ok"):
            contains(text, option, f"help of {name}")
        equal(only_stdout(tare(name, "-h")), text, f"{name} -h")
        equal(only_stdout(tare("help", name)), text, f"help {name}")
    only_stdout(tare("worker", "--help"))
    true("worker" not in commands(), "the internal command is not listed")


def test_unknown_words_get_a_suggestion():
    contains(error_of("runn", rc=2), "did you mean run?", "command runn")
    contains(error_of("reprot", rc=2), "did you mean report?", "command reprot")
    contains(error_of("xyzzy", rc=2), "'tare --help'", "a command like no other")
    for command, option, meant in (("run", "--modle", "model"), ("run", "--time-limt", "time"),
                                   ("report", "--fromat", "format"), ("show", "--rum", "run"),
                                   ("derive", "--basline", "baseline"), ("list", "--jsno", "json"),
                                   ("doctor", "--quite", "quiet")):
        text = error_of(command, option, "x", rc=2)
        true(re.search(rf'did you mean "?(--)?{meant}', text), f"{command} {option}: {text!r}")
    for name in commands():
        error_of(name, "--no-such-option", rc=2)
        error_of(name, "-z", rc=2)
        if name != "import":  # whose words are files, as many as there are
            error_of(name, "one", "two", "three", rc=2)
    error_of("import", "one", "two", "three", rc=5)
    contains(error_of("report", "--db", rc=2), "--db needs a value", "an option without its value")
    contains(error_of("report", "-f", rc=2), "-f needs a value", "a short option without its value")
    equal(os.listdir("."), [], "files written")


def test_spellings_of_options():
    made()
    texts = {tare("report", *args).out for args in (
        ["r.db", "--format", "csv"], ["r.db", "--format=csv"], ["-f", "csv", "r.db"], ["--db", "r.db", "-f", "csv"],
        ["-d", "r.db", "-f", "csv"], ["--db=r.db", "-f", "csv"], ["-f", "csv", "--", "r.db"])}
    equal(len(texts), 1, "spellings of one command give one text")
    equal(tare("report", env={"PWD": "."}, rc=5).out, "", "tare.db is the default, and is not here")
    shutil.copy("r.db", "tare.db")
    tare("report")


# Streams.

def test_json_is_all_that_is_printed():
    made()
    calls = [["list"], ["list", "backends"], ["list", "tasks"], ["list", "meters"], ["list", "formats"],
             ["list", "models"], ["list", "interop"],
             ["import", os.path.join(os.environ["TARE_INTEROP_SAMPLES"], "emissions.csv"), "--db", "i.db"],
             ["export", "codecarbon", "--db", "i.db"], ["show", "r.db"], ["show", "r.db", "--run", "1"], ["report", "r.db"],
             ["report", "r.db", "--view", "full"], ["report", "r.db", "-f", "csv"], ["derive", "r.db"],
             ["compare", "r.db", "r.db"], ["history", "r.db"], ["check", "--db", "c.db", *GATE],
             ["doctor", "--noise", "0s"], ["selftest", "--only", "cpu_time"],
             ["verify", "null", "--only", "load"], ["prompts", "add", "--count", "2"],
             ["fetch", "--list", "--data", "nowhere"], ["pack", "text"],
             ["run", "--db", "n.db", *ONE], ["run", "--resume", "n.db"], ["run", "--dry-run", "--db", "n.db", *ONE],
             ["fit", "--db", "n.db", "--keep", "0.01", "--resolution", "0.5", *ONE]]
    for args in calls:
        strict_json(tare(*args, "--json").out, " ".join(args))
        strict_json(tare(args[0], "--json", *args[1:], "--quiet").out, " ".join(args) + " --quiet")
    # fidelity needs a backend with logits, which this file has none of: test_fidelity.py reads its JSON.
    true({args[0] for args in calls} >= set(commands()) - {"fidelity"}, f"a command is not tried: {commands()}")
    failed = tare("run", "--db", "bad.db", "--json", "--model", "null,crash_at=0", "--task", "tokens", rc=3)
    strict_json(failed.out, "a run with a failed cell")
    contains(failed.err, "SIGSEGV", "the failure is told on standard error")


def test_results_and_messages_never_share_a_stream():
    full = tare("run", "--db", "a.db", *ONE)
    contains(full.out, "Model", "the table on standard output")
    true("tare:" not in full.out and "Model" not in full.err, f"streams are mixed: {full}")
    contains(full.err, "a.db", "where the samples are")
    quiet = tare("run", "--db", "b.db", "--quiet", *ONE)
    equal(quiet.err, "", "standard error of a quiet run")
    contains(quiet.out, "Model", "results of a quiet run")
    true("\x1b" not in full.out + full.err and "\r" not in full.out + full.err,
         "no terminal codes where there is no terminal")
    for args, rc in ((["report", "none.db"], 5), (["show", "none.db"], 5), (["derive", "none.db"], 5),
                     (["report", "a.db", "-f", "xlm"], 2), (["report", "a.db", "--view", "odd"], 2),
                     (["report", "a.db", "--run", "9"], 2), (["show", "a.db", "--run", "9"], 2),
                     (["report", "a.db", "--run", "x"], 2), (["list", "odd"], 2), (["run", "none.json"], 2)):
        error_of(*args, rc=rc)
        if "-f" not in args:  # --json is a format of its own
            error_of(*args, "--json", rc=rc)
    true(not os.path.exists("none.db"), "a database that is only read is not made")


def test_what_cannot_be_written_is_an_error():
    made()
    for args in (["list"], ["list", "--json"], ["--version"], ["run", "--help"], ["doctor", "--json", "--noise", "0s"],
                 ["show", "r.db"], *(["report", "r.db", "-f", f] for f in ("md", "csv", "json", "term", "html", "latex"))):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([EXE, *args], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        equal(done.returncode, 5, f"{args} on a full device: {done.stderr!r}")
        true(done.stderr.startswith("tare: error: "), f"{args}: {done.stderr!r}")


# Reports.

def read_csv(text):
    rows = list(csv.reader(io.StringIO(text, newline="")))
    equal({len(row) for row in rows}, {len(rows[0])}, "columns of the rows of a CSV file")
    return [dict(zip(rows[0], row)) for row in rows[1:]]


def test_report_formats_agree():
    made()
    stored = {row[:3]: row[3:] for row in query(
        "r.db", "SELECT c.model, c.task, f.name, f.value, f.low, f.high, f.unit, f.absent, c.verdict FROM figure f "
                "JOIN cell c ON c.id = f.cell_id")}
    table = strict_json(tare("report", "r.db", "--view", "full", "-f", "json").out, "full view")
    rows = {(r["model"], r["task"], r["figure"]): r for r in table["rows"]}
    lines = {(r["model"], r["task"], r["figure"]): r for r in read_csv(
        tare("report", "r.db", "--view", "full", "-f", "csv").out)}
    equal(set(rows), set(stored), "figures of the JSON report")
    equal(set(lines), set(stored), "figures of the CSV report")
    shown = 0
    for key, (value, low, high, unit, absent, verdict) in stored.items():
        cell, line = rows[key]["value"], lines[key]
        equal((rows[key]["verdict"], line["verdict"]), (verdict, verdict), f"{key}: verdict")
        if value is None or verdict != "VALID":
            equal((cell["value"], line["value"]), (None, ""), f"{key} has no value to show")
            true(cell["absent"] and line["value_absent"], f"{key}: no reason why there is no value")
            true(verdict != "VALID" or cell["absent"] == absent, f"{key}: {cell['absent']!r} is not {absent!r}")
            continue
        shown += 1
        for name, expected in (("value", value), ("low", low), ("high", high)):
            text = line["value" if name == "value" else f"value_{name}"]
            equal((cell[name], float(text) if text else None), (expected, expected), f"{key}: {name}")
        equal((cell["unit"], line["value_unit"]), (unit, unit), f"{key}: unit")
    true(shown > 20, f"only {shown} figures are shown")


def test_report_survey():
    made()
    table = strict_json(tare("report", "r.db", "-f", "json").out, "survey")
    equal([row["model"] for row in table["rows"]], ["m1", "m2", "bad"], "rows in the plan's order")
    keys = [column["key"] for column in table["columns"]]
    equal(len(keys), len(set(keys)), "keys are unique")
    for row in table["rows"]:
        equal(list(row), keys, "a row has every column, in order")
        for key in keys[2:]:
            true("value" in row[key] and ("absent" in row[key] or "source" in row[key]), f"{key}: {row[key]}")
    accuracy = next(key for key in keys if key.endswith("@choice"))
    true(table["rows"][0][accuracy]["value"] is not None, "a figure of a valid cell")
    equal([table["rows"][2][key]["mark"] for key in keys[2:]], ["FAIL"] * len(keys[2:]), "marks of a failed model")
    for name, start in (("md", "### "), ("term", ""), ("csv", "model,"), ("json", "{"), ("html", "<!doctype html>"),
                        ("latex", "% ")):
        text = only_stdout(tare("report", "r.db", "-f", name))
        true(text.startswith(start) and text.endswith("\n"), f"{name}: {text[:40]!r}")
        for part in ("m1", "m2", "bad", "FAIL"):
            contains(text, part, name)
        equal(tare("report", "r.db", "-f", name).out, text, f"{name} twice")
    columns = {len(line.split("|")) for line in tare("report", "r.db").out.splitlines() if line.startswith("|")}
    equal(len(columns), 1, "columns of the lines of the Markdown table")


def test_report_into_a_file_is_atomic():
    made()
    text = tare("report", "r.db", "-f", "csv").out
    with open("out", "w", encoding="utf-8") as file:
        file.write("old")
    with open("out", encoding="utf-8") as old:
        result = tare("report", "r.db", "-f", "csv", "-o", "out")
        equal(old.read(), "old", "the old file, for those who had it open")
    equal((result.out, result.err), ("", ""), "both streams")
    with open("out", encoding="utf-8", newline="") as file:
        equal(file.read(), text, "the file and standard output")
    os.mkdir("folder")
    before = sorted(os.listdir("."))
    error_of("report", "r.db", "-o", "folder", rc=5)
    error_of("report", "r.db", "-o", "no/such/place", rc=5)
    error_of("report", "r.db", "-f", "xlm", "-o", "out", rc=2)
    error_of("report", "r.db", "--run", "5", "-o", "out", rc=2)
    equal(sorted(os.listdir(".")), before, "files after failures")
    with open("out", encoding="utf-8", newline="") as file:
        equal(file.read(), text, "the file after failures")
    os.mkfifo("pipe")  # what is no plain file is written to, not replaced: think of /dev/null
    reader = subprocess.Popen(["cat", "pipe"], stdout=subprocess.PIPE, text=True)
    tare("report", "r.db", "-f", "csv", "-o", "pipe")
    equal(reader.communicate(timeout=60)[0].replace("\r", ""), text.replace("\r", ""), "through a pipe")
    true(stat.S_ISFIFO(os.stat("pipe").st_mode), "the pipe is still one")


def test_runs_of_one_database():
    for name in ("first", "second"):
        tare("run", "--db", "two.db", "--name", name, *ONE)
    listed = strict_json(tare("show", "two.db", "--json").out, "show")
    equal([(run["run"], run["name"]) for run in listed], [(1, "first"), (2, "second")], "runs")
    for args, title in (([], "second"), (["--run", "1"], "first"), (["--run", "2"], "second")):
        equal(strict_json(tare("report", "two.db", "-f", "json", *args).out, "report")["title"], title, str(args))
    shown = strict_json(tare("show", "two.db", "--run", "1", "--json").out, "show --run")[0]
    equal(shown["cells"][0]["repeats"][0]["outcome"], "ok", "outcome of the first repeat")
    strict_json(shown["plan"], "the stored plan")
    equal(scalar("two.db", "SELECT count(DISTINCT name) FROM run"), 2, "runs in the database")


# Plans.

def dry_run(*args):
    plan = strict_json(tare("run", "--dry-run", "--db", "none.db", "--json", *args).out, "--dry-run")
    true(not os.path.exists("none.db"), "a dry run writes nothing")
    return [(c["model"], c["technique"], c["task"], c["scenario"]) for c in plan["cells"]]


AXES = {"models": [null("a"), null("b")], "tasks": [{"task": "tokens"}, {"task": "flip"}, {"task": "choice"}],
        "techniques": [{"technique": "none"}, {"technique": "x.y", "name": "xy"}],
        "scenarios": [{"scenario": "single"}, {"scenario": "single", "name": "cold", "warmup": 0}]}
ALL = [(m, t, k, s) for m in "ab" for t in ("baseline", "xy") for k in ("tokens", "flip", "choice")
       for s in ("single", "cold")]


def test_matrix():
    equal(dry_run(write_plan("p.json", **AXES)), ALL, "cells of the matrix")
    text = tare("run", "--dry-run", "--db", "none.db", "p.json").out
    contains(text, "24 cells x 6 blocks", "summary")
    equal(len([line for line in text.splitlines() if line.startswith("null")]), 24, "lines")
    with open("p.json", encoding="utf-8") as file:
        equal(strict_json(tare("run", "--dry-run", "--db", "none.db", "--json", "-", stdin=file.read()).out,
                          "plan on standard input")["repeats"], 6, "repeats")
    line = dry_run("--model", "null,name=a", "--model", "null,name=b", "--technique", "none", "--technique",
                   "x.y,name=xy", "--task", "tokens", "--task", "flip", "--task", "choice", "--scenario", "single",
                   "--scenario", "single,name=cold,warmup=0")
    equal(line, ALL, "the same matrix from the command line")
    equal(dry_run("p.json", "--task", "sort", "--technique", "none"),
          [c[:2] + ("sort", c[3]) for c in ALL if c[1:3] == ("baseline", "tokens")], "options replace axes")


def test_filters():
    path = "p.json"
    for include, exclude, keep in (
            ([{"model": "a"}], None, lambda m, t, k, s: m == "a"),
            (None, [{"task": "f*"}], lambda m, t, k, s: k != "flip"),
            ([{"model": "a", "task": "flip"}, {"task": "choice"}], None,
             lambda m, t, k, s: (m, k) == ("a", "flip") or k == "choice"),
            ([{"task": "*o*"}], [{"technique": "xy", "scenario": "cold"}, {"model": "[b-z]"}],
             lambda m, t, k, s: "o" in k and (t, s) != ("xy", "cold") and m == "a")):
        keys = {k: v for k, v in (("include", include), ("exclude", exclude)) if v}
        equal(dry_run(write_plan(path, **AXES, **keys)), [c for c in ALL if keep(*c)], f"cells with {keys}")
        options = [f"--{k}={','.join(f'{a}={b}' for a, b in f.items())}" for k, fs in keys.items() for f in fs]
        equal(dry_run(write_plan(path, **AXES), *options), [c for c in ALL if keep(*c)], f"cells with {options}")
    contains(error_of("run", "--dry-run", path, "--include", "model=none", rc=2), "no cell", "nothing left")
    error_of("run", "--dry-run", path, "--include", "modle=a", rc=2)


def test_wrong_plans():
    good = {"tare": 1, "models": [{"backend": "null"}], "tasks": [{"task": "tokens"}]}

    def bad(part, **changes):
        plan = {k: v for k, v in {**good, **changes}.items() if v is not None}
        version = plan.pop("tare", None)
        write_plan("bad.json", plan.pop("models", None), plan.pop("tasks", None), **plan)
        with open("bad.json", encoding="utf-8") as file:
            text = strict_json(file.read(), "plan")
        text = {k: v for k, v in {**text, "tare": version}.items() if v is not None}
        with open("bad.json", "w", encoding="utf-8") as file:
            file.write(repr(text).replace("'", '"').replace("True", "true"))
        line = error_of("run", "--db", "never.db", "bad.json", rc=2)
        contains(line, part, f"error of {changes}")

    bad("tare", tare=None)
    bad("tare", tare=2)
    bad("tare", tare="one")
    bad("models", models=None)
    bad("tasks", tasks=None)
    bad("models", models=[])
    bad("models", models={"backend": "null"})
    bad("models[1]", models=[{"backend": "null"}, "null"])
    bad("backend", models=[{"path": "x"}])
    bad("called", models=[{"backend": "null"}, {"backend": "null"}])
    bad("backend", models=[{"bakend": "null"}])
    bad("options", models=[{"backend": "null", "options": [1]}])
    bad("repeats", repeats=0)
    bad("repeats", repeats="many")
    bad("repeats", repeats=1.5)
    bad("repeats", repeat=3)
    bad("seed", seed=-1)
    bad("time_limit", time_limit="soon")
    bad("time_limit", time_limit="-1s")
    bad("time_limit", timelimit="1s")
    bad("memory_limit", memory_limit="4XB")
    bad("baseline", baseline="nobody")
    bad("scenario", scenarios=[{"scenario": "offline"}])
    bad("warmup", scenarios=[{"scenario": "single", "warmup": -1}])
    bad("warmup", scenarios=[{"scenario": "single", "warmpu": 1}])
    bad("options", techniques=[{"technique": "x", "options": {"a": 1}}])
    bad("filter", include=["a"])
    bad("include", include={"model": "a"})
    bad("filter", exclude=[{"model": 1}])
    for text in ("", "[]", "7", '{"tare": 1', '{"tare": 1} trailing', '{"tare": 1, "tare": 1, "tasks": []}', "\0"):
        with open("bad.json", "w", encoding="utf-8") as file:
            file.write(text)
        error_of("run", "--db", "never.db", "bad.json", rc=2)
    equal(sorted(os.listdir(".")), ["bad.json"], "files written")


# Order and determinism.

def block_orders(db):
    """Cells in the order in which they were started, a list a block."""
    orders = {}
    for block, ordinal in query(db, "SELECT r.block, c.ordinal FROM attempt a JOIN repeat r ON r.id = a.repeat_id "
                                    "JOIN cell c ON c.id = r.cell_id ORDER BY a.id"):
        orders.setdefault(block, []).append(ordinal)
    return [orders[block] for block in sorted(orders)]


def test_blocks_are_shuffled_by_the_seed():
    plan = write_plan("p.json", [null(f"m{i}") for i in range(8)], [{"task": "tokens", "options": {"items": 1}}],
                      repeats=4)
    for db, seed in (("1a", 1), ("1b", 1), ("2", 2)):
        tare("run", "--db", db, "--seed", str(seed), plan)
    first = block_orders("1a")
    equal([sorted(order) for order in first], [list(range(8))] * 4, "every block runs every cell once")
    true(len({tuple(order) for order in first}) == 4, f"blocks of one order: {first}")
    equal(block_orders("1b"), first, "orders of an equal seed")
    true(block_orders("2") != first, "another seed gives other orders")
    started = query("1a", "SELECT block, position FROM attempt a JOIN repeat r ON r.id = a.repeat_id ORDER BY a.id")
    equal(started, sorted(started), "blocks follow one another, as planned")


def answers(db):
    return query(db, "SELECT c.ordinal, r.block, s.item, s.error, s.level, s.requests, s.prompt_tok, s.output_tok, "
                     "s.num, s.den, s.exact, s.prefill_flops, s.decode_flops, s.output FROM sample s JOIN repeat r ON "
                     "r.id = s.repeat_id JOIN cell c ON c.id = r.cell_id ORDER BY 1, 2, 3")


def check_determinism(model, *tasks):
    args = ["--repeats", "2", "--model", model]
    for task in tasks:
        args += ["--task", task]
    for db, seed in (("a.db", "7"), ("b.db", "7"), ("c.db", "8")):
        tare("run", "--db", db, "--seed", seed, *args)
    first = answers("a.db")
    true(len(first) > 20, f"only {len(first)} samples")
    equal(answers("b.db"), first, "samples of an equal seed")
    true(answers("c.db") != first, "another seed gives other samples")
    blocks = [[row[:1] + row[2:] for row in first if row[1] == block] for block in (0, 1)]
    equal(blocks[0], blocks[1], "samples of the two blocks")


def test_determinism_of_items():
    check_determinism("null", "flip,items=30", "choice,items=20")


def test_determinism_of_a_model():
    if "native" not in backends():
        raise Skip("the native backend is not built")
    check_determinism("native,path=zoo:llama-0.1m", "recall,items=30", "flip,items=30", "choice,items=10")
    right = scalar("a.db", "SELECT sum(num) / sum(den) FROM sample JOIN repeat r ON r.id = repeat_id JOIN cell c "
                           "ON c.id = r.cell_id WHERE c.task = 'flip'")
    true(0 < right < 1, f"a small model is right sometimes, not in {right:.0%} of the cases")


def test_replay_never_guesses():
    if "replay" not in backends():
        raise Skip("the replay backend is not built")
    with open("other.jsonl", "w", encoding="utf-8") as file:
        file.write('{"context": "a", "continuation": "b", "logprob": -1, "greedy": true}\n')
    tare("run", "--db", "r.db", "--repeats", "1", "--model", "replay,path=other.jsonl", "--task", "flip,items=4",
         rc=3)
    equal(query("r.db", "SELECT count(*), count(error), count(num) FROM sample"), [(4, 4, 0)],
          "samples, failures and grades of answers that the file does not hold")


# The manual.

def test_manual():
    text = only_stdout(tare("--manual"))
    for name in commands():
        contains(text, f".SS tare {name}", "manual")
    if not shutil.which("man"):
        raise Skip("man is not installed")
    with open("tare.1", "w", encoding="utf-8") as file:
        file.write(text)
    done = subprocess.run(["man", "--warnings", "-l", "tare.1"], capture_output=True, text=True, check=False,
                          env={**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8", "MANPAGER": "cat"})
    if done.returncode != 0 and not done.stdout:
        raise Skip(f"man does not format here: {done.stderr.strip()[:200]}")
    equal(done.stderr, "", "warnings of man")
    for part in ("NAME", "--dry-run", "EXIT STATUS", "TARE_BACKEND_PATH"):
        contains(done.stdout, part, "formatted manual")


main(globals())
