/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the formats of this folder share: the check that a table may be printed at all, and the text of
 * its cells as md and term print it (decimals, intervals, kinds, marks, footnotes). It draws no lines
 * and places no columns: that is each format's own.
 */
#ifndef TARE_REPORTS_QUANTITY_H
#define TARE_REPORTS_QUANTITY_H

#include <tare/report.h>

/* Keys unique, every quantity with a unit and a kind; else an error that names the cell. */
TARE_MUST_CHECK int tare_table_check(const struct tare_table *table, struct tare_err *err);
/* Flushes what `format` wrote; an error of the stream becomes TARE_E_IO. */
TARE_MUST_CHECK int tare_table_flush(FILE *to, const char *format, struct tare_err *err);

/* Closes the open_memstream that fills *text; false when memory was refused, which glibc says three ways. */
TARE_MUST_CHECK bool tare_stream_close(FILE *stream, char *const *text);

const struct tare_table_cell *tare_table_at(const struct tare_table *table, size_t row, size_t column);
/*
 * The cell as every format must treat it: a quantity that is no finite number is absent, and an absent
 * cell has a reason and a mark. Strings are borrowed from the cell or constant.
 */
struct tare_table_cell tare_cell_settled(const struct tare_table_cell *cell);
/* Has the column numbers? Cells all absent count as numbers that could not be had. */
bool tare_table_is_numeric(const struct tare_table *table, size_t column);
/* The text, or "" for NULL. */
const char *tare_text_or_empty(const char *text);
/* The next of the comma-separated flags, without blanks; its length, 0 at the end. Moves *flags on. */
size_t tare_flags_next(const char **flags, const char **code);

/* How a format writes what tables hold. */
struct tare_text_style {
    const char *best_open, *best_close;      /* around the value of a best cell */
    const char *best_name;                   /* what the legend calls that */
    void (*put)(FILE *to, const char *text); /* writes foreign text so that it harms nothing */
};

struct tare_text_cell {
    char *text;
    size_t head, tail; /* columns left and right of the line on which a column of numbers is aligned */
};

struct tare_text_column {
    bool numeric;
    unsigned kinds; /* of its quantities: tare_table_kinds */
    char *header;
    size_t header_width, head, tail, width;
};

struct tare_footnote {
    char *text; /* foreign: not yet as the style wants it */
    bool cited; /* by the cell that is being made */
};

/* A table as text. Caller's memory; what it points at belongs to it. */
struct tare_text {
    const struct tare_table *table;
    const struct tare_text_style *style;
    struct tare_text_column *columns;
    struct tare_text_cell *cells;    /* row-major */
    struct tare_footnote *footnotes; /* the first is number 1 */
    size_t n_footnotes, footnotes_room;
    unsigned signs; /* what the legend must explain */
    char *legend;   /* as the style wants it: what the signs of this table mean; "" for none */
    bool failed;    /* memory was refused */
};

/* `table` must have passed tare_table_check. After an error there is nothing to fini. */
TARE_MUST_CHECK int tare_text_init(struct tare_text *text, const struct tare_table *table,
                                   const struct tare_text_style *style, struct tare_err *err);
void tare_text_fini(struct tare_text *text);
/* Write a header or cell as wide as its column; `last`: without blanks at the end of the line. */
void tare_text_put_header(const struct tare_text *text, FILE *to, size_t column, bool last);
void tare_text_put_cell(const struct tare_text *text, FILE *to, size_t row, size_t column, bool last);
/* The number of a footnote in raised digits. */
void tare_text_put_mark(FILE *to, size_t number);
void tare_text_pad(FILE *to, size_t n);

/* The settled quantity of a cell, or false for a cell without one. */
bool tare_table_quantity(const struct tare_table *table, size_t row, size_t column,
                         struct tare_quantity *out);
/* Bits 1 << kind of the quantities of a column; 0 when it has none. */
unsigned tare_table_kinds(const struct tare_table *table, size_t column);
/* One line on how the quantities of a column came to be: kind, scope, source, intervals, n. */
void tare_column_describe(FILE *to, const struct tare_table *table, size_t column);

#endif
