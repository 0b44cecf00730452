/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop of proposing, judging and taking back. The target always holds all of the sequence but the last
 * token; the draft may lag one behind, when all of its proposals were accepted, and catches up with its next
 * step. Scoring is not concerned: it is answered plainly.
 */
#include "speculative.h"

#include "speculative_readings.h"

#include <stdlib.h>
#include <string.h>

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

bool tare_speculative_accepts(double p, double q, double u)
{
    return u * q < p;
}

int tare_speculative_create(struct tare_speculative **out, uint32_t gamma, struct tare_model *draft,
                            struct tare_err *err)
{
    struct tare_speculative *s = calloc(1, sizeof *s);
    if (!s) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for speculative decoding");
    }
    s->gamma = gamma;
    s->accept = tare_speculative_accepts;
    s->draft_model = *draft;
    memset(draft, 0, sizeof *draft);
    *out = s;
    return 0;
}

static void close_all(void *self)
{
    struct tare_speculative *s = self;
    if (!s) {
        return;
    }
    tare_rewind_close(&s->draft_rewind);
    tare_rewind_close(&s->target_rewind);
    tare_flops_close(&s->draft_work);
    tare_flops_close(&s->target_work);
    tare_session_close(&s->draft);
    tare_model_close(&s->draft_model);
    free(s->ids);
    free(s->q);
    free(s->p);
    free(s);
}

static int take_memory(struct tare_speculative *s, const struct tare_model_config *target,
                       struct tare_err *err)
{
    s->ids = calloc((size_t)target->n_ctx + s->gamma + 2, sizeof *s->ids);
    s->q = calloc((size_t)s->gamma * target->n_vocab, sizeof *s->q);
    s->p = calloc(target->n_vocab, sizeof *s->p);
    if (!s->ids || !s->q || !s->p) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for %u proposals", s->gamma);
    }
    return 0;
}

static int open_all(void *self, struct tare_session *session, struct tare_err *err)
{
    struct tare_speculative *s = self;
    const struct tare_engine_options how = {.threads = tare_pool_threads(session->engine.exec.pool),
                                            .pool = session->engine.exec.pool};
    int rc = tare_session_open(&s->draft, &s->draft_model, session->tokenizer, &how, err);
    if (rc == 0) {
        s->draft.reuse_prefix = session->reuse_prefix;
        rc = tare_rewind_open(&s->draft_rewind, &s->draft.engine, s->gamma, err);
    }
    if (rc == 0) {
        rc = tare_rewind_open(&s->target_rewind, &session->engine, 1, err);
    }
    if (rc == 0) {
        rc = tare_flops_open(&s->draft_work, &s->draft_model, err);
    }
    if (rc == 0) {
        rc = tare_flops_open(&s->target_work, session->engine.model, err);
    }
    if (rc == 0) {
        rc = take_memory(s, &session->engine.model->config, err);
    }
    s->target = session;
    return rc;
}

/* The draft is fed what it has not seen of the sequence; returns the logits behind the last of it. */
static const float *draft_row(struct tare_speculative *s, uint32_t n_ids)
{
    struct tare_engine *e = &s->draft.engine;
    uint32_t held = e->n_tokens;
    uint32_t n = n_ids - held;
    s->counts.executed_flops += tare_flops_rows(&s->draft_work, held, n) + s->draft_work.head;
    tare_stopwatch_begin(&s->draft_step);
    tare_session_append(&s->draft, s->ids + held, n);
    const float *row = tare_engine_logits(e, n - 1, 1);
    tare_stopwatch_end(&s->draft_step);
    return row;
}

/* Writes g proposals behind the sequence, and their laws into q. */
static void propose(struct tare_speculative *s, uint32_t g)
{
    uint32_t n_vocab = s->draft_model.config.n_vocab;
    tare_rewind_begin(&s->draft_rewind);
    for (uint32_t i = 0; i < g; i++) {
        const float *row = draft_row(s, s->n_ids + i);
        double *q = s->q + (size_t)i * n_vocab;
        tare_rewind_mark(&s->draft_rewind);
        tare_sample_probabilities(q, row, n_vocab, s->temperature);
        double u = s->temperature > 0 ? tare_rng_unit(&s->rng) : 0;
        s->ids[s->n_ids + i] = tare_sample_pick(q, n_vocab, u);
    }
    s->counts.drafted += g;
}

/* The rows behind the last token of the sequence and each of g proposals. */
static const float *verify(struct tare_speculative *s, struct tare_session *target, uint32_t g)
{
    uint32_t held = target->engine.n_tokens;
    tare_rewind_begin(&s->target_rewind);
    tare_rewind_mark(&s->target_rewind);
    tare_stopwatch_begin(&s->target_pass);
    tare_session_append(target, s->ids + held, g + 1);
    const float *rows = tare_engine_logits(&target->engine, 0, g + 1);
    if (g == s->gamma) {
        tare_stopwatch_end(&s->target_pass);
    }
    s->counts.executed_flops += tare_flops_rows(&s->target_work, held, g + 1) + (g + 1) * s->target_work.head;
    return rows;
}

/* How many of g proposals stand; the token behind them goes into *next. */
static uint32_t judge(struct tare_speculative *s, const float *rows, uint32_t g, int32_t *next)
{
    uint32_t n_vocab = s->draft_model.config.n_vocab;
    bool sampled = s->temperature > 0;
    uint32_t k = 0;
    bool stands = true;
    while (k < g && stands) {
        const double *q = s->q + (size_t)k * n_vocab;
        int32_t id = s->ids[s->n_ids + k];
        tare_sample_probabilities(s->p, rows + (size_t)k * n_vocab, n_vocab, s->temperature);
        s->counts.tested++;
        s->counts.overlap += tare_sample_overlap(s->p, q, n_vocab);
        stands = s->accept(s->p[id], q[id], sampled ? tare_rng_unit(&s->rng) : 0);
        if (stands) {
            k++;
        } else {
            tare_sample_residual(s->p, q, n_vocab);
        }
    }
    if (stands) {
        tare_sample_probabilities(s->p, rows + (size_t)g * n_vocab, n_vocab, s->temperature);
    }
    s->counts.accepted += k;
    *next = tare_sample_pick(s->p, n_vocab, sampled ? tare_rng_unit(&s->rng) : 0);
    return k;
}

/* Both models forget what was refused; a target that cannot be cut reads again what stands. */
static void take_back(struct tare_speculative *s, struct tare_session *target, uint32_t n)
{
    uint32_t held = target->engine.n_tokens;
    tare_rewind_to(&s->draft_rewind, n);
    tare_rewind_to(&s->target_rewind, n);
    uint32_t left = target->engine.n_tokens;
    if (held > n && left < n) {
        s->counts.executed_flops += tare_flops_rows(&s->target_work, left, n - left);
        tare_session_append(target, s->ids + left, n - left);
    }
}

/* One pass; gives its tokens to the sink. Non-zero: stop. */
static int pass(struct tare_speculative *s, struct tare_session *target, const struct tare_request *request,
                struct tare_sink *sink, uint32_t g)
{
    int32_t next;
    propose(s, g);
    const float *rows = verify(s, target, g);
    uint32_t k = judge(s, rows, g, &next);
    uint32_t given = 0;
    int stop = 0;
    s->ids[s->n_ids + k] = next;
    while (given <= k && !stop) {
        stop = tare_session_give(target, request, sink, s->ids[s->n_ids + given]);
        given++;
    }
    if (g == s->gamma) {
        s->counts.depths += s->n_ids;
        s->counts.passes++;
        s->counts.passed_tok += k + 1;
    }
    s->counts.dense_flops +=
        tare_flops_rows(&s->target_work, s->n_ids - 1, given) + given * s->target_work.head;
    take_back(s, target, s->n_ids + k);
    s->n_ids += k + 1;
    return stop;
}

/* The draft reads what of the prompt it has room for. */
static void begin_draft(struct tare_speculative *s, const struct tare_request *request)
{
    uint32_t n = least(request->n_tokens, s->draft_model.config.n_ctx);
    tare_session_hold(&s->draft, s->ids, n, request->shared_prefix);
    s->counts.executed_flops += tare_flops_rows(&s->draft_work, 0, n);
}

/* Both models read the prompt before the first token, which is the target's own, is given. */
static int begin(struct tare_speculative *s, struct tare_session *target, const struct tare_request *request,
                 struct tare_sink *sink)
{
    uint32_t n = request->n_tokens;
    uint32_t n_vocab = s->draft_model.config.n_vocab;
    tare_rng_init(&s->rng, request->seed);
    s->temperature = (double)request->temperature;
    memcpy(s->ids, request->tokens, n * sizeof *s->ids);
    const float *row = tare_session_prefill(target, s->ids, n, n - 1, request->shared_prefix);
    s->ids[n] = tare_sample_draw(s->p, row, n_vocab, s->temperature, &s->rng);
    s->n_ids = n + 1;
    int64_t flops = tare_flops_rows(&s->target_work, 0, n) + s->target_work.head;
    s->counts.dense_flops += flops;
    s->counts.executed_flops += flops;
    if (request->max_output > 1) {
        begin_draft(s, request);
    }
    return tare_session_give(target, request, sink, s->ids[n]);
}

static void generate(void *self, struct tare_session *session, const struct tare_request *request,
                     struct tare_sink *sink)
{
    struct tare_speculative *s = self;
    uint32_t target_ctx = session->engine.model->config.n_ctx;
    uint32_t draft_ctx = s->draft_model.config.n_ctx;
    uint32_t n_prompt = request->n_tokens;
    if (request->max_output == 0 || begin(s, session, request, sink) || request->max_output == 1) {
        return;
    }
    int stop = 0;
    while (!stop && s->n_ids - n_prompt < request->max_output && !tare_session_full(session)) {
        uint32_t left = request->max_output - (s->n_ids - n_prompt);
        uint32_t g = least(least(s->gamma, left - 1), target_ctx - s->n_ids);
        g = least(g, draft_ctx < s->n_ids ? 0 : draft_ctx - s->n_ids + 1);
        stop = pass(s, session, request, sink, g);
    }
}

static void rows(void *self, struct tare_session *session, const struct tare_request *request,
                 struct tare_sink *sink)
{
    (void)self;
    tare_decoding_plain.rows(NULL, session, request, sink);
}

static void reset(void *self)
{
    struct tare_speculative *s = self;
    memset(&s->counts, 0, sizeof s->counts);
    s->draft_step.n = 0;
    s->target_pass.n = 0;
    s->draft.most_tokens = 0;
}

static void readings(void *self, struct tare_readings *to)
{
    tare_speculative_tell(self, to);
}

const struct tare_decoding tare_decoding_speculative = {
    .name = "speculative",
    .rows = rows,
    .generate = generate,
    .open = open_all,
    .readings = readings,
    .reset = reset,
    .close = close_all,
};
