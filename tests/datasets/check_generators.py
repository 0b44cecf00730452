#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Solves the items of the synthetic tasks from their text alone, and checks what their sets promise.

check_generators.py DUMP_ITEMS ITEMS [--golden-only]

A solver takes the text of a teacher-forced item and says where its prompt ends and what must be graded; it
raises Wrong where the text breaks the task's rule. Nothing here is shared with the generators. Each solver is
shown wrong answers too, which it must refuse. ITEMS is how many of each task are solved, and a twentieth of
them of each further form.

The golden hashes are those of what dump_items prints for 100 items of seed 1: texts, answers and graded
places. A change of one means other items under the same seed: raise the task's version.
"""
import functools
import hashlib
import os
import re
import statistics
import subprocess
import sys
import zlib

SPANS, CHOICE, GENERATE = 2, 3, 4
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


DIGITS = set("0123456789")


class Wrong(Exception):
    pass


def need(true, what):
    if not true:
        raise Wrong(what)


def match(pattern, text):
    found = re.fullmatch(pattern, text, re.DOTALL)
    need(found, f"not of the form {pattern}")
    return found


def symbol_id(word):
    number = 0
    for letter in word:
        number = number * 52 + LETTERS.index(letter)
    return number


def symbol_ids(words, symbols):
    need(len({len(word) for word in words}) == 1, "symbols of several widths")
    id_of = {word: symbol_id(word) for word in set(words)}
    ids = [id_of[word] for word in words]
    need(max(ids) < symbols, "a symbol beyond the last")
    need(52 ** (len(words[0]) - 1) < symbols or len(words[0]) == 1, "symbols wider than needed")
    return ids


def words_at(text, begin):
    """[(begin, end)] of the words of text[begin:], each with the space before it."""
    return [found.span() for found in re.compile(r" [^ \n,]+").finditer(text, begin)]


# ---- solvers: (text, level, options, spans) -> (where the prompt ends, what must be graded)

def list_ops(text, level, o, _):
    prompt, answer = match(r"(.*) = (\d)\n", text).groups()
    stack, length, deepest = [], 0, 0
    values = None
    for token in prompt.split(" "):
        if token.startswith("["):
            stack.append((token, []))
            length += 2
            deepest = max(deepest, len(stack))
            continue
        if token == "]":
            name, got = stack.pop()
            need(2 <= len(got) <= int(o.get("arguments", 10)), "number of arguments")
            value = {"[MIN": min, "[MAX": max, "[MED": lambda x: int(statistics.median(x)),
                     "[SM": lambda x: sum(x) % 10}[name](got)
        else:
            need(token in DIGITS, "no digit")
            value = int(token)
            length += 1
        if stack:
            stack[-1][1].append(value)
        else:
            need(values is None, "more than one expression")
            values = value
    need(not stack, "an open bracket")
    need(level // 4 < length < level, f"length {length}")
    need(deepest < int(o.get("depth", 10)), "too deep")
    need(int(answer) == values, "value")
    return len(prompt) + 2, [(len(prompt) + 2, len(prompt) + 4)]


def assoc_recall(text, level, o, _):
    body, key, answer = match(r"K:((?: \w+)+) => (\w+) (\w+|\.)\n", text).groups()
    symbols = int(o.get("symbols", 18))
    words = body.split()
    need(len(words) == 2 * level, "number of pairs")
    ids = symbol_ids(words, symbols)
    need(all((i >= symbols // 2) == (at % 2 == 1) for at, i in enumerate(ids)), "keys and values")
    value_of = {}
    for k, v in zip(words[::2], words[1::2]):
        need(value_of.setdefault(k, v) == v, "a key of two values")
    if o.get("absent") != "true":
        need(key in value_of, "a key that did not occur")
    need(answer == value_of.get(key, "."), "value")
    end = len(text) - 1
    return end - len(answer) - 1, [(end - len(answer) - 1, end)]


def mqar(text, level, o, spans):
    symbols = int(o.get("symbols", 52))
    length = int(o.get("length", 0)) or {4: 64, 8: 128, 16: 256, 64: 512}[level]
    need(text.startswith("Q:") and text.endswith("\n"), "form")
    places = words_at(text, 2)
    words = [text[b + 1:e] for b, e in places]
    need(len(words) == length and "".join(" " + w for w in words) == text[2:-1], "number of symbols")
    named = [w for w in words if w != "."]
    need(o.get("filler") == "dots" or len(named) == length, "full stops")
    ids = symbol_ids(named, symbols)
    keys, values = ids[:2 * level:2], ids[1:2 * level:2]
    need(len(set(keys)) == len(set(values)) == level, "repeated keys or values")
    need(all(1 <= k < symbols // 2 for k in keys) and all(v >= symbols // 2 for v in values), "halves")
    value_of = dict(zip(words[:2 * level:2], words[1:2 * level:2]))
    asked, want = set(), []
    for begin, end in spans:
        at = places.index((begin, end)) if (begin, end) in places else -1
        need(at >= 2 * level and at % 2 == 1, "graded outside a slot")
        need(words[at - 1] in value_of and words[at - 1] not in asked, "asked twice or no key")
        need(value_of[words[at - 1]] == words[at], "value")
        asked.add(words[at - 1])
        want.append((begin, end))
    need(len(asked) == level, "not every key is asked for")
    if o.get("filler") == "dots":
        need(len(named) == 4 * level, "symbols beside pairs and questions")
    return len(text) - 1, want


def induction(text, level, o, _):
    copied = int(o.get("copied", 1))
    need(text.startswith("I:") and text.endswith("\n"), "form")
    places = words_at(text, 2)
    words = [text[b + 1:e] for b, e in places]
    need(len(words) == level + 1 + copied, "number of symbols")
    need(words.count("=>") == 2 and words[level] == "=>", "markers")
    symbol_ids([w for w in words if w != "=>"], int(o.get("symbols", 18)))
    place = words.index("=>")
    need(place + copied + 1 < level, "the marker's place")
    need(words[level + 1:] == words[place + 1:place + 1 + copied], "what followed")
    return places[level][1], places[level + 1:]


def selective_copy(text, level, o, _):
    data = int(o.get("data", 16))
    need(text.startswith("X:") and text.endswith("\n"), "form")
    places = words_at(text, 2)
    words = [text[b + 1:e] for b, e in places]
    need(words.count("?") == 1, "question marks")
    ask = words.index("?")
    kept = [w for w in words[:ask] if w != "."]
    need(ask == level + data and len(kept) == data, "number of cells")
    symbol_ids(kept, int(o.get("symbols", 14)))
    need(words[ask + 1:] == kept, "what is copied")
    return places[ask][1], places[ask + 1:]


def needle(text, level, o, _):
    keys, values, queries = (int(o.get(k, 1)) for k in ("keys", "values", "queries"))
    hay, rest = text.rsplit("\nWhat ", 1)
    hay += " "
    pattern = re.compile(r"The number of (the \w+ \w+) is (\d{7})\. ")
    found = pattern.findall(hay)
    need(len(found) == hay.count("The number of") == keys * values, "number of needles")
    need(len({number for _, number in found}) == len(found), "a number twice")
    names = [name for name, _ in found]
    need(len(set(names)) == keys and all(names.count(n) == values for n in names), "numbers of a thing")
    several = queries * values > 1
    asked, answer = match(r"are the numbers of (.*)\? They are(.*)\n" if several else
                          r"is the number of (.*)\? It is(.*)\n", rest).groups()
    things = re.split(r", | and ", asked)
    need(len(set(things)) == len(things) == queries, "things asked for")
    want = [number for thing in things for name, number in found if name == thing]
    need(len(want) == queries * values and answer == " " + ", ".join(want), "numbers")
    prompt_n = len(text) - 1 - len(answer)
    need(prompt_n <= level, "longer than its level")
    if o.get("haystack") == "prose":
        need(one_spaced(pattern.sub("", hay)) in read_prose(), "not the prose in its order")
    else:
        need(level - prompt_n < 60, "shorter than need be")
    depth = int(o.get("depth_percent", -1))
    if depth >= 0:
        check_depth(pattern, hay, things, depth)
    spans = []
    for number in want:
        at = text.index(" " + number, spans[-1][1] if spans else prompt_n)
        spans.append((at, at + 8))
    return prompt_n, spans


def one_spaced(text):
    return re.sub("[ \t\r\n]+", " ", text).strip()


@functools.lru_cache
def read_prose():
    """All of the shipped prose, twice, for texts that go round."""
    folder = os.path.join(os.environ["TARE_DATA"], "text/prose")
    texts = []
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as file:
            texts.append(file.read().decode("latin-1"))
    return one_spaced(" ".join(texts * 2))


def check_depth(pattern, hay, things, depth):
    """Before what is asked for stands at most that share of the sentences, and with the next one more."""
    total = len(pattern.sub("", hay))
    for found in pattern.finditer(hay):
        if found.group(1) not in things:
            continue
        before = len(pattern.sub("", hay[:found.start()]))
        after = pattern.sub("", hay[found.end():])
        need(before * 100 <= depth * total, "deeper than asked")
        if after:
            following = len(re.match(r".*?[.!?] ", after).group(0))
            need((before + following) * 100 > depth * total, "less deep than asked")


def var_tracking(text, level, o, _):
    chains = int(o.get("chains", 2))
    story, rest = text.rsplit("\n", 2)[:2]
    story += " "
    number, answer = match(r"Which names hold (\d{5})\? In order:(.*)", rest).groups()
    holds, hops = {}, {}
    said = re.findall(r"Let ([A-Z]{3}) be ([A-Z]{3}|\d{5})\. ", story)
    for name, what in said:
        need(name not in holds, "a name set twice")
        need(what.isdigit() or what in holds, "a name used before it is set")
        holds[name] = what if what.isdigit() else holds[what]
        hops[name] = 0 if what.isdigit() else hops[what] + 1
    need(len(said) == story.count("Let ") == chains * (level + 1), "number of sentences")
    need(len(set(holds.values())) == chains and max(hops.values()) == level, "chains")
    need(sorted(hops.values()) == sorted(list(range(level + 1)) * chains), "a chain that branches")
    filler = int(o.get("filler", 1))
    need(len(re.findall(r"[^.]+\. ", story)) == (filler + 1) * len(said), "plain sentences")
    want = [name for name in holds if holds[name] == number]
    need(answer == "".join(" " + name for name in want), "names")
    prompt_n = len(text) - 1 - len(answer)
    return prompt_n, words_at(text, prompt_n)


def parity(text, level, _o, _):
    bits, answer = match(r"P:((?: [01])+) \?( even| odd)\n", text).groups()
    need(len(bits) == 2 * level, "number of bits")
    need(answer == (" even", " odd")[bits.count("1") % 2], "parity")
    return len(text) - 1 - len(answer), [(len(text) - 1 - len(answer), len(text) - 1)]


def majority(text, level, _o, _):
    letters, answer = match(r"V:((?: [ab])+) \? ([ab])\n", text).groups()
    need(len(letters) == 2 * level, "number of letters")
    need(letters.count(answer) * 2 > level, "majority")
    return len(text) - 3, [(len(text) - 3, len(text) - 1)]


def paths(text, level, o, _):
    grid, answer = match(r"Grid:\n([.#O\n]*)Does a line join O and O\? Answer:( yes| no)\n", text).groups()
    rows = grid.split("\n")[:-1]
    need(len(rows) == level and all(len(row) == level for row in rows), "size of the grid")
    drawn = {(r, c) for r, row in enumerate(rows) for c, cell in enumerate(row) if cell != "."}
    marks = [(r, c) for r, c in drawn if rows[r][c] == "O"]
    need(len(marks) == 2, "marks")
    reach = 1 + int(o.get("gap", 0))
    near = [(r, c) for r in range(-reach, reach + 1) for c in range(-reach, reach + 1)]
    groups = []
    left = set(drawn)
    while left:
        group, front = set(), [left.pop()]
        while front:
            r, c = front.pop()
            group.add((r, c))
            for dr, dc in near:
                if (r + dr, c + dc) in left:
                    left.remove((r + dr, c + dc))
                    front.append((r + dr, c + dc))
        groups.append(group)
    length = int(o.get("length", 0)) or level
    shown = length - ((length - 1) // 3 if int(o.get("gap", 0)) else 0)
    long = [group for group in groups if len(group) == shown]
    need(len(long) >= 2 and len(groups) <= 2 + int(o.get("distractors", 3)), "number of lines")
    need(all(any(mark in group for group in long) for mark in marks), "a mark off the long lines")
    joined = any(set(marks) <= group for group in groups)
    need(answer == (" yes" if joined else " no"), "joined")
    prompt_n = len(text) - 1 - len(answer)
    return prompt_n, [(prompt_n, len(text) - 1)]


GOOD = set("splendid delightful superb charming flawless excellent lovely pleasant generous graceful tasty "
           "brilliant warm refined inviting cheerful".split())
BAD = set("dreadful scandalous shabby careless hopeless miserable dismal mediocre tiresome gruesome stale "
          "worthless rude tedious horrible annoying".split())
OPINION = re.compile(r"(?:The \w+ was|We thought the \w+|Everyone called the \w+|In the end the \w+ proved) (\w+)\. ")


def byte_reviews(text, level, _o, _):
    review, answer = match(r"(.*)\nIs this review positive or negative\? Answer: (positive|negative)\n",
                           text).groups()
    need(level - 70 < len(review) <= level, f"{len(review)} bytes")
    words = [word for word in OPINION.findall(review + " ") if word in GOOD | BAD]
    score = sum(1 if word in GOOD else -1 for word in words)
    need(score != 0 and answer == ("positive" if score > 0 else "negative"), "what prevails")
    prompt_n = len(text) - 10
    return prompt_n, [(prompt_n, prompt_n + 9)]


def byte_pairs(text, level, _o, _):
    first, second, answer = match(r"First text: (.*)\nSecond text: (.*)\nDo the two texts cite a name in "
                                  r"common\? Answer:( yes| no)\n", text).groups()
    cited = []
    for part in first, second:
        need(level - 60 < len(part) <= level, f"{len(part)} bytes")
        names = re.findall(r"(?<=[a-z] )[A-Z][a-z]+", part)
        need(len(names) == len(set(names)) == level // 128, "number of names")
        cited.append(set(names))
    common = len(cited[0] & cited[1])
    need(common <= 1 and answer == (" yes" if common else " no"), "a common name")
    prompt_n = len(text) - 1 - len(answer)
    return prompt_n, [(prompt_n, len(text) - 1)]


# ---- what must come in half of the items: (text, form) -> true, false, or None where it cannot be told

def first_half(places, cells):
    """More of the places are in the first half of the cells than in the second."""
    first = sum(2 * place < cells - 1 for place in places)
    second = sum(2 * place > cells - 1 for place in places)
    return None if first == second else first > second


def half_assoc_recall(text, form):
    words = text[2:].split()
    seen = sorted(set(words[:-3:2]))
    return None if "absent" in form or len(seen) % 2 else seen.index(words[-2]) * 2 < len(seen)


def half_byte_pairs(text, _):
    first, second = (re.findall(r"(?<=[a-z] )[A-Z][a-z]+", part) for part in text.split("\n")[:2])
    common = set(first) & set(second)
    return first.index(*common) == second.index(*common) if common and len(first) == 2 else None


def half_byte_reviews(text, _):
    return OPINION.findall(text.replace("\n", " "))[0] in GOOD


def half_induction(text, form):
    words = text[2:].split()
    copied = int(dict(word.split("=") for word in form.split()).get("copied", 1))
    return first_half([words.index("=>")], len(words) - 2 * copied - 2)


def half_list_ops(text, _):
    return text[:4] in ("[MIN", "[MAX")


def half_mqar(text, form):
    words = text[2:].split()
    if form != "gaps=uniform":
        return None
    keys = set(words[:2 * (len(words) // 16):2])
    slots = words[2 * len(keys):]
    return first_half([at // 2 for at in range(0, len(slots), 2) if slots[at] in keys], len(slots) // 2)


def half_needle(text, form):
    sentences = re.split(r"(?<=[.]) ", text.split("\nWhat ")[0])
    places = [at for at, sentence in enumerate(sentences) if sentence.startswith("The number of ")]
    return first_half(places, len(sentences)) if not form else None


def half_selective_copy(text, _):
    words = text[2:].split()
    cells = words[:words.index("?")]
    return first_half([at for at, word in enumerate(cells) if word != "."], len(cells))


def half_var_tracking(text, form):
    return re.search(r"\d{5}", text).group(0) == re.search(r"hold (\d{5})", text).group(1) if not form else None


HALVES = {
    "assoc_recall": half_assoc_recall,
    "byte_pairs": half_byte_pairs,
    "byte_reviews": half_byte_reviews,
    "induction": half_induction,
    "list_ops": half_list_ops,
    "mqar": half_mqar,
    "needle": half_needle,
    "selective_copy": half_selective_copy,
    "var_tracking": half_var_tracking,
}
# The form that must tell, where it is not the plain one.
HALVES_AT = {"mqar": "gaps=uniform"}


# task: solver, levels in turn, answers if there is a list of them, further forms to solve
TASKS = {
    "assoc_recall": (assoc_recall, (10, 20, 40), None,
                     ["absent=true", "level=6 symbols=8 absent=true", "symbols=200 level=100"]),
    "byte_pairs": (byte_pairs, (128, 256, 512), (" yes", " no"), ["level=2000"]),
    "byte_reviews": (byte_reviews, (256, 512, 1024), (" positive", " negative"), ["level=4000", "level=128"]),
    "induction": (induction, (30, 60, 120), None, ["copied=4 symbols=60", "level=3 symbols=200", "level=1000"]),
    "list_ops": (list_ops, (50, 100, 200), tuple(f" {d}" for d in range(10)),
                 ["level=2000", "level=60 depth=3 arguments=4", "level=10"]),
    "majority": (majority, (21, 41, 81), (" a", " b"), ["level=30"]),
    "mqar": (mqar, (4, 8, 16), None,
             ["filler=dots", "gaps=uniform", "level=64 symbols=8192", "level=25 length=100 symbols=52"]),
    "needle": (needle, (300, 600, 1200), None,
               ["keys=4 level=1000", "values=3 level=1000", "keys=6 queries=3 level=1200",
                "keys=4 values=2 queries=2 level=2000 depth_percent=50", "depth_percent=0", "depth_percent=100",
                "haystack=prose level=1500", "haystack=prose level=3000 depth_percent=33 keys=2"]),
    "parity": (parity, (20, 40, 80), (" even", " odd"), ["level=333"]),
    "paths": (paths, (10, 14, 18), (" yes", " no"),
              ["gap=1", "level=32 gap=1 distractors=8 length=40", "level=12 length=16 distractors=0"]),
    "selective_copy": (selective_copy, (32, 64, 128), None, ["data=3 symbols=4", "level=1000 data=32 symbols=60"]),
    "var_tracking": (var_tracking, (1, 2, 4), None, ["chains=5 level=3 filler=0", "level=10 chains=1 filler=3"]),
}

GOLDEN = {
    "assoc_recall": "afd3fd35490640c410e4e3085d461fc899a2b46076fc651725ae91d155e02b82",
    "byte_pairs": "5b076da158117ff340a8aad21d839b22fa1dca9baabbebd838b8d54220d39d39",
    "byte_reviews": "954d423a9b64aa91989d24bd64fc727495c9b4375aec79dad7db6978056a849d",
    "induction": "4b9caeea4dc7e77f20699901da4cb62e3eff68af7aa1a27cd863effc20ef0669",
    "list_ops": "3a32bc4b68fae51b2a3bf0c961eb5a18ca6907406a74a5c1a00b83a98e8ab001",
    "majority": "07c07f10f0772f3c3511110d766b89ef9b632a27ea5a4ecf2410ceda09a84901",
    "mqar": "147d157352bf62416054056d874a627990ee8d9c73a6d65ef544d7ffa8be96d1",
    "needle": "42411dfae4fdbd303e25e0315080b00827785d1656aa54867140b75887838a74",
    "parity": "2227ad8709b794fefd5889a99692cd84dc095b8ac4d8c4fc26922d91be01f58e",
    "paths": "0a8542ca3dee4394c5a573cc600c466c6df9d6abf28b59666a6b5d5e8a7f4ca3",
    "selective_copy": "2d0c8287109493681ac40e35b237545ead44767aed9457107b9cf2d0585690b8",
    "var_tracking": "6357af90fb29aa3795eb193e277237867176968689461f7771d4e9e0f619cdd9",
}
GOLDEN_FORMS = "2d46e756289a211208d3caafb31b47ac50bdb9fa2db6a2eded47520fc38fabd0"


class Item:
    def __init__(self, line):
        kind, level, gold, spans, text, reference, choices = line.rstrip("\n").split("\t")
        self.kind, self.level, self.gold = int(kind), int(level), int(gold)
        self.spans = [tuple(int(x) for x in span.split(":")) for span in spans.split(",") if span]
        self.text = bytes.fromhex(text).decode("latin-1")
        self.reference = bytes.fromhex(reference).decode("latin-1")
        self.choices = tuple(bytes.fromhex(c).decode("latin-1") for c in choices.split(",") if c)


def dump(task, seed, *words):
    result = subprocess.run([DUMP, task, str(seed), *words], capture_output=True, text=True)
    if result.returncode != 0:
        raise Wrong(f"{task} {' '.join(words)}: {result.stderr.strip()}")
    return result.stdout


def items_of(task, seed, *words):
    return [Item(line) for line in dump(task, seed, *words).splitlines()]


def has_modes(task):
    return task != "mqar"


def solve(task, item, options):
    """The prompt's length."""
    prompt_n, graded = TASKS[task][0](item.text, item.level, options, item.spans)
    need(item.kind == SPANS and item.spans == graded, f"graded {item.spans}, not {graded}")
    return prompt_n


def change_answer(task, item):
    """Another answer of the list, or something else in the place of the last graded byte."""
    begin, end = item.spans[-1]
    last = item.text[end - 1]
    if TASKS[task][2]:
        answers = [answer for answer in TASKS[task][2] if answer != item.text[begin:end]]
        other = answers[zlib.crc32(item.text.encode("latin-1")) % len(answers)]
    elif last.isdigit():
        other = item.text[begin:end - 1] + ("1" if last == "0" else "0")
    else:
        other = item.text[begin:end - 1] + ("a" if last == "b" else "b")
    changed = Item(f"{item.kind}\t{item.level}\t0\t\t\t\t")
    changed.text = item.text[:begin] + other + item.text[end:]
    changed.spans = item.spans[:-1] + [(begin, begin + len(other))]
    return changed


def refuse_wrong(task, items, options):
    for item in items:
        changed = change_answer(task, item)
        try:
            solve(task, changed, options)
        except Wrong:
            continue
        raise Wrong(f"{task}: a wrong answer passed: {changed.text!r}")


def check_form(task, form, n, split="test"):
    """Solves n items; the prompts."""
    words = form.split() + [f"items={n}", f"split={split}"] + (["mode=teacher"] if has_modes(task) else [])
    options = dict(word.split("=") for word in form.split())
    items = items_of(task, 1, *words)
    need(len(items) == n, "number of items")
    levels = (int(options["level"]),) if "level" in options else TASKS[task][1]
    prompts = set()
    for i, item in enumerate(items):
        try:
            need(item.level == levels[i % len(levels)], f"level {item.level}")
            prompt = item.text[:solve(task, item, options)]
        except Wrong as wrong:
            raise Wrong(f"{task} {form} item {i}: {wrong}: {item.text!r}") from None
        held_out = zlib.crc32(prompt.encode("latin-1")) % 16 == 0
        need(held_out == (split == "test"), f"{task} {form} item {i} is not of the split {split}")
        prompts.add(prompt)
    need(len(prompts) == n, f"{task} {form}: repeated prompts")
    refuse_wrong(task, items[:50], options)
    check_balance(task, form, items)
    check_halves(task, form, items)
    return prompts


def check_balance(task, form, items):
    """Two answers come equally often, within five standard deviations; of ten, each comes."""
    answers = TASKS[task][2]
    if not answers:
        return
    times = [sum(item.text.endswith(answer + "\n") for item in items) for answer in answers]
    n = len(items)
    need(sum(times) == n, f"{task} {form}: an answer that is not listed")
    if len(answers) == 2:
        need(abs(times[0] - n / 2) <= 5 * (n / 4) ** 0.5, f"{task} {form}: answers come {times}")
    elif n >= 200:
        need(min(times) > 0, f"{task} {form}: answers come {times}")


def check_halves(task, form, items):
    if task not in HALVES:
        return
    told = [half for half in (HALVES[task](item.text, form) for item in items) if half is not None]
    need(abs(sum(told) - len(told) / 2) <= 5 * (len(told) / 4) ** 0.5,
         f"{task} {form}: {HALVES[task].__name__} is true in {sum(told)} of {len(told)} items")
    need(form != HALVES_AT.get(task, "") or len(told) > len(items) / 20, f"{task}: {HALVES[task].__name__} tells of {len(told)} items")


def check_set(task):
    """Splits have no prompt in common; the seed decides; a longer set begins as a shorter one; modes agree."""
    need(not check_form(task, "", 60, "train") & check_form(task, "", 60), f"{task}: splits overlap")
    short = dump(task, 1, "items=30")
    need(short == dump(task, 1, "items=30"), f"{task}: not the same twice")
    need(dump(task, 1, "items=45").startswith(short), f"{task}: a longer set begins otherwise")
    other = dump(task, 2, "items=30").splitlines()
    need(len(set(other) & set(short.splitlines())) < 5, f"{task}: another seed gives the same")
    if has_modes(task):
        check_modes(task)


def check_modes(task):
    taught = items_of(task, 1, "items=30", "mode=teacher")
    written = items_of(task, 1, "items=30", "mode=generate")
    for t, g in zip(taught, written):
        need(g.kind == GENERATE and g.text + g.reference + "\n" == t.text, f"{task}: mode=generate")
        need(len(g.text) == t.spans[0][0], f"{task}: where the answer begins")
    answers = TASKS[task][2]
    if answers:
        chosen = items_of(task, 1, "items=30")
        for g, c in zip(written, chosen):
            need(c.kind == CHOICE and c.choices == answers, f"{task}: choices")
            need(c.text == g.text and c.choices[c.gold] == g.reference, f"{task}: gold")


REFUSED = [
    ("assoc_recall", "symbols=7", "even number"),
    ("byte_reviews", "level=100", "the least is 128"),
    ("induction", "level=5 copied=4", "level of at least 6"),
    ("list_ops", "level=10 arguments=2 depth=2 items=300", "held-out prompts"),
    ("majority", "level=4", "held-out prompts (1 in 16 of 10)"),
    ("majority", "level=4 split=train", "training prompts (15 in 16 of 10)"),
    ("mqar", "level=26", "symbols=54"),
    ("mqar", "level=8 length=30", "at least 32"),
    ("mqar", "level=8 length=33", "even number"),
    ("needle", "queries=2", "keys=1"),
    ("needle", "level=100", "level of at least"),
    ("needle", "path=/dev/null", "haystack=prose"),
    ("paths", "length=30", "length of at most 20"),
]


def check_refusals():
    for task, words, says in REFUSED:
        result = subprocess.run([DUMP, task, "1", *words.split()], capture_output=True, text=True)
        need(result.returncode == 2 and says in result.stderr and result.stdout == "",
             f"{task} {words}: {result.returncode} {result.stderr}")


def hash_forms():
    """Of 20 items of every further form."""
    hasher = hashlib.sha256()
    for task, (_, _, _, forms) in TASKS.items():
        for form in forms:
            hasher.update(dump(task, 1, "items=20", *form.split()).encode())
    return hasher.hexdigest()


def check_golden():
    got = hash_forms()
    need(GOLDEN_FORMS == got, f"items of the further forms have SHA-256 {got}, not {GOLDEN_FORMS}")
    for task in TASKS:
        got = hashlib.sha256(dump(task, 1, "items=100").encode()).hexdigest()
        need(GOLDEN.get(task) == got, f"{task}: items of seed 1 have SHA-256 {got}, not {GOLDEN.get(task)}")


def main():
    check_golden()
    print(f"{len(TASKS) + 1} golden hashes are equal")
    if "--golden-only" in sys.argv:
        return
    check_refusals()
    for task in TASKS:
        check_set(task)
        for form in [""] + TASKS[task][3]:
            n = int(sys.argv[2]) if not form else max(30, int(sys.argv[2]) // 20)
            check_form(task, form, n)
            print(f"{task} {form}: {n} items solved", flush=True)


if __name__ == "__main__":
    DUMP = os.path.abspath(sys.argv[1])
    try:
        main()
    except Wrong as wrong:
        sys.exit(f"{wrong}")
