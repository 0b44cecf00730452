/* SPDX-License-Identifier: Apache-2.0 */
/* Taking turns, medians, and what /proc says of the neighbours. */
#include "rounds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static int64_t clock_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

uint32_t rounds_add(struct rounds *rounds, struct thing thing)
{
    if (rounds->n_things == rounds_things_max) {
        fprintf(stderr, "more than %d things to measure\n", rounds_things_max);
        exit(2);
    }
    rounds->things[rounds->n_things] = thing;
    return rounds->n_things++;
}

/* Of all threads: how often the kernel took the processor away, because somebody else wanted it. */
static long times_interrupted(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_nivcsw : 0;
}

/* One that was not interrupted, if there is one among a few. */
static double time_one(struct rounds *rounds, const struct thing *t)
{
    enum { most_tries = 6 };
    double ns = 0;
    for (int try = 0; try < most_tries; try++) {
        if (t->prepare) {
            t->prepare(t->ctx);
        }
        long before = times_interrupted();
        int64_t begin = clock_ns(CLOCK_MONOTONIC);
        t->run(t->ctx);
        ns = (double)(clock_ns(CLOCK_MONOTONIC) - begin) / t->units;
        if (times_interrupted() == before) {
            return ns;
        }
    }
    rounds->n_interrupted++;
    return ns;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

void rounds_run(struct rounds *rounds, uint32_t n_rounds)
{
    enum { warm_up = 2 };
    rounds->n_rounds = n_rounds;
    rounds->n_interrupted = 0;
    for (uint32_t i = 0; i < rounds->n_things; i++) {
        rounds->things[i].ns = malloc(n_rounds * sizeof(double));
        if (!rounds->things[i].ns) {
            fprintf(stderr, "no memory for %u rounds\n", n_rounds);
            exit(2);
        }
    }
    for (uint32_t round = 0; round < n_rounds + warm_up; round++) {
        for (uint32_t i = 0; i < rounds->n_things; i++) {
            double ns = time_one(rounds, &rounds->things[i]);
            if (round >= warm_up) {
                rounds->things[i].ns[round - warm_up] = ns;
            }
        }
    }
    for (uint32_t i = 0; i < rounds->n_things; i++) {
        qsort(rounds->things[i].ns, n_rounds, sizeof(double), compare);
        rounds->things[i].ns_median = rounds->things[i].ns[n_rounds / 2];
    }
}

double rounds_ns(const struct rounds *rounds, uint32_t thing)
{
    return rounds->things[thing].ns_median;
}

void rounds_close(struct rounds *rounds)
{
    for (uint32_t i = 0; i < rounds->n_things; i++) {
        free(rounds->things[i].ns);
    }
    memset(rounds, 0, sizeof *rounds);
}

/* The line of all processors: user nice system idle iowait irq softirq steal, in ticks. User holds what
 * guests take. */
static void read_stat(struct noise *to)
{
    long long tick[8] = {0};
    FILE *f = fopen("/proc/stat", "r");
    int n = f ? fscanf(f, "cpu %lld %lld %lld %lld %lld %lld %lld %lld", &tick[0], &tick[1], &tick[2],
                       &tick[3], &tick[4], &tick[5], &tick[6], &tick[7])
              : 0;
    int64_t ns_per_tick = 1000000000 / sysconf(_SC_CLK_TCK);
    if (n == 8) {
        to->busy_ns = (tick[0] + tick[1] + tick[2] + tick[5] + tick[6]) * ns_per_tick;
        to->steal_ns = tick[7] * ns_per_tick;
    }
    if (f) {
        (void)fclose(f);
    }
}

static void read_schedstat(struct noise *to)
{
    long long ran = 0;
    long long waited = 0;
    FILE *f = fopen("/proc/thread-self/schedstat", "r");
    if (f && fscanf(f, "%lld %lld", &ran, &waited) == 2) {
        to->waited_ns = waited;
    }
    if (f) {
        (void)fclose(f);
    }
}

struct noise noise_now(void)
{
    struct noise now = {.begin_ns = clock_ns(CLOCK_MONOTONIC), .own_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID)};
    read_stat(&now);
    read_schedstat(&now);
    return now;
}

struct noise_share noise_since(const struct noise *begin)
{
    struct noise now = noise_now();
    double elapsed = (double)(now.begin_ns - begin->begin_ns);
    double foreign = (double)(now.busy_ns - begin->busy_ns - (now.own_ns - begin->own_ns));
    return (struct noise_share){
        .foreign = foreign > 0 ? foreign / elapsed : 0,
        .steal = (double)(now.steal_ns - begin->steal_ns) / elapsed,
        .waited = (double)(now.waited_ns - begin->waited_ns) / elapsed,
    };
}
