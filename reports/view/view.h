/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A view: which rows and columns a report has, as a JSON file that a user can copy and change
 * (docs/views.md). Those of reports/views/ are built in. A view is parsed into this struct; what it says is
 * carried out by survey.c (tables), resources.c and architectures.c.
 */
#ifndef TARE_REPORTS_VIEW_H
#define TARE_REPORTS_VIEW_H

#include "core/arena.h"

#include <tare/json.h>
#include <tare/report.h>

enum tare_view_kind {
    TARE_VIEW_TABLE = 0,
    TARE_VIEW_FULL,         /* a row a figure */
    TARE_VIEW_RESOURCES,    /* category x resource */
    TARE_VIEW_ARCHITECTURES /* complexity claimed beside measured */
};

/* What rows are grouped by. */
enum tare_view_by {
    TARE_VIEW_BY_TECHNIQUE = 0, /* the view's groups; none: not grouped */
    TARE_VIEW_BY_MODEL,
    TARE_VIEW_BY_ARCHITECTURE,
    TARE_VIEW_BY_SIZE
};

/* Rows whose technique's tag begins with the prefix; "baseline" is one. */
struct tare_view_group {
    const char *label;
    const char *prefix;
};

struct tare_view_column {
    const char *pattern; /* "figure" or "figure@task pattern" */
    const char *header;  /* NULL: that of the figure */
    const char *unit;    /* shown; NULL: that of the figure */
    double scale;        /* to the shown unit; 0: that of the figure */
    int decimals;        /* -1: those of the figure */
    const char *better;  /* "higher", "lower", "none"; NULL: that of the figure */
    const char *ratio;   /* figure whose value stands in brackets behind; NULL: none */
};

/* The mean of columns. */
struct tare_view_average {
    const char *header;
    const char *pattern; /* as of a column */
};

struct tare_view {
    struct tare_arena arena; /* holds all of it */
    enum tare_view_kind kind;
    const char *name, *title, *about;
    const char *model, *technique, *task; /* shell patterns of cells to be shown; NULL: all */
    enum tare_view_by by;
    bool rank_within_groups;
    const struct tare_view_group *groups;
    size_t n_groups;
    const struct tare_view_column *columns;
    size_t n_columns;
    const struct tare_view_average *averages;
    size_t n_averages;
    const char *const *notes; /* below the table */
    size_t n_notes;
    const char *const *plots; /* pictures beside the table */
    size_t n_plots;
    const char *score; /* NULL: none */
};

/* Unknown keys are refused, with the nearest known one; `what` names the source. */
TARE_MUST_CHECK int tare_view_parse(const char *text, size_t n, const char *what, struct tare_view *out,
                                    struct tare_err *err);
/* A built-in view by its name, or a file (a name with a '/' or ".json"). */
TARE_MUST_CHECK int tare_view_find(const char *name, struct tare_view *out, struct tare_err *err);
void tare_view_fini(struct tare_view *view);
/* The JSON of a built-in view; NULL if there is none of that name. */
const char *tare_view_text(const char *name);
/* Adds an object a built-in view: name and summary. */
TARE_MUST_CHECK int tare_view_list(struct tare_json *to, struct tare_err *err);

#endif
