/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first survey's matrix: its categories in the order of its taxonomy, for each resource whether the
 * category is said to save it directly (D) or indirectly (i), and beside that what every technique of the run
 * saved, as a ratio to the untreated baseline model, above 1 is a saving. Ratios come from figures with an
 * interval, or from two exact counts; there are no bare quotients. A column is one figure on one task: the
 * one that most systems have.
 */
#include "reports/view/figures.h"
#include "reports/view/table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { n_resources = 5 };

static const char *const resources[n_resources] = {"Computation", "Memory", "Energy", "Money", "Network"};

/* Order and marks of the survey's figure 1 and table 2; '?' where its text leaves the cell open. */
static const struct category {
    const char *main, *sub, *prefix;
    const char *marks; /* one a resource: D, i, ? or . */
} categories[] = {
    {"Architecture", "Approximate attention", "arch.transformer.approx-attention", "DDii?"},
    {"Architecture", "Hardware-aware attention", "arch.transformer.hw-attention", "DDDi?"},
    {"Architecture", "Modular networks", "arch.nontransformer.modular", "Diii?"},
    {"Architecture", "Others", "arch.nontransformer.other", "Diii?"},
    {"Pre-training", "Data parallelism", "pretrain.memory.data-parallel", "iD..i"},
    {"Pre-training", "Model parallelism", "pretrain.memory.model-parallel", "iD..i"},
    {"Pre-training", "Mixed precision", "pretrain.memory.mixed-precision", "iD.ii"},
    {"Pre-training", "Data efficiency", "pretrain.data", "i..i."},
    {"Fine-tuning", "Adapters", "finetune.peft.adapter", "iD..."},
    {"Fine-tuning", "Masking", "finetune.peft.masking", "iD..."},
    {"Fine-tuning", "Full parameters", "finetune.full", "iDi.?"},
    {"Inference: pruning", "Unstructured", "infer.compress.prune.unstructured", "DDi.?"},
    {"Inference: pruning", "Structured", "infer.compress.prune.structured", "DDD.."},
    {"Inference: pruning", "Contextual", "infer.compress.prune.contextual", "D.D.?"},
    {"Inference: quantization", "Weights", "infer.compress.quant.weight", "iDDi?"},
    {"Inference: quantization", "Activations", "infer.compress.quant.activation", "iDD.."},
    {"Inference: quantization", "Fixed point", "infer.compress.quant.fixed-point", "iDD.."},
    {"Inference: other compression", "Distillation", "infer.compress.distill", "iD..."},
    {"Inference: other compression", "Low rank", "infer.compress.low-rank", "DD..."},
    {"Inference: dynamic", "Early exit", "infer.dynamic.early-exit", "D.ii?"},
    {"Inference: dynamic", "Input pruning", "infer.dynamic.input-pruning", "Di..?"},
    {"Inference: dynamic", "Token parallelism", "infer.dynamic.token-parallel", "Di..?"},
    {"System", "Offloading", "system.deploy.offload", ".DD.?"},
    {"System", "Collaborative inference", "system.deploy.collaborative", "iDiD."},
};

enum {
    n_categories = sizeof categories / sizeof *categories,
    n_text = 2,
    n_columns = n_text + 2 * n_resources
};

/* What speaks for a resource: a figure that is a ratio to the baseline, in the order of preference. */
static const struct evidence {
    const char *figure;
    bool lower_is_saving;
} evidence[n_resources][3] = {
    {{"decode_speedup", false}, {"speedup", false}, {NULL, false}},
    {{"compression_ratio", false}, {NULL, false}, {NULL, false}},
    {{"energy_ratio", true}, {NULL, false}, {NULL, false}},
    {{NULL, false}, {NULL, false}, {NULL, false}},
    {{NULL, false}, {NULL, false}, {NULL, false}},
};

static const char *const nothing[n_resources] = {
    "no speed-up with an interval: no baseline, or too few blocks that both completed",
    "no compression ratio: no baseline", "no energy ratio: no meter works here, or no baseline",
    "no ratio of costs is derived: declare prices and compare cost_per_mtok",
    "no ratio of traffic is derived: nothing was sent"};

static struct tare_table_cell text(const char *what)
{
    return (struct tare_table_cell){.type = TARE_CELL_TEXT, .text = what};
}

static struct tare_table_cell missing(const char *why)
{
    return (struct tare_table_cell){
        .type = TARE_CELL_ABSENT, .mark = "-", .text = why, .outcome = TARE_CELL_MISSING};
}

static struct tare_table_cell mark_of(char mark)
{
    return mark == 'D'   ? text("D")
           : mark == 'i' ? text("i")
           : mark == '?' ? missing("the survey's table leaves open whether it is meant")
                         : (struct tare_table_cell){.type = TARE_CELL_EMPTY};
}

static struct tare_table_cell as_saving(const struct tare_report_cell *cell, const struct tare_figure *f,
                                        bool lower)
{
    struct tare_table_cell to = tare_survey_cell_of(cell, f, 2, 0);
    if (to.type != TARE_CELL_QUANTITY) {
        return to;
    }
    if (!to.q.has_interval || !(to.q.low > 0)) {
        return missing("a ratio without an interval above 0: it takes repeats of both sides");
    }
    if (lower) {
        double low = to.q.low;
        to.q.value = 1 / to.q.value;
        to.q.low = 1 / to.q.high;
        to.q.high = 1 / low;
    }
    return to;
}

/* The figure and task that speak for a resource, in the whole table. */
struct choice {
    const struct evidence *of; /* NULL: nobody has any */
    const char *task;          /* NULL: it is of the model */
    int kind;
    const char *scope;
};

static const struct tare_figure *value_of(const struct tare_report_cell *c, const char *figure)
{
    const struct tare_figure *f = tare_survey_is_valid(c) ? tare_report_figure(c, figure) : NULL;
    return f && !f->absent ? f : NULL;
}

static bool is_of_task(const struct choice *choice, const struct tare_report_cell *c)
{
    return !choice->task || strcmp(c->task, choice->task) == 0;
}

/* Is it what the column shows: of its task, kind and scope? */
static const struct tare_figure *chosen_of(const struct choice *choice, const struct tare_report_cell *c)
{
    const struct tare_figure *f = is_of_task(choice, c) ? value_of(c, choice->of->figure) : NULL;
    return f && f->kind == choice->kind && strcmp(f->scope, choice->scope) == 0 ? f : NULL;
}

/* How many cells could be shown. */
static size_t count(const struct tare_report_input *in, const struct choice *choice)
{
    size_t n = 0;
    for (size_t i = 0; i < in->n_cells; i++) {
        const struct tare_figure *f = chosen_of(choice, &in->cells[i]);
        n += f && f->low > 0 && isfinite(f->high) ? 1 : 0;
    }
    return n;
}

/* The first figure, in the order of preference, that any cell has with an interval, on the task where most
 * have it. */
static struct choice choose(const struct tare_report_input *in, size_t resource)
{
    struct choice best = {.of = NULL};
    size_t most = 0;
    for (const struct evidence *e = evidence[resource]; e->figure && !best.of; e++) {
        const struct tare_figure_look *look = tare_figure_look(e->figure);
        for (size_t i = 0; i < in->n_cells; i++) {
            const struct tare_figure *f = value_of(&in->cells[i], e->figure);
            struct choice c = {e, look && look->of_model ? NULL : in->cells[i].task, f ? f->kind : 0,
                               f ? f->scope : ""};
            size_t n = f ? count(in, &c) : 0;
            if (n > most) {
                most = n;
                best = c;
            }
        }
    }
    return best;
}

static bool same_system(const struct tare_report_cell *a, const struct tare_report_cell *b)
{
    return strcmp(a->model, b->model) == 0 && strcmp(a->technique, b->technique) == 0 &&
           strcmp(a->backend, b->backend) == 0 && strcmp(a->scenario, b->scenario) == 0;
}

static struct tare_table_cell shown(const struct choice *choice, const struct tare_report_cell *c)
{
    const struct tare_figure *f = chosen_of(choice, c);
    return f || !value_of(c, choice->of->figure)
               ? as_saving(c, f ? f : tare_report_figure(c, choice->of->figure), choice->of->lower_is_saving)
               : missing("of another kind or scope than the column");
}

/* What the system saved of the resource; where none of its cells that could say has a value, why not. */
static struct tare_table_cell saving(const struct tare_report_input *in, const struct tare_report_cell *of,
                                     const struct choice *choice, const char *why_none)
{
    struct tare_table_cell to =
        missing(choice->of ? "the column's task is not in the plan for it" : why_none);
    bool any = false;
    for (size_t i = 0; choice->of && i < in->n_cells; i++) {
        const struct tare_report_cell *c = &in->cells[i];
        if (!same_system(c, of) || !is_of_task(choice, c)) {
            continue;
        }
        struct tare_table_cell found = shown(choice, c);
        if (found.type == TARE_CELL_QUANTITY) {
            return found;
        }
        to = any ? to : found;
        any = true;
    }
    return to;
}

struct maker {
    const struct tare_report_input *in;
    struct tare_survey *out;
    struct tare_table_cell *cells;
    struct tare_table_group *groups;
    struct choice choices[n_resources];
    size_t n_rows, n_groups;
};

static const char *name_of(struct maker *m, const struct tare_report_cell *c)
{
    char name[400];
    (void)snprintf(name, sizeof name, "%.190s%s%.190s", c->model, " ", c->technique);
    return tare_arena_copy(&m->out->arena, name, strlen(name) + 1);
}

/* A row of the category; cell NULL: no technique of the run is of it. */
static int add_row(struct maker *m, const struct category *category, const struct tare_report_cell *cell)
{
    struct tare_table_cell *to = m->cells + m->n_rows * n_columns;
    const char *name = cell ? name_of(m, cell) : NULL;
    bool begun = m->n_groups > 0 && strcmp(m->groups[m->n_groups - 1].label, category->main) == 0;
    if (cell && !name) {
        return -1;
    }
    to[0] = text(category->sub);
    to[1] = name ? text(name) : missing("no technique of the run is of this category");
    for (size_t r = 0; r < n_resources; r++) {
        to[n_text + 2 * r] = mark_of(category->marks[r]);
        to[n_text + 2 * r + 1] = cell ? saving(m->in, cell, &m->choices[r], nothing[r])
                                      : missing("no technique of the run is of this category");
    }
    if (begun) {
        m->groups[m->n_groups - 1].n++;
    } else {
        m->groups[m->n_groups++] = (struct tare_table_group){m->n_rows, 1, category->main};
    }
    m->n_rows++;
    return 0;
}

/* Is it the first cell of its system? */
static bool is_first(const struct tare_report_input *in, size_t which)
{
    const struct tare_report_cell *c = &in->cells[which];
    for (size_t i = 0; i < which; i++) {
        if (same_system(&in->cells[i], c)) {
            return false;
        }
    }
    return true;
}

static int add_category(struct maker *m, const struct category *category)
{
    size_t before = m->n_rows;
    int r = 0;
    for (size_t i = 0; r == 0 && i < m->in->n_cells; i++) {
        const struct tare_report_cell *c = &m->in->cells[i];
        if (tare_view_is_below(c->tag ? c->tag : c->technique, category->prefix) && is_first(m->in, i)) {
            r = add_row(m, category, c);
        }
    }
    return r == 0 && m->n_rows == before ? add_row(m, category, NULL) : r;
}

static void describe(struct tare_table_column *to)
{
    static const char *const keys[n_resources][2] = {{"computation_claimed", "computation_saving"},
                                                     {"memory_claimed", "memory_saving"},
                                                     {"energy_claimed", "energy_saving"},
                                                     {"money_claimed", "money_saving"},
                                                     {"network_claimed", "network_saving"}};
    to[0] = (struct tare_table_column){.key = "sub_category", .header = "Sub-category"};
    to[1] = (struct tare_table_column){.key = "system", .header = "Model and technique"};
    for (size_t r = 0; r < n_resources; r++) {
        to[n_text + 2 * r] = (struct tare_table_column){.key = keys[r][0], .header = "claimed"};
        to[n_text + 2 * r + 1] = (struct tare_table_column){
            .key = keys[r][1], .header = "measured", .unit = "x", .better = TARE_BETTER_HIGHER};
    }
}

/* "Computation: decode_speedup of decode-128."; NULL when memory is refused. */
static const char *note_of(struct tare_survey *out, const struct choice *choice, size_t resource)
{
    char text[400];
    if (choice->of) {
        (void)snprintf(text, sizeof text, "%s: %s%s%s%.300s.", resources[resource],
                       choice->of->lower_is_saving ? "1 / " : "", choice->of->figure,
                       choice->task ? " of the task " : "", choice->task ? choice->task : "");
    } else {
        (void)snprintf(text, sizeof text, "%s: %s.", resources[resource], nothing[resource]);
    }
    return tare_arena_copy(&out->arena, text, strlen(text) + 1);
}

/* What the columns are, and behind it what flags and labels mean. */
static int add_notes(const struct maker *m, struct tare_err *err)
{
    static const char *const fixed[] = {
        "claimed: the first survey's table: D saves it directly, i indirectly; ? where its text leaves the "
        "cell open.",
        "measured: ratio to the untreated baseline model of the plan, above 1 is a saving."};
    enum { n_fixed = sizeof fixed / sizeof *fixed };
    struct tare_survey *out = m->out;
    const char **notes = NULL;
    int r = tare_survey_explain(out, m->in, err);
    size_t n = n_fixed + n_resources;
    if (r < 0) {
        return -1;
    }
    notes = tare_arena_array(&out->arena, n + out->table.n_notes, sizeof *notes);
    if (!notes) {
        return -1;
    }
    memcpy(notes, fixed, sizeof fixed);
    for (size_t i = 0; i < n_resources; i++) {
        notes[n_fixed + i] = note_of(out, &m->choices[i], i);
        if (!notes[n_fixed + i]) {
            return -1;
        }
    }
    for (size_t i = 0; i < out->table.n_notes; i++) {
        notes[n++] = out->table.notes[i];
    }
    out->table.notes = notes;
    out->table.n_notes = n;
    return 0;
}

static int build(const struct tare_report_input *in, const struct tare_view *view, struct tare_survey *out,
                 struct tare_err *err)
{
    struct tare_table_group *groups = tare_arena_array(&out->arena, n_resources, sizeof *groups);
    struct tare_table_column *columns = tare_arena_array(&out->arena, n_columns, sizeof *columns);
    size_t most = in->n_cells + n_categories;
    struct maker m = {.in = in, .out = out};
    m.cells = tare_arena_array(&out->arena, most * n_columns, sizeof *m.cells);
    m.groups = tare_arena_array(&out->arena, n_categories, sizeof *m.groups);
    if (!groups || !columns || !m.cells || !m.groups) {
        return -1;
    }
    memset(columns, 0, n_columns * sizeof *columns);
    describe(columns);
    for (size_t r = 0; r < n_resources; r++) {
        m.choices[r] = choose(in, r);
    }
    for (size_t i = 0; i < n_categories; i++) {
        if (add_category(&m, &categories[i]) < 0) {
            return -1;
        }
    }
    for (size_t r = 0; r < n_resources; r++) {
        groups[r] = (struct tare_table_group){n_text + 2 * r, 2, resources[r]};
    }
    out->table = (struct tare_table){.title = view->title ? view->title : in->title,
                                     .caption = in->caption,
                                     .n_columns = n_columns,
                                     .n_rows = m.n_rows,
                                     .columns = columns,
                                     .cells = m.cells,
                                     .n_row_groups = m.n_groups,
                                     .row_groups = m.groups,
                                     .n_column_groups = n_resources,
                                     .column_groups = groups};
    return add_notes(&m, err);
}

int tare_survey_build_resources(const struct tare_report_input *input, const struct tare_view *view,
                                struct tare_survey *out, struct tare_err *err)
{
    memset(out, 0, sizeof *out);
    if (build(input, view, out, err) < 0) {
        tare_survey_fini(out);
        return tare_err_set(err, TARE_E_NOMEM, "table: out of memory");
    }
    return 0;
}
