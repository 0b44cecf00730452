# SPDX-License-Identifier: Apache-2.0
"""RetNet, parallel form: retention whose heads forget at fixed, different rates, then a gated norm.

The chunked form of the paper is not here: a window of 512 tokens fits the plain one.
"""
import functools

import torch
import torch.nn.functional as F
from torch import nn

from .common import EPS, Block, GeluMlp, RMSNorm, matrix, residual_gain, retention, rope, split_heads

NORM = RMSNorm
NORM_AFTER_EMBEDDING = False


@functools.lru_cache(maxsize=8)
def decay_weights(n_heads, time, device, dtype):
    """[head, t, i]: gamma ** (t - i) up to the present, 0 after it; gamma = 1 - 2 ** (-5 - head)."""
    head = torch.arange(n_heads, device=device, dtype=torch.float64)
    step = torch.arange(time, device=device, dtype=torch.float64)
    age = step[:, None] - step[None]
    weights = (1 - 2 ** (-5 - head))[:, None, None] ** age.clamp(min=0)
    return (weights * (age >= 0)).to(dtype)


class Retention(nn.Module):
    def __init__(self, config):
        super().__init__()
        width, self.n_heads = config["d_model"], config["n_heads"]
        inner = self.n_heads * config["v_head_dim"]
        self.q, self.k = matrix(width, width), matrix(width, width)
        self.v, self.g = matrix(width, inner), matrix(width, inner)
        self.o = matrix(inner, width, residual_gain(config))

    def forward(self, x):
        q, k, v = (split_heads(layer(x), self.n_heads) for layer in (self.q, self.k, self.v))
        weights = decay_weights(self.n_heads, x.shape[1], x.device, self.o.weight.dtype)
        out = retention(rope(q), rope(k) * q.shape[-1] ** -0.5, v, weights).to(weights.dtype)
        out = out * torch.rsqrt(out.square().mean(-1, keepdim=True) + EPS)  # per head, no weight
        return self.o(F.silu(self.g(x)) * out.transpose(1, 2).flatten(2))


def block(config, index):
    del index  # every layer begins alike
    return Block(NORM, config, ("ret", Retention(config)), ("mlp", GeluMlp(config)))
