-- SPDX-License-Identifier: Apache-2.0
-- Version 1. Times are nanoseconds; *_ns columns of samples count from the begin of the measure phase.
-- NULL means absent, never zero. docs/schema.md explains every column.
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    plan TEXT NOT NULL,
    plan_sha256 TEXT NOT NULL,
    seed INTEGER NOT NULL,
    started_utc TEXT NOT NULL,
    finished_utc TEXT,
    tare_version TEXT NOT NULL
);
CREATE TABLE environment (
    run_id INTEGER NOT NULL REFERENCES run (id),
    key TEXT NOT NULL,
    value TEXT,
    absent TEXT,
    PRIMARY KEY (run_id, key)
) WITHOUT ROWID;
CREATE TABLE artifact (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    UNIQUE (path, bytes, mtime_ns, sha256)
);
CREATE TABLE cell (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES run (id),
    ordinal INTEGER NOT NULL,
    backend TEXT NOT NULL,
    model TEXT NOT NULL,
    technique TEXT NOT NULL,
    task TEXT NOT NULL,
    scenario TEXT NOT NULL,
    spec TEXT NOT NULL,
    items INTEGER,
    verdict TEXT,
    reasons TEXT,
    UNIQUE (run_id, ordinal)
);
CREATE TABLE cell_artifact (
    cell_id INTEGER NOT NULL REFERENCES cell (id),
    role TEXT NOT NULL,
    artifact_id INTEGER NOT NULL REFERENCES artifact (id),
    PRIMARY KEY (cell_id, role, artifact_id)
) WITHOUT ROWID;
CREATE TABLE repeat (
    id INTEGER PRIMARY KEY,
    cell_id INTEGER NOT NULL REFERENCES cell (id),
    block INTEGER NOT NULL,
    position INTEGER NOT NULL,
    outcome TEXT NOT NULL DEFAULT 'pending',
    message TEXT,
    UNIQUE (cell_id, block)
);
CREATE TABLE attempt (
    id INTEGER PRIMARY KEY,
    repeat_id INTEGER NOT NULL REFERENCES repeat (id),
    first_item INTEGER NOT NULL,
    started_utc TEXT NOT NULL,
    outcome TEXT NOT NULL DEFAULT 'pending',
    message TEXT,
    model_facts TEXT
);
CREATE TABLE phase (
    attempt_id INTEGER NOT NULL REFERENCES attempt (id),
    name TEXT NOT NULL,
    begin_ns INTEGER NOT NULL,
    end_ns INTEGER,
    PRIMARY KEY (attempt_id, name)
) WITHOUT ROWID;
CREATE TABLE sample (
    repeat_id INTEGER NOT NULL REFERENCES repeat (id),
    item INTEGER NOT NULL,
    attempt_id INTEGER NOT NULL REFERENCES attempt (id),
    error TEXT,
    level INTEGER,
    requests INTEGER NOT NULL,
    prompt_tok INTEGER NOT NULL,
    output_tok INTEGER NOT NULL,
    start_ns INTEGER NOT NULL,
    latency_ns INTEGER NOT NULL,
    ttft_ns INTEGER,
    num REAL,
    den INTEGER,
    exact INTEGER,
    prefill_flops INTEGER,
    decode_flops INTEGER,
    token_ns BLOB,
    output BLOB,
    PRIMARY KEY (repeat_id, item)
) WITHOUT ROWID;
CREATE TABLE request (
    repeat_id INTEGER NOT NULL,
    item INTEGER NOT NULL,
    request INTEGER NOT NULL,
    start_ns INTEGER NOT NULL,
    latency_ns INTEGER NOT NULL,
    prompt_tok INTEGER NOT NULL,
    scored_tok INTEGER NOT NULL,
    loglik REAL,
    PRIMARY KEY (repeat_id, item, request)
) WITHOUT ROWID;
CREATE TABLE reading (
    attempt_id INTEGER NOT NULL REFERENCES attempt (id),
    phase TEXT NOT NULL,
    meter TEXT NOT NULL,
    name TEXT NOT NULL,
    value REAL,
    unit TEXT NOT NULL,
    kind TEXT NOT NULL,
    scope TEXT NOT NULL,
    source TEXT NOT NULL,
    absent TEXT,
    CHECK ((value IS NULL) <> (absent IS NULL)),
    PRIMARY KEY (attempt_id, phase, meter, name)
) WITHOUT ROWID;
CREATE TABLE figure (
    cell_id INTEGER NOT NULL REFERENCES cell (id),
    name TEXT NOT NULL,
    value REAL,
    unit TEXT NOT NULL,
    kind TEXT NOT NULL,
    source TEXT NOT NULL,
    scope TEXT NOT NULL,
    n INTEGER NOT NULL,
    n_what TEXT NOT NULL,
    low REAL,
    high REAL,
    level REAL,
    method TEXT,
    flags TEXT NOT NULL DEFAULT '',
    absent TEXT,
    CHECK ((value IS NULL) <> (absent IS NULL)),
    PRIMARY KEY (cell_id, name)
) WITHOUT ROWID;
