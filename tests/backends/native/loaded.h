/* SPDX-License-Identifier: Apache-2.0 */
/* A model in an engine of its own, for tests that look below the backend's exported symbol. */
#ifndef TARE_TEST_NATIVE_LOADED_H
#define TARE_TEST_NATIVE_LOADED_H

#include "fixture.h"

#include "engine.h"

struct loaded {
    struct tare_model model;
    struct tare_engine engine;
};

/* Loads and opens, or fails the test. block 0: the architecture's own. */
void loaded_start(struct loaded *l, const char *path, uint32_t threads, uint32_t block);
/* The same of zoo file NAME.safetensors with one thread: shipped, else among the reference data; skips
 * when it is in neither. */
void loaded_start_zoo(struct loaded *l, const char *name, uint32_t block);
void loaded_stop(struct loaded *l);
/* Where zoo file NAME.safetensors lies. */
void loaded_find_zoo(const char *name, char *out, size_t cap);

/* Feeds; returns the logits of all n rows. */
const float *loaded_feed(struct loaded *l, const int32_t *ids, uint32_t n);

/* Largest difference; NaN counts as the largest. */
double loaded_gap(const float *got, const float *want, size_t n);
/* ids that reach all over a vocabulary */
void loaded_ids(int32_t *ids, uint32_t n, uint32_t n_vocab, uint32_t seed);

#endif
