# SPDX-License-Identifier: Apache-2.0
"""From a folder of texts to the splits train, valid, test and test_ood, each a run of documents.

Two kinds of folder are read. One with train.txt, valid.txt and test.txt (or .txt.xz; documents separated
by NUL bytes) is taken as it is. Any other is a folder of UTF-8 .txt files, one book each, and is cleaned
and split here; books in its subfolder `ood` are held out whole. It downloads nothing and judges no licence:
that the texts may be used is for whoever fills the folder to know.
"""
import glob
import hashlib
import lzma
import os
import re
import unicodedata
import zlib

from storage import write_atomically

SPLITS = ("train", "valid", "test", "test_ood")
PIECE_BYTES = 32768
PIECES_PER_HELD_OUT = 40  # one piece of 40 is test, another valid
SHINGLE_WORDS = 13
REPEATED_FROM = 80  # shorter paragraphs ("Yes.", "CHAPTER I") may occur more than once
WRAPPED_FROM = 52   # median length of a paragraph's lines from which on they are wrapped prose
PLAIN = {"\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u00ab": '"',
         "\u00bb": '"', "\u2013": "-", "\u2014": "--", "\u2015": "--", "\u2026": "...", "\u00a0": " ",
         "\u00e6": "ae", "\u00c6": "Ae", "\u0153": "oe", "\u0152": "Oe", "\u00df": "ss", "\u00a3": "L"}
BEGIN = re.compile(r"^\*\*\* ?START OF TH[^\n]*$", re.M)
END = re.compile(r"^(\*\*\* ?END OF TH|End of (the )?Project Gutenberg)", re.M | re.I)
NOT_PROSE = re.compile(r"gutenberg|\be-?text|\bebook|www\.|@", re.I)


def read_text(path):
    with open(path, "rb") as file:
        data = file.read()
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SystemExit(f"{path}: not UTF-8 ({error.reason} at byte {error.start}); convert it first") from None


def to_ascii(text):
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(str.maketrans(PLAIN))
    text = unicodedata.normalize("NFKD", text)
    return "".join(c for c in text if c == "\n" or " " <= c <= "~")


def without_frame(text):
    """Without what a text collection puts before and after the book itself."""
    begin, end = BEGIN.search(text), END.search(text)
    return text[begin.end() if begin else 0:end.start() if end else len(text)]


def unwrap(paragraph):
    """One line for wrapped prose; verse and plays, which have short lines, keep their line ends."""
    lines = [" ".join(line.split()) for line in paragraph.split("\n")]
    lines = [line for line in lines if line]
    lengths = sorted(map(len, lines[:-1]))
    wrapped = lengths and lengths[len(lengths) // 2] >= WRAPPED_FROM
    return (" " if wrapped else "\n").join(lines)


def paragraphs(text):
    """The paragraphs of a book in printable ASCII, without front matter, tables and rules."""
    text = re.sub(r"\[(Illustration|Footnote|Sidenote|Transcriber)[^\]]*\]", "", without_frame(to_ascii(text)))
    text = re.sub(r"\b_([^_\n]{1,400})_\b", r"\1", text)  # _emphasis_
    text = re.sub(r"-{2,}", "--", text)
    kept = []
    for paragraph in map(unwrap, re.split(r"\n\s*\n", text)):
        letters = sum(c.isalpha() for c in paragraph)
        if paragraph and 2 * letters >= len(paragraph) and not NOT_PROSE.search(paragraph):
            kept.append(paragraph)
    return kept


def words(paragraph):
    return re.findall(r"[a-z0-9]+", paragraph.lower())


def shingles(paragraph):
    """Every run of SHINGLE_WORDS words."""
    found = words(paragraph)
    return {hash(tuple(found[i:i + SHINGLE_WORDS])) for i in range(len(found) - SHINGLE_WORDS + 1)}


def without_repeats(book, seen):
    for paragraph in book:
        key = " ".join(words(paragraph))
        if len(paragraph) < REPEATED_FROM or key not in seen:
            seen.add(key)
            yield paragraph


def pieces(book):
    """Consecutive paragraphs of about PIECE_BYTES each."""
    piece, size = [], 0
    for paragraph in book:
        piece.append(paragraph)
        size += len(paragraph) + 2
        if size >= PIECE_BYTES:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


def split_of(name, index):
    """The rule: CRC-32 of `book:index of the piece`, modulo 40. Books may come and go without moving others."""
    return {0: "test", 1: "valid"}.get(zlib.crc32(f"{name}:{index}".encode()) % PIECES_PER_HELD_OUT, "train")


def split_book(name, book, documents):
    """Adds a book's documents; neighbouring pieces of training text stay one document."""
    joins = False
    for index, piece in enumerate(pieces(book)):
        split = split_of(name, index)
        if split == "train" and joins:
            documents["train"][-1].extend(piece)
        else:
            documents[split].append(piece)
        joins = split == "train"


def drop_contaminated(documents):
    """Removes training paragraphs that share a shingle with held-out text; -> how many."""
    held = set()
    for split in SPLITS[1:]:
        for document in documents[split]:
            held.update(*map(shingles, document))
    before = sum(map(len, documents["train"]))
    documents["train"] = [[p for p in document if held.isdisjoint(shingles(p))] for document in documents["train"]]
    return before - sum(map(len, documents["train"]))


def from_books(folder):
    """-> {split: bytes}"""
    documents, seen = {split: [] for split in SPLITS}, set()
    books = sorted(glob.glob(os.path.join(folder, "*.txt")))
    if not books:
        raise SystemExit(f"{folder}: neither train.txt[.xz] nor any .txt file in it")
    for path in books + sorted(glob.glob(os.path.join(folder, "ood", "*.txt"))):
        book = list(without_repeats(paragraphs(read_text(path)), seen))
        if os.path.basename(os.path.dirname(path)) == "ood":
            documents["test_ood"].append(book)
        else:
            split_book(os.path.basename(path), book, documents)
    drop_contaminated(documents)
    return {split: b"\0".join(("\n\n".join(document) + "\n\n").encode() for document in documents[split] if document)
            for split in SPLITS}


def ready_split(folder, split):
    """The bytes of <split>.txt or .txt.xz, or None."""
    path = os.path.join(folder, split + ".txt")
    if os.path.exists(path):
        with open(path, "rb") as file:
            return file.read()
    if os.path.exists(path + ".xz"):
        with lzma.open(path + ".xz") as file:
            return file.read()
    return None


def load(folder):
    """-> {split: bytes}; train, valid and test are never empty, test_ood may be."""
    train = ready_split(folder, "train")
    if train is None:
        splits = from_books(folder)
    else:
        splits = {split: ready_split(folder, split) or b"" for split in SPLITS[1:]}
        splits["train"] = train
    for split in SPLITS[:3]:
        if not splits[split]:
            raise SystemExit(f"{folder}: no text for the split '{split}'; more books are needed")
    return splits


def save(splits, folder):
    for split, text in splits.items():
        if text:
            write_atomically(os.path.join(folder, split + ".txt.xz"), lzma.compress(text, preset=9))


def documents_of(text):
    return [document for document in text.split(b"\0") if document]


def sha256(text):
    return hashlib.sha256(text).hexdigest()
