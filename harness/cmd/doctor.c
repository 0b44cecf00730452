/* SPDX-License-Identifier: Apache-2.0 */
/* `tare doctor`: what can be measured on this machine, and why not the rest. Changes nothing. */
#include "cmd/cmd.h"

#include "base/clock.h"
#include "core/builtin.h"
#include "core/environment.h"

#include <stdlib.h>
#include <string.h>

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

/* Smallest cost of begin and end together, in nanoseconds: what a phase pays for the meter. */
static double meter_cost_ns(const struct tare_meter *m, void *self, struct tare_readings *sink)
{
    enum { rounds = 21 };
    double best = 0;
    for (int i = 0; i < rounds; i++) {
        int64_t begin_ns = tare_clock_ns();
        m->begin(self);
        m->end(self, sink);
        double cost = (double)(tare_clock_ns() - begin_ns);
        best = i == 0 || cost < best ? cost : best;
    }
    return best;
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

static int try_meter(const struct tare_meter *m, struct tare_json *o, struct tare_err *err)
{
    char why[256] = "";
    struct tare_err fault = {0};
    void *self = calloc(1, m->priv_size + 1);
    if (!self) {
        return tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    bool works = !m->probe || m->probe(why, sizeof why) >= 0;
    if (works && m->open && m->open(self, &fault) < 0) {
        works = false;
        (void)snprintf(why, sizeof why, "%.250s", fault.msg);
    }
    tare_json_add_bool(o, "available", works);
    tare_json_add_str(o, "why", works ? NULL : why);
    if (works) {
        struct collector drop = {{collect, collect_doubted}, NULL};
        struct collector take = {{collect, collect_doubted}, tare_json_add_array(o, "readings")};
        tare_json_add_f64(o, "cost_ns", meter_cost_ns(m, self, &drop.sink));
        m->begin(self);
        m->end(self, &take.sink);
        if (m->close) {
            m->close(self);
        }
    }
    free(self);
    return 0;
}

static int add_meters(struct tare_json *list, struct tare_err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && tare_builtin_meters[i]; i++) {
        struct tare_json *o = tare_json_add_object(list, NULL);
        tare_json_add_str(o, "name", tare_builtin_meters[i]->name);
        tare_json_add_str(o, "summary", tare_builtin_meters[i]->summary);
        r = try_meter(tare_builtin_meters[i], o, err);
    }
    return r;
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

static void print_text(const struct tare_json *root, struct tare_buf *to)
{
    tare_buf_printf(to, "clock: CLOCK_MONOTONIC, %.0f ns a call\nmeters:\n",
                    tare_json_num(tare_json_get(root, "clock_ns")));
    const struct tare_json *list = tare_json_get(root, "meters");
    for (const struct tare_json *m = tare_json_first(list); m; m = tare_json_next(m)) {
        const char *why = tare_json_str(tare_json_get(m, "why"));
        tare_buf_printf(to, "  %s: %s", tare_json_str(tare_json_get(m, "name")),
                        tare_json_str(tare_json_get(m, "summary")));
        if (why) {
            tare_buf_printf(to, " -- not available: %s\n", why);
        } else {
            tare_buf_printf(to, " (%.1f us a phase)\n", tare_json_num(tare_json_get(m, "cost_ns")) / 1e3);
        }
        print_readings(m, to);
    }
    tare_buf_add_str(to, "environment:\n");
    list = tare_json_get(root, "environment");
    for (const struct tare_json *e = tare_json_first(list); e; e = tare_json_next(e)) {
        const char *value = tare_json_str(tare_json_get(e, "value"));
        tare_buf_printf(to, "  %-20s %s%s\n", tare_json_str(tare_json_get(e, "name")),
                        value ? "" : "absent: ", value ? value : tare_json_str(tare_json_get(e, "absent")));
    }
}

static int doctor(const void *opts, const struct tare_command_args *args, struct tare_err *err)
{
    struct tare_json *root = tare_json_new_object();
    (void)opts;
    tare_json_add_f64(root, "clock_ns", clock_cost_ns());
    int r = add_meters(tare_json_add_array(root, "meters"), err);
    r = r == 0 ? tare_environment_walk(add_environment, tare_json_add_array(root, "environment"), err) : r;
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
    .text = "Probes every meter, reads each once, says what a reading costs, and lists the state of the "
            "machine that "
            "is stored with every run. Changes nothing.",
    .run = doctor};
