# SPDX-License-Identifier: Apache-2.0
"""The shipped files: what lists them, and that one that is not what SHA256SUMS says is never measured."""
import hashlib
import os
import shutil

from clilib import Skip, backends, contains, equal, main, query, scalar, strict_json, tare, true

ZOO = os.environ["TARE_ZOO"]


def listed(env=None):
    return {m["name"]: m for m in strict_json(tare("list", "models", "--json", env=env).out, "models")["models"]}


def test_models_are_listed():
    models = listed()
    true(len(models) >= 14, f"only {len(models)} models")
    m = models["zoo:llama-1m"]
    equal((m["arch"], m["parameters"], m["file_bytes"]),
          ("llama", 984192, os.path.getsize(os.path.join(ZOO, "llama-1m.safetensors"))), "llama-1m")
    contains(m["what"], "262144000 tokens", "what it is")
    contains(models["zoo:llama-1m-svd-ft"]["what"], "llama-1m: activation-whitened", "a variant")
    text = tare("list", "models").out
    for part in ("zoo:rwkv4-1m", "989184 parameters", "1997344 bytes"):
        contains(text, part, "the list for people")


def test_listing_what_is_no_model():
    os.mkdir("z")
    for name, data in (("empty", b""), ("short", b"\x05\0\0"), ("huge", b"\xff" * 8), ("text", b"\x02\0\0\0\0\0\0\0{]"),
                       ("odd", b"\x2e\0\0\0\0\0\0\0" + b'{"__metadata__": {"arch": 4, "n_params": "-7x"}}'[:46]),
                       ("bell", b"\x30\0\0\0\0\0\0\0" + b'{"__metadata__":{"what":"\\u001b[31mred\\u0007 x"}}')):
        with open(f"z/{name}.safetensors", "wb") as to:
            to.write(data)
    os.mkdir("z/folder.safetensors")
    models = listed({"TARE_ZOO": "z"})
    equal(len(models), 7, "all are listed")
    for name, m in models.items():
        equal((m["arch"], m["parameters"]), (None, None), name)
    true("\x1b" not in tare("list", "models", env={"TARE_ZOO": "z"}).out, "no control characters")


def test_the_sums_hold():
    with open(os.path.join(ZOO, "SHA256SUMS"), encoding="ascii") as file:
        sums = dict(reversed(line.split()) for line in file)
    for name in os.listdir(ZOO):
        if name.endswith((".safetensors", ".json", ".bin")):
            with open(os.path.join(ZOO, name), "rb") as file:
                equal(sums.get(name), hashlib.sha256(file.read()).hexdigest(), name)


def copy_of_the_zoo(folder):
    """Two models, the tokenizer and the sums."""
    zoo = os.path.join(folder, "zoo")
    os.mkdir(zoo)
    for name in ("llama-0.1m.safetensors", "llama-0.25m.safetensors", "tokenizer.json", "SHA256SUMS"):
        shutil.copy(os.path.join(ZOO, name), zoo)
    return zoo


def flip(path, offset):
    """Another bit in the middle of the weights: the file still loads."""
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1]))


def run(zoo, db, *args, rc=0):
    return tare("run", "--db", db, "--repeats", "2", "--task", "recall,items=4", *args, rc=rc, env={"TARE_ZOO": zoo})


def test_a_corrupted_model_is_refused(folder):
    if "native" not in backends():
        raise Skip("this build has no native backend")
    zoo = copy_of_the_zoo(folder)
    models = ("--model", "native,path=zoo:llama-0.1m", "--model", "native,path=zoo:llama-0.25m")
    run(zoo, "good.db", *models)
    flip(os.path.join(zoo, "llama-0.1m.safetensors"), 200000)
    result = run(zoo, "bad.db", *models, rc=3)
    equal(dict(query("bad.db", "SELECT model, verdict FROM cell")), {"llama-0.1m": "INVALID", "llama-0.25m": "VALID"},
          "the other model goes on")
    message = scalar("bad.db", "SELECT DISTINCT r.message FROM repeat r JOIN cell c ON c.id = r.cell_id "
                               "WHERE c.model = 'llama-0.1m'")
    for part in ("error: ", f"{zoo}/llama-0.1m.safetensors", "SHA256SUMS"):
        contains(message, part, "what is stored")
    contains(result.out + result.err, "llama-0.1m.safetensors: is not the file that SHA256SUMS", "what is shown")
    equal(scalar("bad.db", "SELECT count(*) FROM sample s JOIN repeat r ON r.id = s.repeat_id JOIN cell c "
                           "ON c.id = r.cell_id WHERE c.model = 'llama-0.1m'"), 0, "no worker was started")
    flip(os.path.join(zoo, "llama-0.1m.safetensors"), 200000)
    tare("run", "--resume", "bad.db", env={"TARE_ZOO": zoo})
    equal(scalar("bad.db", "SELECT count(*) FROM repeat WHERE outcome = 'ok'"), 4, "restored, it can be resumed")


def test_every_file_of_the_list_is_checked(folder):
    """Also those that a technique needs; a file without a line is nobody's business."""
    zoo = copy_of_the_zoo(folder)
    flip(os.path.join(zoo, "llama-0.25m.safetensors"), 300000)
    with open(os.path.join(zoo, "own.bin"), "wb") as to:
        to.write(b"mine")
    run(zoo, "draft.db", "--model", "null", "--technique", "a{draft=zoo:llama-0.25m}", rc=3)
    contains(scalar("draft.db", "SELECT DISTINCT message FROM repeat"), "llama-0.25m.safetensors: is not", "a draft model")
    run(zoo, "own.db", "--model", "null", "--technique", "a{draft=zoo:llama-0.1m,calib=zoo:own.bin}")
    equal(scalar("own.db", "SELECT DISTINCT outcome FROM repeat"), "skip", "a good draft and a file that is not listed")
    os.remove(os.path.join(zoo, "SHA256SUMS"))
    run(zoo, "none.db", "--model", "null", "--technique", "a{draft=zoo:llama-0.25m}")
    equal(scalar("none.db", "SELECT DISTINCT outcome FROM repeat"), "skip", "without a list nothing is refused")


def test_hashes_are_remembered(folder):
    """The second run on a database hashes nothing again, and still refuses."""
    zoo = copy_of_the_zoo(folder)
    flip(os.path.join(zoo, "llama-0.25m.safetensors"), 300000)
    for _ in range(2):
        run(zoo, "twice.db", "--model", "null", "--technique", "a{draft=zoo:llama-0.25m}", rc=3)
    equal(scalar("twice.db", "SELECT count(*) FROM artifact WHERE path LIKE '%llama-0.25m%'"), 1, "one artifact")


main(globals())
