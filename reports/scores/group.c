/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A group of tasks as one number, as lm-evaluation-harness pools them (stats/lm_eval.h): the mean weighted by
 * documents, and the pooled standard error. MMLU is the mean over its 57 subjects so. A group of which a task
 * is missing is another group: it is told how many tasks there were, and absent where one failed.
 */
#include "sheet.h"

#include "stats/interval.h"
#include "stats/lm_eval.h"

#include <fnmatch.h>
#include <math.h>

enum { MOST_TASKS = 1024 };

struct options {
    char *tasks;
    char *figure;
    int64_t of;
    bool by_task;
};

#define MEMBER(type_, member_) .name = #member_, .type = type_, .offset = offsetof(struct options, member_)

static const struct tare_opt options[] = {
    {MEMBER(TARE_OPT_STR, tasks), .def = "mmlu_*", .help = "shell pattern of the group's tasks"},
    {MEMBER(TARE_OPT_STR, figure), .def = "acc",
     .help = "figure of each task; NAME_stderr must be there too"},
    {MEMBER(TARE_OPT_I64, of), .def = "0", .min = 0, .max = MOST_TASKS,
     .help = "how many tasks the group has; fewer are no value. 0: as many as there are"},
    {MEMBER(TARE_OPT_BOOL, by_task), .def = "false",
     .help = "every task counts the same, however many documents"},
    TARE_OPT_END};

/* The tasks of one system. */
struct members {
    double values[MOST_TASKS], errors[MOST_TASKS];
    size_t sizes[MOST_TASKS], n, failed;
    const char *unit;
    enum tare_kind kind;
};

static bool same_system(const struct tare_report_cell *a, const struct tare_report_cell *b)
{
    return strcmp(a->model, b->model) == 0 && strcmp(a->technique, b->technique) == 0 &&
           strcmp(a->scenario, b->scenario) == 0;
}

static bool is_member(const struct tare_report_cell *cell, const struct options *o)
{
    return fnmatch(o->tasks, cell->task, 0) == 0;
}

static void add_member(struct members *m, const struct tare_report_cell *cell, const struct options *o)
{
    char name[128];
    (void)snprintf(name, sizeof name, "%.100s_stderr", o->figure);
    const struct tare_figure *value = tare_report_figure(cell, o->figure),
                             *error = tare_report_figure(cell, name);
    bool valid = cell->verdict && strcmp(cell->verdict, "VALID") == 0;
    if (!valid || !value || !isfinite(value->value) || m->n == MOST_TASKS) {
        m->failed++;
        return;
    }
    m->values[m->n] = value->value;
    m->errors[m->n] = error ? error->value : (double)NAN;
    m->sizes[m->n++] = (size_t)value->n;
    m->unit = value->unit;
    m->kind = (enum tare_kind)value->kind;
}

static void gather(const struct tare_report_input *input, size_t first, const struct options *o,
                   struct members *m)
{
    memset(m, 0, sizeof *m);
    for (size_t i = first; i < input->n_cells; i++) {
        if (same_system(&input->cells[first], &input->cells[i]) && is_member(&input->cells[i], o)) {
            add_member(m, &input->cells[i], o);
        }
    }
}

/* Is the cell the first of its system in the group? */
static bool is_first(const struct tare_report_input *input, size_t i, const struct options *o)
{
    bool first = is_member(&input->cells[i], o);
    for (size_t j = 0; first && j < i; j++) {
        first = !(is_member(&input->cells[j], o) && same_system(&input->cells[i], &input->cells[j]));
    }
    return first;
}

static struct tare_score_value pooled(const struct members *m, const struct options *o)
{
    if (m->failed > 0) {
        return tare_score_absent("a task of the group has no valid value");
    }
    if (o->of > 0 && m->n != (size_t)o->of) {
        return tare_score_absent("not all tasks of the group are in the selection");
    }
    struct tare_lm_eval_value mean = tare_lm_eval_group_mean(m->values, m->sizes, m->n, !o->by_task);
    struct tare_lm_eval_value error = tare_lm_eval_group_stderr(m->errors, m->sizes, m->n);
    if (!mean.ok) {
        return tare_score_absent(mean.method);
    }
    struct tare_score_value v = tare_score_plain(mean.value, m->unit, m->kind, mean.method);
    v.n = (int64_t)m->n;
    v.n_what = "tasks";
    if (error.ok && !o->by_task) {
        double reach = tare_normal_quantile(0.975) * error.value;
        bool share = strcmp(m->unit, "1") == 0; /* lies between 0 and 1, whatever a normal says */
        v.low = share ? fmax(0, mean.value - reach) : mean.value - reach;
        v.high = share ? fmin(1, mean.value + reach) : mean.value + reach;
        v.level = 0.95;
        v.method = "normal, pooled standard error of lm-evaluation-harness";
    }
    return v;
}

static void put_system(struct tare_sheet *s, const struct tare_report_cell *cell, const struct members *m,
                       const struct options *o)
{
    size_t documents = 0;
    for (size_t i = 0; i < m->n; i++) {
        documents += m->sizes[i];
    }
    struct tare_score_value v = pooled(m, o);
    tare_sheet_text(s, cell->model);
    tare_sheet_text(s, cell->technique);
    tare_sheet_textf(s, "%zu", m->n);
    tare_sheet_textf(s, "%zu", m->failed);
    tare_sheet_textf(s, "%zu", documents);
    tare_sheet_value(s, &v);
}

static int build(const struct tare_report_input *input, const void *opts, struct tare_score_out *out,
                 struct tare_err *err)
{
    const struct options *o = opts;
    struct tare_sheet s;
    struct members *m = tare_arena_take(&out->arena, sizeof *m);
    if (!m) {
        return tare_err_set(err, TARE_E_NOMEM, "score group: out of memory");
    }
    tare_sheet_begin(&s, out, input);
    tare_sheet_column(&s, "model", "Model", NULL, TARE_BETTER_NONE);
    tare_sheet_column(&s, "technique", "Technique", NULL, TARE_BETTER_NONE);
    tare_sheet_column(&s, "tasks", "Tasks", NULL, TARE_BETTER_NONE);
    tare_sheet_column(&s, "failed", "without a value", NULL, TARE_BETTER_NONE);
    tare_sheet_column(&s, "documents", "Documents", NULL, TARE_BETTER_NONE);
    tare_sheet_column(&s, tare_sheet_keep(&s, "%s", o->figure),
                      tare_sheet_keep(&s, "%s of %s", o->figure, o->tasks), "1", TARE_BETTER_HIGHER);
    for (size_t i = 0; i < input->n_cells; i++) {
        if (is_first(input, i, o)) {
            gather(input, i, o, m);
            put_system(&s, &input->cells[i], m, o);
        }
    }
    tare_sheet_or_why(&s, "no task of the selection fits the pattern");
    tare_sheet_note(&s, "%s; systems with other tasks of the group do not compare.",
                    o->by_task
                        ? "Every task counts the same; lm-evaluation-harness has no standard error of that"
                        : "Weighted by documents, standard errors pooled, as lm-evaluation-harness does");
    return tare_sheet_end(&s, "Group of tasks", err);
}

const struct tare_score tare_score_group = {
    .name = "group",
    .summary = "a group of tasks as one number, pooled as lm-evaluation-harness does",
    .needs = "the group's tasks, each with a figure and its standard error",
    .options_size = sizeof(struct options),
    .options = options,
    .build = build,
};
