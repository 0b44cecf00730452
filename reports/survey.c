/* SPDX-License-Identifier: Apache-2.0 */
/* Rows, columns and the best cell of each column. */
#include "survey.h"

#include <stdio.h>
#include <string.h>

/* A column of the survey: a figure, how it is shown and which way is better. */
struct spec {
    const char *figure; /* NULL: the headline metric of every task, a column each */
    const char *header;
    const char *unit; /* shown */
    double scale;     /* to the shown unit */
    int decimals;
    enum tare_better better;
    bool of_model; /* the same for all tasks: no task in the header */
};

static const struct spec specs[] = {
    {"params_total", "Params", "M", 1e-6, 3, TARE_BETTER_NONE, true},
    {"stored_bytes", "Stored", "MB", 1e-6, 3, TARE_BETTER_LOWER, true},
    {"bits_per_weight", "Bits/weight", "bit", 0, 2, TARE_BETTER_LOWER, true},
    {NULL, NULL, NULL, 0, 4, TARE_BETTER_NONE, false},
    {"prefill_flops_per_tok", "Prefill", "MFLOP/tok", 1e-6, 3, TARE_BETTER_LOWER, false},
    {"decode_flops_per_tok", "Decode", "MFLOP/tok", 1e-6, 3, TARE_BETTER_LOWER, false},
    {"token_throughput", "Tokens/s", "ktok/s", 1e-3, 2, TARE_BETTER_HIGHER, false},
    {"ttft_p50", "TTFT p50", "ms", 1e3, 3, TARE_BETTER_LOWER, false},
    {"tpot_p50", "TPOT p50", "ms", 1e3, 4, TARE_BETTER_LOWER, false},
    {"decode_throughput", "Decode tok/s", "ktok/s", 1e-3, 2, TARE_BETTER_HIGHER, false},
    {"kv_bytes", "KV state", "kB", 1e-3, 1, TARE_BETTER_LOWER, false},
    {"peak_rss", "Peak RSS", "MB", 1e-6, 2, TARE_BETTER_LOWER, false},
    {"load_time", "Load", "ms", 1e3, 2, TARE_BETTER_LOWER, false},
    {"cpu_user", "CPU user", "s", 1, 3, TARE_BETTER_LOWER, false},
    {"speedup", "Speed-up", "x", 1, 2, TARE_BETTER_HIGHER, false},
};

enum { n_specs = sizeof specs / sizeof *specs };

/* What a column shows: a spec, for one task. */
struct column {
    const struct spec *spec;
    const char *task; /* NULL: any that has it */
    const char *figure;
    const char *unit;
    bool lower;
};

struct builder {
    const struct tare_survey_input *in;
    struct tare_survey *out;
    const struct tare_survey_cell **rows; /* the first run cell of each row */
    size_t n_rows;
    const char **tasks;
    size_t n_tasks;
    size_t n_text;          /* columns of text: model, technique and, if there are several, scenario */
    struct column *columns; /* behind those */
    size_t n_columns;
};

static bool same_row(const struct tare_survey_cell *a, const struct tare_survey_cell *b)
{
    return strcmp(a->model, b->model) == 0 && strcmp(a->technique, b->technique) == 0 &&
           strcmp(a->scenario, b->scenario) == 0;
}

static bool is_baseline(const struct tare_survey_cell *c)
{
    return strcmp(c->technique, "baseline") == 0;
}

/* Rows in the plan's order, those without a technique first. */
static void find_rows(struct builder *b)
{
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < b->in->n_cells; i++) {
            const struct tare_survey_cell *c = &b->in->cells[i];
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

static void find_tasks(struct builder *b)
{
    for (size_t i = 0; i < b->in->n_cells; i++) {
        bool known = false;
        for (size_t j = 0; j < b->n_tasks && !known; j++) {
            known = strcmp(b->tasks[j], b->in->cells[i].task) == 0;
        }
        if (!known) {
            b->tasks[b->n_tasks++] = b->in->cells[i].task;
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

static const struct tare_figure *find_figure(const struct tare_survey_cell *c, const char *name)
{
    for (size_t i = 0; i < c->n_figures; i++) {
        if (strcmp(c->figures[i].name, name) == 0) {
            return &c->figures[i];
        }
    }
    return NULL;
}

/* The first task, in the plan's order, for which any model has the figure; NULL if none has. */
static const char *task_with(const struct builder *b, const char *figure)
{
    for (size_t t = 0; t < b->n_tasks; t++) {
        for (size_t i = 0; i < b->in->n_cells; i++) {
            const struct tare_survey_cell *c = &b->in->cells[i];
            const struct tare_figure *f = strcmp(c->task, b->tasks[t]) == 0 ? find_figure(c, figure) : NULL;
            if (f && !f->absent) {
                return b->tasks[t];
            }
        }
    }
    return NULL;
}

static bool is_valid(const struct tare_survey_cell *c)
{
    return !c->verdict || strcmp(c->verdict, "VALID") == 0;
}

/* The task's headline: its first metric that a valid cell has a value of; failing that, its first. */
static const struct tare_metric *headline(const struct builder *b, const char *task)
{
    const struct tare_metric *first = NULL;
    for (size_t i = 0; i < b->in->n_cells; i++) {
        const struct tare_survey_cell *c = &b->in->cells[i];
        if (strcmp(c->task, task) != 0) {
            continue;
        }
        for (const struct tare_metric *m = c->metrics; m && m->name; m++) {
            const struct tare_figure *f = find_figure(c, m->name);
            if (f && !f->absent && is_valid(c)) {
                return m;
            }
        }
        first = first ? first : c->metrics;
    }
    return first && first->name ? first : NULL;
}

static void add_quality_columns(struct builder *b, const struct spec *spec)
{
    for (size_t t = 0; t < b->n_tasks; t++) {
        const struct tare_metric *m = headline(b, b->tasks[t]);
        if (m) {
            b->columns[b->n_columns++] =
                (struct column){spec, b->tasks[t], m->name, m->unit, m->lower_is_better};
        }
    }
}

/* A column that no model could fill is left out: the full view says why. */
static void find_columns(struct builder *b)
{
    for (size_t s = 0; s < n_specs; s++) {
        const char *task = specs[s].figure ? task_with(b, specs[s].figure) : NULL;
        if (!specs[s].figure) {
            add_quality_columns(b, &specs[s]);
        } else if (task) {
            b->columns[b->n_columns++] =
                (struct column){&specs[s], task, specs[s].figure, specs[s].unit, false};
        }
    }
}

static const char *format_text(struct builder *b, const char *fmt, const char *x, const char *y)
{
    int n = snprintf(NULL, 0, "%s%s%s", x, fmt, y);
    char *text = tare_arena_take(&b->out->arena, (size_t)n + 2);
    if (text) {
        (void)snprintf(text, (size_t)n + 2, "%s%s%s", x, fmt, y);
    }
    return text;
}

static const char *header_of(struct builder *b, const struct column *c)
{
    if (!c->spec->figure) {
        return format_text(b, " ", c->task, c->figure);
    }
    return c->spec->of_model ? c->spec->header : format_text(b, " @", c->spec->header, c->task);
}

static int describe_columns(struct builder *b, struct tare_table_column *to)
{
    to[0] = (struct tare_table_column){.key = "model", .header = "Model"};
    to[1] = (struct tare_table_column){.key = "technique", .header = "Technique"};
    if (b->n_text > 2) {
        to[2] = (struct tare_table_column){.key = "scenario", .header = "Scenario"};
    }
    for (size_t i = 0; i < b->n_columns; i++) {
        const struct column *c = &b->columns[i];
        bool quality = !c->spec->figure;
        struct tare_table_column *column = &to[b->n_text + i];
        column->key = format_text(b, "@", c->figure, c->spec->of_model ? "model" : c->task);
        column->header = header_of(b, c);
        column->unit = c->unit;
        column->better = !quality ? c->spec->better : c->lower ? TARE_BETTER_LOWER : TARE_BETTER_HIGHER;
        column->help = c->figure;
        if (!column->key || !column->header) {
            return -1;
        }
    }
    return 0;
}

/* The run's cell for a row and a task. */
static const struct tare_survey_cell *cell_at(const struct builder *b, size_t row, const char *task)
{
    for (size_t i = 0; i < b->in->n_cells; i++) {
        const struct tare_survey_cell *c = &b->in->cells[i];
        if (same_row(c, b->rows[row]) && strcmp(c->task, task) == 0) {
            return c;
        }
    }
    return NULL;
}

static void fill_row(struct builder *b, size_t row, struct tare_table_cell *to)
{
    to[0] = (struct tare_table_cell){.type = TARE_CELL_TEXT, .text = b->rows[row]->model};
    to[1] = (struct tare_table_cell){.type = TARE_CELL_TEXT, .text = b->rows[row]->technique};
    if (b->n_text > 2) {
        to[2] = (struct tare_table_cell){.type = TARE_CELL_TEXT, .text = b->rows[row]->scenario};
    }
    for (size_t i = 0; i < b->n_columns; i++) {
        const struct column *c = &b->columns[i];
        const struct tare_survey_cell *cell = cell_at(b, row, c->task);
        to[b->n_text + i] =
            cell ? tare_survey_cell_of(cell, find_figure(cell, c->figure), c->spec->decimals, c->spec->scale)
                 : (struct tare_table_cell){.type = TARE_CELL_ABSENT, .mark = "-", .text = "not in the plan"};
    }
}

static bool flagged(const char *flags)
{
    static const char *const doubts[] = {"FEW_REPEATS", "ONE_REPEAT",   "UNEQUAL_WORK",    "APART",
                                         "SLOW_BUILD",  "STREAM_STALL", "NONDETERMINISTIC"};
    for (size_t i = 0; i < sizeof doubts / sizeof *doubts; i++) {
        if (flags && strstr(flags, doubts[i])) {
            return true;
        }
    }
    return false;
}

/* May a ranking be built on it? It needs an interval of the nominal level and no flag that voids it. */
static bool can_rank(const struct tare_quantity *q)
{
    return q->has_interval && q->level >= 0.95 && !flagged(q->flags);
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

static bool same_tokens(const struct builder *b, const struct column *c, size_t row, size_t other)
{
    const struct tare_survey_cell *x = cell_at(b, row, c->task), *y = cell_at(b, other, c->task);
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
                best = clearly_better(&x->q, &y->q, better) && same_tokens(b, &b->columns[which], i, j);
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
    b->tasks = tare_arena_array(arena, n, sizeof *b->tasks);
    b->columns = tare_arena_array(arena, n + n_specs, sizeof *b->columns);
    if (!b->rows || !b->tasks || !b->columns) {
        return -1;
    }
    find_rows(b);
    find_tasks(b);
    find_columns(b);
    b->n_text = count_text_columns(b);
    size_t n_columns = b->n_columns + b->n_text;
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
    for (size_t i = 0; i < b->n_columns; i++) {
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

int tare_survey_build(const struct tare_survey_input *input, struct tare_survey *out, struct tare_err *err)
{
    memset(out, 0, sizeof *out);
    struct builder b = {.in = input, .out = out};
    if (build(&b) < 0) {
        tare_survey_fini(out);
        return tare_err_set(err, TARE_E_NOMEM, "table: out of memory");
    }
    int r = tare_survey_explain(out, err);
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
