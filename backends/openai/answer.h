/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an answer says: chunks of a stream, an answer as a whole, errors, usage. Pure: JSON in, facts out.
 * Trusts nothing: what contradicts itself is a fault with a name. Knows of no time.
 */
#ifndef OPENAI_ANSWER_H
#define OPENAI_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tare/err.h>
#include <tare/json.h>

/* What chunks have told so far. Unknown integers are -1. */
struct answer {
    bool finished; /* a finish_reason came */
    bool done;     /* "[DONE]" came */
    int64_t chunks;
    int64_t events; /* chunks that carried something generated */
    int64_t prompt_tok, output_tok, cached_tok;
    double prompt_ms, output_ms; /* the server's own times; NaN: not told */
    char id[80];
};

/* What one chunk adds. The text is the tree's. */
struct answer_piece {
    bool generated;   /* something was, if only thoughts that are no part of the answer */
    const char *text; /* NULL: nothing of the answer */
};

void answer_begin(struct answer *answer);
TARE_MUST_CHECK int answer_chunk(struct answer *answer, const struct tare_json *chunk,
                                 struct answer_piece *out, struct tare_err *err);
/* After the last byte: is it whole, and does it agree with itself? `streamed`: it came in chunks. */
TARE_MUST_CHECK int answer_check(const struct answer *answer, bool streamed, struct tare_err *err);
/* The server's words for a failure: error.message, message, detail; else the bytes. One line of printable
 * ASCII. */
void answer_error_text(const char *body, size_t n, char *out, size_t n_out);

#endif
