/* SPDX-License-Identifier: Apache-2.0 */
/* One reader an axis; what an entry may hold is one option table each. */
#include "core/plan_entry.h"

#include "base/opt.h"
#include "core/builtin.h"
#include "core/tag.h"

#include <stdlib.h>
#include <string.h>

/* All keys of all axes; each axis has a table of its own into it. */
struct keys {
    char *name;
    char *backend;
    char *path;
    char *task;
    char *scenario;
    int64_t repeats;
    int64_t warmup;
    int64_t window_tok;
};

#define MEMBER(type_, member_) .name = #member_, .type = type_, .offset = offsetof(struct keys, member_)

static const struct tare_opt model_table[] = {
    {MEMBER(TARE_OPT_STR, name), .help = "label in tables"},
    {MEMBER(TARE_OPT_STR, backend), .help = "which backend runs it"},
    {MEMBER(TARE_OPT_STR, path), .help = "file, or zoo:NAME"},
    TARE_OPT_END};
static const struct tare_opt technique_table[] = {{MEMBER(TARE_OPT_STR, name), .help = "label in tables"},
                                                  TARE_OPT_END};
static const struct tare_opt task_table[] = {{MEMBER(TARE_OPT_STR, name), .help = "label in tables"},
                                             {MEMBER(TARE_OPT_STR, task), .help = "which task"},
                                             {MEMBER(TARE_OPT_I64, repeats), .def = "0", .min = 0,
                                              .max = 10000, .help = "blocks that it takes part in; 0: all"},
                                             {MEMBER(TARE_OPT_I64, window_tok), .def = "0", .min = 0,
                                              .max = 1 << 24,
                                              .help = "window of texts in tokens; 0: the scenario's"},
                                             TARE_OPT_END};
static const struct tare_opt scenario_table[] = {
    {MEMBER(TARE_OPT_STR, name), .help = "label in tables"},
    {MEMBER(TARE_OPT_STR, scenario), .def = "single", .help = "single: one request at a time"},
    {MEMBER(TARE_OPT_I64, warmup), .def = "2", .min = 0, .max = 1000000,
     .help = "items asked before measuring"},
    {MEMBER(TARE_OPT_I64, window_tok), .def = "0", .min = 0, .max = 1 << 24,
     .help = "window of texts in tokens; 0: the model's context"},
    TARE_OPT_END};

/* `others` are keys that are no plain options. */
static const struct {
    const char *key;
    const struct tare_opt *table;
    const char *others[6];
} axes[TARE_N_AXES] = {
    {"models", model_table, {"options", "technique", "params", "techniques", "worker", NULL}},
    {"techniques", technique_table, {"technique", "params", NULL}},
    {"tasks", task_table, {"options", NULL}},
    {"scenarios", scenario_table, {NULL}}};

const char *tare_axis_key(enum tare_axis axis)
{
    return axes[axis].key;
}

/* A string of the entry as it lives in the plan's tree: parsed copies are dropped. */
static const char *borrowed(const struct tare_json *json, const char *key, const char *otherwise)
{
    const char *text = tare_json_str(tare_json_get(json, key));
    return text && *text ? text : otherwise;
}

/* "zoo:llama-1m" and "/models/llama-1m.safetensors" are both called llama-1m. */
static void label_from_path(const char *path, char *out, size_t n_out)
{
    const char *from = strrchr(path, '/');
    from = from ? from + 1 : strncmp(path, "zoo:", 4) == 0 ? path + 4 : path;
    const char *dot = strncmp(path, "zoo:", 4) == 0 ? NULL : strrchr(from, '.');
    int n = dot && dot > from ? (int)(dot - from) : (int)strlen(from);
    (void)snprintf(out, n_out, "%.*s", n, from);
}

/* The model's own technique: a text, or an object like those of the plan's "techniques". */
static int read_own_technique(const struct tare_json *json, struct tare_entry *e, const char *what,
                              struct tare_err *err)
{
    const struct tare_json *own = tare_json_get(json, "technique");
    bool object = tare_json_type(own) == TARE_JSON_OBJECT;
    for (const struct tare_json *v = tare_json_first(object ? own : NULL); v; v = tare_json_next(v)) {
        const char *key = tare_json_key(v);
        if (strcmp(key, "name") != 0 && strcmp(key, "technique") != 0 && strcmp(key, "params") != 0) {
            return tare_err_set(
                err, TARE_E_USAGE,
                "%s: \"technique\" has the key \"%.40s\"; it may have name, technique, params", what, key);
        }
    }
    int r = tare_tag_render(object ? own : json, what, &e->rendered, err);
    const char *tag = e->rendered && strcmp(e->rendered, "none") != 0 ? e->rendered : "baseline";
    e->tag = object && strcmp(tag, "baseline") != 0 ? borrowed(own, "name", tag) : tag;
    return r;
}

/* {"tare": PATH, "environment": {"NAME": "text"}}: another executable, variables of its own. */
static int read_worker(const struct tare_json *worker, const char *what, struct tare_err *err)
{
    for (const struct tare_json *v = tare_json_first(worker); v; v = tare_json_next(v)) {
        bool is_tare = strcmp(tare_json_key(v), "tare") == 0 && tare_json_str(v);
        bool is_environment =
            strcmp(tare_json_key(v), "environment") == 0 && tare_json_type(v) == TARE_JSON_OBJECT;
        for (const struct tare_json *e = is_environment ? tare_json_first(v) : NULL; e;
             e = tare_json_next(e)) {
            is_environment = is_environment && tare_json_str(e) && *tare_json_key(e);
        }
        if (!is_tare && !is_environment) {
            return tare_err_set(err, TARE_E_USAGE,
                                "%s: worker: \"%.40s\": it may have a path \"tare\" and an object of texts "
                                "\"environment\"",
                                what, tare_json_key(v));
        }
    }
    return !worker || tare_json_type(worker) == TARE_JSON_OBJECT
               ? 0
               : tare_err_set(err, TARE_E_USAGE, "%s: \"worker\" is no object", what);
}

static int read_model(const struct tare_json *json, struct tare_entry *e, const char *what,
                      struct tare_err *err)
{
    e->what = borrowed(json, "backend", NULL);
    e->path = borrowed(json, "path", NULL);
    e->worker = tare_json_get(json, "worker");
    int r = read_worker(e->worker, what, err);
    r = r == 0 ? read_own_technique(json, e, what, err) : r;
    if (r < 0) {
        return r;
    }
    e->techniques = tare_json_get(json, "techniques");
    if (e->techniques && tare_json_type(e->techniques) != TARE_JSON_ARRAY) {
        return tare_err_set(err, TARE_E_USAGE, "%s: \"techniques\" is no array of labels", what);
    }
    if (!e->what) {
        return tare_err_set(err, TARE_E_USAGE, "%s: names no \"backend\"; 'tare list backends' shows them",
                            what);
    }
    if (!e->name[0] && e->path) {
        label_from_path(e->path, e->name, sizeof e->name);
    }
    return 0;
}

static int read_technique(const struct tare_json *json, struct tare_entry *e, const char *what,
                          struct tare_err *err)
{
    int r = tare_tag_render(json, what, &e->rendered, err);
    e->tag_to_apply = e->rendered;
    if (r < 0) {
        return r;
    }
    if (json && !e->tag_to_apply) {
        return tare_err_set(err, TARE_E_USAGE,
                            "%s: names no \"technique\"; \"baseline\" is the untreated model", what);
    }
    e->what = e->tag_to_apply ? e->tag_to_apply : "baseline";
    if (e->tag_to_apply &&
        (strcmp(e->tag_to_apply, "baseline") == 0 || strcmp(e->tag_to_apply, "none") == 0)) {
        e->tag_to_apply = NULL;
    }
    return 0;
}

/* Parses the options into scratch memory, only to refuse what is wrong with them. */
static int check_task_options(const struct tare_task *task, const struct tare_json *options, const char *what,
                              struct tare_err *err)
{
    void *scratch = calloc(1, task->priv_size ? task->priv_size : 1);
    if (!scratch) {
        return tare_err_set(err, TARE_E_NOMEM, "%s: out of memory", what);
    }
    int r = tare_opts_init(task->options, scratch, err);
    r = r == 0 ? tare_opts_from_json(task->options, scratch, options, NULL, what, err) : r;
    tare_opts_fini(task->options, scratch);
    free(scratch);
    return r;
}

static int read_task(const struct tare_json *json, const struct keys *keys, struct tare_entry *e,
                     const char *what, struct tare_err *err)
{
    const struct tare_task *task = NULL;
    e->what = borrowed(json, "task", NULL);
    e->repeats = keys->repeats;
    e->window_tok = keys->window_tok;
    if (!e->what) {
        return tare_err_set(err, TARE_E_USAGE, "%s: names no \"task\"; 'tare list tasks' shows them", what);
    }
    int r = tare_find_task(e->what, &task, err);
    e->task_version = r == 0 ? (int64_t)task->version : 0;
    return r == 0 ? check_task_options(task, e->options, what, err) : r;
}

static int read_scenario(const struct tare_json *json, const struct keys *keys, struct tare_entry *e,
                         const char *what, struct tare_err *err)
{
    e->what = borrowed(json, "scenario", "single");
    e->warmup = keys->warmup;
    e->window_tok = keys->window_tok;
    return strcmp(e->what, "single") == 0
               ? 0
               : tare_err_set(err, TARE_E_USAGE, "%s: scenario \"%.40s\" is unknown; there is \"single\"",
                              what, e->what);
}

static int read_kind(enum tare_axis axis, const struct tare_json *json, const struct keys *keys,
                     struct tare_entry *e, const char *what, struct tare_err *err)
{
    switch (axis) {
    case TARE_AXIS_MODEL:
        return read_model(json, e, what, err);
    case TARE_AXIS_TECHNIQUE:
        return read_technique(json, e, what, err);
    case TARE_AXIS_TASK:
        return read_task(json, keys, e, what, err);
    default:
        return read_scenario(json, keys, e, what, err);
    }
}

static int check_options(enum tare_axis axis, const struct tare_json *json, const char *what,
                         struct tare_err *err)
{
    const struct tare_json *options = tare_json_get(json, "options");
    bool allowed = axis == TARE_AXIS_MODEL || axis == TARE_AXIS_TASK;
    if (options && (!allowed || tare_json_type(options) != TARE_JSON_OBJECT)) {
        return tare_err_set(err, TARE_E_USAGE, "%s: \"options\" %s", what,
                            allowed ? "is no object" : "has no place in this entry");
    }
    return 0;
}

/* A label that was cut might be another's. */
static int set_name(struct tare_entry *e, const char *name, const char *what, struct tare_err *err)
{
    int n = snprintf(e->name, sizeof e->name, "%s", name);
    return n >= 0 && (size_t)n < sizeof e->name
               ? 0
               : tare_err_set(err, TARE_E_USAGE,
                              "%s: its label has %zu bytes, %zu may be; give it a shorter \"name\"", what,
                              strlen(name), sizeof e->name - 1);
}

int tare_entry_read(enum tare_axis axis, const struct tare_json *json, size_t index, struct tare_entry *out,
                    struct tare_err *err)
{
    char what[64];
    (void)snprintf(what, sizeof what, "plan: %s[%zu]", axes[axis].key, index);
    if (json && tare_json_type(json) != TARE_JSON_OBJECT) {
        return tare_err_set(err, TARE_E_USAGE, "%s: is %s, not an object", what,
                            tare_json_type_name(tare_json_type(json)));
    }
    struct keys keys;
    struct tare_entry e;
    memset(&keys, 0, sizeof keys);
    memset(&e, 0, sizeof e);
    int r = tare_opts_init(axes[axis].table, &keys, err);
    r = r == 0 ? check_options(axis, json, what, err) : r;
    r = r == 0 ? tare_opts_from_json(axes[axis].table, &keys, json, axes[axis].others, what, err) : r;
    r = r == 0 ? set_name(&e, keys.name ? keys.name : "", what, err) : r;
    if (r == 0) {
        e.options = tare_json_get(json, "options");
        r = read_kind(axis, json, &keys, &e, what, err);
    }
    tare_opts_fini(axes[axis].table, &keys);
    r = r == 0 && !e.name[0] ? set_name(&e, e.what, what, err) : r;
    if (r < 0) {
        tare_entry_fini(&e);
        return r;
    }
    *out = e;
    return 0;
}

void tare_entry_fini(struct tare_entry *entry)
{
    free(entry->rendered);
    memset(entry, 0, sizeof *entry);
}
