-- SPDX-License-Identifier: Apache-2.0
-- Version 4. Files of other programs: which run came out of which file, and the file's own records.
CREATE TABLE import (
    run_id INTEGER PRIMARY KEY REFERENCES run (id),
    format TEXT NOT NULL,
    tool TEXT NOT NULL,
    tool_version TEXT,
    path TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    imported_utc TEXT NOT NULL,
    envelope TEXT
);
CREATE TABLE import_record (
    run_id INTEGER NOT NULL REFERENCES run (id),
    position INTEGER NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (run_id, position)
) WITHOUT ROWID;
