# SPDX-License-Identifier: Apache-2.0
"""Benchmark: a report over ten million samples, as stored and with every percentile taken anew."""
import os
import subprocess
import time

from clilib import EXE, equal, figure_line, main, scalar, tare

SAMPLES = 10_000_000
REPEATS = 5


def timed(*args):
    """Seconds and peak memory in bytes (RSS, the page cache is none of it) of a command."""
    begin = time.monotonic()
    with subprocess.Popen([EXE, *args], stdout=subprocess.DEVNULL) as child:
        _, status, usage = os.wait4(child.pid, 0)  # ru_maxrss is in KiB on Linux
        child.returncode = status
    equal(status, 0, f"status of {args}")
    return time.monotonic() - begin, usage.ru_maxrss * 1024


def test_ten_million():
    for repeats in (1, REPEATS):
        db = f"ten{repeats}.db"
        tare("run", "--db", db, "--repeats", str(repeats), "--model", "null", "--scenario", "single,warmup=0",
             "--task", f"tokens,items={SAMPLES // repeats},prompt_tok=4,max_output=0", timeout=3000)
        equal(scalar(db, "SELECT count(*) FROM sample"), SAMPLES, "samples")
        name = f"report_{repeats}x{SAMPLES // repeats}"
        for what, extra, aim_s in (("stored", [], 2), ("recomputed", ["--recompute"], 5)):
            seconds, peak = min(timed("report", db, *extra) for _ in range(3))
            figure_line(f"{name}_{what}_time", seconds, "s", f"<={aim_s}", seconds <= aim_s)
            figure_line(f"{name}_{what}_peak_rss", peak / 1e6, "MB", "<=200", peak <= 200e6)


if __name__ == "__main__":
    main(globals())
