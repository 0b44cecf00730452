/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The harness puts the beginning-of-sequence token before every input. A backend that adds one itself, be it
 * in its tokenizer, where it thinks one is missing, or always, doubles it; one that drops what it is given
 * loses it.
 */
#include "verify/verify.h"

#include <math.h>
#include <string.h>

static int check_tokenizer(struct tare_verify *v, struct tare_err *err)
{
    static const char *const texts[] = {"a", "The river", " x"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct tare_wire_tokens t;
        int r = tare_verify_tokenize(v, texts[i], strlen(texts[i]), &t, err);
        if (r != 0) {
            return r;
        }
        for (uint32_t k = 0; k < t.n; k++) {
            (void)tare_verify_require(
                v, t.ids[k] != v->session.hello.bos,
                "its tokenizer adds the beginning-of-sequence token (%lld) as token %u of "
                "\"%s\": the harness's own is doubled",
                (long long)v->session.hello.bos, k + 1, texts[i]);
        }
    }
    return 0;
}

/* Scores of the same tokens with and without the first one. */
static int check_presence(struct tare_verify *v, struct tare_err *err)
{
    struct tare_verify_tokens t = {NULL, 0};
    struct tare_wire_answer answers[2];
    double apart = 0;
    int r = tare_verify_draw(v, "text", 6, &t, err);
    if (r != 0) {
        return r;
    }
    const struct tare_verify_tokens bare = {t.tokens + 1, t.n - 1};
    const struct tare_wire_ask asks[] = {tare_verify_score(t, 2, 0), tare_verify_score(bare, 1, 0)};
    r = tare_verify_ask(v, asks, 2, answers, err);
    for (uint32_t i = 0; r == 0 && i < answers[0].n && i < answers[1].n; i++) {
        apart = fmax(apart, fabs(answers[0].logprob[i] - answers[1].logprob[i]));
    }
    if (r == 0) {
        (void)tare_verify_require(
            v, apart > 0,
            "scores with and without the beginning-of-sequence token are the same: it is "
            "dropped, or added where it is missing");
    }
    return r;
}

/* A context that is exactly full holds no second one. */
static int check_room(struct tare_verify *v, struct tare_err *err)
{
    struct tare_verify_tokens t = {NULL, 0};
    struct tare_wire_answer answers[2];
    bool cut;
    uint32_t n_ctx = tare_verify_context(v, &cut);
    if (cut || n_ctx < 8) {
        tare_verify_note(v,
                         "the context is too large, too small or unknown: that none is added to what is fed "
                         "was seen by scores alone");
        return 0;
    }
    int r = tare_verify_draw(v, "full", n_ctx + 1, &t, err);
    if (r != 0) {
        return r;
    }
    struct tare_verify_tokens less = {t.tokens, n_ctx};
    const struct tare_wire_ask asks[] = {tare_verify_score(less, n_ctx - 1, 0),
                                         tare_verify_score(t, n_ctx, 0)};
    r = tare_verify_try(v, asks, 2, answers, err);
    if (r == 0 && tare_verify_require(v, answers[0].code == 0, "%u tokens do not fit a context of %u: %s",
                                      n_ctx - 1, n_ctx, answers[0].message)) {
        (void)tare_verify_require(
            v, answers[1].code == 0,
            "one token more is fed than is given, a beginning-of-sequence token of its own: "
            "%u fit a context of %u and %u do not (%.120s)",
            n_ctx - 1, n_ctx, n_ctx, answers[1].message);
    }
    return r;
}

static int run(struct tare_verify *v, struct tare_err *err)
{
    int r = 0;
    if (!tare_verify_has_bos(v)) {
        return tare_verify_absent(v, "the model has no beginning-of-sequence token");
    }
    bool by_text = false;
    r = tare_verify_has_tokenizer(v, &by_text, err);
    r = r == 0 && by_text ? check_tokenizer(v, err) : r;
    r = r == 0 ? check_room(v, err) : r;
    r = r == 0 ? tare_verify_needs_context(v, err) : r;
    return r == 0 ? check_presence(v, err) : r;
}

const struct tare_verify_check tare_verify_check_bos = {
    .name = "bos",
    .proves = "the beginning-of-sequence token is neither doubled nor lost",
    .needs = TARE_CAP_SCORE,
    .run = run};
