/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A counter of energy that wraps, steps and is reset: carried on from read to read.
 *
 * What it adds up is only worth something if at most one wrap can lie between two reads. The counter is
 * told how fast it can possibly run; a gap in which it could have gone round unseen is never guessed at:
 * what spans it is lost, and says so. Units are counts; the caller knows how many joules one is. Plain
 * arithmetic, no I/O, no allocation; one thread.
 */
#ifndef TARE_METRICS_COUNTER_H
#define TARE_METRICS_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

/* What a read has shown. */
enum tare_counter_event {
    TARE_COUNTER_FIRST = 0,
    TARE_COUNTER_STILL,   /* it has not moved */
    TARE_COUNTER_MOVED,   /* went up */
    TARE_COUNTER_WRAPPED, /* went round once */
    TARE_COUNTER_RESET,   /* went back by more than a wrap explains: begun again; the span is lost */
    TARE_COUNTER_LOST     /* the gap was so long that it may have gone round more often: the span is lost */
};

struct tare_counter {
    /* Set by the owner. */
    double modulus;  /* number of values it can have, in counts; 0: it does not wrap */
    double max_rate; /* most counts a second; 0: unknown, then no gap is too long and no step too large */
    /* Kept here. */
    bool begun;
    uint64_t last;    /* raw value */
    int64_t last_ns;  /* of the last read */
    int64_t moved_ns; /* of the last read that saw it move */
    double total;     /* counts since the first read, lost spans left out */
    int64_t n_wraps;  /* seen since the first read */
    int64_t n_lost;   /* spans lost since the first read: resets and long gaps */
    int64_t n_resets; /* of them, resets */
    int64_t n_moves;  /* reads that saw it move */
    double last_step; /* counts of the last move */
};

/* Takes the raw value as read at now_ns (CLOCK_MONOTONIC). */
enum tare_counter_event tare_counter_read(struct tare_counter *c, uint64_t raw, int64_t now_ns);

/*
 * Standard uncertainty of a difference of two reads of a counter that steps every period_s while rate
 * counts a second flow: each edge is late by a uniform 0 .. period_s, so rate * period_s / sqrt(6).
 */
double tare_counter_edge_u(double rate, double period_s);

#endif
