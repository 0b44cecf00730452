/* SPDX-License-Identifier: Apache-2.0 */
/* SCORE and LOGITS: the rows of the positions that are asked, out of one run. */
#include "onnx.h"

int tare_onnx_score(struct tare_onnx *o, const struct tare_request *request, struct tare_sink *sink,
                    struct tare_err *err)
{
    struct tare_onnx_sequence *s = &o->sequence;
    uint32_t from = request->first - 1;
    uint32_t fed = request->kind == TARE_REQUEST_SCORE ? request->n_tokens - 1 : request->n_tokens;
    uint32_t start;
    int rc = tare_onnx_sequence_reuse(s, request->tokens, from, request->shared_prefix, &start, err);
    if (rc == 0) {
        rc = tare_onnx_sequence_feed(s, request->tokens + start, fed - start, err);
    }
    for (uint32_t position = from; position < fed && rc == 0; position++) {
        const float *row = tare_onnx_sequence_row(s, position, err);
        if (!row) {
            return TARE_E_BACKEND;
        }
        sink->logits(sink, request->id, position, row);
    }
    return rc;
}
