/* SPDX-License-Identifier: Apache-2.0 */
/* One option table each for the file, an arm and a metric: an unknown key is refused with the nearest. */
#include "rules.h"

#include "base/opt.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const rule_names[] = {"auto", "timing", "exact", "quality", NULL};
static const char *const direction_names[] = {"auto", "higher", "lower", "none", NULL};
static const char *const noise_names[] = {"void", "flag", NULL};

#define MEMBER(type_, member_) \
    .name = #member_, .type = type_, .offset = offsetof(struct tare_gate_rules, member_)
static const struct tare_opt file_table[] = {
    {MEMBER(TARE_OPT_STR, name), .def = "check", .help = "what the gate is for"},
    {MEMBER(TARE_OPT_I64, blocks), .def = "10", .min = 8, .max = 1000, .help = "blocks of a stage"},
    {MEMBER(TARE_OPT_I64, runs_per_block), .def = "3", .min = 1, .max = 99,
     .help = "runs of each arm in a block"},
    {MEMBER(TARE_OPT_BOOL, strict), .def = "false", .help = "inconclusive fails"},
    {MEMBER(TARE_OPT_CHOICE, noise), .def = "void", .choices = noise_names,
     .help = "what a disturbance does to a block"},
    TARE_OPT_END};
#undef MEMBER

#define MEMBER(type_, member_) \
    .name = #member_, .type = type_, .offset = offsetof(struct tare_gate_metric, member_)
static const struct tare_opt metric_table[] = {
    {MEMBER(TARE_OPT_STR, figure), .help = "name of a figure"},
    {MEMBER(TARE_OPT_STR, task), .def = "*", .help = "pattern of tasks"},
    {MEMBER(TARE_OPT_STR, model), .def = "*", .help = "pattern of models"},
    {MEMBER(TARE_OPT_CHOICE, rule), .def = "auto", .choices = rule_names, .help = "how it is decided"},
    {MEMBER(TARE_OPT_CHOICE, direction), .def = "auto", .choices = direction_names,
     .help = "which is better"},
    {MEMBER(TARE_OPT_F64, margin), .def = "-1", .help = "least change that is a regression"},
    {MEMBER(TARE_OPT_F64, equivalence), .def = "0.05", .help = "within it is equivalent"},
    {MEMBER(TARE_OPT_F64, tolerance), .def = "0", .help = "of an exact value, relative"},
    {MEMBER(TARE_OPT_F64, demand), .def = "0", .help = "must be better by this much"},
    {MEMBER(TARE_OPT_BOOL, strict), .def = "false", .help = "inconclusive fails"},
    TARE_OPT_END};
#undef MEMBER

/* Of an arm: all are read by whoever makes the plan; here they are only held against this list. */
struct arm {
    char *backend, *path, *technique, *backends, *tare, *name;
};
#define MEMBER(member_) .name = #member_, .type = TARE_OPT_STR, .offset = offsetof(struct arm, member_)
static const struct tare_opt arm_table[] = {{MEMBER(backend), .help = "name, or path of a shared object"},
                                            {MEMBER(path), .help = "model file"},
                                            {MEMBER(technique), .help = "tag to apply"},
                                            {MEMBER(backends), .help = "folder of shared objects"},
                                            {MEMBER(tare), .help = "executable of the workers"},
                                            {MEMBER(name), .help = "label"},
                                            TARE_OPT_END};
#undef MEMBER

static const char *const file_others[] = {"tare", "plan", "base", "candidate", "metrics", NULL};
static const char *const arm_others[] = {"options", "environment", NULL};

static int check_object(const struct tare_json *value, const char *what, const char *key,
                        struct tare_err *err)
{
    return !value || tare_json_type(value) == TARE_JSON_OBJECT
               ? 0
               : tare_err_set(err, TARE_E_USAGE, "%s: \"%s\" is %s, not an object", what, key,
                              tare_json_type_name(tare_json_type(value)));
}

static int check_arm(const struct tare_json *arm, const char *what, const char *key, struct tare_err *err)
{
    char place[300];
    struct arm scratch = {0};
    (void)snprintf(place, sizeof place, "%.200s: %s", what, key);
    int r = check_object(arm, what, key, err);
    if (r < 0 || !arm) {
        return r;
    }
    r = tare_opts_from_json(arm_table, &scratch, arm, arm_others, place, err);
    tare_opts_fini(arm_table, &scratch);
    r = r == 0 ? check_object(tare_json_get(arm, "options"), place, "options", err) : r;
    const struct tare_json *environment = tare_json_get(arm, "environment");
    r = r == 0 ? check_object(environment, place, "environment", err) : r;
    for (const struct tare_json *v = tare_json_first(environment); r == 0 && v; v = tare_json_next(v)) {
        if (!tare_json_str(v) || !*tare_json_key(v) || strchr(tare_json_key(v), '=')) {
            r = tare_err_set(err, TARE_E_USAGE, "%s: environment: \"%.60s\" is no variable with a text",
                             place, tare_json_key(v));
        }
    }
    return r;
}

static bool is_share(double x)
{
    return isfinite(x) && x >= 0 && x < 10;
}

static int check_metric(const struct tare_gate_metric *m, const char *place, struct tare_err *err)
{
    if (!m->figure || !*m->figure) {
        return tare_err_set(err, TARE_E_USAGE, "%s: names no \"figure\"", place);
    }
    if (!is_share(m->equivalence) || !is_share(m->tolerance) || !is_share(m->demand) ||
        !isfinite(m->margin) || m->margin > 100) {
        return tare_err_set(err, TARE_E_USAGE,
                            "%s: margin, equivalence, tolerance and demand are shares such as 0.02, the "
                            "margin of quality is in points",
                            place);
    }
    bool timing = m->rule == TARE_GATE_TIMING || m->rule == TARE_GATE_AUTO;
    if (m->demand > 0 && !timing) {
        return tare_err_set(err, TARE_E_USAGE, "%s: \"demand\" is of the rule timing", place);
    }
    if (m->rule == TARE_GATE_QUALITY && m->margin == 0) {
        return tare_err_set(err, TARE_E_USAGE, "%s: nothing can be shown to be within 0 points", place);
    }
    return 0;
}

static int read_metrics(struct tare_gate_rules *rules, const char *what, struct tare_err *err)
{
    const struct tare_json *list = tare_json_get(rules->json, "metrics");
    size_t n = tare_json_size(list);
    if (tare_json_type(list) != TARE_JSON_ARRAY || n == 0) {
        return tare_err_set(err, TARE_E_USAGE, "%s: has no \"metrics\" with an element", what);
    }
    rules->metrics = calloc(n, sizeof *rules->metrics);
    int r = rules->metrics ? 0 : tare_err_set(err, TARE_E_NOMEM, "%s: out of memory", what);
    for (const struct tare_json *v = tare_json_first(list); r == 0 && v; v = tare_json_next(v)) {
        char place[300];
        struct tare_gate_metric *m = &rules->metrics[rules->n_metrics];
        (void)snprintf(place, sizeof place, "%.200s: metrics[%zu]", what, rules->n_metrics);
        r = tare_json_type(v) == TARE_JSON_OBJECT
                ? tare_opts_init(metric_table, m, err)
                : tare_err_set(err, TARE_E_USAGE, "%s: is no object with a \"figure\"", place);
        rules->n_metrics += r == 0;
        r = r == 0 ? tare_opts_from_json(metric_table, m, v, NULL, place, err) : r;
        r = r == 0 ? check_metric(m, place, err) : r;
    }
    return r;
}

static int check_version(const struct tare_json *json, const char *what, struct tare_err *err)
{
    int64_t version = 0;
    if (tare_json_type(json) != TARE_JSON_OBJECT || !tare_json_get(json, "tare")) {
        return tare_err_set(err, TARE_E_USAGE, "%s: no object with \"tare\": 1, so no rule file of tare",
                            what);
    }
    int r = tare_json_i64(tare_json_get(json, "tare"), "\"tare\" in the rule file", 1, 1, &version, err);
    return r < 0 && err ? (err->code = TARE_E_USAGE) : r;
}

int tare_gate_rules_read(struct tare_json *json, const char *what, struct tare_gate_rules *out,
                         struct tare_err *err)
{
    struct tare_gate_rules rules = {.json = json};
    int r = check_version(json, what, err);
    r = r == 0 ? tare_opts_init(file_table, &rules, err) : r;
    r = r == 0 ? tare_opts_from_json(file_table, &rules, json, file_others, what, err) : r;
    if (r == 0) {
        rules.plan = tare_json_get(json, "plan");
        rules.base = tare_json_get(json, "base");
        rules.candidate = tare_json_get(json, "candidate");
        r = rules.plan ? check_object(rules.plan, what, "plan", err)
                       : tare_err_set(err, TARE_E_USAGE, "%s: has no \"plan\"", what);
    }
    r = r == 0 ? check_arm(rules.base, what, "base", err) : r;
    r = r == 0 ? check_arm(rules.candidate, what, "candidate", err) : r;
    r = r == 0 ? read_metrics(&rules, what, err) : r;
    if (r < 0) {
        tare_gate_rules_fini(&rules);
        return r;
    }
    *out = rules;
    return 0;
}

void tare_gate_rules_fini(struct tare_gate_rules *rules)
{
    for (size_t i = 0; i < rules->n_metrics; i++) {
        tare_opts_fini(metric_table, &rules->metrics[i]);
    }
    free(rules->metrics);
    tare_opts_fini(file_table, rules);
    tare_json_destroy(rules->json);
    memset(rules, 0, sizeof *rules);
}

double tare_gate_margin(const struct tare_gate_metric *metric, enum tare_gate_rule rule)
{
    return metric->margin >= 0 ? metric->margin : rule == TARE_GATE_QUALITY ? 1 : 0.02;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

int tare_gate_direction_of(const char *figure, const char *unit)
{
    static const char *const higher[] = {"mfu", "mbu", "compression_ratio", "acceptance_rate",
                                         "tokens_per_pass"};
    static const char *const lower_units[] = {"s", "B", "J", "W", "Wh", "J s", "bit"};
    for (size_t i = 0; i < sizeof higher / sizeof *higher; i++) {
        if (strcmp(figure, higher[i]) == 0) {
            return 1;
        }
    }
    if (ends_with(figure, "speedup") || ends_with(unit, "/s")) {
        return 1;
    }
    for (size_t i = 0; i < sizeof lower_units / sizeof *lower_units; i++) {
        if (strcmp(unit, lower_units[i]) == 0) {
            return -1;
        }
    }
    /* Costs by what they are for: J/tok, FLOP/tok, B/tok, s/tok, USD/Mtok. */
    return strchr(unit, '/') || strncmp(unit, "FLOP", 4) == 0 ? -1 : 0;
}
