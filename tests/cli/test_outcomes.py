# SPDX-License-Identifier: Apache-2.0
"""Every way a cell can end, provoked with the null backend, and what must be recorded of it."""
import os
import re

from clilib import (Skip, contains, equal, figures, is_sanitized, main, null, query, scalar, tare,
                    true, write_plan)

ITEMS = 6
# Longer than the 100 ms for which a worker may hold samples back: what came before a fault is stored.
SLOW = {"first_ns": "110ms"}

# name, options of the null backend, outcome, message, reasons, samples, samples with an error
CELLS = [
    ("fine", {}, "ok", None, None, ITEMS, 0),
    ("fine_too", {"first_ns": "1ms"}, "ok", None, None, ITEMS, 0),
    ("error_first", {"error_at": 0}, "error",
     r"backend: 1 of 6 items failed, the first is item 0: .*at item 0.*", "ERROR,FAILED_SAMPLES", ITEMS, 1),
    ("error_amid", {"error_at": 3}, "error",
     r"backend: 1 of 6 items failed, the first is item 3: .*at item 3.*", "ERROR,FAILED_SAMPLES", ITEMS, 1),
    ("error_last", {"error_at": 5}, "error",
     r"backend: 1 of 6 items failed, the first is item 5: .*at item 5.*", "ERROR,FAILED_SAMPLES", ITEMS, 1),
    ("crash_first", {"crash_at": 0}, "crash", r"crash: SIGSEGV in measure", "CRASH,INCOMPLETE", 0, 0),
    ("crash_amid", {"crash_at": 3, **SLOW}, "crash", r"crash: SIGSEGV in measure", "CRASH,INCOMPLETE", 3, 0),
    ("crash_last", {"crash_at": 5, **SLOW}, "crash", r"crash: SIGSEGV in measure", "CRASH,INCOMPLETE", 5, 0),
    ("hang_amid", {"hang_at": 2, **SLOW}, "timeout", r"timeout: .*in measure.* 2 s", "TIMEOUT,INCOMPLETE",
     2, 0),
    ("exit_amid", {"exit_at": 2, **SLOW}, "crash", r"crash: left with exit status 7 in measure.*",
     "CRASH,INCOMPLETE", 2, 0),
    ("load_error", {"fail_in_load": "error"}, "error", r"backend: .*while loading.*", "ERROR,INCOMPLETE",
     0, 0),
    ("load_crash", {"fail_in_load": "crash"}, "crash", r"crash: SIGSEGV in load", "CRASH,INCOMPLETE", 0, 0),
    ("load_hang", {"fail_in_load": "hang"}, "timeout", r"timeout: .*in load.* 2 s", "TIMEOUT,INCOMPLETE",
     0, 0),
    ("load_exit", {"fail_in_load": "exit"}, "crash", r"crash: left with exit status 7 in load.*",
     "CRASH,INCOMPLETE", 0, 0),
]
TOKENS = {"task": "tokens", "options": {"items": ITEMS, "max_output": 2}}
NO_WARMUP = [{"scenario": "single", "warmup": 0}]


def check_cell(db, name, outcome, message, reasons, samples, errors):
    """What the tables say of one cell with one repeat."""
    found = query(db, "SELECT c.verdict, c.reasons, r.outcome, r.message, a.outcome, a.message, r.id FROM cell c "
                      "JOIN repeat r ON r.cell_id = c.id JOIN attempt a ON a.repeat_id = r.id "
                      "WHERE c.model = ?", name)
    equal(len(found), 1, f"{name}: attempts")
    verdict, why, *told, repeat = found[0]
    equal(verdict, "INVALID" if reasons else "VALID", f"{name}: verdict")
    equal(why, reasons, f"{name}: reasons")
    for said, text in (told[:2], told[2:]):
        equal(said, outcome, f"{name}: outcome")
        true(text is None if message is None else re.fullmatch(message, text or ""),
             f"{name}: message {text!r} is not {message!r}")
    stored = query(db, "SELECT item, error, requests FROM sample WHERE repeat_id = ? ORDER BY item", repeat)
    equal([row[0] for row in stored], list(range(samples)), f"{name}: items stored")
    equal(sum(row[1] is not None for row in stored), errors, f"{name}: samples with an error")


def test_every_outcome_of_one_plan():
    models = [null(cell[0], **cell[1]) for cell in CELLS]
    plan = write_plan("plan.json", models, [TOKENS], repeats=1, time_limit="2s", scenarios=NO_WARMUP)
    result = tare("run", "--db", "r.db", plan, rc=3)
    for cell in CELLS:
        check_cell("r.db", cell[0], *cell[2:])
        if cell[2] != "ok":
            contains(result.err, f"{cell[0]} / tokens", "a failed cell is named on standard error")
    valid = sum(cell[2] == "ok" for cell in CELLS)
    contains(result.err, f"{valid} cells valid, {len(CELLS) - valid} invalid, 0 skipped", "summary")
    # No number of an invalid cell is shown, in any form.
    table = tare("report", "r.db", "--view", "full", "-f", "csv").out
    contains(table, "fine", "the report")
    for line in table.splitlines():
        if ",INVALID," in line:
            true(not re.search(r",measured,", line), f"a figure of an invalid cell is in the report: {line}")


def test_error_leaves_the_other_items_alone():
    tare("run", "--db", "e.db", "--model", "null,error_at=2", "--task", f"tokens,items={ITEMS},max_output=3",
         "--repeats", "2", rc=3)
    for item, error, output in query("e.db", "SELECT item, error, output_tok FROM sample"):
        equal(error, "backend" if item == 2 else None, f"error of item {item}")
        equal(output, 0 if item == 2 else 3, f"output tokens of item {item}")
    for column in ("ttft_ns", "token_ns", "output", "num"):
        equal(scalar("e.db", f"SELECT count({column}) FROM sample WHERE item = 2"), 0,
              f"{column} of a failed item is absent")
    equal(figures("e.db")["ttft_p50"]["value"], None, "figure without a complete repeat")


def single(db, *options, rc):
    """One cell, one repeat; returns (outcome, message)."""
    tare("run", "--db", db, "--repeats", "1", "--time-limit", "60s", *options, rc=rc)
    return query(db, "SELECT outcome, message FROM repeat")[0]


def test_exit_status_of_single_cells():
    task = ["--task", f"tokens,items={ITEMS}"]
    for name, option, rc in (("ok", "first_ns=1us", 0), ("error", "error_at=1", 3), ("crash", "crash_at=1", 3),
                             ("crash", "exit_at=1", 3), ("error", "fail_in_load=error", 3)):
        db = f"{option}.db"
        equal(single(db, "--model", f"null,{option}", *task, rc=rc)[0], name, option)


def test_samples_before_a_crash_are_a_prefix():
    # Fast items: those of the last 100 ms may be lost with the process, but never one amid others.
    tare("run", "--db", "p.db", "--model", "null,first_ns=1ms,crash_at=400", "--task",
         "tokens,items=500,max_output=1", "--repeats", "1", rc=3)
    stored = [row[0] for row in query("p.db", "SELECT item FROM sample ORDER BY item")]
    equal(stored, list(range(len(stored))), "items stored")
    true(400 >= len(stored) >= 200, f"{len(stored)} of 400 samples are stored; 100 ms are at most 100")


def test_out_of_memory():
    if is_sanitized():
        raise Skip("a sanitizer needs more address space than a memory limit leaves")
    for place, count, option in (("measure", ITEMS, "oom_at=3"), ("load", 0, "fail_in_load=oom")):
        models = [null("hungry", **dict([option.split("=")])), null("fine")]
        plan = write_plan("plan.json", models, [TOKENS], repeats=1, time_limit="60s", memory_limit="256MiB",
                          scenarios=NO_WARMUP)
        tare("run", "--db", f"{place}.db", plan, rc=3)
        check_cell(f"{place}.db", "hungry", "oom", r"oom: .*out of memory.*",
                   "OOM,FAILED_SAMPLES" if count else "OOM,INCOMPLETE", count, 1 if count else 0)
        check_cell(f"{place}.db", "fine", "ok", None, None, ITEMS, 0)


def test_allocation_refused_in_load():
    if is_sanitized():
        raise Skip("a sanitizer needs more address space than a memory limit leaves")
    outcome, message = single("a.db", "--model", "null,alloc_bytes=1GiB", "--task", "tokens", "--memory-limit",
                              "256MiB", rc=3)
    equal(outcome, "oom", message)


def test_technique_that_is_not_applied_skips():
    result = tare("run", "--db", "s.db", "--model", "null", "--technique", "none", "--technique",
                  "infer.compress.quant.weight", "--task", f"tokens,items={ITEMS}", "--repeats", "2", rc=0)
    contains(result.err, "1 cells valid, 0 invalid, 1 skipped", "summary")
    cells = dict(query("s.db", "SELECT technique, verdict FROM cell"))
    equal(cells, {"baseline": "VALID", "infer.compress.quant.weight": "SKIPPED"}, "verdicts")
    rows = query("s.db", "SELECT r.outcome, r.message FROM repeat r JOIN cell c ON c.id = r.cell_id "
                         "WHERE c.verdict = 'SKIPPED'")
    equal(len(rows), 2, "repeats of the skipped cell")
    for outcome, message in rows:
        equal(outcome, "skip", "outcome")
        contains(message, "infer.compress.quant.weight", "message")
    equal(scalar("s.db", "SELECT count(*) FROM figure f JOIN cell c ON c.id = f.cell_id WHERE "
                         "c.verdict = 'SKIPPED' AND f.value IS NOT NULL"), 0, "figures of a skipped cell")


def test_items_longer_than_the_context():
    # Lines of 16, 32 and 64 instructions in turn; 100 bytes hold the first two kinds.
    tare("run", "--db", "c.db", "--model", "null,ctx_tok=100", "--task", "flip,items=9", "--repeats", "1",
         rc=3)
    long = {item: error for item, error in query("c.db", "SELECT item, error FROM sample")}
    equal(long, {i: "limit" if i % 3 == 2 else None for i in range(9)}, "errors of the items")
    outcome, message = query("c.db", "SELECT outcome, message FROM repeat")[0]
    equal(outcome, "error", "outcome")
    contains(message, "3 of 9 items failed, the first is item 2", "message")
    contains(message, "longer than the model's context", "message")
    equal(scalar("c.db", "SELECT reasons FROM cell"), "ERROR,FAILED_SAMPLES", "reasons")
    equal(scalar("c.db", "SELECT sum(requests) FROM sample WHERE error IS NOT NULL"), 0,
          "requests of items that cannot be asked")


def test_the_context_is_used_to_its_last_token():
    # The last generated token is never fed, so 512 and 1 fit in 512, and 512 and 2 do not.
    for output, rc in (("0", 0), ("1", 0), ("2", 3)):
        tare("run", "--db", f"{output}.db", "--model", "null,ctx_tok=512", "--task",
             f"tokens,items=2,prompt_tok=512,max_output={output}", "--repeats", "1", rc=rc)


def refused(table):
    """Runs with these arguments are wrong usage, the error names this part, and no file is left."""
    wrong = []
    for args, part in table:
        result = tare("run", "--db", "never.db", *args, rc=None)
        if result.rc != 2 or part not in result.err or result.out or os.listdir("."):
            wrong.append(f"exit {result.rc}, files {os.listdir('.')}, {result.err.splitlines()[:2]} for "
                         f"{' '.join(args)}")
        for name in os.listdir("."):
            os.remove(name)
    true(not wrong, "not refused as wrong usage before anything is written:\n" + "\n".join(wrong))


def test_what_cannot_be_is_refused_before_anything_is_written():
    task = ["--task", "tokens"]
    table = [
        (["--model", "null,crash_att=3", *task], "crash_at"),
        (["--model", "null,frst_ns=1ms", *task], "first_ns"),
        (["--model", "nul", *task], "null"),
        (["--model", "null", "--task", "tokns"], "tokens"),
        (["--model", "null", "--task", "tokens,itms=3"], "items"),
        (["--model", "null", "--task", "tokens,items=many"], "items"),
        (["--model", "null", "--task", "tokens,items=0"], "items"),
    ]
    refused(table)


def test_wrong_values_for_a_backend_are_refused_before_anything_is_written():
    refused([(["--model", f"null,{option}={value}", "--task", "tokens"], option) for option, value in (
        ("first_ns", "soon"), ("first_ns", "-1ms"), ("fail_in_load", "maybe"), ("ctx_tok", "0"), ("greedy", "7"),
        ("alloc_bytes", "4XB"))])


def test_resuming_does_not_whitewash():
    # What failed stays failed: a second look at stored samples must not turn an error into success.
    cases = ["error_at=3", "crash_at=3"] + ([] if is_sanitized() else ["oom_at=3"])
    for case in cases:
        db = f"{case}.db"
        tare("run", "--db", db, "--model", f"null,{case}", "--task", f"tokens,items={ITEMS}", "--repeats", "1",
             "--memory-limit", "256MiB" if case.startswith("oom") else "0", rc=3)
        what = ("SELECT c.verdict, c.reasons, r.outcome FROM cell c JOIN repeat r ON r.cell_id = c.id")
        before = query(db, what)
        tare("run", "--resume", db, rc=3)
        equal(query(db, what), before, f"{case}: verdict, reasons and outcome after --resume")
        equal(scalar(db, "SELECT count(*) FROM (SELECT DISTINCT repeat_id, item FROM sample)"),
              scalar(db, "SELECT count(*) FROM sample"), f"{case}: samples stored once")


main(globals())
