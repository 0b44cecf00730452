# SPDX-License-Identifier: Apache-2.0
"""Reading a dense llama of the zoo, for the scripts that write it in other formats. Standard library only.

The container is safetensors; what the tensors mean is written in backends/native/zoo/README.md. Files are not
trusted: sizes, types and shapes are proven before anything is sliced.
"""
import json
import math
import os
import re
import struct

ITEM_BYTES = {"F32": 4, "F16": 2, "I8": 1, "U8": 1, "I32": 4}
DIMENSIONS = ("d_model", "n_layers", "n_heads", "head_dim", "ffn", "vocab", "max_ctx")


class Refused(Exception):
    """What is wrong with the input, in one line."""


def read_file(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}") from error


def parse_json(data, path):
    try:
        value = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Refused(f"{path}: no JSON ({type(error).__name__})") from error
    if not isinstance(value, dict):
        raise Refused(f"{path}: the JSON is not an object")
    return value


def is_count(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def slice_tensor(path, name, entry, data):
    """(type, shape, bytes) of an entry of the header, proven to lie inside the data."""
    try:
        kind, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
        sound = isinstance(shape, list) and all(map(is_count, [*shape, begin, end]))
        sound = sound and end - begin == math.prod(shape) * ITEM_BYTES[kind] and begin <= end <= len(data)
    except (KeyError, TypeError, ValueError):
        sound = False
    if not sound:
        raise Refused(f"{path}: tensor {name!r}: type, shape and offsets do not fit together or the file")
    return kind, shape, data[begin:end]


def read_safetensors(path):
    """(metadata, {name: (type, shape, bytes)})"""
    data = read_file(path)
    length = struct.unpack_from("<Q", data)[0] if len(data) >= 8 else len(data)
    if length > len(data) - 8:
        raise Refused(f"{path}: not a safetensors file: its header does not end within it")
    header = parse_json(data[8:8 + length], path)
    metadata = header.pop("__metadata__", None)
    if not isinstance(metadata, dict):
        raise Refused(f"{path}: no metadata, so not a model of the zoo")
    tensors = memoryview(data)[8 + length:]
    return metadata, {name: slice_tensor(path, name, entry, tensors) for name, entry in header.items()}


def read_dimensions(path, metadata):
    dims = {}
    for key in DIMENSIONS:
        text = metadata.get(key)
        if not isinstance(text, str) or not re.fullmatch("[1-9][0-9]{0,7}", text):
            raise Refused(f"{path}: metadata {key}: {text!r} is no count")
        dims[key] = int(text)
    heads, head, width = dims["n_heads"], dims["head_dim"], dims["d_model"]
    if heads * head != width or head % 2:
        raise Refused(f"{path}: {heads} heads of {head} do not make d_model {width}, or no pairs")
    return dims


def check_kind(path, metadata):
    if metadata.get("format") != "tare-zoo-1":
        raise Refused(f"{path}: format {metadata.get('format')!r} instead of 'tare-zoo-1'")
    if metadata.get("arch") != "llama":
        raise Refused(f"{path}: architecture {metadata.get('arch')!r}: only llama can be written")


def check_storage(path, tensors, dims, wanted):
    """Every tensor of a dense model is there as the zoo stores it, and no other. wanted: (name, shape), lazily,
    since a file may claim any number of layers."""
    if dims["n_layers"] > len(tensors):
        raise Refused(f"{path}: {dims['n_layers']} layers, but {len(tensors)} tensors")
    wanted = dict(wanted)
    for name in sorted(set(tensors) - set(wanted)):
        raise Refused(f"{path}: tensor {name!r}: compressed storage or no llama; only dense models are taken")
    for name, shape in wanted.items():
        if name not in tensors:
            raise Refused(f"{path}: tensor {name!r} is missing")
        kind = "F16" if len(shape) == 2 else "F32"
        found_kind, found_shape, _ = tensors[name]
        if (found_kind, found_shape) != (kind, shape):
            raise Refused(f"{path}: tensor {name!r}: {found_kind} {found_shape} instead of {kind} {shape}")


def widen(data):
    count = len(data) // 2
    return struct.pack(f"<{count}f", *struct.unpack(f"<{count}e", data))


def write_file(path, data):
    """Leaves nothing half written behind."""
    part = f"{path}.part"
    try:
        with open(part, "wb") as file:
            file.write(data)
        os.replace(part, path)
    except OSError as error:
        if os.path.isfile(part):
            os.unlink(part)
        raise Refused(f"{path}: {error.strerror}") from error
