/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All draws of LAMBADA's bootstrap: 100,000 of 5153 items, as lm-eval makes them unless told otherwise. Says
 * how long they take, and fails if the standard error is not the one that lm-eval's formula gives with
 * Python's generator.
 */
#include "stats/lm_eval.h"

#include <tare/python_random.h>

#include <math.h>
#include <stdio.h>
#include <time.h>

enum { ITEMS = 5153 };

static double seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int main(void)
{
    static const double expected = 0.006599206476736944;
    static double values[ITEMS];
    struct tare_python_random random;
    tare_python_random_init(&random, 42);
    for (int i = 0; i < ITEMS;
         i++) { /* each item is asked for twice, see tests/stats/test_lm_eval_bootstrap.c */
        values[i] = -tare_python_random_unit(&random);
        (void)tare_python_random_unit(&random);
    }
    struct tare_lm_eval_value got;
    struct tare_err err = {0};
    double begin = seconds();
    int r = tare_lm_eval_stderr(TARE_LM_EVAL_PERPLEXITY, values, ITEMS, TARE_LM_EVAL_DRAWS, &got, &err);
    double took = seconds() - begin;
    if (r < 0 || !got.ok) {
        (void)fprintf(stderr, "no standard error: %s\n", r < 0 ? err.msg : got.method);
        return 1;
    }
    (void)printf("%zu draws of %d items: %.17g in %.3f s, %.2f ns a number\n", got.draws, ITEMS, got.value,
                 took, 1e9 * took / ((double)got.draws * ITEMS));
    return fabs(got.value - expected) > 1e-12;
}
