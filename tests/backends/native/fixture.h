/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small files made in memory for the tests of the native backend, whole or deliberately wrong.
 *
 * The models it makes are real ones of a few thousand parameters (the llama has 2520) with weights from a
 * fixed sequence; they say nothing sensible, but they run. Also the way to the zoo's own files.
 */
#ifndef TARE_TEST_NATIVE_FIXTURE_H
#define TARE_TEST_NATIVE_FIXTURE_H

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

struct blob {
    unsigned char *bytes; /* free() it */
    size_t n;
};

/* What to change in the small model. Unset members leave it as it is. */
struct edit {
    const char *what;       /* for the message of a failing test */
    const char *meta_key;   /* gets the JSON text meta_value, or is left out when that is NULL */
    const char *meta_value; /* with its quotes */
    const char *tensor;     /* this tensor gets the next four */
    const char *rename;
    const char *dtype;
    const char *shape; /* JSON text */
    int drop;          /* not in the file */
    int extra;         /* one tensor more, 'extra.weight' */
    int zero;          /* all weights 0 */
};

enum { small_vocab = 256, small_ctx = 16, small_params = 2520 };

/* length, header padded to 8, data */
struct blob fixture_pack(const char *header, const void *data, size_t n_data);
struct blob fixture_model(const struct edit *edit);
/* The same of any architecture; others than llama have two layers. */
struct blob fixture_model_of(const char *arch, const struct edit *edit);
/* Name and number of elements of tensor i of that file; 0 behind the last. */
size_t fixture_tensor(const char *arch, size_t i, char *name, size_t cap);
/* Metadata key i that only this architecture has; NULL behind the last. */
const char *fixture_key(const char *arch, size_t i);
/* A tokenizer of 256 ids without merges; sha as given. */
struct blob fixture_tokenizer(const char *sha);
/* Writes a blob to a new file name in a folder of this test run and frees the blob. */
void fixture_write(const char *path, struct blob blob);
/* A fresh folder below TMPDIR or /tmp; removed by fixture_remove with the files named. */
void fixture_folder(char *out, size_t cap);

/* Joins the value of an environment variable and a name; 0 if the variable is unset or empty. */
int fixture_path(const char *variable, const char *name, char *out, size_t cap);
/* The folder of shipped weights, which every run of the tests has to know. */
void fixture_zoo(const char *name, char *out, size_t cap);
/* The folder of reference data; skips the test with a reason when it is not there. */
void fixture_shared(const char *name, char *out, size_t cap);

#endif
