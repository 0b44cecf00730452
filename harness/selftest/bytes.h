/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Known traffic: n bytes through a pipe and through a TCP connection over loopback, counted by us at both
 * ends and, for TCP, by the kernel.
 */
#ifndef TARE_SELFTEST_BYTES_H
#define TARE_SELFTEST_BYTES_H

#include <stdint.h>
#include <tare/err.h>

struct tare_known_bytes {
    int64_t bytes;           /* that were sent */
    int64_t pipe_received;   /* our count; must be equal */
    int64_t tcp_received;    /* our count; must be equal */
    int64_t kernel_sent;     /* TCP_INFO, what was sent again left out; must be equal */
    int64_t kernel_received; /* TCP_INFO before the end of the stream; must be equal */
    int64_t kernel_fin;      /* and after it; must be 1 more */
};

TARE_MUST_CHECK int tare_known_bytes(int64_t bytes, struct tare_known_bytes *out, struct tare_err *err);

#endif
