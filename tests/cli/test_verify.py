# SPDX-License-Identifier: Apache-2.0
"""The referee: what is right passes, each planted fault is found and named, and whatever a backend does to its process
leaves the JSON, the terminal and the database sound."""
import os
import signal

from clilib import (Skip, backends, children, contains, equal, figures, is_sanitized, main, query, scalar, start,
                    strict_json, tare, true, wait_until)

FOLDER = os.environ["TARE_FAULTY"]
FAULTY = os.path.join(FOLDER, "faulty.so")
CONCURRENT = os.path.join(FOLDER, "faulty_concurrent.so")
FEW = ("--memory-requests", "200")
# What a sanitizer holds back looks like a leak from outside, and a leak that it tells like a crash.
QUIET = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") +
         ":quarantine_size_mb=0:thread_local_quarantine_size_kb=0:detect_leaks=0:detect_stack_use_after_return=0"}

# The fault, and what names it: the cause of the first check that fails.
FAULTS = {
    "doubled_bos": "bos",
    "tokenizer_bos": "bos",
    "lost_bos": "bos",
    "batch_dependent": "batch",
    "position_off_by_one": "position",
    "wrong_is_greedy": "greedy_flag",
    "nondeterministic_greedy": "greedy_repeat",
    "stale_cache": "prefix_cache",
    "lost_last_token": "last_token",
    "wrong_utf8_split": "utf8",
    "unnormalised_score": "normalised",
    "leak": "memory",
    "crash": "crash",
    "crash_at_unload": "crash",
    "stdout_write": "stdout",
    "false_capability": "capabilities",
    "overlong_silent": "overlong",
    "lost_whitespace": "whitespace",
    "future": "causality",
    "long_context": "long_context",
    "logits_differ": "logits",
    "ignored_stop": "stop_strings",
    "ignored_seed": "sampling",
    "threads_dependent": "threads",
    "missing_answer": "load",
}
# These show in one check and in no other.
ALONE = ("tokenizer_bos", "lost_bos", "wrong_is_greedy", "stale_cache", "wrong_utf8_split", "leak", "stdout_write",
         "overlong_silent", "lost_whitespace", "long_context", "logits_differ", "ignored_seed", "threads_dependent")


def verify(*words, rc=None):
    told = strict_json(tare("verify", *words, *FEW, "--json", rc=rc, env=QUIET).out, "verify")
    for check in told["checks"]:
        true(check["outcome"] in ("pass", "FAIL", "absent"), check)
        true(check["outcome"] != "pass" or check["compared"] > 0, f"passed without a comparison: {check}")
        true(check["outcome"] == "pass" or check["note"], f"no reason: {check}")
        true((check["cause"] is not None) == (check["outcome"] == "FAIL"), check)
    equal(told["passed"] + told["failed"] + told["absent"], len(told["checks"]), "every check counts once")
    return told


def outcomes(told):
    return {check["check"]: check["outcome"] for check in told["checks"]}


def test_right_ones_pass():
    for seed in ("1",) if is_sanitized() else ("1", "2"):
        for words in (f"{FAULTY},model_seed={seed}", f"{CONCURRENT},model_seed={seed}", f"{FAULTY},rows=true"):
            told = verify(words, "--seed", seed, rc=0)
            absent = ["normalised", "reference"] if "rows" in words else ["reference"]
            equal([name for name, o in outcomes(told).items() if o != "pass"], absent, words)
            equal(told["fault"], None, words)


def test_native_passes():
    if "native" not in backends():
        raise Skip("built without the native backend")
    told = verify("native,path=zoo:llama-1m", "--against", "native,path=zoo:llama-1m,block=1", "--context-limit", "64",
                  rc=0)
    equal(outcomes(told)["reference"], "pass", "against itself, token by token")
    true(told["passed"] >= 22, told)
    reference, = [c for c in told["checks"] if c["check"] == "reference"]
    true(0 < reference["difference"] < 2e-3, f"another order of sums: {reference}")


def test_every_fault_is_named():
    # A build that is many times slower asks for every fourth: the other builds ask for all.
    for fault, name in list(FAULTS.items())[::4 if is_sanitized() else 1]:
        told = verify(f"{FAULTY},fault={fault}", rc=1)
        equal(told["fault"], name, fault)
        failed = [check for check, outcome in outcomes(told).items() if outcome == "FAIL"]
        true(fault not in ALONE or failed == [name], f"{fault}: {failed}")


def test_a_concurrent_backend():
    for fault in ("batch_dependent", "stale_cache", "crash"):
        equal(verify(f"{CONCURRENT},fault={fault}", rc=1)["fault"], FAULTS[fault], fault)


def test_what_is_seen():
    told = verify(f"{FAULTY},fault=unnormalised_score", "--only", "normalised", rc=1)
    check, = told["checks"]
    true(check["seen"] > 0.01 and check["expected"] == 0 and check["tolerance"] == 2e-3, check)
    contains(check["where"], "257 tokens", "where")
    text = tare("verify", FAULTY + ",fault=stale_cache", "--only", "prefix_cache", rc=1).out
    contains(text, "FAIL   prefix_cache", "the table")
    contains(text, "B behind A", "where")
    equal(verify(f"{FAULTY},fault=unnormalised_score", "--only", "normalised", "--tolerance", "100", rc=0)["failed"], 0,
          "a tolerance of one's own")


class Kept:
    """A database with a run in it, which must be there as it was whatever the referee adds."""

    def __init__(self, db):
        self.db = db
        tare("run", "--model", "null,name=before", "--task", "recall,items=4", "--repeats", "1", "--db", db)
        self.figures, self.report = figures(db), self.told()
        true(len(self.figures) > 20 and "before" in self.report, self.report)

    def told(self):
        return tare("report", self.db, "--format", "csv").out

    def check(self, what, n_certificates):
        equal(query(self.db, "PRAGMA integrity_check"), [("ok",)], f"{what}: the database")
        equal(query(self.db, "PRAGMA foreign_key_check"), [], f"{what}: rows that belong to none")
        equal((figures(self.db), self.told()), (self.figures, self.report), f"{what}: the earlier run")
        equal(scalar(self.db, "SELECT count(*) FROM certificate"), n_certificates, f"{what}: certificates")


def test_what_misbehaves_leaves_all_sound():
    """A backend that hangs, crashes or prints: stdout is one JSON value (`verify` reads it), and the database holds
    what it held and the certificate as it was told."""
    kept = Kept("d.db")
    for n, (options, cause) in enumerate((("hang,at=1", "hang"), ("crash", "crash"), ("crash_at_unload", "crash"),
                                          ("stdout_write", "stdout")), 1):
        limit = ("--time-limit", "500ms") if cause == "hang" else ()
        told = verify(f"{FAULTY},fault={options}", *limit, "--db", "d.db", rc=1)
        equal((told["fault"], told["certificate"]), (cause, n), options)
        kept.check(options, n)
        equal(query("d.db", "SELECT quantity, outcome FROM certificate_line WHERE certificate_id = ? ORDER BY position", n),
              list(outcomes(told).items()), f"{options}: as told")
        if cause == "hang":
            check_hang(told)


def check_hang(told):
    hung = [c["note"] for c in told["checks"] if c["cause"] == "hang"]
    true(0 < len(hung) <= 5 and all("had not ended after 0.5 s" in note for note in hung), hung)
    contains(told["checks"][-1]["note"], "not run", "those behind are not run, and say so")


def test_stopped_while_it_hangs():
    """The user loses patience: nothing is stored, nothing is left running."""
    kept = Kept("s.db")
    running = start("verify", f"{FAULTY},fault=hang,at=1", "--json", "--db", "s.db", env=QUIET)
    workers = wait_until(lambda: children(running.pid), "its process")
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=30)
    equal((running.returncode, out), (3, ""), err)
    contains(err, "stopped by a signal", "why")
    true(not any(os.path.exists(f"/proc/{pid}") for pid in workers), "no process is left")
    kept.check("stopped", 0)


def test_reference():
    told = verify(FAULTY, "--against", FAULTY, "--only", "reference", rc=0)
    equal((told["checks"][0]["difference"], told["passed"]), (0, 1), "against itself")
    told = verify(f"{FAULTY},fault=doubled_bos", "--against", FAULTY, "--only", "reference", rc=1)
    contains(told["checks"][0]["note"], "it was doubled", "named by what the reference says to two of them")
    told = verify(f"{FAULTY},model_seed=1", "--against", f"{FAULTY},model_seed=2", "--only", "reference", rc=1)
    true(told["checks"][0]["difference"] > 0.1, told["checks"])
    told = verify(FAULTY, "--against", f"{FAULTY},fault=crash,at=2", "--only", "reference", rc=0)
    equal(told["checks"][0]["outcome"], "absent", "a reference that dies is no fault of the backend's")


def test_output_is_sound():
    result = tare("verify", f"{FAULTY},fault=stdout_write", *FEW, rc=1, env=QUIET)
    true("\033" not in result.out + result.err, "no escape sequence of it reaches the terminal")
    contains(result.out, "{\"not\": \"yours\"}", "but what it was is told")
    contains(result.out, "FAIL   stdout", "and counted")


def test_certificates():
    for fault in ("none", "stale_cache", "crash"):
        verify(f"{FAULTY},fault={fault}", "--db", "c.db", rc=0 if fault == "none" else 1)
    verify(FAULTY, "--only", "load", "--db", "c.db", rc=0)  # a part is no certificate
    equal(query("c.db", "SELECT id, kind, backend_sha256 IS NULL, json_extract(options, '$.fault') FROM certificate"),
          [(1, "verify", 0, "none"), (2, "verify", 0, "stale_cache"), (3, "verify", 0, "crash")], "certificates")
    equal(scalar("c.db", "SELECT count(*) FROM certificate_line WHERE certificate_id = 1"), 25, "lines")
    tare("run", "--model", f"{FAULTY},name=good", "--model", f"{FAULTY},name=spoilt,fault=stale_cache", "--model",
         f"{FAULTY},name=other,ctx_tok=128", "--task", "recall,items=2", "--repeats", "1", "--db", "c.db")
    report = " ".join(tare("report", "c.db").out.split())
    contains(report, "Verified: good, certificate 1 of", "the same backend and options")
    contains(report, "24 checks passed, 0 failed, 1 not applicable.", "what was found")
    contains(report, "Verified: spoilt, certificate 2 of", "one with a fault")
    contains(report, "1 failed (prefix_cache)", "which is named")
    contains(report, "Not verified ('tare verify'): other.", "other options are another backend")
    contains(report, "No calibration certificate", "one of a backend is none of the machine")
    tare("run", "--model", f"{FAULTY},name=other,ctx_tok=128", "--task", "recall,items=2", "--repeats", "1", "--db", "c.db")
    contains(" ".join(tare("report", "c.db").out.split()), "No backend verified with these options: run 'tare verify'.",
             "a run without any")
    equal(scalar("c.db", "PRAGMA integrity_check"), "ok", "the database")


def test_wrong_words():
    contains(tare("verify", rc=2).err, "which backend", "no backend")
    contains(tare("verify", FAULTY, "--only", "nosuch", rc=2).err, "no check matches", "pattern")
    contains(tare("verify", f"{FAULTY},falt=crash", rc=2).err, "fault", "an unknown option")
    contains(tare("verify", "nosuch", rc=2).err, "nosuch", "an unknown backend")
    if "native" in backends():
        contains(tare("verify", "native,path=/nosuch.safetensors", rc=None).err, "nosuch", "a model that is not there")


main(globals())
