/* SPDX-License-Identifier: Apache-2.0 */
/* "Did you mean": the known word with the smallest edit distance to an unknown one. */
#ifndef TARE_BASE_NEAREST_H
#define TARE_BASE_NEAREST_H

#include <stddef.h>

/* Remembers the best of the words offered; zero-initialise and set `word`. */
struct tare_nearest {
    const char *word;
    const char *best;
    size_t distance;
};

void tare_nearest_offer(struct tare_nearest *nearest, const char *known);
/*
 * The best word if it is near enough to be meant, or NULL: at most a third of its letters differ; 2 in a
 * word of 4 or 5, where neighbours swapped count 2, and 1 in a shorter one.
 */
const char *tare_nearest_best(const struct tare_nearest *nearest);

#endif
