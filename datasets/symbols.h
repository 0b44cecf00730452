/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Abstract symbols as text, for the tasks that recall and copy symbols without a meaning.
 *
 * Symbol `id` of `n` is written in base 52 with the digits a..z, A..Z, most significant first, in as many
 * letters as the last of the n needs: all symbols of an item are equally long. Private to datasets/.
 */
#ifndef TARE_DATASETS_SYMBOLS_H
#define TARE_DATASETS_SYMBOLS_H

#include "draft.h"

enum { TARE_SYMBOLS_MAX = 140608, TARE_SYMBOL_BYTES = 4 /* three letters and the space before them */ };

/* A space and the symbol; n is at most TARE_SYMBOLS_MAX. */
void tare_symbol_put(struct tare_draft *draft, uint64_t id, uint64_t n);
/* The same, graded, the space included. */
void tare_symbol_grade(struct tare_draft *draft, uint64_t id, uint64_t n);

#endif
