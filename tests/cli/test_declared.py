# SPDX-License-Identifier: Apache-2.0
"""Energy, carbon and money of stored readings: derived again by other declarations, and without the files."""
import json
import os
import sqlite3
from statistics import median

from clilib import close, contains, equal, figures, main, null, query, tare, true, write_plan

PRICES = {"tare_prices": 1, "currency": "EUR", "date": "2026-05-01", "region": "eu", "source": "a list",
          "includes": ["compute"], "instance": {"price_per_h": 2, "idle_included": True}}
TOKENS = [{"task": "tokens", "options": {"items": 7, "prompt_tok": 5, "max_output": 4}}]


def write(name, content):
    with open(name, "w", encoding="utf-8") as to:
        json.dump(content, to)


def run(db, *args, **keys):
    write_plan("plan.json", [null("n")], TOKENS, repeats=6, **keys)
    return tare("run", "plan.json", "--db", db, *args)


def values(db):
    return query(db, "SELECT name, value, low, high, kind, source, flags, absent FROM figure ORDER BY name")


def insert_energy(db):
    """Readings of a package, as a meter outside of the worker would have left them: 10 J, and 1 J a repeat more."""
    with sqlite3.connect(db) as to:
        attempts = to.execute("SELECT id FROM attempt ORDER BY repeat_id").fetchall()
        for i, (attempt,) in enumerate(attempts):
            for name, value, unit, u, gain in (("energy_package_0", 10.0 + i, "J", 0.25, 0.05),
                                               ("energy_package_0_period", 1e-9, "s", None, None)):
                to.execute("INSERT INTO reading (attempt_id, phase, meter, name, value, unit, kind, scope, source, "
                           "u, gain, flags) VALUES (?, 'measure', 'powercap', ?, ?, ?, 'measured', 'package', "
                           "'energy_uj', ?, ?, 'MIRRORED')", (attempt, name, value, unit, u, gain))


def test_absent_with_a_reason():
    out = run("a.db").out
    contains(out, "Energy/token", "the column is there")
    contains(out, "no energy meter works here", "and its reason")
    for word in ("Modelled", "Cost", "Carbon"):
        true(word not in out, f"a column {word} that nobody asked for")
    f = figures("a.db")
    for name, why in (("energy", "no energy meter works here"), ("energy_per_tok", "see 'tare doctor'"),
                      ("energy_modelled", "--energy-model"), ("carbon_operational", "--carbon"),
                      ("cost_total", "--prices")):
        equal(f[name]["value"], None, f"value of {name}")
        contains(f[name]["absent"], why, f"reason of {name}")


def test_money_without_the_file():
    write("prices.json", PRICES)
    out = run("m.db", "--prices", "prices.json").out
    contains(out, "EUR/Mtok", "the currency is the unit")
    os.remove("prices.json")
    before = values("m.db")
    tare("derive", "m.db")
    equal(values("m.db"), before, "derived again without the file")
    f = figures("m.db")
    window_s = median(w for w, in query("m.db", "SELECT (max(start_ns + latency_ns) - min(start_ns)) / 1e9 FROM "
                                                "sample GROUP BY repeat_id"))
    close(f["cost_total"]["value"], 2 * window_s / 3600, "2 EUR/h x window", 1e-6)
    equal(f["cost_total"]["kind"], "modelled", "kind")
    contains(f["cost_total"]["source"], "2026-05-01", "the date of the list")


def test_other_declarations():
    write("prices.json", PRICES)
    run("o.db", "--prices", "prices.json", "--energy-model", "idle_w=10,max_w=40")
    old = figures("o.db")
    write("prices.json", {**PRICES, "instance": {"price_per_h": 3, "idle_included": True}})
    tare("derive", "o.db", "--prices", "prices.json", "--carbon", "auto")
    new = figures("o.db")
    close(new["cost_total"]["value"], 1.5 * old["cost_total"]["value"], "half as much again")
    equal(new["energy_modelled"]["value"], old["energy_modelled"]["value"], "what was not given anew")
    close(new["carbon_modelled"]["value"], old["energy_modelled"]["value"] / 3.6e6 * 445, "the world's average")
    contains(new["carbon_modelled"]["flags"], "DEFAULT", "flags of a default")
    tare("derive", "o.db")
    equal(figures("o.db")["cost_total"]["value"], old["cost_total"]["value"], "the run's own prices again")


def test_energy_of_readings():
    run("e.db", "--carbon", "auto", "--energy-model", "auto")
    insert_energy("e.db")
    tare("derive", "e.db")
    f = figures("e.db")
    equal(f["energy"]["value"], 12.5, "median of 10 .. 15 J")
    equal((f["energy"]["scope"], f["energy"]["kind"]), ("package", "measured"), "scope and kind")
    contains(f["energy"]["flags"], "MIRRORED", "flags of the readings")
    half = (2.5**2 + 1.959963984540054**2 * (0.25**2 + (0.05 * 15)**2))**0.5
    close(f["energy"]["low"], 12.5 - half, "repeats, read error and gain in quadrature", 1e-6)
    close(f["energy_per_tok"]["value"], 12.5 / (7 * (5 + 4)), "J per token")
    close(f["carbon_operational"]["value"], 12.5 / 3.6e6 * 445, "carbon")
    equal(f["carbon_operational"]["kind"], "modelled", "a table makes it modelled")
    out = tare("report", "e.db", "--view", "survey").out
    contains(out, "Modelled energy/token", "a column of its own")
    contains(out, "Energy/token", "beside the measured one")


def test_refusals():
    write_plan("plan.json", [null("n")], TOKENS, repeats=1)
    write("prices.json", {**PRICES, "curency": "EUR"})
    for args, says in ((("--prices", "prices.json"), 'unknown key "curency"; did you mean "currency"?'),
                       (("--prices", "none.json"), "none.json"),
                       (("--energy-model", "idle=3"), 'did you mean "idle_w"?'),
                       (("--carbon", "prices.json"), 'no "tare_carbon": 1')):
        contains(tare("run", "plan.json", "--db", "r.db", *args, rc=2).err, says, "run refuses")
        true(not os.path.exists("r.db"), "and writes nothing")
    run("r.db")
    before = values("r.db")
    contains(tare("derive", "r.db", "--prices", "prices.json", rc=2).err, "curency", "derive refuses")
    equal(values("r.db"), before, "and changes nothing")
    contains(tare("run", "--resume", "r.db", "--prices", "prices.json", rc=2).err, "--resume", "so does resuming")


main(globals())
