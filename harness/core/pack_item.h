/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An item as one line of JSON in one canonical form: what a pack hashes. Two items give the same line if and
 * only if they ask the same and are graded alike; docs/pack.md has the form.
 */
#ifndef TARE_CORE_PACK_ITEM_H
#define TARE_CORE_PACK_ITEM_H

#include "base/buf.h"
#include "base/hash.h"

#include <tare/task.h>

/* Appends the line, its end included. A kind of item that is not known here is an error. */
TARE_MUST_CHECK int tare_pack_item(const struct tare_item *item, struct tare_buf *to, struct tare_err *err);
/* SHA-256 over the lines of all items of an opened task, which is that of the file prompts.jsonl in its pack:
 * equal hash, equal questions. */
TARE_MUST_CHECK int tare_pack_items_hash(const struct tare_task *task, void *self, char out[TARE_SHA256_HEX],
                                         struct tare_err *err);
/* A string as JSON: as it is, but for '"', '\' and control characters; bytes that are no UTF-8: {"hex": ...}.
 */
void tare_pack_text(struct tare_bytes text, struct tare_buf *to);

#endif
