/* SPDX-License-Identifier: Apache-2.0 */
/* github-action-benchmark, tool customBiggerIsBetter. */
#include "benchmark_action.h"

static int write_bigger(const struct tare_gate_result *result, struct tare_buf *to, struct tare_err *err)
{
    return tare_gate_write_benchmark(result, 1, to, err);
}

const struct tare_gate_output tare_gate_output_bigger = {.name = "bigger",
                                                         .summary =
                                                             "github-action-benchmark, customBiggerIsBetter",
                                                         .media_type = "application/json",
                                                         .write = write_bigger};
