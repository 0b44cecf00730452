/* SPDX-License-Identifier: Apache-2.0 */
/* From "figure@task" patterns to columns, and the table of how figures are shown. */
#include "survey_columns.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

static const char quality[] = TARE_FIGURE_QUALITY;

#define HIGHER TARE_BETTER_HIGHER
#define LOWER  TARE_BETTER_LOWER

enum { max_columns = 512 };

/* Shown where no cell has a value: readers must see that it is missing, and why. */
static bool is_always(const char *figure)
{
    return strcmp(figure, "energy_per_tok") == 0;
}

/* Never in one column with a value of another scope: a wall is no package. */
static bool is_by_scope(const char *figure)
{
    static const char *const starts[] = {"energy", "power_", "idle_power", "carbon_", "sci_", "cost_"};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        if (strncmp(figure, starts[i], strlen(starts[i])) == 0) {
            return true;
        }
    }
    return false;
}

struct finder {
    const struct tare_report_input *in;
    struct tare_arena *arena;
    struct tare_survey_columns *out;
    const char **tasks; /* in the plan's order */
    size_t n_tasks;
    size_t asked; /* the input's column that is being looked for */
    bool failed;
};

bool tare_survey_is_valid(const struct tare_report_cell *c)
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
        const struct tare_report_cell *c = &f->in->cells[i];
        const struct tare_figure *found =
            !task || strcmp(c->task, task) == 0 ? tare_report_figure(c, figure) : NULL;
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
        const struct tare_report_cell *c = &f->in->cells[i];
        if (strcmp(c->task, task) != 0) {
            continue;
        }
        for (const struct tare_metric *m = c->metrics; m && m->name; m++) {
            const struct tare_figure *found = tare_report_figure(c, m->name);
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

static bool is_weak(const struct tare_figure *figure)
{
    return figure->kind >= TARE_KIND_MODELLED;
}

static bool same_class(const struct tare_survey_column *c, bool weak, const char *scope)
{
    return c->weak == weak && (!c->scope || strcmp(c->scope, scope) == 0);
}

bool tare_survey_belongs(const struct tare_survey_column *column, const struct tare_figure *figure)
{
    return !column->split || same_class(column, is_weak(figure), figure->scope);
}

static void add(struct finder *f, const struct tare_survey_column *column)
{
    struct tare_survey_columns *to = f->out;
    for (size_t i = 0; i < to->n; i++) {
        const struct tare_survey_column *c = &to->list[i];
        bool same_task = !c->task == !column->task && (!c->task || strcmp(c->task, column->task) == 0);
        if (same_task && c->split == column->split && strcmp(c->figure, column->figure) == 0 &&
            (!c->split || same_class(c, column->weak, column->scope))) {
            return;
        }
    }
    if (to->n < max_columns) {
        to->list[to->n] = *column;
        to->list[to->n++].asked = f->asked;
    }
}

static void add_quality(struct finder *f, const struct tare_figure_look *spec, const char *task)
{
    const struct tare_metric *m = headline(f, task);
    if (m) {
        add(f, &(struct tare_survey_column){.spec = spec,
                                            .task = task,
                                            .figure = m->name,
                                            .unit = m->unit,
                                            .header = join(f, task, " ", m->name),
                                            .better = m->lower_is_better ? LOWER : HIGHER});
    }
}

/* The columns that the figure needs: one, or one for each class of values that must not mix. */
static size_t classes(const struct finder *f, const struct tare_figure_look *spec, const char *task,
                      struct tare_survey_column *out, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < f->in->n_cells; i++) {
        const struct tare_report_cell *c = &f->in->cells[i];
        const struct tare_figure *found =
            !task || strcmp(c->task, task) == 0 ? tare_report_figure(c, spec->figure) : NULL;
        bool known = !found || found->absent;
        for (size_t j = 0; j < n && !known; j++) {
            known = same_class(&out[j], is_weak(found), found->scope);
        }
        if (!known && n < max) {
            out[n++] = (struct tare_survey_column){.split = true,
                                                   .weak = is_weak(found),
                                                   .scope = is_by_scope(spec->figure) ? found->scope : NULL};
        }
    }
    return n;
}

static void add_figure(struct finder *f, const struct tare_figure_look *spec, const char *task)
{
    enum { max_classes = 16 };
    struct tare_survey_column apart[max_classes] = {{0}};
    const struct tare_figure *any = any_value(f, spec->figure, task);
    size_t n = classes(f, spec, task, apart, max_classes);
    for (size_t i = 0; i < (n > 1 ? n : 1); i++) {
        struct tare_survey_column c = n > 1 ? apart[i] : (struct tare_survey_column){0};
        const char *header = spec->header;
        if (c.split) {
            header = join(f, header, c.weak ? ", modelled or declared" : ", read or counted", "");
            header = c.scope && header ? join(f, header, ", ", c.scope) : header;
        }
        c.spec = spec;
        c.task = task;
        c.figure = spec->figure;
        c.unit = spec->unit ? spec->unit : any ? any->unit : "1";
        c.header = task && header ? join(f, header, " @", task) : header;
        c.better = spec->better;
        add(f, &c);
    }
}

/* A figure that this file does not know is shown as it is. */
static const struct tare_figure_look *make_spec(struct finder *f, const char *figure)
{
    const struct tare_figure_look *known = tare_figure_look(figure);
    const struct tare_figure *any = known ? NULL : any_value(f, figure, NULL);
    struct tare_figure_look *spec = any ? tare_arena_array(f->arena, 1, sizeof *spec) : NULL;
    f->failed = f->failed || (any && !spec);
    if (spec) {
        *spec = (struct tare_figure_look){
            .figure = any->name, .header = any->name, .unit = any->unit, .decimals = 4};
    }
    return known ? known : spec;
}

/* Of the model, or of the first task that has it. */
static void add_anywhere(struct finder *f, const struct tare_figure_look *spec)
{
    if (any_value(f, spec->figure, NULL)) {
        add_figure(f, spec, spec->of_model ? NULL : task_with(f, spec->figure));
    } else if (is_always(spec->figure) && f->n_tasks > 0) {
        add_figure(f, spec, f->tasks[0]);
    }
}

/* "figure" or "figure@task", the task a shell pattern. */
static void add_named(struct finder *f, const char *text)
{
    const char *at = strchr(text, '@');
    char figure[64];
    int n = snprintf(figure, sizeof figure, "%.*s", at ? (int)(at - text) : (int)strlen(text), text);
    const struct tare_figure_look *spec = n > 0 && (size_t)n < sizeof figure ? make_spec(f, figure) : NULL;
    if (!spec) {
        return; /* no cell has such a figure */
    }
    if (!at && strcmp(spec->figure, quality) != 0) {
        add_anywhere(f, spec);
        return;
    }
    for (size_t t = 0; t < f->n_tasks; t++) {
        if (at && fnmatch(at + 1, f->tasks[t], 0) != 0) {
            continue;
        }
        if (strcmp(spec->figure, quality) == 0) {
            add_quality(f, spec, f->tasks[t]);
        } else if (is_always(spec->figure) || any_value(f, figure, f->tasks[t])) {
            add_figure(f, spec, f->tasks[t]);
        }
    }
}

int tare_survey_find_columns(const struct tare_report_input *input, struct tare_arena *arena,
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
        f.asked = i;
        add_named(&f, input->columns[i]);
    }
    size_t n_looks = 0;
    const struct tare_figure_look *looks = tare_figure_looks(&n_looks);
    for (size_t i = 0; input->n_columns == 0 && i < n_looks; i++) {
        if (looks[i].by_default) {
            add_named(&f, looks[i].figure);
        }
    }
    return f.failed ? -1 : 0;
}
