# SPDX-License-Identifier: Apache-2.0
"""Built-in plans, single options of any plan, and the table that a plan asks for."""
import os

from clilib import Skip, backends, contains, equal, main, null, query, scalar, strict_json, tare, true, write_plan

ZOO = ["llama-0.1m", "llama-0.25m", "llama-0.5m", "llama-0.5m-kd", "llama-1m", "llama-2m", "rwkv4-1m", "h3-1m",
       "hyena-1m", "retnet-1m"]
TUNED = ["llama-1m-wanda50-ft", "llama-1m-wanda24-ft", "llama-1m-svd", "llama-1m-svd-ft"]
TASKS = ["text-512", "text-64", "choice", "swap", "recall", "copy", "sort", "add", "calc", "flip", "prefill-64",
         "prefill-512", "decode-0", "decode-128", "decode-480"]


def need_native():
    if "native" not in backends():
        raise Skip("this build has no native backend")


def dry_run(*args):
    return strict_json(tare("run", *args, "--dry-run", "--json").out, "dry run")


def stored_plan(db):
    return strict_json(scalar(db, "SELECT plan FROM run"), "stored plan")


def test_built_in_plans_are_listed():
    plans = strict_json(tare("list", "plans", "--json").out, "plans")["plans"]
    equal([p["name"] for p in plans], ["quick", "zoo"], "names")
    true(all(len(p["summary"]) > 20 for p in plans), f"summaries: {plans}")
    contains(tare("--help").out, "Built-in plans for 'tare run': quick, zoo", "help")


def test_plan_by_name():
    need_native()
    equal(dry_run("quick")["cells"], dry_run()["cells"], "'quick' and no plan")
    with open("zoo", "w", encoding="ascii") as to:
        to.write("not a plan")
    true(len(dry_run("zoo")["cells"]) > 100, "a built-in plan goes before a file of its name")
    contains(tare("run", "./zoo", "--dry-run", rc=2).err, "./zoo", "with a '/' the file is meant")
    contains(tare("run", "zo", "--dry-run", rc=2).err, "zo", "neither a plan nor a file")


def test_rows_of_the_zoo():
    """Every model untreated; int8 and int4 of each architecture; every other technique on llama-1m."""
    need_native()
    shown = dry_run("zoo")
    rows = list(dict.fromkeys((c["model"], c["technique"]) for c in shown["cells"]))
    equal(len(shown["cells"]), len(rows) * len(TASKS), "every row has every task")
    equal(list(dict.fromkeys(c["task"] for c in shown["cells"])), TASKS, "tasks")
    equal([m for m, t in rows if t == "baseline"], [m for m in ZOO if m != "llama-0.5m-kd"], "untreated models")
    equal([m for m, _ in rows if m in TUNED], TUNED, "shipped variants")
    for model in ("rwkv4-1m", "h3-1m", "hyena-1m", "retnet-1m"):
        equal([t for m, t in rows if m == model], ["baseline", "int8", "int4"], model)
    applied = [t for m, t in rows if m == "llama-1m" and t != "baseline"]
    for label in ("int8", "int4", "gptq-int4", "awq-int4", "nf4", "ternary", "w8a8", "kv-int8", "kv-int4", "mag50",
                  "wanda50", "wanda24", "sparsegpt50", "heads", "channels", "layers", "svd", "asvd", "svd-llm",
                  "early-exit", "speculative", "kv-sinks", "prompt"):
        true(label in applied, f"{label} is not applied to llama-1m")
    repeats = {c["task"]: c["repeats"] for c in shown["cells"]}
    equal(set(repeats.values()), {1, 6}, "quality once, speed in every block")
    equal(sum(c["repeats"] for c in shown["cells"]), shown["processes"], "processes")


def test_files_of_the_zoo():
    """What the plan names is shipped."""
    need_native()
    folder = os.environ["TARE_ZOO"]
    for model in ZOO + TUNED:
        true(os.path.isfile(os.path.join(folder, f"{model}.safetensors")), f"{model} is not shipped")


def test_set_an_option_of_any_plan():
    """The one way to point a built-in plan at another text."""
    need_native()
    with open("mine.txt", "wb") as to:
        to.write(b"A text of my own. " * 20)
    tare("run", "zoo", "--set", "text.path=mine.txt", "--set", "copy.items=3", "--set", "text-64.items=1", "--set",
         "native.threads=1", "--include", "model=llama-0.1m,task=text-*", "--include", "model=llama-0.1m,task=copy",
         "--repeats", "1", "--db", "s.db", "--baseline", "llama-0.1m")
    plan = stored_plan("s.db")
    tasks = {t.get("name", t["task"]): t.get("options", {}) for t in plan["tasks"]}
    equal(tasks["text-512"], {"path": "mine.txt"}, "by the task")
    equal(tasks["text-64"], {"path": "mine.txt", "items": "1"}, "by the task and by the label")
    equal(tasks["copy"], {"items": "3"}, "of another task")
    equal(tasks["prefill-64"], {"items": 8, "prompt_tok": 64, "max_output": 1}, "others stay")
    equal({m["options"]["threads"] for m in plan["models"]}, {"1"}, "an option of every model of a backend")
    equal(dict(query("s.db", "SELECT task, items FROM cell")), {"text-512": 1, "text-64": 1, "copy": 3}, "items")
    paths = query("s.db", "SELECT DISTINCT a.path FROM artifact a JOIN cell_artifact c ON c.artifact_id = a.id "
                          "WHERE c.role = 'data'")
    equal(paths, [(os.path.realpath("mine.txt"),)], "the file that was read")


def test_what_cannot_be_set():
    write_plan("p.json", [null("a.b")], [{"task": "tokens"}])
    for text, why in (("tokens", "TASK.OPTION=VALUE"), ("tokens=1", "TASK.OPTION=VALUE"),
                      (".items=1", "TASK.OPTION=VALUE"), ("tokens.=1", "TASK.OPTION=VALUE"),
                      ("text.path=x", "none of the plan's tasks and models is called text"),
                      ("tokens.itmes=1", "itmes"), ("tokens.items=x", "items"), ("null.nope=1", "nope")):
        result = tare("run", "p.json", "--set", text, "--dry-run", rc=2)
        contains(result.err, why, text)
    shown = dry_run("p.json", "--set", "a.b.logprob=-2", "--set", "tok*.items=1")
    equal(len(shown["cells"]), 1, "a label with a dot, and a pattern")
    write_plan("q.json", [null("a")], [{"task": "tokens"}], set=["tokens.items=1"])
    contains(tare("run", "q.json", "--dry-run", rc=2).err, '"set"', "a file has no such key")


def test_prompts_of_exact_length():
    tare("run", "--model", "null", "--task", "generate,prompt_tok=37,items=4,max_output=3,name=some", "--task",
         "generate,prompt_tok=1,items=4,max_output=1,name=one", "--repeats", "1", "--db", "g.db")
    equal(query("g.db", "SELECT c.task, s.prompt_tok, s.output_tok, count(*) FROM sample s JOIN repeat r ON r.id = "
                        "s.repeat_id JOIN cell c ON c.id = r.cell_id GROUP BY 1, 2, 3 ORDER BY 1"),
          [("one", 1, 1, 4), ("some", 37, 3, 4)], "prompts, the first token included")
    tare("run", "--model", "null", "--task", "generate,prompt_tok=100000,items=1", "--repeats", "1", "--db", "l.db", rc=3)
    contains(scalar("l.db", "SELECT message FROM repeat"), "100000 were asked for", "a text that is too short")


def made(columns, db):
    """A run of two models with two techniques (which null skips) and a table of these columns."""
    write_plan("c.json", [null("m", stored_bytes=2000), null("n", stored_bytes=500)],
               [{"task": "copy", "name": "copy-2", "options": {"items": 3, "level": 2}},
                {"task": "copy", "name": "copy-4", "repeats": 1, "options": {"items": 3, "level": 4}},
                {"task": "generate", "name": "g", "options": {"items": 2, "prompt_tok": 9, "max_output": 3}}],
               techniques=[{"technique": "baseline"}, {"name": "q4", "technique": "a.b", "params": {"bits": 4}}],
               repeats=6, baseline="m", columns=columns)
    tare("run", "c.json", "--db", db)


def survey(db):
    return strict_json(tare("report", db, "-f", "json").out, "survey")


def test_columns_of_the_plan():
    made(["compression_ratio", "quality@copy-[4-9]", "quality", "prefill_throughput@g", "requests@copy-*", "speedup",
          "no_such_figure", "no_such@g", "weights_stored_bytes"], "c.db")
    table = survey("c.db")
    equal([c["key"] for c in table["columns"]],
          ["model", "technique", "compression_ratio@model", "token_acc@copy-4", "token_acc@copy-2",
           "prefill_throughput@g", "requests@copy-2", "requests@copy-4", "speedup@copy-2",
           "weights_stored_bytes@model"], "columns, in order, each once")
    rows = {(r["model"], r["technique"]): r for r in table["rows"]}
    equal(list(rows), [("m", "baseline"), ("n", "baseline"), ("m", "q4"), ("n", "q4")], "rows")
    n = rows["n", "baseline"]
    equal((n["compression_ratio@model"]["value"], n["requests@copy-2"]["value"]), (4, 3), "values")
    equal(n["weights_stored_bytes@model"]["n"], 6, "what is of the model is taken from the cell with most repeats")
    skipped = rows["n", "q4"]["token_acc@copy-4"]
    equal((skipped["value"], skipped["mark"]), (None, "SKIPPED"), "a skipped cell")
    contains(skipped["absent"], "applies no techniques", "the reason")


def test_columns_are_checked():
    for columns, why in (("acc", "no array of texts"), ([4], "an element is no text"), ([""], "an element is no text"),
                         (["@copy"], "an element is no text"), (["acc@cpy"], "no task is called cpy")):
        write_plan("w.json", [null("m")], [{"task": "copy"}], columns=columns)
        contains(tare("run", "w.json", "--dry-run", rc=2).err, why, columns)


def test_the_table_says_what_labels_mean():
    made(["weights_stored_bytes"], "n.db")
    for name in ("term", "md"):
        contains(tare("report", "n.db", "-f", name).out, "q4: a.b{bits=4}", name)


def test_every_block_tells_the_rows_apart():
    """Rows that share a model repeat the technique in every block of the terminal's table, others do not."""
    made(["quality", "prefill_throughput", "decode_throughput", "speedup", "latency_p50@copy-*", "load_time", "peak_rss",
          "peak_rss@copy-4", "cpu_user", "measure_time", "token_throughput"], "t.db")
    text = tare("report", "t.db", "-f", "term").out
    heads = [line for line in text.splitlines() if line.startswith("Model")]
    true(len(heads) > 1, "more than one block")
    for head in heads:
        true(head.split()[1] == "Technique", f"a block without techniques: {head}")
    true(max(map(len, text.splitlines())) <= 120, "lines of at most 120 columns")
    write_plan("1.json", [null("m"), null("n")], [{"task": "copy", "options": {"items": 3}}], repeats=6)
    tare("run", "1.json", "--db", "1.db")
    heads = [line for line in tare("report", "1.db", "-f", "term").out.splitlines() if line.startswith("Model")]
    equal([head.split()[1] == "Technique" for head in heads], [True] + [False] * (len(heads) - 1), "other tables")


main(globals())
