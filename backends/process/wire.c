/* SPDX-License-Identifier: Apache-2.0 */
/* poll(2) around read and write; a program that prints while it is waited for is never blocked by it. */
#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A line is read in small pieces, so that a blob behind it goes straight to where it is kept. */
enum { read_bytes = 4096, print_bytes = 4096, prints_at_once = 64 };

#define BLOB_STEP ((size_t)16 << 20) /* memory is taken as bytes come, not as they are announced */

int64_t tare_wire_now_ns(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int tare_wire_init(struct tare_wire *wire, struct tare_err *err)
{
    memset(wire, 0, sizeof *wire);
    wire->read_fd = wire->write_fd = wire->print_fd = wire->log_fd = -1;
    wire->line = malloc(TARE_WIRE_LINE_MAX);
    return wire->line ? 0 : tare_err_set(err, TARE_E_NOMEM, "out of memory for messages");
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}

void tare_wire_fini(struct tare_wire *wire)
{
    close_fd(&wire->read_fd);
    close_fd(&wire->write_fd);
    close_fd(&wire->print_fd);
    close_fd(&wire->log_fd);
    free(wire->line);
    free(wire->blob);
    wire->line = NULL;
    wire->blob = NULL;
    wire->cap_blob = wire->begin = wire->end = 0;
}

static int fail(struct tare_wire *wire, enum tare_wire_fault fault, struct tare_err *err)
{
    static const char *const texts[] = {"",
                                        "it closed its pipe",
                                        "nothing came in time",
                                        "it sent a line or a blob that is too long",
                                        "out of memory",
                                        "the pipe failed"};
    wire->fault = fault;
    return tare_err_set(err, fault == TARE_WIRE_MEMORY ? TARE_E_NOMEM : TARE_E_BACKEND, "%s", texts[fault]);
}

static void keep_tail(struct tare_wire *wire, const char *data, size_t n)
{
    size_t kept = wire->n_tail < TARE_WIRE_TAIL - n ? wire->n_tail : TARE_WIRE_TAIL - n;
    memmove(wire->tail, wire->tail + wire->n_tail - kept, kept);
    memcpy(wire->tail + kept, data, n);
    wire->n_tail = kept + n;
}

void tare_wire_drain(struct tare_wire *wire)
{
    char chunk[print_bytes];
    for (int i = 0; i < prints_at_once && wire->print_fd >= 0; i++) {
        ssize_t n = read(wire->print_fd, chunk, sizeof chunk);
        if (n == 0) {
            close_fd(&wire->print_fd);
        }
        if (n <= 0) {
            return;
        }
        if (wire->log_fd >= 0 && write(wire->log_fd, chunk, (size_t)n) < 0) {
            close_fd(&wire->log_fd); /* a full disk must not end a measurement */
        }
        size_t last = (size_t)n < TARE_WIRE_TAIL ? (size_t)n : TARE_WIRE_TAIL;
        keep_tail(wire, chunk + (size_t)n - last, last);
    }
}

/* Waits until fd is ready for `events`. */
static int await(struct tare_wire *wire, int fd, short events, int64_t deadline_ns, struct tare_err *err)
{
    for (;;) {
        int64_t left_ns = deadline_ns - tare_wire_now_ns();
        if (left_ns <= 0) {
            return fail(wire, TARE_WIRE_TIMEOUT, err);
        }
        struct pollfd fds[] = {{.fd = fd, .events = events}, {.fd = wire->print_fd, .events = POLLIN}};
        const struct timespec timeout = {.tv_sec = left_ns / 1000000000, .tv_nsec = left_ns % 1000000000};
        int r = ppoll(fds, 2, &timeout, NULL);
        if (r < 0 && errno != EINTR) {
            return fail(wire, TARE_WIRE_SYSTEM, err);
        }
        if (r > 0 && fds[1].revents) {
            tare_wire_drain(wire);
        }
        if (r > 0 && fds[0].revents) {
            return 0;
        }
    }
}

int tare_wire_send(struct tare_wire *wire, const void *data, size_t n, int64_t deadline_ns,
                   struct tare_err *err)
{
    const char *from = data;
    while (n > 0) {
        ssize_t done = write(wire->write_fd, from, n);
        if (done < 0 && errno == EAGAIN) {
            int r = await(wire, wire->write_fd, POLLOUT, deadline_ns, err);
            if (r < 0) {
                return r;
            }
        } else if (done < 0 && errno != EINTR) {
            return fail(wire, errno == EPIPE ? TARE_WIRE_CLOSED : TARE_WIRE_SYSTEM, err);
        }
        from += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
    return 0;
}

/* At least one byte and at most n. */
static int receive(struct tare_wire *wire, void *to, size_t n, size_t *got, int64_t deadline_ns,
                   struct tare_err *err)
{
    for (;;) {
        ssize_t done = read(wire->read_fd, to, n);
        if (done > 0) {
            *got = (size_t)done;
            return 0;
        }
        if (done == 0) {
            return fail(wire, TARE_WIRE_CLOSED, err);
        }
        if (errno != EAGAIN && errno != EINTR) {
            return fail(wire, TARE_WIRE_SYSTEM, err);
        }
        int r = await(wire, wire->read_fd, POLLIN, deadline_ns, err);
        if (r < 0) {
            return r;
        }
    }
}

/* Room behind the unread bytes, or a line that is too long. */
static int make_room(struct tare_wire *wire, struct tare_err *err)
{
    if (wire->begin == wire->end) {
        wire->begin = wire->end = 0;
    }
    if (wire->end == TARE_WIRE_LINE_MAX && wire->begin > 0) {
        memmove(wire->line, wire->line + wire->begin, wire->end - wire->begin);
        wire->end -= wire->begin;
        wire->begin = 0;
    }
    return wire->end < TARE_WIRE_LINE_MAX ? 0 : fail(wire, TARE_WIRE_GARBAGE, err);
}

int tare_wire_line(struct tare_wire *wire, const char **out, size_t *n, int64_t deadline_ns,
                   struct tare_err *err)
{
    size_t seen = 0; /* unread bytes without a line's end among them */
    for (;;) {
        char *from = wire->line + wire->begin;
        size_t unread = wire->end - wire->begin;
        char *end = memchr(from + seen, '\n', unread - seen);
        if (end) {
            *out = from;
            *n = (size_t)(end - from);
            wire->begin += *n + 1;
            return 0;
        }
        seen = unread;
        size_t got = 0;
        int r = make_room(wire, err);
        size_t room = TARE_WIRE_LINE_MAX - wire->end;
        r = r < 0 ? r
                  : receive(wire, wire->line + wire->end, room < read_bytes ? room : read_bytes, &got,
                            deadline_ns, err);
        if (r < 0) {
            return r;
        }
        wire->end += got;
    }
}

/* Grown by half and by the step at least, up to what is needed. */
static bool grow(struct tare_wire *wire, size_t have, size_t need)
{
    if (have < wire->cap_blob) {
        return true;
    }
    size_t cap = wire->cap_blob + wire->cap_blob / 2 + BLOB_STEP;
    cap = cap < need ? cap : need;
    unsigned char *more = realloc(wire->blob, cap);
    if (!more) {
        return false;
    }
    wire->blob = more;
    wire->cap_blob = cap;
    return true;
}

int tare_wire_blob(struct tare_wire *wire, size_t n, int64_t deadline_ns, struct tare_err *err)
{
    if (n > TARE_WIRE_BLOB_MAX) {
        return fail(wire, TARE_WIRE_GARBAGE, err);
    }
    size_t have = 0;
    while (have < n) {
        if (!grow(wire, have, n)) {
            return fail(wire, TARE_WIRE_MEMORY, err);
        }
        size_t unread = wire->end - wire->begin;
        size_t room = n < wire->cap_blob ? n - have : wire->cap_blob - have;
        size_t got = unread < room ? unread : room;
        if (got > 0) {
            memcpy(wire->blob + have, wire->line + wire->begin, got);
            wire->begin += got;
        } else {
            int r = receive(wire, wire->blob + have, room, &got, deadline_ns, err);
            if (r < 0) {
                return r;
            }
        }
        have += got;
    }
    return 0;
}

void tare_wire_last_line(const struct tare_wire *wire, char *out, size_t n)
{
    size_t end = wire->n_tail;
    while (end > 0 && (unsigned char)wire->tail[end - 1] <= ' ') {
        end--;
    }
    size_t begin = end;
    while (begin > 0 && wire->tail[begin - 1] != '\n') {
        begin--;
    }
    size_t length = end - begin < n - 1 ? end - begin : n - 1;
    for (size_t i = 0; i < length; i++) {
        char c = wire->tail[begin + i];
        out[i] = c >= ' ' && c <= '~' ? c : '?';
    }
    out[length] = '\0';
}
