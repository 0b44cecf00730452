/* SPDX-License-Identifier: Apache-2.0 */
/* One cell in a worker of its own, as `tare run` does it, with its samples kept in memory instead of a file.
 */
#ifndef TARE_SELFTEST_CELL_H
#define TARE_SELFTEST_CELL_H

#include "core/outside.h"
#include "core/paths.h"

struct tare_known_cell {
    size_t n;                            /* samples */
    double *latency_ns;                  /* of each, in item order */
    int64_t prefill_flops, decode_flops; /* sums; TARE_ABSENT if any is unknown */
    int64_t measure_ns;                  /* length of the measure phase */
    size_t cap;
};

/* Runs the first cell of a plan (JSON text). A worker that does not end well is TARE_E_BACKEND with its
 * message, one that says it cannot TARE_E_UNSUPPORTED. Free with tare_known_cell_fini, also after a
 * failure. outside NULL: no meters outside. */
TARE_MUST_CHECK int tare_known_cell_run(const struct tare_paths *paths, const char *plan,
                                        struct tare_outside *outside, struct tare_known_cell *out,
                                        struct tare_err *err);
void tare_known_cell_fini(struct tare_known_cell *cell);
/* Median latency in ns; sorts. NaN without samples. */
double tare_known_cell_median(struct tare_known_cell *cell);

#endif
