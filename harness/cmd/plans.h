/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in plans: plans/NAME.json, compiled in. Which there are is a list in meson. */
#ifndef TARE_CMD_PLANS_H
#define TARE_CMD_PLANS_H

#include <tare/json.h>

/* The text of a built-in plan, or NULL; name NULL: the one that `tare run` takes when it is given none. */
const char *tare_plans_find(const char *name);
/* One object a plan: name, summary. */
TARE_MUST_CHECK int tare_plans_list(struct tare_json *to, struct tare_err *err);

#endif
