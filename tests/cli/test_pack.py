#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tare pack: its files read by another tar and hashed by another SHA-256, and what a pack may and may not differ in."""
import hashlib
import json
import os
import shutil
import tarfile

from clilib import contains, equal, main, strict_json, tare, true


def pack(*args, rc=0, **env):
    return tare("pack", *args, rc=rc, env=env)


def digest(*args, **env):
    return strict_json(pack(*args, "--json", **env).out, "pack --json")[0]["sha256"]


def contents(path):
    with tarfile.open(path) as tar:
        return {m.name: tar.extractfile(m).read() for m in tar.getmembers()}


def test_another_reader_finds_the_same():
    made = strict_json(pack("text", "-o", "t.pack", "--json").out, "json")[0]
    files = contents("t.pack")
    manifest = json.loads(files["manifest.json"])
    equal(hashlib.sha256(files["manifest.json"]).hexdigest(), made["sha256"], "the hash")
    for entry in manifest["files"]:
        content = files.pop(entry["file"])
        equal((len(content), hashlib.sha256(content).hexdigest()), (entry["bytes"], entry["sha256"]), entry["file"])
        if entry["file"].startswith("data/"):
            with open(os.path.join(os.environ["TARE_DATA"], entry["file"][5:]), "rb") as file:
                true(file.read() == content, entry["file"])
        else:
            lines = content.decode().splitlines()
    equal(sorted(files), ["manifest.json", "recipe.json"], "what the manifest does not list")
    equal([json.loads(line)["kind"] for line in lines], ["text"] * made["items"], "items")
    equal(json.loads(files["recipe.json"]), {"task": "text", "seed": 1, "options": {}}, "recipe")


def test_the_hash_is_of_the_content():
    base = digest("recall,items=5")
    equal(digest("recall,items=5", "-o", "a.pack"), base, "written or not")
    equal(digest("recall,items=5"), base, "again")
    true(digest("recall,items=6") != base, "other items")
    true(digest("recall,items=5", "--seed", "2") != base, "another seed of items that are drawn")
    equal(digest("text"), digest("text", "--seed", "2"), "a seed that changes nothing")
    shutil.copytree(os.path.join(os.environ["TARE_DATA"], "text"), "elsewhere/text")
    equal(digest("text", TARE_DATA=os.path.abspath("elsewhere")), digest("text"), "where the files lie")
    pack("recall,items=5", "-o", "b.pack")
    with open("a.pack", "rb") as a, open("b.pack", "rb") as b:
        equal(a.read() == b.read(), True, "the same bytes")


def test_verify():
    made = strict_json(pack("swap,items=4", "-o", "s.pack", "--json").out, "json")[0]
    seen = strict_json(pack("--verify", "s.pack", "--render", "--expect", made["sha256"], "--json").out, "json")[0]
    equal(seen, made, "what is in it")
    contains(pack("--verify", "s.pack", "--expect", "0" * 64, rc=5).err, "is expected", "another hash")
    with open("s.pack", "r+b") as file:
        file.seek(700 + file.read().index(b"prompts.jsonl"))
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))
    contains(pack("--verify", "s.pack", rc=5).err, "prompts.jsonl: its SHA-256 is", "damage")
    with open("not.pack", "w", encoding="utf-8") as file:
        file.write("x" * 2000)
    contains(pack("--verify", "not.pack", rc=5).err, "no pack of tare", "no tar")
    contains(pack("--verify", "absent.pack", rc=5).err, "absent.pack", "absent")


def test_render_sees_other_data():
    shutil.copytree(os.path.join(os.environ["TARE_DATA"], "text"), "other/text")
    pack("text", "-o", "t.pack", TARE_DATA=os.path.abspath("other"))
    name = sorted(os.listdir("other/text/prose"))[0]
    with open(f"other/text/prose/{name}", "a", encoding="utf-8") as file:
        file.write("More.\n")
    pack("--verify", "t.pack")
    failed = pack("--verify", "t.pack", "--render", rc=5, TARE_DATA=os.path.abspath("other"))
    contains(failed.err, "this tare makes another pack of its recipe", "stderr")


def test_usage():
    for args, why in (([], "name one task"), (["a", "b"], "name one task"), (["text", "--render"], "belongs"),
                      (["text,x"], "option=value"), (["txt"], "text"), (["text,nonsense=1"], "nonsense"),
                      (["--verify", "x", "-o", "y"], "belongs")):
        failed = pack(*args, rc=2)
        contains(failed.err, why, str(args))
        equal(failed.out, "", str(args))
    pack("text", "-o", "no/such/folder/t.pack", rc=5)
    pack("text,path=absent.txt", "-o", "t.pack", rc=5)
    equal(os.listdir("."), [], "nothing is left")


if __name__ == "__main__":
    main(globals())
