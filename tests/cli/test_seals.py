# SPDX-License-Identifier: Apache-2.0
"""Stored rows that are not what they were: a repeat is sealed when it ends, and deriving looks at the seal."""
import sqlite3

from clilib import contains, equal, main, null, query, scalar, tare, true, write_plan

TASKS = [{"task": "tokens", "options": {"items": 8, "prompt_tok": 5, "max_output": 4}}]


def made(db):
    write_plan("plan.json", [null("n", token_ns=50_000)], TASKS, repeats=2)
    tare("run", "plan.json", "--db", db)


def change(db, sql):
    connection = sqlite3.connect(db)
    with connection:
        equal(connection.execute(sql).rowcount, 1, f"rows changed by {sql}")
    connection.close()


def verdict(db):
    tare("derive", db)
    return query(db, "SELECT verdict, reasons FROM cell")[0]


def test_sealed_and_whole():
    made("a.db")
    seals = [s for s, in query("a.db", "SELECT sha256 FROM repeat")]
    true(all(s and len(s) == 64 for s in seals) and len(set(seals)) == 2, f"two seals: {seals}")
    evidence = scalar("a.db", "SELECT evidence_sha256 FROM cell")
    equal(verdict("a.db"), ("VALID", None), "untouched")
    equal(scalar("a.db", "SELECT evidence_sha256 FROM cell"), evidence, "deriving changes no evidence")
    equal([s for s, in query("a.db", "SELECT sha256 FROM repeat")], seals, "nor seals")


def test_every_kind_of_row():
    """One changed value anywhere that figures come from voids the cell; putting it back heals it."""
    made("b.db")
    for there, back in (("UPDATE sample SET latency_ns = latency_ns + 1 WHERE repeat_id = 1 AND item = 3",
                         "UPDATE sample SET latency_ns = latency_ns - 1 WHERE repeat_id = 1 AND item = 3"),
                        ("UPDATE reading SET value = value + 1 WHERE attempt_id = 2 AND phase = 'measure' AND "
                         "name = 'peak_rss'",
                         "UPDATE reading SET value = value - 1 WHERE attempt_id = 2 AND phase = 'measure' AND "
                         "name = 'peak_rss'"),
                        ("UPDATE phase SET end_ns = end_ns + 7 WHERE attempt_id = 1 AND name = 'measure'",
                         "UPDATE phase SET end_ns = end_ns - 7 WHERE attempt_id = 1 AND name = 'measure'"),
                        ("UPDATE repeat SET block = 5 WHERE id = 2", "UPDATE repeat SET block = 1 WHERE id = 2")):
        change("b.db", there)
        equal(verdict("b.db"), ("INVALID", "SAMPLES_CHANGED"), there)
        change("b.db", back)
        equal(verdict("b.db"), ("VALID", None), back)


def test_no_number_of_a_broken_cell():
    made("c.db")
    change("c.db", "UPDATE sample SET latency_ns = 1 WHERE repeat_id = 1 AND item = 0")
    tare("derive", "c.db")
    contains(tare("report", "c.db").out, "SAMPLES_CHANGED", "the table says why")


def test_a_missing_sample():
    made("d.db")
    change("d.db", "DELETE FROM sample WHERE repeat_id = 1 AND item = 7")
    equal(verdict("d.db"), ("INVALID", "INCOMPLETE,SAMPLES_CHANGED"), "a sample is gone")


main(globals())
