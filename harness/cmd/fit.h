/* SPDX-License-Identifier: Apache-2.0 */
/* What `tare fit` has found, step by step, and how it is printed. */
#ifndef TARE_CMD_FIT_H
#define TARE_CMD_FIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tare/err.h>

enum tare_fit_by { TARE_FIT_RLIMIT, TARE_FIT_CGROUP };

/* One limit tried: a run of the database. */
struct tare_fit_step {
    int64_t run_id;
    int64_t limit_bytes; /* 0: none */
    char outcome[16];    /* that of the first repeat that did not end well, or "ok" */
    char message[200];   /* of that repeat; "" for none */
    double throughput;   /* request/s, median of the repeats; NaN: none */
    double low, high;    /* its interval; NaN: none */
    bool keeps;
};

enum { TARE_FIT_MAX_STEPS = 80 };

struct tare_fit {
    enum tare_fit_by by;
    double keep;       /* share of the unlimited throughput */
    double resolution; /* relative width of the bracket */
    size_t n_steps;    /* the first one is without a limit */
    struct tare_fit_step steps[TARE_FIT_MAX_STEPS];
    int64_t fails_at_bytes; /* largest limit tried that does not do; 0: every one did */
    int64_t works_at_bytes; /* smallest that does */
    bool unsure;            /* the unlimited repeats scatter by more than what may be lost */
};

TARE_MUST_CHECK int tare_fit_print(const struct tare_fit *fit, const char *db, bool json,
                                   struct tare_err *err);

#endif
