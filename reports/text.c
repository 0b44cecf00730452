/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cells as text: `value [low, high]` or `value u?`, the kind's letter where kinds differ, absent
 * marks, and footnotes numbered in the order in which a reader meets them. Every cell is made once,
 * measured in terminal columns, and kept until the format has placed it.
 */
#include "text.h"
#include "utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum sign {
    SIGN_HIGHER = 1,
    SIGN_LOWER = 2,
    SIGN_BEST = 4,
    SIGN_SECOND = 8,
    SIGN_RATIO = 16,
    SIGN_UNKNOWN = 32,
    SIGN_KIND = 64
};

/* m, c and r as in the field's own notes; M tells modelled from measured. */
static const char kind_letter[] = " mcrMd";

void tare_text_pad(FILE *to, size_t n)
{
    for (; n > 0; n--) {
        (void)fputc(' ', to);
    }
}

void tare_text_put_mark(FILE *to, size_t number)
{
    static const char *const raised[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    if (number >= 10) {
        tare_text_put_mark(to, number / 10);
    }
    (void)fputs(raised[number % 10], to);
}

static bool footnote_room(struct tare_text *t)
{
    if (t->n_footnotes < t->footnotes_room) {
        return true;
    }
    size_t room = t->footnotes_room ? 2 * t->footnotes_room : 16;
    struct tare_footnote *more = reallocarray(t->footnotes, room, sizeof *more);
    if (!more) {
        return false;
    }
    t->footnotes = more;
    t->footnotes_room = room;
    return true;
}

/* Cites a footnote, a new one unless somebody said the same before. Takes `text`; NULL: no memory. */
static void cite(struct tare_text *t, char *text)
{
    for (size_t i = 0; text && i < t->n_footnotes; i++) {
        if (strcmp(t->footnotes[i].text, text) == 0) {
            t->footnotes[i].cited = true;
            free(text);
            return;
        }
    }
    if (!text || !footnote_room(t)) {
        t->failed = true;
        free(text);
        return;
    }
    t->footnotes[t->n_footnotes++] = (struct tare_footnote){.text = text, .cited = true};
}

/* Puts the marks of all that was cited since the last call, lowest first. */
static void put_citations(struct tare_text *t, FILE *to)
{
    const char *lead = tare_text_or_empty(t->style->marks_open), *end = "";
    for (size_t i = 0; i < t->n_footnotes; i++) {
        if (t->footnotes[i].cited) {
            (void)fputs(lead, to);
            (t->style->put_mark ? t->style->put_mark : tare_text_put_mark)(to, i + 1);
            lead = ",";
            end = tare_text_or_empty(t->style->marks_close);
        }
        t->footnotes[i].cited = false;
    }
    (void)fputs(end, to);
}

/*
 * Decimals as asked for, unless they would turn the value into a zero that it is not, or into a row of
 * digits that it does not have: then the cell is written with an exponent, interval and all.
 */
static bool needs_exponent(double value, int decimals)
{
    return fabs(value) >= 1e15 || (fabs(value) > 0 && fabs(value) < 0.5 * pow(10, -decimals));
}

/* Never "-0.00": a sign without digits says nothing. */
static void put_number(const struct tare_text *t, FILE *to, double value, int decimals, bool exponent)
{
    char digits[64];
    if (exponent) {
        (void)snprintf(digits, sizeof digits, "%.1e", value);
    } else {
        (void)snprintf(digits, sizeof digits, "%.*f", decimals, value);
    }
    bool empty_sign = digits[0] == '-' && strcspn(digits, "123456789e") == strcspn(digits, "e");
    if (t->style->put_number) {
        t->style->put_number(to, digits + empty_sign);
    } else {
        (void)fputs(digits + empty_sign, to);
    }
}

static int decimals_of(const struct tare_quantity *q)
{
    return q->decimals < 0 ? 0 : q->decimals > 15 ? 15 : q->decimals;
}

/* The unit to write beside a value that is not in its column's unit, or NULL. */
static const char *odd_unit(const struct tare_table_column *column, const struct tare_quantity *q)
{
    const char *unit = *tare_text_or_empty(column->unit) ? column->unit : "1";
    if (q->display_scale < 0 || q->display_scale > 0 || strcmp(unit, q->unit) == 0) {
        return NULL;
    }
    return strcmp(q->unit, "1") == 0 ? "(no unit)" : q->unit;
}

/* False, and nothing put, when there is none that can be printed. */
static bool put_interval(const struct tare_text *t, FILE *to, const struct tare_quantity *q, bool exponent)
{
    double low = q->low * tare_quantity_scale(q), high = q->high * tare_quantity_scale(q);
    if (!q->has_interval || !isfinite(low) || !isfinite(high)) {
        return false;
    }
    /* Bounds far beyond the value may not fit its notation. */
    exponent = exponent || fabs(low) >= 1e15 || fabs(high) >= 1e15;
    (void)fprintf(to, " %s[", tare_text_or_empty(t->style->interval_open));
    put_number(t, to, low, decimals_of(q), exponent);
    (void)fputs(", ", to);
    put_number(t, to, high, decimals_of(q), exponent);
    (void)fprintf(to, "]%s", tare_text_or_empty(t->style->interval_close));
    return true;
}

static void put_quantity_notes(struct tare_text *t, FILE *to, const struct tare_quantity *q, bool interval)
{
    const char *flags = q->flags, *code;
    if (q->has_interval && !interval) {
        cite(t, strdup("a bound of the interval is not a finite number"));
    }
    for (size_t n; (n = tare_flags_next(&flags, &code)) > 0;) {
        char *note = NULL;
        cite(t, asprintf(&note, "flag %.*s", (int)(n < 4096 ? n : 4096), code) < 0 ? NULL : note);
    }
    put_citations(t, to);
}

/* " (1.08x)": three digits, for it is read as a rule of thumb. */
static void put_ratio(struct tare_text *t, FILE *to, const struct tare_quantity *q)
{
    if (!tare_quantity_has_ratio(q)) {
        return;
    }
    bool exponent = q->ratio >= 1e6 || q->ratio < 0.005;
    (void)fputs(" (", to);
    put_number(t, to, q->ratio, q->ratio < 9.995 ? 2 : q->ratio < 99.95 ? 1 : 0, exponent);
    (void)fprintf(to, "%s)", t->style->times);
    t->signs |= SIGN_RATIO;
}

static void put_value(struct tare_text *t, FILE *to, const struct tare_quantity *q, bool exponent)
{
    if (t->style->open) {
        t->style->open(t->style->ctx, to, q);
    }
    put_number(t, to, q->value * tare_quantity_scale(q), decimals_of(q), exponent);
    t->signs |= (q->best ? SIGN_BEST : 0u) | (q->second ? SIGN_SECOND : 0u);
}

/* Returns where the number ends, in bytes: there the column is aligned. */
static size_t put_quantity(struct tare_text *t, FILE *to, size_t column, const struct tare_quantity *q)
{
    unsigned kinds = t->columns[column].kinds;
    const char *unit = odd_unit(&t->table->columns[column], q);
    bool exponent = needs_exponent(q->value * tare_quantity_scale(q), decimals_of(q));
    put_value(t, to, q, exponent);
    size_t head = (size_t)ftell(to);
    if (t->style->close) {
        t->style->close(t->style->ctx, to, q);
        head = t->style->aligns_closed ? (size_t)ftell(to) : head;
    }
    if (unit) {
        (void)fputs(" ", to);
        t->style->put(to, unit);
    }
    put_ratio(t, to, q);
    bool interval = q->exact || put_interval(t, to, q, exponent);
    if (!interval) {
        (void)fputs(t->style->unknown, to);
    }
    if ((kinds & (kinds - 1)) != 0) {
        (void)fprintf(to, " (%c)", kind_letter[q->kind]);
        t->signs |= (unsigned)SIGN_KIND << q->kind;
    }
    put_quantity_notes(t, to, q, interval);
    t->signs |= interval ? 0u : SIGN_UNKNOWN;
    return head;
}

/* A mark that is its own reason needs no footnote. */
static size_t put_absent(struct tare_text *t, FILE *to, const struct tare_table_cell *cell)
{
    if (t->style->put_outcome) {
        t->style->put_outcome(to, cell);
    } else {
        t->style->put(to, cell->mark);
    }
    size_t head = (size_t)ftell(to);
    if (strcmp(cell->text, cell->mark) != 0) {
        cite(t, strdup(cell->text));
    }
    put_citations(t, to);
    return head;
}

static size_t put_cell(struct tare_text *t, FILE *to, size_t row, size_t column)
{
    struct tare_table_cell cell = tare_cell_settled(tare_table_at(t->table, row, column));
    if (cell.type == TARE_CELL_QUANTITY && !isfinite(cell.q.value * tare_quantity_scale(&cell.q))) {
        cell.type = TARE_CELL_ABSENT;
        cell.text = "the value is too large to print in this unit";
        cell.mark = "-";
        cell.outcome = TARE_CELL_MISSING;
    }
    if (cell.type == TARE_CELL_QUANTITY) {
        return put_quantity(t, to, column, &cell.q);
    }
    if (cell.type == TARE_CELL_ABSENT) {
        return put_absent(t, to, &cell);
    }
    if (cell.type == TARE_CELL_TEXT) {
        t->style->put(to, tare_text_or_empty(cell.text));
    }
    return (size_t)ftell(to);
}

static void make_cell(struct tare_text *t, size_t row, size_t column)
{
    struct tare_text_cell *cell = &t->cells[row * t->table->n_columns + column];
    struct tare_text_column *in = &t->columns[column];
    size_t n = 0;
    FILE *to = open_memstream(&cell->text, &n);
    if (!to) {
        t->failed = true;
        return;
    }
    size_t head = put_cell(t, to, row, column);
    if (!tare_stream_close(to, &cell->text)) {
        t->failed = true;
        return;
    }
    head = in->numeric ? head : 0;
    cell->head_bytes = head;
    cell->head = tare_utf8_width(cell->text, head);
    cell->tail = tare_utf8_width(cell->text + head, n - head);
    in->head = cell->head > in->head ? cell->head : in->head;
    in->tail = cell->tail > in->tail ? cell->tail : in->tail;
}

/* The sentence on a column's quantities becomes a footnote of its header. */
static void put_description(struct tare_text *t, FILE *to, size_t column)
{
    char *sentence = NULL;
    size_t n = 0;
    FILE *note = open_memstream(&sentence, &n);
    if (!note) {
        t->failed = true;
        return;
    }
    tare_column_describe(note, t->table, column);
    if (!tare_stream_close(note, &sentence)) {
        free(sentence);
        sentence = NULL;
    }
    cite(t, sentence);
    put_citations(t, to);
}

static void put_header(struct tare_text *t, FILE *to, size_t column)
{
    const struct tare_table_column *in = &t->table->columns[column];
    const struct tare_table_group *group =
        tare_table_group_of(t->table->column_groups, t->table->n_column_groups, column);
    if (group && t->style->flat && *group->label) {
        t->style->put(to, group->label);
        (void)fputs(": ", to);
    }
    t->style->put(to, *tare_text_or_empty(in->header) ? in->header : in->key);
    if (in->better == TARE_BETTER_HIGHER || in->better == TARE_BETTER_LOWER) {
        bool higher = in->better == TARE_BETTER_HIGHER;
        (void)fprintf(to, " %s", higher ? t->style->higher : t->style->lower);
        t->signs |= higher ? SIGN_HIGHER : SIGN_LOWER;
    }
    if (*tare_text_or_empty(in->unit) && strcmp(in->unit, "1") != 0) {
        (void)fputs(" (", to);
        t->style->put(to, in->unit);
        (void)fputs(")", to);
    }
    t->columns[column].kinds = tare_table_kinds(t->table, column);
    if (t->columns[column].kinds != 0) {
        put_description(t, to, column);
    }
}

static void make_header(struct tare_text *t, size_t column)
{
    struct tare_text_column *out = &t->columns[column];
    size_t n = 0;
    FILE *to = open_memstream(&out->header, &n);
    if (!to) {
        t->failed = true;
        return;
    }
    put_header(t, to, column);
    if (!tare_stream_close(to, &out->header)) {
        t->failed = true;
        return;
    }
    out->numeric = tare_table_is_numeric(t->table, column);
    out->header_width = tare_utf8_width(out->header, n);
}

static void put_legend(const struct tare_text *t, FILE *to)
{
    const char *lead = "";
    char times[64];
    (void)snprintf(times, sizeof times, "(...%s)", t->style->times);
    const struct {
        unsigned sign;
        const char *name, *meaning;
    } lines[] = {
        {SIGN_HIGHER, t->style->higher, " higher is better"},
        {SIGN_LOWER, t->style->lower, " lower is better"},
        {SIGN_BEST, t->style->best_name, " best of its column, intervals apart"},
        {SIGN_SECOND, t->style->second_name, " best of the rest, intervals apart"},
        {SIGN_RATIO, times, " ratio to the baseline"},
        {SIGN_UNKNOWN, t->style->unknown_name, " uncertainty not known"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (t->signs & lines[i].sign) {
            (void)fprintf(to, "%s%s%s", lead, lines[i].name, lines[i].meaning);
            lead = "; ";
        }
    }
    for (int kind = TARE_KIND_MEASURED; kind <= TARE_KIND_DECLARED; kind++) {
        if (t->signs & (unsigned)SIGN_KIND << kind) {
            (void)fprintf(to, "%s(%c) %s", lead, kind_letter[kind], tare_kind_name(kind));
            lead = "; ";
        }
    }
    (void)fputs(*lead ? "." : "", to);
}

static void make_legend(struct tare_text *t)
{
    size_t n = 0;
    FILE *to = open_memstream(&t->legend, &n);
    if (to) {
        put_legend(t, to);
    }
    t->failed = t->failed || !to || !tare_stream_close(to, &t->legend);
}

int tare_text_init(struct tare_text *text, const struct tare_table *table,
                   const struct tare_text_style *style, struct tare_err *err)
{
    struct tare_text t = {.table = table, .style = style};
    t.columns = calloc(table->n_columns, sizeof *t.columns);
    t.cells = calloc(table->n_rows * table->n_columns + 1, sizeof *t.cells);
    t.failed = !t.columns || !t.cells;
    for (size_t column = 0; !t.failed && column < table->n_columns; column++) {
        make_header(&t, column);
    }
    for (size_t i = 0; !t.failed && i < table->n_rows * table->n_columns; i++) {
        make_cell(&t, i / table->n_columns, i % table->n_columns);
    }
    for (size_t column = 0; !t.failed && column < table->n_columns; column++) {
        struct tare_text_column *c = &t.columns[column];
        c->width = c->head + c->tail > c->header_width ? c->head + c->tail : c->header_width;
    }
    if (!t.failed) {
        make_legend(&t);
    }
    if (t.failed) {
        tare_text_fini(&t);
        return tare_err_set(err, TARE_E_NOMEM, "no memory to lay out a table of %zu rows: ask for fewer",
                            table->n_rows);
    }
    *text = t;
    return 0;
}

void tare_text_fini(struct tare_text *text)
{
    size_t n_columns = text->columns ? text->table->n_columns : 0;
    size_t n_cells = text->cells ? text->table->n_rows * text->table->n_columns : 0;
    for (size_t i = 0; i < n_columns; i++) {
        free(text->columns[i].header);
    }
    for (size_t i = 0; i < n_cells; i++) {
        free(text->cells[i].text);
    }
    for (size_t i = 0; i < text->n_footnotes; i++) {
        free(text->footnotes[i].text);
    }
    free(text->columns);
    free(text->cells);
    free(text->footnotes);
    free(text->legend);
}

void tare_text_put_header(const struct tare_text *text, FILE *to, size_t column, bool last)
{
    const struct tare_text_column *c = &text->columns[column];
    size_t room = c->width - c->header_width;
    tare_text_pad(to, c->numeric ? room : 0);
    (void)fputs(c->header, to);
    tare_text_pad(to, c->numeric || last ? 0 : room);
}

void tare_text_put_cell(const struct tare_text *text, FILE *to, size_t row, size_t column, bool last)
{
    const struct tare_text_column *c = &text->columns[column];
    const struct tare_text_cell *cell = &text->cells[row * text->table->n_columns + column];
    size_t left = c->numeric ? c->width - c->tail - cell->head : 0;
    size_t right = c->width - left - cell->head - cell->tail;
    tare_text_pad(to, cell->head + cell->tail > 0 || !last ? left : 0);
    (void)fputs(cell->text, to);
    tare_text_pad(to, last ? 0 : right);
}
