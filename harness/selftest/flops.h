/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loops of float32 arithmetic whose FLOPs and results are known in closed form, in three widths: what
 * counters and peaks are held against. The count of a call is exact; how fast it ran is peak_fma.h.
 */
#ifndef TARE_SELFTEST_FLOPS_H
#define TARE_SELFTEST_FLOPS_H

#include <stdbool.h>
#include <stdint.h>

enum tare_flops_width { TARE_FLOPS_SCALAR = 0, TARE_FLOPS_256, TARE_FLOPS_512, TARE_FLOPS_WIDTHS };
enum tare_flops_op { TARE_FLOPS_FMA = 0, TARE_FLOPS_ADD, TARE_FLOPS_MUL, TARE_FLOPS_OPS };

/* "scalar", "256 bit", "512 bit". */
const char *tare_flops_width_name(enum tare_flops_width width);
/* Has this processor (and this build) that width? Scalar is everywhere. */
bool tare_flops_has(enum tare_flops_width width);
/* float32 values that one instruction works on. */
unsigned tare_flops_lanes(enum tare_flops_width width);

/* Runs `rounds` of the loop on this thread and returns the sum of its accumulators. A width that is not there
 * is not run: NaN. */
double tare_flops_run(enum tare_flops_width width, enum tare_flops_op op, uint64_t rounds);
/* FLOPs of that call; a multiply-add is 2. */
double tare_flops_count(enum tare_flops_width width, enum tare_flops_op op, uint64_t rounds);
/* What that call returns if all of it was done: exact for 64 to 2^23 rounds. */
double tare_flops_expected(enum tare_flops_width width, enum tare_flops_op op, uint64_t rounds);

#endif
