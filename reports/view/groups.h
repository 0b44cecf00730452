/* SPDX-License-Identifier: Apache-2.0 */
/* Which group of a view each cell belongs to. Private to the survey. */
#ifndef TARE_REPORTS_VIEW_GROUPS_H
#define TARE_REPORTS_VIEW_GROUPS_H

#include "reports/view/table.h"

struct tare_view_groups {
    const char **labels;
    size_t n;
    size_t *of_cell; /* of each cell of the input, index into labels; n: in none of them */
};

/* All cells of a row (model, technique, scenario) are in one group. A view of NULL, or one without groups,
 * makes none. Memory is the arena's. Returns -1 when it is refused. */
TARE_MUST_CHECK int tare_view_find_groups(const struct tare_view *view, const struct tare_report_input *input,
                                          struct tare_arena *arena, struct tare_view_groups *out);

#endif
