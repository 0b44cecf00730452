/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table as GitHub-flavoured Markdown, padded so that it reads as well in an editor. Cells hold one
 * line; a newline becomes <br>. Characters that Markdown would obey are escaped, so that a model named
 * a_b|c<d> prints as it is called.
 */
#include "text.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

enum { min_width = 3 }; /* of the line under the header, as the syntax demands */

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* An underscore within a word is harmless and stays readable. */
static bool needs_escape(const char *start, const char *at)
{
    if (*at == '_') {
        return at == start || !is_word(at[-1]) || !is_word(at[1]);
    }
    return *at && strchr("\\|*<`~", *at);
}

static void put_control(FILE *to, const char *start, const char *at)
{
    if (*at == '\n' && at > start && at[-1] == '\r') {
        return; /* its \r has broken the line */
    }
    (void)fputs(*at == '\n' || *at == '\r' ? "<br>" : *at == '\t' ? " " : TARE_UTF8_PROXY, to);
}

static void put_escaped(FILE *to, const char *text)
{
    uint32_t code;
    const char *at = text;
    for (size_t n; (n = tare_utf8_next(at, &code)) > 0; at += n) {
        if (code == TARE_UTF8_BAD) {
            (void)fputs(TARE_UTF8_PROXY, to);
        } else if (tare_utf8_is_control(code)) {
            put_control(to, text, at);
        } else {
            (void)fputs(needs_escape(text, at) ? "\\" : "", to);
            (void)fwrite(at, 1, n, to);
        }
    }
}

/* Text at the begin of a line: a sign that would make it a heading, list or quotation is escaped. */
static void put_paragraph(FILE *to, const char *text)
{
    (void)fputs(*text && strchr("#>+-=", *text) ? "\\" : "", to);
    put_escaped(to, text);
    (void)fputs("\n", to);
}

static size_t missing(const struct tare_text *text, size_t column)
{
    size_t width = text->columns[column].width;
    return width < min_width ? min_width - width : 0;
}

static void put_rule(const struct tare_text *text, FILE *to)
{
    for (size_t i = 0; i < text->table->n_columns; i++) {
        bool numeric = text->columns[i].numeric;
        (void)fputs(numeric ? "| " : "| :", to);
        for (size_t n = text->columns[i].width + missing(text, i); n > 1; n--) {
            (void)fputc('-', to);
        }
        (void)fputs(numeric ? ": " : " ", to);
    }
    (void)fputs("|\n", to);
}

/* A line of the table that says one thing, which Markdown has no other way to say. It is aligned with the
 * others where it fits. */
static void put_banner(struct tare_text *text, FILE *to, const char *label, const char *around)
{
    char *line = NULL;
    size_t n = 0;
    FILE *stream = open_memstream(&line, &n);
    if (stream) {
        (void)fputs(around, stream);
        put_escaped(stream, label);
        (void)fputs(around, stream);
    }
    if (!stream || !tare_stream_close(stream, &line)) {
        text->failed = true;
        free(line);
        return;
    }
    (void)fprintf(to, "| %s", line);
    size_t width = tare_utf8_width(line, n);
    free(line);
    for (size_t i = 0; i < text->table->n_columns; i++) {
        size_t room = text->columns[i].width + missing(text, i) + 1;
        tare_text_pad(to, i > 0 ? room + 1 : width < room ? room - width : 1);
        (void)fputs("|", to);
    }
    (void)fputs("\n", to);
}

/* What stands between the row and the one above it: the end of the baseline, the begin of a group. */
static void put_breaks(struct tare_text *text, FILE *to, size_t row)
{
    const struct tare_table *table = text->table;
    const struct tare_table_group *group = tare_table_group_of(table->row_groups, table->n_row_groups, row);
    bool begins = group && group->first == row;
    if (row > 0 && row == table->n_baseline_rows && !begins) {
        put_banner(text, to, "———", "");
    }
    if (begins) {
        put_banner(text, to, group->label, *group->label ? "**" : "");
    }
}

static void put_rows(struct tare_text *text, FILE *to)
{
    for (size_t i = 0; i < text->table->n_columns; i++) {
        (void)fputs("| ", to);
        tare_text_put_header(text, to, i, false);
        tare_text_pad(to, missing(text, i) + 1);
    }
    (void)fputs("|\n", to);
    put_rule(text, to);
    for (size_t row = 0; row < text->table->n_rows; row++) {
        put_breaks(text, to, row);
        for (size_t i = 0; i < text->table->n_columns; i++) {
            (void)fputs("| ", to);
            tare_text_put_cell(text, to, row, i, false);
            tare_text_pad(to, missing(text, i) + 1);
        }
        (void)fputs("|\n", to);
    }
}

static void put_notes(const struct tare_text *text, FILE *to)
{
    if (*text->legend) {
        (void)fprintf(to, "\n%s\n", text->legend);
    }
    for (size_t i = 0; i < text->n_footnotes; i++) {
        (void)fprintf(to, "%s%zu. ", i == 0 ? "\n" : "", i + 1);
        put_paragraph(to, text->footnotes[i].text);
    }
    for (size_t i = 0; i < text->table->n_notes; i++) {
        (void)fputs(i == 0 ? "\n- " : "- ", to);
        put_paragraph(to, tare_text_or_empty(text->table->notes[i]));
    }
}

static void put_best(void *ctx, FILE *to, const struct tare_quantity *q)
{
    (void)ctx;
    (void)fputs(q->best ? "**" : q->second ? "<u>" : "", to);
}

static void end_best(void *ctx, FILE *to, const struct tare_quantity *q)
{
    (void)ctx;
    (void)fputs(q->best ? "**" : q->second ? "</u>" : "", to);
}

static int write_md(const struct tare_table *table, FILE *to, struct tare_err *err)
{
    static const struct tare_text_style style = {
        TARE_TEXT_SIGNS,   .put = put_escaped,      .open = put_best,
        .close = end_best, .best_name = "**bold**", .second_name = "<u>underlined</u>",
        .flat = true};
    struct tare_text text = {0};
    int r = tare_table_check(table, err);
    if (r == 0) {
        r = tare_text_init(&text, table, &style, err);
    }
    if (r != 0) {
        return r;
    }
    if (*tare_text_or_empty(table->title)) {
        (void)fputs("### ", to);
        put_escaped(to, table->title);
        (void)fputs("\n\n", to);
    }
    put_rows(&text, to);
    put_notes(&text, to);
    if (*tare_text_or_empty(table->caption)) {
        (void)fputs("\n", to);
        put_paragraph(to, table->caption);
    }
    bool failed = text.failed;
    tare_text_fini(&text);
    return failed ? tare_err_set(err, TARE_E_NOMEM, "no memory for the groups of a table")
                  : tare_table_flush(to, "md", err);
}

const struct tare_format tare_format_md = {
    .header = TARE_FORMAT_HEADER,
    .name = "md",
    .summary = "Markdown table with footnotes, for papers and web pages",
    .media_type = "text/markdown; charset=utf-8",
    .write = write_md,
};
