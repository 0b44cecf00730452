# SPDX-License-Identifier: Apache-2.0
"""Llama-style Transformer, parallel form: causal attention with rotary embedding, SwiGLU.

Full multi-head attention only: no grouped keys, no cache, no sliding window.
"""
import torch
import torch.nn.functional as F
from torch import nn

from .common import Block, RMSNorm, join_heads, matrix, residual_gain, rope, split_heads

NORM = RMSNorm
NORM_AFTER_EMBEDDING = False


def attend(q, k, v):
    """Causal softmax attention; spelled out where PyTorch is too old (below 2.0) to have it."""
    if hasattr(F, "scaled_dot_product_attention"):
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)
    future = torch.ones(q.shape[-2], q.shape[-2], dtype=torch.bool, device=q.device).triu(1)
    scores = (q @ k.transpose(-1, -2)) * q.shape[-1] ** -0.5
    return scores.masked_fill(future, float("-inf")).softmax(-1) @ v


class Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        width = config["d_model"]
        self.n_heads = config["n_heads"]
        self.q, self.k, self.v = (matrix(width, width) for _ in range(3))
        self.o = matrix(width, width, residual_gain(config))

    def forward(self, x):
        q, k, v = (split_heads(layer(x), self.n_heads) for layer in (self.q, self.k, self.v))
        return self.o(join_heads(attend(rope(q), rope(k), v)))


class SwiGlu(nn.Module):
    def __init__(self, config):
        super().__init__()
        width, hidden = config["d_model"], config["ffn"]
        self.gate, self.up = matrix(width, hidden), matrix(width, hidden)
        self.down = matrix(hidden, width, residual_gain(config))

    def forward(self, x):
        return self.down(F.silu(self.gate(x)) * self.up(x))


def block(config, index):
    del index  # every layer begins alike
    return Block(NORM, config, ("attn", Attention(config)), ("mlp", SwiGlu(config)))
