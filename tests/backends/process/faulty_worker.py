#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The toy worker with one fault, named by its argument as WHAT@STAGE. For tests."""
import os
import signal
import sys
import time

sys.path.insert(0, os.environ["TARE_WORKERS"])
import tare_worker  # noqa: E402
import toy_worker  # noqa: E402

WHAT, _, STAGE = sys.argv[1].partition("@")


def raw(data):
    os.write(int(os.environ["TARE_WORKER_WRITE_FD"]), data)


def strike(stage, seq=0):
    """What can go wrong anywhere."""
    if stage != STAGE:
        return
    if WHAT == "crash":
        print("about to crash", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGSEGV)
    if WHAT == "exit":
        print("my last words", flush=True)
        os._exit(3)
    if WHAT == "hang":
        time.sleep(1000)
    if WHAT == "close":
        os.close(int(os.environ["TARE_WORKER_WRITE_FD"]))
        time.sleep(1000)
    if WHAT == "garbage":
        raw(b"Traceback: what?\n")
    if WHAT == "long":
        raw(b"x" * (2 << 20))
    if WHAT == "other":
        raw(b'{"ok":"load","seq":12345}\n')
    if WHAT == "raise":
        raise ValueError("a bug of the worker")
    if WHAT == "nomem":
        raise MemoryError
    if WHAT == "print":
        print("x" * 200000)
        sys.stdout.flush()


class Faulty(toy_worker.Toy):
    def load(self, path, technique, settings):
        strike("load")
        return super().load(path, technique, settings)

    def describe(self):
        strike("describe")
        facts = super().describe()
        return {**facts, "n_ctx": -5} if WHAT == "facts" else facts

    def tokenize(self, text):
        strike("tokenize")
        ids, ends = super().tokenize(text)
        return (ids, ends[:-1]) if WHAT == "ends" else (ids, ends)

    def score(self, tokens, first, shared_prefix):
        strike("score")
        n = len(tokens) - first
        if WHAT == "nan":
            return [float("nan")] * n, [False] * n
        if WHAT == "few":
            return [-1.0] * (n - 1), [False] * (n - 1)
        if WHAT == "rows":
            return iter([(n, bytes(4 * 3 * n))])  # of a smaller vocabulary
        return super().score(tokens, first, shared_prefix)

    def generate(self, tokens, max_output, temperature, seed, answer):
        strike("generate")
        if WHAT in ("early", "late"):
            answer.token(65, b"A", tare_worker.now_ns() + (10**9 if WHAT == "late" else -10**9))
            return "length"
        if WHAT == "many":
            for _ in range(max_output + 5):
                answer.token(65, b"A")
        if WHAT == "lost":
            answer.n += 1
        return super().generate(tokens, max_output, temperature, seed, answer)


strike("start")
if WHAT == "version":
    tare_worker.PROTOCOL = 2
    tare_worker.Server.hello = lambda self, message, blob: ({"protocol": 2, "name": "new"}, None)
if WHAT == "silent":
    Faulty.capabilities = ("generate", "tokenize")
tare_worker.serve(Faulty())
strike("end")
