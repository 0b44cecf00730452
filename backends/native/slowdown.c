/* SPDX-License-Identifier: Apache-2.0 */
/* A sink before a sink; see slowdown.h for what it is for. */
#include "slowdown.h"

#include <time.h>

static int64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void tare_slow_spin(struct tare_slow_sink *slow)
{
    int64_t begin_ns = now_ns();
    int64_t until_ns = begin_ns + (int64_t)(slow->share * (double)(begin_ns - slow->since_ns));
    int64_t at_ns = begin_ns;
    while (at_ns < until_ns) {
        at_ns = now_ns();
    }
    slow->since_ns = at_ns;
}

static void pass_logits(struct tare_sink *sink, uint64_t id, uint32_t position, const float *row)
{
    struct tare_slow_sink *slow = (struct tare_slow_sink *)sink;
    slow->behind->logits(slow->behind, id, position, row);
}

static int pass_token(struct tare_sink *sink, uint64_t id, int32_t token, const char *bytes, uint32_t n_bytes)
{
    struct tare_slow_sink *slow = (struct tare_slow_sink *)sink;
    tare_slow_spin(slow);
    return slow->behind->token(slow->behind, id, token, bytes, n_bytes);
}

void tare_slow_begin(struct tare_slow_sink *slow, struct tare_sink *behind, double share)
{
    *slow = (struct tare_slow_sink){
        .sink = {.size = sizeof slow->sink, .logits = pass_logits, .token = pass_token},
        .behind = behind,
        .share = share,
        .since_ns = now_ns()};
}
