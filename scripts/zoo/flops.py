# SPDX-License-Identifier: Apache-2.0
"""Counted FLOPs of training, from shapes. A multiply-add is 2.

They are the work of the model's equations, not that of the kernels: the parallel forms of models/ compute
more than this, among it the future half of every [time, time] matrix.
"""
from torch import nn

CONVENTION = ("training = 3 x forward; forward = 2 x matrix elements incl. the tied head, per token, plus the mixer: "
              "{mixer}; not counted: embedding look-up, norms, rotary embedding, softmax, activations, gates, "
              "optimiser; masked weights count as dense")
MIXER = {"llama": "exact causal attention 4 d (S + 1) / 2 per token and layer",
         "rwkv4": "wkv 14 d per token and layer",
         "retnet": "retention 5 d v_head_dim per token and layer (recurrent form)",
         "h3": "shift 2 shift d, key-value product d head_dim, SSM 14 d_state d head_dim, read-out 2 d head_dim per "
               "token and layer (recurrent form)",
         "hyena": "short filter 6 short d, long filter as a direct sum 2 d (S + 1) / 2 per token and layer; the "
                  "network that makes the long filter is not counted"}
WITH_TEACHER = "; plus 1 x the teacher's forward"


def mixer_per_token(config):
    """Mean over a window of max_ctx tokens, one layer."""
    width, mean_context = config["d_model"], (config["max_ctx"] + 1) / 2
    if config["arch"] == "llama":
        return 4 * width * mean_context
    if config["arch"] == "rwkv4":
        return 14 * width
    if config["arch"] == "retnet":
        return 5 * width * config["v_head_dim"]
    if config["arch"] == "hyena":
        return 2 * 3 * config["short"] * width + 2 * width * mean_context
    head = config["head_dim"]
    return width * (2 * config["shift"] + head + 14 * config["d_state"] * head + 2 * head)


def matrix_elements(model):
    """Of all linear layers and the head."""
    layers = sum(part.weight.numel() for part in model.modules() if isinstance(part, nn.Linear))
    return layers + model.embed.weight.numel()


def forward_per_token(model):
    return 2 * matrix_elements(model) + model.config["n_layers"] * mixer_per_token(model.config)


def training_per_token(model, teacher=None):
    return 3 * forward_per_token(model) + (forward_per_token(teacher) if teacher is not None else 0)


def convention(config, with_teacher):
    return CONVENTION.format(mixer=MIXER[config["arch"]]) + (WITH_TEACHER if with_teacher else "")


def parameters(model):
    """-> (all, without the embedding)"""
    total = sum(parameter.numel() for parameter in model.parameters())
    return total, total - model.embed.weight.numel()
