/* SPDX-License-Identifier: Apache-2.0 */
/* Specs out of JSON, driven by one option table. */
#include "core/spec.h"

#include "base/opt.h"

#include <math.h>
#include <string.h>

#define MEMBER(type_, member_) .name = #member_, .type = type_, .offset = offsetof(struct tare_spec, member_)

const char *const tare_metering_choices[] = {"all", "none", NULL};
const char *const tare_network_names[] = {"host", "own", NULL};

static const struct tare_opt table[] = {
    {MEMBER(TARE_OPT_STR, backend), .help = "shared object"},
    {MEMBER(TARE_OPT_STR, model), .help = "model file or name"},
    {MEMBER(TARE_OPT_STR, technique), .help = "taxonomy tag to apply"},
    {MEMBER(TARE_OPT_STR, task), .help = "task"},
    {MEMBER(TARE_OPT_STR, exe), .help = "tare of the worker"},
    {MEMBER(TARE_OPT_STR, folder), .help = "where relative paths start"},
    {MEMBER(TARE_OPT_STR, data_dir), .help = "folder of the shipped data"},
    {MEMBER(TARE_OPT_I64, task_version), .def = "0", .min = 0, .max = INT64_C(1) << 32, .help = "version"},
    {MEMBER(TARE_OPT_I64, seed), .def = "1", .help = "seed of the task"},
    {MEMBER(TARE_OPT_I64, warmup), .def = "0", .min = 0, .max = 1000000000, .help = "warm-up items"},
    {MEMBER(TARE_OPT_I64, window_tok), .def = "0", .min = 0, .max = 1 << 24, .help = "window"},
    {MEMBER(TARE_OPT_BYTES, memory_limit_bytes), .def = "0", .min = 0, .max = INT64_MAX, .help = "limit"},
    {MEMBER(TARE_OPT_CHOICE, network), .def = "host", .choices = tare_network_names, .help = "namespace"},
    {MEMBER(TARE_OPT_STR, cgroup), .help = "cgroup to enter"},
    {MEMBER(TARE_OPT_I64, first_item), .def = "0", .min = 0, .max = INT64_MAX, .help = "first item"},
    {MEMBER(TARE_OPT_NS, sustain_ns), .def = "0", .min = 0, .max = INT64_MAX, .help = "sustain"},
    {MEMBER(TARE_OPT_CHOICE, metering), .def = "all", .help = "meters", .choices = tare_metering_choices},
    TARE_OPT_END};

static int take_object(const struct tare_json *json, const char *key, struct tare_json **out,
                       struct tare_err *err)
{
    const struct tare_json *value = tare_json_get(json, key);
    if (value && tare_json_type(value) != TARE_JSON_OBJECT) {
        return tare_err_set(err, TARE_E_FORMAT, "cell: \"%s\" is no object", key);
    }
    struct tare_json *copy = tare_json_new_object();
    for (const struct tare_json *v = tare_json_first(value); v; v = tare_json_next(v)) {
        tare_json_add_copy(copy, tare_json_key(v), v);
    }
    if (!copy) {
        return tare_err_set(err, TARE_E_NOMEM, "cell: out of memory");
    }
    *out = copy;
    return 0;
}

static int fill(const struct tare_json *json, struct tare_spec *spec, struct tare_err *err)
{
    static const char *const skip[] = {"options", "task_options", "meters", "environment", NULL};
    int r = tare_opts_init(table, spec, err);
    r = r < 0 ? r : tare_opts_from_json(table, spec, json, skip, "cell", err);
    r = r < 0 ? r : take_object(json, "options", &spec->options, err);
    r = r < 0 ? r : take_object(json, "task_options", &spec->task_options, err);
    if (r == 0 && tare_json_get(json, "environment")) {
        r = take_object(json, "environment", &spec->environment, err);
    }
    if (r == 0 && tare_json_get(json, "meters")) {
        struct tare_json *holder = tare_json_new_object();
        tare_json_add_copy(holder, "meters", tare_json_get(json, "meters"));
        spec->meters = holder;
    }
    if (r == 0 && (!spec->backend || !spec->task || !spec->data_dir)) {
        r = tare_err_set(err, TARE_E_FORMAT, "cell: names no backend, task or data folder");
    }
    return r;
}

double tare_spec_number(const struct tare_json *options, const char *name)
{
    const struct tare_json *given = tare_json_get(options, name);
    const struct tare_opt one[] = {{.name = name, .type = TARE_OPT_I64}, TARE_OPT_END};
    const char *text = tare_json_str(given);
    struct tare_err ignored = {0};
    int64_t value = 0;
    if (tare_json_type(given) == TARE_JSON_NUMBER) {
        return tare_json_num(given);
    }
    return text && tare_opts_set(one, &value, name, text, "option", &ignored) == 0 ? (double)value
                                                                                   : (double)NAN;
}

int tare_spec_parse(const char *text, size_t n, struct tare_spec *out, struct tare_err *err)
{
    struct tare_json *json = NULL;
    struct tare_spec spec;
    memset(&spec, 0, sizeof spec);
    int r = tare_json_parse(text, n, "cell", &json, err);
    if (r == 0) {
        r = fill(json, &spec, err);
    }
    tare_json_destroy(json);
    if (r < 0) {
        tare_spec_fini(&spec);
        return r;
    }
    *out = spec;
    return 0;
}

void tare_spec_fini(struct tare_spec *spec)
{
    tare_opts_fini(table, spec);
    tare_json_destroy(spec->options);
    tare_json_destroy(spec->task_options);
    tare_json_destroy(spec->environment);
    tare_json_destroy(spec->meters);
    memset(spec, 0, sizeof *spec);
}

static bool is_of_supervisor(const char *key)
{
    return strcmp(key, "first_item") == 0 || strcmp(key, "exe") == 0 || strcmp(key, "environment") == 0;
}

int tare_spec_from(const char *spec, int64_t first_item, char **out, struct tare_err *err)
{
    struct tare_json *json = NULL;
    int r = tare_json_parse(spec, strlen(spec), "stored cell", &json, err);
    if (r == 0 && tare_json_type(json) != TARE_JSON_OBJECT) {
        r = tare_err_set(err, TARE_E_FORMAT, "stored cell: is %s, not an object",
                         tare_json_type_name(tare_json_type(json)));
    }
    if (r < 0) {
        tare_json_destroy(json);
        return r;
    }
    struct tare_json *copy = tare_json_new_object();
    for (const struct tare_json *v = tare_json_first(json); v; v = tare_json_next(v)) {
        if (!is_of_supervisor(tare_json_key(v))) {
            tare_json_add_copy(copy, tare_json_key(v), v);
        }
    }
    tare_json_add_i64(copy, "first_item", first_item);
    r = tare_json_print(copy, false, out, err);
    tare_json_destroy(copy);
    tare_json_destroy(json);
    return r;
}
