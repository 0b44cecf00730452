/* SPDX-License-Identifier: Apache-2.0 */
/* The plan that `tare run` runs when it is given none: plans/quick.json, compiled in. */
#ifndef TARE_CMD_QUICK_H
#define TARE_CMD_QUICK_H

const char *tare_quick_plan(void);

#endif
