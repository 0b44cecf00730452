# SPDX-License-Identifier: Apache-2.0
"""Between PyTorch models and files of format tare-zoo-1: which tensors, in which types, with which metadata.

The bytes of the container and of packed matrices are storage.py's. A model that comes back from a file is
for evaluation and as a teacher; H3 then has the discretised system, from which training cannot go on.
"""
import numpy as np
import torch
from torch import nn

import flops
import models
import optim
import storage
from models.h3 import DISCRETE, ContinuousSsm, DiscreteSsm
from tokenizer import BOS


class LowRank(nn.Module):
    """Stands where a linear layer stood: y = B (A x)."""

    def __init__(self, a, b):
        super().__init__()
        self.a, self.b = nn.Linear(*a.shape[::-1], bias=False), nn.Linear(*b.shape[::-1], bias=False)
        self.a.weight.data, self.b.weight.data = a, b

    def forward(self, x):
        return self.b(self.a(x))


def put_low_rank(model, name, a, b):
    parent, leaf = name.rsplit(".", 1)
    setattr(model.get_submodule(parent), leaf, LowRank(a, b))


def linears(model):
    """Names and modules of all linear layers, without the head."""
    return [(name, part) for name, part in model.named_modules() if isinstance(part, nn.Linear)]


@torch.no_grad()
def to_tensors(model):
    """Matrices in f16, everything else in f32; an SSM in its discretised form."""
    systems = {name: part for name, part in model.named_modules() if isinstance(part, ContinuousSsm)}
    tensors = {}
    for name, parameter in model.named_parameters():
        if name.rpartition(".")[0] in systems and not name.endswith(".skip"):
            continue
        values = parameter.detach().float().cpu().numpy()
        tensors[name] = values.astype(np.float16 if optim.is_matrix(name, parameter) else np.float32)
    for prefix, system in systems.items():
        for name, values in zip(DISCRETE, system.discrete(torch.float64)):
            tensors[f"{prefix}.{name}"] = values.float().cpu().numpy()
    return tensors


def metadata(name, model, tokenizer, **more):
    return {"format": storage.FORMAT, "name": name, "n_params": flops.parameters(model)[0],
            "tokenizer_sha": tokenizer.sha, "bos": BOS, **model.config, **more}


def from_tensors(tensors, config, device="cpu"):
    """The model that the stored tensors describe, all storages widened to f32."""
    model = models.build(config)
    for block in model.blocks:
        if config["arch"] == "h3":
            block.mix.ssm = DiscreteSsm(config)
    for name, _ in linears(model):
        if name + ".a.weight" in tensors:
            shapes = (torch.zeros(tensors[f"{name}.{half}.weight"].shape) for half in "ab")
            put_low_rank(model, name, *shapes)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.from_numpy(storage.dense(tensors, name)))
    return model.to(device)


def load(path, device="cpu"):
    tensors, found = storage.load(path)
    keys = ("arch", "d_model", "n_layers", "vocab", "max_ctx", "ffn", "n_heads", "head_dim", "v_head_dim", "d_state",
            "shift", "short", "filter_bands", "filter_width")
    config = storage.config_of(found)
    return from_tensors(tensors, {key: config[key] for key in keys if key in config}, device)
