/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of logits for SCORE and LOGITS, batch by batch, in order. */
#include "llamacpp.h"

static int hand_out(struct tare_llamacpp *n, const struct tare_request *q, uint32_t at, uint32_t from,
                    uint32_t end, struct tare_sink *sink, struct tare_err *err)
{
    for (uint32_t position = at > from ? at : from; position < end; position++) {
        const float *row = tare_llamacpp_row(n, position - at, err);
        if (!row) {
            return TARE_E_BACKEND;
        }
        sink->logits(sink, q->id, position, row);
    }
    return 0;
}

/* Feeds ids[at .. end) and hands out the rows from position `from` on. */
static int feed(struct tare_llamacpp *n, const struct tare_request *q, uint32_t at, uint32_t end,
                uint32_t from, struct tare_sink *sink, struct tare_err *err)
{
    int rc = 0;
    while (rc == 0 && at < end) {
        uint32_t stop = end - at > n->n_batch ? at + n->n_batch : end;
        rc = tare_llamacpp_decode(n, q->tokens, at, stop, from, err);
        rc = rc == 0 ? hand_out(n, q, at, from, stop, sink, err) : rc;
        at = stop;
    }
    return rc;
}

int tare_llamacpp_rows(struct tare_llamacpp *n, const struct tare_request *q, struct tare_sink *sink,
                       struct tare_err *err)
{
    uint32_t from = q->first - 1; /* the first row that is asked for */
    uint32_t fed = q->kind == TARE_REQUEST_SCORE ? q->n_tokens - 1 : q->n_tokens;
    uint32_t at = tare_llamacpp_keep(n, q->tokens, from, q->shared_prefix);
    int rc = 0;
    if (at < from && n->opt.reuse_prefix && !tare_llamacpp_cuts(n)) {
        rc = feed(n, q, at, from, from, sink, err);
        if (rc == 0) {
            tare_llamacpp_save(n);
        }
        at = from;
    }
    return rc == 0 ? feed(n, q, at, fed, from, sink, err) : rc;
}
