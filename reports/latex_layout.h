/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a table is cut so that every piece fits a page: into blocks of columns, each of which repeats the
 * columns that tell the rows apart, and into blocks of rows. Widths are estimates, in digits of the table's
 * font; the document shrinks a piece that turns out wider. Internal to the LaTeX format.
 */
#ifndef TARE_REPORTS_LATEX_LAYOUT_H
#define TARE_REPORTS_LATEX_LAYOUT_H

#include "text.h"

struct tare_latex_column {
    size_t width;     /* in digits, header and content */
    size_t paragraph; /* the width at which a text is broken; 0: it is not */
    size_t header;    /* the width at which the header is broken */
};

struct tare_latex_part {
    size_t row, n_rows, column, n_columns; /* the key columns come before these */
    size_t page;                           /* several may stand on one */
};

struct tare_latex_layout {
    const struct tare_table *table;
    struct tare_latex_column *columns;
    size_t n_keys;
    size_t group; /* width of the column of row groups; 0: none */
    bool landscape;
    struct tare_latex_part *parts; /* block of rows by block of rows */
    size_t n_parts, n_pages;
};

TARE_MUST_CHECK int tare_latex_layout_init(struct tare_latex_layout *layout, const struct tare_table *table,
                                           struct tare_err *err);
void tare_latex_layout_fini(struct tare_latex_layout *layout);

#endif
