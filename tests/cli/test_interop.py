# SPDX-License-Identifier: Apache-2.0
"""Files of other programs go in and come out again with every field, which Python's own readers of JSON, CSV and
SQL judge here; what was measured goes out in their forms; and what was imported is marked wherever it shows."""
import csv
import glob
import hashlib
import io
import json
import os
import sqlite3

from clilib import close, contains, equal, main, query, scalar, strict_json, tare, true

SAMPLES = os.environ["TARE_INTEROP_SAMPLES"]


def sample(name):
    return os.path.join(SAMPLES, name)


def read(name):
    with open(sample(name), encoding="utf-8", newline="") as file:
        return file.read()


def exact(text):
    """JSON with the text of every number, so that a digit too few is a difference."""
    return json.loads(text, parse_float=lambda t: ("number", t), parse_int=lambda t: ("number", t),
                      parse_constant=lambda t: ("number", t))


def json_lines(text):
    return [exact(line) for line in text.splitlines() if line.startswith("{")]


def json_behind_log(text):
    return exact(text[text.index("[\n  {"):])


def cells(text):
    return list(csv.DictReader(io.StringIO(text)))


def rows(text):
    """What SQLite makes of the statements."""
    db = sqlite3.connect(":memory:")
    db.row_factory = sqlite3.Row
    db.executescript(text[text.index("CREATE"):])
    return [{key: str(row[key]) for key in row.keys()} for row in db.execute("SELECT * FROM llama_bench")]


def marked(text):
    return [exact(line[len(":::MLLOG "):]) if line.startswith(":::MLLOG ") else line for line in text.splitlines()]


# file, format, how its content is compared
TWO_WAY = [
    ("llama-bench.json", "llama-bench", json_behind_log),
    ("llama-bench.jsonl", "llama-bench-jsonl", json_lines),
    ("llama-bench.csv", "llama-bench-csv", cells),
    ("llama-bench.sql", "llama-bench-sql", rows),
    ("results_2026-08-01T10-00-00.json", "lm-eval", exact),
    ("samples_arc_easy_2026-08-01T10-00-00.jsonl", "lm-eval-samples", json_lines),
    ("mlperf_log_summary.txt", "loadgen-summary", str),
    ("mlperf_log_detail.txt", "loadgen-detail", marked),
    ("mlperf_log_accuracy.json", "loadgen-accuracy", exact),
    ("vllm-bench.json", "vllm-bench", exact),
    ("vllm-sweep.json", "vllm-bench", exact),
    ("vllm-append.jsonl", "vllm-bench", json_lines),
    ("benchmark.json", "optimum-benchmark", exact),
    ("inferencex.json", "inferencex", exact),
    ("inferencex-list.json", "inferencex", exact),
    ("emissions.csv", "codecarbon", cells),
    ("hyperfine.json", "hyperfine", exact),
]


def test_round_trip_loses_nothing():
    both = {f["name"] for f in strict_json(tare("list", "interop", "--json").out, "list")["interop"]
            if f["imports"] and f["gives_back"]}
    equal({format_name for _, format_name, _ in TWO_WAY}, both, "every two-way format has a sample here")
    tare("import", *[sample(name) for name, _, _ in TWO_WAY])
    for run, (name, format_name, content) in enumerate(TWO_WAY, 1):
        tare("export", format_name, "--run", str(run), "--output", "out")
        with open("out", encoding="utf-8", newline="") as file:
            back = file.read()
        equal(content(back), content(read(name)), name)
        true(content(back), f"{name}: something was compared")


def test_every_sample_is_recognised_and_marked():
    names = sorted(glob.glob(sample("*")))
    true(len(names) >= 25, "samples are there")
    tare("import", *names, "--db", "all.db")
    equal(scalar("all.db", "SELECT count(*) FROM import"), len(names), "a run a file")
    equal(query("all.db", "SELECT DISTINCT kind, flags FROM figure"), [("reported", "IMPORTED")], "kinds and flags")
    equal(query("all.db", "SELECT DISTINCT verdict FROM cell ORDER BY 1"), [(None,), ("INVALID",)], "verdicts")
    equal(scalar("all.db", "SELECT count(*) FROM cell WHERE technique = 'baseline'"), 0, "no baselines")
    equal(query("all.db", "PRAGMA foreign_key_check"), [], "foreign keys")
    for run, in query("all.db", "SELECT id FROM run"):
        report = tare("report", "all.db", "--run", str(run), "--view", "survey" if run % 2 else "full").out
        contains(report, "not measured by tare", "caption")
    path, sha256 = query("all.db", "SELECT path, sha256 FROM import ORDER BY run_id LIMIT 1")[0]
    equal(path, names[0], "the file")
    true(len(sha256) == 64, "its hash")


def test_marks_in_tables():
    tare("import", sample("llama-bench.json"))
    text = tare("report").out
    contains(text, "flag IMPORTED", "footnote")
    contains(text, "IMPORTED: what another program reports", "note")
    contains(text, "reported;", "kind")
    true("**" not in text, "nothing is best")
    tare("import", sample("hyperfine.json"))
    contains(tare("report", "--view", "full").out, "REPORTED_INVALID", "its own program says so")


def test_all_or_nothing():
    with open("bad.json", "w", encoding="utf-8") as file:
        file.write(read("hyperfine.json").replace('"mean": 0.002', '"mean": "soon"'))
    refused = tare("import", sample("emissions.csv"), "bad.json", rc=5)
    contains(refused.err, "bad.json: record 2: mean: a number is needed", "place")
    equal(os.path.exists("tare.db"), False, "and no database is left that holds nothing")
    tare("import", sample("emissions.csv"))
    tare("import", sample("emissions.csv"), "bad.json", rc=5)
    equal(scalar("tare.db", "SELECT count(*) FROM run"), 1, "what was there stays, and nothing is added")
    tare("import", "nowhere.json", rc=5)
    tare("import", rc=2)
    tare("import", sample("emissions.csv"), "--format", "hyperfine", rc=5)
    contains(tare("import", sample("emissions.csv"), "--format", "codecarbo", rc=2).err, "codecarbon", "nearest")
    contains(tare("import", sample("emissions.csv"), "--format", "llm-d-report", rc=2).err, "written only", "out only")


def test_same_labels_are_told_apart():
    with open("twice.json", "w", encoding="utf-8") as file:
        result = json.loads(read("hyperfine.json"))["results"][0]
        json.dump({"results": [result] * 3}, file)
    tare("import", "twice.json", "--model", "mine")
    equal(query("tare.db", "SELECT model, scenario FROM cell"),
          [("mine", "as reported"), ("mine", "as reported #2"), ("mine", "as reported #3")], "labels")


def test_imported_stays_what_it_is():
    tare("import", sample("vllm-bench.json"))
    contains(tare("show").out, "vllm-bench.json (vllm-bench, sha256 ", "where it came from")
    contains(tare("show").out, "its figures are reported", "and what that means")
    with open(sample("vllm-bench.json"), "rb") as file:
        equal(strict_json(tare("show", "--json").out, "show")[0]["import"]["sha256"],
              hashlib.sha256(file.read()).hexdigest(), "the file by its hash")
    contains(tare("export", "llama-bench", rc=2).err, "its own form only", "no laundering")
    contains(tare("export", "guidellm", rc=2).err, "its own form only", "read only")
    contains(tare("derive", rc=2).err, "was imported", "nothing to derive")
    contains(tare("run", "--resume", "tare.db", rc=2).err, "was imported", "nothing to continue")
    contains(tare("export", "vllm-bench", "--model", "x", rc=2).err, "whole", "no choice of cells")
    contains(tare("export", "no-such", rc=2).err, "unknown", "format")
    contains(tare("export", rc=2).err, "name a format", "format")


def measured():
    tare("run", "--model", "null,flops_per_tok=10,token_ns=20us", "--task", "generate", "--task", "recall,items=8",
         "--repeats", "3", "--db", "m.db")


def figure(task, name):
    return scalar("m.db", "SELECT value FROM figure f JOIN cell c ON c.id = f.cell_id WHERE task = ? AND name = ?",
                  task, name)


def export(format_name, *more):
    return tare("export", format_name, "--db", "m.db", *more).out


def test_measured_goes_out():
    measured()
    llama = json.loads(export("llama-bench"))
    equal([(r["n_prompt"] > 0, r["n_gen"] > 0) for r in llama], [(True, False), (False, True)], "pp and tg")
    tg = llama[1]
    per_repeat = query("m.db", "SELECT avg(latency_ns - ttft_ns), avg(output_tok - 1) FROM sample s JOIN repeat r ON "
                               "r.id = s.repeat_id JOIN cell c ON c.id = r.cell_id WHERE task = 'generate' "
                               "GROUP BY r.id ORDER BY r.block")
    equal(tg["n_gen"], per_repeat[0][1], "tokens after the first")
    rates = [1e9 * tok / ns for ns, tok in per_repeat]
    close(tg["avg_ts"], sum(rates) / len(rates), "avg_ts is the mean of rates")
    equal(len(tg["samples_ts"]), 3, "a sample a repeat")
    true("build_commit" not in tg and "n_batch" not in tg, "what we do not have is left out")

    served = {r["label"]: r for r in json.loads(export("vllm-bench"))}
    close(served["generate"]["median_ttft_ms"], figure("generate", "ttft_p50") * 1e3, "s to ms")
    equal(served["generate"]["request_rate"], "inf", "as vLLM writes it")
    true("mean_ttft_ms" not in served["generate"], "no mean")
    true("median_ttft_ms" not in served["recall"], "nothing was generated")
    tokens, = query("m.db", "SELECT sum(prompt_tok), sum(output_tok) FROM sample s JOIN repeat r ON r.id = s.repeat_id "
                            "JOIN cell c ON c.id = r.cell_id WHERE task = 'generate'")
    equal((served["generate"]["total_input_tokens"], served["generate"]["total_output_tokens"]), tokens, "tokens")

    results = json.loads(export("lm-eval"))
    equal(set(results["results"]), {"recall"}, "tasks with a metric")
    close(results["results"]["recall"]["token_acc,none"], figure("recall", "token_acc"), "metric")
    equal(results["n-samples"]["recall"]["effective"], 8, "items")

    timed = json.loads(export("hyperfine"))["results"]
    equal([len(r["times"]) for r in timed], [3, 3], "a time a repeat")
    close(timed[0]["mean"], sum(timed[0]["times"]) / 3, "mean")
    close(timed[0]["median"], sorted(timed[0]["times"])[1], "median")


def test_one_cell_a_file():
    measured()
    for name in ("optimum-benchmark", "llm-d-report", "loadgen-summary", "loadgen-detail"):
        contains(tare("export", name, "--db", "m.db", rc=2).err, "choose with --model and --task", name)
    optimum = json.loads(export("optimum-benchmark", "--task", "generate"))["report"]
    close(optimum["generate"]["memory"]["max_ram"], figure("generate", "peak_rss") / 1e6, "bytes to MB")
    equal(optimum["generate"]["memory"]["unit"], "MB", "unit")
    close(optimum["decode"]["throughput"]["value"], figure("generate", "decode_throughput"), "tokens/s")
    true("energy" not in optimum["generate"], "no energy was measured: left out, not 0")
    summary = export("loadgen-summary", "--task", "generate")
    contains(summary, f"50.00 percentile latency (ns)   : {figure('generate', 'latency_p50') * 1e9:.0f}", "ns")
    true("Result is" not in summary, "no verdict by rules that were not applied")
    for line in export("loadgen-detail", "--task", "generate").splitlines():
        strict_json(line.removeprefix(":::MLLOG "), "entry")
    report = json.loads(export("llm-d-report", "--task", "generate"))
    close(report["metrics"]["throughput"]["requests_per_sec"],
          report["metrics"]["requests"]["total"] / report["metrics"]["time"]["duration"], "rate")
    contains(tare("export", "codecarbon", "--db", "m.db", rc=2).err, "no energy", "nothing to hold")
    contains(tare("export", "lm-eval-samples", "--db", "m.db", rc=2).err, "only gives back", "no such figures")


def test_what_goes_out_comes_in():
    measured()
    for name, more in (("llama-bench", []), ("llama-bench-jsonl", []), ("vllm-bench", []), ("lm-eval", []),
                       ("hyperfine", []), ("loadgen-detail", ["--task", "generate"]),
                       ("optimum-benchmark", ["--task", "generate"])):
        tare("export", name, "--db", "m.db", "--output", "out", *more)
        tare("import", "out", "--format", name)
    equal(scalar("tare.db", "SELECT count(*) FROM run"), 7, "runs")
    own = query("m.db", "SELECT value FROM figure f JOIN cell c ON c.id = f.cell_id WHERE task = 'generate' AND "
                        "name = 'latency_p50'")[0][0]
    found = query("tare.db", "SELECT f.value FROM figure f JOIN cell c ON c.id = f.cell_id WHERE "
                             "f.name = 'latency_p50' AND c.task IN ('generate', 'PerformanceOnly')")
    equal(len(found), 2, "by two programs")
    for value, in found:
        close(value, own, "latency out and in", 1e-9)


def test_many_lines():
    """Lines are read one at a time and stored as they come."""
    line = json.dumps({"doc_id": 0, "filtered_resps": ["x"], "filter": "none", "metrics": ["acc"], "acc": 1.0})
    with open("samples_big_2026.jsonl", "w", encoding="utf-8") as file:
        for i in range(20000):
            file.write(line.replace('"doc_id": 0', f'"doc_id": {i}') + "\n")
    tare("import", "samples_big_2026.jsonl", "--json")
    equal(query("tare.db", "SELECT c.task, f.value, f.n FROM figure f JOIN cell c ON c.id = f.cell_id"),
          [("big", 1.0, 20000)], "mean")
    equal(scalar("tare.db", "SELECT count(*) FROM import_record"), 20000, "records")


main(globals())
