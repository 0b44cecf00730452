# SPDX-License-Identifier: Apache-2.0
"""Hostile plans: refused as wrong usage before anything runs, or, where a flip left them right, shown."""
import json

import hostile
from hostile import Row

USAGE, FINE = 2, 0
GOOD = {"tare": 1, "name": "n", "seed": 1, "repeats": 1, "time_limit": "30s", "memory_limit": "0",
        "models": [{"backend": "null", "name": "m", "options": {"tokens": 3}}],
        "techniques": [{"technique": "none"}],
        "tasks": [{"task": "recall", "options": {"items": 2}}, {"task": "text", "options": {"items": 1}}],
        "scenarios": [{"scenario": "single", "warmup": 0, "window_tok": 64}],
        "include": [{"model": "*"}], "exclude": [{"task": "text"}]}


def changed(**changes):
    return json.dumps({**GOOD, **changes}).encode()


def value_lies():
    for key, values in (
            ("tare", (0, 2, 1.5, 1e300, "1", None, [1])), ("repeats", (0, -1, 1e9, 1e300, 1.5, "x", [], None,
                    True)),
            ("seed", (-1, 2**63, 1e300, "x", {})), ("time_limit", (-1, "1e99s", "1 parsec", "", [], "nan",
                    "inf", "0x1ps")),
            ("memory_limit", (-1, "1e99GiB", "lots", 1.5)), ("network", ("mine", "", 7, [])), ("cgroup", (7, {})),
            ("name", (7, [], {})), ("noise", ("loud", "", 7, [])), ("metering", ("some", 7, [])), ("sustain", (-1, "x")),
            ("idle_time", (-1, "long")), ("cool_to_c", ("cold", [])), ("meters", (7, {}, ["x"], [{"meter": 7}],
             [{"meter": "none"}], [{"meter": "memory", "options": {"a": 1}}])), ("baseline", ("nobody",
                    7)),
            ("models", ({}, [], [1], [None], [[]], "null", [{}], [{"backend": 7}], [{"backend": ""}],
                        [{"backend": "nothing"}], [{"backend": "null", "path": 7}],
                        [{"backend": "null", "options": []}], [{"backend": "null", "options": {"tokns": 1}}],
                        [{"backend": "null", "pth": "x"}], [{"backend": "null"}, {"backend": "null"}],
                        [{"backend": "x" * 10000}], [{"backend": "null", "path": "x" * 10000}],
                        [{"backend": "native", "path": "zoo:../../x"}])),
            ("tasks", (None, 1, [], [{}], [{"task": "none"}], [{"task": "recall", "options": {"itms": 1}}],
                       [{"task": "recall", "options": {"items": -1}}], [{"task": "recall",
                               "options": {"items": "many"}}],
                       [{"task": "recall", "options": [1]}], [{"task": "x" * 100000}])),
            ("scenarios", ([{"scenario": "storm"}], [{"warmup": -1}], [{"window_tok": 2**40}],
                           [{"options": {}}])),
            ("include", ({}, [1], [{"model": 1}], [{"nothing": "x"}], [{"model": "nobody"}], "x")),
            ("exclude", ([{"model": "*"}], 7)), ("repeat", (1,)), ("x" * 100000, (1,)), ("\x1b[2J", (1,)),
        ("", (1,))):
        for value in values:
            yield f"{key[:20]!r}: {json.dumps(value)[:50]}", changed(**{key: value})
    many = [{"backend": "null", "name": f"m{i}"} for i in range(2000)]
    tasks = [{"task": "recall", "name": f"t{i}"} for i in range(2000)]
    yield "4 million cells", changed(models=many, tasks=tasks)
    stars = "*a" * 30 + "*b"
    yield "a pattern of many stars", changed(models=[{"backend": "null", "name": "a" * 60}],
                                             include=[{"model": stars}])


def text_lies(good):
    yield "an empty file", b""
    yield "a byte order mark and UTF-16", good.decode().encode("utf-16")
    yield "a NUL byte", hostile.replaced(good, b'"n"', b'"n\0"')
    yield "an escaped NUL", hostile.replaced(good, b'"n"', b'"n\\u0000x"')
    yield "a key stands twice", hostile.replaced(good, b'"seed"', b'"seed": 2, "seed"')
    yield "a key of an entry stands twice", hostile.replaced(good, b'"backend"',
            b'"backend": "native", "backend"')
    yield "nested 65 deep", changed(models=json.loads("[" * 65 + "]" * 65))
    yield "nested 1000000 deep", b"[" * 1000000
    yield "text behind its end", good + b"x"
    yield "two plans", good + good
    yield "a comment", b"// plan\n" + good
    yield "a number of 400 digits", hostile.replaced(good, b'"seed": 1', b'"seed": ' + b"9" * 400)
    yield "NaN", hostile.replaced(good, b'"seed": 1', b'"seed": NaN')
    yield "5 MB of blanks", good + b" " * (5 << 20)
    yield "random bytes", bytes((i * 167 + 13) % 256 for i in range(5000))
    yield "a raw newline in a string", hostile.replaced(good, b'"n"', b'"n\n\xff"') + b"}"
    yield "no plan at all", b"null"


def plan_rows(folder):
    good = json.dumps(GOOD).encode()
    for reason, data in list(hostile.truncations(good, (1, 10, 100, len(good) // 2, -2,
                                                        -1))) + list(text_lies(good)):
        # the plan is named by its file; a value that is wrong is named by its key
        yield row(reason, folder.write(data, ".json"), {USAGE}, True)
    for reason, data in value_lies():
        yield row(reason, folder.write(data, ".json"), {USAGE}, False)
    for reason, data in hostile.flips(good, 5, 32):
        yield row(reason, folder.write(data, ".json"), {USAGE, FINE}, False)
    for reason, path, nobody in hostile.no_files(folder, good, ".json"):
        one = row(reason, path, {USAGE}, True)
        one.nobody = nobody
        yield one
    for reason, data in (("nothing", b""), ("half a plan", good[:100]), ("zeros", b"\0" * 100000)):
        yield Row("plan", reason + " on standard input", "-", {USAGE}, argv=["run", "-", "--dry-run",
                "--json"],
                  stdin=data, named="")


def row(reason, path, want, names_file):
    return Row("plan", reason, path, want, argv=["run", path, "--dry-run", "--json", "--db", folder_db(path)],
               named=None if names_file else "")


def folder_db(path):
    return path[:path.rindex("/")] + "/none.db"


def option_rows():
    """The same values by the command line."""
    for reason, argv in (
            ("an option of 1 MB", ["run", "--" + "x" * 100000]), ("a value of 1 MB", ["run", "--seed",
                    "9" * 100000]),
            ("an option without a value", ["run", "--seed"]), ("an unknown short option", ["run", "-Z"]),
            ("a format that does not exist", ["run", "--task", "recall,items=1", "--model", "null",
                                              "--format", "pdf", "--quiet"]),
            ("a model without a backend", ["run", "--model", ",,,", "--task", "recall"]),
            ("a model that ends in a newline", ["run", "--model", "null\n", "--task", "recall"]),
            ("two plans", ["run", "a", "b"]), ("a task with an empty key", ["run", "--model", "null",
                    "--task", "recall,=1"]),
            ("--resume with a plan", ["run", "--resume", "x.db", "p.json"]),
            ("an unknown view", ["list", "nothing"]), ("an unknown command", ["rum"]),
            ("invalid UTF-8", ["run", "--model", b"\xff\xfe", "--task", "recall"]),
            ("an escape sequence", ["run", "--model", "\x1b[2J", "--task", "recall"])):
        yield Row("option", reason, "", {USAGE}, argv=argv, named="")
