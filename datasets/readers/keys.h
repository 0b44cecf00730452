/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which keys have been seen, by 64 bits of a hash: 16 to 32 bytes a key, however long the keys are. Of a
 * million unlike keys two are taken for the same with a probability below 1e-7; keys made to that end are
 * refused, which is no harm.
 */
#ifndef TARE_DATASETS_READERS_KEYS_H
#define TARE_DATASETS_READERS_KEYS_H

#include <stddef.h>
#include <stdint.h>
#include <tare/err.h>

/* Zero-initialise; free(slots). */
struct tare_keys {
    uint64_t *slots; /* 0: empty */
    size_t n, cap;   /* cap: 0 or a power of two */
};

/* 1: it is new; 0: it was there. */
TARE_MUST_CHECK int tare_keys_add(struct tare_keys *keys, const char *key, struct tare_err *err);

#endif
