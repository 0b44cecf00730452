# SPDX-License-Identifier: Apache-2.0
"""Scores of a stored run: every one prints, in every way, and refuses what it does not know."""
from clilib import Skip, backends, contains, equal, figures, main, null, strict_json, tare, true, write_plan

TASKS = [{"task": "tokens", "options": {"items": 4, "prompt_tok": 5, "max_output": 4}}]


def names():
    listed = strict_json(tare("list", "scores", "--json").out, "list")["scores"]
    for score in listed:
        true(score["summary"] and score["needs"] and score["options"], f"{score['name']} says what it is")
    return [score["name"] for score in listed]


def make():
    write_plan("plan.json", [null("one"), null("two")], TASKS, repeats=2, baseline="one")
    tare("run", "plan.json", "--db", "s.db")


def test_every_score_prints():
    make()
    found = names()
    equal(len(found), 15, "scores")
    for name in found:
        table = strict_json(tare("report", "s.db", "--score", name, "--json").out, name)
        true(table["rows"], f"{name} has rows")
        contains(tare("report", "s.db", "--score", name, "--format", "md").out, table["title"], f"{name} in print")


def test_options_and_refusals():
    make()
    text = tare("report", "s.db", "--score", "pareto", "--set", "metrics=request_throughput,peak_rss").out
    contains(text, "request_throughput", "the metric that was named")
    contains(text, "one; two", "the set that the front depends on")
    for args, part in ((["--score", "parteo"], "did you mean pareto"),
                       (["--score", "pareto", "--set", "metric=peak_rss"], "metrics"),
                       (["--score", "pareto", "--set", "metrics=peak_rss"], "2 to 8"),
                       (["--score", "pareto", "--set", "metrics"], "key=value"),
                       (["--score", "scaling", "--set", "file=absent.csv"], "absent.csv")):
        contains(tare("report", "s.db", *args, rc=5 if "absent.csv" in part else 2).err, part, " ".join(args))


def test_laws_from_a_file():
    """Points of a known law, without noise: its constants come back."""
    with open("points.csv", "w", encoding="utf-8") as file:
        file.write("# made up\nn,d,loss\n")
        for n in (1e7, 3e7, 1e8, 3e8, 1e9):
            for d in (1e9, 5e9, 2e10, 1e11):
                file.write(f"{n},{d},{1.81686 + 482.006 * n ** -0.34781 + 2085.434 * d ** -0.36585}\n")
    make()
    out = tare("report", "s.db", "--score", "scaling", "--set", "file=points.csv", "--set", "starts=150",
               "--set", "resamples=0", "--json").out
    found = {row["parameter"]: row["value"]["value"] for row in strict_json(out, "scaling")["rows"]
             if row["law"] == "Chinchilla, approach 3"}
    for name, expected in (("E", 1.81686), ("A", 482.006), ("alpha", 0.34781), ("B", 2085.434), ("beta", 0.36585)):
        true(abs(found[name] / expected - 1) < 1e-2, f"{name} is {found[name]}, not {expected}")


def test_the_ladder_of_the_zoo():
    """Sizes, tokens of training and losses are in the database: a law of N, and why there is none of D."""
    if "native" not in backends():
        raise Skip("no native backend in this build")
    ladder = [{"backend": "native", "path": f"zoo:llama-{size}m"} for size in ("0.1", "0.25", "0.5", "1", "2")]
    write_plan("ladder.json", ladder, [{"task": "text", "window_tok": 64, "options": {"items": 3}}], repeats=1)
    tare("run", "ladder.json", "--db", "l.db")
    f = figures("l.db", "llama-1m")["train_tok"]
    equal((f["value"], f["kind"], f["unit"]), (262144000, "reported", "tok"), "tokens of training")
    table = strict_json(tare("report", "l.db", "--score", "scaling", "--set", "resamples=20", "--json").out, "ladder")
    values = {(row["law"], row["parameter"]): row["value"] for row in table["rows"]}
    alpha = values["E + A / N^alpha alone", "alpha"]
    true(0.05 < alpha["value"] < 2.5, f"exponent of N: {alpha}")
    equal(alpha["kind"], "modelled", "kind of a fit")
    contains(str(values["Kaplan L(D)", "all"]), "same D", "why there is no law of D")
    contains(" ".join(table["notes"]), "method, not physics", "what a ladder this small is worth")


main(globals())
