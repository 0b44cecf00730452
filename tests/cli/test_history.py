# SPDX-License-Identifier: Apache-2.0
"""Histories: a planted step is found where it is, quiet ones raise nothing, and a CSV serves without a database."""
import sqlite3

from clilib import contains, equal, main, null, strict_json, tare, true, write_plan


def rows(*args):
    return strict_json(tare("history", *args, "--json").out, "history")["rows"]


def wave(i):
    """Noise of one percent that is the same every time."""
    return 1 + 0.01 * ((i * 7 % 11) - 5) / 5


def make(db, n, factor):
    """n sessions of one null cell; the figures are then set, the machine being too noisy to plant a step in."""
    write_plan("plan.json", [null("m")], [{"task": "tokens", "options": {"items": 7}}], repeats=1)
    for _ in range(n):
        tare("run", "plan.json", "--db", db)
    with sqlite3.connect(db) as to:
        for i, (cell,) in enumerate(to.execute("SELECT id FROM cell ORDER BY id").fetchall()):
            to.execute("UPDATE figure SET value = ?, low = NULL, high = NULL WHERE cell_id = ? AND name = 'latency_p50'",
                       (1e-3 * wave(i) * factor(i), cell))
            to.execute("UPDATE run SET started_utc = ? WHERE id = (SELECT run_id FROM cell WHERE id = ?)",
                       (f"2026-01-{1 + i:02d}T00:00:00Z", cell))
    to.close()


def test_step():
    make("h.db", 24, lambda i: 1.2 if i >= 12 else 1)
    found = rows("h.db", "--figure", "latency_p50")
    equal(len(found), 1, "series")
    equal(found[0]["sessions"]["value"], 24, "sessions")
    contains(found[0]["changes"], "at h.db run 13", "the first run of the new level")
    contains(found[0]["changes"], "+", "slower")
    true(abs(found[0]["level"]["value"] - 1.2e-3) < 0.02e-3, f"the level now: {found[0]['level']}")
    # The other processor begins another series.
    with sqlite3.connect("h.db") as to:
        to.execute("UPDATE environment SET value = 'another' WHERE key = 'cpu.model' AND run_id > 12")
    to.close()
    found = rows("h.db", "--figure", "latency_p50")
    equal(sorted(r["sessions"]["value"] for r in found), [12, 12], "series of two machines")
    equal([r["changes"] for r in found], ["none", "none"], "and no change in either")


def test_csv():
    with open("s.csv", "w", encoding="ascii") as to:
        to.write("commit,series,value\n")
        for i in range(60):
            to.write(f"c{i},fast,{100 * wave(i) * (1.08 if i >= 40 else 1)}\nc{i},quiet,{5 * wave(i)}\n")
    fast, quiet = rows("--csv", "s.csv")
    contains(fast["changes"], "at c40: +", "where it changed")
    equal(quiet["level"]["kind"], "reported", "what a file says was not measured here")
    equal(quiet["changes"], "none", "a quiet series")
    equal(quiet["alarm"], "none", "its newest session")
    with open("s.csv", "a", encoding="ascii") as to:
        to.write("c60,quiet,6.5\n")
    equal(rows("--csv", "s.csv")[1]["alarm"], "suspect: rerun", "a session far off")
    with open("s.csv", "a", encoding="ascii") as to:
        to.write("c61,quiet,6.5\n")
    equal(rows("--csv", "s.csv")[1]["alarm"], "confirmed", "and the next one too")
    contains(tare("history", "--csv", "s.csv").out, "confirmed", "for people")
    true(0 < fast["q"]["value"] <= 1, "the adjusted p")
    # One series alone, and its picture.
    equal(len(rows("--csv", "s.csv", "--series", "quiet")), 1, "a chosen series")
    tare("history", "--csv", "s.csv", "--series", "fast", "--plot", "f.gp")
    with open("f.gp", encoding="utf-8") as plot:
        contains(plot.read(), "+8.", "the step stands beside its line")
    contains(tare("history", "--csv", "s.csv", "--plot", "f.svg", rc=None).err, "name one with --series", "two series")
    contains(tare("history", "--csv", "s.csv", "--series", "fast", "--plot", "f.bmp", rc=None).err, "must end in",
             "no such format")
    contains(tare("history", "--csv", "s.csv", "--series", "none such", rc=None).err, "none of 2 series", "no series")


def test_many():
    """Fifty quiet series, one of them a little off: as chance has it among so many."""
    with open("m.csv", "w", encoding="ascii") as to:
        to.write("label,series,value\n")
        for s in range(50):
            for i in range(24):
                to.write(f"r{i},s{s:02d},{wave(i * 3 + s) * (1.045 if s == 7 and i == 23 else 1)}\n")
    equal(rows("--csv", "m.csv", "--series", "s07")[0]["alarm"], "suspect: rerun", "alone")
    found = rows("--csv", "m.csv")
    contains(found[7]["alarm"], "by chance", "among fifty")
    true(found[7]["q"]["value"] > 0.05 > found[7]["p"]["value"], "adjusted")


def test_wrong():
    for text, says in (("", "empty"), ("a,b\n1,2\n", 'no column "value"'), ("value\n1\nx\n", "line 3"),
                       ("value\n-1\n", "above 0"), ("value\ninf\n", "above 0"), ("value\n" + "1" * 5000 + "\n", "longer")):
        with open("w.csv", "w", encoding="ascii") as to:
            to.write(text)
        contains(tare("history", "--csv", "w.csv", rc=None).err, says, f"{text[:30]!r}")
    tare("history", "none.db", rc=5)
    tare("history", "--csv", "none.csv", rc=2)


if __name__ == "__main__":
    main(globals())
