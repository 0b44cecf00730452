/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backend with a switch for each fault that the referee must find. Without one it is right: a small
 * language model over bytes, made of hashes, whose every logit depends on all tokens before, on their
 * positions, and so on the beginning-of-sequence token. Its output is valid UTF-8 with characters of two
 * bytes, each byte a token of its own. Built twice: as it is, and with CONCURRENT, where `submit` returns
 * early. Not installed.
 */
#include <tare/backend.h>

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef CONCURRENT
#define CONCURRENT 0
#endif

enum {
    bos_token = 256,
    n_vocab = 257,
    most_ctx = 1024,
    most_queued = 64,
    cache_key_tok = 8,
    leak_bytes = 65536
};

enum fault {
    NONE,
    DOUBLED_BOS,
    TOKENIZER_BOS,
    LOST_BOS,
    BATCH_DEPENDENT,
    POSITION_OFF_BY_ONE,
    WRONG_IS_GREEDY,
    NONDETERMINISTIC_GREEDY,
    STALE_CACHE,
    LOST_LAST_TOKEN,
    WRONG_UTF8_SPLIT,
    UNNORMALISED_SCORE,
    LEAK,
    CRASH,
    CRASH_AT_UNLOAD,
    HANG,
    STDOUT_WRITE,
    FALSE_CAPABILITY,
    OVERLONG_SILENT,
    LOST_WHITESPACE,
    FUTURE,
    LONG_CONTEXT,
    LOGITS_DIFFER,
    IGNORED_STOP,
    IGNORED_SEED,
    THREADS_DEPENDENT,
    MISSING_ANSWER
};

static const char *const faults[] = {"none",
                                     "doubled_bos",
                                     "tokenizer_bos",
                                     "lost_bos",
                                     "batch_dependent",
                                     "position_off_by_one",
                                     "wrong_is_greedy",
                                     "nondeterministic_greedy",
                                     "stale_cache",
                                     "lost_last_token",
                                     "wrong_utf8_split",
                                     "unnormalised_score",
                                     "leak",
                                     "crash",
                                     "crash_at_unload",
                                     "hang",
                                     "stdout_write",
                                     "false_capability",
                                     "overlong_silent",
                                     "lost_whitespace",
                                     "future",
                                     "long_context",
                                     "logits_differ",
                                     "ignored_stop",
                                     "ignored_seed",
                                     "threads_dependent",
                                     "missing_answer",
                                     NULL};

struct queued {
    struct tare_request request;
    int32_t tokens[2 * most_ctx];
};

struct faulty {
    int64_t fault; /* enum fault */
    int64_t ctx_tok;
    int64_t threads;
    int64_t model_seed;
    int64_t at; /* request that crashes or hangs, from 1 */
    bool rows;  /* answer SCORE by logits */
    int64_t n_requests;
    uint32_t before;            /* length of the request before this one */
    int32_t kept[most_ctx + 2]; /* tokens that the stale cache holds, and how many */
    uint32_t n_kept;
    struct queued *queue;
    uint32_t n_queued;
};

#define MEMBER(type_, member_) .name = #member_, .type = type_, .offset = offsetof(struct faulty, member_)

static const struct tare_opt options[] = {
    {MEMBER(TARE_OPT_CHOICE, fault), .def = "none", .choices = faults, .help = "what it does wrong"},
    {MEMBER(TARE_OPT_I64, ctx_tok), .def = "256", .min = 16, .max = most_ctx, .help = "its context"},
    {MEMBER(TARE_OPT_I64, threads), .def = "1", .min = 1, .max = 64,
     .help = "of no effect, but for one fault"},
    {MEMBER(TARE_OPT_I64, model_seed), .def = "1", .min = 0, .max = 1 << 30, .help = "which model it is"},
    {MEMBER(TARE_OPT_I64, at), .def = "3", .min = 1, .max = 1 << 30, .help = "request that crashes or hangs"},
    {MEMBER(TARE_OPT_BOOL, rows), .def = "false", .help = "answer score requests by logits"},
    TARE_OPT_END};

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* The state behind one token more. */
static uint64_t feed(uint64_t state, int32_t token, uint32_t position)
{
    return mix(state ^ ((uint64_t)(token + 1) << 20) ^ ((uint64_t)(position + 1) << 40));
}

/* What makes text of it: printable bytes, and characters of two bytes that are never cut. */
static float taste(int32_t before, int32_t token)
{
    bool within = before == 0xc3;
    bool second = token >= 0xa0 && token <= 0xbf;
    bool first = token == 0xc3, printable = token >= 0x20 && token < 0x7f;
    return within ? (second ? 20.0F : 0.0F) : first ? 14.0F : printable ? 12.0F : 0.0F;
}

static void make_row(const struct faulty *f, uint64_t state, int32_t before, float *row)
{
    for (int32_t v = 0; v < n_vocab; v++) {
        uint64_t h = mix(state ^ ((uint64_t)(f->model_seed + 1) << 32) ^ (uint64_t)(v + 1));
        row[v] = taste(before, v) + (float)(h >> 40) * (8.0F / 16777216.0F);
    }
}

/* The largest entry; `rank` 1: the one after it. */
static int32_t best_of(const float *row, int rank)
{
    int32_t best = 0, second = -1;
    for (int32_t v = 1; v < n_vocab; v++) {
        if (row[v] > row[best]) {
            second = best;
            best = v;
        } else if (second < 0 || row[v] > row[second]) {
            second = v;
        }
    }
    return rank ? second : best;
}

static double log_sum(const float *row)
{
    double max = (double)row[best_of(row, 0)], sum = 0;
    for (int v = 0; v < n_vocab; v++) {
        sum += exp((double)row[v] - max);
    }
    return max + log(sum);
}

/* A request as the model gets it: what the faults have made of it. */
struct input {
    int32_t tokens[2 * most_ctx + 2];
    uint32_t n, first;
    uint32_t cut; /* tokens that were cut off at the left */
    uint64_t start;
};

static void put_bos(struct input *in)
{
    memmove(in->tokens + 1, in->tokens, in->n * sizeof *in->tokens);
    in->tokens[0] = bos_token;
    in->n++;
    in->first++;
    in->cut--; /* one more, not fewer */
}

/* What begins like the request before, and is as long, is taken for it. */
static void spoil_by_cache(struct faulty *f, struct input *in)
{
    bool alike = f->n_kept == in->n && in->n > cache_key_tok &&
                 memcmp(f->kept, in->tokens, cache_key_tok * sizeof *f->kept) == 0;
    if (alike) {
        memcpy(in->tokens, f->kept, (in->n - 1) * sizeof *f->kept);
    } else if (in->n <= most_ctx) {
        memcpy(f->kept, in->tokens, in->n * sizeof *f->kept);
        f->n_kept = in->n;
    }
}

static void spoil_input(struct faulty *f, const struct tare_request *q, struct input *in)
{
    if (f->fault == DOUBLED_BOS) {
        put_bos(in);
    } else if (f->fault == LOST_BOS && in->tokens[0] != bos_token) {
        put_bos(in); /* what is added where it is missing shows as the loss of what is dropped does */
    } else if (f->fault == STALE_CACHE) {
        spoil_by_cache(f, in);
    } else if (f->fault == BATCH_DEPENDENT && f->before > q->n_tokens) {
        in->start = f->before; /* as if padded to the other's length */
    } else if (f->fault == FUTURE) {
        in->start = (uint64_t)in->tokens[in->n - 1] + 1;
    } else if (f->fault == LONG_CONTEXT && in->n > (uint32_t)f->ctx_tok / 2) {
        in->start = 7;
    } else if (f->fault == THREADS_DEPENDENT && f->threads > 1) {
        in->start = 9;
    } else if (f->fault == LOGITS_DIFFER && q->kind == TARE_REQUEST_LOGITS) {
        in->start = 11;
    }
}

static int take_input(struct faulty *f, const struct tare_request *q, struct input *in, struct tare_err *err)
{
    uint32_t fed = q->kind == TARE_REQUEST_SCORE      ? q->n_tokens - 1
                   : q->kind == TARE_REQUEST_GENERATE ? q->n_tokens + (q->max_output ? q->max_output - 1 : 0)
                                                      : q->n_tokens;
    uint32_t most = (uint32_t)f->ctx_tok;
    fed += f->fault == DOUBLED_BOS;
    in->cut = 0;
    in->start = 0;
    if (fed > most && f->fault == OVERLONG_SILENT) {
        in->cut = fed - most;
    } else if (fed > most) {
        return tare_err_set(err, TARE_E_BACKEND, "faulty: %u tokens do not fit the context of %u", fed, most);
    }
    in->n = q->n_tokens - in->cut;
    in->first = q->first > in->cut ? q->first - in->cut : 1;
    memcpy(in->tokens, q->tokens + in->cut, in->n * sizeof *in->tokens);
    spoil_input(f, q, in);
    return 0;
}

static bool says_greedy(const struct faulty *f, const float *row, int32_t token)
{
    return token == best_of(row, 0) || (f->fault == WRONG_IS_GREEDY && token == best_of(row, 1));
}

/* One position's answer: index is that of the request. */
static void answer_position(const struct faulty *f, const struct tare_request *q, struct tare_sink *sink,
                            uint32_t index, int32_t target, const float *row)
{
    if (q->kind == TARE_REQUEST_LOGITS || f->rows) {
        sink->logits(sink, q->id, index - 1, row);
        return;
    }
    double logit = (double)row[target];
    double logprob = logit - (f->fault == UNNORMALISED_SCORE ? (double)row[best_of(row, 0)] : log_sum(row));
    sink->score(sink, q->id, index, logprob, says_greedy(f, row, target));
}

static void score(const struct faulty *f, const struct tare_request *q, struct tare_sink *sink,
                  const struct input *in)
{
    float row[n_vocab];
    uint64_t state = in->start, before_last = 0;
    uint32_t end = q->kind == TARE_REQUEST_LOGITS ? in->n + 1 : in->n;
    for (uint32_t i = 1; i < end; i++) {
        uint32_t shift = f->fault == POSITION_OFF_BY_ONE && q->first > 1 && i >= in->first;
        before_last = state;
        state = feed(state, in->tokens[i - 1], i - 1 + shift);
        bool lost = f->fault == LOST_LAST_TOKEN && i + 1 == end && i > 1;
        if (i >= in->first && !(f->fault == MISSING_ANSWER && i + 1 == end)) {
            make_row(f, lost ? before_last : state, in->tokens[i - 1], row);
            answer_position(f, q, sink, i + in->cut, i < in->n ? in->tokens[i] : 0, row);
        }
    }
}

/* By the request's own seed, or, as a fault, by whatever comes. */
static int32_t draw(struct faulty *f, const struct tare_request *q, uint32_t i, const float *row)
{
    uint64_t seed = f->fault == IGNORED_SEED ? (uint64_t)f->n_requests : q->seed;
    double u = (double)(mix(mix(seed + 1) ^ (i + 1)) >> 11) / 9007199254740992.0, sum = 0, total = 0;
    double top = (double)row[best_of(row, 0)], temperature = (double)q->temperature;
    for (int v = 0; v < n_vocab; v++) {
        total += exp(((double)row[v] - top) / temperature);
    }
    for (int32_t v = 0; v < n_vocab; v++) {
        sum += exp(((double)row[v] - top) / temperature);
        if (sum >= u * total) {
            return v;
        }
    }
    return n_vocab - 1;
}

static int32_t pick(struct faulty *f, const struct tare_request *q, uint32_t i, const float *row)
{
    bool wrong = f->fault == NONDETERMINISTIC_GREEDY && i == 2 && f->n_requests % 3 == 0;
    return q->temperature > 0 ? draw(f, q, i, row) : best_of(row, wrong);
}

/* The byte of a token; a fault replaces what is no character of its own, as decoding token by token does. */
static int send_token(const struct faulty *f, const struct tare_request *q, struct tare_sink *sink,
                      int32_t token)
{
    char byte = (char)token;
    if (token == bos_token) {
        return sink->token(sink, q->id, token, "", 0);
    }
    return f->fault == WRONG_UTF8_SPLIT && token >= 0x80 ? sink->token(sink, q->id, token, "\xef\xbf\xbd", 3)
                                                         : sink->token(sink, q->id, token, &byte, 1);
}

static void generate(struct faulty *f, const struct tare_request *q, struct tare_sink *sink,
                     const struct input *in)
{
    float row[n_vocab];
    uint64_t state = in->start;
    for (uint32_t i = 0; i < in->n; i++) {
        state = feed(state, in->tokens[i], i);
    }
    int32_t last = in->tokens[in->n - 1];
    for (uint32_t i = 0; i < q->max_output; i++) {
        make_row(f, state, last, row);
        last = pick(f, q, i, row);
        state = feed(state, last, in->n + i);
        if (send_token(f, q, sink, last) && f->fault != IGNORED_STOP) {
            return;
        }
    }
}

/* Without this a compiler may drop a block that nobody reads. */
static void keep(const void *block)
{
    __asm__ volatile("" : : "r"(block) : "memory");
}

static int misbehave(struct faulty *f, const struct tare_request *q, struct tare_err *err)
{
    if (f->fault == LEAK) {
        char *lost = malloc(leak_bytes);
        if (lost) {
            memset(lost, 1, leak_bytes);
            keep(lost);
        }
    } else if (f->fault == CRASH && f->n_requests == f->at) {
        (void)raise(SIGSEGV);
    } else if (f->fault == HANG && f->n_requests == f->at) {
        for (;;) {
            (void)pause();
        }
    } else if (f->fault == STDOUT_WRITE) {
        (void)printf("{\"not\": \"yours\"}\n\033[2J\n");
    } else if (f->fault == FALSE_CAPABILITY && q->kind == TARE_REQUEST_LOGITS) {
        return tare_err_set(err, TARE_E_UNSUPPORTED, "faulty: gives no distributions");
    }
    return 0;
}

static int answer(struct faulty *f, const struct tare_request *q, struct tare_sink *sink,
                  struct tare_err *err)
{
    struct input in;
    f->n_requests++;
    int r = misbehave(f, q, err);
    r = r == 0 ? take_input(f, q, &in, err) : r;
    if (r == 0 && q->kind == TARE_REQUEST_GENERATE) {
        generate(f, q, sink, &in);
    } else if (r == 0) {
        score(f, q, sink, &in);
    }
    f->before = q->n_tokens;
    return r;
}

#if CONCURRENT
static int submit(void *self, const struct tare_request *q, struct tare_sink *sink, struct tare_err *err)
{
    struct faulty *f = self;
    (void)sink;
    if (f->n_queued == most_queued || q->n_tokens > 2 * most_ctx) {
        return tare_err_set(err, TARE_E_LIMIT, "faulty: too much in flight");
    }
    struct queued *to = &f->queue[f->n_queued++];
    to->request = *q;
    memcpy(to->tokens, q->tokens, q->n_tokens * sizeof *to->tokens);
    to->request.tokens = to->tokens;
    return 0;
}

/* The newest first: completions come in any order. */
static int drain(void *self, struct tare_sink *sink, int64_t timeout_ns, struct tare_err *err)
{
    struct faulty *f = self;
    struct tare_err own = {0};
    (void)timeout_ns;
    (void)err;
    if (f->n_queued == 0) {
        return 0;
    }
    const struct tare_request *q = &f->queue[--f->n_queued].request;
    int code = answer(f, q, sink, &own);
    sink->done(sink, q->id, code, own.msg);
    return 1;
}

static int cancel(void *self, uint64_t id, struct tare_err *err)
{
    struct faulty *f = self;
    (void)err;
    for (uint32_t i = 0; i < f->n_queued; i++) {
        if (f->queue[i].request.id == id) {
            f->n_queued--;
            memmove(&f->queue[i], &f->queue[i + 1], (f->n_queued - i) * sizeof *f->queue);
            for (uint32_t k = i; k < f->n_queued; k++) {
                f->queue[k].request.tokens = f->queue[k].tokens;
            }
        }
    }
    return 0;
}
#else
static int submit(void *self, const struct tare_request *q, struct tare_sink *sink, struct tare_err *err)
{
    return answer(self, q, sink, err);
}
#endif

static int load(void *self, const struct tare_load *from, struct tare_err *err)
{
    struct faulty *f = self;
    (void)from;
    f->queue = calloc(most_queued, sizeof *f->queue);
    return f->queue ? 0 : tare_err_set(err, TARE_E_NOMEM, "faulty: out of memory");
}

static int describe(void *self, struct tare_model_facts *out, struct tare_err *err)
{
    const struct faulty *f = self;
    (void)err;
    (void)snprintf(out->arch, sizeof out->arch, "hash");
    (void)snprintf(out->name, sizeof out->name, "faulty");
    (void)snprintf(out->tokenizer, sizeof out->tokenizer, "bytes");
    out->n_ctx = f->ctx_tok;
    out->n_vocab = n_vocab;
    out->bos = bos_token;
    return 0;
}

static int tokenize(void *self, const char *text, size_t n_text, int32_t *ids, uint32_t *ends, size_t cap,
                    size_t *out_n, struct tare_err *err)
{
    const struct faulty *f = self;
    size_t n = 0;
    (void)err;
    if (f->fault == TOKENIZER_BOS) {
        ids[n] = bos_token;
        ends[n++] = 0;
    }
    while (f->fault == LOST_WHITESPACE && n_text > 0 && strchr(" \n\t", text[n_text - 1])) {
        n_text--;
    }
    for (size_t i = 0; i < n_text; i++, n++) {
        if (n < cap) {
            ids[n] = (unsigned char)text[i];
            ends[n] = (uint32_t)i + 1;
        }
    }
    *out_n = n;
    return 0;
}

static void unload(void *self)
{
    struct faulty *f = self;
    free(f->queue);
    f->queue = NULL;
    if (f->fault == CRASH_AT_UNLOAD) {
        (void)raise(SIGSEGV);
    }
}

static void close_backend(void *self)
{
    (void)self;
}

TARE_EXPORT extern const struct tare_backend tare_plugin;
const struct tare_backend tare_plugin = {.header = TARE_BACKEND_HEADER,
                                         .name = CONCURRENT ? "faulty_concurrent" : "faulty",
                                         .summary = "a right backend with switches for faults",
                                         .caps = TARE_CAP_SCORE | TARE_CAP_GENERATE | TARE_CAP_LOGITS |
                                                 TARE_CAP_TOKENIZE | TARE_CAP_SAMPLED |
                                                 (CONCURRENT ? TARE_CAP_CONCURRENT : 0),
                                         .priv_size = sizeof(struct faulty),
                                         .options = options,
                                         .load = load,
                                         .describe = describe,
                                         .tokenize = tokenize,
                                         .submit = submit,
#if CONCURRENT
                                         .drain = drain,
                                         .cancel = cancel,
#endif
                                         .unload = unload,
                                         .close = close_backend};
