# SPDX-License-Identifier: Apache-2.0
"""Databases of every older schema open, keep all they hold, and give the same figures again.

An older database is made by the migrations up to its version and filled with the rows of a fresh run, less the
columns and tables that it did not have yet."""
import glob
import os
import sqlite3

from clilib import equal, figures, main, query, scalar, tare, true

SOURCE = os.environ["TARE_SOURCE_ROOT"]
MIGRATIONS = sorted(glob.glob(os.path.join(SOURCE, "harness/store/schema/*.sql")))
APPLICATION_ID = 0x74617265


def names(connection, table):
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def make_old(path, version, fresh):
    """Returns {table: number of rows} of what was put in."""
    counts = {}
    with sqlite3.connect(path) as to:
        for migration in MIGRATIONS[:version]:
            with open(migration, encoding="ascii") as text:
                to.executescript(text.read())
        to.execute("ATTACH ? AS fresh", (fresh,))
        tables = [row[0] for row in to.execute("SELECT name FROM main.sqlite_schema WHERE type = 'table'")]
        for table in tables:
            shared = ", ".join(names(to, f"{table}"))
            to.execute(f"INSERT INTO main.{table} ({shared}) SELECT {shared} FROM fresh.{table}")
            counts[table] = to.execute(f"SELECT count(*) FROM main.{table}").fetchone()[0]
        to.commit()
        to.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        to.execute(f"PRAGMA user_version = {version}")
    return counts


def test_every_older_version():
    tare("run", "--model", "null,flops_per_tok=10,token_ns=20us", "--task", "generate", "--task", "recall,items=8",
         "--repeats", "3", "--db", "fresh.db")
    latest = scalar("fresh.db", "PRAGMA user_version")
    equal(latest, len(MIGRATIONS), "the newest schema has one file a version")
    true(latest >= 2, "there is an older version to test")
    for version in range(1, latest):
        path = f"v{version}.db"
        counts = make_old(path, version, "fresh.db")
        tare("report", path, rc=None)  # reading needs no writing; it may ask for derive, it may not crash
        tare("derive", path)
        equal(scalar(path, "PRAGMA user_version"), latest, f"schema of {path}")
        equal(scalar(path, "PRAGMA integrity_check"), "ok", path)
        for table, n in counts.items():
            if table != "figure":
                equal(scalar(path, f"SELECT count(*) FROM {table}"), n, f"{path}: rows of {table}")
        for cell, in query("fresh.db", "SELECT id FROM cell"):
            # Reasons and sources may name what an older file does not know: its certificate, its meters.
            sql = ("SELECT name, value, unit, kind, scope, n, low, high, flags, absent IS NULL FROM figure "
                   "WHERE cell_id = ? ORDER BY name")
            before = {row[0]: row[1:] for row in query("fresh.db", sql, cell)}
            after = {row[0]: row[1:] for row in query(path, sql, cell)}
            flags = 7  # a reading had none before version 2: its figures cannot have them
            wanted = {name: before[name] for name in after}
            if version < 2:
                after = {name: row[:flags] + row[flags + 1:] for name, row in after.items()}
                wanted = {name: row[:flags] + row[flags + 1:] for name, row in wanted.items()}
            equal(after, wanted, f"{path}: figures of cell {cell}")
            true(len(after) > 20, f"{path}: {len(after)} figures")
        tare("import", os.path.join(os.environ["TARE_INTEROP_SAMPLES"], "hyperfine.json"), "--db", path)
        equal(scalar(path, "SELECT count(*) FROM import_record"), 2, f"{path}: an import into it")
        tare("derive", path, "--run", "1")  # which leaves what was imported alone
        equal(scalar(path, "SELECT count(*) FROM figure WHERE kind = 'reported' AND flags = 'IMPORTED'"), 14, path)
        equal(query(path, "SELECT verdict, reasons FROM cell WHERE run_id = 1"), query("fresh.db", "SELECT verdict, reasons FROM cell"),
              f"{path}: verdicts")


main(globals())
