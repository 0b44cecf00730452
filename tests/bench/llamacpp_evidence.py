#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""By hand: is what tare reports for llamacpp what llama.cpp's own bench reports, and what does tare add?

    TARE_EXE=build/tare llamacpp_evidence.py --llama-bench PATH [--rounds 7] [--threads 1] [--only 10M]

Both programs run the same libllama (link llama-bench with that of scripts/get-llama: docs/backends/llamacpp.md
says how) on generated models of 10M and 150M parameters: 128 tokens of prompt, 32 generated, 5 repeats a
round, the programs in turns, the first one changing every round. Lines are: name value unit aim ok|MISS.

A shared machine disturbs single runs by far more than 3 %. The ratio is taken of the medians over all
rounds and of the fastest; the interval is that of the median over rounds' ratios (bootstrap, 95 %).
"""
import argparse
import json
import os
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
EXE = os.environ.get("TARE_EXE", "")
PROMPT, OUTPUT, REPEATS = 128, 32, 5
MODELS = {  # name: arguments of random_gguf.py; parameters are printed by the runs
    "10M": ["--dim", "256", "--ffn", "768", "--layers", "10", "--heads", "8", "--kv-heads", "4"],
    "150M": ["--dim", "768", "--ffn", "2048", "--layers", "23", "--heads", "12", "--kv-heads", "4"],
}


def line(name, value, unit, aim, ok):
    print(f"{name} {value:.6g} {unit} {aim} {'ok' if ok else 'MISS'}", flush=True)


def bench(program, model, threads):
    """{"prefill": [ns, ...], "decode": [ns, ...]}, each of one repeat."""
    done = subprocess.run([program, "-m", model, "-p", str(PROMPT), "-n", str(OUTPUT), "-r", str(REPEATS), "-t", str(threads),
                           "-o", "json"], capture_output=True, text=True, check=True, cwd=os.environ["LLAMA_LIB"])
    tests = json.loads(done.stdout)
    return {"prefill" if test["n_prompt"] else "decode": test["samples_ns"] for test in tests}


def rows(db, task, sql):
    connection = sqlite3.connect(db)
    try:
        return connection.execute(f"SELECT {sql} FROM sample s JOIN repeat r ON r.id = s.repeat_id JOIN cell c ON "
                                  "c.id = r.cell_id WHERE c.task = ? AND s.error IS NULL", (task,)).fetchall()
    finally:
        connection.close()


def weigh(model, threads, folder):
    """The same of tare. A request of one token gives, behind its first token, as many passes as bench makes."""
    db = os.path.join(folder, "e.db")
    if os.path.exists(db):
        os.unlink(db)
    # bench's context is as long as its tokens; libllama rounds both up to 256.
    subprocess.run([EXE, "run", "--db", db, "--model", f"llamacpp,path={model},threads={threads},n_ctx=256", "--task",
                    f"tokens,name=prefill,items={REPEATS},prompt_tok={PROMPT},max_output=1", "--task",
                    f"tokens,name=decode,items={REPEATS},prompt_tok=1,max_output={OUTPUT + 1}", "--repeats", "1"],
                   capture_output=True, check=True)
    return {"prefill": [ns for (ns,) in rows(db, "prefill", "s.ttft_ns")],
            "decode": [ns for (ns,) in rows(db, "decode", "s.latency_ns - s.ttft_ns")]}


def interval(ratios):
    rng = random.Random(1)
    medians = sorted(statistics.median(rng.choices(ratios, k=len(ratios))) for _ in range(2000))
    return medians[49], medians[1949]


def compare(name, model, args, folder):
    ours, theirs = [], []
    for number in range(args.rounds + 1):
        turns = [lambda: theirs.append(bench(args.llama_bench, model, args.threads)),
                 lambda: ours.append(weigh(model, args.threads, folder))]
        for turn in turns if number % 2 else reversed(turns):
            turn()
    del ours[0], theirs[0]  # the first round warms the page cache
    for what, tokens in (("prefill", PROMPT), ("decode", OUTPUT)):
        a = [ns for one in ours for ns in one[what]]
        b = [ns for one in theirs for ns in one[what]]
        if len(a) != REPEATS * args.rounds or len(b) != REPEATS * args.rounds:
            sys.exit(f"{name} {what}: {len(a)} and {len(b)} repeats instead of {REPEATS * args.rounds}")
        low, high = interval([statistics.median(x[what]) / statistics.median(y[what]) for x, y in zip(ours, theirs)])
        fastest = min(a) / min(b)
        ratio = statistics.median(a) / statistics.median(b)
        print(f"# {name} {what}: tare {tokens * 1e9 / statistics.median(a):.1f} (fastest {tokens * 1e9 / min(a):.1f}) tok/s, "
              f"llama-bench {tokens * 1e9 / statistics.median(b):.1f} ({tokens * 1e9 / min(b):.1f}); "
              f"ratio of times by round {low:.4f} to {high:.4f}")
        line(f"{name}_{what}_median", ratio, "x", "0.97..1.03", 0.97 <= ratio <= 1.03)
        line(f"{name}_{what}_fastest", fastest, "x", "0.97..1.03", 0.97 <= fastest <= 1.03)


def overhead(model, folder, threads):
    """Wall time of scoring text over the time inside libllama."""
    text, db = os.path.join(folder, "text.txt"), os.path.join(folder, "o.db")
    with open(text, "w", encoding="ascii") as to:
        to.write("the old man sat by the fire and told a story of the sea. " * 120)
    subprocess.run([EXE, "run", "--db", db, "--model", f"llamacpp,path={model},n_ctx=512,threads={threads}", "--task",
                    f"text,path={text}", "--repeats", "5"], capture_output=True, check=True)
    connection = sqlite3.connect(db)
    found = dict(connection.execute("SELECT name, value FROM figure WHERE name IN ('measure_time', 'llama_decode_time')"))
    connection.close()
    return found["measure_time"] / found["llama_decode_time"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--llama-bench", required=True)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", choices=sorted(MODELS))
    args = parser.parse_args()
    if not os.access(EXE, os.X_OK) or "LLAMA_LIB" not in os.environ:
        sys.exit("set TARE_EXE to the path of tare and LLAMA_LIB to the folder of libllama")
    with tempfile.TemporaryDirectory() as folder:
        for name, shape in MODELS.items():
            if args.only in (None, name):
                model = os.path.join(folder, f"{name}.gguf")
                subprocess.run([sys.executable, os.path.join(HERE, "random_gguf.py"), model, *shape], check=True)
                compare(name, model, args, folder)
                ratio = overhead(model, folder, args.threads)
                line(f"{name}_text_wall_over_libllama", ratio, "x", "<=1.05", ratio <= 1.05)


if __name__ == "__main__":
    main()
