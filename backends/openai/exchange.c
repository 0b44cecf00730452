/* SPDX-License-Identifier: Apache-2.0 */
/* From a request to its end: memory that is used again, sending, sending again, giving up. */
#include "service.h"

#include <stdlib.h>
#include <string.h>

static void on_end(struct transfer *t, const struct client_end *end);

static struct exchange *make(struct service *s)
{
    if (s->n_all == s->cap_all) {
        size_t cap = s->cap_all ? 2 * s->cap_all : 16;
        struct exchange **all = realloc(s->all, cap * sizeof(struct exchange *));
        if (!all) {
            return NULL;
        }
        s->all = all;
        s->cap_all = cap;
    }
    struct exchange *x = calloc(1, sizeof *x);
    if (x) {
        s->all[s->n_all++] = x;
        x->service = s;
        x->transfer.bytes = answering_bytes;
        x->transfer.end = on_end;
        x->sse.most_bytes = (size_t)s->options.event_bytes;
    }
    return x;
}

int exchange_take(struct service *s, enum exchange_kind kind, struct exchange **out, struct tare_err *err)
{
    struct exchange *x = s->idle ? s->idle : make(s);
    if (!x) {
        return tare_err_set(err, TARE_E_NOMEM, "backend openai: no memory for a request");
    }
    s->idle = x == s->idle ? x->next : s->idle;
    x->next = NULL;
    x->kind = kind;
    x->id = 0;
    x->attempt = x->in_read = 0;
    x->stopped = x->complete = false;
    *out = x;
    return 0;
}

void exchange_release(struct exchange *x)
{
    x->next = x->service->idle;
    x->service->idle = x;
}

void exchange_free_all(struct service *s)
{
    for (size_t i = 0; i < s->n_all; i++) {
        struct exchange *x = s->all[i];
        client_forget(&x->transfer);
        text_free(&x->body);
        text_free(&x->whole);
        sse_free(&x->sse);
        free(x);
    }
    free(s->all);
    s->all = NULL;
    s->idle = s->waiting = NULL;
    s->n_all = s->cap_all = 0;
    s->in_flight = 0;
}

static int start(struct exchange *x, struct tare_err *err)
{
    sse_reset(&x->sse);
    text_clear(&x->whole);
    answer_begin(&x->answer);
    x->fault = (struct tare_err){0};
    return client_start(x->service->client, &x->transfer, err);
}

int exchange_send(struct exchange *x, const char *url, bool with_body, struct tare_err *err)
{
    x->transfer.url = url;
    x->transfer.body = with_body ? x->body.data : NULL;
    x->transfer.n_body = x->body.n;
    return start(x, err);
}

/* "POST URL: 429: words", without the key should the server have repeated it. */
static void describe_failure(struct exchange *x, const struct client_end *end, const char *rule)
{
    char words[200];
    if (end->answered) {
        key_redact(&x->service->key, x->whole.n ? x->whole.data : NULL, x->whole.n);
        answer_error_text(x->whole.n ? x->whole.data : "", x->whole.n, words, sizeof words);
    } else {
        (void)snprintf(words, sizeof words, "%s", end->why);
    }
    char status[40] = "no answer";
    if (end->status > 0) {
        (void)snprintf(status, sizeof status, "status %ld", end->status);
    }
    (void)tare_err_set(&x->fault, end->status == 0 || !end->answered ? TARE_E_IO : TARE_E_BACKEND,
                       "%.120s: %s: %.160s%s%s%s", x->transfer.url, status, words, rule ? " (" : "",
                       rule ? rule : "", rule ? ")" : "");
}

static void complete(struct exchange *x)
{
    struct service *s = x->service;
    x->complete = true;
    if (x->kind == EXCHANGE_PLAIN) {
        return; /* whoever asked is waiting for the mark */
    }
    answering_end(x);
    key_redact(&s->key, x->fault.msg, strlen(x->fault.msg));
    s->tally.failures += x->fault.code != 0;
    s->in_flight--;
    s->completed++;
    s->sink->done(s->sink, x->id, x->fault.code, x->fault.code ? x->fault.msg : NULL);
    exchange_release(x);
}

/* A fault of the answer keeps its own words, with the address before them. */
static void name_fault(struct exchange *x)
{
    struct tare_err fault = x->fault;
    (void)tare_err_set(&x->fault, fault.code, "%.120s: %.380s", x->transfer.url, fault.msg);
}

static void on_end(struct transfer *t, const struct client_end *end)
{
    struct exchange *x = (struct exchange *)t;
    struct service *s = x->service;
    bool good = end->answered && end->status == 200;
    if (x->fault.code != 0) {
        name_fault(x);
    } else if (!good && !(end->stopped && x->stopped)) {
        const struct retry_policy policy = {s->options.retries, s->options.backoff_ns,
                                            s->options.retry_after_ns};
        const struct retry_case c = {.attempt = x->attempt,
                                     .begun = x->answer.chunks > 0,
                                     .line_failed = end->again,
                                     .status = end->answered ? end->status : 0,
                                     .retry_after_s = end->retry_after_s};
        const char *rule = NULL;
        int64_t wait_ns = retry_after(&policy, &c, &rule);
        if (wait_ns >= 0) {
            x->attempt++;
            x->due_ns = client_clock_ns() + wait_ns;
            s->tally.retries++;
            s->tally.honoured += end->retry_after_s > 0;
            x->next = s->waiting;
            s->waiting = x;
            return;
        }
        describe_failure(x, end, rule);
    }
    complete(x);
}

static void resend(struct exchange *x)
{
    struct tare_err err = {0};
    int r = start(x, &err);
    if (r < 0) {
        x->fault = err;
        complete(x);
    }
}

/* Sends again what is due, and returns when the next one is. */
static int64_t send_due(struct service *s)
{
    int64_t now_ns = client_clock_ns(), next_ns = INT64_MAX;
    struct exchange *list = s->waiting;
    s->waiting = NULL;
    while (list) {
        struct exchange *x = list;
        list = x->next;
        x->next = NULL;
        if (x->due_ns <= now_ns) {
            resend(x);
        } else {
            x->next = s->waiting;
            s->waiting = x;
            next_ns = x->due_ns < next_ns ? x->due_ns : next_ns;
        }
    }
    return next_ns;
}

int exchange_round(struct service *s, int64_t until_ns, struct tare_err *err)
{
    int64_t due_ns = s->waiting ? send_due(s) : INT64_MAX;
    return client_round(s->client, due_ns < until_ns ? due_ns : until_ns, err);
}

static int write_body(struct service *s, struct exchange *x, const struct tare_request *q,
                      struct tare_err *err)
{
    char nonce[64];
    (void)snprintf(nonce, sizeof nonce, "%s%llx", s->nonce, (unsigned long long)s->n_nonces++);
    struct body_args args = {&s->options, s->model.data, s->cache, nonce};
    if (q->kind == TARE_REQUEST_GENERATE) {
        return body_generate(&x->body, &args, q, err);
    }
    /* A prefix would be scored with the text. */
    args.cache = s->cache == CACHE_PREFIX ? CACHE_LEFT : s->cache;
    return body_score(&x->body, &args, q->text, q->text_bytes, s->echoed, s->score_max_tokens, err);
}

int exchange_submit(struct service *s, const struct tare_request *q, struct tare_err *err)
{
    struct exchange *x = NULL;
    bool scores = q->kind == TARE_REQUEST_SCORE;
    bool chat = s->options.endpoint == ENDPOINT_CHAT && !scores;
    int r = exchange_take(s,
                          scores              ? EXCHANGE_SCORE
                          : s->options.stream ? EXCHANGE_STREAM
                                              : EXCHANGE_WHOLE,
                          &x, err);
    if (r < 0) {
        return r;
    }
    x->id = q->id;
    x->prompt = q->text;
    x->n_prompt = q->text_bytes;
    x->first = q->text_first;
    r = write_body(s, x, q, err);
    r = r < 0 ? r : exchange_send(x, chat ? s->chat.data : s->completions.data, true, err);
    if (r < 0) {
        exchange_release(x);
        return r;
    }
    s->tally.requests++;
    s->in_flight++;
    return 0;
}

static void take_from_waiting(struct service *s, const struct exchange *x)
{
    struct exchange **at = &s->waiting;
    while (*at && *at != x) {
        at = &(*at)->next;
    }
    if (*at) {
        *at = x->next;
    }
}

int exchange_cancel(struct service *s, uint64_t id)
{
    for (size_t i = 0; i < s->n_all; i++) {
        struct exchange *x = s->all[i];
        bool waits = false;
        for (struct exchange *w = s->waiting; w; w = w->next) {
            waits = waits || w == x;
        }
        if (x->id == id && x->kind != EXCHANGE_PLAIN && (waits || x->transfer.active)) {
            take_from_waiting(s, x);
            client_drop(s->client, &x->transfer);
            s->in_flight--;
            exchange_release(x);
            return 0;
        }
    }
    return TARE_E_USAGE;
}
