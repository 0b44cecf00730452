/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of the one sequence, and the clock around libllama. A state of keys and values can be cut back
 * to a prefix; others are saved (state.c).
 */
#include "llamacpp.h"

#include <string.h>
#include <time.h>

static int64_t now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void tare_llamacpp_forget(struct tare_llamacpp *n)
{
    llama_memory_clear(llama_get_memory(n->context), false);
    n->n_fed = 0;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Cuts the state back to what it shares with ids. */
static uint32_t cut(struct tare_llamacpp *n, const int32_t *ids, uint32_t most)
{
    uint32_t same = 0;
    most = least(most, n->n_fed);
    while (same < most && n->fed[same] == ids[same]) {
        same++;
    }
    if (same > 0 && !llama_memory_seq_rm(llama_get_memory(n->context), 0, (llama_pos)same, -1)) {
        return 0;
    }
    n->n_fed = same;
    return same;
}

uint32_t tare_llamacpp_keep(struct tare_llamacpp *n, const int32_t *ids, uint32_t limit, uint32_t hint)
{
    uint32_t most = n->opt.reuse_prefix ? least(hint, limit) : 0;
    uint32_t same = tare_llamacpp_cuts(n) ? cut(n, ids, most) : tare_llamacpp_restore(n, ids, most);
    if (same == 0) {
        tare_llamacpp_forget(n);
        return 0;
    }
    n->counters.reused_tok += same;
    n->counters.reuses++;
    return same;
}

static void fill(struct tare_llamacpp *n, const int32_t *ids, uint32_t from, uint32_t to, uint32_t first)
{
    struct llama_batch *b = &n->batch;
    b->n_tokens = (int32_t)(to - from);
    for (uint32_t i = 0; i < to - from; i++) {
        b->token[i] = ids[from + i];
        b->pos[i] = (llama_pos)(from + i);
        b->n_seq_id[i] = 1;
        b->seq_id[i][0] = 0;
        b->logits[i] = from + i >= first;
    }
}

static int failed(struct tare_llamacpp *n, int status, struct tare_err *err)
{
    tare_llamacpp_forget(n);
    if (status == 1) {
        return tare_err_set(err, TARE_E_LIMIT, "llamacpp: no room in the context of %u tokens", n->n_ctx);
    }
    return tare_err_set(err, TARE_E_BACKEND, "llamacpp: llama_decode gives %d: %.300s", status,
                        tare_llamacpp_log_error("libllama does not say why"));
}

int tare_llamacpp_decode(struct tare_llamacpp *n, const int32_t *ids, uint32_t from, uint32_t to,
                         uint32_t first, struct tare_err *err)
{
    fill(n, ids, from, to, first);
    int64_t begin = now_ns();
    int status = llama_decode(n->context, n->batch);
    llama_synchronize(n->context);
    n->counters.decode_ns += now_ns() - begin;
    n->counters.decode_calls++;
    if (status != 0) {
        return failed(n, status, err);
    }
    n->counters.decode_tok += to - from;
    memcpy(n->fed + from, ids + from, (to - from) * sizeof *ids);
    n->n_fed = to;
    n->counters.most_tokens = to > n->counters.most_tokens ? to : n->counters.most_tokens;
    return 0;
}

const float *tare_llamacpp_row(struct tare_llamacpp *n, uint32_t index, struct tare_err *err)
{
    const float *row = llama_get_logits_ith(n->context, (int32_t)index);
    if (!row) {
        (void)tare_err_set(err, TARE_E_BACKEND, "llamacpp: no logits of token %u: %.300s", index,
                           tare_llamacpp_log_error("libllama does not say why"));
    }
    return row;
}
