/* SPDX-License-Identifier: Apache-2.0 */
/* Estimates and cuts. The numbers of a page are those of the preamble in latex.c: A4, margins of 18 mm, 8
 * point. */
#include "latex_layout.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

/* Widths in digits of about 4 points, heights in lines of about 10 points with the room of a caption taken
 * off. */
enum { portrait_width = 122, portrait_lines = 58, landscape_width = 182, landscape_lines = 36, gap = 2 };
enum { header_lines = 5 }; /* of a part: rules and the room above it as well */
enum { longest_text = 30, longest_group = 18 };

static void put_plain(FILE *to, const char *text)
{
    tare_utf8_put(to, text);
}

/* The longest piece of a header that has no joint at which it may break. */
static size_t longest_piece(const char *header)
{
    size_t longest = 0;
    while (*header) {
        size_t n = strcspn(header, " _./@");
        size_t width = tare_utf8_width(header, n);
        longest = width > longest ? width : longest;
        header += n + (header[n] != '\0');
    }
    return longest;
}

static size_t max_of(size_t a, size_t b)
{
    return a > b ? a : b;
}

static struct tare_latex_column measure(const struct tare_text_column *plain)
{
    struct tare_latex_column c = {0};
    size_t content = plain->head + (plain->tail * 17 + 19) / 20; /* intervals are in smaller print */
    if (!plain->numeric && content > longest_text) {
        content = c.paragraph = longest_text;
    }
    size_t third = (plain->header_width + 2) / 3;
    c.header = max_of(max_of(content, third), longest_piece(plain->header) + 2);
    c.width = max_of(content, c.header);
    return c;
}

static size_t measure_groups(const struct tare_table *table)
{
    size_t width = 0;
    for (size_t i = 0; i < table->n_row_groups; i++) {
        const char *label = table->row_groups[i].label;
        width = max_of(width, tare_utf8_width(label, strlen(label)));
    }
    return table->n_row_groups == 0 ? 0 : width > longest_group ? longest_group : max_of(width, 5);
}

/* How many lines a row takes. */
static size_t lines_of(const struct tare_latex_layout *l, size_t row)
{
    size_t lines = 1;
    for (size_t i = 0; i < l->table->n_columns; i++) {
        const struct tare_table_cell *cell = tare_table_at(l->table, row, i);
        if (l->columns[i].paragraph && cell->type == TARE_CELL_TEXT) {
            const char *text = tare_text_or_empty(cell->text);
            lines = max_of(lines, tare_utf8_width(text, strlen(text)) / (l->columns[i].paragraph - 6) + 1);
        }
    }
    return lines;
}

static size_t page_lines(const struct tare_latex_layout *l)
{
    return l->landscape ? landscape_lines : portrait_lines;
}

static size_t rows_end(const struct tare_latex_layout *l, size_t begin)
{
    size_t room = page_lines(l) - header_lines, end = begin;
    for (size_t lines = 0; end < l->table->n_rows; end++) {
        lines += lines_of(l, end);
        if (lines > room && end > begin) {
            break;
        }
    }
    return end;
}

static size_t keys_width(const struct tare_latex_layout *l)
{
    size_t width = l->group ? l->group + gap : 0;
    for (size_t i = 0; i < l->n_keys; i++) {
        width += l->columns[i].width + gap;
    }
    return width;
}

static size_t columns_end(const struct tare_latex_layout *l, size_t begin)
{
    size_t room = l->landscape ? landscape_width : portrait_width, width = keys_width(l), end = begin;
    while (end < l->table->n_columns) {
        width += l->columns[end].width + gap;
        if (width > room && end > begin) {
            break;
        }
        end++;
    }
    return end;
}

static bool add_part(struct tare_latex_layout *l, struct tare_latex_part part)
{
    struct tare_latex_part *more = reallocarray(l->parts, l->n_parts + 1, sizeof *more);
    if (!more) {
        return false;
    }
    l->parts = more;
    l->parts[l->n_parts++] = part;
    return true;
}

/* Parts stand one below the other as long as a page has room for them. */
static void number_pages(struct tare_latex_layout *l)
{
    size_t lines = 0, page = 0;
    for (size_t i = 0; i < l->n_parts; i++) {
        size_t own = header_lines;
        for (size_t row = 0; row < l->parts[i].n_rows; row++) {
            own += lines_of(l, l->parts[i].row + row);
        }
        if (i > 0 && lines + own > page_lines(l)) {
            page++;
            lines = 0;
        }
        lines += own;
        l->parts[i].page = page;
    }
    l->n_pages = page + 1;
}

static bool cut(struct tare_latex_layout *l)
{
    size_t row = 0;
    free(l->parts);
    l->parts = NULL;
    l->n_parts = 0;
    do {
        size_t end = rows_end(l, row), column = l->n_keys;
        do {
            size_t column_end = columns_end(l, column);
            if (!add_part(l, (struct tare_latex_part){row, end - row, column, column_end - column, 0})) {
                return false;
            }
            column = column_end;
        } while (column < l->table->n_columns);
        row = end;
    } while (row < l->table->n_rows);
    number_pages(l);
    return true;
}

/* Upright unless lying saves pages, or columns from being torn apart on the same number of them. */
static bool lay_out(struct tare_latex_layout *l)
{
    if (!cut(l)) {
        return false;
    }
    size_t n_pages = l->n_pages, n_parts = l->n_parts;
    l->landscape = n_parts > 1;
    if (!l->landscape || !cut(l)) {
        return !l->landscape;
    }
    l->landscape = l->n_pages < n_pages || (l->n_pages == n_pages && l->n_parts == 1);
    return l->landscape || cut(l);
}

int tare_latex_layout_init(struct tare_latex_layout *layout, const struct tare_table *table,
                           struct tare_err *err)
{
    static const struct tare_text_style style = {TARE_TEXT_SIGNS, .put = put_plain, .best_name = "",
                                                 .second_name = ""};
    struct tare_latex_layout l = {.table = table, .n_keys = tare_table_count_keys(table)};
    struct tare_text plain;
    int r = tare_text_init(&plain, table, &style, err);
    if (r < 0) {
        return r;
    }
    l.columns = calloc(table->n_columns, sizeof *l.columns);
    for (size_t i = 0; l.columns && i < table->n_columns; i++) {
        l.columns[i] = measure(&plain.columns[i]);
    }
    tare_text_fini(&plain);
    l.group = measure_groups(table);
    if (!l.columns || !lay_out(&l)) {
        tare_latex_layout_fini(&l);
        return tare_err_set(err, TARE_E_NOMEM, "no memory to lay out a table of %zu rows", table->n_rows);
    }
    *layout = l;
    return 0;
}

void tare_latex_layout_fini(struct tare_latex_layout *layout)
{
    free(layout->columns);
    free(layout->parts);
}
