/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines and blobs over a pair of pipes, and what the program on the other side prints meanwhile.
 *
 * Everything has a limit and a deadline: what comes is not trusted. Knows no message and no process.
 */
#ifndef TARE_PROCESS_WIRE_H
#define TARE_PROCESS_WIRE_H

#include <stdint.h>
#include <tare/err.h>

#define TARE_WIRE_LINE_MAX ((size_t)1 << 20) /* bytes of a line with its end */
#define TARE_WIRE_BLOB_MAX ((size_t)1 << 30)

enum { TARE_WIRE_TAIL = 2048 };

/* Why a call failed. */
enum tare_wire_fault {
    TARE_WIRE_NONE = 0,
    TARE_WIRE_CLOSED,  /* the other side has closed its end */
    TARE_WIRE_TIMEOUT, /* nothing came, or nothing was taken, until the deadline */
    TARE_WIRE_GARBAGE, /* over-long */
    TARE_WIRE_MEMORY,
    TARE_WIRE_SYSTEM
};

struct tare_wire {
    int read_fd; /* the three ends here; not blocking, -1: closed */
    int write_fd;
    int print_fd;               /* the program's standard output and error */
    int log_fd;                 /* where these are copied to; -1: nowhere */
    enum tare_wire_fault fault; /* of the latest failure */
    char *line;                 /* TARE_WIRE_LINE_MAX bytes; begin .. end are unread */
    size_t begin, end;
    unsigned char *blob; /* the latest blob */
    size_t cap_blob;
    char tail[TARE_WIRE_TAIL]; /* the last bytes printed, n_tail of them */
    size_t n_tail;
};

/* No descriptors yet; they are the caller's to set and then the wire's to close. */
TARE_MUST_CHECK int tare_wire_init(struct tare_wire *wire, struct tare_err *err);
void tare_wire_fini(struct tare_wire *wire);

/* Deadlines are stamps of CLOCK_MONOTONIC. */
int64_t tare_wire_now_ns(void);
TARE_MUST_CHECK int tare_wire_send(struct tare_wire *wire, const void *data, size_t n, int64_t deadline_ns,
                                   struct tare_err *err);
/* The next line without its end, not terminated; it lives until the next call. */
TARE_MUST_CHECK int tare_wire_line(struct tare_wire *wire, const char **out, size_t *n, int64_t deadline_ns,
                                   struct tare_err *err);
/* The next n bytes, in wire->blob. */
TARE_MUST_CHECK int tare_wire_blob(struct tare_wire *wire, size_t n, int64_t deadline_ns,
                                   struct tare_err *err);
/* Takes what has been printed and does not wait. */
void tare_wire_drain(struct tare_wire *wire);
/* The last line with something on it, in plain ASCII; "" if nothing was printed. */
void tare_wire_last_line(const struct tare_wire *wire, char *out, size_t n);

#endif
