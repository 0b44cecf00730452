/* SPDX-License-Identifier: Apache-2.0 */
/* `tare export`: a run in the form of another program: imported records as they came, or measured figures. */
#include "cmd/cmd.h"

#include "base/log.h"
#include "cmd/load.h"
#include "cmd/table.h"
#include "interop/interop.h"
#include "store/import.h"
#include "store/query.h"

#include <stdlib.h>
#include <string.h>

struct export_options {
    char *db;
    int64_t run;
    char *output;
    char *model;
    char *task;
    char *technique;
};

#define MEMBER(type_, member_) \
    .name = #member_, .type = type_, .offset = offsetof(struct export_options, member_)

static const struct tare_opt options[] = {
    {MEMBER(TARE_OPT_STR, db), .def = "tare.db", .help = "database to read"},
    {MEMBER(TARE_OPT_I64, run), .def = "0", .min = 0, .max = INT64_MAX,
     .help = "number of the run; 0: the newest"},
    {MEMBER(TARE_OPT_STR, output), .help = "file to write; standard output without it"},
    {MEMBER(TARE_OPT_STR, model), .help = "only cells of this model"},
    {MEMBER(TARE_OPT_STR, task), .help = "only cells of this task"},
    {MEMBER(TARE_OPT_STR, technique), .help = "only cells with this technique"},
    TARE_OPT_END};

struct job {
    const struct export_options *o;
    const struct tare_interop_format *format;
    struct tare_store *store;
    int64_t run_id;
    struct tare_buf notes;
    FILE *to;
};

/* --- A run that was imported. --- */

static int each_record(void *ctx, tare_interop_record_fn fn, void *fn_ctx, struct tare_err *err)
{
    const struct job *j = ctx;
    return tare_query_records(j->store, j->run_id, fn, fn_ctx, err);
}

static int give_back(void *ctx, const struct tare_import_row *row, struct tare_err *err)
{
    struct job *j = ctx;
    if (!tare_interop_takes(j->format, row->format) || !j->format->give_back) {
        return tare_err_set(
            err, TARE_E_USAGE,
            "run %lld was imported as %s and cannot become %s: what another program reported is "
            "given back in its own form only, if that can be written at all",
            (long long)j->run_id, row->format, j->format->name);
    }
    if (j->o->model || j->o->task || j->o->technique) {
        return tare_err_set(err, TARE_E_USAGE,
                            "an imported run is given back whole: without --model, --task and "
                            "--technique");
    }
    struct tare_interop_stored stored = {
        .format = row->format, .envelope = row->envelope, .each = each_record, .ctx = j, .notes = &j->notes};
    return j->format->give_back(&stored, j->to, err);
}

/* --- A run that was measured. --- */

struct repeats {
    struct tare_store *store;
    struct tare_repeat_sums *list;
    size_t n;
};

static int add_repeat(void *ctx, const struct tare_repeat_row *row, struct tare_err *err)
{
    struct repeats *t = ctx;
    if (strcmp(row->outcome, "ok") != 0 || row->errors > 0) {
        return 0;
    }
    struct tare_repeat_sums *list = realloc(t->list, (t->n + 1) * sizeof *list);
    if (!list) {
        return tare_err_set(err, TARE_E_NOMEM, "export: out of memory");
    }
    t->list = list;
    int r = tare_query_sums(t->store, row->id, &list[t->n], err);
    t->n += r == 0;
    return r;
}

static bool wanted(const struct export_options *o, const struct tare_report_cell *c)
{
    return (!o->model || strcmp(o->model, c->model) == 0) && (!o->task || strcmp(o->task, c->task) == 0) &&
           (!o->technique || strcmp(o->technique, c->technique) == 0);
}

/* Cells that are not valid have no figure to give. */
static int add_row(struct job *j, const struct tare_report_cell *c, struct tare_interop_row *rows, size_t *n,
                   struct tare_err *err)
{
    struct repeats t = {.store = j->store};
    if (!wanted(j->o, c)) {
        return 0;
    }
    if (!c->verdict || strcmp(c->verdict, "VALID") != 0) {
        tare_buf_printf(&j->notes, "%.80s on %.80s is left out: %s\n", c->model, c->task,
                        c->verdict ? c->verdict : "not judged");
        return 0;
    }
    int r = tare_query_repeats(j->store, c->id, add_repeat, &t, err);
    rows[(*n)++] = (struct tare_interop_row){.model = c->model,
                                             .backend = c->backend,
                                             .technique = c->technique,
                                             .task = c->task,
                                             .scenario = c->scenario,
                                             .tokenizer = c->tokenizer,
                                             .metrics = c->metrics,
                                             .figures = c->figures,
                                             .n_figures = c->n_figures,
                                             .repeats = t.list,
                                             .n_repeats = t.n};
    return r;
}

struct about {
    struct tare_interop_run *run;
    char *name, *started, *version, *cpu, *kernel;
};

static int see_run(void *ctx, const struct tare_run_row *row, struct tare_err *err)
{
    struct about *a = ctx;
    (void)err;
    if (row->id == a->run->id) {
        a->name = strdup(row->name);
        a->started = strdup(row->started_utc);
        a->version = strdup(row->tare_version);
    }
    return 0;
}

static int see_fact(void *ctx, const char *key, const char *value, struct tare_err *err)
{
    struct about *a = ctx;
    (void)err;
    bool known = value && strncmp(value, "absent: ", 8) != 0;
    if (known && strcmp(key, "cpu.model") == 0) {
        a->cpu = strdup(value);
    } else if (known && strcmp(key, "kernel.release") == 0) {
        a->kernel = strdup(value);
    }
    return 0;
}

static int write_rows(struct job *j, struct tare_interop_run *run, struct tare_err *err)
{
    struct about a = {.run = run};
    int r = tare_query_runs(j->store, see_run, &a, err);
    r = r == 0 ? tare_query_environment(j->store, j->run_id, see_fact, &a, err) : r;
    run->name = a.name ? a.name : "";
    run->started_utc = a.started ? a.started : "";
    run->version = a.version ? a.version : "";
    run->cpu = a.cpu;
    run->kernel = a.kernel;
    r = r == 0 ? j->format->write(run, j->to, err) : r;
    free(a.name);
    free(a.started);
    free(a.version);
    free(a.cpu);
    free(a.kernel);
    return r;
}

static int write_measured(struct job *j, struct tare_err *err)
{
    struct tare_loaded *loaded = NULL;
    if (!j->format->write) {
        return tare_err_set(err, TARE_E_USAGE,
                            "format %s only gives back what was imported, and run %lld was "
                            "measured",
                            j->format->name, (long long)j->run_id);
    }
    int r = tare_load(j->store, j->run_id, &loaded, err);
    if (r < 0) {
        return r;
    }
    const struct tare_report_input *in = tare_loaded_input(loaded);
    struct tare_interop_run run = {.id = j->run_id, .notes = &j->notes};
    struct tare_interop_row *rows = calloc(in->n_cells + 1, sizeof *rows);
    r = rows ? 0 : tare_err_set(err, TARE_E_NOMEM, "export: out of memory");
    for (size_t i = 0; r == 0 && i < in->n_cells; i++) {
        r = add_row(j, &in->cells[i], rows, &run.n_rows, err);
    }
    if (r == 0 && run.n_rows == 0) {
        r = tare_err_set(err, TARE_E_USAGE, "run %lld has no valid cell that was asked for",
                         (long long)j->run_id);
    }
    run.rows = rows;
    r = r == 0 ? write_rows(j, &run, err) : r;
    for (size_t i = 0; rows && i < run.n_rows; i++) {
        free((void *)(uintptr_t)rows[i].repeats);
    }
    free(rows);
    tare_loaded_free(loaded);
    return r;
}

/* --- Where it goes. --- */

static int write_all(struct job *j, struct tare_err *err)
{
    bool imported = false;
    int r = tare_query_import(j->store, j->run_id, give_back, j, &imported, err);
    return r == 0 && !imported ? write_measured(j, err) : r;
}

static int write_file(const char *path, const char *text, size_t n, struct tare_err *err)
{
    if (path) {
        return tare_file_replace(path, text, n, err);
    }
    bool ok = fwrite(text, 1, n, stdout) == n && fflush(stdout) == 0;
    return ok ? 0 : tare_err_set(err, TARE_E_IO, "standard output: cannot be written");
}

static void print_notes(const struct tare_buf *notes)
{
    for (const char *line = tare_buf_str(notes); *line;) {
        int n = (int)strcspn(line, "\n");
        tare_log(TARE_LOG_WARN, NULL, "%.*s", n, line);
        line += n + (line[n] == '\n');
    }
}

/* What was written, for machines: the text itself where no file has it. */
static int print_about(const struct job *j, const char *text, size_t n, struct tare_err *err)
{
    struct tare_json *o = tare_json_new_object();
    tare_json_add_str(o, "format", j->format->name);
    tare_json_add_i64(o, "run", j->run_id);
    tare_json_add_str(o, "file", j->o->output);
    tare_json_add_i64(o, "bytes", (int64_t)n);
    tare_json_add_str(o, "text", j->o->output ? NULL : text);
    tare_json_add_str(o, "left_out", j->notes.used ? tare_buf_str(&j->notes) : NULL);
    return tare_print_json(o, err);
}

/* Into memory first: a failure leaves no half of a file behind. */
static int write_out(struct job *j, bool json, struct tare_err *err)
{
    char *text = NULL;
    size_t n = 0;
    j->to = open_memstream(&text, &n);
    if (!j->to) {
        return tare_err_set(err, TARE_E_NOMEM, "export: out of memory");
    }
    int r = write_all(j, err);
    if (fclose(j->to) != 0 && r == 0) {
        r = tare_err_set(err, TARE_E_NOMEM, "export: out of memory");
    }
    if (r == 0 && (j->o->output || !json)) {
        r = write_file(j->o->output, text, n, err);
    }
    if (r == 0) {
        print_notes(&j->notes);
        r = json ? print_about(j, text, n, err) : 0;
    }
    free(text);
    return r;
}

static int export(const void *opts, const struct tare_command_args *args, struct tare_err *err)
{
    struct job j = {.o = opts, .run_id = ((const struct export_options *)opts)->run};
    if (args->n_words == 0) {
        return tare_err_set(err, TARE_E_USAGE, "tare export: name a format; 'tare list interop' shows them");
    }
    int r = tare_interop_find(args->words[0], &j.format, err);
    r = r == 0 ? tare_store_open(j.o->db, TARE_STORE_READ, &j.store, err) : r;
    if (r < 0) {
        return r;
    }
    tare_buf_init(&j.notes, 1 << 20);
    r = j.run_id ? 0 : tare_query_last_run(j.store, &j.run_id, err);
    r = r == 0 ? write_out(&j, args->json, err) : r;
    tare_buf_fini(&j.notes);
    tare_store_close(j.store);
    return r;
}

const struct tare_command tare_command_export = {
    .name = "export",
    .summary = "write a run in the form of another program",
    .arguments = "FORMAT",
    .text = "A run that was imported is given back with every field that it came with, in its own form. Of a "
            "measured run the figures go where the other program has the same quantity in its own unit; what "
            "there "
            "is none of is left out, never 0. 'tare list interop' shows the formats and what each can do.",
    .max_words = 1,
    .options_size = sizeof(struct export_options),
    .options = options,
    .run = export};
