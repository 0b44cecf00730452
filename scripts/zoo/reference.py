# SPDX-License-Identifier: Apache-2.0
"""The recurrent form of the five architectures in numpy and f64, one token at a time, from a file alone.

It is the yardstick: neither PyTorch nor the C engine, and too slow for anything but some dozens of tokens.
Its logits on a fixed prompt are what refs/ holds.
"""
import numpy as np

import storage
from tokenizer import BOS

EPS = 1e-5
ROPE_BASE = 10000.0
PROMPT = (b"R: c4 x9 h1 q7 ? x9 c4 q7 h1\n",
          b"The road went down to the sea, and nobody spoke until the lamps of the harbour came in sight.\n\n"
          b"\"There she lies,\" cried the boy; \"and it is 1842 all over again!\"")
N_PROMPT = 64


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def gelu(z):
    return 0.5 * z * (1 + np.tanh(0.7978845608028654 * (z + 0.044715 * z ** 3)))


def rms_scaled(x):
    return x / np.sqrt(np.mean(x * x, -1, keepdims=True) + EPS)


def rope(heads, position):
    half = heads.shape[-1] // 2
    angle = position * ROPE_BASE ** (-np.arange(half) / half)
    first, second = heads[:, :half], heads[:, half:]
    return np.concatenate([first * np.cos(angle) - second * np.sin(angle),
                           second * np.cos(angle) + first * np.sin(angle)], 1)


def newest_first(history, new, keep):
    """Puts `new` in front of a list and drops what is older than `keep` entries."""
    history.insert(0, new)
    del history[keep:]
    return history


class Reference:
    """step(token) -> logits. State begins at zero and is kept per layer in a dictionary."""

    def __init__(self, path):
        self.tensors, metadata = storage.load(path)
        self.config = storage.config_of(metadata)
        self._dense = {}
        self.position, self.state = 0, [{} for _ in range(self.config["n_layers"])]

    def get(self, name):
        if name not in self._dense:
            self._dense[name] = storage.dense(self.tensors, name)
        return self._dense[name]

    def times(self, name, x):
        """Matrix times vector, through both factors of a low-rank matrix."""
        matrix = self.get(name + ".weight")
        if matrix is None:
            return self.get(name + ".b.weight") @ (self.get(name + ".a.weight") @ x)
        return matrix @ x

    def heads(self, name, x):
        return self.times(name, x).reshape(self.config["n_heads"], -1)

    def norm(self, name, x):
        weight, bias = self.get(name + ".weight"), self.get(name + ".bias")
        return rms_scaled(x) * weight if bias is None else rms_scaled(x - x.mean()) * weight + bias

    def step(self, token):
        embedding = self.get("embed.weight")
        x = embedding[token]
        if "embed_norm.weight" in self.tensors:
            x = self.norm("embed_norm", x)
        mixer, mlp = MIXERS[self.config["arch"]]
        for layer, state in enumerate(self.state):
            at = f"blocks.{layer}."
            x = x + mixer(self, at, state, self.norm(at + "norm1", x))
            x = x + mlp(self, at, state, self.norm(at + "norm2", x))
        self.position += 1
        return embedding @ self.norm("norm_f", x)

    def logits(self, tokens):
        return np.stack([self.step(token) for token in tokens])


def attention(ref, at, state, x):
    q, k, v = (ref.heads(f"{at}attn.{name}", x) for name in "qkv")
    state.setdefault("k", []).append(rope(k, ref.position))
    state.setdefault("v", []).append(v)
    keys, values = np.stack(state["k"], 1), np.stack(state["v"], 1)  # [head, time, width]
    scores = np.einsum("hw,htw->ht", rope(q, ref.position), keys) / np.sqrt(q.shape[1])
    weights = np.exp(scores - scores.max(1, keepdims=True))
    weights /= weights.sum(1, keepdims=True)
    return ref.times(at + "attn.o", np.einsum("ht,htw->hw", weights, values).ravel())


def swiglu(ref, at, _, x):
    gate = ref.times(at + "mlp.gate", x)
    return ref.times(at + "mlp.down", gate * sigmoid(gate) * ref.times(at + "mlp.up", x))


def gelu_mlp(ref, at, _, x):
    return ref.times(at + "mlp.down", gelu(ref.times(at + "mlp.up", x)))


def retention(ref, at, state, x):
    q, k, v = (ref.heads(f"{at}ret.{name}", x) for name in "qkv")
    q, k = rope(q, ref.position), rope(k, ref.position) / np.sqrt(q.shape[1])
    gamma = 1 - 2.0 ** (-5 - np.arange(len(q)))
    state["s"] = gamma[:, None, None] * state.get("s", 0) + k[:, :, None] * v[:, None, :]
    out = rms_scaled(np.einsum("hk,hkv->hv", q, state["s"])).ravel()
    gate = ref.times(at + "ret.g", x)
    return ref.times(at + "ret.o", gate * sigmoid(gate) * out)


def mixed(ref, name, now, before):
    share = ref.get(name)
    return now * share + before * (1 - share)


def time_mix(ref, at, state, x):
    before, state["time"] = state.get("time", np.zeros_like(x)), x
    r, k, v = (ref.times(f"{at}att.{name}", mixed(ref, f"{at}att.mix_{name}", x, before)) for name in "rkv")
    k = np.clip(k, -60, 30)
    a, b = state.get("a", 0), state.get("b", 0)
    now, fading = np.exp(ref.get(at + "att.bonus") + k), np.exp(-np.exp(ref.get(at + "att.decay")))
    state["a"], state["b"] = fading * a + np.exp(k) * v, fading * b + np.exp(k)
    return ref.times(at + "att.o", sigmoid(r) * (a + now * v) / (b + now))


def channel_mix(ref, at, state, x):
    before, state["channel"] = state.get("channel", np.zeros_like(x)), x
    key = np.maximum(ref.times(at + "ffn.k", mixed(ref, at + "ffn.mix_k", x, before)), 0) ** 2
    return sigmoid(ref.times(at + "ffn.r", mixed(ref, at + "ffn.mix_r", x, before))) * ref.times(at + "ffn.v", key)


def h3_mixer(ref, at, state, x):
    n_heads, taps = ref.config["n_heads"], ref.get(at + "mix.shift")
    past = newest_first(state.setdefault("keys", []), ref.times(at + "mix.k", x), taps.shape[1])
    k = sum(taps[:, j] * key for j, key in enumerate(past)).reshape(n_heads, -1)
    q, v = ref.heads(at + "mix.q", x), ref.heads(at + "mix.v", x)
    product = k[:, :, None] * v[:, None, :]
    ssm = {name: ref.get(f"{at}mix.ssm.{name}") for name in ("lam_log", "lam_arg", "c_re", "c_im", "skip")}
    pole = np.exp(ssm["lam_log"] + 1j * ssm["lam_arg"])[:, :, None, None]
    state["s"] = pole * state.get("s", 0) + product[:, None]
    gain = ssm["c_re"] + 1j * ssm["c_im"]
    out = np.einsum("hn,hnkv->hkv", gain, state["s"]).real + ssm["skip"][:, None, None] * product
    return ref.times(at + "mix.o", np.einsum("hk,hkv->hv", q, out).ravel())


def long_filter(ref, at):
    """[time, channel] over the whole context."""
    context, bands = ref.config["max_ctx"], ref.config["filter_bands"]
    tau = np.arange(context)[:, None]
    angle = 2 * np.pi * np.arange(1, bands + 1) * tau / context
    waves = np.stack([np.cos(angle), np.sin(angle)], -1).reshape(context, -1)
    w = {name: ref.get(f"{at}mix.filter.{name}") for name in ("w0", "b0", "w1", "b1", "w2", "decay")}
    hidden = np.sin(np.concatenate([tau / context, waves], 1) @ w["w0"].T + w["b0"])
    return (np.sin(hidden @ w["w1"].T + w["b1"]) @ w["w2"].T) * np.exp(-tau * np.exp(w["decay"]))


def hyena_mixer(ref, at, state, x):
    if "filter" not in state:
        state.update(filter=long_filter(ref, at), inputs=[], products=[])
    taps = ref.get(at + "mix.short.weight")
    past = newest_first(state["inputs"], ref.times(at + "mix.in", x), taps.shape[1])
    y = sum(taps[:, j] * entry for j, entry in enumerate(past)) + ref.get(at + "mix.short.bias")
    gate_out, gate_in, value = np.split(y, 3)
    products = newest_first(state["products"], gate_in * value, ref.config["max_ctx"])
    out = (state["filter"][:len(products)] * np.stack(products)).sum(0) + ref.get(at + "mix.skip") * products[0]
    return ref.times(at + "mix.o", gate_out * out)


MIXERS = {"llama": (attention, swiglu), "retnet": (retention, gelu_mlp), "rwkv4": (time_mix, channel_mix),
          "h3": (h3_mixer, gelu_mlp), "hyena": (hyena_mixer, gelu_mlp)}


def prompt(tokenizer):
    """BOS, an item of recall, BOS again (an ordinary token there), English."""
    ids = [BOS] + tokenizer.encode(PROMPT[0]) + [BOS] + tokenizer.encode(PROMPT[1])
    return ids[:N_PROMPT]


def write(model_path, reference_path, tokenizer, name):
    """Writes the reference logits of a file; -> (tokens, logits)"""
    tokens = prompt(tokenizer)
    logits = Reference(model_path).logits(tokens)
    log_sums = np.log(np.exp(logits - logits.max(1, keepdims=True)).sum(1)) + logits.max(1)
    nll = log_sums[:-1] - logits[np.arange(len(tokens) - 1), tokens[1:]]
    tensors = {"tokens": np.array(tokens, np.int32), "logits": logits.astype(np.float32), "nll": nll.astype(np.float32)}
    storage.save(reference_path, tensors, {"format": storage.FORMAT, "model": name,
                                           "computed": "numpy, f64, recurrent form, from the exported file"})
    return tokens, logits
