# SPDX-License-Identifier: Apache-2.0
"""Quality of a model: bits per byte of a text, and the graded tasks. In f32, on whole windows.

README.md says what is counted, so that an engine that reads the exported file can reproduce each figure. One
training gives one figure: no interval over seeds is made up here.
"""
import collections
import dataclasses
import math

import numpy as np
import torch
import torch.nn.functional as F

import corpus
import tasks
from tokenizer import BOS, PRE_TOKEN

ROWS = 64  # windows a forward pass


@dataclasses.dataclass
class TextScore:
    nats: float
    tokens: int
    n_bytes: int

    @property
    def nll_per_token(self):
        return self.nats / self.tokens

    @property
    def bits_per_byte(self):
        return self.nats / math.log(2) / self.n_bytes


@dataclasses.dataclass
class Windows:
    """inputs, targets, weights: [window, context]; weight 0 beyond a short window's end."""
    inputs: torch.Tensor
    targets: torch.Tensor
    weights: torch.Tensor
    n_bytes: int


def windows(tokenizer, text, context, device, most=None):
    """Each document cut into windows of its own; of more than `most`, that many spread over the text."""
    cuts = []
    for document in corpus.documents_of(text):
        ids = tokenizer.encode(document)
        cuts += [ids[begin:begin + context] for begin in range(0, len(ids), context)]
    if most and len(cuts) > most:
        cuts = [cuts[i * len(cuts) // most] for i in range(most)]
    targets, weights = np.zeros((len(cuts), context), np.int64), np.zeros((len(cuts), context), np.float32)
    for row, ids in enumerate(cuts):
        targets[row, :len(ids)], weights[row, :len(ids)] = ids, 1
    inputs = np.concatenate([np.full((len(cuts), 1), BOS), targets[:, :-1]], 1)
    n_bytes = int((tokenizer.n_bytes[targets] * weights).sum())
    return Windows(*(torch.from_numpy(array).to(device) for array in (inputs, targets, weights)), n_bytes)


@torch.no_grad()
def score_text(model, text):
    nats = 0.0
    for begin in range(0, len(text.inputs), ROWS):
        part = slice(begin, begin + ROWS)
        log_probs = F.log_softmax(model(text.inputs[part]).float(), -1)
        nll = -log_probs.gather(-1, text.targets[part][..., None])[..., 0]
        nats += (nll * text.weights[part]).double().sum().item()
    return TextScore(nats, int(text.weights.sum().item()), text.n_bytes)


@torch.no_grad()
def grade(model, sequences, device):
    """(ids, marks) of each sequence -> (right, graded, nats) over its marked tokens."""
    results = [None] * len(sequences)
    order = sorted(range(len(sequences)), key=lambda i: len(sequences[i][0]))
    for begin in range(0, len(order), 2 * ROWS):
        chosen = order[begin:begin + 2 * ROWS]
        longest = max(len(sequences[i][0]) for i in chosen)
        ids = torch.tensor([sequences[i][0] + [BOS] * (longest - len(sequences[i][0])) for i in chosen], device=device)
        marks = torch.tensor([sequences[i][1] + [0] * (longest - len(sequences[i][1])) for i in chosen], device=device)
        log_probs, targets, marks = F.log_softmax(model(ids).float(), -1)[:, :-1], ids[:, 1:], marks[:, 1:]
        right = ((log_probs.argmax(-1) == targets) * marks).sum(1).tolist()
        nats = (-log_probs.gather(-1, targets[..., None])[..., 0] * marks).sum(1).tolist()
        for i, values in zip(chosen, zip(right, marks.sum(1).tolist(), nats)):
            results[i] = values
    return results


def sequences_of(item, tokenizer):
    """One sequence for an item with graded spans, one per choice for an item with choices."""
    if "spans" in item:
        ids, marks = tasks.graded_tokens(tokenizer, PRE_TOKEN.findall(item["text"].encode()), item["spans"])
        return [([BOS] + ids, [0] + marks)]
    context = tokenizer.encode(item["ctx"].encode())
    choices = [tokenizer.encode(choice.encode()) for choice in item["choices"]]
    return [([BOS] + context + ids, [0] * (1 + len(context)) + [1] * len(ids)) for ids in choices]


def chosen(item, results):
    """The choice with the least negative log-likelihood; mc4 divides by the choice's bytes."""
    nats = [result[2] / (len(choice) if item["task"] == "mc4" else 1)
            for choice, result in zip(item["choices"], results)]
    return nats.index(min(nats))


def score_items(model, items, tokenizer, device):
    """-> {task: {"token_acc", "exact", "n"} or {"acc", "n"}}"""
    sequences = [sequences_of(item, tokenizer) for item in items]
    graded = iter(grade(model, [one for some in sequences for one in some], device))
    sums = collections.defaultdict(collections.Counter)
    for item, some in zip(items, sequences):
        results, task = [next(graded) for _ in some], sums[item["task"]]
        task["n"] += 1
        if "spans" in item:
            task["right"] += results[0][0]
            task["graded"] += results[0][1]
            task["exact"] += results[0][0] == results[0][1]
        else:
            task["acc"] += chosen(item, results) == item["gold"]
    return {name: shares(task) for name, task in sums.items()}


def shares(task):
    if task["graded"]:
        return {"token_acc": round(task["right"] / task["graded"], 5), "exact": round(task["exact"] / task["n"], 5),
                "n": task["n"]}
    return {"acc": round(task["acc"] / task["n"], 5), "n": task["n"]}
