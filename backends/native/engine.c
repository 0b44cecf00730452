/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Embedding, layers in order, final norm, tied head; and the memory of it all.
 *
 * A window goes through each layer in blocks of rows, so that activations stay in cache; the images of
 * packed matrices live as long as a layer does.
 */
#include "engine.h"

#include "arch.h"
#include "rowmath.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN_BYTES  64u
#define ALIGN_FLOATS 16u

/* Hands out `memory` piece by piece; with NULL it only counts. */
static float *carve(float *memory, uint64_t *used, uint64_t floats)
{
    float *at = memory ? memory + *used : NULL;
    *used += (floats + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS;
    return at;
}

/* Floats needed; the limits of the config keep the sum far below 2^64. */
static uint64_t lay_out(struct tare_engine *e, float *memory)
{
    const struct tare_model_config *c = &e->model->config;
    uint64_t used = 0;
    e->x = carve(memory, &used, (uint64_t)c->n_ctx * c->d_model);
    e->a = carve(memory, &used, (uint64_t)e->block * c->d_model);
    e->scratch = carve(memory, &used, e->model->arch->scratch_floats(e->model, e->block));
    e->logits = carve(memory, &used, (uint64_t)c->n_ctx * c->n_vocab);
    return used;
}

static int take_memory(struct tare_engine *e, struct tare_err *err)
{
    uint64_t floats = lay_out(e, NULL);
    void *memory = NULL;
    if (floats > PTRDIFF_MAX / sizeof(float) ||
        posix_memalign(&memory, ALIGN_BYTES, (size_t)floats * sizeof(float)) != 0) {
        return tare_err_set(err, TARE_E_NOMEM,
                            "no memory for the buffers of %u positions (%" PRIu64 " numbers)",
                            e->model->config.n_ctx, floats);
    }
    memset(memory, 0, (size_t)floats * sizeof(float)); /* here, not in a timed request, pages are made */
    e->memory = memory;
    (void)lay_out(e, memory);
    return 0;
}

static int take_state(struct tare_engine *e, struct tare_err *err)
{
    const struct tare_model *m = e->model;
    void *state = NULL;
    size_t at = 0;
    e->state_at = calloc((size_t)m->config.n_layers + 1, sizeof *e->state_at);
    for (uint32_t i = 0; e->state_at && i < m->config.n_layers; i++) {
        at += (m->arch->state_bytes(m, i, m->config.n_ctx) + ALIGN_BYTES - 1) / ALIGN_BYTES * ALIGN_BYTES;
        e->state_at[i + 1] = at;
    }
    if (!e->state_at || at > PTRDIFF_MAX || posix_memalign(&state, ALIGN_BYTES, at + ALIGN_BYTES) != 0) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for a state of %zu bytes", at);
    }
    memset(state, 0, at + ALIGN_BYTES);
    e->state = state;
    return 0;
}

static void most(size_t *of, size_t value)
{
    *of = value > *of ? value : *of;
}

static struct tare_exec_needs needs_of(const struct tare_model *m, uint32_t threads, uint32_t rows)
{
    struct tare_exec_needs needs = {.threads = threads,
                                    .rows = rows > TARE_MANY_ROWS ? rows : TARE_MANY_ROWS};
    size_t layers = 0;
    size_t widest = 0;
    size_t rank = 0;
    most(&needs.image_floats, (size_t)m->linears[0].out * m->linears[0].in);
    for (size_t i = 0; i < m->n_linears; i++) {
        const struct tare_linear *w = &m->linears[i];
        layers += i > 0 && w->storage ? (size_t)w->out * w->in : 0;
        most(&widest, w->in);
        most(&rank, w->out < w->in ? w->out : w->in);
        most(&needs.image_floats, (size_t)w->out * w->in);
    }
    /* Layers may differ in size: twice the mean holds any that the zoo knows, and what does not fit is
     * unpacked again. */
    most(&needs.image_floats, 2 * layers / m->config.n_layers);
    needs.most_in = (uint32_t)widest;
    needs.most_rank = (uint32_t)rank;
    return needs;
}

static uint32_t block_of(const struct tare_model *m, uint32_t wanted)
{
    uint32_t block = wanted > 0 ? wanted : m->arch->block_rows;
    return block > 0 && block < m->config.n_ctx ? block : m->config.n_ctx;
}

int tare_engine_open(struct tare_engine *engine, const struct tare_model *model,
                     const struct tare_engine_options *options, struct tare_err *err)
{
    struct tare_engine made = {.model = model, .block = block_of(model, options->block)};
    struct tare_exec_needs needs = needs_of(model, options->threads, made.block);
    needs.pool = options->pool;
    int rc = tare_exec_open(&made.exec, &needs, err);
    if (rc == 0) {
        rc = take_memory(&made, err);
    }
    if (rc == 0) {
        rc = take_state(&made, err);
    }
    if (rc == 0 && model->arch->open) {
        rc = model->arch->open(model, &made.tables, err);
    }
    if (rc < 0) {
        tare_engine_close(&made);
        return rc;
    }
    *engine = made;
    return 0;
}

void tare_engine_close(struct tare_engine *engine)
{
    if (engine->tables) {
        engine->model->arch->close(engine->tables);
    }
    tare_exec_close(&engine->exec);
    free(engine->state_at);
    free(engine->state);
    free(engine->memory);
    memset(engine, 0, sizeof *engine);
}

void tare_engine_reset(struct tare_engine *engine)
{
    const struct tare_model *m = engine->model;
    for (uint32_t i = 0; i < m->config.n_layers; i++) {
        memset(engine->state + engine->state_at[i], 0, m->arch->state_bytes(m, i, 0));
    }
    engine->n_tokens = 0;
}

void tare_engine_embed(struct tare_engine *engine, const int32_t *tokens, uint32_t n)
{
    const struct tare_model *m = engine->model;
    size_t d = m->config.d_model;
    for (uint32_t i = 0; i < n; i++) {
        m->linears[0].storage->unpack(&m->linears[0], (uint32_t)tokens[i], 1, engine->x + i * d);
    }
    if (m->embed_norm) {
        tare_rows_layernorm(engine->x, engine->x, m->embed_norm, m->embed_norm_bias, d, n);
    }
}

/* The rows of x through what `one` and `many` do of a layer, block by block. */
static void through(struct tare_engine *engine, uint32_t layer, uint32_t n,
                    void (*one)(const struct tare_pass *), void (*many)(const struct tare_pass *))
{
    const struct tare_model *m = engine->model;
    struct tare_pass pass = {.model = m,
                             .exec = &engine->exec,
                             .layer = tare_model_layer(m, layer),
                             .tables = engine->tables,
                             .state = engine->state + engine->state_at[layer],
                             .scratch = engine->scratch,
                             .a = engine->a,
                             .index = layer,
                             .received = engine->received};
    tare_exec_forget(&engine->exec);
    for (uint32_t at = 0; at < n; at += engine->block) {
        pass.n = n - at < engine->block ? n - at : engine->block;
        pass.start = engine->n_tokens + at;
        pass.x = engine->x + (size_t)at * m->config.d_model;
        if (pass.n == 1) {
            one(&pass);
        } else {
            many(&pass);
        }
    }
}

void tare_engine_layer(struct tare_engine *engine, uint32_t layer, uint32_t n)
{
    through(engine, layer, n, engine->model->arch->step, engine->model->arch->prefill);
}

void tare_engine_fill(struct tare_engine *engine, uint32_t layer, uint32_t n)
{
    through(engine, layer, n, engine->model->arch->fill, engine->model->arch->fill);
}

void tare_engine_feed(struct tare_engine *engine, const int32_t *tokens, uint32_t n)
{
    tare_engine_embed(engine, tokens, n);
    for (uint32_t layer = 0; layer < engine->model->config.n_layers; layer++) {
        tare_engine_layer(engine, layer, n);
    }
    engine->n_tokens += n;
}

/* logits = head(norm(x)); the norm goes to `to`, which may be x. */
static const float *head(struct tare_engine *engine, float *to, const float *x, uint32_t n)
{
    const struct tare_model *m = engine->model;
    uint32_t d = m->config.d_model;
    if (m->norm_f_bias) {
        tare_rows_layernorm(to, x, m->norm_f, m->norm_f_bias, d, n);
    } else {
        tare_rows_rmsnorm(to, x, m->norm_f, d, n);
    }
    tare_exec_forget(&engine->exec);
    tare_linear_apply(&engine->exec, &m->linears[0],
                      &(struct tare_product){engine->logits, m->config.n_vocab, to, d, n, false});
    return engine->logits;
}

const float *tare_engine_logits(struct tare_engine *engine, uint32_t from, uint32_t n)
{
    float *x = engine->x + (size_t)from * engine->model->config.d_model;
    return head(engine, x, x, n);
}

const float *tare_engine_peek(struct tare_engine *engine, const float *x)
{
    return head(engine, engine->a, x, 1);
}

size_t tare_engine_state_bytes(const struct tare_engine *engine, uint32_t n_tokens)
{
    const struct tare_model *m = engine->model;
    size_t bytes = 0;
    for (uint32_t i = 0; i < m->config.n_layers; i++) {
        bytes += m->arch->state_bytes(m, i, n_tokens);
    }
    return bytes;
}

void tare_engine_save(const struct tare_engine *engine, unsigned char *to)
{
    const struct tare_model *m = engine->model;
    for (uint32_t i = 0; i < m->config.n_layers; i++) {
        size_t bytes = m->arch->state_bytes(m, i, engine->n_tokens);
        memcpy(to, engine->state + engine->state_at[i], bytes);
        to += bytes;
    }
}

void tare_engine_restore(struct tare_engine *engine, const unsigned char *from, uint32_t n_tokens)
{
    const struct tare_model *m = engine->model;
    for (uint32_t i = 0; i < m->config.n_layers; i++) {
        size_t bytes = m->arch->state_bytes(m, i, n_tokens);
        memcpy(engine->state + engine->state_at[i], from, bytes);
        from += bytes;
    }
    engine->n_tokens = n_tokens;
}

bool tare_engine_cuts(const struct tare_engine *engine)
{
    return engine->model->arch->cuts && engine->model->kv.window == 0;
}

bool tare_engine_cut(struct tare_engine *engine, uint32_t n_tokens)
{
    bool can = n_tokens == engine->n_tokens || tare_engine_cuts(engine);
    if (can) {
        engine->n_tokens = n_tokens;
    }
    return can;
}
