# SPDX-License-Identifier: Apache-2.0
"""scripts/zoo-to-gguf: what it writes is read back here byte by byte, and what it must refuse it refuses.

llama.cpp is not needed. That the written model computes the same is not seen here; what is, is that every
weight arrives, in the order of rows which llama.cpp's rotary embedding asks for.
"""
import json
import os
import shutil
import struct
import subprocess
import sys

from clilib import equal, main, true

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPT = os.path.join(HERE, "..", "..", "scripts", "zoo-to-gguf")
ZOO = os.path.abspath(os.environ.get("TARE_ZOO", os.path.join(HERE, "..", "..", "backends", "native", "zoo")))
MODEL = os.path.join(ZOO, "llama-1m.safetensors")
TOKENIZER = os.path.join(ZOO, "tokenizer.json")
SCALARS = {4: "<I", 5: "<i", 6: "<f", 7: "<?"}
STRING, ARRAY = 8, 9
GGML = {0: ("f", 4), 1: ("e", 2)}
BLOCK = {"attn_norm": "norm1", "ffn_norm": "norm2", "attn_q": "attn.q", "attn_k": "attn.k",
         "attn_v": "attn.v", "attn_output": "attn.o", "ffn_gate": "mlp.gate", "ffn_up": "mlp.up",
         "ffn_down": "mlp.down"}


def convert(*args):
    return subprocess.run([sys.executable, SCRIPT, *args], capture_output=True, text=True, timeout=120,
                          check=False)


class Reader:
    """Takes values off the front of a file in memory."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        value = struct.unpack_from(form, self.data, self.at)[0]
        self.at += struct.calcsize(form)
        return value

    def text(self):
        length = self.take("<Q")
        self.at += length
        return self.data[self.at - length:self.at].decode("utf-8")

    def value(self, kind):
        if kind == STRING:
            return self.text()
        if kind == ARRAY:
            item, count = self.take("<I"), self.take("<Q")
            return [self.value(item) for _ in range(count)]
        return self.take(SCALARS[kind])


def read_gguf(path):
    """(key values, {name: (shape slowest first, values)}); the file holds nothing else."""
    with open(path, "rb") as file:
        reader = Reader(file.read())
    equal((reader.take("4s"), reader.take("<I")), (b"GGUF", 3), "magic and version")
    n_tensors, n_pairs = reader.take("<Q"), reader.take("<Q")
    pairs = [(reader.text(), reader.value(reader.take("<I"))) for _ in range(n_pairs)]
    equal(len(dict(pairs)), n_pairs, "keys are there once")
    infos = []
    for _ in range(n_tensors):
        name, rank = reader.text(), reader.take("<I")
        shape = [reader.take("<Q") for _ in range(rank)][::-1]
        infos.append((name, shape, reader.take("<I"), reader.take("<Q")))
    return dict(pairs), read_tensors(reader.data, reader.at + -reader.at % 32, infos)


def read_tensors(data, base, infos):
    tensors, end = {}, base
    for name, shape, kind, offset in infos:
        code, width = GGML[kind]
        count = shape[0] * (shape[1] if len(shape) == 2 else 1)
        equal(base + offset, end, f"{name} begins where the padding before it ends")
        tensors[name] = (shape, struct.unpack_from(f"<{count}{code}", data, base + offset))
        end += count * width + -count * width % 32
    equal(end, len(data), "the last tensor ends the file")
    equal(len(tensors), len(infos), "names are there once")
    return tensors


def read_zoo(path):
    """(metadata, {name: (shape, values)})"""
    with open(path, "rb") as file:
        data = file.read()
    base = 8 + struct.unpack_from("<Q", data)[0]
    header = json.loads(data[8:base])
    metadata, tensors = header.pop("__metadata__"), {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        code, width = GGML[0 if entry["dtype"] == "F32" else 1]
        values = struct.unpack_from(f"<{(end - begin) // width}{code}", data, base + begin)
        tensors[name] = (entry["shape"], values)
    return metadata, tensors


def source_name(name):
    if name in ("token_embd.weight", "output_norm.weight"):
        return {"t": "embed.weight", "o": "norm_f.weight"}[name[0]]
    _, block, part, _ = name.split(".")
    return f"blocks.{block}.{BLOCK[part]}.weight"


def rotated_apart(values, shape, heads):
    """Undoes neighbours: even rows of a head are its first half, odd ones its second."""
    head, width = shape[0] // heads, shape[1]
    rows = [values[i:i + width] for i in range(0, len(values), width)]
    order = []
    for first in range(0, shape[0], head):
        order += rows[first:first + head:2] + rows[first + 1:first + head:2]
    return tuple(value for row in order for value in row)


def bits(values):
    """Widened values as bytes: unlike numbers, zeros of either sign differ."""
    return struct.pack(f"<{len(values)}f", *values)


def check_tensors(written, source, heads):
    equal(sorted(map(source_name, written)), sorted(source), "tensors")
    reordered = 0
    for name, (shape, values) in written.items():
        wanted = source[source_name(name)]
        equal(shape, wanted[0], f"shape of {name}")
        if ".attn_q." in name or ".attn_k." in name:
            reordered += values != wanted[1]
            values = rotated_apart(values, shape, heads)
        true(bits(values) == bits(wanted[1]), f"{name}: other values than {source_name(name)}")
    return reordered


def check_pairs(pairs, metadata, file_type):
    for key, name in (("embedding_length", "d_model"), ("block_count", "n_layers"),
                      ("context_length", "max_ctx"), ("feed_forward_length", "ffn"), ("vocab_size", "vocab"),
                      ("attention.head_count", "n_heads"), ("attention.head_count_kv", "n_heads"),
                      ("rope.dimension_count", "head_dim")):
        equal(pairs[f"llama.{key}"], int(metadata[name]), key)
    equal(pairs["general.architecture"], "llama", "architecture")
    equal(pairs["general.file_type"], file_type, "file type")
    equal(pairs["llama.rope.freq_base"], 10000.0, "base of the rotation")
    true(abs(pairs["llama.attention.layer_norm_rms_epsilon"] - 1e-5) < 1e-12, "epsilon of the norms")
    equal((pairs["tokenizer.ggml.bos_token_id"], pairs["tokenizer.ggml.eos_token_id"]), (0, 0), "special ids")


def check_values(kind, file_type):
    metadata, source = read_zoo(MODEL)
    done = convert(MODEL, "out.gguf", "--type", kind)
    equal((done.returncode, done.stderr), (0, ""), done)
    pairs, written = read_gguf("out.gguf")
    check_pairs(pairs, metadata, file_type)
    equal(len(written), 2 + 9 * int(metadata["n_layers"]), "number of tensors")
    reordered = check_tensors(written, source, int(metadata["n_heads"]))
    equal(reordered, 2 * int(metadata["n_layers"]), "tensors with another order of rows")


def test_f16():
    check_values("f16", 1)
    size = os.path.getsize("out.gguf")
    done = convert(MODEL, "again.gguf")
    equal((done.returncode, os.path.getsize("again.gguf")), (0, size), "f16 is what one gets unasked")


def test_f32():
    check_values("f32", 0)


def test_types_of_tensors():
    """Norms stay f32 and the halves stay halves: counted by what the file weighs."""
    _, source = read_zoo(MODEL)
    for kind, width in (("f16", 2), ("f32", 4)):
        convert(MODEL, "out.gguf", "--type", kind)
        data = sum(len(v) * (width if len(s) == 2 else 4) for s, v in source.values())
        head = os.path.getsize("out.gguf") - data
        true(0 < head < 65536, f"{kind}: {head} bytes beside the weights")


def gpt2_bytes(token):
    """The bytes that a text in GPT-2's alphabet stands for."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in plain]
    known = {**{chr(b): b for b in plain}, **{chr(256 + i): b for i, b in enumerate(rest)}}
    return bytes(known[c] for c in token)


def test_vocabulary():
    convert(MODEL, "out.gguf")
    pairs, _ = read_gguf("out.gguf")
    with open(TOKENIZER, encoding="utf-8") as file:
        merges = json.load(file)["merges"]
    wanted = [bytes([i]) for i in range(256)]
    for left, right in merges:
        wanted.append(wanted[left] + wanted[right])
    tokens = list(map(gpt2_bytes, pairs["tokenizer.ggml.tokens"]))
    true(tokens == wanted, "the bytes of every id")
    split = [tuple(map(gpt2_bytes, m.split(" "))) for m in pairs["tokenizer.ggml.merges"]]
    true(split == [(wanted[a], wanted[b]) for a, b in merges], "the parts of every merge")
    equal(len(pairs["tokenizer.ggml.token_type"]), len(wanted), "a type for every id")


def parts_of(path):
    with open(path, "rb") as file:
        data = file.read()
    base = 8 + struct.unpack_from("<Q", data)[0]
    return json.loads(data[8:base]), data[base:]


def write_model(path, header, data):
    text = json.dumps(header).encode()
    with open(path, "wb") as to:
        to.write(struct.pack("<Q", len(text)) + text + data)


def refused(args, *named):
    """Exit status 2, one line that names the file and the fault, and no output file."""
    done = convert(*args)
    equal(done.returncode, 2, f"exit status of {done}")
    equal((done.stdout, done.stderr.count("\n")), ("", 1), f"one line on standard error of {done}")
    for part in named:
        true(part in done.stderr, f"no {part!r} in {done.stderr!r}")
    equal([name for name in os.listdir() if ".gguf" in name], [], "files written")


def damaged(change, *named):
    """A model whose header was changed by a function is refused."""
    header, data = parts_of(MODEL)
    write_model("bad.safetensors", header, change(header, data) or data)
    refused(["bad.safetensors", "out.gguf", "--tokenizer", TOKENIZER],
            "zoo-to-gguf: bad.safetensors: ", *named)


def metadata_with(**changes):
    return lambda header, data: header["__metadata__"].update(changes)


def entry_with(name, **changes):
    return lambda header, data: header[name].update(changes)


QUERY = "blocks.0.attn.q.weight"


def test_refuses_other_models():
    damaged(metadata_with(arch="rwkv4"), "'rwkv4'", "only llama")
    damaged(metadata_with(format="other"), "'other'")
    damaged(lambda header, data: header.pop("__metadata__") and None, "no metadata")
    damaged(metadata_with(n_heads="5"), "5 heads")
    damaged(metadata_with(d_model="-1"), "d_model", "'-1'")
    damaged(metadata_with(n_layers="90000000"), "90000000 layers")
    damaged(metadata_with(n_layers="5"), "blocks.4.norm1.weight", "missing")


def test_refuses_compressed():
    scale = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
    damaged(lambda header, data: header.update({QUERY + ".scale": scale}), QUERY + ".scale", "compressed")
    damaged(entry_with(QUERY, dtype="I8", shape=[128, 256]), QUERY, "I8")
    damaged(entry_with(QUERY, shape=[64, 256]), QUERY, "[64, 256] instead of F16 [128, 128]")
    damaged(lambda header, data: header.pop(QUERY) and None, QUERY, "missing")


def test_refuses_damage():
    damaged(lambda header, data: data[:-1], "do not fit")
    damaged(entry_with(QUERY, data_offsets=[-2, 32766]), QUERY, "do not fit")
    damaged(entry_with(QUERY, data_offsets=[10**12, 10**12 + 32768]), QUERY, "do not fit")
    damaged(entry_with(QUERY, dtype="F99"), QUERY, "do not fit")
    damaged(lambda header, data: header.update({QUERY: []}), QUERY, "do not fit")
    for content, part in ((b"", "does not end"), (b"\xff" * 64, "does not end"),
                          (struct.pack("<Q", 4) + b"nope", "no JSON"),
                          (struct.pack("<Q", 2) + b"[]", "object")):
        with open("bad.safetensors", "wb") as to:
            to.write(content)
        refused(["bad.safetensors", "out.gguf"], "bad.safetensors", part)
    refused(["absent.safetensors", "out.gguf"], "absent.safetensors")


def test_refuses_tokenizers():
    shutil.copy(MODEL, "model.safetensors")
    refused(["model.safetensors", "out.gguf"], "tokenizer.json")
    with open(TOKENIZER, encoding="utf-8") as file:
        good = json.load(file)
    later = [[0, 256]] + good["merges"][1:]
    twice = good["merges"][:-1] + [good["merges"][0]]
    for change, part in (({"sha": "0" * 16}, "not the tokenizer"),
                         ({"merges": good["merges"][1:]}, "768 merges"),
                         ({"merges": later}, "merge 0"), ({"merges": twice}, "same bytes")):
        with open("tokenizer.json", "w", encoding="utf-8") as to:
            json.dump({**good, **change}, to)
        refused(["model.safetensors", "out.gguf"], "tokenizer.json", part)


def test_keeps_its_input():
    shutil.copy(MODEL, "model.safetensors")
    refused(["model.safetensors", "model.safetensors"], "one file")
    with open(MODEL, "rb") as one, open("model.safetensors", "rb") as other:
        true(one.read() == other.read(), "the model is as it was")
    refused(["model.safetensors", "absent/out.gguf", "--tokenizer", TOKENIZER], "absent/out.gguf")


def test_leaves_nothing_half_written():
    os.mkdir("folder")
    refused([MODEL, "folder"], "folder")
    equal(os.listdir(), ["folder"], "what lies there")


main(globals())
