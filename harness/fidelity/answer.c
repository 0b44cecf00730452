/* SPDX-License-Identifier: Apache-2.0 */
/* A sink that sends rows on, and one that keeps tokens. */
#include "fidelity/answer.h"

#include "core/stop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { drain_wait_ns = 200000000, bytes_per_tok = 64, spare_bytes = 1024 };

/* The request in flight. */
struct flight {
    struct tare_sink sink; /* first: the sink's calls find the rest through it */
    const struct tare_instance *instance;
    struct tare_request request;
    int fd;
    /* Distributions. */
    const uint8_t *graded;
    uint32_t next; /* position that must come next */
    int sent;      /* 0, or that nobody reads any more */
    /* Generation. */
    const struct tare_prepared_item *item;
    int32_t *tokens;
    uint32_t n_tokens;
    char *text;
    size_t n_text, cap_text;
    bool stopped;
    /* How it ended. */
    bool done;
    struct tare_lockstep_end *end;
};

static bool write_all(int fd, const void *data, size_t n)
{
    const char *at = data;
    while (n > 0) {
        ssize_t done = write(fd, at, n);
        if (done < 0 && errno != EINTR) {
            return false;
        }
        at += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
    return true;
}

int tare_lockstep_write(int fd, enum tare_lockstep_frame type, const void *a, size_t n_a, const void *b,
                        size_t n_b, struct tare_err *err)
{
    const struct tare_lockstep_frame_head head = {(uint32_t)type, (uint32_t)(n_a + n_b)};
    bool ok = write_all(fd, &head, sizeof head) && write_all(fd, a, n_a) && write_all(fd, b, n_b);
    return ok ? 0 : tare_err_set(err, TARE_E_IO, "nobody reads the answers");
}

static void broke(struct flight *f, const char *how)
{
    if (f->end->code == 0) {
        f->end->code = TARE_E_BACKEND;
        (void)snprintf(f->end->message, sizeof f->end->message, "%s", how);
    }
}

/* Is it about the request in flight? */
static bool is_ours(struct flight *f, uint64_t id)
{
    if (id != f->request.id || f->done) {
        broke(f, "it answered a request that was not in flight");
        return false;
    }
    return true;
}

static void on_logits(struct tare_sink *sink, uint64_t id, uint32_t position, const float *row)
{
    struct flight *f = (struct flight *)sink;
    if (!is_ours(f, id) || f->end->code != 0 || f->sent != 0) {
        return;
    }
    if (f->request.kind != TARE_REQUEST_LOGITS || position != f->next || position >= f->request.n_tokens) {
        broke(f, "it gave distributions out of order, or where none were asked for");
        return;
    }
    f->next++;
    if (!f->graded || f->graded[position + 1]) {
        f->sent = tare_lockstep_write(f->fd, TARE_LOCKSTEP_ROW, &position, sizeof position, row,
                                      (size_t)f->instance->facts.n_vocab * sizeof *row, NULL);
    }
}

static void on_score(struct tare_sink *sink, uint64_t id, uint32_t index, double logprob, bool greedy)
{
    struct flight *f = (struct flight *)sink;
    (void)id;
    (void)index;
    (void)logprob;
    (void)greedy;
    broke(f, "it gave single log-probabilities where it was asked for distributions");
}

static int on_token(struct tare_sink *sink, uint64_t id, int32_t token, const char *bytes, uint32_t n_bytes)
{
    struct flight *f = (struct flight *)sink;
    if (!is_ours(f, id)) {
        return 1;
    }
    if (f->request.kind != TARE_REQUEST_GENERATE || f->stopped || f->n_tokens == f->request.max_output ||
        n_bytes > f->cap_text - f->n_text) {
        broke(f, "it sent a token that was not asked for, or more bytes than tokens have");
        return 1;
    }
    if (n_bytes) {
        memcpy(f->text + f->n_text, bytes, n_bytes);
    }
    f->n_text += n_bytes;
    f->tokens[f->n_tokens++] = token;
    size_t cut = f->n_text;
    f->stopped = tare_stop_match(f->text, f->n_text, n_bytes, f->item->stops, f->item->n_stops, &cut);
    return f->stopped || f->n_tokens == f->request.max_output;
}

static int on_token_at(struct tare_sink *sink, uint64_t id, int32_t token, const char *bytes,
                       uint32_t n_bytes, int64_t at_ns)
{
    (void)at_ns;
    return on_token(sink, id, token, bytes, n_bytes);
}

static int on_event(struct tare_sink *sink, const struct tare_event *event)
{
    (void)event;
    broke((struct flight *)sink, "it answered a request of tokens in pieces of text");
    return 1;
}

static void on_usage(struct tare_sink *sink, uint64_t id, int64_t prompt_tok, int64_t output_tok)
{
    (void)sink;
    (void)id;
    (void)prompt_tok;
    (void)output_tok;
}

static void set_code(struct flight *f, int code, const char *message)
{
    if (code < 0 && f->end->code == 0) {
        f->end->code = code;
        (void)snprintf(f->end->message, sizeof f->end->message, "%.*s", TARE_LOCKSTEP_MESSAGE - 1,
                       message && *message ? message : "it failed and did not say why");
    }
}

static void on_done(struct tare_sink *sink, uint64_t id, int code, const char *message)
{
    struct flight *f = (struct flight *)sink;
    if (is_ours(f, id)) {
        set_code(f, code, message);
        f->done = true;
    }
}

/* Submits and waits for the end. */
static void fly(struct flight *f)
{
    static uint64_t next_id;
    const struct tare_backend *ops = &f->instance->ops;
    struct tare_err err = {0};
    f->sink = (struct tare_sink){.size = sizeof f->sink,
                                 .logits = on_logits,
                                 .score = on_score,
                                 .token = on_token,
                                 .done = on_done,
                                 .token_at = on_token_at,
                                 .event = on_event,
                                 .usage = on_usage};
    f->request.size = sizeof f->request;
    f->request.id = ++next_id;
    int code = ops->submit(f->instance->self, &f->request, &f->sink, &err);
    set_code(f, code, err.msg);
    while (code >= 0 && (ops->caps & TARE_CAP_CONCURRENT) && !f->done && f->end->code == 0) {
        code = ops->drain(f->instance->self, &f->sink, drain_wait_ns, &err);
        set_code(f, code, err.msg);
    }
}

int tare_lockstep_rows(struct tare_instance *instance, int fd, const int32_t *ids, uint32_t n, uint32_t first,
                       const uint8_t *graded, struct tare_lockstep_end *out, struct tare_err *err)
{
    struct flight f = {.instance = instance,
                       .request = {.kind = TARE_REQUEST_LOGITS, .tokens = ids, .n_tokens = n, .first = first},
                       .fd = fd,
                       .graded = graded,
                       .next = first - 1,
                       .end = out};
    memset(out, 0, sizeof *out);
    fly(&f);
    if (out->code == 0 && f.next != n) {
        broke(&f, "it answered fewer positions than were asked and reported no failure");
    }
    return f.sent < 0 ? tare_err_set(err, TARE_E_IO, "nobody reads the answers") : 0;
}

int tare_lockstep_tokens(struct tare_instance *instance, int fd, const struct tare_prepared_item *item,
                         struct tare_lockstep_end *out, struct tare_err *err)
{
    const struct tare_prepared_request *q = &item->requests[0];
    struct flight f = {.instance = instance,
                       .request = {.kind = TARE_REQUEST_GENERATE,
                                   .tokens = q->tokens,
                                   .n_tokens = q->n_tokens,
                                   .first = q->first,
                                   .max_output = q->max_output,
                                   .stops = item->n_stops ? item->stops : NULL,
                                   .n_stops = (uint32_t)item->n_stops},
                       .fd = fd,
                       .item = item,
                       .cap_text = (size_t)q->max_output * bytes_per_tok + spare_bytes,
                       .end = out};
    memset(out, 0, sizeof *out);
    f.tokens = calloc((size_t)q->max_output + 1, sizeof *f.tokens);
    f.text = malloc(f.cap_text);
    int r = f.tokens && f.text ? 0 : tare_err_set(err, TARE_E_NOMEM, "out of memory");
    if (r == 0) {
        fly(&f);
        r = tare_lockstep_write(fd, TARE_LOCKSTEP_TOKENS, f.tokens, f.n_tokens * sizeof *f.tokens, NULL, 0,
                                err);
    }
    free(f.tokens);
    free(f.text);
    return r;
}
