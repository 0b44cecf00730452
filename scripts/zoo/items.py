# SPDX-License-Identifier: Apache-2.0
"""The evaluation items: held-out synthetic items of fixed sizes, and two choice tasks cut from the test text.

It writes what datasets of the harness read (eval_items.jsonl, eval_beyond.jsonl, eval_text.bin). Grading is
evaluate.py.
"""
import json
import random
import re

import tasks
from storage import write_atomically

SIZES = {"recall": (4, 8, 16, 24), "copy": (8, 16, 32), "sort": (4, 8, 16), "add": (2, 3), "calc": (1, 2, 3),
         "flip": (16, 32, 64)}
BEYOND = {"copy": (48,), "sort": (24,), "flip": (128,)}  # longer than anything in training; graded apart
PER_SIZE, CHOICE_ITEMS = 128, 256
SMALL_DOCUMENTS, SMALL_BYTES = 32, 8192
WORD_BEGIN = re.compile(r" (?=[A-Za-z])")
SENTENCE = re.compile(r"[A-Z][^.!?]{40,160}[.!?]")


def synthetic(sizes):
    for task in sizes:
        for size in sizes[task]:
            rng, seen, tries = random.Random(f"{task} {size}"), set(), 0
            while len(seen) < PER_SIZE and tries < 200000:  # small tasks may not have so many
                tries += 1
                item = tasks.DRAW[task](rng, size)
                if tasks.held_out(item) and item.prompt not in seen:
                    seen.add(item.prompt)
                    yield {"task": task, "level": size, "text": item.text, "spans": item.spans}


def prose_of(text):
    """For each test document with enough of them: its long paragraphs of one line."""
    for document in text.decode("ascii").split("\0"):
        found = [p for p in document.split("\n\n") if len(p) > 420 and "\n" not in p]
        if len(found) >= 6:
            yield found


def word_begin(paragraph, at):
    """Where the next word begins (its space), or None."""
    match = WORD_BEGIN.search(paragraph, at)
    return match.start() if match else None


def excerpt(paragraph, begin):
    """Some 60 to 80 bytes of whole words from `begin` on, or None."""
    end = word_begin(paragraph, begin + 60) if begin is not None else None
    return paragraph[begin:end] if end is not None and end - begin <= 80 else None


def continuation(rng, prose):
    """The true continuation of a paragraph among three from elsewhere in its document, or None."""
    four = rng.sample(rng.choice(prose), 4)
    begins = [word_begin(four[0], rng.randrange(120, 260))]
    begins += [word_begin(p, rng.randrange(100, len(p) - 110)) for p in four[1:]]
    choices = [excerpt(*pair) for pair in zip(four, begins)]
    if None in choices:
        return None
    order = rng.sample(range(4), 4)
    return {"task": "mc4", "level": 0, "ctx": four[0][:begins[0]], "choices": [choices[i] for i in order],
            "gold": order.index(0)}


def swapped(rng, prose):
    """A sentence against itself with two neighbouring words exchanged, or None."""
    sentences = SENTENCE.findall(rng.choice(rng.choice(prose)))
    words = rng.choice(sentences).split(" ") if sentences else []
    if len(words) < 8:
        return None
    at = rng.randrange(2, len(words) - 3)
    first, second = words[at:at + 2]
    if not (first.isalpha() and second.isalpha()) or first.lower() == second.lower():
        return None
    wrong = words[:at] + [second, first] + words[at + 2:]
    pair, gold = [" ".join(words), " ".join(wrong)], rng.randrange(2)
    return {"task": "swap", "level": 0, "ctx": "", "choices": pair[::-1] if gold else pair, "gold": gold}


def choices(test_text):
    """Both choice tasks; none of them if the test text has too little prose."""
    prose = list(prose_of(test_text))
    for make in (continuation, swapped) if prose else ():
        rng, found, tries = random.Random(make.__name__), 0, 0
        while found < CHOICE_ITEMS and tries < 100 * CHOICE_ITEMS:
            tries += 1
            item = make(rng, prose)
            if item:
                found += 1
                yield item


def small_text(test_text):
    """The first bytes of test documents spread over the split: enough for an engine without a GPU."""
    documents = [d for d in test_text.split(b"\0") if d]
    count = min(SMALL_DOCUMENTS, len(documents))
    picked = [documents[i * len(documents) // count][:SMALL_BYTES] for i in range(count)]
    return b"\0".join(d[:d.rfind(b"\n") + 1] for d in picked)


def write(test_text, folder):
    """-> the graded items"""
    graded = list(synthetic(SIZES)) + list(choices(test_text))
    for name, some in (("eval_items.jsonl", graded), ("eval_beyond.jsonl", synthetic(BEYOND))):
        write_atomically(f"{folder}/{name}", "".join(json.dumps(item) + "\n" for item in some).encode())
    write_atomically(f"{folder}/eval_text.bin", small_text(test_text))
    return graded


def read(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]
