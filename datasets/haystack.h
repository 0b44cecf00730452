/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sentences in which the tasks of long texts hide what they ask for.
 *
 * Either plain sentences of ours, each drawn freely, or the sentences of documents in their order, from a
 * drawn one on and round. A walk is a value: a copy of it gives the same sentences again, so that a text may
 * be measured before it is written. Private to datasets/; no sentence says a number or names a person.
 */
#ifndef TARE_DATASETS_HAYSTACK_H
#define TARE_DATASETS_HAYSTACK_H

#include "documents.h"
#include "draft.h"

enum { TARE_HAYSTACK_NOISE, TARE_HAYSTACK_PROSE };

/* Zero-initialised: the plain sentences. */
struct tare_haystack {
    struct tare_documents documents;
    struct tare_bytes *sentences; /* into the documents; NULL: the plain ones */
    size_t n;
};

/* Finds the sentences of a file, or of the shipped prose with path NULL. One ends at a full stop, question or
 * exclamation mark before white space, or at an empty line; those that hold `without` are left out. */
int tare_haystack_open(struct tare_haystack *haystack, const char *path, const char *data_dir,
                       const char *without, const char *task, struct tare_err *err);
void tare_haystack_close(struct tare_haystack *haystack);

struct tare_haystack_walk {
    const struct tare_haystack *haystack;
    struct tare_rng rng;
    size_t next;
};

/* Advances *rng by one draw. */
struct tare_haystack_walk tare_haystack_walk(const struct tare_haystack *haystack, struct tare_rng *rng);
struct tare_bytes tare_haystack_next(struct tare_haystack_walk *walk);
/* The sentence and a space, its line breaks as spaces: sentence.n + 1 bytes. */
void tare_haystack_put(struct tare_draft *draft, struct tare_bytes sentence);

#endif
