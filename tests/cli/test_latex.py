# SPDX-License-Identifier: Apache-2.0
"""The LaTeX format compiles, whatever a model is called, and prints what the table holds."""
import os
import re
import shutil
import subprocess

from clilib import Failure, Skip, contains, equal, is_sanitized, main, null, strict_json, tare, true, write_plan

HOSTILE = "a_b & 100% $x^2$ #1 {y} \\input{z} ~<|>\"'` [*] \u6de1 \u00e9\u0142 \u2713 \u03bb\u2264"


def compile_twice(path):
    """Compiles; returns the log of the second time."""
    if not shutil.which("pdflatex"):
        raise Skip("no pdflatex here")
    if is_sanitized():
        raise Skip("the file is the same in every build, and the sanitizers see it made in cli_cli")
    for _ in range(2):
        done = subprocess.run(["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", path],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)
        log = done.stdout.decode(errors="replace")
        if done.returncode != 0:
            raise Failure(f"pdflatex {path}: exit {done.returncode}: {log[-3000:]}")
    return log


def check_fits(log, what):
    """Boxes beyond the line: a point or two is the air around letters, more would be seen."""
    for width in re.findall(r"Overfull \\hbox \(([0-9.]+)pt too wide\)", log):
        true(float(width) < 3, f"{what}: {width} points beyond the line")
    true("Overfull \\vbox" not in log, f"{what}: higher than a page")
    true("Reference" not in log or "undefined" not in log, f"{what}: an undefined reference")


def page_text(path):
    if not shutil.which("pdftotext"):
        raise Skip("no pdftotext here")
    text = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, check=True, timeout=60)
    return text.stdout.decode()


def page_sizes(path):
    text = subprocess.run(["pdfinfo", "-l", "99", path], capture_output=True, check=True, timeout=60).stdout.decode()
    return re.findall(r"size:\s+([0-9.]+) x ([0-9.]+)", text)


def test_fixed_table_compiles():
    """The table of the unit tests: groups, all outcomes, invalid bytes, numbers of all sizes."""
    golden = os.path.join(os.environ["TARE_SOURCE_ROOT"], "tests", "golden", "table.latex")
    shutil.copy(golden, "fixed.tex")
    check_fits(compile_twice("fixed.tex"), "the fixed table")
    text = page_text("fixed.pdf")
    for part in ("Quality", "Compression", "1.234 [1.210, 1.259]", "9.88 (1.25", "OOM", "CRASH", "TIMEOUT", "FAIL",
                 "INVALID", "SKIPPED", "killed at 2 GiB in load", "<script>alert(1)</script>", "U+6DE1", "U+FFFD"):
        contains(" ".join(text.split()), part, "the page")


def test_wide_and_hostile():
    """Thirty columns of two models, one with every sign that LaTeX knows in its name."""
    plan = write_plan("p.json", [null(HOSTILE), null("plain")],
                      [{"task": "tokens", "options": {"items": 4}}], name="Wide & 100% hostile \u6de1 [x] ]~^\\ \"{", repeats=2)
    tare("run", plan, "--db", "w.db", "--format", "csv")
    full = strict_json(tare("report", "w.db", "--view", "full", "-f", "json").out, "the full view")
    names = sorted({row["figure"] for row in full["rows"] if row["value"]["value"] is not None})
    true(len(names) >= 30, f"only {len(names)} figures to make columns of")
    with open(plan, encoding="utf-8") as file:
        text = file.read()
    with open("wide.json", "w", encoding="utf-8") as to:
        to.write(text.replace('"tare": 1', '"tare": 1, "columns": [' + ", ".join(f'"{n}"' for n in names[:30]) + "]"))
    tare("run", "wide.json", "--db", "x.db", "--format", "csv")
    table = strict_json(tare("report", "x.db", "-f", "json").out, "the table")
    true(len(table["columns"]) >= 27, f"only {len(table['columns'])} columns")
    tare("report", "x.db", "-f", "latex", "-o", "wide.tex")
    with open("wide.tex", encoding="ascii") as file:  # nothing else may be in it
        source = file.read()
    check_fits(compile_twice("wide.tex"), "the wide table")
    shown = " ".join(page_text("wide.pdf").split())
    contains(shown, "Wide & 100% hostile", "the caption")
    contains(shown, "plain", "the second model")
    contains(shown, "100% $x\u02c62$ #1 {y}", "the first model")
    for size in page_sizes("wide.pdf"):
        true(sorted(map(float, size))[1] < 843, f"a page of {size} points is not A4")
    # Every value of the table is in the source, with its digits as they are printed elsewhere.
    md = tare("report", "x.db", "-f", "term").out
    values = set(re.findall(r"(?<= )\*?(\d+\.\d+)(?= \[)", md))
    true(len(values) > 5, f"few values in {md}")
    for value in values:
        contains(source, "\\num{" + value + "}", "the source")


def test_input_into_a_document():
    """The file as it is, within another document, twice."""
    plan = write_plan("p.json", [null("m")], [{"task": "tokens", "options": {"items": 4}}], name="inner", repeats=2)
    tare("run", plan, "--db", "i.db", "--format", "csv")
    tare("report", "i.db", "-f", "latex", "-o", "inner.tex")
    with open("inner.tex", encoding="ascii") as file:
        packages = re.search(r"% ---- packages ----\n(.*)\n% -----", file.read()).group(1)
    with open("outer.tex", "w", encoding="ascii") as to:
        to.write("\\documentclass{article}\n" + packages + "\n\\begin{document}\nBefore.\n\\input{inner.tex}\n"
                 "\\input{inner.tex}\nBehind.\n\\end{document}\n")
    compile_twice("outer.tex")
    text = page_text("outer.pdf")
    for part in ("Before.", "Behind.", "Table 1", "Table 2"):
        contains(text, part, "the outer document")
    equal(text.count("Behind."), 1, "ends of the document")


main(globals())
