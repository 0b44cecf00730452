/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backend contract: how tare drives something that runs language models.
 *
 * A backend is a shared object that exports `const struct tare_backend tare_plugin` and nothing else.
 * It loads one model and answers requests over token ids. What is delicate and must be equal for all
 * backends stays out of it: the split of context and continuation, the beginning-of-sequence policy,
 * rolling windows, the log-softmax, stop strings and every time stamp are the harness's. The answers
 * go through a sink that the harness owns, so that all stamps come from one clock.
 *
 * Threads: all hooks of one instance are called from one thread, the worker's main thread; a backend
 * may own further threads inside `submit`. There is one instance and one model per process.
 * Stability: ABI 1. Hooks and members are appended only; see tare/plugin.h.
 */
#ifndef TARE_BACKEND_H
#define TARE_BACKEND_H

#include <stdbool.h>
#include <tare/kind.h>
#include <tare/meter.h>
#include <tare/opt.h>
#include <tare/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TARE_BACKEND_ABI 1u

/* An integer fact that the backend cannot know. Stored as absent, never as a number. */
#define TARE_UNKNOWN INT64_C(-1)

/* What a backend can do. A task that needs a missing capability is skipped with a reason. */
enum tare_capability {
    TARE_CAP_SCORE = 1u << 0,      /* answers SCORE requests */
    TARE_CAP_GENERATE = 1u << 1,   /* answers GENERATE requests */
    TARE_CAP_LOGITS = 1u << 2,     /* answers LOGITS requests with full distributions */
    TARE_CAP_TOKENIZE = 1u << 3,   /* has `tokenize`; needed by every task that starts from text */
    TARE_CAP_TECHNIQUE = 1u << 4,  /* understands tare_load.technique */
    TARE_CAP_CONCURRENT = 1u << 5, /* `submit` may return early; answers complete in `drain` */
    TARE_CAP_SAMPLED = 1u << 6,    /* GENERATE honours temperature and seed; else greedy only */
    TARE_CAP_TEXT_ONLY = 1u << 7,  /* requests must carry text; token ids are not understood */
    TARE_CAP_ELSEWHERE = 1u << 8   /* the model is not in this process (a child, a server): what meters say
                                    * of this process would pass for the model's, so it is left out */
};

enum tare_request_kind { TARE_REQUEST_SCORE = 1, TARE_REQUEST_GENERATE, TARE_REQUEST_LOGITS };

/* Bytes as tare/task.h defines them. */
struct tare_bytes;

/*
 * One call. Owned by the harness and constant until the answer is complete.
 *
 * SCORE     For each i in first .. n_tokens-1, how probable is tokens[i] after tokens[0 .. i-1]?
 *           The last token is a target only and need not be evaluated, so n_tokens - 1 tokens are
 *           fed. Answer each i once, in order, by sink->logits (position i-1) or sink->score.
 * GENERATE  Continue tokens[0 .. n_tokens-1] by up to max_output tokens, each through sink->token.
 * LOGITS    The distribution after each of tokens[first-1 .. n_tokens-1], through sink->logits.
 *
 * TARE_CAP_TEXT_ONLY: `text` is the whole input and there are no tokens. SCORE: each of the backend's own
 * tokens that has a byte at or behind text_first, in order, by sink->score with index 0, 1, ...
 */
struct tare_request {
    uint32_t size; /* sizeof the harness's struct */
    enum tare_request_kind kind;
    uint64_t id;           /* number of the item << 20 | number of the request within it, both from 0 */
    const int32_t *tokens; /* ids, the beginning-of-sequence token included if the policy has one */
    uint32_t n_tokens;
    uint32_t first;         /* >= 1 */
    uint32_t shared_prefix; /* hint: the first this many tokens equal the previous request's */
    uint32_t max_output;
    float temperature; /* 0: greedy; ties go to the lowest id */
    uint64_t seed;
    const char *text; /* the same input as bytes for TARE_CAP_TEXT_ONLY; else NULL */
    uint32_t text_bytes;
    /* GENERATE: strings at which the harness ends the answer, for a server that can be told them. NULL: none
     */
    const struct tare_bytes *stops;
    uint32_t n_stops;
    uint32_t text_first; /* SCORE by text: where in `text` that begins which is to be scored */
};

/* A piece of an answer that came from elsewhere, and need not be one token. */
struct tare_event {
    uint32_t size; /* sizeof the backend's struct */
    uint32_t n_bytes;
    uint64_t id;
    const char *bytes; /* what it adds to the text; NULL if n_bytes is 0 */
    /* When it came in, on CLOCK_MONOTONIC: as the kernel says, or stamped directly behind what waited for it;
     * the same for all that came in at once. TARE_UNKNOWN: its time says nothing of a token (an answer that
     * came as a whole). */
    int64_t arrived_ns;
};

/*
 * Where answers go. All calls are made on the thread that runs `submit` or `drain`, inside the timed
 * path: they do not allocate, lock or log.
 */
struct tare_sink {
    uint32_t size;
    /* Natural logits (any additive constant) after tokens[position]; row has n_vocab floats and is
     * read before the call returns. */
    void (*logits)(struct tare_sink *sink, uint64_t id, uint32_t position, const float *row);
    /* For a backend that has no logits: log-probability in nats of tokens[index], and whether it was
     * the most probable token. */
    void (*score)(struct tare_sink *sink, uint64_t id, uint32_t index, double logprob, bool greedy);
    /* One generated token with the bytes it adds to the text. Call it as soon as the token is known:
     * the harness stamps it here. Non-zero: stop now (a stop string matched or the limit is
     * reached). */
    int (*token)(struct tare_sink *sink, uint64_t id, int32_t token, const char *bytes, uint32_t n_bytes);
    /* A concurrent backend reports each finished request here; code is 0 or negative with a message. */
    void (*done)(struct tare_sink *sink, uint64_t id, int code, const char *message);
    /* As token, for a backend whose tokens are made in another process: at_ns is when the token was
     * known there, by this machine's CLOCK_MONOTONIC. It must lie between the request's begin (or the
     * token before) and now; else the request fails. Look at `size` before you call it. */
    int (*token_at)(struct tare_sink *sink, uint64_t id, int32_t token, const char *bytes, uint32_t n_bytes,
                    int64_t at_ns);
    /* In place of `token`, where events are not tokens: how many there were is told by `usage`, which every
     * request with events must have. Non-zero: stop now. */
    int (*event)(struct tare_sink *sink, const struct tare_event *event);
    /* What the other side says that a request took, once and before it is complete; both known, 0 or above.
     */
    void (*usage)(struct tare_sink *sink, uint64_t id, int64_t prompt_tok, int64_t output_tok);
};

/* How to load a model. Strings live during the call only. */
struct tare_load {
    uint32_t size;
    const char *path;      /* model file or name; NULL when the plan gives none */
    const char *technique; /* taxonomy tag with parameters; NULL for none */
};

/* What the loaded model is. Unknown integers are TARE_UNKNOWN, unknown strings empty. */
struct tare_model_facts {
    char arch[32];
    char name[64];
    char dtype[32];
    char tokenizer[65];           /* identity of the tokenizer, a hash where possible */
    int64_t params_total;         /* adjustable scalars, tied weights once */
    int64_t params_active;        /* used for one token; differs for mixtures of experts */
    int64_t params_non_embedding; /* without token embedding and untied head */
    int64_t params_non_zero;
    int64_t params_trainable;
    int64_t stored_bytes;       /* all tensors as stored, with scales and indices */
    int64_t kv_bytes_per_token; /* growth of the state per token of context, all layers */
    int64_t state_bytes;        /* part of the state that does not grow */
    int64_t n_ctx;              /* largest number of tokens that can be fed */
    int64_t n_vocab;
    int64_t bos; /* id put before every input, or TARE_UNKNOWN for none */
};

/* Work to be accounted: tokens fed at once, positions whose logits are computed, tokens generated. */
struct tare_work {
    uint32_t prompt_tok;
    uint32_t logits_rows; /* of the prompt; generation needs 1 */
    uint32_t output_tok;
};

/* Counted, not measured. Unknown: TARE_UNKNOWN. One multiply-add is 2 FLOPs. */
struct tare_cost {
    int64_t prefill_flops;
    int64_t decode_flops; /* of output tokens 2 .. n: the first one comes out of the prefill */
    int64_t prefill_bytes;
    int64_t decode_bytes;
};

/* What is in force once the model is loaded, where that is known only then. Zeroed and with its size by the
 * harness; texts are UTF-8. */
struct tare_effective {
    uint32_t size;
    uint32_t lacks;      /* enum tare_capability, or'ed: promised in `caps`, but not with this model */
    char runtime[96];    /* name and version of what computes */
    char settings[1024]; /* the configuration as it came out, defaults included, in a form of your own */
    char why[256];       /* of `lacks`: one line that says what showed it; "" if it lacks nothing */
};

/*
 * The operations. `self` points to priv_size bytes, zeroed and then filled with the parsed options.
 * Every hook that fails returns a negative code and sets *err to one line. (M) is mandatory.
 */
struct tare_backend {
    struct tare_plugin_header header; /* kind TARE_PLUGIN_BACKEND, abi TARE_BACKEND_ABI */
    const char *name;                 /* (M) lower case, as written in plans */
    const char *summary;              /* (M) one line */
    const char *version;              /* of the runtime behind it; NULL if none */
    uint32_t caps;                    /* enum tare_capability, or'ed */
    uint32_t priv_size;
    const struct tare_opt *options; /* NULL if none; offsets are into `self` */

    /* Can this work here? Untimed, before open. Fill why[] when returning < 0. It knows no options and is not
     * asked where some are set: then open or load must find out by themselves. */
    int (*probe)(char *why, size_t n_why);
    /* Untimed. Prepare without touching the model. */
    int (*open)(void *self, struct tare_err *err);
    /* (M) Load phase: wall time and peak memory are measured. */
    int (*load)(void *self, const struct tare_load *load, struct tare_err *err);
    /* (M) After load, untimed. *out is prefilled with unknowns. */
    int (*describe)(void *self, struct tare_model_facts *out, struct tare_err *err);
    /* Untimed. Writes at most cap ids and, for each, the end offset of its bytes in text; *out_n gets
     * the full number even if it exceeds cap. No beginning-of-sequence token is added. */
    int (*tokenize)(void *self, const char *text, size_t n_text, int32_t *ids, uint32_t *ends, size_t cap,
                    size_t *out_n, struct tare_err *err);
    /* (M) Timed: the harness stamps before and after. A synchronous backend returns when the answer
     * is complete. Should not allocate. */
    int (*submit)(void *self, const struct tare_request *request, struct tare_sink *sink,
                  struct tare_err *err);
    /* Timed; mandatory with TARE_CAP_CONCURRENT. Waits up to timeout_ns for at least one completion;
     * returns how many completed, or a negative code. */
    int (*drain)(void *self, struct tare_sink *sink, int64_t timeout_ns, struct tare_err *err);
    /* Optional: give up a request that was submitted and not completed. */
    int (*cancel)(void *self, uint64_t id, struct tare_err *err);
    /* Untimed, between requests: plain arithmetic. Work of a fresh request, without reuse of a shared
     * prefix. account_convention says what is counted (constant). NULL: nothing is counted. */
    int (*account)(void *self, const struct tare_work *work, struct tare_cost *out, struct tare_err *err);
    const char *account_convention;
    /* Untimed. Release the model; also called after a failed load. */
    void (*unload)(void *self);
    /* (M) Untimed. Release everything; self is freed by the harness. */
    void (*close)(void *self);
    /* What account gives: 0 for counted, or TARE_KIND_MODELLED, TARE_KIND_DECLARED. */
    uint32_t account_kind;
    /* Optional, untimed: what the backend knows of its own doing. Called twice on the main thread:
     * between warm-up and measuring (measured 0: what loading and applying a technique took; a good
     * moment to set counters back) and behind the last answer (measured 1: what the answers since then
     * took). Each reading is copied before add returns. Its name becomes that of a figure: 1 to 60 of
     * a-z, 0-9 and '_', unique in the backend. A name of the harness's own is stored as a reading only. */
    void (*readings)(void *self, int measured, struct tare_readings *to);
    /* Optional, untimed, once, behind `describe`. A task that needs what is lacking is skipped. */
    int (*effective)(void *self, struct tare_effective *out, struct tare_err *err);
    /* Non-zero: the model may run on another machine, and tells itself how many tokens there were. What
     * meters see of this machine is flagged ELSEWHERE then, and rates by tokens are reported, not measured.
     * What they see of this process alone is left out by TARE_CAP_ELSEWHERE, which such a backend has as
     * well. */
    uint32_t remote;
};

/* First member of every backend's definition. */
#define TARE_BACKEND_HEADER                                                                             \
    {                                                                                                   \
        TARE_PLUGIN_MAGIC, TARE_PLUGIN_BACKEND, TARE_BACKEND_ABI, (uint32_t)sizeof(struct tare_backend) \
    }

#ifdef __cplusplus
}
#endif
#endif
