/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON of a view, checked key by key. Knows neither cells nor tables. */
#include "reports/view/view.h"

#include "base/nearest.h"
#include "base/plain.h"

#include <string.h>

enum { max_list = 256, most_decimals = 17 };

struct parser {
    const char *what;
    struct tare_view *view;
    struct tare_err *err;
};

static int wrong(const struct parser *p, const char *where, const char *why)
{
    return tare_err_set(p->err, TARE_E_USAGE, "view %.100s: %.60s: %.200s", p->what, where, why);
}

static int no_memory(const struct parser *p)
{
    return tare_err_set(p->err, TARE_E_NOMEM, "view %.100s: out of memory", p->what);
}

/* Every key of the object is one of `known` (NULL-terminated). */
static int check_keys(const struct parser *p, const struct tare_json *object, const char *where,
                      const char *const *known)
{
    if (tare_json_type(object) != TARE_JSON_OBJECT) {
        return wrong(p, where, "is no object");
    }
    for (const struct tare_json *v = tare_json_first(object); v; v = tare_json_next(v)) {
        struct tare_nearest nearest = {.word = tare_json_key(v)};
        bool found = false;
        for (size_t i = 0; known[i]; i++) {
            found = found || strcmp(known[i], tare_json_key(v)) == 0;
            tare_nearest_offer(&nearest, known[i]);
        }
        if (!found) {
            const char *best = tare_nearest_best(&nearest);
            return tare_err_set(p->err, TARE_E_USAGE, "view %.100s: %.60s: unknown key \"%.60s\"%s%s%s",
                                p->what, where, tare_json_key(v), best ? "; did you mean \"" : "",
                                best ? best : "", best ? "\"?" : "");
        }
    }
    return 0;
}

/* A text of the object into *out; absent: as it was. */
static int take_text(const struct parser *p, const struct tare_json *object, const char *key,
                     const char **out)
{
    const struct tare_json *v = tare_json_get(object, key);
    const char *text = tare_json_str(v);
    if (!v) {
        return 0;
    }
    if (!text || !*text) {
        return wrong(p, key, "is no text");
    }
    *out = tare_arena_copy(&p->view->arena, text, strlen(text) + 1);
    return *out ? 0 : no_memory(p);
}

static int take_bool(const struct parser *p, const struct tare_json *object, const char *key, bool *out)
{
    const struct tare_json *v = tare_json_get(object, key);
    if (v && tare_json_type(v) != TARE_JSON_BOOL) {
        return wrong(p, key, "is neither true nor false");
    }
    *out = tare_json_true(v);
    return 0;
}

/* An array for the elements of a list; NULL and 0 where the key is absent. */
static int take_list(const struct parser *p, const struct tare_json *object, const char *key,
                     size_t element_bytes, void **out, size_t *out_n)
{
    const struct tare_json *list = tare_json_get(object, key);
    *out = NULL;
    *out_n = 0;
    if (!list) {
        return 0;
    }
    if (tare_json_type(list) != TARE_JSON_ARRAY || tare_json_size(list) > max_list) {
        return wrong(p, key, "is no list of at most 256");
    }
    *out_n = tare_json_size(list);
    *out = tare_arena_array(&p->view->arena, *out_n + 1, element_bytes);
    if (!*out) {
        return no_memory(p);
    }
    memset(*out, 0, (*out_n + 1) * element_bytes);
    return 0;
}

static int take_group(const struct parser *p, const struct tare_json *from, struct tare_view_group *to)
{
    static const char *const known[] = {"label", "prefix", NULL};
    int r = check_keys(p, from, "groups", known);
    r = r == 0 ? take_text(p, from, "label", &to->label) : r;
    r = r == 0 ? take_text(p, from, "prefix", &to->prefix) : r;
    return r == 0 && (!to->label || !to->prefix) ? wrong(p, "groups", "an element needs label and prefix")
                                                 : r;
}

static bool is_direction(const char *text)
{
    return strcmp(text, "higher") == 0 || strcmp(text, "lower") == 0 || strcmp(text, "none") == 0;
}

static int take_numbers(const struct parser *p, const struct tare_json *from, struct tare_view_column *to)
{
    const struct tare_json *scale = tare_json_get(from, "scale"), *decimals = tare_json_get(from, "decimals");
    int64_t n = 0;
    if (scale && (tare_json_type(scale) != TARE_JSON_NUMBER || !(tare_json_num(scale) > 0))) {
        return wrong(p, "scale", "is no number above 0");
    }
    to->scale = tare_json_num(scale);
    int r = decimals ? tare_json_i64(decimals, "decimals", 0, most_decimals, &n, p->err) : 0;
    to->decimals = decimals ? (int)n : -1;
    return r < 0 ? TARE_E_USAGE : 0;
}

/* "figure@task", or an object that says more. */
static int take_column(const struct parser *p, const struct tare_json *from, struct tare_view_column *to)
{
    static const char *const known[] = {"figure",   "header", "unit",  "scale",
                                        "decimals", "better", "ratio", NULL};
    to->decimals = -1;
    if (tare_json_str(from)) {
        const char *text = tare_json_str(from);
        to->pattern = tare_arena_copy(&p->view->arena, text, strlen(text) + 1);
        return to->pattern ? 0 : no_memory(p);
    }
    int r = check_keys(p, from, "columns", known);
    r = r == 0 ? take_text(p, from, "figure", &to->pattern) : r;
    r = r == 0 ? take_text(p, from, "header", &to->header) : r;
    r = r == 0 ? take_text(p, from, "unit", &to->unit) : r;
    r = r == 0 ? take_text(p, from, "better", &to->better) : r;
    r = r == 0 ? take_text(p, from, "ratio", &to->ratio) : r;
    r = r == 0 ? take_numbers(p, from, to) : r;
    if (r == 0 && !to->pattern) {
        return wrong(p, "columns", "an element names no figure");
    }
    if (r == 0 && !to->unit != !(to->scale > 0)) {
        return wrong(p, "columns", "\"unit\" and \"scale\" (from the figure's unit to it) go together");
    }
    return r == 0 && to->better && !is_direction(to->better)
               ? wrong(p, "better", "is not higher, lower or none")
               : r;
}

static int take_average(const struct parser *p, const struct tare_json *from, struct tare_view_average *to)
{
    static const char *const known[] = {"header", "of", NULL};
    int r = check_keys(p, from, "averages", known);
    r = r == 0 ? take_text(p, from, "header", &to->header) : r;
    r = r == 0 ? take_text(p, from, "of", &to->pattern) : r;
    return r == 0 && (!to->header || !to->pattern) ? wrong(p, "averages", "an element needs header and of")
                                                   : r;
}

static int take_groups(const struct parser *p, const struct tare_json *json)
{
    struct tare_view_group *groups = NULL;
    int r = take_list(p, json, "groups", sizeof *groups, (void **)&groups, &p->view->n_groups);
    const struct tare_json *v = tare_json_first(tare_json_get(json, "groups"));
    for (size_t i = 0; r == 0 && i < p->view->n_groups; i++, v = tare_json_next(v)) {
        r = take_group(p, v, &groups[i]);
    }
    p->view->groups = groups;
    return r;
}

static int take_columns(const struct parser *p, const struct tare_json *json)
{
    struct tare_view_column *columns = NULL;
    int r = take_list(p, json, "columns", sizeof *columns, (void **)&columns, &p->view->n_columns);
    const struct tare_json *v = tare_json_first(tare_json_get(json, "columns"));
    for (size_t i = 0; r == 0 && i < p->view->n_columns; i++, v = tare_json_next(v)) {
        r = take_column(p, v, &columns[i]);
    }
    p->view->columns = columns;
    return r;
}

static int take_averages(const struct parser *p, const struct tare_json *json)
{
    struct tare_view_average *averages = NULL;
    int r = take_list(p, json, "averages", sizeof *averages, (void **)&averages, &p->view->n_averages);
    const struct tare_json *v = tare_json_first(tare_json_get(json, "averages"));
    for (size_t i = 0; r == 0 && i < p->view->n_averages; i++, v = tare_json_next(v)) {
        r = take_average(p, v, &averages[i]);
    }
    p->view->averages = averages;
    return r;
}

static int take_texts(const struct parser *p, const struct tare_json *json, const char *key,
                      const char *const **out, size_t *out_n)
{
    const char **texts = NULL;
    int r = take_list(p, json, key, sizeof *texts, (void **)&texts, out_n);
    const struct tare_json *v = tare_json_first(tare_json_get(json, key));
    for (size_t i = 0; r == 0 && i < *out_n; i++, v = tare_json_next(v)) {
        const char *text = tare_json_str(v);
        if (!text) {
            return wrong(p, key, "an element is no text");
        }
        texts[i] = tare_arena_copy(&p->view->arena, text, strlen(text) + 1);
        r = texts[i] ? 0 : no_memory(p);
    }
    *out = texts;
    return r;
}

static int take_filter(const struct parser *p, const struct tare_json *json)
{
    static const char *const known[] = {"model", "technique", "task", NULL};
    const struct tare_json *filter = tare_json_get(json, "filter");
    int r = filter ? check_keys(p, filter, "filter", known) : 0;
    r = r == 0 ? take_text(p, filter, "model", &p->view->model) : r;
    r = r == 0 ? take_text(p, filter, "technique", &p->view->technique) : r;
    return r == 0 ? take_text(p, filter, "task", &p->view->task) : r;
}

static int take_kind(const struct parser *p, const struct tare_json *json)
{
    static const char *const kinds[] = {"table", "full", "resources", "architectures"};
    const struct tare_json *v = tare_json_get(json, "kind");
    const char *text = tare_json_str(v);
    for (size_t i = 0; text && i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(text, kinds[i]) == 0) {
            p->view->kind = (enum tare_view_kind)i;
            return 0;
        }
    }
    return v ? wrong(p, "kind", "is none of table, full, resources, architectures") : 0;
}

static int take_by(const struct parser *p, const struct tare_json *json)
{
    static const char *const names[] = {"technique", "model", "architecture", "size"};
    const struct tare_json *v = tare_json_get(json, "group_by");
    const char *text = tare_json_str(v);
    bool known = !v;
    for (size_t i = 0; text && i < sizeof names / sizeof *names && !known; i++) {
        known = strcmp(text, names[i]) == 0;
        p->view->by = known ? (enum tare_view_by)i : p->view->by;
    }
    if (!known) {
        return wrong(p, "group_by", "is none of technique, model, architecture, size");
    }
    return p->view->by != TARE_VIEW_BY_TECHNIQUE && tare_json_get(json, "groups")
               ? wrong(p, "group_by", "\"groups\" are of techniques: leave one of the two out")
               : 0;
}

static int take_all(const struct parser *p, const struct tare_json *json)
{
    static const char *const known[] = {
        "tare",   "name",    "title",    "about", "kind",     "rank_within_groups",
        "groups", "columns", "averages", "notes", "group_by", "plots",
        "score",  "filter",  NULL};
    int64_t version = 0;
    int r = check_keys(p, json, "the view", known);
    r = r == 0 ? tare_json_i64(tare_json_get(json, "tare"), "\"tare\"", 1, 1, &version, p->err) : r;
    r = r == TARE_E_FORMAT ? TARE_E_USAGE : r;
    r = r == 0 ? take_text(p, json, "name", &p->view->name) : r;
    r = r == 0 ? take_text(p, json, "title", &p->view->title) : r;
    r = r == 0 ? take_text(p, json, "about", &p->view->about) : r;
    r = r == 0 ? take_text(p, json, "score", &p->view->score) : r;
    r = r == 0 ? take_kind(p, json) : r;
    r = r == 0 ? take_by(p, json) : r;
    r = r == 0 ? take_bool(p, json, "rank_within_groups", &p->view->rank_within_groups) : r;
    r = r == 0 ? take_filter(p, json) : r;
    r = r == 0 ? take_groups(p, json) : r;
    r = r == 0 ? take_columns(p, json) : r;
    r = r == 0 ? take_averages(p, json) : r;
    r = r == 0 ? take_texts(p, json, "notes", &p->view->notes, &p->view->n_notes) : r;
    return r == 0 ? take_texts(p, json, "plots", &p->view->plots, &p->view->n_plots) : r;
}

int tare_view_parse(const char *text, size_t n, const char *what, struct tare_view *out, struct tare_err *err)
{
    struct tare_view view = {0};
    struct tare_json *json = NULL;
    const struct parser p = {what, &view, err};
    int r = tare_json_parse(text, n, what, &json, err);
    r = r == 0 ? take_all(&p, json) : TARE_E_USAGE;
    tare_json_destroy(json);
    if (r < 0) {
        tare_plain_err(err); /* it may quote the file */
        tare_view_fini(&view);
        return r;
    }
    *out = view;
    return 0;
}

void tare_view_fini(struct tare_view *view)
{
    tare_arena_fini(&view->arena);
    memset(view, 0, sizeof *view);
}
