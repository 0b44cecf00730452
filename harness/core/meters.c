/* SPDX-License-Identifier: Apache-2.0 */
/* From a plan's words to opened meters. */
#include "core/meters.h"

#include "base/clock.h"
#include "base/nearest.h"
#include "base/opt.h"
#include "core/builtin.h"
#include "core/plugin.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One entry of the plan. */
struct choice {
    char *meter;
    bool off;
};

#define MEMBER(type_, member_) .name = #member_, .type = type_, .offset = offsetof(struct choice, member_)

static const struct tare_opt entry_table[] = {{MEMBER(TARE_OPT_STR, meter), .help = "name or shared object"},
                                              {MEMBER(TARE_OPT_BOOL, off), .help = "do not use it"},
                                              TARE_OPT_END};

static int read_choice(const struct tare_json *entry, struct choice *out, struct tare_err *err)
{
    static const char *const skip[] = {"options", NULL};
    const struct tare_json *options = tare_json_get(entry, "options");
    if (tare_json_type(entry) != TARE_JSON_OBJECT ||
        (options && tare_json_type(options) != TARE_JSON_OBJECT)) {
        return tare_err_set(err, TARE_E_USAGE,
                            "plan: an entry of \"meters\" is an object like {\"meter\": \"powercap\"}");
    }
    int r = tare_opts_init(entry_table, out, err);
    r = r == 0 ? tare_opts_from_json(entry_table, out, entry, skip, "plan: meters", err) : r;
    if (r == 0 && !out->meter) {
        r = tare_err_set(err, TARE_E_USAGE, "plan: an entry of \"meters\" names no \"meter\"");
    }
    if (r < 0) {
        tare_opts_fini(entry_table, out);
    }
    return r;
}

/* The last entry that names the built-in meter, or NULL; *off as it says. */
static const struct tare_json *find_choice(const struct tare_json *choices, const char *name, bool *off)
{
    const struct tare_json *found = NULL;
    for (const struct tare_json *v = tare_json_first(choices); v; v = tare_json_next(v)) {
        struct choice c = {0};
        if (read_choice(v, &c, NULL) < 0) {
            continue;
        }
        if (strcmp(c.meter, name) == 0) {
            found = v;
            *off = c.off;
        }
        tare_opts_fini(entry_table, &c);
    }
    return found;
}

static int set_options(const struct tare_meter *ops, void *self, const struct tare_json *choice,
                       struct tare_err *err)
{
    char what[96];
    (void)snprintf(what, sizeof what, "meter %.60s", ops->name);
    const struct tare_json *options = tare_json_get(choice, "options");
    if (!ops->options) {
        return tare_json_size(options) == 0 ? 0 : tare_err_set(err, TARE_E_USAGE, "%s: has no options", what);
    }
    int r = tare_opts_init(ops->options, self, err);
    r = r == 0 ? tare_opts_from_json(ops->options, self, options, NULL, what, err) : r;
    if (r < 0) {
        tare_opts_fini(ops->options, self);
    }
    return r == TARE_E_FORMAT ? TARE_E_USAGE : r;
}

/* probe knows no options: where the plan sets some, only open can tell. */
static void try_open(struct tare_opened_meter *m, bool with_options)
{
    struct tare_err fault = {0};
    char why[256] = "";
    if (!with_options && m->ops.probe && m->ops.probe(why, sizeof why) < 0) {
        why[sizeof why - 1] = '\0';
        (void)snprintf(m->absent, sizeof m->absent, "%s", why[0] ? why : "not available here");
    } else if (m->ops.open && m->ops.open(m->self, &fault) < 0) {
        (void)snprintf(m->absent, sizeof m->absent, "%.255s", fault.msg[0] ? fault.msg : "cannot be opened");
    } else {
        m->opened = true;
    }
}

static int add(struct tare_meters *meters, const struct tare_meter *ops, const struct tare_json *choice,
               struct tare_err *err)
{
    if (meters->n == tare_max_meters) {
        return tare_err_set(err, TARE_E_LIMIT, "more than %d meters", tare_max_meters);
    }
    struct tare_opened_meter *m = &meters->list[meters->n];
    memset(m, 0, sizeof *m);
    m->ops = *ops;
    m->self = calloc(1, ops->priv_size ? ops->priv_size : 1);
    if (!m->self) {
        return tare_err_set(err, TARE_E_NOMEM, "meter %s: out of memory", ops->name);
    }
    int r = set_options(ops, m->self, choice, err);
    if (r < 0) {
        free(m->self);
        return r;
    }
    meters->n++;
    try_open(m, tare_json_size(tare_json_get(choice, "options")) > 0);
    return 0;
}

/* A shared object out of the tree, if it is of this place. */
static int add_object(struct tare_meters *meters, enum tare_meter_place place, const struct tare_json *entry,
                      struct tare_err *err)
{
    struct choice c = {0};
    int r = read_choice(entry, &c, err);
    if (r < 0) {
        return r;
    }
    if (strchr(c.meter, '/') && !c.off) {
        struct tare_meter ops;
        r = tare_meter_load(c.meter, &ops, err);
        r = r == 0 && ops.place == (uint32_t)place ? add(meters, &ops, entry, err) : r;
    }
    tare_opts_fini(entry_table, &c);
    return r;
}

int tare_meters_open(struct tare_meters *meters, enum tare_meter_place place, const struct tare_json *choices,
                     struct tare_err *err)
{
    meters->n = 0;
    int r = 0;
    for (size_t i = 0; r == 0 && tare_builtin_meters[i]; i++) {
        const struct tare_meter *ops = tare_builtin_meters[i];
        bool off = false;
        const struct tare_json *choice = find_choice(choices, ops->name, &off);
        if (ops->place == (uint32_t)place && !off) {
            r = add(meters, ops, choice, err);
        }
    }
    for (const struct tare_json *v = tare_json_first(choices); r == 0 && v; v = tare_json_next(v)) {
        r = add_object(meters, place, v, err);
    }
    if (r < 0) {
        tare_meters_close(meters);
    }
    return r;
}

void tare_meters_close(struct tare_meters *meters)
{
    for (size_t i = 0; i < meters->n; i++) {
        struct tare_opened_meter *m = &meters->list[i];
        if (m->opened && m->ops.close) {
            m->ops.close(m->self);
        }
        if (m->ops.options) {
            tare_opts_fini(m->ops.options, m->self);
        }
        free(m->self);
    }
    meters->n = 0;
}

static int check_options(const struct tare_meter *ops, const struct tare_json *entry, struct tare_err *err)
{
    void *self = calloc(1, ops->priv_size + 1);
    if (!self) {
        return tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    int r = set_options(ops, self, entry, err);
    if (r == 0 && ops->options) {
        tare_opts_fini(ops->options, self);
    }
    free(self);
    return r;
}

static int check_one(const struct tare_json *entry, const char *name, struct tare_err *err)
{
    struct tare_nearest nearest = {.word = name};
    for (size_t i = 0; tare_builtin_meters[i]; i++) {
        if (strcmp(tare_builtin_meters[i]->name, name) == 0) {
            return check_options(tare_builtin_meters[i], entry, err);
        }
        tare_nearest_offer(&nearest, tare_builtin_meters[i]->name);
    }
    const char *best = tare_nearest_best(&nearest);
    return strchr(name, '/')
               ? 0
               : tare_err_set(err, TARE_E_USAGE, "meter %.60s: unknown%s%s%s; 'tare list meters' shows all",
                              name, best ? "; did you mean " : "", best ? best : "", best ? "?" : "");
}

int tare_meters_check(const struct tare_json *choices, struct tare_err *err)
{
    if (choices && tare_json_type(choices) != TARE_JSON_ARRAY) {
        return tare_err_set(err, TARE_E_USAGE, "plan: \"meters\" is no array of entries");
    }
    int r = 0;
    for (const struct tare_json *v = tare_json_first(choices); r == 0 && v; v = tare_json_next(v)) {
        struct choice c = {0};
        r = read_choice(v, &c, err);
        if (r == 0) {
            r = check_one(v, c.meter, err);
            tare_opts_fini(entry_table, &c);
        }
    }
    return r;
}

static void drop(struct tare_readings *to, const struct tare_reading *reading)
{
    (void)to;
    (void)reading;
}

static void drop_doubted(struct tare_readings *to, const struct tare_reading *reading,
                         const struct tare_doubt *doubt)
{
    (void)to;
    (void)reading;
    (void)doubt;
}

double tare_meter_cost_ns(struct tare_opened_meter *m)
{
    enum { rounds = 5, enough_ns = 50 * 1000 * 1000 };
    struct tare_readings sink = {drop, drop_doubted};
    double best = (double)NAN;
    int64_t first_ns = tare_clock_ns();
    for (int i = 0; m->opened && i < rounds && (i == 0 || tare_clock_ns() - first_ns < enough_ns); i++) {
        int64_t begin_ns = tare_clock_ns();
        m->ops.begin(m->self);
        m->ops.end(m->self, &sink);
        best = fmin(best, (double)(tare_clock_ns() - begin_ns));
    }
    return best;
}

const char *tare_meter_place_text(uint32_t place)
{
    return place == TARE_METER_OUTSIDE ? "outside" : "worker";
}
