# SPDX-License-Identifier: Apache-2.0
"""Checks of the recipe that need no GPU and no data: each prints what it found and its limit.

It does not judge how well anything trains; it shows that the parts agree with one another and with
independent, slower ways to say the same. Half a minute on a processor.
"""
import glob
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import zlib

import numpy as np
import torch

import catalogue
import compress
import export
import flops
import models
import optim
import reference
import storage
import tasks
import tokenizer
from models.common import causal_product, toeplitz

PARAMETERS = {"llama-0.1m": 139344, "llama-0.25m": 279104, "llama-0.5m": 458400, "llama-1m": 984192,
              "llama-2m": 2115264, "rwkv4-1m": 989184, "h3-1m": 988544, "hyena-1m": 981632, "retnet-1m": 984192}
SAMPLE = ("The harbour master's clock said 1842, or so they told us -- \"don't ask!\"\n\n  two  spaces, a\ttab\r\n"
          "caf\u00e9, na\u00efve\n\n\nR: a3 k7 ? k7 a3\n").encode() + bytes(range(1, 256))


class Report:
    def __init__(self):
        self.failed = 0

    def below(self, what, value, limit):
        passed = bool(value <= limit)
        self.failed += not passed
        print(f"{'ok  ' if passed else 'FAIL'} {what}: {value:.3g} (limit {limit:g})", flush=True)

    def same(self, what, got, wanted):
        passed = got == wanted
        self.failed += not passed
        print(f"ok   {what}" if passed else f"FAIL {what}: {got!r}, expected {wanted!r}", flush=True)


def slow_encode(known, text):
    """All merges in order over each pre-token: another way to say the same encoding."""
    ids = []
    for piece in tokenizer.PRE_TOKEN.findall(text):
        part = list(piece)
        for index, pair in enumerate(known.merges):
            part = tokenizer.merge_pair(part, pair, 256 + index)
        ids += part
    return ids


def check_tokenizer(report):
    known = tokenizer.train(SAMPLE * 3, 400)
    report.same("tokenizer: round trip", known.decode(known.encode(SAMPLE)), SAMPLE)
    report.same("tokenizer: lowest merge first is merge after merge", known.encode(SAMPLE), slow_encode(known, SAMPLE))
    report.same("tokenizer: a space and a letter", known.encode(b" q"), [256 + ord("q") - ord("a")])
    cuts = {b" 7": [b" ", b"7"], b"  two": [b" ", b" two"], b"o'clock''s": [b"o'clock", b"''", b"s"],
            b"a\n\n\nb\0": [b"a", b"\n\n\n", b"b", b"\0"], b" ...!x": [b" ...!", b"x"]}
    for text, pieces in cuts.items():
        report.same(f"tokenizer: pre-tokens of {text!r}", tokenizer.PRE_TOKEN.findall(text), pieces)


def solve(text):
    """What the graded bytes of an item must be, worked out from its text alone. None: not solved here."""
    kind, rest = text[0], text[2:].rstrip("\n")
    head, _, tail = rest.partition(" ?")
    if kind == "R":
        values = {pair[0]: pair[1] for pair in head.split()}
        return "".join(values[pair[0]] for pair in tail.split())
    if kind == "C":
        return head
    if kind == "S":
        return "".join(sorted(head.strip()))
    if kind == "A":
        return str(sum(map(int, rest.split("=")[0].split("+"))))
    if kind == "F":
        answers, memory = "", ""
        for action, digit in zip(rest.strip()[::2], rest.strip()[1::2]):
            answers += memory if action == "r" else ""
            memory = digit if action == "w" else memory
        return answers
    return value_of(rest.split("=")[0].strip())


def value_of(text):
    """Nested operations from the inside out, by a stack."""
    stack = []
    for sign in text:
        if sign != "]":
            stack.append(sign)
            continue
        terms = []
        while stack[-1].isdigit():
            terms.append(int(stack.pop()))
        operation = stack.pop()
        stack.pop()
        stack.append(str({"^": max, "_": min, "+": lambda t: sum(t) % 10}[operation](terms)))
    return stack[0]


def check_tasks(report):
    known, rng = tokenizer.train(SAMPLE, 300), random.Random(1)
    wrong = trained_on_held_out = tokens = 0
    for _ in range(2000):
        item = tasks.training_item(rng)
        graded = "".join(item.text[begin:end] for begin, end in item.spans)
        wrong += graded != solve(item.text)
        trained_on_held_out += zlib.crc32(item.prompt.encode()) % 16 == 0
        pieces = tokenizer.PRE_TOKEN.findall(item.text.encode())
        tokens += sum(tasks.graded_tokens(known, pieces, item.spans)[1]) != len(item.spans)
    report.same("tasks: answers that are wrong, of 2000", wrong, 0)
    report.same("tasks: held-out items in training", trained_on_held_out, 0)
    report.same("tasks: items where graded tokens are not the spans", tokens, 0)


def check_storage(report, folder):
    rng, path = np.random.default_rng(1), os.path.join(folder, "x.safetensors")
    matrix = rng.normal(size=(6, 64)).astype(np.float16)
    small = matrix * (rng.random(matrix.shape) < 0.5)
    tensors = {"w": matrix, "b": rng.normal(size=6).astype(np.float32), **storage.pack_sparse("s", small)}
    tensors.update(storage.pack_int8("q", matrix))
    tensors.update(storage.pack_int4("n", matrix))
    storage.save(path, tensors, {"format": storage.FORMAT})
    back, metadata = storage.load(path)
    report.same("storage: what is read is what was written",
                [k for k in tensors if not np.array_equal(back[k], tensors[k])] + [metadata["format"]], ["tare-zoo-1"])
    report.same("storage: sparse", np.array_equal(storage.dense(back, "s"), small), True)
    step = np.abs(matrix).max(1, keepdims=True) / 127
    report.below("storage: int8, error in steps", (np.abs(storage.dense(back, "q") - matrix) / step).max(), 0.51)
    report.below("storage: int4, error of 1", np.abs(storage.dense(back, "n") - matrix).mean(), 0.15)


def restless(config):
    """A model whose every parameter has left its initial value, and whose mixers matter."""
    model = models.build(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
            if name.endswith(("o.weight", "down.weight", "ffn.v.weight")):
                parameter.mul_(4)
    return model


def check_architecture(report, arch, folder, known):
    path = os.path.join(folder, arch + ".safetensors")
    model = restless(catalogue.shape(arch, 64, 2, context=96))
    tensors = export.to_tensors(model)
    storage.save(path, tensors, export.metadata(arch, model, known))
    back = export.load(path)
    report.same(f"{arch}: tensors of the file read back", {name for name, _ in back.named_parameters()}, set(tensors))
    tokens = torch.randint(0, 1024, (2, 96))
    recurrent = np.stack([reference.Reference(path).logits(row.tolist()) for row in tokens])
    with torch.no_grad():
        single, rounded = back(tokens).numpy(), (model(tokens).numpy() - recurrent)
        double = back.double()(tokens).numpy()
    report.below(f"{arch}: parallel f64 against recurrent f64", np.abs(double - recurrent).max(), 1e-5)
    report.below(f"{arch}: parallel f32 against recurrent f64", np.abs(single - recurrent).max(), 1e-3)
    report.below(f"{arch}: what rounding to f16 changes", np.abs(rounded).max() / recurrent.std(), 0.1)


def check_products(report):
    kernel, x = torch.randn(3, 20).double(), torch.randn(2, 20, 3).double()
    slow = torch.zeros_like(x)
    for t, i in itertools.product(range(20), range(20)):
        if i <= t:
            slow[:, t] += kernel[:, t - i] * x[:, i]
    error = (causal_product(toeplitz(kernel), x) - slow).abs().max().item()
    report.below("toeplitz product against the sum", error, 1e-12)


def check_compression(report):
    rng = np.random.default_rng(2)
    matrix, rms = rng.normal(size=(48, 64)).astype(np.float16), rng.random(64).astype(np.float32)
    report.same("mag50 keeps half", int(compress.keep_mask("mag50", matrix, rms).sum()), 48 * 32)
    report.same("wanda50 keeps half of each row", set(compress.keep_mask("wanda50", matrix, rms).sum(1)), {32})
    fours = compress.keep_mask("wanda24", matrix, rms).reshape(48, 16, 4).sum(-1)
    report.same("wanda24 keeps two of four", set(fours.ravel()), {2})
    inputs = rng.normal(size=(500, 64)) * np.linspace(0.05, 2, 64) @ rng.normal(size=(64, 64))
    a, b = (part.astype(np.float64) for part in compress.low_rank_factors(matrix, inputs.T @ inputs / 500))
    left, values, right = np.linalg.svd(matrix.astype(np.float64), full_matrices=False)
    rank = len(a)
    plain = (left[:, :rank] * values[:rank]) @ right[:rank]
    errors = [np.linalg.norm(inputs @ (matrix - product).T) for product in (b @ a, plain)]
    report.below("whitened factors' output error over that of a plain SVD", errors[0] / errors[1], 0.9)


def check_counts(report):
    for name, recipe in catalogue.recipes().items():
        if name in PARAMETERS:
            report.same(f"{name}: parameters", flops.parameters(models.build(recipe.config))[0], PARAMETERS[name])
    config = catalogue.shape("llama", 64, 2, context=128)
    linear = 2 * 2 * (4 * 64 * 64 + 3 * 64 * 192) + 2 * 1024 * 64
    scores = sum(2 * 4 * 64 * t for t in range(1, 129))
    report.same("FLOPs of a window, position by position", 128 * flops.forward_per_token(models.build(config)),
                128 * linear + scores)
    report.same("rate: first, peak, last", [round(optim.rate_at(s, 8000, 1.0), 4) for s in (0, 199, 8000)],
                [0.005, 1.0, 0.05])


def made_up_books(folder):
    """Twelve books of one piece each; by the rule of corpus.split_of, 54 is valid and 128 is test."""
    rng = random.Random(3)
    words = ["".join(rng.choices("aeiou nrtsl", k=rng.randint(2, 7))).strip() or "a" for _ in range(300)]
    for book in list(range(10)) + [54, 128]:
        lines = [" ".join(rng.choices(words, k=90)) + "." for _ in range(60)]
        with open(os.path.join(folder, f"book{book}.txt"), "w", encoding="utf-8") as file:
            file.write("\n\n".join(lines))


def check_end_to_end(report, folder):
    """The command line on made-up books: every file is there, the record is whole, the loss has fallen."""
    books, out = os.path.join(folder, "books"), os.path.join(folder, "out")
    os.mkdir(books)
    made_up_books(books)
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "zoo.py")
    command = [sys.executable, program, "--texts", books, "--out", out, "--only", "llama-0.25m", "--variants",
               "llama-0.25m", "--device", "cpu", "--steps", "40", "--batch", "4", "--context", "64",
               "--task-rows", "100"]
    report.same("zoo.py: exit status", subprocess.run(command, check=False).returncode, 0)
    names = {os.path.relpath(path, out) for path in glob.glob(os.path.join(out, "*", "*"))}
    wanted = {"data/tokenizer.json", "data/train.txt.xz", "data/eval_items.jsonl", "models/llama-0.25m.safetensors",
              "refs/llama-0.25m.ref.safetensors", "records/llama-0.25m.jsonl",
              "variants/llama-0.25m-wanda24-ft.safetensors", "variants/llama-0.25m-svd.safetensors",
              "records/llama-0.25m-svd-ft.jsonl"}
    report.same("zoo.py: files that are missing", wanted - names, set())
    with open(os.path.join(out, "records", "llama-0.25m.jsonl"), encoding="utf-8") as file:
        run, *points = map(json.loads, file)
    report.same("record: finished, tokens, joules", [run["schedule_finished"], run["tokens"], run["joules"]],
                [True, 40 * 4 * 64, None])
    report.same("record: joules are absent with a reason", bool(run["joules_reason"]), True)
    report.below("record: last NLL less first", points[-1]["train_nll"] - points[0]["train_nll"], -0.5)
    report.below("record: exported file, parallel against recurrent", run["parallel_vs_recurrent_max_abs"], 1e-3)


def main():
    torch.manual_seed(0)
    report = Report()
    check_tokenizer(report)
    check_tasks(report)
    check_products(report)
    check_compression(report)
    check_counts(report)
    with tempfile.TemporaryDirectory() as folder:
        check_storage(report, folder)
        known = tokenizer.train(SAMPLE, 300)
        for arch in models.ARCHITECTURES:
            check_architecture(report, arch, folder, known)
        check_end_to_end(report, folder)
    print(f"{report.failed} checks failed" if report.failed else "all checks passed")
    return 1 if report.failed else 0
