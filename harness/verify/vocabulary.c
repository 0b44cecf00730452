/* SPDX-License-Identifier: Apache-2.0 */
/* One request a token, some hundred a frame. */
#include "verify/vocabulary.h"

#include <stdlib.h>
#include <string.h>

enum { batch = 128 };

static int score_some(struct tare_verify *v, struct tare_verify_tokens prefix, uint32_t from, uint32_t n,
                      double *logprob, uint8_t *greedy, bool *by_rows, struct tare_err *err)
{
    struct tare_wire_ask asks[batch];
    struct tare_wire_answer answers[batch];
    int32_t *tokens = calloc((size_t)batch * (prefix.n + 1), sizeof *tokens);
    if (!tokens) {
        return tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    for (uint32_t i = 0; i < n; i++) {
        int32_t *own = tokens + (size_t)i * (prefix.n + 1);
        memcpy(own, prefix.tokens, prefix.n * sizeof *own);
        own[prefix.n] = (int32_t)(from + i);
        asks[i] = tare_verify_score((struct tare_verify_tokens){own, prefix.n + 1}, prefix.n, 0);
    }
    int r = tare_verify_ask(v, asks, n, answers, err);
    for (uint32_t i = 0; r == 0 && i < n; i++) {
        logprob[from + i] = answers[i].logprob[0];
        greedy[from + i] = answers[i].greedy[0];
        *by_rows = answers[i].by_rows;
    }
    free(tokens);
    return r;
}

int tare_verify_vocabulary(struct tare_verify *v, struct tare_verify_tokens prefix,
                           struct tare_verify_vocabulary *out, struct tare_err *err)
{
    int64_t n_vocab = v->session.hello.n_vocab;
    bool by_rows = false;
    if (n_vocab < 1 || n_vocab > TARE_VERIFY_MOST_VOCABULARY) {
        (void)tare_verify_absent(
            v, "a vocabulary of %lld tokens is unknown or too large to ask for every one (%d)",
            (long long)n_vocab, TARE_VERIFY_MOST_VOCABULARY);
        return 1;
    }
    uint32_t n = (uint32_t)n_vocab;
    double *logprob = tare_arena_array(&v->arena, n, sizeof *logprob);
    uint8_t *greedy = tare_arena_array(&v->arena, n, 1);
    int r = logprob && greedy ? 0 : tare_err_set(err, TARE_E_NOMEM, "out of memory");
    for (uint32_t from = 0; r == 0 && from < n && !by_rows; from += batch) {
        r = score_some(v, prefix, from, n - from < batch ? n - from : batch, logprob, greedy, &by_rows, err);
    }
    *out = (struct tare_verify_vocabulary){n, by_rows, logprob, greedy};
    return r;
}
