/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking a backend: the timed path. One item's requests go out one after the other (closed loop, one
 * at a time), answers come back through the sink, every stamp is taken here. Nothing in here
 * allocates, locks, logs or makes a system call other than reading the clock.
 */
#ifndef TARE_CORE_ASK_H
#define TARE_CORE_ASK_H

#include "base/record.h"
#include "core/prepare.h"

struct tare_ask {
    struct tare_sink sink; /* first: the sink's calls find the rest through it */
    const struct tare_backend *ops;
    void *backend;
    size_t n_vocab;
    enum tare_choice_norm norm;

    /* The request in flight. */
    const struct tare_prepared_item *item;
    const struct tare_prepared_request *q;
    struct tare_request request;
    int64_t begin_ns;
    double loglik;
    uint32_t next_index; /* the scored position that must come next */
    uint32_t scored;
    uint32_t right;
    const char *fault; /* the backend broke the contract */
    bool completed;    /* concurrent backends: the request's completion has come */
    int completion;    /* its code */
    uint32_t n_tokens; /* generated; where events come in their place, what usage says */
    uint32_t n_stamps;
    uint32_t prompt_tok;
    bool by_events; /* an event came */
    bool counted;   /* usage came */
    size_t n_output;
    size_t cut; /* where the output ends: at a stop string or at n_output */
    bool stopped;

    /* Memory taken by init. */
    int64_t *token_ns;
    size_t cap_tokens;
    char *output;
    size_t cap_output;
    struct tare_request_record *records;
    bool *greedy;      /* of each request: all that was scored was the most probable */
    char message[256]; /* of the latest failed sample */
};

TARE_MUST_CHECK int tare_ask_init(struct tare_ask *ask, const struct tare_prepare_args *args,
                                  const struct tare_prepared *prepared, struct tare_err *err);
void tare_ask_fini(struct tare_ask *ask);
/* Room for what so many tokens may be as bytes. */
size_t tare_ask_output_bytes(uint32_t max_output);
/* Asks one item. *out borrows from `ask` until the next call; times count from origin_ns. A failure
 * of the backend is the sample's code, not an error. Returns the stamp of the last answer. */
int64_t tare_ask_item(struct tare_ask *ask, const struct tare_prepared_item *item, size_t index,
                      int64_t origin_ns, struct tare_sample *out);

#endif
