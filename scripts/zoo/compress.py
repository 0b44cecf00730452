# SPDX-License-Identifier: Apache-2.0
"""Compression variants of a trained model: int8, int4, pruned, low rank, and short fine-tuning of the last two.

Pruning and low rank cover the linear layers and never the embedding. Which weights go is decided on the f16
values of the exported file, in f32, so that an engine can derive the same variants from the same file.
"""
import numpy as np
import torch

import export
import storage

CALIBRATION_ROWS = 128
RATIO = 0.6            # of a matrix's numbers that its two factors hold
RANK_STEP = 8
FINE_TUNE_STEPS = 300
FINE_TUNE_RATE = 1e-3
QUANTIZED = {"int8": (storage.pack_int8, "int8 per output row, embedding int8"),
             "int4": (storage.pack_int4, "int4 groups of 32, embedding int8 per row")}


@torch.no_grad()
def second_moments(model, order):
    """Mean of x x^T over the inputs x of every linear layer, f64: {name: [in, in]}"""
    sums, rows, hooks = {}, {}, []
    for name, layer in export.linears(model):
        def watch(_, inputs, name=name):
            x = inputs[0].reshape(-1, inputs[0].shape[-1]).float()
            sums[name] = sums.get(name, 0) + (x.T @ x).double().cpu().numpy()
            rows[name] = rows.get(name, 0) + len(x)
        hooks.append(layer.register_forward_pre_hook(watch))
    done = 0
    while done * order.batch_rows < CALIBRATION_ROWS:
        model(order.batch(done)[0])
        done += 1
    for hook in hooks:
        hook.remove()
    return {name: total / rows[name] for name, total in sums.items()}


def input_rms(moments):
    return {name: np.sqrt(np.diagonal(moment)).astype(np.float32) for name, moment in moments.items()}


def keep_largest(scores):
    """Per matrix: what lies above the score of rank n / 2."""
    return scores > np.partition(scores.ravel(), scores.size // 2 - 1)[scores.size // 2 - 1]


def keep_half_of_rows(scores):
    half = scores.shape[1] // 2 - 1
    return scores > np.partition(scores, half, 1)[:, half:half + 1]


def keep_two_of_four(scores):
    """The two largest of each four neighbours of a row; of equals the first."""
    fours = scores.reshape(len(scores), -1, 4)
    rank = np.argsort(np.argsort(-fours, -1, kind="stable"), -1)
    return (rank < 2).reshape(scores.shape)


def keep_mask(kind, matrix, rms):
    size = np.abs(matrix.astype(np.float32))
    if kind == "mag50":
        return keep_largest(size)
    return {"wanda50": keep_half_of_rows, "wanda24": keep_two_of_four}[kind](size * rms)


def quantized(tensors, names, kind):
    """The tensors of a file with all matrices packed; the embedding is int8 in both kinds."""
    pack, method = QUANTIZED[kind]
    packed = {name: values for name, values in tensors.items() if name not in names and name != "embed.weight"}
    for name in names:
        packed.update(pack(name, tensors[name]))
    packed.update(storage.pack_int8("embed.weight", tensors["embed.weight"]))
    return packed, method


def pruned(tensors, masks):
    packed = {name: values for name, values in tensors.items() if name not in masks}
    for name, mask in masks.items():
        packed.update(storage.pack_sparse(name, tensors[name] * mask))
    return packed


def rank_of(n_out, n_in):
    return max(RANK_STEP, int(RATIO * n_out * n_in / (n_out + n_in)) // RANK_STEP * RANK_STEP)


def low_rank_factors(matrix, moment):
    """(A, B) of the rank at hand that minimise E |(W - B A) x|^2: the SVD of W S, S S^T being E x x^T.

    A little of the mean moment is added to its diagonal, so that S exists for inputs that never vary.
    """
    n_out, n_in = matrix.shape
    rank = rank_of(n_out, n_in)
    whitener = np.linalg.cholesky(moment + np.eye(n_in) * np.diagonal(moment).mean() * 1e-4)
    left, values, right = np.linalg.svd(matrix.astype(np.float64) @ whitener, full_matrices=False)
    root = np.sqrt(values[:rank])
    a = np.linalg.solve(whitener.T, (root[:, None] * right[:rank]).T).T
    return a.astype(np.float16), (left[:, :rank] * root).astype(np.float16)


def low_rank(tensors, moments):
    factored = {name: values for name, values in tensors.items() if name[:-len(".weight")] not in moments}
    for layer, moment in moments.items():
        a, b = low_rank_factors(tensors[layer + ".weight"], moment)
        factored[layer + ".a.weight"], factored[layer + ".b.weight"] = a, b
    return factored


def mask_holder(model, masks):
    """A function that zeroes the pruned weights again; to be called after every update."""
    device = model.embed.weight.device
    held = [(model.get_parameter(name), torch.from_numpy(mask).to(device)) for name, mask in masks.items()]

    @torch.no_grad()
    def hold():
        for parameter, mask in held:
            parameter.mul_(mask)
    return hold


class Variants:
    """All variants of one trained file, as (name, tensors, metadata) or, to be trained, with a model."""

    def __init__(self, tensors, model):
        self.tensors, self.model = tensors, model
        self.layers = [name + ".weight" for name, _ in export.linears(model)]
        grouped = all(tensors[name].shape[1] % storage.GROUP == 0 for name in self.layers)
        self.quantized_kinds = [kind for kind in QUANTIZED if grouped or kind != "int4"]

    def untrained(self, moments):
        """Yields (kind, tensors, metadata); those that need moments only if there are any."""
        for kind in self.quantized_kinds:
            tensors, method = quantized(self.tensors, self.layers, kind)
            yield kind, tensors, {"method": method}
        if moments:
            for kind in ("mag50", "wanda50", "wanda24"):
                yield kind, pruned(self.tensors, self.masks(kind, moments)), {"method": kind, "sparsity": 0.5}
            yield "svd", low_rank(self.tensors, moments), self.low_rank_facts(moments)

    def masks(self, kind, moments):
        rms = input_rms(moments)
        return {name: keep_mask(kind, self.tensors[name], rms[name[:-len(".weight")]]) for name in self.layers}

    def low_rank_facts(self, moments):
        ranks = [rank_of(*self.tensors[layer + ".weight"].shape) for layer in moments]
        return {"method": "activation-whitened truncated SVD of every linear layer", "ratio": RATIO,
                "rank_min": min(ranks), "rank_max": max(ranks)}

    def to_fine_tune(self, moments, device):
        """Yields (kind, model, function after each update or None, masks or None, metadata)."""
        for kind in ("wanda50", "wanda24"):
            masks = self.masks(kind, moments)
            model = export.from_tensors(pruned(self.tensors, masks), self.model.config, device)
            facts = {"method": f"{kind}, then fine-tuned with the mask held", "sparsity": 0.5}
            yield kind + "-ft", model, mask_holder(model, masks), masks, facts
        model = export.from_tensors(low_rank(self.tensors, moments), self.model.config, device)
        facts = self.low_rank_facts(moments)
        facts["method"] += ", then fine-tuned"
        yield "svd-ft", model, None, None, facts
