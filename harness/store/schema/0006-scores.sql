-- SPDX-License-Identifier: Apache-2.0
-- Version 6. What a task itself made of the answers of an item: one number a column of the task.
CREATE TABLE score (
    repeat_id INTEGER NOT NULL REFERENCES repeat (id),
    name TEXT NOT NULL,
    item INTEGER NOT NULL,
    value REAL NOT NULL,
    PRIMARY KEY (repeat_id, name, item)
) WITHOUT ROWID;
-- SHA-256 of all that the cell's task asks, of tasks whose data lie outside of tare.
ALTER TABLE cell ADD COLUMN prompts_sha256 TEXT;
