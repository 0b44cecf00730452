/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backend as the harness sees it: its shared object opened, options set, a model loaded, and a sink that
 * keeps every answer. Two of them stand beside each other in one process.
 */
#ifndef TARE_TEST_LLAMACPP_OPENED_H
#define TARE_TEST_LLAMACPP_OPENED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <stdbool.h>
#include <tare/backend.h>

enum { opened_rows_max = 520, opened_tokens_max = 600, opened_text_max = 1 << 17 };

struct opened {
    struct tare_sink sink; /* first: the callbacks get its address */
    struct tare_backend ops;
    void *self;
    struct tare_model_facts facts;
    uint32_t n_rows;
    uint32_t first_position;
    float *rows; /* owned: [opened_rows_max, n_vocab] */
    uint32_t n_tokens;
    int32_t tokens[opened_tokens_max];
    uint32_t stop_after; /* tokens; 0: never */
    char text[4096];     /* bytes of the tokens */
    size_t n_text;
};

/* The value of an environment variable, or a failed test. */
const char *opened_env(const char *name);
/* Opens the object that the variable `object` names, with options "name=value" up to NULL, and loads the
 * model. Returns what load returns; a failure anywhere else fails the test. */
int opened_try(struct opened *o, const char *object, const char *model, const char *const *options,
               struct tare_err *err);
/* The same, where a failure to load fails the test, and the facts are asked. */
void opened_start(struct opened *o, const char *object, const char *model, const char *const *options);
void opened_stop(struct opened *o);

/* Each fails the test when the backend refuses. */
uint32_t opened_tokenize(struct opened *o, const char *text, size_t n, int32_t *ids, uint32_t *ends);
void opened_rows(struct opened *o, enum tare_request_kind kind, const int32_t *ids, uint32_t n,
                 uint32_t first, uint32_t shared_prefix);
void opened_generate(struct opened *o, const int32_t *ids, uint32_t n, uint32_t max_output, float temperature,
                     uint64_t seed);
/* What the backend tells under that name in the given phase; NaN when absent, a failed test when never. */
double opened_reading(struct opened *o, int measured, const char *name);

/* Natural log of the probability of token `id` by a row, in double. */
double opened_logprob(const float *row, size_t n_vocab, int32_t id);
/* Reads a whole file of at most opened_text_max bytes into static memory. */
const char *opened_file(const char *path, size_t *out_n);
/* The path of shipped text number 1 to 12. */
void opened_prose(int number, char *out, size_t cap);

#endif
