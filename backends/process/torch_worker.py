#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A worker over plain PyTorch: the zoo's Llama equations as a module, or a random model of any size.

The path is a file of the zoo (format tare-zoo-1, architecture llama, dense F16 or F32). With random=LAYERSxWIDTH
no file is read: weights are drawn from seed=N, the vocabulary is vocab=N and tokens are bytes. Nothing is needed but
PyTorch: no numpy, no safetensors. Tested with PyTorch 1.13 and 2.11.

Settings: device (cpu), dtype (float32), threads (1), logits (no: the log-softmax is made here, in float32 or better),
reuse_prefix (yes in float32, else no), tokenizer (beside the model), random, seed, vocab, ctx.
"""
import ctypes
import json
import math
import os
import re
import struct

import torch
from torch.nn import functional as f

import tare_worker
from tare_worker import Refused

SETTINGS = {"device", "dtype", "threads", "logits", "reuse_prefix", "tokenizer", "random", "seed", "vocab", "ctx"}
DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
ROPE_BASE, RMS_EPSILON = 10000.0, 1e-5  # fixed by the format of the zoo
HEAD_DIM = 64  # of random models
PRETOKEN = re.compile(rb" ?[A-Za-z\x80-\xff]+(?:'[A-Za-z\x80-\xff]+)*|[0-9]|\n+| ?[^A-Za-z0-9\x80-\xff\s\x00]+|\x00|\s")


def read_safetensors(path):
    """(metadata, {name: tensor}) of a file with F16 and F32 tensors."""
    with open(path, "rb") as file:
        data = bytearray(file.read())
    n = struct.unpack_from("<Q", data)[0] if len(data) >= 8 else len(data)
    if n > len(data) - 8:
        raise Refused(f"{path}: not a safetensors file", "format")
    header = json.loads(data[8:8 + n])
    metadata = header.pop("__metadata__", {})
    types = {"F16": torch.float16, "F32": torch.float32}
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        if entry["dtype"] not in types or 8 + n + end > len(data):
            raise Refused(f"{path}: tensor {name} is {entry['dtype']} or beyond the end: only dense F16 and F32", "format")
        kind = types[entry["dtype"]]
        count = math.prod(entry["shape"])
        tensors[name] = torch.frombuffer(data, dtype=kind, count=count, offset=8 + n + begin).reshape(entry["shape"])
    return metadata, tensors


class Tokenizer:
    """The zoo's byte-level BPE: the pair of lowest rank merges first, from left to right."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            told = json.load(file)
        self.sha = told["sha"]
        self.ranks = {tuple(pair): i for i, pair in enumerate(told["merges"])}
        self.bytes = [bytes([i]) for i in range(256)]
        for a, b in told["merges"]:
            self.bytes.append(self.bytes[a] + self.bytes[b])
        self.known = {}

    def merge(self, word):
        ids = list(word)
        while len(ids) > 1:
            pairs = zip(ids, ids[1:])
            rank = min(self.ranks.get(p, len(self.ranks)) for p in pairs)
            if rank == len(self.ranks):
                break
            i, merged = 0, []
            while i < len(ids):
                together = i + 1 < len(ids) and self.ranks.get((ids[i], ids[i + 1])) == rank
                merged.append(256 + rank if together else ids[i])
                i += 2 if together else 1
            ids = merged
        return ids

    def encode(self, text):
        ids, ends, at = [], [], 0
        while at < len(text):
            word = PRETOKEN.match(text, at).group()
            if word not in self.known:
                self.known[word] = self.merge(word)
            for token in self.known[word]:
                ids.append(token)
                at += len(self.bytes[token])
                ends.append(at)
        return ids, ends


class Bytes:
    """Tokens are bytes; id 256 begins a sequence."""

    sha = "bytes"
    bytes = [bytes([i]) for i in range(256)]

    def encode(self, text):
        return list(text), list(range(1, len(text) + 1))


class Llama(torch.nn.Module):
    """RMSNorm, rotary attention over all heads, SwiGLU; the head is the embedding's transpose."""

    def __init__(self, sizes, weights, device, dtype):
        super().__init__()
        self.sizes, self.weights = sizes, {k: v.to(device, dtype) for k, v in weights.items()}
        half = sizes["head_dim"] // 2
        # In double, on the processor: a GPU's float32 power is off where the angle is large.
        frequency = torch.tensor([ROPE_BASE ** (-i / half) for i in range(half)], dtype=torch.float64)
        angles = torch.arange(sizes["max_ctx"], dtype=torch.float64)[:, None] * frequency
        self.cos, self.sin = angles.cos().to(device, torch.float32), angles.sin().to(device, torch.float32)
        shape = (sizes["n_layers"], 2, sizes["n_heads"], sizes["max_ctx"], sizes["head_dim"])
        self.cache = torch.zeros(shape, device=device, dtype=dtype)

    def norm(self, x, weight):
        wide = x.float()
        scaled = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + RMS_EPSILON)
        return (scaled * weight.float()).to(x.dtype)

    def rotate(self, x, at):
        half = x.shape[-1] // 2
        a, b = x[..., :half].float(), x[..., half:].float()
        cos, sin = self.cos[at:at + x.shape[1]], self.sin[at:at + x.shape[1]]
        return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1).to(x.dtype)

    def attend(self, x, layer, at):
        n, heads, size = x.shape[0], self.sizes["n_heads"], self.sizes["head_dim"]
        w = self.weights
        q, k, v = (f.linear(x, w[f"blocks.{layer}.attn.{p}.weight"]).view(n, heads, size).transpose(0, 1) for p in "qkv")
        cache = self.cache[layer]
        cache[0, :, at:at + n], cache[1, :, at:at + n] = self.rotate(k, at), v
        scores = self.rotate(q, at) @ cache[0, :, :at + n].transpose(1, 2) / math.sqrt(size)
        if n > 1:
            hidden = torch.ones(n, at + n, device=x.device, dtype=torch.bool).triu(at + 1)
            scores = scores.masked_fill(hidden, -math.inf)
        mixed = torch.softmax(scores.float(), dim=-1).to(x.dtype) @ cache[1, :, :at + n]
        return f.linear(mixed.transpose(0, 1).reshape(n, heads * size), w[f"blocks.{layer}.attn.o.weight"])

    def forward(self, tokens, at, last):
        """Logits, float32, behind the last so many of these tokens, which stand from position `at` on."""
        w = self.weights
        x = f.embedding(tokens, w["embed.weight"])
        for i in range(self.sizes["n_layers"]):
            name = f"blocks.{i}."
            x = x + self.attend(self.norm(x, w[name + "norm1.weight"]), i, at)
            h = self.norm(x, w[name + "norm2.weight"])
            gated = f.silu(f.linear(h, w[name + "mlp.gate.weight"])) * f.linear(h, w[name + "mlp.up.weight"])
            x = x + f.linear(gated, w[name + "mlp.down.weight"])
        return f.linear(self.norm(x[x.shape[0] - last:], w["norm_f.weight"]), w["embed.weight"]).float()


def random_weights(text, settings):
    """Sizes and weights of a model that knows nothing, drawn on the processor."""
    found = re.fullmatch(r"(\d{1,3})x(\d{2,5})", text)
    width = int(found.group(2)) if found else 0
    if not found or width % HEAD_DIM:
        raise Refused(f"setting random: {text!r} is not LAYERSxWIDTH with a width in steps of {HEAD_DIM}", "usage")
    ffn = -(-width * 8 // 3 // 64) * 64
    sizes = {"n_layers": int(found.group(1)), "d_model": width, "n_heads": width // HEAD_DIM, "head_dim": HEAD_DIM,
             "ffn": ffn, "vocab": tare_worker.number(settings, "vocab", 32000, 257),
             "max_ctx": tare_worker.number(settings, "ctx", 2048, 2), "bos": 256}
    torch.manual_seed(tare_worker.number(settings, "seed", 1, 0))
    shapes = {"embed.weight": (sizes["vocab"], width), "norm_f.weight": (width,)}
    for i in range(sizes["n_layers"]):
        shapes.update({f"blocks.{i}.norm{k}.weight": (width,) for k in (1, 2)})
        shapes.update({f"blocks.{i}.attn.{p}.weight": (width, width) for p in "qkvo"})
        shapes.update({f"blocks.{i}.mlp.{p}.weight": (ffn, width) for p in ("gate", "up")})
        shapes[f"blocks.{i}.mlp.down.weight"] = (width, ffn)
    return sizes, {k: torch.ones(s) if len(s) == 1 else torch.randn(s) / math.sqrt(s[1]) for k, s in shapes.items()}


def read_model(path):
    metadata, tensors = read_safetensors(path)
    if metadata.get("format") != "tare-zoo-1" or metadata.get("arch") != "llama":
        raise Refused(f"{path}: not a llama of the zoo", "unsupported")
    sizes = {k: int(metadata[k]) for k in ("n_layers", "d_model", "n_heads", "head_dim", "ffn", "vocab", "max_ctx", "bos")}
    return metadata, sizes, tensors


class TorchModel(tare_worker.Model):
    name, version = "torch_worker, PyTorch", torch.__version__
    capabilities = ("score", "generate", "logits", "tokenize", "sampled")

    def load(self, path, technique, settings):
        tare_worker.refuse_unknown(settings, SETTINGS)
        if settings.get("dtype", "float32") not in DTYPES:
            raise Refused(f"setting dtype: one of {', '.join(DTYPES)}", "usage")
        self.dtype_name = settings.get("dtype", "float32")
        threads = tare_worker.number(settings, "threads", 1, 1)
        torch.set_num_threads(threads)
        self.device = torch.device(settings.get("device", "cpu"))
        self.as_logits = tare_worker.flag(settings, "logits", "no")
        # In half precision a pass over fewer rows rounds otherwise: what an item scores would depend on the one before.
        self.reuse = tare_worker.flag(settings, "reuse_prefix", "yes" if self.dtype_name == "float32" else "no")
        self.take_weights(path, settings)
        self.fed = []  # the tokens whose keys and values lie in the cache
        self.synchronize()
        return {"device": str(self.device), "dtype": self.dtype_name, "threads": torch.get_num_threads(),
                "logits": self.as_logits, "reuse_prefix": self.reuse, "attention": "plain matrix products",
                "tf32": torch.backends.cuda.matmul.allow_tf32}

    def take_weights(self, path, settings):
        if "random" in settings:
            self.model_name, self.tokenizer = f"random {settings['random']}", Bytes()
            sizes, weights = random_weights(settings["random"], settings)
        elif path:
            metadata, sizes, weights = read_model(path)
            beside = os.path.join(os.path.dirname(path), "tokenizer.json")
            self.model_name, self.tokenizer = metadata["name"], Tokenizer(settings.get("tokenizer", beside))
            if self.tokenizer.sha != metadata.get("tokenizer_sha"):
                raise Refused("the tokenizer is not the one that the model names", "format")
        else:
            raise Refused("no model: give a path, or random=LAYERSxWIDTH", "usage")
        self.sizes = sizes
        self.model = Llama(sizes, weights, self.device, DTYPES[self.dtype_name])
        stored = self.model.weights if "random" in settings else weights  # as in the file, where there is one
        self.stored = sum(t.numel() * t.element_size() for t in stored.values())

    def synchronize(self):
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def describe(self):
        s, weights = self.sizes, self.model.weights
        total, item = sum(t.numel() for t in weights.values()), torch.finfo(DTYPES[self.dtype_name]).bits // 8
        return {"arch": "llama", "name": self.model_name, "dtype": self.dtype_name, "tokenizer": self.tokenizer.sha,
                "params_total": total, "params_active": total,
                "params_non_embedding": total - weights["embed.weight"].numel(),
                "params_non_zero": sum(int(torch.count_nonzero(t)) for t in weights.values()),
                "stored_bytes": self.stored,
                "kv_bytes_per_token": 2 * s["n_layers"] * s["d_model"] * item, "state_bytes": 0,
                "n_ctx": s["max_ctx"], "n_vocab": s["vocab"], "bos": s["bos"]}

    def tokenize(self, text):
        return self.tokenizer.encode(text)

    def feed(self, tokens, last, own=False):
        """Logits behind the last so many tokens. What is in the cache already is not computed again: of the same request
        (own), or of another if reuse_prefix allows it."""
        kept, most = 0, len(tokens) - last if self.reuse or own else 0
        while kept < most and kept < len(self.fed) and self.fed[kept] == tokens[kept]:
            kept += 1
        ids = torch.tensor(tokens[kept:], device=self.device, dtype=torch.long)
        self.fed = []  # nothing is sure if this fails
        rows = self.model(ids, kept, last)
        self.fed = list(tokens)
        return rows

    @torch.inference_mode()
    def score(self, tokens, first, shared_prefix):
        tokens = list(tokens)
        rows = self.feed(tokens[:-1], len(tokens) - first)
        if self.as_logits:
            return self.blobs(rows)
        targets = torch.tensor(tokens[first:], device=self.device)
        logprobs = torch.log_softmax(rows.double(), dim=-1)
        taken = logprobs.gather(1, targets[:, None])[:, 0]
        return taken.tolist(), (rows.argmax(-1) == targets).tolist()

    @torch.inference_mode()
    def logits(self, tokens, first):
        return self.blobs(self.feed(list(tokens), len(tokens) - first + 1))

    def blobs(self, rows):
        flat = rows.float().cpu().contiguous()
        yield flat.shape[0], tensor_bytes(flat)

    @torch.inference_mode()
    def generate(self, tokens, max_output, temperature, seed, answer):
        tokens = list(tokens)
        rng = torch.Generator().manual_seed(seed % 2**63)
        for i in range(max_output):
            if len(tokens) > self.sizes["max_ctx"]:
                return "length"
            row = self.feed(tokens, 1, own=i > 0)[0]
            token = self.pick(row, temperature, rng)
            # Known here and not before: int() in pick has waited for the device.
            if answer.token(token, self.tokenizer.bytes[token] if token < len(self.tokenizer.bytes) else b""):
                return "cancel"
            tokens.append(token)
        return "length"

    def pick(self, row, temperature, rng):
        if temperature <= 0:
            return int(row.argmax())
        return int(torch.multinomial(torch.softmax(row.double().cpu() / temperature, -1), 1, generator=rng))

    def readings(self, measured):
        if self.device.type != "cuda":
            return []
        name = "torch_peak_allocated" if measured else "torch_peak_allocated_load"
        reading = {"name": name, "unit": "B", "scope": "device", "kind": "reported",
                   "source": "torch.cuda.max_memory_allocated", "value": torch.cuda.max_memory_allocated()}
        torch.cuda.reset_peak_memory_stats()
        return [reading]


def tensor_bytes(tensor):
    """The float32 bytes of a tensor on the processor; without numpy, which PyTorch may lack."""
    return ctypes.string_at(tensor.data_ptr(), tensor.numel() * 4)


if __name__ == "__main__":
    tare_worker.serve(TorchModel())
