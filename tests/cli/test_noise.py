# SPDX-License-Identifier: Apache-2.0
"""Disturbances: a flag or a voided cell, as the plan says; the same when derived again.

What no test can make happen at will (heat, a battery, a wrapped counter) is put into the database as a
reading, as its meter would have left it there.
"""
import os
import sqlite3
import subprocess
import sys

from clilib import contains, equal, figures, is_slow, main, null, query, scalar, tare, true, write_plan

COPY = [{"task": "copy", "options": {"items": 8}}]
TIMED = "request_throughput"
# code, reading, value or None, reason of its absence
READINGS = [("THROTTLED", "throttle_core", 1, None), ("THROTTLED", "throttle_package", 2, None),
            ("STEAL", "node_steal", 1.5, None), ("FOREIGN_CPU", "node_foreign_cpu", 2.5, None),
            ("PAGING", "swap_in_pages", 1, None), ("PSI_MEMORY", "psi_memory_full", 10, None),
            ("CLOCK_STEP", "clock_step", -0.5, None), ("CLOCKSOURCE", "clocksource_ok", 0, None),
            ("BATTERY", "on_battery", 1, None), ("POWER_CAP", "power_cap_events", 3, None),
            ("SETTINGS_CHANGED", "settings_changed", 1, None),
            ("SENSOR_GAP", "energy_package", None, "SENSOR_GAP: not read for 4 s"),
            ("WRAP_LOST", "energy_package", None, "WRAP_LOST: 700 s between two reads")]
GONE = ("SENSOR_GAP", "WRAP_LOST")


def write(db, sql, *values):
    connection = sqlite3.connect(db)
    with connection:
        connection.execute(sql, values)
        connection.execute("UPDATE repeat SET sha256 = NULL")  # what was edited on purpose is not a damage
    connection.close()


def disturb(db, name, value, absent):
    write(db, "INSERT OR REPLACE INTO reading (attempt_id, phase, meter, name, value, unit, kind, scope, source, "
              "absent) SELECT max(id), 'measure', 'test', ?1, ?2, '1', 'measured', 'node', 'put there', ?3 "
              "FROM attempt", name, value, absent)


def calm(db):
    write(db, "DELETE FROM reading WHERE meter = 'test'")


def verdict(db):
    tare("derive", "--db", db)
    found = query(db, "SELECT verdict, coalesce(reasons, '') FROM cell")
    equal(len(found), 1, "cells")
    return found[0][0], [r for r in found[0][1].split(",") if r]


def flags(db, name=TIMED):
    return figures(db)[name]["flags"].split(",")


def run(db, noise):
    write_plan("plan.json", [null("n")], COPY, repeats=2, noise=noise)
    tare("run", "plan.json", "--db", db, rc=4 if noise == "void" and is_slow() else 0)
    return ["SLOW_BUILD"] if is_slow() else []


def test_void():
    always = run("v.db", "void")
    for code, name, value, absent in READINGS:
        equal(verdict("v.db"), ("INVALID" if always else "VALID", always), "before " + code)
        disturb("v.db", name, value, absent)
        state, reasons = verdict("v.db")
        equal((state, sorted(reasons)), ("INVALID", sorted([code] + always)), name)
        equal(verdict("v.db"), (state, reasons), "derived again")
        calm("v.db")


def test_flag():
    run("f.db", "flag")
    for code, name, value, absent in READINGS:
        disturb("f.db", name, value, absent)
        equal(verdict("f.db"), ("VALID", []), name)
        equal(code in flags("f.db"), code not in GONE, f"flags with {name}: {flags('f.db')}")
        true(code not in flags("f.db", "token_acc"), "quality is not disturbed")
        calm("f.db")
        verdict("f.db")
        true(code not in flags("f.db"), f"flags without {name}: {flags('f.db')}")


def test_data_mismatch():
    """The same item with another size in one repeat: no policy makes that a measurement."""
    always = run("d.db", "flag")
    write("d.db", "UPDATE sample SET den = den + 1 WHERE item = 3 AND repeat_id = (SELECT max(id) FROM repeat)")
    equal(verdict("d.db"), ("INVALID", ["DATA_MISMATCH"]), f"verdict ({always})")


def test_settings_changed():
    run("s.db", "flag")
    put = "INSERT OR REPLACE INTO environment (run_id, key, value) VALUES (1, ?, 'another')"
    write("s.db", put, "load.average (resumed)")
    verdict("s.db")
    true("SETTINGS_CHANGED" not in flags("s.db"), "the load is no setting")
    write("s.db", put, "cpu.governor (resumed)")
    equal(verdict("s.db")[0], "VALID", "verdict")
    true("SETTINGS_CHANGED" in flags("s.db"), "a flag")


def test_too_few():
    """Five requests carry no percentile: the figure says so, and a plan that voids does not take the cell."""
    tasks = [{"task": "copy", "options": {"items": 5}}]
    write_plan("plan.json", [null("n")], tasks, repeats=2, noise="void")
    tare("run", "plan.json", "--db", "t.db", rc=4)
    contains(scalar("t.db", "SELECT reasons FROM cell"), "TOO_FEW_SAMPLES", "reasons")
    f = figures("t.db")["latency_p50"]
    equal((f["value"], f["absent"]), (None, "n too small: fewer than 6 values in a repeat"), "p50")
    contains(f["flags"], "TOO_FEW_SAMPLES", "flags")


def test_command_line():
    write_plan("plan.json", [null("n")], COPY, repeats=1)
    tare("run", "plan.json", "--noise", "void", "--db", "c.db", rc=4 if is_slow() else 0)
    contains(scalar("c.db", "SELECT plan FROM run"), '"noise":"void"', "the stored plan")
    contains(tare("run", "plan.json", "--noise", "quiet", "--db", "x.db", rc=2).err, "noise", "a wrong policy")
    true(not os.path.exists("x.db"), "nothing is recorded")


def settle(db, sql, *values):
    """Writes latencies, derives, and returns the flags of a percentile and the share that settled."""
    write(db, sql, *values)
    tare("derive", "--db", db)
    f = figures(db)
    equal([w for w in flags(db) if w in COURSES], [w for w in flags(db, "latency_p50") if w in COURSES],
          "flags of a rate and of a percentile")
    return [w for w in flags(db) if w in COURSES], f["steady_fraction"]


COURSES = ("WARMUP_SEEN", "SLOW_DOWN", "NO_STEADY_STATE")


def test_settling():
    """Latencies as a process would leave them; item is the order of requests."""
    tasks = [{"task": "tokens", "options": {"items": 100, "prompt_tok": 3, "max_output": 1}}]
    write_plan("plan.json", [null("n")], tasks, repeats=1)
    tare("run", "plan.json", "--db", "l.db")
    level = ("UPDATE sample SET latency_ns = 1000000 + (item * 7919) % 9973 + "
             "CASE WHEN item BETWEEN ? AND ? THEN 500000 ELSE 0 END")
    for first, last, word, share in ((200, 300, [], 1), (0, 19, ["WARMUP_SEEN"], 0.8), (30, 99, ["SLOW_DOWN"], 0.7),
                                     (70, 99, ["NO_STEADY_STATE"], 0.3)):
        seen, figure = settle("l.db", level, first, last)
        equal(seen, word, f"slow from {first} to {last}")
        true(abs(figure["value"] - share) <= 0.03, f"slow from {first} to {last}: {figure['value']}")
    true(figures("l.db")["latency_n_effective"]["value"] < 50, "a step makes neighbours alike")
    seen, figure = settle("l.db", "UPDATE sample SET prompt_tok = 3 + item")
    equal((seen, figure["value"]), ([], None), "requests of unlike work")
    contains(figure["absent"], "differ in work", "why")
    # Two sizes that take turns, each with its own level: nothing changes.
    seen, figure = settle("l.db", "UPDATE sample SET prompt_tok = 3 + item / 50, latency_ns = (1 + item / 50) * "
                                  "(1000000 + (item * 7919) % 9973)")
    equal((seen, figure["value"]), ([], 1), "requests of two sizes")


def test_order_of_requests():
    """Items that took two requests among items that took one: latencies come as they were asked."""
    tasks = [{"task": "tokens", "options": {"items": 60, "prompt_tok": 3, "max_output": 1}}]
    write_plan("plan.json", [null("n")], tasks, repeats=1)
    tare("run", "plan.json", "--db", "o.db")
    write("o.db", "UPDATE sample SET requests = 1 + item % 2, latency_ns = 1000000 + (item * 7919) % 9973 + "
                  "CASE WHEN item >= 20 THEN 500000 ELSE 0 END")
    write("o.db", "INSERT INTO request SELECT repeat_id, item, k, start_ns, latency_ns, prompt_tok, 0, NULL FROM sample, "
                  "(SELECT 0 AS k UNION SELECT 1) WHERE item % 2 = 1")
    seen, figure = settle("o.db", "UPDATE request SET latency_ns = latency_ns")
    equal(seen, ["SLOW_DOWN"], "of 90 requests the first 30 are fast")
    true(abs(figure["value"] - 2 / 3) <= 0.03, f"the last 60: {figure['value']}")


def spin_beside(db, noise, rc):
    """A run of over a second with every processor kept busy by others."""
    tasks = [{"task": "tokens", "options": {"items": 6, "prompt_tok": 2, "max_output": 1}}]
    write_plan("plan.json", [null("n", first_ns="250ms")], tasks, repeats=1, noise=noise)
    spinners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count())]
    try:
        tare("run", "plan.json", "--db", db, rc=rc)
    finally:
        for spinner in spinners:
            spinner.kill()
            spinner.wait()


def test_spinners():
    spin_beside("void.db", "void", 4)
    contains(scalar("void.db", "SELECT reasons FROM cell"), "FOREIGN_CPU", "reasons")
    equal(scalar("void.db", "SELECT verdict FROM cell"), "INVALID", "verdict")
    share = scalar("void.db", "SELECT value FROM reading WHERE name = 'foreign_cpu' AND phase = 'measure'")
    true(share > 2, f"others used {share} %")
    spin_beside("flag.db", "flag", 0)
    equal(scalar("flag.db", "SELECT verdict FROM cell"), "VALID", "verdict")
    contains(figures("flag.db")[TIMED]["flags"], "FOREIGN_CPU", "flags")


main(globals())
