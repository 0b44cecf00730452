/* SPDX-License-Identifier: Apache-2.0 */
/* Loads the cells and figures of a run, and what their caption says. */
#include "cmd/load.h"

#include "base/buf.h"
#include "cmd/score_items.h"
#include "cmd/verified.h"
#include "core/arena.h"
#include "core/builtin.h"
#include "core/spec.h"
#include "core/tag.h"
#include "reports/view/lengths.h"
#include "selftest/selftest.h"
#include "store/certificate.h"
#include "store/import.h"
#include "store/query.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct tare_loaded {
    struct tare_report_input input;
    struct tare_store *store;
    struct tare_arena arena;
    struct tare_report_cell *cells;
    struct tare_figure **own_figures; /* of each cell, as it may be changed */
    size_t n, cap;
    struct tare_figure *figures; /* of the current cell */
    size_t n_figures, cap_figures;
    const char *title, *baseline, *started, *version, *plan_sha256;
    const char *machine, *kernel, *build;
    struct tare_cited cited;          /* the certificate */
    double overhead_percent;          /* of metering, as it says; NaN: it does not */
    char overhead_note[160];          /* with its interval */
    const char *resumed;              /* a machine or build that is not the first one's */
    const char **columns;             /* that the plan names */
    struct tare_report_label *labels; /* of its techniques */
    size_t n_columns, n_labels;
    int64_t run_id, repeats;
    const char *verified; /* what a caption says of the backends */
    const char *imported; /* what a caption says of an imported run; NULL: it was measured */
    bool failed;
};

static const char *keep(struct tare_loaded *l, const char *text)
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
static const char *keep_label(struct tare_loaded *l, const char *text)
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
    struct tare_loaded *l = ctx;
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

static int take_message(void *ctx, const struct tare_outcome_row *row, struct tare_err *err)
{
    struct tare_loaded *l = ctx;
    struct tare_report_cell *cell = &l->cells[l->n - 1];
    (void)err;
    if (row->block >= l->repeats && row->block < INT64_MAX) {
        l->repeats = row->block + 1;
    }
    if (!cell->message && row->message) {
        cell->message = keep(l, row->message);
    }
    return 0;
}

static int take_task(struct tare_report_cell *cell, const char *text, struct tare_err *err)
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

static int take_facts(struct tare_loaded *l, struct tare_report_cell *cell, int64_t cell_id,
                      struct tare_err *err)
{
    char *facts = NULL;
    struct tare_json *json = NULL;
    int r = tare_query_facts(l->store, cell_id, &facts, err);
    if (r == 0 && facts) {
        r = tare_json_parse(facts, strlen(facts), "stored model facts", &json, err);
    }
    cell->facts = keep(l, facts);
    cell->tokenizer = keep(l, tare_json_str(tare_json_get(json, "tokenizer")));
    tare_json_destroy(json);
    free(facts);
    return r;
}

static int take_cell(void *ctx, const struct tare_cell_row *row, struct tare_err *err)
{
    struct tare_loaded *l = ctx;
    if (l->n == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 64;
        struct tare_report_cell *cells = realloc(l->cells, cap * sizeof *cells);
        if (!cells) {
            return no_memory(err);
        }
        l->cells = cells;
        struct tare_figure **own = realloc(l->own_figures, cap * sizeof *own);
        if (!own) {
            return no_memory(err);
        }
        l->own_figures = own;
        l->cap = cap;
    }
    struct tare_report_cell *c = &l->cells[l->n++];
    *c = (struct tare_report_cell){.id = row->id,
                                   .run_id = row->run_id,
                                   .model = keep_label(l, row->model),
                                   .backend = keep_label(l, row->backend),
                                   .technique = keep_label(l, row->technique),
                                   .task = keep_label(l, row->task),
                                   .scenario = keep_label(l, row->scenario),
                                   .verdict = keep(l, row->verdict),
                                   .reasons = keep(l, row->reasons),
                                   .spec = keep(l, row->spec)};
    l->figures = NULL;
    l->n_figures = l->cap_figures = 0;
    int r = tare_query_figures(l->store, row->id, take_figure, l, err);
    c->figures = l->own_figures[l->n - 1] = l->figures;
    c->n_figures = l->n_figures;
    r = r == 0 && !l->imported ? take_task(c, row->spec, err) : r;
    r = r == 0 ? take_facts(l, c, row->id, err) : r;
    r = r == 0 ? tare_query_outcomes(l->store, row->id, take_message, l, err) : r;
    return r == 0 && l->failed ? no_memory(err) : r;
}

/* The columns that the plan asks for. */
static void take_columns(struct tare_loaded *l, const struct tare_json *plan)
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
static void take_label(struct tare_loaded *l, const struct tare_json *entry, struct tare_err *err)
{
    const char *label = tare_json_str(tare_json_get(entry, "name"));
    char *tag = NULL;
    bool known = !label;
    for (size_t i = 0; i < l->n_labels && !known; i++) {
        known = strcmp(l->labels[i].label, label) == 0;
    }
    if (!known && tare_tag_render(entry, "plan", &tag, err) == 0 && tag) {
        l->labels[l->n_labels++] = (struct tare_report_label){keep(l, label), keep(l, tag)};
    }
    free(tag);
}

static void take_labels(struct tare_loaded *l, const struct tare_json *plan, struct tare_err *err)
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
static int take_plan(struct tare_loaded *l, const char *text, struct tare_err *err)
{
    struct tare_json *plan = NULL;
    struct tare_err ignored = {0};
    if (tare_json_parse(text, strlen(text), "stored plan", &plan, &ignored) == 0) {
        take_columns(l, plan);
        take_labels(l, plan, &ignored);
        l->baseline = keep(l, tare_json_str(tare_json_get(plan, "baseline")));
    }
    tare_json_destroy(plan);
    return l->failed ? no_memory(err) : 0;
}

static int take_run(void *ctx, const struct tare_run_row *row, struct tare_err *err)
{
    struct tare_loaded *l = ctx;
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
    struct tare_loaded *l = ctx;
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

/* What each technique's label stands for. */
static void set_tags(struct tare_loaded *l)
{
    for (size_t i = 0; i < l->n; i++) {
        struct tare_report_cell *c = &l->cells[i];
        c->tag = NULL;
        for (size_t j = 0; j < l->n_labels && !c->tag; j++) {
            c->tag = strcmp(l->labels[j].label, c->technique) == 0 ? l->labels[j].tag : NULL;
        }
        bool own = strcmp(c->technique, "baseline") == 0 || strchr(c->technique, '.');
        c->tag = c->tag ? c->tag : own ? c->technique : NULL; /* a label may have a point, too */
    }
}

static int take_import(void *ctx, const struct tare_import_row *row, struct tare_err *err)
{
    struct tare_loaded *l = ctx;
    struct tare_buf text;
    tare_buf_init(&text, 1 << 16);
    tare_buf_printf(
        &text,
        "Reported by %s%s%s, not measured by tare: imported %s from %s (%s, %lld bytes, SHA-256 %.16s).",
        row->tool, row->tool_version ? " " : "", row->tool_version ? row->tool_version : "",
        row->imported_utc, row->path, row->format, (long long)row->bytes, row->sha256);
    int r = tare_buf_check(&text, "caption", err);
    l->imported = keep(l, tare_buf_str(&text));
    tare_buf_fini(&text);
    return r;
}

/* An imported run has no backends of ours. */
static int take_verified(struct tare_loaded *l, struct tare_err *err)
{
    struct tare_buf text;
    tare_buf_init(&text, 1 << 16);
    int r = l->imported ? 0 : tare_verified_caption(l->store, l->run_id, &text, err);
    r = r == 0 ? tare_buf_check(&text, "caption", err) : r;
    l->verified = keep(l, tare_buf_str(&text));
    tare_buf_fini(&text);
    return r;
}

static int load(struct tare_loaded *l, struct tare_err *err)
{
    int r = tare_query_runs(l->store, take_run, l, err);
    if (r == 0 && !l->title) {
        r = tare_err_set(err, TARE_E_USAGE, "the database has no run %lld", (long long)l->run_id);
    }
    r = r == 0 ? tare_query_import(l->store, l->run_id, take_import, l, NULL, err) : r;
    r = r == 0 ? tare_query_cited(l->store, l->run_id, &l->cited, err) : r;
    r = r == 0
            ? tare_query_cited_reading(l->store, l->run_id, TARE_QUANTITY_OVERHEAD, &l->overhead_percent, err)
            : r;
    r = r == 0 ? tare_query_cited_note(l->store, l->run_id, TARE_QUANTITY_OVERHEAD, l->overhead_note,
                                       sizeof l->overhead_note, err)
               : r;
    r = r == 0 ? tare_query_environment(l->store, l->run_id, take_environment, l, err) : r;
    r = r == 0 ? take_verified(l, err) : r;
    return r == 0 ? tare_store_blame(l->store, tare_query_cells(l->store, l->run_id, take_cell, l, err), err)
                  : r;
}

struct range {
    double low, high; /* NaN both: nothing was taken */
};

static void widen(struct range *range, double value)
{
    range->low = fmin(range->low, value); /* either NaN: the other */
    range->high = fmax(range->high, value);
}

/* Lengths of prompts and outputs, of the tasks that set them. */
static void add_lengths(const struct tare_loaded *l, struct tare_buf *text)
{
    struct range prompt = {(double)NAN, (double)NAN}, output = prompt;
    for (size_t i = 0; i < l->n; i++) {
        struct tare_view_lengths lengths = tare_view_lengths(&l->cells[i]);
        widen(&prompt, lengths.prompt_tok > 0 ? lengths.prompt_tok : (double)NAN); /* 0: all of the text */
        widen(&output, lengths.output_tok);
    }
    if (isfinite(prompt.low) && isfinite(output.low)) {
        tare_buf_printf(text,
                        " Where tasks set lengths: prompts of %.0f to %.0f tokens, %.0f to %.0f generated at "
                        "most.",
                        prompt.low, prompt.high, output.low, output.high);
    }
}

static const char *make_caption(struct tare_loaded *l)
{
    struct tare_buf text;
    if (l->imported) {
        return l->imported;
    }
    tare_buf_init(&text, 1 << 16);
    tare_buf_printf(
        &text,
        "%s, Linux %s; one request at a time (batch 1); %lld blocks in random order, one fresh process a "
        "cell and block; started %s; tare %s (%s build); plan %.12s.",
        l->machine ? l->machine : "unknown CPU", l->kernel ? l->kernel : "?", (long long)l->repeats,
        l->started, l->version, l->build ? l->build : "?", l->plan_sha256);
    add_lengths(l, &text);
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
    tare_buf_add_str(&text, l->verified);
    if (l->resumed) {
        tare_buf_printf(&text, " Resumed on another machine or build: %s.", l->resumed);
    }
    const char *caption = keep(l, tare_buf_str(&text));
    tare_buf_fini(&text);
    return caption;
}

/* All complete repeats, one after the other. */
struct gather {
    struct tare_store *store;
    enum tare_column column;
    double *values;
    size_t n;
};

static int gather_repeat(void *ctx, const struct tare_repeat_row *row, struct tare_err *err)
{
    struct gather *g = ctx;
    double *more = NULL;
    size_t n = 0;
    if (strcmp(row->outcome, "ok") != 0 || row->errors > 0) {
        return 0;
    }
    int r = tare_query_column(g->store, row->id, g->column, &more, &n, err);
    if (r < 0 || n == 0) {
        return r;
    }
    double *all = g->n == 0 ? more : realloc(g->values, (g->n + n) * sizeof *all);
    if (!all) {
        free(more);
        return no_memory(err);
    }
    if (all != more) {
        memcpy(all + g->n, more, n * sizeof *all);
        free(more);
    }
    g->values = all;
    g->n += n;
    return 0;
}

static int query_column(void *ctx, int64_t cell_id, enum tare_column column, double **out, size_t *out_n,
                        struct tare_err *err)
{
    struct gather g = {.store = ctx, .column = column};
    int r = tare_query_repeats(g.store, cell_id, gather_repeat, &g, err);
    if (r < 0) {
        free(g.values);
        return r;
    }
    *out = g.values;
    *out_n = g.n;
    return 0;
}

/* Of the first complete repeat. */
struct score_gather {
    struct tare_store *store;
    const struct tare_metric *metric;
    double *num, *den;
    size_t n;
    bool done;
};

static int gather_scores(void *ctx, const struct tare_repeat_row *row, struct tare_err *err)
{
    struct score_gather *g = ctx;
    if (g->done || strcmp(row->outcome, "ok") != 0 || row->errors > 0) {
        return 0;
    }
    g->done = true;
    return tare_score_items(g->store, row->id, g->metric, &g->num, &g->den, &g->n, err);
}

static int query_scores(void *ctx, int64_t cell_id, const struct tare_metric *metric, double **num,
                        double **den, size_t *out_n, struct tare_err *err)
{
    struct score_gather g = {.store = ctx, .metric = metric};
    int r = tare_query_repeats(g.store, cell_id, gather_scores, &g, err);
    if (r < 0) {
        free(g.num);
        free(g.den);
        return r;
    }
    *num = g.num;
    *den = g.den;
    *out_n = g.n;
    return 0;
}

int tare_load(struct tare_store *store, int64_t run_id, struct tare_loaded **out, struct tare_err *err)
{
    struct tare_loaded *l = calloc(1, sizeof *l);
    if (!l) {
        return no_memory(err);
    }
    l->store = store;
    l->run_id = run_id;
    int r = load(l, err);
    set_tags(l);
    l->input = (struct tare_report_input){.title = l->title,
                                          .caption = r == 0 ? make_caption(l) : NULL,
                                          .baseline = l->baseline,
                                          .cells = l->cells,
                                          .n_cells = l->n,
                                          .columns = l->columns,
                                          .n_columns = l->n_columns,
                                          .labels = l->labels,
                                          .n_labels = l->n_labels,
                                          .column = query_column,
                                          .scores = query_scores,
                                          .ctx = store};
    r = r == 0 && l->failed ? no_memory(err) : r;
    if (r < 0) {
        tare_loaded_free(l);
        return r;
    }
    *out = l;
    return 0;
}

const struct tare_report_input *tare_loaded_input(const struct tare_loaded *loaded)
{
    return &loaded->input;
}

int tare_loaded_rework(struct tare_loaded *loaded, tare_rework_fn fn, struct tare_err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < loaded->n; i++) {
        r = fn(loaded->store, loaded->cells[i].id, loaded->own_figures[i], loaded->cells[i].n_figures, err);
    }
    return r;
}

void tare_loaded_free(struct tare_loaded *loaded)
{
    if (loaded) {
        free(loaded->cells);
        free(loaded->own_figures);
        tare_arena_fini(&loaded->arena);
        free(loaded);
    }
}
