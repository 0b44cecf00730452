/* SPDX-License-Identifier: Apache-2.0 */
/* Marks are whole states, one behind the other, in the order in which they were made. */
#include "rewind.h"

#include <stdlib.h>
#include <string.h>

int tare_rewind_open(struct tare_rewind *rewind, struct tare_engine *engine, uint32_t cap,
                     struct tare_err *err)
{
    struct tare_rewind made = {.engine = engine, .cap = cap};
    if (!tare_engine_cuts(engine)) {
        made.state_bytes = tare_engine_state_bytes(engine, engine->model->config.n_ctx);
        made.saved = malloc(cap * made.state_bytes + 1);
        made.n_tokens = calloc(cap, sizeof *made.n_tokens);
        if (!made.saved || !made.n_tokens) {
            tare_rewind_close(&made);
            return tare_err_set(err, TARE_E_NOMEM, "no memory for %u saved states of %zu bytes", cap,
                                tare_engine_state_bytes(engine, engine->model->config.n_ctx));
        }
        memset(made.saved, 0xff, cap * made.state_bytes + 1); /* here, not in a request, pages are made */
    }
    *rewind = made;
    return 0;
}

void tare_rewind_close(struct tare_rewind *rewind)
{
    free(rewind->saved);
    free(rewind->n_tokens);
    memset(rewind, 0, sizeof *rewind);
}

void tare_rewind_begin(struct tare_rewind *rewind)
{
    rewind->n = 0;
}

void tare_rewind_mark(struct tare_rewind *rewind)
{
    if (rewind->saved && rewind->n < rewind->cap) {
        tare_engine_save(rewind->engine, rewind->saved + rewind->n * rewind->state_bytes);
        rewind->n_tokens[rewind->n++] = rewind->engine->n_tokens;
    }
}

void tare_rewind_to(struct tare_rewind *rewind, uint32_t n)
{
    if (rewind->engine->n_tokens <= n || tare_engine_cut(rewind->engine, n)) {
        return;
    }
    uint32_t last = rewind->n;
    while (last > 0 && rewind->n_tokens[last - 1] > n) {
        last--;
    }
    if (last == 0) {
        tare_engine_reset(rewind->engine);
        return;
    }
    tare_engine_restore(rewind->engine, rewind->saved + (last - 1) * rewind->state_bytes,
                        rewind->n_tokens[last - 1]);
}
