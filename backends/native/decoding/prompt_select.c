/* SPDX-License-Identifier: Apache-2.0 */
/* Scores, and a heap over positions that gives up the lowest first. Nothing here allocates. */
#include "prompt_select.h"

#include <math.h>
#include <string.h>

uint32_t tare_prompt_wanted(const struct tare_prompt_options *how, uint32_t n)
{
    uint32_t wanted = (uint32_t)ceil(how->keep * n);
    uint32_t least = how->tail + 1;
    wanted = wanted < least ? least : wanted;
    return wanted < n ? wanted : n;
}

/* -ln softmax(row)[id] */
static double surprisal(const float *row, uint32_t n_vocab, int32_t id)
{
    double most = (double)row[tare_most_probable(row, n_vocab)];
    double sum = 0;
    for (uint32_t i = 0; i < n_vocab; i++) {
        sum += exp((double)row[i] - most);
    }
    return log(sum) + most - (double)row[id];
}

/* The last token needs no row of its own. */
static void rate_by_surprisal(struct tare_prompt *p, struct tare_session *scorer, const int32_t *tokens,
                              uint32_t n)
{
    uint32_t n_vocab = scorer->engine.model->config.n_vocab;
    const float *row = tare_session_prefill(scorer, tokens, n - 1, 0, 0);
    for (uint32_t i = 1; i < n; i++, row += n_vocab) {
        p->score[i] = surprisal(row, n_vocab, tokens[i]);
    }
    p->counts.scoring_flops += tare_flops_rows(&p->scorer_work, 0, n - 1) + (n - 1) * p->scorer_work.head;
}

static void rate_by_attention(struct tare_prompt *p, struct tare_session *scorer, const int32_t *tokens,
                              uint32_t n)
{
    struct tare_engine *engine = &scorer->engine;
    tare_session_forget(scorer);
    tare_engine_embed(engine, tokens, n);
    memset(p->received, 0, n * sizeof *p->received);
    for (uint32_t layer = 0; layer < p->how.layer; layer++) {
        engine->received = layer + 1 == p->how.layer ? p->received : NULL;
        tare_engine_layer(engine, layer, n);
        p->counts.scoring_flops += tare_flops_layer(&p->scorer_work, layer, 0, n);
    }
    engine->received = NULL;
    for (uint32_t i = 1; i < n; i++) {
        p->score[i] = (double)p->received[i] / (n - i);
    }
}

void tare_prompt_rate(struct tare_prompt *p, struct tare_session *scorer, const int32_t *tokens, uint32_t n)
{
    if (p->how.score == tare_prompt_attention) {
        rate_by_attention(p, scorer, tokens, n);
    } else {
        rate_by_surprisal(p, scorer, tokens, n);
    }
}

/* Does position a go before position b? Of equals the later one does. */
static bool goes_first(const struct tare_prompt *p, uint32_t a, uint32_t b)
{
    return p->score[a] < p->score[b] || (!(p->score[b] < p->score[a]) && a > b);
}

/* Lets the entry at `at` of a heap of n sink to its place; what goes first is on top. */
static void sink_down(struct tare_prompt *p, uint32_t at, uint32_t n)
{
    uint32_t *heap = p->order;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= n) {
            return;
        }
        child += child + 1 < n && goes_first(p, heap[child + 1], heap[child]);
        if (!goes_first(p, heap[child], heap[at])) {
            return;
        }
        uint32_t swap = heap[at];
        heap[at] = heap[child];
        heap[child] = swap;
        at = child;
    }
}

void tare_prompt_choose(struct tare_prompt *p, const int32_t *tokens, uint32_t n, uint32_t wanted)
{
    uint32_t n_free = n > p->how.tail + 1 ? n - p->how.tail - 1 : 0; /* positions 1 .. n_free may go */
    for (uint32_t i = 0; i < n_free; i++) {
        p->order[i] = i + 1;
    }
    for (uint32_t at = n_free / 2; at > 0; at--) {
        sink_down(p, at - 1, n_free);
    }
    memcpy(p->ids, tokens, n * sizeof *tokens);
    for (uint32_t left = n_free; n - (n_free - left) > wanted; left--) {
        p->ids[p->order[0]] = -1;
        p->order[0] = p->order[left - 1];
        sink_down(p, 0, left - 1);
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        p->ids[kept] = p->ids[i];
        kept += p->ids[i] >= 0;
    }
}
