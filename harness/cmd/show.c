/* SPDX-License-Identifier: Apache-2.0 */
/* `tare show`: what a database holds: runs, their cells, outcomes, files and machine. */
#include "cmd/cmd.h"

#include "cmd/explain.h"
#include "store/certificate.h"
#include "store/import.h"
#include "store/query.h"

#include <stdlib.h>
#include <string.h>

struct show_options {
    char *db;
    int64_t run;
    char *figure;
    int64_t cell;
    char *model, *technique, *task, *scenario;
};

#define MEMBER(type_, member_) \
    .name = #member_, .type = type_, .offset = offsetof(struct show_options, member_)

static const struct tare_opt options[] = {
    {.name = "db",
     .type = TARE_OPT_STR,
     .offset = offsetof(struct show_options, db),
     .def = "tare.db",
     .help = "database to read"},
    {.name = "run",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct show_options, run),
     .def = "0",
     .min = 0,
     .max = INT64_MAX,
     .help = "show this run in full; 0: list all"},
    {MEMBER(TARE_OPT_STR, figure), .help = "explain this figure of one cell"},
    {MEMBER(TARE_OPT_I64, cell), .def = "-1", .min = -1, .max = INT64_MAX,
     .help = "its number in the run; -1: as the next four say"},
    {MEMBER(TARE_OPT_STR, model), .help = "model of the cell"},
    {MEMBER(TARE_OPT_STR, technique), .help = "technique of the cell"},
    {MEMBER(TARE_OPT_STR, task), .help = "task of the cell"},
    {MEMBER(TARE_OPT_STR, scenario), .help = "scenario of the cell"},
    TARE_OPT_END};

struct view {
    struct tare_store *store;
    int64_t run_id; /* 0: only the list */
    struct tare_json *list;
    struct tare_json *into; /* of the object being filled */
};

static int add_pair(void *ctx, const char *key, const char *value, struct tare_err *err)
{
    (void)err;
    tare_json_add_str(((struct view *)ctx)->into, key, value);
    return 0;
}

static int add_file(void *ctx, const char *role, const char *value, struct tare_err *err)
{
    (void)err;
    struct tare_json *o = tare_json_add_object(((struct view *)ctx)->into, NULL);
    tare_json_add_str(o, "role", role);
    tare_json_add_str(o, "file", value);
    return 0;
}

static int add_repeat(void *ctx, const struct tare_repeat_row *r, struct tare_err *err)
{
    (void)err;
    struct tare_json *o = tare_json_add_object(((struct view *)ctx)->into, NULL);
    tare_json_add_i64(o, "block", r->block);
    tare_json_add_i64(o, "position", r->position);
    tare_json_add_str(o, "outcome", r->outcome);
    tare_json_add_str(o, "message", r->message);
    tare_json_add_i64(o, "samples", r->samples);
    tare_json_add_i64(o, "failed_samples", r->errors);
    tare_json_add_i64(o, "attempts", r->attempts);
    return 0;
}

static int add_cell(void *ctx, const struct tare_cell_row *c, struct tare_err *err)
{
    struct view *v = ctx;
    struct view inner = *v;
    struct tare_json *o = tare_json_add_object(v->into, NULL);
    tare_json_add_i64(o, "cell", c->ordinal);
    tare_json_add_str(o, "backend", c->backend);
    tare_json_add_str(o, "model", c->model);
    tare_json_add_str(o, "technique", c->technique);
    tare_json_add_str(o, "task", c->task);
    tare_json_add_str(o, "scenario", c->scenario);
    if (c->items == TARE_ABSENT) {
        tare_json_add_null(o, "items");
    } else {
        tare_json_add_i64(o, "items", c->items);
    }
    tare_json_add_str(o, "verdict", c->verdict);
    tare_json_add_str(o, "reasons", c->reasons);
    inner.into = tare_json_add_array(o, "repeats");
    int r = tare_query_repeats(v->store, c->id, add_repeat, &inner, err);
    inner.into = tare_json_add_array(o, "files");
    return r == 0 ? tare_query_artifacts(v->store, c->id, add_file, &inner, err) : r;
}

static int add_meter(void *ctx, const char *name, const char *absent, struct tare_err *err)
{
    struct tare_json *o = tare_json_add_object(((struct view *)ctx)->into, NULL);
    (void)err;
    tare_json_add_str(o, "name", name);
    tare_json_add_str(o, "absent", absent);
    return 0;
}

/* The certificate that the run cites, and the meters that it had. */
static int add_instruments(const struct view *v, int64_t run_id, struct tare_json *o, struct tare_err *err)
{
    struct view inner = *v;
    struct tare_cited cited;
    int r = tare_query_cited(v->store, run_id, &cited, err);
    if (r == 0 && cited.id != TARE_ABSENT) {
        struct tare_json *c = tare_json_add_object(o, "certificate");
        tare_json_add_i64(c, "id", cited.id);
        tare_json_add_str(c, "made", cited.made_utc);
        tare_json_add_i64(c, "passed", cited.n_pass);
        tare_json_add_i64(c, "failed", cited.n_fail);
        tare_json_add_i64(c, "absent", cited.n_absent);
    } else if (r == 0) {
        tare_json_add_null(o, "certificate");
    }
    inner.into = tare_json_add_array(o, "meters");
    return r == 0 ? tare_query_meters(v->store, run_id, add_meter, &inner, err) : r;
}

static int add_import(void *ctx, const struct tare_import_row *row, struct tare_err *err)
{
    (void)err;
    struct tare_json *o = tare_json_add_object(((struct view *)ctx)->into, "import");
    tare_json_add_str(o, "file", row->path);
    tare_json_add_str(o, "sha256", row->sha256);
    tare_json_add_i64(o, "bytes", row->bytes);
    tare_json_add_str(o, "format", row->format);
    tare_json_add_str(o, "tool", row->tool);
    tare_json_add_str(o, "tool_version", row->tool_version);
    tare_json_add_str(o, "imported", row->imported_utc);
    return 0;
}

static int add_run(void *ctx, const struct tare_run_row *run, struct tare_err *err)
{
    struct view *v = ctx;
    if (v->run_id && v->run_id != run->id) {
        return 0;
    }
    struct view inner = *v;
    struct tare_json *o = tare_json_add_object(v->list, NULL);
    tare_json_add_i64(o, "run", run->id);
    tare_json_add_str(o, "name", run->name);
    tare_json_add_str(o, "started", run->started_utc);
    tare_json_add_str(o, "finished", run->finished_utc);
    tare_json_add_str(o, "plan_sha256", run->plan_sha256);
    tare_json_add_str(o, "tare", run->tare_version);
    inner.into = o;
    int r = tare_query_import(v->store, run->id, add_import, &inner, NULL, err);
    if (r < 0 || !v->run_id) {
        return r;
    }
    tare_json_add_i64(o, "seed", run->seed);
    tare_json_add_str(o, "plan", run->plan);
    inner.into = tare_json_add_object(o, "environment");
    r = tare_query_environment(v->store, run->id, add_pair, &inner, err);
    r = r == 0 ? add_instruments(v, run->id, o, err) : r;
    inner.into = tare_json_add_array(o, "cells");
    return r == 0 ? tare_query_cells(v->store, run->id, add_cell, &inner, err) : r;
}

static const char *text_of(const struct tare_json *o, const char *key)
{
    const char *text = tare_json_str(tare_json_get(o, key));
    return text ? text : "-";
}

static void print_cells(const struct tare_json *run, struct tare_buf *to)
{
    const struct tare_json *cells = tare_json_get(run, "cells");
    for (const struct tare_json *c = tare_json_first(cells); c; c = tare_json_next(c)) {
        tare_buf_printf(to, "  %-10s %-18s %-14s %-12s %s %s\n", text_of(c, "backend"), text_of(c, "model"),
                        text_of(c, "task"), text_of(c, "scenario"), text_of(c, "verdict"),
                        text_of(c, "reasons"));
        const struct tare_json *repeats = tare_json_get(c, "repeats");
        for (const struct tare_json *r = tare_json_first(repeats); r; r = tare_json_next(r)) {
            if (strcmp(text_of(r, "outcome"), "ok") != 0) {
                tare_buf_printf(to, "    %s: %s\n", text_of(r, "outcome"), text_of(r, "message"));
            }
        }
    }
}

static void print_import(const struct tare_json *import, struct tare_buf *to)
{
    if (import) {
        tare_buf_printf(
            to, "  imported from %s (%s, sha256 %.12s) of %s %s on %s: its figures are reported\n",
            text_of(import, "file"), text_of(import, "format"), text_of(import, "sha256"),
            text_of(import, "tool"), text_of(import, "tool_version"), text_of(import, "imported"));
    }
}

static int print(const struct tare_json *runs, struct tare_err *err)
{
    struct tare_buf text;
    char *number = NULL;
    int r = 0;
    tare_buf_init(&text, 64 << 20);
    for (const struct tare_json *o = tare_json_first(runs); r == 0 && o; o = tare_json_next(o)) {
        r = tare_json_print(tare_json_get(o, "run"), false, &number, err);
        if (r == 0) {
            tare_buf_printf(&text, "run %s: %s, started %s, finished %s\n", number, text_of(o, "name"),
                            text_of(o, "started"), text_of(o, "finished"));
            print_import(tare_json_get(o, "import"), &text);
            print_cells(o, &text);
        }
        free(number);
        number = NULL;
    }
    r = r == 0 ? tare_print_text(&text, err) : r;
    tare_buf_fini(&text);
    return r;
}

static int explain(const struct show_options *o, const char *path, bool json, struct tare_err *err)
{
    const struct tare_explain_cell which = {o->model, o->technique, o->task, o->scenario, o->cell};
    struct tare_store *store = NULL;
    struct tare_json *explained = tare_json_new_object();
    int64_t run_id = o->run;
    int r = tare_store_open(path, TARE_STORE_READ, &store, err);
    r = r == 0 && !run_id ? tare_query_last_run(store, &run_id, err) : r;
    r = r == 0 ? tare_explain(store, run_id, &which, o->figure, explained, err) : r;
    tare_store_close(store);
    if (r == 0 && json) {
        return tare_print_json(explained, err);
    }
    r = r == 0 ? tare_explain_print(explained, err) : r;
    tare_json_destroy(explained);
    return r;
}

static int show(const void *opts, const struct tare_command_args *args, struct tare_err *err)
{
    const struct show_options *o = opts;
    if (o->figure) {
        return explain(o, args->n_words ? args->words[0] : o->db, args->json, err);
    }
    struct view v = {.run_id = o->run, .list = tare_json_new_array()};
    int r = tare_store_open(args->n_words ? args->words[0] : o->db, TARE_STORE_READ, &v.store, err);
    r = r == 0 ? tare_query_runs(v.store, add_run, &v, err) : r;
    if (r == 0 && v.run_id && tare_json_size(v.list) == 0) {
        r = tare_err_set(err, TARE_E_USAGE, "the database has no run %lld", (long long)v.run_id);
    }
    tare_store_close(v.store);
    if (r == 0 && args->json) {
        return tare_print_json(v.list, err);
    }
    r = r == 0 ? print(v.list, err) : r;
    tare_json_destroy(v.list);
    return r;
}

const struct tare_command tare_command_show = {
    .name = "show",
    .summary = "show the runs of a database, or one run in full",
    .arguments = "[DB]",
    .text =
        "Without --run a line a run; with it the plan, the machine, every cell with its verdict, its "
        "repeats and "
        "their outcomes, the certificate that it cites, its meters, and the SHA-256 of every file "
        "involved (--json shows all of it).\n\n"
        "With --figure one figure of one cell is explained: the stored value, its formula, whether it can be "
        "derived again from what is stored, the samples and readings that it is made of (found by changing "
        "each "
        "in turn), what each repeat gives by itself, and the files by hash.",
    .max_words = 1,
    .options_size = sizeof(struct show_options),
    .options = options,
    .run = show};
