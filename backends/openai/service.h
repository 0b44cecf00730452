/* SPDX-License-Identifier: Apache-2.0 */
/* The backend's state: one server, one model, the requests that are in flight. */
#ifndef OPENAI_SERVICE_H
#define OPENAI_SERVICE_H

#include "answer.h"
#include "body.h"
#include "client.h"
#include "echo.h"
#include "key.h"
#include "options.h"
#include "retry.h"
#include "sse.h"

#include <tare/backend.h>

enum server_kind { SERVER_UNKNOWN, SERVER_LLAMA, SERVER_VLLM };

enum exchange_kind {
    EXCHANGE_STREAM, /* an answer in events */
    EXCHANGE_WHOLE,  /* an answer as a whole */
    EXCHANGE_SCORE,  /* log-probabilities of the prompt */
    EXCHANGE_PLAIN   /* the bytes alone, for the caller (probes) */
};

/* One request until it is answered; afterwards its memory waits for the next one. */
struct exchange {
    struct transfer transfer; /* first */
    struct service *service;
    enum exchange_kind kind;
    uint64_t id;
    const char *prompt; /* SCORE; the harness's */
    size_t n_prompt, first;
    struct text body;
    struct text whole; /* the answer, or what a refusing server said */
    struct sse sse;
    struct answer answer;
    int64_t attempt, due_ns;
    uint64_t read_id; /* of the latest event */
    int64_t in_read;  /* events that came in that read */
    bool stopped;     /* the harness wants no more */
    bool complete;
    struct tare_err fault; /* code 0: none */
    struct exchange *next; /* idle, or waiting to be sent again */
};

/* Since measuring began. */
struct tally {
    int64_t requests, failures, retries, honoured, events, event_reads, in_read_max, straddles;
    int64_t prompt_tok, output_tok, cached_tok, cache_told, cache_hits, usage_told, timed;
    double prompt_ms, output_ms;
    struct client_counts before; /* the client's counts when measuring began */
};

struct service {
    struct openai_options options; /* first */
    struct key key;
    struct client *client;
    struct text model, completions, chat, models;
    enum server_kind server;
    int64_t server_params, server_bytes, server_ctx; /* as the server says; -1: unknown */
    enum cache_way cache;
    char nonce[40]; /* of this process; the number of the request goes behind it */
    uint64_t n_nonces;
    bool can_score, echoed; /* found out by the probe */
    int score_max_tokens;
    char lacks[256];
    struct tare_sink *sink; /* during submit and drain */
    struct exchange *idle, *waiting;
    struct exchange **all;
    size_t n_all, cap_all;
    int64_t in_flight, completed;
    struct echo echo;
    struct tally tally;
};

/* exchange.c: requests on their way. */
TARE_MUST_CHECK int exchange_take(struct service *s, enum exchange_kind kind, struct exchange **out,
                                  struct tare_err *err);
TARE_MUST_CHECK int exchange_send(struct exchange *x, const char *url, bool with_body, struct tare_err *err);
/* One round of the loop, and what is due to be sent again. */
TARE_MUST_CHECK int exchange_round(struct service *s, int64_t until_ns, struct tare_err *err);
/* Back among the idle ones. */
void exchange_release(struct exchange *x);
TARE_MUST_CHECK int exchange_submit(struct service *s, const struct tare_request *q, struct tare_err *err);
int exchange_cancel(struct service *s, uint64_t id);
void exchange_free_all(struct service *s);

/* answering.c: what comes back, into the harness's sink. */
int answering_bytes(struct transfer *t, long status, const char *bytes, size_t n);
/* Everything came: judges it, and tells what is still to be told. */
void answering_end(struct exchange *x);

/* probe.c: what the server is and can do. */
TARE_MUST_CHECK int probe_server(struct service *s, const char *wanted, struct tare_err *err);
TARE_MUST_CHECK int probe_score(struct service *s, struct tare_err *err);

/* report.c */
void report_readings(struct service *s, int measured, struct tare_readings *to);

#endif
