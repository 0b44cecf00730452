/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One token at a time through the layers. The session keeps only what was fed plainly, so that the next
 * request finds the same state as a fresh one would make.
 */
#include "early_exit.h"

#include "arch.h"
#include "readings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int tare_early_exit_create(struct tare_early_exit **out, enum tare_exit_rule rule, double threshold,
                           uint32_t patience, struct tare_err *err)
{
    struct tare_early_exit *e = calloc(1, sizeof *e);
    if (!e) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for early exit");
    }
    e->rule = rule;
    e->threshold = threshold;
    e->patience = patience;
    *out = e;
    return 0;
}

static void close_all(void *self)
{
    struct tare_early_exit *e = self;
    if (e) {
        tare_flops_close(&e->work);
        tare_exit_maps_close(&e->maps);
        free(e->mapped);
        free(e->histogram);
        free(e->p);
        free(e);
    }
}

static int open_all(void *self, struct tare_session *session, struct tare_err *err)
{
    struct tare_early_exit *e = self;
    const struct tare_model_config *c = &session->engine.model->config;
    e->mapped = calloc(c->d_model, sizeof *e->mapped);
    e->p = calloc(c->n_vocab, sizeof *e->p);
    e->histogram = calloc((size_t)c->n_layers + 1, sizeof *e->histogram);
    if (!e->mapped || !e->p || !e->histogram) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for early exit after %u layers", c->n_layers);
    }
    return tare_flops_open(&e->work, session->engine.model, err);
}

static double entropy(const double *p, uint32_t n)
{
    double sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        sum -= p[i] > 0 ? p[i] * log(p[i]) : 0;
    }
    return sum;
}

/* Between the largest and the second largest. */
static double gap(const double *p, uint32_t n)
{
    double first = 0;
    double second = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (p[i] > first) {
            second = first;
            first = p[i];
        } else if (p[i] > second) {
            second = p[i];
        }
    }
    return first - second;
}

/* What a token's earlier layers said. */
struct course {
    int32_t last; /* most probable token after the layer before; -1: there was none */
    uint32_t same;
};

static bool is_sure(const struct tare_early_exit *e, const float *row, uint32_t n_vocab,
                    struct course *course)
{
    int32_t best = tare_most_probable(row, n_vocab);
    course->same = best == course->last ? course->same + 1 : 0;
    course->last = best;
    if (e->rule == tare_exit_patience) {
        return course->same >= e->patience;
    }
    tare_sample_probabilities(e->p, row, n_vocab, 1);
    switch (e->rule) {
    case tare_exit_entropy:
        return entropy(e->p, n_vocab) < e->threshold;
    case tare_exit_gap:
        return gap(e->p, n_vocab) > e->threshold;
    default:
        return e->p[best] > e->threshold;
    }
}

static void count(struct tare_early_exit *e, const struct tare_model *m, uint32_t exit, uint32_t position)
{
    uint32_t n_mapped = exit < m->config.n_layers ? exit : exit - 1;
    int64_t map = e->maps.weights ? 2 * (int64_t)e->maps.d * e->maps.d : 0;
    int64_t executed = exit * e->work.head + n_mapped * map;
    for (uint32_t layer = 0; layer < m->config.n_layers; layer++) {
        executed +=
            layer < exit ? tare_flops_layer(&e->work, layer, position, 1) : m->arch->fill_flops(m, layer);
    }
    e->counts.executed_flops += executed;
    e->counts.dense_flops += tare_flops_rows(&e->work, position, 1) + e->work.head;
    e->counts.layers += exit;
    e->counts.tokens++;
    e->histogram[exit]++;
}

/* What the head says of row 0 after so many layers. */
static const float *look(struct tare_early_exit *e, struct tare_engine *engine, uint32_t layers)
{
    const float *x = engine->x;
    if (e->maps.weights && layers < engine->model->config.n_layers) {
        tare_exit_maps_apply(&e->maps, engine->exec.kernels, layers, x, e->mapped);
        x = e->mapped;
    }
    return tare_engine_peek(engine, x);
}

/* The logits after one token behind what the session holds. */
static const float *answer(struct tare_early_exit *e, struct tare_session *session, int32_t id)
{
    struct tare_engine *engine = &session->engine;
    uint32_t n_layers = engine->model->config.n_layers;
    struct course course = {.last = -1};
    const float *row = engine->logits;
    uint32_t exit = 0;
    tare_engine_embed(engine, &id, 1);
    while (exit < n_layers) {
        tare_engine_layer(engine, exit++, 1);
        row = look(e, engine, exit);
        if (exit < n_layers && is_sure(e, row, engine->model->config.n_vocab, &course)) {
            break;
        }
    }
    for (uint32_t layer = exit; layer < n_layers; layer++) {
        tare_engine_fill(engine, layer, 1);
    }
    count(e, engine->model, exit, engine->n_tokens);
    tare_session_book(session, id);
    return row;
}

static void begin(struct tare_early_exit *e, struct tare_session *session, const struct tare_request *request,
                  uint32_t n)
{
    tare_session_hold(session, request->tokens, n, request->shared_prefix);
    int64_t flops = tare_flops_rows(&e->work, 0, n);
    e->counts.executed_flops += flops;
    e->counts.dense_flops += flops;
}

/* What was fed by the rule must not be met by the next request as if it had been fed plainly. */
static void end(struct tare_session *session, uint32_t n)
{
    if (!tare_engine_cut(&session->engine, n)) {
        tare_engine_reset(&session->engine);
    }
}

static void rows(void *self, struct tare_session *session, const struct tare_request *request,
                 struct tare_sink *sink)
{
    uint32_t from = request->first - 1;
    uint32_t fed = tare_session_fed_tokens(request);
    begin(self, session, request, from);
    for (uint32_t position = from; position < fed; position++) {
        sink->logits(sink, request->id, position, answer(self, session, request->tokens[position]));
    }
    end(session, from);
}

static void generate(void *self, struct tare_session *session, const struct tare_request *request,
                     struct tare_sink *sink)
{
    uint32_t n_vocab = session->engine.model->config.n_vocab;
    uint32_t from = request->n_tokens - 1;
    int32_t id = request->tokens[from];
    struct tare_rng rng;
    tare_rng_init(&rng, request->seed);
    begin(self, session, request, from);
    for (uint32_t made = 0; made < request->max_output && !tare_session_full(session); made++) {
        const float *row = answer(self, session, id);
        id = tare_sample_draw(session->chances, row, n_vocab, (double)request->temperature, &rng);
        if (tare_session_give(session, request, sink, id)) {
            break;
        }
    }
    end(session, from);
}

static void reset(void *self)
{
    struct tare_early_exit *e = self;
    memset(&e->counts, 0, sizeof e->counts);
    memset(e->histogram, 0, ((size_t)e->work.model->config.n_layers + 1) * sizeof *e->histogram);
}

static void tell_histogram(const struct tare_early_exit *e, struct tare_readings *to)
{
    enum { most = 64 };
    uint32_t n_layers = e->work.model->config.n_layers;
    for (uint32_t layer = 1; layer <= n_layers && layer <= most; layer++) {
        char name[40];
        (void)snprintf(name, sizeof name, "exit_layer_%u_tok", layer);
        tare_reading_put(to, TARE_KIND_COUNTED, name, "tok", "tokens that left after so many layers",
                         (double)e->histogram[layer]);
    }
}

static void readings(void *self, struct tare_readings *to)
{
    const struct tare_early_exit *e = self;
    const struct tare_early_exit_counts *c = &e->counts;
    const enum tare_kind kind = TARE_KIND_COUNTED;
    tare_reading_ratio(to, kind, "mean_exit_layer", "1",
                       "layers that a token went through, mean of those decided", (double)c->layers,
                       (double)c->tokens, "no token was decided by the rule");
    tell_histogram(e, to);
    tare_reading_put(to, kind, "exit_maps_bytes", "B", "maps from inner layers to the last one",
                     (double)(e->maps.n * (e->maps.d + 1) * e->maps.d * sizeof(float)));
    tare_reading_put(
        to, kind, "executed_flops", "FLOP",
        "layers run, a map and a head after each, fills of skipped layers; prompts as if never reused",
        (double)c->executed_flops);
    tare_reading_put(to, kind, "dense_flops", "FLOP", "all layers and one head for the same tokens",
                     (double)c->dense_flops);
}

const struct tare_decoding tare_decoding_early_exit = {
    .name = "early-exit",
    .rows = rows,
    .generate = generate,
    .open = open_all,
    .readings = readings,
    .reset = reset,
    .close = close_all,
};
