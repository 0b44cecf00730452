/* SPDX-License-Identifier: Apache-2.0 */
/* What checks ask with: drawn texts as tokens, requests, fresh processes. */
#include "verify/verify.h"

#include <math.h>
#include <string.h>

/* Words that a tokenizer may stumble over are among them. */
static const char *const words[] = {"the",    "river",  "seven", "Ångström", "naïve", "été",   "über",
                                    "señor",  "façade", "stone", "it's",     "4711",  "3.14",  "(x+y)",
                                    "Bread",  "quiet",  "and",   "of",       "works", "green", "\"so\"",
                                    "window", "a",      "cœur",  "low",      "under", "mint",  "zebra"};
enum { n_words = sizeof words / sizeof *words, most_drawn = 2048, first_bytes_per_tok = 8 };

bool tare_verify_has_bos(const struct tare_verify *v)
{
    return v->session.hello.bos != TARE_UNKNOWN;
}

uint32_t tare_verify_context(const struct tare_verify *v, bool *out_cut)
{
    int64_t most = v->args->most_context_tok, n_ctx = v->session.hello.n_ctx;
    *out_cut = n_ctx == TARE_UNKNOWN || n_ctx > most;
    return (uint32_t)(*out_cut ? most : n_ctx);
}

static void write_text(struct tare_rng *rng, struct tare_buf *to, size_t n_bytes)
{
    while (to->used < n_bytes && !to->failed) {
        tare_buf_add_str(to, words[tare_rng_below(rng, n_words)]);
        tare_buf_add_str(to, to->used + 2 >= n_bytes ? "." : tare_rng_below(rng, 12) == 0 ? ".\n" : " ");
    }
}

/* Tokens of a drawn text, at least n of them. */
static int draw_text(struct tare_verify *v, struct tare_rng rng, uint32_t n, int32_t *to,
                     struct tare_err *err)
{
    int r = 0;
    uint32_t have = 0;
    for (size_t bytes = n * (size_t)first_bytes_per_tok + 64; r == 0 && have < n; bytes *= 2) {
        struct tare_buf text;
        struct tare_wire_tokens tokens;
        struct tare_rng again = rng;
        tare_buf_init(&text, 1 << 24);
        write_text(&again, &text, bytes);
        r = tare_buf_check(&text, "text", err);
        r = r == 0 ? tare_verify_tokenize(v, text.data, text.used, &tokens, err) : r;
        tare_buf_fini(&text);
        if (r == 0 && tokens.n == 0) {
            (void)tare_verify_require(v, false, "its tokenizer makes no tokens of a text of %zu bytes",
                                      bytes);
            return 1;
        }
        have = r == 0 ? tokens.n : 0;
        if (have >= n) {
            memcpy(to, tokens.ids, n * sizeof *to);
        }
    }
    return r;
}

static void draw_ids(const struct tare_verify *v, struct tare_rng rng, uint32_t n, int32_t *to)
{
    for (uint32_t i = 0; i < n; i++) {
        int64_t id = (int64_t)tare_rng_below(&rng, (uint64_t)v->session.hello.n_vocab);
        to[i] = (int32_t)(id == v->session.hello.bos ? (id + 1) % v->session.hello.n_vocab : id);
    }
}

int tare_verify_has_tokenizer(struct tare_verify *v, bool *out, struct tare_err *err)
{
    struct tare_wire_tokens tokens;
    *out = v->session.hello.caps & TARE_CAP_TOKENIZE;
    int r = *out ? tare_verify_session_tokenize(&v->session, "a", 1, &v->arena, &tokens, err) : 0;
    *out = *out && !(r == 0 && tokens.code == TARE_E_UNSUPPORTED);
    return r;
}

/* n tokens without the first; long ones repeat themselves. */
static int draw_body(struct tare_verify *v, const char *label, uint32_t n, int32_t *to, struct tare_err *err)
{
    uint32_t drawn = n < most_drawn ? n : most_drawn;
    struct tare_rng rng = tare_rng_split(&v->rng, label, 0);
    bool by_text = false;
    int r = tare_verify_has_tokenizer(v, &by_text, err);
    if (r == 0 && by_text) {
        r = draw_text(v, rng, drawn, to, err);
    } else if (r == 0 && v->session.hello.n_vocab < 2) {
        (void)tare_verify_absent(
            v, "without a tokenizer and a known vocabulary there are no tokens to ask about");
        r = 1;
    } else if (r == 0) {
        draw_ids(v, rng, drawn, to);
    }
    for (uint32_t i = drawn; r == 0 && i < n; i++) {
        to[i] = to[i - drawn];
    }
    return r;
}

int tare_verify_draw(struct tare_verify *v, const char *label, uint32_t n, struct tare_verify_tokens *out,
                     struct tare_err *err)
{
    uint32_t bos = tare_verify_has_bos(v);
    if (v->session.hello.caps & TARE_CAP_TEXT_ONLY) {
        (void)tare_verify_absent(v, "the backend understands text only, and this needs token ids");
        return 1;
    }
    int32_t *tokens = tare_arena_array(&v->arena, n + (size_t)1, sizeof *tokens);
    if (!tokens) {
        return tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    tokens[0] = (int32_t)v->session.hello.bos;
    *out = (struct tare_verify_tokens){tokens, n};
    return n > bos ? draw_body(v, label, n - bos, tokens + bos, err) : 0;
}

int tare_verify_join(struct tare_verify *v, struct tare_verify_tokens a, uint32_t at,
                     struct tare_verify_tokens b, struct tare_verify_tokens *out, struct tare_err *err)
{
    int32_t *tokens = tare_arena_copy(&v->arena, b.tokens, b.n * sizeof *tokens);
    if (!tokens) {
        return tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    memcpy(tokens, a.tokens, at * sizeof *tokens);
    *out = (struct tare_verify_tokens){tokens, b.n};
    return 0;
}

struct tare_wire_ask tare_verify_score(struct tare_verify_tokens t, uint32_t first, uint32_t shared_prefix)
{
    return (struct tare_wire_ask){.kind = TARE_REQUEST_SCORE,
                                  .tokens = t.tokens,
                                  .n_tokens = t.n,
                                  .first = first,
                                  .shared_prefix = shared_prefix};
}

struct tare_wire_ask tare_verify_generate(struct tare_verify_tokens t, uint32_t max_output)
{
    return (struct tare_wire_ask){.kind = TARE_REQUEST_GENERATE,
                                  .tokens = t.tokens,
                                  .n_tokens = t.n,
                                  .first = t.n,
                                  .max_output = max_output};
}

int tare_verify_try(struct tare_verify *v, const struct tare_wire_ask *asks, uint32_t n,
                    struct tare_wire_answer *answers, struct tare_err *err)
{
    return tare_verify_session_ask(&v->session, asks, n, &v->arena, answers, err);
}

int tare_verify_ask(struct tare_verify *v, const struct tare_wire_ask *asks, uint32_t n,
                    struct tare_wire_answer *answers, struct tare_err *err)
{
    static const char *const kinds[] = {"?", "score", "generate", "logits"};
    int r = tare_verify_try(v, asks, n, answers, err);
    for (uint32_t i = 0; r == 0 && i < n; i++) {
        if (!tare_verify_require(v, answers[i].code == 0, "a %s request of %u tokens %s: %s",
                                 kinds[asks[i].kind & 3], asks[i].n_tokens,
                                 answers[i].broke ? "was answered against the contract" : "failed",
                                 answers[i].message)) {
            r = 1;
        }
    }
    return r;
}

/* What the harness would refuse before a run is a fault here. */
bool tare_verify_covers(const struct tare_wire_tokens *t, size_t n)
{
    uint32_t before = 0;
    for (uint32_t i = 0; i < t->n; i++) {
        if (t->ends[i] < before || t->ends[i] > n) {
            return false;
        }
        before = t->ends[i];
    }
    return before == n;
}

int tare_verify_tokenize(struct tare_verify *v, const char *text, size_t n, struct tare_wire_tokens *out,
                         struct tare_err *err)
{
    int r = tare_verify_session_tokenize(&v->session, text, n, &v->arena, out, err);
    if (r != 0) {
        return r;
    }
    if (out->code == TARE_E_UNSUPPORTED) {
        (void)tare_verify_absent(v, "the loaded model has no tokenizer: %.200s", out->message);
        return 1;
    }
    bool ok = tare_verify_require(v, out->code == 0, "tokenizing %zu bytes failed: %s", n, out->message) &&
              tare_verify_require(v, tare_verify_covers(out, n),
                                  "the tokens of \"%.*s\" do not cover its %zu bytes in order: the last one "
                                  "ends at %u",
                                  (int)(n < 40 ? n : 40), text, n, out->n ? out->ends[out->n - 1] : 0);
    return ok ? 0 : 1;
}

int tare_verify_restart(struct tare_verify *v, struct tare_err *err)
{
    int r = tare_verify_session_stop(&v->session, err);
    return r == 0 ? tare_verify_session_start(&v->session, err) : r;
}

int tare_verify_needs_context(struct tare_verify *v, struct tare_err *err)
{
    struct tare_verify_tokens a = {NULL, 0}, b = {NULL, 0}, other = {NULL, 0};
    struct tare_wire_answer answers[2];
    int r = tare_verify_draw(v, "context", 12, &a, err);
    r = r == 0 ? tare_verify_draw(v, "another context", 12, &other, err) : r;
    r = r == 0 ? tare_verify_join(v, other, 8, a, &b, err) : r;
    if (r != 0) {
        return r;
    }
    const struct tare_wire_ask asks[] = {tare_verify_score(a, 8, 0), tare_verify_score(b, 8, 0)};
    r = tare_verify_ask(v, asks, 2, answers, err);
    for (uint32_t i = 0; r == 0 && i < answers[0].n; i++) {
        if (fabs(answers[0].logprob[i] - answers[1].logprob[i]) > v->args->tolerance_nats) {
            return 0;
        }
    }
    if (r == 0) {
        (void)tare_verify_absent(v, "its scores do not depend on what stands before, so this could not show");
        r = 1;
    }
    return r;
}

/* Log-probability of one token behind the prompt and the tokens that both outputs begin with. */
static int score_next(struct tare_verify *v, struct tare_verify_tokens prompt, const int32_t *common,
                      uint32_t n_common, int32_t next, double *out, struct tare_err *err)
{
    struct tare_wire_answer answer;
    uint32_t n = prompt.n + n_common + 1;
    int32_t *tokens = tare_arena_array(&v->arena, n, sizeof *tokens);
    if (!tokens) {
        return tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    memcpy(tokens, prompt.tokens, prompt.n * sizeof *tokens);
    memcpy(tokens + prompt.n, common, n_common * sizeof *tokens);
    tokens[n - 1] = next;
    const struct tare_wire_ask ask = tare_verify_score((struct tare_verify_tokens){tokens, n}, n - 1, 0);
    int r = tare_verify_ask(v, &ask, 1, &answer, err);
    *out = r == 0 ? answer.logprob[0] : 0;
    return r;
}

int tare_verify_same_output(struct tare_verify *v, struct tare_verify_tokens prompt,
                            const struct tare_wire_answer *a, const struct tare_wire_answer *b,
                            const char *what, struct tare_err *err)
{
    uint32_t i = 0, n = a->n_tokens < b->n_tokens ? a->n_tokens : b->n_tokens;
    while (i < n && a->tokens[i] == b->tokens[i]) {
        i++;
    }
    if (i == n) {
        (void)tare_verify_require(v, a->n_tokens == b->n_tokens, "%s: %u and then %u tokens", what,
                                  a->n_tokens, b->n_tokens);
        return 0;
    }
    double first = 0, second = 0;
    if (!(v->session.hello.caps & TARE_CAP_SCORE)) {
        (void)tare_verify_require(v, false, "%s: token %u is %d and then %d", what, i + 1, a->tokens[i],
                                  b->tokens[i]);
        return 0;
    }
    int r = score_next(v, prompt, a->tokens, i, a->tokens[i], &first, err);
    r = r == 0 ? score_next(v, prompt, a->tokens, i, b->tokens[i], &second, err) : r;
    if (r == 0 && fabs(first - second) <= v->args->tolerance_nats) {
        tare_verify_note(v, "%s: parted at token %u, where two tokens are as probable", what, i + 1);
        v->result.compared++;
    } else if (r == 0) {
        (void)tare_verify_require(v, false,
                                  "%s: token %u is %d and then %d; their log-probabilities are %.6g and %.6g",
                                  what, i + 1, a->tokens[i], b->tokens[i], first, second);
    }
    return r;
}
