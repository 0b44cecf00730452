/* SPDX-License-Identifier: Apache-2.0 */
/* `tare doctor`: what can be measured on this machine, and why not the rest. Changes nothing. */
#include "cmd/cmd.h"

#include "base/clock.h"
#include "cmd/plan_args.h"
#include "core/environment.h"
#include "core/meters.h"
#include "selftest/noise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct doctor_options {
    int64_t noise_ns;
    char *meter;
};

static const struct tare_opt options[] = {{.name = "noise",
                                           .type = TARE_OPT_NS,
                                           .offset = offsetof(struct doctor_options, noise_ns),
                                           .def = "10s",
                                           .min = 0,
                                           .max = INT64_C(3600000000000),
                                           .help = "how long to measure the machine's noise; 0: not"},
                                          {.name = "meter",
                                           .type = TARE_OPT_STR,
                                           .offset = offsetof(struct doctor_options, meter),
                                           .unit = TARE_OPT_REPEATABLE,
                                           .help = "NAME or FILE.so[,off=true][,option=value...]"},
                                          TARE_OPT_END};

static int add_environment(void *ctx, const char *key, const char *value, const char *absent,
                           struct tare_err *err)
{
    struct tare_json *to = tare_json_add_object(ctx, NULL);
    (void)err;
    tare_json_add_str(to, "name", key);
    tare_json_add_str(to, "value", value);
    tare_json_add_str(to, "absent", absent);
    return 0;
}

struct collector {
    struct tare_readings sink;
    struct tare_json *list; /* NULL: drop */
};

static void collect_doubted(struct tare_readings *to, const struct tare_reading *r,
                            const struct tare_doubt *doubt)
{
    struct tare_json *list = ((struct collector *)to)->list;
    if (!list) {
        return;
    }
    struct tare_json *o = tare_json_add_object(list, NULL);
    tare_json_add_str(o, "name", r->name);
    tare_json_add_str(o, "unit", r->unit);
    tare_json_add_str(o, "scope", r->scope);
    tare_json_add_str(o, "source", r->source);
    tare_json_add_str(o, "kind", tare_kind_name((int)r->kind));
    tare_json_add_str(o, "absent", r->absent ? r->why : NULL);
    tare_json_add_str(o, "flags", doubt && doubt->flags[0] ? doubt->flags : NULL);
}

static void collect(struct tare_readings *to, const struct tare_reading *r)
{
    collect_doubted(to, r, NULL);
}

static void add_meter(struct tare_json *list, struct tare_opened_meter *m)
{
    struct tare_json *o = tare_json_add_object(list, NULL);
    tare_json_add_str(o, "name", m->ops.name);
    tare_json_add_str(o, "summary", m->ops.summary);
    tare_json_add_str(o, "place", tare_meter_place_text(m->ops.place));
    tare_json_add_bool(o, "available", m->opened);
    tare_json_add_str(o, "why", m->opened ? NULL : m->absent);
    if (m->opened) {
        struct collector take = {{collect, collect_doubted}, tare_json_add_array(o, "readings")};
        tare_json_add_f64(o, "cost_ns", tare_meter_cost_ns(m));
        m->ops.begin(m->self);
        m->ops.end(m->self, &take.sink);
    }
}

/* The meters of both places, opened here: what works for the supervisor works for its worker. */
static int add_meters(struct tare_json *list, const struct tare_json *choices, struct tare_err *err)
{
    struct tare_meters *meters = calloc(1, sizeof *meters);
    int r = meters ? 0 : tare_err_set(err, TARE_E_NOMEM, "out of memory");
    for (int place = TARE_METER_WORKER; r == 0 && place <= TARE_METER_OUTSIDE; place++) {
        r = tare_meters_open(meters, (enum tare_meter_place)place, choices, err);
        for (size_t i = 0; r == 0 && i < meters->n; i++) {
            add_meter(list, &meters->list[i]);
        }
        if (r == 0) {
            tare_meters_close(meters);
        }
    }
    free(meters);
    return r;
}

static int add_noise(struct tare_json *root, int64_t limit_ns, struct tare_err *err)
{
    struct tare_noise n;
    if (limit_ns == 0) {
        return 0;
    }
    int r = tare_noise_measure(limit_ns, &n, err);
    if (r < 0) {
        return r;
    }
    struct tare_json *o = tare_json_add_object(root, "noise");
    tare_json_add_f64(o, "seconds", n.seconds);
    tare_json_add_i64(o, "spins", n.n_spins);
    tare_json_add_f64(o, "spin_ms", n.spin_ms);
    tare_json_add_f64(o, "spin_cv_percent", n.spin_cv);
    tare_json_add_f64(o, "spin_robust_cv_percent", n.spin_robust_cv);
    tare_json_add_f64(o, "spin_lag1", n.spin_lag1);
    tare_json_add_i64(o, "sleeps", n.n_sleeps);
    tare_json_add_f64(o, "late_p50_us", n.late_p50_us);
    tare_json_add_f64(o, "late_p99_us", n.late_p99_us);
    tare_json_add_f64(o, "late_max_us", n.late_max_us);
    tare_json_add_f64(o, "gaps_per_s", n.gaps_per_s);
    tare_json_add_f64(o, "foreign_cpu_percent", n.foreign_percent);
    tare_json_add_f64(o, "steal_percent", n.steal_percent);
    return 0;
}

static double clock_cost_ns(void)
{
    enum { rounds = 100000 };
    int64_t begin_ns = tare_clock_ns();
    for (int i = 0; i < rounds; i++) {
        (void)tare_clock_ns();
    }
    return (double)(tare_clock_ns() - begin_ns) / rounds;
}

static void print_readings(const struct tare_json *meter, struct tare_buf *to)
{
    const struct tare_json *list = tare_json_get(meter, "readings");
    for (const struct tare_json *r = tare_json_first(list); r; r = tare_json_next(r)) {
        const char *absent = tare_json_str(tare_json_get(r, "absent"));
        tare_buf_printf(to, "    %-22s %-4s %s%s%s\n", tare_json_str(tare_json_get(r, "name")),
                        tare_json_str(tare_json_get(r, "unit")), tare_json_str(tare_json_get(r, "source")),
                        absent ? " -- absent now: " : "", absent ? absent : "");
    }
}

static double value_of(const struct tare_json *o, const char *key)
{
    const struct tare_json *v = tare_json_get(o, key);
    return tare_json_type(v) == TARE_JSON_NUMBER ? tare_json_num(v) : (double)NAN;
}

static void print_noise(const struct tare_json *n, struct tare_buf *to)
{
    if (!n) {
        return;
    }
    tare_buf_printf(to, "noise in %.1f s:\n", value_of(n, "seconds"));
    tare_buf_printf(to,
                    "  the same work of %.2f ms, %.0f times: varies by %.2f %% (%.2f %% without outliers), "
                    "neighbours correlate by %.2f\n",
                    value_of(n, "spin_ms"), value_of(n, "spins"), value_of(n, "spin_cv_percent"),
                    value_of(n, "spin_robust_cv_percent"), value_of(n, "spin_lag1"));
    tare_buf_printf(to, "  a sleep of 1 ms ends late by %.0f us (p50), %.0f us (p99), %.0f us at most\n",
                    value_of(n, "late_p50_us"), value_of(n, "late_p99_us"), value_of(n, "late_max_us"));
    tare_buf_printf(to, "  the CPU was lost for over 100 us %.1f times a second\n",
                    value_of(n, "gaps_per_s"));
    tare_buf_printf(to, "  others used %.1f %% of the machine, the hypervisor took %.1f %%\n",
                    value_of(n, "foreign_cpu_percent"), value_of(n, "steal_percent"));
}

static void print_text(const struct tare_json *root, struct tare_buf *to)
{
    tare_buf_printf(to, "clock: CLOCK_MONOTONIC, %.0f ns a call\nmeters:\n",
                    tare_json_num(tare_json_get(root, "clock_ns")));
    const struct tare_json *list = tare_json_get(root, "meters");
    for (const struct tare_json *m = tare_json_first(list); m; m = tare_json_next(m)) {
        const char *why = tare_json_str(tare_json_get(m, "why"));
        tare_buf_printf(to, "  %s (%s): %s", tare_json_str(tare_json_get(m, "name")),
                        tare_json_str(tare_json_get(m, "place")), tare_json_str(tare_json_get(m, "summary")));
        if (why) {
            tare_buf_printf(to, " -- not available: %s\n", why);
        } else {
            tare_buf_printf(to, " (%.1f us a phase)\n", tare_json_num(tare_json_get(m, "cost_ns")) / 1e3);
        }
        print_readings(m, to);
    }
    print_noise(tare_json_get(root, "noise"), to);
    tare_buf_add_str(to, "environment:\n");
    list = tare_json_get(root, "environment");
    for (const struct tare_json *e = tare_json_first(list); e; e = tare_json_next(e)) {
        const char *value = tare_json_str(tare_json_get(e, "value"));
        tare_buf_printf(to, "  %-20s %s%s\n", tare_json_str(tare_json_get(e, "name")),
                        value ? "" : "absent: ", value ? value : tare_json_str(tare_json_get(e, "absent")));
    }
}

static int examine(const struct doctor_options *o, struct tare_json *root, struct tare_err *err)
{
    struct tare_json *given = NULL;
    int r = tare_plan_args_meters(o->meter, &given, err);
    const struct tare_json *choices = tare_json_get(given, "meters");
    tare_json_add_f64(root, "clock_ns", clock_cost_ns());
    r = r == 0 ? tare_meters_check(choices, err) : r;
    r = r == 0 ? add_meters(tare_json_add_array(root, "meters"), choices, err) : r;
    r = r == 0 ? add_noise(root, o->noise_ns, err) : r;
    tare_json_destroy(given);
    return r == 0 ? tare_environment_walk(add_environment, tare_json_add_array(root, "environment"), err) : r;
}

static int doctor(const void *opts, const struct tare_command_args *args, struct tare_err *err)
{
    struct tare_json *root = tare_json_new_object();
    int r = examine(opts, root, err);
    if (r == 0 && args->json) {
        return tare_print_json(root, err);
    }
    if (r == 0) {
        struct tare_buf text;
        tare_buf_init(&text, 1 << 20);
        print_text(root, &text);
        r = tare_print_text(&text, err);
        tare_buf_fini(&text);
    }
    tare_json_destroy(root);
    return r;
}

const struct tare_command tare_command_doctor = {
    .name = "doctor",
    .summary = "show what can be measured here, and why not the rest",
    .arguments = "",
    .text =
        "Probes every meter, reads each once, says what a reading costs and what would make an unusable one "
        "usable; measures how noisy the machine is just now (--noise 0 leaves that out); and lists the state "
        "of the machine that is stored with every run. Changes nothing.",
    .options_size = sizeof(struct doctor_options),
    .options = options,
    .run = doctor};
