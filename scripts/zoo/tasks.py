# SPDX-License-Identifier: Apache-2.0
"""The six synthetic tasks: how one item of each is drawn, and which items are never trained on.

An item is one line of ASCII. Its spans are the byte ranges that are graded. This file only draws items;
stream.py packs them into rows and items.py picks those that evaluation uses.
"""
import dataclasses
import string
import zlib

LETTERS, DIGITS = string.ascii_lowercase, string.digits
# the sizes to train on, each as often as it stands here
TRAIN_SIZES = {"recall": (2, 4, 4, 8, 8, 12, 16, 16, 20, 24), "copy": (4, 8, 8, 12, 16, 16, 24, 32),
               "sort": (3, 4, 6, 8, 8, 12, 16), "add": (1, 2, 2, 2, 3, 3), "calc": (1, 1, 2, 2, 2, 3),
               "flip": (8, 16, 16, 32, 32, 64)}
SHARE = {"recall": 0.26, "copy": 0.12, "sort": 0.10, "add": 0.28, "calc": 0.16, "flip": 0.08}
HELD_OUT_OF = 16


@dataclasses.dataclass
class Item:
    prompt: str  # decides whether the item is held out
    text: str
    spans: list


class Line:
    """A line under construction that remembers which of its bytes are graded."""

    def __init__(self, text):
        self.text, self.spans = text, []

    def plain(self, text):
        self.text += text

    def graded(self, text):
        self.spans.append([len(self.text), len(self.text) + len(text)])
        self.text += text

    def item(self, prompt):
        return Item(prompt, self.text + "\n", self.spans)


def recall(rng, pairs):
    """Letters with digits, then letters alone: what was the digit?"""
    keys = rng.sample(LETTERS, pairs)
    values = {key: rng.choice(DIGITS) for key in keys}
    prompt = "R:" + "".join(f" {key}{values[key]}" for key in keys) + " ?"
    line = Line(prompt)
    for key in rng.sample(keys, min(pairs, 8)):
        line.plain(" " + key)
        line.graded(values[key])
    return line.item(prompt)


def copy(rng, length):
    letters = [" " + rng.choice(LETTERS) for _ in range(length)]
    prompt = "C:" + "".join(letters) + " ?"
    line = Line(prompt)
    for letter in letters:
        line.graded(letter)
    return line.item(prompt)


def sort(rng, length):
    digits = [rng.choice(DIGITS) for _ in range(length)]
    prompt = "S: " + "".join(digits) + " ? "
    line = Line(prompt)
    for digit in sorted(digits):
        line.graded(digit)
    return line.item(prompt)


def add(rng, digits):
    least = 0 if digits == 1 else 10 ** (digits - 1)
    first, second = (rng.randrange(least, 10 ** digits) for _ in range(2))
    prompt = f"A: {first}+{second}="
    line = Line(prompt)
    for digit in str(first + second):
        line.graded(digit)
    return line.item(prompt)


def expression(rng, depth):
    """-> (text, value) of a nested ^ maximum, _ minimum or + sum modulo 10 of two or three terms."""
    terms = []
    n_terms = rng.randint(2, 3)
    deepest = rng.randrange(n_terms)
    for index in range(n_terms):
        nested = depth > 1 and (index == deepest or (depth > 2 and rng.random() < 0.25))
        digit = rng.randrange(10)
        terms.append(expression(rng, depth - 1) if nested else (str(digit), digit))
    values = [value for _, value in terms]
    sign = rng.choice("^_+")
    value = {"^": max(values), "_": min(values), "+": sum(values) % 10}[sign]
    return f"[{sign}{''.join(text for text, _ in terms)}]", value


def calc(rng, depth):
    """Up to eight draws for a value chosen before, so that large and small answers are not over-represented."""
    wanted = rng.randrange(10)
    for _ in range(8):
        text, value = expression(rng, depth)
        if value == wanted:
            break
    prompt = f"L: {text}="
    line = Line(prompt)
    line.graded(str(value))
    return line.item(prompt)


def flip(rng, length):
    """w writes a digit, i is noise, r reads back what was written last; the end is always a read."""
    memory = rng.choice(DIGITS)
    line = Line("F: w" + memory)
    noise = rng.choice((0.5, 0.7, 0.85))
    for index in range(1, length):
        draw = rng.random()
        if index == length - 1 or draw >= (1 + noise) / 2:
            line.plain("r")
            line.graded(memory)
        elif draw < noise:
            line.plain("i" + rng.choice(DIGITS))
        else:
            memory = rng.choice(DIGITS)
            line.plain("w" + memory)
    return line.item(line.text)


DRAW = {"recall": recall, "copy": copy, "sort": sort, "add": add, "calc": calc, "flip": flip}


def held_out(item):
    return zlib.crc32(item.prompt.encode()) % HELD_OUT_OF == 0


def training_item(rng):
    """An item of a random task and size that evaluation never uses."""
    while True:
        task = rng.choices(list(SHARE), list(SHARE.values()))[0]
        item = DRAW[task](rng, rng.choice(TRAIN_SIZES[task]))
        if not held_out(item):
            return item


def graded_tokens(tokenizer, pieces, spans):
    """-> (ids, marks): a token is marked if one of its bytes lies in a span."""
    in_span = {at for begin, end in spans for at in range(begin, end)}
    ids, marks, at = [], [], 0
    for piece in pieces:
        for token in tokenizer.encode_piece(piece):
            end = at + len(tokenizer.bytes_of[token])
            ids.append(token)
            marks.append(int(any(byte in in_span for byte in range(at, end))))
            at = end
    return ids, marks
