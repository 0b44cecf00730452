/* SPDX-License-Identifier: Apache-2.0 */
/* Entries into tokens, then the proof that they are the prompt's. */
#include "echo.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One entry as told. `text` is the answer's. */
struct entry {
    const char *text; /* NULL: not told */
    double logprob;
    bool greedy;
};

struct entries {
    struct entry *list;
    size_t n;
};

static int no_memory(struct tare_err *err)
{
    return tare_err_set(err, TARE_E_NOMEM, "out of memory for log-probabilities");
}

static double number(const struct tare_json *json)
{
    return tare_json_type(json) == TARE_JSON_NUMBER ? tare_json_num(json) : (double)NAN;
}

static const struct tare_json *first_choice(const struct tare_json *answer)
{
    return tare_json_first(tare_json_get(answer, "choices"));
}

static int absent(const char *what, struct tare_err *err)
{
    return tare_err_set(err, TARE_E_UNSUPPORTED, "the answer has no %s of the prompt", what);
}

static int take_entries(const struct tare_json *array, const char *what, struct entries *out,
                        struct tare_err *err)
{
    if (tare_json_type(array) != TARE_JSON_ARRAY || tare_json_size(array) == 0) {
        return absent(what, err);
    }
    out->n = tare_json_size(array);
    out->list = calloc(out->n, sizeof *out->list);
    return out->list ? 0 : no_memory(err);
}

/* {"tokens": [...], "token_logprobs": [null, ...], "top_logprobs": [null, {...}, ...]} */
static int read_echoed(const struct tare_json *answer, struct entries *out, struct tare_err *err)
{
    const struct tare_json *all = tare_json_get(first_choice(answer), "logprobs");
    const struct tare_json *tokens = tare_json_get(all, "tokens");
    const struct tare_json *logprobs = tare_json_get(all, "token_logprobs");
    const struct tare_json *tops = tare_json_get(all, "top_logprobs");
    int r = take_entries(tokens, "logprobs.tokens", out, err);
    if (r == 0 && tare_json_size(logprobs) != out->n) {
        return absent("logprobs.token_logprobs", err);
    }
    const struct tare_json *t = tare_json_first(tokens), *l = tare_json_first(logprobs);
    const struct tare_json *top = tare_json_size(tops) == out->n ? tare_json_first(tops) : NULL;
    for (size_t i = 0; r == 0 && i < out->n; i++) {
        struct entry *e = &out->list[i];
        *e = (struct entry){
            .text = tare_json_str(t), .logprob = number(l), .greedy = top != NULL && !isnan(number(l))};
        for (const struct tare_json *other = tare_json_first(top); other; other = tare_json_next(other)) {
            e->greedy = e->greedy && !(number(other) > e->logprob);
        }
        t = tare_json_next(t);
        l = tare_json_next(l);
        top = top ? tare_json_next(top) : NULL;
    }
    return r;
}

/* {"ID": {"logprob": x, "rank": n, "decoded_token": "..."}}: the likeliest and, if it is another, the
 * prompt's own, which then is the one that does not have rank 1. */
static struct entry own_entry(const struct tare_json *alternatives)
{
    struct entry e = {.logprob = (double)NAN};
    double worst = 0;
    for (const struct tare_json *o = tare_json_first(alternatives); o; o = tare_json_next(o)) {
        double rank = number(tare_json_get(o, "rank"));
        if (rank > worst) {
            worst = rank;
            e.text = tare_json_str(tare_json_get(o, "decoded_token"));
            e.logprob = number(tare_json_get(o, "logprob"));
            e.greedy = rank <= 1;
        }
    }
    return e;
}

static int read_prompt_logprobs(const struct tare_json *answer, struct entries *out, struct tare_err *err)
{
    const struct tare_json *array = tare_json_get(first_choice(answer), "prompt_logprobs");
    array = array ? array : tare_json_get(answer, "prompt_logprobs");
    int r = take_entries(array, "prompt_logprobs", out, err);
    const struct tare_json *one = tare_json_first(array);
    for (size_t i = 0; r == 0 && i < out->n; i++, one = tare_json_next(one)) {
        out->list[i] = own_entry(one);
    }
    return r;
}

/* Writes tokens from entry `skip` on, the first at byte `begin`, until the prompt's bytes are used up. False:
 * they are not the prompt's. */
static bool lay(const struct entries *in, size_t skip, size_t begin, const char *prompt, size_t n,
                struct echo *out)
{
    size_t at = begin;
    out->n = 0;
    for (size_t i = skip; i < in->n && at < n; i++) {
        const struct entry *e = &in->list[i];
        size_t length = e->text ? strlen(e->text) : 0;
        if (!e->text || length > n - at || memcmp(prompt + at, e->text, length) != 0) {
            return false;
        }
        out->tokens[out->n++] = (struct echo_token){at, at + length, e->logprob, e->greedy};
        at += length;
    }
    return at == n && out->n > 0;
}

/* The first entry's text may be a special token's, or not be told at all. */
static bool lay_any(const struct entries *in, const char *prompt, size_t n, struct echo *out)
{
    if (lay(in, 0, 0, prompt, n, out) || (in->n > 1 && lay(in, 1, 0, prompt, n, out))) {
        return true;
    }
    size_t rest = 0;
    for (size_t i = 1; i < in->n && !in->list[0].text; i++) {
        rest += in->list[i].text ? strlen(in->list[i].text) : n;
        if (rest >= n) {
            return false;
        }
    }
    return rest > 0 && lay(in, 1, n - rest, prompt, n, out);
}

int echo_read(const struct tare_json *answer, bool echoed, const char *prompt, size_t n, struct echo *out,
              struct tare_err *err)
{
    struct entries in = {0};
    int r = echoed ? read_echoed(answer, &in, err) : read_prompt_logprobs(answer, &in, err);
    if (r == 0 && in.n > out->cap) {
        struct echo_token *tokens = realloc(out->tokens, in.n * sizeof *tokens);
        out->tokens = tokens ? tokens : out->tokens;
        out->cap = tokens ? in.n : out->cap;
        r = tokens ? 0 : no_memory(err);
    }
    if (r == 0 && !lay_any(&in, prompt, n, out)) {
        r = tare_err_set(err, TARE_E_UNSUPPORTED,
                         "the tokens of the answer do not add up to the prompt (%zu of them)", in.n);
    }
    out->n_told = in.n;
    free(in.list);
    return r;
}

void echo_free(struct echo *echo)
{
    free(echo->tokens);
    memset(echo, 0, sizeof *echo);
}
