/* SPDX-License-Identifier: Apache-2.0 */
/* What the entries of a plan say of each other: names that must be among those of another list. */
#ifndef TARE_CORE_PLAN_CHECK_H
#define TARE_CORE_PLAN_CHECK_H

#include "core/plan.h"

/* The plan's axes and options have been read. */
TARE_MUST_CHECK int tare_plan_check(const struct tare_plan *plan, struct tare_err *err);

#endif
