# SPDX-License-Identifier: Apache-2.0
"""Writing ONNX files with the standard library alone: a graph that is built node by node, as protobuf bytes.

Covers what decoders need: tensors, nodes with integer, float and text attributes, inputs and outputs with
open or fixed sizes, metadata, and weights in a file of their own. It reads nothing and proves nothing: the
runtime that loads the file does. Field numbers are those of onnx.proto (IR version 8, operator set 17).
"""
import struct

IR_VERSION, OPSET = 8, 17
FLOAT, INT32, INT64, BOOL, FLOAT16 = 1, 6, 7, 9, 10  # TensorProto.DataType
ATTRIBUTE_FLOAT, ATTRIBUTE_INT, ATTRIBUTE_STRING, ATTRIBUTE_INTS = 1, 2, 3, 7
EXTERNAL = 1  # TensorProto.DataLocation
CODES = {FLOAT: "f", INT32: "i", INT64: "q", BOOL: "?", FLOAT16: "e"}


def varint(value):
    value &= (1 << 64) - 1  # negative numbers take ten bytes
    result = bytearray()
    while value > 127:
        result.append(value & 127 | 128)
        value >>= 7
    return bytes(result + bytes([value]))


def number(field, value):
    return varint(field << 3) + varint(value)


def data(field, value):
    """A field of bytes, text or a message."""
    value = value.encode("utf-8") if isinstance(value, str) else bytes(value)
    return varint(field << 3 | 2) + varint(len(value)) + value


def attribute(name, value):
    if isinstance(value, float):
        body = varint(2 << 3 | 5) + struct.pack("<f", value) + number(20, ATTRIBUTE_FLOAT)
    elif isinstance(value, int):
        body = number(3, value) + number(20, ATTRIBUTE_INT)
    elif isinstance(value, str):
        body = data(4, value) + number(20, ATTRIBUTE_STRING)
    else:
        body = b"".join(number(8, item) for item in value) + number(20, ATTRIBUTE_INTS)
    return data(1, name) + body


def border(name, kind, shape):
    """An input or output of the graph; a text in its shape is an open size of that name."""
    sizes = b"".join(data(1, data(2, size) if isinstance(size, str) else number(1, size)) for size in shape)
    return data(1, name) + data(2, data(1, number(1, kind) + data(2, sizes)))


class Graph:
    """Nodes in the order in which they are added; the names of what lies between them are made here."""

    def __init__(self, name):
        self.name, self.count = name, 0
        self.nodes, self.tensors, self.inputs, self.outputs = [], [], [], []
        self.external = None  # (file name, bytearray) of weights that lie outside

    def fresh(self, stem):
        self.count += 1
        return f"{stem}_{self.count}"

    def op(self, kind, *inputs, outputs=None, **attributes):
        """Adds a node; returns the name of its output, or their list where `outputs` is a number or a list."""
        names = outputs if isinstance(outputs, list) else [self.fresh(kind) for _ in range(outputs or 1)]
        body = b"".join(data(1, name) for name in inputs) + b"".join(data(2, name) for name in names)
        body += data(3, self.fresh("node")) + data(4, kind)
        body += b"".join(data(5, attribute(key, value)) for key, value in attributes.items())
        self.nodes.append(body)
        return names if outputs else names[0]

    def raw(self, name, kind, shape, content):
        """Adds a tensor of given little-endian bytes; returns its name."""
        body = b"".join(number(1, size) for size in shape) + number(2, kind) + data(8, name)
        if self.external and len(content) >= 64:
            file, store = self.external
            entries = (("location", file), ("offset", str(len(store))), ("length", str(len(content))))
            body += b"".join(data(13, data(1, key) + data(2, value)) for key, value in entries)
            body += number(14, EXTERNAL)
            store += content
        else:
            body += data(9, content)
        self.tensors.append(body)
        return name

    def tensor(self, kind, shape, values, name=None):
        return self.raw(name or self.fresh("constant"), kind, shape,
                        struct.pack(f"<{len(values)}{CODES[kind]}", *values))

    def integers(self, *values):
        return self.tensor(INT64, [len(values)], values)

    def integer(self, value):
        return self.tensor(INT64, [], [value])

    def scalar(self, value):
        return self.tensor(FLOAT, [], [value])

    def input(self, name, kind, shape):
        self.inputs.append(border(name, kind, shape))
        return name

    def output(self, name, kind, shape):
        self.outputs.append(border(name, kind, shape))
        return name

    def model(self, metadata, producer="tare"):
        """The bytes of the whole file."""
        graph = b"".join(data(1, node) for node in self.nodes) + data(2, self.name)
        graph += b"".join(data(5, tensor) for tensor in self.tensors)
        graph += b"".join(data(11, one) for one in self.inputs)
        graph += b"".join(data(12, one) for one in self.outputs)
        pairs = b"".join(data(14, data(1, key) + data(2, value)) for key, value in metadata.items())
        return (number(1, IR_VERSION) + data(2, producer) + data(7, graph)
                + data(8, data(1, "") + number(2, OPSET)) + pairs)
