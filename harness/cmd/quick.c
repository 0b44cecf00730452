/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in plan as text. */
#include "cmd/quick.h"

#include "quick_plan.h"

const char *tare_quick_plan(void)
{
    return quick_plan[0].text;
}
