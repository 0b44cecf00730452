# SPDX-License-Identifier: Apache-2.0
"""The training loop: one model, one order of batches, one objective; it fills a record as it goes.

On a GPU a whole step (forward, backward, clipping, update) is captured once as a CUDA graph and replayed,
because these models are so small that starting kernels one by one would cost more than running them. On a
processor the same step simply runs.
"""
import dataclasses
import math
import time
import typing

import torch

import distill
import optim

POINTS = 40            # of the curve
VALIDATE_EVERY = 8     # points


@dataclasses.dataclass
class Run:
    """What a call of fit() needs."""
    model: torch.nn.Module
    order: typing.Any                  # stream.Order
    steps: int
    peak_rate: float
    flops_per_token: float
    record: typing.Any                 # record.Record
    energy: typing.Any                 # energy.Energy
    objective: typing.Callable = distill.next_token
    validate: typing.Optional[typing.Callable] = None  # model -> evaluate.TextScore
    after_update: typing.Optional[typing.Callable] = None


class Step:
    """One optimisation step on buffers that stay in place; calling it returns the batch's NLL."""

    def __init__(self, run):
        self.run = run
        self.buffers = [torch.zeros_like(part) for part in run.order.batch(0)]
        self.device = self.buffers[0].device
        self.optimiser = optim.adamw(run.model, self.device.type == "cuda")
        self.parameters = list(run.model.parameters())
        self.graph, self.nll = None, None
        if self.device.type == "cuda":
            self._capture()

    def _compute(self):
        on_gpu = self.device.type == "cuda"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=on_gpu, cache_enabled=False):
            loss, nll = self.run.objective(self.run.model, *self.buffers)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, optim.CLIP_NORM)
        self.optimiser.step()
        if self.run.after_update:
            self.run.after_update()
        return nll.detach()

    def _load(self, batch):
        for buffer, part in zip(self.buffers, batch):
            buffer.copy_(part)

    def _capture(self):
        """Three steps at rate 0 to warm up, which move no weight; the optimiser then forgets them."""
        self._load(self.run.order.batch(0))
        optim.set_rate(self.optimiser, 0.0)
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self.optimiser.zero_grad(set_to_none=True)
                self._compute()
        torch.cuda.current_stream().wait_stream(side)
        self.optimiser.zero_grad(set_to_none=True)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.nll = self._compute()
        for state in self.optimiser.state.values():
            for value in state.values():
                value.zero_()

    def __call__(self, batch, rate):
        self._load(batch)
        optim.set_rate(self.optimiser, rate)
        if self.graph is None:
            self.optimiser.zero_grad(set_to_none=True)
            return self._compute()
        self.graph.replay()
        return self.nll


class Meter:
    """Seconds and joules since the first step, with everything before it on the GPU finished."""

    def __init__(self, energy, device):
        self.energy, self.device = energy, device
        self._wait()
        self.begin, self.joules_before = time.monotonic(), energy.joules()

    def _wait(self):
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def read(self):
        self._wait()
        seconds, joules = time.monotonic() - self.begin, self.energy.joules()
        known = joules is not None and self.joules_before is not None
        return seconds, round(joules - self.joules_before, 3) if known else None


def validation(run, number):
    """The fields of a point that a pass over the validation text gives, null where none was made."""
    if run.validate is None or (number % VALIDATE_EVERY and number != POINTS):
        return {"valid_nll": None, "valid_bits_per_byte": None}
    score = run.validate(run.model)
    return {"valid_nll": round(score.nll_per_token, 6), "valid_bits_per_byte": round(score.bits_per_byte, 6)}


def add_point(run, meter, done, train_nll):
    """Adds a point; -> seconds that validation took. The point's seconds and joules are from before it."""
    seconds, joules = meter.read()
    tokens = done * run.order.tokens_per_batch
    fields = validation(run, round(done * POINTS / run.steps))
    validating = meter.read()[0] - seconds if fields["valid_nll"] is not None else 0.0
    run.record.point(step=done, tokens=tokens, flops=round(tokens * run.flops_per_token),
                     wall_seconds=round(seconds, 3), joules=joules,
                     train_nll=round(train_nll, 6) if math.isfinite(train_nll) else None, **fields)
    return validating


def fit(run):
    """Trains run.model in place; the record then lacks only what evaluation adds."""
    begin = time.monotonic()
    step = Step(run)
    setup = time.monotonic() - begin
    every = max(1, run.steps // POINTS)
    total, validating, train_nll, done = torch.zeros((), device=step.device), 0.0, math.nan, 0
    meter = Meter(run.energy, step.device)
    since = 0
    while done < run.steps:
        total += step(run.order.batch(done), optim.rate_at(done, run.steps, run.peak_rate))
        done += 1
        since += 1
        if done % every == 0 or done == run.steps:
            train_nll, since = total.item() / since, 0
            total.zero_()
            validating += add_point(run, meter, done, train_nll)
            if not math.isfinite(train_nll):
                break
    seconds, joules = meter.read()
    tokens = done * run.order.tokens_per_batch
    run.record.run.update(
        steps=done, tokens=tokens, flops=round(tokens * run.flops_per_token), wall_seconds=round(seconds, 3),
        validation_seconds=round(validating, 3), setup_seconds=round(setup, 3), joules=joules,
        final_train_nll=train_nll if math.isfinite(train_nll) else None,
        schedule_finished=done == run.steps and math.isfinite(train_nll))
    run.record.save()
