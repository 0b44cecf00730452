/* SPDX-License-Identifier: Apache-2.0 */
/* TCP connections within this process, and what the kernel has counted for them. */
#ifndef TARE_SELFTEST_LOOPBACK_H
#define TARE_SELFTEST_LOOPBACK_H

#include <stddef.h>
#include <stdint.h>
#include <tare/err.h>

/* Both ends of a connection over 127.0.0.1; the caller closes them. */
TARE_MUST_CHECK int tare_loopback_pair(int ends[2], struct tare_err *err);

struct tare_loopback_count {
    int64_t sent; /* with what was sent again */
    int64_t again;
    int64_t received;
};
TARE_MUST_CHECK int tare_loopback_count(int fd, struct tare_loopback_count *out, struct tare_err *err);

/* Writes n bytes to one descriptor while it reads as many from another, so that a ring of such calls cannot
 * stand still. Either may be -1, for nothing. */
TARE_MUST_CHECK int tare_loopback_exchange(int to, const void *out, size_t n_out, int from, void *in,
                                           size_t n_in, struct tare_err *err);

#endif
