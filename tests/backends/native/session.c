/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sink and the steps of a session, as the harness would take them.
 */
#include "session.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static void keep_row(struct tare_sink *sink, uint64_t id, uint32_t position, const float *row)
{
    struct record *r = (struct record *)sink;
    assert_int_equal(id, 42);
    assert_true(r->n_rows < rows_max);
    memcpy(r->rows + (size_t)r->n_rows * r->n_vocab, row, r->n_vocab * sizeof *row);
    r->positions[r->n_rows++] = position;
}

static int keep_token(struct tare_sink *sink, uint64_t id, int32_t token, const char *bytes, uint32_t n_bytes)
{
    struct record *r = (struct record *)sink;
    assert_int_equal(id, 42);
    assert_true(r->n_tokens < tokens_max && r->n_text + n_bytes < sizeof r->text);
    r->tokens[r->n_tokens++] = token;
    memcpy(r->text + r->n_text, bytes, n_bytes);
    r->n_text += n_bytes;
    return r->stop_after != 0 && r->n_tokens >= r->stop_after;
}

/* Writes an option where the table says; the harness's parser does the same from text. */
void *session_option(void *self, const char *name)
{
    for (const struct tare_opt *o = tare_plugin.options; o->name; o++) {
        if (strcmp(o->name, name) == 0) {
            return (char *)self + o->offset;
        }
    }
    fail_msg("no option %s", name);
    return NULL;
}

void *session_new_self(void)
{
    void *self = calloc(1, tare_plugin.priv_size);
    assert_non_null(self);
    *(int64_t *)session_option(self, "threads") = 1;
    *(bool *)session_option(self, "reuse_prefix") = true;
    return self;
}

void session_start(struct session *s, const char *path)
{
    session_start_with(s, path, NULL);
}

static int load(struct session *s, const char *path, const char *technique, struct tare_err *err)
{
    const struct tare_load load = {.size = sizeof load, .path = path, .technique = technique};
    int rc = tare_plugin.open ? tare_plugin.open(s->self, err) : 0;
    if (rc == 0) {
        rc = tare_plugin.load(s->self, &load, err);
    }
    return rc == 0 ? tare_plugin.describe(s->self, &s->facts, err) : rc;
}

int session_try(struct session *s, const char *path, const struct session_options *options,
                struct tare_err *err)
{
    memset(s, 0, sizeof *s);
    s->self = session_new_self();
    if (options) {
        *(int64_t *)session_option(s->self, "threads") = options->threads > 0 ? options->threads : 1;
        *(int64_t *)session_option(s->self, "block") = options->block;
        *(bool *)session_option(s->self, "reuse_prefix") = !options->no_reuse;
    }
    int rc = load(s, path, options ? options->technique : NULL, err);
    if (rc < 0) {
        session_stop(s);
        return rc;
    }
    s->record.sink =
        (struct tare_sink){.size = sizeof s->record.sink, .logits = keep_row, .token = keep_token};
    s->record.n_vocab = (uint32_t)s->facts.n_vocab;
    s->record.rows = calloc((size_t)rows_max * s->record.n_vocab, sizeof *s->record.rows);
    assert_non_null(s->record.rows);
    return 0;
}

void session_start_with(struct session *s, const char *path, const struct session_options *options)
{
    struct tare_err err = {0};
    if (session_try(s, path, options, &err) < 0) {
        fail_msg("%s", err.msg);
    }
}

void session_start_zoo(struct session *s, const char *file)
{
    char path[512];
    fixture_zoo(file, path, sizeof path);
    session_start(s, path);
}

void session_stop(struct session *s)
{
    tare_plugin.unload(s->self);
    tare_plugin.close(s->self);
    free(s->self);
    free(s->record.rows);
}

int session_submit(struct session *s, const struct tare_request *request, struct tare_err *err)
{
    s->record.n_rows = 0;
    s->record.n_tokens = 0;
    s->record.n_text = 0;
    return tare_plugin.submit(s->self, request, &s->record.sink, err);
}

struct tare_request session_request(enum tare_request_kind kind, const int32_t *tokens, uint32_t n)
{
    return (struct tare_request){.size = sizeof(struct tare_request),
                                 .kind = kind,
                                 .id = 42,
                                 .tokens = tokens,
                                 .n_tokens = n,
                                 .first = 1};
}

void session_must(struct session *s, const struct tare_request *request)
{
    struct tare_err err = {0};
    if (session_submit(s, request, &err) < 0) {
        fail_msg("%s", err.msg);
    }
}
