/* SPDX-License-Identifier: Apache-2.0 */
/* --dry-run: what a plan would do, and how long it took before. */
#include "cmd/plan_args.h"

#include "store/query.h"

#include <string.h>
#include <unistd.h>

/* Time that the same spec took earlier, summed over its repeats. */
struct history {
    struct tare_store *store; /* NULL: no earlier runs */
    const char *spec;
    double seconds;
    int64_t repeats;
};

static int add_phase(void *ctx, int64_t repeat_id, const struct tare_reading_record *reading,
                     struct tare_err *err)
{
    struct history *h = ctx;
    (void)repeat_id;
    (void)err;
    h->seconds += reading->value / 1e9;
    h->repeats += strcmp(reading->phase, "measure") == 0;
    return 0;
}

static int find_cell(void *ctx, const struct tare_cell_row *cell, struct tare_err *err)
{
    struct history *h = ctx;
    return strcmp(cell->spec, h->spec) == 0 ? tare_query_phases(h->store, cell->id, add_phase, h, err) : 0;
}

/* Seconds of one repeat, or -1 when it never ran. */
static int estimate(struct history *h, const char *spec, double *out, struct tare_err *err)
{
    h->spec = spec;
    h->seconds = 0;
    h->repeats = 0;
    int r = h->store ? tare_query_cells(h->store, 0, find_cell, h, err) : 0;
    *out = h->repeats > 0 ? h->seconds / (double)h->repeats : -1;
    return r;
}

static void add_cell(struct tare_json *list, struct tare_buf *text, const struct tare_cell *c, double seconds)
{
    struct tare_json *o = tare_json_add_object(list, NULL);
    tare_json_add_str(o, "backend", c->backend);
    tare_json_add_str(o, "model", c->model);
    tare_json_add_str(o, "technique", c->technique);
    tare_json_add_str(o, "task", c->task);
    tare_json_add_str(o, "scenario", c->scenario);
    tare_json_add_i64(o, "repeats", c->repeats);
    if (seconds >= 0) {
        tare_json_add_f64(o, "seconds_per_repeat", seconds);
    } else {
        tare_json_add_null(o, "seconds_per_repeat");
    }
    tare_buf_printf(text, "%-10s %-20s %-28s %-12s %-10s ", c->backend, c->model, c->technique, c->task,
                    c->scenario);
    tare_buf_printf(text, seconds >= 0 ? "%.2f s\n" : "-\n", seconds);
}

static int show(const struct tare_plan *plan, struct history *h, bool json, struct tare_err *err)
{
    struct tare_json *root = tare_json_new_object();
    struct tare_json *cells = tare_json_add_array(root, "cells");
    struct tare_buf text;
    tare_buf_init(&text, 64 << 20);
    double total = 0, most = 0, limit_s = (double)plan->options.time_limit_ns / 1e9;
    int64_t processes = 0;
    size_t unknown = 0;
    int r = 0;
    for (size_t i = 0; r == 0 && i < plan->n_cells; i++) {
        double seconds = -1;
        r = estimate(h, plan->cells[i].spec, &seconds, err);
        add_cell(cells, &text, &plan->cells[i], seconds);
        total += seconds > 0 ? seconds * (double)plan->cells[i].repeats : 0;
        most += limit_s * (double)plan->cells[i].repeats;
        processes += plan->cells[i].repeats;
        unknown += seconds < 0;
    }
    tare_json_add_i64(root, "repeats", plan->options.repeats);
    tare_json_add_f64(root, "estimated_seconds", unknown ? (double)NAN : total);
    tare_json_add_str(root, "estimate_from",
                      unknown ? "some cells have not run before" : "earlier runs in the database");
    tare_json_add_i64(root, "processes", processes);
    tare_buf_printf(&text, "%zu cells x %lld blocks", plan->n_cells, (long long)plan->options.repeats);
    if (processes != (int64_t)plan->n_cells * plan->options.repeats) {
        tare_buf_printf(&text, ", some in fewer: %lld processes", (long long)processes);
    }
    if (unknown) {
        tare_buf_printf(&text,
                        "; time unknown: %zu cells have not run before; at most %.0f s by the time limit\n",
                        unknown, most);
    } else {
        tare_buf_printf(&text, "; about %.0f s, from earlier runs in the database\n", total);
    }
    if (r == 0 && json) {
        r = tare_print_json(root, err);
    } else {
        r = r == 0 ? tare_print_text(&text, err) : r;
        tare_json_destroy(root);
    }
    tare_buf_fini(&text);
    return r;
}

int tare_plan_show(const struct tare_plan *plan, const char *db, bool json, struct tare_err *err)
{
    struct history h = {0};
    if (access(db, R_OK) == 0) {
        int r = tare_store_open(db, TARE_STORE_READ, &h.store, err);
        if (r < 0) {
            return r;
        }
    }
    int r = show(plan, &h, json, err);
    tare_store_close(h.store);
    return r;
}
