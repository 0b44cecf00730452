/* SPDX-License-Identifier: Apache-2.0 */
/* One value for several tasks, by lm-eval's rules; see stats/lm_eval.h. */
#include "stats/lm_eval.h"

#include <math.h>

static struct tare_lm_eval_value judge(double value, const char *method, const char *reason)
{
    return isfinite(value) ? (struct tare_lm_eval_value){.ok = true, .value = value, .method = method}
                           : (struct tare_lm_eval_value){.method = reason};
}

struct tare_lm_eval_value tare_lm_eval_group_mean(const double *values, const size_t *sizes, size_t n,
                                                  bool weight_by_size)
{
    double sum = 0, weights = 0;
    for (size_t i = 0; i < n; i++) {
        double weight = weight_by_size ? (double)sizes[i] : 1;
        sum += values[i] * weight;
        weights += weight;
    }
    return judge(weights > 0 ? sum / weights : (double)NAN,
                 weight_by_size ? "mean of the tasks, weighted by items" : "mean of the tasks",
                 "no items, or a task has no value");
}

struct tare_lm_eval_value tare_lm_eval_group_stderr(const double *stderrs, const size_t *sizes, size_t n)
{
    double items = 0, sum = 0;
    for (size_t i = 0; i < n; i++) {
        double size = (double)sizes[i];
        items += size;
        sum += (size - 1) * stderrs[i] * stderrs[i] * size;
    }
    double variance = items > (double)n ? sum / (items - (double)n) : (double)NAN;
    return judge(sqrt(variance / items), "pooled over tasks",
                 "a task has no standard error, or there are no more items than tasks");
}
