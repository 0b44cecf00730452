#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the ONNX models of the tests: small ones of known truth, wrong ones, and a llama of the zoo.

    models.py FOLDER SCRIPTS ZOO

The truth of the small ones: 32 ids, logit of b after a is ((7 a + 13 b) mod 17) / 4 - 2, which every number
format in use holds exactly and which has ties. "posed" adds position / 2 + length / 4, "summed" an eighth
of the sum of all ids so far, which it keeps as float16 in a cache of 2 heads of 3.
"""
import os
import struct
import subprocess
import sys

VOCAB, CTX = 32, 24
METADATA = {"name": "bigram", "arch": "table", "max_ctx": str(CTX), "bos": "0"}
BFLOAT16 = 16


def table():
    return [((7 * a + 13 * b) % 17) / 4 - 2 for a in range(VOCAB) for b in range(VOCAB)]


def brain(values):
    """bfloat16: the upper half of a float32."""
    return b"".join(struct.pack("<f", value)[2:] for value in values)


class Maker:
    def __init__(self, onnxfile, folder):
        self.o, self.folder = onnxfile, folder

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, content):
        with open(self.path(name), "wb") as to:
            to.write(content)

    def look_up(self, g, ids, kind=None, values=None):
        kind, values = kind or self.o.FLOAT, values or table()
        if kind == BFLOAT16:
            rows = g.raw("table", kind, [VOCAB, VOCAB], brain(values))
        else:
            rows = g.tensor(kind, [VOCAB, VOCAB], values, "table")
        return g.op("Gather", rows, ids, axis=0)

    def bigram(self, name, kind=None, values=None, metadata=None, input_name="input_ids", input_kind=None,
               shape=("b", "s"), output="logits", size=VOCAB, external=None, before=None, after=None):
        """A table of logits; the last arguments bend it."""
        o = self.o
        g = o.Graph("bigram")
        g.external = external
        ids = g.input(input_name, input_kind or o.INT64, list(shape))
        ids = before(g, ids) if before else ids
        logits = self.look_up(g, ids, kind, values)
        logits = after(g, logits) if after else logits
        g.op("Identity", logits, outputs=[output])
        out_kind, out_shape = (o.INT64, ["b", "s", size]) if after == self.as_int else \
            (kind or o.FLOAT, ["s", size] if after == self.flat else ["b", "s", size])
        g.output(output, out_kind, out_shape)
        self.write(name, g.model(METADATA if metadata is None else metadata))

    # What `after` and `before` can be

    def as_int(self, g, x):
        return g.op("Cast", x, to=self.o.INT64)

    def flat(self, g, x):
        return g.op("Squeeze", x, g.integers(0))

    def last_row(self, g, x):
        return g.op("Slice", x, g.integers(-1), g.integers(2 ** 31), g.integers(1))

    def to_int64(self, g, x):
        return g.op("Cast", x, to=self.o.INT64)

    def unknown(self, g, x):
        return g.op("NoSuchOperator", x)

    def good(self):
        o = self.o
        self.bigram("bigram.onnx")
        self.bigram("f16.onnx", o.FLOAT16)
        self.bigram("bf16.onnx", BFLOAT16)
        self.bigram("open.onnx", size="v")
        store = ("outside.onnx.data", bytearray())
        self.bigram("outside.onnx", external=store)
        self.write(store[0], bytes(store[1]))

    def posed(self):
        """Tells the positions and the mask that it was given."""
        o = self.o
        g = o.Graph("posed")
        ids, mask, positions = (g.input(n, o.INT64, ["b", s]) for n, s in
                                (("input_ids", "s"), ("attention_mask", "t"), ("position_ids", "s")))
        at = g.op("Mul", g.op("Cast", positions, to=o.FLOAT), g.scalar(0.5))
        length = g.op("Mul", g.op("Cast", g.op("ReduceSum", mask), to=o.FLOAT), g.scalar(0.25))
        shift = g.op("Add", g.op("Unsqueeze", at, g.integers(2)), length)
        g.op("Add", self.look_up(g, ids), shift, outputs=["logits"])
        g.output("logits", o.FLOAT, ["b", "s", VOCAB])
        self.write("posed.onnx", g.model(METADATA))

    def summed(self, name, kind, past_shape=("b", 2, "p", 3), present="present.0.key", present_kind=None):
        o = self.o
        g = o.Graph("summed")
        ids = g.input("input_ids", o.INT64, ["b", "s"])
        past = g.input("past_key_values.0.key", kind, list(past_shape))
        new = g.op("Cast", g.op("Unsqueeze", ids, g.integers(1, 3)), to=kind)
        factors = g.tensor(kind, [1, 2, 1, 3], [1, 2, 3, 4, 5, 6])
        all_of_it = g.op("Concat", past, g.op("Mul", new, factors), axis=2)
        g.op("Cast", all_of_it, outputs=[present], to=present_kind or kind)
        g.output(present, present_kind or kind, ["b", 2, "t", 3])
        sums = g.op("CumSum", g.op("Cast", all_of_it, to=o.FLOAT), g.integer(2))
        sums = g.op("ReduceSum", sums, g.integers(1, 3), keepdims=0)  # 21 times the sum of the ids
        fed = g.op("Neg", g.op("Gather", g.op("Shape", ids), g.integers(1), axis=0))
        rows = g.op("Slice", sums, fed, g.integers(2 ** 31), g.integers(1))
        shift = g.op("Mul", rows, g.scalar(0.125 / 21))
        g.op("Add", self.look_up(g, ids), g.op("Unsqueeze", shift, g.integers(2)), outputs=["logits"])
        g.output("logits", o.FLOAT, ["b", "s", VOCAB])
        self.write(name, g.model(METADATA))

    def wrong(self):
        o = self.o
        self.bigram("wrong-input.onnx", input_name="tokens")
        self.bigram("ids-float.onnx", input_kind=o.FLOAT, before=self.to_int64)
        self.bigram("ids-int32.onnx", input_kind=o.INT32)
        self.bigram("fixed.onnx", shape=(1, 8))
        self.bigram("batch-of-two.onnx", shape=(2, "s"))
        self.bigram("no-logits.onnx", output="scores")
        self.bigram("int-logits.onnx", after=self.as_int)
        self.bigram("flat-logits.onnx", after=self.flat)
        self.bigram("last-row.onnx", after=self.last_row)
        self.bigram("no-operator.onnx", after=self.unknown)
        self.bigram("no-context.onnx", metadata={"name": "bigram"})
        self.bigram("odd-context.onnx", metadata={"max_ctx": "many"})
        self.bigram("high-bos.onnx", metadata={**METADATA, "bos": "32"})
        self.bigram("lost-outside.onnx", external=("not-there.data", bytearray()))
        for name, bad in (("nan.onnx", float("nan")), ("inf.onnx", float("inf"))):
            values = table()
            values[5 * VOCAB + 9] = bad  # after id 5
            self.bigram(name, values=values)
        self.summed("unpaired.onnx", o.FLOAT, present="present.1.key")
        self.summed("other-type.onnx", o.FLOAT, present_kind=o.FLOAT16)
        self.summed("odd-cache.onnx", o.FLOAT, past_shape=("b", "h", "p", 3))
        self.extra()
        self.write("empty.onnx", b"")
        self.write("text.onnx", b"This is no model.\n" * 40)
        with open(self.path("bigram.onnx"), "rb") as file:
            self.write("cut.onnx", file.read()[:2000])

    def extra(self):
        o = self.o
        g = o.Graph("extra")
        ids, flag = g.input("input_ids", o.INT64, ["b", "s"]), g.input("use_cache_branch", o.BOOL, [1])
        g.op("Add", self.look_up(g, ids), g.op("Cast", flag, to=o.FLOAT), outputs=["logits"])
        g.output("logits", o.FLOAT, ["b", "s", VOCAB])
        self.write("extra-input.onnx", g.model(METADATA))


def main():
    folder, scripts, zoo = sys.argv[1:4]
    sys.path.insert(0, scripts)
    sys.dont_write_bytecode = True
    import onnxfile
    os.makedirs(folder, exist_ok=True)
    maker = Maker(onnxfile, folder)
    maker.good()
    maker.posed()
    maker.summed("summed.onnx", onnxfile.FLOAT16)
    maker.wrong()
    for size, name, *more in (("0.1m", "llama-kv.onnx"), ("0.1m", "llama-plain.onnx", "--no-cache", "--type", "f32"),
                              ("1m", "llama-1m.onnx")):
        subprocess.run([sys.executable, "-B", os.path.join(scripts, "zoo-to-onnx"),
                        os.path.join(zoo, f"llama-{size}.safetensors"), os.path.join(folder, name), *more],
                       check=True, stdout=subprocess.DEVNULL)
    maker.write("done", b"")


if __name__ == "__main__":
    main()
