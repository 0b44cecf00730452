/* SPDX-License-Identifier: Apache-2.0 */
/* Per-token log-probabilities against another backend with the same model: the only check that sees a fault
 * which is the same in every answer. */
#include "verify/other.h"

#include <math.h>
#include <string.h>

enum { n_texts = 8, n_tokens = 64 };

static int draw_all(struct tare_verify *v, struct tare_verify_tokens *t, struct tare_err *err)
{
    bool cut;
    uint32_t n_ctx = tare_verify_context(v, &cut), most = n_ctx < n_tokens ? n_ctx : n_tokens;
    int r = 0;
    for (uint32_t i = 0; r == 0 && i < n_texts; i++) {
        char label[16];
        (void)snprintf(label, sizeof label, "text %u", i);
        r = tare_verify_draw(v, label, most - 5 * i, &t[i], err);
    }
    return r;
}

static bool same_ids(const struct tare_wire_tokens *a, const struct tare_wire_tokens *b)
{
    return a->n == b->n && memcmp(a->ids, b->ids, a->n * sizeof *a->ids) == 0;
}

/* Why ids do not mean the same in both; NULL if they do, as far as one text shows. */
static const char *useless(const struct tare_wire_hello *own, const struct tare_wire_hello *other,
                           const struct tare_wire_tokens *ours, const struct tare_wire_tokens *theirs)
{
    return !(other->caps & TARE_CAP_SCORE)                   ? "it does not score"
           : other->bos != own->bos                          ? "it has another beginning-of-sequence token"
           : other->n_vocab != own->n_vocab                  ? "it has a vocabulary of another size"
           : ours->n && theirs->n && !same_ids(ours, theirs) ? "it makes other tokens of the same text"
                                                             : NULL;
}

/* 1: the reference cannot be used, told as absent. */
static int check_alike(struct tare_verify *v, struct tare_err *err)
{
    static const char text[] = "The river, 4711 seven stones: na\xc3\xafve (x+y)\n\tand so on.";
    const struct tare_wire_hello own = v->session.hello;
    struct tare_wire_hello other;
    struct tare_wire_tokens ours = {.n = 0}, theirs = {.n = 0};
    char why[TARE_WIRE_MESSAGE] = "";
    bool by_text = false;
    int r = tare_verify_has_tokenizer(v, &by_text, err);
    r = r == 0 && by_text ? tare_verify_tokenize(v, text, sizeof text - 1, &ours, err) : r;
    r = r == 0 ? tare_verify_other_tokenize(v, v->args->reference, text, sizeof text - 1, &other, &theirs,
                                            why, sizeof why, err)
               : r;
    if (r == 1 && why[0]) {
        (void)tare_verify_absent(v, "the reference %.60s cannot be used: %s", v->args->reference_name, why);
    }
    if (r != 0) {
        return r;
    }
    const char *why_not = useless(&own, &other, &ours, &theirs);
    if (why_not) {
        (void)tare_verify_absent(v, "the reference %.60s is of no use: %s", v->args->reference_name, why_not);
    }
    return why_not ? 1 : 0;
}

static double largest(const struct tare_wire_answer *a, uint32_t from_a, const struct tare_wire_answer *b,
                      uint32_t from_b, uint32_t n)
{
    double most = 0;
    for (uint32_t i = 0; i < n; i++) {
        most = fmax(most, fabs(a->logprob[from_a + i] - b->logprob[from_b + i]));
    }
    return most;
}

/* Would the reference say what the backend said, if it had been given one beginning-of-sequence token more?
 */
static int name_cause(struct tare_verify *v, struct tare_verify_tokens t, const struct tare_wire_answer *own,
                      struct tare_err *err)
{
    struct tare_wire_answer answers[2];
    char why[TARE_WIRE_MESSAGE];
    int32_t *tokens = tare_arena_array(&v->arena, t.n + (size_t)1, sizeof *tokens);
    if (!tokens) {
        return tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    tokens[0] = t.tokens[0];
    memcpy(tokens + 1, t.tokens, t.n * sizeof *tokens);
    const struct tare_verify_tokens doubled = {tokens, t.n + 1}, bare = {t.tokens + 1, t.n - 1};
    const struct tare_wire_ask asks[] = {tare_verify_score(doubled, 2, 0), tare_verify_score(bare, 1, 0)};
    int r = tare_verify_other_ask(v, v->args->reference, asks, 2, answers, why, sizeof why, err);
    const char *name = r != 0 ? NULL
                       : largest(own, 0, &answers[0], 0, t.n - 1) <= v->args->tolerance_nats
                           ? "it was doubled"
                       : largest(own, 1, &answers[1], 0, t.n - 2) <= v->args->tolerance_nats ? "it was lost"
                                                                                             : NULL;
    if (name) {
        (void)tare_verify_require(
            v, false,
            "log-probabilities differ from %.60s's by up to %.6g nats, and equal them as if the "
            "beginning-of-sequence token had been put differently: %s",
            v->args->reference_name, v->result.difference, name);
    }
    return r < 0 ? r : 0;
}

static int run(struct tare_verify *v, struct tare_err *err)
{
    struct tare_verify_tokens t[n_texts] = {{NULL, 0}};
    struct tare_wire_answer own[n_texts], theirs[n_texts];
    struct tare_wire_ask asks[n_texts];
    char why[TARE_WIRE_MESSAGE] = "";
    uint32_t flags = 0, equal = 0;
    if (!v->args->reference) {
        return tare_verify_absent(v, "no reference was named (--against)");
    }
    int r = check_alike(v, err);
    r = r == 0 ? draw_all(v, t, err) : r;
    for (uint32_t i = 0; r == 0 && i < n_texts; i++) {
        asks[i] = tare_verify_score(t[i], 1, 0);
        r = tare_verify_ask(v, &asks[i], 1, &own[i], err);
    }
    bool has_bos = tare_verify_has_bos(v);
    r = r == 0 ? tare_verify_other_ask(v, v->args->reference, asks, n_texts, theirs, why, sizeof why, err)
               : r;
    if (r == 1 && why[0]) {
        return tare_verify_absent(v, "the reference %.60s could not answer: %s", v->args->reference_name,
                                  why);
    }
    for (uint32_t i = 0; r == 0 && i < n_texts; i++) {
        char what[64];
        (void)snprintf(what, sizeof what, "text %u against %.30s", i + 1, v->args->reference_name);
        tare_verify_same_scores(v, &own[i], 0, &theirs[i], t[i].n - 1, what);
        for (uint32_t k = 0; k < own[i].n && k < theirs[i].n; k++) {
            flags++;
            equal += own[i].greedy[k] == theirs[i].greedy[k];
        }
    }
    if (r == 0 && v->result.difference > v->result.tolerance && has_bos) {
        r = name_cause(v, t[0], &own[0], err);
    }
    tare_verify_note(v, "%u log-probabilities against %.60s; %u of %u greedy flags equal", flags,
                     v->args->reference_name, equal, flags);
    return r;
}

const struct tare_verify_check tare_verify_check_reference = {
    .name = "reference",
    .proves = "log-probabilities of every token agree with those of another backend",
    .needs = TARE_CAP_SCORE,
    .run = run};
