/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `native` backend: the project's own reference engine for the models of the zoo.
 *
 * Synchronous. This file is the contract's side of it: options, the order of loading, the checks of a
 * request, the facts. What is computed lies in engine.c and arch/, how requests are answered in session.c
 * and decoding.c, how matrices are kept in storage/, what compresses them in technique/.
 */
#include "account.h"
#include "arch.h"
#include "readings.h"
#include "slowdown.h"
#include "technique.h"

#include <cblas.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <tare/backend.h>
#include <unistd.h>

#define WARM_TOKENS 32u

struct native {
    int64_t threads;
    char *tokenizer_path;
    bool reuse_prefix;
    int64_t block;
    double slowdown;
    /* options end here */
    struct tare_tokenizer tokenizer;
    struct tare_model model;
    struct tare_treatment treatment;
    struct tare_session session;
    struct tare_applied applied;
};

static const struct tare_opt options[] = {
    {.name = "threads",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct native, threads),
     .def = "1",
     .help = "threads of the engine",
     .min = 1,
     .max = 256},
    {.name = "tokenizer",
     .type = TARE_OPT_STR,
     .offset = offsetof(struct native, tokenizer_path),
     .help = "tokenizer.json; by default beside the model, else in ../data/ of the model's folder"},
    {.name = "reuse_prefix",
     .type = TARE_OPT_BOOL,
     .offset = offsetof(struct native, reuse_prefix),
     .def = "yes",
     .help = "keep the state of a prefix that a request shares with the one before it"},
    {.name = "block",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct native, block),
     .def = "0",
     .help = "tokens that go through a layer together: 1 is the recurrent form, a whole context the "
             "parallel one, between them the chunkwise one; 0: the architecture's own",
     .unit = "tok",
     .min = 0,
     .max = 65536},
    {.name = "slowdown",
     .type = TARE_OPT_F64,
     .offset = offsetof(struct native, slowdown),
     .def = "0",
     .help =
         "for testing gates alone: spin this share of the time of each token behind it; 0.05: 5 % slower"},
    TARE_OPT_END,
};

/* Joins the folder of the model and a name below it. */
static int beside_model(const char *model_path, const char *name, char *out, size_t cap)
{
    const char *slash = strrchr(model_path, '/');
    int folder = slash ? (int)(slash - model_path) + 1 : 0;
    int n = snprintf(out, cap, "%.*s%s", folder, model_path, name);
    return n < 0 || (size_t)n >= cap ? -1 : 0;
}

static int find_tokenizer(const char *model_path, char *out, size_t cap, struct tare_err *err)
{
    static const char *const places[] = {"tokenizer.json", "../data/tokenizer.json"};
    if (strlen(model_path) + 64 > cap) {
        return tare_err_set(err, TARE_E_USAGE, "native: the path of the model is too long");
    }
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (beside_model(model_path, places[i], out, cap) == 0 && access(out, R_OK) == 0) {
            return 0;
        }
    }
    return tare_err_set(err, TARE_E_IO,
                        "%.300s: no tokenizer.json beside it and none in ../data/; name one with the option "
                        "'tokenizer'",
                        model_path);
}

static int load_tokenizer(struct native *n, const char *model_path, struct tare_err *err)
{
    char found[PATH_MAX];
    const char *path = n->tokenizer_path;
    if (!path) {
        int rc = find_tokenizer(model_path, found, sizeof found, err);
        if (rc < 0) {
            return rc;
        }
        path = found;
    }
    return tare_tokenizer_load(&n->tokenizer, path, err);
}

/* The two files have to belong together, or every id would mean something else. */
static int check_match(const struct native *n, const char *path, struct tare_err *err)
{
    const struct tare_model_config *c = &n->model.config;
    if (strcmp(c->tokenizer_sha, n->tokenizer.sha) != 0) {
        return tare_err_set(
            err, TARE_E_FORMAT,
            "%.200s: made for tokenizer %s, but the tokenizer found is %s; name the right one "
            "with the option 'tokenizer'",
            path, c->tokenizer_sha, n->tokenizer.sha);
    }
    if (c->n_vocab != n->tokenizer.n_vocab || c->bos != n->tokenizer.bos) {
        return tare_err_set(err, TARE_E_FORMAT, "%.200s: has %u ids and BOS %d, its tokenizer has %u and %d",
                            path, c->n_vocab, c->bos, n->tokenizer.n_vocab, n->tokenizer.bos);
    }
    return 0;
}

/* Lets BLAS take its work memory and the threads start here rather than in the first request. */
static void warm_up(struct native *n)
{
    int32_t ids[WARM_TOKENS];
    uint32_t count = n->model.config.n_ctx < WARM_TOKENS ? n->model.config.n_ctx : WARM_TOKENS;
    for (uint32_t i = 0; i < count; i++) {
        ids[i] = n->model.config.bos;
    }
    (void)tare_session_prefill(&n->session, ids, count, 0, 0);
    tare_session_forget(&n->session);
    n->session.most_tokens = 0;
}

static int apply_technique(struct native *n, const struct tare_load *load, struct tare_err *err)
{
    memset(&n->applied, 0, sizeof n->applied);
    n->treatment = (struct tare_treatment){.model = &n->model,
                                           .tokenizer = &n->tokenizer,
                                           .model_path = load->path,
                                           .threads = (uint32_t)n->threads,
                                           .decoding = &tare_decoding_plain};
    if (!load->technique) {
        return 0;
    }
    tare_applied_begin(&n->applied);
    int rc = tare_technique_apply(load->technique, &n->treatment, err);
    tare_applied_end(&n->applied, n->treatment.calibration_tok);
    return rc;
}

static int open_session(struct native *n, struct tare_err *err)
{
    const struct tare_engine_options how = {.threads = (uint32_t)n->threads, .block = (uint32_t)n->block};
    int rc = tare_session_open(&n->session, &n->model, &n->tokenizer, &how, err);
    if (rc < 0) {
        return rc;
    }
    n->session.reuse_prefix = n->reuse_prefix;
    if (n->treatment.decoding->open) {
        rc = n->treatment.decoding->open(n->treatment.decoding_self, &n->session, err);
    }
    return rc;
}

static int native_load(void *self, const struct tare_load *load, struct tare_err *err)
{
    struct native *n = self;
    if (!load->path) {
        return tare_err_set(err, TARE_E_USAGE, "native: no model given; name a .safetensors file of the zoo");
    }
    int rc = tare_model_load(&n->model, load->path, err);
    if (rc == 0) {
        rc = tare_model_check_finite(&n->model, load->path, TARE_E_FORMAT, err);
    }
    if (rc == 0) {
        rc = load_tokenizer(n, load->path, err);
    }
    if (rc == 0) {
        rc = check_match(n, load->path, err);
    }
    if (rc == 0) {
        rc = apply_technique(n, load, err);
    }
    if (rc == 0) {
        rc = open_session(n, err);
    }
    if (rc == 0) {
        warm_up(n);
    }
    return rc;
}

/* The first matrix behind the embedding whose layer has not been taken out. */
static const struct tare_linear *typical_of(const struct tare_model *m)
{
    size_t i = 1;
    while (i < m->n_linears && !m->linears[i].storage) {
        i++;
    }
    return i < m->n_linears ? &m->linears[i] : &m->linears[0];
}

static int native_describe(void *self, struct tare_model_facts *out, struct tare_err *err)
{
    (void)err;
    const struct native *n = self;
    const struct tare_model *m = &n->model;
    const struct tare_linear *typical = typical_of(m);
    struct tare_linear_facts all;
    struct tare_linear_facts embed;
    tare_model_facts(m, &all);
    m->linears[0].storage->facts(&m->linears[0], &embed);
    int64_t derived = m->arch->derived_params ? m->arch->derived_params(&m->config) : 0;
    (void)snprintf(out->arch, sizeof out->arch, "%s", m->arch->name);
    (void)snprintf(out->name, sizeof out->name, "%s", m->config.name);
    (void)snprintf(out->dtype, sizeof out->dtype, "%s", typical->storage->name);
    (void)snprintf(out->tokenizer, sizeof out->tokenizer, "%s", n->tokenizer.sha);
    out->params_total = all.params + derived;
    out->params_active = all.params + derived;
    out->params_non_embedding = all.params + derived - embed.params;
    out->params_non_zero = all.non_zero;
    out->params_trainable = all.params + derived;
    out->stored_bytes = all.stored_bytes;
    out->state_bytes = tare_account_state_bytes(m, 0);
    out->kv_bytes_per_token = tare_account_state_bytes(m, 1) - out->state_bytes;
    bool plain = n->treatment.decoding == &tare_decoding_plain;
    if (!plain) {
        out->stored_bytes = TARE_UNKNOWN; /* a draft model or exit maps come on top; they are readings */
    }
    if (!plain || m->kv.window > 0) {
        out->kv_bytes_per_token = TARE_UNKNOWN; /* not every token adds a row; state_bytes_max tells */
    }
    out->n_ctx = m->config.n_ctx;
    out->n_vocab = m->config.n_vocab;
    out->bos = m->config.bos;
    return 0;
}

static int native_tokenize(void *self, const char *text, size_t n_text, int32_t *ids, uint32_t *ends,
                           size_t cap, size_t *out_n, struct tare_err *err)
{
    struct native *n = self;
    return tare_tokenizer_encode(&n->tokenizer, text, n_text, ids, ends, cap, out_n, err);
}

static int check_shape(const struct native *n, const struct tare_request *r, struct tare_err *err)
{
    if (r->kind != TARE_REQUEST_SCORE && r->kind != TARE_REQUEST_GENERATE && r->kind != TARE_REQUEST_LOGITS) {
        return tare_err_set(err, TARE_E_UNSUPPORTED, "native: unknown kind of request %d", (int)r->kind);
    }
    uint32_t last = tare_session_fed_tokens(r);
    if (r->n_tokens == 0 || last == 0 || !r->tokens) {
        return tare_err_set(err, TARE_E_USAGE, "native: a request of %u tokens leaves nothing to evaluate",
                            r->n_tokens);
    }
    if (last > n->model.config.n_ctx) {
        return tare_err_set(err, TARE_E_LIMIT,
                            "native: %u tokens do not fit the context of %u; cut the input", last,
                            n->model.config.n_ctx);
    }
    if (r->kind != TARE_REQUEST_GENERATE && (r->first < 1 || r->first > last)) {
        return tare_err_set(err, TARE_E_USAGE, "native: first answer %u is not in 1 to %u", r->first, last);
    }
    if (r->kind == TARE_REQUEST_GENERATE && !isfinite(r->temperature)) {
        return tare_err_set(err, TARE_E_USAGE, "native: the temperature is not a number; 0 is greedy");
    }
    return 0;
}

static int check_ids(const struct native *n, const struct tare_request *r, struct tare_err *err)
{
    for (uint32_t i = 0; i < r->n_tokens; i++) {
        if (r->tokens[i] < 0 || (uint32_t)r->tokens[i] >= n->model.config.n_vocab) {
            return tare_err_set(err, TARE_E_USAGE,
                                "native: token %u has the id %d outside the vocabulary of %u", i,
                                r->tokens[i], n->model.config.n_vocab);
        }
    }
    return 0;
}

static int native_submit(void *self, const struct tare_request *request, struct tare_sink *sink,
                         struct tare_err *err)
{
    struct native *n = self;
    int rc = check_shape(n, request, err);
    if (rc == 0) {
        rc = check_ids(n, request, err);
    }
    if (rc < 0) {
        return rc;
    }
    const struct tare_treatment *t = &n->treatment;
    struct tare_slow_sink slow;
    struct tare_sink *harness = sink;
    if (n->slowdown > 0) {
        tare_slow_begin(&slow, harness, n->slowdown);
        sink = &slow.sink;
    }
    if (request->kind == TARE_REQUEST_GENERATE) {
        t->decoding->generate(t->decoding_self, &n->session, request, sink);
    } else {
        t->decoding->rows(t->decoding_self, &n->session, request, sink);
        if (sink != harness) {
            tare_slow_spin(&slow);
        }
    }
    return 0;
}

static int native_account(void *self, const struct tare_work *work, struct tare_cost *out,
                          struct tare_err *err)
{
    const struct native *n = self;
    if (n->treatment.decoding != &tare_decoding_plain) {
        /* What a dynamic way of decoding computes depends on the text: it counts, and reports it itself. */
        *out = (struct tare_cost){TARE_UNKNOWN, TARE_UNKNOWN, TARE_UNKNOWN, TARE_UNKNOWN};
        return 0;
    }
    return tare_account_count(&n->model, work, out, err);
}

static void native_readings(void *self, int measured, struct tare_readings *to)
{
    struct native *n = self;
    const struct tare_treatment *t = &n->treatment;
    if (!measured) {
        tare_readings_of_load(to, &n->applied, &n->model);
        n->session.most_tokens = 0;
        if (t->decoding->reset) {
            t->decoding->reset(t->decoding_self);
        }
        return;
    }
    tare_readings_of_session(to, &n->session);
    if (t->decoding->readings) {
        t->decoding->readings(t->decoding_self, to);
    }
}

static void native_unload(void *self)
{
    struct native *n = self;
    if (n->treatment.decoding && n->treatment.decoding->close) {
        n->treatment.decoding->close(n->treatment.decoding_self);
    }
    tare_session_close(&n->session);
    tare_model_close(&n->model);
    tare_tokenizer_close(&n->tokenizer);
    memset(&n->treatment, 0, sizeof n->treatment);
}

TARE_EXPORT extern const struct tare_backend tare_plugin;

const struct tare_backend tare_plugin = {
    .header = TARE_BACKEND_HEADER,
    .name = "native",
    .summary = "the project's own engine: five architectures of the zoo and compression techniques",
    .version = OPENBLAS_VERSION,
    .caps = TARE_CAP_SCORE | TARE_CAP_GENERATE | TARE_CAP_LOGITS | TARE_CAP_TOKENIZE | TARE_CAP_TECHNIQUE |
            TARE_CAP_SAMPLED,
    .priv_size = sizeof(struct native),
    .options = options,
    .load = native_load,
    .describe = native_describe,
    .tokenize = native_tokenize,
    .submit = native_submit,
    .account = native_account,
    .account_convention = tare_account_convention,
    .unload = native_unload,
    .close = native_unload,
    .readings = native_readings,
};
