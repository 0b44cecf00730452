/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often a counter moves, found by watching it: closely for a short while at first, and from then on
 * whenever it is read anyway. Says nothing about how much of the time between two moves the counter's sensor
 * looked. Plain arithmetic, no I/O, no allocation; one thread.
 */
#ifndef TARE_METRICS_STEPS_H
#define TARE_METRICS_STEPS_H

#include <stdbool.h>
#include <stdint.h>

enum { tare_steps_max = 64 };

/* Zero it before use. */
struct tare_steps {
    int64_t n_close_reads;
    int64_t close_first_ns, close_last_ns; /* first and last close read */
    int32_t n_gaps;
    int64_t gap_ns[tare_steps_max]; /* between moves that were watched closely */
    int64_t close_move_ns;          /* last move that was watched closely; 0: none yet */
    int64_t n_wide_reads, n_wide_moves;
    int64_t wide_first_ns, wide_last_ns; /* first and last move seen in passing */
    double smallest;                     /* of all moves; 0: none yet */
};

enum tare_steps_kind {
    TARE_STEPS_UNKNOWN = 0, /* too few moves were seen */
    TARE_STEPS_FOUND,
    TARE_STEPS_AT_MOST /* it moved at every read: the period is that of the reads, or shorter */
};

/* Takes a read. step: by how much the counter moved, 0 if it stood; close reads follow one another at less
 * than a quarter of the period that is looked for. */
void tare_steps_note(struct tare_steps *s, double step, int64_t now_ns, bool is_close);
/* The period in s. */
enum tare_steps_kind tare_steps_period(const struct tare_steps *s, double *out_s);

#endif
