/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands on a page is what the table held: HTML is read back cell by cell, rows that share a text and
 * all; LaTeX is read for each number as it must be printed. Both readers are the test's own, and know no more
 * of the two languages than these pages need.
 */
#include "fixed_table.h"
#include "render.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { width = fixed_columns + 1 }; /* the column of groups stands first */

struct span {
    const char *begin; /* at the < of its tag */
    size_t n;
};

struct grid {
    struct span cells[fixed_rows][width];
};

static const struct tare_table_cell *cell_at(size_t row, size_t column)
{
    return &fixed_table.cells[row * fixed_columns + column];
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

/* The value of an attribute within a tag, or false. */
static bool attribute(const char *tag, const char *name, char *out, size_t room)
{
    char wanted[64];
    (void)snprintf(wanted, sizeof wanted, " %s=", name);
    const char *end = strchr(tag, '>'), *at = strstr(tag, wanted);
    assert_non_null(end);
    if (!at || at > end) {
        return false;
    }
    at += strlen(wanted);
    size_t n = *at == '"' ? strcspn(++at, "\"") : strcspn(at, " >");
    assert_true(n < room);
    memcpy(out, at, n);
    out[n] = '\0';
    return true;
}

static size_t rows_of(const char *tag)
{
    char digits[16];
    return attribute(tag, "rowspan", digits, sizeof digits) ? strtoul(digits, NULL, 10) : 1;
}

static const char *next_cell(const char *at, const char *end)
{
    for (; at < end; at++) {
        if (strncmp(at, "<td", 3) == 0 || (strncmp(at, "<th", 3) == 0 && at[3] != 'e')) {
            return at;
        }
    }
    return end;
}

/* Places the cells of one row, which those that span several rows have left. */
static void read_row(struct grid *grid, size_t row, const char *at, const char *end)
{
    for (size_t column = 0; column < width; column++) {
        if (grid->cells[row][column].begin) {
            continue;
        }
        at = next_cell(at, end);
        assert_true(at < end);
        const char *behind = next_cell(at + 3, end);
        for (size_t i = 0; i < rows_of(at); i++) {
            assert_true(row + i < fixed_rows && !grid->cells[row + i][column].begin);
            grid->cells[row + i][column] = (struct span){at, (size_t)(behind - at)};
        }
        at = behind;
    }
    assert_true(next_cell(at, end) == end);
}

static void read_grid(const char *page, struct grid *grid)
{
    memset(grid, 0, sizeof *grid);
    const char *at = strstr(page, "<tbody>"), *end = strstr(page, "</table>");
    assert_true(at && end);
    at = strstr(at, "<tr");
    for (size_t row = 0; row < fixed_rows; row++) {
        assert_true(at && at < end);
        const char *behind = strstr(at + 3, "<tr");
        behind = behind && behind < end ? behind : end;
        read_row(grid, row, at, behind);
        at = behind;
    }
    assert_true(at == end);
}

/* What a reader sees of the cell: without tags, entities resolved, and without the newline that ends a row.
 */
static char *shown(const struct span *cell)
{
    static const char *const entities[][2] = {
        {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&#39;", "'"}};
    char *text = calloc(1, cell->n + 1), *to = text;
    assert_non_null(text);
    for (size_t i = 0; i < cell->n; i++) {
        const char *at = cell->begin + i;
        if (*at == '<') {
            i += strcspn(at, ">");
            continue;
        }
        size_t known = 0;
        while (known < 5 && strncmp(at, entities[known][0], strlen(entities[known][0])) != 0) {
            known++;
        }
        assert_true(*at != '&' || known < 5);
        *to++ = known < 5 ? *entities[known][1] : *at;
        i += known < 5 ? strlen(entities[known][0]) - 1 : 0;
    }
    if (to > text && to[-1] == '\n') {
        to[-1] = '\0';
    }
    return text;
}

static void check_number(const char *tag, const char *name, double expected)
{
    char digits[64];
    bool there = attribute(tag, name, digits, sizeof digits);
    assert_int_equal(there, isfinite(expected) != 0);
    if (there) {
        char *end = NULL;
        double value = strtod(digits, &end);
        assert_true(*end == '\0' && value >= expected && value <= expected);
    }
}

/* The entry that says where the value comes from has all of it. */
static void check_origin(const char *page, const struct span *cell, const struct tare_quantity *q)
{
    const char *link = strstr(cell->begin, "<a href=#o");
    assert_true(link && link < cell->begin + cell->n);
    char entry[64], line[1024], n[64];
    (void)snprintf(entry, sizeof entry, "<li id=o%lu ", strtoul(link + 10, NULL, 10));
    const char *at = strstr(page, entry);
    assert_non_null(at);
    assert_true(strcspn(at, "\n") < sizeof line);
    (void)snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
    struct span span = {line, strlen(line)};
    char *text = shown(&span);
    assert_non_null(strstr(text, tare_kind_name((int)q->kind)));
    assert_non_null(strstr(text, q->unit));
    assert_non_null(strstr(text, or_empty(q->source)));
    assert_non_null(strstr(text, or_empty(q->scope)));
    (void)snprintf(n, sizeof n, "n %lld %s", (long long)q->n, or_empty(q->n_what));
    assert_true(q->n == 0 || strstr(text, n) != NULL);
    assert_true(!q->has_interval || strstr(text, or_empty(q->method)) != NULL);
    free(text);
}

static void check_html_quantity(const char *page, const struct span *cell, const struct tare_quantity *q)
{
    bool bounds = q->has_interval && isfinite(q->low) && isfinite(q->high);
    char *text = shown(cell), ratio[32];
    check_number(cell->begin, "data-v", q->value);
    check_number(cell->begin, "data-l", bounds ? q->low : (double)NAN);
    check_number(cell->begin, "data-h", bounds ? q->high : (double)NAN);
    check_origin(page, cell, q);
    assert_int_equal(strstr(text, "best") != NULL, q->best);
    assert_int_equal(strstr(text, "second") != NULL, q->second);
    assert_int_equal(strstr(text, "u?") != NULL, !bounds);
    (void)snprintf(ratio, sizeof ratio, "(%.2fx)", q->ratio);
    assert_int_equal(strstr(text, ratio) != NULL, q->ratio > 0);
    free(text);
}

static const char *outcome_word(const struct tare_table_cell *cell)
{
    static const char *const words[] = {"",     "MISSING", "SKIPPED", "INVALID",
                                        "FAIL", "CRASH",   "TIMEOUT", "OOM"};
    if (cell->type == TARE_CELL_ABSENT && cell->outcome != TARE_CELL_OK) {
        return words[cell->outcome];
    }
    return cell->type == TARE_CELL_ABSENT && strlen(or_empty(cell->mark)) > 1 ? cell->mark : "MISSING";
}

static void check_html_cell(const char *page, const struct span *span, const struct tare_table_cell *cell)
{
    char word[32];
    bool number = cell->type == TARE_CELL_QUANTITY && isfinite(cell->q.value);
    bool absent = !number && (cell->type == TARE_CELL_QUANTITY || cell->type == TARE_CELL_ABSENT);
    assert_int_equal(attribute(span->begin, "data-o", word, sizeof word), absent);
    if (number) {
        check_html_quantity(page, span, &cell->q);
    } else if (absent) {
        assert_string_equal(word, outcome_word(cell));
        check_number(span->begin, "data-v", (double)NAN);
    } else if (!strpbrk(or_empty(cell->text), "\t\a\x1b\xff")) { /* those are replaced */
        char *text = shown(span);
        assert_string_equal(text, or_empty(cell->text));
        free(text);
    }
}

static void test_html_reads_back(void **state)
{
    (void)state;
    struct grid grid;
    char *page = render(format_named("html"), &fixed_table);
    read_grid(page, &grid);
    for (size_t row = 0; row < fixed_rows; row++) {
        const char *label = "";
        for (size_t i = 0; i < fixed_table.n_row_groups; i++) {
            const struct tare_table_group *g = &fixed_table.row_groups[i];
            label = row >= g->first && row < g->first + g->n ? g->label : label;
        }
        char *group = shown(&grid.cells[row][0]);
        assert_string_equal(group, label);
        free(group);
        for (size_t i = 0; i < fixed_columns; i++) {
            check_html_cell(page, &grid.cells[row][i + 1], cell_at(row, i));
        }
    }
    free(page);
}

/* Every "<" of the page begins a tag that the format itself writes. */
static void test_html_lets_nothing_through(void **state)
{
    (void)state;
    char *page = render(format_named("html"), &fixed_table), *script = strstr(page, "<script nonce=tare>");
    assert_non_null(script);
    assert_null(strstr(script + 1, "<script"));
    *script = '\0';
    assert_null(strstr(page, "<script"));
    assert_null(strstr(page, "<co>"));
    assert_null(strstr(page, "<i>*"));
    assert_null(strpbrk(page, "\a\x1b\r"));
    free(page);
}

/* The lines of row i of all parts, one behind the other. */
static void read_rows(const char *source, char *rows[fixed_rows])
{
    size_t room = strlen(source) + 1;
    for (size_t i = 0; i < fixed_rows; i++) {
        rows[i] = calloc(1, room);
        assert_non_null(rows[i]);
    }
    while ((source = strstr(source, "\\toprule")) != NULL) {
        size_t row = 0;
        const char *line = strstr(source, "\\midrule\n"), *end = strstr(source, "\\bottomrule");
        assert_true(line && end);
        for (; line < end; line += strcspn(line, "\n") + 1) {
            if (strncmp(line, "\\midrule", 8) != 0) {
                assert_true(row < fixed_rows);
                (void)strncat(rows[row++], line, strcspn(line, "\n"));
            }
        }
        assert_int_equal(row, fixed_rows);
        source = end;
    }
}

/* A number as it must be printed. */
static const char *printed(double value, const struct tare_quantity *q, bool exponent, char *out, size_t room)
{
    double scaled = value * (q->display_scale > 0 ? q->display_scale : 1);
    if (exponent) {
        (void)snprintf(out, room, "\\num{%.1e}", scaled);
    } else {
        (void)snprintf(out, room, "\\num{%.*f}", q->decimals, scaled);
    }
    return out;
}

static void check_part(const char *row, const char *part)
{
    if (!strstr(row, part)) {
        fail_msg("no %s in %s", part, row);
    }
}

static void check_latex_quantity(const char *row, const struct tare_quantity *q)
{
    char value[64], low[64], high[64], part[256];
    double scaled = fabs(q->value * (q->display_scale > 0 ? q->display_scale : 1));
    bool exponent = scaled >= 1e15 || (scaled > 0 && scaled < 0.5 * pow(10, -q->decimals));
    (void)snprintf(part, sizeof part, "%s%s%s",
                   q->best     ? "\\textbf{"
                   : q->second ? "\\underline{"
                               : "",
                   printed(q->value, q, exponent, value, sizeof value), q->best || q->second ? "}" : "");
    check_part(row, part);
    if (q->has_interval && isfinite(q->low) && isfinite(q->high)) {
        (void)snprintf(part, sizeof part, "[%s, %s]", printed(q->low, q, exponent, low, sizeof low),
                       printed(q->high, q, exponent, high, sizeof high));
        check_part(row, part);
    }
    if (q->ratio > 0) {
        (void)snprintf(part, sizeof part, "(\\num{%.2f}$\\times$)", q->ratio);
        check_part(row, part);
    }
}

static void test_latex_reads_back(void **state)
{
    (void)state;
    char *source = render(format_named("latex"), &fixed_table), *rows[fixed_rows], mark[64];
    for (const char *at = source; *at; at++) {
        assert_true((unsigned char)*at < 0x7f && (*at >= ' ' || *at == '\n'));
    }
    read_rows(source, rows);
    for (size_t i = 0; i < fixed_rows * fixed_columns; i++) {
        const struct tare_table_cell *cell = cell_at(i / fixed_columns, i % fixed_columns);
        if (cell->type == TARE_CELL_QUANTITY && isfinite(cell->q.value)) {
            check_latex_quantity(rows[i / fixed_columns], &cell->q);
        } else if (cell->type == TARE_CELL_QUANTITY || cell->type == TARE_CELL_ABSENT) {
            const char *word = outcome_word(cell);
            (void)snprintf(mark, sizeof mark, "\\TareOutcome{%s}",
                           strcmp(word, "MISSING") == 0 ? "--" : word);
            check_part(rows[i / fixed_columns], mark);
        }
    }
    for (size_t i = 0; i < fixed_rows; i++) {
        free(rows[i]);
    }
    free(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_html_reads_back),
        cmocka_unit_test(test_html_lets_nothing_through),
        cmocka_unit_test(test_latex_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
