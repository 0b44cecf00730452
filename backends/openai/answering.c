/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes into events, events into the sink, the end into a judgement. Runs inside the timed path. */
#include "service.h"

#include <string.h>

/* The harness's sink takes events since it knows of them. */
static void give(struct exchange *x, const struct answer_piece *piece, int64_t arrived_ns)
{
    struct tare_sink *sink = x->service->sink;
    size_t n = piece->text ? strlen(piece->text) : 0;
    const struct tare_event event = {.size = sizeof event,
                                     .n_bytes = (uint32_t)n,
                                     .id = x->id,
                                     .bytes = piece->text,
                                     .arrived_ns = arrived_ns};
    x->stopped = sink->event(sink, &event) != 0;
}

static void count_event(struct exchange *x)
{
    struct tally *tally = &x->service->tally;
    uint64_t read = client_read_id(x->service->client);
    bool first = x->in_read == 0 || read != x->read_id;
    x->in_read = first ? 1 : x->in_read + 1;
    x->read_id = read;
    tally->events++;
    tally->event_reads += first;
    tally->in_read_max = x->in_read > tally->in_read_max ? x->in_read : tally->in_read_max;
}

static int take_chunk(struct exchange *x, const char *data, size_t n, int64_t arrived_ns,
                      struct tare_err *err)
{
    struct tare_json *json = NULL;
    struct answer_piece piece;
    char what[64];
    (void)snprintf(what, sizeof what, "event %lld of the server", (long long)x->answer.chunks + 1);
    int r = tare_json_parse(data, n, what, &json, err);
    r = r < 0 ? r : answer_chunk(&x->answer, json, &piece, err);
    if (r == 0 && piece.generated) {
        count_event(x);
        give(x, &piece, arrived_ns);
    }
    tare_json_destroy(json);
    return r;
}

static int on_event(void *ctx, const char *data, size_t n, struct tare_err *err)
{
    struct exchange *x = ctx;
    if (x->stopped || x->answer.done) {
        return 0;
    }
    if (n == 6 && memcmp(data, "[DONE]", 6) == 0) {
        x->answer.done = true;
        return 0;
    }
    return take_chunk(x, data, n, client_read_ns(x->service->client), err);
}

int answering_bytes(struct transfer *t, long status, const char *bytes, size_t n)
{
    enum { refusal_bytes = 4096 };
    struct exchange *x = (struct exchange *)t;
    bool streams = x->kind == EXCHANGE_STREAM && status == 200;
    if (streams) {
        return sse_feed(&x->sse, bytes, n, on_event, x, &x->fault) < 0 || x->stopped;
    }
    size_t most = status == 200 ? (size_t)x->service->options.event_bytes : refusal_bytes;
    if (n > most - x->whole.n) {
        if (status != 200) {
            return 0; /* the beginning says enough */
        }
        (void)tare_err_set(&x->fault, TARE_E_LIMIT, "the answer is longer than event_bytes, %zu", most);
        return 1;
    }
    text_add(&x->whole, bytes, n);
    return 0;
}

static int read_whole(struct exchange *x, struct tare_json **out, struct tare_err *err)
{
    return x->whole.failed
               ? tare_err_set(err, TARE_E_NOMEM, "out of memory for an answer")
               : tare_json_parse(x->whole.n ? x->whole.data : "", x->whole.n, "the answer", out, err);
}

/* Some servers stream whatever is asked, some never do. */
static int end_whole(struct exchange *x, struct tare_err *err)
{
    struct tare_json *json = NULL;
    struct answer_piece piece;
    int r = read_whole(x, &json, err);
    r = r < 0 ? r : answer_chunk(&x->answer, json, &piece, err);
    if (r == 0 && piece.generated) {
        x->service->tally.events++;
        give(x, &piece, TARE_UNKNOWN);
    }
    tare_json_destroy(json);
    return r < 0 ? r : answer_check(&x->answer, false, err);
}

static int give_scores(struct exchange *x, struct tare_err *err)
{
    struct service *s = x->service;
    uint32_t index = 0;
    for (size_t i = 0; i < s->echo.n; i++) {
        const struct echo_token *t = &s->echo.tokens[i];
        if (t->end <= x->first) {
            continue;
        }
        if (!(t->logprob <= 1e-4)) { /* NaN, too */
            return tare_err_set(err, TARE_E_BACKEND,
                                "the server gives no log-probability for the token at byte %zu", t->begin);
        }
        s->tally.straddles += t->begin < x->first;
        s->sink->score(s->sink, x->id, index++, t->logprob, t->greedy);
    }
    return 0;
}

static int end_score(struct exchange *x, struct tare_err *err)
{
    struct tare_json *json = NULL;
    struct answer_piece piece;
    int r = read_whole(x, &json, err);
    r = r < 0 ? r : answer_chunk(&x->answer, json, &piece, err);
    r = r < 0 ? r : echo_read(json, x->service->echoed, x->prompt, x->n_prompt, &x->service->echo, err);
    tare_json_destroy(json);
    r = r < 0 ? r : give_scores(x, err);
    return r == TARE_E_UNSUPPORTED ? TARE_E_BACKEND : r; /* it could when it was probed */
}

static void count_usage(struct exchange *x)
{
    struct tally *t = &x->service->tally;
    const struct answer *a = &x->answer;
    if (a->prompt_tok >= 0 && a->output_tok >= 0) {
        t->usage_told++;
        t->prompt_tok += a->prompt_tok;
        t->output_tok += a->output_tok;
    }
    if (a->cached_tok >= 0) {
        t->cache_told++;
        t->cached_tok += a->cached_tok;
        t->cache_hits += a->cached_tok > 0;
    }
    if (a->prompt_ms >= 0 && a->output_ms >= 0) {
        t->timed++;
        t->prompt_ms += a->prompt_ms;
        t->output_ms += a->output_ms;
    }
}

void answering_end(struct exchange *x)
{
    struct tare_sink *sink = x->service->sink;
    struct tare_err *err = &x->fault;
    int r = x->fault.code;
    if (r == 0 && !x->stopped) {
        r = x->kind == EXCHANGE_STREAM  ? answer_check(&x->answer, true, err)
            : x->kind == EXCHANGE_WHOLE ? end_whole(x, err)
            : x->kind == EXCHANGE_SCORE ? end_score(x, err)
                                        : 0;
    }
    x->fault.code = r;
    if (x->kind != EXCHANGE_PLAIN) {
        count_usage(x);
        if (r == 0 && !x->stopped && x->answer.prompt_tok >= 0) {
            sink->usage(sink, x->id, x->answer.prompt_tok,
                        x->answer.output_tok > 0 ? x->answer.output_tok : 0);
        }
    }
}
