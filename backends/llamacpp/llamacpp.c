/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `llamacpp` backend: GGUF models in libllama.
 *
 * Synchronous, one sequence. This file is the contract's side: order of hooks, checks of a request, the
 * table. It is built against one libllama and refuses another. Tokens are fed and logits taken; windows,
 * log-softmax and stop strings are the harness's, and libllama's samplers and chat templates are not used.
 */
#include "llamacpp.h"

#include <math.h>

static int llamacpp_probe(char *why, size_t n_why)
{
    struct tare_err err = {0};
    int rc = tare_llamacpp_start(&err);
    if (rc < 0) {
        (void)snprintf(why, n_why, "%s", err.msg);
    }
    return rc;
}

static int llamacpp_open(void *self, struct tare_err *err)
{
    (void)self;
    return tare_llamacpp_start(err);
}

static int llamacpp_load(void *self, const struct tare_load *load, struct tare_err *err)
{
    if (!load->path) {
        return tare_err_set(err, TARE_E_USAGE, "llamacpp: no model given; name a .gguf file");
    }
    return tare_llamacpp_load(self, load->path, err);
}

static int llamacpp_describe(void *self, struct tare_model_facts *out, struct tare_err *err)
{
    (void)err;
    tare_llamacpp_facts(self, out);
    return 0;
}

static int check_shape(const struct tare_llamacpp *n, const struct tare_request *r, struct tare_err *err)
{
    if (r->kind != TARE_REQUEST_SCORE && r->kind != TARE_REQUEST_GENERATE && r->kind != TARE_REQUEST_LOGITS) {
        return tare_err_set(err, TARE_E_UNSUPPORTED, "llamacpp: unknown kind of request %d", (int)r->kind);
    }
    uint32_t fed = r->n_tokens > 0 && r->kind == TARE_REQUEST_SCORE ? r->n_tokens - 1 : r->n_tokens;
    if (fed == 0 || !r->tokens) {
        return tare_err_set(err, TARE_E_USAGE, "llamacpp: a request of %u tokens leaves nothing to evaluate",
                            r->n_tokens);
    }
    if (fed > n->n_ctx) {
        return tare_err_set(err, TARE_E_LIMIT,
                            "llamacpp: %u tokens do not fit the context of %u; cut the input or set n_ctx",
                            fed, n->n_ctx);
    }
    if (r->kind != TARE_REQUEST_GENERATE && (r->first < 1 || r->first > fed)) {
        return tare_err_set(err, TARE_E_USAGE, "llamacpp: first answer %u is not in 1 to %u", r->first, fed);
    }
    if (r->kind == TARE_REQUEST_GENERATE && !isfinite(r->temperature)) {
        return tare_err_set(err, TARE_E_USAGE, "llamacpp: the temperature is not a number; 0 is greedy");
    }
    return 0;
}

static int check_ids(const struct tare_llamacpp *n, const struct tare_request *r, struct tare_err *err)
{
    for (uint32_t i = 0; i < r->n_tokens; i++) {
        if (r->tokens[i] < 0 || (uint32_t)r->tokens[i] >= n->n_vocab) {
            return tare_err_set(err, TARE_E_USAGE,
                                "llamacpp: token %u has the id %d outside the vocabulary of %u", i,
                                r->tokens[i], n->n_vocab);
        }
    }
    return 0;
}

static int llamacpp_submit(void *self, const struct tare_request *request, struct tare_sink *sink,
                           struct tare_err *err)
{
    struct tare_llamacpp *n = self;
    int rc = check_shape(n, request, err);
    rc = rc == 0 ? check_ids(n, request, err) : rc;
    if (rc < 0) {
        return rc;
    }
    return request->kind == TARE_REQUEST_GENERATE ? tare_llamacpp_generate(n, request, sink, err)
                                                  : tare_llamacpp_rows(n, request, sink, err);
}

static void llamacpp_unload(void *self)
{
    tare_llamacpp_unload(self);
}

TARE_EXPORT extern const struct tare_backend tare_plugin;

const struct tare_backend tare_plugin = {
    .header = TARE_BACKEND_HEADER,
    .name = "llamacpp",
    .summary = "models as GGUF in libllama (llama.cpp)",
    .version = TARE_LLAMA_VERSION,
    .caps = TARE_CAP_SCORE | TARE_CAP_GENERATE | TARE_CAP_LOGITS | TARE_CAP_TOKENIZE | TARE_CAP_SAMPLED,
    .priv_size = sizeof(struct tare_llamacpp),
    .options = tare_llamacpp_options,
    .probe = llamacpp_probe,
    .open = llamacpp_open,
    .load = llamacpp_load,
    .describe = llamacpp_describe,
    .tokenize = tare_llamacpp_tokenize,
    .submit = llamacpp_submit,
    .account = tare_llamacpp_account,
    .account_convention = tare_llamacpp_convention,
    .account_kind = TARE_KIND_MODELLED,
    .unload = llamacpp_unload,
    .close = llamacpp_unload,
    .readings = tare_llamacpp_readings,
};
