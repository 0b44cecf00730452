/* SPDX-License-Identifier: Apache-2.0 */
/* A name or pattern that meets nothing is a slip of the pen, and is refused before anything runs. */
#include "core/plan_check.h"

#include "core/meters.h"

#include <fnmatch.h>
#include <string.h>

/* Does the pattern match the label of an entry of the axis? */
static bool matches(const struct tare_plan *plan, enum tare_axis axis, const char *pattern)
{
    for (size_t i = 0; i < plan->n_entries[axis]; i++) {
        if (fnmatch(pattern, plan->axes[axis][i].name, 0) == 0) {
            return true;
        }
    }
    return false;
}

/* The techniques that a model lists. */
static int check_listed(const struct tare_plan *plan, const struct tare_entry *model, struct tare_err *err)
{
    for (const struct tare_json *v = tare_json_first(model->techniques); v; v = tare_json_next(v)) {
        const char *pattern = tare_json_str(v);
        if (!pattern || !matches(plan, TARE_AXIS_TECHNIQUE, pattern)) {
            return tare_err_set(err, TARE_E_USAGE,
                                "plan: model \"%.60s\": \"%.60s\" in its \"techniques\" is the label of none",
                                model->name, pattern ? pattern : "?");
        }
    }
    return 0;
}

static int check_baseline(const struct tare_plan *plan, struct tare_err *err)
{
    const char *baseline = plan->options.baseline;
    for (size_t i = 0; baseline && i < plan->n_entries[TARE_AXIS_MODEL]; i++) {
        if (strcmp(plan->axes[TARE_AXIS_MODEL][i].name, baseline) == 0) {
            return 0;
        }
    }
    return baseline
               ? tare_err_set(err, TARE_E_USAGE, "plan: baseline \"%.60s\" is none of its models", baseline)
               : 0;
}

/* "figure" or "figure@task". Which figures there will be is not known yet: a backend may report some. */
static int check_columns(const struct tare_plan *plan, struct tare_err *err)
{
    const struct tare_json *list = tare_json_get(plan->json, "columns");
    if (list && tare_json_type(list) != TARE_JSON_ARRAY) {
        return tare_err_set(err, TARE_E_USAGE, "plan: \"columns\" is no array of texts");
    }
    for (const struct tare_json *v = tare_json_first(list); v; v = tare_json_next(v)) {
        const char *text = tare_json_str(v), *at = text ? strchr(text, '@') : NULL;
        if (!text || !*text || at == text) {
            return tare_err_set(
                err, TARE_E_USAGE,
                "plan: columns: an element is no text like \"stored_bytes\" or \"acc@choice\"");
        }
        if (at && !matches(plan, TARE_AXIS_TASK, at + 1)) {
            return tare_err_set(err, TARE_E_USAGE, "plan: columns: \"%.80s\": no task is called %.40s", text,
                                at + 1);
        }
    }
    return 0;
}

int tare_plan_check(const struct tare_plan *plan, struct tare_err *err)
{
    int r = check_baseline(plan, err);
    for (size_t i = 0; r == 0 && i < plan->n_entries[TARE_AXIS_MODEL]; i++) {
        r = check_listed(plan, &plan->axes[TARE_AXIS_MODEL][i], err);
    }
    r = r == 0 ? tare_meters_check(tare_json_get(plan->json, "meters"), err) : r;
    return r == 0 ? check_columns(plan, err) : r;
}
