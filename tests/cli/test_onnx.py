# SPDX-License-Identifier: Apache-2.0
"""The backend onnx as people run it: against the native engine on the same weights, and with what is wrong.

Needs ONNX Runtime (TARE_ONNXRUNTIME, or scripts/get-onnxruntime); without it all that runs it is skipped.
"""
import json
import os
import shutil
import subprocess
import sys

from clilib import Skip, backends, close, contains, equal, figures, is_sanitized, main, query, scalar, tare, true

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPT = os.path.join(HERE, "..", "..", "scripts", "zoo-to-onnx")
ZOO = os.path.abspath(os.environ.get("TARE_ZOO", os.path.join(HERE, "..", "..", "backends", "native", "zoo")))
PER_TOKEN = 2e-3  # nats; what two engines may differ by on the same weights


def convert(*args):
    return subprocess.run([sys.executable, "-B", SCRIPT, *args], capture_output=True, text=True, timeout=120,
                          check=False)


def need_library():
    library = os.environ.get("TARE_ONNXRUNTIME", "")
    if is_sanitized():  # the library keeps 14 bytes of its own; tests/backends/onnx looks for our leaks
        with open("lsan", "w", encoding="ascii") as file:
            file.write("leak:libonnxruntime\n")
        os.environ["LSAN_OPTIONS"] = f"suppressions={os.path.abspath('lsan')}:print_suppressions=0"
    if not os.access(library, os.R_OK):
        raise Skip(f"no ONNX Runtime at {library or 'TARE_ONNXRUNTIME'}; scripts/get-onnxruntime gets one")
    return library


def made(name, out, *more):
    """A model of the zoo as ONNX, with its tokenizer beside it."""
    done = convert(os.path.join(ZOO, f"{name}.safetensors"), out, *more)
    equal((done.returncode, done.stderr), (0, ""), f"zoo-to-onnx {name}")
    shutil.copy(os.path.join(ZOO, "tokenizer.json"), os.path.dirname(os.path.abspath(out)))
    return out


def run(db, *args, rc=0, env=None):
    return tare("run", "--db", db, "--repeats", "1", "--metering", "none", *args, rc=rc, env=env)


def logliks(db, model, task):
    return query(db, "SELECT r.item, r.request, r.scored_tok, r.loglik FROM request r JOIN repeat p ON "
                     "p.id = r.repeat_id JOIN cell c ON c.id = p.cell_id WHERE c.model = ? AND c.task = ? "
                     "ORDER BY 1, 2", model, task)


def samples(db, model, task, what):
    return query(db, f"SELECT s.item, {what} FROM sample s JOIN repeat p ON p.id = s.repeat_id JOIN cell c ON "
                     "c.id = p.cell_id WHERE c.model = ? AND c.task = ? ORDER BY 1", model, task)


def compare_scores(db, model, task):
    ours, theirs = logliks(db, "native", task), logliks(db, model, task)
    true(len(ours) > 0, f"{task}: nothing to compare")
    equal([row[:3] for row in theirs], [row[:3] for row in ours], f"{task}: the same requests")
    worst = max(abs(a[3] - b[3]) / a[2] for a, b in zip(ours, theirs))
    true(worst < PER_TOKEN, f"{task} of {model}: {worst} nats a token apart")


def test_agrees_with_native():
    need_library()
    if "native" not in backends():
        raise Skip("this build has no native backend to compare with")
    items = 60 if is_sanitized() else 500  # the native engine is slow under a sanitizer
    cached = made("llama-0.25m", "cached.onnx")
    plain = made("llama-0.25m", "plain.onnx", "--no-cache", "--type", "f32")
    run("x.db", "--model", "native,path=zoo:llama-0.25m,name=native", "--model", f"onnx,path={cached},name=cached",
        "--model", f"onnx,path={plain},name=plain", "--task", f"choice,items={items}",
        "--task", "choice,name=few,items=40", "--task", "text,items=1", "--task", "generate,items=3,max_output=24",
        "--exclude", "model=plain,task=choice", "--exclude", "model=cached,task=few")
    for model, choice in (("cached", "choice"), ("plain", "few")):
        compare_scores("x.db", model, choice)
        compare_scores("x.db", model, "text")
        equal(samples("x.db", model, choice, "exact"), samples("x.db", "native", choice, "exact"), "choices")
        equal(samples("x.db", model, "generate", "output"), samples("x.db", "native", "generate", "output"),
              "greedy texts")
    equal(len(samples("x.db", "cached", "choice", "exact")), items, "items")
    check_cache_figures("x.db")


def check_cache_figures(db):
    """Continuations of one context start from its keys and values, and only where there are any."""
    reused = dict(query(db, "SELECT c.model, f.value FROM figure f JOIN cell c ON c.id = f.cell_id WHERE "
                            "c.task IN ('choice', 'few') AND f.name = 'prefix_reused_tok'"))
    true(reused["cached"] > 1000 and reused["plain"] == 0, f"reuse of prefixes: {reused}")


def test_facts():
    library = need_library()
    path = made("llama-0.1m", "m.onnx", "--external")
    run("x.db", "--model", f"onnx,path={path},library={library}", "--task", "choice,items=3",
        env={"TARE_ONNXRUNTIME": ""})
    f = figures("x.db")
    close(f["stored_bytes"]["value"], os.path.getsize("m.onnx") + os.path.getsize("m.onnx.data"), "stored bytes")
    equal((f["params_total"]["value"], f["params_total"]["absent"]), (None, "the backend does not know"), "parameters")
    true(f["kv_bytes_per_token"]["value"] > 0, "bytes of keys and values")
    equal(f["ort_arena_peak_bytes"]["kind"], "reported", "memory that the library tells")
    facts = scalar("x.db", "SELECT model_facts FROM attempt")
    contains(facts, '"backend_version":"1.', "version of the library")


def test_no_library():
    env = {"TARE_ONNXRUNTIME": "/nowhere/libonnxruntime.so.1"}
    entry = next(b for b in json.loads(tare("list", "backends", "--json", env=env).out)["backends"]
                 if b["name"] == "onnx")
    equal(entry["available"], False, "not available")
    contains(entry["why"], "TARE_ONNXRUNTIME", "the reason says what to do")
    for more in ("", ",threads=1"):  # refused by the probe, and by load where an option is set
        result = run(f"x{len(more)}.db", "--model", f"onnx,path=m.onnx{more}", "--task", "tokens,items=2", rc=None, env=env)
        equal(scalar(f"x{len(more)}.db", "SELECT outcome FROM repeat"), "skip", result)
        contains(scalar(f"x{len(more)}.db", "SELECT message FROM repeat"), "no ONNX Runtime", "message")


def test_no_tokenizer():
    need_library()
    os.mkdir("bare")
    shutil.move(made("llama-0.1m", "m.onnx"), "bare/m.onnx")
    os.unlink("tokenizer.json")
    run("x.db", "--model", "onnx,path=bare/m.onnx", "--task", "tokens,items=2,max_output=3", "--task", "text,items=1",
        rc=None)
    equal(query("x.db", "SELECT c.task, p.outcome FROM repeat p JOIN cell c ON c.id = p.cell_id ORDER BY 1"),
          [("text", "skip"), ("tokens", "ok")], "ids go, text does not")
    contains(scalar("x.db", "SELECT message FROM repeat WHERE outcome = 'skip'"), "no tokenizer", "the reason")


def test_another_tokenizer():
    need_library()
    path = made("llama-0.1m", "m.onnx")
    with open("tokenizer.json", encoding="utf-8") as file:
        text = file.read()
    other = text.replace('"sha": "', '"sha": "0', 1) if '"sha": "' in text else text.replace('"sha":"', '"sha":"0', 1)
    true(other != text, "the identity was found")
    with open("tokenizer.json", "w", encoding="utf-8") as file:
        file.write(other)
    run("x.db", "--model", f"onnx,path={path}", "--task", "choice,items=2", rc=3)
    contains(scalar("x.db", "SELECT message FROM repeat"), "made for tokenizer", "another tokenizer")


def test_faults_leave_the_rest_sound():
    """Models that cannot be loaded are outcomes; JSON on standard output stays JSON, and nothing is printed."""
    need_library()
    good = made("llama-0.1m", "good.onnx")
    with open(good, "rb") as file:
        data = file.read()
    for name, content in (("cut", data[:3000]), ("text", b"no model\n" * 100), ("empty", b"")):
        with open(f"{name}.onnx", "wb") as to:
            to.write(content)
    models = [f"--model=onnx,path={name}.onnx,name={name}" for name in ("cut", "text", "empty", "good")]
    result = run("x.db", *models, "--task", "tokens,items=2", "--json", rc=3)
    json.loads(result.out)
    equal(dict(query("x.db", "SELECT c.model, p.outcome FROM repeat p JOIN cell c ON c.id = p.cell_id")),
          {"cut": "error", "text": "error", "empty": "error", "good": "ok"}, "outcomes")
    for line in result.err.splitlines():
        true(line.startswith("tare:"), f"not ours on standard error: {line!r}")


def test_longer_than_the_context():
    need_library()
    path = made("llama-0.1m", "m.onnx")
    run("x.db", "--model", f"onnx,path={path},ctx_tok=16", "--task", "tokens,items=2,prompt_tok=40", rc=3)
    contains(scalar("x.db", "SELECT message FROM repeat"), "longer than the model's context", "message")


def test_script_refuses():
    for name, words in (("rwkv4-1m", "only llama"), ("llama-1m-svd", "compressed storage")):
        done = convert(os.path.join(ZOO, f"{name}.safetensors"), "out.onnx")
        equal(done.returncode, 2, name)
        contains(done.stderr, words, name)
    with open("same.safetensors", "wb") as to:
        to.write(b"\x10\0\0\0\0\0\0\0{}")
    for args, words in ((("same.safetensors", "same.safetensors"), "one file"),
                        (("same.safetensors", "out.onnx"), "does not end within it"),
                        (("nowhere.safetensors", "out.onnx"), "No such file"),
                        ((os.path.join(ZOO, "llama-0.1m.safetensors"), "no/folder/out.onnx"), "No such file")):
        done = convert(*args)
        equal((done.returncode, done.stdout), (2, ""), args)
        contains(done.stderr, words, args)
    equal(sorted(os.listdir(".")), ["same.safetensors"], "nothing half written")


if __name__ == "__main__":
    main(globals())
