/* SPDX-License-Identifier: Apache-2.0 */
/* A JSON pointer (RFC 6901) taken apart: "/a~1b/0" is the tokens "a/b" and "0". */
#ifndef TARE_DATASETS_READERS_POINTER_H
#define TARE_DATASETS_READERS_POINTER_H

#include <stddef.h>
#include <tare/err.h>

enum { TARE_POINTER_TOKENS = 32 };

/* Zero-initialise. */
struct tare_pointer {
    char *text; /* the tokens, each with a NUL behind it */
    const char *tokens[TARE_POINTER_TOKENS];
    size_t n;
};

/* NULL and "" point to the whole document. tare_pointer_fini. */
TARE_MUST_CHECK int tare_pointer_parse(const char *text, struct tare_pointer *out, struct tare_err *err);
/* The index that a token is for an array; -1 if it is none. */
long long tare_pointer_index(const char *token);
void tare_pointer_fini(struct tare_pointer *pointer);

#endif
