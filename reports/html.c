/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table as one HTML page that needs nothing else: its style and script are within, and it may load
 * nothing. Without the script it is a plain table with footnotes; with it, rows sort and filter, and a value
 * tells where it comes from. A text that a row shares with the rows below it is written once (rowspan), which
 * keeps tables of a hundred cells small; the script undoes that before rows move.
 */
#include "html_text.h"
#include "html_assets.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

struct page {
    const struct tare_table *table;
    FILE *to;
    struct tare_html_origins origins;
    struct tare_text text;
    size_t n_keys; /* leading columns of nothing but text */
};

static const char *asset(const char *name)
{
    for (size_t i = 0; i < sizeof html_assets / sizeof *html_assets; i++) {
        if (strcmp(html_assets[i].name, name) == 0) {
            return html_assets[i].text;
        }
    }
    return "";
}

static size_t count_keys(const struct tare_table *table)
{
    size_t n = 0;
    for (bool is_text = true; is_text && n < table->n_columns; n += is_text) {
        for (size_t row = 0; row < table->n_rows && is_text; row++) {
            is_text = tare_table_at(table, row, n)->type == TARE_CELL_TEXT;
        }
    }
    return n;
}

/* May the row show its first columns, up to this one, together with the row above? */
static bool goes_on(const struct page *p, size_t row, size_t column)
{
    const struct tare_table *t = p->table;
    bool same = row > 0 && column + 1 < t->n_columns && column < p->n_keys && row != t->n_baseline_rows &&
                tare_table_group_of(t->row_groups, t->n_row_groups, row) ==
                    tare_table_group_of(t->row_groups, t->n_row_groups, row - 1);
    for (size_t i = 0; same && i <= column; i++) {
        const char *above = tare_table_at(t, row - 1, i)->text;
        same = strcmp(tare_text_or_empty(above), tare_text_or_empty(tare_table_at(t, row, i)->text)) == 0;
    }
    return same;
}

static void put_span(const struct page *p, size_t row, size_t column)
{
    size_t n = 1;
    while (row + n < p->table->n_rows && goes_on(p, row + n, column)) {
        n++;
    }
    if (n > 1) {
        (void)fprintf(p->to, " rowspan=%zu", n);
    }
}

static void put_head(const struct page *p)
{
    const char *title = *tare_text_or_empty(p->table->title) ? p->table->title : "Table";
    (void)fputs(
        "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n"
        "<meta name=viewport content=\"width=device-width, initial-scale=1\">\n"
        "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; img-src data:; style-src "
        "'unsafe-inline'; script-src 'nonce-tare'\">\n<link rel=icon href=data:,>\n<title>",
        p->to);
    tare_html_put(p->to, title);
    (void)fprintf(p->to, "</title>\n<style>\n%s</style>\n<header><h1>", asset("report.css"));
    tare_html_put(p->to, title);
    (void)fputs("</h1><button type=button id=theme aria-pressed=false hidden>Dark "
                "colours</button></header>\n<main>\n",
                p->to);
    if (*tare_text_or_empty(p->table->caption)) {
        (void)fputs("<p class=lead>", p->to);
        tare_html_put(p->to, p->table->caption);
        (void)fputs("</p>\n", p->to);
    }
    (void)fputs("<form id=filters class=filters role=search aria-label=\"Filter rows\" hidden></form>\n"
                "<p id=count role=status aria-live=polite></p>\n",
                p->to);
}

/* The row of headings over neighbouring columns. */
static void put_column_groups(const struct page *p)
{
    const struct tare_table *t = p->table;
    (void)fputs("<tr>", p->to);
    (void)fputs(t->n_row_groups > 0 ? "<td>" : "", p->to);
    for (size_t column = 0; column < t->n_columns;) {
        const struct tare_table_group *g = tare_table_group_of(t->column_groups, t->n_column_groups, column);
        if (g) {
            (void)fprintf(p->to, "<th scope=colgroup colspan=%zu>", g->n);
            tare_html_put(p->to, g->label);
        } else {
            (void)fputs("<td>", p->to);
        }
        column += g ? g->n : 1;
    }
    (void)fputs("\n", p->to);
}

static double column_scale(const struct tare_table *table, size_t column)
{
    struct tare_quantity q;
    for (size_t row = 0; row < table->n_rows; row++) {
        if (tare_table_quantity(table, row, column, &q)) {
            return tare_quantity_scale(&q);
        }
    }
    return 1;
}

static void put_column_heads(const struct page *p)
{
    (void)fputs("<tr>", p->to);
    (void)fputs(p->table->n_row_groups > 0 ? "<th scope=col>Group" : "", p->to);
    for (size_t i = 0; i < p->table->n_columns; i++) {
        const struct tare_table_column *column = &p->table->columns[i];
        (void)fputs("<th scope=col", p->to);
        if (p->text.columns[i].numeric) {
            (void)fputs(" class=q data-s=", p->to);
            tare_html_put_double(p->to, column_scale(p->table, i));
        }
        if (*tare_text_or_empty(column->help)) {
            (void)fputs(" title=\"", p->to);
            tare_html_put(p->to, column->help);
            (void)fputs("\"", p->to);
        }
        (void)fprintf(p->to, ">%s", p->text.columns[i].header);
    }
    (void)fputs("\n", p->to);
}

static void put_row_group(const struct page *p, size_t row)
{
    const struct tare_table_group *g = tare_table_group_of(p->table->row_groups, p->table->n_row_groups, row);
    if (p->table->n_row_groups == 0 || (g && g->first != row)) {
        return;
    }
    if (!g) {
        (void)fputs("<td>", p->to);
        return;
    }
    (void)fputs("<th scope=rowgroup", p->to);
    if (g->n > 1) {
        (void)fprintf(p->to, " rowspan=%zu", g->n);
    }
    (void)fputs(">", p->to);
    tare_html_put(p->to, g->label);
}

static void put_row(const struct page *p, size_t row)
{
    const struct tare_table *t = p->table;
    const struct tare_table_group *g = tare_table_group_of(t->row_groups, t->n_row_groups, row);
    const char *class = row + 1 == t->n_baseline_rows ? " class=\"base end\""
                        : row < t->n_baseline_rows    ? " class=base"
                        : g && g->first == row        ? " class=first"
                                                      : "";
    (void)fprintf(p->to, "<tr%s>", class);
    put_row_group(p, row);
    for (size_t i = 0; i < t->n_columns; i++) {
        struct tare_table_cell cell = tare_cell_settled(tare_table_at(t, row, i));
        if (goes_on(p, row, i)) {
            continue;
        }
        (void)fputs(i == 0 ? "<th scope=row" : "<td", p->to);
        tare_html_put_data(p->to, &cell);
        put_span(p, row, i);
        (void)fprintf(p->to, ">%s", p->text.cells[row * t->n_columns + i].text);
    }
    (void)fputs("\n", p->to);
}

static void put_table(const struct page *p)
{
    /* --n: on paper, where nothing scrolls, print gets smaller with the number of columns. */
    (void)fprintf(p->to,
                  "<div class=scroll role=region aria-labelledby=caption tabindex=0>\n"
                  "<table id=table style=\"--n:%zu\">\n<caption id=caption>",
                  p->table->n_columns);
    tare_html_put(p->to, *tare_text_or_empty(p->table->title) ? p->table->title : "Table");
    (void)fputs("</caption>\n<thead>\n", p->to);
    if (p->table->n_column_groups > 0) {
        put_column_groups(p);
    }
    put_column_heads(p);
    (void)fputs("<tbody>\n", p->to);
    for (size_t row = 0; row < p->table->n_rows; row++) {
        put_row(p, row);
    }
    (void)fputs("</table>\n</div>\n", p->to);
}

static void put_notes(const struct page *p)
{
    if (*p->text.legend) {
        (void)fprintf(p->to, "<p id=legend>%s</p>\n", p->text.legend);
    }
    for (size_t i = 0; i < p->table->n_pictures; i++) {
        (void)fputs(i == 0 ? "<section aria-labelledby=pictures><h2 id=pictures>Pictures</h2>\n" : "", p->to);
        tare_html_put_picture(p->to, &p->table->pictures[i], i + 1);
        (void)fputs(i + 1 == p->table->n_pictures ? "</section>\n" : "", p->to);
    }
    for (size_t i = 0; i < p->text.n_footnotes; i++) {
        (void)fprintf(p->to, "%s<li id=n%zu>", i == 0 ? "<h2>Footnotes</h2>\n<ol class=notes>\n" : "", i + 1);
        tare_html_put(p->to, p->text.footnotes[i].text);
        (void)fputs(i + 1 == p->text.n_footnotes ? "\n</ol>\n" : "\n", p->to);
    }
    for (size_t i = 0; i < p->table->n_notes; i++) {
        (void)fputs(i == 0 ? "<h2>Notes</h2>\n<ul class=notes>\n<li>" : "<li>", p->to);
        tare_html_put(p->to, tare_text_or_empty(p->table->notes[i]));
        (void)fputs(i + 1 == p->table->n_notes ? "\n</ul>\n" : "\n", p->to);
    }
    if (p->origins.n > 0) {
        (void)fputs("<h2>Where the values come from</h2>\n<ol class=notes>\n", p->to);
        tare_html_put_origins(p->to, &p->origins);
        (void)fputs("</ol>\n", p->to);
    }
}

static void put_end(const struct page *p)
{
    (void)fprintf(
        p->to,
        "</main>\n<footer>Written by tare. Values are shown rounded; sorting, and what a value tells of "
        "itself, use all digits.</footer>\n"
        "<dialog id=details aria-labelledby=details-title><h2 id=details-title>Details</h2><dl></dl>"
        "<form method=dialog><button>Close</button></form></dialog>\n<script nonce=tare>\n%s</script>\n"
        "</html>\n",
        asset("report.js"));
}

static int write_html(const struct tare_table *table, FILE *to, struct tare_err *err)
{
    struct page p = {.table = table, .to = to};
    struct tare_text_style style = tare_html_style(&p.origins);
    int r = tare_table_check(table, err);
    r = r == 0 ? tare_text_init(&p.text, table, &style, err) : r;
    if (r < 0) {
        free(p.origins.list);
        return r;
    }
    if (p.origins.failed) {
        r = tare_err_set(err, TARE_E_NOMEM, "no memory for where the values of a table come from");
    } else {
        p.n_keys = count_keys(table);
        put_head(&p);
        put_table(&p);
        put_notes(&p);
        put_end(&p);
    }
    tare_text_fini(&p.text);
    free(p.origins.list);
    return r < 0 ? r : tare_table_flush(to, "html", err);
}

const struct tare_format tare_format_html = {
    .header = TARE_FORMAT_HEADER,
    .name = "html",
    .summary = "one self-contained page: sorts, filters, tells where each value comes from",
    .media_type = "text/html; charset=utf-8",
    .write = write_html,
};
