# SPDX-License-Identifier: Apache-2.0
"""What a backend reports of its own doing: stored as readings, turned into figures, trusted in nothing."""
from statistics import median

from clilib import close, contains, equal, figures, main, null, query, scalar, tare, true, write_plan

ITEMS = 7
TOKENS = [{"task": "tokens", "options": {"items": ITEMS, "prompt_tok": 5, "max_output": 4}}]


def run(db, models, rc=0, repeats=6, **keys):
    write_plan("plan.json", models, TOKENS, repeats=repeats, **keys)
    return tare("run", "plan.json", "--db", db, rc=rc)


def test_counts_are_figures():
    """The warm-up's two requests are not among them: the first call sets the counter back."""
    run("r.db", [null("n", stored_bytes=4096)])
    equal(query("r.db", "SELECT DISTINCT phase, meter, name, value, unit, kind, scope, source FROM reading "
                        "WHERE meter = 'backend' ORDER BY phase"),
          [("load", "backend", "weights_stored_bytes", 4096.0, "B", "declared", "model", "option stored_bytes"),
           ("measure", "backend", "requests", float(ITEMS), "1", "counted", "process", "submit calls")],
          "stored readings")
    f = figures("r.db")
    requests = f["requests"]
    equal([requests[k] for k in ("value", "kind", "n", "n_what", "low", "high", "level", "flags")],
          [ITEMS, "counted", 6, "repeats", ITEMS, ITEMS, 1, ""], "a counted figure")
    declared = f["weights_stored_bytes"]
    equal([declared[k] for k in ("value", "kind", "low", "flags")], [4096, "declared", None, ""],
          "a declared figure has no interval")


def test_absent_is_not_zero():
    run("a.db", [null("n")], repeats=2)
    f = figures("a.db")["weights_stored_bytes"]
    equal((f["value"], f["absent"]), (None, "null: told no size"), "figure of an absent reading")


def test_counts_that_disagree():
    run("d.db", [null("n", varying=True)])
    values = [v for v, in query("d.db", "SELECT value FROM reading WHERE name = 'requests'")]
    equal(len(set(values)), 6, "different counts")
    f = figures("d.db")["requests"]
    equal((f["value"], f["flags"]), (median(values), "DISAGREE"), "median, and a flag")


def test_the_harness_keeps_its_names():
    """A backend cannot pass its own word off as a figure or as a meter's reading."""
    run("f.db", [null("n", reading_fault="foreign")], repeats=2)
    equal(scalar("f.db", "SELECT count(*) FROM reading WHERE meter = 'backend' AND name = 'request_throughput'"),
          2, "the reading is kept")
    f = figures("f.db")["request_throughput"]
    equal(f["kind"], "measured", "the figure is the harness's")
    true(f["value"] != 1, "the figure's value")


def test_what_breaks_the_contract():
    words = {"name": "a name that is not 1 to 60", "unit": "no unit", "nan": "a value that is no number",
             "why": "no reason why it is absent", "many": "more than 256 readings"}
    for fault, text in words.items():
        db = f"{fault}.db"
        run(db, [null("n", reading_fault=fault)], rc=3, repeats=1)
        outcome, message = query(db, "SELECT outcome, message FROM repeat")[0]
        equal(outcome, "error", fault)
        contains(message, text, fault)
        contains(message, "backend null: its reading", fault)


def test_ratios_to_the_baseline():
    run("b.db", [null("big", stored_bytes=6000, first_ns="2ms", token_ns="200us"),
                 null("small", stored_bytes=1500, first_ns="1ms", token_ns="400us"),
                 null("silent")], baseline="big")
    f = figures("b.db", "small")
    ratio = f["compression_ratio"]
    equal((ratio["value"], ratio["kind"], ratio["unit"]), (4, "declared", "x"), "compression ratio")
    for model, why in (("big", "this is the baseline"),
                       ("silent", "the backend does not know the stored bytes of both")):
        equal(figures("b.db", model)["compression_ratio"]["absent"], why, model)
    times = {(m, b): t for m, b, *t in query(
        "b.db", "SELECT c.model, r.block, sum(s.ttft_ns), sum(s.latency_ns - s.ttft_ns) FROM sample s "
                "JOIN repeat r ON r.id = s.repeat_id JOIN cell c ON c.id = r.cell_id GROUP BY r.id")}
    for i, name in enumerate(("prefill_speedup", "decode_speedup")):
        ratios = [times["big", b][i] / times["small", b][i] for b in range(6)]
        close(f[name]["value"], median(ratios), name)
    rate = figures("b.db", "small")["prefill_throughput"]["value"]
    close(rate, median(ITEMS * 5e9 / times["small", b][0] for b in range(6)), "prefill_throughput")


def test_what_has_no_prefill():
    tare("run", "--model", "null", "--task", "copy,items=4", "--repeats", "1", "--db", "s.db")
    equal(figures("s.db")["prefill_throughput"]["absent"], "the task generates no tokens", "scores")


def test_deriving_again_changes_nothing():
    run("again.db", [null("n", stored_bytes=9)], repeats=2)
    before = figures("again.db")
    tare("derive", "--db", "again.db")
    equal(figures("again.db"), before, "figures derived again")


main(globals())
