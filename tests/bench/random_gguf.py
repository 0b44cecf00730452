#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a llama (or a mamba) with random weights as GGUF v3, for times and for tests of tokenizing; it knows nothing.

    random_gguf.py OUT.gguf [--dim 256 --ffn 768 --layers 10 --heads 8 --kv-heads 4 --vocab 4096 --ctx 2048]
                   [--type f32|f16] [--seed 1] [--merge SCALE]
    random_gguf.py OUT.gguf --mamba [--dim --layers --vocab --ctx]
    random_gguf.py ADAPTER.gguf --lora [the same dimensions]

The weights of a tensor are one block of random numbers again and again: no kernel looks at values. The
vocabulary is a SentencePiece one (a space in front of texts, bytes as a last resort), so that what a
tokenizer adds can be tested. --lora writes an adapter of rank 2 for the queries of all layers; --merge adds the
same adapter, times SCALE, to the weights: what a runtime makes of model and adapter must be that.
"""
import argparse
import random
import struct

ALIGNMENT = 32
U32, I32, F32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9  # gguf value types
GGML = {"f32": (0, "f", 4), "f16": (1, "e", 2)}
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6  # token types
BLOCK = 1 << 16
RANK, ALPHA = 2, 4.0
MAMBA_CONV, MAMBA_STATE, MAMBA_RANK = 4, 16, 4


def text(value):
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def pair(key, kind, value):
    write = {U32: "<I", F32: "<f", BOOL: "<?"}
    return text(key) + struct.pack("<I", kind) + (text(value) if kind == STRING else struct.pack(write[kind], value))


def array(key, kind, values):
    form = {I32: "i", F32: "f"}
    items = b"".join(map(text, values)) if kind == STRING else struct.pack(f"<{len(values)}{form[kind]}", *values)
    return text(key) + struct.pack("<IIQ", ARRAY, kind, len(values)) + items


def pieces(count):
    """[(text, type)]: special ones, bytes, single characters, then short words."""
    made = [("<unk>", UNKNOWN), ("<s>", CONTROL), ("</s>", CONTROL)]
    made += [(f"<0x{byte:02X}>", BYTE) for byte in range(256)]
    letters = "etaoinshrdlucmfwygpbvkxqjz"
    words = ["\u2581", *letters, *letters.upper(), *"0123456789.,;:!?'\"()-\n"]
    words += ["\u2581" + letter for letter in letters]
    words += [a + b for a in letters for b in letters]
    words += ["\u2581" + a + b for a in letters for b in letters]
    words += [a + b + c for a in letters for b in letters for c in letters]
    made += [(word, NORMAL) for word in words]
    if len(made) < count:
        raise SystemExit(f"random_gguf: a vocabulary of {count} is too large; at most {len(made)}")
    return made[:count]


def mamba_tensors(a):
    """The same of a recurrent model. Its first dimensions are the usual ones: twice as wide inside."""
    d, inner = a.dim, 2 * a.dim
    yield "token_embd.weight", [a.vocab, d], True
    yield "output_norm.weight", [d], False
    for i in range(a.layers):
        for name, shape in (("attn_norm.weight", [d]), ("ssm_in.weight", [2 * inner, d]),
                            ("ssm_conv1d.weight", [inner, MAMBA_CONV]), ("ssm_conv1d.bias", [inner]),
                            ("ssm_x.weight", [MAMBA_RANK + 2 * MAMBA_STATE, inner]),
                            ("ssm_dt.weight", [inner, MAMBA_RANK]), ("ssm_dt.bias", [inner]),
                            ("ssm_a", [inner, MAMBA_STATE]), ("ssm_d", [inner]), ("ssm_out.weight", [d, inner])):
            yield f"blk.{i}.{name}", shape, len(shape) == 2


def tensors(a):
    """Yields (name, shape slowest first, is a matrix)."""
    if a.mamba:
        yield from mamba_tensors(a)
        return
    d, kv = a.dim, a.dim // a.heads * a.kv_heads
    yield "token_embd.weight", [a.vocab, d], True
    yield "output_norm.weight", [d], False
    yield "output.weight", [a.vocab, d], True
    for i in range(a.layers):
        for name, shape in (("attn_norm", [d]), ("ffn_norm", [d]), ("attn_q", [d, d]), ("attn_k", [kv, d]),
                            ("attn_v", [kv, d]), ("attn_output", [d, d]), ("ffn_gate", [a.ffn, d]),
                            ("ffn_up", [a.ffn, d]), ("ffn_down", [d, a.ffn])):
            yield f"blk.{i}.{name}.weight", shape, len(shape) == 2


def shape_pairs(a):
    common = [("vocab_size", U32, a.vocab), ("context_length", U32, a.ctx), ("embedding_length", U32, a.dim),
              ("block_count", U32, a.layers), ("attention.layer_norm_rms_epsilon", F32, 1e-5)]
    llama = [("feed_forward_length", U32, a.ffn), ("attention.head_count", U32, a.heads),
             ("attention.head_count_kv", U32, a.kv_heads), ("rope.dimension_count", U32, a.dim // a.heads)]
    mamba = [("feed_forward_length", U32, 0), ("attention.head_count", U32, 0), ("ssm.conv_kernel", U32, MAMBA_CONV),
             ("ssm.inner_size", U32, 2 * a.dim), ("ssm.state_size", U32, MAMBA_STATE),
             ("ssm.time_step_rank", U32, MAMBA_RANK)]
    arch = "mamba" if a.mamba else "llama"
    return [pair("general.architecture", STRING, arch)] + [
        pair(f"{arch}.{key}", kind, value) for key, kind, value in common + (mamba if a.mamba else llama)]


def pairs(a):
    vocabulary = pieces(a.vocab)
    return shape_pairs(a) + [
        pair("general.type", STRING, "model"), pair("general.name", STRING, "random"),
        pair("general.file_type", U32, GGML[a.type][0]), pair("tokenizer.ggml.model", STRING, "llama"),
        array("tokenizer.ggml.tokens", STRING, [piece for piece, _ in vocabulary]),
        array("tokenizer.ggml.scores", F32, [-float(i) for i in range(len(vocabulary))]),
        array("tokenizer.ggml.token_type", I32, [kind for _, kind in vocabulary]),
        pair("tokenizer.ggml.bos_token_id", U32, 1), pair("tokenizer.ggml.eos_token_id", U32, 2),
        pair("tokenizer.ggml.unknown_token_id", U32, 0), pair("tokenizer.ggml.add_bos_token", BOOL, True),
    ]


def padded(count):
    return count + -count % ALIGNMENT


def count_of(shape):
    return shape[0] * (shape[1] if len(shape) == 2 else 1)


def write_file(path, head_pairs, list_of, bytes_of):
    """list_of: [(name, shape slowest first, type)]; bytes_of(name, shape, type) gives the numbers."""
    head = b"GGUF" + struct.pack("<IQQ", 3, len(list_of), len(head_pairs)) + b"".join(head_pairs)
    offset = 0
    for name, shape, kind in list_of:
        head += text(name) + struct.pack(f"<I{len(shape)}Q", len(shape), *reversed(shape))
        head += struct.pack("<IQ", GGML[kind][0], offset)
        offset += padded(count_of(shape) * GGML[kind][2])
    with open(path, "wb") as out:
        out.write(head + bytes(padded(len(head)) - len(head)))
        for entry in list_of:
            data = bytes_of(*entry)
            out.write(data + bytes(padded(len(data)) - len(data)))


def adapter(a, layer):
    """Factors of a layer: a [RANK][dim] and b [dim][RANK]; the change of the weights is b a ALPHA / RANK."""
    rng = random.Random(1000 + layer)
    return ([[rng.gauss(0, 0.1) for _ in range(a.dim)] for _ in range(RANK)],
            [[rng.gauss(0, 0.1) for _ in range(RANK)] for _ in range(a.dim)])


def merged(a, layer, data):
    """The bytes of a layer's queries in float32 with the adapter added."""
    left, right = adapter(a, layer)
    scale, values = a.merge * ALPHA / RANK, list(struct.unpack(f"<{len(data) // 4}f", data))
    for row in range(a.dim):
        for column in range(a.dim):
            values[row * a.dim + column] += scale * sum(right[row][r] * left[r][column] for r in range(RANK))
    return struct.pack(f"<{len(values)}f", *values)


def write_model(a):
    rng = random.Random(a.seed)
    values = [rng.gauss(0, 0.02) for _ in range(BLOCK)]
    blocks = {kind: struct.pack(f"<{BLOCK}{form}", *values) for kind, (_, form, _) in GGML.items()}

    def numbers(name, shape, kind):
        size = count_of(shape) * GGML[kind][2]
        if len(shape) == 1:
            return struct.pack("<f", 1.0) * count_of(shape)
        start = rng.randrange(BLOCK) * GGML[kind][2]
        data = (blocks[kind] * (2 + size // len(blocks[kind])))[start:start + size]
        return merged(a, int(name.split(".")[1]), data) if a.merge and ".attn_q." in name else data

    write_file(a.output, pairs(a), [(name, shape, a.type if is_matrix else "f32") for name, shape, is_matrix in tensors(a)],
               numbers)


def write_adapter(a):
    factors = {}
    for layer in range(a.layers):
        left, right = adapter(a, layer)
        factors[f"blk.{layer}.attn_q.weight.lora_a"] = ([RANK, a.dim], sum(left, []))
        factors[f"blk.{layer}.attn_q.weight.lora_b"] = ([a.dim, RANK], sum(right, []))
    head = [pair("general.architecture", STRING, "llama"), pair("general.type", STRING, "adapter"),
            pair("adapter.type", STRING, "lora"), pair("adapter.lora.alpha", F32, ALPHA)]
    write_file(a.output, head, [(name, shape, "f32") for name, (shape, _) in factors.items()],
               lambda name, shape, kind: struct.pack(f"<{count_of(shape)}f", *factors[name][1]))


def main():
    parser = argparse.ArgumentParser(description="Writes a llama with random weights as GGUF.")
    parser.add_argument("output", metavar="OUT.gguf")
    for name, default in (("dim", 256), ("ffn", 768), ("layers", 10), ("heads", 8), ("kv-heads", 4), ("vocab", 4096),
                          ("ctx", 2048), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--type", choices=sorted(GGML), default="f16")
    parser.add_argument("--lora", action="store_true", help="write the adapter instead of a model")
    parser.add_argument("--merge", type=float, default=0.0, metavar="SCALE", help="add the adapter to the model")
    parser.add_argument("--mamba", action="store_true", help="a recurrent model instead of a llama")
    args = parser.parse_args()
    if args.merge and args.type != "f32":
        parser.error("--merge needs --type f32")
    (write_adapter if args.lora else write_model)(args)


if __name__ == "__main__":
    main()
