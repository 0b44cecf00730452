# SPDX-License-Identifier: Apache-2.0
"""RWKV-4, parallel form: the time mix as one lower-triangular product per channel, the channel mix.

No custom kernel and no chunks: a product with [time, time] matrices per channel is quick enough at 512
tokens, and its cost grows with the square of the window, unlike that of the recurrence.
"""
import math

import torch
import torch.nn.functional as F
from torch import nn

from .common import Block, LayerNorm, causal_product, exact, matrix, residual_gain, shifted, toeplitz

NORM = LayerNorm
NORM_AFTER_EMBEDDING = True
KEY_RANGE = (-60, 30)  # exp of it neither vanishes nor overflows in f32: part of the model


def mix(now, before, share):
    share = share.to(now.dtype)
    return now * share + before * (1 - share)


def wkv(key, value, decay, bonus):
    """The weighted mean of past values: weight exp(key), fading by exp(-exp(decay)) a token."""
    age = torch.arange(key.shape[1], device=key.device, dtype=key.dtype)
    fading = torch.exp(-torch.exp(decay)[:, None] * (age - 1).clamp(min=0)) * (age > 0)
    weight, past = torch.exp(key), toeplitz(fading)
    sums = causal_product(past, torch.cat([weight * value, weight], 0))
    value_sum, weight_sum = sums.chunk(2, 0)
    present = torch.exp(bonus + key)
    return (value_sum + present * value) / (weight_sum + present)


class TimeMix(nn.Module):
    def __init__(self, config, index):
        super().__init__()
        width, layers = config["d_model"], config["n_layers"]
        self.r, self.k, self.v = matrix(width, width), matrix(width, width, 0.3), matrix(width, width)
        self.o = matrix(width, width, residual_gain(config))
        depth, rest = index / max(1, layers - 1), 1 - index / layers  # RWKV-4's own initial values
        channel = torch.arange(width)
        part = channel / width
        self.mix_k = nn.Parameter(part ** rest)
        self.mix_v = nn.Parameter(part ** rest + 0.3 * depth)
        self.mix_r = nn.Parameter(part ** (0.5 * rest))
        self.decay = nn.Parameter(-5 + 8 * (channel / (width - 1)) ** (0.7 + 1.3 * depth))
        self.bonus = nn.Parameter(math.log(0.3) + 0.5 * ((channel + 1) % 3 - 1.0))

    def forward(self, x):
        before = shifted(x)
        gate = torch.sigmoid(self.r(mix(x, before, self.mix_r)))
        key, value = self.k(mix(x, before, self.mix_k)), self.v(mix(x, before, self.mix_v))
        with exact(x):
            dtype = self.decay.dtype
            key = key.to(dtype).clamp(*KEY_RANGE)
            out = wkv(key, value.to(dtype), self.decay, self.bonus)
        return self.o(gate * out.to(gate.dtype))


class ChannelMix(nn.Module):
    def __init__(self, config, index):
        super().__init__()
        width, hidden = config["d_model"], config["ffn"]
        self.k, self.r = matrix(width, hidden), matrix(width, width)
        self.v = matrix(hidden, width, residual_gain(config))
        part = (torch.arange(width) / width) ** (1 - index / config["n_layers"])
        self.mix_k, self.mix_r = nn.Parameter(part.clone()), nn.Parameter(part.clone())

    def forward(self, x):
        before = shifted(x)
        key = F.relu(self.k(mix(x, before, self.mix_k))).square()
        return torch.sigmoid(self.r(mix(x, before, self.mix_r))) * self.v(key)


def block(config, index):
    return Block(NORM, config, ("att", TimeMix(config, index)), ("ffn", ChannelMix(config, index)))
