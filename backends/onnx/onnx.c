/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `onnx` backend: decoder models in ONNX files, run by ONNX Runtime.
 *
 * Synchronous. This file is the contract's side of it: the order of loading and the checks of a request. The
 * library is opened in api.c, set up in runtime.c; what a file asks for is read in graph.c, a sequence goes
 * through it in sequence.c, requests are answered in score.c and generate.c. No batching, no techniques.
 */
#include "onnx.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of the library, known when it has been opened. */
static char library_version[sizeof((struct tare_ort *)0)->version];

static int onnx_probe(char *why, size_t n_why)
{
    struct tare_ort ort;
    struct tare_err err = {0};
    int rc = tare_ort_open(&ort, NULL, &err);
    if (rc < 0) {
        (void)snprintf(why, n_why, "%s", err.msg);
        return rc;
    }
    memcpy(library_version, ort.version, sizeof library_version);
    return 0;
}

/* The library is opened here and not while loading, as one that is linked would be: what loading a model
 * takes does not depend on whether a probe has opened it before. */
static int onnx_open(void *self, struct tare_err *err)
{
    struct tare_onnx *o = self;
    int rc = tare_onnx_runtime_open(&o->runtime, o->library, err);
    if (rc < 0) {
        tare_onnx_runtime_close(&o->runtime);
        return rc;
    }
    memcpy(library_version, o->runtime.ort.version, sizeof library_version);
    return 0;
}

static int open_session(struct tare_onnx *o, const char *path, struct tare_err *err)
{
    o->choice.provider = o->provider ? o->provider : "cpu";
    o->choice.provider_options = o->provider_options;
    int rc = tare_onnx_runtime_load(&o->runtime, &o->choice, path, err);
    return rc == 0 ? tare_onnx_graph_read(&o->graph, &o->runtime.ort, o->runtime.session, o->runtime.standard,
                                          err)
                   : rc;
}

static int open_sequence(struct tare_onnx *o, const char *path, struct tare_err *err)
{
    struct tare_onnx_sequence *s = &o->sequence;
    int rc = tare_onnx_sequence_open(s, &o->runtime, &o->graph, (uint32_t)o->config.n_ctx, err);
    if (rc == 0) {
        s->reuse_prefix = o->reuse_prefix;
        rc = tare_onnx_sequence_warm(s, err);
    }
    if (rc == 0 && o->config.bos >= s->n_vocab) {
        rc = tare_err_set(err, TARE_E_FORMAT, "%.200s: begins sequences with id %lld, but has only %lld",
                          path, (long long)o->config.bos, (long long)s->n_vocab);
    }
    if (rc < 0) {
        return rc;
    }
    o->chances = calloc((size_t)s->n_vocab, sizeof *o->chances);
    return o->chances ? 0 : tare_err_set(err, TARE_E_NOMEM, "onnx: no memory for a row of chances");
}

static int onnx_load(void *self, const struct tare_load *load, struct tare_err *err)
{
    struct tare_onnx *o = self;
    if (!load->path) {
        return tare_err_set(err, TARE_E_USAGE, "onnx: no model given; name a .onnx file");
    }
    int rc = open_session(o, load->path, err);
    if (rc == 0) {
        rc = tare_onnx_find_tokenizer(o, load->path, err);
    }
    if (rc == 0) {
        rc = tare_onnx_configure(o, load->path, err);
    }
    if (rc == 0) {
        rc = open_sequence(o, load->path, err);
    }
    if (rc == 0) {
        rc = tare_onnx_match_tokenizer(o, load->path, err);
    }
    if (rc == 0) {
        o->stored_bytes = tare_onnx_stored_bytes(load->path);
    }
    return rc;
}

static int onnx_describe(void *self, struct tare_model_facts *out, struct tare_err *err)
{
    (void)err;
    tare_onnx_describe(self, out);
    return 0;
}

static int onnx_tokenize(void *self, const char *text, size_t n_text, int32_t *ids, uint32_t *ends,
                         size_t cap, size_t *out_n, struct tare_err *err)
{
    struct tare_onnx *o = self;
    return o->has_tokenizer
               ? tare_tokenizer_encode(&o->tokenizer, text, n_text, ids, ends, cap, out_n, err)
               : tare_err_set(err, TARE_E_UNSUPPORTED, "onnx: no tokenizer for text: %s", o->no_tokenizer);
}

/* Text is promised for models beside which the zoo's tokenizer lies. */
static int onnx_effective(void *self, struct tare_effective *out, struct tare_err *err)
{
    const struct tare_onnx *o = self;
    (void)err;
    if (!o->has_tokenizer) {
        out->lacks = TARE_CAP_TOKENIZE;
        (void)snprintf(out->why, sizeof out->why, "no tokenizer for text: %s", o->no_tokenizer);
    }
    return 0;
}

static int check_shape(const struct tare_onnx *o, const struct tare_request *r, struct tare_err *err)
{
    if (r->kind != TARE_REQUEST_SCORE && r->kind != TARE_REQUEST_GENERATE && r->kind != TARE_REQUEST_LOGITS) {
        return tare_err_set(err, TARE_E_UNSUPPORTED, "onnx: unknown kind of request %d", (int)r->kind);
    }
    uint32_t fed = r->n_tokens - (r->kind == TARE_REQUEST_SCORE && r->n_tokens > 0);
    if (fed == 0 || !r->tokens) {
        return tare_err_set(err, TARE_E_USAGE, "onnx: a request of %u tokens leaves nothing to evaluate",
                            r->n_tokens);
    }
    if (fed > o->sequence.n_ctx) {
        return tare_err_set(err, TARE_E_LIMIT, "onnx: %u tokens do not fit the context of %u; cut the input",
                            fed, o->sequence.n_ctx);
    }
    if (r->kind != TARE_REQUEST_GENERATE && (r->first < 1 || r->first > fed)) {
        return tare_err_set(err, TARE_E_USAGE, "onnx: first answer %u is not in 1 to %u", r->first, fed);
    }
    if (r->kind == TARE_REQUEST_GENERATE && !isfinite(r->temperature)) {
        return tare_err_set(err, TARE_E_USAGE, "onnx: the temperature is not a number; 0 is greedy");
    }
    return 0;
}

static int check_ids(const struct tare_onnx *o, const struct tare_request *r, struct tare_err *err)
{
    for (uint32_t i = 0; i < r->n_tokens; i++) {
        if (r->tokens[i] < 0 || r->tokens[i] >= o->sequence.n_vocab) {
            return tare_err_set(err, TARE_E_USAGE,
                                "onnx: token %u has the id %d outside the vocabulary of %lld", i,
                                r->tokens[i], (long long)o->sequence.n_vocab);
        }
    }
    return 0;
}

static int onnx_submit(void *self, const struct tare_request *request, struct tare_sink *sink,
                       struct tare_err *err)
{
    struct tare_onnx *o = self;
    int rc = check_shape(o, request, err);
    if (rc == 0) {
        rc = check_ids(o, request, err);
    }
    if (rc < 0) {
        return rc;
    }
    rc = request->kind == TARE_REQUEST_GENERATE ? tare_onnx_generate(o, request, sink, err)
                                                : tare_onnx_score(o, request, sink, err);
    return rc == TARE_E_UNSUPPORTED ? TARE_E_BACKEND : rc; /* a run that fails is no lack of the backend */
}

static void onnx_readings(void *self, int measured, struct tare_readings *to)
{
    struct tare_onnx *o = self;
    if (measured) {
        tare_onnx_readings(o, to);
    } else {
        o->sequence.most_tokens = 0;
        o->sequence.reused_tok = 0;
    }
}

static void onnx_unload(void *self)
{
    struct tare_onnx *o = self;
    tare_onnx_sequence_close(&o->sequence);
    tare_onnx_graph_close(&o->graph);
    tare_onnx_runtime_unload(&o->runtime);
    tare_tokenizer_close(&o->tokenizer);
    free(o->chances);
    o->chances = NULL;
    o->has_tokenizer = false;
}

static void onnx_close(void *self)
{
    struct tare_onnx *o = self;
    onnx_unload(o);
    tare_onnx_runtime_close(&o->runtime);
}

TARE_EXPORT extern const struct tare_backend tare_plugin;

const struct tare_backend tare_plugin = {
    .header = TARE_BACKEND_HEADER,
    .name = "onnx",
    .summary = "decoder models in ONNX files, run by ONNX Runtime, which is opened at run time",
    .version = library_version,
    .caps = TARE_CAP_SCORE | TARE_CAP_GENERATE | TARE_CAP_LOGITS | TARE_CAP_TOKENIZE | TARE_CAP_SAMPLED,
    .priv_size = sizeof(struct tare_onnx),
    .options = tare_onnx_options,
    .probe = onnx_probe,
    .open = onnx_open,
    .load = onnx_load,
    .describe = onnx_describe,
    .effective = onnx_effective,
    .tokenize = onnx_tokenize,
    .submit = onnx_submit,
    .unload = onnx_unload,
    .close = onnx_close,
    .readings = onnx_readings,
};
