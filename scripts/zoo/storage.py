# SPDX-License-Identifier: Apache-2.0
"""Files of the zoo: safetensors read and written by hand, and the ways a matrix is stored in them.

Needs numpy alone. It knows bytes and element types, not models: which tensors a model has is said by
export.py, and what a forward pass does with them by reference.py.
"""
import json
import os
import struct

import numpy as np

FORMAT = "tare-zoo-1"
TYPES = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2"), "I32": np.dtype("<i4"), "I8": np.dtype("i1"),
         "U8": np.dtype("u1")}
NAMES = {dtype: name for name, dtype in TYPES.items()}
GROUP = 32  # columns that share one scale of an int4 matrix
CLIPS = (1.0, 0.95, 0.9, 0.85, 0.8)


def write_atomically(path, data):
    """Nobody ever reads half a file: it is renamed into place once it is whole."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path + ".part", "wb") as file:
        file.write(data)
    os.replace(path + ".part", path)


def save(path, tensors, metadata):
    """Wide element types first, so that each tensor lies on a multiple of its element's size."""
    header = {"__metadata__": {key: str(value) for key, value in metadata.items()}}
    blobs, begin = [], 0
    for name in sorted(tensors, key=lambda n: (-tensors[n].dtype.itemsize, n)):
        blob = np.ascontiguousarray(tensors[name]).tobytes()
        header[name] = {"dtype": NAMES[tensors[name].dtype], "shape": list(tensors[name].shape),
                        "data_offsets": [begin, begin + len(blob)]}
        blobs.append(blob)
        begin += len(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    write_atomically(path, b"".join([struct.pack("<Q", len(text)), text] + blobs))


def load(path):
    """-> (tensors by name, metadata)"""
    with open(path, "rb") as file:
        data = file.read()
    end = 8 + struct.unpack_from("<Q", data)[0]
    header = json.loads(data[8:end])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, stop = (end + offset for offset in entry["data_offsets"])
        tensors[name] = np.frombuffer(data[begin:stop], TYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors, metadata


def config_of(metadata):
    """The whole numbers of the metadata, and the architecture's name."""
    config = {key: int(value) for key, value in metadata.items() if value.lstrip("-").isdigit()}
    config["arch"] = metadata["arch"]
    return config


def pack_int8(name, matrix):
    """One scale a row. The scale is a product and the quotient a division, both in f32."""
    matrix = matrix.astype(np.float32)
    scale = np.maximum(np.abs(matrix).max(1) * np.float32(1 / 127.0), np.float32(1e-12))
    codes = np.clip(np.rint(matrix / scale[:, None]), -127, 127)
    return {name: codes.astype(np.int8), name + ".scale": scale}


def pack_int4(name, matrix):
    """One f16 scale per GROUP columns, the clipping of CLIPS with the least squared error, two codes a byte."""
    groups = matrix.astype(np.float32).reshape(matrix.shape[0], -1, GROUP)
    full = np.maximum(np.abs(groups).max(-1) * np.float32(1 / 7.0), np.float32(1e-7))
    least = np.full(full.shape, np.inf, np.float32)
    codes, scale = np.zeros_like(groups), np.zeros_like(full)
    for clip in CLIPS:
        trial = (full * np.float32(clip)).astype(np.float16).astype(np.float32)
        trial_codes = np.clip(np.rint(groups / trial[..., None]), -8, 7)
        error = np.square(trial_codes * trial[..., None] - groups).sum(-1)
        better = error < least
        least = np.where(better, error, least)
        scale = np.where(better, trial, scale)
        codes = np.where(better[..., None], trial_codes, codes)
    nibbles = (codes.reshape(matrix.shape) + 8).astype(np.uint8)
    return {name: nibbles[:, 0::2] | nibbles[:, 1::2] << 4, name + ".scale": scale.astype(np.float16)}


def pack_sparse(name, matrix):
    """A bit per element that is not zero, least significant first, and the values of those elements."""
    matrix = matrix.astype(np.float16)
    kept = matrix != 0
    return {name + ".mask": np.packbits(kept, axis=1, bitorder="little"), name + ".nz": matrix[kept]}


def _unpack_int4(codes, scale):
    low, high = (codes & 15).astype(np.int8) - 8, (codes >> 4).astype(np.int8) - 8
    values = np.stack([low, high], -1).reshape(codes.shape[0], -1)
    return values.astype(np.float64) * np.repeat(scale.astype(np.float64), GROUP, 1)


def dense(tensors, name):
    """The values of tensor `name` in f64, however it is stored; None if it is not there."""
    if name + ".mask" in tensors:
        kept = np.unpackbits(tensors[name + ".mask"], axis=1, bitorder="little").astype(bool)
        values = np.zeros(kept.shape)
        values[kept] = tensors[name + ".nz"]
        return values
    if name not in tensors:
        return None
    stored = tensors[name]
    if stored.dtype == np.uint8:
        return _unpack_int4(stored, tensors[name + ".scale"])
    if stored.dtype == np.int8:
        return stored.astype(np.float64) * tensors[name + ".scale"].astype(np.float64)[:, None]
    return stored.astype(np.float64)
