# SPDX-License-Identifier: Apache-2.0
"""Techniques in plans: how they are written and combined, which models get which, which files they need."""
import hashlib
import json
import os

from clilib import contains, equal, main, query, scalar, strict_json, tare, write_plan

TASKS = [{"task": "tokens", "options": {"items": 2}}]
RTN = "infer.compress.quant.weight{method=rtn,bits=4,group=32}"


def cells(*args, **plan):
    """(model, technique) of every cell, without running any."""
    if plan:
        write_plan("p.json", plan.pop("models"), plan.pop("tasks", TASKS), **plan)
        args = ("p.json",) + args
    shown = strict_json(tare("run", "--dry-run", "--json", *args).out, "cells")
    return [(c["model"], c["technique"]) for c in shown["cells"]]


def test_own_and_applied_both_show():
    equal(cells(models=[{"backend": "null", "name": "plain"},
                        {"backend": "null", "name": "student", "technique": "infer.compress.distill"},
                        {"backend": "null", "name": "nothing", "technique": "none"}],
                techniques=[{"technique": "baseline"}, {"technique": "a{b=1}"},
                            {"name": "short", "technique": "c"}]),
          [("plain", "baseline"), ("plain", "a{b=1}"), ("plain", "short"),
           ("student", "infer.compress.distill"), ("student", "infer.compress.distill + a{b=1}"),
           ("student", "infer.compress.distill + short"),
           ("nothing", "baseline"), ("nothing", "a{b=1}"), ("nothing", "short")], "techniques of cells")


def test_three_ways_to_write_it():
    """The label is the text; the worker is told the same."""
    ways = [RTN, "infer.compress.quant.weight", [RTN, "x.y"]]
    entries = [{"technique": ways[0]},
               {"name": "object", "technique": ways[1], "params": {"method": "rtn", "bits": 4, "group": 32}},
               {"technique": ways[2]}]
    write_plan("w.json", [{"backend": "null"}], TASKS, techniques=entries, repeats=1)
    tare("run", "w.json", "--db", "w.db")
    specs = {label: json.loads(spec)["technique"] for label, spec in query("w.db", "SELECT technique, spec FROM cell")}
    equal(specs, {RTN: RTN, "object": RTN, f"{RTN}+x.y": f"{RTN}+x.y"}, "what the workers are told")


def test_command_line():
    """Commas within the braces of a tag part nothing."""
    equal(cells("--model", "null", "--task", "tokens", "--technique", RTN, "--technique", f"{RTN}+c{{d=1}},name=e"),
          [("null", RTN), ("null", "e")], "techniques of the command line")


def test_models_may_choose():
    plan = {"models": [{"backend": "null", "name": "a", "techniques": ["baseline", "q*"]},
                       {"backend": "null", "name": "b", "techniques": []}, {"backend": "null", "name": "c"}],
            "techniques": [{"technique": "baseline"}, {"name": "q8", "technique": "q{bits=8}"},
                           {"name": "q4", "technique": "q{bits=4}"}, {"name": "p", "technique": "p"}]}
    equal(cells(**plan), [("a", "baseline"), ("a", "q8"), ("a", "q4"),
                          ("c", "baseline"), ("c", "q8"), ("c", "q4"), ("c", "p")], "chosen ones")
    for wrong, why in ((["q5"], '"q5" in its "techniques" is the label of none'), ("q4", "no array of labels"),
                       ([4], "label of none")):
        write_plan("n.json", [{"backend": "null", "name": "a", "techniques": wrong}], TASKS,
                   techniques=[{"name": "q4", "technique": "q"}])
        contains(tare("run", "n.json", "--dry-run", rc=2).err, why, wrong)


def test_tasks_may_take_part_in_fewer_blocks():
    write_plan("b.json", [{"backend": "null"}],
               [{"task": "tokens", "name": "once", "repeats": 1, "options": {"items": 2}},
                {"task": "tokens", "name": "often", "repeats": 9, "options": {"items": 2}},
                {"task": "tokens", "name": "always", "options": {"items": 2}}], repeats=3)
    contains(tare("run", "b.json", "--dry-run").out, "3 cells x 3 blocks, some in fewer: 7 processes", "dry run")
    tare("run", "b.json", "--db", "b.db")
    equal(query("b.db", "SELECT c.task, c.verdict, group_concat(r.block) FROM cell c JOIN repeat r ON "
                        "r.cell_id = c.id GROUP BY c.id ORDER BY c.ordinal"),
          [("once", "VALID", "0"), ("often", "VALID", "0,1,2"), ("always", "VALID", "0,1,2")], "blocks")


def test_windows_of_tasks():
    """A window of the task's own goes before the scenario's."""
    with open("text", "wb") as to:
        to.write(b"x" * 100)
    write_plan("t.json", [{"backend": "null"}],
               [{"task": "text", "name": f"t{n}", "options": {"path": "text"}, **({"window_tok": n} if n else {})}
                for n in (0, 10, 30)],
               scenarios=[{"scenario": "single", "window_tok": 50}], repeats=1)
    tare("run", "t.json", "--db", "t.db")
    equal(query("t.db", "SELECT c.task, s.requests FROM sample s JOIN repeat r ON r.id = s.repeat_id "
                        "JOIN cell c ON c.id = r.cell_id ORDER BY c.ordinal"),
          [("t0", 2), ("t10", 10), ("t30", 4)], "windows of a text of 100 bytes")


def test_files_of_parameters(folder):
    """They are found like a model's file, told by their absolute path, and hashed."""
    os.mkdir("zoo")
    for path, data in (("zoo/d-0.1m.safetensors", b"draft"), ("zoo/c.bin", b"calibration"), ("own.bin", b"own")):
        with open(path, "wb") as to:
            to.write(data)
    tag = "a{draft=zoo:d-0.1m,bits=4}+b{calib=zoo:c.bin}+c{calib=own.bin}"
    tare("run", "--model", "null", "--task", "tokens,items=1", "--technique", tag, "--db", "f.db", "--repeats", "1",
         env={"TARE_ZOO": f"{folder}/zoo"})
    equal(json.loads(scalar("f.db", "SELECT spec FROM cell"))["technique"],
          f"a{{draft={folder}/zoo/d-0.1m.safetensors,bits=4}}+b{{calib={folder}/zoo/c.bin}}+c{{calib={folder}/own.bin}}",
          "what the worker is told")
    equal(scalar("f.db", "SELECT technique FROM cell"), tag, "the label is as it was written")
    found = query("f.db", "SELECT role, path, sha256 FROM cell_artifact c JOIN artifact a ON a.id = c.artifact_id "
                          "WHERE role IN ('draft', 'calib') ORDER BY path")
    equal(found, [("calib", f"{folder}/own.bin", hashlib.sha256(b"own").hexdigest()),
                  ("calib", f"{folder}/zoo/c.bin", hashlib.sha256(b"calibration").hexdigest()),
                  ("draft", f"{folder}/zoo/d-0.1m.safetensors", hashlib.sha256(b"draft").hexdigest())], "hashed files")


def test_long_labels():
    long = "a" * 300
    contains(tare("run", "--model", "null", "--task", "tokens", "--technique", long, "--dry-run", rc=2).err,
             'give it a shorter "name"', "a label that would have to be cut")
    equal(cells("--model", "null", "--task", "tokens", "--technique", f"{long},name=short"), [("null", "short")],
          "with a name")


main(globals())
