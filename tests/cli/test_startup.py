# SPDX-License-Identifier: Apache-2.0
"""How long tare takes until it works. Prints "name value unit aim ok|MISS"; only a failed run fails it."""
import subprocess
from statistics import median

from clilib import EXE, MS, equal, figure_line, main, now_ns, query, tare, true

ROUNDS = 50


def test_version():
    spent = []
    for _ in range(ROUNDS):
        begin = now_ns()
        subprocess.run([EXE, "--version"], check=True, stdout=subprocess.DEVNULL)
        spent.append(now_ns() - begin)
    value = median(spent) / MS
    figure_line("startup.version", value, "ms", "<5", value < 5)


def first_phase_after(args):
    """Milliseconds from before exec to the first phase of the newest attempt."""
    begin = now_ns()
    tare(*args)
    first = query("s.db", "SELECT min(begin_ns) FROM phase WHERE attempt_id > (SELECT max(a.id) - 1 FROM attempt a)")
    true(first[0][0] is not None and first[0][0] > begin, "the phase began after tare was started")
    return (first[0][0] - begin) / MS


def test_first_cell():
    args = ["run", "--db", "s.db", "--repeats", "1", "--model", "null", "--task", "tokens,items=10"]
    cold = first_phase_after(args)
    warm = [first_phase_after(args) for _ in range(9)]
    equal(query("s.db", "SELECT count(*) FROM run"), [(10,)], "runs in the database")
    figure_line("startup.first_run", cold, "ms", "-", True)
    figure_line("startup.second_run", warm[0], "ms", "<100", warm[0] < 100)
    figure_line("startup.later_runs", median(warm), "ms", "<100", median(warm) < 100)


main(globals())
