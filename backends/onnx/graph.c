/* SPDX-License-Identifier: Apache-2.0 */
/* Reads names, types and shapes of a session once; shapes are checked as far as the file states them. */
#include "graph.h"

#include <stdlib.h>
#include <string.h>

#define DIMS_MAX 8
#define PAST     "past_key_values."
#define PRESENT  "present."

/* A named tensor at the border of the graph. -1 in dims: open. */
struct tensor {
    char *name;
    unsigned type;
    size_t n_dims;
    int64_t dims[DIMS_MAX];
};

struct border {
    struct tensor *inputs;
    size_t n_inputs;
    struct tensor *outputs;
    size_t n_outputs;
};

uint32_t tare_onnx_item_bytes(unsigned type)
{
    switch (type) {
    case TARE_ORT_FLOAT:
        return 4;
    case TARE_ORT_FLOAT16:
    case TARE_ORT_BFLOAT16:
        return 2;
    default:
        return 0;
    }
}

int64_t tare_onnx_graph_token_bytes(const struct tare_onnx_graph *graph)
{
    int64_t bytes = 0;
    for (size_t i = 0; i < graph->n_caches; i++) {
        bytes += graph->caches[i].heads * graph->caches[i].width * graph->caches[i].item_bytes;
    }
    return bytes;
}

void tare_onnx_graph_close(struct tare_onnx_graph *graph)
{
    for (size_t i = 0; i < graph->n_caches; i++) {
        free(graph->caches[i].past);
        free(graph->caches[i].present);
    }
    free(graph->caches);
    memset(graph, 0, sizeof *graph);
}

static void free_tensors(struct tensor *tensors, size_t n)
{
    for (size_t i = 0; tensors && i < n; i++) {
        free(tensors[i].name);
    }
    free(tensors);
}

/* Type and shape; something that is no tensor has the type 0. */
static int read_shape(const struct tare_ort *ort, const struct OrtTypeInfo *info, struct tensor *to,
                      struct tare_err *err)
{
    const struct OrtTensorTypeAndShapeInfo *shape = NULL;
    int rc = tare_ort_check(ort, ort->CastTypeInfoToTensorInfo(info, &shape), to->name, err);
    if (rc < 0 || !shape) {
        return rc;
    }
    rc = tare_ort_check(ort, ort->GetTensorElementType(shape, &to->type), to->name, err);
    if (rc == 0) {
        rc = tare_ort_check(ort, ort->GetDimensionsCount(shape, &to->n_dims), to->name, err);
    }
    if (rc == 0 && to->n_dims > DIMS_MAX) {
        return tare_err_set(err, TARE_E_UNSUPPORTED, "onnx: '%.80s' has %zu dimensions", to->name,
                            to->n_dims);
    }
    return rc == 0 ? tare_ort_check(ort, ort->GetDimensions(shape, to->dims, to->n_dims), to->name, err) : rc;
}

static int read_tensor(const struct tare_ort *ort, const struct OrtSession *session,
                       struct OrtAllocator *allocator, bool input, size_t i, struct tensor *to,
                       struct tare_err *err)
{
    char *name = NULL;
    struct OrtTypeInfo *info = NULL;
    int rc = tare_ort_check(ort,
                            input ? ort->SessionGetInputName(session, i, allocator, &name)
                                  : ort->SessionGetOutputName(session, i, allocator, &name),
                            "name", err);
    if (rc < 0) {
        return rc;
    }
    to->name = strdup(name);
    (void)tare_ort_ok(ort, ort->AllocatorFree(allocator, name));
    if (!to->name) {
        return tare_err_set(err, TARE_E_NOMEM, "onnx: no memory for a name");
    }
    rc = tare_ort_check(ort,
                        input ? ort->SessionGetInputTypeInfo(session, i, &info)
                              : ort->SessionGetOutputTypeInfo(session, i, &info),
                        to->name, err);
    if (rc == 0) {
        rc = read_shape(ort, info, to, err);
        ort->ReleaseTypeInfo(info);
    }
    return rc;
}

static int read_side(const struct tare_ort *ort, const struct OrtSession *session,
                     struct OrtAllocator *allocator, bool input, struct tensor **out, size_t *out_n,
                     struct tare_err *err)
{
    size_t n = 0;
    int rc = tare_ort_check(
        ort, input ? ort->SessionGetInputCount(session, &n) : ort->SessionGetOutputCount(session, &n),
        "graph", err);
    if (rc < 0) {
        return rc;
    }
    *out = calloc(n + 1, sizeof **out);
    if (!*out) {
        return tare_err_set(err, TARE_E_NOMEM, "onnx: no memory for %zu names", n);
    }
    *out_n = n;
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = read_tensor(ort, session, allocator, input, i, &(*out)[i], err);
    }
    return rc;
}

static const struct tensor *find(const struct tensor *tensors, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(tensors[i].name, name) == 0) {
            return &tensors[i];
        }
    }
    return NULL;
}

/* "a, b, c" for messages; a long list is cut. */
static const char *names_of(const struct tensor *tensors, size_t n, char *to, size_t cap)
{
    to[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        size_t used = strlen(to);
        (void)snprintf(to + used, cap - used, "%s%s", i ? ", " : "", tensors[i].name);
    }
    return to;
}

/* The shape fits [1 or open, open] and the type is int64. */
static int check_integers(const struct tensor *t, struct tare_err *err)
{
    if (t->type != TARE_ORT_INT64) {
        return tare_err_set(err, TARE_E_UNSUPPORTED, "onnx: input '%.80s' is %s; only int64 is fed", t->name,
                            tare_ort_type_name(t->type));
    }
    if (t->n_dims != 2 || t->dims[0] > 1 || t->dims[1] >= 0) {
        return tare_err_set(
            err, TARE_E_UNSUPPORTED,
            "onnx: input '%.80s' has %zu dimensions or a fixed size; export it with a batch of 1 "
            "or open and an open length",
            t->name, t->n_dims);
    }
    return 0;
}

static int read_integers(struct tare_onnx_graph *g, const struct border *b, struct tare_err *err)
{
    char list[300];
    const struct tensor *ids = find(b->inputs, b->n_inputs, "input_ids");
    const struct tensor *mask = find(b->inputs, b->n_inputs, "attention_mask");
    const struct tensor *positions = find(b->inputs, b->n_inputs, "position_ids");
    if (!ids) {
        return tare_err_set(err, TARE_E_FORMAT, "onnx: the model has no input 'input_ids'; it has %s",
                            names_of(b->inputs, b->n_inputs, list, sizeof list));
    }
    int rc = check_integers(ids, err);
    if (rc == 0 && mask) {
        rc = check_integers(mask, err);
    }
    if (rc == 0 && positions) {
        rc = check_integers(positions, err);
    }
    g->mask = mask != NULL;
    g->positions = positions != NULL;
    return rc;
}

static int read_logits(struct tare_onnx_graph *g, const struct border *b, struct tare_err *err)
{
    char list[300];
    const struct tensor *t = find(b->outputs, b->n_outputs, "logits");
    if (!t) {
        return tare_err_set(err, TARE_E_FORMAT, "onnx: the model has no output 'logits'; it has %s",
                            names_of(b->outputs, b->n_outputs, list, sizeof list));
    }
    if (tare_onnx_item_bytes(t->type) == 0) {
        return tare_err_set(err, TARE_E_UNSUPPORTED,
                            "onnx: the logits are %s; float32, float16 and bfloat16 are read",
                            tare_ort_type_name(t->type));
    }
    if (t->n_dims != 3 || t->dims[2] == 0 || t->dims[2] > INT32_MAX) {
        return tare_err_set(err, TARE_E_FORMAT,
                            "onnx: the logits have %zu dimensions instead of [batch, tokens, vocabulary]",
                            t->n_dims);
    }
    g->logits_type = t->type;
    g->n_vocab = t->dims[2];
    return 0;
}

static int check_cache(const struct tensor *t, struct tare_err *err)
{
    if (tare_onnx_item_bytes(t->type) == 0) {
        return tare_err_set(err, TARE_E_UNSUPPORTED,
                            "onnx: '%.80s' is %s; float32, float16 and bfloat16 are kept", t->name,
                            tare_ort_type_name(t->type));
    }
    if (t->n_dims != 4 || t->dims[0] > 1 || t->dims[1] <= 0 || t->dims[2] >= 0 || t->dims[3] <= 0 ||
        t->dims[1] > 65536 || t->dims[3] > 65536) {
        return tare_err_set(err, TARE_E_UNSUPPORTED,
                            "onnx: '%.80s' is not [1 or open, heads, open, width of a head]", t->name);
    }
    return 0;
}

/* past_key_values.N.key comes back as present.N.key, of the same type. */
static int add_cache(struct tare_onnx_graph *g, const struct border *b, const struct tensor *past,
                     struct tare_err *err)
{
    char name[128];
    (void)snprintf(name, sizeof name, PRESENT "%.100s", past->name + strlen(PAST));
    const struct tensor *present = find(b->outputs, b->n_outputs, name);
    int rc = check_cache(past, err);
    if (rc < 0) {
        return rc;
    }
    if (!present || present->type != past->type) {
        return tare_err_set(
            err, TARE_E_FORMAT,
            "onnx: input '%.80s' has no output '%.80s' of the same type that would carry it on", past->name,
            name);
    }
    struct tare_onnx_cache *c = &g->caches[g->n_caches++];
    c->past = strdup(past->name);
    c->present = strdup(name);
    c->type = past->type;
    c->item_bytes = tare_onnx_item_bytes(past->type);
    c->heads = past->dims[1];
    c->width = past->dims[3];
    return c->past && c->present ? 0 : tare_err_set(err, TARE_E_NOMEM, "onnx: no memory for a name");
}

static int read_caches(struct tare_onnx_graph *g, const struct border *b, struct tare_err *err)
{
    static const char *const known[] = {"input_ids", "attention_mask", "position_ids"};
    g->caches = calloc(b->n_inputs + 1, sizeof *g->caches);
    if (!g->caches) {
        return tare_err_set(err, TARE_E_NOMEM, "onnx: no memory for %zu names", b->n_inputs);
    }
    for (size_t i = 0; i < b->n_inputs; i++) {
        const char *name = b->inputs[i].name;
        bool plain = false;
        for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) {
            plain = plain || strcmp(name, known[k]) == 0;
        }
        if (plain) {
            continue;
        }
        if (strncmp(name, PAST, strlen(PAST)) != 0) {
            return tare_err_set(
                err, TARE_E_UNSUPPORTED,
                "onnx: the model asks for an input '%.80s', which is not known here; export a "
                "plain decoder",
                name);
        }
        int rc = add_cache(g, b, &b->inputs[i], err);
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

int tare_onnx_graph_read(struct tare_onnx_graph *graph, const struct tare_ort *ort,
                         const struct OrtSession *session, struct OrtAllocator *allocator,
                         struct tare_err *err)
{
    struct tare_onnx_graph made = {0};
    struct border b = {0};
    int rc = read_side(ort, session, allocator, true, &b.inputs, &b.n_inputs, err);
    if (rc == 0) {
        rc = read_side(ort, session, allocator, false, &b.outputs, &b.n_outputs, err);
    }
    if (rc == 0) {
        rc = read_integers(&made, &b, err);
    }
    if (rc == 0) {
        rc = read_logits(&made, &b, err);
    }
    if (rc == 0) {
        rc = read_caches(&made, &b, err);
    }
    free_tensors(b.inputs, b.n_inputs);
    free_tensors(b.outputs, b.n_outputs);
    if (rc < 0) {
        tare_onnx_graph_close(&made);
        return rc;
    }
    *graph = made;
    return 0;
}
