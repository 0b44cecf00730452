/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the meters of cards share: the energy counter that a board keeps itself, watched over a window and for
 * how often it moves, and gauges that are looked at now and then. Which call reads them, in which unit they
 * are and what a code means is the meter's. Arithmetic only; no I/O, no allocation; one thread.
 */
#ifndef TARE_METRICS_BOARD_H
#define TARE_METRICS_BOARD_H

#include "counter.h"
#include "steps.h"

#include <stddef.h>

struct tare_board_counter {
    /* Set by the owner. */
    bool is_there;
    int code; /* 0, or the library's of a read that failed in the window, or of the one that found none */
    struct tare_counter counter; /* max_rate: no board draws more than 10 kW */
    /* Kept here. */
    struct tare_steps steps;
    int64_t begin_ns, end_ns, begin_half_ns, end_half_ns; /* middle and half of the reads at the edges */
    double begin_total, end_total;                        /* counts */
    int64_t begin_lost, begin_moves;
};

/* A read that took from before_ns to after_ns; raw is not looked at where code is not 0. */
void tare_board_take(struct tare_board_counter *c, int code, uint64_t raw, int64_t before_ns,
                     int64_t after_ns, bool is_close);
/* The last read was that of the window's begin, and of its end. */
void tare_board_begin(struct tare_board_counter *c);
void tare_board_end(struct tare_board_counter *c);
/* There is none, or its moves have been seen often enough to know how often they come. */
bool tare_board_is_watched(const struct tare_board_counter *c);
double tare_board_seconds(const struct tare_board_counter *c);
/* Why the window has no energy though every read worked: false, and nothing written, if it has. */
bool tare_board_why(const struct tare_board_counter *c, char *why, size_t n_why);
/* J: edges late by a period each, and the time that the reads there took, at the power that flowed then. NaN
 * if the period is not known. */
double tare_board_u(const struct tare_board_counter *c, double edge_w);

/* Looks of one window. Zero it before. */
struct tare_gauge {
    double first, last, least, most, sum;
    int64_t n, n_failed;
    int code; /* of the last failure */
};

void tare_gauge_take(struct tare_gauge *g, int code, double value);

#endif
