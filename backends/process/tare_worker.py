# SPDX-License-Identifier: Apache-2.0
"""The worker's side of the process protocol, version 1 (docs/process-protocol.md). Standard library only.

A program makes a subclass of Model, overrides what it can do, and calls serve(). This file frames
messages, answers errors and stamps tokens. It knows no model, measures nothing and never prints: standard
output and standard error belong to the program and are not the protocol.
"""
import array
import json
import os
import select
import sys
import time

PROTOCOL = 1
LINE_LIMIT = 1 << 20
BLOB_LIMIT = 1 << 31
if sys.byteorder != "little":
    raise ImportError("the protocol's numbers are little-endian; this machine's are not")


class Refused(Exception):
    """An answer that says why not. Codes: usage, io, format, nomem, unsupported, backend, limit, environment."""

    def __init__(self, message, code="backend"):
        super().__init__(message)
        self.code = code


class Closed(Exception):
    """The other side has gone."""


def now_ns():
    """The clock of the stamps: the machine's CLOCK_MONOTONIC, which the harness reads too."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def told(value):
    """A setting as a text: what is true or false is yes or no, as it is given."""
    return ("no", "yes")[value] if isinstance(value, bool) else str(value)


def flag(settings, key, default):
    """A setting that is yes or no."""
    text = str(settings.get(key, default)).lower()
    if text in ("1", "true", "yes", "on"):
        return True
    if text in ("0", "false", "no", "off"):
        return False
    raise Refused(f"setting {key}: {text!r} is neither yes nor no", "usage")


def number(settings, key, default, least):
    """A setting that is a whole number."""
    try:
        value = int(settings.get(key, default))
    except ValueError:
        value = least - 1
    if value < least:
        raise Refused(f"setting {key}: {settings.get(key)!r} is no whole number from {least} on", "usage")
    return value


def refuse_unknown(settings, known):
    """A setting that nobody reads is a mistake, never ignored."""
    for key in settings:
        if key not in known:
            raise Refused(f"setting {key} is not known here; known are {', '.join(sorted(known))}", "usage")


class Channel:
    """Lines of JSON with blobs behind them, over two descriptors."""

    def __init__(self, read_fd, write_fd):
        self.read_fd, self.write_fd = read_fd, write_fd
        self.buffer = bytearray()

    def fill(self, n=1 << 16):
        try:
            more = os.read(self.read_fd, n)
        except OSError as error:
            raise Closed from error
        if not more:
            raise Closed
        self.buffer += more

    def take(self, n):
        taken = bytes(self.buffer[:n])
        del self.buffer[:n]
        return taken

    def receive(self):
        """(message, blob) of the next one."""
        while (end := self.buffer.find(b"\n")) < 0:
            if len(self.buffer) > LINE_LIMIT:
                raise Closed
            self.fill()
        message = json.loads(self.take(end + 1))
        n = message.get("bytes", 0)
        while len(self.buffer) < n:
            self.fill(max(1 << 16, n - len(self.buffer)))
        return message, self.take(n)

    def send(self, message, blob=None):
        if blob is not None:
            message["bytes"] = len(blob)
        self.write(json.dumps(message, separators=(",", ":"), allow_nan=False).encode() + b"\n" + (blob or b""))

    def write(self, data):
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self.write_fd, view):]
            except OSError as error:
                raise Closed from error

    def waiting(self):
        """Is there something to read?"""
        return bool(self.buffer) or bool(select.select([self.read_fd], [], [], 0)[0])


class Answer:
    """Where the tokens of one generation go."""

    def __init__(self, channel, seq):
        self.channel, self.seq, self.n, self.cancelled, self.pending = channel, seq, 0, False, []

    def token(self, token, text, at_ns=None):
        """One token with its bytes; stamped now unless a stamp is given. True: stop."""
        at_ns = now_ns() if at_ns is None else at_ns
        self.channel.send({"event": "token", "seq": self.seq, "token": int(token), "at": at_ns}, bytes(text))
        self.n += 1
        return self.stop()

    def stop(self):
        """Has the harness seen enough?"""
        while not self.cancelled and self.channel.waiting():
            message, blob = self.channel.receive()
            if message.get("op") != "cancel":
                self.pending.append((message, blob))
                break
            self.cancelled = message.get("seq") == self.seq
        return self.cancelled


class Model:
    """What a program overrides. A method that is left alone is a capability that it does not have."""

    name = "worker"
    version = ""
    capabilities = ()  # of score, generate, logits, tokenize, technique, sampled

    def load(self, path, technique, settings):
        """Loads the model; returns the settings as they came out."""
        raise Refused("load is missing", "unsupported")

    def describe(self):
        """Facts: arch, name, dtype, tokenizer, params_total, ..., n_ctx, n_vocab, bos. Unknown ones are left out."""
        return {}

    def tokenize(self, text):
        """bytes -> (ids, ends)"""
        raise Refused("tokenize is missing", "unsupported")

    def score(self, tokens, first, shared_prefix):
        """([log-probability in nats], [most probable?]) of tokens[first:], or an iterator of blobs of logits: (rows,
        bytes of float32 little-endian) after tokens[first-1:-1]."""
        raise Refused("score is missing", "unsupported")

    def logits(self, tokens, first):
        """An iterator of (rows, bytes) after tokens[first-1:]."""
        raise Refused("logits is missing", "unsupported")

    def generate(self, tokens, max_output, temperature, seed, answer):
        """Sends tokens by answer.token until that says stop; returns why it ended: length, eos or cancel."""
        raise Refused("generate is missing", "unsupported")

    def readings(self, measured):
        """A list of {name, unit, scope, source, kind, value} or, absent, {name, unit, scope, source, kind, why}."""
        return []


def ids_of(blob):
    ids = array.array("i")
    ids.frombytes(blob)
    return ids


class Server:
    """One connection's life."""

    def __init__(self, model, channel):
        self.model, self.channel, self.waiting = model, channel, []

    def hello(self, message, blob):
        if PROTOCOL not in message.get("protocols", []):
            raise Refused(f"this worker speaks protocol {PROTOCOL} only", "environment")
        return {"protocol": PROTOCOL, "name": self.model.name, "version": str(self.model.version),
                "capabilities": list(self.model.capabilities)}, None

    def load(self, message, blob):
        effective = self.model.load(message.get("path"), message.get("technique"), message.get("settings", {}))
        return {"effective": {k: told(v) for k, v in effective.items()}}, None

    def describe(self, message, blob):
        return {"facts": self.model.describe()}, None

    def tokenize(self, message, blob):
        ids, ends = self.model.tokenize(blob)
        return {"n": len(ids)}, array.array("i", ids).tobytes() + array.array("I", ends).tobytes()

    def send_rows(self, seq, chunks, position):
        n = 0
        for rows, data in chunks:
            self.channel.send({"event": "logits", "seq": seq, "position": position + n, "rows": rows}, data)
            n += rows
        return {"n": n}, None

    def score(self, message, blob):
        answer = self.model.score(ids_of(blob), message["first"], message.get("shared_prefix", 0))
        if not isinstance(answer, tuple):
            return self.send_rows(message["seq"], answer, message["first"] - 1)
        logprobs, greedy = answer
        return {"n": len(logprobs)}, array.array("d", logprobs).tobytes() + bytes(bytearray(map(bool, greedy)))

    def logits(self, message, blob):
        return self.send_rows(message["seq"], self.model.logits(ids_of(blob), message["first"]), message["first"] - 1)

    def generate(self, message, blob):
        answer = Answer(self.channel, message["seq"])
        finish = self.model.generate(ids_of(blob), message["max_output"], message.get("temperature", 0.0),
                                     int(message.get("seed", "0")), answer)
        self.waiting += answer.pending
        return {"tokens": answer.n, "finish": finish}, None

    def readings(self, message, blob):
        return {"readings": self.model.readings(bool(message.get("measured")))}, None

    def answer(self, message, blob):
        op, seq = message.get("op"), message.get("seq")
        if op == "cancel":  # of something that has ended meanwhile
            return
        try:
            handler = {"hello": self.hello, "load": self.load, "describe": self.describe, "score": self.score,
                       "tokenize": self.tokenize, "logits": self.logits, "generate": self.generate,
                       "readings": self.readings}.get(op)
            if not handler:
                raise Refused(f"operation {op!r} is not known", "unsupported")
            reply, data = handler(message, blob)
        except Refused as refusal:
            self.channel.send({"error": str(refusal), "code": refusal.code, "op": op, "seq": seq})
        except MemoryError:
            self.channel.send({"error": "out of memory", "code": "nomem", "op": op, "seq": seq})
        except Closed:
            raise
        except OSError as error:
            self.channel.send({"error": str(error), "code": "io", "op": op, "seq": seq})
        except Exception as error:  # the harness is told, and this program lives on
            code = "nomem" if "OutOfMemory" in type(error).__name__ else "backend"
            self.channel.send({"error": f"{type(error).__name__}: {error}"[:400], "code": code, "op": op, "seq": seq})
        else:
            self.channel.send({"ok": op, "seq": seq, **reply}, data)

    def run(self):
        while True:
            message, blob = self.waiting.pop(0) if self.waiting else self.channel.receive()
            if message.get("op") == "close":
                return
            self.answer(message, blob)


def serve(model):
    """Answers until the harness closes or goes away."""
    try:
        read_fd, write_fd = int(os.environ["TARE_WORKER_READ_FD"]), int(os.environ["TARE_WORKER_WRITE_FD"])
    except (KeyError, ValueError):
        sys.exit("this program is a worker of tare's backend process: tare starts it (docs/process-protocol.md)")
    try:
        Server(model, Channel(read_fd, write_fd)).run()
    except Closed:
        pass
