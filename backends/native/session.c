/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reuse of a shared prefix. Where a state can be cut back (a cache of keys and values), the common part
 * of the ids is kept. Elsewhere the state at the first answer of a request is saved, so that the next
 * continuation of the same context starts there.
 */
#include "session.h"

#include <stdlib.h>
#include <string.h>

int tare_session_open(struct tare_session *session, const struct tare_model *model,
                      const struct tare_tokenizer *tokenizer, const struct tare_engine_options *options,
                      struct tare_err *err)
{
    struct tare_session made = {.tokenizer = tokenizer, .reuse_prefix = true};
    uint32_t n_ctx = model->config.n_ctx;
    int rc = tare_engine_open(&made.engine, model, options, err);
    if (rc < 0) {
        return rc;
    }
    made.fed = calloc(n_ctx, sizeof *made.fed);
    made.kept_ids = calloc(n_ctx, sizeof *made.kept_ids);
    made.kept =
        tare_engine_cuts(&made.engine) ? NULL : calloc(1, tare_engine_state_bytes(&made.engine, n_ctx) + 1);
    made.chances = calloc(model->config.n_vocab, sizeof *made.chances);
    if (!made.fed || !made.kept_ids || !made.chances || (!made.kept && !tare_engine_cuts(&made.engine))) {
        tare_session_close(&made);
        return tare_err_set(err, TARE_E_NOMEM, "no memory for the ids and the saved state of %u positions",
                            n_ctx);
    }
    *session = made;
    return 0;
}

void tare_session_close(struct tare_session *session)
{
    tare_engine_close(&session->engine);
    free(session->fed);
    free(session->kept);
    free(session->kept_ids);
    free(session->chances);
    memset(session, 0, sizeof *session);
}

void tare_session_forget(struct tare_session *session)
{
    tare_engine_reset(&session->engine);
    session->n_kept = 0;
}

static uint32_t common(const int32_t *a, const int32_t *b, uint32_t most)
{
    uint32_t n = 0;
    while (n < most && a[n] == b[n]) {
        n++;
    }
    return n;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Tokens that the state still holds of these ids, at most `limit`; the rest of it is gone. The hint is
 * checked against the ids themselves. */
static uint32_t reuse(struct tare_session *s, const int32_t *ids, uint32_t limit, uint32_t hint)
{
    struct tare_engine *e = &s->engine;
    uint32_t same = s->reuse_prefix ? common(s->fed, ids, least(least(hint, limit), e->n_tokens)) : 0;
    if (same > 0 && tare_engine_cut(e, same)) {
        return same;
    }
    if (s->reuse_prefix && s->n_kept > 0 && s->n_kept <= least(limit, hint) &&
        common(s->kept_ids, ids, s->n_kept) == s->n_kept) {
        tare_engine_restore(e, s->kept, s->n_kept);
        return s->n_kept;
    }
    tare_engine_reset(e);
    return 0;
}

static void feed(struct tare_session *s, const int32_t *ids, uint32_t n)
{
    memcpy(s->fed + s->engine.n_tokens, ids, n * sizeof *ids);
    tare_engine_feed(&s->engine, ids, n);
    s->most_tokens = s->engine.n_tokens > s->most_tokens ? s->engine.n_tokens : s->most_tokens;
}

static void keep(struct tare_session *s)
{
    s->n_kept = s->engine.n_tokens;
    memcpy(s->kept_ids, s->fed, s->n_kept * sizeof *s->fed);
    tare_engine_save(&s->engine, s->kept);
}

const float *tare_session_prefill(struct tare_session *session, const int32_t *ids, uint32_t n, uint32_t from,
                                  uint32_t shared_prefix)
{
    uint32_t start = reuse(session, ids, from, shared_prefix);
    if (session->kept && session->reuse_prefix && from > start && n - from > 1) {
        feed(session, ids + start, from - start);
        keep(session);
        start = from;
    }
    feed(session, ids + start, n - start);
    return tare_engine_logits(&session->engine, from - start, n - from);
}

void tare_session_hold(struct tare_session *session, const int32_t *ids, uint32_t n, uint32_t shared_prefix)
{
    uint32_t start = reuse(session, ids, n, shared_prefix);
    if (n == start) {
        return;
    }
    feed(session, ids + start, n - start);
    if (session->kept && session->reuse_prefix) {
        keep(session);
    }
}

void tare_session_book(struct tare_session *session, int32_t id)
{
    session->fed[session->engine.n_tokens++] = id;
    session->most_tokens =
        session->engine.n_tokens > session->most_tokens ? session->engine.n_tokens : session->most_tokens;
}

void tare_session_append(struct tare_session *session, const int32_t *ids, uint32_t n)
{
    feed(session, ids, n);
}

const float *tare_session_step(struct tare_session *session, int32_t id)
{
    feed(session, &id, 1);
    return tare_engine_logits(&session->engine, 0, 1);
}

bool tare_session_full(const struct tare_session *session)
{
    return session->engine.n_tokens == session->engine.model->config.n_ctx;
}

uint32_t tare_session_fed_tokens(const struct tare_request *request)
{
    return request->kind == TARE_REQUEST_SCORE ? request->n_tokens - 1 : request->n_tokens;
}

int tare_session_give(const struct tare_session *session, const struct tare_request *request,
                      struct tare_sink *sink, int32_t id)
{
    uint32_t n_bytes;
    const char *bytes = tare_tokenizer_bytes(session->tokenizer, (uint32_t)id, &n_bytes);
    return sink->token(sink, request->id, id, bytes, n_bytes);
}
