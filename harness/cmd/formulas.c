/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the Markdown tables of the embedded pages: the first column that holds code names the figures. */
#include "cmd/formulas.h"

#include "figure_pages.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

enum { max_cells = 12, cell_bytes = 600 };

struct row {
    char cells[max_cells][cell_bytes];
    size_t n;
};

struct reader {
    const char *page;
    char section[200];
    struct row header;
    bool in_table;
};

static void trim(char *text)
{
    size_t n = strlen(text), first = strspn(text, " ");
    while (n > first && text[n - 1] == ' ') {
        n--;
    }
    memmove(text, text + first, n - first);
    text[n - first] = 0;
}

/* "| a | b |" into its cells; false: no row of a table. */
static bool split(const char *line, size_t n_line, struct row *to)
{
    to->n = 0;
    if (n_line < 2 || line[0] != '|') {
        return false;
    }
    for (size_t i = 1; i < n_line && to->n < max_cells;) {
        const char *bar = memchr(line + i, '|', n_line - i);
        size_t n = bar ? (size_t)(bar - (line + i)) : n_line - i;
        char *cell = to->cells[to->n++];
        (void)snprintf(cell, cell_bytes, "%.*s", (int)n, line + i);
        trim(cell);
        i += n + 1;
    }
    return to->n > 1;
}

static bool is_rule(const struct row *r)
{
    return strspn(r->cells[0], "-: ") == strlen(r->cells[0]);
}

/* Does the text name the figure in code marks? */
static bool names(const char *text, const char *figure)
{
    for (const char *from = strchr(text, '`'); from; from = strchr(from, '`')) {
        const char *end = strchr(from + 1, '`');
        char pattern[100];
        if (!end) {
            return false;
        }
        (void)snprintf(pattern, sizeof pattern, "%.*s", (int)(end - from - 1), from + 1);
        if (fnmatch(pattern, figure, 0) == 0) {
            return true;
        }
        from = end + 1;
    }
    return false;
}

/* The column that names figures: its heading says so. */
static const char *name_column(const struct reader *r, const struct row *row)
{
    for (size_t i = 0; i < row->n && i < r->header.n; i++) {
        const char *h = r->header.cells[i];
        if (strncmp(h, "figure", 6) == 0 || strncmp(h, "reading", 7) == 0) {
            return row->cells[i];
        }
    }
    return "";
}

static void add(const struct reader *r, const struct row *row, struct tare_json *to)
{
    struct tare_json *o = tare_json_add_object(to, NULL);
    tare_json_add_str(o, "page", r->page);
    tare_json_add_str(o, "section", r->section);
    for (size_t i = 0; i < row->n && i < r->header.n; i++) {
        if (row->cells[i][0]) {
            tare_json_add_str(o, r->header.cells[i][0] ? r->header.cells[i] : "note", row->cells[i]);
        }
    }
}

/* One line; true: it is of the figure, and was added. */
static bool take_line(struct reader *r, const char *line, size_t n, const char *figure, struct tare_json *to)
{
    struct row row;
    if (n > 2 && line[0] == '#') {
        (void)snprintf(r->section, sizeof r->section, "%.*s", (int)n, line);
        size_t marks = strspn(r->section, "# ");
        memmove(r->section, r->section + marks, strlen(r->section + marks) + 1);
    }
    if (!split(line, n, &row)) {
        r->in_table = false;
        return false;
    }
    if (!r->in_table) {
        r->header = row;
        r->in_table = true;
        return false;
    }
    if (is_rule(&row) || !names(name_column(r, &row), figure)) {
        return false;
    }
    add(r, &row, to);
    return true;
}

size_t tare_formulas_add(const char *figure, struct tare_json *to_array)
{
    size_t found = 0;
    for (size_t i = 0; i < sizeof figure_pages / sizeof *figure_pages; i++) {
        struct reader r = {.page = figure_pages[i].name};
        for (const char *line = figure_pages[i].text; *line;) {
            size_t n = strcspn(line, "\n");
            found += take_line(&r, line, n, figure, to_array);
            line += n + (line[n] == '\n');
        }
    }
    return found;
}
