/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The null backend: no model, exact behaviour. It answers after stated delays with stated values, and
 * fails in stated ways, so that every stamp, figure, outcome and recovery of tare has a known truth.
 * Its tokens are bytes (0 .. 255) and a beginning-of-sequence token (256). It is not a model of any
 * runtime's speed.
 */
#include <tare/backend.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { bos_token = 256, item_shift = 20 };

enum fault { FAULT_NONE, FAULT_ERROR, FAULT_CRASH, FAULT_HANG, FAULT_OOM, FAULT_EXIT };

struct null {
    int64_t first_ns;
    int64_t token_ns;
    int64_t score_ns;
    int64_t work_rounds;
    int64_t load_ns;
    int64_t tokens;
    int64_t alloc_bytes;
    int64_t request_alloc_bytes;
    int64_t error_at;
    int64_t crash_at;
    int64_t hang_at;
    int64_t oom_at;
    int64_t exit_at;
    int64_t fail_in_load;
    double logprob;
    bool greedy;
    int64_t wrong_every;
    char *answer;
    int64_t ctx_tok;
    int64_t flops_per_tok;
    bool varying;
    int64_t reading_fault;
    int64_t stored_bytes;
    int64_t requests; /* answered since the last readings */
    char *ballast;
};

enum reading_fault {
    READING_FINE,
    READING_NAME,
    READING_UNIT,
    READING_NAN,
    READING_WHY,
    READING_MANY,
    READING_FOREIGN
};
static const char *const reading_faults[] = {"none", "name", "unit", "nan", "why", "many", "foreign", NULL};
static const char *const faults[] = {"none", "error", "crash", "hang", "oom", "exit", NULL};

#define MEMBER(type_, member_) .name = #member_, .type = type_, .offset = offsetof(struct null, member_)
#define EVENT(member_, text)                                                                     \
    {                                                                                            \
        MEMBER(TARE_OPT_I64, member_), .def = "-1", .min = -1, .max = INT64_MAX, .unit = "item", \
                                       .help = text                                              \
    }

static const struct tare_opt options[] = {
    {MEMBER(TARE_OPT_NS, first_ns), .def = "0", .min = 0, .max = INT64_MAX, .unit = "ns",
     .help = "time from the request to its first token, spun to the deadline"},
    {MEMBER(TARE_OPT_NS, token_ns), .def = "0", .min = 0, .max = INT64_MAX, .unit = "ns",
     .help = "time from each token to the next"},
    {MEMBER(TARE_OPT_NS, score_ns), .def = "0", .min = 0, .max = INT64_MAX, .unit = "ns",
     .help = "time of a score request"},
    {MEMBER(TARE_OPT_I64, work_rounds), .def = "0", .min = 0, .max = INT64_MAX,
     .help = "arithmetic of each request: fixed work that takes what time it takes, unlike a delay"},
    {MEMBER(TARE_OPT_NS, load_ns), .def = "0", .min = 0, .max = INT64_MAX, .unit = "ns",
     .help = "time that loading takes"},
    {MEMBER(TARE_OPT_I64, tokens), .def = "-1", .min = -1, .max = 1 << 30, .unit = "tok",
     .help = "tokens a request generates; -1: as many as it may"},
    {MEMBER(TARE_OPT_BYTES, alloc_bytes), .def = "0", .min = 0, .max = INT64_MAX, .unit = "B",
     .help = "memory touched while loading and kept"},
    {MEMBER(TARE_OPT_BYTES, request_alloc_bytes), .def = "0", .min = 0, .max = INT64_MAX, .unit = "B",
     .help = "memory touched and freed by each request"},
    EVENT(error_at, "report a failure at this item"),
    EVENT(crash_at, "die of SIGSEGV at this item"),
    EVENT(hang_at, "never answer this item"),
    EVENT(oom_at, "allocate without end at this item"),
    EVENT(exit_at, "leave the process with exit status 7 at this item"),
    {MEMBER(TARE_OPT_CHOICE, fail_in_load), .def = "none", .choices = faults, .help = "fault while loading"},
    {MEMBER(TARE_OPT_F64, logprob), .def = "-1", .min = -1000000, .max = 0, .unit = "nats",
     .help = "log-probability of every scored token"},
    {MEMBER(TARE_OPT_BOOL, greedy), .def = "true", .help = "every scored token is the most probable one"},
    {MEMBER(TARE_OPT_I64, wrong_every), .def = "0", .min = 0, .max = INT64_MAX, .unit = "item",
     .help = "and none of every so many items' tokens is: a loss of known size; 0: not so"},
    {MEMBER(TARE_OPT_STR, answer), .def = "a", .help = "bytes generated in turn, one a token"},
    {MEMBER(TARE_OPT_I64, ctx_tok), .def = "512", .min = 1, .max = 1 << 30, .unit = "tok",
     .help = "context size that it claims"},
    {MEMBER(TARE_OPT_I64, flops_per_tok), .def = "-1", .min = -1, .max = 1000000000000,
     .help = "FLOPs counted for each token; -1: not counted"},
    {MEMBER(TARE_OPT_BYTES, stored_bytes), .def = "0", .min = 0, .max = INT64_MAX, .unit = "B",
     .help = "size of weights that it reports; 0: none"},
    {MEMBER(TARE_OPT_BOOL, varying), .def = "false",
     .help = "report another count of requests in every process"},
    {MEMBER(TARE_OPT_CHOICE, reading_fault), .def = "none", .choices = reading_faults,
     .help = "what is wrong with a reading of its own"},
    TARE_OPT_END};

static int64_t clock_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* Spins: a sleep would add the timer's slack and the wake-up to a delay that must be exact. */
static void spin_until(int64_t deadline_ns)
{
    while (clock_ns() < deadline_ns) {
    }
}

/* Without this a compiler may drop a block that nobody reads, and clang does. */
static void keep(const void *block)
{
    __asm__ volatile("" : : "r"(block) : "memory");
}

/* Fills memory until the system says no. The pages are touched, so that a limit really bites. */
static int exhaust_memory(struct tare_err *err)
{
    const size_t step = (size_t)64 << 20;
    for (;;) {
        char *block = malloc(step); /* NOLINT(clang-analyzer-unix.Malloc): lost on purpose */
        if (!block) {
            return tare_err_set(err, TARE_E_NOMEM, "null: out of memory, as told");
        }
        memset(block, 1, step);
        keep(block);
    }
}

static int strike(enum fault fault, const char *where, struct tare_err *err)
{
    switch (fault) {
    case FAULT_ERROR:
        return tare_err_set(err, TARE_E_BACKEND, "null: failure %s, as told", where);
    case FAULT_CRASH:
        raise(SIGSEGV);
        return tare_err_set(err, TARE_E_BACKEND, "null: SIGSEGV did not kill");
    case FAULT_HANG:
        for (;;) {
            pause();
        }
    case FAULT_OOM:
        return exhaust_memory(err);
    case FAULT_EXIT:
        _exit(7);
    default:
        return 0;
    }
}

static int null_load(void *self, const struct tare_load *load, struct tare_err *err)
{
    struct null *n = self;
    int64_t begin_ns = clock_ns();
    (void)load;
    int r = strike((enum fault)n->fail_in_load, "while loading", err);
    if (r < 0) {
        return r;
    }
    if (n->alloc_bytes > 0) {
        n->ballast = malloc((size_t)n->alloc_bytes);
        if (!n->ballast) {
            return tare_err_set(err, TARE_E_NOMEM, "null: %lld bytes were refused",
                                (long long)n->alloc_bytes);
        }
        memset(n->ballast, 1, (size_t)n->alloc_bytes);
    }
    spin_until(begin_ns + n->load_ns);
    return 0;
}

static int null_describe(void *self, struct tare_model_facts *out, struct tare_err *err)
{
    const struct null *n = self;
    (void)err;
    (void)snprintf(out->arch, sizeof out->arch, "null");
    (void)snprintf(out->name, sizeof out->name, "null");
    (void)snprintf(out->tokenizer, sizeof out->tokenizer, "bytes");
    out->n_ctx = n->ctx_tok;
    out->n_vocab = bos_token + 1;
    out->bos = bos_token;
    return 0;
}

static int null_tokenize(void *self, const char *text, size_t n_text, int32_t *ids, uint32_t *ends,
                         size_t cap, size_t *out_n, struct tare_err *err)
{
    (void)self;
    (void)err;
    for (size_t i = 0; i < n_text && i < cap; i++) {
        ids[i] = (unsigned char)text[i];
        ends[i] = (uint32_t)i + 1;
    }
    *out_n = n_text;
    return 0;
}

static int check_events(const struct null *n, uint64_t id, struct tare_err *err)
{
    int64_t item = (int64_t)(id >> item_shift);
    const struct {
        int64_t at;
        enum fault fault;
    } events[] = {{n->error_at, FAULT_ERROR},
                  {n->crash_at, FAULT_CRASH},
                  {n->hang_at, FAULT_HANG},
                  {n->oom_at, FAULT_OOM},
                  {n->exit_at, FAULT_EXIT}};
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        if (events[i].at == item) {
            char where[48];
            (void)snprintf(where, sizeof where, "at item %lld", (long long)item);
            return strike(events[i].fault, where, err);
        }
    }
    return 0;
}

/* Arithmetic in registers that no compiler can leave out. */
static void work(int64_t rounds)
{
    uint64_t x = UINT64_C(88172645463325252);
    for (int64_t i = 0; i < rounds; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        __asm__ volatile("" : "+r"(x));
    }
}

static int touch(const struct null *n, struct tare_err *err)
{
    if (n->request_alloc_bytes == 0) {
        return 0;
    }
    char *block = malloc((size_t)n->request_alloc_bytes);
    if (!block) {
        return tare_err_set(err, TARE_E_NOMEM, "null: %lld bytes were refused",
                            (long long)n->request_alloc_bytes);
    }
    memset(block, 1, (size_t)n->request_alloc_bytes);
    keep(block);
    free(block);
    return 0;
}

static void generate(const struct null *n, const struct tare_request *q, struct tare_sink *sink,
                     int64_t begin_ns)
{
    uint32_t count = n->tokens >= 0 && n->tokens < q->max_output ? (uint32_t)n->tokens : q->max_output;
    size_t n_answer = strlen(n->answer);
    int64_t deadline_ns = begin_ns + n->first_ns;
    for (uint32_t i = 0; i < count; i++) {
        if (n->first_ns || n->token_ns) {
            spin_until(deadline_ns);
        }
        const char *byte = n_answer ? &n->answer[i % n_answer] : "";
        if (sink->token(sink, q->id, (unsigned char)*byte, byte, n_answer ? 1 : 0)) {
            return;
        }
        deadline_ns += n->token_ns;
    }
}

static int null_submit(void *self, const struct tare_request *q, struct tare_sink *sink, struct tare_err *err)
{
    struct null *n = self;
    n->requests++;
    int64_t begin_ns = n->first_ns || n->token_ns || n->score_ns ? clock_ns() : 0;
    int r = check_events(n, q->id, err);
    r = r == 0 ? touch(n, err) : r;
    if (r < 0) {
        return r;
    }
    work(n->work_rounds);
    if (q->kind == TARE_REQUEST_GENERATE) {
        generate(n, q, sink, begin_ns);
        return 0;
    }
    if (q->kind != TARE_REQUEST_SCORE) {
        return tare_err_set(err, TARE_E_UNSUPPORTED, "null: has no logits");
    }
    int64_t item = (int64_t)(q->id >> item_shift);
    bool greedy = n->greedy && !(n->wrong_every > 0 && item % n->wrong_every == n->wrong_every - 1);
    for (uint32_t i = q->first; i < q->n_tokens; i++) {
        sink->score(sink, q->id, i, n->logprob, greedy);
    }
    if (n->score_ns) {
        spin_until(begin_ns + n->score_ns);
    }
    return 0;
}

static int null_account(void *self, const struct tare_work *work, struct tare_cost *out, struct tare_err *err)
{
    const struct null *n = self;
    if (n->flops_per_tok < 0) {
        return tare_err_set(err, TARE_E_UNSUPPORTED, "null: told not to count");
    }
    out->prefill_flops = n->flops_per_tok * work->prompt_tok;
    out->decode_flops = work->output_tok > 1 ? n->flops_per_tok * (work->output_tok - 1) : 0;
    return 0;
}

static void add_wrong(const struct null *n, struct tare_readings *to)
{
    struct tare_reading r = {.name = "wrong",
                             .unit = "1",
                             .scope = "process",
                             .source = "null's doing",
                             .kind = TARE_KIND_COUNTED,
                             .value = 1};
    switch ((enum reading_fault)n->reading_fault) {
    case READING_FINE:
        return;
    case READING_NAME:
        r.name = "Not A Name";
        break;
    case READING_UNIT:
        r.unit = NULL;
        break;
    case READING_NAN:
        r.value = strtod("nan", NULL);
        break;
    case READING_WHY:
        r.absent = true;
        break;
    case READING_MANY:
        for (int i = 0; i < 1000; i++) {
            to->add(to, &r);
        }
        break;
    case READING_FOREIGN:
        r.name = "request_throughput";
        break;
    }
    to->add(to, &r);
}

static void null_readings(void *self, int measured, struct tare_readings *to)
{
    struct null *n = self;
    if (measured) {
        struct tare_reading r = {.name = "requests",
                                 .unit = "1",
                                 .scope = "process",
                                 .source = "submit calls",
                                 .kind = TARE_KIND_COUNTED,
                                 .value = (double)n->requests + (n->varying ? (double)getpid() : 0)};
        to->add(to, &r);
        add_wrong(n, to);
    } else {
        struct tare_reading r = {.name = "weights_stored_bytes",
                                 .unit = "B",
                                 .scope = "model",
                                 .source = "option stored_bytes",
                                 .kind = TARE_KIND_DECLARED,
                                 .absent = n->stored_bytes == 0,
                                 .value = (double)n->stored_bytes,
                                 .why = "null: told no size"};
        to->add(to, &r);
    }
    n->requests = 0;
}

static void null_unload(void *self)
{
    struct null *n = self;
    free(n->ballast);
    n->ballast = NULL;
}

static void null_close(void *self)
{
    null_unload(self);
}

TARE_EXPORT extern const struct tare_backend tare_plugin;
const struct tare_backend tare_plugin = {
    .header = TARE_BACKEND_HEADER,
    .name = "null",
    .summary = "no model: exact delays, tokens, memory and faults, to test tare itself",
    .caps = TARE_CAP_SCORE | TARE_CAP_GENERATE | TARE_CAP_TOKENIZE,
    .priv_size = sizeof(struct null),
    .options = options,
    .load = null_load,
    .describe = null_describe,
    .tokenize = null_tokenize,
    .submit = null_submit,
    .account = null_account,
    .account_convention = "declared by the option flops_per_tok",
    .account_kind = TARE_KIND_DECLARED,
    .readings = null_readings,
    .unload = null_unload,
    .close = null_close,
};
