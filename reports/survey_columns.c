/* SPDX-License-Identifier: Apache-2.0 */
/* From "figure@task" patterns to columns, and the table of how figures are shown. */
#include "survey_columns.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

static const char quality[] = "quality"; /* a task's headline metric */

#define HIGHER TARE_BETTER_HIGHER
#define LOWER  TARE_BETTER_LOWER

static const struct tare_survey_spec specs[] = {
    {"params_total", "Params", "M", 1e-6, 3, TARE_BETTER_NONE, true, true},
    {"stored_bytes", "Stored", "MB", 1e-6, 3, LOWER, true, true},
    {"bits_per_weight", "Bits/weight", "bit", 0, 2, LOWER, true, true},
    {quality, NULL, NULL, 0, 4, TARE_BETTER_NONE, false, true},
    {"prefill_flops_per_tok", "Prefill", "MFLOP/tok", 1e-6, 3, LOWER, false, true},
    {"decode_flops_per_tok", "Decode", "MFLOP/tok", 1e-6, 3, LOWER, false, true},
    {"token_throughput", "Tokens/s", "ktok/s", 1e-3, 2, HIGHER, false, true},
    {"ttft_p50", "TTFT p50", "ms", 1e3, 3, LOWER, false, true},
    {"tpot_p50", "TPOT p50", "ms", 1e3, 4, LOWER, false, true},
    {"decode_throughput", "Decode tok/s", "ktok/s", 1e-3, 2, HIGHER, false, true},
    {"kv_bytes", "KV state", "kB", 1e-3, 1, LOWER, false, true},
    {"peak_rss", "Peak RSS", "MB", 1e-6, 2, LOWER, false, true},
    {"load_time", "Load", "ms", 1e3, 2, LOWER, false, true},
    {"cpu_user", "CPU user", "s", 1, 3, LOWER, false, true},
    {"speedup", "Speed-up", "x", 1, 2, HIGHER, false, true},
    {"params_active", "Active", "M", 1e-6, 3, TARE_BETTER_NONE, true, false},
    {"params_non_zero", "Non-zero", "M", 1e-6, 3, TARE_BETTER_NONE, true, false},
    {"weights_stored_bytes", "Stored", "MB", 1e-6, 3, LOWER, true, false},
    {"weights_resident_bytes", "Resident", "MB", 1e-6, 3, LOWER, true, false},
    {"compression_ratio", "Compression", "x", 1, 2, HIGHER, true, false},
    {"apply_time", "Apply", "ms", 1e3, 1, LOWER, true, false},
    {"apply_peak_bytes", "Apply peak", "MB", 1e-6, 2, LOWER, true, false},
    {"calibration_tok", "Calibration", "tok", 1, 0, LOWER, true, false},
    {"prefill_throughput", "Prefill tok/s", "ktok/s", 1e-3, 2, HIGHER, false, false},
    {"output_throughput", "Output tok/s", "ktok/s", 1e-3, 2, HIGHER, false, false},
    {"prefill_speedup", "Prefill speed-up", "x", 1, 2, HIGHER, false, false},
    {"decode_speedup", "Decode speed-up", "x", 1, 2, HIGHER, false, false},
    {"state_bytes", "State", "kB", 1e-3, 1, LOWER, false, false},
    {"acceptance_rate", "Accepted", "%", 100, 1, HIGHER, false, false},
    {"tokens_per_pass", "Tokens/pass", "tok", 1, 2, HIGHER, false, false},
    {"predicted_speedup", "Predicted", "x", 1, 2, HIGHER, false, false},
    {"mean_exit_layer", "Exit layer", "1", 1, 2, LOWER, false, false},
};

enum { n_specs = sizeof specs / sizeof *specs, max_columns = 512 };

struct finder {
    const struct tare_survey_input *in;
    struct tare_arena *arena;
    struct tare_survey_columns *out;
    const char **tasks; /* in the plan's order */
    size_t n_tasks;
    bool failed;
};

const struct tare_figure *tare_survey_figure(const struct tare_survey_cell *c, const char *name)
{
    for (size_t i = 0; i < c->n_figures; i++) {
        if (strcmp(c->figures[i].name, name) == 0) {
            return &c->figures[i];
        }
    }
    return NULL;
}

bool tare_survey_is_valid(const struct tare_survey_cell *c)
{
    return !c->verdict || strcmp(c->verdict, "VALID") == 0;
}

static void find_tasks(struct finder *f)
{
    for (size_t i = 0; i < f->in->n_cells; i++) {
        bool known = false;
        for (size_t j = 0; j < f->n_tasks && !known; j++) {
            known = strcmp(f->tasks[j], f->in->cells[i].task) == 0;
        }
        if (!known) {
            f->tasks[f->n_tasks++] = f->in->cells[i].task;
        }
    }
}

/* The figure in any cell of the task (NULL: of any task), if one has a value. */
static const struct tare_figure *any_value(const struct finder *f, const char *figure, const char *task)
{
    for (size_t i = 0; i < f->in->n_cells; i++) {
        const struct tare_survey_cell *c = &f->in->cells[i];
        const struct tare_figure *found =
            !task || strcmp(c->task, task) == 0 ? tare_survey_figure(c, figure) : NULL;
        if (found && !found->absent) {
            return found;
        }
    }
    return NULL;
}

/* The first task, in the plan's order, for which any model has the figure; NULL if none has. */
static const char *task_with(const struct finder *f, const char *figure)
{
    for (size_t t = 0; t < f->n_tasks; t++) {
        if (any_value(f, figure, f->tasks[t])) {
            return f->tasks[t];
        }
    }
    return NULL;
}

/* The task's headline: its first metric that a valid cell has a value of; failing that, its first. */
static const struct tare_metric *headline(const struct finder *f, const char *task)
{
    const struct tare_metric *first = NULL;
    for (size_t i = 0; i < f->in->n_cells; i++) {
        const struct tare_survey_cell *c = &f->in->cells[i];
        if (strcmp(c->task, task) != 0) {
            continue;
        }
        for (const struct tare_metric *m = c->metrics; m && m->name; m++) {
            const struct tare_figure *found = tare_survey_figure(c, m->name);
            if (found && !found->absent && tare_survey_is_valid(c)) {
                return m;
            }
        }
        first = first ? first : c->metrics;
    }
    return first && first->name ? first : NULL;
}

static const char *join(struct finder *f, const char *x, const char *between, const char *y)
{
    size_t n = strlen(x) + strlen(between) + strlen(y) + 1;
    char *text = tare_arena_take(f->arena, n);
    f->failed = f->failed || !text;
    if (text) {
        (void)snprintf(text, n, "%s%s%s", x, between, y);
    }
    return text;
}

static void add(struct finder *f, const struct tare_survey_column *column)
{
    struct tare_survey_columns *to = f->out;
    for (size_t i = 0; i < to->n; i++) {
        const struct tare_survey_column *c = &to->list[i];
        bool same_task = !c->task == !column->task && (!c->task || strcmp(c->task, column->task) == 0);
        if (same_task && strcmp(c->figure, column->figure) == 0) {
            return;
        }
    }
    if (to->n < max_columns) {
        to->list[to->n++] = *column;
    }
}

static void add_quality(struct finder *f, const struct tare_survey_spec *spec, const char *task)
{
    const struct tare_metric *m = headline(f, task);
    if (m) {
        add(f, &(struct tare_survey_column){spec, task, m->name, m->unit, join(f, task, " ", m->name),
                                            m->lower_is_better ? TARE_BETTER_LOWER : TARE_BETTER_HIGHER});
    }
}

static void add_figure(struct finder *f, const struct tare_survey_spec *spec, const char *task)
{
    const char *header = task ? join(f, spec->header, " @", task) : spec->header;
    add(f, &(struct tare_survey_column){spec, task, spec->figure, spec->unit, header, spec->better});
}

static const struct tare_survey_spec *find_spec(const char *figure)
{
    for (size_t i = 0; i < n_specs; i++) {
        if (strcmp(specs[i].figure, figure) == 0) {
            return &specs[i];
        }
    }
    return NULL;
}

/* A figure that this file does not know is shown as it is. */
static const struct tare_survey_spec *make_spec(struct finder *f, const char *figure)
{
    const struct tare_survey_spec *known = find_spec(figure);
    const struct tare_figure *any = known ? NULL : any_value(f, figure, NULL);
    struct tare_survey_spec *spec = any ? tare_arena_array(f->arena, 1, sizeof *spec) : NULL;
    f->failed = f->failed || (any && !spec);
    if (spec) {
        *spec = (struct tare_survey_spec){
            .figure = any->name, .header = any->name, .unit = any->unit, .decimals = 4};
    }
    return known ? known : spec;
}

/* "figure" or "figure@task", the task a shell pattern. */
static void add_named(struct finder *f, const char *text)
{
    const char *at = strchr(text, '@');
    char figure[64];
    int n = snprintf(figure, sizeof figure, "%.*s", at ? (int)(at - text) : (int)strlen(text), text);
    const struct tare_survey_spec *spec = n > 0 && (size_t)n < sizeof figure ? make_spec(f, figure) : NULL;
    if (!spec) {
        return; /* no cell has such a figure */
    }
    if (!at && spec->figure != quality) {
        if (any_value(f, figure, NULL)) {
            add_figure(f, spec, spec->of_model ? NULL : task_with(f, figure));
        }
        return;
    }
    for (size_t t = 0; t < f->n_tasks; t++) {
        if (at && fnmatch(at + 1, f->tasks[t], 0) != 0) {
            continue;
        }
        if (spec->figure == quality) {
            add_quality(f, spec, f->tasks[t]);
        } else if (any_value(f, figure, f->tasks[t])) {
            add_figure(f, spec, f->tasks[t]);
        }
    }
}

int tare_survey_find_columns(const struct tare_survey_input *input, struct tare_arena *arena,
                             struct tare_survey_columns *out)
{
    struct finder f = {.in = input, .arena = arena, .out = out};
    out->n = 0;
    out->list = tare_arena_array(arena, max_columns, sizeof *out->list);
    f.tasks = tare_arena_array(arena, input->n_cells + 1, sizeof *f.tasks);
    if (!out->list || !f.tasks) {
        return -1;
    }
    find_tasks(&f);
    for (size_t i = 0; i < input->n_columns; i++) {
        add_named(&f, input->columns[i]);
    }
    for (size_t i = 0; input->n_columns == 0 && i < n_specs; i++) {
        if (specs[i].by_default) {
            add_named(&f, specs[i].figure);
        }
    }
    return f.failed ? -1 : 0;
}
