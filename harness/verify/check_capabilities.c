/* SPDX-License-Identifier: Apache-2.0 */
/* Every capability that is claimed is used once. */
#include "verify/verify.h"

static int probe(struct tare_verify *v, const char *name, const struct tare_wire_ask *ask,
                 struct tare_err *err)
{
    struct tare_wire_answer answer;
    int r = tare_verify_try(v, ask, 1, &answer, err);
    if (r == 0) {
        (void)tare_verify_require(v, answer.code == 0, "it claims the capability %s, but: %s", name,
                                  answer.message);
    }
    return r;
}

static int probe_tokenizer(struct tare_verify *v, struct tare_err *err)
{
    struct tare_wire_tokens tokens;
    int r = tare_verify_session_tokenize(&v->session, "one two", 7, &v->arena, &tokens, err);
    if (r == 0) {
        (void)tare_verify_require(v, tokens.code == 0 && tokens.n > 0,
                                  "it claims the capability tokenize, but: %s",
                                  tokens.code < 0 ? tokens.message : "it makes no tokens");
    }
    return r;
}

static int run(struct tare_verify *v, struct tare_err *err)
{
    struct tare_verify_tokens t = {NULL, 0};
    uint32_t caps = v->session.hello.caps;
    int r = caps & TARE_CAP_TOKENIZE ? probe_tokenizer(v, err) : 0;
    if (r != 0 || v->result.outcome == TARE_VERIFY_FAILED) {
        return r;
    }
    r = tare_verify_draw(v, "text", 12, &t, err);
    const struct tare_wire_ask score = tare_verify_score(t, 4, 0), generate = tare_verify_generate(t, 3);
    struct tare_wire_ask logits = score, sampled = generate;
    logits.kind = TARE_REQUEST_LOGITS;
    sampled.temperature = 1;
    sampled.seed = 7;
    r = r == 0 && (caps & TARE_CAP_SCORE) ? probe(v, "score", &score, err) : r;
    r = r == 0 && (caps & TARE_CAP_GENERATE) ? probe(v, "generate", &generate, err) : r;
    r = r == 0 && (caps & TARE_CAP_LOGITS) ? probe(v, "logits", &logits, err) : r;
    r = r == 0 && (caps & TARE_CAP_SAMPLED) && (caps & TARE_CAP_GENERATE) ? probe(v, "sampled", &sampled, err)
                                                                          : r;
    if (r == 0 && (caps & TARE_CAP_TECHNIQUE)) {
        tare_verify_note(v, "technique was not probed: which tags it knows cannot be asked");
    }
    return r;
}

const struct tare_verify_check tare_verify_check_capabilities = {
    .name = "capabilities", .proves = "every capability that it claims works", .run = run};
