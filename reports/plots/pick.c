/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which figures may share an axis, and what a caption must say of them. Only valid cells are drawn; an axis
 * holds one figure, unit, kind and scope, as a column of a table does.
 */
#include "reports/plots/build.h"

#include "core/spec.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <tare/json.h>

static const char quality[] = "quality"; /* a task's headline metric */

bool tare_cell_is_valid(const struct tare_report_cell *cell)
{
    return !cell->verdict || strcmp(cell->verdict, "VALID") == 0;
}

bool tare_cell_matches(const struct tare_report_cell *cell, const char *task_pattern)
{
    return !task_pattern || fnmatch(task_pattern, cell->task, 0) == 0;
}

static bool same(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

bool tare_same_system(const struct tare_report_cell *a, const struct tare_report_cell *b)
{
    return same(a->model, b->model) && same(a->technique, b->technique) && same(a->backend, b->backend) &&
           same(a->scenario, b->scenario) && a->run_id == b->run_id;
}

const char *tare_system_name(struct tare_making *m, const struct tare_report_cell *cell)
{
    bool plain = tare_is_untreated(cell);
    return tare_making_text(m, "%s%s%s", cell->model ? cell->model : "?", plain ? "" : " ",
                            plain ? "" : cell->technique);
}

const char *tare_pick_name(const struct tare_pick *pick, const struct tare_report_cell *cell)
{
    if (strcmp(pick->figure, quality) != 0) {
        return pick->figure;
    }
    return cell->metrics && cell->metrics[0].name ? cell->metrics[0].name : NULL;
}

bool tare_figure_has_interval(const struct tare_figure *figure)
{
    return isfinite(figure->low) && isfinite(figure->high);
}

static bool is_exact(const struct tare_figure *f)
{
    return tare_figure_has_interval(f) && !(f->low < f->value) && !(f->high > f->value) && f->level >= 1;
}

static bool belongs(const struct tare_pick *pick, const struct tare_figure *f)
{
    const struct tare_figure *first = pick->first;
    return !first || (same(first->name, f->name) && same(first->unit, f->unit) && first->kind == f->kind &&
                      same(first->scope, f->scope));
}

static void count_interval(struct tare_pick *pick, const struct tare_figure *f)
{
    double level = isfinite(f->level) ? f->level : 0;
    pick->n++;
    if (is_exact(f)) {
        pick->n_exact++;
    } else if (!tare_figure_has_interval(f)) {
        pick->n_bare++;
    } else if (!pick->method) {
        pick->method = f->method ? f->method : "a method not recorded";
        pick->level_low = pick->level_high = level;
    } else {
        pick->level_low = level < pick->level_low ? level : pick->level_low;
        pick->level_high = level > pick->level_high ? level : pick->level_high;
    }
}

const struct tare_figure *tare_pick(struct tare_pick *pick, const struct tare_report_cell *cell)
{
    const char *name = tare_pick_name(pick, cell);
    if (!name || !tare_cell_matches(cell, pick->task) ||
        (pick->one_task && !same(pick->one_task, cell->task))) {
        return NULL;
    }
    if (!tare_cell_is_valid(cell)) {
        pick->n_invalid++;
        pick->why_invalid = pick->why_invalid ? pick->why_invalid : cell->reasons;
        return NULL;
    }
    const struct tare_figure *f = tare_report_figure(cell, name);
    if (!f) {
        return NULL;
    }
    if (f->absent || !isfinite(f->value)) {
        pick->n_absent++;
        pick->why_absent = pick->why_absent ? pick->why_absent : f->absent ? f->absent : "no finite number";
        return NULL;
    }
    if (!belongs(pick, f)) {
        pick->n_foreign++;
        return NULL;
    }
    pick->first = pick->first ? pick->first : f;
    count_interval(pick, f);
    return f;
}

/* How many cells have the figure at the task of cell `i`; 0 if a cell before it has the same task. */
static size_t count_at(const struct tare_pick *pick, const struct tare_report_input *in, size_t i)
{
    struct tare_pick trial = {
        .figure = pick->figure, .task = pick->task, .one_task = in->cells[i].task, .first = pick->first};
    for (size_t j = 0; j < i; j++) {
        if (same(in->cells[j].task, in->cells[i].task)) {
            return 0;
        }
    }
    for (size_t j = 0; j < in->n_cells; j++) {
        (void)tare_pick(&trial, &in->cells[j]);
    }
    return trial.n;
}

void tare_pick_one_task(struct tare_pick *pick, const struct tare_report_input *in)
{
    size_t most = 0;
    for (size_t i = 0; i < in->n_cells; i++) {
        size_t n = count_at(pick, in, i);
        if (n > most) {
            most = n;
            pick->one_task = in->cells[i].task;
        }
    }
}

bool tare_is_untreated(const struct tare_report_cell *cell)
{
    return !cell->technique || strcmp(cell->technique, "baseline") == 0;
}

/* Those that are untreated, or those that are not. */
static size_t choose(const struct tare_report_input *in, struct tare_pick *pick, const char *model_pattern,
                     bool untreated, const struct tare_report_cell **out, size_t n, size_t *left_out)
{
    for (size_t i = 0; i < in->n_cells; i++) {
        const struct tare_report_cell *c = &in->cells[i];
        bool wanted = tare_is_untreated(c) == untreated &&
                      (!model_pattern || fnmatch(model_pattern, c->model ? c->model : "", 0) == 0);
        if (wanted && n == TARE_PLOT_MAX_LOOKS) {
            struct tare_pick trial = *pick;
            *left_out += tare_pick(&trial, c) != NULL;
        } else if (wanted && tare_pick(pick, c)) {
            out[n++] = c;
        }
    }
    return n;
}

size_t tare_choose(struct tare_making *m, const struct tare_report_input *in, struct tare_pick *pick,
                   const char *model_pattern, const struct tare_report_cell **out)
{
    size_t left_out = 0;
    tare_pick_one_task(pick, in);
    size_t n = choose(in, pick, model_pattern, true, out, 0, &left_out);
    n = choose(in, pick, model_pattern, false, out, n, &left_out);
    if (left_out > 0) {
        tare_making_say(
            m, "%zu more systems are left out: eight can be told apart; option model=PATTERN chooses.",
            left_out);
    }
    return n;
}

void tare_say_closed(struct tare_making *m, const struct tare_report_cell *cell)
{
    if (same(cell->scenario, "single")) {
        tare_making_say(m, "One request at a time: service times, without queues.");
    }
}

void tare_say_tokenizers(struct tare_making *m, const struct tare_pick *pick,
                         const struct tare_report_input *in)
{
    const char *name = pick->first->name, *first = NULL;
    bool tokens = strstr(name, "tok") || strncmp(name, "tpot", 4) == 0 || strncmp(name, "decode_", 7) == 0;
    for (size_t i = 0; tokens && i < in->n_cells; i++) {
        const struct tare_report_cell *c = &in->cells[i];
        if (!tare_cell_is_valid(c) || !tare_report_figure(c, name) || !c->tokenizer) {
            continue;
        }
        if (first && !same(first, c->tokenizer)) {
            tare_making_say(
                m, "Models have different tokenizers: what counts tokens does not compare between them.");
            return;
        }
        first = first ? first : c->tokenizer;
    }
}

void tare_point_set_x(struct tare_plot_point *point, const struct tare_figure *figure)
{
    bool bars = tare_figure_has_interval(figure) && !is_exact(figure);
    point->x = figure->value;
    point->x_low = bars ? figure->low : (double)NAN;
    point->x_high = bars ? figure->high : (double)NAN;
}

void tare_point_set_y(struct tare_plot_point *point, const struct tare_figure *figure)
{
    bool bars = tare_figure_has_interval(figure) && !is_exact(figure);
    point->y = figure->value;
    point->y_low = bars ? figure->low : (double)NAN;
    point->y_high = bars ? figure->high : (double)NAN;
}

void tare_pick_say_intervals(struct tare_making *m, const struct tare_pick *pick, const char *bars)
{
    if (pick->level_high - pick->level_low >= 0.0005) { /* as printed */
        tare_making_say(m, "%s: intervals of %.3g to %.3g %% (%s).", bars, 100 * pick->level_low,
                        100 * pick->level_high, pick->method);
    } else if (pick->method && pick->level_high > 0) {
        tare_making_say(m, "%s: %.3g %% intervals (%s).", bars, 100 * pick->level_high, pick->method);
    } else if (pick->method) {
        tare_making_say(m, "%s: intervals without a stated level (%s).", bars, pick->method);
    }
    if (pick->n_bare > 0) {
        tare_making_say(m, "%zu of %zu values have no interval.", pick->n_bare, pick->n);
    }
}

void tare_pick_say(struct tare_making *m, const struct tare_pick *pick, const char *bars)
{
    tare_pick_say_as(m, pick, tare_figure_label(m, pick->first->name), bars);
}

void tare_pick_say_as(struct tare_making *m, const struct tare_pick *pick, const char *name, const char *bars)
{
    const char *scope = pick->first->scope;
    tare_making_say(m, "%c%s: %s%s%s%s.", *name >= 'a' && *name <= 'z' ? *name - 'a' + 'A' : *name,
                    *name ? name + 1 : "", tare_kind_name(pick->first->kind),
                    scope && *scope ? ", scope " : "", scope ? scope : "",
                    pick->n_exact == pick->n ? ", exact" : "");
    tare_pick_say_intervals(m, pick, bars);
    if (pick->n_invalid > 0) {
        tare_making_say(m, "%zu cells that are not valid are left out.", pick->n_invalid);
    }
    if (pick->n_absent > 0) {
        tare_making_say(m, "%zu values are absent (%s).", pick->n_absent, pick->why_absent);
    }
    if (pick->n_foreign > 0) {
        tare_making_say(m, "%zu values of another kind, unit or scope are left out.", pick->n_foreign);
    }
}

int tare_pick_nothing(const struct tare_pick *pick, const char *plot, const struct tare_report_input *in,
                      struct tare_err *err)
{
    const char *at = pick->task ? " at tasks " : "", *task = pick->task ? pick->task : "";
    if (in->n_cells == 0) {
        return tare_err_set(err, TARE_E_UNSUPPORTED, "plot %s: nothing to draw: the run has no cells", plot);
    }
    if (pick->n_absent > 0) {
        return tare_err_set(err, TARE_E_UNSUPPORTED,
                            "plot %s: nothing to draw: %.80s%s%.80s is absent: %.200s", plot, pick->figure,
                            at, task, pick->why_absent);
    }
    if (pick->n_invalid > 0) {
        return tare_err_set(
            err, TARE_E_UNSUPPORTED, "plot %s: nothing to draw: no cell with %.80s%s%.80s is valid: %.200s",
            plot, pick->figure, at, task, pick->why_invalid ? pick->why_invalid : "no reason stored");
    }
    return tare_err_set(err, TARE_E_UNSUPPORTED,
                        "plot %s: nothing to draw: no cell has the figure %.80s%s%.80s", plot, pick->figure,
                        at, task);
}

void tare_pick_parse(struct tare_making *m, struct tare_pick *pick, const char *text)
{
    const char *at = strchr(text, '@');
    pick->figure = tare_making_text(m, "%.*s", at ? (int)(at - text) : (int)strlen(text), text);
    pick->task = at ? tare_making_text(m, "%s", at + 1) : pick->task;
}

static const char *const spelled[][2] = {
    {"bits_per_byte", "bits per byte"},
    {"acc", "accuracy"},
    {"token_acc", "token accuracy"},
    {"exact", "exact match"},
    {"peak_rss", "peak resident memory"},
    {"params_total", "parameters"},
    {"params_non_embedding", "parameters without embeddings"},
    {"params_active", "active parameters"},
    {"stored_bytes", "size of the model"},
    {"state_bytes", "state of one request"},
    {"state_bytes_max", "state of the longest request"},
    {"tpot_p50", "time per output token, p50"},
    {"ttft_p50", "time to first token, p50"},
    {"latency_p50", "latency, p50"},
    {"itl_p50", "gap between tokens, p50"},
    {"achieved_flops_prefill", "FLOP/s achieved on prompts"},
    {"achieved_flops_decode", "FLOP/s achieved when decoding"},
    {"energy", "energy"},
};

const char *tare_figure_label(struct tare_making *m, const char *name)
{
    for (size_t i = 0; i < sizeof spelled / sizeof *spelled; i++) {
        if (strcmp(spelled[i][0], name) == 0) {
            return spelled[i][1];
        }
    }
    char *text = tare_arena_copy(&m->out->arena, name, strlen(name) + 1);
    m->failed = m->failed || !text;
    for (char *p = text; p && *p; p++) {
        *p = *p == '_' ? ' ' : *p;
    }
    return text ? text : "";
}

static bool has_any(const char *name, const char *const *parts)
{
    for (; *parts; parts++) {
        if (strstr(name, *parts)) {
            return true;
        }
    }
    return false;
}

enum tare_better tare_figure_better(const struct tare_report_cell *cell, const char *name)
{
    static const char *const more[] = {"throughput", "speedup",  "mfu",         "mbu",
                                       "acceptance", "per_pass", "compression", NULL};
    static const char *const less[] = {"latency", "ttft",   "tpot",   "itl",  "_time",  "bytes",
                                       "rss",     "energy", "carbon", "cost", "flops_", "params",
                                       "flops",   "power",  "bits_",  "cpu_", "cgroup", NULL};
    for (const struct tare_metric *metric = cell->metrics; metric && metric->name; metric++) {
        if (strcmp(metric->name, name) == 0) {
            return metric->lower_is_better ? TARE_BETTER_LOWER : TARE_BETTER_HIGHER;
        }
    }
    bool achieved = strncmp(name, "achieved_", 9) == 0;
    return achieved || has_any(name, more) ? TARE_BETTER_HIGHER
           : has_any(name, less)           ? TARE_BETTER_LOWER
                                           : TARE_BETTER_NONE;
}

double tare_cell_option(const struct tare_report_cell *cell, const char *name)
{
    struct tare_json *spec = NULL;
    struct tare_err ignored = {0};
    double value = (double)NAN;
    if (cell->spec && tare_json_parse(cell->spec, strlen(cell->spec), "stored spec", &spec, &ignored) == 0) {
        value = tare_spec_number(tare_json_get(spec, "task_options"), name);
        tare_json_destroy(spec);
    }
    return value;
}
