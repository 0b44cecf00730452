/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests with a shorter context. The last selection is kept, so that further continuations of one context
 * are neither rated again nor fed again.
 */
#include "prompt.h"

#include "arch.h"
#include "readings.h"
#include "prompt_select.h"

#include <stdlib.h>
#include <string.h>

int tare_prompt_create(struct tare_prompt **out, const struct tare_prompt_options *how,
                       struct tare_model *draft, struct tare_err *err)
{
    struct tare_prompt *p = calloc(1, sizeof *p);
    if (!p) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for pruning of prompts");
    }
    p->how = *how;
    if (draft) {
        p->has_draft = true;
        p->draft_model = *draft;
        memset(draft, 0, sizeof *draft);
    }
    *out = p;
    return 0;
}

static void close_all(void *self)
{
    struct tare_prompt *p = self;
    if (!p) {
        return;
    }
    tare_session_close(&p->draft);
    tare_model_close(&p->draft_model);
    tare_flops_close(&p->work);
    tare_flops_close(&p->scorer_work);
    free(p->received);
    free(p->score);
    free(p->order);
    free(p->whole);
    free(p->ids);
    free(p);
}

static int take_memory(struct tare_prompt *p, uint32_t n_ctx, struct tare_err *err)
{
    size_t n = (size_t)n_ctx + 1;
    p->received = calloc(n, sizeof *p->received);
    p->score = calloc(n, sizeof *p->score);
    p->order = calloc(n, sizeof *p->order);
    p->whole = calloc(n, sizeof *p->whole);
    p->ids = calloc(n, sizeof *p->ids);
    if (!p->received || !p->score || !p->order || !p->whole || !p->ids) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for the scores of %u tokens", n_ctx);
    }
    return 0;
}

static int open_draft(struct tare_prompt *p, const struct tare_session *session, struct tare_err *err)
{
    const struct tare_engine_options how = {.threads = tare_pool_threads(session->engine.exec.pool),
                                            .pool = session->engine.exec.pool};
    if (!p->has_draft) {
        return 0;
    }
    if (p->draft_model.config.n_ctx < session->engine.model->config.n_ctx) {
        return tare_err_set(
            err, TARE_E_UNSUPPORTED,
            "the draft model %s has a context of %u tokens, the model one of %u; it could not "
            "rate every prompt",
            p->draft_model.config.name, p->draft_model.config.n_ctx, session->engine.model->config.n_ctx);
    }
    return tare_session_open(&p->draft, &p->draft_model, session->tokenizer, &how, err);
}

/* Asked here, when all techniques have been applied. */
static int check_attention(const struct tare_prompt *p, const struct tare_model *scorer, struct tare_err *err)
{
    if (p->how.score != tare_prompt_attention) {
        return 0;
    }
    if (!scorer->arch->keeps_kv || scorer->kv.window > 0) {
        return tare_err_set(err, TARE_E_UNSUPPORTED, "score=attention needs keys of every token; %s",
                            scorer->arch->keeps_kv ? "a window forgets them" : "this architecture has none");
    }
    if (p->how.layer > scorer->config.n_layers) {
        return tare_err_set(err, TARE_E_USAGE, "score=attention: layer=%u, but %s has %u", p->how.layer,
                            scorer->config.name, scorer->config.n_layers);
    }
    return 0;
}

static int open_all(void *self, struct tare_session *session, struct tare_err *err)
{
    struct tare_prompt *p = self;
    const struct tare_model *m = session->engine.model;
    int rc = check_attention(p, p->has_draft ? &p->draft_model : m, err);
    if (rc == 0) {
        rc = open_draft(p, session, err);
    }
    if (rc == 0) {
        rc = tare_flops_open(&p->work, m, err);
    }
    if (rc == 0) {
        rc = tare_flops_open(&p->scorer_work, p->has_draft ? &p->draft_model : m, err);
    }
    if (rc == 0) {
        rc = take_memory(p, m->config.n_ctx, err);
    }
    return rc;
}

/* Makes ids[0 .. n_kept) what is left of a context of n tokens. */
static void cut_down(struct tare_prompt *p, struct tare_session *session, const int32_t *tokens, uint32_t n,
                     uint32_t shared_prefix)
{
    uint32_t wanted = tare_prompt_wanted(&p->how, n);
    size_t bytes = n * sizeof *tokens;
    p->counts.in += n;
    p->counts.kept += wanted;
    if (session->reuse_prefix && shared_prefix >= n && p->n_whole == n &&
        memcmp(p->whole, tokens, bytes) == 0) {
        return;
    }
    if (wanted < n) {
        tare_prompt_rate(p, p->has_draft ? &p->draft : session, tokens, n);
    }
    tare_prompt_choose(p, tokens, n, wanted);
    memcpy(p->whole, tokens, bytes);
    p->n_whole = n;
    p->n_kept = wanted;
}

/* Work of the model itself on n tokens, `heads` of them with logits. */
static int64_t work_of(const struct tare_prompt *p, uint32_t n, uint32_t heads)
{
    return tare_flops_rows(&p->work, 0, n) + heads * p->work.head;
}

static void rows(void *self, struct tare_session *session, const struct tare_request *request,
                 struct tare_sink *sink)
{
    struct tare_prompt *p = self;
    uint32_t first = request->first;
    uint32_t n_answers = tare_session_fed_tokens(request) - first + 1;
    cut_down(p, session, request->tokens, first, request->shared_prefix);
    uint32_t n = p->n_kept + n_answers - 1;
    memcpy(p->ids + p->n_kept, request->tokens + first, (n_answers - 1) * sizeof *p->ids);
    const float *row = tare_session_prefill(session, p->ids, n, p->n_kept - 1, request->shared_prefix);
    for (uint32_t i = 0; i < n_answers; i++, row += session->engine.model->config.n_vocab) {
        sink->logits(sink, request->id, first - 1 + i, row);
    }
    p->counts.executed_flops += work_of(p, n, n_answers);
    p->counts.dense_flops += work_of(p, first + n_answers - 1, n_answers);
}

/* A sink in front of another that counts what goes through. */
struct counter {
    struct tare_sink sink;
    struct tare_sink *to;
    uint32_t n;
};

static int count_token(struct tare_sink *sink, uint64_t id, int32_t token, const char *bytes,
                       uint32_t n_bytes)
{
    struct counter *c = (struct counter *)sink;
    c->n++;
    return c->to->token(c->to, id, token, bytes, n_bytes);
}

static void generate(void *self, struct tare_session *session, const struct tare_request *request,
                     struct tare_sink *sink)
{
    struct tare_prompt *p = self;
    struct counter counter = {.sink = {.size = sizeof counter.sink, .token = count_token}, .to = sink};
    struct tare_request shorter = *request;
    cut_down(p, session, request->tokens, request->n_tokens, request->shared_prefix);
    shorter.tokens = p->ids;
    shorter.n_tokens = p->n_kept;
    tare_decoding_plain.generate(NULL, session, &shorter, &counter.sink);
    uint32_t steps = counter.n > 0 ? counter.n - 1 : 0;
    p->counts.executed_flops += work_of(p, p->n_kept + steps, counter.n);
    p->counts.dense_flops += work_of(p, request->n_tokens + steps, counter.n);
}

static void reset(void *self)
{
    struct tare_prompt *p = self;
    memset(&p->counts, 0, sizeof p->counts);
}

static void readings(void *self, struct tare_readings *to)
{
    const struct tare_prompt_counts *c = &((const struct tare_prompt *)self)->counts;
    const enum tare_kind kind = TARE_KIND_COUNTED;
    tare_reading_put(to, kind, "prompt_tok_in", "tok", "context tokens of all requests", (double)c->in);
    tare_reading_put(to, kind, "kept_tok", "tok", "context tokens that the model read", (double)c->kept);
    tare_reading_ratio(to, kind, "prompt_compression", "x", "prompt_tok_in / kept_tok", (double)c->in,
                       (double)c->kept, "there was no context");
    tare_reading_put(to, kind, "scoring_flops", "FLOP",
                     "rating of tokens, once for a context and its continuations", (double)c->scoring_flops);
    tare_reading_put(to, kind, "executed_flops", "FLOP",
                     "rating, and the model on what was left; prompts as if never reused",
                     (double)(c->executed_flops + c->scoring_flops));
    tare_reading_put(to, kind, "dense_flops", "FLOP", "the model on whole prompts", (double)c->dense_flops);
}

const struct tare_decoding tare_decoding_prompt = {
    .name = "prompt",
    .rows = rows,
    .generate = generate,
    .open = open_all,
    .readings = readings,
    .reset = reset,
    .close = close_all,
};
