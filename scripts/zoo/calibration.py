#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the calibration text that ships with the zoo: text that a zoo model wrote, and task items.

    calibration.py backends/native/zoo/llama-2m.safetensors backends/native/zoo/calibration.bin

Nobody else's text is in it. About 70 % of its tokens are sampled from the model at temperature 1, half of the
samples from nothing, half behind one of the openings below; the rest are items of the six synthetic tasks
that evaluation never uses. Documents are kept apart by NUL. Samples in which a line looks like a task item are
left out, because the model might have written one that is held out.

The seed decides everything but the last bits of the sums, which differ between BLAS libraries; on another
machine the text can come out differently from some word on. Needs numpy alone.
"""
import argparse
import os
import random
import re

import numpy as np

import storage
import tasks
from reference import rms_scaled
from tokenizer import BOS, Tokenizer

SEED = 20
WINDOW = 512        # tokens, BOS counted
WINDOWS = 128       # about as many as the text fills
TASK_WINDOWS = 3    # of 10
SPARE = 11          # sequences sampled beyond those that are needed; those with task lines are left out
TASK_LINE = re.compile(rb"(^|[\n\x00])\s*[RCSALF]:")
OPENINGS = ("The ", "It was ", "When the ", "\"I do not ", "He had ", "She was ", "In the morning ", "There is ",
            "\"What is ", "But the ", "They were ", "One of the ", "At last ", "My dear ", "We had ", "The man ",
            "A few ", "If you ", "No one ", "After the ")


class Writer:
    """A llama of the zoo over many sequences at once, one token of each at a time."""

    def __init__(self, path, n_sequences):
        tensors, metadata = storage.load(path)
        self.config = storage.config_of(metadata)
        self.w = {name: np.ascontiguousarray(storage.dense(tensors, name), np.float32) for name in tensors}
        self.heads, self.width = self.config["n_heads"], self.config["head_dim"]
        shape = (self.config["n_layers"], n_sequences, self.heads, WINDOW, self.width)
        self.keys, self.values = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        self.position = 0

    def _heads(self, name, x):
        return (x @ self.w[name + ".weight"].T).reshape(len(x), self.heads, self.width)

    def _rope(self, x):
        half = self.width // 2
        angle = self.position * 10000.0 ** (-np.arange(half) / half)
        cos, sin = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
        first, second = x[..., :half], x[..., half:]
        return np.concatenate([first * cos - second * sin, second * cos + first * sin], -1)

    def _attention(self, layer, at, x):
        end = self.position + 1
        self.keys[layer, :, :, self.position] = self._rope(self._heads(at + "attn.k", x))
        self.values[layer, :, :, self.position] = self._heads(at + "attn.v", x)
        q = self._rope(self._heads(at + "attn.q", x))[..., None]
        scores = (self.keys[layer, :, :, :end] @ q)[..., 0] / np.float32(np.sqrt(self.width))
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        out = (weights[:, :, None, :] @ self.values[layer, :, :, :end]).reshape(len(x), -1)
        return out @ self.w[at + "attn.o.weight"].T

    def _mlp(self, at, x):
        gate = x @ self.w[at + "mlp.gate.weight"].T
        return (gate / (1 + np.exp(-gate)) * (x @ self.w[at + "mlp.up.weight"].T)) @ self.w[at + "mlp.down.weight"].T

    def step(self, tokens):
        """One token for each sequence -> probabilities of the next."""
        x = self.w["embed.weight"][tokens]
        for layer in range(self.config["n_layers"]):
            at = f"blocks.{layer}."
            x = x + self._attention(layer, at, rms_scaled(x) * self.w[at + "norm1.weight"])
            x = x + self._mlp(at, rms_scaled(x) * self.w[at + "norm2.weight"])
        self.position += 1
        logits = (rms_scaled(x) * self.w["norm_f.weight"]) @ self.w["embed.weight"].T
        odds = np.exp((logits - logits.max(-1, keepdims=True)).astype(np.float64))
        return odds / odds.sum(-1, keepdims=True)


def sample(writer, openings, rng):
    """Writes WINDOW - 1 tokens behind BOS for each opening, which counts among them."""
    ids = np.full((len(openings), WINDOW), BOS)
    for position in range(1, WINDOW):
        likely = writer.step(ids[:, position - 1])
        drawn = (likely.cumsum(1) < rng.random((len(openings), 1))).sum(1)
        for row, opening in enumerate(openings):
            given = position <= len(opening)
            ids[row, position] = opening[position - 1] if given else min(drawn[row], likely.shape[1] - 1)
    return ids[:, 1:]


def prose(options, tokenizer, wanted):
    choose = random.Random(SEED)
    n = wanted + SPARE
    openings = [tokenizer.encode(choose.choice(OPENINGS).encode()) if i % 2 else [] for i in range(n)]
    ids = sample(Writer(options.model, n), openings, np.random.default_rng(SEED))
    texts = [tokenizer.decode(row).strip(b"\x00") for row in ids]
    kept = [text for text in texts if not TASK_LINE.search(text)]
    print(f"{len(kept)} of {n} samples hold no task line, {wanted} are used")
    return kept[:wanted]


def items(tokenizer, rng):
    """About one window of items, each a document."""
    lines, n_tokens = [], 0
    while n_tokens < WINDOW - 1:
        lines.append(tasks.training_item(rng).text.encode())
        n_tokens += 1 + len(tokenizer.encode(lines[-1]))
    return b"\x00".join(lines)


def main():
    parser = argparse.ArgumentParser(description="Writes the zoo's calibration text.")
    parser.add_argument("model", help="a dense llama of the zoo")
    parser.add_argument("out")
    options = parser.parse_args()
    tokenizer = Tokenizer.load(os.path.join(os.path.dirname(options.model), "tokenizer.json"))
    rng = random.Random(SEED)
    is_task = [i * TASK_WINDOWS % 10 < TASK_WINDOWS for i in range(WINDOWS)]
    written = iter(prose(options, tokenizer, is_task.count(False)))
    documents = [items(tokenizer, rng) if task else next(written) for task in is_task]
    text = b"\x00".join(documents)
    storage.write_atomically(options.out, text)
    print(f"{options.out}: {len(text)} bytes, {len(tokenizer.encode(text))} tokens")


if __name__ == "__main__":
    main()
