/* SPDX-License-Identifier: Apache-2.0 */
/* From two stored systems to rows that can be compared: which cells belong together, and their pairs. */
#ifndef TARE_CMD_COMPARE_ROWS_H
#define TARE_CMD_COMPARE_ROWS_H

#include "core/arena.h"
#include "reports/compare/compare.h"
#include "reports/input.h"
#include "store/store.h"

/* One side: the cells of a run, or those of one system in it. */
struct tare_compare_side {
    struct tare_store *store;
    int64_t run_id;
    const struct tare_report_input *input;
    const char *model, *technique; /* NULL: every system of the run */
};

struct tare_compare_rows {
    struct tare_arena arena;
    struct tare_compare_row *rows; /* in the arena, with all that they point to */
    size_t n, cap;
};

/* Rows of all tasks that both sides have. Figures whose name `wanted` holds (NULL-terminated); NULL: the
 * task's metrics and what a comparison is usually about. TARE_E_USAGE if the sides have no cell in common. */
TARE_MUST_CHECK int tare_compare_rows_load(const struct tare_compare_side *a,
                                           const struct tare_compare_side *b, const char *task_pattern,
                                           const char *const *wanted, struct tare_compare_rows *out,
                                           struct tare_err *err);
void tare_compare_rows_fini(struct tare_compare_rows *rows);

#endif
