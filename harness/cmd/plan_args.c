/* SPDX-License-Identifier: Apache-2.0 */
/* Words of the command line into a plan's JSON. */
#include "cmd/plan_args.h"

#include <stdlib.h>
#include <string.h>

/* An axis: its key in the plan, the member its first word is, and the members that are its own. */
struct axis {
    const char *key;
    const char *first;
    const char *own[11];
};

static const struct axis axes[] = {
    {"models", "backend", {"name", "path", "technique", NULL}},
    {"techniques", "technique", {"name", NULL}},
    {"tasks", "task", {"name", "repeats", "window_tok", NULL}},
    {"scenarios", "scenario", {"name", "warmup", "window_tok", NULL}},
    {"include", NULL, {"model", "technique", "task", "scenario", NULL}},
    {"exclude", NULL, {"model", "technique", "task", "scenario", NULL}},
    {"meters", "meter", {"off", NULL}},
    /* Of a rule file (cmd/check.c). */
    {"arms", "backend", {"name", "path", "technique", "backends", "tare", NULL}},
    {"metrics",
     "figure",
     {"task", "model", "rule", "direction", "margin", "equivalence", "tolerance", "demand", "strict", NULL}},
};

static bool is_own(const struct axis *axis, const char *key)
{
    for (size_t i = 0; axis->own[i]; i++) {
        if (strcmp(axis->own[i], key) == 0) {
            return true;
        }
    }
    return false;
}

/* One "key=value", or the first word. Options go into the entry's "options", made when needed. */
static int add_part(const struct axis *axis, struct tare_json *entry, struct tare_json **entry_options,
                    char *part, bool first, struct tare_err *err)
{
    char *equals = part + strcspn(part, "={"); /* the parameters of a tag have some of their own */
    equals = *equals == '=' ? equals : NULL;
    if (!equals && first && axis->first) {
        tare_json_add_str(entry, axis->first, part);
        return 0;
    }
    if (!equals) {
        return tare_err_set(err, TARE_E_USAGE, "tare run: \"%.60s\" in %s is not of the form key=value", part,
                            axis->key);
    }
    *equals = '\0';
    if (!is_own(axis, part) && !*entry_options) {
        *entry_options = tare_json_add_object(entry, "options");
    }
    tare_json_add_str(is_own(axis, part) ? entry : *entry_options, part, equals + 1);
    return 0;
}

/* The comma behind the first part; one within the braces of a tag ends nothing. NULL: there is none. */
static char *part_end(char *text)
{
    int depth = 0;
    for (; *text; text++) {
        depth += *text == '{' ? 1 : *text == '}' && depth > 0 ? -1 : 0;
        if (*text == ',' && depth == 0) {
            return text;
        }
    }
    return NULL;
}

/* "native,path=zoo:llama-1m,threads=2"; modifies text. */
static int add_entry(const struct axis *axis, struct tare_json *list, char *text, struct tare_err *err)
{
    struct tare_json *entry = tare_json_add_object(list, NULL), *entry_options = NULL;
    bool first = true;
    int r = 0;
    while (r == 0 && text) {
        char *comma = part_end(text);
        if (comma) {
            *comma = '\0';
        }
        r = add_part(axis, entry, &entry_options, text, first, err);
        first = false;
        text = comma ? comma + 1 : NULL;
    }
    return r;
}

static int add_axis(const struct axis *axis, struct tare_json *plan, const char *values, struct tare_err *err)
{
    if (!values) {
        return 0;
    }
    char *copy = strdup(values);
    if (!copy) {
        return tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    struct tare_json *list = tare_json_add_array(plan, axis->key);
    int r = 0;
    for (char *line = copy; r == 0 && line;) {
        char *end = strchr(line, '\n');
        if (end) {
            *end = '\0';
        }
        r = add_entry(axis, list, line, err);
        line = end ? end + 1 : NULL;
    }
    free(copy);
    return r;
}

/* Options to be set, a line each. */
static int add_sets(struct tare_json *plan, const char *values, struct tare_err *err)
{
    char *copy = values ? strdup(values) : NULL, *rest = copy;
    if (!copy) {
        return values ? tare_err_set(err, TARE_E_NOMEM, "out of memory") : 0;
    }
    struct tare_json *list = tare_json_add_array(plan, "set");
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        tare_json_add_str(list, NULL, line);
    }
    free(copy);
    return 0;
}

bool tare_plan_args_given(const struct tare_run_options *o)
{
    const char *const given[] = {o->name,    o->seed,    o->repeats,    o->memory_limit,   o->metering,
                                 o->meter,   o->sustain, o->idle_time,  o->cool_to_c,      o->cool_limit,
                                 o->network, o->cgroup,  o->peak_flops, o->peak_bandwidth, o->baseline,
                                 o->noise,   o->model,   o->technique,  o->task,           o->scenario,
                                 o->include, o->exclude, o->set,        o->energy_model,   o->prices,
                                 o->carbon};
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
        if (given[i]) {
            return true;
        }
    }
    return false;
}

int tare_plan_args_json(const struct tare_run_options *o, struct tare_json **out, struct tare_err *err)
{
    const char *const scalars[][2] = {{"name", o->name},
                                      {"seed", o->seed},
                                      {"repeats", o->repeats},
                                      {"time_limit", o->time_limit},
                                      {"memory_limit", o->memory_limit},
                                      {"metering", o->metering},
                                      {"sustain", o->sustain},
                                      {"idle_time", o->idle_time},
                                      {"cool_to_c", o->cool_to_c},
                                      {"cool_limit", o->cool_limit},
                                      {"network", o->network},
                                      {"cgroup", o->cgroup},
                                      {"peak_flops", o->peak_flops},
                                      {"peak_bandwidth", o->peak_bandwidth},
                                      {"baseline", o->baseline},
                                      {"noise", o->noise},
                                      {"energy_model", o->energy_model},
                                      {"prices", o->prices},
                                      {"carbon", o->carbon}};
    const char *const lists[] = {o->model,   o->technique, o->task, o->scenario,
                                 o->include, o->exclude,   o->meter};
    struct tare_json *json = tare_json_new_object();
    for (size_t i = 0; i < sizeof scalars / sizeof *scalars; i++) {
        if (scalars[i][1]) {
            tare_json_add_str(json, scalars[i][0], scalars[i][1]);
        }
    }
    int r = json ? 0 : tare_err_set(err, TARE_E_NOMEM, "out of memory");
    for (size_t i = 0; r == 0 && i < sizeof lists / sizeof *lists; i++) {
        r = add_axis(&axes[i], json, lists[i], err);
    }
    r = r == 0 ? add_sets(json, o->set, err) : r;
    if (r < 0) {
        tare_json_destroy(json);
        return r;
    }
    *out = json;
    return 0;
}

int tare_plan_args_list(const char *key, const char *values, struct tare_json *to, struct tare_err *err)
{
    const struct axis *axis = axes;
    while (strcmp(axis->key, key) != 0) {
        axis++;
    }
    return add_axis(axis, to, values, err);
}

int tare_plan_args_meters(const char *values, struct tare_json **out, struct tare_err *err)
{
    struct tare_json *holder = tare_json_new_object();
    int r = holder ? tare_plan_args_list("meters", values, holder, err)
                   : tare_err_set(err, TARE_E_NOMEM, "out of memory");
    if (r < 0) {
        tare_json_destroy(holder);
        return r;
    }
    *out = holder;
    return 0;
}
