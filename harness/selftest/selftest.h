/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ground truth for the harness itself: workloads whose cost is known, measured by the meters themselves where
 * they can be (selftest/instrument.h), else the way they do it.
 *
 * A check is one file, check_NAME.c, that defines tare_check_NAME and stands in this folder's meson.build.
 * It hands over lines: what was asked, what is true, what was read, how far apart they are and how far they
 * may be. The lines together are the calibration certificate. A check that cannot run here says why; only a
 * line whose error is beyond its target fails. An error of ours (no memory, no process) is an error.
 *
 * Checks run one after the other on the caller's thread, with nothing else in flight.
 */
#ifndef TARE_SELFTEST_H
#define TARE_SELFTEST_H

#include "core/paths.h"

#include <stdbool.h>
#include <stdint.h>

/* Quantities that later figures look up in the certificate. */
#define TARE_QUANTITY_PEAK_FLOPS "peak FLOP rate"
#define TARE_QUANTITY_PEAK_BYTES "peak bandwidth"
#define TARE_QUANTITY_OVERHEAD   "overhead"

struct tare_check_line {
    const char *quantity; /* "latency" */
    const char *workload; /* what was done, and how error and target are meant */
    const char *unit;     /* of truth and reading */
    double truth;
    double reading;
    double error; /* in error_unit; its absolute value counts */
    double target;
    const char *error_unit;
    const char *absent; /* why it cannot be checked here; then the numbers mean nothing. NULL */
    const char *note;   /* more about a number, or NULL */
    bool informative;   /* no target: a number that later figures need, such as a peak */
};

struct tare_check_sink {
    int (*add)(struct tare_check_sink *to, const struct tare_check_line *line, struct tare_err *err);
};

struct tare_check_context {
    const struct tare_paths *paths;
    uint64_t seed;
    struct tare_check_sink *to;
};

typedef int (*tare_check_fn)(const struct tare_check_context *c, struct tare_err *err);

struct tare_check {
    const char *name;
    tare_check_fn run;
};
/* Closed by an empty entry. */
extern const struct tare_check tare_checks[];

enum tare_check_outcome { TARE_CHECK_PASS = 1, TARE_CHECK_FAIL, TARE_CHECK_ABSENT, TARE_CHECK_INFO };
/* An error that is no number fails. */
enum tare_check_outcome tare_check_judge(const struct tare_check_line *line);
const char *tare_check_outcome_text(enum tare_check_outcome outcome);

/* A line whose error is reading - truth. */
TARE_MUST_CHECK int tare_check_add(const struct tare_check_context *c, const char *quantity,
                                   const char *workload, const char *unit, double truth, double reading,
                                   double target, struct tare_err *err);
/* The same with the error in percent of the truth. */
TARE_MUST_CHECK int tare_check_add_percent(const struct tare_check_context *c, const char *quantity,
                                           const char *workload, const char *unit, double truth,
                                           double reading, double target, struct tare_err *err);
TARE_MUST_CHECK int tare_check_add_absent(const struct tare_check_context *c, const char *quantity,
                                          const char *workload, const char *why, struct tare_err *err);

#endif
