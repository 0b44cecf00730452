# SPDX-License-Identifier: Apache-2.0
"""The training stream: encoded text and packed task rows, drawn in an order that only the seed decides.

Every model of one seed sees the same windows in the same order. Preparing the stream takes all cores and
must come before PyTorch first touches the GPU, because worker processes are forked.
"""
import functools
import multiprocessing
import os
import random
import re

import numpy as np
import torch
import torch.nn.functional as F

import tasks
from tokenizer import BOS, PRE_TOKEN

TASK_SHARE = 0.30   # of the rows of a batch
TASK_ROWS = 80000   # drawn once and used again when they run out
ROWS_PER_JOB = 250
LINE_END = re.compile(rb"(?<!\n)\n")


def cut(text, size):
    """Parts of about `size` bytes that end before a run of line ends, where no pre-token is cut."""
    begin = 0
    while begin < len(text):
        match = LINE_END.search(text, begin + size)
        end = match.start() if match else len(text)
        yield text[begin:end]
        begin = end


def encode_part(tokenizer, part):
    return np.array(tokenizer.encode(part), np.int16)


def task_rows(tokenizer, context, job):
    """-> (ids, marks), both [rows, context + 1]: items behind one another, each led by BOS.

    The line end of each item counts as graded, so that a model learns to stop.
    """
    seed, n_rows = job
    rng = random.Random(f"rows {seed}")
    ids, marks = np.zeros((n_rows, context + 1), np.int16), np.zeros((n_rows, context + 1), np.uint8)
    for row in range(n_rows):
        line, line_marks = [], []
        while len(line) <= context:
            item = tasks.training_item(rng)
            pieces = PRE_TOKEN.findall(item.text.encode())
            tokens, graded = tasks.graded_tokens(tokenizer, pieces, item.spans)
            line += [BOS] + tokens
            line_marks += [0] + graded[:-1] + [1]
        ids[row], marks[row] = line[:context + 1], line_marks[:context + 1]
    return ids, marks


def prepare(tokenizer, text, context, n_task_rows=TASK_ROWS):
    """-> numpy (tokens, task ids, task marks)"""
    jobs = [(begin, min(ROWS_PER_JOB, n_task_rows - begin)) for begin in range(0, n_task_rows, ROWS_PER_JOB)]
    workers = os.cpu_count() or 1
    parts = list(cut(text, max(100000, len(text) // (4 * workers))))
    with multiprocessing.Pool(workers) as pool:
        encoded = pool.map_async(functools.partial(encode_part, tokenizer), parts, chunksize=1)
        rows = pool.map_async(functools.partial(task_rows, tokenizer, context), jobs, chunksize=1)
        tokens = np.concatenate(encoded.get())
        ids, marks = (np.concatenate(half) for half in zip(*rows.get()))
    return tokens, ids, marks


class Stream:
    """The prepared arrays on a device."""

    def __init__(self, prepared, context, device):
        self.tokens, self.ids, self.marks = (torch.from_numpy(array).to(device) for array in prepared)
        self.context, self.device = context, device
        if len(self.tokens) <= context + 1:
            raise SystemExit(f"the training text has {len(self.tokens)} tokens, a window alone needs {context + 1}")

    def order(self, seed, steps, batch):
        return Order(self, seed, steps, batch)


class Order:
    """steps batches of a stream; batch(i) is (inputs, targets, weights), each [batch, context]."""

    def __init__(self, stream, seed, steps, batch):
        self.stream, self.batch_rows, self.tokens_per_batch = stream, batch, batch * stream.context
        n_task = round(batch * TASK_SHARE)
        rng = np.random.default_rng(seed)
        starts = rng.integers(0, len(stream.tokens) - stream.context, (steps, batch - n_task))
        rounds = -(-steps * n_task // len(stream.ids))
        rows = np.concatenate([rng.permutation(len(stream.ids)) for _ in range(rounds)])
        self.starts = torch.from_numpy(starts).to(stream.device)
        self.rows = torch.from_numpy(rows[:steps * n_task].reshape(steps, n_task)).to(stream.device)
        self.offsets = torch.arange(stream.context, device=stream.device)

    def batch(self, step):
        text = self.stream.tokens[self.starts[step][:, None] + self.offsets].long()
        rows = self.stream.ids[self.rows[step]].long()
        inputs = torch.cat([F.pad(text[:, :-1], (1, 0), value=BOS), rows[:, :-1]])
        weights = torch.cat([torch.ones_like(text, dtype=torch.float32),
                             self.stream.marks[self.rows[step]][:, 1:].float()])
        return inputs, torch.cat([text, rows[:, 1:]]), weights
