/* SPDX-License-Identifier: Apache-2.0 */
/* Median, slowest, fastest. */
#include "selftest/peak.h"

#include <stdlib.h>

static int by_length(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* A clock that did not move gives the shortest time that it could have. */
static double rate(double amount, int64_t ns)
{
    return amount * 1e9 / (double)(ns > 0 ? ns : 1);
}

void tare_peak_set(struct tare_peak *p, int64_t *durations_ns, unsigned n)
{
    qsort(durations_ns, n, sizeof *durations_ns, by_length);
    p->repeats = n;
    p->shortest_ns = durations_ns[0];
    p->high = rate(p->amount, durations_ns[0]);
    p->low = rate(p->amount, durations_ns[n - 1]);
    p->value = (rate(p->amount, durations_ns[(n - 1) / 2]) + rate(p->amount, durations_ns[n / 2])) / 2;
}
