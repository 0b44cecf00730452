# SPDX-License-Identifier: Apache-2.0
"""Every view over a small run: a table in every format, and a copied view that was changed."""
import json
import os

from clilib import contains, equal, main, null, strict_json, tare, true, write_plan


made = []  # the database, which all tests read and none changes


def make():
    if made:
        return made[0]
    db = os.path.abspath("v.db")
    made.append(db)
    write_plan("plan.json", [null("fast", first_ns="20us"), null("slow", first_ns="90us"),
                             null("dies", crash_at=1)],
               [{"task": "tokens", "name": f"t{n}", "options": {"items": 8, "prompt_tok": n, "max_output": 4}}
                for n in (32, 64, 128, 256)], repeats=2, baseline="slow")
    tare("run", "plan.json", "--db", db, rc=None)
    return db


def views():
    return [v["name"] for v in strict_json(tare("list", "views", "--json").out, "list views")["views"]]


def formats():
    return [f["name"] for f in strict_json(tare("list", "formats", "--json").out, "list formats")["formats"]]


def test_all_views_in_all_formats():
    db = make()
    names = views()
    true({"survey1", "survey2", "resources", "architectures", "pareto", "scaling", "energy", "serving", "compression",
          "leaderboard"} <= set(names), f"views: {names}")
    for view in names:
        for form in formats():
            out = tare("report", db, "--view", view, "--format", form).out
            # The matrix of resources has a row a category, and no technique is run here.
            contains(out, "Low rank" if view == "resources" else "slow", f"{view} as {form}")
        table = strict_json(tare("report", db, "--view", view, "--json").out, view)
        true(table["rows"], f"{view}: no row")


def test_numbers_are_those_of_the_figures():
    db = make()
    rows = strict_json(tare("report", db, "--view", "serving", "--json").out, "serving")["rows"]
    full = strict_json(tare("report", db, "--view", "full", "--json").out, "full")["rows"]
    stored = {(r["model"], r["task"], r["figure"]): r["value"] for r in full}
    seen = 0
    for row in rows:
        for key, cell in row.items():
            figure, _, task = key.partition("@")
            if isinstance(cell, dict) and cell.get("value") is not None and task:
                equal(cell["value"], stored[row["model"], task, figure]["value"], f"{key}")
                seen += 1
    true(seen >= 4, f"{seen} numbers")


def test_what_is_missing_is_said():
    """No meter of energy and no text: the columns are gone and the notes say why; the caption has lengths."""
    db = make()
    for view, column in (("scaling", "quality@text"), ("compression", "bits_per_weight"), ("serving", None)):
        out = tare("report", db, "--view", view).out
        contains(out, "prompts of 32 to 256 tokens, 4 to 4 generated", "lengths in the caption")
        if column:
            contains(out, "Not shown: ", f"{view}")
            true(any(column in line for line in out.splitlines() if line.startswith("- Not shown")), f"{view}: {out}")


def test_exponents():
    """The null backend takes the same time whatever the length: an exponent near 0 over four lengths."""
    db = make()
    rows = strict_json(tare("report", db, "--view", "architectures", "--json").out, "architectures")["rows"]
    slope = next(r for r in rows if r["model"] == "slow")["prefill_exponent"]
    equal(slope["n"], 4, "lengths")
    true(slope["low"] <= slope["value"] <= slope["high"] and abs(slope["value"]) < 0.3, f"exponent {slope}")


def test_crash_is_no_gap():
    db = make()
    rows = strict_json(tare("report", db, "--view", "serving", "--json").out, "serving")["rows"]
    dead = next(r for r in rows if r["model"] == "dies")
    cells = [c for k, c in dead.items() if k.startswith("ttft_p50")]
    true(cells and all(c.get("mark") == "CRASH" for c in cells), f"a crashed cell: {cells}")


def test_lengths_from_the_command_line():
    """Options given there are texts in the spec; the caption once told the defaults in their place."""
    tare("run", "--db", "l.db", "--model", "null", "--task", "tokens,items=2,prompt_tok=128,max_output=5", "--repeats", "1")
    contains(tare("report", "--db", "l.db", "-f", "md").out, "prompts of 128 to 128 tokens, 5 to 5 generated", "caption")


def test_a_copied_view():
    db = make()
    view = strict_json(tare("report", "--print-view", "serving").out, "printed view")
    view["title"] = "My own"
    view["columns"] = [{"figure": "ttft_p50@t64", "header": "First", "unit": "us", "scale": 1e6, "decimals": 1}]
    view["filter"] = {"model": "slow"}
    with open("own.json", "w", encoding="ascii") as to:
        json.dump(view, to)
    out = tare("report", db, "--view", "own.json", "--format", "md").out
    contains(out, "My own", "title")
    contains(out, "First", "header")
    contains(out, "us", "unit")
    view["columns"][0].pop("scale")
    with open("own.json", "w", encoding="ascii") as to:
        json.dump(view, to)
    contains(tare("report", db, "--view", "own.json", rc=2).err, "go together", "a unit without its scale")
    view.pop("columns")
    view["group_by"] = "model"
    view["notes"] = ["my own note"]
    with open("own.json", "w", encoding="ascii") as to:
        json.dump(view, to)
    contains(tare("report", db, "--view", "own.json").out, "my own note", "note")
    true("fast" not in out, "the filter")
    view["colums"] = []
    with open("own.json", "w", encoding="ascii") as to:
        json.dump(view, to)
    contains(tare("report", db, "--view", "own.json", rc=2).err, "columns", "the nearest key")
    contains(tare("report", db, "--view", "servin", rc=2).err, "serving", "the nearest view")
    contains(tare("report", "--print-view", "none", rc=2).err, "tare list views", "no such view")


if __name__ == "__main__":
    main(globals())
