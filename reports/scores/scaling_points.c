/* SPDX-License-Identifier: Apache-2.0 */
/* Which cells are points of a scaling law, and which are not. */
#include "scaling_points.h"

#include "matrix.h"
#include "rows.h"

#include <stdio.h>
#include <tare/json.h>

static char *keep(struct tare_arena *arena, const char *text)
{
    return tare_arena_copy(arena, text, strlen(text) + 1);
}

static int take_room(size_t n, struct tare_arena *arena, struct tare_scaling_points *out,
                     struct tare_err *err)
{
    out->n = tare_arena_array(arena, n + 1, sizeof(double));
    out->d = tare_arena_array(arena, n + 1, sizeof(double));
    out->loss = tare_arena_array(arena, n + 1, sizeof(double));
    out->nd = tare_arena_array(arena, 2 * n + 2, sizeof(double));
    return out->n && out->d && out->loss && out->nd
               ? 0
               : tare_err_set(err, TARE_E_NOMEM, "score scaling: out of memory");
}

static void add(struct tare_scaling_points *to, double n, double d, double loss)
{
    size_t i = to->n_points++;
    to->n[i] = to->nd[2 * i] = n;
    to->d[i] = to->nd[2 * i + 1] = d;
    to->loss[i] = loss;
    to->has_tokens = to->has_tokens && d > 0;
}

static int read_file(const char *path, struct tare_arena *arena, struct tare_scaling_points *out,
                     struct tare_err *err)
{
    struct tare_rows rows = {0};
    int r = tare_rows_load(path, arena, &rows, err);
    r = r == 0 ? take_room(rows.n_rows, arena, out, err) : r;
    static const char *const names[3] = {"n", "d", "loss"};
    size_t columns[3] = {0};
    for (size_t k = 0; r == 0 && k < 3; k++) {
        columns[k] = tare_rows_column(&rows, names[k]);
        if (columns[k] == rows.n_columns) {
            r = tare_err_set(err, TARE_E_FORMAT, "%s: the first line must name n, d and loss", path);
        }
    }
    for (size_t i = 0; r == 0 && i < rows.n_rows; i++) {
        double v[3] = {0};
        for (size_t k = 0; r == 0 && k < 3; k++) {
            r = tare_rows_number(&rows, i, columns[k], path, &v[k], err);
        }
        if (r == 0 && !(v[0] > 0 && v[1] > 0 && v[2] > 0)) {
            r = tare_err_set(err, TARE_E_FORMAT, "%s: row %zu: n, d and loss must be above 0", path, i + 1);
        }
        if (r == 0) {
            add(out, v[0], v[1], v[2]);
        }
    }
    out->unit = "nat/tok";
    out->where = keep(arena, path);
    return r;
}

/* The architecture that the backend told; in the arena, NULL if it did not. */
static const char *arch_of(const struct tare_score_system *system, struct tare_arena *arena)
{
    struct tare_json *json = NULL;
    struct tare_err ignored = {0};
    if (!system->facts ||
        tare_json_parse(system->facts, strlen(system->facts), "facts", &json, &ignored) < 0) {
        return NULL;
    }
    const char *arch = tare_json_str(tare_json_get(json, "arch"));
    const char *copy = arch ? keep(arena, arch) : NULL;
    tare_json_destroy(json);
    return copy;
}

enum { LOSS, SIZE, TOKENS, FLOPS, COLUMNS };

struct choice {
    const struct tare_scaling_from *from;
    struct tare_score_matrix m;
    const char **archs;
    const char *arch, *tokenizer;
};

static bool same(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

/* The architecture of most untreated models. */
static void choose_arch(struct choice *c)
{
    size_t most = 0;
    c->arch = c->from->arch;
    for (size_t i = 0; !c->from->arch && i < c->m.n_systems; i++) {
        size_t n = 0;
        for (size_t j = 0; j < c->m.n_systems; j++) {
            n += tare_score_untreated(&c->m.systems[j]) && same(c->archs[i], c->archs[j]);
        }
        if (n > most) {
            most = n;
            c->arch = c->archs[i];
        }
    }
    for (size_t i = 0; i < c->m.n_systems && !c->tokenizer; i++) {
        c->tokenizer = same(c->archs[i], c->arch) ? c->m.systems[i].tokenizer : NULL;
    }
}

/* Why a system is no point; NULL: it is one. */
static const char *why_not(const struct choice *c, size_t i)
{
    const struct tare_score_system *s = &c->m.systems[i];
    if (!tare_score_untreated(s)) {
        return "a technique was applied";
    }
    if (c->arch && !same(c->archs[i], c->arch)) {
        return "another architecture";
    }
    if (c->tokenizer && s->tokenizer && !same(s->tokenizer, c->tokenizer)) {
        return "another tokenizer";
    }
    if (!(tare_score_at(&c->m, i, LOSS)->value > 0)) {
        return "no loss";
    }
    return tare_score_at(&c->m, i, SIZE)->value > 0 ? NULL : "no number of parameters";
}

static int take_systems(const struct choice *c, struct tare_arena *arena, struct tare_scaling_points *out,
                        struct tare_err *err)
{
    int r = take_room(c->m.n_systems, arena, out, err);
    out->counted_low = (double)INFINITY;
    out->counted_high = -(double)INFINITY;
    for (size_t i = 0; r == 0 && i < c->m.n_systems; i++) {
        const char *why = why_not(c, i);
        if (why) {
            out->n_left_out++;
            out->why_out = out->why_out && strcmp(out->why_out, why) != 0 ? "several reasons" : why;
            continue;
        }
        double n = tare_score_at(&c->m, i, SIZE)->value, flops = tare_score_at(&c->m, i, FLOPS)->value;
        double d = c->from->declared_tok > 0 ? c->from->declared_tok : tare_score_at(&c->m, i, TOKENS)->value;
        add(out, n, d, tare_score_at(&c->m, i, LOSS)->value);
        out->counted_low = fmin(out->counted_low, 3 * flops / (6 * n));
        out->counted_high = fmax(out->counted_high, 3 * flops / (6 * n));
    }
    return r;
}

static int list_names(const struct choice *c, struct tare_arena *arena, struct tare_scaling_points *out,
                      struct tare_err *err)
{
    size_t n = 64;
    for (size_t i = 0; i < c->m.n_systems; i++) {
        n += strlen(c->m.systems[i].name) + 80;
    }
    char *text = tare_arena_take(arena, n);
    if (!text) {
        return tare_err_set(err, TARE_E_NOMEM, "score scaling: out of memory");
    }
    size_t used = 0, at = 0;
    text[0] = '\0';
    for (size_t i = 0; i < c->m.n_systems; i++) {
        if (!why_not(c, i)) {
            used +=
                (size_t)snprintf(text + used, n - used, "%s%s (N %.4g, D %.4g, loss %.5g)", at ? "; " : "",
                                 c->m.systems[i].name, out->n[at], out->d[at], out->loss[at]);
            at++;
        }
    }
    out->where = text;
    return 0;
}

static int read_selection(const struct tare_report_input *input, const struct tare_scaling_from *from,
                          struct tare_arena *arena, struct tare_scaling_points *out, struct tare_err *err)
{
    struct choice c = {.from = from};
    struct tare_score_metric metrics[COLUMNS] = {
        [SIZE] = {.figure = from->size, .better = TARE_BETTER_LOWER},
        [TOKENS] = {.figure = from->tokens, .better = TARE_BETTER_LOWER},
        [FLOPS] = {.figure = "prefill_flops_per_tok", .better = TARE_BETTER_LOWER}};
    char *figure = keep(arena, from->loss), *task = figure ? strchr(figure, '@') : NULL;
    if (task) {
        *task++ = '\0';
    }
    metrics[LOSS] = (struct tare_score_metric){.figure = figure, .task = task, .better = TARE_BETTER_LOWER};
    metrics[FLOPS].task = task;
    int r = figure ? tare_score_matrix(input, metrics, COLUMNS, arena, &c.m, err)
                   : tare_err_set(err, TARE_E_NOMEM, "score scaling: out of memory");
    c.archs = r == 0 ? tare_arena_array(arena, c.m.n_systems + 1, sizeof *c.archs) : NULL;
    if (r == 0 && !c.archs) {
        r = tare_err_set(err, TARE_E_NOMEM, "score scaling: out of memory");
    }
    for (size_t i = 0; r == 0 && i < c.m.n_systems; i++) {
        c.archs[i] = arch_of(&c.m.systems[i], arena);
    }
    if (r == 0) {
        choose_arch(&c);
        out->arch = c.arch;
        out->unit = c.m.metrics[LOSS].unit;
        r = take_systems(&c, arena, out, err);
    }
    return r == 0 ? list_names(&c, arena, out, err) : r;
}

int tare_scaling_points(const struct tare_report_input *input, const struct tare_scaling_from *from,
                        struct tare_arena *arena, struct tare_scaling_points *out, struct tare_err *err)
{
    struct tare_scaling_points made = {
        .has_tokens = true, .counted_low = (double)NAN, .counted_high = (double)NAN};
    int r = from->file ? read_file(from->file, arena, &made, err)
                       : read_selection(input, from, arena, &made, err);
    if (r == 0) {
        *out = made;
    }
    return r;
}

int tare_scaling_curve(const struct tare_report_input *input, const struct tare_scaling_from *from,
                       struct tare_arena *arena, struct tare_scaling_points *out_points,
                       struct tare_curve_fit *out, struct tare_err *err)
{
    struct tare_fit_options o = {.resamples = 400, .restarts = 3, .seed = 1};
    int r = tare_scaling_points(input, from, arena, out_points, err);
    if (r < 0) {
        return r;
    }
    struct tare_fit_points points = {.x = out_points->n, .loss = out_points->loss, .n = out_points->n_points};
    return tare_law_fit(&tare_law_saturating_1, &points, &o, arena, out, err);
}
