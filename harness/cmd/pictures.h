/* SPDX-License-Identifier: Apache-2.0 */
/* The pictures that a view asks for, drawn beside its table. */
#ifndef TARE_CMD_PICTURES_H
#define TARE_CMD_PICTURES_H

#include "core/arena.h"
#include "reports/input.h"
#include "reports/view/view.h"

struct tare_pictures {
    struct tare_arena arena;
    struct tare_table_picture *list; /* each freed by the plots */
    size_t n;
};

/* Draws them and hangs them into the table. One that cannot be drawn (no gnuplot, nothing to draw) is a note
 * of the table that says why. */
TARE_MUST_CHECK int tare_pictures_add(const struct tare_report_input *input, const struct tare_view *view,
                                      struct tare_table *table, struct tare_pictures *out,
                                      struct tare_err *err);
void tare_pictures_fini(struct tare_pictures *pictures);

#endif
