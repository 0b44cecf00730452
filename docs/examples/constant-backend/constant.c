/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An example of a backend that lives outside tare's tree: it needs the installed headers and no library.
 *
 * It holds no model. Every token that it is asked to score gets the same log-probability, and every
 * token that it generates is the same byte. Its tokens are the 256 bytes and a beginning-of-sequence
 * token, so the figures are known beforehand: bits per byte of any text are -logprob / ln 2, and a
 * graded token is right only if it is that byte. The default is the uniform distribution over the 257
 * tokens.
 */
#include <tare/backend.h>

#include <stddef.h>
#include <stdio.h>

enum { bos_token = 256, n_vocab = 257 };

/* The members that the option table fills; tare zeroes and frees the struct. */
struct constant {
    double logprob;
    int64_t byte;
};

static const struct tare_opt options[] = {
    {.name = "logprob",
     .type = TARE_OPT_F64,
     .offset = offsetof(struct constant, logprob),
     .def = "-5.5490760848952201", /* -ln 257 */
     .help = "log-probability of every scored token",
     .unit = "nats"},
    {.name = "byte",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct constant, byte),
     .def = "120",
     .help = "the byte that is generated, and the only one that counts as greedy",
     .min = 0,
     .max = 255},
    TARE_OPT_END,
};

/* The limits of an option table are integers, so a double is checked here. */
static int constant_load(void *self, const struct tare_load *load, struct tare_err *err)
{
    const struct constant *c = self;
    (void)load;
    if (!(c->logprob <= 0)) {
        return tare_err_set(err, TARE_E_USAGE, "constant: logprob is %g; a log-probability is at most 0",
                            c->logprob);
    }
    return 0;
}

/* What is not set here stays unknown: there are no parameters to count. */
static int constant_describe(void *self, struct tare_model_facts *out, struct tare_err *err)
{
    (void)self;
    (void)err;
    (void)snprintf(out->arch, sizeof out->arch, "constant");
    (void)snprintf(out->name, sizeof out->name, "constant");
    (void)snprintf(out->tokenizer, sizeof out->tokenizer, "bytes");
    out->n_ctx = 4096;
    out->n_vocab = n_vocab;
    out->bos = bos_token;
    return 0;
}

/* Writes no more than fits and tells how many there are; tare comes back with more room. */
static int constant_tokenize(void *self, const char *text, size_t n_text, int32_t *ids, uint32_t *ends,
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

static void generate(const struct constant *c, const struct tare_request *request, struct tare_sink *sink)
{
    const char byte = (char)(unsigned char)c->byte;
    for (uint32_t i = 0; i < request->max_output; i++) {
        if (sink->token(sink, request->id, (int32_t)c->byte, &byte, 1)) {
            return; /* a stop string matched, or tare has enough */
        }
    }
}

/* Timed: no allocation, no lock, no output. */
static int constant_submit(void *self, const struct tare_request *request, struct tare_sink *sink,
                           struct tare_err *err)
{
    const struct constant *c = self;
    switch (request->kind) {
    case TARE_REQUEST_SCORE:
        for (uint32_t i = request->first; i < request->n_tokens; i++) {
            sink->score(sink, request->id, i, c->logprob, request->tokens[i] == c->byte);
        }
        return 0;
    case TARE_REQUEST_GENERATE:
        generate(c, request, sink);
        return 0;
    default:
        return tare_err_set(err, TARE_E_UNSUPPORTED, "constant: has no distributions to give");
    }
}

static void constant_close(void *self)
{
    (void)self; /* nothing was allocated */
}

TARE_EXPORT extern const struct tare_backend tare_plugin;
const struct tare_backend tare_plugin = {
    .header = TARE_BACKEND_HEADER,
    .name = "constant",
    .summary = "an example: one log-probability, one byte",
    .caps = TARE_CAP_SCORE | TARE_CAP_GENERATE | TARE_CAP_TOKENIZE,
    .priv_size = sizeof(struct constant),
    .options = options,
    .load = constant_load,
    .describe = constant_describe,
    .tokenize = constant_tokenize,
    .submit = constant_submit,
    .close = constant_close,
};
