/* SPDX-License-Identifier: Apache-2.0 */
/* From plan text to cells: keys, entries, matrix, filters. */
#include "core/plan.h"

#include "base/buf.h"
#include "base/opt.h"
#include "base/plain.h"
#include "core/builtin.h"
#include "core/declared.h"
#include "core/noise.h"
#include "core/plan_check.h"
#include "core/plan_set.h"
#include "core/spec.h"
#include "core/tag.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { max_cells = 100000 };

#define MEMBER(type_, member_) \
    .name = #member_, .type = type_, .offset = offsetof(struct tare_plan_options, member_)

const struct tare_opt tare_plan_table[] = {
    {MEMBER(TARE_OPT_STR, name), .def = "plan", .help = "name of the run"},
    {MEMBER(TARE_OPT_STR, about), .help = "what the plan is for, in one line"},
    {MEMBER(TARE_OPT_I64, seed), .def = "1", .min = 0, .max = INT64_C(1) << 53,
     .help = "seed of the items and of the order of cells"},
    {MEMBER(TARE_OPT_I64, repeats), .def = "6", .min = 1, .max = 10000,
     .help = "blocks; each block runs every cell once, in random order"},
    {.name = "time_limit",
     .type = TARE_OPT_NS,
     .offset = offsetof(struct tare_plan_options, time_limit_ns),
     .def = "600s",
     .min = 0,
     .max = INT64_MAX,
     .help = "longest life of one worker; 0: none"},
    {.name = "memory_limit",
     .type = TARE_OPT_BYTES,
     .offset = offsetof(struct tare_plan_options, memory_limit_bytes),
     .def = "0",
     .min = 0,
     .max = INT64_MAX,
     .help = "address space of one worker; 0: no limit"},
    {MEMBER(TARE_OPT_CHOICE, metering), .def = "all", .choices = tare_metering_choices,
     .help = "all: every meter that works here; none: bare"},
    {.name = "sustain",
     .type = TARE_OPT_NS,
     .offset = offsetof(struct tare_plan_options, sustain_ns),
     .def = "0",
     .min = 0,
     .max = INT64_MAX,
     .help = "behind the measurement ask the same items again for this long, for energy; 0: not"},
    {.name = "idle_time",
     .type = TARE_OPT_NS,
     .offset = offsetof(struct tare_plan_options, idle_ns),
     .def = "0",
     .min = 0,
     .max = INT64_MAX,
     .help = "measure the idle machine this long before and behind every worker; 0: not"},
    {MEMBER(TARE_OPT_F64, cool_to_c), .def = "0",
     .help = "before every worker wait until no known part is hotter than this; 0: do not wait"},
    {.name = "cool_limit",
     .type = TARE_OPT_NS,
     .offset = offsetof(struct tare_plan_options, cool_limit_ns),
     .def = "300s",
     .min = 0,
     .max = INT64_MAX,
     .help = "longest wait for that"},
    {MEMBER(TARE_OPT_CHOICE, network), .def = "host", .choices = tare_network_names,
     .help = "network namespace of a worker: the machine's, or one of its own"},
    {MEMBER(TARE_OPT_STR, cgroup), .help = "folder of a cgroup that every worker enters first"},
    {MEMBER(TARE_OPT_F64, peak_flops), .def = "0",
     .help = "declared peak of the machine in FLOP/s, instead of the certificate's; 0: none"},
    {MEMBER(TARE_OPT_F64, peak_bandwidth), .def = "0",
     .help = "declared peak bandwidth of its memory in B/s; 0: none"},
    {MEMBER(TARE_OPT_STR, baseline), .help = "model that speed-ups refer to"},
    {MEMBER(TARE_OPT_CHOICE, noise), .def = "flag", .choices = tare_noise_policies,
     .help = "what a disturbance does to a cell: flag its times, or void it"},
    TARE_OPT_END};

/* Keys of a plan that are no options: lists, and what is declared (core/declared.h). */
static const char *const list_keys[] = {"tare",    "models",  "techniques", "tasks",  "scenarios",
                                        "include", "exclude", "columns",    "meters", "energy_model",
                                        "prices",  "carbon",  "check",      NULL};

struct matrix {
    struct tare_plan *plan;
    const struct tare_paths *paths;
    struct tare_entry **axes; /* the plan's */
    size_t n[TARE_N_AXES];
    struct tare_err *err;
};

/* A plan is what a user asks for: a fault of its form, or too much of it, is one of usage, in *err too. */
static int as_usage(int r, struct tare_err *err)
{
    if (r != TARE_E_FORMAT && r != TARE_E_LIMIT) {
        return r;
    }
    if (err) {
        err->code = TARE_E_USAGE;
    }
    return TARE_E_USAGE;
}

static int check_version(const struct tare_json *json, const char *what, struct tare_err *err)
{
    int64_t version = 0;
    const struct tare_json *v = tare_json_get(json, "tare");
    if (tare_json_type(json) != TARE_JSON_OBJECT) {
        return tare_err_set(err, TARE_E_USAGE, "%s: a plan is a JSON object, not %s", what,
                            tare_json_type_name(tare_json_type(json)));
    }
    if (!v) {
        return tare_err_set(err, TARE_E_USAGE, "%s: no \"tare\": 1, so this is no plan of tare", what);
    }
    return as_usage(tare_json_i64(v, "\"tare\" in the plan", 1, 1, &version, err), err);
}

/* file's members, replaced by those of `changes`. */
static struct tare_json *merge(const struct tare_json *file, const struct tare_json *changes)
{
    struct tare_json *merged = tare_json_new_object();
    for (const struct tare_json *v = tare_json_first(file); v; v = tare_json_next(v)) {
        if (!tare_json_get(changes, tare_json_key(v))) {
            tare_json_add_copy(merged, tare_json_key(v), v);
        }
    }
    for (const struct tare_json *v = tare_json_first(changes); v; v = tare_json_next(v)) {
        if (strcmp(tare_json_key(v), "set") != 0) {
            tare_json_add_copy(merged, tare_json_key(v), v);
        }
    }
    return merged;
}

static int set_options(struct tare_json **plan, const struct tare_json *sets, struct tare_err *err)
{
    int r = *plan ? 0 : tare_err_set(err, TARE_E_NOMEM, "plan: out of memory");
    for (const struct tare_json *v = tare_json_first(sets); r == 0 && v; v = tare_json_next(v)) {
        struct tare_json *changed = NULL;
        r = tare_plan_set(*plan, tare_json_str(v), &changed, err);
        if (r == 0) {
            tare_json_destroy(*plan);
            *plan = changed;
        }
    }
    return r;
}

/* Files that are declared become part of the plan: it must say the same when they are gone. */
static int embed_declared(struct tare_json **plan, struct tare_err *err)
{
    struct tare_json *whole = NULL;
    int r = tare_declared_embed(*plan, &whole, err);
    if (r == 0) {
        tare_json_destroy(*plan);
        *plan = whole;
    }
    return r;
}

static int read_axis(struct matrix *m, enum tare_axis axis)
{
    const struct tare_json *list = tare_json_get(m->plan->json, tare_axis_key(axis));
    size_t n = tare_json_size(list);
    if (list && (tare_json_type(list) != TARE_JSON_ARRAY || n == 0)) {
        return tare_err_set(m->err, TARE_E_USAGE, "plan: \"%s\" is no array with an entry",
                            tare_axis_key(axis));
    }
    if (!list && (axis == TARE_AXIS_MODEL || axis == TARE_AXIS_TASK)) {
        return tare_err_set(m->err, TARE_E_USAGE, "plan: has no \"%s\"", tare_axis_key(axis));
    }
    m->n[axis] = n ? n : 1;
    m->plan->n_entries[axis] = m->n[axis];
    m->axes[axis] = calloc(m->n[axis], sizeof *m->axes[axis]);
    if (!m->axes[axis]) {
        return tare_err_set(m->err, TARE_E_NOMEM, "plan: out of memory");
    }
    if (n == 0) {
        return tare_entry_read(axis, NULL, 0, &m->axes[axis][0], m->err);
    }
    size_t i = 0;
    for (const struct tare_json *v = tare_json_first(list); v; v = tare_json_next(v), i++) {
        int r = tare_entry_read(axis, v, i, &m->axes[axis][i], m->err);
        for (size_t j = 0; r == 0 && j < i; j++) {
            if (strcmp(m->axes[axis][j].name, m->axes[axis][i].name) == 0) {
                r = tare_err_set(m->err, TARE_E_USAGE,
                                 "plan: two entries of \"%s\" are called \"%s\"; give one another \"name\"",
                                 tare_axis_key(axis), m->axes[axis][i].name);
            }
        }
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

/* Does a filter like {"model": "llama-*", "task": "text"} match the combination? */
static int filter_matches(const struct tare_json *filter, const char *const *names, bool *out,
                          struct tare_err *err)
{
    static const char *const keys[TARE_N_AXES] = {"model", "technique", "task", "scenario"};
    if (tare_json_type(filter) != TARE_JSON_OBJECT) {
        return tare_err_set(err, TARE_E_USAGE, "plan: a filter is an object like {\"model\": \"llama-*\"}");
    }
    *out = true;
    for (const struct tare_json *v = tare_json_first(filter); v; v = tare_json_next(v)) {
        size_t axis = 0;
        while (axis < TARE_N_AXES && strcmp(keys[axis], tare_json_key(v)) != 0) {
            axis++;
        }
        if (axis == TARE_N_AXES || !tare_json_str(v)) {
            return tare_err_set(
                err, TARE_E_USAGE,
                "plan: filter key \"%.40s\": needs model, technique, task or scenario and a pattern",
                tare_json_key(v));
        }
        *out = *out && fnmatch(tare_json_str(v), names[axis], 0) == 0;
    }
    return 0;
}

static int any_filter(const struct tare_json *list, const char *const *names, bool *out, struct tare_err *err)
{
    *out = false;
    if (list && tare_json_type(list) != TARE_JSON_ARRAY) {
        return tare_err_set(err, TARE_E_USAGE, "plan: include and exclude are arrays of filters");
    }
    for (const struct tare_json *v = tare_json_first(list); v; v = tare_json_next(v)) {
        bool one = false;
        int r = filter_matches(v, names, &one, err);
        if (r < 0) {
            return r;
        }
        *out = *out || one;
    }
    return 0;
}

static int wanted(const struct matrix *m, const char *const *names, bool *out)
{
    const struct tare_json *include = tare_json_get(m->plan->json, "include");
    bool in = false, excluded = false;
    int r = any_filter(include, names, &in, m->err);
    r = r == 0 ? any_filter(tare_json_get(m->plan->json, "exclude"), names, &excluded, m->err) : r;
    *out = (!include || in) && !excluded;
    return r;
}

static void add_text(struct tare_json *to, const char *key, const char *value)
{
    if (value && *value) {
        tare_json_add_str(to, key, value);
    }
}

static void add_options(struct tare_json *to, const char *key, const struct tare_json *options)
{
    struct tare_json *object = tare_json_add_object(to, key);
    for (const struct tare_json *v = tare_json_first(options); v; v = tare_json_next(v)) {
        tare_json_add_copy(object, tare_json_key(v), v);
    }
}

/* Whose worker: the executable is found now, as backends are. */
static int add_worker(struct tare_json *spec, const struct tare_json *worker, struct tare_err *err)
{
    const char *exe = tare_json_str(tare_json_get(worker, "tare"));
    char *real = exe ? realpath(exe, NULL) : NULL;
    if (exe && (!real || access(real, X_OK) != 0)) {
        free(real);
        return tare_err_set(err, TARE_E_USAGE, "plan: worker: %.200s: is no executable", exe);
    }
    add_text(spec, "exe", real);
    free(real);
    if (tare_json_get(worker, "environment")) {
        tare_json_add_copy(spec, "environment", tare_json_get(worker, "environment"));
    }
    return 0;
}

static int make_spec(const struct matrix *m, const struct tare_entry *const *e, struct tare_cell *cell)
{
    char backend[TARE_PATH_MAX], model[TARE_PATH_MAX] = "", folder[TARE_PATH_MAX];
    const struct tare_entry *model_entry = e[TARE_AXIS_MODEL];
    int r = tare_paths_backend(m->paths, model_entry->what, backend, sizeof backend, m->err);
    if (r == 0 && model_entry->path) {
        r = tare_paths_model(m->paths, model_entry->path, model, sizeof model, m->err);
    }
    char *technique = NULL;
    if (r == 0 && e[TARE_AXIS_TECHNIQUE]->tag_to_apply) {
        r = tare_tag_resolve(m->paths, e[TARE_AXIS_TECHNIQUE]->tag_to_apply, &technique, m->err);
    }
    if (r < 0) {
        return r;
    }
    struct tare_json *spec = tare_json_new_object();
    add_text(spec, "backend", backend);
    add_text(spec, "model", model);
    add_text(spec, "technique", technique);
    free(technique);
    add_text(spec, "task", e[TARE_AXIS_TASK]->what);
    add_text(spec, "data_dir", m->paths->data);
    add_text(spec, "folder", getcwd(folder, sizeof folder));
    tare_json_add_i64(spec, "task_version", e[TARE_AXIS_TASK]->task_version);
    tare_json_add_i64(spec, "seed", m->plan->options.seed);
    tare_json_add_i64(spec, "warmup", e[TARE_AXIS_SCENARIO]->warmup);
    int64_t window_tok = e[TARE_AXIS_TASK]->window_tok;
    tare_json_add_i64(spec, "window_tok", window_tok ? window_tok : e[TARE_AXIS_SCENARIO]->window_tok);
    tare_json_add_i64(spec, "memory_limit_bytes", m->plan->options.memory_limit_bytes);
    if (m->plan->options.sustain_ns) {
        tare_json_add_i64(spec, "sustain_ns", m->plan->options.sustain_ns);
    }
    if (m->plan->options.metering == TARE_METERING_NONE) {
        add_text(spec, "metering", tare_metering_choices[TARE_METERING_NONE]);
    }
    if (tare_json_get(m->plan->json, "meters")) {
        tare_json_add_copy(spec, "meters", tare_json_get(m->plan->json, "meters"));
    }
    if (m->plan->options.network != TARE_NETWORK_HOST) {
        add_text(spec, "network", tare_network_names[m->plan->options.network]);
    }
    add_text(spec, "cgroup", m->plan->options.cgroup);
    add_options(spec, "options", model_entry->options);
    add_options(spec, "task_options", e[TARE_AXIS_TASK]->options);
    r = add_worker(spec, model_entry->worker, m->err);
    r = r == 0 ? tare_json_print(spec, false, &cell->spec, m->err) : r;
    tare_json_destroy(spec);
    return r;
}

/* May the technique of this label be applied to a model with this list of patterns? */
static bool is_listed(const struct tare_json *patterns, const char *label)
{
    for (const struct tare_json *v = tare_json_first(patterns); v; v = tare_json_next(v)) {
        if (fnmatch(tare_json_str(v), label, 0) == 0) {
            return true;
        }
    }
    return !patterns;
}

/* What is applied names the group; the model's own tag stands before it. */
static int name_technique(const struct matrix *m, const struct tare_entry *const *e, struct tare_cell *cell)
{
    bool applied = e[TARE_AXIS_TECHNIQUE]->tag_to_apply, own = e[TARE_AXIS_MODEL]->rendered;
    cell->technique = applied ? e[TARE_AXIS_TECHNIQUE]->name : e[TARE_AXIS_MODEL]->tag;
    if (!applied || !own || strcmp(e[TARE_AXIS_MODEL]->tag, "baseline") == 0) {
        return 0;
    }
    struct tare_buf both;
    tare_buf_init(&both, 1 << 16);
    tare_buf_printf(&both, "%s + %s", e[TARE_AXIS_MODEL]->tag, e[TARE_AXIS_TECHNIQUE]->name);
    int r = tare_buf_check(&both, "plan", m->err);
    cell->combined = r == 0 ? tare_buf_take(&both) : NULL;
    cell->technique = cell->combined;
    tare_buf_fini(&both);
    return r;
}

static int add_cell(struct matrix *m, const size_t *at)
{
    const struct tare_entry *e[TARE_N_AXES];
    const char *names[TARE_N_AXES];
    for (size_t axis = 0; axis < TARE_N_AXES; axis++) {
        e[axis] = &m->axes[axis][at[axis]];
        names[axis] = e[axis]->name;
    }
    bool in = false;
    int r = wanted(m, names, &in);
    if (r < 0 || !in || !is_listed(e[TARE_AXIS_MODEL]->techniques, names[TARE_AXIS_TECHNIQUE])) {
        return r;
    }
    struct tare_cell *cell = &m->plan->cells[m->plan->n_cells];
    memset(cell, 0, sizeof *cell);
    cell->backend = e[TARE_AXIS_MODEL]->what;
    cell->model = names[TARE_AXIS_MODEL];
    int64_t repeats = e[TARE_AXIS_TASK]->repeats, all = m->plan->options.repeats;
    cell->repeats = repeats && repeats < all ? repeats : all;
    cell->task = names[TARE_AXIS_TASK];
    cell->scenario = names[TARE_AXIS_SCENARIO];
    cell->backend_options = e[TARE_AXIS_MODEL]->options;
    r = name_technique(m, e, cell);
    r = r == 0 ? make_spec(m, e, cell) : r;
    if (r < 0) {
        free(cell->combined);
        return r;
    }
    m->plan->n_cells++;
    return 0;
}

/* Counts through the axes like an odometer, the last one fastest. */
static int multiply(struct matrix *m)
{
    size_t total = 1;
    for (size_t axis = 0; axis < TARE_N_AXES; axis++) {
        total *= m->n[axis];
        if (total > max_cells) {
            return tare_err_set(m->err, TARE_E_LIMIT, "plan: more than %d cells", max_cells);
        }
    }
    m->plan->cells = calloc(total, sizeof *m->plan->cells);
    if (!m->plan->cells) {
        return tare_err_set(m->err, TARE_E_NOMEM, "plan: out of memory");
    }
    for (size_t i = 0; i < total; i++) {
        size_t at[TARE_N_AXES], rest = i;
        for (size_t axis = TARE_N_AXES; axis-- > 0; rest /= m->n[axis]) {
            at[axis] = rest % m->n[axis];
        }
        int r = add_cell(m, at);
        if (r < 0) {
            return r;
        }
    }
    return m->plan->n_cells ? 0 : tare_err_set(m->err, TARE_E_USAGE, "plan: its filters leave no cell");
}

int tare_plan_read_options(const struct tare_json *json, struct tare_plan_options *out, struct tare_err *err)
{
    int r = tare_opts_init(tare_plan_table, out, err);
    return r == 0 ? tare_opts_from_json(tare_plan_table, out, json, list_keys, "plan", err) : r;
}

static int build(struct matrix *m)
{
    int r = tare_plan_read_options(m->plan->json, &m->plan->options, m->err);
    for (int axis = 0; r == 0 && axis < TARE_N_AXES; axis++) {
        r = read_axis(m, (enum tare_axis)axis);
    }
    r = r == 0 ? tare_plan_check(m->plan, m->err) : r;
    return r == 0 ? multiply(m) : r;
}

int tare_plan_parse(const char *text, size_t n, const char *what, const struct tare_json *changes,
                    const struct tare_paths *paths, struct tare_plan *out, struct tare_err *err)
{
    struct tare_json *file = NULL;
    struct tare_plan plan;
    memset(&plan, 0, sizeof plan);
    struct matrix m = {.plan = &plan, .paths = paths, .axes = plan.axes, .err = err};
    int r = as_usage(tare_json_parse(text, n, what, &file, err), err);
    r = r == 0 ? check_version(file, what, err) : r;
    if (r == 0) {
        plan.json = merge(file, changes);
        r = set_options(&plan.json, tare_json_get(changes, "set"), err);
        r = r == 0 ? embed_declared(&plan.json, err) : r;
        r = r == 0 ? build(&m) : r;
    }
    tare_json_destroy(file);
    if (r < 0) {
        tare_plain_err(err); /* it may quote the plan */
        tare_plan_fini(&plan);
        return as_usage(r, err);
    }
    *out = plan;
    return 0;
}

void tare_plan_fini(struct tare_plan *plan)
{
    for (size_t i = 0; i < plan->n_cells; i++) {
        free(plan->cells[i].spec);
        free(plan->cells[i].combined);
    }
    free(plan->cells);
    for (size_t axis = 0; axis < TARE_N_AXES; axis++) {
        for (size_t i = 0; plan->axes[axis] && i < plan->n_entries[axis]; i++) {
            tare_entry_fini(&plan->axes[axis][i]);
        }
        free(plan->axes[axis]);
    }
    tare_json_destroy(plan->json);
    tare_opts_fini(tare_plan_table, &plan->options);
    memset(plan, 0, sizeof *plan);
}

void tare_plan_order(int64_t seed, int64_t block, size_t n, size_t *order)
{
    struct tare_rng root;
    tare_rng_init(&root, (uint64_t)seed);
    struct tare_rng rng = tare_rng_split(&root, "block order", (uint64_t)block);
    for (size_t i = 0; i < n; i++) {
        order[i] = i;
    }
    tare_rng_shuffle(&rng, order, n, sizeof *order);
}
