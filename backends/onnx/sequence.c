/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of our own is taken when the sequence is opened. The library allocates its outputs in each run, out
 * of its arena, and a cut copies the keys and values that stay.
 */
#include "sequence.h"

#include "row.h"

#include <stdlib.h>
#include <string.h>

static size_t n_caches(const struct tare_onnx_sequence *s)
{
    return s->graph->n_caches;
}

static void name_tensors(struct tare_onnx_sequence *s)
{
    const struct tare_onnx_graph *g = s->graph;
    s->input_names[s->n_plain++] = "input_ids";
    if (g->mask) {
        s->input_names[s->n_plain++] = "attention_mask";
    }
    if (g->positions) {
        s->input_names[s->n_plain++] = "position_ids";
    }
    s->output_names[0] = "logits";
    for (size_t i = 0; i < g->n_caches; i++) {
        s->input_names[s->n_plain + i] = g->caches[i].past;
        s->output_names[1 + i] = g->caches[i].present;
    }
}

int tare_onnx_sequence_open(struct tare_onnx_sequence *s, struct tare_onnx_runtime *rt,
                            const struct tare_onnx_graph *graph, uint32_t n_ctx, struct tare_err *err)
{
    size_t most = 3 + graph->n_caches;
    *s = (struct tare_onnx_sequence){
        .rt = rt, .graph = graph, .n_ctx = n_ctx, .n_vocab = graph->n_vocab, .reuse_prefix = true};
    s->fed = calloc(n_ctx, sizeof *s->fed);
    s->ids = calloc(n_ctx, sizeof *s->ids);
    s->ones = calloc(n_ctx, sizeof *s->ones);
    s->positions = calloc(n_ctx, sizeof *s->positions);
    s->input_names = calloc(most, sizeof *s->input_names);
    s->output_names = calloc(most, sizeof *s->output_names);
    s->inputs = calloc(most, sizeof *s->inputs);
    s->outputs = calloc(most, sizeof *s->outputs);
    if (!s->fed || !s->ids || !s->ones || !s->positions || !s->input_names || !s->output_names ||
        !s->inputs || !s->outputs) {
        return tare_err_set(err, TARE_E_NOMEM, "onnx: no memory for %u positions", n_ctx);
    }
    for (uint32_t i = 0; i < n_ctx; i++) {
        s->ones[i] = 1;
        s->positions[i] = i;
    }
    name_tensors(s);
    return 0;
}

static void release(const struct tare_onnx_sequence *s, struct OrtValue **value)
{
    if (*value) {
        s->rt->ort.ReleaseValue(*value);
        *value = NULL;
    }
}

void tare_onnx_sequence_reset(struct tare_onnx_sequence *s)
{
    for (size_t i = 0; i < n_caches(s); i++) {
        release(s, &s->inputs[s->n_plain + i]);
    }
    s->n_tokens = 0;
}

void tare_onnx_sequence_close(struct tare_onnx_sequence *s)
{
    if (s->inputs && s->outputs) {
        tare_onnx_sequence_reset(s);
        release(s, &s->outputs[0]);
    }
    free(s->fed);
    free(s->ids);
    free(s->ones);
    free(s->positions);
    free(s->input_names);
    free(s->output_names);
    free(s->inputs);
    free(s->outputs);
    free(s->row);
    memset(s, 0, sizeof *s);
}

static int read_dims(const struct tare_ort *ort, const struct OrtValue *value, const char *name,
                     int64_t dims[4], size_t *out_n, struct tare_err *err)
{
    struct OrtTensorTypeAndShapeInfo *info = NULL;
    size_t n = 0;
    int rc = tare_ort_check(ort, ort->GetTensorTypeAndShape(value, &info), name, err);
    if (rc < 0) {
        return rc;
    }
    rc = tare_ort_check(ort, ort->GetDimensionsCount(info, &n), name, err);
    if (rc == 0 && n <= 4) {
        rc = tare_ort_check(ort, ort->GetDimensions(info, dims, n), name, err);
    }
    ort->ReleaseTensorTypeAndShapeInfo(info);
    *out_n = n;
    return rc;
}

/* A tensor has to have this shape, whatever the file says; -1: any size but 0. *last: the last size. */
static int check_shape(const struct tare_onnx_sequence *s, const struct OrtValue *value, const char *name,
                       const int64_t *wanted, size_t n_wanted, int64_t *last, struct tare_err *err)
{
    int64_t dims[4] = {0};
    size_t n = 0;
    int rc = read_dims(&s->rt->ort, value, name, dims, &n, err);
    bool same = rc == 0 && n == n_wanted;
    for (size_t i = 0; same && i < n; i++) {
        same = wanted[i] < 0 ? dims[i] > 0 : dims[i] == wanted[i];
    }
    if (rc == 0 && !same) {
        rc = tare_err_set(
            err, TARE_E_BACKEND,
            "onnx: '%.80s' came out with %zu dimensions [%lld, %lld, %lld, %lld] instead of [%lld, "
            "%lld, %lld%s]",
            name, n, (long long)dims[0], (long long)dims[1], (long long)dims[2], (long long)dims[3],
            (long long)wanted[0], (long long)wanted[1], (long long)wanted[2], n_wanted == 4 ? ", ..." : "");
    }
    if (rc == 0) {
        *last = dims[n - 1];
    }
    return rc;
}

/* Cutting. */

static int new_cache(const struct tare_onnx_sequence *s, const struct tare_onnx_cache *c, int64_t n_tokens,
                     struct OrtValue **out, unsigned char **data, struct tare_err *err)
{
    const struct tare_ort *ort = &s->rt->ort;
    const int64_t shape[] = {1, c->heads, n_tokens, c->width};
    void *memory = NULL;
    int rc = tare_ort_check(ort, ort->CreateTensorAsOrtValue(s->rt->standard, shape, 4, c->type, out),
                            c->past, err);
    if (rc == 0 && n_tokens > 0) {
        rc = tare_ort_check(ort, ort->GetTensorMutableData(*out, &memory), c->past, err);
    }
    *data = memory;
    return rc;
}

/* A tensor of the first n of its tokens; each head's lie behind one another. */
static int cut_cache(const struct tare_onnx_sequence *s, size_t i, uint32_t n, struct tare_err *err)
{
    const struct tare_ort *ort = &s->rt->ort;
    const struct tare_onnx_cache *c = &s->graph->caches[i];
    struct OrtValue **place = &s->inputs[s->n_plain + i];
    const int64_t wanted[] = {1, c->heads, s->n_tokens, c->width};
    struct OrtValue *cut = NULL;
    unsigned char *to = NULL;
    void *from = NULL;
    int64_t width;
    int rc = check_shape(s, *place, c->present, wanted, 4, &width, err);
    if (rc == 0) {
        rc = tare_ort_check(ort, ort->GetTensorMutableData(*place, &from), c->present, err);
    }
    if (rc == 0) {
        rc = new_cache(s, c, n, &cut, &to, err);
    }
    if (rc < 0 || !from || !to) {
        release(s, &cut);
        return rc < 0 ? rc
                      : tare_err_set(err, TARE_E_BACKEND, "onnx: '%.80s' has no memory to copy", c->present);
    }
    size_t token_bytes = (size_t)c->width * c->item_bytes;
    for (int64_t head = 0; head < c->heads; head++) {
        memcpy(to + (size_t)head * n * token_bytes,
               (const unsigned char *)from + (size_t)head * s->n_tokens * token_bytes, n * token_bytes);
    }
    release(s, place);
    *place = cut;
    return 0;
}

int tare_onnx_sequence_reuse(struct tare_onnx_sequence *s, const int32_t *ids, uint32_t limit, uint32_t hint,
                             uint32_t *out, struct tare_err *err)
{
    uint32_t most = hint < limit ? hint : limit;
    most = s->n_tokens < most ? s->n_tokens : most;
    uint32_t same = 0;
    while (s->reuse_prefix && n_caches(s) > 0 && same < most && s->fed[same] == ids[same]) {
        same++;
    }
    int rc = 0;
    for (size_t i = 0; i < n_caches(s) && rc == 0 && same > 0 && same < s->n_tokens; i++) {
        rc = cut_cache(s, i, same, err);
    }
    if (same == 0 || rc < 0) {
        tare_onnx_sequence_reset(s);
        same = 0;
    }
    s->n_tokens = same;
    s->reused_tok += same;
    *out = same;
    return rc;
}

/* Running. */

static int put_integers(const struct tare_onnx_sequence *s, size_t at, int64_t *data, uint32_t n,
                        struct tare_err *err)
{
    const struct tare_ort *ort = &s->rt->ort;
    const int64_t shape[] = {1, n};
    return tare_ort_check(ort,
                          ort->CreateTensorWithDataAsOrtValue(s->rt->memory, data, n * sizeof *data, shape, 2,
                                                              TARE_ORT_INT64, &s->inputs[at]),
                          s->input_names[at], err);
}

/* All inputs of a run that feeds tokens from..to; the caches hold those before. */
static int put_inputs(struct tare_onnx_sequence *s, uint32_t from, uint32_t to, struct tare_err *err)
{
    uint32_t n = to - from;
    size_t at = 0;
    for (uint32_t i = 0; i < n; i++) {
        s->ids[i] = s->fed[from + i];
    }
    int rc = put_integers(s, at++, s->ids, n, err);
    if (rc == 0 && s->graph->mask) {
        rc = put_integers(s, at++, s->ones, to, err);
    }
    if (rc == 0 && s->graph->positions) {
        rc = put_integers(s, at++, s->positions + from, n, err);
    }
    for (size_t i = 0; i < n_caches(s) && rc == 0; i++) {
        unsigned char *nothing;
        struct OrtValue **place = &s->inputs[s->n_plain + i];
        rc = *place ? 0 : new_cache(s, &s->graph->caches[i], 0, place, &nothing, err);
    }
    return rc;
}

/* The logits must be those of the tokens fed: a model that gives fewer rows would shift all answers. */
static int take_logits(struct tare_onnx_sequence *s, uint32_t n, struct tare_err *err)
{
    const struct tare_ort *ort = &s->rt->ort;
    const int64_t wanted[] = {1, n, s->n_vocab};
    void *data = NULL;
    int rc = check_shape(s, s->outputs[0], "logits", wanted, 3, &s->n_vocab, err);
    if (rc == 0) {
        rc = tare_ort_check(ort, ort->GetTensorMutableData(s->outputs[0], &data), "logits", err);
    }
    s->logits = data;
    return rc;
}

/* What came out as the present is the next run's past. */
static void carry_on(struct tare_onnx_sequence *s)
{
    for (size_t i = 0; i < n_caches(s); i++) {
        struct OrtValue **past = &s->inputs[s->n_plain + i];
        release(s, past);
        *past = s->outputs[1 + i];
        s->outputs[1 + i] = NULL;
    }
}

static int run(struct tare_onnx_sequence *s, uint32_t from, uint32_t to, struct tare_err *err)
{
    const struct tare_ort *ort = &s->rt->ort;
    release(s, &s->outputs[0]);
    int rc = put_inputs(s, from, to, err);
    if (rc == 0) {
        rc = tare_ort_check(ort,
                            ort->Run(s->rt->session, NULL, s->input_names,
                                     (const struct OrtValue *const *)s->inputs, s->n_plain + n_caches(s),
                                     s->output_names, 1 + n_caches(s), s->outputs),
                            "run", err);
    }
    for (size_t i = 0; i < s->n_plain; i++) {
        release(s, &s->inputs[i]);
    }
    if (rc == 0) {
        rc = take_logits(s, to - from, err);
    }
    if (rc == 0) {
        carry_on(s);
    }
    return rc;
}

static void drop_outputs(struct tare_onnx_sequence *s)
{
    for (size_t i = 0; i < 1 + n_caches(s); i++) {
        release(s, &s->outputs[i]);
    }
    tare_onnx_sequence_reset(s);
}

int tare_onnx_sequence_feed(struct tare_onnx_sequence *s, const int32_t *ids, uint32_t n,
                            struct tare_err *err)
{
    memcpy(s->fed + s->n_tokens, ids, n * sizeof *ids);
    uint32_t from = n_caches(s) > 0 ? s->n_tokens : 0;
    uint32_t to = s->n_tokens + n;
    int rc = run(s, from, to, err);
    if (rc < 0) {
        drop_outputs(s);
        return rc;
    }
    s->first_row = from;
    s->n_tokens = to;
    s->most_tokens = to > s->most_tokens ? to : s->most_tokens;
    return 0;
}

const float *tare_onnx_sequence_row(struct tare_onnx_sequence *s, uint32_t position, struct tare_err *err)
{
    size_t n = (size_t)s->n_vocab;
    unsigned type = s->graph->logits_type;
    const unsigned char *from =
        s->logits + (size_t)(position - s->first_row) * n * tare_onnx_item_bytes(type);
    const float *row = s->row;
    if (type == TARE_ORT_FLOAT) {
        row = (const float *)(const void *)from;
    } else {
        tare_onnx_row_widen(s->row, from, n, type == TARE_ORT_BFLOAT16);
    }
    if (!tare_onnx_row_sound(row, n)) {
        (void)tare_err_set(err, TARE_E_BACKEND,
                           "onnx: the logits after token %u hold a NaN or an infinity, or no number at all",
                           position);
        return NULL;
    }
    return row;
}

int tare_onnx_sequence_warm(struct tare_onnx_sequence *s, struct tare_err *err)
{
    static const int32_t ids[] = {0, 0}; /* in every vocabulary */
    int rc = tare_onnx_sequence_feed(s, ids, s->n_ctx < 2 ? 1 : 2, err);
    tare_onnx_sequence_reset(s);
    s->most_tokens = 0;
    if (rc < 0) {
        return rc;
    }
    if (s->n_vocab > INT32_MAX) {
        return tare_err_set(err, TARE_E_UNSUPPORTED, "onnx: a vocabulary of %lld", (long long)s->n_vocab);
    }
    s->row = calloc((size_t)s->n_vocab, sizeof *s->row);
    return s->row
               ? 0
               : tare_err_set(err, TARE_E_NOMEM, "onnx: no memory for a row of %lld", (long long)s->n_vocab);
}
