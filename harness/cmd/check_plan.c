/* SPDX-License-Identifier: Apache-2.0 */
/* Arms over the plan part: what an arm says replaces what the plan says. */
#include "cmd/check_plan.h"

#include "base/buf.h"
#include "core/builtin.h"
#include "core/plan_entry.h"
#include "core/stream_version.h"
#include "core/supervisor.h"

#include <fnmatch.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const arm_names[TARE_CHECK_N_ARMS] = {"base", "candidate"};

struct maker {
    const struct tare_gate_rules *rules;
    const char *what;
    struct tare_json *to;
    struct tare_json *models, *techniques;
    bool several;
    bool treats; /* an arm names a technique */
    struct tare_err *err;
};

static const struct tare_json *arm_of(const struct tare_gate_rules *rules, int arm)
{
    return arm == TARE_CHECK_BASE ? rules->base : rules->candidate;
}

static const char *text_of(const struct tare_json *object, const char *key)
{
    const char *text = tare_json_str(tare_json_get(object, key));
    return text && *text ? text : NULL;
}

int tare_check_arm_of(const char *model, const char **out_label)
{
    for (int arm = 0; arm < TARE_CHECK_N_ARMS; arm++) {
        size_t n = strlen(arm_names[arm]);
        if (strncmp(model, arm_names[arm], n) == 0 && (model[n] == '\0' || model[n] == '/')) {
            *out_label = model[n] ? model + n + 1 : "";
            return arm;
        }
    }
    return -1;
}

void tare_check_arm_text(const struct tare_gate_rules *rules, enum tare_check_arm arm, char *out,
                         size_t n_out)
{
    static const char *const keys[] = {"tare",      "backends", "backend",    "path",
                                       "technique", "options",  "environment"};
    const struct tare_json *json = arm_of(rules, (int)arm);
    const char *name = text_of(json, "name");
    struct tare_buf buf;
    tare_buf_init(&buf, 4096);
    for (size_t i = 0; !name && i < sizeof keys / sizeof *keys; i++) {
        const struct tare_json *v = tare_json_get(json, keys[i]);
        char *text = NULL;
        if (v && tare_json_size(v) == 0 && tare_json_str(v)) {
            tare_buf_printf(&buf, "%s%s %s", buf.used ? ", " : "", keys[i], tare_json_str(v));
        } else if (v && tare_json_print(v, false, &text, NULL) == 0) {
            tare_buf_printf(&buf, "%s%s %s", buf.used ? ", " : "", keys[i], text);
        }
        free(text);
    }
    (void)snprintf(out, n_out, "%s", name ? name : buf.used ? tare_buf_str(&buf) : "as planned");
    tare_buf_fini(&buf);
}

/* NAME.so of another tare: beside it in a build folder, below lib of an installation. */
static int backend_beside(const char *exe, const char *name, char *out, size_t n_out, struct tare_err *err)
{
    static const char *const places[] = {"backends", "../lib/tare/backends", "../lib/*/tare/backends",
                                         "../lib64/tare/backends"};
    char *real = realpath(exe, NULL), *slash = real ? strrchr(real, '/') : NULL;
    bool found = false;
    for (size_t i = 0; slash && !found && i < sizeof places / sizeof *places; i++) {
        char pattern[2 * TARE_PATH_MAX];
        glob_t hits;
        (void)snprintf(pattern, sizeof pattern, "%.*s/%s/%s.so", (int)(slash - real), real, places[i], name);
        if (glob(pattern, 0, NULL, &hits) == 0) {
            found = hits.gl_pathc > 0;
            (void)snprintf(out, n_out, "%s", found ? hits.gl_pathv[0] : "");
            globfree(&hits);
        }
    }
    free(real);
    return found ? 0
                 : tare_err_set(err, TARE_E_USAGE,
                                "tare %.200s: no %.40s.so beside it; name its folder as \"backends\"", exe,
                                name);
}

/* The arm's shared object: of a folder that it names, of its own tare, or whatever ours finds. */
static int add_backend(const struct maker *m, const struct tare_json *arm, const struct tare_json *model,
                       struct tare_json *entry)
{
    char path[2 * TARE_PATH_MAX];
    const char *name = text_of(arm, "backend"), *folder = text_of(arm, "backends");
    const char *exe = text_of(arm, "tare");
    name = name ? name : text_of(model, "backend");
    if (!name) {
        return tare_err_set(m->err, TARE_E_USAGE,
                            "%.200s: neither its models nor its arms name a \"backend\"", m->what);
    }
    if (!strchr(name, '/') && folder) {
        (void)snprintf(path, sizeof path, "%.4000s/%.200s.so", folder, name);
        name = path;
    } else if (!strchr(name, '/') && exe) {
        int r = backend_beside(exe, name, path, sizeof path, m->err);
        if (r < 0) {
            return r;
        }
        name = path;
    }
    tare_json_add_str(entry, "backend", name);
    return 0;
}

static void add_options(const struct tare_json *arm, const struct tare_json *model, struct tare_json *entry)
{
    const struct tare_json *shared = tare_json_get(model, "options"), *own = tare_json_get(arm, "options");
    struct tare_json *to = shared || own ? tare_json_add_object(entry, "options") : NULL;
    for (const struct tare_json *v = tare_json_first(shared); v; v = tare_json_next(v)) {
        if (!tare_json_get(own, tare_json_key(v))) {
            tare_json_add_copy(to, tare_json_key(v), v);
        }
    }
    for (const struct tare_json *v = tare_json_first(own); v; v = tare_json_next(v)) {
        tare_json_add_copy(to, tare_json_key(v), v);
    }
}

static void add_worker(const struct tare_json *arm, struct tare_json *entry)
{
    const char *exe = text_of(arm, "tare");
    const struct tare_json *environment = tare_json_get(arm, "environment");
    struct tare_json *worker = exe || environment ? tare_json_add_object(entry, "worker") : NULL;
    if (exe) {
        tare_json_add_str(worker, "tare", exe);
    }
    if (environment) {
        tare_json_add_copy(worker, "environment", environment);
    }
}

static int add_model(const struct maker *m, int arm, const struct tare_json *model)
{
    const struct tare_json *a = arm_of(m->rules, arm);
    struct tare_json *entry = tare_json_add_object(m->models, NULL);
    const char *path = text_of(a, "path") ? text_of(a, "path") : text_of(model, "path");
    const char *label = text_of(model, "name") ? text_of(model, "name") : text_of(model, "path");
    char name[TARE_LABEL_MAX];
    label = label ? label : text_of(model, "backend");
    int n =
        snprintf(name, sizeof name, "%s%s%s", arm_names[arm], m->several ? "/" : "", m->several ? label : "");
    if (n < 0 || (size_t)n >= sizeof name) {
        return tare_err_set(m->err, TARE_E_USAGE, "%.200s: a model needs a shorter \"name\"", m->what);
    }
    tare_json_add_str(entry, "name", name);
    if (path) {
        tare_json_add_str(entry, "path", path);
    }
    add_options(a, model, entry);
    add_worker(a, entry);
    if (m->treats) {
        struct tare_json *list = tare_json_add_array(entry, "techniques");
        tare_json_add_str(list, NULL, text_of(a, "technique") ? arm_names[arm] : "baseline");
    } else if (tare_json_get(model, "techniques")) {
        tare_json_add_copy(entry, "techniques", tare_json_get(model, "techniques"));
    }
    return add_backend(m, a, model, entry);
}

static int check_model(const struct maker *m, const struct tare_json *model)
{
    static const char *const known[] = {"name", "backend", "path", "options", "techniques"};
    for (const struct tare_json *v = tare_json_first(model); v; v = tare_json_next(v)) {
        bool ok = false;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
            ok = ok || strcmp(tare_json_key(v), known[i]) == 0;
        }
        if (!ok) {
            return tare_err_set(m->err, TARE_E_USAGE,
                                "%.200s: plan: models: key \"%.40s\" has no place here; a model has name, "
                                "backend, path, options and techniques",
                                m->what, tare_json_key(v));
        }
    }
    return tare_json_type(model) == TARE_JSON_OBJECT
               ? 0
               : tare_err_set(m->err, TARE_E_USAGE, "%.200s: plan: a model is an object", m->what);
}

static int add_models(struct maker *m)
{
    const struct tare_json *list = tare_json_get(m->rules->plan, "models");
    int r = 0;
    if (list && (tare_json_type(list) != TARE_JSON_ARRAY || tare_json_size(list) == 0)) {
        return tare_err_set(m->err, TARE_E_USAGE, "%.200s: plan: \"models\" is no array with an entry",
                            m->what);
    }
    m->models = tare_json_add_array(m->to, "models");
    m->several = tare_json_size(list) > 1;
    for (const struct tare_json *v = tare_json_first(list); r == 0 && v; v = tare_json_next(v)) {
        r = check_model(m, v);
        for (int arm = 0; r == 0 && arm < TARE_CHECK_N_ARMS; arm++) {
            r = add_model(m, arm, v);
        }
    }
    for (int arm = 0; r == 0 && !list && arm < TARE_CHECK_N_ARMS; arm++) {
        r = add_model(m, arm, NULL);
    }
    return r;
}

/* Where an arm names a technique, the two arms are all there is of techniques. */
static int add_techniques(struct maker *m)
{
    const struct tare_json *shared = tare_json_get(m->rules->plan, "techniques");
    if (!m->treats) {
        if (shared) {
            tare_json_add_copy(m->to, "techniques", shared);
        }
        return 0;
    }
    if (shared) {
        return tare_err_set(
            m->err, TARE_E_USAGE,
            "%.200s: \"techniques\" of the plan and \"technique\" of an arm exclude each other", m->what);
    }
    struct tare_json *list = tare_json_add_array(m->to, "techniques");
    bool untreated = false;
    for (int arm = 0; arm < TARE_CHECK_N_ARMS; arm++) {
        const char *tag = text_of(arm_of(m->rules, arm), "technique");
        struct tare_json *entry = tag || !untreated ? tare_json_add_object(list, NULL) : NULL;
        untreated = untreated || !tag;
        if (entry) {
            tare_json_add_str(entry, "technique", tag ? tag : "baseline");
            tare_json_add_str(entry, "name", tag ? arm_names[arm] : "baseline");
        }
    }
    return 0;
}

/* Quality is over items: a task of which nothing else is asked runs once. */
static bool is_for_quality_alone(const struct tare_gate_rules *rules, const struct tare_json *task)
{
    const struct tare_task *known = NULL;
    struct tare_err ignored;
    const char *name = text_of(task, "task"), *label = text_of(task, "name");
    if (!name || tare_find_task(name, &known, &ignored) < 0) {
        return false;
    }
    bool any = false;
    for (size_t i = 0; i < rules->n_metrics; i++) {
        const struct tare_gate_metric *metric = &rules->metrics[i];
        bool graded = metric->rule == TARE_GATE_QUALITY;
        for (const struct tare_metric *q = known->metrics; q && q->name; q++) {
            graded = graded || (metric->rule == TARE_GATE_AUTO && strcmp(q->name, metric->figure) == 0);
        }
        if (fnmatch(metric->task, label ? label : name, 0) == 0) {
            any = true;
            if (!graded) {
                return false;
            }
        }
    }
    return any;
}

static void add_tasks(const struct maker *m)
{
    const struct tare_json *list = tare_json_get(m->rules->plan, "tasks");
    struct tare_json *to = list ? tare_json_add_array(m->to, "tasks") : NULL;
    for (const struct tare_json *v = tare_json_first(list); v; v = tare_json_next(v)) {
        bool once = !tare_json_get(v, "repeats") && is_for_quality_alone(m->rules, v);
        if (!once) {
            tare_json_add_copy(to, NULL, v);
            continue;
        }
        struct tare_json *entry = tare_json_add_object(to, NULL);
        for (const struct tare_json *k = tare_json_first(v); k; k = tare_json_next(k)) {
            tare_json_add_copy(entry, tare_json_key(k), k);
        }
        tare_json_add_i64(entry, "repeats", 1);
    }
}

static int add_rest(const struct maker *m)
{
    static const char *const own[] = {"models", "techniques", "tasks", "tare"};
    static const char *const refused[] = {"repeats", "baseline", "include", "exclude", "check", "name"};
    for (const struct tare_json *v = tare_json_first(m->rules->plan); v; v = tare_json_next(v)) {
        bool taken = false;
        for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
            if (strcmp(tare_json_key(v), refused[i]) == 0) {
                return tare_err_set(
                    m->err, TARE_E_USAGE,
                    "%.200s: plan: \"%s\" has no place in a rule file, which says itself what "
                    "runs how often",
                    m->what, refused[i]);
            }
        }
        for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
            taken = taken || strcmp(tare_json_key(v), own[i]) == 0;
        }
        if (!taken) {
            tare_json_add_copy(m->to, tare_json_key(v), v);
        }
    }
    return 0;
}

int tare_check_plan(const struct tare_gate_rules *rules, const char *what, char **out, struct tare_err *err)
{
    struct maker m = {.rules = rules,
                      .what = what,
                      .to = tare_json_new_object(),
                      .treats = text_of(rules->base, "technique") || text_of(rules->candidate, "technique"),
                      .err = err};
    tare_json_add_i64(m.to, "tare", 1);
    tare_json_add_str(m.to, "name", rules->name);
    tare_json_add_i64(m.to, "repeats", rules->blocks * rules->runs_per_block);
    int r = add_rest(&m);
    r = r == 0 ? add_models(&m) : r;
    r = r == 0 ? add_techniques(&m) : r;
    add_tasks(&m);
    tare_json_add_copy(m.to, "check", rules->json);
    r = r == 0 ? tare_json_print(m.to, false, out, err) : r;
    tare_json_destroy(m.to);
    return r;
}

int tare_check_arms(const struct tare_gate_rules *rules, const struct tare_paths *paths, struct tare_err *err)
{
    char null[TARE_PATH_MAX];
    int r = 0;
    for (int arm = 0; r == 0 && arm < TARE_CHECK_N_ARMS; arm++) {
        const char *exe = text_of(arm_of(rules, arm), "tare");
        char *text = NULL;
        struct tare_json *json = NULL;
        if (!exe) {
            continue;
        }
        if (access(exe, X_OK) != 0) {
            return tare_err_set(err, TARE_E_USAGE, "%s: tare %.300s: is no executable", arm_names[arm], exe);
        }
        r = tare_paths_backend(paths, "null", null, sizeof null, err);
        r = r == 0 ? tare_supervise_probe(exe, "--probe", null, &text, err) : r;
        r = r == 0 ? tare_json_parse(text, strlen(text), exe, &json, err) : r;
        const struct tare_json *version = tare_json_get(json, "stream_version");
        /* One that does not say is asked by its first worker, whose stream begins with the version. */
        if (r == 0 && version && tare_json_num(version) != (double)TARE_STREAM_VERSION) {
            r = tare_err_set(err, TARE_E_USAGE,
                             "%s: tare %.200s: its results stream has version %.0f, ours %u: build both from "
                             "sources that agree, or run the older tare's check",
                             arm_names[arm], exe, tare_json_num(version), TARE_STREAM_VERSION);
        }
        tare_json_destroy(json);
        free(text);
    }
    return r;
}
