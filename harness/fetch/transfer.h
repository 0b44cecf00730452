/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP(S) request for a file or for the rest of one, by libcurl. What comes is checked against what must
 * come while it comes; where it goes is the caller's. TLS is always verified, redirects obey tare_url_follow,
 * the proxy is the environment's (http_proxy, https_proxy, all_proxy, no_proxy).
 *
 * The only place of tare that goes online, beside the backend openai. libcurl is loaded when it is first
 * needed: its thirty libraries would cost every start of tare more than all else. Not thread-safe.
 */
#ifndef TARE_FETCH_TRANSFER_H
#define TARE_FETCH_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tare/err.h>

struct tare_transfer {
    const char *url;
    int64_t total_bytes;   /* of the whole file */
    int64_t from_byte;     /* 0: all of it */
    const char *validator; /* of the bytes before from_byte */
    const char *ca_file;   /* NULL: the system's */
    int64_t connect_ns;    /* limit for a connection */
    int64_t stall_ns;      /* limit for a line that brings under 100 bytes a second; at least one second */
    void *ctx;
    /* The head is good; bytes follow, the first of which belongs at `at_byte`: from_byte, or 0. */
    int (*begin)(void *ctx, int64_t at_byte, const char *validator, struct tare_err *err);
    /* Never more than total_bytes. */
    int (*bytes)(void *ctx, const char *data, size_t n, struct tare_err *err);
    /* About once a second and with the bytes: true gives up (TARE_E_INTERRUPTED). */
    bool (*stop)(void *ctx);
};

/* After a failure: what of the bytes that are there? */
enum tare_transfer_left {
    TARE_LEFT_AS_WAS,    /* nothing was said of them: the server refuses, or is not the one that was meant */
    TARE_LEFT_GOOD,      /* the line broke, the rest may be asked for */
    TARE_LEFT_WORTHLESS, /* what the server has is something else */
};

/* 0: the answer came to its end. TARE_E_ENVIRONMENT: the server or the line is at fault. TARE_E_UNSUPPORTED:
 * there is no libcurl. Others: of the callbacks. */
TARE_MUST_CHECK int tare_transfer_run(const struct tare_transfer *transfer, enum tare_transfer_left *out_left,
                                      struct tare_err *err);

#endif
