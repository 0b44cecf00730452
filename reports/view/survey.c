/* SPDX-License-Identifier: Apache-2.0 */
/* Rows, columns and the best cell of each column. */
#include "survey_columns.h"

#include "reports/view/averages.h"
#include "reports/view/groups.h"
#include "reports/view/view_notes.h"

#include <stdio.h>
#include <string.h>

struct builder {
    const struct tare_report_input *in;
    const struct tare_view *view; /* NULL: none */
    struct tare_survey *out;
    const struct tare_report_cell **rows; /* the first run cell of each row */
    struct tare_view_groups groups;
    size_t *row_groups; /* of each row, index into the groups; n: none of them */
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

static void add_rows(struct builder *b, size_t group, bool baselines)
{
    for (size_t i = 0; i < b->in->n_cells; i++) {
        const struct tare_report_cell *c = &b->in->cells[i];
        bool known = is_baseline(c) != baselines || b->groups.of_cell[i] != group;
        for (size_t j = 0; j < b->n_rows && !known; j++) {
            known = same_row(b->rows[j], c);
        }
        if (!known) {
            b->row_groups[b->n_rows] = group;
            b->rows[b->n_rows++] = c;
        }
    }
}

/* Group by group, within each in the plan's order, those without a technique first. */
static void find_rows(struct builder *b)
{
    for (size_t group = 0; group <= b->groups.n; group++) {
        add_rows(b, group, true);
        add_rows(b, group, false);
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
        struct tare_survey_column *c = &b->columns.list[i];
        const char *key = key_of(b, c);
        if (!key) {
            return -1;
        }
        to[b->n_text + i] = (struct tare_table_column){
            .key = key, .header = c->header, .unit = c->unit, .better = c->better, .help = c->figure};
        tare_view_dress_column(b->view, c, &to[b->n_text + i]);
        c->better = to[b->n_text + i].better; /* ranked as it is headed */
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
    return (struct tare_table_cell){
        .type = TARE_CELL_ABSENT, .mark = "-", .text = why, .outcome = TARE_CELL_MISSING};
}

static struct tare_table_cell show(const struct tare_survey_column *column,
                                   const struct tare_report_cell *cell)
{
    const struct tare_figure *figure = tare_report_figure(cell, column->figure);
    return figure && !figure->absent && !tare_survey_belongs(column, figure) && tare_survey_is_valid(cell)
               ? absent("in another column: of another kind or scope")
               : tare_survey_cell_of(cell, figure, column->spec->decimals, column->spec->scale);
}

static struct tare_table_cell shown(const struct builder *b, const struct tare_survey_column *column,
                                    const struct tare_report_cell *cell)
{
    struct tare_table_cell shown = show(column, cell);
    tare_view_dress_cell(b->view, column, cell, &shown);
    return shown;
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
        to[b->n_text + i] = cell ? shown(b, c, cell) : absent("not in the plan");
    }
}

bool tare_survey_is_doubtful(const char *flags)
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
    return q->kind <= TARE_KIND_REPORTED && q->has_interval && q->level >= 0.95 &&
           !tare_survey_is_doubtful(q->flags);
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

/* What a cell is compared with: the rows of its group, or all. */
static bool are_rivals(const struct builder *b, size_t row, size_t other)
{
    bool within = b->view && b->view->rank_within_groups;
    return row != other && (!within || b->row_groups[row] == b->row_groups[other]);
}

/* Is the cell of this row better, beyond intervals, than those of all its rivals but `besides` (n_rows:
 * none)? False where there are no rivals. */
static bool beats_all(const struct builder *b, const struct tare_table_cell *cells, size_t n_columns,
                      size_t which, size_t row, size_t besides)
{
    size_t column = b->n_text + which, rivals = 0;
    const struct tare_survey_column *c = &b->columns.list[which];
    const struct tare_table_cell *x = &cells[row * n_columns + column];
    for (size_t j = 0; j < b->n_rows; j++) {
        const struct tare_table_cell *y = &cells[j * n_columns + column];
        if (!are_rivals(b, row, j) || j == besides || y->type != TARE_CELL_QUANTITY) {
            continue;
        }
        rivals++;
        if (!clearly_better(&x->q, &y->q, c->better) || !same_tokens(b, c, row, j)) {
            return false;
        }
    }
    return rivals > 0;
}

/* Best, and second: better than all but the best. */
static void mark_best(const struct builder *b, struct tare_table_cell *cells, size_t n_columns, size_t which)
{
    size_t column = b->n_text + which;
    for (size_t i = 0; i < b->n_rows && b->columns.list[which].better != TARE_BETTER_NONE; i++) {
        struct tare_table_cell *x = &cells[i * n_columns + column];
        if (x->type == TARE_CELL_QUANTITY && beats_all(b, cells, n_columns, which, i, b->n_rows)) {
            x->q.best = true;
            for (size_t j = 0; j < b->n_rows; j++) {
                struct tare_table_cell *y = &cells[j * n_columns + column];
                y->q.second = y->q.second || (y->type == TARE_CELL_QUANTITY && are_rivals(b, i, j) &&
                                              beats_all(b, cells, n_columns, which, j, i));
            }
        }
    }
}

/* Rows without a technique at the head of the table are set apart. */
static size_t count_baselines(const struct builder *b)
{
    size_t n = 0;
    while (n < b->n_rows && is_baseline(b->rows[n])) {
        n++;
    }
    return n < b->n_rows ? n : 0;
}

/* Averages, groups and baseline rows, when all other cells stand. Returns -1 when memory is refused. */
static int finish(const struct builder *b, struct tare_table_column *columns, struct tare_table_cell *cells)
{
    struct tare_table *table = &b->out->table;
    size_t n = 0;
    table->n_baseline_rows = count_baselines(b);
    if (!b->view) {
        return 0;
    }
    struct tare_table_group *groups = tare_arena_array(&b->out->arena, b->n_rows + 1, sizeof *groups);
    for (size_t row = 0; groups && row < b->n_rows; row++) {
        size_t group = b->row_groups[row];
        if (n > 0 && row > 0 && group == b->row_groups[row - 1]) {
            groups[n - 1].n++;
        } else if (b->groups.n > 0) {
            const char *label = group < b->groups.n ? b->groups.labels[group] : "Other";
            groups[n++] = (struct tare_table_group){row, 1, label};
        }
    }
    table->row_groups = groups;
    table->n_row_groups = n;
    return groups
               ? tare_view_average(b->view, &b->columns, b->n_text, b->n_rows, columns, cells, &b->out->arena)
               : -1;
}

static int build(struct builder *b)
{
    struct tare_arena *arena = &b->out->arena;
    size_t n = b->in->n_cells + 1;
    b->rows = tare_arena_array(arena, n, sizeof *b->rows);
    b->row_groups = tare_arena_array(arena, n, sizeof *b->row_groups);
    if (!b->rows || !b->row_groups || tare_survey_find_columns(b->in, arena, &b->columns) < 0 ||
        tare_view_find_groups(b->view, b->in, arena, &b->groups) < 0) {
        return -1;
    }
    find_rows(b);
    b->n_text = count_text_columns(b);
    size_t n_averages = b->view ? b->view->n_averages : 0;
    size_t n_columns = b->columns.n + b->n_text + n_averages;
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
        mark_best(b, cells, n_columns, i);
    }
    b->out->table = (struct tare_table){.title = b->view && b->view->title ? b->view->title : b->in->title,
                                        .caption = b->in->caption,
                                        .n_columns = n_columns,
                                        .n_rows = b->n_rows,
                                        .columns = columns,
                                        .cells = cells};
    return finish(b, columns, cells);
}

int tare_survey_build(const struct tare_report_input *input, const struct tare_view *view,
                      struct tare_survey *out, struct tare_err *err)
{
    struct tare_report_input chosen = *input;
    memset(out, 0, sizeof *out);
    struct builder b = {.in = &chosen, .view = view, .out = out};
    if (tare_view_choose(view, &chosen, &out->arena) < 0 || build(&b) < 0) {
        tare_survey_fini(out);
        return tare_err_set(err, TARE_E_NOMEM, "table: out of memory");
    }
    int r = tare_survey_explain(out, input, err);
    if (r == 0 && tare_view_explain(view, &chosen, &b.columns, b.n_text, out) < 0) {
        r = tare_err_set(err, TARE_E_NOMEM, "table: out of memory");
    }
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
