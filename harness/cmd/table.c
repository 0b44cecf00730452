/* SPDX-License-Identifier: Apache-2.0 */
/* Loads cells and figures, lets a view build the table and a format write it. */
#include "cmd/table.h"

#include "base/buf.h"
#include "core/builtin.h"
#include "core/spec.h"
#include "core/tag.h"
#include "reports/survey.h"
#include "selftest/selftest.h"
#include "store/certificate.h"
#include "store/query.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct loader {
    struct tare_store *store;
    struct tare_arena arena;
    struct tare_survey_cell *cells;
    size_t n, cap;
    struct tare_figure *figures; /* of the current cell */
    size_t n_figures, cap_figures;
    const char *title, *started, *version, *plan_sha256;
    const char *machine, *kernel, *build;
    struct tare_cited cited;          /* the certificate */
    double overhead_percent;          /* of metering, as it says; NaN: it does not */
    char overhead_note[160];          /* with its interval */
    const char *resumed;              /* a machine or build that is not the first one's */
    const char **columns;             /* that the plan names */
    struct tare_survey_label *labels; /* of its techniques */
    size_t n_columns, n_labels;
    int64_t run_id, repeats;
    bool failed;
};

static const char *keep(struct loader *l, const char *text)
{
    if (!text) {
        return NULL;
    }
    const char *copy = tare_arena_copy(&l->arena, text, strlen(text) + 1);
    l->failed = l->failed || !copy;
    return copy;
}

/* A label as a table shows it: one that no line could hold is cut, at the begin of a character. `tare show`
 * has it whole. */
static const char *keep_label(struct loader *l, const char *text)
{
    enum { most = 1000 };
    size_t n = text ? strlen(text) : 0;
    if (n <= most) {
        return keep(l, text);
    }
    n = most;
    while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80) {
        n--;
    }
    char *copy = tare_arena_take(&l->arena, n + 4);
    l->failed = l->failed || !copy;
    if (copy) {
        memcpy(copy, text, n);
        memcpy(copy + n, "...", 4);
    }
    return copy;
}

static int no_memory(struct tare_err *err)
{
    return tare_err_set(err, TARE_E_NOMEM, "table: out of memory");
}

static int take_figure(void *ctx, int64_t cell_id, const struct tare_figure *f, struct tare_err *err)
{
    struct loader *l = ctx;
    (void)cell_id;
    if (l->n_figures == l->cap_figures) {
        size_t cap = l->cap_figures ? 2 * l->cap_figures : 64;
        struct tare_figure *figures = tare_arena_array(&l->arena, cap, sizeof *figures);
        if (!figures) {
            return no_memory(err);
        }
        if (l->n_figures) {
            memcpy(figures, l->figures, l->n_figures * sizeof *figures);
        }
        l->figures = figures;
        l->cap_figures = cap;
    }
    struct tare_figure *to = &l->figures[l->n_figures++];
    *to = *f;
    to->name = keep(l, f->name);
    to->unit = keep(l, f->unit);
    to->source = keep(l, f->source);
    to->scope = keep(l, f->scope);
    to->n_what = keep(l, f->n_what);
    to->method = keep(l, f->method);
    to->absent = keep(l, f->absent);
    return l->failed ? no_memory(err) : 0;
}

static int take_message(void *ctx, const struct tare_repeat_row *row, struct tare_err *err)
{
    struct loader *l = ctx;
    struct tare_survey_cell *cell = &l->cells[l->n - 1];
    (void)err;
    if (row->block >= l->repeats && row->block < INT64_MAX) {
        l->repeats = row->block + 1;
    }
    if (!cell->message && row->message) {
        cell->message = keep(l, row->message);
    }
    return 0;
}

static int take_task(struct tare_survey_cell *cell, const char *text, struct tare_err *err)
{
    struct tare_spec spec;
    const struct tare_task *task = NULL;
    int r = tare_spec_parse(text, strlen(text), &spec, err);
    if (r < 0) {
        return r;
    }
    if (tare_find_task(spec.task, &task, err) == 0) {
        cell->metrics = task->metrics;
    }
    tare_spec_fini(&spec);
    return 0;
}

static int take_tokenizer(struct loader *l, struct tare_survey_cell *cell, int64_t cell_id,
                          struct tare_err *err)
{
    char *facts = NULL;
    struct tare_json *json = NULL;
    int r = tare_query_facts(l->store, cell_id, &facts, err);
    if (r == 0 && facts) {
        r = tare_json_parse(facts, strlen(facts), "stored model facts", &json, err);
    }
    cell->tokenizer = keep(l, tare_json_str(tare_json_get(json, "tokenizer")));
    tare_json_destroy(json);
    free(facts);
    return r;
}

static int take_cell(void *ctx, const struct tare_cell_row *row, struct tare_err *err)
{
    struct loader *l = ctx;
    if (l->n == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 64;
        struct tare_survey_cell *cells = realloc(l->cells, cap * sizeof *cells);
        if (!cells) {
            return no_memory(err);
        }
        l->cells = cells;
        l->cap = cap;
    }
    struct tare_survey_cell *c = &l->cells[l->n++];
    *c = (struct tare_survey_cell){.model = keep_label(l, row->model),
                                   .backend = keep_label(l, row->backend),
                                   .technique = keep_label(l, row->technique),
                                   .task = keep_label(l, row->task),
                                   .scenario = keep_label(l, row->scenario),
                                   .verdict = keep(l, row->verdict),
                                   .reasons = keep(l, row->reasons)};
    l->figures = NULL;
    l->n_figures = l->cap_figures = 0;
    int r = tare_query_figures(l->store, row->id, take_figure, l, err);
    c->figures = l->figures;
    c->n_figures = l->n_figures;
    r = r == 0 ? take_task(c, row->spec, err) : r;
    r = r == 0 ? take_tokenizer(l, c, row->id, err) : r;
    r = r == 0 ? tare_query_repeats(l->store, row->id, take_message, l, err) : r;
    return r == 0 && l->failed ? no_memory(err) : r;
}

/* The columns that the plan asks for. */
static void take_columns(struct loader *l, const struct tare_json *plan)
{
    const struct tare_json *list = tare_json_get(plan, "columns");
    l->columns = tare_arena_array(&l->arena, tare_json_size(list) + 1, sizeof *l->columns);
    l->failed = l->failed || !l->columns;
    for (const struct tare_json *v = tare_json_first(list); l->columns && v; v = tare_json_next(v)) {
        if (tare_json_str(v)) {
            l->columns[l->n_columns++] = keep(l, tare_json_str(v));
        }
    }
}

/* A technique that goes by a name of its own: an entry of "techniques", or what a model embodies. */
static void take_label(struct loader *l, const struct tare_json *entry, struct tare_err *err)
{
    const char *label = tare_json_str(tare_json_get(entry, "name"));
    char *tag = NULL;
    bool known = !label;
    for (size_t i = 0; i < l->n_labels && !known; i++) {
        known = strcmp(l->labels[i].label, label) == 0;
    }
    if (!known && tare_tag_render(entry, "plan", &tag, err) == 0 && tag) {
        l->labels[l->n_labels++] = (struct tare_survey_label){keep(l, label), keep(l, tag)};
    }
    free(tag);
}

static void take_labels(struct loader *l, const struct tare_json *plan, struct tare_err *err)
{
    const struct tare_json *techniques = tare_json_get(plan, "techniques"),
                           *models = tare_json_get(plan, "models");
    size_t n = tare_json_size(techniques) + tare_json_size(models);
    l->labels = tare_arena_array(&l->arena, n + 1, sizeof *l->labels);
    l->failed = l->failed || !l->labels;
    for (const struct tare_json *v = tare_json_first(techniques); l->labels && v; v = tare_json_next(v)) {
        take_label(l, v, err);
    }
    for (const struct tare_json *v = tare_json_first(models); l->labels && v; v = tare_json_next(v)) {
        const struct tare_json *own = tare_json_get(v, "technique");
        if (tare_json_type(own) == TARE_JSON_OBJECT) {
            take_label(l, own, err);
        }
    }
}

/* What the stored plan says of its table. A plan of an older or a hostile database that cannot be read says
 * nothing. */
static int take_plan(struct loader *l, const char *text, struct tare_err *err)
{
    struct tare_json *plan = NULL;
    struct tare_err ignored = {0};
    if (tare_json_parse(text, strlen(text), "stored plan", &plan, &ignored) == 0) {
        take_columns(l, plan);
        take_labels(l, plan, &ignored);
    }
    tare_json_destroy(plan);
    return l->failed ? no_memory(err) : 0;
}

static int take_run(void *ctx, const struct tare_run_row *row, struct tare_err *err)
{
    struct loader *l = ctx;
    if (row->id == l->run_id) {
        l->title = keep_label(l, row->name);
        l->started = keep(l, row->started_utc);
        l->version = keep(l, row->tare_version);
        l->plan_sha256 = keep(l, row->plan_sha256);
        return take_plan(l, row->plan, err);
    }
    return 0;
}

/* What a reader must know of a run that was resumed elsewhere. */
static bool is_change(const char *key)
{
    static const char *const keys[] = {"cpu.model (resumed)", "kernel.release (resumed)",
                                       "tare.version (resumed)", "tare.buildtype (resumed)"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (strcmp(key, keys[i]) == 0) {
            return true;
        }
    }
    return false;
}

static int take_environment(void *ctx, const char *key, const char *value, struct tare_err *err)
{
    struct loader *l = ctx;
    (void)err;
    if (strcmp(key, "cpu.model") == 0) {
        l->machine = keep(l, value);
    } else if (strcmp(key, "kernel.release") == 0) {
        l->kernel = keep(l, value);
    } else if (strcmp(key, "tare.buildtype") == 0) {
        l->build = keep(l, value);
    } else if (is_change(key)) {
        l->resumed = keep(l, value);
    }
    return 0;
}

static int load(struct loader *l, struct tare_err *err)
{
    int r = tare_query_runs(l->store, take_run, l, err);
    if (r == 0 && !l->title) {
        r = tare_err_set(err, TARE_E_USAGE, "the database has no run %lld", (long long)l->run_id);
    }
    r = r == 0 ? tare_query_cited(l->store, l->run_id, &l->cited, err) : r;
    r = r == 0
            ? tare_query_cited_reading(l->store, l->run_id, TARE_QUANTITY_OVERHEAD, &l->overhead_percent, err)
            : r;
    r = r == 0 ? tare_query_cited_note(l->store, l->run_id, TARE_QUANTITY_OVERHEAD, l->overhead_note,
                                       sizeof l->overhead_note, err)
               : r;
    r = r == 0 ? tare_query_environment(l->store, l->run_id, take_environment, l, err) : r;
    return r == 0 ? tare_store_blame(l->store, tare_query_cells(l->store, l->run_id, take_cell, l, err), err)
                  : r;
}

static const char *make_caption(struct loader *l)
{
    struct tare_buf text;
    tare_buf_init(&text, 4096);
    tare_buf_printf(
        &text,
        "%s, Linux %s; one request at a time (batch 1); %lld blocks in random order, one fresh process a "
        "cell and block; started %s; tare %s (%s build); plan %.12s.",
        l->machine ? l->machine : "unknown CPU", l->kernel ? l->kernel : "?", (long long)l->repeats,
        l->started, l->version, l->build ? l->build : "?", l->plan_sha256);
    if (l->cited.id == TARE_ABSENT) {
        tare_buf_add_str(&text,
                         " No calibration certificate of this machine and build: run 'tare selftest'.");
    } else {
        tare_buf_printf(&text,
                        " Calibration certificate %lld of %s: %lld checks within target, %lld beyond, %lld "
                        "not possible here.",
                        (long long)l->cited.id, l->cited.made_utc, (long long)l->cited.n_pass,
                        (long long)l->cited.n_fail, (long long)l->cited.n_absent);
        if (isfinite(l->overhead_percent)) {
            tare_buf_printf(&text, " Metering made fixed work longer by %.2f %% (%.*s).", l->overhead_percent,
                            (int)strcspn(l->overhead_note, ";"), l->overhead_note);
        }
    }
    if (l->resumed) {
        tare_buf_printf(&text, " Resumed on another machine or build: %s.", l->resumed);
    }
    const char *caption = keep(l, tare_buf_str(&text));
    tare_buf_fini(&text);
    return caption;
}

/* Through a temporary file beside the target, so that a failure leaves the old one alone. */
static int write_file(const struct tare_table *table, const struct tare_format *format, const char *path,
                      struct tare_err *err)
{
    struct tare_buf temporary;
    tare_buf_init(&temporary, 4096);
    tare_buf_printf(&temporary, "%s.tmp", path);
    int r = tare_buf_check(&temporary, path, err);
    FILE *to = r == 0 ? fopen(tare_buf_str(&temporary), "we") : NULL;
    if (r == 0 && !to) {
        r = tare_err_set(err, TARE_E_IO, "%s: %s", path, strerror(errno));
    }
    if (to) {
        r = format->write(table, to, err);
        if (fclose(to) != 0 && r == 0) {
            r = tare_err_set(err, TARE_E_IO, "%s: %s", path, strerror(errno));
        }
        if (r == 0 && rename(tare_buf_str(&temporary), path) != 0) {
            r = tare_err_set(err, TARE_E_IO, "%s: %s", path, strerror(errno));
        }
        if (r < 0) {
            (void)remove(tare_buf_str(&temporary));
        }
    }
    tare_buf_fini(&temporary);
    return r;
}

static int build_view(struct loader *l, const char *view, struct tare_survey *out, struct tare_err *err)
{
    struct tare_survey_input input = {.title = l->title,
                                      .caption = make_caption(l),
                                      .cells = l->cells,
                                      .n_cells = l->n,
                                      .columns = l->columns,
                                      .n_columns = l->n_columns,
                                      .labels = l->labels,
                                      .n_labels = l->n_labels};
    if (strcmp(view, "survey") == 0) {
        return tare_survey_build(&input, out, err);
    }
    if (strcmp(view, "full") == 0) {
        return tare_survey_build_full(&input, out, err);
    }
    return tare_err_set(err, TARE_E_USAGE, "view \"%.40s\": unknown; there are survey and full", view);
}

int tare_table_print(struct tare_store *store, int64_t run_id, const char *view, const char *format_name,
                     const char *path, struct tare_err *err)
{
    const struct tare_format *format = NULL;
    struct loader l = {.store = store, .run_id = run_id};
    struct tare_survey survey;
    int r = tare_find_format(format_name, &format, err);
    r = r == 0 ? load(&l, err) : r;
    r = r == 0 ? build_view(&l, view, &survey, err) : r;
    if (r == 0) {
        r = path ? write_file(&survey.table, format, path, err) : format->write(&survey.table, stdout, err);
        tare_survey_fini(&survey);
    }
    free(l.cells);
    tare_arena_fini(&l.arena);
    return r;
}
