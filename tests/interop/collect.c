/* SPDX-License-Identifier: Apache-2.0 */
#include "collect.h"

#include <stdlib.h>
#include <string.h>

static int full(struct tare_err *err)
{
    return tare_err_set(err, TARE_E_LIMIT, "more than the test keeps");
}

static int on_tool(void *ctx, const char *name, const char *version, struct tare_err *err)
{
    struct collected *c = ctx;
    (void)err;
    (void)snprintf(c->tool, sizeof c->tool, "%s", name);
    (void)snprintf(c->version, sizeof c->version, "%s", version ? version : "");
    return 0;
}

static int on_fact(void *ctx, const char *key, const char *value, struct tare_err *err)
{
    (void)ctx;
    return *key && *value ? 0 : tare_err_set(err, TARE_E_FORMAT, "a fact without a name or a value");
}

static int on_envelope(void *ctx, const char *json, struct tare_err *err)
{
    struct collected *c = ctx;
    if (c->envelope) {
        return tare_err_set(err, TARE_E_FORMAT, "a second envelope");
    }
    c->envelope = strdup(json);
    return 0;
}

static int on_record(void *ctx, const char *json, struct tare_err *err)
{
    struct collected *c = ctx;
    if (c->n_records == collect_max) {
        return full(err);
    }
    c->records[c->n_records++] = strdup(json);
    return 0;
}

static int on_cell(void *ctx, const struct tare_interop_cell *cell, struct tare_err *err)
{
    struct collected *c = ctx;
    if (c->n_cells == collect_max) {
        return full(err);
    }
    struct collected_cell *to = &c->cells[c->n_cells++];
    (void)snprintf(to->model, sizeof to->model, "%s", cell->model);
    (void)snprintf(to->task, sizeof to->task, "%s", cell->task);
    (void)snprintf(to->scenario, sizeof to->scenario, "%s", cell->scenario);
    to->invalid = cell->invalid;
    to->first = c->n_figures;
    to->n = 0;
    return 0;
}

static int on_figure(void *ctx, const struct tare_figure *f, struct tare_err *err)
{
    struct collected *c = ctx;
    if (c->n_figures == collect_max || c->n_cells == 0) {
        return full(err);
    }
    if (collect_figure(c, c->n_cells - 1, f->name)) {
        return 0;
    }
    struct collected_figure *to = &c->figures[c->n_figures++];
    (void)snprintf(to->name, sizeof to->name, "%s", f->name);
    (void)snprintf(to->unit, sizeof to->unit, "%s", f->unit);
    (void)snprintf(to->source, sizeof to->source, "%s", f->source);
    (void)snprintf(to->scope, sizeof to->scope, "%s", f->scope);
    (void)snprintf(to->flags, sizeof to->flags, "%s", f->flags);
    to->value = f->value;
    to->low = f->low;
    to->high = f->high;
    to->kind = f->kind;
    to->n = f->n;
    c->cells[c->n_cells - 1].n++;
    return 0;
}

const struct collected_figure *collect_figure(const struct collected *c, size_t cell, const char *name)
{
    for (size_t i = c->cells[cell].first; i < c->cells[cell].first + c->cells[cell].n; i++) {
        if (strcmp(c->figures[i].name, name) == 0) {
            return &c->figures[i];
        }
    }
    return NULL;
}

int collect_read(struct collected *to, const char *format, const char *name, const char *text, size_t n,
                 struct tare_err *err)
{
    static char nothing[1];
    const struct tare_interop_sink sink = {.ctx = to,
                                           .tool = on_tool,
                                           .fact = on_fact,
                                           .envelope = on_envelope,
                                           .record = on_record,
                                           .cell = on_cell,
                                           .figure = on_figure};
    struct tare_interop_reader reader;
    const struct tare_interop_format *found = NULL;
    FILE *from = fmemopen(n ? (void *)(uintptr_t)text : nothing, n ? n : 1, "r");
    if (!from) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory stream");
    }
    if (n == 0) {
        (void)fgetc(from);
    }
    memset(to, 0, sizeof *to);
    tare_buf_init(&to->notes, 1 << 16);
    tare_interop_reader_init(&reader, from, name);
    int r = format ? tare_interop_find(format, &found, err) : tare_interop_recognise(&reader, &found, err);
    if (r == 0) {
        const struct tare_interop_in in = {.reader = &reader, .sink = &sink, .tool = found->tool};
        (void)snprintf(to->format, sizeof to->format, "%s", found->name);
        r = found->read(&in, err);
    }
    tare_interop_reader_fini(&reader);
    (void)fclose(from);
    return r;
}

static int each(void *ctx, tare_interop_record_fn fn, void *fn_ctx, struct tare_err *err)
{
    const struct collected *c = ctx;
    int r = 0;
    for (size_t i = 0; r == 0 && i < c->n_records; i++) {
        r = fn(fn_ctx, c->records[i], err);
    }
    return r;
}

int collect_give_back(struct collected *from, const char *format, char **out, size_t *out_n,
                      struct tare_err *err)
{
    const struct tare_interop_format *found = NULL;
    struct tare_interop_stored stored = {
        .format = from->format, .envelope = from->envelope, .each = each, .ctx = from, .notes = &from->notes};
    int r = tare_interop_find(format, &found, err);
    FILE *to = r == 0 ? open_memstream(out, out_n) : NULL;
    if (!to) {
        return r < 0 ? r : tare_err_set(err, TARE_E_NOMEM, "no memory stream");
    }
    r = found->give_back(&stored, to, err);
    (void)fclose(to);
    return r;
}

void collect_fini(struct collected *c)
{
    for (size_t i = 0; i < c->n_records; i++) {
        free(c->records[i]);
    }
    free(c->envelope);
    tare_buf_fini(&c->notes);
}
