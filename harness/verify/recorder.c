/* SPDX-License-Identifier: Apache-2.0 */
/* A sink that keeps everything, for several requests at once. */
#include "verify/recorder.h"

#include "base/clock.h"
#include "core/softmax.h"
#include "core/stop.h"

#include <math.h>
#include <string.h>

enum {
    bytes_per_tok = 64,
    spare_bytes = 1024,
    drain_wait_ns = 200000000,
    most_tokens = 1 << 24,
    most_in_flight = 16 /* of a concurrent backend */
};
/* How long a request that was given up may take to say so. Silence is allowed. */
static const int64_t give_up_ns = INT64_C(300000000);

/* One request in flight. */
struct flight {
    struct tare_request request;
    const struct tare_wire_ask *ask;
    struct tare_wire_answer *answer;
    uint32_t cap;     /* positions that may come */
    uint32_t next;    /* index of the token that must be scored next */
    size_t cap_bytes; /* of the text */
    double *logprob;
    int32_t *argmax;
    uint8_t *greedy;
    int32_t *tokens;
    uint32_t *ends;
    char *text;
    bool done;
};

struct recorder {
    struct tare_sink sink; /* first: the sink's calls find the rest through it */
    const struct tare_instance *instance;
    struct flight *flights;
    uint32_t n;
};

static void broke(struct flight *f, const char *how)
{
    if (!f->answer->broke) {
        f->answer->broke = 1;
        (void)snprintf(f->answer->message, sizeof f->answer->message, "%s", how);
    }
}

/* The request of that number; what belongs to none is held against the first. */
static struct flight *find(struct tare_sink *sink, uint64_t id)
{
    struct recorder *r = (struct recorder *)sink;
    for (uint32_t i = 0; i < r->n; i++) {
        if (r->flights[i].request.id == id && !r->flights[i].done) {
            return &r->flights[i];
        }
    }
    broke(&r->flights[0], "it answered a request that was not in flight");
    return NULL;
}

static bool is_generation(const struct flight *f)
{
    return f->request.kind == TARE_REQUEST_GENERATE;
}

/* The place of a position's answer; NULL if it was not wanted there. */
static bool expect(struct flight *f, uint32_t index)
{
    if (is_generation(f) || f->answer->n == f->cap || index != f->next) {
        broke(f, is_generation(f) ? "it scored where it was asked to generate"
                                  : "it answered positions out of order or more than were asked");
        return false;
    }
    f->next++;
    return true;
}

static int32_t argmax_of(const float *row, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++) {
        best = row[i] > row[best] ? i : best;
    }
    return (int32_t)best;
}

static void on_logits(struct tare_sink *sink, uint64_t id, uint32_t position, const float *row)
{
    const struct recorder *r = (const struct recorder *)sink;
    struct flight *f = find(sink, id);
    if (!f || !expect(f, position + 1)) {
        return;
    }
    size_t n_vocab = r->instance->facts.n_vocab > 0 ? (size_t)r->instance->facts.n_vocab : 0;
    bool has_target = position + 1 < f->request.n_tokens, greedy = false;
    int32_t target = has_target ? f->ask->tokens[position + 1] : 0;
    if (n_vocab == 0 || target < 0 || (size_t)target >= n_vocab) {
        broke(f, "it gave logits, but its vocabulary does not hold the token that was asked for");
        return;
    }
    uint32_t i = f->answer->n++;
    double logprob = tare_log_softmax(row, n_vocab, (size_t)target, &greedy);
    if (!isfinite(logprob)) {
        broke(f, "its logits hold a number that is not finite");
    }
    f->logprob[i] = has_target ? logprob : (double)NAN;
    f->greedy[i] = has_target && greedy;
    f->argmax[i] = argmax_of(row, n_vocab);
    f->answer->by_rows = 1;
}

static void on_score(struct tare_sink *sink, uint64_t id, uint32_t index, double logprob, bool greedy)
{
    struct flight *f = find(sink, id);
    if (!f || !expect(f, index)) {
        return;
    }
    if (f->request.kind != TARE_REQUEST_SCORE) {
        broke(f, "it scored where it was asked for distributions");
        return;
    }
    if (!isfinite(logprob) || logprob > 1e-4) { /* a rounding of 0 is fine */
        broke(f, "it gave a log-probability that is above 0 or no finite number");
    }
    uint32_t i = f->answer->n++;
    f->logprob[i] = logprob;
    f->greedy[i] = greedy;
    f->argmax[i] = -1;
}

static int on_token(struct tare_sink *sink, uint64_t id, int32_t token, const char *bytes, uint32_t n_bytes)
{
    struct flight *f = find(sink, id);
    if (!f) {
        return 1;
    }
    struct tare_wire_answer *a = f->answer;
    if (!is_generation(f) || a->stopped || a->n_tokens == f->request.max_output) {
        broke(f, "it sent a token that was not asked for: behind a stop, or behind the last one");
        return 1;
    }
    if (n_bytes > f->cap_bytes - a->n_bytes) {
        broke(f, "its tokens have more bytes than tokens have");
        return 1;
    }
    if (n_bytes) {
        memcpy(f->text + a->n_bytes, bytes, n_bytes);
    }
    a->n_bytes += n_bytes;
    a->cut = a->n_bytes;
    f->tokens[a->n_tokens] = token;
    f->ends[a->n_tokens++] = a->n_bytes;
    size_t cut = a->n_bytes;
    a->stopped = tare_stop_match(f->text, a->n_bytes, n_bytes, f->ask->stops, f->ask->n_stops, &cut) ||
                 a->n_tokens == f->ask->stop_after;
    a->cut = (uint32_t)cut;
    return a->stopped || a->n_tokens == f->request.max_output;
}

/* When it was known is nothing that is judged here. */
static int on_token_at(struct tare_sink *sink, uint64_t id, int32_t token, const char *bytes,
                       uint32_t n_bytes, int64_t at_ns)
{
    (void)at_ns;
    return on_token(sink, id, token, bytes, n_bytes);
}

/* Requests are made of tokens, and so must be the answers. */
static int on_event(struct tare_sink *sink, const struct tare_event *event)
{
    struct flight *f = find(sink, event->id);
    if (f) {
        broke(f, "it answered a request of tokens in pieces of text");
    }
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
    if (code < 0 && !f->answer->broke) {
        (void)snprintf(f->answer->message, sizeof f->answer->message, "%.*s", TARE_WIRE_MESSAGE - 1,
                       message && *message ? message : "it failed and did not say why");
        f->answer->code = code;
    }
}

static void on_done(struct tare_sink *sink, uint64_t id, int code, const char *message)
{
    const struct recorder *r = (const struct recorder *)sink;
    struct flight *f = find(sink, id);
    if (f && !(r->instance->ops.caps & TARE_CAP_CONCURRENT)) {
        broke(f, "it reported a completion without being concurrent");
    } else if (f) {
        set_code(f, code, message);
        f->done = true;
    }
}

/* Positions that a whole answer has. */
static uint32_t positions(const struct tare_wire_ask *q)
{
    return q->kind == TARE_REQUEST_SCORE    ? q->n_tokens - q->first
           : q->kind == TARE_REQUEST_LOGITS ? q->n_tokens - q->first + 1
                                            : 0;
}

static int aim(struct flight *f, const struct tare_wire_ask *q, uint64_t id, struct tare_arena *arena,
               struct tare_wire_answer *answer, struct tare_err *err)
{
    if (q->n_tokens < 1 || q->first < 1 || q->first > q->n_tokens || q->max_output > most_tokens ||
        q->n_stops > TARE_WIRE_MOST_STOPS) {
        return tare_err_set(err, TARE_E_FORMAT, "the referee asked for what cannot be asked");
    }
    memset(f, 0, sizeof *f);
    memset(answer, 0, sizeof *answer);
    f->ask = q;
    f->answer = answer;
    f->cap = positions(q);
    f->next = q->first;
    f->cap_bytes = (size_t)q->max_output * bytes_per_tok + spare_bytes;
    f->logprob = tare_arena_array(arena, f->cap, sizeof *f->logprob);
    f->argmax = tare_arena_array(arena, f->cap, sizeof *f->argmax);
    f->greedy = tare_arena_array(arena, f->cap, 1);
    f->tokens = tare_arena_array(arena, q->max_output, sizeof *f->tokens);
    f->ends = tare_arena_array(arena, q->max_output, sizeof *f->ends);
    f->text = tare_arena_array(arena, f->cap_bytes, 1);
    f->request = (struct tare_request){.size = sizeof f->request,
                                       .kind = (enum tare_request_kind)q->kind,
                                       .id = id,
                                       .tokens = q->tokens,
                                       .n_tokens = q->n_tokens,
                                       .first = q->first,
                                       .shared_prefix = q->shared_prefix,
                                       .max_output = q->max_output,
                                       .temperature = q->temperature,
                                       .seed = q->seed};
    return f->logprob && f->argmax && f->greedy && f->tokens && f->ends && f->text
               ? 0
               : tare_err_set(err, TARE_E_NOMEM, "out of memory");
}

static void submit(struct recorder *r, struct flight *f)
{
    struct tare_err err = {0};
    const struct tare_backend *ops = &r->instance->ops;
    int code = ops->submit(r->instance->self, &f->request, &r->sink, &err);
    set_code(f, code, err.msg);
    if (code < 0 || !(ops->caps & TARE_CAP_CONCURRENT)) {
        f->done = true;
    } else if (f->ask->give_up && ops->cancel && !f->done) {
        code = ops->cancel(r->instance->self, f->request.id, &err);
        set_code(f, code, err.msg);
    }
}

/* One that is still awaited, those that were given up only for a while. */
static struct flight *awaited(const struct recorder *r, int64_t begin_ns)
{
    bool patient = tare_clock_ns() - begin_ns < give_up_ns;
    for (uint32_t i = 0; i < r->n; i++) {
        if (!r->flights[i].done && (!r->flights[i].ask->give_up || patient)) {
            return &r->flights[i];
        }
    }
    return NULL;
}

static void drain(struct recorder *r)
{
    struct tare_err err = {0};
    int64_t begin_ns = tare_clock_ns();
    struct flight *f;
    while ((f = awaited(r, begin_ns)) != NULL && !f->answer->broke) {
        int code = r->instance->ops.drain(r->instance->self, &r->sink, drain_wait_ns, &err);
        if (code < 0) {
            set_code(f, code, err.msg);
            f->done = true;
        }
    }
}

/* An answer without failure must be whole. */
static void finish(struct flight *f)
{
    struct tare_wire_answer *a = f->answer;
    if (a->code == 0 && !a->broke && a->n < f->cap) {
        char how[96];
        (void)snprintf(how, sizeof how, "it answered %u of %u positions and reported no failure", a->n,
                       f->cap);
        broke(f, how);
    }
    a->code = a->broke ? TARE_E_BACKEND : a->code;
    a->logprob = f->logprob;
    a->argmax = f->argmax;
    a->greedy = f->greedy;
    a->tokens = f->tokens;
    a->ends = f->ends;
    a->text = f->text;
}

/* Some of them, all in flight together. */
static int ask_group(struct recorder *r, const struct tare_wire_ask *asks, uint32_t n,
                     struct tare_arena *arena, struct tare_wire_answer *answers, struct tare_err *err)
{
    static uint64_t next_id;
    int code = 0;
    r->n = 0;
    for (uint32_t i = 0; code == 0 && i < n; i++) {
        code = aim(&r->flights[i], &asks[i], ++next_id, arena, &answers[i], err);
    }
    for (uint32_t i = 0; code == 0 && i < n; i++) {
        r->n = i + 1;
        submit(r, &r->flights[i]);
    }
    if (code == 0 && (r->instance->ops.caps & TARE_CAP_CONCURRENT)) {
        drain(r);
    }
    for (uint32_t i = 0; code == 0 && i < n; i++) {
        finish(&r->flights[i]);
    }
    return code;
}

int tare_recorder_ask(struct tare_instance *instance, const struct tare_wire_ask *asks, uint32_t n,
                      struct tare_arena *arena, struct tare_wire_answer *answers, struct tare_err *err)
{
    struct flight flights[most_in_flight];
    struct recorder r = {.sink = {.size = sizeof(struct tare_sink),
                                  .logits = on_logits,
                                  .score = on_score,
                                  .token = on_token,
                                  .done = on_done,
                                  .token_at = on_token_at,
                                  .event = on_event,
                                  .usage = on_usage},
                         .instance = instance,
                         .flights = flights};
    int code = 0;
    for (uint32_t i = 0; code == 0 && i < n; i += most_in_flight) {
        code =
            ask_group(&r, asks + i, n - i < most_in_flight ? n - i : most_in_flight, arena, answers + i, err);
    }
    return code;
}

int tare_recorder_tokenize(struct tare_instance *instance, const char *text, size_t n,
                           struct tare_arena *arena, struct tare_wire_tokens *out, struct tare_err *err)
{
    struct tare_err said = {0};
    size_t cap = n + 16, found = 0;
    int code = 0;
    memset(out, 0, sizeof *out);
    for (int tries = 0; tries < 2; tries++) {
        int32_t *ids = tare_arena_array(arena, cap, sizeof *ids);
        uint32_t *ends = tare_arena_array(arena, cap, sizeof *ends);
        if (!ids || !ends) {
            return tare_err_set(err, TARE_E_NOMEM, "out of memory");
        }
        code = instance->ops.tokenize(instance->self, text, n, ids, ends, cap, &found, &said);
        out->ids = ids;
        out->ends = ends;
        if (code < 0 || found <= cap || found > most_tokens) {
            break;
        }
        cap = found;
    }
    if (code == 0 && found > cap) {
        code =
            tare_err_set(&said, TARE_E_BACKEND, "its tokens of one text change in number, or are too many");
    }
    out->code = code;
    out->n = code < 0 ? 0 : (uint32_t)found;
    (void)snprintf(out->message, sizeof out->message, "%.*s", TARE_WIRE_MESSAGE - 1, said.msg);
    return 0;
}
