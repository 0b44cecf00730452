# SPDX-License-Identifier: Apache-2.0
"""Hostile databases, made from one that a run has filled."""
import os
import shutil
import sqlite3
import struct

import hostile
from hostile import Row

DENIED, FINE = 5, 0


def change(path, *statements):
    """SQL on a database, past its constraints."""
    db = sqlite3.connect(path)
    try:
        db.execute("PRAGMA journal_mode = DELETE")
        db.execute("PRAGMA ignore_check_constraints = ON")
        for statement in statements:
            db.execute(statement)
        db.commit()
    finally:
        db.close()


def loosen(table):
    """The table again without a constraint, a type or a key."""
    return (f"CREATE TABLE loose AS SELECT * FROM {table}", f"DROP TABLE {table}",
            f"ALTER TABLE loose RENAME TO {table}")


# reason, statements, exit statuses of reading commands
CHANGES = [
    ("another application's", ["PRAGMA application_id = 1"]),
    ("an application id, but no version", ["PRAGMA user_version = 0"]),
    ("a newer schema", ["PRAGMA user_version = 1000"]),
    ("schema 2147483647", ["PRAGMA user_version = 2147483647"]),
    ("schema -1", ["PRAGMA user_version = -1"]),
] + [(f"no table {table}", [f"DROP TABLE {table}"]) for table in
     ("run", "cell", "repeat", "attempt", "sample", "reading", "figure", "environment", "artifact", "phase",
      "request", "import", "import_record")] + [
    ("a view for a table", ["DROP TABLE figure", "CREATE VIEW figure AS SELECT * FROM cell"]),
    ("an endless view for a table", ["DROP TABLE figure",
                                     "CREATE VIEW figure (cell_id, name, value, unit, kind, source, "
     "scope, n, n_what, low, high, level, method, flags, absent) AS WITH RECURSIVE c (x) AS "
      "(SELECT 1 UNION ALL SELECT "
     "x + 1 FROM c) SELECT 1, 'n' || x, x, '1', 'counted', 's', 's', 1, 'x', NULL, NULL, NULL, NULL, '', "
      "NULL FROM c"]),
    ("a trigger", ["CREATE TRIGGER t AFTER UPDATE ON cell BEGIN DELETE FROM sample; END"]),
    ("a table without keys", list(loosen("sample"))),
    ("a missing column", list(loosen("cell")) + ["ALTER TABLE cell DROP COLUMN spec"]),
    ("labels that are NULL",
     list(loosen("cell")) + ["UPDATE cell SET model = NULL, task = NULL, technique = NULL"]),
    ("a figure that is text", ["UPDATE figure SET value = 'many' WHERE value IS NOT NULL"]),
    ("a figure that is a blob", ["UPDATE figure SET value = x'ff' WHERE value IS NOT NULL"]),
    ("a figure without value and reason",
     list(loosen("figure")) + ["UPDATE figure SET value = NULL, absent = NULL"]),
    ("an interval that is text", ["UPDATE figure SET low = 'a', high = 'b' WHERE low IS NOT NULL"]),
    ("a count that is text", ["UPDATE figure SET n = 'ten'"]),
    ("a reading that is text", ["UPDATE reading SET value = 'x' WHERE value IS NOT NULL"]),
    ("samples that are NULL",
     list(loosen("sample")) + ["UPDATE sample SET latency_ns = NULL, requests = NULL"]),
    ("items that are text", ["UPDATE cell SET items = 'x'"]),
    ("a block that is text", ["UPDATE repeat SET block = 'x' || id"]),
]
# Texts that only some commands read: those refuse, the others do what they can.
PARTLY = [
    ("samples that are text", ["UPDATE sample SET latency_ns = 'x', num = 'y', den = 'z'"]),
    ("a plan that is no JSON", ["UPDATE run SET plan = '{'"]),
    ("a plan that is a number", ["UPDATE run SET plan = 7"]),
    ("a plan that is a blob", ["UPDATE run SET plan = x'00ff00'"]),
    ("no plan", list(loosen("run")) + ["UPDATE run SET plan = NULL"]),
    ("no name",
     list(loosen("run")) + ["UPDATE run SET name = NULL, started_utc = NULL, tare_version = NULL"]),
    ("a spec that is no JSON", ["UPDATE cell SET spec = 'x'"]),
    ("a spec without a task", ["UPDATE cell SET spec = '{}'"]),
    ("a spec of another task", ["UPDATE cell SET spec = replace(spec, 'recall', 'nothing')"]),
    ("a spec nested deep", ["UPDATE cell SET spec = replace(hex(zeroblob(100000)), '0', '[')"]),
    ("no spec", list(loosen("cell")) + ["UPDATE cell SET spec = NULL"]),
]
# Values that the types allow: the figures may be absurd, but nothing may break.
ALLOWED = [
    ("a figure of an unknown kind", ["UPDATE figure SET kind = 'guessed'"]),
    ("2^61 + 1 requests in a sample", ["UPDATE sample SET requests = 2305843009213693953 WHERE item = 0"]),
    ("requests whose sum overflows", ["UPDATE sample SET requests = 9223372036854775807"]),
    ("-1 requests in a sample", ["UPDATE sample SET requests = -1"]),
    ("latencies of 2^63 - 1", ["UPDATE sample SET latency_ns = 9223372036854775807"]),
    ("latencies of -2^63",
     ["UPDATE sample SET latency_ns = -9223372036854775807 - 1, ttft_ns = 9223372036854775807"]),
    ("token times that overflow",
     ["UPDATE sample SET token_ns = x'" + "ffffffffffffff7f0000000000000080" * 3 + "'"]),
    ("token times cut short", ["UPDATE sample SET token_ns = x'0011223344556677889900'"]),
    ("token times that are text",
     ["UPDATE sample SET token_ns = '\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac'"]),
    ("2^63 - 1 tokens",
     ["UPDATE sample SET prompt_tok = 9223372036854775807, output_tok = 9223372036854775807"]),
    ("2^63 - 1 tokens in one sample", ["UPDATE sample SET prompt_tok = 9223372036854775807 WHERE item = 0",
                                       "UPDATE sample SET output_tok = 9223372036854775807 WHERE item = 1"]),
    ("FLOPs of 2^63 - 1", ["UPDATE sample SET prefill_flops = 0, decode_flops = 0",
                           "UPDATE sample SET prefill_flops = 9223372036854775807, "
                            "decode_flops = 9223372036854775807 "
                           "WHERE item = 0"]),
    ("a block of 2^63 - 1", ["UPDATE repeat SET block = 9223372036854775807 WHERE block = 1"]),
    ("phases of 2^63 ns", ["UPDATE phase SET begin_ns = -9223372036854775807, end_ns = 9223372036854775807"]),
    ("items of 2^63 - 1", ["UPDATE cell SET items = 9223372036854775807"]),
    ("items of -1", ["UPDATE cell SET items = -1"]),
    ("infinite figures",
     ["UPDATE figure SET value = 9e999, low = -9e999, high = 9e999 WHERE value IS NOT NULL"]),
    ("a figure's n of -1", ["UPDATE figure SET n = -1, level = -5"]),
    ("labels of 1 MB", ["UPDATE cell SET model = hex(zeroblob(500000))",
                        "UPDATE run SET name = hex(zeroblob(500000))"]),
    ("units and flags of 1 MB",
     ["UPDATE figure SET unit = hex(zeroblob(100000)), flags = hex(zeroblob(50000))"]),
    ("labels of several lines",
     ["UPDATE cell SET model = 'a' || char(10) || char(27) || '[2J|' || char(13)"]),
    ("labels that are no UTF-8", ["UPDATE cell SET model = CAST(x'61fffe62' AS TEXT)"]),
    ("a label that is a blob", ["UPDATE cell SET model = x'fffe00'"]),
    ("an unknown outcome", ["UPDATE repeat SET outcome = 'splendid', message = NULL"]),
    ("an unknown verdict", ["UPDATE cell SET verdict = 'FINE', reasons = hex(zeroblob(100000))"]),
    ("model facts that are no JSON", ["UPDATE attempt SET model_facts = '}{'"]),
    ("a seed of -2^63", ["UPDATE run SET seed = -9223372036854775807 - 1"]),
    ("a cell of a run that is not there", ["UPDATE cell SET run_id = 77"]),
    ("a second run whose number is 2^63 - 1",
     ["INSERT INTO run (id, name, plan, plan_sha256, seed, started_utc, tare_version) SELECT "
      "9223372036854775807, name, plan, plan_sha256, seed, started_utc, tare_version FROM run",
      "UPDATE cell SET run_id = 9223372036854775807 WHERE id = 1"]),
    ("an unknown backend", ["UPDATE cell SET spec = replace(spec, 'null.so', 'none.so')",
                            "UPDATE repeat SET outcome = 'pending'"]),
    ("no samples", ["DELETE FROM sample"]),
    ("no cells", ["DELETE FROM cell"]), ("no figures", ["DELETE FROM figure"]), ("no environment",
            ["DELETE FROM environment"]),
]


def shapes(blob):
    """(reason, bytes): the file as a whole."""
    yield "an empty file", b""
    yield "a text", b"no database\n" * 100
    yield "100 bytes of zeros", b"\0" * 100
    yield "8 pages of zeros", b"\0" * 32768
    for reason, data in hostile.truncations(blob, (1, 15, 16, 50, 99, 100, 512, 4095, 4096, 4097,
                                                   len(blob) // 2, -4096, -1)):
        yield reason, data
    for size in (0, 1, 256, 511, 65535):
        yield f"a page size of {size}", blob[:16] + struct.pack(">H", size) + blob[18:]
    yield "a page count of 2^32 - 1", blob[:28] + b"\xff" * 4 + blob[32:]
    yield "a schema format of 9", blob[:44] + b"\0\0\0\x09" + blob[48:]
    yield "UTF-16", blob[:56] + b"\0\0\0\x02" + blob[60:]
    yield "file format 9", blob[:18] + b"\x09\x09" + blob[20:]
    yield "its first page twice", blob[:4096] + blob[:4096] + blob[8192:]


def rows(folder, original):
    with open(original, "rb") as file:
        blob = file.read()
    for reason, data in shapes(blob):
        yield Row("database", reason, folder.write(data, ".db"), {DENIED})
    for number, (reason, data) in enumerate(hostile.flips(blob, 8, 24)):
        yield Row("database", reason, folder.write(data, f"-{number}.db"), {FINE, 3, 4, DENIED})
    for table, want in ((CHANGES, {DENIED}), (PARTLY, {FINE, 3, 4, DENIED}), (ALLOWED, {FINE, 3, 4, DENIED})):
        for reason, statements in table:
            path = folder.name(".db")
            shutil.copyfile(original, path)
            change(path, *statements)
            yield Row("database", reason, path, want, options={"some": table is PARTLY})
    for reason, junk in (("a log of garbage", b"\xaa" * 10000), ("an empty log", b""),
                         ("a log header of another page size", struct.pack(">8I", 0x377f0682, 3007000, 1024,
                                 0, 1, 2, 3, 4))):
        path = folder.write(blob, ".db")
        for suffix in ("-wal", "-shm", "-journal")[:1 if b"\x7f" in junk else 2]:
            with open(path + suffix, "wb") as file:
                file.write(junk)
        yield Row("database", reason, path, {FINE, 3, 4})
    for reason, path, nobody in hostile.no_files(folder, blob, ".db"):
        # SQLite would write its log beside a device.
        if not (os.path.exists(path) and hostile.is_char_device(path)):
            yield Row("database", reason, path, {DENIED}, nobody=nobody)
