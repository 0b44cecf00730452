# SPDX-License-Identifier: Apache-2.0
"""The calibration certificate: made, stored, cited by later runs, and by those alone that it is true for.
How good the numbers are depends on the machine, which is not quiet while tests run: that is not asked here, but
for what is exact everywhere."""
import functools
import os
import shutil

import clilib
from clilib import contains, equal, main, query, scalar, strict_json, tare, true

RUN = ["run", "--model", "null", "--task", "recall,items=4", "--repeats", "1"]
EXACT = ("FLOPs", "interval", "bytes", "file mapping", "collective")


@functools.cache
def certified():
    """What the whole self-test told, its exit status, and its database, which is copied before it is written to:
    half a minute, so the tests share one."""
    result = tare("selftest", "--db", "made.db", "--json", rc=None)
    return strict_json(result.out, "selftest"), result.rc, os.path.abspath("made.db")


def test_certificate():
    told, status, db = certified()
    shutil.copy(db, "t.db")
    equal(status, 4 if told["failed"] else 0, "exit status")
    equal(len(told["lines"]), sum(told[k] for k in ("passed", "failed", "absent")) +
          sum(line["outcome"] == "info" for line in told["lines"]), "every line counts once")
    for line in told["lines"]:
        true(line["outcome"] in ("pass", "FAIL", "absent", "info"), line)
        true(line["outcome"] != "absent" or line["note"], f"absent without a reason: {line}")
        true(line["quantity"] not in EXACT or line["outcome"] in ("pass", "absent"), f"should be exact: {line}")
    stored = query("t.db", "SELECT quantity, workload, unit, truth, reading, error, target, outcome FROM "
                           "certificate_line WHERE certificate_id = ? ORDER BY position", told["certificate"])
    equal(stored, [tuple(line[k] for k in ("quantity", "workload", "unit", "truth", "reading", "error", "target",
                                           "outcome")) for line in told["lines"]], "stored as told")
    tare(*RUN, "--db", "t.db")
    equal(scalar("t.db", "SELECT certificate_id FROM run"), told["certificate"], "a later run cites it")
    overhead, = [line for line in told["lines"] if line["quantity"] == "overhead"]
    if overhead["outcome"] != "absent":
        contains(" ".join(tare("report", "t.db").out.split()),
                 f"Metering made fixed work longer by {overhead['reading']:.2f} % ({overhead['note'].split(';')[0]})",
                 "the overhead stands on the report")
    contains(" ".join(tare("report", "t.db").out.split()),
             f"Calibration certificate 1 of {scalar('t.db', 'SELECT made_utc FROM certificate')}: "
             f"{told['passed']} checks within target, {told['failed']} beyond", "report")


def test_of_another_program():
    """A certificate is of the very executable that made it."""
    tare("selftest", "--db", "o.db", "--only", "cpu_time", rc=None)
    true(not os.path.exists("o.db"), "a part of the checks is no certificate")
    shutil.copy(certified()[2], "o.db")
    shutil.copy(clilib.EXE, "other")
    with open("other", "ab") as to:
        to.write(b"\\0")
    built, clilib.EXE = clilib.EXE, os.path.abspath("other")
    try:
        tare(*RUN, "--db", "o.db", env={"TARE_BACKEND_PATH": os.path.join(os.path.dirname(built), "backends")})
    finally:
        clilib.EXE = built
    equal(scalar("o.db", "SELECT count(*) FROM certificate"), 1, "there is one")
    equal(scalar("o.db", "SELECT certificate_id FROM run"), None, "not cited")
    contains(" ".join(tare("report", "o.db").out.split()), "No calibration certificate", "report")


def test_wrong_words():
    contains(tare("selftest", "--only", "nosuch", rc=2).err, "no check matches", "pattern")
    contains(tare("doctor", "--noise", "1ms", rc=2).err, "half a second", "noise")
    contains(tare("doctor", "--meter", "memry", rc=2).err, "did you mean memory", "meter")


def test_doctor_noise():
    told = strict_json(tare("doctor", "--json", "--noise", "600ms").out, "doctor")
    true(0.6 <= told["noise"]["seconds"] < 5, told["noise"])
    true(told["noise"]["spin_ms"] > 0, told["noise"])
    for meter in told["meters"]:
        true(meter["available"] or meter["why"], f"not usable without a reason: {meter}")
        true(meter["place"] in ("worker", "outside"), meter)


main(globals())
