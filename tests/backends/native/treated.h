/* SPDX-License-Identifier: Apache-2.0 */
/* A zoo model to which a technique was applied, for tests of techniques. */
#ifndef TARE_TEST_NATIVE_TREATED_H
#define TARE_TEST_NATIVE_TREATED_H

#include "fixture.h"

#include "technique.h"

struct treated {
    struct tare_model model;
    struct tare_tokenizer tokenizer;
    struct tare_treatment treatment;
    char path[512];
};

/* Loads zoo file NAME.safetensors as it is, with its tokenizer; skips when it is not there. */
void treated_load(struct treated *t, const char *name);
/* Applies what the text names, or fails the test. */
void treated_apply(struct treated *t, const char *technique);
/* Both. */
void treated_start(struct treated *t, const char *name, const char *technique);
void treated_stop(struct treated *t);
/* The layer of that name, or the test fails. */
struct tare_linear *treated_find(struct treated *t, const char *name);
/* W of layer i as float32; free() it. */
float *treated_dense(const struct treated *t, size_t i);
/* Logits of n tokens [n, vocab], fed at once by an engine with so many threads; free() them. */
float *treated_logits(const struct treated *t, const int32_t *ids, uint32_t n, uint32_t threads);
/* Applies to a fresh llama-0.1m and expects a failure that says so. */
void treated_refuses(const char *technique, int code, const char *says);

#endif
