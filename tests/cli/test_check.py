# SPDX-License-Identifier: Apache-2.0
"""The gate: what it finds in arms whose truth is known, how it exits, and what its outputs hold.

Times are medians of several requests, which a busy machine moves least; a planted change is a large one here,
and an arm against itself must not fail. The rates are proved by tests/gate, and by tests/bench/gate_evidence.py.
"""
import json
import os
import re
import shutil
import sqlite3
import subprocess
import xml.etree.ElementTree as ET

from clilib import (EXE, Skip, backends, close, contains, equal, is_slow, main, query, scalar, strict_json, tare,
                    true)

FAST = ["--blocks", "8", "--runs-per-block", "1", "--noise", "flag"]
SOUND = ["--noise", "flag"]  # the blocks and runs that there are by default
SPIN = "null,first_ns=300us,token_ns=10us"
TASK = "tokens,items=8,max_output=4"


def write_rules(path, metrics, base=None, candidate=None, **keys):
    plan = keys.pop("plan", {"models": [{"backend": "null"}], "tasks": [{"task": "copy",
                                                                        "options": {"items": 400}}]})
    with open(path, "w", encoding="utf-8") as to:
        json.dump({"tare": 1, "plan": plan, "base": base or {}, "candidate": candidate or {},
                   "metrics": metrics, **keys}, to)
    return path


def check(*args, rc=0):
    found = strict_json(tare("check", *args, "--json", rc=rc).out, "tare check --json")
    return found, {m["id"]: m for m in found["metrics"]}


def test_same_against_itself():
    """No change: nothing may fail, and nothing is called a pass."""
    found, lines = check("--db", "a.db", *FAST, "--base", SPIN, "--candidate", SPIN, "--task", TASK,
                         "--metric", "latency_p50", "--metric", "ttft_p50")
    equal(found["exit_status"], 0, "exit status in JSON")
    equal(scalar("a.db", "SELECT count(*) FROM repeat"), 8 * 2 * found["stage"], "repeats of two arms")
    for line in lines.values():
        true(line["verdict"] in ("equivalent", "inconclusive", "better", "skipped"), line)
        true("pass" not in line["text"], line["text"])
    orders = {tuple(row[0] for row in query("a.db", "SELECT c.model FROM repeat r JOIN cell c ON c.id = r.cell_id "
                                            "WHERE r.block = ?1 ORDER BY r.position", block)) for block in range(8)}
    equal(len(orders), 2, "arms take turns in both orders")


def test_planted_slowdown():
    """A candidate that takes twice as long fails, and the database says so again."""
    if is_slow():
        raise Skip("times of this build say nothing")
    slow = "null,first_ns=600us,token_ns=20us"
    found, lines = check("--db", "s.db", *SOUND, "--base", SPIN, "--candidate", slow, "--task", TASK,
                         "--metric", "latency_p50", rc=1)
    line = lines["latency_p50@tokens"]
    equal(line["verdict"], "failed", "verdict")
    true(found["stage"] == 2 and line["n"] == 20, "both stages decide")
    true(0.8 < line["change"] < 1.2, f"twice the time: {line['change']}")
    true(0 < line["change_low"] <= line["change"] <= line["change_high"], "interval")
    true(line["harm_bound"] > 0 and line["p"] <= 0.001, "what fails is proved")
    again, _ = check("--from", "s.db", rc=1)
    for key in ("metrics", "stage", "blocks_run", "headline", "exit_status"):
        equal(again[key], found[key], f"decided again: {key}")
    equal(scalar("s.db", "SELECT count(*) FROM run"), 1, "deciding again runs nothing")


def test_demand():
    """A quarter of the memory meets a demand to be better by half, and fails one to be ten times as good."""
    for demand, rc, word in (("0.5", 0, "met"), ("9", 1, "failed")):
        _, lines = check("--db", "m.db", *FAST, "--base", "null,alloc_bytes=24MiB", "--candidate", "null", "--task",
                         TASK, "--metric", f"peak_rss,demand={demand}", rc=rc)
        equal(lines["peak_rss@tokens"]["verdict"], word, demand)


def test_planted_slowdown_in_the_engine():
    """Every token of the native engine takes half as long again."""
    if "native" not in backends():
        raise Skip("no native backend in this build")
    if is_slow():
        raise Skip("times of this build say nothing")
    model = "native,path=zoo:llama-0.25m"
    _, lines = check("--db", "e.db", "--blocks", "8", *SOUND, "--base", model, "--candidate", model + ",slowdown=0.5", "--task",
                     "tokens,items=16,max_output=16", "--metric", "latency_p50", rc=1)
    line = lines["latency_p50@tokens"]
    equal(line["verdict"], "failed", line)
    true(0.4 < line["change"] < 0.6, f"half as long again: {line['change']}")


def test_quality():
    """Ten of 1,000 answers lost are not called equivalent to none; all alike are; fifty lost fail."""
    task = {"tasks": [{"task": "copy", "options": {"items": 1000}}], "models": [{"backend": "null"}]}
    metrics = [{"figure": "exact", "margin": 1}]
    cases = [({}, 0, "equivalent", 0), ({"wrong_every": 100}, 0, "inconclusive", 10),
             ({"wrong_every": 20}, 1, "failed", 50)]
    for options, rc, word, flips in cases:
        write_rules("q.json", metrics, candidate={"options": options}, plan=task)
        _, lines = check("q.json", "--db", "q.db", rc=rc)
        line = lines["exact@copy"]
        equal((line["rule"], line["verdict"], line["flips"]), ("quality", word, flips), str(options))
        close(line["change"], -flips / 10, f"{options}: points")
    equal(scalar("q.db", "SELECT max(n) FROM (SELECT count(*) AS n FROM repeat r JOIN cell c ON c.id = r.cell_id "
                         "GROUP BY c.id)"), 1, "quality alone is asked once")
    _, lines = check("q.json", "--db", "q.db", "--strict", rc=1)
    write_rules("strict.json", metrics, candidate={"options": {"wrong_every": 100}}, plan=task, strict=True)
    check("strict.json", "--db", "q.db", rc=1)


def test_exact():
    """What is counted is compared exactly; what is counted and varies all the same is no such thing."""
    plan = {"models": [{"backend": "null"}], "tasks": [{"task": "tokens", "options": {"items": 2, "max_output": 4}}]}
    metrics = [{"figure": "requests", "direction": "lower"}]
    for options, rc, word in (({}, 0, "unchanged"), ({"varying": True}, 4, "invalid")):
        write_rules("x.json", metrics, candidate={"options": options}, plan=plan)
        _, lines = check("x.json", "--db", "x.db", rc=rc)
        line = lines["requests@tokens"]
        equal((line["rule"], line["verdict"], line["n"]), ("exact", word, 3), str(options))
    write_rules("d.json", [{"figure": "prefill_flops_per_tok"}], plan=plan,
                base={"options": {"flops_per_tok": 9}}, candidate={"options": {"flops_per_tok": 9}})
    _, lines = check("d.json", "--db", "x.db", rc=4)
    contains(lines["prefill_flops_per_tok@tokens"]["why"], "declared, not measured", "what is declared")


def test_exact_of_two_models():
    """A larger model stores more bytes; a tolerance may allow for that."""
    if "native" not in backends():
        raise Skip("no native backend in this build")
    plan = {"models": [{"backend": "native"}], "tasks": [{"task": "tokens", "options": {"items": 1, "max_output": 2}}]}
    small, large = {"path": "zoo:llama-0.25m"}, {"path": "zoo:llama-1m"}
    for base, candidate, tolerance, rc, word in ((small, large, 0, 1, "failed"), (large, small, 0, 0, "better"),
                                                 (small, large, 9, 0, "unchanged")):
        write_rules("n.json", [{"figure": "weights_stored_bytes", "tolerance": tolerance, "rule": "exact"}],
                    base=base, candidate=candidate, plan=plan, runs_per_block=1)
        _, lines = check("n.json", "--db", "n.db", rc=rc)
        equal(lines["weights_stored_bytes@tokens"]["verdict"], word, f"tolerance {tolerance}")


def test_crash_in_the_candidate():
    """An error, told after the first block; the base's cells are not worth more time."""
    found, lines = check("--db", "c.db", *FAST, "--base", SPIN, "--candidate", SPIN + ",crash_at=1", "--task", TASK,
                         "--metric", "decode_throughput", "--metric", "energy_per_tok", rc=3)
    equal(lines["decode_throughput@tokens"]["verdict"], "error", "verdict")
    contains(lines["decode_throughput@tokens"]["why"], "candidate: crash: SIGSEGV in ", "why")
    equal(scalar("c.db", "SELECT count(*) FROM repeat"), 2, "repeats of one block")
    contains(found["headline"], "an arm crashed or failed", "headline")


def test_arms_may_differ_in_their_worker():
    """Another executable and other variables; the worker of an arm is the one that is named."""
    folder = os.path.dirname(EXE)
    shutil.copy(EXE, "other-tare")
    arm = {"tare": "./other-tare", "backends": os.path.join(folder, "backends"),
           "environment": {"TARE_OF_THE_CANDIDATE": "1"}}
    write_rules("w.json", [{"figure": "exact"}], candidate=arm)
    check("w.json", "--db", "w.db")
    paths = dict(query("w.db", "SELECT c.model, a.path FROM cell c JOIN cell_artifact l ON l.cell_id = c.id "
                               "JOIN artifact a ON a.id = l.artifact_id WHERE l.role = 'tare'"))
    equal(paths["candidate"], os.path.realpath("other-tare"), "the worker's executable is hashed")
    true(paths["base"] != paths["candidate"], "and is not the base's")
    spec = json.loads(scalar("w.db", "SELECT spec FROM cell WHERE model = 'candidate'"))
    equal(spec["environment"], arm["environment"], "environment of the worker")
    write_rules("w2.json", [{"figure": "exact"}])
    check("w2.json", "--db", "w2.db", "--base-tare", EXE, "--candidate-tare", EXE)
    equal(scalar("w2.db", "SELECT count(*) FROM cell WHERE json_extract(spec, '$.exe') = ?1", os.path.realpath(EXE)), 2,
          "executables of the command line, with the backends beside them")
    write_rules("none.json", [{"figure": "exact"}], candidate={"tare": "./nowhere"})
    contains(tare("check", "none.json", "--db", "w.db", rc=2).err, "is no executable", "error")
    with open("old-tare", "w", encoding="utf-8") as to:
        to.write('#!/bin/sh\necho \'{"name": "null", "stream_version": 1}\'\n')
    os.chmod("old-tare", 0o755)
    write_rules("old.json", [{"figure": "exact"}], candidate={"tare": "./old-tare",
                                                             "backends": os.path.join(folder, "backends")})
    contains(tare("check", "old.json", "--db", "w.db", rc=2).err, "results stream has version 1", "error")


def test_rule_files_are_checked():
    """Each fault is told before anything runs, with what is wrong."""
    cases = [
        ({"metrics": []}, 'no "metrics"'),
        ({"metrics": [{"figur": "acc"}]}, 'did you mean "figure"'),
        ({"metrics": [{"task": "copy"}]}, 'names no "figure"'),
        ({"metrics": [{"figure": "exact", "rule": "quallity"}]}, "quality"),
        ({"metrics": [{"figure": "exact", "margin": "x"}]}, "margin"),
        ({"metrics": [{"figure": "exact", "equivalence": -1}]}, "shares such as 0.02"),
        ({"metrics": [{"figure": "exact", "rule": "exact", "demand": 0.1}]}, '"demand" is of the rule timing'),
        ({"metrics": [{"figure": "exact", "task": "nope"}]}, "none of the plan's"),
        ({"blok": 3}, 'did you mean "blocks"'),
        ({"blocks": 7}, "blocks"),
        ({"candidate": {"optoins": {}}}, 'did you mean "options"'),
        ({"candidate": {"options": {"wrong_evry": 3}}}, 'did you mean "wrong_every"'),
        ({"candidate": {"environment": {"A=B": "x"}}}, "no variable with a text"),
        ({"plan": {"models": [{"backend": "null"}], "tasks": [{"task": "copy"}], "repeats": 3}}, '"repeats"'),
        ({"plan": {"tasks": [{"task": "copy"}]}}, 'name a "backend"'),
        ({"plan": {"models": [{"backend": "null"}]}}, 'has no "tasks"'),
        ({"tare": 2}, "tare"),
    ]
    for changes, part in cases:
        write_rules("r.json", [{"figure": "exact"}])
        with open("r.json", encoding="utf-8") as file:
            rules = json.load(file)
        with open("r.json", "w", encoding="utf-8") as to:
            json.dump({**rules, **changes}, to)
        done = tare("check", "r.json", "--db", "r.db", rc=2)
        contains(done.err, part, str(changes))
        equal(done.out, "", "standard output")
    for args, part in ((["--base", "null"], "--candidate"), (["r.json", "--base", "null"], "a rule file says"),
                       (["r.json", "--output", "jnit=x"], 'did you mean junit'),
                       (["r.json", "--output", "junit"], "FORMAT=FILE"),
                       (["--from", "r.db", "--base", "null"], "--from takes its rules")):
        contains(tare("check", *args, rc=2).err, part, str(args))
    write_rules("u.json", [{"figure": "no_such_figure"}])
    contains(tare("check", "u.json", "--db", "u.db", rc=2).err, "no such figure", "a name nobody knows")
    tare("run", "--model", "null", "--task", "copy,items=2", "--repeats", "1", "--db", "plain.db")
    contains(tare("check", "--from", "plain.db", rc=2).err, "is no check", "another run")


def make_outputs():
    """One check whose metrics end in many ways, with a name that no format can like."""
    plan = {"models": [{"backend": "null", "name": "a|<b>&\"c\""}, {"backend": "null", "name": "plain"}],
            "tasks": [{"task": "copy", "options": {"items": 20}}]}
    metrics = [{"figure": "exact"}, {"figure": "peak_rss", "rule": "timing"}, {"figure": "energy_per_tok"},
               {"figure": "stored_bytes"}, {"figure": "request_throughput"}]
    write_rules("o.json", metrics, base={}, candidate={"options": {"wrong_every": 2, "score_ns": "200us"}},
                plan=plan, blocks=8, runs_per_block=1, noise="flag", name='50 % "off" <now>\n& more')
    formats = ("term", "json", "md", "junit", "sarif", "github", "bmf", "bigger", "smaller", "openmetrics")
    outputs = [word for f in formats for word in ("--output", f"{f}={f}.out")]
    done = tare("check", "o.json", "--db", "o.db", *outputs, rc=1)
    texts = {}
    for f in formats:
        with open(f + ".out", encoding="utf-8") as file:
            texts[f] = file.read()
    equal(done.out, texts["term"], "what is printed is the terminal's format")
    return texts, strict_json(texts["json"], "json")["metrics"]


def junit(text, lines):
    root = ET.fromstring(text)
    equal(root.tag, "testsuites", "root")
    suite = root.find("testsuite")
    cases = suite.findall("testcase")
    equal([c.get("name") for c in cases], [m["id"] for m in lines], "names")
    for tag, count in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        equal(len(suite.findall(f"testcase/{tag}")), int(suite.get(count)), count)
    for case, line in zip(cases, lines):
        expected = {"failed": "failure", "skipped": "skipped", "error": "error", "invalid": "error"}
        tag = expected.get(line["verdict"])
        equal([e.tag for e in case if e.tag in ("failure", "error", "skipped")], [tag] if tag else [], line["id"])
        properties = {p.get("name"): p.get("value") for p in case.findall("properties/property")}
        equal(properties["verdict"], line["verdict"], "property")
    true(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp")), "timestamp")
    if shutil.which("xmllint"):
        subprocess.run(["xmllint", "--noout", "junit.out"], check=True)


def sarif(text, lines):
    root = strict_json(text, "sarif")
    equal(root["version"], "2.1.0", "version")
    run = root["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    true(run["tool"]["driver"]["name"], "driver")
    equal(len(run["results"]), len(lines), "results")
    for result, line in zip(run["results"], lines):
        equal(rules[result["ruleIndex"]]["id"], result["ruleId"], "rule of a result")
        true(result["message"]["text"].startswith(line["id"]), "message")
        true(result["level"] in ("none", "note", "warning", "error"), "level")
        true(result["kind"] == "fail" or result["level"] == "none", "only failures have a level")
        equal(result["level"] == "error", line["fails"] or line["verdict"] in ("error", "invalid"), line["id"])
        place = result["locations"][0]["physicalLocation"]
        equal((place["artifactLocation"]["uri"], place["region"]["startLine"]), ("o.json", 1), "place")


def github(text, lines):
    for row in text.splitlines():
        true(re.fullmatch(r"::(error|warning|notice) [^:\n]*(?:%3A[^:\n]*)*::.+", row), row)
    equal(text.count("\n"), sum(m["verdict"] in ("failed", "inconclusive", "skipped") for m in lines) + 1, "rows")
    contains(text, "title=50 %25 \"off\" <now>%0A& more::", "escaped title")


def metric_format(texts, lines):
    known = {m["id"]: m for m in lines if m["verdict"] != "skipped"}
    benchmarks = strict_json(texts["bmf"], "bmf")
    equal(sum(len(b) for b in benchmarks.values()), len(known), "measures")
    for name, benchmark in benchmarks.items():
        for figure, measure in benchmark.items():
            true(set(measure) <= {"value", "lower_value", "upper_value"}, f"{name} {figure}: {measure}")
            if "lower_value" in measure:
                true(measure["lower_value"] <= measure["upper_value"], f"{name} {figure}: {measure}")
    for which, better in (("bigger", "higher"), ("smaller", "lower")):
        rows = strict_json(texts[which], which)
        equal([r["name"] for r in rows], [i for i, m in known.items() if m["better"] == better], which)
        for row in rows:
            close(row["value"], known[row["name"]]["candidate"], row["name"])
            true(isinstance(row["unit"], str), "unit")


LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(\{" + LABEL + "(?:," + LABEL + r")*\})? (-?[0-9.]+(?:e[-+]?\d+)?)")


def openmetrics(text):
    true(text.endswith("\n# EOF\n") and text.count("# EOF") == 1, "ends with EOF")
    family, kind, seen, series = None, None, set(), set()
    for row in text.splitlines()[:-1]:
        meta = re.fullmatch(r"# (TYPE|UNIT|HELP) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)", row)
        if meta and meta.group(1) == "TYPE":
            family, kind = meta.group(2), meta.group(3)
            true(family not in seen, f"{family} stands together")
            true(kind in ("gauge", "info", "stateset"), kind)
            seen.add(family)
        elif meta:
            equal(meta.group(2), family, "metadata of the family")
            true(meta.group(1) != "UNIT" or family.endswith("_" + meta.group(3)), f"unit is the suffix: {row}")
        else:
            sample = SAMPLE.fullmatch(row)
            true(sample, f"no sample: {row}")
            equal(sample.group(1), family + ("_info" if kind == "info" else ""), "name of the sample")
            true(sample.group(1, 2) not in series, f"twice: {row}")
            series.add(sample.group(1, 2))
            true(kind != "stateset" or (sample.group(3) in "01" and f'{family}="' in sample.group(2)), row)
    true("tare_peak_rss_bytes" in seen and "tare_gate" in seen, seen)


def test_outputs():
    texts, lines = make_outputs()
    verdicts = {m["id"]: m["verdict"] for m in lines}
    equal(verdicts["exact@copy (plain)"], "failed", "half of the answers are wrong")
    equal(verdicts["energy_per_tok@copy (plain)"] in ("skipped", "inconclusive", "equivalent"), True, "energy")
    equal(verdicts["stored_bytes@copy (plain)"], "skipped", "null has no size")
    junit(texts["junit"], lines)
    sarif(texts["sarif"], lines)
    github(texts["github"], lines)
    metric_format(texts, lines)
    openmetrics(texts["openmetrics"])
    rows = [row for row in texts["md"].splitlines() if row.startswith("|")]
    for row in rows:
        equal(len(re.findall(r"(?<!\\)\|", row)), 6, f"five columns: {row}")
    equal(len(rows), len(lines) + 2, "a row a metric")
    true("<b>" not in texts["md"], "no HTML")
    for line in lines:
        contains(texts["term"], line["id"], "terminal")


def test_voided_blocks():
    """Blocks that were disturbed are run again; too many of them, and the environment is unfit."""
    found, lines = check("--db", "v.db", "--blocks", "8", "--runs-per-block", "1", "--noise", "void", "--base",
                         "null,request_alloc_bytes=1MiB", "--candidate", "null,request_alloc_bytes=1MiB", "--task",
                         TASK, "--metric", "peak_rss,rule=timing", rc=None)
    true(found["exit_status"] in (0, 1, 5), found["headline"])
    if found["exit_status"] == 5:
        true(found["unfit"] and found["blocks_voided"] > 0.2 * found["blocks_run"], found["headline"])
    else:
        equal(lines["peak_rss@tokens"]["n"], 8 * found["stage"], "blocks that count")


def disturb(db, block, name="node_steal", value=5):
    """As if the hypervisor had taken 5 % of the machine in that block of the candidate."""
    connection = sqlite3.connect(db)
    with connection:
        connection.execute(
            "INSERT INTO reading (attempt_id, phase, meter, name, value, unit, kind, scope, source, absent) "
            "SELECT a.id, 'measure', 'test', ?1, ?2, '1', 'measured', 'node', 'put there', NULL FROM attempt a "
            "JOIN repeat r ON r.id = a.repeat_id JOIN cell c ON c.id = r.cell_id "
            "WHERE c.model = 'candidate' AND r.block = ?3", (name, value, block))
        connection.execute("UPDATE repeat SET sha256 = NULL")
    connection.close()


def test_disturbed_blocks_do_not_count():
    """Readings put into a stored check take blocks away when it is decided again."""
    args = ["--db", "d.db", *FAST, "--base", "null", "--candidate", "null", "--task", TASK, "--metric",
            "peak_rss,rule=timing"]
    check(*args, rc=None)
    connection = sqlite3.connect("d.db")
    with connection:  # nothing but what is put there may void a block
        connection.execute("DELETE FROM reading WHERE name IN ('foreign_cpu', 'node_foreign_cpu', 'steal', "
                           "'node_steal', 'major_faults', 'psi_memory_full', 'swap_in_pages', 'clock_step')")
        connection.execute("UPDATE run SET plan = replace(plan, '\"noise\":\"flag\"', '\"noise\":\"void\"')")
        connection.execute("UPDATE repeat SET sha256 = NULL")
    connection.close()
    found, _ = check("--from", "d.db", rc=None)
    equal((found["blocks_voided"], found["noise_flagged"]), (0, False), "nothing is voided yet")
    disturb("d.db", 2)
    found, lines = check("--from", "d.db", rc=None)
    equal((found["blocks_voided"], found["unfit"]), (1, False), "one of eight")
    contains(found["disturbances"], "STEAL", "what it was")
    contains(lines["peak_rss@tokens"]["why"] or f"{lines['peak_rss@tokens']['n']} blocks", "blocks", "too few now")
    disturb("d.db", 4)
    found, _ = check("--from", "d.db", rc=5)
    true(found["unfit"], "two of eight are over a fifth")
    contains(found["headline"], "environment unfit", "headline")


main(globals())
