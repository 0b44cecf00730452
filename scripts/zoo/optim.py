# SPDX-License-Identifier: Apache-2.0
"""The optimiser: AdamW, which parameters decay and which move slowly, and the rate's course over the run."""
import math

import torch

WARMUP_STEPS = 200
FINAL_SHARE = 0.05  # of the peak rate, at the end of the cosine
WEIGHT_DECAY = 0.1
SLOW = 0.3          # time constants of SSMs and filters move at this share of the rate
SLOW_NAMES = (".ssm.log_step", ".ssm.log_decay", ".ssm.freq", ".filter.decay")
CLIP_NORM = 1.0


def rate_at(step, steps, peak):
    """Linear warm-up, then half a cosine from the peak down to FINAL_SHARE of it."""
    warmup = min(WARMUP_STEPS, max(1, steps // 10))
    if step < warmup:
        return peak * (step + 1) / warmup
    done = (step - warmup) / max(1, steps - warmup)
    return peak * (FINAL_SHARE + (1 - FINAL_SHARE) * (1 + math.cos(math.pi * done)) / 2)


def is_matrix(name, parameter):
    """The weight of a linear layer or the embedding: what files hold in f16."""
    return parameter.dim() == 2 and name.endswith(".weight") and not name.endswith(".short.weight")


def groups(model):
    """Matrices decay; the embedding, norms and vectors do not; SLOW_NAMES move slowly."""
    matrices, vectors, slow = [], [], []
    for name, parameter in model.named_parameters():
        if name.endswith(SLOW_NAMES):
            slow.append(parameter)
        elif is_matrix(name, parameter) and name != "embed.weight":
            matrices.append(parameter)
        else:
            vectors.append(parameter)
    kinds = ((matrices, WEIGHT_DECAY, 1.0), (vectors, 0.0, 1.0), (slow, 0.0, SLOW))
    return [{"params": members, "weight_decay": decay, "share": share} for members, decay, share in kinds if members]


def adamw(model, on_gpu):
    """On a GPU the rate lives in a tensor, because a captured graph reads it from where it was."""
    if not on_gpu:
        return torch.optim.AdamW(groups(model), lr=0.0, betas=(0.9, 0.95))
    kinds = groups(model)
    for kind in kinds:
        kind["lr"] = torch.zeros((), device=kind["params"][0].device)
    return torch.optim.AdamW(kinds, betas=(0.9, 0.95), capturable=True, fused=True)


def set_rate(optimiser, rate):
    for kind in optimiser.param_groups:
        if torch.is_tensor(kind["lr"]):
            kind["lr"].fill_(rate * kind["share"])
        else:
            kind["lr"] = rate * kind["share"]
