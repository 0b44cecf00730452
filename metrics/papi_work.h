/* SPDX-License-Identifier: Apache-2.0 */
/* Work whose instructions, branches, loads and FLOPs are known to the last one, to hold counters against. */
#ifndef TARE_METRICS_PAPI_WORK_H
#define TARE_METRICS_PAPI_WORK_H

#include <stdbool.h>
#include <stdint.h>

struct tare_papi_work {
    double instructions, branches, loads, flops_sp, flops_dp;
};

/* Does it, about 10 million rounds for n = 2 million, in every vector width that this processor has. Some 15
 * ms. False where the instructions are not known (other than x86-64); nothing is done then. */
bool tare_papi_work(uint64_t n, struct tare_papi_work *done);

#endif
