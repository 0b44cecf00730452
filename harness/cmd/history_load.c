/* SPDX-License-Identifier: Apache-2.0 */
/* Gathers sessions. Judges nothing. */
#include "cmd/history_load.h"

#include "reports/view/figures.h"
#include "store/query.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int no_memory(struct tare_err *err)
{
    return tare_err_set(err, TARE_E_NOMEM, "history: out of memory");
}

static const char *keep(struct tare_histories *h, const char *text)
{
    return tare_arena_copy(&h->arena, text ? text : "", strlen(text ? text : "") + 1);
}

static void *grow(void *list, size_t n, size_t *cap, size_t size)
{
    if (n < *cap) {
        return list;
    }
    size_t more = *cap ? 2 * *cap : 16;
    void *larger = realloc(list, more * size);
    *cap = larger ? more : *cap;
    return larger;
}

/* The series of that key, made if there is none; NULL when memory is refused. */
static struct tare_history_series *series_of(struct tare_histories *h, const char *key, const char *figure,
                                             const char *unit, enum tare_better better)
{
    for (size_t i = 0; i < h->n; i++) {
        if (strcmp(h->list[i].key, key) == 0) {
            return &h->list[i];
        }
    }
    struct tare_history_series *list = grow(h->list, h->n, &h->cap, sizeof *list);
    if (!list) {
        return NULL;
    }
    h->list = list;
    list[h->n] = (struct tare_history_series){
        .key = keep(h, key), .figure = keep(h, figure), .unit = keep(h, unit), .better = better};
    return list[h->n].key && list[h->n].figure && list[h->n].unit ? &list[h->n++] : NULL;
}

static int add_session(struct tare_history_series *s, const struct tare_session *session, int kind,
                       struct tare_err *err)
{
    struct tare_session *list = grow(s->list, s->n, &s->cap, sizeof *list);
    s->list = list ? list : s->list;
    s->kind = kind > s->kind ? kind : s->kind;
    if (!list || !session->name || !session->build || !session->started) {
        return no_memory(err);
    }
    list[s->n++] = *session;
    return 0;
}

/* A run while its cells are walked. */
struct walk {
    struct tare_histories *to;
    struct tare_store *store;
    const char *path;
    const char *const *wanted;
    int64_t run_id;
    char started[40], version[80], machine[400];
    char backend[80], model[80]; /* hashes of the cell's files */
    const struct tare_cell_row *cell;
};

static int see_environment(void *ctx, const char *key, const char *value, struct tare_err *err)
{
    struct walk *w = ctx;
    (void)err;
    if (strcmp(key, "cpu.model") == 0 || strcmp(key, "cpu.microcode") == 0 ||
        strcmp(key, "kernel.release") == 0 || strcmp(key, "tare.buildtype") == 0) {
        size_t n = strlen(w->machine);
        (void)snprintf(w->machine + n, sizeof w->machine - n, "%s%.90s", n ? ", " : "", value ? value : "?");
    }
    return 0;
}

static int see_file(void *ctx, const char *role, const char *value, struct tare_err *err)
{
    struct walk *w = ctx;
    (void)err;
    char *to = strcmp(role, "backend") == 0 ? w->backend : strcmp(role, "model") == 0 ? w->model : NULL;
    if (to) {
        (void)snprintf(to, sizeof w->backend, "%.12s", value);
    }
    return 0;
}

static bool is_wanted(const struct walk *w, const char *figure)
{
    static const char *const usual[] = {"token_throughput",
                                        "decode_throughput",
                                        "prefill_throughput",
                                        "latency_p50",
                                        "ttft_p50",
                                        "tpot_p50",
                                        "peak_rss",
                                        "load_time",
                                        "energy_per_tok",
                                        "bits_per_byte",
                                        "acc",
                                        "token_acc",
                                        "exact",
                                        NULL};
    const char *const *list = w->wanted ? w->wanted : usual;
    for (size_t i = 0; list[i]; i++) {
        if (strcmp(list[i], figure) == 0) {
            return true;
        }
    }
    return false;
}

static int take_figure(void *ctx, int64_t cell_id, const struct tare_figure *f, struct tare_err *err)
{
    struct walk *w = ctx;
    char key[1600], name[400], build[200];
    (void)cell_id;
    if (f->absent || !(f->value > 0) || f->kind > TARE_KIND_REPORTED || !is_wanted(w, f->name)) {
        return 0;
    }
    (void)snprintf(key, sizeof key, "%s: %.200s / %.200s, %.200s (%.100s), model %s; %.400s", f->name,
                   w->cell->model, w->cell->technique, w->cell->task, w->cell->scenario,
                   *w->model ? w->model : "none", w->machine);
    (void)snprintf(name, sizeof name, "%.300s run %lld", w->path, (long long)w->run_id);
    (void)snprintf(build, sizeof build, "tare %.80s, backend %.20s", w->version,
                   *w->backend ? w->backend : "?");
    const struct tare_figure_look *look = tare_figure_look(f->name);
    struct tare_history_series *s =
        series_of(w->to, key, f->name, f->unit, look ? look->better : TARE_BETTER_NONE);
    return s ? add_session(s,
                           &(struct tare_session){keep(w->to, name), keep(w->to, build),
                                                  keep(w->to, w->started), f->value},
                           f->kind, err)
             : no_memory(err);
}

static int take_cell(void *ctx, const struct tare_cell_row *row, struct tare_err *err)
{
    struct walk *w = ctx;
    if (!row->verdict || strcmp(row->verdict, "VALID") != 0) {
        return 0;
    }
    w->cell = row;
    w->backend[0] = w->model[0] = '\0';
    int r = tare_query_artifacts(w->store, row->id, see_file, w, err);
    return r == 0 ? tare_query_figures(w->store, row->id, take_figure, w, err) : r;
}

static int take_run(void *ctx, const struct tare_run_row *row, struct tare_err *err)
{
    struct walk *w = ctx;
    w->run_id = row->id;
    w->machine[0] = '\0';
    (void)snprintf(w->started, sizeof w->started, "%s", row->started_utc);
    (void)snprintf(w->version, sizeof w->version, "%.79s", row->tare_version);
    int r = tare_query_environment(w->store, row->id, see_environment, w, err);
    return r == 0 ? tare_query_cells(w->store, row->id, take_cell, w, err) : r;
}

int tare_history_add_database(struct tare_histories *to, const char *path, const char *const *wanted,
                              struct tare_err *err)
{
    struct walk w = {.to = to, .path = path, .wanted = wanted};
    int r = tare_store_open(path, TARE_STORE_FIGURES, &w.store, err);
    r = r == 0 ? tare_query_runs(w.store, take_run, &w, err) : r;
    tare_store_close(w.store);
    return r;
}

/* Columns of a CSV: their places, -1: there is none. */
struct columns {
    int value, series, name;
};

enum { max_line = 4096 };

/* The n-th cell of the line into `to`, without quotes; false: there is none. */
static bool cell_of(const char *line, int n, char *to, size_t n_to)
{
    for (; n > 0; n--) {
        line = strchr(line, ',');
        if (!line) {
            return false;
        }
        line++;
    }
    size_t length = strcspn(line, ",\r\n");
    bool quoted = length >= 2 && line[0] == '"' && line[length - 1] == '"';
    (void)snprintf(to, n_to, "%.*s", (int)(quoted ? length - 2 : length), quoted ? line + 1 : line);
    return true;
}

static struct columns read_header(const char *line)
{
    struct columns c = {-1, -1, -1};
    char name[64];
    for (int i = 0; cell_of(line, i, name, sizeof name); i++) {
        if (strcmp(name, "value") == 0) {
            c.value = i;
        } else if (strcmp(name, "series") == 0) {
            c.series = i;
        } else if (c.name < 0 &&
                   (strcmp(name, "time") == 0 || strcmp(name, "commit") == 0 || strcmp(name, "label") == 0)) {
            c.name = i;
        }
    }
    return c;
}

static int take_line(struct tare_histories *to, const struct columns *c, const char *line, size_t number,
                     const char *path, struct tare_err *err)
{
    char text[200], series[400] = "value", name[200], *end = NULL;
    (void)snprintf(name, sizeof name, "line %zu", number);
    if (!cell_of(line, c->value, text, sizeof text)) {
        return tare_err_set(err, TARE_E_FORMAT, "%s: line %zu: has no value", path, number);
    }
    if (!*text) {
        return 0; /* a session without a value is a gap */
    }
    double value = strtod(text, &end);
    if (*end || !(value > 0) || !isfinite(value)) {
        return tare_err_set(err, TARE_E_FORMAT, "%s: line %zu: \"%.40s\" is no number above 0", path, number,
                            text);
    }
    if (c->series >= 0) {
        (void)cell_of(line, c->series, series, sizeof series);
    }
    if (c->name >= 0) {
        (void)cell_of(line, c->name, name, sizeof name);
    }
    struct tare_history_series *s = series_of(to, series, "value", "1", TARE_BETTER_NONE);
    return s ? add_session(s, &(struct tare_session){keep(to, name), keep(to, ""), keep(to, ""), value},
                           TARE_KIND_REPORTED, err)
             : no_memory(err);
}

int tare_history_add_csv(struct tare_histories *to, const char *path, struct tare_err *err)
{
    char line[max_line];
    struct columns c = {-1, -1, -1};
    size_t number = 0;
    int r = 0;
    FILE *from = fopen(path, "re");
    if (!from) {
        return tare_err_set(err, TARE_E_USAGE, "%s: cannot be read", path);
    }
    while (r == 0 && fgets(line, sizeof line, from)) {
        if (!strchr(line, '\n') && !feof(from)) {
            r = tare_err_set(err, TARE_E_FORMAT, "%s: line %zu: longer than %d bytes", path, number + 1,
                             max_line - 2);
        } else if (++number == 1) {
            c = read_header(line);
            r = c.value >= 0
                    ? 0
                    : tare_err_set(err, TARE_E_FORMAT, "%s: line 1: names no column \"value\"", path);
        } else if (line[strspn(line, "\r\n ")]) {
            r = take_line(to, &c, line, number, path, err);
        }
    }
    (void)fclose(from);
    return r == 0 && number == 0 ? tare_err_set(err, TARE_E_FORMAT, "%s: is empty", path) : r;
}

static int by_time(const void *a, const void *b)
{
    return strcmp(((const struct tare_session *)a)->started, ((const struct tare_session *)b)->started);
}

void tare_history_order(struct tare_histories *to)
{
    for (size_t i = 0; i < to->n; i++) {
        if (to->list[i].n > 0 && to->list[i].list[0].started[0]) {
            qsort(to->list[i].list, to->list[i].n, sizeof *to->list[i].list, by_time);
        }
    }
}

void tare_history_free(struct tare_histories *to)
{
    for (size_t i = 0; i < to->n; i++) {
        free(to->list[i].list);
    }
    free(to->list);
    tare_arena_fini(&to->arena);
    memset(to, 0, sizeof *to);
}
