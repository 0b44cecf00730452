/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backend process: a program of any kind, over pipes, by the protocol in docs/process-protocol.md.
 *
 * The program knows the model; this file turns the hooks into requests and the answers into calls of the
 * sink. It makes no number of its own: log-probabilities come from the program or out of its logits, and
 * times of tokens are its stamps, which the harness checks.
 */
#include "process.h"

#include "words.h"

#include <stdlib.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the protocol's numbers are little-endian"
#endif

#define MEMBER(type_, member_) .type = type_, .offset = offsetof(struct tare_process_backend, member_)

#define ALL_CAPS                                                                                     \
    (TARE_CAP_SCORE | TARE_CAP_GENERATE | TARE_CAP_LOGITS | TARE_CAP_TOKENIZE | TARE_CAP_TECHNIQUE | \
     TARE_CAP_SAMPLED)

static const struct tare_opt options[] = {
    {.name = "command",
     MEMBER(TARE_OPT_STR, command),
     .help =
         "program with its arguments, cut at blanks; quotes hold together; a bare NAME.py is a shipped one"},
    {.name = "set",
     MEMBER(TARE_OPT_STR, set),
     .def = "",
     .help = "key=value words that the program gets; blanks between them"},
    {.name = "python",
     MEMBER(TARE_OPT_STR, python),
     .def = "python3",
     .help = "interpreter for a shipped program"},
    {.name = "log",
     MEMBER(TARE_OPT_STR, log),
     .def = "",
     .help = "file to which what the program prints is appended; by default the last lines are kept"},
    {.name = "start_timeout",
     MEMBER(TARE_OPT_NS, start_timeout_ns),
     .def = "60s",
     .min = 1,
     .max = INT64_MAX / 4,
     .unit = "ns",
     .help = "until it has said hello"},
    {.name = "load_timeout",
     MEMBER(TARE_OPT_NS, load_timeout_ns),
     .def = "1800s",
     .min = 1,
     .max = INT64_MAX / 4,
     .unit = "ns",
     .help = "until it has loaded its model"},
    {.name = "request_timeout",
     MEMBER(TARE_OPT_NS, request_timeout_ns),
     .def = "600s",
     .min = 1,
     .max = INT64_MAX / 4,
     .unit = "ns",
     .help = "between two messages of one answer"},
    {.name = "close_timeout",
     MEMBER(TARE_OPT_NS, close_timeout_ns),
     .def = "5s",
     .min = 0,
     .max = INT64_MAX / 4,
     .unit = "ns",
     .help = "until it has ended by itself"},
    TARE_OPT_END};

/* The list for exec: a shipped program is run by its interpreter. */
static int make_argv(struct tare_process_backend *p, struct tare_err *err)
{
    bool shipped = tare_workers_is_shipped(p->words[0]);
    int r = shipped ? tare_workers_find(p->words[0], p->path, err) : 0;
    p->argv = r == 0 ? calloc(p->n_words + 2, sizeof *p->argv) : NULL;
    if (!p->argv) {
        return r < 0 ? r : tare_err_set(err, TARE_E_NOMEM, "backend process: out of memory");
    }
    p->argv[0] = shipped ? p->python : p->words[0];
    p->argv[1] = shipped ? p->path : NULL;
    for (size_t i = 1; i < p->n_words; i++) {
        p->argv[i + shipped] = p->words[i];
    }
    return 0;
}

static void forget_words(struct tare_process_backend *p)
{
    free(p->argv);
    free(p->words);
    free(p->settings);
    p->argv = p->words = p->settings = NULL;
}

static int process_open(void *self, struct tare_err *err)
{
    struct tare_process_backend *p = self;
    const char *what = "backend process: option command";
    if (!p->command || !*p->command) {
        return tare_err_set(err, TARE_E_USAGE, "%s is missing: name the program, such as torch_worker.py",
                            what);
    }
    int r = tare_words_split(p->command, what, &p->words, &p->n_words, err);
    r = r < 0 ? r
              : tare_words_split(p->set, "backend process: option set", &p->settings, &p->n_settings, err);
    if (r == 0 && p->n_words == 0) {
        r = tare_err_set(err, TARE_E_USAGE, "%s names no program", what);
    }
    r = r < 0 ? r : make_argv(p, err);
    if (r < 0) { /* close is not called behind a failure */
        forget_words(p);
    }
    return r;
}

/* A request without a blob and without events. */
static int ask(struct tare_process_backend *p, const char *op, int64_t timeout_ns, struct tare_reply *out,
               struct tare_err *err)
{
    char line[TARE_MESSAGE_BYTES];
    size_t n = tare_message_simple(line, op, tare_session_begin(&p->session, op, timeout_ns), 0);
    int r = tare_session_send(&p->session, line, n, NULL, 0, err);
    return r < 0 ? r : tare_session_end(&p->session, out, err);
}

static int hello(struct tare_process_backend *p, struct tare_err *err)
{
    struct tare_reply reply;
    int64_t protocol = 0;
    int r = ask(p, "hello", p->start_timeout_ns, &reply, err);
    if (r < 0) {
        return r;
    }
    r = tare_reply_count(&reply, "protocol", INT32_MAX, &protocol, NULL);
    if (r < 0 || protocol != TARE_PROCESS_PROTOCOL) {
        char text[96];
        (void)snprintf(text, sizeof text, "it speaks version %lld of it and this tare version %d",
                       r < 0 ? -1LL : (long long)protocol, TARE_PROCESS_PROTOCOL);
        r = tare_session_breach(&p->session, text, err);
    } else {
        const char *name = tare_json_str(tare_json_get(reply.json, "name"));
        const char *version = tare_json_str(tare_json_get(reply.json, "version"));
        p->caps = tare_reply_capabilities(&reply);
        (void)snprintf(p->runtime, sizeof p->runtime, "%s %s", name ? name : "?", version ? version : "");
    }
    tare_reply_fini(&reply);
    return r;
}

static int load_model(struct tare_process_backend *p, const struct tare_load *load, struct tare_err *err)
{
    char *line = NULL;
    int64_t seq = tare_session_begin(&p->session, "load", p->load_timeout_ns);
    int r = tare_message_load(seq, load, p->settings, &line, err);
    r = r < 0 ? r : tare_session_send(&p->session, line, strlen(line), NULL, 0, err);
    r = r < 0 ? r : tare_session_send(&p->session, "\n", 1, NULL, 0, err);
    free(line);
    struct tare_reply reply;
    r = r < 0 ? r : tare_session_end(&p->session, &reply, err);
    if (r == 0) {
        tare_reply_settings(&reply, p->effective, sizeof p->effective);
        tare_reply_fini(&reply);
    }
    return r;
}

static int process_load(void *self, const struct tare_load *load, struct tare_err *err)
{
    struct tare_process_backend *p = self;
    char folder[TARE_WORKERS_PATH];
    tare_workers_folder(folder);
    int r = tare_session_open(&p->session, p->argv, folder, p->log, err);
    r = r < 0 ? r : hello(p, err);
    if (r == 0 && load->technique && !(p->caps & TARE_CAP_TECHNIQUE)) {
        r = tare_err_set(err, TARE_E_UNSUPPORTED,
                         "the program applies no techniques; it was asked for %.100s", load->technique);
    }
    return r < 0 ? r : load_model(p, load, err);
}

static int process_describe(void *self, struct tare_model_facts *out, struct tare_err *err)
{
    struct tare_process_backend *p = self;
    struct tare_reply reply;
    struct tare_err why = {0};
    int r = ask(p, "describe", p->request_timeout_ns, &reply, err);
    if (r < 0) {
        return r;
    }
    r = tare_reply_facts(&reply, out, &why);
    tare_reply_fini(&reply);
    p->n_vocab = out->n_vocab;
    p->n_ctx = out->n_ctx;
    return r < 0 ? tare_session_breach(&p->session, why.msg, err) : 0;
}

static int process_effective(void *self, struct tare_effective *out, struct tare_err *err)
{
    const struct tare_process_backend *p = self;
    (void)err;
    out->lacks = ALL_CAPS & ~p->caps;
    if (out->lacks) {
        (void)snprintf(out->why, sizeof out->why, "the worker did not claim it");
    }
    (void)snprintf(out->runtime, sizeof out->runtime, "%s", p->runtime);
    (void)snprintf(out->settings, sizeof out->settings, "%s", p->effective);
    return 0;
}

/* n ids and behind them n ends. */
static int take_tokens(struct tare_process_backend *p, const struct tare_reply *reply, int32_t *ids,
                       uint32_t *ends, size_t cap, size_t *out_n, struct tare_err *err)
{
    int64_t n = 0;
    if (tare_reply_count(reply, "n", INT32_MAX, &n, NULL) < 0 || reply->n_blob != (size_t)n * 8) {
        return tare_session_breach(&p->session, "tokens whose number and bytes do not fit together", err);
    }
    size_t kept = (size_t)n < cap ? (size_t)n : cap;
    if (kept > 0) {
        memcpy(ids, p->session.wire.blob, kept * sizeof *ids);
        memcpy(ends, p->session.wire.blob + (size_t)n * sizeof *ids, kept * sizeof *ends);
    }
    *out_n = (size_t)n;
    return 0;
}

static int process_tokenize(void *self, const char *text, size_t n_text, int32_t *ids, uint32_t *ends,
                            size_t cap, size_t *out_n, struct tare_err *err)
{
    struct tare_process_backend *p = self;
    struct tare_session *s = &p->session;
    char line[TARE_MESSAGE_BYTES];
    struct tare_reply reply;
    size_t n = tare_message_simple(line, "tokenize", tare_session_begin(s, "tokenize", p->request_timeout_ns),
                                   n_text);
    int r = tare_session_send(s, line, n, text, n_text, err);
    r = r < 0 ? r : tare_session_end(s, &reply, err);
    if (r < 0) {
        return r;
    }
    r = take_tokens(p, &reply, ids, ends, cap, out_n, err);
    tare_reply_fini(&reply);
    return r;
}

/* Hands rows to the sink, which checks their order. */
static int take_rows(struct tare_process_backend *p, const struct tare_request *q,
                     const struct tare_reply *reply, int64_t most, struct tare_sink *sink,
                     struct tare_err *err)
{
    if (p->n_vocab <= 0 || reply->rows > most ||
        reply->n_blob != (size_t)reply->rows * (size_t)p->n_vocab * sizeof(float)) {
        return tare_session_breach(&p->session, "logits whose rows, bytes and vocabulary do not fit together",
                                   err);
    }
    const unsigned char *row = p->session.wire.blob;
    for (int64_t i = 0; i < reply->rows; i++, row += (size_t)p->n_vocab * sizeof(float)) {
        sink->logits(sink, q->id, (uint32_t)(reply->position + i), (const float *)(const void *)row);
    }
    return 0;
}

/* n log-probabilities as doubles and behind them n bytes: was it the most probable token? */
static int take_scores(struct tare_process_backend *p, const struct tare_request *q,
                       const struct tare_reply *reply, struct tare_sink *sink, struct tare_err *err)
{
    size_t n = q->n_tokens - q->first;
    if (reply->n_blob != n * (sizeof(double) + 1)) {
        return tare_session_breach(&p->session, "scores whose number and bytes do not fit together", err);
    }
    const unsigned char *greedy = p->session.wire.blob + n * sizeof(double);
    for (size_t i = 0; i < n; i++) {
        double logprob;
        memcpy(&logprob, p->session.wire.blob + i * sizeof logprob, sizeof logprob);
        sink->score(sink, q->id, q->first + (uint32_t)i, logprob, greedy[i] == 1);
    }
    return 0;
}

/* The end of a request for scores or logits. `rows` came as events. */
static int end_rows(struct tare_process_backend *p, const struct tare_request *q,
                    const struct tare_reply *reply, int64_t rows, int64_t wanted, struct tare_sink *sink,
                    struct tare_err *err)
{
    int64_t n = 0;
    if (tare_reply_count(reply, "n", INT32_MAX, &n, NULL) < 0 || n != wanted ||
        (rows != 0 && rows != wanted)) {
        return tare_session_breach(&p->session, "an answer to fewer or more positions than were asked", err);
    }
    if (rows == 0 && wanted > 0 && q->kind == TARE_REQUEST_LOGITS) {
        return tare_session_breach(&p->session, "no logits", err);
    }
    return rows == 0 ? take_scores(p, q, reply, sink, err) : 0;
}

static int await_rows(struct tare_process_backend *p, const struct tare_request *q, struct tare_sink *sink,
                      struct tare_err *err)
{
    int64_t wanted = (int64_t)(q->n_tokens - q->first) + (q->kind == TARE_REQUEST_LOGITS), rows = 0;
    for (;;) {
        struct tare_reply reply;
        int r = tare_session_next(&p->session, &reply, err);
        if (r < 0) {
            return r;
        }
        bool more = reply.kind == TARE_REPLY_LOGITS;
        if (more) {
            r = take_rows(p, q, &reply, wanted - rows, sink, err);
            rows += reply.rows;
        } else if (reply.kind == TARE_REPLY_ERROR) {
            r = tare_err_set(err, reply.code, "the program, at %s: %.300s", p->session.doing, reply.text);
        } else if (reply.kind == TARE_REPLY_OK && strcmp(reply.text, p->session.doing) == 0) {
            r = end_rows(p, q, &reply, rows, wanted, sink, err);
        } else {
            r = tare_session_breach(&p->session, "something else than scores or logits", err);
        }
        tare_reply_fini(&reply);
        if (r < 0 || !more) {
            return r;
        }
    }
}

/* One token, with the program's stamp where this harness takes one. Non-zero: stop. */
static int pass_token(const struct tare_process_backend *p, const struct tare_request *q,
                      const struct tare_reply *reply, struct tare_sink *sink)
{
    const char *bytes = reply->n_blob ? (const char *)p->session.wire.blob : "";
    if (sink->size < offsetof(struct tare_sink, token_at) + sizeof sink->token_at) {
        return sink->token(sink, q->id, (int32_t)reply->token, bytes, (uint32_t)reply->n_blob);
    }
    return sink->token_at(sink, q->id, (int32_t)reply->token, bytes, (uint32_t)reply->n_blob, reply->at_ns);
}

static int cancel_running(struct tare_process_backend *p, struct tare_err *err)
{
    char line[TARE_MESSAGE_BYTES];
    size_t n = tare_message_simple(line, "cancel", p->session.seq, 0);
    return tare_session_send(&p->session, line, n, NULL, 0, err);
}

static int end_tokens(struct tare_process_backend *p, const struct tare_reply *reply, int64_t n,
                      struct tare_err *err)
{
    int64_t sent = 0;
    if (reply->kind == TARE_REPLY_ERROR) {
        return tare_err_set(err, reply->code, "the program, at generate: %.300s", reply->text);
    }
    if (reply->kind != TARE_REPLY_OK || strcmp(reply->text, "generate") != 0 ||
        tare_reply_count(reply, "tokens", INT32_MAX, &sent, NULL) < 0 || sent != n) {
        return tare_session_breach(&p->session, "tokens were lost, or something else came than tokens", err);
    }
    return 0;
}

/* Tokens behind the one at which the sink said stop are on their way already: they are dropped. */
static int await_tokens(struct tare_process_backend *p, const struct tare_request *q, struct tare_sink *sink,
                        struct tare_err *err)
{
    bool stopped = false;
    for (int64_t n = 0;; n++) {
        struct tare_reply reply;
        int r = tare_session_next(&p->session, &reply, err);
        if (r < 0) {
            return r;
        }
        bool more = reply.kind == TARE_REPLY_TOKEN;
        if (!more) {
            r = end_tokens(p, &reply, n, err);
        } else if (n == q->max_output) {
            r = tare_session_breach(&p->session, "more tokens than were asked for", err);
        } else if (!stopped && pass_token(p, q, &reply, sink)) {
            stopped = true;
            r = n + 1 < q->max_output ? cancel_running(p, err) : 0;
        }
        tare_reply_fini(&reply);
        if (r < 0 || !more) {
            return r;
        }
    }
}

static int process_submit(void *self, const struct tare_request *q, struct tare_sink *sink,
                          struct tare_err *err)
{
    static const char *const names[] = {[TARE_REQUEST_SCORE] = "score",
                                        [TARE_REQUEST_GENERATE] = "generate",
                                        [TARE_REQUEST_LOGITS] = "logits"};
    struct tare_process_backend *p = self;
    if (q->kind < TARE_REQUEST_SCORE || q->kind > TARE_REQUEST_LOGITS) {
        return tare_err_set(err, TARE_E_UNSUPPORTED, "process: this kind of request is not known");
    }
    uint32_t fed = q->n_tokens - (q->kind == TARE_REQUEST_SCORE && q->n_tokens > 0);
    if (p->n_ctx != TARE_UNKNOWN && fed > p->n_ctx) { /* what a program would do with it is its own affair */
        return tare_err_set(err, TARE_E_LIMIT, "process: %u tokens do not fit the context of %lld", fed,
                            (long long)p->n_ctx);
    }
    char line[TARE_MESSAGE_BYTES];
    int64_t seq = tare_session_begin(&p->session, names[q->kind], p->request_timeout_ns);
    size_t n = tare_message_request(line, seq, q);
    int r = tare_session_send(&p->session, line, n, q->tokens, (size_t)q->n_tokens * sizeof *q->tokens, err);
    if (r < 0) {
        return r;
    }
    return q->kind == TARE_REQUEST_GENERATE ? await_tokens(p, q, sink, err) : await_rows(p, q, sink, err);
}

static void process_readings(void *self, int measured, struct tare_readings *to)
{
    struct tare_process_backend *p = self;
    struct tare_session *s = &p->session;
    char line[TARE_MESSAGE_BYTES];
    struct tare_reply reply;
    struct tare_err err = {0};
    tare_process_own_readings(p, measured, to);
    size_t n =
        tare_message_readings(line, tare_session_begin(s, "readings", p->request_timeout_ns), measured);
    if (tare_session_send(s, line, n, NULL, 0, &err) == 0 && tare_session_end(s, &reply, &err) == 0) {
        tare_reply_readings(&reply, to);
        tare_reply_fini(&reply);
    }
}

static void process_unload(void *self)
{
    struct tare_process_backend *p = self;
    tare_session_close(&p->session, p->close_timeout_ns);
}

static void process_close(void *self)
{
    struct tare_process_backend *p = self;
    process_unload(self);
    forget_words(p);
}

TARE_EXPORT extern const struct tare_backend tare_plugin;
const struct tare_backend tare_plugin = {
    .header = TARE_BACKEND_HEADER,
    .name = "process",
    .summary = "any program over pipes: PyTorch, Transformers, one of your own",
    .caps = ALL_CAPS | TARE_CAP_ELSEWHERE,
    .priv_size = sizeof(struct tare_process_backend),
    .options = options,
    .open = process_open,
    .load = process_load,
    .describe = process_describe,
    .tokenize = process_tokenize,
    .submit = process_submit,
    .readings = process_readings,
    .effective = process_effective,
    .unload = process_unload,
    .close = process_close,
};
