/* SPDX-License-Identifier: Apache-2.0 */
/* `--set WHAT.OPTION=VALUE`: one option of a plan's tasks or models, whatever else the plan says. */
#ifndef TARE_CORE_PLAN_SET_H
#define TARE_CORE_PLAN_SET_H

#include <tare/json.h>

/* A copy of the plan in which every task called WHAT (by task or label) and every model called WHAT
 * (by backend or label) has the option. WHAT is a shell pattern. One that meets nothing is an error. */
TARE_MUST_CHECK int tare_plan_set(const struct tare_json *plan, const char *assignment,
                                  struct tare_json **out, struct tare_err *err);

#endif
