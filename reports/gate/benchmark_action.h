/* SPDX-License-Identifier: Apache-2.0 */
/* github-action-benchmark: [{name, unit, value, range, extra}], one file for values of which more is better
 * (customBiggerIsBetter) and one for the others (customSmallerIsBetter). */
#ifndef TARE_REPORTS_GATE_BENCHMARK_ACTION_H
#define TARE_REPORTS_GATE_BENCHMARK_ACTION_H

#include "result.h"

/* direction: +1 or -1. Lines without one are in neither file. */
TARE_MUST_CHECK int tare_gate_write_benchmark(const struct tare_gate_result *result, int direction,
                                              struct tare_buf *to, struct tare_err *err);

#endif
