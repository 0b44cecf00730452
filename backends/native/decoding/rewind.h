/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking back tokens that a sequence has been fed. A cache of keys and values is cut; any other state was
 * saved at marks before, and comes back at the last mark that is not too late. What is missing up to the
 * wanted length is fed again by the caller.
 */
#ifndef TARE_NATIVE_REWIND_H
#define TARE_NATIVE_REWIND_H

#include "engine.h"

struct tare_rewind {
    struct tare_engine *engine; /* borrowed */
    unsigned char *saved;       /* owned, [cap] states; NULL where the state can be cut */
    size_t state_bytes;
    uint32_t *n_tokens; /* owned, [cap]: of each */
    uint32_t cap;
    uint32_t n;
};

/* Room for `cap` marks. */
TARE_MUST_CHECK int tare_rewind_open(struct tare_rewind *rewind, struct tare_engine *engine, uint32_t cap,
                                     struct tare_err *err);
void tare_rewind_close(struct tare_rewind *rewind);
/* Forgets all marks. */
void tare_rewind_begin(struct tare_rewind *rewind);
void tare_rewind_mark(struct tare_rewind *rewind);
/* The engine then holds at most n tokens, the first of those it held; n is not before the first mark. */
void tare_rewind_to(struct tare_rewind *rewind, uint32_t n);

#endif
