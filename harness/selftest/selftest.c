/* SPDX-License-Identifier: Apache-2.0 */
/* The list of checks and what their lines mean. */
#include "selftest/selftest.h"

#include <math.h>

#define X(name) int tare_check_##name(const struct tare_check_context *c, struct tare_err *err);
#include "tare_checks.inc"
#undef X

#define X(name) {#name, tare_check_##name},
const struct tare_check tare_checks[] = {
#include "tare_checks.inc"
    {NULL, NULL}};
#undef X

enum tare_check_outcome tare_check_judge(const struct tare_check_line *line)
{
    return line->absent                                   ? TARE_CHECK_ABSENT
           : line->informative && isfinite(line->reading) ? TARE_CHECK_INFO
           : fabs(line->error) <= line->target            ? TARE_CHECK_PASS
                                                          : TARE_CHECK_FAIL;
}

const char *tare_check_outcome_text(enum tare_check_outcome outcome)
{
    return outcome == TARE_CHECK_PASS     ? "pass"
           : outcome == TARE_CHECK_ABSENT ? "absent"
           : outcome == TARE_CHECK_INFO   ? "info"
                                          : "FAIL";
}

int tare_check_add(const struct tare_check_context *c, const char *quantity, const char *workload,
                   const char *unit, double truth, double reading, double target, struct tare_err *err)
{
    const struct tare_check_line line = {.quantity = quantity,
                                         .workload = workload,
                                         .unit = unit,
                                         .truth = truth,
                                         .reading = reading,
                                         .error = reading - truth,
                                         .target = target,
                                         .error_unit = unit};
    return c->to->add(c->to, &line, err);
}

int tare_check_add_percent(const struct tare_check_context *c, const char *quantity, const char *workload,
                           const char *unit, double truth, double reading, double target,
                           struct tare_err *err)
{
    const struct tare_check_line line = {.quantity = quantity,
                                         .workload = workload,
                                         .unit = unit,
                                         .truth = truth,
                                         .reading = reading,
                                         .error = 100 * (reading - truth) / truth,
                                         .target = target,
                                         .error_unit = "%"};
    return c->to->add(c->to, &line, err);
}

int tare_check_add_absent(const struct tare_check_context *c, const char *quantity, const char *workload,
                          const char *why, struct tare_err *err)
{
    const struct tare_check_line line = {
        .quantity = quantity, .workload = workload, .unit = "1", .error_unit = "1", .absent = why};
    return c->to->add(c->to, &line, err);
}
