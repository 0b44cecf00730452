/* SPDX-License-Identifier: Apache-2.0 */
/* `tare import`: files of other programs into the store, as runs whose figures are reported. */
#include "cmd/cmd.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "cmd/import_task.h"
#include "config.h"
#include "interop/interop.h"
#include "store/import.h"
#include "store/query.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { max_files = 1000, max_cells = 100000, max_figures = 2000 };

struct import_options {
    char *db;
    char *format;
    char *model;
    char *output;
};

#define MEMBER(type_, member_) \
    .name = #member_, .type = type_, .offset = offsetof(struct import_options, member_)

static const struct tare_opt options[] = {
    {MEMBER(TARE_OPT_STR, db), .def = "tare.db", .help = "database, made if absent"},
    {MEMBER(TARE_OPT_STR, format), .help = "format of the files; without it each is recognised"},
    {MEMBER(TARE_OPT_STR, model),
     .help = "label of the model, for files that do not name it (or another name)"},
    {MEMBER(TARE_OPT_STR, output), .help = "lm-eval-task: file to write; standard output without it"},
    TARE_OPT_END};

/* How often a row's labels have been used: views show one cell for each. */
struct label_use {
    uint64_t hash;
    int64_t n;
};

/* One file on its way into the store. */
struct import {
    struct tare_store *store;
    const char *path, *model;
    int64_t run_id, cell_id, cells, records, figures;
    char *tool, *version, *envelope;
    struct label_use *uses; /* open addressing, a power of two */
    size_t n_uses, cap_uses;
    struct tare_json *names; /* of the current cell's figures */
};

static int keep(char **to, const char *text, struct tare_err *err)
{
    char *copy = strdup(text);
    if (!copy) {
        return tare_err_set(err, TARE_E_NOMEM, "import: out of memory");
    }
    free(*to);
    *to = copy;
    return 0;
}

static int on_tool(void *ctx, const char *name, const char *version, struct tare_err *err)
{
    struct import *m = ctx;
    int r = keep(&m->tool, name, err);
    return r == 0 && version ? keep(&m->version, version, err) : r;
}

static int on_fact(void *ctx, const char *key, const char *value, struct tare_err *err)
{
    struct import *m = ctx;
    return tare_store_put_environment(m->store, m->run_id, key, value, NULL, err);
}

static int on_envelope(void *ctx, const char *json, struct tare_err *err)
{
    return keep(&((struct import *)ctx)->envelope, json, err);
}

static int on_record(void *ctx, const char *json, struct tare_err *err)
{
    struct import *m = ctx;
    return tare_store_add_record(m->store, m->run_id, m->records++, json, err);
}

/* FNV-1a over labels with their ends. Two that collide cost a needless number, no more. */
static uint64_t hash_labels(const struct tare_interop_cell *c)
{
    const char *const parts[] = {c->model, c->task, c->scenario};
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < 3; i++) {
        for (const char *at = parts[i];; at++) {
            hash = (hash ^ (unsigned char)*at) * 1099511628211u;
            if (*at == '\0') {
                break;
            }
        }
    }
    return hash ? hash : 1;
}

static struct label_use *slot_of(struct label_use *uses, size_t cap, uint64_t hash)
{
    size_t at = (size_t)hash & (cap - 1);
    while (uses[at].hash && uses[at].hash != hash) {
        at = (at + 1) & (cap - 1);
    }
    return &uses[at];
}

static int grow(struct import *m, struct tare_err *err)
{
    size_t cap = m->cap_uses ? 2 * m->cap_uses : 64;
    struct label_use *uses = calloc(cap, sizeof *uses);
    if (!uses) {
        return tare_err_set(err, TARE_E_NOMEM, "import: out of memory");
    }
    for (size_t i = 0; i < m->cap_uses; i++) {
        if (m->uses[i].hash) {
            *slot_of(uses, cap, m->uses[i].hash) = m->uses[i];
        }
    }
    free(m->uses);
    m->uses = uses;
    m->cap_uses = cap;
    return 0;
}

/* How many cells before this one have the same labels. */
static int count_use(struct import *m, const struct tare_interop_cell *c, int64_t *out, struct tare_err *err)
{
    int r = 2 * m->n_uses >= m->cap_uses ? grow(m, err) : 0;
    if (r == 0) {
        struct label_use *use = slot_of(m->uses, m->cap_uses, hash_labels(c));
        m->n_uses += use->hash == 0;
        use->hash = hash_labels(c);
        *out = use->n++;
    }
    return r;
}

/* What a worker was told is here what the cell came from. */
static int make_spec(const struct import *m, char **out, struct tare_err *err)
{
    struct tare_json *spec = tare_json_new_object(), *import = tare_json_add_object(spec, "import");
    tare_json_add_str(import, "file", m->path);
    if (m->records > 0) {
        tare_json_add_i64(import, "record", m->records - 1);
    }
    int r = tare_json_print(spec, false, out, err);
    tare_json_destroy(spec);
    return r;
}

static int on_cell(void *ctx, const struct tare_interop_cell *given, struct tare_err *err)
{
    struct import *m = ctx;
    struct tare_interop_cell c = *given;
    char scenario[320], *spec = NULL;
    int64_t before = 0;
    c.model = m->model ? m->model : c.model;
    if (m->cells == max_cells) {
        return tare_err_set(err, TARE_E_LIMIT, "%s: it has over %d cells; split the file", m->path,
                            max_cells);
    }
    int r = count_use(m, &c, &before, err);
    (void)snprintf(scenario, sizeof scenario, before > 0 ? "%.280s #%" PRId64 : "%.280s", c.scenario,
                   before + 1);
    r = r == 0 ? make_spec(m, &spec, err) : r;
    if (r == 0) {
        struct tare_cell_row row = {.run_id = m->run_id,
                                    .ordinal = m->cells++,
                                    .backend = m->tool ? m->tool : "unknown",
                                    .model = c.model,
                                    .technique = TARE_INTEROP_TECHNIQUE,
                                    .task = c.task,
                                    .scenario = scenario,
                                    .spec = spec,
                                    .items = TARE_ABSENT};
        r = tare_store_add_cell(m->store, &row, &m->cell_id, err);
    }
    free(spec);
    tare_json_destroy(m->names);
    m->names = tare_json_new_object();
    return r == 0 && c.invalid
               ? tare_store_set_verdict(m->store, m->cell_id, "INVALID", TARE_INTEROP_INVALID, err)
               : r;
}

static int on_figure(void *ctx, const struct tare_figure *figure, struct tare_err *err)
{
    struct import *m = ctx;
    if (tare_json_get(m->names, figure->name)) {
        return 0;
    }
    if (tare_json_size(m->names) == max_figures) {
        return tare_err_set(err, TARE_E_LIMIT, "%s: one of its cells has over %d figures", m->path,
                            max_figures);
    }
    tare_json_add_null(m->names, figure->name);
    m->figures++;
    return tare_store_put_figure(m->store, m->cell_id, figure, err);
}

/* The run is there first, so that its cells can name it. */
static int add_run(struct import *m, const char *now, struct tare_err *err)
{
    char *plan = NULL, sha256[TARE_SHA256_HEX];
    const char *slash = strrchr(m->path, '/');
    struct tare_json *root = tare_json_new_object();
    tare_json_add_str(tare_json_add_object(root, "import"), "file", m->path);
    int r = tare_json_print(root, false, &plan, err);
    r = r == 0 ? tare_sha256(plan, strlen(plan), sha256, err) : r;
    if (r == 0) {
        struct tare_run_row row = {.name = slash ? slash + 1 : m->path,
                                   .plan = plan,
                                   .plan_sha256 = sha256,
                                   .started_utc = now,
                                   .tare_version = TARE_VERSION};
        r = tare_store_add_run(m->store, &row, &m->run_id, err);
    }
    r = r == 0 ? tare_store_finish_run(m->store, m->run_id, now, err) : r;
    free(plan);
    tare_json_destroy(root);
    return r;
}

static int end_file(struct import *m, const struct tare_interop_format *format,
                    struct tare_interop_reader *reader, const char *now, struct tare_err *err)
{
    char sha256[TARE_SHA256_HEX] = "";
    int r = tare_interop_hash(reader, sha256, err);
    if (r == 0 && m->cells == 0) {
        r = tare_err_set(err, TARE_E_FORMAT, "%s: there is nothing in it that could be shown", m->path);
    }
    struct tare_import_row row = {.run_id = m->run_id,
                                  .format = format->name,
                                  .tool = m->tool ? m->tool : format->tool,
                                  .tool_version = m->version,
                                  .path = m->path,
                                  .bytes = reader->bytes,
                                  .sha256 = sha256,
                                  .imported_utc = now,
                                  .envelope = m->envelope};
    return r == 0 ? tare_store_add_import(m->store, &row, err) : r;
}

static int find_format(const char *name, struct tare_interop_reader *reader,
                       const struct tare_interop_format **out, struct tare_err *err)
{
    int r = name ? tare_interop_find(name, out, err) : tare_interop_recognise(reader, out, err);
    return r == 0 && !(*out)->read
               ? tare_err_set(err, TARE_E_USAGE, "format %s can be written only", (*out)->name)
               : r;
}

static void report(const struct import *m, const struct tare_interop_format *format, struct tare_json *list)
{
    struct tare_json *o = tare_json_add_object(list, NULL);
    tare_json_add_str(o, "file", m->path);
    tare_json_add_i64(o, "run", m->run_id);
    tare_json_add_str(o, "format", format->name);
    tare_json_add_str(o, "tool", m->tool);
    tare_json_add_str(o, "tool_version", m->version);
    tare_json_add_i64(o, "records", m->records);
    tare_json_add_i64(o, "cells", m->cells);
    tare_json_add_i64(o, "figures", m->figures);
}

static int read_stream(struct import *m, FILE *from, const char *format_name, struct tare_json *list,
                       struct tare_err *err)
{
    char now[32];
    struct tare_interop_reader reader;
    const struct tare_interop_format *format = NULL;
    const struct tare_interop_sink sink = {.ctx = m,
                                           .tool = on_tool,
                                           .fact = on_fact,
                                           .envelope = on_envelope,
                                           .record = on_record,
                                           .cell = on_cell,
                                           .figure = on_figure};
    tare_interop_reader_init(&reader, from, m->path);
    tare_clock_format(tare_clock_wall_ns(), now, sizeof now);
    int r = find_format(format_name, &reader, &format, err);
    if (!format) {
        tare_interop_reader_fini(&reader);
        return r;
    }
    r = r == 0 ? add_run(m, now, err) : r;
    const struct tare_interop_in in = {.reader = &reader, .sink = &sink, .tool = format->tool};
    r = r == 0 ? format->read(&in, err) : r;
    r = r == 0 ? end_file(m, format, &reader, now, err) : r;
    if (r == 0) {
        report(m, format, list);
    }
    tare_interop_reader_fini(&reader);
    return r;
}

static int read_file(struct tare_store *store, const char *path, const struct import_options *o,
                     struct tare_json *list, struct tare_err *err)
{
    struct import m = {.store = store, .path = path, .model = o->model};
    FILE *from = fopen(path, "re");
    if (!from) {
        return tare_err_set(err, TARE_E_IO, "%s: %s", path, strerror(errno));
    }
    int r = read_stream(&m, from, o->format, list, err);
    (void)fclose(from);
    free(m.tool);
    free(m.version);
    free(m.envelope);
    free(m.uses);
    tare_json_destroy(m.names);
    return r;
}

static void print(const struct tare_json *list)
{
    for (const struct tare_json *o = tare_json_first(list); o; o = tare_json_next(o)) {
        const char *tool = tare_json_str(tare_json_get(o, "tool"));
        tare_log(TARE_LOG_INFO, NULL,
                 "run %.0f: %s, %s by %s: %.0f records, %.0f cells, %.0f reported figures",
                 tare_json_num(tare_json_get(o, "run")), tare_json_str(tare_json_get(o, "file")),
                 tare_json_str(tare_json_get(o, "format")), tool ? tool : "?",
                 tare_json_num(tare_json_get(o, "records")), tare_json_num(tare_json_get(o, "cells")),
                 tare_json_num(tare_json_get(o, "figures")));
    }
}

/* All files or none. */
static int import_all(struct tare_store *store, const struct tare_command_args *args,
                      const struct import_options *o, struct tare_json *list, struct tare_err *err)
{
    int r = tare_store_begin(store, err);
    if (r < 0) {
        return r;
    }
    for (int i = 0; r == 0 && i < args->n_words; i++) {
        r = read_file(store, args->words[i], o, list, err);
    }
    r = r == 0 ? tare_store_commit(store, err) : r;
    if (r < 0) {
        tare_store_rollback(store);
    }
    /* A bad file is not a failed cell, which is what these codes mean to a run. */
    bool bad = r == TARE_E_FORMAT || r == TARE_E_LIMIT;
    return r == 0 ? tare_store_checkpoint(store, err) : bad ? TARE_E_ENVIRONMENT : r;
}

/* Before a database is made for them. */
static int check_files(const struct tare_command_args *args, struct tare_err *err)
{
    for (int i = 0; i < args->n_words; i++) {
        if (access(args->words[i], R_OK) != 0) {
            return tare_err_set(err, TARE_E_IO, "%s: %s", args->words[i], strerror(errno));
        }
    }
    return 0;
}

/* The one word before a file that is no file. */
static const char task_word[] = "lm-eval-task";

static int import_task(const struct import_options *o, const struct tare_command_args *args,
                       struct tare_err *err)
{
    return args->n_words == 2
               ? tare_import_task(args->words[1], o->output, err)
               : tare_err_set(err, TARE_E_USAGE,
                              "tare import %s: name one file; --output says where the task goes", task_word);
}

static int import_files(const struct import_options *o, const struct tare_command_args *args,
                        struct tare_err *err)
{
    struct tare_store *store = NULL;
    const struct tare_interop_format *named = NULL;
    int r = o->format ? tare_interop_find(o->format, &named, err) : 0;
    r = r == 0 ? check_files(args, err) : r;
    bool is_new = r == 0 && access(o->db, F_OK) != 0;
    r = r == 0 ? tare_store_open(o->db, TARE_STORE_CREATE, &store, err) : r;
    if (r < 0) {
        return r;
    }
    struct tare_json *list = tare_json_new_array();
    r = import_all(store, args, o, list, err);
    bool is_empty = r < 0 && is_new && tare_query_last_run(store, &(int64_t){0}, NULL) == TARE_E_DATABASE;
    tare_store_close(store);
    if (is_empty) { /* made for nothing: it would only seem to be a result */
        (void)unlink(o->db);
    }
    if (r == 0 && args->json) {
        return tare_print_json(list, err);
    }
    if (r == 0) {
        print(list);
    }
    tare_json_destroy(list);
    return r;
}

static int import(const void *opts, const struct tare_command_args *args, struct tare_err *err)
{
    const struct import_options *o = opts;
    if (args->n_words == 0) {
        return tare_err_set(err, TARE_E_USAGE,
                            "tare import: name a file; 'tare list interop' shows what is read");
    }
    if (strcmp(args->words[0], task_word) == 0) {
        return import_task(o, args, err);
    }
    return o->output ? tare_err_set(err, TARE_E_USAGE, "--output goes with 'tare import %s'", task_word)
                     : import_files(o, args, err);
}

const struct tare_command tare_command_import = {
    .name = "import",
    .summary = "read result files of other programs into a database",
    .arguments = "FILE...",
    .text =
        "Each file becomes a run. Its records are kept whole, so that 'tare export' gives them back with "
        "every "
        "field, and the figures that they tell of are stored as reported, which no ranking mixes with "
        "measured "
        "ones. A file that cannot be read as it should is an error that names line or record and field; then "
        "nothing is stored, of the other files neither. 'tare list interop' shows the formats.\n\n"
        "'tare import lm-eval-task FILE.yaml' converts a task of lm-evaluation-harness, its includes merged "
        "in, and "
        "prints it as a task file of ours. No database is needed. Python code and keys that are not known "
        "are refused "
        "by name.",
    .max_words = max_files,
    .options_size = sizeof(struct import_options),
    .options = options,
    .run = import};
