# SPDX-License-Identifier: Apache-2.0
"""Meters that stand outside: loaded like backends, read at the edges of phases, and never part of what is
timed. The meter is the example of the documentation, built against the headers alone."""
import os
import signal
import subprocess
import time

from clilib import close, contains, equal, main, null, query, scalar, start, tare, true, write_plan

SOURCE = os.environ["TARE_SOURCE_ROOT"]
TASKS = [{"task": "tokens", "options": {"items": 5, "prompt_tok": 5, "max_output": 4}}]


def build(source="docs/examples/constant-meter/constant_meter.c", to="constant_meter.so", *flags):
    subprocess.run([os.environ.get("CC", "cc"), "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
                    "-fPIC", "-shared", f"-I{SOURCE}/harness/include", *flags, "-o", to,
                    os.path.join(SOURCE, source)], check=True)
    true(os.path.exists(to), f"{source} builds")


def run(db, *args, rc=0, model=None, **keys):
    write_plan("plan.json", [model or null("n", token_ns=10_000_000)], TASKS, **{"repeats": 1, **keys})
    return tare("run", "plan.json", "--db", db, *args, rc=rc)


def readings(db):
    rows = query(db, "SELECT phase, name, value, unit, kind, scope, u, gain, flags, absent FROM reading "
                     "WHERE meter = 'constant' OR name = 'cool_down_time'")
    return {(r[0], r[1]): r[2:] for r in rows}


def spans(db):
    return {n: (e - b) / 1e9 for n, b, e in query(db, "SELECT name, begin_ns, end_ns FROM phase")}


def test_window_is_the_phase():
    """20 W over the measure phase: the joules tell how long the meter looked, 0.2 s and a little."""
    build()
    run("w.db", "--meter", "./constant_meter.so,watts=20")
    r, t = readings("w.db"), spans("w.db")
    value, unit, kind, scope, u, gain, flags, absent = r["measure", "energy_constant"]
    equal((unit, kind, scope, gain, flags, absent), ("J", "declared", "wall", 0.5, "DECLARED", None), "as said")
    close(u, 2e-5, "the doubt comes through")
    true(t["measure"] > 0.15, f"the phase took {t['measure']} s")
    seconds = value / 20
    true(t["measure"] <= seconds < t["measure"] + 0.05, f"meter {seconds} s, phase {t['measure']} s")
    true(r["measure", "constant_samples"][0] >= 3, "sampled every 10 to 30 ms")
    true(r["measure", "constant_process"][0] > 1, "it knows whom it measures")
    equal({p for p, _ in r}, {"load", "warmup", "measure"}, "no rest was asked for")


def test_rest():
    build()
    run("i.db", "--meter", "./constant_meter.so,watts=10,start_c=50", "--idle-time", "200ms", "--cool-to-c", "41",
        "--cool-limit", "10s")
    r, t = readings("i.db"), spans("i.db")
    for phase in ("idle_before", "idle_after"):
        true(0.2 <= t[phase] < 0.4, f"{phase} took {t[phase]} s")
        true(t[phase] <= r[phase, "energy_constant"][0] / 10 < t[phase] + 0.05, f"energy of {phase}")
        contains(r[phase, "constant_process"][-1], "no process", f"nobody is measured in {phase}")
    cool, flags = r["idle_before", "cool_down_time"][0], r["idle_before", "cool_down_time"][6]
    true(0.3 < cool < 2 and flags == "", f"50, 45, 40 degrees: two looks of 0.2 s, not {cool} s ({flags})")


def test_sustain():
    """The items again in whole passes: 5 items of 4 tokens, 10 ms from one to the next, are 150 ms a pass."""
    build()
    run("s.db", "--meter", "./constant_meter.so,watts=10", "--sustain", "500ms")
    counts = dict(query("s.db", "SELECT name, value FROM reading WHERE phase = 'sustain' AND meter = 'harness' "
                                "AND name LIKE 'sustain%'"))
    equal(counts, {"sustain_passes": 4, "sustain_items": 20, "sustain_requests": 20, "sustain_prompt_tok": 20 * 5,
                   "sustain_output_tok": 20 * 4, "sustain_correct": 0}, "what was done in it")
    r, t = readings("s.db"), spans("s.db")
    true(0.6 <= t["sustain"] < 0.8, f"four passes took {t['sustain']} s")
    true(t["sustain"] <= r["sustain", "energy_constant"][0] / 10 < t["sustain"] + 0.05, "energy of all passes")
    equal(scalar("s.db", "SELECT count(*) FROM sample"), 5, "samples are those of the measure phase")


def test_slow_edges():
    """A meter that takes 30 ms at an edge spoils the window of those behind it, and that is told; one that says so
    comes last, and does not."""
    build()
    build("tests/cli/odd_meter.c", "odd.so")
    build("tests/cli/odd_meter.c", "late.so", "-DLATE=1")
    for name, value in (("odd", "end_ns=30ms"), ("odd", "begin_ns=30ms")):
        run("o.db", "--meter", f"./{name}.so,{value}", "--meter", "./constant_meter.so")
        equal({r[6] for r in readings("o.db").values() if r[0] is not None}, {"DECLARED,EDGE_SLOW", "EDGE_SLOW"}, value)
        os.remove("o.db")
    run("l.db", "--meter", "./late.so,begin_ns=30ms,end_ns=30ms", "--meter", "./constant_meter.so,watts=10")
    r, t = readings("l.db"), spans("l.db")
    equal(r["measure", "energy_constant"][6], "DECLARED", "nothing to flag")
    true(r["measure", "energy_constant"][0] / 10 < t["measure"] + 0.025, "its window is the phase's")
    equal(scalar("l.db", "SELECT count(*) FROM reading WHERE name = 'odd'"), 3, "the late one is read too")


def test_interrupted_at_rest():
    """What a worker has measured is kept when the user stops while the machine is measured at rest behind it."""
    build()
    write_plan("plan.json", [null("n", token_ns=1_000_000)], TASKS, repeats=2)
    running = start("run", "plan.json", "--db", "i.db", "--meter", "./constant_meter.so", "--idle-time", "3s")
    time.sleep(4.5)  # 3 s at rest, 15 ms of work, and half of the 3 s behind it
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=30)
    equal(running.returncode, 3, "an interrupted run")
    equal(query("i.db", "SELECT outcome FROM repeat ORDER BY position, block")[0][0], "ok", "the repeat has ended well")
    true(scalar("i.db", "SELECT count(*) FROM reading WHERE phase = 'measure' AND name = 'energy_constant'") == 1,
         "and has its readings")
    tare("run", "--resume", "i.db")
    equal(query("i.db", "SELECT verdict FROM cell"), [("VALID",)], "the rest follows")
    equal(scalar("i.db", "SELECT count(*) FROM attempt"), 2, "no repeat was measured twice")


def test_what_metering_takes():
    build()
    run("e.db", "--meter", "./constant_meter.so")
    edge, = [v for v, in query("e.db", "SELECT value FROM reading WHERE name = 'metering_edge_time' AND phase = 'measure'")]
    true(0 < edge < 0.1, f"edges of a phase took {edge} s")
    equal(scalar("e.db", "SELECT count(*) FROM reading WHERE name = 'outside_lost' AND value <> 0"), 0, "all answered")


def test_state_of_the_machine():
    """What changes by itself is written down before and after every worker."""
    run("m.db", repeats=2)
    rows = query("m.db", "SELECT attempt_id, moment, count(*), sum(value IS NULL AND absent IS NULL) FROM machine_state "
                         "GROUP BY 1, 2 ORDER BY 1, 2")
    equal([r[:2] for r in rows], [(1, "after"), (1, "before"), (2, "after"), (2, "before")], "moments")
    true(all(n >= 10 and unsaid == 0 for _, _, n, unsaid in rows), f"a value or a reason each: {rows}")
    equal(len({n for _, _, n, _ in rows}), 1, "the same keys each time")
    up = dict(query("m.db", "SELECT moment, value FROM machine_state WHERE key = 'kernel.uptime' AND attempt_id = 1"))
    true(float(up["before"].split()[0]) <= float(up["after"].split()[0]), f"in order: {up}")


def test_not_cooled():
    build()
    run("n.db", "--meter", "./constant_meter.so,start_c=90", "--cool-to-c", "20", "--cool-limit", "300ms")
    equal(readings("n.db")["idle_before", "cool_down_time"][6], "NOT_COOLED", "the limit is told")


def test_what_is_used():
    build()
    run("a.db", "--meter", "./constant_meter.so")
    used = dict(query("a.db", "SELECT name, place FROM meter WHERE absent IS NULL"))
    equal((used["constant"], used["memory"]), ("outside", "worker"), "places")
    true(scalar("a.db", "SELECT cost_ns FROM meter WHERE name = 'memory'") > 0, "the cost of a reading is stored")
    equal(scalar("a.db", "SELECT count(*) FROM meter WHERE absent IS NULL AND cost_ns IS NULL"), 0, "all costs known")
    run("off.db", "--meter", "memory,off=true")
    equal(scalar("off.db", "SELECT count(*) FROM reading WHERE meter = 'memory'"), 0, "turned off")
    true(scalar("off.db", "SELECT count(*) FROM reading WHERE meter = 'rusage'") > 0, "the others are not")
    run("none.db", "--metering", "none")
    equal(query("none.db", "SELECT DISTINCT meter FROM reading WHERE meter NOT IN ('harness', 'model', 'backend')"),
          [], "bare")
    equal(scalar("none.db", "SELECT count(*) FROM meter"), 0, "no meters")


def test_absent_meter_has_a_reason():
    build()
    run("x.db", "--meter", "./constant_meter.so,watts=-1")
    equal(query("x.db", "SELECT absent, cost_ns FROM meter WHERE name = 'constant'"),
          [("constant: no machine draws -1 W", None)], "why it is not used")
    equal(scalar("x.db", "SELECT count(*) FROM reading WHERE meter = 'constant'"), 0, "no reading")


def test_a_worker_that_dies_leaves_no_reading_of_the_phase():
    build()
    run("c.db", "--meter", "./constant_meter.so", rc=3, model=null("n", token_ns=1_000_000, crash_at=3))
    phases = {p for p, _ in readings("c.db")}
    true("measure" not in phases, f"readings of a phase without an end: {phases}")


def test_wrong_words():
    build()
    open("not.so", "w", encoding="utf-8").write("no object")
    for given, words in (("memry", "did you mean memory"), ("./constant_meter.so,wats=1", "did you mean"),
                         ("./none.so", "No such file"), ("./not.so", "no ELF header"),
                         ("memory,color=red", "has no options")):
        contains(run("b.db", "--meter", given, rc=None).err, words, given)
        true(run("b.db", "--meter", given, rc=None).rc in (2, 3), given)
        true(not os.path.exists("b.db"), f"{given}: nothing is written")


main(globals())
