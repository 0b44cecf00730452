-- SPDX-License-Identifier: Apache-2.0
-- Version 2. What may be wrong with a reading; the meters of a run; calibration certificates; the state of
-- the machine before and after each worker; a hash over what each repeat has stored.
ALTER TABLE reading ADD COLUMN u REAL;
ALTER TABLE reading ADD COLUMN gain REAL;
ALTER TABLE reading ADD COLUMN flags TEXT NOT NULL DEFAULT '';
CREATE TABLE meter (
    run_id INTEGER NOT NULL REFERENCES run (id),
    name TEXT NOT NULL,
    place TEXT NOT NULL,
    absent TEXT,
    cost_ns REAL,
    PRIMARY KEY (run_id, name)
) WITHOUT ROWID;
CREATE TABLE certificate (
    id INTEGER PRIMARY KEY,
    made_utc TEXT NOT NULL,
    tare_version TEXT NOT NULL,
    tare_sha256 TEXT NOT NULL,
    machine TEXT NOT NULL
);
CREATE TABLE certificate_line (
    certificate_id INTEGER NOT NULL REFERENCES certificate (id),
    position INTEGER NOT NULL,
    quantity TEXT NOT NULL,
    workload TEXT NOT NULL,
    unit TEXT NOT NULL,
    truth REAL,
    reading REAL,
    error REAL,
    error_unit TEXT NOT NULL,
    target REAL,
    outcome TEXT NOT NULL,
    note TEXT,
    PRIMARY KEY (certificate_id, position)
) WITHOUT ROWID;
CREATE TABLE machine_state (
    attempt_id INTEGER NOT NULL REFERENCES attempt (id),
    moment TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT,
    absent TEXT,
    PRIMARY KEY (attempt_id, moment, key)
) WITHOUT ROWID;
ALTER TABLE run ADD COLUMN certificate_id INTEGER REFERENCES certificate (id);
ALTER TABLE repeat ADD COLUMN sha256 TEXT;
ALTER TABLE cell ADD COLUMN evidence_sha256 TEXT;
