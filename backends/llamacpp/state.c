/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A prefix of a state that cannot be cut back: recurrent and hybrid models fold all tokens into one state.
 * The state at the end of a context is saved when its first continuation is scored, and the next
 * continuations start from it.
 */
#include "llamacpp.h"

#include <stdlib.h>
#include <string.h>

bool tare_llamacpp_cuts(const struct tare_llamacpp *n)
{
    return !llama_model_is_recurrent(n->model) && !llama_model_is_hybrid(n->model);
}

void tare_llamacpp_save(struct tare_llamacpp *n)
{
    struct tare_llamacpp_saved *s = &n->saved;
    size_t bytes = llama_state_seq_get_size(n->context, 0);
    s->n_tok = 0;
    if (bytes > s->cap) { /* in the warm-up: the size of a recurrent state is always the same */
        uint8_t *data = realloc(s->data, bytes);
        s->data = data ? data : s->data;
        s->cap = data ? bytes : s->cap;
    }
    if (bytes == 0 || bytes > s->cap) {
        return; /* then everything is fed again, which costs time and changes no answer */
    }
    s->bytes = llama_state_seq_get_data(n->context, s->data, s->cap, 0);
    if (s->bytes > 0) {
        s->n_tok = n->n_fed;
        memcpy(s->ids, n->fed, n->n_fed * sizeof *s->ids);
    }
}

uint32_t tare_llamacpp_restore(struct tare_llamacpp *n, const int32_t *ids, uint32_t most)
{
    const struct tare_llamacpp_saved *s = &n->saved;
    if (s->n_tok == 0 || s->n_tok > most || memcmp(s->ids, ids, s->n_tok * sizeof *ids) != 0) {
        return 0;
    }
    tare_llamacpp_forget(n);
    if (llama_state_seq_set_data(n->context, s->data, s->bytes, 0) != s->bytes) {
        tare_llamacpp_forget(n);
        return 0;
    }
    memcpy(n->fed, s->ids, s->n_tok * sizeof *ids);
    n->n_fed = s->n_tok;
    return s->n_tok;
}
