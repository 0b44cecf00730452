/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a request is sent again, and when. Pure. */
#ifndef OPENAI_RETRY_H
#define OPENAI_RETRY_H

#include <stdbool.h>
#include <stdint.h>

struct retry_policy {
    int64_t retries;
    int64_t backoff_ns;
    int64_t retry_after_ns; /* longest that is waited for */
};

struct retry_case {
    int64_t attempt;       /* 0: it was sent once */
    bool begun;            /* a part of the answer was taken: never again */
    bool line_failed;      /* of a kind that may pass */
    long status;           /* 0: no answer */
    int64_t retry_after_s; /* 0: none named */
};

/* Nanoseconds to wait, or -1 to give up; *out_why then says why if it is a rule of ours, else NULL. */
int64_t retry_after(const struct retry_policy *policy, const struct retry_case *c, const char **out_why);

#endif
