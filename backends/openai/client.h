/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP by libcurl on one event loop: many transfers at once, connections kept, time limits of our own. It
 * knows bytes and times, not what they mean. The only file that sees libcurl.
 *
 * The time of a read is when the kernel got its first byte (SO_TIMESTAMPNS, software), so that neither waking
 * up nor the other streams are in it; where the kernel does not say, when the loop woke up. It is the same
 * for everything that is then found in that socket.
 */
#ifndef OPENAI_CLIENT_H
#define OPENAI_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tare/err.h>

struct client;
struct transfer;

/* How a transfer ended. */
struct client_end {
    bool answered;         /* the whole answer came; status says how the server means it */
    bool stopped;          /* `bytes` wanted no more */
    bool again;            /* a failure of the line that may pass */
    long status;           /* HTTP; 0: none came */
    int64_t retry_after_s; /* what the server asked for; 0: nothing */
    const char *why;       /* if not answered; valid during the call */
};

/* Embedded in what it is about; zeroed by its owner once. */
struct transfer {
    void *easy;
    struct transfer *next, *before;
    /* Bytes of an answer of status 200, or of another one. Non-zero: no more. */
    int (*bytes)(struct transfer *t, long status, const char *bytes, size_t n);
    /* The transfer can be started again from within. */
    void (*end)(struct transfer *t, const struct client_end *end);
    const char *url, *body; /* body NULL: GET. Both live until the end */
    size_t n_body;
    struct client *client;
    int64_t began_ns, heard_ns;
    bool heard, stopped, active;
    long status;
    const char *expired;
    char *error; /* libcurl's text */
};

struct client_setup {
    const char *key_header; /* borrowed for the client's life, never copied by us; NULL: none */
    const char *ca_file, *proxy;
    int http; /* HTTP_... of options.h */
    int64_t connect_ns, first_byte_ns, stall_ns;
};

/* Counted since it was opened. */
struct client_counts {
    int64_t connections;
    int64_t reads;                      /* wake-ups that brought bytes */
    int64_t kernel_stamps;              /* of these and of other wake-ups: whose time is the kernel's */
    int64_t sent_bytes, received_bytes; /* bodies, without headers, framing and TLS */
    int64_t round_max_ns;               /* longest time from a wake-up until all of it was handled */
};

int64_t client_clock_ns(void);
extern const char client_version[]; /* of libcurl, as it was built against */
TARE_MUST_CHECK int client_open(struct client **out, const struct client_setup *setup, struct tare_err *err);
/* Ends what is in flight without telling anybody. */
void client_close(struct client *client);
TARE_MUST_CHECK int client_start(struct client *client, struct transfer *t, struct tare_err *err);
/* Waits until something happens or until_ns has come, and handles it. */
TARE_MUST_CHECK int client_round(struct client *client, int64_t until_ns, struct tare_err *err);
/* Gives a transfer up; `end` is not called. */
void client_drop(struct client *client, struct transfer *t);
void client_forget(struct transfer *t); /* frees what the transfer holds */

/* Inside `bytes`: when they came, and a number that all bytes of one wake-up of one socket share. */
int64_t client_read_ns(const struct client *client);
uint64_t client_read_id(const struct client *client);
const struct client_counts *client_counted(const struct client *client);

#endif
