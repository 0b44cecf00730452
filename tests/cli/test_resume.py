# SPDX-License-Identifier: Apache-2.0
"""Killing the supervisor and its workers at random moments: no sample is lost, none is stored twice.

usage: test_resume.py [KILLS [SEED]], or TARE_KILLS in the environment; 12 kills without.
"""
import os
import random
import signal
import subprocess
import sys
import time

from clilib import (EXE, Failure, children, contains, equal, figures, main, marked_processes, null, query, scalar,
                    start, tare, true, wait_until, write_plan)

KILLS = int(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("TARE_KILLS", "12"))
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(1 << 32)
CELLS, REPEATS, ITEMS = 4, 5, 1000
MEAN_DELAY_S = 0.25


def plan_of(path, kills):
    """20,000 samples that last about as long as the kills take."""
    latency_us = max(100, round(kills * MEAN_DELAY_S * 1e6 / (CELLS * REPEATS * ITEMS)))
    models = [null(f"m{i}", first_ns=f"{latency_us}us") for i in range(CELLS)]
    task = {"task": "tokens", "options": {"items": ITEMS, "prompt_tok": 4, "max_output": 1}}
    return write_plan(path, models, [task], repeats=REPEATS, time_limit="120s")


def check_complete(db):
    """Everything that must hold of a database whose run has come to its end."""
    equal(scalar(db, "PRAGMA integrity_check"), "ok", "integrity of the database")
    equal(scalar(db, "SELECT count(*) FROM run"), 1, "runs")
    equal(scalar(db, "SELECT count(*) FROM sample"), CELLS * REPEATS * ITEMS, "samples")
    counts = query(db, "SELECT r.id, count(*), count(DISTINCT s.item), min(s.item), max(s.item) FROM repeat r "
                       "LEFT JOIN sample s ON s.repeat_id = r.id GROUP BY r.id")
    equal(len(counts), CELLS * REPEATS, "repeats")
    for repeat, *what in counts:
        equal(what, [ITEMS, ITEMS, 0, ITEMS - 1], f"repeat {repeat}: samples, items, first, last")
    equal(query(db, "SELECT DISTINCT outcome, message FROM repeat"), [("ok", None)], "outcomes of the repeats")
    equal(query(db, "SELECT DISTINCT verdict, reasons FROM cell"), [("VALID", None)], "verdicts")
    equal(scalar(db, "SELECT count(*) FROM sample WHERE error IS NOT NULL"), 0, "failed samples")
    equal(scalar(db, "SELECT count(*) FROM sample s LEFT JOIN attempt a ON a.id = s.attempt_id "
                     "WHERE a.id IS NULL OR a.repeat_id <> s.repeat_id"), 0, "samples of no attempt of theirs")
    equal(scalar(db, "SELECT count(*) FROM sample s JOIN attempt a ON a.id = s.attempt_id "
                     "WHERE s.item < a.first_item"), 0, "samples from before their attempt began")
    # Attempts follow one another: each begins where the samples of the earlier ones end.
    for attempt, first, before in query(
            db, "SELECT a.id, a.first_item, (SELECT count(*) FROM sample s WHERE s.repeat_id = a.repeat_id AND "
                "s.attempt_id < a.id) FROM attempt a"):
        equal(first, before, f"attempt {attempt}: first item")
    true(scalar(db, "SELECT finished_utc FROM run"), "the run is marked as finished")
    for model in range(CELLS):
        resumed = scalar(db, "SELECT count(*) FROM (SELECT 1 FROM sample s JOIN repeat r ON r.id = s.repeat_id JOIN "
                             "cell c ON c.id = r.cell_id WHERE c.model = ? GROUP BY s.repeat_id HAVING "
                             "count(DISTINCT s.attempt_id) > 1)", f"m{model}")
        flags = figures(db, f"m{model}")["request_throughput"]["flags"]
        true(not resumed or "RESUMED" in flags, f"m{model}: throughput of resumed repeats is flagged, not {flags!r}")


def has_run(db):
    """Is the run in the database, so that --resume can find it?"""
    if not os.path.exists(db) or os.path.getsize(db) == 0:
        return False
    try:
        return scalar(db, "SELECT count(*) FROM run") == 1
    except Exception:  # no table yet
        return False


class Campaign:
    """One database, and the kills it has to stand."""

    def __init__(self, number, rng, mark):
        self.db, self.rng, self.mark = f"{number}.db", rng, mark
        self.plan = plan_of(f"{number}.json", KILLS)
        self.killed = {"supervisor": 0, "worker": 0}
        self.endings = set()

    def launch(self):
        args = ["--resume", self.db] if has_run(self.db) else ["--db", self.db, self.plan]
        return start("run", *args, env={"TARE_TEST_MARK": self.mark})

    def delay(self):
        """Mostly amid the work; one in five at the very start, when database and run are being made."""
        early = self.rng.random() < 0.2
        time.sleep(self.rng.uniform(0, 0.03 if early else 2 * MEAN_DELAY_S))

    def strike(self, process):
        """Kills the supervisor or its worker. True if the supervisor is gone."""
        workers = children(process.pid)
        target = "worker" if self.rng.random() < 0.6 else "supervisor"
        if target == "worker" and not workers:
            return process.poll() is not None
        os.kill(process.pid if target == "supervisor" else workers[0], signal.SIGKILL)
        self.killed[target] += 1
        return target == "supervisor"

    def one_life(self, left):
        """From a start to a death or an end; returns the kills that were made."""
        process = self.launch()
        before = sum(self.killed.values())
        gone = False
        while not gone and sum(self.killed.values()) - before < left:
            self.delay()
            gone = process.poll() is not None or self.strike(process)
        if not gone:
            process.kill()
        _, err = process.communicate(timeout=60)
        self.endings.add(process.returncode)
        # 0: done; 3: a worker was killed; -9: killed itself. Anything else is a fault.
        if process.returncode not in (0, 3, -signal.SIGKILL):
            raise Failure(f"seed {SEED}: exit {process.returncode} after {self.killed}: {err}")
        return sum(self.killed.values()) - before, process.returncode == 0


def marked(mark):
    return marked_processes(f"TARE_TEST_MARK={mark}")


def test_kills():
    print(f"# {KILLS} kills, seed {SEED}", flush=True)
    rng, mark, left, number = random.Random(SEED), f"kills-{os.getpid()}", KILLS, 0
    while left > 0:
        campaign = Campaign(number, rng, mark)
        finished = False
        while left > 0 and not finished:
            made, finished = campaign.one_life(left)
            left -= made
            wait_until(lambda: not marked(mark), "workers outlive their supervisor: " + str(marked(mark)), 10)
        if not has_run(campaign.db):
            tare("run", "--db", campaign.db, campaign.plan)
        tare("run", "--resume", campaign.db, rc=0)
        try:
            check_complete(campaign.db)
        except Failure as failure:
            raise Failure(f"seed {SEED}, database {number}: {failure}") from failure
        attempts = scalar(campaign.db, "SELECT count(*) FROM attempt")
        print(f"# database {number}: {campaign.killed} killed, {attempts} attempts, exits {campaign.endings}",
              flush=True)
        number += 1


def slow_run(db, seconds=20, **keywords):
    """A run that is amid its first cell, with samples in the database."""
    process = start("run", "--db", db, "--repeats", "2", "--model", "null,first_ns=10ms", "--task",
                    f"tokens,items={int(seconds * 50)},max_output=1", **keywords)
    wait_until(lambda: has_run(db) and scalar(db, "SELECT count(*) FROM sample") > 0 or process.poll() is not None,
               "samples of a run that goes on")
    true(process.poll() is None, "the run ended early")
    return process


def test_resuming_a_finished_run_does_nothing():
    tare("run", "--db", "f.db", "--repeats", "2", "--model", "null", "--task", "choice,items=10")
    tables = ["run", "environment", "cell", "repeat", "attempt", "phase", "sample", "request", "reading",
              "figure"]
    before = {table: query("f.db", f"SELECT * FROM {table}") for table in tables}
    time.sleep(1.1)  # times are stored in seconds
    result = tare("run", "--resume", "f.db", rc=0)
    contains(result.out, "null", "the table is printed again")
    for table in tables:
        equal(query("f.db", f"SELECT * FROM {table}"), before[table], f"table {table}")


def test_a_run_that_is_taken_up_again_is_not_finished():
    tare("run", "--db", "u.db", "--repeats", "1", "--model", "null,first_ns=150ms,hang_at=2", "--task",
         "tokens,items=5,max_output=1", "--time-limit", "1s", rc=3)
    true(scalar("u.db", "SELECT finished_utc FROM run"), "a run with a failed cell has come to its end")
    process = start("run", "--resume", "u.db")
    try:
        wait_until(lambda: len(query("u.db", "SELECT 1 FROM attempt")) == 2, "a second attempt")
        equal(scalar("u.db", "SELECT finished_utc FROM run"), None, "end of a run that goes on")
    finally:
        process.kill()
        process.communicate()
    equal(scalar("u.db", "SELECT finished_utc FROM run"), None, "end of a run that was killed")


def test_one_writer_at_a_time():
    process = slow_run("w.db")
    try:
        for args in (["--resume", "w.db"], ["--db", "w.db", "--model", "null", "--task", "tokens"]):
            result = tare("run", *args, rc=5)
            contains(result.err, "another tare is writing", "the reason")
            equal(result.out, "", "standard output")
        equal(scalar("w.db", "SELECT count(*) FROM run"), 1, "runs in the database")
        true(process.poll() is None, "the first supervisor goes on")
        tare("report", "w.db", "-f", "json")  # reading is allowed
    finally:
        process.kill()
        process.communicate()


def interrupt(db, number, whole_group):
    """Sends the signal to the supervisor, or as a terminal does to its worker as well."""
    process = slow_run(db, seconds=2, start_new_session=True)
    if whole_group:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    out, err = process.communicate(timeout=20)
    contains(err, f"'tare run --resume {db}' continues", f"the hint after {number!r}")
    equal(out, "", "standard output of an interrupted run")
    true(process.returncode > 0, f"exit {process.returncode} says that something is missing")
    equal(query(db, "SELECT DISTINCT outcome FROM repeat"), [("pending",)], "an interruption is no crash")


def test_signals_stop_and_resume_completes():
    for name, number, group in (("int", signal.SIGINT, False), ("term", signal.SIGTERM, False),
                                ("ctrl-c-1", signal.SIGINT, True), ("ctrl-c-2", signal.SIGINT, True),
                                ("ctrl-c-3", signal.SIGINT, True)):
        db = f"{name}.db"
        interrupt(db, number, group)
        kept = scalar(db, "SELECT count(*) FROM sample")
        true(kept > 0, "what was measured is kept")
        if not name.startswith("ctrl"):
            tare("run", "--resume", db, rc=0)
            equal(query(db, "SELECT count(*), count(DISTINCT repeat_id * 1000 + item) FROM sample"), [(200, 200)],
                  "samples")
            equal(scalar(db, "SELECT count(*) FROM sample WHERE attempt_id = 1"), kept, "samples kept")


def test_what_cannot_be_resumed():
    equal(tare("run", "--resume", "no.db", rc=5).out, "", "standard output")
    true(not os.path.exists("no.db"), "a database that is not there is not made")
    with open("text.db", "w", encoding="ascii") as file:
        file.write("this is no database, but a text that is longer than the head of one would be, by far. " * 3)
    tare("run", "--resume", "text.db", rc=5)
    subprocess.run([sys.executable, "-c", "import sqlite3; c = sqlite3.connect('foreign.db'); "
                                          "c.execute('CREATE TABLE a (b)'); c.commit()"], check=True)
    contains(tare("run", "--resume", "foreign.db", rc=5).err, "not one of tare's", "the reason")
    contains(tare("run", "--resume", "a.db", "plan.json", rc=2).err, "--resume", "a plan and --resume")


true(EXE, "TARE_EXE names no executable")
main(globals())
