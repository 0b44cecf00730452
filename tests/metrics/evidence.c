/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int exact_column(void *ctx, int64_t repeat_id, enum tare_column column, double **out, size_t *out_n,
                        struct tare_err *err)
{
    const struct made *m = ctx;
    double right = m->exact[repeat_id - 1];
    (void)err;
    assert_int_equal(column, TARE_COLUMN_EXACT);
    *out = NULL;
    *out_n = 0;
    if (isnan(right)) {
        return 0;
    }
    *out = calloc(10, sizeof **out); /* ten items */
    assert_non_null(*out);
    *out_n = 10;
    for (size_t i = 0; i < 10 && (double)i < right; i++) {
        (*out)[i] = 1;
    }
    return 0;
}

void made_init(struct made *m, size_t n_repeats)
{
    memset(m, 0, sizeof *m);
    assert_true(n_repeats <= made_max_repeats);
    for (size_t i = 0; i < n_repeats; i++) {
        m->repeats[i] = (struct tare_evidence_repeat){.id = (int64_t)i + 1,
                                                      .block = (int64_t)i,
                                                      .attempts = 1,
                                                      .started_s = 1000 + (int64_t)i,
                                                      .complete = true,
                                                      .sums = {.samples = 10,
                                                               .requests = 10,
                                                               .prompt_tok = 600,
                                                               .output_tok = 400,
                                                               .window_ns = INT64_C(10000000000)}};
        m->exact[i] = (double)NAN;
    }
    m->e.repeats = m->repeats;
    m->e.n_repeats = n_repeats;
    m->e.readings = m->readings;
    m->e.column = exact_column;
    m->e.ctx = m;
    m->e.valid = true;
    m->e.cpus = 4;
    m->e.declared = &m->declared;
    made_wall(m, "measure", 10);
}

struct tare_reading_record *made_one(struct made *m, size_t repeat, const char *phase, const char *meter,
                                     const char *scope, const char *name, double value, double u, double gain)
{
    assert_true(m->e.n_readings < made_max_readings);
    struct tare_evidence_reading *to = &m->readings[m->e.n_readings++];
    bool energy = strncmp(name, "energy_", 7) == 0 && !strstr(name, "_period");
    to->repeat_id = m->repeats[repeat].id;
    to->r = (struct tare_reading_record){.phase = phase,
                                         .meter = meter,
                                         .name = name,
                                         .unit = energy ? "J" : "s",
                                         .kind = "measured",
                                         .scope = scope,
                                         .source = name,
                                         .value = value,
                                         .u = u,
                                         .gain = gain,
                                         .flags = ""};
    return &to->r;
}

void made_all(struct made *m, const char *phase, const char *meter, const char *scope, const char *name,
              double value, double u, double gain)
{
    for (size_t i = 0; i < m->e.n_repeats; i++) {
        (void)made_one(m, i, phase, meter, scope, name, value, u, gain);
    }
}

void made_wall(struct made *m, const char *phase, double seconds)
{
    made_all(m, phase, "clock", "process", "wall", seconds * 1e9, (double)NAN, (double)NAN);
}

struct tare_reading_record *made_find(struct made *m, size_t repeat, const char *phase, const char *name)
{
    for (size_t i = 0; i < m->e.n_readings; i++) {
        struct tare_reading_record *r = &m->readings[i].r;
        if (m->readings[i].repeat_id == m->repeats[repeat].id && strcmp(r->phase, phase) == 0 &&
            strcmp(r->name, name) == 0) {
            return r;
        }
    }
    fail_msg("no reading %s in %s", name, phase);
    return NULL;
}

static void copy(char *to, size_t n, const char *from)
{
    int used = snprintf(to, n, "%s", from ? from : "");
    assert_true(used >= 0 && (size_t)used < n);
}

static int put(struct tare_figures *to, const struct tare_figure *f, struct tare_err *err)
{
    struct made_figures *out = (struct made_figures *)to;
    (void)err;
    assert_true(out->n < made_max_figures);
    struct made_figure *g = &out->list[out->n++];
    memset(g, 0, sizeof *g);
    copy(g->name, sizeof g->name, f->name);
    copy(g->unit, sizeof g->unit, f->unit);
    copy(g->scope, sizeof g->scope, f->scope);
    copy(g->source, sizeof g->source, f->source);
    copy(g->method, sizeof g->method, f->method);
    copy(g->flags, sizeof g->flags, f->flags);
    copy(g->absent, sizeof g->absent, f->absent);
    g->is_absent = f->absent != NULL;
    g->kind = f->kind;
    g->value = f->value;
    g->low = f->low;
    g->high = f->high;
    g->level = f->level;
    g->n = f->n;
    /* Whatever has a value is finite; whatever has none has a reason, and no interval. */
    assert_true(g->is_absent ? isnan(g->value) && isnan(g->low) && *g->absent : isfinite(g->value));
    return 0;
}

void made_derive(struct made *m, tare_derive_fn derive, struct made_figures *out)
{
    struct tare_err err = {0};
    memset(out, 0, sizeof *out);
    out->to.put = put;
    if (derive(&m->e, &out->to, &err) != 0) {
        fail_msg("%s", err.msg);
    }
}

const struct made_figure *made_get(const struct made_figures *f, const char *name)
{
    for (size_t i = 0; i < f->n; i++) {
        if (strcmp(f->list[i].name, name) == 0) {
            return &f->list[i];
        }
    }
    fail_msg("no figure %s", name);
    return NULL;
}

void made_expect(const struct made_figures *f, const char *name, double value)
{
    const struct made_figure *g = made_get(f, name);
    if (g->is_absent || !(fabs(g->value - value) <= 1e-9 * fabs(value))) {
        fail_msg("%s is %.15g (%s), not %.15g", name, g->value, g->absent, value);
    }
}

void made_expect_absent(const struct made_figures *f, const char *name, const char *why)
{
    const struct made_figure *g = made_get(f, name);
    if (!g->is_absent || !strstr(g->absent, why)) {
        fail_msg("%s is %.15g, absent \"%s\", and not absent for \"%s\"", name, g->value, g->absent, why);
    }
}
