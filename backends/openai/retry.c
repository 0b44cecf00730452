/* SPDX-License-Identifier: Apache-2.0 */
/* 408, 425, 429, 500, 502, 503, 504 and failures of the line may pass; nothing else does. */
#include "retry.h"

#include <stddef.h>

enum { max_doublings = 20 };

static bool status_may_pass(long status)
{
    return status == 408 || status == 425 || status == 429 || status == 500 || status == 502 ||
           status == 503 || status == 504;
}

int64_t retry_after(const struct retry_policy *policy, const struct retry_case *c, const char **out_why)
{
    const int64_t second_ns = 1000000000;
    *out_why = NULL;
    if (c->begun || !(c->line_failed || status_may_pass(c->status))) {
        return -1;
    }
    if (c->attempt >= policy->retries) {
        *out_why = policy->retries > 0 ? "the last retry" : NULL;
        return -1;
    }
    if (c->retry_after_s > policy->retry_after_ns / second_ns) {
        *out_why = "the server asks to wait longer than retry_after allows";
        return -1;
    }
    if (c->retry_after_s > 0) {
        return c->retry_after_s * second_ns;
    }
    int64_t wait_ns = policy->backoff_ns;
    for (int64_t i = 0; i < c->attempt && i < max_doublings && wait_ns < INT64_MAX / 4; i++) {
        wait_ns *= 2;
    }
    return wait_ns;
}
