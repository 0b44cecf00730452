/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `native` backend: the project's own reference engine for the Llama-style models of the zoo.
 *
 * Greedy and synchronous, float32 throughout. This file is the contract's side of it: options, the
 * checks of a request, the order of answers. What is computed lies in llama.c, what is read in model.c
 * and tokenizer.c. Other architectures, compressed storage and techniques are refused by name.
 */
#include "account.h"
#include "llama.h"
#include "model.h"
#include "tokenizer.h"

#include <cblas.h>
#include <limits.h>
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
    /* options end here */
    struct tare_tokenizer tokenizer;
    struct tare_model model;
    struct tare_llama llama;
    int32_t *cached;   /* ids whose keys and values the cache holds, by position */
    uint32_t n_cached; /* of n_ctx */
};

static const struct tare_opt options[] = {
    {.name = "threads",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct native, threads),
     .def = "1",
     .help = "threads of the matrix products",
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
     .help = "keep the keys and values of a prefix that a request shares with the one before it"},
    TARE_OPT_END,
};

static int native_open(void *self, struct tare_err *err)
{
    const struct native *n = self;
    openblas_set_num_threads((int)n->threads);
    int got = openblas_get_num_threads();
    if (got != n->threads) {
        return tare_err_set(
            err, TARE_E_ENVIRONMENT,
            "native: this OpenBLAS gives %d threads where %d were asked for; set threads to %d", got,
            (int)n->threads, got);
    }
    return 0;
}

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

/* Lets BLAS take its work memory and start its threads here rather than in the first request. */
static void warm_up(struct native *n)
{
    uint32_t count = n->model.config.n_ctx < WARM_TOKENS ? n->model.config.n_ctx : WARM_TOKENS;
    for (uint32_t i = 0; i < count; i++) {
        n->cached[i] = n->model.config.bos;
    }
    tare_llama_forward(&n->llama, n->cached, 0, count);
    (void)tare_llama_logits(&n->llama, 0, count);
    n->n_cached = 0;
}

static int check_load(const struct tare_load *load, struct tare_err *err)
{
    if (load->technique) {
        return tare_err_set(err, TARE_E_UNSUPPORTED,
                            "native: technique '%.100s' asked for, but this backend applies none",
                            load->technique);
    }
    if (!load->path) {
        return tare_err_set(err, TARE_E_USAGE, "native: no model given; name a .safetensors file of the zoo");
    }
    return 0;
}

static int native_load(void *self, const struct tare_load *load, struct tare_err *err)
{
    struct native *n = self;
    int rc = check_load(load, err);
    if (rc == 0) {
        rc = tare_model_load(&n->model, load->path, err);
    }
    if (rc == 0) {
        rc = load_tokenizer(n, load->path, err);
    }
    if (rc == 0) {
        rc = check_match(n, load->path, err);
    }
    if (rc == 0) {
        rc = tare_llama_open(&n->llama, &n->model, err);
    }
    if (rc < 0) {
        return rc;
    }
    n->cached = calloc(n->model.config.n_ctx, sizeof *n->cached);
    if (!n->cached) {
        return tare_err_set(err, TARE_E_NOMEM, "native: no memory for %u ids", n->model.config.n_ctx);
    }
    warm_up(n);
    return 0;
}

static int native_describe(void *self, struct tare_model_facts *out, struct tare_err *err)
{
    (void)err;
    const struct native *n = self;
    const struct tare_model *m = &n->model;
    (void)snprintf(out->arch, sizeof out->arch, "llama");
    (void)snprintf(out->name, sizeof out->name, "%s", m->config.name);
    (void)snprintf(out->dtype, sizeof out->dtype, "f16");
    (void)snprintf(out->tokenizer, sizeof out->tokenizer, "%s", n->tokenizer.sha);
    out->params_total = m->n_elements;
    out->params_active = m->n_elements;
    out->params_non_embedding = m->n_elements - m->embed_elements;
    out->params_non_zero = m->n_non_zero;
    out->params_trainable = m->n_elements;
    out->stored_bytes = m->stored_bytes;
    out->kv_bytes_per_token = tare_account_kv_bytes(&m->config);
    out->state_bytes = 0;
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

/* How many of the request's tokens are evaluated before any output. */
static uint32_t fed_tokens(const struct tare_request *r)
{
    return r->kind == TARE_REQUEST_SCORE ? r->n_tokens - 1 : r->n_tokens;
}

static int check_shape(const struct native *n, const struct tare_request *r, struct tare_err *err)
{
    if (r->kind != TARE_REQUEST_SCORE && r->kind != TARE_REQUEST_GENERATE && r->kind != TARE_REQUEST_LOGITS) {
        return tare_err_set(err, TARE_E_UNSUPPORTED, "native: unknown kind of request %d", (int)r->kind);
    }
    uint32_t last = fed_tokens(r);
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
    if (r->kind == TARE_REQUEST_GENERATE && !(r->temperature <= 0.0F)) {
        return tare_err_set(err, TARE_E_UNSUPPORTED, "native: generates greedily only; set temperature to 0");
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

/* Positions whose keys and values still hold. The hint is checked against the ids themselves, and
 * position `limit`, whose logits are wanted, has to be computed anyway. */
static uint32_t reusable(const struct native *n, const struct tare_request *r, uint32_t limit)
{
    uint32_t most = r->shared_prefix < n->n_cached ? r->shared_prefix : n->n_cached;
    most = most < limit ? most : limit;
    uint32_t same = 0;
    while (n->reuse_prefix && same < most && n->cached[same] == r->tokens[same]) {
        same++;
    }
    return same;
}

/* Evaluates the request's tokens; returns the logits of positions from .. fed-1. */
static const float *prefill(struct native *n, const struct tare_request *r, uint32_t from)
{
    uint32_t fed = fed_tokens(r);
    uint32_t start = reusable(n, r, from);
    tare_llama_forward(&n->llama, r->tokens + start, start, fed - start);
    memcpy(n->cached + start, r->tokens + start, (fed - start) * sizeof *n->cached);
    n->n_cached = fed;
    return tare_llama_logits(&n->llama, from - start, fed - from);
}

static void answer_rows(struct native *n, const struct tare_request *r, struct tare_sink *sink)
{
    uint32_t from = r->first - 1;
    uint32_t fed = fed_tokens(r);
    const float *row = prefill(n, r, from);
    for (uint32_t position = from; position < fed; position++, row += n->model.config.n_vocab) {
        sink->logits(sink, r->id, position, row);
    }
}

static int32_t most_probable(const float *row, uint32_t n_vocab)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < n_vocab; i++) {
        best = row[i] > row[best] ? i : best;
    }
    return (int32_t)best;
}

static void generate(struct native *n, const struct tare_request *r, struct tare_sink *sink)
{
    const float *row = prefill(n, r, r->n_tokens - 1);
    for (uint32_t made = 1; made <= r->max_output; made++) {
        int32_t id = most_probable(row, n->model.config.n_vocab);
        uint32_t n_bytes;
        const char *bytes = tare_tokenizer_bytes(&n->tokenizer, (uint32_t)id, &n_bytes);
        int stop = sink->token(sink, r->id, id, bytes, n_bytes);
        if (stop || made == r->max_output || n->n_cached == n->model.config.n_ctx) {
            return;
        }
        tare_llama_forward(&n->llama, &id, n->n_cached, 1);
        n->cached[n->n_cached++] = id;
        row = tare_llama_logits(&n->llama, 0, 1);
    }
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
    if (request->kind == TARE_REQUEST_GENERATE) {
        generate(n, request, sink);
    } else {
        answer_rows(n, request, sink);
    }
    return 0;
}

static int native_account(void *self, const struct tare_work *work, struct tare_cost *out,
                          struct tare_err *err)
{
    const struct native *n = self;
    return tare_account_count(&n->model, work, out, err);
}

static void native_unload(void *self)
{
    struct native *n = self;
    tare_llama_close(&n->llama);
    tare_model_close(&n->model);
    tare_tokenizer_close(&n->tokenizer);
    free(n->cached);
    n->cached = NULL;
    n->n_cached = 0;
}

TARE_EXPORT extern const struct tare_backend tare_plugin;

const struct tare_backend tare_plugin = {
    .header = TARE_BACKEND_HEADER,
    .name = "native",
    .summary = "the project's own engine for the Llama-style zoo models, float32 on OpenBLAS",
    .version = OPENBLAS_VERSION,
    .caps = TARE_CAP_SCORE | TARE_CAP_GENERATE | TARE_CAP_LOGITS | TARE_CAP_TOKENIZE,
    .priv_size = sizeof(struct native),
    .options = options,
    .open = native_open,
    .load = native_load,
    .describe = native_describe,
    .tokenize = native_tokenize,
    .submit = native_submit,
    .account = native_account,
    .account_convention = tare_account_convention,
    .unload = native_unload,
    .close = native_unload,
};
