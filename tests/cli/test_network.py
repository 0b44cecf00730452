# SPDX-License-Identifier: Apache-2.0
"""Whose network a worker is measured in: the machine's, its own, or, where that is refused, none."""
import os
import shutil
import subprocess

from clilib import EXE, Skip, contains, equal, main, query, strict_json, tare, true

RUN = ["run", "--model", "null", "--task", "tokens", "--repeats", "1", "--quiet"]


def readings(db):
    return {row[0]: row[1:] for row in query(
        db, "SELECT name, value, scope, flags FROM reading WHERE phase = 'measure' AND meter = 'net'")}


def outcome(db):
    return query(db, "SELECT outcome, message FROM repeat")[0]


def test_host():
    tare(*RUN, "--db", "host.db")
    found = readings("host.db")
    equal(found["net_rx_bytes"][1], "node", "scope")
    contains(found["net_rx_bytes"][2], "SHARED_INTERFACES", "flags")


def test_own():
    tare(*RUN, "--db", "own.db", "--network", "own", rc=None)
    word, message = outcome("own.db")
    if word == "skip":
        raise Skip(message)
    equal(word, "ok", message)
    for name, (value, scope, flags) in readings("own.db").items():
        equal((name, value, scope, flags or ""), (name, 0, "cell namespace", ""), "nothing is sent in there")
    spec = strict_json(query("own.db", "SELECT spec FROM cell")[0][0], "spec")
    equal(spec["network"], "own", "the cell's spec")


def test_refused():
    """In a user namespace whose limit of network namespaces is 0 the kernel refuses one."""
    if not shutil.which("unshare"):
        raise Skip("no unshare")
    script = 'echo 0 > /proc/sys/user/max_net_namespaces || exit 99; exec "$@"'
    done = subprocess.run(["unshare", "-Ur", "sh", "-c", script, "sh", EXE, *RUN, "--db", "no.db", "--network", "own"],
                          capture_output=True, text=True, check=False, env=os.environ, timeout=120)
    if done.returncode in (1, 99) and not os.path.exists("no.db"):
        raise Skip(done.stderr.strip() or "no user namespace")
    word, message = outcome("no.db")
    equal(word, "skip", message)
    contains(message, "network namespace", "reason")
    equal(query("no.db", "SELECT count(*) FROM sample")[0][0], 0, "samples measured elsewhere")


def test_wrong_words():
    found = tare(*RUN, "--db", "x.db", "--network", "mine", rc=2)
    contains(found.err, "network", "error")
    true(not os.path.exists("x.db"), "a database is made for a wrong plan")


def test_no_cgroup():
    tare(*RUN, "--db", "c.db", "--cgroup", "/nowhere/at/all", rc=None)
    word, message = outcome("c.db")
    equal(word, "skip", message)
    contains(message, "/nowhere/at/all", "reason")


main(globals())
