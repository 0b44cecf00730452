/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A loaded native backend and a sink that keeps every answer, for tests that see the backend through its
 * exported symbol only.
 */
#ifndef TARE_TEST_NATIVE_SESSION_H
#define TARE_TEST_NATIVE_SESSION_H

#include "fixture.h"

#include <stdbool.h>
#include <tare/backend.h>

extern const struct tare_backend tare_plugin;

enum { rows_max = 600, tokens_max = 600 };

/* A sink that keeps everything. */
struct record {
    struct tare_sink sink; /* first: the callbacks get its address */
    uint32_t n_vocab;
    uint32_t n_rows;
    uint32_t positions[rows_max];
    float *rows; /* [rows_max, n_vocab] */
    uint32_t n_tokens;
    int32_t tokens[tokens_max];
    char text[8192];
    size_t n_text;
    uint32_t stop_after; /* tokens; 0: never */
};

struct session {
    void *self;
    struct tare_model_facts facts;
    struct record record;
};

struct session_options {
    int64_t threads; /* 0: 1 */
    int64_t block;
    bool no_reuse;
    const char *technique; /* NULL: none */
};

/* Where an option of that name lies in `self`. */
void *session_option(void *self, const char *name);
/* Private memory of the backend with its defaults; free() it. */
void *session_new_self(void);
/* Opens, loads and describes, or fails the test. */
void session_start(struct session *s, const char *path);
/* The same with other options; NULL: the defaults. */
void session_start_with(struct session *s, const char *path, const struct session_options *options);
/* The same; a failure is returned, and nothing is left of it. */
int session_try(struct session *s, const char *path, const struct session_options *options,
                struct tare_err *err);
void session_start_zoo(struct session *s, const char *file);
void session_stop(struct session *s);
/* Forgets earlier answers and submits. */
int session_submit(struct session *s, const struct tare_request *request, struct tare_err *err);
/* The same, and fails the test with the backend's message. */
void session_must(struct session *s, const struct tare_request *request);
/* A request of a fixed id, first answer 1. */
struct tare_request session_request(enum tare_request_kind kind, const int32_t *tokens, uint32_t n);

#endif
