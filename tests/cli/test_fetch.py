#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tare fetch against a server that lies, stalls, cuts and sends us away: each is a clear error, nothing wrong comes
into place, and what was cut is gone on with."""
import hashlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess

from clilib import Skip, contains, equal, main, start, strict_json, tare, true, wait_until
from hostile_server import BODY, HALF, OTHER, Server

DIGEST = hashlib.sha256(BODY).hexdigest()
OFFLINE = {"http_proxy": "", "https_proxy": "", "all_proxy": "", "no_proxy": "", "HTTPS_PROXY": "", "ALL_PROXY": ""}
FAST = ("--tries", "1", "--stall", "1s", "--connect", "2s")


def make_source(name, *urls, **keys):
    """A source with one file, name/f, in ./shipped."""
    os.makedirs("shipped/sources", exist_ok=True)
    file = {"file": f"{name}/f", "bytes": len(BODY), "sha256": DIGEST, "urls": list(urls), **keys}
    if not urls and "why" not in file:
        file["why"] = "it has no address"
    source = {"tare_source": 1, "name": name, "summary": "a test", "licence": "LICENCE-1", "licence_from": "the test",
              "cite": "us", "files": [{k: v for k, v in file.items() if v is not None}]}
    with open(f"shipped/sources/{name}.json", "w", encoding="utf-8") as to:
        json.dump(source, to)


def environment(**more):
    return {**OFFLINE, "TARE_DATA": os.path.abspath("shipped"), "TARE_DATASETS": os.path.abspath("data"), **more}


def fetch(*args, rc=0, **more):
    return tare("fetch", *args, rc=rc, env=environment(**more))


def read(path):
    with open(path, "rb") as file:
        return file.read()


def is_whole(name, folder="data"):
    equal(read(f"{folder}/{name}/f") == BODY, True, f"{name}: the bytes")
    equal(sorted(os.listdir(f"{folder}/{name}")), ["f"], f"{name}: what lies beside it")


def is_absent(name, part=False):
    """Nothing came into place; a part is there only where it can be gone on with."""
    found = sorted(os.listdir(f"data/{name}")) if os.path.isdir(f"data/{name}") else []
    equal(found, ["f.part", "f.part.from"] if part else [], f"{name}: what is left")


def can_download():
    make_source("probe", "http://127.0.0.1:1/f")  # nobody listens there
    if "without libcurl" in fetch("probe", *FAST, rc=5).err:
        raise Skip("built without libcurl")
    os.remove("shipped/sources/probe.json")


def test_good_servers():
    can_download()
    good = ["honest", "elsewhere", "chunked", "old", "slow"]
    with Server() as server:
        for name in good:
            make_source(name, f"{server.url}/{name}/f")
        done = fetch(*good, "--json")
    found = strict_json(done.out, "fetch --json")
    equal([s["name"] for s in found["sources"]], sorted(good), "sources")
    for source in found["sources"]:
        file = source["files"][0]
        equal((file["done"], file["state"], file["found_sha256"]), ("downloaded", "present", DIGEST), source["name"])
        is_whole(source["name"])
    again = fetch("honest")
    equal(again.out, "honest/f: kept\n", "a second time")


# behaviour, what is said, whether a part is left that can be gone on with
BAD = [
    ("claims_more", r"it says that it sends 200001 bytes, where 200000 are expected", False),
    ("claims_less", r"it says that it sends 199999 bytes, where 200000 are expected", False),
    ("claims_exabytes", r"it says that it sends 9000000000000000000 bytes", False),
    ("sends_more", r"it sends more than the 200000 bytes that the file has", False),
    ("cut", r"transfer closed with 100000 bytes remaining", True),
    ("cut_nameless", r"transfer closed with 100000 bytes remaining", False),
    ("cut_chunk", r"transfer closed with|chunk", True),
    ("old_cut", r"it ends after 100000 of 200000 bytes", False),
    ("nothing", r"Empty reply from server", False),
    ("stall", r"stopped waiting: under 100 bytes a second for 1 s", True),
    ("mute", r"stopped waiting: under 100 bytes a second for 1 s", False),
    ("drip_head", r"stopped waiting: under 100 bytes a second for 1 s", False),
    ("drip", r"stopped waiting: under 100 bytes a second for 1 s", False),
    ("wrong", rf"its SHA-256 is {hashlib.sha256(OTHER).hexdigest()} where {DIGEST} is expected", False),
    ("status_404", r"it answers with status 404", False),
    ("status_500", r"it answers with status 500", False),
    ("status_204", r"it answers with status 204", False),
    ("unasked_part", r"it sends a part \(status 206\), which nobody asked for", False),
    ("garbage", r"HTTP/0.9", False),
    ("long_line", r"its head is longer than 65536 bytes|[Tt]oo (large|long)|[Oo]ut of memory|header", False),
    ("many_lines", r"its head is longer than 65536 bytes", False),
    ("to_file", r"it redirects to file:///etc/passwd, which is neither https nor http", False),
    ("to_gopher", r"it redirects to gopher://127\.0\.0\.1:70/x, which is neither https nor http", False),
    ("to_host", r"it redirects to http://localhost:\d+/honest/f, which is another host's", False),
    ("to_port", r"it redirects to http://127\.0\.0\.1:9/honest/f, which is another port's", False),
    ("to_user", r"it redirects to .*evil.*, which names no plain host", False),
    ("to_itself", r"it redirects more than 5 times", False),
    ("to_nowhere", r"it answers with status 302", False),
    ("to_endless", r"its redirect does not end", False),
]


def test_bad_servers():
    can_download()
    with Server() as server:
        running = {}
        for name, _, _ in BAD:  # beside each other: some wait for a time limit
            make_source(name, f"{server.url}/{name}/f")
            running[name] = start("fetch", name, *FAST, env=environment())
        ended = {name: (process.communicate(timeout=60), process.returncode) for name, process in running.items()}
    for name, why, part in BAD:
        (out, err), status = ended[name]
        equal(status, 5, f"{name}: exit status ({err})")
        equal(out, "", f"{name}: standard output")
        true(re.search(rf"tare: error: {name}/f: {re.escape(server.url)}/{name}/f: .*(?:{why})", err), f"{name}: {err!r}")
        is_absent(name, part)


def test_goes_on_where_it_was_cut():
    can_download()
    with Server() as server:
        make_source("cut", f"{server.url}/cut/f")
        fetch("cut", *FAST, rc=5)
        equal(read("data/cut/f.part") == BODY[:HALF], True, "the first half")
        fetch("cut", *FAST)
        fields = server.requests[-1][1]
    is_whole("cut")
    equal((fields["Range"], fields["If-Range"]), (f"bytes={HALF}-", '"one"'), "what was asked")


def test_tries_again_by_itself():
    can_download()
    with Server() as server:
        make_source("cut_twice", f"{server.url}/cut_twice/f")
        done = fetch("cut_twice", "--tries", "2", rc=5)
        contains(done.err, f"once more from byte {HALF}", "progress")
        fetch("cut_twice", *FAST)
        ranges = [fields.get("Range") for _, fields in server.requests]
    is_whole("cut_twice")
    equal(ranges, [None, "bytes=100000-", "bytes=150000-"], "what was asked")


def test_bytes_that_change_between_parts():
    can_download()
    names = ["then_changed_honestly", "then_other_bytes", "then_wrong_range", "then_416"]
    with Server() as server:
        for name in names + ["then_wrong_for_good"]:
            make_source(name, f"{server.url}/{name}/f")
        fetch(*names, "then_wrong_for_good", *FAST, rc=5)
        for name in names + ["then_wrong_for_good"]:
            is_absent(name, part=True)
        done = fetch(*names, *FAST)
        for name in names:
            is_whole(name)
        for name in names[1:]:
            contains(done.err, f"{name}/f: ", "a warning")
        contains(done.err, "once more from byte 0", "afresh")
        contains(fetch("then_wrong_for_good", *FAST, rc=5).err, "its SHA-256 is", "wrong for good")
        is_absent("then_wrong_for_good")


def test_addresses_in_turn():
    can_download()
    with Server() as server:
        make_source("m", f"{server.url}/status_404/f", f"{server.url}/wrong/f", f"{server.url}/honest/f")
        done = fetch("m", *FAST, "--json")
        contains(done.err, "status 404; the next address is asked", "the first")
        contains(done.err, "is expected; the next address is asked", "the second")
        equal(strict_json(done.out, "json")["sources"][0]["files"][0]["from"], f"{server.url}/honest/f", "from")
        is_whole("m")
        make_source("n", f"{server.url}/status_404/f", f"{server.url}/cut/f")
        contains(fetch("n", *FAST, rc=5).err, "none of its 2 addresses gave it; the last, ", "both fail")
        os.mkdir("data/honest")
        make_source("honest")  # without an address; a mirror may have it all the same
        contains(fetch("honest", rc=5).err, "honest/f cannot be taken: it has no address; --from", "no address")
        fetch("honest", "--mirror", server.url)
        is_whole("honest")
    for mirror in ("http://example.org/", "ftp://127.0.0.1/", "http://user@127.0.0.1/"):
        contains(fetch("m", "--mirror", mirror, rc=2).err, "address", mirror)


def test_one_failure_stops_no_other_file():
    can_download()
    with Server() as server:
        make_source("a", f"{server.url}/status_404/f")
        make_source("b", f"{server.url}/honest/f")
        done = fetch("a", "b", "--json", *FAST, rc=5)
    a, b = [s["files"][0] for s in strict_json(done.out, "json")["sources"]]
    contains(a["error"], "status 404", "error")
    equal((a["state"], b["state"], b["done"]), ("absent", "present", "downloaded"), "states")


def test_the_proxy_is_the_environments():
    can_download()
    with Server() as server:
        make_source("p", "http://data.invalid/honest/f")
        fetch("p", http_proxy=server.url, no_proxy="")
        equal(server.requests[0][0], "http://data.invalid/honest/f", "what the proxy was asked")
    is_whole("p")


def test_certificates_are_verified():
    can_download()
    if not shutil.which("openssl"):
        raise Skip("no openssl to make a certificate with")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=tare test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
                    "key.pem", "-out", "cert.pem"], check=True, capture_output=True)
    with open("both.pem", "wb") as to:
        to.write(read("key.pem") + read("cert.pem"))
    with Server("both.pem") as server:
        make_source("t", f"{server.url}/honest/f")
        refused = fetch("t", *FAST, rc=5)
        true(re.search("certificate", refused.err, re.IGNORECASE), refused)
        is_absent("t")
        make_source("u", f"{server.url.replace('127.0.0.1', 'localhost')}/honest/f")
        refused = fetch("u", *FAST, "--ca-file", "cert.pem", rc=5)
        true(re.search("certificate|subject name", refused.err, re.IGNORECASE), refused)
        equal(len(server.requests), 0, "requests before the certificate was trusted")
        fetch("t", "--ca-file", "cert.pem")
    is_whole("t")


def test_two_at_once():
    can_download()
    with Server() as server:
        make_source("slow", f"{server.url}/slow/f")
        both = [start("fetch", "slow", env=environment()) for _ in range(2)]
        ended = [(process.communicate(timeout=60), process.returncode) for process in both]
    for (_, err), status in ended:
        true(status == 0 or (status == 5 and "another process is taking this file" in err), f"{status}: {err}")
    true(0 in [status for _, status in ended], "one of them took it")
    is_whole("slow")


def test_a_signal_leaves_a_part_that_goes_on():
    can_download()
    for number, status in ((signal.SIGINT, 3), (signal.SIGKILL, -signal.SIGKILL)):
        with Server() as server:
            make_source("stall_once", f"{server.url}/stall_once/f")
            process = start("fetch", "stall_once", env=environment())
            part = "data/stall_once/f.part"
            wait_until(lambda: os.path.exists(part) and os.path.getsize(part) == HALF, "half of it")
            process.send_signal(number)
            _, err = process.communicate(timeout=20)
            equal(process.returncode, status, f"exit status: {err}")
            true(number == signal.SIGKILL or "interrupted" in err, err)
            is_absent("stall_once", part=True)
            fetch("stall_once", *FAST)
            equal(server.requests[-1][1]["Range"], f"bytes={HALF}-", "the rest")
        is_whole("stall_once")
        shutil.rmtree("data")


def test_a_full_disk_is_named():
    can_download()

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (HALF, HALF))
    with Server() as server:
        make_source("honest", f"{server.url}/wrong/f", f"{server.url}/honest/f")
        process = start("fetch", "honest", *FAST, env=environment(), preexec_fn=limit)
        _, err = process.communicate(timeout=20)
        equal(process.returncode, 5, err)
        contains(err, "f.part: write: File too large", "stderr")
        equal(len(server.requests), 1, "no other address is asked, for it is not at fault")
        is_absent("honest", part=True)
        fetch("honest", *FAST)
    is_whole("honest")


def test_from_a_folder(folder):
    for name in ("a", "b", "c", "d"):
        make_source(name)
    os.makedirs("stick/a")
    for path in ("stick/a/f", "stick/f"):
        with open(path, "wb") as to:
            to.write(BODY)
    done = fetch("a", "--from", "stick", "--json")
    equal(strict_json(done.out, "json")["sources"][0]["files"][0]["from"], "stick/a/f", "its own folder first")
    fetch("b", "--from", "stick")
    for name in ("a", "b"):
        is_whole(name)
    for bytes_, why in ((OTHER, "SHA-256"), (BODY[1:], "size is 199999"), (BODY + b"x", "size is "), (b"", "size is 0")):
        with open("stick/f", "wb") as to:
            to.write(bytes_)
        contains(fetch("c", "--from", "stick", rc=5).err, why, "wrong bytes")
        is_absent("c")
    contains(fetch("d", "--from", "nowhere", rc=5).err, "neither it nor f is in nowhere", "absent")
    contains(fetch("d", "--from", ".", "--mirror", "https://m/", rc=2).err, "leave --mirror out", "both")
    os.makedirs("own/d")
    shutil.copy("stick/a/f", "own/d/f")
    fetch("d", "--from", "stick/a", "--data", "other")
    is_whole("d", "other")
    true(folder, "a folder of its own")


def test_what_is_there_is_not_overwritten():
    make_source("a")
    os.makedirs("data/a")
    os.makedirs("stick/a")
    for path, text in (("data/a/f", b"mine"), ("stick/a/f", BODY)):
        with open(path, "wb") as to:
            to.write(text)
    for mode in ([], ["--dry-run"]):
        contains(fetch("a", "--from", "stick", *mode, rc=5).err, "--replace", "refused")
    equal(read("data/a/f"), b"mine", "as it was")
    fetch("a", "--from", "stick", "--replace")
    is_whole("a")


def test_unknown_hashes_are_refused():
    make_source("u", "https://h/f", sha256=None, why="its SHA-256 is not known")
    os.makedirs("stick/u")
    with open("stick/u/f", "wb") as to:
        to.write(BODY)
    for args in ([], ["--from", "stick"], ["--mirror", "https://m/"], ["--dry-run"]):
        contains(fetch("u", *args, rc=5).err, "its SHA-256 is not known; nobody could tell", str(args))
    is_absent("u")


def test_list_verify_and_dry_run_take_nothing():
    with Server() as server:
        make_source("a", f"{server.url}/honest/f")
        make_source("b")
        listed = fetch("--list").out
        true(re.search(r"^a +LICENCE-1 +200000 B  1 absent$", listed, re.M), listed)
        true(re.search(r"^b +LICENCE-1 +200000 B  1 absent \(1 cannot be downloaded\)$", listed, re.M), listed)
        contains(fetch("--list", "b").out, "it has no address", "why")
        contains(fetch("--verify", rc=5).err, "holds no file of a source, so nothing was verified", "nothing there")
        dry = fetch("a", "--dry-run")
        equal(dry.out, f"a/f: 200000 B from {server.url}/honest/f\n", "dry run")
        contains(dry.err, "a: licence LICENCE-1 (the test)", "licence")
        equal(len(server.requests), 0, "requests")
        true(not os.path.exists("data"), "a folder was made")
    os.makedirs("data/a")
    for text, said, status in ((BODY, "present", 0), (OTHER, f"SHA-256 is {hashlib.sha256(OTHER).hexdigest()}", 5),
                               (BODY[1:], "size is 199999 bytes where 200000", 5)):
        with open("data/a/f", "wb") as to:
            to.write(text)
        for names in ([], ["a"]):
            contains(fetch("--verify", *names, rc=status).out, said, "verified")
    found = strict_json(fetch("--verify", "--json", rc=5).out, "json")["sources"]
    equal([(s["name"], s["files"][0]["state"]) for s in found], [("a", "changed")], "only what is there")
    contains(fetch("--verify", "b", rc=5).out, "b/f: absent", "named, so it must be there")


def test_words():
    make_source("a")
    make_source("b")
    os.makedirs("shipped/tasks")
    for name, sources in (("task", {"test": {"file": "a/f"}, "train": {"file": "b/f", "labels": "b/f"}}),
                          ("half", {"test": {"file": "b/f"}, "train": {"file": "a/g", "labels": "../etc/passwd"}}),
                          ("bad", {"test": {"file": "../etc/passwd"}}), ("none", {}), ("other", {"test": {"file": "a/g"}})):
        with open(f"shipped/tasks/{name}.json", "w", encoding="utf-8") as to:
            json.dump({"tare_task": 1, "name": name, "sources": sources}, to)
    shutil.copy("shipped/tasks/task.json", "mine.json")

    def files(*words):
        sources = strict_json(fetch("--list", "--json", *words).out, "json")["sources"]
        return [f["file"] for s in sources for f in s["files"]]
    for words in (["task"], ["./mine.json"], ["b/f", "a", "task"], []):
        equal(files(*words), ["a/f", "b/f"], str(words))
    equal(files("b/f"), ["b/f"], "one file")
    equal(files("b/f", "half"), ["b/f"], "what there is")
    warned = fetch("--list", "half").err
    contains(warned, "half.json: a/g is no file of a source: it must be brought by hand", "a warning")
    contains(warned, "half.json: ../etc/passwd is no file of a source", "a warning")
    for word, why in (("c", "no source of data is called"), ("a/g", "source a has no file a/g"),
                      ("bad", "no source has a file of its"), ("none", "no source has a file of its"),
                      ("other", "no source has a file of its"),
                      ("../a", "no source of data"), ("\x1b[2J", "no source of data")):
        failed = fetch(word, rc=2)
        contains(failed.err, why, word)
        true("\x1b" not in failed.err, "an escape sequence came through")
    contains(fetch(rc=2).err, "name a task or a source", "nothing named")
    contains(fetch("--list", "--verify", rc=2).err, "at a time", "two modes")


def test_broken_sources_are_named():
    make_source("a")
    with open("shipped/sources/a.json", "a", encoding="utf-8") as to:
        to.write("x")
    contains(fetch("--list", rc=5).err, "a.json", "text behind the end")
    make_source("a", "gopher://h/f")
    contains(fetch("a", rc=5).err, "must begin with https://", "scheme")


def test_the_shipped_sources():
    found = strict_json(tare("fetch", "--list", "--json", "--data", "nowhere", env=OFFLINE).out, "json")["sources"]
    true(len(found) >= 24, len(found))
    for source in found:
        true(source["licence"] and source["cite"], source["name"])
    equal({f["state"] for s in found for f in s["files"]}, {"absent"}, "states")
    true(not os.path.exists("nowhere"), "a folder was made")


if __name__ == "__main__":
    main(globals())
