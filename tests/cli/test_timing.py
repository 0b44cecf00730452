# SPDX-License-Identifier: Apache-2.0
"""Stamps, memory and figures against the truths that the null backend sets.

What is derived is computed here a second time, from the stored samples, by other formulas or other
code than the program's.
"""
import math
import struct
from fractions import Fraction
from statistics import NormalDist

from clilib import (MIB, MS, SEC, Skip, close, equal, figures, is_sanitized, is_slow, main, query, scalar, tare,
                    true)

FIRST, TOKEN, US = 2 * MS, 500 * 1000, 1000
ITEMS, TOKENS = 20, 8


def undisturbed(db):
    """Did the workers have the CPU whenever they wanted it (waits below 2 % of their time)?"""
    waited, wall = query(db, "SELECT total(value), (SELECT sum(end_ns - begin_ns) FROM phase WHERE name = 'measure') "
                             "FROM reading WHERE phase = 'measure' AND name = 'run_queue_wait'")[0]
    return waited < 0.02 * wall / SEC


def most_within(args, series):
    """Runs tare until 80 % of the values of every series lie in low .. high; none may lie below.

    series(db) gives (what, values, low, high) of each. What lies above may be the doing of other
    processes, so five runs are allowed, and if each of them was disturbed the answer is not known.
    """
    quiet, slow = 0, is_slow()
    for attempt in range(5):
        db = f"{attempt}.db"
        tare("run", "--db", db, "--repeats", "2", *args)
        late = []
        for what, values, low, high in series(db):
            true(values and min(values) >= low, f"{what}: {min(values, default=None)} is below {low}")
            share = sum(v <= high for v in values) / len(values)
            if share < 0.8:
                late.append(f"{what}: only {share:.0%} within {low} .. {high}: {sorted(values)}")
        if slow or not late:
            return
        quiet += undisturbed(db)
    true(quiet == 0, f"{quiet} of 5 runs were not disturbed: {late}")
    raise Skip(f"other processes took the CPU in each of 5 runs; {late[0]:.60}")


def stamps(blob):
    return struct.unpack(f"={len(blob) // 8}q", blob)


def check_stamps(db):
    rows = query(db, "SELECT ttft_ns, latency_ns, output_tok, token_ns, requests FROM sample")
    equal(len(rows), 2 * ITEMS, "samples")
    for ttft, latency, output, blob, requests in rows:
        times = stamps(blob)
        equal((len(times), output, requests), (TOKENS, TOKENS, 1), "tokens, counted tokens, requests")
        equal(times[0], ttft, "the first stamp is the time to first token")
        equal(list(times), sorted(times), "stamps ascend")
        true(latency >= times[-1], f"the answer ended after {latency}, before its last token at {times[-1]}")
        for k, time in enumerate(times):
            true(time >= FIRST + k * TOKEN, f"token {k} came at {time}, before it was sent")
    last = FIRST + (TOKENS - 1) * TOKEN
    return [("time to first token", [row[0] for row in rows], FIRST, FIRST + 300 * US),
            ("latency", [row[1] for row in rows], last, last + 300 * US)]


def test_stamps_of_generated_tokens():
    most_within(["--model", f"null,first_ns={FIRST}ns,token_ns={TOKEN}ns", "--task",
                 f"tokens,items={ITEMS},max_output={TOKENS}"], check_stamps)


def test_samples_lie_apart_and_inside_their_phase():
    tare("run", "--db", "o.db", "--repeats", "3", "--model", "null,first_ns=1ms", "--task",
         f"tokens,items={ITEMS},max_output=1")
    phases = query("o.db", "SELECT attempt_id, name, begin_ns, end_ns FROM phase")
    spans = {(attempt, name): (begin, end) for attempt, name, begin, end in phases}
    for (attempt,) in query("o.db", "SELECT id FROM attempt"):
        order = [spans[attempt, name] for name in ("load", "warmup", "measure")]
        for (begin, end), (following, _) in zip(order, order[1:]):
            true(begin <= end <= following, f"phases overlap: {order}")
        begin, end = spans[attempt, "measure"]
        ends = 0
        for start, latency in query("o.db", "SELECT start_ns, latency_ns FROM sample WHERE attempt_id = ? "
                                            "ORDER BY item", attempt):
            true(start >= ends, f"a request began at {start}, before the one before it ended at {ends}")
            ends = start + latency
        true(ends <= end - begin, f"the last answer came at {ends}, the phase ended at {end - begin}")


def check_scores(db):
    equal(scalar(db, "SELECT count(ttft_ns) + count(token_ns) FROM sample"), 0,
          "a score has no first token, not one at 0")
    return [("latency of a score", [row[0] for row in query(db, "SELECT latency_ns FROM sample")], 3 * MS,
             3 * MS + 300 * US)]


def test_stamps_of_scores():
    most_within(["--model", "null,score_ns=3ms", "--task", f"flip,items={ITEMS}"], check_scores)


def test_items_of_several_requests():
    tare("run", "--db", "m.db", "--repeats", "1", "--model", "null,score_ns=1ms", "--task", "choice,items=20")
    rows = query("m.db", "SELECT s.item, s.requests, s.latency_ns, s.prompt_tok, count(*), sum(q.latency_ns), "
                         "sum(q.prompt_tok), min(q.latency_ns), s.start_ns - min(q.start_ns) FROM sample s "
                         "JOIN request q ON q.repeat_id = s.repeat_id AND q.item = s.item GROUP BY s.item")
    equal(len(rows), 20, "samples")
    for item, requests, latency, prompt, stored, total, fed, least, shift in rows:
        equal((requests, prompt, shift), (stored, fed, 0), f"item {item}: requests, tokens fed, start")
        true(requests > 1, f"item {item}: a choice has several requests")
        true(least >= MS, f"item {item}: a request took {least} ns, less than it was told to")
        true(latency >= total, f"item {item}: latency {latency} is below its requests' sum {total}")


def test_load_time():
    tare("run", "--db", "l.db", "--repeats", "5", "--model", "null,load_ns=50ms", "--task", "tokens,items=1")
    figure = figures("l.db")["load_time"]
    true(figure["low"] >= 0.05, f"load_time {figure}")
    true(is_slow() or figure["value"] < 0.055, f"load_time {figure}")
    begin, end = query("l.db", "SELECT begin_ns, end_ns FROM phase WHERE name = 'load'")[0]
    true(end - begin >= 50 * MS, "the phase is as long as the figure says")


def memory(db, options):
    tare("run", "--db", db, "--repeats", "3", "--model", f"null,ctx_tok=512{options}", "--task",
         "tokens,items=10,max_output=1")
    return {name: figure["value"] for name, figure in figures(db).items()}


def test_memory():
    if is_sanitized():
        raise Skip("a sanitizer's allocator keeps memory of its own")
    plain = memory("plain.db", "")
    loaded = memory("loaded.db", f",alloc_bytes={64 * MIB}")
    asked = memory("asked.db", f",request_alloc_bytes={32 * MIB}")
    if any(f["peak_rss"] is None for f in (plain, loaded, asked)):
        raise Skip(f"peak_rss: {figures('plain.db')['peak_rss']['absent']}")

    def rise(what, name, expected):
        difference = what[name] - plain[name] - expected
        true(abs(difference) <= MIB, f"{name}: {difference:+.0f} B away from {expected} B more than without")
    rise(loaded, "peak_rss_load", 64 * MIB)
    rise(loaded, "peak_rss", 64 * MIB)  # what was loaded is still there
    rise(loaded, "rss_anon", 64 * MIB)
    rise(asked, "peak_rss", 32 * MIB)
    rise(asked, "peak_rss_load", 0)
    rise(asked, "rss_anon", 0)


# Statistics, written from their definitions.

def quantile(values, q):
    """Type 7 of Hyndman and Fan: linear between the order statistics around 1 + (n - 1) q."""
    x = sorted(values)
    whole, part = divmod(q * (len(x) - 1), 1)
    low = x[int(whole)]
    return low + part * (x[min(int(whole) + 1, len(x) - 1)] - low)


def order_interval(values, q, level):
    """Ranks by exact arithmetic: (low, high, level reached), None if n does not carry the level."""
    x, n, share = sorted(values), len(values), Fraction(str(q))
    tail, a, b = (1 - Fraction(str(level))) / 2, share.numerator, share.denominator
    below = [Fraction(0)]  # below[k]: the probability of fewer than k values under the quantile
    for k in range(n):
        below.append(below[-1] + Fraction(math.comb(n, k) * a**k * (b - a)**(n - k), b**n))
    lower = max((rank for rank in range(1, n + 1) if below[rank] <= tail), default=None)
    upper = min((rank for rank in range(1, n + 1) if 1 - below[rank] <= tail), default=None)
    if lower is None or upper is None:
        return None
    return x[lower - 1], x[upper - 1], float(below[upper] - below[lower])


def median_interval(values):
    """Of a few repeats: order statistics, or the whole range with the level that it has."""
    n = len(values)
    return order_interval(values, 0.5, 0.95) or (min(values), max(values), 1 - 2 * 0.5**n)


def wilson(k, n, level):
    """Roots of (p - k/n)^2 = z^2 p (1 - p) / n."""
    z2 = NormalDist().inv_cdf(0.5 + level / 2)**2
    a, b, c = n + z2, -(2 * k + z2), k * k / n
    root = math.sqrt(b * b - 4 * a * c)
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


def compare(figure, value, interval, n):
    name = figure["name"]
    true(figure["value"] is not None, f"{name} is absent: {figure['absent']}")
    close(figure["value"], value, name)
    equal(figure["n"], n, f"{name}: n")
    if interval:
        for key, expected in zip(("low", "high", "level"), interval):
            close(figure[key], expected, f"{name}: {key}")
    else:
        equal((figure["low"], figure["high"]), (None, None), f"{name}: interval")


def repeats_of(db):
    """Samples of each repeat as lists of dicts, in item order."""
    names = ["start_ns", "latency_ns", "ttft_ns", "output_tok", "prompt_tok", "token_ns", "requests"]
    result = []
    for (repeat,) in query(db, "SELECT id FROM repeat ORDER BY block"):
        result.append([dict(zip(names, row)) for row in query(
            db, f"SELECT {', '.join(names)} FROM sample WHERE repeat_id = ? ORDER BY item", repeat)])
    return result


def columns(samples):
    """The series of one repeat whose percentiles are shown, in seconds."""
    gaps = [b - a for s in samples for a, b in zip(stamps(s["token_ns"]), stamps(s["token_ns"])[1:])]
    return {
        "latency": [s["latency_ns"] / SEC for s in samples],
        "ttft": [s["ttft_ns"] / SEC for s in samples],
        "tpot": [(s["latency_ns"] - s["ttft_ns"]) / (s["output_tok"] - 1) / SEC for s in samples],
        "itl": [gap / SEC for gap in gaps],
    }


def rates(samples):
    """Throughputs of one repeat, per second."""
    begin = min(s["start_ns"] for s in samples)
    window = (max(s["start_ns"] + s["latency_ns"] for s in samples) - begin) / SEC
    output = sum(s["output_tok"] for s in samples)
    prompt = sum(s["prompt_tok"] for s in samples)
    decode = sum(s["latency_ns"] - s["ttft_ns"] for s in samples) / SEC
    return {"request_throughput": sum(s["requests"] for s in samples) / window,
            "token_throughput": (prompt + output) / window,
            "output_throughput": output / window,
            "decode_throughput": sum(s["output_tok"] - 1 for s in samples) / decode}


def check_figures(db, items, repeats):
    found, samples = figures(db), repeats_of(db)
    equal([len(s) for s in samples], [items] * repeats, "samples of the repeats")
    series = [columns(s) for s in samples]
    for name in series[0]:
        for label, q, least in (("p50", 0.5, 6), ("p90", 0.9, 36), ("p99", 0.99, 368)):
            figure = found[f"{name}_{label}"]
            values = [quantile(s[name], q) for s in series]
            if len(series[0][name]) < least:
                equal((figure["value"], bool(figure["absent"])), (None, True), f"{name}_{label} of few values")
            elif repeats == 1:
                only = series[0][name]
                compare(figure, values[0], order_interval(only, q, 0.95), len(only))
            else:
                compare(figure, quantile(values, 0.5), median_interval(values), repeats)
    for name in rates(samples[0]):
        values = [rates(s)[name] for s in samples]
        compare(found[name], quantile(values, 0.5), median_interval(values) if repeats > 1 else None, repeats)


def test_figures_of_several_repeats():
    for repeats in (2, 5, 6, 9):
        tare("run", "--db", f"{repeats}.db", "--repeats", str(repeats), "--model",
             "null,first_ns=200us,token_ns=20us", "--task", "tokens,items=40,max_output=12")
        check_figures(f"{repeats}.db", 40, repeats)


def test_figures_of_one_repeat():
    tare("run", "--db", "one.db", "--repeats", "1", "--model", "null,first_ns=100us,token_ns=10us", "--task",
         "tokens,items=400,max_output=4")
    check_figures("one.db", 400, 1)
    true("ONE_REPEAT" in figures("one.db")["ttft_p99"]["flags"], "an interval over requests is flagged")


def test_wilson_intervals():
    # All choices score alike per byte, so the first one is picked: right for some items, wrong for others.
    for items in (5, 40, 150):
        tare("run", "--db", f"{items}.db", "--repeats", "2", "--model", "null", "--task",
             f"choice,items={items}")
        right, graded = query(f"{items}.db", "SELECT sum(exact), count(exact) FROM sample JOIN repeat r ON "
                                             "r.id = repeat_id WHERE r.block = 0")[0]
        equal(graded, items, "graded items")
        found = [f for f in figures(f"{items}.db").values() if f["method"] == "Wilson score"]
        true(found, "a share of right answers has a Wilson interval")
        for figure in found:
            low, high = wilson(right, items, 0.95)
            compare(figure, right / items, (max(low, 0), min(high, 1), 0.95), items)
    equal(scalar("150.db", "SELECT count(DISTINCT exact) FROM sample"), 2, "kinds of answers among 150")


def test_bits_per_byte():
    # Every byte costs exactly one nat: log2(e) bits, whatever the windows.
    for window in (0, 100):
        tare("run", "--db", f"{window}.db", "--repeats", "1", "--model", "null,logprob=-1", "--task", "text",
             "--scenario", f"single,window_tok={window}")
        figure = figures(f"{window}.db")["bits_per_byte"]
        close(figure["value"], math.log2(math.e), "bits per byte")
        close(figure["low"], figure["high"], "interval of a constant")
    equal(query("0.db", "SELECT sum(num), sum(den) FROM sample"),
          query("100.db", "SELECT sum(num), sum(den) FROM sample"), "sums of two window sizes")


def test_speedup():
    tare("run", "--db", "v.db", "--repeats", "6", "--baseline", "slow", "--model",
         "null,name=slow,first_ns=4ms", "--model", "null,name=fast,first_ns=1ms", "--task",
         "tokens,items=20,max_output=1")
    window = ("SELECT r.block, max(start_ns + latency_ns) - min(start_ns) FROM sample JOIN repeat r ON r.id = "
              "repeat_id JOIN cell c ON c.id = r.cell_id WHERE c.model = ? GROUP BY r.block")
    slow, fast = dict(query("v.db", window, "slow")), dict(query("v.db", window, "fast"))
    ratios = [slow[block] / fast[block] for block in fast]
    compare(figures("v.db", "fast")["speedup"], quantile(ratios, 0.5), median_interval(ratios), 6)
    equal(figures("v.db", "slow")["speedup"]["value"], None, "speed-up of the baseline itself")


def test_deriving_again_changes_nothing():
    tare("run", "--db", "d.db", "--repeats", "3", "--model", "null,first_ns=100us", "--task", "tokens,items=40",
         "--task", "choice,items=20")
    before = query("d.db", "SELECT * FROM figure ORDER BY cell_id, name")
    tare("derive", "d.db")
    equal(query("d.db", "SELECT * FROM figure ORDER BY cell_id, name"), before, "figures")


main(globals())
