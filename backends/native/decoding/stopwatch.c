/* SPDX-License-Identifier: Apache-2.0 */
/* See stopwatch.h. */
#include "stopwatch.h"

#include "readings.h"

#include <stdlib.h>

void tare_stopwatch_begin(struct tare_stopwatch *watch)
{
    watch->begin_s = tare_seconds_now();
}

void tare_stopwatch_end(struct tare_stopwatch *watch)
{
    watch->s[watch->n++ % tare_stopwatch_cap] = (float)(tare_seconds_now() - watch->begin_s);
}

static int compare(const void *a, const void *b)
{
    float x = *(const float *)a;
    float y = *(const float *)b;
    return (x > y) - (x < y);
}

double tare_stopwatch_median(struct tare_stopwatch *watch)
{
    size_t n = watch->n < tare_stopwatch_cap ? (size_t)watch->n : tare_stopwatch_cap;
    if (n == 0) {
        return 0;
    }
    qsort(watch->s, n, sizeof watch->s[0], compare);
    return ((double)watch->s[(n - 1) / 2] + (double)watch->s[n / 2]) / 2;
}
