#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A worker without a model, from the standard library alone: the smallest complete example of the protocol.

Tokens are bytes, and 256 is the beginning of sequence. Each id has the same probability, so a text has
exactly log2(257) bits a byte. It generates the input's bytes again. With logits=yes it hands over logits.
"""
import math
import struct

import tare_worker

VOCAB, BOS, CTX = 257, 256, 1024


class Toy(tare_worker.Model):
    name, version = "toy", "1"
    capabilities = ("score", "generate", "logits", "tokenize")

    def load(self, path, technique, settings):
        tare_worker.refuse_unknown(settings, {"logits"})
        self.as_logits = tare_worker.flag(settings, "logits", "no")
        self.asked = 0
        return {"logits": "yes" if self.as_logits else "no", "path": path or ""}

    def describe(self):
        return {"arch": "toy", "name": "toy", "tokenizer": "bytes", "params_total": 0, "n_ctx": CTX,
                "n_vocab": VOCAB, "bos": BOS}

    def tokenize(self, text):
        return list(text), list(range(1, len(text) + 1))

    def rows(self, n):
        yield n, struct.pack(f"<{VOCAB}f", *[0.0] * VOCAB) * n

    def score(self, tokens, first, shared_prefix):
        self.asked += 1
        n = len(tokens) - first
        if self.as_logits:
            return self.rows(n)
        return [-math.log(VOCAB)] * n, [t == 0 for t in tokens[first:]]

    def logits(self, tokens, first):
        return self.rows(len(tokens) - first + 1)

    def generate(self, tokens, max_output, temperature, seed, answer):
        self.asked += 1
        for i in range(max_output):
            token = tokens[1 + i % (len(tokens) - 1)] if len(tokens) > 1 else 0
            if answer.token(token, bytes([token]) if token < 256 else b""):
                return "cancel"
        return "length"

    def readings(self, measured):
        asked, self.asked = self.asked, 0
        return [{"name": "toy_requests", "unit": "1", "scope": "process", "source": "toy's own count",
                 "kind": "counted", "value": asked}] if measured else []


if __name__ == "__main__":
    tare_worker.serve(Toy())
