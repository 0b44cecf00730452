/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report contract: a table of typed cells, and formats that print it.
 *
 * A format sees a table and nothing else: no database, no backend. Cells are text or quantities; a
 * quantity carries unit, kind, n and interval, or is absent with a reason, so that no format can
 * print a bare number by accident.
 */
#ifndef TARE_REPORT_H
#define TARE_REPORT_H

#include <stdbool.h>
#include <stdio.h>
#include <tare/meter.h>
#include <tare/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TARE_FORMAT_ABI 2u

enum tare_cell_type { TARE_CELL_EMPTY = 0, TARE_CELL_TEXT, TARE_CELL_QUANTITY, TARE_CELL_ABSENT };
/* How the work behind a cell of a table ended. What was never asked, what was asked and failed, and what ran
 * and may not be shown are different things. */
enum tare_cell_outcome {
    TARE_CELL_OK = 0,
    TARE_CELL_MISSING, /* not in the plan, not reported, not derived */
    TARE_CELL_SKIPPED, /* the backend cannot do it, and says so */
    TARE_CELL_INVALID, /* measured, but void: text has the reasons */
    TARE_CELL_FAIL,    /* ended with an error */
    TARE_CELL_CRASH,
    TARE_CELL_TIMEOUT,
    TARE_CELL_OOM
};
enum tare_better { TARE_BETTER_NONE = 0, TARE_BETTER_HIGHER, TARE_BETTER_LOWER };

struct tare_quantity {
    double value;
    const char *unit;
    enum tare_kind kind;
    const char *source;
    const char *scope;
    int64_t n;          /* how many units of inference: items or repeats */
    const char *n_what; /* "items", "repeats" */
    bool has_interval;
    double low, high;
    double level;                 /* 0.95 */
    const char *method;           /* "percentile bootstrap over items" */
    const char *flags;            /* comma-separated codes; "" for none */
    int decimals;                 /* as printed by text formats */
    double display_scale;         /* text formats print value * display_scale in display_unit; 0: as is */
    bool best;                    /* best of its column, intervals apart */
    bool second;                  /* best of the rest, intervals apart from both sides */
    double ratio;                 /* speed-up against the baseline, printed in brackets; 0: none */
    double ratio_low, ratio_high; /* its interval; 0 both: none */
    bool exact;                   /* counted without any uncertainty: printed alone, not as "u?" */
};

struct tare_table_cell {
    enum tare_cell_type type;
    const char *text;    /* TEXT: the text; ABSENT: the reason; OOM, CRASH and the like are reasons too */
    const char *mark;    /* ABSENT: what text formats print: "-", "OOM", "CRASH", "TIMEOUT", "FAIL" */
    const char *verdict; /* of what is behind it: VALID, INVALID, SKIPPED; NULL: not judged */
    enum tare_cell_outcome outcome;
    struct tare_quantity q;
};

struct tare_table_column {
    const char *key; /* machine name: bits_per_byte@text */
    const char *header;
    const char *unit; /* display unit */
    enum tare_better better;
    const char *help;
};

/* Neighbouring rows or columns under one heading: a multirow or multicolumn in print. */
struct tare_table_group {
    size_t first, n;
    const char *label;
};

/* A picture that stands with the table where the format can hold one (HTML). */
struct tare_table_picture {
    const char *title;
    const char *text; /* what it shows, for those who cannot see it */
    const char *svg;  /* a whole <svg> element */
};

struct tare_table {
    const char *title;
    const char *caption;
    size_t n_columns, n_rows;
    const struct tare_table_column *columns;
    const struct tare_table_cell *cells; /* row-major: cells[row * n_columns + column] */
    size_t n_notes;
    const char *const *notes;             /* footnotes, in order */
    size_t n_row_groups, n_column_groups; /* in order, not overlapping; rows outside of any are allowed */
    const struct tare_table_group *row_groups, *column_groups;
    size_t n_baseline_rows; /* the first rows, set apart from the others by a rule */
    size_t n_pictures;
    const struct tare_table_picture *pictures;
};

struct tare_format {
    struct tare_plugin_header header; /* kind TARE_PLUGIN_FORMAT, abi TARE_FORMAT_ABI */
    const char *name;                 /* md, csv, html */
    const char *summary;
    const char *media_type;
    /* Writes the whole table; a write error is a failure. */
    int (*write)(const struct tare_table *table, FILE *to, struct tare_err *err);
};

#define TARE_FORMAT_HEADER                                                                           \
    {                                                                                                \
        TARE_PLUGIN_MAGIC, TARE_PLUGIN_FORMAT, TARE_FORMAT_ABI, (uint32_t)sizeof(struct tare_format) \
    }

#ifdef __cplusplus
}
#endif
#endif
