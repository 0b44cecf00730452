/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backend driven through its contract, with a sink that keeps every answer; and the known truth of the
 * models that models.py writes. Skips, with the reason, where no ONNX Runtime is at hand.
 */
#ifndef TARE_TEST_ONNX_DRIVEN_H
#define TARE_TEST_ONNX_DRIVEN_H

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <tare/backend.h>

enum { driven_vocab = 32, driven_ctx = 24, driven_rows_max = 600, driven_tokens_max = 600 };

struct driven {
    struct tare_sink sink; /* first: the callbacks get its address */
    void *self;
    struct tare_model_facts facts;
    uint32_t n_rows;
    uint32_t first_position;
    float *rows; /* [driven_rows_max, n_vocab] */
    uint32_t n_tokens;
    int32_t tokens[driven_tokens_max];
    uint32_t token_bytes;
    uint32_t stop_after; /* the sink says so behind that many tokens; 0: never */
};

/* Path of ONNX Runtime for the tests; skips without one. */
const char *driven_library(void);
/* Where models.py has written NAME; skips where python was not there to write it. */
const char *driven_model(const char *name);

/* Opens and loads (stop it after a failure, too); `options` is "name=value" strings, NULL ends. Returns what
 * the hooks return. */
int driven_try(struct driven *d, const char *model, const char *const *options, struct tare_err *err);
/* The same, or fails the test. */
void driven_start(struct driven *d, const char *model, const char *const *options);
void driven_stop(struct driven *d);

/* One request; what comes back replaces what was kept. */
int driven_submit(struct driven *d, struct tare_request *request, struct tare_err *err);
/* A LOGITS request whose answers must come; shared_prefix as given. */
void driven_rows(struct driven *d, const int32_t *ids, uint32_t n, uint32_t first, uint32_t shared_prefix);
/* A reading behind the measured phase; NaN when absent; fails when never told. */
double driven_reading(struct driven *d, const char *name);

/* Logit of b after a in the small models. */
float driven_truth(int32_t a, int32_t b);

#endif
