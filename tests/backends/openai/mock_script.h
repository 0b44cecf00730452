/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the mock server does with a request: told by the request's own "model", a mode and numbers,
 * "stall;n:8;itl_us:500", so that a test needs no other channel. Pure: request in, bytes of each event out.
 */
#ifndef MOCK_SCRIPT_H
#define MOCK_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mock_mode {
    MOCK_OK,         /* usage in a chunk without choices */
    MOCK_USAGE_LAST, /* usage in the last chunk with a choice */
    MOCK_SLOW,       /* the first byte comes after ttft_us, headers too */
    MOCK_STALL,      /* nothing more from the fourth event on */
    MOCK_CUT,        /* closed there, in the middle of the transfer encoding */
    MOCK_CUT_CLEAN,  /* closed there, without any length: HTTP has nothing against it */
    MOCK_MALFORMED,  /* the fourth event is no JSON */
    MOCK_NO_USAGE,
    MOCK_WRONG_USAGE, /* one token, whatever came */
    MOCK_BAD_USAGE,   /* a negative number */
    MOCK_LATE_TEXT,   /* text behind the finish_reason */
    MOCK_FOREIGN,     /* the fourth event is another answer's */
    MOCK_HUGE,        /* the fourth event is 2 MiB long */
    MOCK_SPLIT,       /* every byte is a chunk and a segment of its own */
    MOCK_CRLF,        /* lines end in CR LF, with comments, names and ids between */
    MOCK_ERROR_EVENT, /* the fourth event is an error */
    MOCK_REFUSE,      /* status, `times` times, then OK; Retry-After if after_s is set */
    MOCK_TELL_KEY,    /* 401 with the request's key in the text */
    MOCK_THINK,       /* the first half is reasoning, no part of the answer */
    MOCK_MODES
};

struct mock_script {
    enum mock_mode mode;
    int64_t n;     /* events with text; default: max_tokens */
    int64_t tok;   /* tokens of an event */
    int64_t batch; /* events in one write */
    int64_t ttft_us, itl_us;
    int64_t status, times, after_s;
    int64_t cached;  /* cached_tokens of the prompt; -1: not told */
    int64_t echo;    /* 1: honours echo; 2: as asked, but the tokens of another text; 3: prompt_logprobs */
    int64_t stamp;   /* 1: the text of an event is when it was sent and when the request was read,
                      * CLOCK_MONOTONIC,   hexadecimal ns */
    int64_t stop_at; /* the text of this event holds "STOP" */
    bool chat, stream, wants_echo, wants_prompt_logprobs;
    int64_t max_tokens;
    int64_t received_ns;
    char name[200]; /* the model, as sent */
    char prompt[4096];
    char key[256]; /* of the Authorization header */
};

/* request: headers and body, ending in a NUL. False if it has no model. */
bool mock_script_read(struct mock_script *script, const char *request);
/* The data of event `i` (0: the first with text) into out, with lines' ends; returns its length. The last one
 * is index mock_script_last. */
size_t mock_script_event(const struct mock_script *script, int64_t i, int64_t now_ns, char *out,
                         size_t n_out);
int64_t mock_script_last(const struct mock_script *script);
/* The whole answer of one that does not stream, log-probabilities of the prompt included. */
size_t mock_script_whole(const struct mock_script *script, char *out, size_t n_out);

#endif
