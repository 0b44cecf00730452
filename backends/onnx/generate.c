/* SPDX-License-Identifier: Apache-2.0 */
/* GENERATE: a token a run, given as soon as it is drawn; the last one is not fed, and one that ends the text
 * not given. */
#include "onnx.h"
#include "row.h"

static int give(const struct tare_onnx *o, const struct tare_request *request, struct tare_sink *sink,
                int32_t id)
{
    uint32_t n = 0;
    const char *bytes = "";
    if (o->has_tokenizer && (uint32_t)id < o->tokenizer.n_vocab) {
        bytes = tare_tokenizer_bytes(&o->tokenizer, (uint32_t)id, &n);
    }
    return sink->token(sink, request->id, id, bytes, n);
}

int tare_onnx_generate(struct tare_onnx *o, const struct tare_request *request, struct tare_sink *sink,
                       struct tare_err *err)
{
    struct tare_onnx_sequence *s = &o->sequence;
    struct tare_rng rng;
    uint32_t start;
    tare_rng_init(&rng, request->seed);
    int rc = tare_onnx_sequence_reuse(s, request->tokens, request->n_tokens - 1, request->shared_prefix,
                                      &start, err);
    if (rc == 0) {
        rc = tare_onnx_sequence_feed(s, request->tokens + start, request->n_tokens - start, err);
    }
    for (uint32_t made = 1; made <= request->max_output && rc == 0; made++) {
        const float *row = tare_onnx_sequence_row(s, s->n_tokens - 1, err);
        if (!row) {
            return TARE_E_BACKEND;
        }
        int32_t id =
            tare_onnx_row_draw(o->chances, row, (size_t)s->n_vocab, (double)request->temperature, &rng);
        if (id == o->eos) {
            return 0;
        }
        int stop = give(o, request, sink, id);
        if (stop || made == request->max_output || s->n_tokens == s->n_ctx) {
            return 0;
        }
        rc = tare_onnx_sequence_feed(s, &id, 1, err);
    }
    return rc;
}
