/* SPDX-License-Identifier: Apache-2.0 */
/* One row a figure. */
#include "cmd/fidelity_output.h"

#include <math.h>
#include <string.h>
#include <tare/backend.h>
#include <tare/kind.h>

static void add_figure(const struct tare_fidelity_figure *given, struct tare_json *list)
{
    const struct tare_figure *f = &given->figure;
    struct tare_json *o = tare_json_add_object(list, NULL);
    tare_json_add_str(o, "name", f->name);
    tare_json_add_f64(o, "value", f->value);
    tare_json_add_str(o, "unit", f->unit);
    tare_json_add_f64(o, "se", given->se);
    tare_json_add_f64(o, "low", f->low);
    tare_json_add_f64(o, "high", f->high);
    tare_json_add_f64(o, "level", f->level);
    tare_json_add_str(o, "method", f->method);
    tare_json_add_i64(o, "n", f->n);
    tare_json_add_str(o, "n_what", f->n_what);
    tare_json_add_str(o, "kind", tare_kind_name(f->kind));
    tare_json_add_str(o, "source", f->source);
    tare_json_add_str(o, "flags", f->flags);
    tare_json_add_str(o, "absent", f->absent);
    tare_json_add_str(o, "help", given->help);
}

static void add_known(struct tare_json *to, const char *key, int64_t value)
{
    if (value < 0) {
        tare_json_add_null(to, key);
    } else {
        tare_json_add_i64(to, key, value);
    }
}

static void add_facts(struct tare_json *to, const char *key, const char *text)
{
    struct tare_json *facts = NULL;
    struct tare_err ignored = {0};
    if (text && tare_json_parse(text, strlen(text), "facts", &facts, &ignored) == 0) {
        tare_json_add_copy(to, key, facts);
    } else {
        tare_json_add_null(to, key);
    }
    tare_json_destroy(facts);
}

/* One side's process. */
static void add_side(struct tare_json *root, const char *key, const char *name, const char *facts,
                     int64_t rss_bytes, uint32_t deaths)
{
    struct tare_json *o = tare_json_add_object(root, key);
    tare_json_add_str(o, "name", name);
    add_facts(o, "model", facts);
    add_known(o, "peak_rss_bytes", rss_bytes);
    tare_json_add_i64(o, "deaths", deaths);
}

struct tare_json *tare_fidelity_json(const struct tare_fidelity_report *r)
{
    const struct tare_lockstep_result *q = r->result;
    struct tare_json *root = tare_json_new_object();
    add_side(root, "teacher", r->teacher, q->teacher_facts, q->teacher_rss_bytes, q->teacher_deaths);
    add_side(root, "student", r->student, q->student_facts, q->student_rss_bytes, q->student_deaths);
    tare_json_add_str(root, "teacher_sha256", r->teacher_sha256);
    tare_json_add_str(root, "task", r->task);
    tare_json_add_str(root, "unit", r->unit);
    tare_json_add_i64(root, "asked", (int64_t)q->n_asked);
    tare_json_add_i64(root, "compared", (int64_t)q->n_items);
    tare_json_add_i64(root, "failed", (int64_t)q->n_failed);
    if (q->n_failed) {
        tare_json_add_i64(root, "first_failed", (int64_t)q->first_failed);
    } else {
        tare_json_add_null(root, "first_failed");
    }
    tare_json_add_str(root, "failure", q->failure[0] ? q->failure : NULL);
    tare_json_add_f64(root, "positions", r->positions);
    add_known(root, "n_vocab", q->n_vocab);
    add_known(root, "n_ctx", q->n_ctx);
    struct tare_json *list = tare_json_add_array(root, "figures");
    for (size_t i = 0; i < r->figures->n; i++) {
        add_figure(&r->figures->list[i], list);
    }
    add_known(root, "run", r->run_id);
    return root;
}

static void print_figure(const struct tare_fidelity_figure *given, struct tare_buf *to)
{
    const struct tare_figure *f = &given->figure;
    char interval[64] = "-";
    if (f->absent) {
        tare_buf_printf(to, "%-22s %12s  absent: %s\n", f->name, "-", f->absent);
        return;
    }
    if (!isnan(f->low)) {
        (void)snprintf(interval, sizeof interval, "%.6g .. %.6g", f->low, f->high);
    }
    tare_buf_printf(to, "%-22s %12.6g  %-26s %-5s %6lld  %s%s%s%s\n", f->name, f->value, interval,
                    strcmp(f->unit, "1") == 0 ? "" : f->unit, (long long)f->n, given->help,
                    f->flags[0] ? " [" : "", f->flags, f->flags[0] ? "]" : "");
}

void tare_fidelity_text(const struct tare_fidelity_report *r, struct tare_buf *to)
{
    const struct tare_lockstep_result *q = r->result;
    tare_buf_printf(to,
                    "teacher %s\nstudent %s\ntask    %s: %zu of %zu %s, %.0f positions, %lld tokens of "
                    "vocabulary\n\n",
                    r->teacher, r->student, r->task, q->n_items, q->n_asked, r->unit, r->positions,
                    (long long)q->n_vocab);
    tare_buf_printf(to, "%-22s %12s  %-26s %-5s %6s\n", "figure", "value", "95 % interval", "unit", r->unit);
    for (size_t i = 0; i < r->figures->n; i++) {
        print_figure(&r->figures->list[i], to);
    }
    tare_buf_printf(to,
                    "\nValues are means over positions, intervals are over %s: positions of one text depend "
                    "on each other.\n",
                    r->unit);
    if (q->n_failed) {
        tare_buf_printf(to, "%zu of %zu %s failed and are in no figure; the first is %zu: %s\n", q->n_failed,
                        q->n_asked, r->unit, q->first_failed, q->failure);
    }
    if (r->run_id >= 0) {
        tare_buf_printf(to, "stored as run %lld\n", (long long)r->run_id);
    }
}
