/* SPDX-License-Identifier: Apache-2.0 */
/* The growing buffer: doubling, one sticky failure, one place where sizes are checked. */
#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void tare_buf_init(struct tare_buf *buf, size_t limit)
{
    memset(buf, 0, sizeof *buf);
    buf->limit = limit;
}

void tare_buf_fini(struct tare_buf *buf)
{
    free(buf->data);
    memset(buf, 0, sizeof *buf);
}

void tare_buf_clear(struct tare_buf *buf)
{
    buf->used = 0;
    buf->failed = 0;
    if (buf->data) {
        buf->data[0] = '\0';
    }
}

/* Room for n more bytes and the terminator. */
static bool grow(struct tare_buf *buf, size_t n)
{
    if (buf->failed) {
        return false;
    }
    if (n > buf->limit || buf->used > buf->limit - n) {
        buf->failed = TARE_E_LIMIT;
        return false;
    }
    size_t need = buf->used + n + 1;
    if (need <= buf->cap) {
        return true;
    }
    size_t cap = buf->cap < 64 ? 64 : buf->cap;
    while (cap < need) {
        cap *= 2;
    }
    char *data = realloc(buf->data, cap);
    if (!data) {
        buf->failed = TARE_E_NOMEM;
        return false;
    }
    buf->data = data;
    buf->cap = cap;
    return true;
}

void tare_buf_add(struct tare_buf *buf, const void *data, size_t n)
{
    if (!grow(buf, n)) {
        return;
    }
    if (n > 0) {
        memcpy(buf->data + buf->used, data, n);
    }
    buf->used += n;
    buf->data[buf->used] = '\0';
}

void tare_buf_add_str(struct tare_buf *buf, const char *text)
{
    tare_buf_add(buf, text, strlen(text));
}

void tare_buf_printf(struct tare_buf *buf, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n < 0 && !buf->failed) {
        buf->failed = TARE_E_LIMIT;
    }
    if (n >= 0 && grow(buf, (size_t)n)) {
        (void)vsnprintf(buf->data + buf->used, (size_t)n + 1, fmt, again);
        buf->used += (size_t)n;
    }
    va_end(again);
}

void tare_buf_drop(struct tare_buf *buf, size_t n)
{
    if (n > buf->used) {
        n = buf->used;
    }
    if (n > 0) {
        memmove(buf->data, buf->data + n, buf->used - n + 1);
        buf->used -= n;
    }
}

const char *tare_buf_str(const struct tare_buf *buf)
{
    return buf->data ? buf->data : "";
}

int tare_buf_check(const struct tare_buf *buf, const char *what, struct tare_err *err)
{
    switch (buf->failed) {
    case 0:
        return 0;
    case TARE_E_LIMIT:
        return tare_err_set(err, TARE_E_LIMIT, "%s: longer than the limit of %zu bytes", what, buf->limit);
    default:
        return tare_err_set(err, TARE_E_NOMEM, "%s: out of memory at %zu bytes", what, buf->used);
    }
}

char *tare_buf_take(struct tare_buf *buf)
{
    (void)grow(buf, 0);
    char *data = buf->data;
    if (data) {
        data[buf->used] = '\0';
    }
    buf->data = NULL;
    buf->used = buf->cap = 0;
    return data;
}

static int read_all(struct tare_buf *buf, int fd, const char *path, struct tare_err *err)
{
    char chunk[65536];
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN) {
            struct pollfd p = {.fd = fd, .events = POLLIN};
            (void)poll(&p, 1, -1);
            continue;
        }
        if (n < 0) {
            return tare_err_set(err, TARE_E_IO, "read %s: %s", path, strerror(errno));
        }
        if (n == 0) {
            return tare_buf_check(buf, path, err);
        }
        tare_buf_add(buf, chunk, (size_t)n);
        if (buf->failed) {
            return tare_buf_check(buf, path, err);
        }
    }
}

int tare_buf_read_file(struct tare_buf *buf, const char *path, struct tare_err *err)
{
    /* Not to wait for a writer that never comes: a named pipe without one is empty. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return tare_err_set(err, TARE_E_IO, "open %s: %s", path, strerror(errno));
    }
    struct stat st;
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        close(fd);
        return tare_err_set(err, TARE_E_IO, "%s: is a folder, not a file", path);
    }
    int r = read_all(buf, fd, path, err);
    close(fd);
    return r;
}
