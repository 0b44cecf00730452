/* SPDX-License-Identifier: Apache-2.0 */
/* The plain way of answering: everything is fed, everything is computed, tokens are drawn one by one. */
#include "decoding.h"

static void rows(void *self, struct tare_session *session, const struct tare_request *request,
                 struct tare_sink *sink)
{
    (void)self;
    uint32_t from = request->first - 1;
    uint32_t fed = tare_session_fed_tokens(request);
    const float *row = tare_session_prefill(session, request->tokens, fed, from, request->shared_prefix);
    for (uint32_t position = from; position < fed; position++) {
        sink->logits(sink, request->id, position, row);
        row += session->engine.model->config.n_vocab;
    }
}

static void generate(void *self, struct tare_session *session, const struct tare_request *request,
                     struct tare_sink *sink)
{
    (void)self;
    uint32_t n_vocab = session->engine.model->config.n_vocab;
    struct tare_rng rng;
    tare_rng_init(&rng, request->seed);
    const float *row = tare_session_prefill(session, request->tokens, request->n_tokens,
                                            request->n_tokens - 1, request->shared_prefix);
    for (uint32_t made = 1; made <= request->max_output; made++) {
        int32_t id = tare_sample_draw(session->chances, row, n_vocab, (double)request->temperature, &rng);
        int stop = tare_session_give(session, request, sink, id);
        if (stop || made == request->max_output || tare_session_full(session)) {
            return;
        }
        row = tare_session_step(session, id);
    }
}

const struct tare_decoding tare_decoding_plain = {.name = "plain", .rows = rows, .generate = generate};
