# SPDX-License-Identifier: Apache-2.0
"""A million samples through worker, pipe and database: none missing, and what each one costs.

usage: test_million.py [SAMPLES]. Prints "name value unit aim ok|MISS"; only missing samples fail it.
"""
import os
import sys
import time
from statistics import median

from clilib import SEC, Failure, equal, figure_line, main, now_ns, query, scalar, start, true

SAMPLES = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000


def peak_rss_kb(pid):
    """High-water mark of a living process; None once it is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            return next((int(line.split()[1]) for line in file if line.startswith("VmHWM:")), None)
    except OSError:
        return None


def is_committed(db):
    """Is the only repeat in the database, with its outcome, which joins its last samples?"""
    try:
        return query(db, "SELECT outcome FROM repeat") == [("ok",)]
    except Exception:  # no table yet
        return False


def run_and_watch(db, args):
    """Returns the times at which all was committed and at which tare left, and its peak in kB."""
    peak, committed_ns = 0, 0
    process = start("run", "--db", db, *args)
    while process.poll() is None:
        peak = max(peak, peak_rss_kb(process.pid) or 0)
        committed_ns = committed_ns or (now_ns() if is_committed(db) else 0)
        time.sleep(0.01)
    end_ns = now_ns()
    _, err = process.communicate()
    if process.returncode != 0:
        raise Failure(f"exit {process.returncode}: {err}")
    return committed_ns or end_ns, end_ns, peak


def row_bytes(db):
    """Bytes of the table's pages a row; of the whole file where SQLite was built without dbstat."""
    try:
        size = scalar(db, "SELECT sum(pgsize) FROM dbstat WHERE name = 'sample'")
    except Exception:  # no such table
        size = os.path.getsize(db)
    return size / SAMPLES


def check_complete(db, output_tok):
    equal(query(db, "SELECT count(*), count(DISTINCT item), min(item), max(item) FROM sample"),
          [(SAMPLES, SAMPLES, 0, SAMPLES - 1)], "samples, items, first, last")
    equal(scalar(db, "SELECT count(*) FROM sample WHERE error IS NOT NULL OR output_tok <> ?", output_tok), 0,
          "samples that are not as asked")
    equal(query(db, "SELECT verdict, items FROM cell"), [("VALID", SAMPLES)], "verdict and items")


def median_step(db):
    """From one request's start to the next one's: what the harness and the clock cost, without stalls."""
    starts = [row[0] for row in query(db, "SELECT start_ns FROM sample ORDER BY item")]
    return median(b - a for a, b in zip(starts, starts[1:]))


def measure(output_tok):
    db, label, started_ns = f"{output_tok}.db", f"million.{output_tok}_tok", now_ns()
    committed_ns, end_ns, peak_kb = run_and_watch(
        db, ["--repeats", "1", "--model", "null", "--scenario", "single,warmup=0", "--task",
             f"tokens,items={SAMPLES},prompt_tok=4,max_output={output_tok}"])
    check_complete(db, output_tok)
    begin, end = query(db, "SELECT begin_ns, end_ns FROM phase WHERE name = 'measure'")[0]
    busy = scalar(db, "SELECT sum(latency_ns) FROM sample")
    stalls = scalar(db, "SELECT value FROM reading WHERE name = 'stream_stalls'")
    true(end > begin and busy is not None and stalls is not None, "the phase, latencies and stalls are stored")

    def say(name, value, unit, aim="-", ok=True):
        figure_line(f"{label}.{name}", value, unit, aim, ok)
    say("latency_per_request", busy / SAMPLES, "ns")
    step, wall, peak = median_step(db), (end - begin) / SAMPLES, peak_kb / 1000
    say("median_step", step, "ns", "<1000", step < 1000)
    # With the stalls: times at which the worker had filled its memory and waited for the supervisor.
    say("wall_per_request", wall, "ns", "<1000", wall < 1000)
    say("stream_stalls", stalls, "1")
    rate, size = SAMPLES * SEC / (committed_ns - begin), row_bytes(db)
    say("committed", rate, "sample/s", ">300000", rate > 300000)
    say("whole_run", SAMPLES * SEC / (end_ns - started_ns), "sample/s")
    say("row", size, "B", "<120", size < 120)
    say("supervisor_peak_rss", peak, "MB", "<30", peak < 30)


def test_a_million_samples_without_output():
    measure(0)


def test_a_million_samples_of_one_token():
    measure(1)


main(globals())
