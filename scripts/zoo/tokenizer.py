# SPDX-License-Identifier: Apache-2.0
"""Byte-level byte-pair encoding: training, encoding, decoding and the file tokenizer.json.

Ids 0..255 are bytes, id 256 + i is merge i. The first 26 merges are given, not learned: a space and one
lower-case letter are always one token, which the synthetic tasks rely on. Needs numpy alone.
"""
import collections
import hashlib
import json
import re

import numpy as np

from storage import write_atomically

VOCAB = 1024
BOS = 0  # the byte NUL, which no document contains
PATTERN = (r" ?[A-Za-z\x80-\xff]+(?:'[A-Za-z\x80-\xff]+)*"  # words, with the space before them
           r"|[0-9]"                                        # one digit
           r"|\n+"                                          # line ends
           r"| ?[^A-Za-z0-9\x80-\xff\s\x00]+"               # punctuation
           r"|\x00|\s")                                     # an end of document; any other white space
PRE_TOKEN = re.compile(PATTERN.encode())
GIVEN_MERGES = [(ord(" "), letter) for letter in range(ord("a"), ord("z") + 1)]
CACHED_BYTES = 64  # longer pre-tokens are rules of dashes and the like, seldom seen twice


def merge_pair(ids, pair, new):
    """ids with each occurrence of the pair replaced by the id `new`, from left to right."""
    out, i = [], 0
    while i < len(ids):
        if i + 1 < len(ids) and (ids[i], ids[i + 1]) == pair:
            out.append(new)
            i += 2
        else:
            out.append(ids[i])
            i += 1
    return out


class Tokenizer:
    def __init__(self, merges):
        self.merges = [tuple(pair) for pair in merges]
        self.rank = {pair: i for i, pair in enumerate(self.merges)}
        self.bytes_of = [bytes([i]) for i in range(256)]
        for first, second in self.merges:
            self.bytes_of.append(self.bytes_of[first] + self.bytes_of[second])
        self.n_bytes = np.array([len(piece) for piece in self.bytes_of])
        self._cache = {}

    @property
    def sha(self):
        return hashlib.sha256(json.dumps(self.merges).encode()).hexdigest()[:16]

    def _merge_all(self, piece):
        ids = list(piece)
        while len(ids) > 1:
            pair = min(zip(ids, ids[1:]), key=lambda p: self.rank.get(p, len(self.merges)))
            if pair not in self.rank:
                break
            ids = merge_pair(ids, pair, 256 + self.rank[pair])
        return ids

    def encode_piece(self, piece):
        """The ids of one pre-token."""
        ids = self._cache.get(piece)
        if ids is None:
            ids = self._merge_all(piece)
            if len(piece) < CACHED_BYTES:
                self._cache[piece] = ids
        return ids

    def encode(self, text):
        """bytes -> list of ids"""
        return [i for piece in PRE_TOKEN.findall(text) for i in self.encode_piece(piece)]

    def decode(self, ids):
        return b"".join(self.bytes_of[i] for i in ids)

    def save(self, path):
        content = {"type": "tare-byte-bpe-1", "vocab_size": len(self.bytes_of), "bos": BOS,
                   "pretokenizer": PATTERN, "sha": self.sha, "merges": self.merges}
        write_atomically(path, json.dumps(content).encode())

    @classmethod
    def load(cls, path):
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
        if content.get("pretokenizer") != PATTERN:
            raise SystemExit(f"{path}: made with other pre-tokens than this recipe's; train a new one")
        return cls(content["merges"])


class PairCounts:
    """How often each pair of adjacent ids occurs in a bag of pre-tokens while merges are applied."""

    def __init__(self, pieces):
        self.words = [list(piece) for piece in pieces]
        self.times = list(pieces.values())
        self.count = collections.Counter()
        self.where = collections.defaultdict(set)
        for index in range(len(self.words)):
            self._add(index, 1)

    def _add(self, index, sign):
        for pair in zip(self.words[index], self.words[index][1:]):
            self.count[pair] += sign * self.times[index]
            if sign > 0:
                self.where[pair].add(index)

    def merge(self, pair, new):
        for index in self.where.pop(pair, ()):
            self._add(index, -1)
            self.words[index] = merge_pair(self.words[index], pair, new)
            self._add(index, 1)
        self.count.pop(pair, None)

    def most_frequent(self):
        """Of equally frequent pairs the one with the smallest ids."""
        return min(self.count.items(), key=lambda item: (-item[1], item[0]))[0]


def train(text, vocab=VOCAB):
    counts = PairCounts(collections.Counter(PRE_TOKEN.findall(text)))
    merges = []
    while len(merges) < vocab - 256:
        given = len(merges) < len(GIVEN_MERGES)
        pair = GIVEN_MERGES[len(merges)] if given else counts.most_frequent()
        counts.merge(pair, 256 + len(merges))
        merges.append(pair)
    return Tokenizer(merges)


def check_cases(tokenizer, path):
    """The cases of tokenizer_cases.jsonl that come out otherwise, as (wanted, got) pairs."""
    wrong = []
    with open(path, encoding="utf-8") as file:
        for case in map(json.loads, file):
            got = tokenizer.encode(bytes.fromhex(case["hex"]))
            if got != case["ids"]:
                wrong.append((case["ids"], got))
    return wrong
