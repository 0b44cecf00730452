/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole layers: those that turn the residual stream least go, by 1 - cos of what enters and what leaves, the
 * mean over the tokens of the calibration text (the block influence of Men et al., ShortGPT), or those
 * without which the loss on it is least. All are judged on the model as it was.
 */
#include "structured.h"

#include "engine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double cosine(const float *a, const float *b, uint32_t n)
{
    double ab = 0;
    double aa = 0;
    double bb = 0;
    for (uint32_t i = 0; i < n; i++) {
        ab += (double)a[i] * (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
    }
    return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 1.0;
}

/* An engine over the calibration text. */
struct trial {
    struct tare_calibration calibration;
    struct tare_engine engine;
    float *before; /* owned: the stream of a window */
};

static void trial_close(struct trial *t)
{
    free(t->before);
    tare_engine_close(&t->engine);
    tare_calibration_close(&t->calibration);
}

static int trial_open(struct trial *t, const struct tare_structured *how, struct tare_treatment *treatment,
                      struct tare_err *err)
{
    struct trial made = {0};
    const struct tare_engine_options options = {.threads = treatment->threads};
    int rc = tare_calibration_open_choice(&made.calibration, treatment, &how->text, err);
    if (rc == 0) {
        rc = tare_engine_open(&made.engine, treatment->model, &options, err);
    }
    if (rc == 0) {
        made.before =
            malloc((size_t)made.calibration.window * treatment->model->config.d_model * sizeof *made.before);
        rc = made.before ? 0 : tare_err_set(err, TARE_E_NOMEM, "no memory for a window");
    }
    if (rc < 0) {
        trial_close(&made);
        return rc;
    }
    *t = made;
    return 0;
}

/* Adds 1 - cos of each token to score[layer]. */
static void follow(struct trial *t, const int32_t *tokens, double *score)
{
    struct tare_engine *e = &t->engine;
    uint32_t d = e->model->config.d_model;
    uint32_t n = t->calibration.window;
    tare_engine_reset(e);
    tare_engine_embed(e, tokens, n);
    for (uint32_t layer = 0; layer < e->model->config.n_layers; layer++) {
        memcpy(t->before, e->x, (size_t)n * d * sizeof *t->before);
        tare_engine_layer(e, layer, n);
        for (uint32_t i = 0; i < n; i++) {
            score[layer] += 1.0 - cosine(t->before + (size_t)i * d, e->x + (size_t)i * d, d);
        }
    }
}

/* -ln p of a token. */
static double loss_of(const float *logits, uint32_t n_vocab, int32_t token)
{
    float most = logits[0];
    double sum = 0;
    for (uint32_t i = 1; i < n_vocab; i++) {
        most = logits[i] > most ? logits[i] : most;
    }
    for (uint32_t i = 0; i < n_vocab; i++) {
        sum += exp((double)(logits[i] - most));
    }
    return log(sum) - (double)(logits[token] - most);
}

/* Adds the loss of a window without one layer, for each layer. */
static void leave_out(struct trial *t, const int32_t *tokens, double *score)
{
    struct tare_engine *e = &t->engine;
    uint32_t n = t->calibration.window;
    uint32_t n_vocab = e->model->config.n_vocab;
    for (uint32_t out = 0; out < e->model->config.n_layers; out++) {
        tare_engine_reset(e);
        tare_engine_embed(e, tokens, n);
        for (uint32_t layer = 0; layer < e->model->config.n_layers; layer++) {
            if (layer != out) {
                tare_engine_layer(e, layer, n);
            }
        }
        const float *logits = tare_engine_logits(e, 0, n);
        for (uint32_t i = 0; i + 1 < n; i++) {
            score[out] += loss_of(logits + (size_t)i * n_vocab, n_vocab, tokens[i + 1]);
        }
    }
}

static int measure(const struct tare_structured *how, struct tare_treatment *treatment, double *score,
                   struct tare_err *err)
{
    struct trial t;
    int rc = trial_open(&t, how, treatment, err);
    if (rc < 0) {
        return rc;
    }
    for (uint32_t i = 0; i < t.calibration.n_windows; i++) {
        const int32_t *tokens = t.calibration.tokens + (size_t)i * t.calibration.window;
        if (how->by_loss) {
            leave_out(&t, tokens, score);
        } else {
            follow(&t, tokens, score);
        }
    }
    trial_close(&t);
    return 0;
}

/* Number of the block that stands at a layer's place, where blocks may have been dropped before: the layer-th
 * smallest of those that still have matrices. */
static int64_t block_at(const struct tare_model *model, uint32_t layer)
{
    int64_t last = tare_target_last_block(model);
    for (int64_t block = 0; block <= last; block++) {
        bool there = false;
        for (size_t i = 1; i < model->n_linears; i++) {
            there = there || (model->linears[i].storage && tare_target_block(&model->linears[i]) == block);
        }
        if (there && layer-- == 0) {
            return block;
        }
    }
    return -1;
}

/* Frees the vectors of a block; the others move up. */
static void drop_vectors(struct tare_model *model, int64_t block)
{
    char prefix[40];
    size_t kept = 0;
    int n = snprintf(prefix, sizeof prefix, "blocks.%lld.", (long long)block);
    for (size_t i = 0; i < model->n_vectors; i++) {
        if (strncmp(model->vectors[i].name, prefix, (size_t)n) == 0) {
            model->vector_elements -= model->vectors[i].n;
            free(model->vectors[i].at);
        } else {
            model->vectors[kept++] = model->vectors[i];
        }
    }
    model->n_vectors = kept;
}

static void drop(struct tare_model *model, uint32_t layer)
{
    int64_t block = block_at(model, layer);
    for (size_t i = 1; i < model->n_linears; i++) {
        if (tare_target_block(&model->linears[i]) == block) {
            tare_linear_close(&model->linears[i]);
        }
    }
    drop_vectors(model, block);
    tare_model_drop_layer(model, layer);
}

/* The smallest goes and is taken off the list; of equal ones the deeper. */
static void drop_least(struct tare_model *model, double *score)
{
    uint32_t n = model->config.n_layers;
    uint32_t least = 0;
    for (uint32_t i = 1; i < n; i++) {
        least = score[i] <= score[least] ? i : least;
    }
    drop(model, least);
    memmove(score + least, score + least + 1, (n - least - 1) * sizeof *score);
}

int tare_structured_layers(const struct tare_structured *how, struct tare_treatment *treatment,
                           struct tare_err *err)
{
    struct tare_model *model = treatment->model;
    uint32_t goes = (uint32_t)lround(how->ratio * model->config.n_layers);
    double *score = calloc(model->config.n_layers, sizeof *score);
    if (!score) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for %u layers", model->config.n_layers);
    }
    goes = goes < model->config.n_layers ? goes : model->config.n_layers - 1;
    int rc = measure(how, treatment, score, err);
    for (uint32_t i = 0; rc == 0 && i < goes; i++) {
        drop_least(model, score);
    }
    free(score);
    return rc;
}
