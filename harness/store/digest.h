/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash over all that a repeat has stored, so that a sample or reading that is changed later is seen.
 *
 * SHA-256 over the rows of a repeat in a fixed order: for each value that is not NULL the column's name, its
 * type, its length and its bytes. Columns that later versions add are NULL in older rows and so change no
 * hash. It tells accidents (a damaged disk, a stray UPDATE), not forgers: who can write the rows can write
 * the hash.
 */
#ifndef TARE_STORE_DIGEST_H
#define TARE_STORE_DIGEST_H

#include "store/store.h"

/* Hashes the repeat's rows and stores the hash with it. */
TARE_MUST_CHECK int tare_store_seal_repeat(struct tare_store *store, int64_t repeat_id, struct tare_err *err);
/* Are the rows of the cell's sealed repeats what they were? *out_broken gets the number of those that are
 * not; and the cell gets one hash over those of its repeats. Repeats that were never sealed are left out. */
TARE_MUST_CHECK int tare_store_check_seals(struct tare_store *store, int64_t cell_id, int64_t *out_broken,
                                           struct tare_err *err);

#endif
