/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table for a paper: booktabs, numbers by siunitx, notes under it. The file is a document of its own and
 * can be \input into another one as it is, which then needs the packages that its head names. Values stand as
 * \num with their interval behind them, aligned by hand: S columns would refuse the marks and words that
 * other cells hold. A table wider than a landscape page is cut into parts; nothing is ever wider than the
 * line, since each part is shrunk to it where the estimate fell short.
 */
#include "latex_layout.h"
#include "latex_text.h"

#include <stdlib.h>
#include <string.h>

struct document {
    const struct tare_table *table;
    FILE *to;
    struct tare_text text;
    struct tare_latex_layout layout;
    bool notes_float; /* the notes stand in the float of the only part, not behind the last one */
};

enum { most_floating_notes = 14 };

static const char before_class[] =
    "% Compile with pdflatex, or \\input this file: a document needs the packages between the two lines "
    "below.\n"
    "\\expandafter\\ifx\\csname @nodocument\\endcsname\\relax\\def\\TareEnd{}\\else\n";

static const char behind_class[] =
    "\\usepackage[a4paper,margin=18mm]{geometry}\n"
    "\\IfFileExists{lmodern.sty}{\\usepackage[T1]{fontenc}\\usepackage{lmodern}}{}\n"
    "\\ifdefined\\pdfgentounicode\\input{glyphtounicode}\\pdfgentounicode=1\\fi % so that text can be "
    "copied\n"
    "% ---- packages ----\n"
    "\\usepackage{array,booktabs,multirow,siunitx,adjustbox}\n"
    "% ------------------\n"
    "\\def\\TareEnd{\\end{document}}\n"
    "\\begin{document}\n"
    "\\fi\n"
    "% What the table is made of; define any of these before to change how it looks.\n"
    "\\providecommand\\TareSize{\\footnotesize}\n"
    "\\providecommand\\TareNoteSize{\\scriptsize}\n"
    "\\providecommand\\TareInterval[1]{{\\scriptsize #1}}\n"
    "\\providecommand\\TareOutcome[1]{\\textsf{#1}}\n"
    "\\providecommand\\TareChar[1]{{\\tiny\\textsf{U+#1}}}\n"
    "\\providecommand\\TareSetup{\\TareSize\\setlength\\tabcolsep{3.5pt}\\sisetup{mode=text,"
    "reset-text-series=false,reset-text-family=false,group-digits=integer,group-minimum-digits=5}}\n";

static void put_preamble(const struct document *d)
{
    (void)fprintf(d->to, "%s\\documentclass[10pt%s]{article}\n%s", before_class,
                  d->layout.landscape ? ",landscape" : "", behind_class);
}

static const struct tare_table_group *row_group(const struct document *d, size_t row)
{
    return tare_table_group_of(d->table->row_groups, d->table->n_row_groups, row);
}

/* The column of the table that stands at this place of a part. */
static size_t column_at(const struct document *d, const struct tare_latex_part *part, size_t place)
{
    return place < d->layout.n_keys ? place : part->column + place - d->layout.n_keys;
}

static size_t n_places(const struct document *d, const struct tare_latex_part *part)
{
    return d->layout.n_keys + part->n_columns;
}

static void put_length(FILE *to, size_t digits)
{
    (void)fprintf(to, "%.2fem", (double)digits * 0.5);
}

static void put_spec(const struct document *d, const struct tare_latex_part *part)
{
    (void)fputs("\\begin{tabular}{@{}", d->to);
    if (d->layout.group) {
        (void)fputs(">{\\raggedright\\arraybackslash}p{", d->to);
        put_length(d->to, d->layout.group);
        (void)fputs("}", d->to);
    }
    for (size_t i = 0; i < n_places(d, part); i++) {
        const struct tare_latex_column *c = &d->layout.columns[column_at(d, part, i)];
        if (d->text.columns[column_at(d, part, i)].numeric) {
            (void)fputs("r@{}l", d->to);
        } else if (c->paragraph) {
            (void)fputs(">{\\raggedright\\arraybackslash}p{", d->to);
            put_length(d->to, c->paragraph);
            (void)fputs("}", d->to);
        } else {
            (void)fputs("l", d->to);
        }
    }
    (void)fputs("@{}}\n\\toprule\n", d->to);
}

static size_t span_of(const struct document *d, size_t column)
{
    return d->text.columns[column].numeric ? 2 : 1;
}

/* The headings over columns: their labels, then the lines under them. */
static void put_column_groups(const struct document *d, const struct tare_latex_part *part, bool rules)
{
    size_t at = d->layout.group ? 1 : 0;
    if (at && !rules) {
        (void)fputs("&", d->to);
    }
    for (size_t i = 0; i < n_places(d, part);) {
        size_t column = column_at(d, part, i), span = span_of(d, column), end = i + 1;
        const struct tare_table_group *g =
            tare_table_group_of(d->table->column_groups, d->table->n_column_groups, column);
        while (g && end < n_places(d, part) && column_at(d, part, end) < g->first + g->n) {
            span += span_of(d, column_at(d, part, end++));
        }
        if (g && rules) {
            (void)fprintf(d->to, "\\cmidrule(lr){%zu-%zu}", at + 1, at + span);
        } else if (!rules) {
            (void)fprintf(d->to, "\\multicolumn{%zu}{c}{", span);
            tare_latex_put(d->to, g ? g->label : "");
            (void)fputs(end < n_places(d, part) ? "}&" : "}", d->to);
        }
        at += span;
        i = end;
    }
    (void)fputs(rules ? "\n" : "\\tabularnewline\n", d->to);
}

static void put_header(const struct document *d, const struct tare_latex_part *part)
{
    bool grouped = d->table->n_column_groups > 0;
    if (grouped) {
        put_column_groups(d, part, false);
        put_column_groups(d, part, true);
    }
    (void)fputs(d->layout.group ? "{} &\n" : "", d->to);
    for (size_t i = 0; i < n_places(d, part); i++) {
        size_t column = column_at(d, part, i);
        bool numeric = d->text.columns[column].numeric;
        (void)fprintf(d->to, "\\multicolumn{%zu}{%s>{%s\\arraybackslash}b{", span_of(d, column),
                      i == 0 && !d->layout.group ? "@{}" : "", numeric ? "\\centering" : "\\raggedright");
        put_length(d->to, d->layout.columns[column].header);
        (void)fprintf(d->to, "}%s}{%s}%s\n", i + 1 < n_places(d, part) ? "" : "@{}",
                      d->text.columns[column].header, i + 1 < n_places(d, part) ? " &" : "\\tabularnewline");
    }
    (void)fputs("\\midrule\n", d->to);
}

static void put_row_group(const struct document *d, const struct tare_latex_part *part, size_t row)
{
    const struct tare_table_group *g = row_group(d, row);
    if (!d->layout.group) {
        return;
    }
    if (g && (row == g->first || row == part->row)) {
        size_t end = g->first + g->n < part->row + part->n_rows ? g->first + g->n : part->row + part->n_rows;
        bool alone = end - row == 1; /* then the row itself grows with a long label */
        if (!alone) {
            (void)fprintf(d->to, "\\multirow[t]{%zu}{=}{\\raggedright ", end - row);
        }
        tare_latex_put(d->to, g->label);
        (void)fputs(alone ? "" : "}", d->to);
    }
    (void)fputs(" & ", d->to);
}

static void put_cell(const struct document *d, size_t row, size_t column)
{
    const struct tare_text_cell *cell = &d->text.cells[row * d->table->n_columns + column];
    if (d->text.columns[column].numeric) {
        const char *tail = cell->text + cell->head_bytes;
        bool blank = *tail == ' '; /* which would be lost at the begin of a column */
        (void)fprintf(d->to, "%.*s & %s%s", (int)cell->head_bytes, cell->text, blank ? "\\ " : "",
                      tail + blank);
    } else {
        (void)fprintf(d->to, "{}%s", cell->text);
    }
}

/* A line before what begins here: the rows behind the baseline, a group. */
static bool breaks_before(const struct document *d, const struct tare_latex_part *part, size_t row)
{
    const struct tare_table_group *g = row_group(d, row), *above = row > 0 ? row_group(d, row - 1) : NULL;
    return row > part->row && (row == d->table->n_baseline_rows || g != above);
}

static void put_rows(const struct document *d, const struct tare_latex_part *part)
{
    for (size_t row = part->row; row < part->row + part->n_rows; row++) {
        (void)fputs(breaks_before(d, part, row) ? "\\midrule\n" : "", d->to);
        put_row_group(d, part, row);
        for (size_t i = 0; i < n_places(d, part); i++) {
            put_cell(d, row, column_at(d, part, i));
            (void)fputs(i + 1 < n_places(d, part) ? " & " : " \\tabularnewline\n", d->to);
        }
    }
    (void)fputs("\\bottomrule\n\\end{tabular}", d->to);
}

/* tab: and the letters and digits of the title. */
static void put_label(const struct document *d)
{
    size_t n = 0;
    (void)fputs("\\label{tab:", d->to);
    for (const char *at = tare_text_or_empty(d->table->title); *at && n < 60; at++, n++) {
        bool plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9');
        (void)fputc(plain ? *at : '-', d->to);
    }
    (void)fputs(n ? "}" : "tare}", d->to);
}

static void put_caption(const struct document *d, size_t number)
{
    const char *title = *tare_text_or_empty(d->table->title) ? d->table->title : "Table";
    if (number > 0) {
        (void)fputs("\\addtocounter{table}{-1}", d->to);
    }
    (void)fputs("\\caption[", d->to);
    tare_latex_put(d->to, title);
    (void)fputs("]{", d->to);
    tare_latex_put(d->to, title);
    if (d->layout.n_pages > 1) {
        (void)fprintf(d->to, ", page %zu of %zu", number + 1, d->layout.n_pages);
    }
    (void)fputs(".", d->to);
    if (number == 0 && *tare_text_or_empty(d->table->caption)) {
        (void)fputs(" ", d->to);
        tare_latex_put(d->to, d->table->caption);
    }
    (void)fputs("}", d->to);
    if (number == 0) {
        put_label(d);
    }
    (void)fputs("\n", d->to);
}

static void put_notes(const struct document *d)
{
    (void)fputs("\\par\\medskip{\\TareNoteSize\\raggedright\\noindent\n", d->to);
    if (*d->text.legend) {
        (void)fprintf(d->to, "%s\\par\n", d->text.legend);
    }
    for (size_t i = 0; i < d->text.n_footnotes; i++) {
        (void)fprintf(d->to, "\\noindent\\textsuperscript{%zu}~", i + 1);
        tare_latex_put(d->to, d->text.footnotes[i].text);
        (void)fputs("\\par\n", d->to);
    }
    for (size_t i = 0; i < d->table->n_notes; i++) {
        (void)fputs("\\noindent{}", d->to);
        tare_latex_put(d->to, tare_text_or_empty(d->table->notes[i]));
        (void)fputs("\\par\n", d->to);
    }
    (void)fputs("}\n", d->to);
}

static void put_part(const struct document *d, const struct tare_latex_part *part)
{
    (void)fputs("\\begin{adjustbox}{max width=\\linewidth,max totalheight=0.82\\textheight}\n", d->to);
    put_spec(d, part);
    put_header(d, part);
    put_rows(d, part);
    (void)fputs("\n\\end{adjustbox}\\par\\medskip\n", d->to);
}

static void put_page(const struct document *d, size_t page)
{
    (void)fputs(d->layout.n_pages > 1 ? "\\begin{table}[p]\n" : "\\begin{table}[htbp]\n", d->to);
    (void)fputs("\\centering\\TareSetup\n", d->to);
    put_caption(d, page);
    (void)fputs("\\smallskip\n", d->to);
    for (size_t i = 0; i < d->layout.n_parts; i++) {
        if (d->layout.parts[i].page == page) {
            put_part(d, &d->layout.parts[i]);
        }
    }
    if (d->notes_float) {
        put_notes(d);
    }
    (void)fputs("\\end{table}\n", d->to);
    (void)fputs(d->layout.n_pages > 1 ? "\\clearpage\n" : "", d->to);
}

static void put_document(const struct document *d)
{
    put_preamble(d);
    (void)fputs("% ---- begin table ----\n", d->to);
    for (size_t page = 0; page < d->layout.n_pages; page++) {
        put_page(d, page);
    }
    if (!d->notes_float) {
        (void)fputs("{\\TareSetup", d->to);
        put_notes(d);
        (void)fputs("}\n", d->to);
    }
    (void)fputs("% ---- end table ----\n\\TareEnd\n", d->to);
}

static int write_latex(const struct tare_table *table, FILE *to, struct tare_err *err)
{
    struct document d = {.table = table, .to = to};
    int r = tare_table_check(table, err);
    r = r == 0 ? tare_text_init(&d.text, table, &tare_latex_style, err) : r;
    if (r < 0) {
        return r;
    }
    r = tare_latex_layout_init(&d.layout, table, err);
    if (r == 0) {
        d.notes_float = d.layout.n_parts == 1 && table->n_rows <= 20 &&
                        d.text.n_footnotes + table->n_notes <= most_floating_notes;
        put_document(&d);
        tare_latex_layout_fini(&d.layout);
    }
    tare_text_fini(&d.text);
    return r < 0 ? r : tare_table_flush(to, "latex", err);
}

const struct tare_format tare_format_latex = {
    .header = TARE_FORMAT_HEADER,
    .name = "latex",
    .summary = "a LaTeX document with booktabs tables, to compile or to \\input",
    .media_type = "application/x-latex; charset=us-ascii",
    .write = write_latex,
};
