/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table as the formats for people print it: the text of its cells and headers (decimals, intervals, ratios,
 * kinds, marks), numbered footnotes and a legend. It draws no lines and places no columns: that is each
 * format's own, and a style says how a format writes what is in a cell.
 */
#ifndef TARE_REPORTS_TEXT_H
#define TARE_REPORTS_TEXT_H

#include "table.h"

/* How a format writes what tables hold. Functions write to the stream and nothing else; NULL: digits and
 * marks as they are, and nothing around a value. */
struct tare_text_style {
    void (*put)(FILE *to, const char *text); /* foreign text, so that it harms nothing */
    void (*put_number)(FILE *to, const char *digits);
    void (*put_mark)(FILE *to, size_t footnote);
    void (*put_outcome)(FILE *to, const struct tare_table_cell *cell); /* the mark of an absent cell */
    void (*open)(void *ctx, FILE *to, const struct tare_quantity *q);  /* around a value */
    void (*close)(void *ctx, FILE *to, const struct tare_quantity *q);
    const char *best_name, *second_name, *unknown_name; /* what the legend calls them */
    const char *unknown;                                /* behind a value without an interval */
    const char *higher, *lower;                         /* arrows of headers */
    const char *times;                                  /* behind a ratio */
    const char *interval_open, *interval_close;         /* around an interval */
    const char *marks_open, *marks_close;               /* around the marks of footnotes */
    void *ctx;
    bool aligns_closed; /* the number ends behind what close() writes, not before */
    bool flat;          /* headers name the group of their column, which the format has no other place for */
};

/* How signs look where Unicode can be printed. */
#define TARE_TEXT_SIGNS .unknown_name = "u?", .unknown = " u?", .higher = "↑", .lower = "↓", .times = "x"

struct tare_text_cell {
    char *text;
    size_t head_bytes; /* up to the line on which a column of numbers is aligned */
    size_t head, tail; /* columns left and right of that line */
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

#endif
