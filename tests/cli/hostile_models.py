# SPDX-License-Identifier: Apache-2.0
"""Hostile model files, tokenizers, answer files of the replay backend, and texts.

They become the cells of one plan each, so that a hundred of them cost one supervisor.
"""
import json
import os
import struct

import hostile
from hostile import Row

FAILED, FINE = 3, 0


def pack(header, data):
    text = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def unpack(blob):
    n = struct.unpack_from("<Q", blob)[0]
    return json.loads(blob[8:8 + n]), blob[8 + n:]


def lies(blob):
    """(reason, bytes, what the message says) about sizes, shapes, types and metadata."""
    head, data = unpack(blob)
    n = len(blob) - len(data) - 8
    for length in (0, 1, n - 8, n + 8, len(blob), len(blob) + 8, 2**32, 2**63 - 8, 2**63, 2**64 - 8,
                   2**64 - 1):
        yield f"claims a header of {length} bytes", struct.pack("<Q", length) + blob[8:], ""
    yield "bytes after the last tensor", blob + b"\0" * 8, "after the last tensor"

    def with_entry(**changes):
        one = json.loads(json.dumps(head))
        one["blocks.0.attn.k.weight"].update(changes)
        return pack(one, data)

    begin, end = head["blocks.0.attn.k.weight"]["data_offsets"]
    for reason, changes in (
            ("a shape whose product overflows 64 bits", {"shape": [2**52, 2**52, 2**52]}),
            ("a shape larger than the file", {"shape": [48, 2**40]}),
            ("a dimension of 0", {"shape": [0, 48]}),
            ("a dimension of -1", {"shape": [-1, 48]}),
            ("a dimension of 1.5", {"shape": [1.5, 48]}),
            ("a dimension that is text", {"shape": ["48", 48]}),
            ("9 dimensions", {"shape": [1] * 9}),
            ("a shape that is an object", {"shape": {}}),
            ("other dimensions with the same product", {"shape": [24, 96]}),
            ("an offset beyond the file", {"data_offsets": [begin, 2**50]}),
            ("an offset of 1e300", {"data_offsets": [begin, 1e300]}),
            ("a negative offset", {"data_offsets": [-8, end]}),
            ("offsets in the wrong order", {"data_offsets": [end, begin]}),
            ("offsets that overlap another tensor", {"data_offsets": [0, end - begin]}),
            ("one offset", {"data_offsets": [begin]}),
            ("offsets that are null", {"data_offsets": None}),
            ("another dtype of the same size", {"dtype": "I16"}),
            ("another dtype of another size", {"dtype": "F64"}),
            ("a dtype that is a number", {"dtype": 16}),
            ("an unknown dtype", {"dtype": "Q4_K"}),
            ("a fourth member", {"extra": 1})):
        yield "tensor with " + reason, with_entry(**changes), ""


def metadata_lies(blob):
    head, data = unpack(blob)
    for key, value in (("d_model", "4096"), ("d_model", "0"), ("d_model", "-48"), ("n_layers", "256"),
                       ("n_layers", "2"), ("n_layers", "99999999999999999999"), ("n_heads", "7"),
                       ("head_dim", "23"), ("ffn", "65536"), ("vocab", "65536"), ("vocab", "1023"),
                       ("max_ctx", "0"), ("max_ctx", "1e9"), ("bos", "1024"), ("n_params", "1"),
                       ("arch", "gpt"), ("format", "gguf"), ("name", ""), ("name", "x" * 64),
                       ("tokenizer_sha", "0" * 16), ("tokenizer_sha", "")):
        one = json.loads(json.dumps(head))
        one["__metadata__"][key] = value
        yield f"metadata {key} = {value[:24]!r}", pack(one, data), ""
    for reason, value in (("an array", []), ("absent", None), ("numbers", {"d_model": 48})):
        one = json.loads(json.dumps(head))
        one["__metadata__"] = value
        if value is None:
            del one["__metadata__"]
        yield f"metadata that is {reason}", pack(one, data), ""
    missing = json.loads(json.dumps(head).replace("blocks.0.attn.k.weight", "blocks.0.attn.x.weight"))
    yield "a tensor under another name", pack(missing, data), "is missing"


def confusions(blob):
    head, data = unpack(blob)
    text = json.dumps(head, separators=(",", ":")).encode()
    name = b"blocks.0.attn.k.weight"
    yield "header is an array", pack([1, 2], data), ""
    yield "header is a number", pack(b"7", data), ""
    yield "header is empty", pack(b"", data), ""
    yield "header has no tensor", pack(b"{}", b""), ""
    yield "a tensor is a string", pack({**head, "x": "y"}, data), ""
    yield "a tensor stands twice", pack(hostile.replaced(text, b"blocks.0.attn.o.weight", name),
                                        data), "twice"
    yield "nested 100 deep", pack(b'{"x":' + b"[" * 100 + b"]" * 100 + b"}", data), ""
    yield "nested 1000000 deep", pack(b"[" * 1000000, data), ""
    yield "invalid UTF-8 in a name", pack(hostile.replaced(text, name, b"\xff\xfe\xc0\x80"), data), ""
    yield "a NUL byte in a name", pack(hostile.replaced(text, name, b"a\0b"), data), ""
    yield "an escaped NUL in a name", pack(hostile.replaced(text, name, b"a\\u0000b"), data), ""
    yield "a newline in a name", pack(hostile.replaced(text, name, b"a\\nb"), data), ""
    yield "a name of 1 MB", pack(hostile.replaced(text, name, b"x" * 1000000), data), ""
    yield "a lone surrogate in a name", pack(hostile.replaced(text, name, b"\\ud800"), data), ""
    yield "a number of 400 digits", pack(hostile.replaced(text, b"[48,48]", b"[" + b"9" * 400 + b",48]"),
                                         data), ""
    yield "100000 tensors of nothing", pack({f"t{i}": 0 for i in range(100000)}, data), ""


def model_rows(folder, blob):
    n = len(blob) - len(unpack(blob)[1]) - 8
    places = (0, 1, 7, 8, 9, 8 + n // 2, 8 + n - 1, 8 + n, 9 + n, len(blob) // 2, -2, -1)
    for reason, data in hostile.truncations(blob, places):
        yield Row("model", reason, folder.write(data, ".safetensors"), {FAILED})
    for make in (lies, metadata_lies, confusions):
        for reason, data, says in make(blob):
            yield Row("model", reason, folder.write(data, ".safetensors"), {FAILED}, says)
    # A bit of a label or of a weight makes another model, not an invalid one.
    for reason, data in hostile.flips(blob, 1, 24, 0, 8 + n):
        yield Row("model", "header, " + reason, folder.write(data, ".safetensors"), {FINE, FAILED})
    for reason, data in hostile.flips(blob, 2, 8, 8 + n):
        yield Row("model", "weights, " + reason, folder.write(data, ".safetensors"), {FINE, FAILED})
    head, data = unpack(blob)
    for reason, byte in (("not a number", b"\xff"), ("zero", b"\0")):
        want = {FAILED} if byte == b"\xff" else {FINE}
        yield Row("model", "weights are all " + reason, folder.write(pack(head, byte * len(data)),
                ".safetensors"),
                  want, "not finite" if byte == b"\xff" else "")
    large = json.loads(json.dumps(head))
    large["__metadata__"]["max_ctx"] = "65536"
    yield Row("model", "claims a context of 65536", folder.write(pack(large, data), ".safetensors"), {FINE,
            FAILED})
    for reason, path, nobody in hostile.no_files(folder, blob, ".safetensors"):
        yield Row("model", reason, path, {FAILED}, nobody=nobody)
    yield Row("model", "64 MB of zeros", hostile.make_sparse(folder, 64 << 20, ".safetensors"), {FAILED})
    yield Row("model", "a text", folder.write(b"To be, or not to be\n" * 100, ".safetensors"), {FAILED})


def tokenizer_rows(folder, text):
    def changed(**changes):
        root = json.loads(text)
        root.update(changes)
        return json.dumps(root).encode()

    merges = json.loads(text)["merges"]
    doubling = [[97, 97]] + [[255 + i, 255 + i] for i in range(1, len(merges))]
    made = [("merge names an id that comes later", changed(merges=[[97, 300]] + merges[1:])),
            ("merge names a negative id", changed(merges=[[97, -1]] + merges[1:])),
            ("merge names the id 2^32 + 97", changed(merges=[[97, 2**32 + 97]] + merges[1:])),
            ("merge is a string", changed(merges=["a b"] + merges[1:])),
            ("merge of three", changed(merges=[[1, 2, 3]] + merges[1:])),
            ("merges are an object", changed(merges={"a": 1})),
            ("a merge stands twice", changed(merges=[merges[1]] + merges[1:])),
            ("fewer merges than ids", changed(merges=merges[:-1])),
            ("every merge doubles the one before: 2^768 bytes", changed(merges=doubling)),
            ("vocab_size 2^40", changed(vocab_size=2**40)), ("vocab_size 65536", changed(vocab_size=65536)),
            ("vocab_size -1", changed(vocab_size=-1)), ("vocab_size 1e300", changed(vocab_size=1e300)),
            ("vocab_size is text", changed(vocab_size="1024")), ("vocab_size 256.5",
                    changed(vocab_size=256.5)),
            ("bos 1024", changed(bos=1024)), ("bos -1", changed(bos=-1)), ("bos is null", changed(bos=None)),
            ("sha of 10000 digits", changed(sha="a" * 10000)), ("sha is a number", changed(sha=7)),
            ("sha of another tokenizer", changed(sha="0123456789abcdef")),
            ("another type", changed(type="BPE")), ("another cutting rule", changed(pretokenizer=".")),
            ("an array", b"[]"), ("null", b"null"), ("nested 100000 deep", b"[" * 100000),
            ("a key stands twice", hostile.replaced(text, b'"bos"', b'"sha": "00", "bos"')),
            ("a NUL byte", hostile.replaced(text, b"tare-byte", b"tare\0byte")),
            ("invalid UTF-8", hostile.replaced(text, b"tare-byte", b"\xff\xfe\xc0")),
            ("text behind its end", text + b"{}"), ("16 MB and more of blanks", text + b" " * (17 << 20))]
    for reason, data in list(hostile.truncations(text, (0, 1, 100, len(text) // 2, -2))) + made:
        yield Row("tokenizer", reason, folder.write(data, ".json"), {FAILED})
    for reason, data in hostile.flips(text, 3, 16):
        yield Row("tokenizer", reason, folder.write(data, ".json"), {FINE, FAILED})
    for reason, path, nobody in hostile.no_files(folder, text, ".json"):
        yield Row("tokenizer", reason, path, {FAILED}, nobody=nobody)


def replay_rows(folder):
    line = b'{"context": "a", "continuation": "bc", "logprob": [-1, -2], "greedy": [true, false]}\n'

    def swap(old, new):
        return hostile.replaced(line, old, new)

    made = [("an empty file", b""), ("blank lines only", b"\n\n  \n"), ("a line cut off", line + line[:40]),
            ("the same request twice", line + line), ("logprob is text", swap(b"[-1, -2]", b'"-1"')),
            ("logprob of too many", swap(b"[-1, -2]", b"[-1, -2, -3]")),
            ("logprob of too few", swap(b"[-1, -2]", b"[-1]")), ("logprob holds null", swap(b"-2]",
                    b"null]")),
            ("logprob of 1e400", swap(b"-2]", b"-1e400]")), ("no logprob", swap(b'"logprob"', b'"x"')),
            ("greedy of too many", swap(b"false]", b"false, true]")), ("an array", b"[1]\n"),
            ("an empty continuation", swap(b'"bc"', b'""')), ("no context", swap(b'"context"', b'"x"')),
            ("context is a number", swap(b'"a"', b"1")), ("both answers", swap(b'"greedy"',
                    b'"text": "x", "greedy"')),
            ("a NUL byte", swap(b"bc", b"b\0")), ("an escaped NUL", swap(b'"bc"', b'"b\\u0000c"')),
            ("nested 1000000 deep", b"[" * 1000000 + b"\n"), ("a key twice", swap(b'"greedy"',
                    b'"context": "a", "greedy"')),
            ("random bytes", bytes(range(256)) * 64),
            ("answers, but not the ones asked for", line), ("invalid UTF-8 in the context", swap(b'"a"',
                    b'"\xff\xfe"')),
            ("a line of 70 MB", b"x" * (70 << 20))]
    for reason, data in made:
        yield Row("replay", reason, folder.write(data, ".jsonl"), {FAILED})
    for reason, data in hostile.flips(line, 4, 12):
        yield Row("replay", reason, folder.write(data, ".jsonl"), {FAILED})
    for reason, path, nobody in hostile.no_files(folder, line, ".jsonl"):
        yield Row("replay", reason, path, {FAILED}, nobody=nobody)
    yield Row("replay", "64 MB of zeros", hostile.make_sparse(folder, 64 << 20, ".jsonl"), {FAILED})


def text_rows(folder):
    for reason, data, want in (
            ("an empty text", b"", FAILED), ("NUL bytes only", b"\0" * 1000, FAILED),
            ("one byte", b"a", FINE), ("invalid UTF-8", b"\xff\xc0\x80\xed\xa0\x80", FINE),
            ("all bytes", bytes(range(256)), FINE), ("a line of 300 kB", b"x" * 300000, FINE),
            ("10000 documents of one byte", b"a\0" * 10000, FINE)):
        yield Row("text", reason, folder.write(data, ".txt"), {want})
    for reason, path, nobody in hostile.no_files(folder, b"text", ".txt"):
        yield Row("text", reason, path, {FAILED}, nobody=nobody)
    yield Row("text", "more than 1 GiB of zeros", hostile.make_sparse(folder, (1 << 30) + 1, ".txt"),
              {FAILED})


def names(rows, data, suffix, folder):
    """Valid files whose names are hostile: newline, escape sequence, invalid UTF-8, length."""
    for reason, name in (("a newline", b"a\nb"), ("an escape sequence", b"a\x1b[2Jb"), ("invalid UTF-8",
            b"a\xff\xfeb"),
                         ("200 characters", b"x" * 200), ("a percent sign", b"%s%n%n"), ("quotes",
                                 b"\"'`$(id)")):
        path = os.path.join(os.fsencode(folder.path), name + suffix)
        with open(path, "wb") as file:
            file.write(data)
        rows.append((reason, path))
    return rows
