/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte buffer with a limit.
 *
 * All data whose size is not known beforehand grows through this. A refused allocation or a passed
 * limit makes the buffer fail: later appends do nothing, and the one check at the end (tare_buf_check)
 * reports it. The content is always NUL-terminated behind `used`. Not thread-safe.
 */
#ifndef TARE_BASE_BUF_H
#define TARE_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <tare/err.h>

struct tare_buf {
    char *data; /* NULL until the first append */
    size_t used;
    size_t cap;
    size_t limit; /* largest `used` */
    int failed;   /* 0, or the error code */
};

void tare_buf_init(struct tare_buf *buf, size_t limit);
void tare_buf_fini(struct tare_buf *buf);
void tare_buf_clear(struct tare_buf *buf); /* keeps the memory */
void tare_buf_add(struct tare_buf *buf, const void *data, size_t n);
void tare_buf_add_str(struct tare_buf *buf, const char *text);
TARE_PRINTF(2, 3) void tare_buf_printf(struct tare_buf *buf, const char *fmt, ...);
/* Drops the first n bytes. */
void tare_buf_drop(struct tare_buf *buf, size_t n);
/* The text, "" when empty. Borrowed. */
const char *tare_buf_str(const struct tare_buf *buf);
/* 0, or the failure with a message that names `what`. */
TARE_MUST_CHECK int tare_buf_check(const struct tare_buf *buf, const char *what, struct tare_err *err);
/* Gives the memory away: free() it. Never NULL unless the buffer failed. */
char *tare_buf_take(struct tare_buf *buf);
/* Appends a whole file of at most buf->limit bytes. */
TARE_MUST_CHECK int tare_buf_read_file(struct tare_buf *buf, const char *path, struct tare_err *err);

#endif
