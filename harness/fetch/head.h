/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the head of an HTTP answer says about the bytes that follow: how many, from where, and by what they
 * are known again. Parsing alone, without the network.
 */
#ifndef TARE_FETCH_HEAD_H
#define TARE_FETCH_HEAD_H

#include <stddef.h>
#include <stdint.h>
#include <tare/err.h>

enum { TARE_VALIDATOR_MAX = 256, TARE_HEAD_BYTES_MAX = 1 << 16 };

struct tare_head {
    int64_t length;                    /* Content-Length; -1: not said */
    int64_t first, total;              /* Content-Range: first byte, size of the whole; -1: not said */
    int64_t bytes;                     /* of all head lines so far, over all answers of a transfer */
    char etag[TARE_VALIDATOR_MAX];     /* a strong one, with its quotes; "": none */
    char modified[TARE_VALIDATOR_MAX]; /* Last-Modified; "": none */
};

/* Before each answer; keeps the count of bytes. Zeroed memory before the first. */
void tare_head_begin(struct tare_head *head);
/* One line, with or without its end. Only a head of more than TARE_HEAD_BYTES_MAX is an error. */
TARE_MUST_CHECK int tare_head_line(struct tare_head *head, const char *line, size_t n, struct tare_err *err);
/* What If-Range takes: the ETag, else the date, else "". */
const char *tare_head_validator(const struct tare_head *head);
/*
 * Does an answer of this status bring what was asked: the rest from byte `from` of a whole of `total` bytes?
 * *out_at is where its first byte belongs: `from`, or 0 if the server sends the whole. Anything else is an
 * error.
 */
TARE_MUST_CHECK int tare_head_judge(const struct tare_head *head, long status, int64_t from, int64_t total,
                                    int64_t *out_at, struct tare_err *err);

#endif
