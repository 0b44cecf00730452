/* SPDX-License-Identifier: Apache-2.0 */
/* Rows, columns and the best cell of each column. */
#include "survey_columns.h"

#include <stdio.h>
#include <string.h>

struct builder {
    const struct tare_report_input *in;
    struct tare_survey *out;
    const struct tare_report_cell **rows; /* the first run cell of each row */
    size_t n_rows;
    size_t n_text; /* columns of text: model, technique and, if there are several, scenario */
    struct tare_survey_columns columns; /* behind those */
};

static bool same_row(const struct tare_report_cell *a, const struct tare_report_cell *b)
{
    return strcmp(a->model, b->model) == 0 && strcmp(a->technique, b->technique) == 0 &&
           strcmp(a->scenario, b->scenario) == 0;
}

static bool is_baseline(const struct tare_report_cell *c)
{
    return strcmp(c->technique, "baseline") == 0;
}

/* Rows in the plan's order, those without a technique first. */
static void find_rows(struct builder *b)
{
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < b->in->n_cells; i++) {
            const struct tare_report_cell *c = &b->in->cells[i];
            bool known = is_baseline(c) != (pass == 0);
            for (size_t j = 0; j < b->n_rows && !known; j++) {
                known = same_row(b->rows[j], c);
            }
            if (!known) {
                b->rows[b->n_rows++] = c;
            }
        }
    }
}

static size_t count_text_columns(const struct builder *b)
{
    for (size_t i = 1; i < b->in->n_cells; i++) {
        if (strcmp(b->in->cells[i].scenario, b->in->cells[0].scenario) != 0) {
            return 3;
        }
    }
    return 2;
}

static const char *key_of(struct builder *b, const struct tare_survey_column *c)
{
    const char *task = c->task ? c->task : "model";
    const char *class = !c->split ? "" : c->weak ? "#modelled" : "#read";
    const char *scope = c->split && c->scope ? c->scope : "";
    size_t n = strlen(c->figure) + strlen(task) + strlen(class) + strlen(scope) + 3;
    char *text = tare_arena_take(&b->out->arena, n);
    if (text) {
        (void)snprintf(text, n, "%s@%s%s%s%s", c->figure, task, class, *scope ? "#" : "", scope);
    }
    return text;
}

static int describe_columns(struct builder *b, struct tare_table_column *to)
{
    to[0] = (struct tare_table_column){.key = "model", .header = "Model"};
    to[1] = (struct tare_table_column){.key = "technique", .header = "Technique"};
    if (b->n_text > 2) {
        to[2] = (struct tare_table_column){.key = "scenario", .header = "Scenario"};
    }
    for (size_t i = 0; i < b->columns.n; i++) {
        const struct tare_survey_column *c = &b->columns.list[i];
        const char *key = key_of(b, c);
        if (!key) {
            return -1;
        }
        to[b->n_text + i] = (struct tare_table_column){
            .key = key, .header = c->header, .unit = c->unit, .better = c->better, .help = c->figure};
    }
    return 0;
}

/* Does x tell more than y? A value more than none, one of more repeats more than one of fewer. */
static bool tells_more(const struct tare_report_cell *x, const struct tare_report_cell *y, const char *figure)
{
    const struct tare_figure *f = tare_survey_is_valid(x) ? tare_report_figure(x, figure) : NULL;
    const struct tare_figure *g = tare_survey_is_valid(y) ? tare_report_figure(y, figure) : NULL;
    return f && !f->absent && (!g || g->absent || f->n > g->n);
}

/* The run's cell of a row that a column shows: its task's or, for what is of the model, the best of all. */
static const struct tare_report_cell *cell_at(const struct builder *b, size_t row,
                                              const struct tare_survey_column *column)
{
    const struct tare_report_cell *best = NULL;
    for (size_t i = 0; i < b->in->n_cells; i++) {
        const struct tare_report_cell *c = &b->in->cells[i];
        if (!same_row(c, b->rows[row])) {
            continue;
        }
        if (column->task && strcmp(c->task, column->task) == 0) {
            return c;
        }
        if (!column->task && (!best || tells_more(c, best, column->figure))) {
            best = c;
        }
    }
    return best;
}

static struct tare_table_cell absent(const char *why)
{
    return (struct tare_table_cell){.type = TARE_CELL_ABSENT, .mark = "-", .text = why};
}

static struct tare_table_cell show(const struct tare_survey_column *column,
                                   const struct tare_report_cell *cell)
{
    const struct tare_figure *figure = tare_report_figure(cell, column->figure);
    return figure && !figure->absent && !tare_survey_belongs(column, figure) && tare_survey_is_valid(cell)
               ? absent("in another column: of another kind or scope")
               : tare_survey_cell_of(cell, figure, column->spec->decimals, column->spec->scale);
}

static void fill_row(struct builder *b, size_t row, struct tare_table_cell *to)
{
    to[0] = (struct tare_table_cell){.type = TARE_CELL_TEXT, .text = b->rows[row]->model};
    to[1] = (struct tare_table_cell){.type = TARE_CELL_TEXT, .text = b->rows[row]->technique};
    if (b->n_text > 2) {
        to[2] = (struct tare_table_cell){.type = TARE_CELL_TEXT, .text = b->rows[row]->scenario};
    }
    for (size_t i = 0; i < b->columns.n; i++) {
        const struct tare_survey_column *c = &b->columns.list[i];
        const struct tare_report_cell *cell = cell_at(b, row, c);
        to[b->n_text + i] = cell ? show(c, cell) : absent("not in the plan");
    }
}

static bool flagged(const char *flags)
{
    static const char *const doubts[] = {"FEW_REPEATS",  "ONE_REPEAT",   "UNEQUAL_WORK",     "APART",
                                         "SLOW_BUILD",   "STREAM_STALL", "NONDETERMINISTIC", "DISAGREE",
                                         "NEVER_RANKED", "THROTTLED",    "SETTINGS_CHANGED", "TEMPERATURE"};
    for (size_t i = 0; i < sizeof doubts / sizeof *doubts; i++) {
        if (flags && strstr(flags, doubts[i])) {
            return true;
        }
    }
    return false;
}

/* May a ranking be built on it? It needs an interval of the nominal level and no flag that voids it; what a
 * model or a declaration says is not ranked at all. */
static bool can_rank(const struct tare_quantity *q)
{
    return q->kind <= TARE_KIND_REPORTED && q->has_interval && q->level >= 0.95 && !flagged(q->flags);
}

static bool same_text(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

/* Better beyond both intervals, and the same thing measured the same way. */
static bool clearly_better(const struct tare_quantity *x, const struct tare_quantity *y,
                           enum tare_better better)
{
    bool alike = x->kind == y->kind && same_text(x->source, y->source) && same_text(x->scope, y->scope);
    if (!alike || !can_rank(x) || !can_rank(y)) {
        return false;
    }
    return better == TARE_BETTER_HIGHER ? x->low > y->high : x->high < y->low;
}

/* Figures per token compare only where a token is the same thing. */
static bool counts_tokens(const char *figure)
{
    return strstr(figure, "tok") || strncmp(figure, "tpot", 4) == 0 || strncmp(figure, "decode_", 7) == 0;
}

static bool same_tokens(const struct builder *b, const struct tare_survey_column *c, size_t row, size_t other)
{
    const struct tare_report_cell *x = cell_at(b, row, c), *y = cell_at(b, other, c);
    return !counts_tokens(c->figure) || (x && y && same_text(x->tokenizer, y->tokenizer));
}

static void mark_best(const struct builder *b, struct tare_table_cell *cells, size_t n_columns, size_t which,
                      enum tare_better better)
{
    size_t column = b->n_text + which;
    for (size_t i = 0; i < b->n_rows && better != TARE_BETTER_NONE; i++) {
        struct tare_table_cell *x = &cells[i * n_columns + column];
        bool best = x->type == TARE_CELL_QUANTITY;
        size_t rivals = 0;
        for (size_t j = 0; j < b->n_rows && best; j++) {
            const struct tare_table_cell *y = &cells[j * n_columns + column];
            if (j != i && y->type == TARE_CELL_QUANTITY) {
                rivals++;
                best = clearly_better(&x->q, &y->q, better) && same_tokens(b, &b->columns.list[which], i, j);
            }
        }
        x->q.best = best && rivals > 0;
    }
}

static int build(struct builder *b)
{
    struct tare_arena *arena = &b->out->arena;
    size_t n = b->in->n_cells + 1;
    b->rows = tare_arena_array(arena, n, sizeof *b->rows);
    if (!b->rows || tare_survey_find_columns(b->in, arena, &b->columns) < 0) {
        return -1;
    }
    find_rows(b);
    b->n_text = count_text_columns(b);
    size_t n_columns = b->columns.n + b->n_text;
    struct tare_table_column *columns = tare_arena_array(arena, n_columns, sizeof *columns);
    struct tare_table_cell *cells = tare_arena_array(arena, n_columns * (b->n_rows + 1), sizeof *cells);
    if (!columns || !cells) {
        return -1;
    }
    memset(columns, 0, n_columns * sizeof *columns);
    if (describe_columns(b, columns) < 0) {
        return -1;
    }
    for (size_t i = 0; i < b->n_rows; i++) {
        fill_row(b, i, cells + i * n_columns);
    }
    for (size_t i = 0; i < b->columns.n; i++) {
        mark_best(b, cells, n_columns, i, columns[b->n_text + i].better);
    }
    b->out->table = (struct tare_table){.title = b->in->title,
                                        .caption = b->in->caption,
                                        .n_columns = n_columns,
                                        .n_rows = b->n_rows,
                                        .columns = columns,
                                        .cells = cells};
    return 0;
}

int tare_survey_build(const struct tare_report_input *input, struct tare_survey *out, struct tare_err *err)
{
    memset(out, 0, sizeof *out);
    struct builder b = {.in = input, .out = out};
    if (build(&b) < 0) {
        tare_survey_fini(out);
        return tare_err_set(err, TARE_E_NOMEM, "table: out of memory");
    }
    int r = tare_survey_explain(out, input, err);
    if (r < 0) {
        tare_survey_fini(out);
    }
    return r;
}

void tare_survey_fini(struct tare_survey *survey)
{
    tare_arena_fini(&survey->arena);
    memset(survey, 0, sizeof *survey);
}
