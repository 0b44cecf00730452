# SPDX-License-Identifier: Apache-2.0
"""H3, parallel form: a short shift filter on the keys, then a diagonal SSM over key-value products.

The SSM is linear in those products, so its output read by the query is attention without softmax whose
weights depend on the distance alone. A query reads sum_i h[t - i] (q_t . k_i) v_i, h being the SSM's
impulse response; no state is ever built.
"""
import math

import torch
import torch.nn.functional as F
from torch import nn

from .common import (Block, GeluMlp, LayerNorm, exact, join_heads, matrix, residual_gain, retention,
                     short_filter, split_heads, toeplitz)

NORM = LayerNorm
NORM_AFTER_EMBEDDING = False
DISCRETE = ("lam_log", "lam_arg", "c_re", "c_im")


def impulse_response(lam_log, lam_arg, c_re, c_im, skip, time):
    """[head, time]: Re sum_n c_n lam_n ** tau, plus the skip at tau = 0."""
    tau = torch.arange(time, device=skip.device, dtype=skip.dtype)
    size, angle = torch.exp(lam_log[..., None] * tau), lam_arg[..., None] * tau
    waves = size * (c_re[..., None] * torch.cos(angle) - c_im[..., None] * torch.sin(angle))
    return waves.sum(1) + F.pad(skip[:, None], (0, time - 1))


class ContinuousSsm(nn.Module):
    """As trained: poles A = -exp(log_decay) + i freq, step exp(log_step), one system per head."""

    def __init__(self, config):
        super().__init__()
        heads, states = config["n_heads"], config["d_state"]
        self.log_step = nn.Parameter(torch.linspace(math.log(0.002), math.log(0.3), heads))
        self.log_decay = nn.Parameter(torch.full((heads, states), math.log(0.5)))
        self.freq = nn.Parameter(math.pi * torch.arange(float(states)).repeat(heads, 1))
        self.gain_re = nn.Parameter(0.5 + 0.5 * torch.randn(heads, states))
        self.gain_im = nn.Parameter(0.5 * torch.randn(heads, states))
        self.skip = nn.Parameter(torch.full((heads,), 0.5))

    def discrete(self, dtype):
        """Zero-order hold: lam = exp(step A), c = 2 gain (lam - 1) / A; in DISCRETE's order."""
        step = torch.exp(self.log_step.to(dtype))[:, None]
        a_re, a_im = -torch.exp(self.log_decay.to(dtype)), self.freq.to(dtype)
        lam_log, lam_arg = step * a_re, step * a_im
        n_re = torch.exp(lam_log) * torch.cos(lam_arg) - 1
        n_im = torch.exp(lam_log) * torch.sin(lam_arg)
        square = a_re * a_re + a_im * a_im
        q_re, q_im = (n_re * a_re + n_im * a_im) / square, (n_im * a_re - n_re * a_im) / square
        g_re, g_im = self.gain_re.to(dtype), self.gain_im.to(dtype)
        return lam_log, lam_arg, 2 * (g_re * q_re - g_im * q_im), 2 * (g_re * q_im + g_im * q_re)

    def response(self, time):
        return impulse_response(*self.discrete(self.skip.dtype), self.skip, time)


class DiscreteSsm(nn.Module):
    """As exported: takes the place of ContinuousSsm in a model that was read from a file."""

    def __init__(self, config):
        super().__init__()
        for name in DISCRETE:
            self.register_parameter(name, nn.Parameter(torch.zeros(config["n_heads"], config["d_state"])))
        self.skip = nn.Parameter(torch.zeros(config["n_heads"]))

    def response(self, time):
        return impulse_response(*(getattr(self, name) for name in DISCRETE), self.skip, time)


class Mixer(nn.Module):
    def __init__(self, config):
        super().__init__()
        width, self.n_heads = config["d_model"], config["n_heads"]
        self.q, self.k, self.v = (matrix(width, width) for _ in range(3))
        self.o = matrix(width, width, residual_gain(config))
        taps = 0.15 * torch.randn(width, config["shift"])
        taps[:, :2] += 0.5
        self.shift = nn.Parameter(taps)
        self.ssm = ContinuousSsm(config)

    def forward(self, x):
        key = short_filter(self.k(x), self.shift)
        q, k, v = (split_heads(z, self.n_heads) for z in (self.q(x), key, self.v(x)))
        with exact(x):
            weights = toeplitz(self.ssm.response(x.shape[1]))
        return self.o(join_heads(retention(q, k, v, weights)))


def block(config, index):
    del index  # every layer begins alike
    return Block(NORM, config, ("mix", Mixer(config)), ("mlp", GeluMlp(config)))
