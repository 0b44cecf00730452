# SPDX-License-Identifier: Apache-2.0
"""Teacher and student in lockstep: equal to sums over two dumps, in bounded memory; a side that dies costs its item
and nothing else; what cannot be compared is refused."""
import os
import resource
import signal
import subprocess

from clilib import (MIB, Skip, backends, close, contains, equal, figures, is_sanitized, main, marked_processes, query,
                    scalar, start, strict_json, tare, true, wait_until)

REFERENCE = os.environ["TARE_FIDELITY_REFERENCE"]
NATIVE = os.path.join(os.environ["TARE_BACKENDS_BUILT"], "native.so")
FAULTY = os.path.join(os.environ["TARE_FAULTY"], "faulty.so")
CONCURRENT = os.path.join(os.environ["TARE_FAULTY"], "faulty_concurrent.so")
ZOO = os.environ["TARE_ZOO"]
INT4 = "infer.compress.quant.weight{method=rtn,bits=4,group=32,search=1}"
MODEL = "native,path=zoo:llama-1m"
LETTERS = b"It was a day of rain, and the river had come up to the stones. "


def need_native():
    if "native" not in backends():
        raise Skip("without the native backend")


def fidelity(*words, rc=0):
    told = strict_json(tare("fidelity", *words, "--json", rc=rc).out, "fidelity")
    for f in told["figures"]:
        true((f["value"] is None) == (f["absent"] is not None), f)
        true(f["low"] is None or f["low"] <= f["value"] <= f["high"], f)
        true(f["low"] is not None or f["method"] or f["absent"], f"no interval and no reason: {f}")
    return told, {f["name"]: f for f in told["figures"]}


def documents(path, n, size=None):
    """A file of the first n shipped documents, apart by NUL."""
    folder = os.path.join(os.environ["TARE_DATA"], "text/prose")
    texts = []
    for name in sorted(os.listdir(folder))[:n]:
        with open(os.path.join(folder, name), "rb") as text:
            texts.append(text.read()[:size])
    with open(path, "wb") as to:
        to.write(b"\0".join(texts))
    return path


def letters(path, n, size=100):
    """n documents of different letters."""
    with open(path, "wb") as to:
        to.write(b"\0".join((b"%d " % i + LETTERS * 8)[:size] for i in range(n)))
    return path


def reference(*words):
    done = subprocess.run([REFERENCE, *words], capture_output=True, text=True, check=True, timeout=120)
    return done.stdout.split()


def zoo_model(name):
    return os.path.join(ZOO, f"{name}.safetensors")


def test_equal_to_two_dumps():
    need_native()
    text = documents("text", 3, 1200)
    told, figure = fidelity("--teacher", MODEL, "--student", MODEL, "--student-technique", INT4,
                            "--task", f"text,path={text}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    for name, technique in ("teacher", "-"), ("student", INT4):
        reference("dump", NATIVE, zoo_model("llama-1m"), technique, text, name)
    positions, kl_ts, kl_st, js, same = map(float, reference("kl", "teacher", "student", "1024"))
    equal(told["positions"], positions, "positions")
    true(positions > 1000, f"only {positions} positions")
    for name, expected in (("kl_teacher_student", kl_ts), ("kl_student_teacher", kl_st), ("js_divergence", js),
                           ("top1_agreement", same)):
        true(abs(figure[name]["value"] - expected) < 1e-9, f"{name}: {figure[name]['value']}, not {expected}")
    true(kl_ts > 1e-4, f"int4 changes nothing: {kl_ts}")
    equal(figure["kl_teacher_student"]["n"], 3, "documents")
    if not is_sanitized():
        true(used < 100 * MIB, f"a process took {used} bytes")
        for side in "teacher", "student":
            true(0 < told[side]["peak_rss_bytes"] < 100 * MIB, told[side])


def test_a_model_and_itself():
    need_native()
    text = documents("text", 3, 600)
    told, figure = fidelity("--teacher", MODEL, "--student", MODEL, "--task", f"text,path={text}")
    for name, value in (("kl_teacher_student", 0), ("js_divergence", 0), ("top1_agreement", 1), ("top1_rank", 1),
                        ("top10_overlap", 1), ("top2_swapped", 0), ("log_ppl_difference", 0), ("ppl_ratio", 1),
                        ("probability_loyalty_2", 1), ("log_ppl_correlation", 1)):
        close(figure[name]["value"] + 1, value + 1.0, name)
    equal(told["failed"], 0, "failures")
    shares = sum(figure[f"share_h{b}"]["value"] for b in range(1, 7))
    close(shares, 1.0, "shares of the buckets")
    kl = [figure[f"kl_teacher_student_h{b}"] for b in range(1, 7)]
    true(any(f["value"] is not None for f in kl), "no bucket has a position")


def test_two_small_models_on_choices():
    need_native()
    _, figure = fidelity("--teacher", MODEL, "--student", "native,path=zoo:llama-0.1m", "--task", "choice,items=12")
    for name in "choice_agreement", "choice_flips_lost", "choice_flips_won", "choice_loyalty_e", "choice_loyalty_2":
        equal(figure[name]["n"], 12, name)
    true(0 < figure["choice_loyalty_2"]["value"] < figure["choice_loyalty_e"]["value"] < 1, "loyalty")
    equal(figure["kl_teacher_student"]["n"], 12, "positions of choices are compared, too")
    flips = figure["choice_flips_lost"]["value"] + figure["choice_flips_won"]["value"]
    true(flips <= 1 - figure["choice_agreement"]["value"] + 1e-12, "what flips was picked differently")


def test_greedy_texts():
    letters("text", 4)
    task = "generate,path=text,items=4,prompt_tok=20,max_output=8"
    _, same = fidelity("--teacher", FAULTY, "--student", CONCURRENT, "--task", task)
    equal(same["greedy_identical"]["value"], 1, "identical")
    equal(same["greedy_prefix"]["value"], 8, "prefix")
    contains(same["greedy_prefix"]["flags"], "CENSORED", "flags")
    true("kl_teacher_student" not in same, "no position was teacher-forced")
    _, other = fidelity("--teacher", FAULTY, "--student", f"{FAULTY},model_seed=2", "--task", task)
    true(other["greedy_prefix"]["value"] < 8, other["greedy_prefix"])
    equal(other["greedy_identical"]["value"], 0, "identical")


def test_concurrent_backend_and_spans():
    letters("text", 3)
    _, one = fidelity("--teacher", FAULTY, "--student", f"{FAULTY},model_seed=2", "--task", "text,path=text")
    _, two = fidelity("--teacher", FAULTY, "--student", f"{CONCURRENT},model_seed=2", "--task", "text,path=text")
    equal(one["kl_teacher_student"]["value"], two["kl_teacher_student"]["value"], "the same model")
    told, _ = fidelity("--teacher", FAULTY, "--student", f"{FAULTY},model_seed=2", "--task", "recall,items=5")
    true(0 < told["positions"] < 5 * 200, "graded positions alone")


def test_the_smaller_context_cuts_both():
    letters("text", 3, 300)
    told, figure = fidelity("--teacher", FAULTY, "--student", f"{FAULTY},ctx_tok=64", "--task", "text,path=text")
    equal(told["n_ctx"], 64, "context")
    equal(told["positions"], 900, "every byte once")
    close(figure["kl_teacher_student"]["value"] + 1, 1.0, "the same windows")


def test_a_side_that_dies():
    letters("text", 8)
    words = ("--task", "text,path=text", "--db", "x.db")
    told, figure = fidelity("--teacher", FAULTY, "--student", f"{FAULTY},model_seed=2,fault=crash,at=3", *words, rc=3)
    equal((told["asked"], told["compared"], told["failed"]), (8, 6, 2), "two of eight died at their third request")
    equal((told["student"]["deaths"], told["teacher"]["deaths"]), (2, 0), "deaths")
    equal(told["first_failed"], 2, "first")
    contains(told["failure"], "student: crash: SIGSEGV", "why")
    contains(figure["kl_teacher_student"]["flags"], "ITEMS_FAILED", "flags")
    equal(query("x.db", "SELECT verdict, reasons FROM cell"), [("INVALID", "ITEMS_FAILED")], "verdict")
    # The rest is what it is without the two.
    with open("text", "rb") as text:
        kept = [d for i, d in enumerate(text.read().split(b"\0")) if i not in (2, 5)]
    with open("six", "wb") as to:
        to.write(b"\0".join(kept))
    _, whole = fidelity("--teacher", FAULTY, "--student", f"{FAULTY},model_seed=2", "--task", "text,path=six")
    equal(figure["kl_teacher_student"]["value"], whole["kl_teacher_student"]["value"], "of the six")
    told, _ = fidelity("--teacher", f"{FAULTY},fault=crash,at=3", "--student", FAULTY, "--task", "text,path=text", rc=3)
    contains(told["failure"], "teacher: crash", "the other side")


def test_a_side_that_is_lost():
    letters("text", 6)
    told, _ = fidelity("--teacher", FAULTY, "--student", f"{FAULTY},fault=crash,at=1", "--task", "text,path=text", rc=3)
    equal((told["compared"], told["student"]["deaths"], told["figures"]), (0, 3, []), "given up after three")
    told, _ = fidelity("--teacher", FAULTY, "--student", f"{FAULTY},fault=hang,at=2", "--task",
                       "text,path=text,items=2", "--time-limit", "300ms", rc=3)
    contains(told["failure"], "timeout", "why")
    equal(told["compared"], 1, "the item before it")
    told, _ = fidelity("--teacher", FAULTY, "--student", f"{FAULTY},fault=missing_answer", "--task", "text,path=text",
                       rc=3)
    contains(told["failure"], "fewer positions", "why")
    told, _ = fidelity("--teacher", f"{FAULTY},fault=false_capability", "--student", FAULTY, "--task", "text,path=text",
                       rc=3)
    contains(told["failure"], "teacher: faulty: gives no distributions", "why")


def is_lockstep(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return b"--lockstep" in file.read().split(b"\0")
    except OSError:
        return False


def test_a_signal_ends_all_three():
    letters("text", 3)
    mark = f"fidelity-{os.getpid()}"
    process = start("fidelity", "--teacher", FAULTY, "--student", f"{FAULTY},fault=hang,at=2", "--task",
                    "text,path=text", "--db", "x.db", env={"TARE_TEST_MARK": mark})
    wait_until(lambda: sum(is_lockstep(pid) for pid in marked_processes(mark)) == 2, "two workers")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    contains(err, "stopped by a signal", "why")
    equal(out, "", "standard output")
    true(process.returncode > 0, process.returncode)
    wait_until(lambda: not marked_processes(mark), "nobody is left")
    true(not os.path.exists("x.db"), "nothing was stored")


def test_refusals():
    letters("text", 3)
    text = ("--task", "text,path=text")
    for words, rc, part in (
            ((), 2, "whom to compare"),
            (("--teacher", FAULTY), 2, "whom to compare"),
            (("--teacher", FAULTY, "--student", FAULTY, "--teacher-logits", "x"), 2, "whom to compare"),
            (("--teacher-logits", "x", "--student", FAULTY, *text), 2, "leave out --task"),
            (("--teacher", f"{FAULTY}\n{FAULTY}", "--student", FAULTY), 2, "one of the models"),
            (("--teacher", FAULTY, "--student", FAULTY, "--task", "txt"), 2, "text"),
            (("--teacher", FAULTY, "--student", f"{FAULTY},fault=tokenizer_bos", *text), 3, "make other tokens"),
            (("--teacher", FAULTY, "--student", "null", *text), 3, "vocabular")):
        failed = tare("fidelity", *words, rc=rc)
        contains(failed.err, part, words)
        equal(failed.out, "", "standard output")
    failed = tare("fidelity", "--teacher", "null", "--student", "null", *text, rc=3)
    contains(failed.err, "logits", "a backend without distributions")
    if "native" in backends():
        failed = tare("fidelity", "--teacher", MODEL, "--student", FAULTY, *text, rc=3)
        contains(failed.err, "vocabularies of 1024 and 257", "two vocabularies")


def test_stored():
    letters("text", 3)
    told, figure = fidelity("--teacher", FAULTY, "--student", f"{FAULTY},model_seed=2,name=other", "--task",
                            "text,path=text", "--db", "x.db")
    kept = figures("x.db")
    equal(set(kept), set(figure), "names")
    for name, f in figure.items():
        for column in ("value", "unit", "kind", "n", "n_what", "low", "high", "level", "method", "flags", "absent",
                       "source"):
            equal(kept[name][column], f[column], f"{name} {column}")
    contains(kept["kl_teacher_student"]["source"], FAULTY, "the teacher")
    equal(query("x.db", "SELECT model, task, scenario, verdict FROM cell"),
          [("other", "text", "lockstep", "VALID")], "cell")
    equal(scalar("x.db", "SELECT id FROM run"), told["run"], "run")
    true(scalar("x.db", "SELECT count(*) FROM cell_artifact") > 0, "files")
    failed = tare("derive", "x.db", rc=2)
    contains(failed.err, "tare fidelity", "nothing to derive it from")
    equal(set(figures("x.db")), set(figure), "derive has taken nothing away")
    contains(tare("run", "--resume", "x.db", rc=2).err, "nothing to continue", "resume")
    contains(tare("show", "x.db").out, "fidelity", "show")
    contains(tare("show", "x.db", "--figure", "kl_teacher_student", rc=2).err, "no derivation", "nothing behind it")
    contains(tare("report", "x.db", "--view", "full").out, "kl_teacher_student", "report")


def test_a_file_of_logits():
    need_native()
    text = documents("text", 1)
    rows = int(reference("llama", NATIVE, zoo_model("llama-1m"), text, "made.kld", "64")[0])
    # The teacher itself: what is left is the rounding of its file, and the tail that it has cut off.
    told, same = fidelity("--teacher-logits", "made.kld", "--student", MODEL)
    equal(told["positions"], rows, "positions")
    true(0 <= same["kl_teacher_student"]["value"] < 1e-5, same["kl_teacher_student"])
    true(abs(same["log_ppl_difference"]["value"]) < 1e-4, same["log_ppl_difference"])
    true(same["top1_agreement"]["value"] > 0.99, same["top1_agreement"])
    contains(same["kl_teacher_student"]["flags"], "TEACHER_ROUNDED", "flags")
    equal(told["unit"], "chunks", "units")
    contains(same["kl_student_teacher"]["absent"], "16 nats below", "what the file does not tell")
    _, other = fidelity("--teacher-logits", "made.kld", "--student", "native,path=zoo:llama-0.5m", "--db", "x.db")
    true(other["kl_teacher_student"]["value"] > 0.01, other["kl_teacher_student"])
    true(other["ppl_ratio"]["value"] > 1, other["ppl_ratio"])
    equal(scalar("x.db", "SELECT task FROM cell"), "logits-file", "task")
    with open("made.kld", "rb") as made, open("cut.kld", "wb") as cut:
        cut.write(made.read()[:-1])
    contains(tare("fidelity", "--teacher-logits", "cut.kld", "--student", MODEL, rc=3).err, "too short", "a cut file")
    contains(tare("fidelity", "--teacher-logits", "made.kld", "--student", FAULTY, rc=3).err, "vocabulary", "another")


main(globals())
