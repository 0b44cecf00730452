/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table as aligned plain text for a terminal. A table wider than a line is split into blocks of
 * columns, each of which repeats the first column, and the texts behind it that tell rows apart. It uses no
 * colours and no cursor movements, and no text of the table can smuggle any in: control characters are
 * replaced.
 */
#include "text.h"
#include "utf8.h"

#include <string.h>

enum { line_width = 120, gap = 2 };

static const char blanks[] = " \t\r\n";

static void put_clean_bytes(FILE *to, const char *text, size_t n)
{
    uint32_t code;
    const char *end = text + n;
    for (size_t step; text < end && (step = tare_utf8_next(text, &code)) > 0; text += step) {
        if (strchr(blanks, *text)) {
            (void)fputs(" ", to);
        } else if (code == TARE_UTF8_BAD || tare_utf8_is_control(code)) {
            (void)fputs(TARE_UTF8_PROXY, to);
        } else {
            (void)fwrite(text, 1, step, to);
        }
    }
}

static void put_clean(FILE *to, const char *text)
{
    put_clean_bytes(to, text, strlen(text));
}

/* The rest of a line that begins with `indent` columns already written, wrapped between words. */
static void put_wrapped(FILE *to, size_t indent, const char *text)
{
    size_t at = indent;
    for (bool first = true;; first = false) {
        text += strspn(text, blanks);
        size_t n = strcspn(text, blanks);
        if (n == 0) {
            break;
        }
        size_t width = tare_utf8_width(text, n);
        if (!first && at + 1 + width > line_width) {
            (void)fputs("\n", to);
            tare_text_pad(to, indent);
            at = indent;
        } else if (!first) {
            (void)fputs(" ", to);
            at++;
        }
        put_clean_bytes(to, text, n);
        at += width;
        text += n;
    }
    (void)fputs("\n", to);
}

/* The column behind the last one that fits on a line with the first n_keys columns and `begin`. */
static size_t block_end(const struct tare_text *text, size_t n_keys, size_t begin)
{
    size_t width = 0, end = begin;
    for (size_t i = 0; i < n_keys; i++) {
        width += text->columns[i].width + (i ? gap : 0);
    }
    while (end < text->table->n_columns) {
        width += gap + text->columns[end].width;
        if (width > line_width && end > begin) {
            break;
        }
        end++;
    }
    return end;
}

static void put_rule(const struct tare_text *text, FILE *to, size_t column)
{
    for (size_t n = text->columns[column].width; n > 0; n--) {
        (void)fputs("─", to);
    }
}

enum { header_line = -2, rule_line = -1 };

/* `line` is a row, or one of the two lines above the rows. */
static void put_piece(const struct tare_text *text, FILE *to, long line, size_t column, bool last)
{
    if (line == header_line) {
        tare_text_put_header(text, to, column, last);
    } else if (line == rule_line) {
        put_rule(text, to, column);
    } else {
        tare_text_put_cell(text, to, (size_t)line, column, last);
    }
    tare_text_pad(to, last ? 0 : gap);
}

/* The column behind the last one that has something to show: no line ends in blanks. */
static size_t line_end(const struct tare_text *text, long line, size_t begin, size_t end)
{
    if (line < 0) {
        return end;
    }
    const struct tare_text_cell *cells = text->cells + (size_t)line * text->table->n_columns;
    while (end > begin && cells[end - 1].head + cells[end - 1].tail == 0) {
        end--;
    }
    return end;
}

/* What stands between a row and the one above it: the end of the baseline, the begin of a group. */
static void put_breaks(const struct tare_text *text, FILE *to, size_t row)
{
    const struct tare_table *table = text->table;
    const struct tare_table_group *group = tare_table_group_of(table->row_groups, table->n_row_groups, row);
    if (row > 0 && row == table->n_baseline_rows) {
        put_rule(text, to, 0);
        (void)fputs("\n", to);
    }
    if (group && group->first == row) {
        (void)fputs("[", to);
        put_clean(to, group->label);
        (void)fputs("]\n", to);
    }
}

static void put_block(const struct tare_text *text, FILE *to, size_t n_keys, size_t begin, size_t end)
{
    for (long line = header_line; line < (long)text->table->n_rows; line++) {
        if (line >= 0) {
            put_breaks(text, to, (size_t)line);
        }
        size_t last = line_end(text, line, begin, end);
        for (size_t i = 0; i < n_keys; i++) {
            put_piece(text, to, line, i, begin == last && i + 1 == n_keys);
        }
        for (size_t i = begin; i < last; i++) {
            put_piece(text, to, line, i, i + 1 == last);
        }
        (void)fputs("\n", to);
    }
}

static void put_blocks(const struct tare_text *text, FILE *to)
{
    size_t n_keys = tare_table_count_keys(text->table), begin = n_keys;
    do {
        size_t end = block_end(text, n_keys, begin);
        (void)fputs(begin > n_keys ? "\n" : "", to);
        put_block(text, to, n_keys, begin, end);
        begin = end;
    } while (begin < text->table->n_columns);
}

static size_t digits_of(size_t number)
{
    return number < 10 ? 1 : 1 + digits_of(number / 10);
}

static void put_notes(const struct tare_text *text, FILE *to)
{
    if (*text->legend || text->n_footnotes > 0 || text->table->n_notes > 0) {
        (void)fputs("\n", to);
    }
    if (*text->legend) {
        put_wrapped(to, 0, text->legend);
    }
    for (size_t i = 0; i < text->n_footnotes; i++) {
        tare_text_put_mark(to, i + 1);
        (void)fputs(" ", to);
        put_wrapped(to, digits_of(i + 1) + 1, text->footnotes[i].text);
    }
    for (size_t i = 0; i < text->table->n_notes; i++) {
        (void)fputs("- ", to);
        put_wrapped(to, 2, tare_text_or_empty(text->table->notes[i]));
    }
}

static void put_best(void *ctx, FILE *to, const struct tare_quantity *q)
{
    (void)ctx;
    (void)fputs(q->best ? "*" : q->second ? "_" : "", to);
}

static int write_term(const struct tare_table *table, FILE *to, struct tare_err *err)
{
    static const struct tare_text_style style = {TARE_TEXT_SIGNS,  .put = put_clean,   .open = put_best,
                                                 .best_name = "*", .second_name = "_", .flat = true};
    struct tare_text text = {0};
    int r = tare_table_check(table, err);
    if (r == 0) {
        r = tare_text_init(&text, table, &style, err);
    }
    if (r != 0) {
        return r;
    }
    if (*tare_text_or_empty(table->title)) {
        put_wrapped(to, 0, table->title);
        (void)fputs("\n", to);
    }
    put_blocks(&text, to);
    put_notes(&text, to);
    if (*tare_text_or_empty(table->caption)) {
        (void)fputs("\n", to);
        put_wrapped(to, 0, table->caption);
    }
    tare_text_fini(&text);
    return tare_table_flush(to, "term", err);
}

const struct tare_format tare_format_term = {
    .header = TARE_FORMAT_HEADER,
    .name = "term",
    .summary = "aligned text for a terminal, in blocks of at most 120 columns",
    .media_type = "text/plain; charset=utf-8",
    .write = write_term,
};
