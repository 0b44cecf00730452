# SPDX-License-Identifier: Apache-2.0
"""Hyena of order 2, parallel form: short filters, a gate, a long filter made by a small network, a gate.

The long convolution is a product with [time, time] matrices per channel, not an FFT: at 512 tokens a GPU
multiplies matrices in bfloat16 faster than it transforms in f32.
"""
import math

import torch
from torch import nn

from .common import (Block, GeluMlp, LayerNorm, causal_product, exact, matrix, residual_gain, short_filter,
                     toeplitz)

NORM = LayerNorm
NORM_AFTER_EMBEDDING = False


def uniform(limit, *shape):
    return nn.Parameter((2 * torch.rand(*shape) - 1) * limit)


class ShortFilter(nn.Module):
    def __init__(self, channels, taps):
        super().__init__()
        weight = 0.2 * torch.randn(channels, taps)
        weight[:, 0] += 0.7
        self.weight, self.bias = nn.Parameter(weight), nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        return short_filter(x, self.weight) + self.bias.to(x.dtype)


class LongFilter(nn.Module):
    """Position -> filter value: two sine layers and a linear one, times a learned exponential window."""

    def __init__(self, config):
        super().__init__()
        self.context, self.bands = config["max_ctx"], config["filter_bands"]
        width, hidden, inputs = config["d_model"], config["filter_width"], 1 + 2 * self.bands
        self.w0, self.b0 = uniform(8 / math.sqrt(inputs), hidden, inputs), uniform(math.pi, hidden)
        self.w1, self.b1 = uniform(math.sqrt(6 / hidden), hidden, hidden), uniform(math.pi, hidden)
        self.w2 = nn.Parameter(torch.randn(width, hidden) * 0.5 / math.sqrt(hidden))
        # time constants from two tokens to the whole context, in random order over the channels
        self.decay = nn.Parameter(-torch.linspace(math.log(2), math.log(self.context), width)[torch.randperm(width)])

    def features(self, tau):
        part = tau / self.context
        angles = [2 * math.pi * (k + 1) * part for k in range(self.bands)]
        waves = [wave(angle) for angle in angles for wave in (torch.cos, torch.sin)]
        return torch.stack([part] + waves, 1)

    def forward(self, time):
        """[channel, time]"""
        tau = torch.arange(time, device=self.w0.device, dtype=self.w0.dtype)
        hidden = torch.sin(self.features(tau) @ self.w0.T + self.b0)
        hidden = torch.sin(hidden @ self.w1.T + self.b1)
        window = torch.exp(-torch.exp(self.decay)[:, None] * tau)
        return (hidden @ self.w2.T).T * window


class Mixer(nn.Module):
    def __init__(self, config):
        super().__init__()
        width = config["d_model"]
        self.add_module("in", matrix(width, 3 * width))  # its name in the file is a word of Python
        self.short = ShortFilter(3 * width, config["short"])
        self.filter = LongFilter(config)
        self.skip = nn.Parameter(torch.full((width,), 0.5))
        self.o = matrix(width, width, residual_gain(config))

    def forward(self, x):
        gate_out, gate_in, value = self.short(getattr(self, "in")(x)).chunk(3, -1)
        z = gate_in * value
        with exact(x):
            weights = toeplitz(self.filter(x.shape[1])).to(z.dtype)
            long = causal_product(weights, z)
        return self.o(gate_out * (long + self.skip.to(z.dtype) * z))


def block(config, index):
    del index  # every layer begins alike
    return Block(NORM, config, ("mix", Mixer(config)), ("mlp", GeluMlp(config)))
