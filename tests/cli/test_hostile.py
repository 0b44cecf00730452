# SPDX-License-Identifier: Apache-2.0
"""A table of hostile inputs: each is refused with one clear line and the exit status of the manual.

Whatever the input: no command dies of a signal, hangs, or makes a sanitizer speak; standard output is
empty, or one valid JSON value where --json was given; and standard error holds one line that names
what is at fault. Every row is printed as a TAP comment, so that the log is the table.
"""
import collections
import concurrent.futures
import os
import re
import shutil
import struct
import subprocess
import sys

import hostile
import hostile_databases
import hostile_models
import hostile_plans
import hostile_plugins
from clilib import EXE, Failure, Skip, equal, main, null, query, strict_json, tare, true, write_plan

HERE = os.path.dirname(os.path.abspath(__file__))
ZOO = os.environ.get("TARE_ZOO", os.path.join(HERE, "..", "..", "backends", "native", "zoo"))
REPORT = re.compile("Sanitizer|runtime error:|SUMMARY:")
# Crashes of plug-ins must be crashes here, and a refused allocation must be refused.
SANITIZE = ("handle_segv=0:handle_sigbus=0:handle_abort=0:handle_sigill=0:handle_sigfpe=0:"
            "allocator_may_return_null=1")
NOBODY = 65534
counts = collections.Counter()


def call(argv, row=None, limit_s=60):
    """(exit status, standard output, standard error), both as bytes."""
    env = {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":" + SANITIZE,
           **(row.env if row else {})}
    who = {"user": NOBODY} if row and row.nobody and os.geteuid() == 0 else {}
    try:
        done = subprocess.run([EXE, *argv], input=row.stdin if row and row.stdin is not None else b"",
                              env=env,
                              capture_output=True, timeout=limit_s, check=False, **who)
    except subprocess.TimeoutExpired as error:
        raise Failure(f"still running after {limit_s} s; stderr {error.stderr!r}") from error
    if REPORT.search(done.stderr.decode(errors="replace")):
        raise Failure("a sanitizer spoke: " + done.stderr.decode(errors="replace")[:3000])
    if done.returncode < 0:
        raise Failure(f"died of signal {-done.returncode}")
    return done.returncode, done.stdout, done.stderr


def text_of(stream, what):
    try:
        return stream.decode()
    except UnicodeDecodeError as error:
        raise Failure(f"{what} is not UTF-8: {stream[:300]!r}") from error


def check_line(row, err, named):
    """One line, for people, that names the thing."""
    lines = text_of(err, "standard error").split("\n")[:-1]
    # The dynamic loader's last words, in the process that looks at a plug-in.
    lines = [line for line in lines if not line.startswith("Inconsistency detected by ld.so")]
    true(len(lines) == 1, f"{len(lines)} lines on standard error: {lines!r}"[:1000])
    line = lines[0]
    true(line.startswith("tare: "), f"the line does not begin with 'tare: ': {line!r}")
    true(not re.search("[\x00-\x1f\x7f]", line), f"control characters in {line!r}")
    true(len(line) > 20 and "without a reason" not in line, f"no clear line: {line!r}")
    true(named in line, f"{named!r} is not named in {line!r}")
    true(row.says in line, f"no {row.says!r} in {line!r}")
    return line


def check_row(row):
    """Runs one row that has a command of its own; the line it got, or what is left of a success."""
    status, out, err = call(row.argv, row, row.limit_s)
    true(status in row.want, f"exit {status}, wanted one of {sorted(row.want)}: {err[-600:]!r}")
    if status == 0 or (row.json_error and out):
        strict_json(text_of(out, "standard output"), "standard output")
        return f"exit {status}"
    equal(out, b"", "standard output of a refusal")
    # A long path is cut short in a line of limited length.
    named = row.path if row.named is None else row.named
    return f"exit {status}: " + check_line(row, err, named)


def tell(row, note):
    counts[row.kind] += 1
    clean = re.sub("[^ -~]", "?", note.replace(row.path or "\0", "FILE"))
    print(f"# {row.kind:9} {row.reason[:60]:60} {clean[:150]}", flush=True)


def run_rows(rows, check, workers=1):
    """Checks all rows, and fails with all failures together."""
    failures = []

    def one(row):
        if row.nobody and not nobody_can_run():
            return row, "not tried: no user can be found that may run tare but not read the file", None
        try:
            return row, check(row), None
        except Failure as error:
            return row, "FAILED", str(error)

    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for row, note, failure in pool.map(one, rows):
            tell(row, note)
            if failure:
                failures.append(f"{row.kind}: {row.reason} ({row.path}): {failure}")
    if failures:
        raise Failure(f"{len(failures)} hostile inputs got through:\n" + "\n".join(failures))


def nobody_can_run():
    """Root may read everything, so the row needs another user; anybody else is fine as they are."""
    if os.geteuid() != 0:
        return True
    try:
        return subprocess.run([EXE, "--version"], user=NOBODY, capture_output=True,
                              check=False).returncode == 0
    except OSError:
        return False


def open_for_all(folder):
    """The user nobody has to reach the files and write a database."""
    for path in (folder, os.path.dirname(folder)):
        os.chmod(path, 0o777)


def outcomes(db):
    """{label: (outcome, message)} of the only repeat of each cell."""
    found = query(db,
                  "SELECT c.model || ' ' || c.task, r.outcome, r.message FROM cell c "
                  "JOIN repeat r ON r.cell_id = c.id")
    return {label: (outcome, message) for label, outcome, message in found}


def check_cells(folder, rows, models, tasks, nobody=False, **keys):
    """Runs a plan whose cells are the rows, in order; yields (row, outcome, line on standard error)."""
    db = os.path.join(folder, "nobody.db" if nobody else "cells.db")
    plan = write_plan(os.path.join(folder, "plan.json"), models, tasks, repeats=1,
                      scenarios=[{"scenario": "single", "warmup": 0}], **{"time_limit": "20s", **keys})
    who = hostile.Row("", "", "", (), nobody=nobody)
    status, out, err = call(["run", plan, "--json", "--quiet", "--db", db], who, limit_s=170)
    true(status in (0, 3), f"exit {status}: {err[-1000:]!r}")
    strict_json(text_of(out, "standard output"), "standard output")
    found = outcomes(db)
    lines = {}
    for line in text_of(err, "standard error").splitlines():
        match = re.match(r"tare: warning: (\S+) / (\S+), block 0: (.*)", line)
        true(match, f"an unexpected line: {line!r}")
        key = f"{match[1]} {match[2]}"
        true(key not in lines, f"two lines for {key}: {line!r}")
        lines[key] = match[3]
    equal(len(found), len(rows), "cells in the database")
    for row, label in zip(rows, [f"{m['name']} {t['name']}" for m in models for t in tasks]):
        yield row, found[label], lines.get(label)


def check_cell(row, found, line, allowed=("error", "skip")):
    """The outcome of a hostile model, text or plug-in, and the line about it."""
    outcome, message = found
    if outcome == "ok":
        true(0 in row.want, "was taken for valid")
        return "exit 0"
    true(3 in row.want, f"{outcome}: {message}")
    true(outcome in allowed, f"{outcome}: {message}")
    true(line, "no line on standard error")
    true(not re.search("[\x00-\x1f\x7f]", line), f"control characters in {line!r}")
    true(row.says in line and (row.named if row.named is not None else row.path) in line,
         f"{row.path} is not named in {line!r}")
    return line


def run_cells(folder, rows, make, tasks=None, each=check_cell, **keys):
    """Rows that are cells of one plan. make(row) is the model's entry, or the task's if tasks is None."""
    for nobody in (False, True):
        some = [row for row in rows if row.nobody == nobody]
        if nobody and not nobody_can_run():
            for row in some:
                tell(row, "not tried: no user can be found that may run tare but not read the file")
            continue
        entries = [{**make(row), "name": f"h{i}"} for i, row in enumerate(some)]
        models = entries if tasks else [null("null")]
        cells = {id(row): (found, line) for row, found, line in
                 check_cells(folder, some, models, tasks or entries, nobody, **keys)} if some else {}
        run_rows([row for row in some], lambda row: each(row, *cells[id(row)]))


def need_native():
    path = os.path.join(ZOO, "llama-0.1m.safetensors")
    listed = strict_json(tare("list", "backends", "--json").out, "list")["backends"]
    if not any(b["name"] == "native" and b["available"] for b in listed) or not os.path.exists(path):
        raise Skip("no native backend or no zoo here")
    with open(path, "rb") as file:
        return path, file.read()


RECALL = [{"task": "recall", "name": "t", "options": {"items": 4}}]
PARTS = 3  # of the plug-ins that misbehave


def test_models(folder):
    _, blob = need_native()
    files = hostile.Folder(os.path.join(folder, "in"))
    open_for_all(folder)
    open_for_all(files.path)
    tokenizer = os.path.join(ZOO, "tokenizer.json")
    rows = list(hostile_models.model_rows(files, blob))
    run_cells(folder, rows, lambda row: {"backend": "native", "path": row.path,
                                         "options": {"tokenizer": tokenizer}}, RECALL)


def test_models_asked_for_a_text(folder):
    """The other way a model is driven: windows of its whole context."""
    _, blob = need_native()
    files = hostile.Folder(os.path.join(folder, "in"))
    tokenizer = os.path.join(ZOO, "tokenizer.json")
    rows = [row for row in hostile_models.model_rows(files, blob) if not row.nobody][::6]
    text = [{"task": "text", "name": "t", "options": {"path": files.write(b"It was the best of times. " * 40,
            ".txt")}}]
    run_cells(folder, rows, lambda row: {"backend": "native", "path": row.path,
                                         "options": {"tokenizer": tokenizer}}, text)


def test_tokenizers(folder):
    path, _ = need_native()
    files = hostile.Folder(os.path.join(folder, "in"))
    open_for_all(folder)
    open_for_all(files.path)
    with open(os.path.join(ZOO, "tokenizer.json"), "rb") as file:
        rows = list(hostile_models.tokenizer_rows(files, file.read()))
    for row in rows:
        if "sha of another" in row.reason:
            row.named = path  # it is the model that does not match
    run_cells(folder, rows, lambda row: {"backend": "native", "path": path,
                                         "options": {"tokenizer": row.path}}, RECALL,
              each=check_tokenizer)


def check_tokenizer(row, found, line):
    if line and "made for tokenizer" in line or line and "its tokenizer has" in line:
        row.named = ""  # names the model, whose partner the tokenizer is not
    return check_cell(row, found, line)


def test_replays(folder):
    files = hostile.Folder(os.path.join(folder, "in"))
    open_for_all(folder)
    open_for_all(files.path)
    rows = list(hostile_models.replay_rows(files))
    for row in rows:
        if any(words in row.reason for words in ("turned over", "not the ones", "UTF-8")):
            row.named = ""  # the file is valid; it is the request that it does not answer
    run_cells(folder, rows, lambda row: {"backend": "replay", "path": row.path}, RECALL)


def test_texts(folder):
    files = hostile.Folder(os.path.join(folder, "in"))
    open_for_all(folder)
    open_for_all(files.path)
    rows = list(hostile_models.text_rows(files))
    run_cells(folder, rows, lambda row: {"task": "text", "options": {"path": row.path}})


def test_names_of_files(folder):
    path, blob = need_native()
    files = hostile.Folder(os.path.join(folder, "in"))
    tokenizer = os.path.join(ZOO, "tokenizer.json")
    rows = []
    for reason, name in hostile_models.names([], blob[:-1], b".safetensors", files):
        argv = ["run", "--model", b"native,name=m,path=" + name + b",tokenizer=" + tokenizer.encode(),
                "--task", "recall,items=1",
                "--repeats", "1", "--json", "--quiet", "--db", files.name(".db")]
        # A name that is no UTF-8 has no place in the plan that is stored: such a file is not found.
        says = "No such file" if "UTF-8" in reason else "format: "
        rows.append(hostile.Row("name", reason, os.fsdecode(name), {3}, argv=argv, named=says))
    run_rows(rows, check_named)
    true(path, "the model")


def check_named(row):
    status, out, err = call(row.argv, row)
    true(status in row.want or status == 2, f"exit {status}: {err[-600:]!r}")
    if out:
        strict_json(text_of(out, "standard output"), "standard output")
    return check_line(row, err, row.named if status == 3 else "")


def test_plans(folder):
    files = hostile.Folder(os.path.join(folder, "in"))
    open_for_all(folder)
    open_for_all(files.path)
    run_rows(list(hostile_plans.plan_rows(files)), check_row, workers=2)


def test_options(folder):
    os.chdir(folder)
    run_rows(list(hostile_plans.option_rows()), check_row)


def test_plugins_that_are_refused(folder):
    files = hostile.Folder(os.path.join(folder, "in"))
    open_for_all(folder)
    open_for_all(files.path)
    rows = list(hostile_plugins.rows(files))
    # Those that hang come first, so that they hang beside the others.
    rows.sort(key=lambda row: not any(words in row.reason for words in ("hangs", "spins", "without end")))
    run_rows(rows, check_row, workers=6)


def test_list_shows_refused_plugins(folder):
    files = hostile.Folder(os.path.join(folder, "in"))
    paths = hostile_plugins.build_all(files, hostile_plugins.REFUSED)
    row = hostile.Row("plugin", "all of them in a folder of backends", files.path, {0},
                      env={"TARE_BACKEND_PATH": files.path})
    status, out, err = call(["list", "backends", "--json"], row)
    equal(status, 0, "exit status")
    equal(err, b"", "standard error")
    listed = {b["name"]: b for b in strict_json(text_of(out, "standard output"), "list")["backends"]}
    for path in paths:
        entry = listed[os.path.basename(path)[:-3]]
        true(entry["available"] is False and entry["why"], f"{entry} is said to work")
        true("\n" not in entry["why"], f"several lines: {entry}")
    tell(row, f"{len(paths)} listed, each with its reason")


def check_misbehaving(row, found, line):
    row.named = ""
    return check_cell(row, found, line, ("error", "skip", "crash", "timeout", "oom"))


def test_plugins_that_misbehave(folder):
    files = hostile.Folder(os.path.join(folder, "in"))
    table = hostile_plugins.MISBEHAVING
    paths = hostile_plugins.build_all(files, table)
    rows = [hostile.Row("plugin", line[0], path, {3, 0} if "while it is closed" in line[0] else {3})
            for line, path in zip(table, paths)]

    def run_part(part):
        path = os.path.join(folder, f"part{part}")
        os.mkdir(path)
        run_cells(path, rows[part::PARTS], lambda row: {"backend": row.path}, RECALL, each=check_misbehaving,
                  time_limit="2s")

    # Those that hang wait for a time limit: as several plans they wait beside each other.
    with concurrent.futures.ThreadPoolExecutor(PARTS) as pool:
        list(pool.map(run_part, range(PARTS)))


def make_database(folder):
    """A finished run of the null backend; small, with every kind of row in it."""
    db = os.path.join(folder, "good.db")
    models = [null("a", first_ns="1ms", token_ns="100us", flops_per_tok=7), null("b")]
    tasks = [{"task": "recall", "options": {"items": 3}}, {"task": "tokens", "options": {"items": 4,
            "max_output": 4}},
             {"task": "choice", "options": {"items": 2}}]
    plan = write_plan(os.path.join(folder, "plan.json"), models, tasks, repeats=2, baseline="a")
    tare("run", plan, "--db", db, "--quiet")
    return db


COMMANDS = {"report": ["report", "--json", "--run", "1", "--db"], "full": ["report", "--view", "full", "-f",
        "md", "--db"],
            "show": ["show", "--run", "1", "--json", "--db"], "derive": ["derive", "--json", "--db"],
            "resume": ["run", "--json", "--quiet", "--time-limit", "5s", "--resume"]}


def check_database(row):
    """All commands on a copy each; the worst of them decides."""
    notes = []
    for name, argv in COMMANDS.items():
        path = row.path
        if os.path.isfile(path) and not row.nobody and name in ("derive", "resume"):
            path = row.path + f".{name}.db"
            for suffix in ("", "-wal", "-shm"):
                if os.path.exists(row.path + suffix):
                    shutil.copyfile(row.path + suffix, path + suffix)
        try:
            status, out, err = call(argv + [path], row)
            true(status in row.want,
                 f"exit {status}, wanted one of {sorted(row.want)}: {err[-400:]!r}{out[-200:]!r}")
            if status == 5:
                equal(out, b"", "standard output of a refusal")
                check_line(row, err, path)
            elif name != "full":
                strict_json(text_of(out, "standard output"), "standard output")
            else:
                text_of(out, "standard output")
        except Failure as error:
            raise Failure(f"tare {name}: {error}") from error
        notes.append(f"{name} {status}")
    true(not row.options.get("some") or any(note.endswith(" 5") for note in notes),
         f"no command noticed: {notes}")
    return ", ".join(notes)


def test_databases(folder):
    files = hostile.Folder(os.path.join(folder, "in"))
    open_for_all(folder)
    open_for_all(files.path)
    run_rows(list(hostile_databases.rows(files, make_database(folder))), check_database, workers=2)


def flip_number(db, sql):
    """Turns over the highest bit of the fraction of the number that sql yields; the number it had."""
    value = query(db, sql)[0][0]
    with open(db, "rb") as file:
        blob = bytearray(file.read())
    places = [m.start() for m in re.finditer(re.escape(struct.pack(">d", value)), bytes(blob))]
    true(places, f"{value!r} is not stored as a double")
    for at in places:
        blob[at + 1] ^= 8
    with open(db, "wb") as file:
        file.write(blob)
    return value


def test_a_flipped_bit_of_a_number(folder):
    """Known to get through: SQLite has no checksums, so a bit of a number makes another number. A figure
    can be had back by deriving it again; a sample cannot."""
    db = make_database(folder)
    figure = ("SELECT f.value FROM figure f JOIN cell c ON c.id = f.cell_id WHERE c.model = 'a' "
              "AND c.task = 'tokens' AND f.name = 'token_throughput'")
    before = tare("report", "--view", "full", "--json", db).out
    value = flip_number(db, figure)
    status, out, err = call(["report", "--view", "full", "--json", db])
    true(status in (0, 5), f"exit {status}: {err!r}")
    if status == 5:
        check_line(hostile.Row("database", "", db, {5}), err, db)
        return
    shown = query(db, figure)[0][0]
    true(shown != value and out.decode() != before, f"{shown!r} is not shown in place of {value!r}")
    tare("derive", db)
    equal(query(db, figure)[0][0], value, "the figure, derived again")
    print(f"# database  a bit of a figure: exit 0, {value:.6g} became {shown:.6g} in silence; "
          "derive repairs it", flush=True)


def chosen(words):
    """Of all tests those named, or 'plugins', which wait for time limits, or 'files', the others."""
    tests = {name: value for name, value in globals().items() if name.startswith("test_")}
    return {name: value for name, value in tests.items()
            if not words or name in words or ("plugins" if "plugins" in name else "files") in words}


if __name__ == "__main__":
    main(chosen(sys.argv[1:]))
