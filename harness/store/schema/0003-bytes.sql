-- SPDX-License-Identifier: Apache-2.0
-- Version 3. Bytes moved, counted by the backend beside its FLOPs.
ALTER TABLE sample ADD COLUMN prefill_bytes INTEGER;
ALTER TABLE sample ADD COLUMN decode_bytes INTEGER;
