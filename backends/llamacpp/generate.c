/* SPDX-License-Identifier: Apache-2.0 */
/* One token after another. The sink stamps a token when it is known, before it is fed. */
#include "llamacpp.h"
#include "sample.h"

enum { piece_bytes = 1024 };

static int prefill(struct tare_llamacpp *n, const struct tare_request *q, uint32_t *out_last,
                   struct tare_err *err)
{
    uint32_t last = q->n_tokens - 1;
    int rc = 0;
    for (uint32_t at = tare_llamacpp_keep(n, q->tokens, last, q->shared_prefix); rc == 0 && at <= last;) {
        uint32_t end = q->n_tokens - at > n->n_batch ? at + n->n_batch : q->n_tokens;
        rc = tare_llamacpp_decode(n, q->tokens, at, end, last, err);
        *out_last = last - at; /* of the last batch, when the loop ends */
        at = end;
    }
    return rc;
}

/* Hands a token with its bytes to the sink: 1 to stop, 0 to go on, below 0 for a failure. */
static int give(struct tare_llamacpp *n, const struct tare_request *q, struct tare_sink *sink, int32_t id,
                struct tare_err *err)
{
    char piece[piece_bytes];
    int32_t bytes = llama_token_to_piece(n->vocab, id, piece, sizeof piece, 0, false);
    if (bytes < 0) {
        return tare_err_set(err, TARE_E_BACKEND, "llamacpp: token %d has more than %d bytes", id,
                            piece_bytes);
    }
    return sink->token(sink, q->id, id, piece, (uint32_t)bytes) != 0;
}

/* Feeds one more token behind what was fed; its row is number 0. */
static int step(struct tare_llamacpp *n, int32_t id, struct tare_err *err)
{
    uint32_t at = n->n_fed;
    n->fed[at] = id;
    return tare_llamacpp_decode(n, n->fed, at, at + 1, at, err);
}

int tare_llamacpp_generate(struct tare_llamacpp *n, const struct tare_request *q, struct tare_sink *sink,
                           struct tare_err *err)
{
    struct tare_rng rng;
    uint32_t index = 0;
    tare_rng_init(&rng, q->seed);
    int rc = prefill(n, q, &index, err);
    for (uint32_t made = 1; rc == 0 && made <= q->max_output; made++, index = 0) {
        const float *row = tare_llamacpp_row(n, index, err);
        if (!row) {
            return TARE_E_BACKEND;
        }
        int32_t id = tare_llamacpp_draw(n->chances, row, n->n_vocab, (double)q->temperature, &rng);
        if (id < 0) {
            return tare_err_set(err, TARE_E_BACKEND, "llamacpp: the largest logit is not a finite number");
        }
        if (!n->opt.ignore_eog && llama_vocab_is_eog(n->vocab, id)) {
            return 0;
        }
        rc = give(n, q, sink, id, err);
        if (rc != 0 || made == q->max_output || n->n_fed >= n->n_ctx) {
            return rc < 0 ? rc : 0;
        }
        rc = step(n, id, err);
    }
    return rc;
}
