# SPDX-License-Identifier: Apache-2.0
"""The backend process: a worker that works, every way in which one can fail, and PyTorch against native."""
import json
import os
import subprocess
import sys

from clilib import (Skip, contains, equal, is_slow, main, marked_processes, query, scalar, strict_json, tare,
                    true, wait_until)

FAULTY = os.path.join(os.environ["TARE_SOURCE_ROOT"], "tests/backends/process/faulty_worker.py")
QUICK = ["--repeats", "1", "--quiet", "--db", "x.db"]


def run(model, *tasks, rc=0, env=None, more=()):
    args = ["run", *QUICK, "--model", "process," + model, *more]
    for task in tasks:
        args += ["--task", task]
    return tare(*args, rc=rc, env=env)


def outcome(model, task, rc=None):
    """(outcome, message) of one cell with a fault."""
    if os.path.exists("x.db"):
        os.remove("x.db")
    true(run(f"command={sys.executable} {FAULTY} {model}", task, rc=rc).rc != 0, f"{model} is a failure")
    return query("x.db", "SELECT outcome, coalesce(message, '') FROM attempt ORDER BY id DESC LIMIT 1")[0]


def test_toy_worker():
    done = run("command=toy_worker.py", "text,items=2", "generate,items=2,max_output=6", more=["--json"])
    strict_json(done.out, "--json")
    bits = scalar("x.db", "SELECT value FROM figure WHERE name = 'bits_per_byte'")
    true(abs(bits - 8.005624549193879) < 1e-9, f"log2(257) bits a byte, not {bits}")
    facts = json.loads(scalar("x.db", "SELECT DISTINCT model_facts FROM attempt WHERE model_facts IS NOT NULL"))
    equal((facts["runtime"], facts["effective"], facts["tokenizer"]), ("toy 1", "logits=no path=", "bytes"), "facts")
    for name, why in (("peak_rss", "another process"), ("cpu_user", "another process"), ("program_peak_rss", None)):
        for value, absent in query("x.db", "SELECT value, absent FROM figure WHERE name = ?", name):
            true(why in absent if why else value > 1 << 20, f"{name}: {value} {absent}")


def test_logits_and_scores_agree():
    run("name=a,command=toy_worker.py,set=logits=yes", "text,items=1", more=["--model",
        "process,name=b,command=toy_worker.py"])
    values = {v for v, in query("x.db", "SELECT round(value, 9) FROM figure WHERE name = 'bits_per_byte'")}
    equal(len(values), 1, f"one value, not {values}")


def test_stamps_are_the_worker_s():
    run("command=toy_worker.py", "generate,items=3,max_output=8")
    n = 0
    for latency, ttft, tokens in query("x.db", "SELECT latency_ns, ttft_ns, output_tok FROM sample"):
        true(0 < ttft < latency and tokens == 8, f"first token at {ttft} of {latency} ns")
        n += 1
    equal(n, 3, "samples")


def test_faults():
    text, generate = "text,items=1", "generate,items=1,max_output=4"
    cases = [
        ("crash@start", text, "killed by SIGSEGV; it last printed \"about to crash\""),
        ("exit@load", text, "at load: exit status 3; it last printed \"my last words\""),
        ("crash@describe", text, "at describe: killed by SIGSEGV"),
        ("exit@tokenize", text, "at tokenize: exit status 3"),
        ("crash@score", text, "at score: killed by SIGSEGV"),
        ("exit@generate", generate, "at generate: exit status 3"),
        ("close@score", text, "closed its pipe and lived on"),
        ("garbage@score", text, "broke the protocol: its line"),
        ("long@load", text, "too long"),
        ("other@load", text, "another request"),
        ("raise@load", text, "ValueError: a bug of the worker"),
        ("raise@score", text, "ValueError: a bug of the worker"),
        ("facts", text, "\"n_ctx\" is no whole number"),
        ("ends", text, "do not fit together"),
        ("nan", text, "no finite number"),
        ("few", text, "fewer or more positions"),
        ("rows", text, "do not fit together"),
        ("early", generate, "earlier than the request"),
        ("late", generate, "later than now"),
        ("many", generate, "more tokens than were asked for"),
        ("lost", generate, "tokens were lost"),
        ("version", text, "speaks version 2"),
    ]
    for fault, task, says in cases:
        status, message = outcome(fault, task)
        true(status == "error" and says in message, f"{fault}: {status}: {message}")
        true(scalar("x.db", "PRAGMA integrity_check") == "ok", "the database")


def test_hang_is_ended():
    os.environ["PROCESS_MARK"] = mark = f"tare-process-{os.getpid()}"
    for stage, option in (("start", "start_timeout"), ("load", "load_timeout"), ("score", "request_timeout")):
        status, message = outcome(f"hang@{stage},{option}=700ms", "text,items=1")
        true(status == "error" and "no answer within 0.7 s" in message, f"{stage}: {status}: {message}")
    # One that tare itself gives up takes its program along.
    done = tare("run", *QUICK, "--time-limit", "1s", "--model",
                f"process,command={sys.executable} {FAULTY} hang@load", "--task", "text,items=1", rc=None)
    true(done.rc != 0, "a time limit")
    wait_until(lambda: not marked_processes(mark), "no program is left")


def test_it_has_no_memory():
    equal(outcome("nomem@score", "text,items=1")[0], "oom", "out of memory")


def test_printing_harms_nothing():
    run(f"command={sys.executable} {FAULTY} print@score,log=printed.txt", "text,items=1")
    true(os.path.getsize("printed.txt") >= 200000, "what it printed is in the log")
    done = run(f"command={sys.executable} {FAULTY} print@score", "text,items=1", more=["--json"])
    strict_json(done.out, "standard output")


def test_what_is_missing_is_skipped():
    run(f"command={sys.executable} {FAULTY} silent", "text,items=1", rc=None)
    status, message = query("x.db", "SELECT outcome, message FROM attempt")[0]
    true(status == "skip" and "score" in message, f"{status}: {message}")


def test_mistakes_are_told():
    for model, says in (("path=x", "option command is missing"), ("command='a", "quote is not closed"),
                        ("command=no_such_worker.py", "no worker no_such_worker.py"),
                        ("command=/no/such/program", "cannot be started"),
                        ("command=toy_worker.py,set=logits", "is not key=value"),
                        ("command=toy_worker.py,set=no=1", "setting no is not known")):
        if os.path.exists("x.db"):
            os.remove("x.db")
        done = run(model, "text,items=1", rc=None)
        stored = query("x.db", "SELECT message FROM attempt") if os.path.exists("x.db") else []
        contains(done.err + str(stored), says, model)


def python_with_torch():
    for name in (sys.executable, "/usr/bin/python3"):
        if subprocess.run([name, "-c", "import torch"], capture_output=True, check=False).returncode == 0:
            return name
    raise Skip("no Python with PyTorch here")


def test_torch_equals_native():
    """Equal choices on items of four continuations each, and sums of log-probabilities within 2e-3 a token."""
    python = python_with_torch()
    items = int(os.environ.get("TARE_PROCESS_ITEMS", "10" if is_slow() else "40"))
    tare("run", *QUICK, "--task", f"choice,items={items}",
         "--model", f"process,name=torch,path=zoo:llama-1m,command=torch_worker.py,python={python}",
         "--model", "native,name=native,path=zoo:llama-1m")
    found = query("x.db", "SELECT s.item, r.request, r.loglik, r.scored_tok, s.exact, c.model FROM request r "
                          "JOIN sample s ON s.repeat_id = r.repeat_id AND s.item = r.item "
                          "JOIN repeat p ON p.id = r.repeat_id JOIN cell c ON c.id = p.cell_id")
    by = {(model, item, request): (loglik, n, exact) for item, request, loglik, n, exact, model in found}
    pairs = [(v, by["native", i, r]) for (model, i, r), v in by.items() if model == "torch"]
    equal(len(pairs), 4 * items, "requests of both")
    worst = max(abs(a[0] - b[0]) for a, b in pairs)
    print(f"# {items} items: largest difference of a continuation's log-likelihood {worst:.2e} nat")
    true(all(a[1] == b[1] and abs(a[0] - b[0]) < 2e-3 for a, b in pairs), f"log-likelihoods differ by {worst}")
    true(all(a[2] == b[2] for a, b in pairs), "choices differ")


if __name__ == "__main__":
    main(globals())
