# SPDX-License-Identifier: Apache-2.0
"""What the five architectures share: norms, matrices, rotary embedding, heads, block and model.

Everything here computes whole windows in parallel, for training. The recurrent form of the same
equations, which inference uses, is reference.py. Nothing here knows a particular architecture.
Tensors of a window are [batch, time, width]; per head they are [batch, head, time, head width].
"""
import functools
import math

import torch
import torch.nn.functional as F
from torch import nn

EPS = 1e-5
ROPE_BASE = 10000.0


def matrix(n_in, n_out, gain=1.0):
    """A linear layer without bias whose output has about `gain` times the input's deviation."""
    layer = nn.Linear(n_in, n_out, bias=False)
    nn.init.normal_(layer.weight, std=gain * n_in ** -0.5)
    return layer


def residual_gain(config):
    """Gain of matrices that write into the residual stream: small, and smaller in deeper models."""
    return 0.5 / math.sqrt(2 * config["n_layers"])


def exact(x):
    """A context in which nothing is rounded to bfloat16, whatever the training loop has asked for."""
    return torch.autocast(x.device.type, enabled=False)


def lower(x):
    """x in bfloat16 while a GPU trains, else untouched: one conversion for all matrices that read it."""
    return x.to(torch.bfloat16) if x.is_cuda and torch.is_autocast_enabled() else x


class RMSNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        if hasattr(F, "rms_norm"):
            return F.rms_norm(x, self.weight.shape, self.weight, EPS)
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + EPS) * self.weight


class LayerNorm(nn.LayerNorm):
    def __init__(self, width):
        super().__init__(width, eps=EPS)


class GeluMlp(nn.Module):
    def __init__(self, config):
        super().__init__()
        width, hidden = config["d_model"], config["ffn"]
        self.up = matrix(width, hidden)
        self.down = matrix(hidden, width, residual_gain(config))

    def forward(self, x):
        return self.down(F.gelu(self.up(x), approximate="tanh"))


def split_heads(x, n_heads):
    batch, time, width = x.shape
    return x.view(batch, time, n_heads, width // n_heads).transpose(1, 2)


def join_heads(x):
    return x.transpose(1, 2).flatten(2)


@functools.lru_cache(maxsize=8)
def _rope_table(time, head_width, device, dtype):
    pair = torch.arange(head_width // 2, device=device, dtype=torch.float64)
    position = torch.arange(time, device=device, dtype=torch.float64)
    angle = position[:, None] * ROPE_BASE ** (-2 * pair / head_width)
    return angle.cos().to(dtype), angle.sin().to(dtype)


def rope(x):
    """Rotates the pairs (i, i + half) of every head vector by its position."""
    dtype = torch.promote_types(x.dtype, torch.float32)
    cos, sin = _rope_table(x.shape[-2], x.shape[-1], x.device, dtype)
    first, second = x.chunk(2, -1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], -1).to(x.dtype)


def shifted(x, steps=1):
    """x of `steps` tokens ago; zeros before the window."""
    return F.pad(x, (0, 0, steps, 0))[:, :x.shape[1]]


def short_filter(x, taps):
    """Causal filter of a few taps per channel; taps is [channel, tap], tap 0 the present token."""
    taps = taps.to(x.dtype)
    return sum(shifted(x, j) * taps[:, j] for j in range(taps.shape[1]))


def toeplitz(kernel):
    """[channel, time] -> [channel, t, i] holding kernel[t - i], and 0 for the future (i > t)."""
    time = kernel.shape[-1]
    return F.pad(kernel, (time - 1, 0)).unfold(-1, time, 1).flip(-1)


def causal_product(weights, x):
    """[channel, t, i] times [batch, i, channel] -> [batch, t, channel]."""
    return torch.bmm(weights, x.permute(2, 1, 0)).permute(2, 1, 0)


def retention(q, k, v, weights):
    """Attention without softmax: sum over i of weights[t, i] (q_t . k_i) v_i, per head."""
    scores = q @ k.transpose(-1, -2)
    return (scores * weights.to(scores.dtype)) @ v


class Block(nn.Module):
    """x += mixer(norm1(x)), then x += mlp(norm2(x)). Each part is a pair of its name in files and a module."""

    def __init__(self, norm, config, mixer, mlp):
        super().__init__()
        self.norm1, self.norm2 = norm(config["d_model"]), norm(config["d_model"])
        self.parts = (mixer[0], mlp[0])
        self.add_module(*mixer)
        self.add_module(*mlp)

    def forward(self, x):
        mixer, mlp = (getattr(self, name) for name in self.parts)
        x = x + mixer(lower(self.norm1(x)))
        return x + mlp(lower(self.norm2(x)))


class LanguageModel(nn.Module):
    """Token ids [batch, time] -> logits [batch, time, vocab]. The head is the embedding."""

    def __init__(self, config, norm, blocks, norm_after_embedding=False):
        super().__init__()
        self.config = dict(config)
        self.embed = nn.Embedding(config["vocab"], config["d_model"])
        nn.init.normal_(self.embed.weight, std=0.05)
        if norm_after_embedding:
            self.embed_norm = norm(config["d_model"])
        self.blocks = nn.ModuleList(blocks)
        self.norm_f = norm(config["d_model"])

    def forward(self, tokens):
        x = self.embed(tokens)
        if hasattr(self, "embed_norm"):
            x = self.embed_norm(x)
        for block in self.blocks:
            x = block(x)
        return F.linear(self.norm_f(x), self.embed.weight)
