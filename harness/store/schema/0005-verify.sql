-- SPDX-License-Identifier: Apache-2.0
-- Version 5. Certificates of two kinds: of the instrument (selftest) and of a backend with a model (verify).
ALTER TABLE certificate ADD COLUMN kind TEXT NOT NULL DEFAULT 'selftest';
ALTER TABLE certificate ADD COLUMN backend TEXT;
ALTER TABLE certificate ADD COLUMN backend_sha256 TEXT;
ALTER TABLE certificate ADD COLUMN model TEXT;
ALTER TABLE certificate ADD COLUMN model_sha256 TEXT;
ALTER TABLE certificate ADD COLUMN technique TEXT;
ALTER TABLE certificate ADD COLUMN options TEXT;
ALTER TABLE certificate ADD COLUMN reference TEXT;
