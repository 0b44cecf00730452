# SPDX-License-Identifier: Apache-2.0
"""How long tare takes until it works. Prints "name value unit aim ok|MISS"; only a failed run fails it."""
import subprocess
from statistics import median

from clilib import EXE, MS, equal, figure_line, main, now_ns, query, tare, true

ROUNDS = 50


def median_ms(*args):
    spent = []
    for _ in range(ROUNDS):
        begin = now_ns()
        subprocess.run([EXE, *args], check=True, stdout=subprocess.DEVNULL)
        spent.append(now_ns() - begin)
    return median(spent) / MS


def test_version():
    value = median_ms("--version")
    figure_line("startup.version", value, "ms", "<5", value < 5)


def test_tasks():
    """A task is found by name and opened; to list them every task file is read and checked."""
    value = median_ms("prompts", "add", "--count", "1")
    figure_line("startup.names", value, "ms", "<10", value < 10)
    value = median_ms("list", "tasks")
    figure_line("startup.every_task_file_read", value, "ms", "-", True)


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
