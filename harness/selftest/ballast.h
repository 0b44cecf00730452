/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Known memory: a child process maps k pages, touches them with some threads and frees them before it
 * ends, and reads its own resident memory as the memory meter does: a plain read into memory that was
 * touched before, with the peak reset first. Call it while the process has one thread.
 */
#ifndef TARE_SELFTEST_BALLAST_H
#define TARE_SELFTEST_BALLAST_H

#include <stddef.h>
#include <stdint.h>
#include <tare/err.h>

enum { TARE_KNOWN_BALLAST_CASES = 18 }; /* 1, 16, 100 threads x 1 .. 100,000 pages */

struct tare_known_ballast_case {
    int64_t threads;
    int64_t pages;
    int64_t held_pages;      /* growth of RssAnon while they were held */
    int64_t peak_held_pages; /* growth of VmHWM, read while they were held */
    int64_t peak_pages;      /* growth of VmHWM, read after they were freed */
    /* How far each may be off: the kernel's bound at both edges, and one page. */
    double held_bound_pages;
    double peak_bound_pages;
};

struct tare_known_ballast {
    size_t n;
    struct tare_known_ballast_case cases[TARE_KNOWN_BALLAST_CASES];
};

/* TARE_E_ENVIRONMENT where the peak cannot be reset or read. Takes up to 400 MB for a moment. */
TARE_MUST_CHECK int tare_known_ballast(struct tare_known_ballast *out, struct tare_err *err);
/* One case. */
TARE_MUST_CHECK int tare_known_ballast_one(int64_t threads, int64_t pages,
                                           struct tare_known_ballast_case *out, struct tare_err *err);

#endif
