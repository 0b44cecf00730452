/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Server-sent events out of bytes, however they are cut (HTML Living Standard, 9.2.6). Pure: no input or
 * output, no clock. It gives the data of each event; names, ids and comments are read over. What the data
 * means is not known here.
 */
#ifndef OPENAI_SSE_H
#define OPENAI_SSE_H

#include "text.h"

#include <tare/err.h>

struct sse {
    struct text line;
    struct text data;
    size_t most_bytes; /* of one line, and of the data of one event */
    bool has_data;
    bool after_cr;
    bool begun; /* a byte order mark may come before */
};

/* The data of one event, all its lines joined by newlines; ends in a NUL. Negative: stop, with that code. */
typedef int (*sse_event_fn)(void *ctx, const char *data, size_t n, struct tare_err *err);

/* Reads on. Returns 0, what `event` returned, TARE_E_LIMIT for a line that is too long, or TARE_E_NOMEM. */
TARE_MUST_CHECK int sse_feed(struct sse *sse, const char *bytes, size_t n, sse_event_fn event, void *ctx,
                             struct tare_err *err);
/* For the next stream; keeps the memory. */
void sse_reset(struct sse *sse);
void sse_free(struct sse *sse);

#endif
