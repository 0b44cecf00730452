# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests share: running tare, reading its database, and a small test runner.

A test file defines functions test_*; each runs in a folder of its own and prints one TAP line. A file
whose tests are all skipped exits with 77, one with a failure with 1.
"""
import inspect
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback

MS = 10**6
SEC = 10**9
MIB = 1 << 20
EXE = os.environ.get("TARE_EXE", "")
# A sanitizer must not turn the crashes that the null backend is told to make into reports of its own.
for _name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
    _options = [o for o in os.environ.get(_name, "").split(":") if o and not o.startswith("handle_segv=")]
    os.environ[_name] = ":".join(_options + ["handle_segv=0"])


class Failure(Exception):
    """An expectation that did not hold."""


class Skip(Exception):
    """A reason why a test cannot be made here."""


class Result:
    """How a command ended, and what it printed on its two streams."""

    def __init__(self, args, rc, out, err):
        self.args, self.rc, self.out, self.err = args, rc, out, err

    def __str__(self):
        return (f"tare {' '.join(self.args)}\n  exit {self.rc}\n  stdout: {self.out[-2000:]!r}\n"
                f"  stderr: {self.err[-2000:]!r}")


def true(condition, what):
    if not condition:
        raise Failure(str(what))


def equal(actual, expected, what):
    if actual != expected:
        raise Failure(f"{what}: expected {expected!r}, got {actual!r}")


def close(actual, expected, what, relative=1e-9):
    bound = relative * max(abs(actual), abs(expected))
    true(abs(actual - expected) <= bound, f"{what}: expected {expected!r}, got {actual!r}")


def contains(text, part, what):
    true(part in text, f"{what}: no {part!r} in {text!r}")


def tare(*args, rc=0, env=None, stdin=None, timeout=300):
    """Runs tare to its end. rc is the exit status it must have; None takes any."""
    done = subprocess.run([EXE, *args], input=stdin, capture_output=True, timeout=timeout, check=False,
                          env={**os.environ, **(env or {})}, text=True)
    result = Result(args, done.returncode, done.stdout, done.stderr)
    if rc is not None and done.returncode != rc:
        raise Failure(f"exit {done.returncode} instead of {rc} of {result}")
    return result


def start(*args, env=None, **keywords):
    """Starts tare and does not wait."""
    return subprocess.Popen([EXE, *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, env={**os.environ, **(env or {})}, **keywords)


def query(db, sql, *values):
    """Rows of a database, which is not written to."""
    connection = sqlite3.connect(f"file:{os.path.abspath(db)}?mode=ro", uri=True, timeout=30)
    try:
        return connection.execute(sql, values).fetchall()
    finally:
        connection.close()


def scalar(db, sql, *values):
    found = query(db, sql, *values)
    true(len(found) == 1 and len(found[0]) == 1, f"{sql}: not one value but {found!r}")
    return found[0][0]


def figures(db, model=None):
    """{name: {column: value}} of the cell of this model, or of the only cell."""
    columns = ["name", "value", "unit", "kind", "n", "n_what", "low", "high", "level", "method", "flags",
               "absent", "source", "scope"]
    found = query(db, f"SELECT {', '.join('f.' + c for c in columns)} FROM figure f JOIN cell c "
                      "ON c.id = f.cell_id WHERE ?1 IS NULL OR c.model = ?1", model)
    result = {row[0]: dict(zip(columns, row)) for row in found}
    equal(len(result), len(found), "figures of more than one cell")
    return result


def write_plan(path, models, tasks, **keys):
    """Writes a plan file; models and tasks are lists of entries."""
    with open(path, "w", encoding="utf-8") as to:
        json.dump({"tare": 1, "models": models, "tasks": tasks, **keys}, to)
    return path


def null(name, **options):
    """An entry for the null backend."""
    return {"backend": "null", "name": name, "options": options}


def strict_json(text, what):
    """JSON without the liberties that Python takes."""
    def refuse(word):
        raise Failure(f"{what}: {word} is no JSON")
    try:
        return json.loads(text, parse_constant=refuse)
    except ValueError as error:
        raise Failure(f"{what}: not JSON ({error}): {text[:300]!r}") from error


def environment(key):
    """A value that `tare doctor` tells of this machine or build; None when it is absent."""
    doctor = strict_json(tare("doctor", "--json", "--noise", "0s").out, "tare doctor --json")
    return next((e.get("value") for e in doctor["environment"] if e["name"] == key), None)


def is_sanitized():
    return environment("tare.sanitize") not in (None, "", "none")


def is_slow():
    """A build whose times say nothing."""
    return is_sanitized() or environment("tare.buildtype") == "debug"


def backends():
    return {b["name"]: b for b in strict_json(tare("list", "backends", "--json").out, "list")["backends"]}


def children(pid):
    """Process ids of the children; none when the process is gone."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def marked_processes(mark):
    """Living processes that were started with this text in their environment, but for this one."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/environ", "rb") as file:
                marked = mark.encode() in file.read()
            with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as file:
                alive = file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
        except OSError:
            continue
        if marked and alive and int(name) != os.getpid():
            found.append(int(name))
    return found


def wait_until(condition, what, seconds=30):
    """Polls until the condition gives something true, and returns it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.005)
    raise Failure(f"{what}: not within {seconds} s")


def now_ns():
    """The clock of the stored phases."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def figure_line(name, value, unit, aim, ok):
    """A line of a benchmark: name value unit aim ok|MISS."""
    print(f"{name} {value:.6g} {unit} {aim} {'ok' if ok else 'MISS'}", flush=True)


def run_one(number, name, test, folder):
    """Prints the TAP line of one test. Returns 'ok', 'failed' or 'skipped'."""
    begin = time.monotonic()
    try:
        test(folder) if inspect.signature(test).parameters else test()
    except Skip as reason:
        print(f"ok {number} - {name} # SKIP {reason}", flush=True)
        return "skipped"
    except Exception as error:  # a fault of the test must fail it, too
        print(f"not ok {number} - {name}")
        text = str(error) if isinstance(error, Failure) else traceback.format_exc()
        print(re.sub("^", "# ", text, flags=re.MULTILINE), flush=True)
        return "failed"
    print(f"ok {number} - {name} # {time.monotonic() - begin:.1f} s", flush=True)
    return "ok"


def main(module):
    """Runs every test_* of the module (a dict of its names) and leaves with the exit status."""
    if not os.access(EXE, os.X_OK):
        sys.exit("TARE_EXE names no executable; give it the path of tare")
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    tests = [(n, f) for n, f in module.items() if n.startswith("test_") and callable(f)]
    results = []
    base = tempfile.mkdtemp(prefix="tare-cli-")
    try:
        print(f"1..{len(tests)}", flush=True)
        for number, (name, test) in enumerate(tests, 1):
            folder = os.path.join(base, name)
            os.mkdir(folder)
            os.chdir(folder)
            results.append(run_one(number, name, test, folder))
    finally:
        os.chdir("/")
        shutil.rmtree(base, ignore_errors=True)
    if "failed" in results:
        sys.exit(1)
    sys.exit(77 if results and set(results) == {"skipped"} else 0)
