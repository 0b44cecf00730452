/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A shipped model with techniques applied to it that answers requests below the backend's exported symbol:
 * tests reach the session and what a way of decoding counts. Answers are kept in the same struct.
 */
#ifndef TARE_TEST_NATIVE_ANSWERING_H
#define TARE_TEST_NATIVE_ANSWERING_H

#include "fixture.h"

#include "technique.h"

enum { answering_tokens_max = 600 };

struct answering {
    struct tare_sink sink; /* first: the callbacks get its address */
    struct tare_tokenizer tokenizer;
    struct tare_model model;
    struct tare_treatment treatment;
    struct tare_session session;
    char path[512];
    uint32_t n_rows;
    uint32_t first_position;
    float *rows; /* owned, [n_ctx, vocab] */
    uint32_t n_tokens;
    int32_t tokens[answering_tokens_max];
};

/* zoo file NAME.safetensors; technique NULL: none; block 0: the architecture's own. Fails the test when it
 * cannot be done. */
void answering_start(struct answering *t, const char *name, const char *technique, uint32_t block);
void answering_stop(struct answering *t);
/* Fails the test unless it is refused, when applied or when opened, with that code and a message with these
 * words in it. */
void answering_refused(const char *name, const char *technique, int code, const char *words);

/* A LOGITS request; its rows are in t->rows. */
void answering_rows(struct answering *t, const int32_t *ids, uint32_t n, uint32_t first,
                    uint32_t shared_prefix);
/* A GENERATE request; its tokens are in t->tokens. */
void answering_generate(struct answering *t, const int32_t *ids, uint32_t n, uint32_t max_output,
                        double temperature, uint64_t seed);
/* What the way of decoding tells under that name; NaN when absent, a failed test when never told. */
double answering_reading(struct answering *t, const char *name);
/* BOS and the ids of an English text: at most cap; how many there are. */
uint32_t answering_text(struct answering *t, int32_t *ids, uint32_t cap);

#endif
