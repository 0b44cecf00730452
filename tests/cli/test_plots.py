# SPDX-License-Identifier: Apache-2.0
"""`tare report --plot`: every format of a real run is a file of its kind, with the figures of the database in it; reasons
and errors leave nothing behind."""
import os
import shutil
import struct
import subprocess
import xml.etree.ElementTree

from clilib import Skip, contains, equal, main, null, query, strict_json, tare, true, write_plan

DEPTH = "depth{memory=peak_rss}"  # the null backend has no state
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = ["<b>`touch pwned`</b>]]>", "'; system \"touch pwned\" #",
           "$x_{2}^$ %s%n \\input{x} na\u00efve \u6a21\u578b"]


def need_gnuplot():
    if not shutil.which("gnuplot"):
        raise Skip("no gnuplot")


MADE = []


def run():
    """Once for all tests: models with names that mean harm, and as many lengths of prompts as a line needs."""
    if MADE:
        return
    models = [null(name, first_ns=f"{20 * (i + 1)}us", token_ns=f"{5 * (i + 1)}us") for i, name in enumerate(HOSTILE)]
    tasks = [{"task": "tokens", "name": f"deep-{n}", "options": {"items": 8, "prompt_tok": n, "max_output": 4}}
             for n in (4, 64)]
    tare("run", write_plan("plan.json", models, tasks, repeats=6), "--db", "x.db")
    MADE.append(os.path.abspath("x.db"))


def plot(what, *args, **keywords):
    return tare("report", "--db", MADE[0], "--plot", what, *args, **keywords)


def texts(path):
    root = xml.etree.ElementTree.parse(path).getroot()
    return root, ["".join(e.itertext()).strip() for e in root.iter(SVG + "text")]


def test_list():
    listed = strict_json(tare("list", "plots", "--json").out, "list plots")["plots"]
    names = {p["name"] for p in listed}
    true({"pareto", "latency-cdf", "percentiles", "load", "depth", "energy", "roofline", "scaling",
          "learning-curves"} <= names, names)
    pareto = next(p for p in listed if p["name"] == "pareto")
    equal([o["name"] for o in pareto["options"]], ["x", "y"], "options")
    contains(tare("list", "plots").out, "percentiles", "the list for people")


def test_formats():
    need_gnuplot()
    run()
    plot("percentiles", "--format", "svg", "--output", "p.svg")
    root, words = texts("p.svg")
    for name in HOSTILE:
        contains(words, name, "legend")
    true(all(e.tag != SVG + "script" for e in root.iter()), "a script in the picture")
    title, desc = root.find(SVG + "title"), root.find(SVG + "desc")
    equal(root.get("aria-labelledby"), f"{title.get('id')} {desc.get('id')}", "accessible name")
    contains(desc.text, "96.9 % intervals", "the level")
    plot("percentiles", "--format", "png", "--output", "p.png")
    with open("p.png", "rb") as file:
        head = file.read(24)
    equal(head[:8], b"\x89PNG\r\n\x1a\n", "PNG")
    width, height = struct.unpack(">II", head[16:])
    equal((width, height), (2 * int(root.get("width")), 2 * int(root.get("height"))), "size")
    plot("percentiles", "--format", "pdf", "--output", "p.pdf")
    with open("p.pdf", "rb") as file:
        data = file.read()
    true(data.startswith(b"%PDF-") and data.rstrip().endswith(b"%%EOF"), "PDF")
    true(not os.path.exists("pwned"), "a label was run")
    equal(sorted(n for n in os.listdir() if n.endswith(".tmp")), [], "temporary files")


def test_script_has_the_figures():
    run()
    script = plot(DEPTH, "--format", "script").out
    rows = {tuple(float(word) for word in line.split()[1:2] + line.split()[4:6])
            for line in script.splitlines() if line.startswith(" 64 ")}
    figures = query(MADE[0], "SELECT f.value, f.low, f.high FROM figure f JOIN cell c ON c.id = f.cell_id "
                            "WHERE f.name IN ('tpot_p50', 'peak_rss') AND c.task = 'deep-64'")
    equal(len(figures), 2 * len(HOSTILE), "figures")
    equal(rows, set(figures), "data of the script")
    need_gnuplot()
    drawn = subprocess.run(["gnuplot", "-d"], input=script, capture_output=True, text=True, check=True).stdout
    true(drawn.startswith("<?xml"), "gnuplot reads the script")


def test_tikz_compiles():
    need_gnuplot()
    if not shutil.which("pdflatex"):
        raise Skip("no pdflatex")
    if subprocess.run(["kpsewhich", "gnuplot-lua-tikz.sty"], capture_output=True, check=False).returncode:
        raise Skip("TeX does not find gnuplot-lua-tikz.sty")
    run()
    plot("pareto{x=decode_throughput,y=peak_rss}", "--format", "tikz", "--output", "p.tex")
    plot(DEPTH, "--format", "tikz", "--output", "q.tex")
    with open("w.tex", "w", encoding="utf-8") as to:
        to.write("\\documentclass{article}\\usepackage[T1]{fontenc}\\usepackage{gnuplot-lua-tikz}\\begin{document}\n"
                 "\\begin{figure}\\input{p}\\caption{\\tareplotcaption}\\end{figure}\n"
                 "\\begin{figure}\\input{q}\\caption{\\tareplotcaption}\\end{figure}\n\\end{document}\n")
    done = subprocess.run(["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "w.tex"], capture_output=True,
                          text=True, check=False, errors="replace")
    true(done.returncode == 0 and os.path.getsize("w.pdf") > 5000, done.stdout[-1500:])


def test_reasons():
    run()
    with open("old.svg", "w", encoding="utf-8") as to:
        to.write("old")
    for what, rc, part in (("load", 3, "no cell was measured under an offered load"),
                           ("learning-curves", 3, "training_curve"),
                           ("latency-cdf{of=nothing}", 2, "of"),
                           ("pareto{nothing=1}", 2, "nothing"),
                           ("nothing", 2, "there are depth")):
        failed = plot(what, "--output", "old.svg", rc=rc)
        contains(failed.err, part, what)
        equal(failed.err.count("\n"), 1, "lines of the error")
    contains(plot("depth", "--format", "csv", rc=2).err, "svg, pdf, png, tikz or script", "format")
    contains(plot("depth", "--json", rc=2).err, "no JSON", "json")
    with open("old.svg", encoding="utf-8") as file:
        equal(file.read(), "old", "the old file")


def test_without_gnuplot():
    run()
    failed = plot(DEPTH, "--output", "p.svg", env={"PATH": "/nonexistent"}, rc=5)
    contains(failed.err, "gnuplot-nox", "the package")
    true(not os.path.exists("p.svg"), "a file without a picture")
    contains(plot(DEPTH, "--format", "script", env={"PATH": "/nonexistent"}).out, "set terminal", "script")


if __name__ == "__main__":
    main(globals())
