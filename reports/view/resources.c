/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first survey's matrix: its categories in the order of its taxonomy, for each resource whether the
 * category is said to save it directly (D) or indirectly (i), and beside that what every technique of the run
 * saved, as a ratio to the untreated baseline model, above 1 is a saving. Ratios come from figures with an
 * interval, or from two exact counts; there are no bare quotients.
 */
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
    "no speed-up: no baseline, or no block was completed by both", "no compression ratio: no baseline",
    "no energy ratio: no meter works here, or no baseline",
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
    if (to.type == TARE_CELL_QUANTITY && lower) {
        double low = to.q.low;
        to.q.value = 1 / to.q.value;
        to.q.low = 1 / to.q.high;
        to.q.high = 1 / low;
    }
    return to;
}

/* Of the technique's cells the first, in the plan's order, that has the figure. */
static struct tare_table_cell saving(const struct tare_report_input *in, const struct tare_report_cell *of,
                                     size_t resource)
{
    for (const struct evidence *e = evidence[resource]; e->figure; e++) {
        for (size_t i = 0; i < in->n_cells; i++) {
            const struct tare_report_cell *c = &in->cells[i];
            bool same = strcmp(c->model, of->model) == 0 && strcmp(c->technique, of->technique) == 0;
            const struct tare_figure *f =
                same && tare_survey_is_valid(c) ? tare_report_figure(c, e->figure) : NULL;
            if (f && !f->absent) {
                return as_saving(c, f, e->lower_is_saving);
            }
        }
    }
    return missing(nothing[resource]);
}

struct maker {
    const struct tare_report_input *in;
    struct tare_survey *out;
    struct tare_table_cell *cells;
    struct tare_table_group *groups;
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
        to[n_text + 2 * r + 1] =
            cell ? saving(m->in, cell, r) : missing("no technique of the run is of this category");
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
        if (strcmp(in->cells[i].model, c->model) == 0 && strcmp(in->cells[i].technique, c->technique) == 0) {
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

static int build(const struct tare_report_input *in, const struct tare_view *view, struct tare_survey *out)
{
    static const char *const notes[] = {
        "claimed: the first survey's table: D saves it directly, i indirectly; ? where its text leaves the "
        "cell open.",
        "measured: ratio to the untreated baseline model of the plan, above 1 is a saving. Computation: "
        "speed-up of "
        "decoding, else of the whole task; Memory: stored bytes; Energy: joules of the same work."};
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
                                     .n_notes = sizeof notes / sizeof *notes,
                                     .notes = notes,
                                     .n_row_groups = m.n_groups,
                                     .row_groups = m.groups,
                                     .n_column_groups = n_resources,
                                     .column_groups = groups};
    return 0;
}

int tare_survey_build_resources(const struct tare_report_input *input, const struct tare_view *view,
                                struct tare_survey *out, struct tare_err *err)
{
    memset(out, 0, sizeof *out);
    if (build(input, view, out) < 0) {
        tare_survey_fini(out);
        return tare_err_set(err, TARE_E_NOMEM, "table: out of memory");
    }
    return 0;
}
