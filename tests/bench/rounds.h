/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times of several things, measured in turn: each round does every one once, so that a change of clock rate
 * or a neighbour hits all of them. Figures are medians over the rounds, in nanoseconds.
 */
#ifndef TARE_BENCH_ROUNDS_H
#define TARE_BENCH_ROUNDS_H

#include <stdint.h>

enum { rounds_things_max = 32 };

struct thing {
    const char *name;
    void (*prepare)(void *ctx); /* untimed, before each run; NULL: nothing */
    void (*run)(void *ctx);
    void *ctx;
    double units;     /* the time of a run is divided by this: steps, passes */
    double *ns;       /* owned, one a round */
    double ns_median; /* after rounds_finish */
};

struct rounds {
    struct thing things[rounds_things_max];
    uint32_t n_things;
    uint32_t n_rounds;
    uint32_t n_interrupted; /* of n_things * n_rounds times: those that had to be taken although another
                               process cut in */
};

/* Returns its number, by which the median is asked for. */
uint32_t rounds_add(struct rounds *rounds, struct thing thing);
/* Runs all of them that often, after two rounds that do not count. */
void rounds_run(struct rounds *rounds, uint32_t n_rounds);
double rounds_ns(const struct rounds *rounds, uint32_t thing);
void rounds_close(struct rounds *rounds);

/* How much of the machine others had. */
struct noise {
    int64_t begin_ns;
    int64_t busy_ns;   /* of all processors, by everybody */
    int64_t steal_ns;  /* taken away from this virtual machine */
    int64_t own_ns;    /* of this process */
    int64_t waited_ns; /* of the main thread, ready but not running */
};

struct noise_share {
    double foreign; /* of one processor: 0.5 is half of one, used by other processes */
    double steal;
    double waited; /* of the time: 0.1 is a tenth */
};

struct noise noise_now(void);
struct noise_share noise_since(const struct noise *begin);

#endif
