/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a rule file to a plan: each model of the plan part becomes two entries, one an arm, called "base" and
 * "candidate", or "base/LABEL" and "candidate/LABEL" where there are several. The rules stand in the plan
 * under the key "check", so that the database alone can say again what was decided and why.
 */
#ifndef TARE_CMD_CHECK_PLAN_H
#define TARE_CMD_CHECK_PLAN_H

#include "core/paths.h"
#include "reports/gate/rules.h"

enum tare_check_arm { TARE_CHECK_BASE = 0, TARE_CHECK_CANDIDATE, TARE_CHECK_N_ARMS };

/* Text of the plan; free() it. */
TARE_MUST_CHECK int tare_check_plan(const struct tare_gate_rules *rules, const char *what, char **out,
                                    struct tare_err *err);
/* Does the executable of each arm speak our version of the results stream? */
TARE_MUST_CHECK int tare_check_arms(const struct tare_gate_rules *rules, const struct tare_paths *paths,
                                    struct tare_err *err);
/* The arm that a cell's model belongs to, and the label behind it ("" for none); -1: neither. */
int tare_check_arm_of(const char *model, const char **out_label);
/* The arm in words: its name, or what it says. */
void tare_check_arm_text(const struct tare_gate_rules *rules, enum tare_check_arm arm, char *out,
                         size_t n_out);

#endif
