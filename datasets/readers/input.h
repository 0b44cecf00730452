/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all formats read from: the unpacked bytes of a file, block by block, with the line they stand on; and
 * the buffer in which they gather the text of a record that lies across blocks. Nothing here knows a format.
 */
#ifndef TARE_DATASETS_READERS_INPUT_H
#define TARE_DATASETS_READERS_INPUT_H

#include "packed.h"

/* Of the text of one record. */
#define TARE_RECORD_LIMIT_BYTES ((size_t)64 << 20)

/* Peek's end of the input; no error has this code. */
enum { TARE_INPUT_END = -1000 };

struct tare_input {
    const char *path;           /* borrowed; for messages */
    struct tare_packed *packed; /* NULL: there is nothing behind `left` */
    struct tare_bytes left;     /* of the block, not taken yet; whoever takes bytes moves this and `line` */
    unsigned long long line;    /* of left.data[0], from 1 */
    struct tare_bytes rest;     /* of the first block, behind the head */
    char head[3];
};

/* Opens the file and drops a byte order mark. path must live as long. tare_input_close, also after a failure.
 */
TARE_MUST_CHECK int tare_input_open(struct tare_input *input, const char *path, struct tare_err *err);
/* An input of bytes that are there already, the first of them on the given line. Needs no closing. */
struct tare_input tare_input_of(const char *path, unsigned long long line, struct tare_bytes bytes);
/* 1: left.n > 0; 0: the end. Bytes that were left before stay where they are only if there are any. */
TARE_MUST_CHECK int tare_input_fill(struct tare_input *input, struct tare_err *err);
/* The next byte, not taken: 0 .. 255; TARE_INPUT_END; else the code of an error. */
int tare_input_peek(struct tare_input *input, struct tare_err *err);
/* Takes the byte that was peeked at. */
void tare_input_take(struct tare_input *input);
void tare_input_close(struct tare_input *input);

/* An error of the content: "PATH: line LINE: ...". Returns TARE_E_FORMAT. */
TARE_PRINTF(4, 5)
int tare_input_fault(const struct tare_input *input, unsigned long long line, struct tare_err *err,
                     const char *fmt, ...);

/* Grows to the size of the largest record. Zero-initialise; free(data). */
struct tare_gather {
    char *data; /* ends in a NUL behind n once something was added or it was begun */
    size_t n, cap;
};

/* Empties it. */
TARE_MUST_CHECK int tare_gather_begin(struct tare_gather *gather, struct tare_err *err);
/* TARE_E_LIMIT above TARE_RECORD_LIMIT_BYTES. `line` is where the record began, for the message. */
TARE_MUST_CHECK int tare_gather_add(struct tare_gather *gather, const char *data, size_t n,
                                    const struct tare_input *input, unsigned long long line,
                                    struct tare_err *err);

#endif
